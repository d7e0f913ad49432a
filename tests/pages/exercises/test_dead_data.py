"""Exercises on dead data: right answers are accepted, others are told why."""

from named_kinks import FIGURE_4

from lscore import Network, Risk, exact, relu
from lscore.pages.exercises.dead_data import (
    fools_the_dead,
    is_blind_to_all,
    is_stuck_at,
    is_stuck_in_balance,
    slope_by_hand,
)

PRINTED = Risk(Network((2, 2, 1), relu, bias=(True, False)), FIGURE_4.X, FIGURE_4.y, FIGURE_4.loss)
MIDDLE = [1, 0, -1, 0, "-7/2", "-7/2", 4, -4]


def test_blind_to_all():
    assert is_blind_to_all(PRINTED, exact([0, 0, 0, 0, -1, -1, 1, 1])) == "correct: nobody is seen"
    assert is_blind_to_all(PRINTED, exact(MIDDLE)) == "not yet: a unit is on for sample 1"
    solved = exact([0, 0, 0, 0, -1, -1, 1, 1, 1])
    assert is_blind_to_all(FIGURE_4, solved) == "not yet: 5 samples are solved"


def test_the_slope_is_computed():
    assert slope_by_hand(FIGURE_4, exact([*MIDDLE, 0]), "1/10") == "correct: 1/10"
    assert slope_by_hand(FIGURE_4, exact([*MIDDLE, 0]), "3/10").startswith("not yet")


def test_stuck():
    half = exact([1, 0, 0, 0, -1, -1, 1, 1])
    assert is_stuck_at(PRINTED, half, "1/2") == "correct: a local minimum with loss 1/2"
    assert is_stuck_at(PRINTED, exact(MIDDLE), "1/2") == "not yet: the loss is 3/10"
    unbalanced = is_stuck_at(FIGURE_4, exact([*MIDDLE, 0]), "3/10")
    assert unbalanced == "not yet: local minimum? refuted"
    balanced = exact([1, 0, -1, 0, "-9/2", "-9/2", 4, -4, 0])
    assert is_stuck_in_balance(FIGURE_4, balanced) == "correct: a local minimum with loss 3/5"
    assert "no output bias" in is_stuck_in_balance(PRINTED, half)
    assert "need solved" in is_stuck_in_balance(FIGURE_4, exact([1, 0, -1, 0, -9, -9, 4, -4, 0]))


def test_fooled():
    assert fools_the_dead(FIGURE_4, exact([*MIDDLE, 0])).startswith("correct: 3 dead samples")
    assert fools_the_dead(PRINTED, exact(MIDDLE)) == "not yet: critical? certified"
    good = exact([1, 0, -1, 0, -1, -1, 1, -1])
    assert fools_the_dead(PRINTED, good) == "not yet: no sample is unsolved"
    assert "refuted" in fools_the_dead(PRINTED, exact([1, 0, -1, 0, 0, 0, "1/100", -4]))
