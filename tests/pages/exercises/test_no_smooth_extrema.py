"""Exercises on extrema inside cells: right answers are accepted, others are told why."""

import pytest
from cell_points import THREE

from lscore import Network, Risk, binary_hinge, exact, relu
from lscore.pages.exercises.no_smooth_extrema import (
    fools_the_wall_test,
    is_bad_flat_point,
    is_saddle_of_order,
    mirrored_by_hand,
    turns_by_one_sign,
)

TWO = Risk(Network((1, 1, 1), relu), [0, 1], [-1, 1], binary_hinge())


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


def test_a_sign_turns_the_risk_and_a_spectrum_is_mirrored():
    saddle = exact([0, 1, 0, 0])
    assert turns_by_one_sign(THREE, saddle, [1, 0, 1, 0], 0).startswith("correct")
    assert "does not fall" in turns_by_one_sign(THREE, saddle, [1, 0, -1, 0], 0)
    assert "does not rise" in turns_by_one_sign(THREE, saddle, [1, 0, 1, 0], 1)
    assert mirrored_by_hand(0, "3/2") == "correct: 3/2"
    assert mirrored_by_hand(1, "3/2") == "not yet: it is not 1"
    assert mirrored_by_hand(0, "-3/2").startswith("not yet")
