"""Theorem 2 of Yun, Sra and Jadbabaie (2019): minima certified, refuted, decided as by floats."""

from decimal import Decimal

import numpy as np
import pytest
import torch
from flint import arb, fmpq
from smooth_points import MISH, TABLE, form, number

import lscore
from lscore import Smooth, rational
from lscore.errors import DataError, DtypeError, LscoreError
from lscore.model.balls import ball_risk
from lscore.papers.yun2019 import (
    box_is_safe,
    certify_smooth_minimum,
    certify_three_points,
    constants,
    lower_point_in_box,
    place,
    tempting_constants,
)
from lscore.papers.yun2019.smooth.minimum import (
    c27_margin,
    certified_radius,
    negative_direction,
    slope_and_bend,
)
from lscore.papers.yun2019.smooth.table import sigmoid_place


def test_c26_does_not_follow_from_c27():
    c = constants(lscore.sigmoid, [sigmoid_place("3/4")] * 2, ["2/9", "2/9"])
    answer = certify_smooth_minimum(c)
    assert answer.refuted
    assert [k.holds for k in answer.conditions] == [True, False, True]
    assert number(slope_and_bend(c)[0][0] + slope_and_bend(c)[1][0]) == pytest.approx(
        -0.0052, abs=1e-4
    )


def test_the_output_bias_replaces_c23():
    c = constants(lscore.sigmoid, [sigmoid_place("1/4")] * 2, [1, 1])
    assert c.b2 == fmpq(-1, 6)
    assert certify_smooth_minimum(c).certified


def test_a_zero_determinant_is_unknown_and_never_certified():
    quartic = Smooth("z^4", lambda z: z**4, lambda z: z * z * z * z)
    answer = certify_smooth_minimum(constants(quartic, [0, 0], [1, 1]))
    assert str(answer.verdict) == "unknown"
    assert answer.reason.startswith("C2.6: p1 + a1 > 0 fails")
    assert not box_is_safe(constants(quartic, [0, 1], [1, -1]), "1/1000")


def test_any_width_with_convex_units_is_certified():
    c = constants(lscore.softplus, [0, 1, -1, 2, "1/2"], [1, "1/2", "1/3", "1/4", "1/5"])
    answer = certify_three_points(c)
    assert answer.certified
    assert answer.values["radius"] == Decimal("0.1999")
    open_case = certify_smooth_minimum(constants(lscore.softplus, [0] * 3, [1, 1, 0]))
    assert str(open_case.verdict) == "unknown"
    assert open_case.reason.startswith("u3 h''(v3) > 0 fails")
    assert certify_smooth_minimum(constants(lscore.softplus, [0] * 3, [1, 1, "-1/4"])).refuted
    with pytest.raises(DataError, match="c: 3 units"):
        c27_margin(constants(lscore.softplus, [0] * 3, [1, 1, -1]))


@pytest.mark.parametrize(
    ("h", "v", "u"),
    [
        (lscore.softsign, [3, 1], [None, "4/3"]),  # p2 + a2 is exactly 0
        (lscore.softsign, [1, 3], ["4/3", None]),
        (lscore.square, [5, 1], [-12, None]),  # the best direction is (1, 0.19968...)
        (lscore.square, [1, 5], [None, -12]),
        (lscore.softplus, [0, 0, 0], [1, 1, -1]),
        (lscore.square, [1, 1, 1], ["1/2", "-1/2", "-1/6"]),
        (lscore.square, [0, 1, "10000000"], [0, "-1/100", "1/1000"]),
    ],
)
def test_wherever_the_form_is_indefinite_the_answer_is_refuted(h, v, u):
    c = constants(h, v, u)
    answer = certify_smooth_minimum(c)
    assert answer.refuted
    assert any(k.holds is False for k in answer.conditions)
    assert form(c, negative_direction(c)) < 0
    if "lower_point" in answer.witness:
        assert ball_risk(c.risk, answer.witness["lower_point"]) < arb(fmpq(1, 3))


@pytest.mark.parametrize("seed", range(60))
def test_random_points_are_decided_as_the_eigenvalues_are(seed):
    """Unknown only where Q is singular or nearly so; its sign from numpy, as a second source."""
    rng = np.random.default_rng(seed)
    h = [lscore.softsign, lscore.square, lscore.tanh, lscore.silu, MISH, lscore.sine][seed % 6]
    width = 2 + (seed % 5 == 0)
    v = [fmpq(int(k), 4) for k in rng.integers(1, 16, width)]
    u = [fmpq(int(k), 3) for k in rng.choice([-7, -4, -2, -1, 1, 2, 4, 7], width)]
    c = constants(h, v, u)
    _, slope, bend = zip(*([number(d) for d in h.derivatives(arb(x), 2)] for x in v), strict=True)
    pull, turn = (np.array([number(w) for w in u]) * np.array(x) for x in (slope, bend))
    lowest = np.linalg.eigvalsh(np.outer(pull, pull) + np.diag(turn / 3))[0]
    verdict = str(certify_smooth_minimum(c).verdict)
    assert abs(lowest) > 1e-9
    assert verdict == ("refuted" if lowest < 0 else "certified")


@pytest.mark.parametrize(
    ("h", "v", "u", "radius"),
    [(lscore.softplus, [0], [-2], "0.1"), (lscore.softplus, [0, 0, 5], [1, 1, -1], "0.02")],
)
def test_one_unit_may_bend_down_at_any_width(h, v, u, radius):
    c = constants(h, v, u)
    answer = certify_smooth_minimum(c)
    assert answer.certified
    assert answer.values["radius"] > Decimal(radius)
    size, rng, centre = (
        number(rational(str(answer.values["radius"]))),
        np.random.default_rng(0),
        c.point().point(),
    )
    for _ in range(300):
        w = centre + torch.from_numpy(rng.choice([-1.0, 0.0, 1.0], c.risk.dimension) * size)
        w[-1] += (c.risk.y - c.risk.predictions(w)).mean()
        assert float(c.risk(w)) >= 1 / 3 - 1e-13


def test_a_determinant_shown_negative_refutes_without_a_direction():
    """The determinant is -28/9 (1e-60), in fractions; balls of 160 bits show no z."""
    one, u = place(lscore.square, 1, [1, 4, 2]), fmpq(-7, 6) + fmpq(1, 10**60)
    c = constants(lscore.square, [one, one], [1, u])
    assert c27_margin(c) == fmpq(8, 3) * u / 10**60 < 0
    assert negative_direction(c) is None
    answer = certify_smooth_minimum(c)
    assert answer.refuted
    assert answer.witness["c27_margin_at_most"] == Decimal("-3.11111E-60")
    assert certify_smooth_minimum(constants(lscore.square, [one, one], [1, fmpq(-7, 6)])).reason


def test_a_safe_box_is_enough_where_c27_is_an_equality():
    c = constants(lscore.elu(1), ["1/2", "1/2"], ["1/3", "1/3"])
    assert c27_margin(c) == 0
    answer = certify_smooth_minimum(c)
    assert answer.certified
    assert [k.text[:4] for k in answer.conditions] == ["the ", "Q is"]
    assert lower_point_in_box(c, str(answer.values["radius"])) is None


@pytest.mark.parametrize("check", [slope_and_bend, c27_margin, certified_radius,
                                   negative_direction, certify_smooth_minimum])  # fmt: skip
def test_only_constants_are_taken(check):
    for other in (None, 1, "tanh", lscore.tanh):
        with pytest.raises(DtypeError, match=r"c: got .*, need a Constants"):
            check(other)


def test_a_box_has_no_negative_radius():
    with pytest.raises(DataError, match="radius: got -1"):
        box_is_safe(TABLE["tanh"].constants, -1)


def test_radii_are_capped_and_zero_where_nothing_is_safe():
    flat = constants(lscore.square, [1, 1], [1000, 1000])
    assert certified_radius(flat) == 64
    assert certified_radius(tempting_constants()["tanh"]) == 0
    with pytest.raises(LscoreError, match="radius"):
        box_is_safe(flat, float("nan"))
