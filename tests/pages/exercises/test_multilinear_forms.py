"""Exercises on forms: right answers are accepted, others are told why."""

import pytest
from cell_points import THREE

from lscore import Network, Risk, binary_hinge, cell_at, cell_polynomial, exact, relu
from lscore.pages.exercises.multilinear_forms import (
    agrees_outside,
    coefficient_by_hand,
    fools_the_laplacian,
    is_common_tensor,
    is_pure_power,
)

PAIR = Risk(Network((1, 2, 1), relu), [1, 2], [1, -1], binary_hinge())
HINGED = cell_at(PAIR, exact([1, 1, 1, 2, "1/8", "1/8", 0]))


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


def test_a_common_tensor_and_a_coefficient():
    small = Risk(Network((1, 1, 1, 1), relu), [1], [-1], binary_hinge())
    cell = cell_at(small, exact([1, 1, 1, 1, 1, 1]))
    assert is_common_tensor(cell, "b2", "W2") == "correct: W2 is in all of them"
    assert is_common_tensor(cell, "b2", "b1") == "not yet: it is not in W1 W2 W3"
    assert coefficient_by_hand("3/2") == "correct: 3/2"
    assert coefficient_by_hand(3).startswith("not yet")
