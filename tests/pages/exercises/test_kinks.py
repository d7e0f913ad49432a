"""Exercises on kinks: right answers are accepted, others are told why."""

import pytest

from lscore import Network, Risk, SquaredLoss, exact, relu
from lscore.pages.exercises.kinks import (
    is_kink_that_falls,
    is_minimum_on_a_kink,
    share_by_hand,
    smallest_decay,
)

FIVE = Risk(
    Network((1, 1, 1), relu),
    [-2, -1, 0, 1, 2],
    [1, "-1/2", 1, "-1/2", 1],
    SquaredLoss("1/2", mean=True),
)


@pytest.mark.parametrize(
    ("w", "answer"),
    [
        ([1, -1, "3/4", "1/4"], "correct: a local minimum on a kink, risk 9/40"),
        ([1, 1, "3/34", "5/17"], "not yet: the risk is 9/34"),
        ([1, 0, "3/32", "11/32"], "not yet: the checker says refuted"),
        ([1, -5, 1, "2/5"], "not yet: no used unit is on a kink at a sample that pulls"),
    ],
)
def test_minima_on_kinks_are_recognised(w, answer):
    assert is_minimum_on_a_kink(FIVE, exact(w), "9/34") == answer


@pytest.mark.parametrize(
    ("w", "answer"),
    [
        ([1, 0, "3/32", "11/32"], "correct: the risk changes by -9/2560 t + ..."),
        ([1, 0, "3/32", 0], "not yet: the derivative by the output bias is 0 fails already"),
        ([1, 1, "3/34", "5/17"], "not yet: the checker says certified"),
        ([1, -2, 0, "2/5"], "not yet: around unused units nothing is pulled fails already"),
    ],
)
def test_kinks_that_fall_are_recognised(w, answer):
    assert is_kink_that_falls(FIVE, exact(w)) == answer


def test_a_smooth_point_that_falls_is_no_kink():
    risk = Risk(Network((1, 1, 1), relu), [1, 2, 4], [1, 0, 1])
    assert is_kink_that_falls(risk, exact([1, 1, 0, "2/3"])).startswith("not yet")
    line = Risk(Network((1, 1, 1), relu), [-1, -2, 1, 2, 4], [0, 0, 1, 0, 1])
    w = exact([1, 0, "6/21", 0])
    assert is_kink_that_falls(line, w).startswith("not yet")


def test_numbers_by_hand_are_compared():
    assert share_by_hand("7/9") == "correct: 7/9"
    assert share_by_hand(1) == "not yet: it is not 1"
    assert smallest_decay(10) == "correct: 10"
    assert smallest_decay(5) == "not yet: with 5 the unit is pulled away from 0"
    assert smallest_decay(11) == "not yet: a little less than 11 is enough, too"
    assert smallest_decay(-1).startswith("not yet")
