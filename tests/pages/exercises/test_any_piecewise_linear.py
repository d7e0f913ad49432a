"""Exercises on any piecewise linear activation: right answers are accepted."""

from lscore import hard_tanh, piecewise_linear, relu, two_piece
from lscore.pages.exercises.any_piecewise_linear import (
    barely_bends,
    is_spurious_with_mixed_layers,
    scale_by_hand,
    sides_by_hand,
)

SHIFTED = piecewise_linear([1], [0, 2], 3)
FALLING = piecewise_linear([2, 5], [-1, 1, 0], "1/2")


def test_the_numbers():
    assert sides_by_hand(4) == "correct: 4"
    assert sides_by_hand(6) == "not yet: it is not 6"
    assert scale_by_hand(5) == "correct: 5"


def test_mixed_layers():
    right = is_spurious_with_mixed_layers([hard_tanh, SHIFTED, FALLING])
    assert right == "correct: spurious, with risk 2"
    assert "three different" in is_spurious_with_mixed_layers([SHIFTED] * 3)
    assert "knots of ReLU are 0" in is_spurious_with_mixed_layers([hard_tanh, relu, SHIFTED])


def test_bends():
    assert barely_bends(two_piece("1.0000001", 1)).startswith("correct")
    assert barely_bends(relu).startswith("not yet: the hinge wins")
