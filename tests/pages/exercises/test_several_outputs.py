"""Exercises on several outputs: right answers are accepted, others are told why."""

import pytest

from lscore import HuberLoss, Network, Risk, exact, relu
from lscore.errors import ShapeError
from lscore.pages.exercises.several_outputs import (
    has_two_lines,
    hinge_by_hand,
    is_spurious_without_idle_units,
    no_function_is_better,
)
from lscore.papers.he2020 import affine_minimum

RISK = Risk(
    Network((1, 3, 2), relu), [0, 1, 2, 3], [[0, 0], [1, 1], [4, 2], [9, 3]], HuberLoss("1/2")
)


def test_two_lines():
    assert has_two_lines([0, 1, 0]).startswith("not yet: both lines agree")
    assert has_two_lines([0, 0, 0, 0, 9]).startswith("correct")


def test_the_number():
    assert hinge_by_hand("13/72") == "correct: 13/72"
    assert hinge_by_hand(1) == "not yet: it is not 1"


def test_no_better_function():
    X = [[0, 0], [0, 0], [1, 0], [0, 1]]
    assert no_function_is_better(X, [1, -1, 0, 0]).startswith("correct")
    assert no_function_is_better(X[:3], [1, -1, 0]) == "not yet: 2 different inputs, wanted 3"
    assert no_function_is_better([0, 1, 2], [1, 2, 3]) == "not yet: an affine map fits exactly"
    assert "smaller by" in no_function_is_better([0, 1, 2], [1, 2, 4])
    with pytest.raises(ShapeError, match="X, y"):
        no_function_is_better([0, 1, 2], [1])


def test_idle_units():
    w = affine_minimum(RISK)
    assert is_spurious_without_idle_units(RISK, w) == "not yet: unit 2 is idle"
    entries = w.entries()
    entries[8], entries[11] = 1, 1  # the third column of the output weights
    third = entries[5]  # its signal is its bias
    moved = [*entries[:12], entries[12] - third, entries[13] - third]
    assert is_spurious_without_idle_units(RISK, exact(moved)).startswith("correct")
    assert is_spurious_without_idle_units(RISK, exact(entries)).startswith("not yet: refuted")
