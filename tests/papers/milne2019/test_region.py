"""Milne (2019): the region U, its bounds, and what refuses membership."""

import numpy as np
import pytest
import torch
from cases import CERTIFIED, REFUTED, assert_unknown
from hypothesis import given
from hypothesis import strategies as st
from toy_risks import HALF, chain, eighths, toy

from lscore import (
    Network,
    Risk,
    exact,
    leaky_relu,
    relu,
    two_piece,
)
from lscore.algebra.matrices import to_float
from lscore.errors import HypothesisError
from lscore.papers.milne2019 import (
    certify_membership,
    curvature_bounds,
)


def test_the_boundary_does_not_belong_to_the_region():
    risk = toy(1, [1], ["1/10"])  # 8 l = 1/25 = (1 - 4/5)^2
    assert certify_membership(risk, exact([0] * 4), "4/5").verdict == REFUTED
    assert certify_membership(risk, exact([0] * 4), "799/1000").verdict == CERTIFIED


def test_membership_agrees_with_floats_and_takes_any_input_dimension():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((9, 3))
    risk = Risk(Network((3, 2, 1), leaky_relu("1/2"), bias=False), X, X.sum(1) / 20, HALF, 1)
    verdicts = set()
    for _ in range(40):
        w = rng.standard_normal(8) * rng.uniform(0, 0.7)
        loss = float(((risk.predictions(torch.tensor(w)) - risk.y) ** 2).mean() / 2)
        inside = 8 * loss * (X**2).sum(1).max() < 1
        verdicts.add(inside)
        assert certify_membership(risk, w).certified == inside
    assert verdicts == {True, False}


def test_membership_refuses_other_settings():
    w = exact([0] * 4)
    assert_unknown(certify_membership(toy(), w, theta="2/5"), "theta")
    assert_unknown(certify_membership(toy(), w, squared_r="1/2"), r"\|x\| <= r")
    flat = Risk(Network((1, 1), (), bias=False), [1], [1], HALF, 1)
    assert_unknown(certify_membership(flat, exact([0])), "H >= 1")
    assert_unknown(certify_membership(toy(activation=two_piece(2, 0)), w), "slope")


def test_the_bounds_refuse_other_networks():
    w = exact([1, 0, "1/2", 0])
    for risk in (toy(output_activation=relu), toy(activation=leaky_relu("1/2"))):
        with pytest.raises(HypothesisError, match=r"output activation|ReLU"):
            curvature_bounds(risk, w)
    plane = Risk(Network((2, 1, 1), relu, bias=False), [[1, 0]], [1], HALF, "1/4")
    with pytest.raises(HypothesisError, match="hypothesis 1 input: got 2 inputs"):
        curvature_bounds(plane, exact([1, 0, 1]))


@given(st.lists(st.tuples(eighths, eighths), min_size=1, max_size=5), st.integers(0, 99))
def test_the_bounds_are_ordered_and_hold(data, seed):
    x, y = (list(row) for row in zip(*data, strict=True))
    risk = toy("1/4", x, y)
    w = np.random.default_rng(seed).normal(size=4)
    bounds = curvature_bounds(risk, w)
    assert [*bounds] == ["K0^2", "K1^2", "K2^2", "K3^2", "K6^2"]
    squares = [to_float(square) for square in bounds.values()]
    assert squares == sorted(squares, reverse=True)
    smallest = np.linalg.eigvalsh(risk.hessian(torch.tensor(w)).numpy())[0] - 0.25
    assert smallest >= -(squares[-1] ** 0.5) - 1e-9


def test_deep_networks_and_several_outputs():
    """0 lies in U from two hidden layers on; with one, contradictory labels can empty it."""
    assert certify_membership(chain(2, 9), exact([0] * 3)).certified
    assert certify_membership(chain(1, 9), exact([0] * 2)).refuted
    torn = Risk(Network((1, 1, 1), relu, bias=False), [1, 1], [10, -10], HALF, 1)
    rng = np.random.default_rng(0)
    for w in rng.normal(size=(20, 2)):
        assert certify_membership(torn, w).refuted  # l >= 50, and the bound is l < 1/8
    two = Risk(Network((1, 1, 1, 2), relu, bias=False), [1], [[1, 0]], HALF, 3)
    # l = 1/2, r = 1, |W|_* = s: 72 l s^2 = 36 s^2 against 9
    assert certify_membership(two, exact(["49/100", 0, 0, 0])).certified
    assert certify_membership(two, exact(["1/2", 0, 0, 0])).refuted
    assert certify_membership(two, exact(["51/100", 0, 0, 0])).refuted
