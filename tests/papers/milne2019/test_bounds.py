"""The chain of curvature bounds: every link, closed forms, the optimal constant, refusals."""

from itertools import pairwise

import numpy as np
import pytest
from flint import arb, fmpq
from toy_risks import HALF, chain

from lscore import (
    Cell,
    Network,
    Risk,
    absolute_value,
    cell_at,
    exact,
    hard_tanh,
    leaky_relu,
    pattern_at,
    relu,
)
from lscore.errors import DataError, HypothesisError
from lscore.papers.milne2019 import (
    certify_curvature_bound,
    certify_membership,
    curvature_bounds,
    curvature_chain,
)

NAMES = [f"K{i}" for i in range(8)]


def random_case(rng, hidden, outputs=1, h=relu, outer=None):
    widths = (3, *rng.integers(2, 5, hidden).tolist(), outputs)
    network = Network(widths, h, bias=False, output_activation=outer)
    X, y = rng.integers(-9, 10, (6, 3)) / 8, rng.integers(-9, 10, (6, outputs)) / 8
    return Risk(network, X, y, HALF, 1), exact(rng.integers(-99, 100, network.dimension) / 64)


def own(risk, w):
    """The cell of the point; what lies on a knot counts as off, as in the paper."""
    return Cell(risk, pattern_at(risk, w).pieces)


def ordered(found):
    values = [found[name] for name in NAMES]
    return all(not a < b for a, b in pairwise(values))


@pytest.mark.parametrize("hidden", [1, 2, 3, 4])
def test_no_link_is_violated_and_the_last_is_the_true_curvature(hidden):
    rng, gains = np.random.default_rng(hidden), []
    for outputs, h, outer in ((1, relu, None), (2, leaky_relu("1/4"), None), (1, relu, relu)):
        for _ in range(4):
            risk, w = random_case(rng, hidden, outputs, h, outer)
            found = curvature_chain(own(risk, w), w)
            assert ordered(found)
            smallest = np.linalg.eigvalsh(risk.hessian(w.point()).numpy())[0]
            assert abs(float(found["K7"]) - (1 - smallest)) < 1e-9
            gains.append(float(found["K0"]) > 1.01 * float(found["K6"]))
    assert any(gains)


def test_a_foreign_pattern_has_its_own_bounds():
    """The statement is about frozen switches, wherever the point is."""
    rng = np.random.default_rng(7)
    risk, w = random_case(rng, 2)
    other = random_case(rng, 2)[1].entries()
    other = exact((other * 3)[: len(w)])
    assert ordered(curvature_chain(own(risk, w), other))


def test_one_hidden_layer_has_a_closed_form():
    """K6 is the largest |q_j|, the mean of residual times input where unit j is on."""
    rng = np.random.default_rng(3)
    for _ in range(5):
        X, y = rng.normal(size=(7, 2)), rng.normal(size=7)
        risk = Risk(Network((2, 3, 1), relu, bias=False), X, y, HALF)
        w = rng.normal(size=9)
        on = X @ w[:6].reshape(3, 2).T > 0
        e = (np.maximum(X @ w[:6].reshape(3, 2).T, 0) @ w[6:]) - y
        q = [np.linalg.norm((e * on[:, j]) @ X / 7) for j in range(3)]
        found = curvature_chain(cell_at(risk, w), exact(w))
        assert abs(float(found["K6"]) - max(q)) < 1e-12


def test_the_exact_squares_of_one_input_are_inside_the_balls():
    risk = Risk(Network((1, 2, 1), relu, bias=False), [1, -1, 2], [1, 1, 0], HALF, "1/4")
    w = exact([1, "-1/2", "1/2", "3/4"])
    found = curvature_chain(cell_at(risk, w), w)
    for name, square in curvature_bounds(risk, w).items():
        K = found[name.removesuffix("^2")]
        assert (K * K).overlaps(arb(square))


@pytest.mark.parametrize("hidden", [1, 2, 3, 4])
def test_no_constant_below_H_will_do(hidden):
    """Width 1, one sample, all weights s: K7 / K1 = 1 - (H + 1)/H s^(H+1) / (1 - s^(H+1))."""
    for s in (fmpq(1, 10), fmpq(1, 1000)):
        risk, w = chain(hidden, 1), exact([s] * (hidden + 1))
        found = curvature_chain(cell_at(risk, w), w)
        power = s ** (hidden + 1)
        expected = 1 - fmpq(hidden + 1, hidden) * power / (1 - power)
        assert abs(found["K7"] / found["K1"] - expected) < 1e-10


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_the_region_is_where_the_first_bound_is_below_lambda(hidden):
    rng, seen = np.random.default_rng(hidden), 0
    for _ in range(6):
        risk, w = random_case(rng, hidden, 2, leaky_relu("1/2"))
        critical = curvature_chain(own(risk, w), w)["K0"].mid().fmpq()
        for factor, inside in ((1 + fmpq(1, 10**9), True), (1 - fmpq(1, 10**9), False)):
            near = Risk(risk.network, risk.X, risk.y, HALF, critical * factor)
            assert certify_membership(near, w).certified == inside
            assert certify_membership(near, w).refuted != inside
            seen += 1
    assert seen == 12


def test_other_networks_are_refused_with_the_hypothesis():
    cases = [
        (Risk(Network((1, 1, 1), relu), [1], [1], HALF), "no biases"),
        (Risk(Network((1, 1), (), bias=False), [1], [1], HALF), "H >= 1"),
        (Risk(Network((1, 1, 1), hard_tanh, bias=False), [1], [1], HALF), "homogeneous"),
        (Risk(Network((1, 1, 1), relu, bias=False), [1], [1]), "half the mean squared error"),
    ]
    for risk, reason in cases:
        w = exact(["1/3"] * risk.dimension)
        with pytest.raises(HypothesisError, match=reason):
            curvature_chain(cell_at(risk, w), w)
    fold = Risk(Network((1, 1, 1), absolute_value, bias=False), [1], [1], HALF)
    assert ordered(curvature_chain(cell_at(fold, exact([-1, 1])), exact([-1, 1])))


def test_a_negative_constant_is_refused():
    """At a perfect fit no eigenvalue is negative, which says nothing about a bound above 0."""
    risk, w = chain(1, 2), exact(["1/2", "1/2"])
    assert certify_curvature_bound(cell_at(risk, w), w, 0).refuted
    fit = exact([1, 2])
    assert certify_curvature_bound(cell_at(risk, fit), fit, 0).certified
    with pytest.raises(DataError, match="constant: got -1/9, need a number >= 0"):
        certify_curvature_bound(cell_at(risk, fit), fit, "-1/9")
