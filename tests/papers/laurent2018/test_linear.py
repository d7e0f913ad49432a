"""Deep linear networks with hinge losses: global minima by the dual, lower points, the optimum."""

import numpy as np
import pytest
from cases import assert_unknown
from flint import fmpq
from scipy.optimize import linprog

from lscore import (
    Network,
    Risk,
    binary_hinge,
    certify_local_minimum,
    exact,
    identity,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
)
from lscore.errors import HypothesisError
from lscore.minima.clarke import certify_subgradient
from lscore.papers.laurent2018 import (
    certify_linear_hinge_minimum,
    collapsed,
    deepened,
    linear_hinge_optimum,
)

FIVE = Risk(
    Network((2, 1, 1), identity),
    [[0, 0], [2, 2], [0, 2], [2, 0], [3, 3]],
    [1, 1, -1, -1, 1],
    binary_hinge(),
)
X3, Y3 = [[-1, 1], [1, 1], [0, -1]], [1, 1, -1]
STUCK = exact([1, 0, 0, 0, 1])  # W, b, v, c


def random_risk(seed):
    """Any hinge loss, up to three hidden layers, biases everywhere, nowhere or at the output, small
    integers: ties abound."""
    rng = np.random.default_rng(seed)
    k = (1, 1, 3, 2)[seed % 4]
    hidden = [(2,), (1, 2), (3, 1, 2), ()][seed // 4 % 4]
    if k > 1:
        hidden = tuple(h + 2 for h in hidden)
    n, d = 6, int(rng.integers(1, 3))
    X = rng.integers(-2, 3, (n, d)).tolist()
    mu = rng.integers(1, 4, n).tolist()
    if k == 1:
        loss, y = binary_hinge(mu), rng.choice([-1, 1], n).tolist()
    else:
        make = multiclass_hinge if k == 3 else one_versus_all_hinge
        loss, y = make(mu), [*range(k), *rng.integers(0, k, n - k).tolist()]
    bias = [True, False, (*[False] * len(hidden), True)][seed % 3]
    network = Network((d, *hidden, k), identity if hidden else (), bias=bias)
    return Risk(network, X, y, loss), rng


def least(risk):
    """The minimum of the convex problem by a float program written from the definition."""
    n = len(risk.X)
    k, bias = risk.network.widths[-1], risk.network.biases[-1]
    rows, right, cost = [], [], []
    signs = risk.y.numpy()
    for i in range(n):
        x = [*risk.X[i].tolist(), 1.0] if bias else risk.X[i].tolist()
        mu = float(risk.loss.weights[i, 0])
        terms = []
        if risk.loss.kind == "multiclass":
            own = int(np.argmax(signs[i]))
            terms = [{r: 1.0, own: -1.0} for r in range(k) if r != own]
        else:
            terms = [{r: -signs[i, r]} for r in range(k)]
        for term in terms:
            row = np.zeros((k, len(x)))
            for r, sign in term.items():
                row[r] = [sign * v for v in x]
            rows.append(row.ravel())
            right.append(-1.0)
            cost.append(mu)
    A = np.hstack([np.array(rows), -np.eye(len(rows))])
    free = A.shape[1] - len(rows)
    bounds = [(None, None)] * free + [(0, None)] * len(rows)
    return linprog(np.concatenate([np.zeros(free), cost]), A, right, bounds=bounds).fun


@pytest.mark.parametrize("seed", range(48))
def test_the_optimum_is_certified_and_is_that_of_a_float_program(seed):
    risk, _ = random_risk(seed)
    optimum = linear_hinge_optimum(risk)
    w = deepened(risk, optimum)
    answer = certify_linear_hinge_minimum(risk, w)
    assert answer.certified
    assert abs(float(risk(w)) - least(risk)) < 1e-7
    lam = answer.values["multipliers"].entries()
    assert 0 <= min(lam) <= max(lam) <= 1
    shallow, point = collapsed(risk, w)
    assert point == optimum
    assert shallow(point) == risk(w)


@pytest.mark.parametrize("seed", range(48))
def test_random_points_are_certified_exactly_where_they_are_optimal(seed):
    risk, rng = random_risk(seed)
    best = least(risk)
    w0 = deepened(risk, linear_hinge_optimum(risk))
    for _ in range(6):
        w = exact(rng.integers(-2, 3, risk.dimension).tolist())
        near = w0 + exact(rng.integers(-1, 2, risk.dimension).tolist()) / 8
        for v in (w, near):
            answer = certify_linear_hinge_minimum(risk, v)
            assert answer.certified == (float(risk(v)) < best + 1e-9)
            if not answer.certified:
                lower = answer.witness["lower_point"]
                assert risk(v) - risk(lower) == answer.witness["decrease"] > 0


def test_the_dual_of_five_points():
    answer = certify_linear_hinge_minimum(FIVE, exact(["1/2", "1/2", 0, 1, -2]))
    assert answer.values["risk"] == fmpq(4, 5)
    assert answer.values["multipliers"] == exact([1, 1, 1, 1, 0])
    off = certify_linear_hinge_minimum(FIVE, exact(["1/2", "1/2", 0, 1, "-2000000001/1000000000"]))
    assert off.refuted


@pytest.mark.parametrize("seed", range(40))
def test_theorem_100_critical_points_with_a_product_are_global(seed):
    """Points on a small grid: whatever Clarke calls critical with a product is certified."""
    rng = np.random.default_rng(seed)
    hidden = [(1,), (2,), (1, 1)][seed % 3]
    X = rng.integers(-2, 3, (4, 1)).tolist()
    y = rng.choice([-1, 1], 4).tolist()
    risk = Risk(Network((1, *hidden, 1), identity, bias=bool(seed % 2)), X, y,
                binary_hinge(rng.integers(1, 3, 4).tolist()))  # fmt: skip
    for _ in range(12):
        w = exact(rng.integers(-1, 2, risk.dimension).tolist())
        product = collapsed(risk, w)[1].entries()[0]
        if product and certify_subgradient(risk, w, tie_limit=12, limit=512).certified:
            assert certify_linear_hinge_minimum(risk, w).certified


def test_unequal_weights_hold_a_local_minimum_with_product_zero():
    risk = Risk(Network((2, 1, 1), identity), X3, Y3, binary_hinge(["7/20", "7/20", "3/10"]))
    assert risk(STUCK) == fmpq(3, 5)
    assert certify_local_minimum(risk, STUCK).certified
    answer = certify_linear_hinge_minimum(risk, STUCK)
    assert answer.refuted
    assert risk(deepened(risk, linear_hinge_optimum(risk))) == 0
    even = Risk(risk.network, X3, Y3, binary_hinge(["1/4", "1/4", "1/2"]))
    assert certify_local_minimum(even, STUCK).refuted


def test_a_bottleneck_of_several_outputs_is_unknown_where_the_dual_fails():
    risk = Risk(Network((2, 1, 2), identity), [[1, 0], [0, 1]], [0, 1], one_versus_all_hinge())
    assert_unknown(certify_linear_hinge_minimum(risk, exact([0] * 7)), "need 2 for any product")
    with pytest.raises(HypothesisError, match="LVB-T100, hypothesis width"):
        deepened(risk, exact([1, 0, 0, 1, 0, 0]))
    solved = exact([4, -4, 0, 1, -1, 0, 0])  # rank one is enough here
    assert certify_linear_hinge_minimum(risk, solved).certified


def test_other_networks_and_losses_are_unknown():
    leaky = Risk(Network((2, 1, 1), leaky_relu("1/2")), X3, Y3, binary_hinge())
    assert_unknown(certify_linear_hinge_minimum(leaky, STUCK), "hypothesis identity")
    squares = Risk(Network((2, 1, 1), identity), X3, Y3)
    assert_unknown(certify_linear_hinge_minimum(squares, STUCK), "hypothesis one of the hinge")
    decay = Risk(Network((2, 1, 1), identity), X3, Y3, binary_hinge(), "1/2")
    assert_unknown(certify_linear_hinge_minimum(decay, STUCK), "weight decay")
    with pytest.raises(HypothesisError, match="LVB-T100"):
        linear_hinge_optimum(decay)


def test_biases_of_hidden_layers_only_are_no_free_constant():
    half = Risk(Network((2, 1, 1), identity, bias=(True, False)), X3, Y3, binary_hinge())
    assert_unknown(certify_linear_hinge_minimum(half, exact([0] * 4)), "only hidden layers have")


def test_one_sample_duplicates_and_tiny_numbers():
    one = Risk(Network((1, 1, 1), identity), [0], [1], binary_hinge())
    assert certify_linear_hinge_minimum(one, exact([0, 0, 0, 1])).certified
    assert certify_linear_hinge_minimum(one, exact([0, 0, 0, "1/2"])).refuted
    twice = Risk(Network((1, 1, 1), identity), [1, 1], [1, -1], binary_hinge())
    assert certify_linear_hinge_minimum(twice, exact([0, 0, 0, 0])).certified
    small = Risk(Network((1, 1, 1), identity), [1e-300, 0], [1, -1], binary_hinge())
    assert certify_linear_hinge_minimum(small, exact([0, 0, 0, 0])).refuted
    assert certify_linear_hinge_minimum(small, exact([1, 0, exact([2e300])[0, 0], -1])).certified
