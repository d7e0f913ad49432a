"""The lower point as printed: its formula, its gain, and where it needs an erratum."""

from fractions import Fraction

import pytest
from cases import (
    ABSOLUTE,
    DYADIC,
    PARABOLA,
    TIES,
    XOR,
    fraction,
    reference_risk,
    with_slopes,
)
from flint import fmpq
from tied_data import COLUMNS, UNIT_SQUARE
from two_piece_points import DUPLICATES, SYMMETRIC

from lscore import Network, Risk, exact, relu
from lscore.errors import DataError, HypothesisError
from lscore.minima.affine import certified_radius_squared
from lscore.papers.yun2019 import (
    affine_fit,
    least_squares_minimum,
    one_dead_unit,
    opposite_units,
    slopes,
    tied_point,
    two_unit_point,
)


def test_the_parabola():
    fit = affine_fit(PARABOLA)
    assert (fit.slope[0, 0], fit.intercept[0, 0]) == (3, -1)
    w = least_squares_minimum(PARABOLA)
    assert PARABOLA(w) == 2
    assert two_unit_point(PARABOLA).decrease == fmpq(1, 2)
    assert reference_risk(PARABOLA, two_unit_point(PARABOLA).point) == Fraction(3, 2)


def test_the_printed_point_gains_next_to_nothing_near_linearity():
    lower = two_unit_point(with_slopes(PARABOLA, ("1.000001", 1)))
    assert lower.decrease == fmpq(2666667, 3555559111112)


def test_xor():
    w = least_squares_minimum(XOR)
    assert XOR(w) == 2
    assert certified_radius_squared(XOR, w) == fmpq(1, 3)
    assert two_unit_point(XOR).decrease == fmpq(1, 10)
    assert one_dead_unit(XOR, [1, 1]).decrease == fmpq(1, 2)


def test_ties_in_the_fit():
    assert TIES(least_squares_minimum(TIES)) == 2
    assert len(set(affine_fit(TIES).predictions.entries())) == 2
    assert two_unit_point(TIES).decrease == fmpq(81, 1306)
    assert one_dead_unit(TIES, [1, 1]).decrease == fmpq(81, 202)


@pytest.mark.parametrize("pair", [(1, 0), (0, 1), (2, "1/10"), (1, "-1/2"), (1, -2), (-2, "1/2")])
@pytest.mark.parametrize(
    "risk",
    [PARABOLA, SYMMETRIC, DUPLICATES, DYADIC],
    ids=["parabola", "symmetric", "duplicates", "dyadic"],
)
def test_the_printed_point_lowers_by_its_formula_for_every_sign(risk, pair):
    risk = with_slopes(risk, pair, width=3)
    n, fit = len(risk.exact_y), affine_fit(risk)
    lower = two_unit_point(risk)
    assert reference_risk(risk, lower.point) == fraction(lower.risk)
    if lower.recipe["case"] == 2:
        assert risk.exact_y == SYMMETRIC.exact_y
        return
    s_plus, s_minus = slopes(risk)
    kappa = (s_plus - s_minus) / (s_plus + s_minus)
    beta, gamma = lower.recipe["beta"], lower.recipe["gamma"]
    pairs = zip(fit.predictions.entries(), fit.residuals.entries(), strict=True)
    partial = sum((r for value, r in pairs if value < beta), fmpq(0))
    gain = 2 * kappa * gamma * partial - n * kappa**2 * gamma**2 / 2
    assert lower.decrease == gain > 0
    assert reference_risk(risk, lower.point) == fraction(risk(least_squares_minimum(risk)) - gain)


def test_opposite_slopes_have_no_printed_point():
    with pytest.raises(HypothesisError, match=r"C1\.3: s_plus \+ s_minus = 0"):
        two_unit_point(ABSOLUTE)


@pytest.mark.parametrize(
    ("risk", "sample", "decrease", "dead"),
    [
        (XOR, 0, (1, 10), (1, 2)),
        (XOR, 1, (1, 26), (1, 2)),
        (UNIT_SQUARE, None, (1, 50), (1, 2)),
        (SYMMETRIC, None, (2, 19), (1, 2)),
        (TIES, None, (81, 1306), (81, 202)),
    ],
)
def test_the_tied_point_and_the_dead_unit(risk, sample, decrease, dead):
    assert tied_point(risk, sample).decrease == fmpq(*decrease)
    u = [1] * risk.network.widths[0]
    assert one_dead_unit(risk, u).decrease == fmpq(*dead)
    residual = affine_fit(risk).residuals[sample or 0, 0]
    assert (residual < 0) == (sample != 1)


def test_case_one_and_case_two_share_one_name():
    assert two_unit_point(PARABOLA).recipe["case"] == 1
    assert two_unit_point(XOR).recipe["case"] == 2
    with pytest.raises(HypothesisError, match="YUN-LA2, hypothesis J empty: the gap above") as e:
        tied_point(PARABOLA)
    assert [(g.count, g.partial) for g in e.value.witness] == [(1, -1), (3, 1)]


def test_hypotheses_of_the_point_only():
    narrow = Risk(Network((2, 1, 1), relu), XOR.exact_X, XOR.exact_y)
    with pytest.raises(HypothesisError, match=r"C1\.4"):
        tied_point(narrow)
    with pytest.raises(HypothesisError, match=r"C1\.3: s_plus \+ s_minus = 0"):
        opposite_units(ABSOLUTE, exact([[3]]), -1, 0, 0)
    with pytest.raises(DataError, match=r"sample: got 1, need one of \[0, 2\]"):
        tied_point(SYMMETRIC, 1)


def test_the_formula_holds_for_other_slopes_and_widths():
    for pair in [(1, 0), (0, 1), (1, "-1/2"), (1, -2)]:
        risk = with_slopes(COLUMNS, pair, width=4)
        lower = tied_point(risk)
        a, b, alpha = (lower.recipe[key] for key in ("a", "b", "alpha"))
        assert lower.decrease == a * alpha - b * alpha**2 > 0
        assert fraction(lower.risk) == reference_risk(risk, lower.point)


def test_rounding_breaks_a_tie_and_picks_the_wrong_case():
    """With slopes 1/10 and -3/10 the inputs (0, 0) and (3, 1) are tied; in floats they are not."""
    X, r = [(0, 0), (3, 1), (1, 0), (4, 1)], exact([1, -1, -1, 1])
    risk = Risk(XOR.network, X, [-1, 1, "11/10", "-9/10"])
    fit = affine_fit(risk)
    assert fit.residuals == r
    assert two_unit_point(risk).recipe["case"] == 2
    gap = 0.1 * 3 - 0.3 * 1
    assert 0 < gap < 1e-16
    beta, gamma = gap / 2, gap / 4
    wrong = opposite_units(risk, fit.slope, fit.intercept[0, 0], beta, gamma)
    assert risk(wrong) > risk(least_squares_minimum(risk)) > two_unit_point(risk).risk
