"""The table of activations: every row certified, and constants that fail."""

from decimal import Decimal

import pytest
from flint import arb, fmpq
from smooth_points import NAMES, TABLE, number

import lscore
from lscore import certify_affine_minimum, exact, leaky_relu, rational, relu, two_piece
from lscore.errors import HypothesisError
from lscore.model.balls import ball_risk
from lscore.papers.yun2019 import (
    certify_spurious,
    certify_three_points,
    relu_like_fit,
    relu_like_point,
    tempting_constants,
    three_points,
)
from lscore.papers.yun2019.smooth.minimum import (
    c27_margin,
    slope_and_bend,
)
from lscore.papers.yun2019.smooth.table import arctan_place, tanh_place

# (Q11, det, radius) from an independent run; the certified radius may only be larger.
KNOWN = {
    "sigmoid": ("7/192", "5/4608", "0.5443"),
    "tanh": ("5/16", "133/10368", "0.0544"),
    "tanh, equal units": ("5/16", "1/96", "0.0236"),
    "tanh, wide": ("35/18", "54475603/43200", "0.3905"),
    "arctan": (0.42667, 0.010331, "0.0779"),
    "quadratic": ("2/9", "1/27", "0.1666"),
    "ELU": ("4", "8/9", "0.1666"),
    "SELU": (4.4159, 0.98131, "0.1586"),
    "softplus": (0.034491, 0.00098074, "0.2404"),
    "GELU": (0.27389, 0.04443, "0.4525"),
    "SiLU": (0.067706, 0.0025835, "0.2279"),
    "sine": ("1/9", "10/81", "0.2126"),
    "softsign": ("128/15", "512/675", "0.0601"),
    "exponential": ("1/12", "1/162", "0.1666"),
    "erf": (0.47933, 0.026972, "0.0637"),
}


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_the_table_is_certified_with_the_known_numbers(name, certificates):
    answer, c = certificates[name], TABLE[name].constants
    assert answer.certified
    assert answer.method == "ball"
    p, a = slope_and_bend(c)
    corner, det, radius = KNOWN[name]
    for found, wanted in ((p[0] + a[0], corner), (c27_margin(c), det)):
        if isinstance(wanted, str):
            assert found == rational(wanted)
        else:
            assert number(found) == pytest.approx(wanted, rel=5e-5)
    assert Decimal(radius) <= answer.values["radius"] < Decimal(radius) * Decimal("1.1")
    assert c.b2 == 0


@pytest.mark.parametrize("name", ["tanh", "arctan"])
def test_tempting_constants_fail_c27_and_a_lower_point_shows_it(name):
    c = tempting_constants()[name]
    assert c.b2 == 0
    answer = certify_three_points(c)
    assert answer.refuted
    assert [k.holds for k in answer.conditions] == [True, True, False]
    assert answer.conditions[2].text.startswith("C2.7")
    assert number(c27_margin(c)) == pytest.approx(
        {"tanh": -0.0651, "arctan": -0.0469}[name], abs=1e-4
    )
    assert ball_risk(c.risk, answer.witness["lower_point"]) < arb(fmpq(1, 3))


@pytest.mark.parametrize("h", [relu, leaky_relu("1/10"), two_piece(2, "1/3")], ids=lambda h: h.name)
def test_relu_like_activations_go_through_the_exact_certificate(h):
    risk, w, fit = three_points(h), relu_like_point(h), relu_like_fit(h)
    assert risk(w) == fmpq(1, 3)
    assert risk(fit) == 0
    answer = certify_spurious(risk, w, fit)
    assert answer.certified
    assert answer.method == "exact"
    hidden, out = risk.network.unpack(fit)
    assert hidden.bias.is_zero()
    assert out.bias.is_zero()


def test_relu_like_needs_the_signs_of_the_appendix():
    for h in (two_piece(0, 1), two_piece(1, -1)):
        with pytest.raises(HypothesisError, match="YUN-A6"):
            relu_like_point(h)


def test_hard_tanh_is_decided_by_the_exact_certificate_too():
    w = exact(["1/4", "1/4", "1/4", "1/4", 0, 0, "2/3", "2/3", 0])
    assert certify_affine_minimum(three_points(lscore.hard_tanh), w).certified


def test_places_of_known_value():
    assert tanh_place("1/2").slope_squared == fmpq(9, 16)
    assert arctan_place("1/4").value == fmpq(1, 4)
    assert isinstance(arctan_place("1/4").curvature, arb)
