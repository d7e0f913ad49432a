"""Exercises on cells: right answers are accepted, others are told why."""

from lscore import Network, Risk, exact, relu
from lscore.pages.exercises.nearly_convex import (
    are_lowest_in_two_cells,
    best_by_hand,
    is_higher_in_the_middle,
    is_lowest_in_a_bent_cell,
)

VALLEY = Risk(Network((1, 1, 1), relu), [-1, 0, 1], [1, 0, 1])
BENT, DEAD = exact([1, "-1/2", 1, "1/2"]), exact([0, -1, 1, "2/3"])
PAIR = Risk(Network((1, 1, 1), relu, bias=False), [1, 2], [1, 3])


def test_points_that_are_lowest_in_a_bent_cell():
    assert is_lowest_in_a_bent_cell(VALLEY, BENT).endswith("a risk below 1/4")
    assert is_lowest_in_a_bent_cell(VALLEY, DEAD) == "not yet: every unit uses one piece only"
    assert is_lowest_in_a_bent_cell(VALLEY, exact([1, 0, 1, 0])).endswith("unknown")
    assert is_lowest_in_a_bent_cell(VALLEY, BENT + exact([0, 0, 0, 1])).endswith("refuted")


def test_a_number_by_hand():
    assert best_by_hand("1/10") == "correct: 1/10"
    assert best_by_hand("1/5") == "not yet: it is not 1/5"


def test_pairs_with_a_higher_middle():
    a, b = exact([4, "7/20"]), exact(["1/4", "28/5"])
    assert is_higher_in_the_middle(PAIR, a, b).startswith("correct: 1/10, 1/10, and ")
    assert is_higher_in_the_middle(PAIR, a, a) == "not yet: in the middle the risk is 1/10"
    assert is_higher_in_the_middle(PAIR, a, exact([-1, 1])).startswith("not yet: the points do")


def test_minima_of_two_cells():
    assert are_lowest_in_two_cells(VALLEY, BENT, DEAD) == "correct: risks 1/4 and 1/3"
    assert are_lowest_in_two_cells(VALLEY, DEAD, DEAD) == "not yet: both have the risk 1/3"
    assert are_lowest_in_two_cells(VALLEY, DEAD, exact([0] * 4)).startswith("not yet: at b")
