"""Exercises on curvature: right answers are accepted, others are told why."""

import pytest

from lscore import Network, Risk, SquaredLoss, exact, relu
from lscore.pages.exercises.curvature_along_a_path import (
    curvature_by_hand,
    fools_the_wall_checker,
    has_curvature,
    has_new_curvature,
    jumps_by,
)

HALF = SquaredLoss("1/2", mean=True)
VALLEY = Risk(Network((1, 1, 1), relu, bias=False), [1], [2], HALF, 1)
UNIT = Network((1, 1), (), bias=False, output_activation=relu)
TWO = Risk(Network((1, 2, 1), relu), [1, 2], [0, 1], HALF)
SMOOTH = Risk(Network((1, 1, 1), relu), [1, 2], [0, 3], HALF)  # residual 0 at the wall


@pytest.mark.parametrize(
    ("w", "c", "answer"),
    [
        (["1/2", "1/2"], "-1/2", "correct: |g|^2 = 9/32"),
        (["1/2", "1/2"], "1/2", "not yet: c = -1/2"),
        ([1, 1], 4, "not yet: the gradient is 0"),
        ([0, 1], 4, "not yet: w: sample 0, unit 0 of layer 1"),
    ],
)
def test_has_curvature(w, c, answer):
    assert has_curvature(VALLEY, exact(w), c).startswith(answer)


BOWL = Risk(Network((2, 1), (), bias=False), [[1, 0], [0, 2]], [0, 0])


@pytest.mark.parametrize(
    ("w", "answer"),
    [([4, -1], "correct"), ([8, 2], "not yet: it is a multiple"), ([1, 0], "not yet: c = 2")],
)
def test_has_new_curvature(w, answer):
    assert has_new_curvature(BOWL, exact(w), 5, [4, 1]).startswith(answer)


@pytest.mark.parametrize(("answer", "said"), [(6, "correct"), (12, "not yet")])
def test_curvature_by_hand(answer, said):
    assert curvature_by_hand(answer).startswith(said)


@pytest.mark.parametrize(
    ("labels", "w", "factor", "answer"),
    [
        ([-1, 10], [0], 100, "correct: |g|^2 grows 100 times"),
        ([-1, 5], [0], 100, "not yet: |g|^2 grows 25 times"),
        ([-1, -5], [0], 100, "not yet: the checker says certified"),
        ([-1, 5], [1], 100, "not yet: the checker says unknown"),
    ],
)
def test_jumps_by(labels, w, factor, answer):
    assert jumps_by(Risk(UNIT, [1, -1], labels, HALF), exact(w), factor).startswith(answer)


@pytest.mark.parametrize(
    ("risk", "w", "answer"),
    [
        (TWO, [1, 1, -1, -2, 0, 0, 1], "correct"),
        (TWO, [1, 1, -1, -2, 1, 1, 1], "not yet: two cells have different gradients"),
        (TWO, [1, 1, 1, 1, 1, 1, 1], "not yet: 1 cells"),
        (Risk(UNIT, [1, -1], [0, 0], HALF), [0], "not yet: the gradient is 0"),
        (SMOOTH, [1, -1, 1, 0], "not yet: the checker says certified"),
    ],
)
def test_fools_the_wall_checker(risk, w, answer):
    assert fools_the_wall_checker(risk, exact(w)).startswith(answer)
