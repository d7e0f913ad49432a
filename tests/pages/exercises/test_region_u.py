"""Exercises on the region U accept what is right only."""

import pytest

from lscore import Network, Risk, exact, linear, relu
from lscore.errors import TieError
from lscore.pages.exercises import region_u as check

DEEP = Risk(Network((1, 1, 1, 1), relu, bias=False), [1], ["5/4"], check.HALF, "1/4")
ONE = Risk(Network((1, 1, 1), relu, bias=False), [1], ["5/4"], check.HALF, "1/4")


def test_inside_without_a_fit():
    assert check.is_imperfect_and_inside(DEEP, exact(["1/100"] * 3)).startswith("correct")
    assert check.is_imperfect_and_inside(DEEP, exact([1, 1, 1])) == "not yet: in U? refuted"
    assert "origin" in check.is_imperfect_and_inside(DEEP, exact([0, 0, 0]))
    assert "loss is 0" in check.is_imperfect_and_inside(DEEP, exact([1, 1, "5/4"]))


@pytest.mark.parametrize(("answer", "said"), [(2, "correct"), (1, "not yet"), (4, "not yet")])
def test_the_least_decay(answer, said):
    assert check.least_decay_by_hand(answer).startswith(said)


def test_a_bowl_outside():
    assert check.is_minimum_outside(ONE, exact([1, 1])).startswith("correct")
    assert "gradient" in check.is_minimum_outside(ONE, exact([1, 2]))
    assert "2 hidden layers" in check.is_minimum_outside(DEEP, exact([1, 1, 1]))
    net = Network((1, 1, 1), linear(1), bias=False)
    steady = Risk(net, [1], [1], check.HALF, "3/2")  # at 0 convex, and not in U
    assert "origin" in check.is_minimum_outside(steady, exact([0, 0]))
    free = Risk(Network((1, 1, 1), relu), [1], ["5/4"], check.HALF, "1/4")
    loud = exact(["12/25", "12/25", "24/25", 0])
    assert not check.is_minimum_outside(free, loud).startswith("correct")


def test_a_wall_inside():
    assert check.is_wall_inside(DEEP, exact([0, 0, "1/100"])).startswith("correct")
    assert "origin" in check.is_wall_inside(DEEP, exact([0, 0, 0]))
    assert "knot" in check.is_wall_inside(DEEP, exact([1, 1, 1]))
    assert "refuted" in check.is_wall_inside(DEEP, exact([0, 0, 9]))


def test_on_a_wall_the_residuals_show_nothing():
    """At 0 everything is off and K6 = 0, and yet a point nearby is lower."""
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [1], check.HALF, "1/2")
    assert risk(exact(["1/10", "1/10"])) < risk(exact([0, 0]))
    with pytest.raises(TieError):
        check.outruns_the_region(risk, exact([0, 0]))


def test_convex_by_the_residuals_and_not_inside():
    assert check.outruns_the_region(DEEP, exact([1, 1, "6/5"])).startswith("correct")
    assert "K6 is" in check.outruns_the_region(DEEP, exact([1, 1, 1]))
    assert "lies in U" in check.outruns_the_region(DEEP, exact([1, 1, "5/4"]))
