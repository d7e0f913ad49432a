"""Lower points by one kink: what they gain, at every scale, and where none gains."""

from fractions import Fraction

import pytest
from cases import ABSOLUTE, PARABOLA, XOR, fraction, inner, reference_residuals, table, with_slopes
from flint import fmpq
from two_piece_points import CONTRADICTORY, DUPLICATES, SYMMETRIC, TWO

from lscore import (
    Network,
    Risk,
    mean_squared_error,
    relu,
)
from lscore.errors import DataError, HypothesisError, LscoreError
from lscore.papers.yun2019 import (
    certify_spurious,
    least_squares_minimum,
    one_dead_unit,
    refitted_kink,
    two_unit_point,
)


@pytest.mark.parametrize("pair", [(1, 0), ("1.000001", 1), (1, "-1/2"), (1, -1), (2, "1/10")])
def test_the_refitted_kink_gains_everything_whatever_the_slopes(pair):
    lower = refitted_kink(with_slopes(PARABOLA, pair))
    assert lower.decrease == 2
    assert lower.risk == 0
    assert lower.recipe["beta"] == fmpq(3, 2)


@pytest.mark.parametrize(
    ("risk", "least_squares", "decrease"),
    [
        (SYMMETRIC, 3, fmpq(1, 2)),
        (ABSOLUTE, 2, fmpq(1, 3)),
    ],
    ids=["symmetric", "absolute value"],
)
def test_one_dead_unit_gains_what_the_ledger_says(risk, least_squares, decrease):
    assert risk(least_squares_minimum(risk)) == least_squares
    assert one_dead_unit(risk).decrease == decrease


def test_duplicates_are_harmless_unless_they_contradict():
    assert DUPLICATES(least_squares_minimum(DUPLICATES)) == fmpq(15, 11)
    assert refitted_kink(DUPLICATES).decrease == fmpq(4, 11)
    assert CONTRADICTORY(least_squares_minimum(CONTRADICTORY)) == 2
    for construct in (one_dead_unit, refitted_kink, two_unit_point):
        with pytest.raises(HypothesisError, match=r"YUN-T1, hypothesis C1\.2") as caught:
            construct(CONTRADICTORY)
        assert caught.value.witness.is_zero()


def test_decreases_scale_with_the_loss():
    mean = Risk(TWO, PARABOLA.exact_X, PARABOLA.exact_y, mean_squared_error)
    for construct in (one_dead_unit, refitted_kink, two_unit_point):
        assert construct(mean).decrease * 2 == construct(PARABOLA).decrease


def test_the_kink_of_one_dead_unit_lies_on_a_data_point():
    risk = Risk(TWO, ["1/3", "2/3", 1, "7/3"], [0, 1, 0, 0])
    assert one_dead_unit(risk).recipe["beta"] in risk.exact_X.entries()
    best = max(
        inner(left, unit) ** 2 / (2 * inner(unit, unit))
        for beta in (Fraction(1, 3), Fraction(2, 3), Fraction(1))
        for left in [reference_residuals(table(risk.exact_augmented), [0, 1, 0, 0])]
        for unit in [[max(fraction(x) - beta, Fraction(0)) for x in risk.exact_X.entries()]]
    )
    assert fraction(one_dead_unit(risk).decrease) == best


@pytest.mark.parametrize(
    "scale", [10**200, Fraction(1, 10**200), Fraction(1, 3)], ids=["huge", "tiny", "third"]
)
@pytest.mark.parametrize("construct", [one_dead_unit, refitted_kink])
def test_the_units_of_the_data_do_not_matter(construct, scale):
    risk = Risk(TWO, [scale * v for v in range(4)], [0, 1, 4, 9])
    assert construct(risk).decrease == construct(PARABOLA).decrease


def test_huge_contradictory_labels_do_not_hide_the_best_kink():
    risk = Risk(TWO, [0, 0, 1, 2], [10**20, -(10**20), fmpq(1, 10**6), 0])
    assert refitted_kink(risk).risk == 10**40


@pytest.mark.parametrize("y", [[5, 4, 3], [1, 2, 3]])
def test_affine_data_are_refused_with_the_fit(y):
    risk = Risk(TWO, [0, 1, 2], y)
    for construct in (one_dead_unit, refitted_kink, two_unit_point):
        with pytest.raises(HypothesisError, match=r"C1\.1: an affine map fits") as caught:
            construct(risk)
        assert caught.value.witness.sum_of_squares == 0
    answer = certify_spurious(risk, least_squares_minimum(risk))
    assert answer.refuted
    assert dict(answer.witness) == {"risk": 0, "smallest_risk_of_any_function_of_x": 0}


@pytest.mark.parametrize("construct", [one_dead_unit, refitted_kink])
@pytest.mark.parametrize("direction", [[0, 0], [1], [1, 2, 3], [1, float("nan")], 5, []])
def test_impossible_directions_are_refused_by_name(construct, direction):
    with pytest.raises(LscoreError, match="direction"):
        construct(XOR, direction)


def test_kinks_that_gain_nothing_are_refused():
    with pytest.raises(DataError, match=r"direction: .* no data point gives a descent"):
        one_dead_unit(XOR, [1, 0])
    with pytest.raises(DataError, match="direction, beta: this kink does not lower"):
        refitted_kink(XOR, [1, 1], 9)
    with pytest.raises(DataError, match="beta: given without a direction"):
        refitted_kink(XOR, beta=0)
    with pytest.raises(DataError, match="beta: got nan"):
        refitted_kink(XOR, [1, 1], float("nan"))


@pytest.mark.parametrize("construct", [one_dead_unit, refitted_kink])
def test_constant_inputs_are_no_direction(construct):
    risk = Risk(Network((2, 2, 1), relu), [[x, 5] for x in range(4)], [0, 1, 4, 9])
    assert construct(risk).decrease == construct(PARABOLA).decrease


@pytest.mark.parametrize("construct", [one_dead_unit, refitted_kink])
@pytest.mark.parametrize("start", range(12))
def test_the_only_descent_in_long_data_is_found(construct, start):
    """Only kinks inside a short bump gain anything; no threshold may be skipped."""
    y = list(range(3000))
    for k, bump in enumerate([-1, 2, -1]):
        y[start * 250 + k] += bump
    assert construct(Risk(TWO, list(range(3000)), y), [1]).decrease > 0
