"""Exercises on the bound of the curvature accept what is right only."""

import pytest

from lscore import Network, Risk, exact, relu, two_piece
from lscore.pages.exercises import curvature_bound as check

ONE = Risk(Network((1, 1, 1), relu, bias=False), [1], [1], check.HALF)
TWO = Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [1], check.HALF)
THREE = Risk(Network((1,) * 5, relu, bias=False), [1], [1], check.HALF)


def test_residuals_without_a_bend():
    assert check.is_bent_up(ONE, exact([1, "3/4"])).startswith("correct")
    assert check.is_bent_up(ONE, exact([1, 1])) == "not yet: B is 0"
    assert check.is_bent_up(ONE, exact(["1/2", "1/2"])).startswith("not yet: 1 eigenvalue of")


@pytest.mark.parametrize(("answer", "said"), [(2, "correct"), ("2/3", "not yet")])
def test_the_largest_pull(answer, said):
    assert check.largest_pull_by_hand(answer).startswith(said)


def test_the_best_constant():
    assert check.is_nearly_optimal(TWO, exact(["1/50"] * 3)).startswith("correct")
    assert "certified" in check.is_nearly_optimal(TWO, exact(["1/2"] * 3))
    assert "1 hidden layers, wanted 2" in check.is_nearly_optimal(ONE, exact([1, 1]))
    steep = Risk(Network((1, 1, 1, 1), two_piece(3, 0), bias=False), [1], [1], check.HALF)
    assert "|slope| <= 1" in check.is_nearly_optimal(steep, exact(["1/2"] * 3))


def test_norms_that_differ():
    far = exact([100, "1/100", "1/100", "1/100"])
    assert check.has_a_loose_norm(THREE, far).startswith("correct")
    assert check.has_a_loose_norm(THREE, exact([2, 2, 2, 2])) == "not yet: K3 / K4 is 1"


def test_balls_that_overlap():
    tenth = exact(["1/10", "1/10"])
    assert check.fools_the_balls(ONE, tenth, "97/99").startswith("correct")
    assert check.fools_the_balls(ONE, tenth, 1) == "not yet: the checker says certified"
    biased = Risk(Network((1, 1, 1), relu), [1], [1], check.HALF)
    assert "does not ask" in check.fools_the_balls(biased, exact([1, 1, 1, 0]), 1)
