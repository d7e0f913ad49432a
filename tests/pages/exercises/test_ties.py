"""Exercises on ties accept what is right only."""

from dataclasses import replace

from tied_data import COLUMNS
from two_piece_points import SYMMETRIC

from lscore import exact
from lscore.pages.exercises.ties import (
    breaks_tie,
    fools_the_split_checker,
    gain_by_hand,
    has_only_ties,
)
from lscore.papers.yun2019 import split_tie, tied_point


def test_data_with_ties_only_are_recognised():
    X = [[-1, 0], [0, -1], [0, 0], [0, 1], [1, 0]]
    y = [-1, -1, 2, -1, 1]
    assert has_only_ties(X, y, 3).startswith("correct: 3 groups")
    assert has_only_ties(X, y, 4) == "not yet: the fit takes 3 values, wanted 4"
    assert has_only_ties([0, 1, 2], [3, 2, 1]) == "not yet: an affine map fits exactly"
    assert has_only_ties([0, 1, 2, 3], [0, 1, 4, 9]) == (
        "not yet: the residuals below the gap above -1 sum to -1"
    )


def test_gains_by_hand_are_compared():
    assert gain_by_hand("1/66") == "correct: 1/66"
    assert gain_by_hand(1) == "not yet: it is not 1"


def test_splits_by_hand_are_checked():
    split = split_tie(SYMMETRIC, 2)
    assert breaks_tie(SYMMETRIC, split, 2) == "correct: D = 1"
    assert breaks_tie(SYMMETRIC, split, 0) == "not yet: j1 is 2, wanted 0"
    wrong = breaks_tie(SYMMETRIC, replace(split, direction=exact([-1])), 2)
    assert wrong.startswith("not yet: v is a positive multiple of x_j1 fails, v = column(-1)")


def test_refused_splits_that_work_are_recognised():
    split = split_tie(COLUMNS)
    turned = replace(split, direction=split.direction + exact(["1/100", 0]))
    alpha = tied_point(COLUMNS).recipe["alpha"]
    assert fools_the_split_checker(COLUMNS, turned, alpha).startswith("correct: refused, and lower")
    assert fools_the_split_checker(COLUMNS, split) == "not yet: the checker accepts this split"
    away = replace(split, direction=exact([100, 100]))
    assert fools_the_split_checker(COLUMNS, away).startswith("not yet: the point has the risk")
