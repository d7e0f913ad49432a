"""Exercises on whole surfaces: right answers are accepted, others are told why."""

import pytest
from small_surfaces import solved

from lscore import exact
from lscore.errors import LscoreError
from lscore.pages.exercises.solved import (
    best_by_hand,
    best_is_on_a_wall,
    fools_the_solver,
    has_one_value,
    is_another_minimum,
)


def test_one_value():
    assert has_one_value([1, 1, 1, 1]) == "correct: all local minima have the risk 0"
    assert has_one_value([0, 2, 1]) == "not yet: the values are 1/4, 3/4, 1"


def test_best_by_hand():
    assert best_by_hand("1/4") == "correct: 1/4"
    assert best_by_hand("3/4").startswith("not yet")


def test_best_on_a_wall():
    assert "19/32 is attained on walls only" in best_is_on_a_wall([0, 0, -2, -2, -1])
    assert "inside a cell" in best_is_on_a_wall([0, 1, 4, 9, 16])
    assert "3 labels" in best_is_on_a_wall([0, 1, 4])


def test_another_minimum():
    surface = solved("one unit without a spurious minimum")
    a, b, v, c = surface.best.point.entries()
    assert is_another_minimum(surface, exact([3 * a, 3 * b, v / 3, c])).startswith("correct")
    assert "listed point" in is_another_minimum(surface, surface.best.point)
    assert "not on the list" in is_another_minimum(surface, exact([a, b, v, c + 1]))
    flat = solved("five points, 1 unit")
    mean = exact([0, 0, 0, "2/5"])  # the risk 27/100 is on the list, but a kink there helps
    assert "no local minimum" in is_another_minimum(flat, mean)


def test_fooling_the_solver():
    x, y = list(range(12)), [0, 1] * 6
    assert fools_the_solver(x, y, 11).startswith("correct")
    assert "it is solved, 4 values" in fools_the_solver([0, 1, 2], [0, 2, 1], 2)
    assert "a unit for each but one" in fools_the_solver(x, y, 10)
    assert "a unit for each but one" in fools_the_solver([0, 0, 1], [0, 1, 2], 3)
    assert "13 samples" in fools_the_solver(list(range(13)), [0] * 13, 12)
    with pytest.raises(LscoreError, match="width"):
        fools_the_solver(x, y, 0)
