"""Exercises on the partition: right answers are accepted, others are told why."""

from cell_points import PAIR, A, B

from lscore import (
    Network,
    Risk,
    binary_hinge,
    exact,
    relu,
)
from lscore.pages.exercises.partition import (
    fools_the_smoothness_check,
    has_activation_patterns,
    lies_in_a_disconnected_cell,
    patterns_by_hand,
    samples_on,
)


def test_a_pattern_is_read_and_patterns_are_counted():
    w = exact([1, -1, "-1/16", "-1/16", 3, 3, "-3/2"])
    bump = Risk(Network((1, 2, 1), relu), [-1, 0, 1], [1, -1, 1], binary_hinge())
    assert samples_on(bump, w, 0, [2]) == "correct: [2]"
    assert samples_on(bump, w, 1, [2]).startswith("not yet")
    assert patterns_by_hand(32) == "correct: 32"
    assert patterns_by_hand(16).startswith("not yet")


def test_exercises_accept_right_answers_and_say_why_others_are_wrong():
    right = [[0, 0], [1, 1], [2, 2], [0, 1]]
    assert has_activation_patterns(right, 12).startswith("correct")
    assert has_activation_patterns([[0, 0], [1, 1], [2, 3], [0, 1]], 12) == (
        "not yet: 14 patterns, wanted 12"
    )
    assert has_activation_patterns([[0, 0], [0, 0]], 2) == "not yet: two samples coincide"
    assert lies_in_a_disconnected_cell(PAIR, A, B).startswith("correct")
    assert lies_in_a_disconnected_cell(PAIR, A, A).startswith("not yet: no parameter")
    assert lies_in_a_disconnected_cell(PAIR, A, exact([1, 1, 4, 0])).startswith("not yet: the")
    three = Risk(Network((1, 1, 1, 1), relu), [1], [0])
    assert fools_the_smoothness_check(three, exact([1, -1, 1, -1, 1, 0])).startswith("correct")
    for w, words in (
        ([1, 1, 1, 1, 1, 0], "lies in no wall"),
        ([1, -1, 1, 1, 1, 0], "no layer after layer 1"),
        ([1, 1, 1, -2, 1, 0], "no layer after layer 2"),
    ):
        assert words in fools_the_smoothness_check(three, exact(w))
