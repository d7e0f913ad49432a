"""The exercises on cross-entropy: right answers, wrong ones, and what is said to them."""

import pytest

from lscore import CrossEntropyLoss, Network, Risk, exact, relu
from lscore.errors import LscoreError
from lscore.pages.exercises import cross_entropy as check

ANCHOR = Risk(Network((1, 3, 2), relu), [-3, -1, 1, 3], [0, 1, 0, 1], CrossEntropyLoss())
TWINS = Risk(Network((1, 1, 2), relu), [0, 0, 1, 1], [0, 1, 0, 1], CrossEntropyLoss())
PLANE = [[0, 0], [0, 1], [0, 2], [1, 0], [-1, 0]]


@pytest.mark.parametrize(
    ("answer", "start"),
    [
        (check.labels_overlap([0, 1, 0, 1, 0, 1]), "correct"),
        (check.labels_overlap([0, 0, 0, 1, 1, 1]), "not yet: separable"),
        (check.limit_probability("2/3"), "correct"),
        (check.limit_probability("1/2"), "not yet"),
        (check.is_quasi_separable(PLANE, [0, 1, 0, 0, 1]), "correct: quasi-separable"),
        (check.is_quasi_separable(PLANE, [0, 0, 0, 0, 1]), "not yet: separable"),
        (check.is_quasi_separable(PLANE, [0, 1, 0, 1, 1]), "not yet: the classes overlap"),
        (check.is_quasi_separable([0, 0, 1], [0, 1, 1]), "not yet: two of the points are equal"),
        (check.lies_beside_a_minimum(ANCHOR, exact([0] * 14)), "not yet"),
        (check.fools_the_enclosure(TWINS, exact([0] * 6)), "correct: a global minimum"),
        (check.fools_the_enclosure(TWINS, exact([1, 1, 1, 0, 0, 0])), "not yet: make all"),
        (check.fools_the_enclosure(TWINS, exact([1, 1, 0, 0, 0, 0])), "not yet|correct"),
        (check.fools_the_enclosure(ANCHOR, exact([0] * 14)), "not yet: some function"),
    ],
)
def test_answers(answer, start):
    assert answer.startswith(tuple(start.split("|"))), answer


def test_a_point_beside_the_minimum_and_one_further_off():
    slope = -0.45409213128004754
    w = [1, 0, 0, 5, 5, 5, slope, 0, 0, 0, 0, 0, -5 * slope, 0]
    assert check.lies_beside_a_minimum(ANCHOR, exact(w)).startswith("correct")
    w[0] = 1.001
    assert "only shown" in check.lies_beside_a_minimum(ANCHOR, exact(w))


def test_malformed_answers_raise():
    with pytest.raises(LscoreError):
        check.is_quasi_separable(PLANE, [0, 1])
    with pytest.raises(LscoreError):
        check.labels_overlap([0, 2])
