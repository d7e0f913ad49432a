"""Exercises on leaky networks: right answers are accepted, others are told why."""

from named_kinks import HALF, standing

from lscore import Network, Risk, binary_hinge, exact
from lscore.pages.exercises.leaky_networks import (
    fall_by_hand,
    fools_the_bound,
    is_bad_minimum,
    is_flat_but_steep,
    separates,
)

EVEN = standing(HALF, ["1/4", "1/4", "1/2"])


def test_separates():
    assert separates(EVEN, exact([0, 2, -1])) == "correct: the margin is 1"
    assert separates(EVEN, exact([0, 1, 0])) == "correct: the margin is 1"
    assert separates(EVEN, exact([1, 0, 0])) == "not yet: sample 0 has -1, need at least 1"


def test_the_fall_is_computed():
    pulled = Risk(Network((1, 1, 1), HALF), [-2, 1], [-1, 1], binary_hinge())
    w = exact([1, 1, 0, 0])
    assert fall_by_hand(pulled, w, "5/4") == "correct: 5/4"
    assert fall_by_hand(pulled, w, "3/4").startswith("not yet")


def test_a_bad_minimum():
    bad = exact([1, 0, 3, 0, 1])
    answer = is_bad_minimum(standing(HALF), bad)
    assert answer == "correct: loss 3/5, and it does not hold that the classes have equal weights"
    assert is_bad_minimum(EVEN, bad) == "not yet: local minimum? refuted"
    assert is_bad_minimum(EVEN, exact([0, 1, 0, 4, 0])) == "not yet: its loss is 0"


def test_nearly_stuck_and_fooled():
    small = exact([1, 0, 3, "1/1000", 0])
    assert is_flat_but_steep(EVEN, small, "1/100").startswith("correct: loss 1")
    assert "need a bound below 1/1000000" in is_flat_but_steep(EVEN, small, "1/1000")
    assert "need at least 1/2" in is_flat_but_steep(EVEN, exact([0, 1, 0, "7/8", 0]), 1)
    idle = exact([1, 0, 3, 0, 0])
    assert is_flat_but_steep(EVEN, idle, 1) == "not yet: not critical? unknown"
    assert fools_the_bound(EVEN, exact([0, 1, 0, 0, 0])).startswith("correct: no unit")
    assert fools_the_bound(EVEN, small) == "not yet: the checker says certified"
    assert fools_the_bound(EVEN, exact([0, 0, 0, 0, 0])) == "not yet: critical? certified"
