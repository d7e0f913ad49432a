"""Exercises on dense spurious minima: right answers are accepted, others are told why."""

import pytest
import torch
from cases import CASE_C, PARABOLA

from lscore import exact
from lscore.errors import LscoreError
from lscore.pages.exercises.two_piece_activations import (
    affine_fit_is_best,
    affine_map_fits,
    decrease_by_hand,
    is_dense_spurious_minimum,
)
from lscore.pages.exercises.what_a_hessian_cannot_see import (
    fools_second_order_test,
    has_descent_of_order,
)
from lscore.pages.shared import fools_the_checker
from lscore.papers.yun2019 import least_squares_minimum

DENSE = exact([3, 0, 10, 10, 1, 1, -21])


@pytest.mark.parametrize(
    ("w", "radius", "answer"),
    [
        (DENSE, 0, "correct: spurious, with risk 2"),
        (DENSE, 3, "correct: spurious, with risk 2"),
        (DENSE, 4, "not yet: the certified radius is 3.16227"),
        (least_squares_minimum(PARABOLA), 0, "not yet: an output weight is 0"),
        (DENSE + exact([0, 0, 0, 0, 0, 0, 1]), 0, "not yet: refuted"),
        (
            exact([3, 0, 10, 0, 1, 1, -11]),
            0,
            "not yet: unknown, unit 1 has its pre-activation exactly on a knot at sample 0: "
            "the point is on a kink",
        ),
    ],
)
def test_dense_spurious_minima_are_recognised(w, radius, answer):
    assert is_dense_spurious_minimum(PARABOLA, w, radius) == answer


@pytest.mark.parametrize(
    ("y", "answer"),
    [
        ([1, -1, 1, -1], "correct: every function of x leaves a sum of squares of at least 4"),
        ([1, 1, 2, 2], "not yet: an affine map fits exactly, slope column(1)"),
    ],
)
def test_data_that_no_function_fits_better_are_recognised(y, answer):
    assert affine_fit_is_best([0, 0, 1, 1], y) == answer


def test_data_that_some_function_fits_better_are_told_by_how_much():
    assert affine_fit_is_best([0, 0, 1, 2], [1, -1, 1, 0]) == (
        "not yet: the group means have a sum of squares that is smaller by 8/11"
    )


def test_the_first_two_exercises_know_right_from_wrong():
    assert affine_map_fits([1, 3, 5, 7]).startswith("correct")
    assert affine_map_fits([1, 1, 1, 1]) == "not yet: the labels are all equal"
    assert affine_map_fits([0, 1, 4, 9]) == "not yet: the best line leaves a sum of squares of 4"
    assert decrease_by_hand("1/72") == "correct: 1/72"
    assert decrease_by_hand("1/12") == "not yet: it is not 1/12"


def test_input_of_the_wrong_shape_raises():
    short = torch.zeros(2, dtype=torch.float64)
    for check in (fools_second_order_test, is_dense_spurious_minimum, fools_the_checker):
        with pytest.raises(LscoreError, match="w: shape"):
            check(PARABOLA, short)
    with pytest.raises(LscoreError, match="u: shape"):
        has_descent_of_order(CASE_C.risk, CASE_C.point, [1], 1)
    with pytest.raises(LscoreError, match="radius: got nan"):
        is_dense_spurious_minimum(PARABOLA, DENSE, float("nan"))
    with pytest.raises(LscoreError, match=r"\by\b"):
        affine_fit_is_best([0, 1], [0, 1, 2])
