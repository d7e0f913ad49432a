"""Exercises on three classes: right answers are accepted, others are told why."""

from lscore import exact
from lscore.pages.exercises.three_classes import (
    is_active_unsolved,
    is_moved_minimum,
    is_solved,
    loss_by_hand,
)
from lscore.papers.laurent2018 import active_minimum

O12 = active_minimum("O12")
S8 = active_minimum("S8")


def test_active_unsolved_samples():
    assert is_active_unsolved(O12.risk, O12.point, 0, 1).startswith("correct: unit 0 is on")
    assert "but not for class 2" in is_active_unsolved(O12.risk, O12.point, 0, 2)
    assert "all margins of sample 0" in is_active_unsolved(S8.risk, S8.point, 0, 2)


def test_the_loss_by_hand():
    assert loss_by_hand("14/9") == "correct: 14/9"
    assert loss_by_hand("131/72").startswith("not yet")


def test_solved_points():
    w = exact([1, 0, 0, 1, 4, 4, 2, 0, 0, 2, -2, 0, 0, -2, -11, -11, 5, 5])
    assert is_solved(O12.risk, w) == "correct: the loss is 0"
    assert is_solved(O12.risk, O12.point) == "not yet: the loss is 14/9"


def test_moved_minima():
    moved = O12.point.entries()
    moved[4] += 2
    v, c = moved[6:14:2], moved[14:]
    right = exact([*moved[:14], *(b - 2 * a for a, b in zip(v, c, strict=True))])
    assert is_moved_minimum(O12.risk, O12.point, right) == "correct: certified, with the bias 7"
    assert "is 5, as before" in is_moved_minimum(O12.risk, O12.point, O12.point)
    assert "the loss is" in is_moved_minimum(O12.risk, O12.point, exact(moved))
    halves = exact([*right.entries()[:2], 1, 1, 7, 7, *[a / 2 for a in v for _ in "ab"],
                    *right.entries()[14:]])  # fmt: skip
    assert "flat to first order" in is_moved_minimum(O12.risk, O12.point, halves)
