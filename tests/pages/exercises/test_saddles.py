"""Exercises on saddles: right answers are accepted, others are told why."""

from linear_points import FIRST, NARROW, ONE
from losses import Told

from lscore import Network, Risk, exact, identity
from lscore.pages.exercises.saddles import (
    decrease_by_hand,
    fools_the_classifier,
    is_higher,
    is_narrow_minimum,
    is_saddle_with_pivot,
)

DEEP = Risk(Network((2,) * 5, identity, bias=False), [[1, 0], [0, 1]], [[1, 0], [0, 2]])


def test_saddle_with_pivot():
    assert is_saddle_with_pivot(DEEP, exact(ONE + ONE + FIRST + FIRST), 3).startswith("correct")
    for w, words in {
        (*ONE, *FIRST, *FIRST, *ONE): "the pivot is layer 2",
        (*[0] * 16,): "product is zero",
        (*ONE, *ONE, *ONE, *ONE): "refuted",
        (*ONE, *ONE, *ONE, 1, 0, 0, 2): "global minimum",
    }.items():
        answer = is_saddle_with_pivot(DEEP, exact(list(w)), 3)
        assert answer.startswith("not yet")
        assert words in answer


def test_narrow_minimum():
    assert is_narrow_minimum(NARROW, exact([1, 0, 2, 0])) == "correct: global, with loss 1/2"
    assert "every kept component" in is_narrow_minimum(NARROW, exact([0, 1, 0, 1]))
    assert "hypothesis bottleneck" in is_narrow_minimum(DEEP, exact([0] * 16))
    fitted = Risk(NARROW.network, [[1, 0], [0, 1]], [[2, 0], [0, 0]])
    assert "gradient" in is_narrow_minimum(fitted, exact([1, 0, 2, 0]))
    skew = Risk(NARROW.network, [[1, 0], [0, 1]], [[1, 0], [1, 1]])
    assert "no part between" in is_narrow_minimum(skew, exact([1, 1, 1, 0]))


def test_fools_the_classifier():
    down = Told(lambda z: -z.dot(z), lambda z: z * -2)
    risk, zero = Risk(Network((1, 1, 1), identity, bias=False), [1], [0], down), exact([0, 0])
    answer = fools_the_classifier(risk, zero, [1, 1])
    assert answer == "correct: the loss falls by 1 at once and still at the scale 2^-20"
    assert "does not fall" in fools_the_classifier(risk, zero, [1, 0])
    assert "not critical" in fools_the_classifier(risk, exact([1, 1]), [1, 1])
    for w, what in (([0, 1, 0, 1], "a strict saddle"), ([0] * 4, "a saddle")):
        answer = fools_the_classifier(NARROW, exact(w), [2, 0, 1, 0])
        assert f"the classifier says certified, the point is {what}" in answer


def test_a_higher_point_and_a_decrease():
    two = Risk(Network((2,) * 3, identity, bias=False), [[1, 0], [0, 1]], [[2, 0], [0, 1]])
    assert is_higher(two, exact([2, 0, 0, 1, 1, 0, 0, -1])) == "correct: 2 is more than 1/2"
    assert "the risk is 0" in is_higher(two, exact([2, 0, 0, 1, 1, 0, 0, 1]))
    assert "first column" in is_higher(two, exact([3, 0, 0, 1, 1, 0, 0, -1]))
    assert decrease_by_hand("7/32") == "correct: 7/32"
    assert decrease_by_hand("1/2").startswith("not yet")
