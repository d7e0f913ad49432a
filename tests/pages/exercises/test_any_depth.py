"""Exercises on depth: right answers are accepted, others are told why."""

import pytest

from lscore import Network, Risk, exact, leaky_relu, relu
from lscore.errors import HypothesisError
from lscore.pages.exercises.any_depth import (
    has_fewest_units,
    is_dead_in_the_middle,
    is_spurious_on_the_left,
    last_bias_by_hand,
)
from lscore.papers.he2020 import affine_minimum, sides

LEAKY = Risk(Network((1, 2, 1, 1), leaky_relu("1/2")), [0, 1, 2, 3], [0, 1, 4, 9])
RELU = Risk(Network((1, 2, 1, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])


def test_widths():
    assert has_fewest_units([3, 2, 2]) == "correct: 3, 2, 2"
    assert has_fewest_units([3, 3, 2]) == "not yet: 8 units, 1 more than needed"
    assert has_fewest_units([3, 2]) == "not yet: 2 hidden layers, wanted 3"
    with pytest.raises(HypothesisError, match="hidden layer 2 has width 1"):
        has_fewest_units([3, 1, 2])


def test_the_number():
    assert last_bias_by_hand(-2) == "correct: -2"
    assert last_bias_by_hand(2) == "not yet: it is not 2"


def test_the_left_side():
    left = [next(s for s in sides(leaky_relu("1/2")) if s.sign < 0)] * 2
    assert is_spurious_on_the_left(LEAKY, affine_minimum(LEAKY, places=left)).startswith("correct")
    assert "layer 1 has" in is_spurious_on_the_left(LEAKY, affine_minimum(LEAKY))
    assert is_spurious_on_the_left(LEAKY, exact([0] * 9)).startswith("not yet: ")


def test_a_dead_middle():
    dead = exact([1, 1, 1, 1, 0, 0, -1, 1, "7/2"])
    assert is_dead_in_the_middle(RELU, dead).startswith("correct")
    assert "second layer sends" in is_dead_in_the_middle(RELU, affine_minimum(RELU))
    both = exact([0, 0, -1, -1, 0, 0, -1, 1, "7/2"])
    assert is_dead_in_the_middle(RELU, both) == "not yet: the first layer sends 0 as well"
