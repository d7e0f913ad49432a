"""Exercises on the toy regression accept what is right only."""

import pytest
from toy_risks import HALF, chain, toy

from lscore import (
    Network,
    Risk,
    exact,
    linear,
    rational,
    relu,
)
from lscore.pages.exercises import toy_regression


def test_sharp_critical_points():
    point, half = exact(["1/2", "1/2"]), ["1/2", "-1/2"]
    good = toy("1/4", [1, -1], half, 1, linear(1))
    check = toy_regression.is_sharp_critical_point
    assert check(good, point, 2).startswith("correct")
    assert "1 different inputs" in check(chain(1, "1/2"), point, 2)
    assert check(good, exact(["1/2", "1/4"]), 2).startswith("not yet: unknown")
    loose = toy("1/4", [1, "1/2"], ["1/2", "3/4"], 1)
    c = (rational("7/16") - rational("1/4")) / rational("5/8")
    assert c != 0
    assert check(loose, exact([1, 1]), 2).startswith("not yet")
    assert "exceeds" in check(chain(2, "5/8"), exact(["1/2"] * 3))


def test_a_point_inside():
    check, one = toy_regression.is_inside, toy(units=1)
    assert check(one, exact(["1/10", "1/10"])).startswith("correct")
    assert check(one, exact([0, 0])) == "not yet: this is the origin"
    assert check(one, exact([2, 2])).endswith("too large")


@pytest.mark.parametrize(("answer", "said"), [(3, "correct"), ("1/2", "not yet")])
def test_least_decay_by_hand(answer, said):
    assert toy_regression.least_decay_by_hand(answer).startswith(said)


def test_empty_regions():
    network = Network((1, 2, 1), relu, bias=False)
    empty, not_empty = (Risk(network, [1, 1], [1, -1], HALF, decay) for decay in (2, "21/10"))
    assert toy_regression.region_is_empty(empty).startswith("correct")
    assert toy_regression.region_is_empty(not_empty).startswith("not yet")


def test_outrunning_the_checker():
    check, risk = toy_regression.outruns_the_checker, toy()
    assert check(risk, "1/10", exact([6, 6, 6, 8])).startswith("correct")
    assert check(risk, "1/10", exact([6, 6, 6, 6])) == "not yet: the checker is certain"
    assert "|W|^2 is still" in check(risk, "1/10", exact([20, 20, 20, 20]), steps=1)
    assert "on a knot" in check(risk, "1/10", exact([0, 0, 20, 20]))
