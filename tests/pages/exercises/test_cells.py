"""Answer checkers of the part on cells: right answers pass, wrong ones are told why."""

import pytest

from lscore import Network, Risk, binary_hinge, cell_at, cell_polynomial, exact, relu
from lscore.pages.exercises.clarke import (
    has_incident_cells,
    is_proper_subgradient,
    shortest_by_hand,
)
from lscore.pages.exercises.multilinear_forms import (
    agrees_outside,
    coefficient_by_hand,
    fools_the_laplacian,
    is_common_tensor,
    is_pure_power,
)
from lscore.pages.exercises.no_smooth_extrema import (
    fools_the_wall_test,
    is_bad_flat_point,
    is_saddle_of_order,
    mirrored_by_hand,
    turns_by_one_sign,
)
from lscore.pages.exercises.partition import patterns_by_hand, samples_on

PAIR = Risk(Network((1, 2, 1), relu), [1, 2], [1, -1], binary_hinge())
HINGED = cell_at(PAIR, exact([1, 1, 1, 2, "1/8", "1/8", 0]))
BALANCED = binary_hinge(["1/4", "1/2", "1/4"])
THREE = Risk(Network((1, 1, 1), relu), [-1, 0, 2], [1, -1, 1], BALANCED)
TWO = Risk(Network((1, 1, 1), relu), [0, 1], [-1, 1], binary_hinge())


@pytest.mark.parametrize(
    ("w", "answer"),
    [
        ([1, 0, 1, -1, "1/8", "1/8", 0], "correct: another cell, and both give 17/16"),
        ([1, -1, 1, 1, "1/8", "1/8", 0], "not yet: the point lies on a wall"),
        ([1, 1, 1, 1, "1/8", "1/8", 0], "not yet: the point is in the cell"),
        ([1, 0, 1, -1, 4, "1/8", 0], "not yet: a margin is slack"),
        ([1, 0, 1, -1, "1/8", 0, 0], "not yet: an output weight is 0"),
        ([1, -1, 1, "-1/2", "1/8", "1/8", 0], "not yet: the forms are off by -1/16"),
    ],
)
def test_points_where_the_forms_agree_by_accident(w, answer):
    assert agrees_outside(HINGED, exact(w)) == answer


@pytest.mark.parametrize(
    ("w", "u", "power", "answer"),
    [
        ([0, 1, 0, 0], [1, 0, 1, 0], 2, "correct: the risk changes by -1/4 t^2"),
        ([0, 1, 0, 0], [1, 0, 1, 0], 1, "not yet: the risk changes by -1/4 t^2"),
        ([0, 1, 0, 0], [1, 0, 0, 0], 1, "not yet: the risk changes by 0"),
        ([0, 0, 0, 0], [1, 0, 1, 0], 2, "not yet: the point lies on a wall"),
    ],
)
def test_pure_powers(w, u, power, answer):
    assert is_pure_power(THREE, exact(w), exact(u), power) == answer


def test_harmonic_polynomials_that_are_no_forms():
    a, b, *_ = cell_polynomial(HINGED).context().gens()
    assert fools_the_laplacian(HINGED, a * b) == "correct: harmonic, with a monomial in W1 W1"
    assert fools_the_laplacian(HINGED, a * a - b * b).startswith("correct")
    assert fools_the_laplacian(HINGED, a * a) == "not yet: the Laplacian is 2"
    answer = fools_the_laplacian(HINGED, cell_polynomial(HINGED))
    assert answer == "not yet: it is a sum of multilinear forms"


@pytest.mark.parametrize(
    ("w", "order", "answer"),
    [
        ([0, 1, 0, 0], 2, "correct: the risk changes by 1/4 t^2 and by -1/4 t^2"),
        ([0, 1, 0, 0], 3, "not yet: the order is 2, wanted 3"),
        ([0, -1, 0, 0], 2, "not yet: the cell is flat"),
        ([0, 0, 0, 0], 2, "not yet: w: lies on a wall, unit 0 of layer 1 has a tie at sample 0 "),
    ],
)
def test_saddles_have_their_order(w, order, answer):
    assert is_saddle_of_order(THREE, exact(w), order).startswith(answer)


def test_flat_points_above_zero():
    assert is_bad_flat_point(THREE, exact([0, -1, 5, 0])) == "correct: the risk is 1 all around"
    assert is_bad_flat_point(THREE, exact([0, 1, 0, 0])) == "not yet: the cell is not flat"
    assert is_bad_flat_point(TWO, exact([1, 1, 4, -6])) == "not yet: the risk is 0"
    assert is_bad_flat_point(THREE, exact([0, 0, 0, 0])).startswith("not yet: w: lies on a wall")


def test_smooth_points_on_walls():
    assert fools_the_wall_test(TWO, exact([1, 0, 4, -2])).startswith("correct: w: lies on a wall")
    assert fools_the_wall_test(TWO, exact([0, 0, 0, 0])) == "not yet: a margin is not slack"
    answer = fools_the_wall_test(TWO, exact([1, 1, 4, -6]))
    assert answer == "not yet: the checker says certified"


def test_a_common_tensor_and_a_coefficient():
    small = Risk(Network((1, 1, 1, 1), relu), [1], [-1], binary_hinge())
    cell = cell_at(small, exact([1, 1, 1, 1, 1, 1]))
    assert is_common_tensor(cell, "b2", "W2") == "correct: W2 is in all of them"
    assert is_common_tensor(cell, "b2", "b1") == "not yet: it is not in W1 W2 W3"
    assert coefficient_by_hand("3/2") == "correct: 3/2"
    assert coefficient_by_hand(3).startswith("not yet")


def test_a_pattern_is_read_and_patterns_are_counted():
    w = exact([1, -1, "-1/16", "-1/16", 3, 3, "-3/2"])
    bump = Risk(Network((1, 2, 1), relu), [-1, 0, 1], [1, -1, 1], binary_hinge())
    assert samples_on(bump, w, 0, [2]) == "correct: [2]"
    assert samples_on(bump, w, 1, [2]).startswith("not yet")
    assert patterns_by_hand(32) == "correct: 32"
    assert patterns_by_hand(16).startswith("not yet")


def test_a_sign_turns_the_risk_and_a_spectrum_is_mirrored():
    saddle = exact([0, 1, 0, 0])
    assert turns_by_one_sign(THREE, saddle, [1, 0, 1, 0], 0).startswith("correct")
    assert "does not fall" in turns_by_one_sign(THREE, saddle, [1, 0, -1, 0], 0)
    assert "does not rise" in turns_by_one_sign(THREE, saddle, [1, 0, 1, 0], 1)
    assert mirrored_by_hand(0, "3/2") == "correct: 3/2"
    assert mirrored_by_hand(1, "3/2") == "not yet: it is not 1"
    assert mirrored_by_hand(0, "-3/2").startswith("not yet")


def test_cells_that_meet_and_their_gradients():
    tied = Risk(Network((1, 1, 1), relu), [0, 1, 3], [0, 0, 0])
    on_one, on_all = exact([1, -1, 1, 0]), exact([0, 0, 1, 0])
    assert has_incident_cells(tied, on_one, 2) == "correct: 2 cells meet; ties there: 1"
    assert has_incident_cells(tied, on_all, 2) == "not yet: 6 cells meet there, wanted 2"
    hinged = Risk(Network((1, 1, 1), relu), [1], [1], binary_hinge())
    middle = is_proper_subgradient(hinged, on_all, exact(["-1/2", "-1/2", 0, -1]))
    assert middle.startswith("correct: g is a convex combination")
    corner = is_proper_subgradient(hinged, on_all, exact([-1, -1, 0, -1]))
    assert corner == "not yet: g is the gradient of an incident cell"
    outside = is_proper_subgradient(hinged, on_all, exact([1, 1, 0, -1]))
    assert outside == "not yet: refuted, g is not shown to be in the subdifferential"


def test_the_shortest_subgradient_by_hand():
    assert shortest_by_hand("1/4") == "correct: 1/4"
    assert shortest_by_hand("1/2") == "not yet: it is not 1/2"
