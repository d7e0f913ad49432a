"""The checkers of the exercises on linear networks accept right answers and explain wrong ones."""

from losses import Told

from lscore import Network, Risk, exact, identity
from lscore.pages.exercises.saddles import (
    decrease_by_hand,
    fools_the_classifier,
    is_higher,
    is_narrow_minimum,
    is_saddle_with_pivot,
)
from lscore.pages.exercises.strict_saddles import (
    eigenvalue_by_hand,
    fools_two_layers,
    is_flat_saddle,
    is_strict_but_slow,
    is_strict_with_zero_layers,
)
from lscore.papers.yun2019 import partial_decomposition

DEEP = Risk(Network((2,) * 5, identity, bias=False), [[1, 0], [0, 1]], [[1, 0], [0, 2]])
NARROW = Risk(Network((2, 1, 2), identity, bias=False), [[1, 0], [0, 1]], [[2, 0], [0, 1]])
ONE, FIRST = [1, 0, 0, 1], [1, 0, 0, 0]


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


THREE = Risk(Network((2,) * 4, identity, bias=False), [[1, 0], [0, 1]], [[1, 0], [0, 1]])
ZERO, SECOND = [0] * 4, [0, 0, 0, 1]


def test_flat_saddle():
    assert is_flat_saddle(THREE, exact(3 * FIRST)).startswith("correct")
    assert "is strict" in is_flat_saddle(THREE, exact(ONE + 2 * FIRST))
    assert "product is zero" in is_flat_saddle(THREE, exact(3 * ZERO))
    assert "global minimum" in is_flat_saddle(THREE, exact(3 * ONE))


def test_strict_but_slow():
    assert is_strict_but_slow(THREE, exact(SECOND + 2 * ZERO)).startswith("correct")
    assert "order 2" in is_strict_but_slow(THREE, exact(ONE + 2 * FIRST))
    assert "no negative" in is_strict_but_slow(THREE, exact(3 * ZERO))
    assert "refuted" in is_strict_but_slow(THREE, exact(2 * ONE + FIRST) * 2)


def test_fools_two_layers():
    made = partial_decomposition((3, 2, 4, 2), 1, (2, 3))
    assert fools_two_layers(made.risk, made.point).startswith("correct")
    assert "bottleneck" in fools_two_layers(NARROW, exact([0, 1, 0, 1]))
    assert "two layers" in fools_two_layers(THREE, exact(SECOND + 2 * ZERO))
    assert "not a certified" in fools_two_layers(THREE, exact(3 * ZERO))


def test_strict_saddles_with_zero_layers():
    toy = Risk(Network((2,) * 4, identity, bias=False), [[1, 0], [0, 1]], [[1, 0], [0, 1]])
    assert is_strict_with_zero_layers(toy, exact([0] * 8 + [1, 2, 3, 4])).startswith("correct")
    assert "1 of 3" in is_strict_with_zero_layers(toy, exact(ONE + [0] * 4 + ONE))
    assert "3 of 3" in is_strict_with_zero_layers(toy, exact([0] * 12))
    fitted = Risk(toy.network, toy.X, [[0, 0], [0, 0]])
    assert "refuted" in is_strict_with_zero_layers(fitted, exact([0] * 8 + [1, 2, 3, 4]))


def test_an_eigenvalue_by_hand():
    assert eigenvalue_by_hand(-3) == "correct: -3"
    assert eigenvalue_by_hand(3) == "not yet: it is not 3"


def test_a_higher_point_and_a_decrease():
    two = Risk(Network((2,) * 3, identity, bias=False), [[1, 0], [0, 1]], [[2, 0], [0, 1]])
    assert is_higher(two, exact([2, 0, 0, 1, 1, 0, 0, -1])) == "correct: 2 is more than 1/2"
    assert "the risk is 0" in is_higher(two, exact([2, 0, 0, 1, 1, 0, 0, 1]))
    assert "first column" in is_higher(two, exact([3, 0, 0, 1, 1, 0, 0, -1]))
    assert decrease_by_hand("7/32") == "correct: 7/32"
    assert decrease_by_hand("1/2").startswith("not yet")
