"""Exercises on strict saddles: right answers are accepted, others are told why."""

from linear_points import FIRST, NARROW, ONE

from lscore import Network, Risk, exact, identity
from lscore.pages.exercises.strict_saddles import (
    eigenvalue_by_hand,
    fools_two_layers,
    is_flat_saddle,
    is_strict_but_slow,
    is_strict_with_zero_layers,
)
from lscore.papers.yun2019 import partial_decomposition

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
