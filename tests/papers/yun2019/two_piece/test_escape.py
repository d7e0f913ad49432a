"""Paths out of a spurious minimum, and points just outside its radius."""

import pytest
from cases import (
    ABSOLUTE,
    MIRRORED,
    PARABOLA,
    TIES,
    TWO_OUTPUTS,
    XOR,
    fraction,
    reference_risk,
    with_slopes,
)
from flint import fmpq
from two_piece_points import TWO

from lscore import Network, Risk, certify_affine_minimum, exact, hard_tanh, rational, two_piece
from lscore.errors import DataError, HypothesisError, LscoreError, ShapeError
from lscore.minima.affine import certified_radius_squared
from lscore.minima.paths import certify_nonincreasing
from lscore.papers.yun2019 import (
    affine_fit,
    certify_spurious,
    escape_path,
    just_outside,
    least_squares_minimum,
)

VALLEY = Risk(
    Network((2, 3, 1), two_piece(1, "1/10")),
    [(0, 1), (1, 0), (2, 2), (3, 1), (-1, 2)],
    [0, 1, 5, 2, 1],
)


def valley_point():
    """A minimum of VALLEY with output weights 1, -2, 3/2: no output weight is zero."""
    fit, spare = affine_fit(VALLEY), exact([[1, -1], ["1/2", 2]])
    first = fit.slope - exact([[-2, "3/2"]]) @ spare
    shifts, gains = exact([20, 10, 5]), exact([[1, -2, "3/2"]])
    offset = fit.intercept - gains @ shifts
    rows = exact([first.entries(), *[spare.rows(k, k + 1).entries() for k in range(2)]])
    return VALLEY.network.pack([rows, gains], [shifts, offset])


def test_a_dense_valley_point_is_spurious_and_can_be_left_without_rising():
    w = valley_point()
    assert VALLEY(w) == fmpq(32, 15)
    assert certify_spurious(VALLEY, w).certified
    for unit in (None, 0, 1, 2):
        path = escape_path(VALLEY, w, unit)
        assert certify_nonincreasing(VALLEY, path).certified
        assert {str(VALLEY(point)) for point in path[:-1]} == {"32/15"}
        assert VALLEY(path[-1]) == fmpq(32, 15) - fmpq(243, 475)


def test_escape_paths_start_only_at_least_squares_minima():
    w = least_squares_minimum(PARABOLA)
    with pytest.raises(DataError, match="w: "):
        escape_path(PARABOLA, w + exact([1] + [0] * 6))
    dead = Risk(TWO, [3, 1, 0, -2, -2], [-5, -5, -5, -4, 3])
    with pytest.raises(DataError, match="w: "):
        escape_path(dead, exact([0, 0, -1, -1, 0, 0, "-16/5"]))
    risk = with_slopes(PARABOLA, (1, -1))
    w = exact([3, 3, 5, 10, "1/2", "1/2", "-17/2"])
    assert certify_affine_minimum(risk, w).certified
    assert certify_nonincreasing(risk, escape_path(risk, w)).certified
    mixed = exact([3, -3, 5, -10, "1/2", "1/2", "-17/2"])
    assert certify_affine_minimum(risk, mixed).certified
    with pytest.raises(DataError, match="w: the two units sit on different sides"):
        escape_path(risk, mixed)


@pytest.mark.parametrize("unit", [0, 5, -1])
def test_units_that_cannot_be_freed_are_refused_by_name(unit):
    with pytest.raises(LscoreError, match="unit"):
        escape_path(PARABOLA, least_squares_minimum(PARABOLA), unit)


@pytest.mark.parametrize(
    "risk",
    [PARABOLA, XOR, MIRRORED, ABSOLUTE, VALLEY],
    ids=["parabola", "xor", "mirrored", "absolute value", "valley"],
)
@pytest.mark.parametrize("factor", ["65/64", "1000001/1000000", 3])
def test_just_outside_the_radius_there_is_a_lower_point(risk, factor):
    w = least_squares_minimum(risk)
    lower = just_outside(risk, w, factor)
    assert reference_risk(risk, lower.point) == fraction(lower.risk) < fraction(risk(w))
    assert lower.decrease == risk(w) - lower.risk
    (before, _), (after, _) = risk.network.unpack(w), risk.network.unpack(lower.point)
    rows, shifts = after.weight - before.weight, after.bias - before.bias
    squared = [
        (rows.rows(k, k + 1).dot(rows.rows(k, k + 1)) + shifts[k, 0] ** 2, k)
        for k in range(len(rows))
    ]
    radius = certified_radius_squared(risk, w)
    assert max(squared) == (radius * rational(factor) ** 2, lower.recipe["unit"])


def test_just_outside_refuses_or_descends_at_other_minima():
    """At a dead network the residuals are not those of the affine fit."""
    dead = exact([0, 0, -1, -1, 0, 0, "7/2"])
    assert certify_affine_minimum(PARABOLA, dead).certified
    try:
        lower = just_outside(PARABOLA, dead)
    except LscoreError:
        return
    assert lower.decrease > 0


@pytest.mark.parametrize("factor", [1, 0, -2, "1/2", float("nan")])
def test_a_factor_that_does_not_leave_the_ball_is_refused(factor):
    with pytest.raises(LscoreError, match="factor"):
        just_outside(PARABOLA, least_squares_minimum(PARABOLA), factor)


def test_just_outside_needs_an_idle_unit_at_the_nearest_wall():
    for risk, w in [
        (PARABOLA, exact([3, 0, 1, 100, 1, 0, -2])),
        (TIES, least_squares_minimum(TIES)),
    ]:
        with pytest.raises(DataError, match="w: unit 0 limits the radius and is not idle"):
            just_outside(risk, w)
    with pytest.raises(ShapeError, match="several outputs"):
        just_outside(TWO_OUTPUTS, least_squares_minimum(TWO_OUTPUTS))
    with pytest.raises(DataError, match="w: not a certified minimum"):
        just_outside(PARABOLA, exact([0] * 7))
    bounded = Risk(Network((1, 2, 1), hard_tanh), [-1, 0, 1], [1, -2, 1])
    with pytest.raises(HypothesisError, match=r"C1\.3"):
        just_outside(bounded, exact([0, 0, "1/2", "1/2", 1, 0, "-1/2"]))


def test_just_outside_looks_behind_every_nearest_wall():
    """With residuals r only what lies behind a wall counts: nothing at -3, something at 3."""
    one_sided = Risk(TWO, list(range(-3, 4)), [0, 0, 0, 0, -1, 2, -1])
    lower = just_outside(one_sided, least_squares_minimum(one_sided))
    assert lower.recipe["sample"] == 6
    assert lower.decrease > 0
    nothing = Risk(TWO, [0, 1, 2, 3], [-1, 3, 1, 3])
    with pytest.raises(DataError, match=r"w: .* residual 0, no descent"):
        just_outside(nothing, least_squares_minimum(nothing))


def test_paths_start_at_float_points_too():
    w = least_squares_minimum(PARABOLA)
    assert escape_path(PARABOLA, w.point())[-1] == escape_path(PARABOLA, w)[-1]
    assert just_outside(PARABOLA, w.point()).point == just_outside(PARABOLA, w).point
    with pytest.raises(ShapeError, match="lower: shape"):
        certify_spurious(PARABOLA, w, exact([1, 2]))
