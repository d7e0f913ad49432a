"""Theorem 1 of Yun, Sra and Jadbabaie (2019): the minimum, its hypotheses, spurious or not."""

import re
from fractions import Fraction

import numpy as np
import pytest
from cases import (
    ABSOLUTE,
    DEAD,
    DYADIC,
    MIRRORED,
    PARABOLA,
    SLOPES,
    TWO_OUTPUTS,
    XOR,
    columns,
    fraction,
    inner,
    random_risk,
    reference_activation,
    reference_residuals,
    reference_risk,
    table,
    with_slopes,
)
from flint import fmpq
from hypothesis import assume, given
from two_piece_points import CONTRADICTORY, TWO

from lscore import (
    Network,
    Risk,
    certify_affine_minimum,
    exact,
    hard_tanh,
    identity,
    rational,
    relu,
    two_piece,
)
from lscore.algebra.matrices import ones
from lscore.errors import DataError, DtypeError, HypothesisError, ShapeError
from lscore.minima.affine import certified_radius_squared
from lscore.minima.paths import certify_nonincreasing
from lscore.papers.yun2019 import (
    affine_fit,
    certify_spurious,
    escape_path,
    least_squares_minimum,
    one_dead_unit,
    refitted_kink,
    two_unit_point,
)


def test_a_dead_network_is_worse_than_the_affine_fit():
    assert DEAD.risk(DEAD.point) == fmpq(49, 2)
    answer = certify_spurious(DEAD.risk, DEAD.point)
    assert answer.certified
    assert answer.values["smaller_risk"] == 2  # the affine fit, which every network reaches


def test_the_dyadic_data_have_an_exactly_zero_float_gradient():
    for pair in [(1, 0), (1, "1/2"), (2, "-1/4"), (0, 1)]:
        for alpha in (1, 4, "1/8"):
            risk = with_slopes(DYADIC, pair)
            w = least_squares_minimum(risk, alpha)
            assert not risk.gradient(w.point()).any()
            assert (float(risk(w.point())), risk(w)) == (2.0, 2)


@pytest.mark.parametrize("pair", SLOPES, ids=str)
@pytest.mark.parametrize("seed", range(10))
def test_on_degenerate_data_every_formula_is_exact(seed, pair):
    risk = random_risk(seed, pair)
    A, y = table(risk.exact_augmented), [fraction(v) for v in risk.exact_y.entries()]
    left = reference_residuals(A, y)  # y - fit
    least_squares = inner(left, left) / 2
    w = least_squares_minimum(risk, "3/7")
    assert reference_risk(risk, w) == least_squares
    assert certify_affine_minimum(risk, w).certified
    if least_squares == 0:
        for construct in (one_dead_unit, refitted_kink):
            with pytest.raises(HypothesisError, match=r"C1\.1"):
                construct(risk)
        assert certify_spurious(risk, w).refuted
        return
    dead = one_dead_unit(risk)
    u = [fraction(rational(v)) for v in dead.recipe["u"]]
    beta = fraction(dead.recipe["beta"])
    h = risk.network.activations[0]
    z = [inner(x, u) - beta for x in table(risk.exact_X)]
    unit = [reference_activation(h, v) for v in z]
    gain = inner(left, unit) ** 2 / (2 * inner(unit, unit))
    assert gain > 0
    assert fraction(dead.decrease) == gain
    assert reference_risk(risk, dead.point) == fraction(dead.risk) == least_squares - gain
    kink = refitted_kink(risk)
    u = [fraction(rational(v)) for v in kink.recipe["u"]]
    beta = fraction(kink.recipe["beta"])
    phi = [max(inner(x, u) - beta, Fraction(0)) for x in table(risk.exact_X)]
    off = reference_residuals(A, phi)
    gain = inner(left, phi) ** 2 / (2 * inner(off, off))
    assert fraction(kink.decrease) == gain > 0
    assert reference_risk(risk, kink.point) == least_squares - gain
    assert certify_spurious(risk, w).certified
    assert certify_spurious(risk, w, kink.point).certified
    assert certify_nonincreasing(risk, escape_path(risk, w)).certified


@given(columns(7))
def test_equation_three_is_an_identity_inside_the_cell(move):
    risk = with_slopes(PARABOLA, (2, "1/10"))
    w, move = least_squares_minimum(risk, 2), move / 5
    (hidden, out), (d_hidden, d_out) = risk.network.unpack(w), risk.network.unpack(move)
    assume(risk.forward(w + move)[0][0].smallest() > 0)
    moved = out.weight @ d_hidden.weight + d_out.weight @ (hidden.weight + d_hidden.weight)
    shift = out.weight @ d_hidden.bias + d_out.weight @ (hidden.bias + d_hidden.bias)
    change = risk.exact_X @ (moved * 2).T + ones(4) @ (shift * 2 + d_out.bias).T
    assert risk(w + move) == risk(w) + change.dot(change) / 2


@pytest.mark.parametrize("alpha", [1, 10, "1/7", 0.1])
@pytest.mark.parametrize(
    "risk",
    [PARABOLA, XOR, MIRRORED, ABSOLUTE, TWO_OUTPUTS],
    ids=["parabola", "xor", "mirrored", "absolute value", "two outputs"],
)
def test_every_alpha_gives_a_minimum_with_the_same_risk(risk, alpha):
    w = least_squares_minimum(risk, alpha)
    assert risk(w) == 2
    assert certify_spurious(risk, w).certified
    base = certified_radius_squared(risk, least_squares_minimum(risk))
    assert certified_radius_squared(risk, w) == base * rational(alpha) ** 2


def test_two_outputs_need_a_living_unit_each_and_a_spare_one():
    w = least_squares_minimum(TWO_OUTPUTS)
    assert certify_spurious(TWO_OUTPUTS, w).certified
    assert refitted_kink(TWO_OUTPUTS).risk == 0
    dead = one_dead_unit(TWO_OUTPUTS)
    assert reference_risk(TWO_OUTPUTS, dead.point) == fraction(dead.risk) < 2
    narrow = Risk(Network((1, 2, 2), relu), TWO_OUTPUTS.exact_X, TWO_OUTPUTS.exact_y)
    assert certify_affine_minimum(narrow, least_squares_minimum(narrow)).certified
    for construct in (one_dead_unit, refitted_kink):
        with pytest.raises(HypothesisError, match=r"C1\.4: .* width 2, .* needs 3"):
            construct(narrow)
    with pytest.raises(HypothesisError, match=r"C1\.4: .* width 1"):
        least_squares_minimum(Risk(Network((1, 1, 2), relu), [0, 1], [[0, 1], [1, 0]]))
    with pytest.raises(HypothesisError, match="hypothesis 1 output: got 2"):
        two_unit_point(TWO_OUTPUTS)
    with pytest.raises(ShapeError, match="risk: escape paths are built for one output"):
        escape_path(TWO_OUTPUTS, w)


def test_contradictory_duplicates_make_the_minimum_global():
    answer = certify_spurious(CONTRADICTORY, least_squares_minimum(CONTRADICTORY))
    assert answer.refuted
    assert answer.witness["smallest_risk_of_any_function_of_x"] == 2


def test_width_one_is_decided_by_the_best_single_kink():
    y = ["-1/20", "23/20", "37/20", "61/20"]
    for slope, verdict in ((0, "refuted"), ("1/2", "certified")):
        risk = Risk(Network((1, 1, 1), two_piece(1, slope)), [0, 1, 2, 3], y)
        answer = certify_spurious(risk, least_squares_minimum(risk))
        assert str(answer.verdict) == verdict
    assert answer.values["smaller_risk"] == fmpq(1, 48)


def test_a_point_moved_by_a_billionth_is_not_spurious_but_refuted():
    w = least_squares_minimum(PARABOLA) + exact([1e-9] + [0] * 6)
    answer = certify_spurious(PARABOLA, w)
    assert answer.refuted
    assert reference_risk(PARABOLA, answer.witness["lower_point"]) < reference_risk(PARABOLA, w)


def test_a_point_on_a_kink_is_unknown():
    answer = certify_spurious(PARABOLA, exact([3, 0, 1, 0, 1, 0, -2]))
    assert str(answer.verdict) == "unknown"
    assert "unit 1 has its pre-activation exactly on a knot at sample 0" in answer.reason


@pytest.mark.parametrize("lower", [least_squares_minimum(PARABOLA, 5), DEAD.point])
def test_a_lower_point_that_is_not_lower_is_unknown(lower):
    answer = certify_spurious(PARABOLA, least_squares_minimum(PARABOLA), lower)
    assert str(answer.verdict) == "unknown"
    assert answer.reason == "the other point given is not lower"
    assert [c.holds for c in answer.conditions] == [True, True, False]


@pytest.mark.parametrize(
    ("alpha", "error", "message"),
    [
        (0, DataError, "alpha: got 0"),
        (-1, DataError, "alpha: got -1"),
        (float("nan"), DataError, "alpha: got nan"),
        (None, DtypeError, "alpha: got NoneType"),
    ],
)
def test_impossible_alphas_are_refused(alpha, error, message):
    with pytest.raises(error, match=message):
        least_squares_minimum(PARABOLA, alpha)


def test_a_dead_network_is_spurious_even_on_affine_data():
    line = Risk(TWO, [0, 1, 2], [1, 3, 5])
    dead = exact([0, 0, -1, -1, 0, 0, 3])
    answer = certify_spurious(line, dead)
    assert answer.certified
    assert answer.values["smaller_risk"] == 0


@pytest.mark.parametrize(
    ("network", "hypothesis"),
    [
        (Network((1, 1, 1), hard_tanh), r"C1\.3"),
        (Network((2, 1, 1), relu), r"C1\.4"),
        (Network((2, 2, 1), relu, bias=False), "hypothesis biases"),
    ],
)
def test_without_a_construction_the_answer_is_unknown_and_a_given_point_helps(network, hypothesis):
    """Points on one affine cell with the best affine (for the last: linear) fit, a constant."""
    if network.bias:
        X, y = ([0, 1, -1], [0, 1, 0]) if network.widths[0] == 1 else (XOR.exact_X, XOR.exact_y)
        fit = affine_fit(Risk(network, X, y))
        w = [fmpq(0)] * network.widths[0] + [fmpq(1, 8), fmpq(8), fit.intercept[0, 0] - 1]
        w[0], w[-2] = fit.slope[0, 0] / 8, fmpq(8)
    else:
        X, y, w = [[1, 0], [0, 1], [1, 1]], [1, 1, 1], ["2/3", "2/3", 1, 1, 1, 0]
    risk, w = Risk(network, X, y), exact(w)
    answer = certify_spurious(risk, w)
    assert str(answer.verdict) == "unknown"
    assert re.search(hypothesis, answer.reason)
    assert [c.holds for c in answer.conditions] == [True, True, None]
    same = certify_spurious(risk, w, w)
    assert [c.holds for c in same.conditions] == [True, True, False]


@pytest.mark.parametrize("pair", SLOPES, ids=str)
@pytest.mark.parametrize("seed", range(6))
def test_the_lower_point_is_returned(seed, pair):
    risk = random_risk(seed, pair)
    for width in (None, 1):
        if width:
            rng = np.random.default_rng(seed)
            data = rng.integers(-3, 4, (2, 5)).tolist()
            risk = Risk(Network((1, 1, 1), two_piece(*pair)), *data)
        answer = certify_spurious(risk, least_squares_minimum(risk))
        if answer.certified:
            lower = answer.values["lower_point"]
            assert reference_risk(risk, lower) == fraction(answer.values["smaller_risk"])
            assert answer.values["smaller_risk"] < answer.values["risk"]
        else:
            assert answer.conditions[-1].holds is False


def test_a_point_given_as_lower_is_the_one_returned():
    w, lower = least_squares_minimum(PARABOLA), refitted_kink(PARABOLA).point
    assert certify_spurious(PARABOLA, w, lower).values["lower_point"] == lower


def test_the_affine_fit_of_a_linear_network_is_global():
    for bias, X, y, w in (
        (True, [0, 1, 2, 3], [0, 1, 4, 9], [3, 0, 0, 0, 1, 0, -1]),
        (False, [-1, 1], [-2, 2], [2, 0, 1, 0]),
    ):
        risk, w = Risk(Network((1, 2, 1), identity, bias=bias), X, y), exact(w)
        answer = certify_spurious(risk, w)
        assert answer.refuted
        assert "smallest_risk_of_any_affine_map" in answer.witness
