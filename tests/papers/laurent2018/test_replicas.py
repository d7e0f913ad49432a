"""Critical replicas agree; local minima of the penalised risk; the way down of deep linear ones."""

import os
from itertools import product

import numpy as np
import pytest
from cases import assert_unknown
from flint import fmpq

from lscore import (
    Network,
    Risk,
    certify_local_minimum,
    exact,
    identity,
    leaky_relu,
    one_versus_all_hinge,
    relu,
    tanh,
)
from lscore.errors import HypothesisError
from lscore.minima.clarke import certify_subgradient
from lscore.papers.laurent2018 import (
    PenalisedRisk,
    certify_linear_hinge_minimum,
    certify_penalised_critical,
    certify_penalised_minimum,
    deepened,
    linear_escape,
    linear_hinge_optimum,
)

CASES = int(os.environ.get("LSCORE_ESCAPES", 96))
GRID = Risk(Network((1, 1, 2), relu), [-1, 1], [0, 1], one_versus_all_hinge())
SQUARE = [[1, 1], [1, -1], [-1, 1], [-1, -1]]


def equal_weights(rng, y):
    """Random weights mu (n, R), 1/2 for each side of each class."""
    mu = np.zeros(y.shape, dtype=object)
    for r, sign in product(range(y.shape[1]), (1, -1)):
        side = np.flatnonzero(y[:, r] == sign)
        parts = rng.integers(1, 4, len(side))
        mu[side, r] = [fmpq(int(a), 2 * int(parts.sum())) for a in parts]
    return mu.tolist()


def stuck(seed):
    """A deep linear risk with equal class weights, and equal replicas with a product 0.

    Zero columns, zero rows and zero layers make the products vanish in all possible ways.
    """
    rng = np.random.default_rng(seed)
    R, depth = 2 + seed % 2, 1 + seed // 2 % 3
    bias = [False, True, True, (*[False] * depth, True)][rng.integers(0, 4)]
    widths = (2, *rng.integers(1, 4, depth).tolist(), R)
    labels = [*range(R), *rng.integers(0, R, 4 - R).tolist()]
    y = 2 * (np.array(labels)[:, None] == np.arange(R)) - 1
    X = rng.integers(-2, 3, (4, 2)).tolist()
    loss = one_versus_all_hinge(equal_weights(rng, y))
    risk = Risk(Network(widths, identity, bias), X, labels, loss)
    E = PenalisedRisk(risk, ["1/10", 1, 20][seed % 3])
    layers = []
    for out, inner in zip(widths[1:], widths, strict=False):
        A = rng.integers(-1, 2, (out, inner))
        A[:, rng.integers(0, inner)] *= rng.integers(0, 2)
        A *= int(rng.integers(0, 4) > 0)
        layers.append(exact(A.tolist()))
    if rng.integers(0, 2):
        layers[-1] = layers[-1] * 0
    biases = [exact(rng.integers(-1, 2, len(A)).tolist()) for A in layers]
    biases[:-1] = [b * 0 for b in biases[:-1]] if rng.integers(0, 2) else biases[:-1]
    biases[-1] = biases[-1] * exact([[1, "1/2"]])[0, int(rng.integers(0, 2))]
    having = risk.network.biases
    biases = [b if has else None for b, has in zip(biases, having, strict=True)]
    return E, E.replicated(risk.network.pack(layers, biases))


def test_random_deep_linear_replicas_descend():
    moved = {}
    for seed in range(CASES):
        E, W = stuck(seed)
        try:
            found = linear_escape(E.risk, W, E.gamma)
        except HypothesisError:
            continue
        moved[found.moved] = moved.get(found.moved, 0) + 1
        assert E(found.lower) < E(W)
        close = linear_escape(E.risk, W, E.gamma, "1/1000")
        assert E(close.lower) < E(W)
        assert max(map(abs, (close.lower - W).entries())) <= fmpq(1, 1000)
    assert set(moved) == {"output", "layer", "layer and output", "all layers"}
    assert sum(moved.values()) > CASES // 3


def test_only_classes_with_product_zero_move_their_constants():
    """Class 0 is solved with the constant -1: that must stay while class 1 moves."""
    mu = [["1/2", "1/6", "1/6"], ["1/6", "1/2", "1/3"], ["1/3", "1/3", "1/2"]]
    risk = Risk(Network((1, 1, 3), identity), [-1, 0, 1], [0, 1, 2], one_versus_all_hinge(mu))
    E = PenalisedRisk(risk)
    W = exact([[1, 1, 1], [0, 0, 0], [-2, 0, 0], [-1, 0, 0]])
    found = linear_escape(risk, W)
    assert (found.label, found.moved, E(found.lower) < E(W)) == (1, "output", True)
    assert found.lower.column(0) == W.column(0)


def test_what_refuses_an_escape_is_optimal_or_said():
    """With equal weights and constants in [-1, 1]: no escape only where a class is at its best."""
    for seed in range(CASES):
        E, W = stuck(seed)
        try:
            linear_escape(E.risk, W, E.gamma)
        except HypothesisError as error:
            for reason in error.witness:
                r = int(reason.split(":")[0].split()[1])
                if "the product 0 is the best" in reason:
                    part, w = E.parts[r], W.column(r)
                    shifted = exact([*w.entries()[:-1], 0]) if E.network.biases[-1] else w
                    low = part(deepened(part, linear_hinge_optimum(part)))
                    assert low == sum(part.loss.weights.entries(), fmpq(0))
                    assert part(w) >= low
                    assert len(shifted) == len(w)
                else:
                    assert "product is not 0" in reason or "its constant is" in reason or (
                        "all layers" in reason
                    )  # fmt: skip


@pytest.mark.parametrize("gamma", [0, 1])
def test_all_critical_replicas_of_a_grid_agree_unless_gamma_is_zero(gamma):
    """Criticality decided class by class, without a look at the penalty: 225 pairs and 81 more."""
    E = PenalisedRisk(GRID, gamma)
    rng, singles = np.random.default_rng(0), list(product((-1, 0, 1), repeat=4))
    pairs = [(v, v) for v in singles]
    pairs += [tuple(singles[int(i)] for i in rng.integers(0, 81, 2)) for _ in range(225)]
    differ = 0
    for pair in pairs:
        W = exact([list(row) for row in zip(*pair, strict=True)])
        pull = E.penalty_gradient(W) * E.gamma
        verdicts = [
            certify_subgradient(part, W.column(r), -pull.column(r)).verdict
            for r, part in enumerate(E.parts)
        ]
        critical = all(v == "certified" for v in verdicts)
        answer = certify_penalised_critical(GRID, W, gamma)
        if "unknown" not in verdicts:
            assert answer.certified == critical
        differ += critical and E.penalty(W) != 0
    assert (differ > 0) == (gamma == 0)


def test_a_refuted_point_comes_with_a_direction_of_descent():
    rng = np.random.default_rng(3)
    for _ in range(40):
        W = exact(rng.integers(-2, 3, (4, 2)).tolist())
        for gamma in (1, "1/10"):
            answer, E = certify_penalised_critical(GRID, W, gamma), PenalisedRisk(GRID, gamma)
            if answer.refuted:
                u = answer.witness["direction"]
                assert E(W + u / 10**6) < E(W)


@pytest.mark.parametrize("seed", range(12))
def test_a_certified_local_minimum_has_no_lower_replicas_nearby(seed):
    """Random replicas, half of them equal: refuted with lower ones, certified against samples."""
    rng = np.random.default_rng(seed)
    h = [relu, leaky_relu("1/2"), identity][seed % 3]
    risk = Risk(Network((1, 1, 2), h), [-1, 1, 2], [0, 1, 1], one_versus_all_hinge())
    E = PenalisedRisk(risk, [1, "1/10"][seed % 2])
    for case in range(6):
        W = E.replicated(exact(rng.integers(-2, 3, risk.dimension).tolist()))
        if case % 3 == 0:
            W += exact(rng.integers(-1, 2, W.shape).tolist())
        answer = certify_penalised_minimum(risk, W, E.gamma, trials=40)
        if answer.refuted:
            assert E(answer.witness["lower_replicas"]) == E(W) - answer.witness["decrease"] < E(W)
        for _ in range(60 if answer.certified else 0):
            u = exact(rng.integers(-3, 4, W.shape).tolist())
            assert E(W + u / 10**4) >= E(W)
        if answer.certified:  # LVB-L109
            assert not certify_local_minimum(risk, E.averaged(W), trials=20).refuted


def test_global_minima_of_the_convex_problem_are_critical_and_local_minima():
    """LVB-C100: with all products at their optimum."""
    labels, X = [0, 1, 2, 0, 1], [[0, 0], [1, 2], [2, -1], [2, 1], [-1, 0]]
    risk = Risk(Network((2, 3, 3), identity), X, labels, one_versus_all_hinge())
    w = deepened(risk, linear_hinge_optimum(risk))
    assert certify_linear_hinge_minimum(risk, w).certified
    W = PenalisedRisk(risk).replicated(w)
    assert certify_penalised_critical(risk, W).certified
    assert certify_penalised_minimum(risk, W).certified


def test_unequal_weights_make_a_local_minimum_of_the_penalised_risk():
    mu = [["7/20", "7/20"], ["7/20", "7/20"], ["3/10", "3/10"]]
    X, labels = [[-1, 1], [1, 1], [0, -1]], [0, 0, 1]
    for h in (identity, relu, leaky_relu("1/2")):
        risk = Risk(Network((2, 1, 2), h), X, labels, one_versus_all_hinge(mu))
        W = PenalisedRisk(risk).replicated(exact([1, 0, 3, 0, 0, 1, -1]))
        answer = certify_penalised_minimum(risk, W)
        assert answer.certified
        assert answer.values["penalised_risk"] == fmpq(6, 5)
        text = "differ by 2/5"
        if h is identity:
            with pytest.raises(HypothesisError, match=text):
                linear_escape(risk, W)


def test_four_corners_through_one_unit_leave_no_minimum():
    """The separators of the classes are not parallel; the infimum 0 is not attained."""
    mu = [["1/2" if r == i else "1/6" for r in range(4)] for i in range(4)]
    risk = Risk(Network((2, 1, 4), identity), SQUARE, range(4), one_versus_all_hinge(mu))
    E = PenalisedRisk(risk)
    own = [linear_hinge_optimum(part).entries() for part in E.parts]
    W = exact([[v[0] for v in own], [v[1] for v in own], [0] * 4, [1] * 4, [v[2] for v in own]])
    assert sum(E.losses(W)) == 0
    assert E(E.rescaled(W, "1/1000")) == E(W) / 10**6 > 0
    for w in (W * 0, E.replicated(E.averaged(W)), E.rescaled(W, "1/10")):
        assert certify_penalised_minimum(risk, w).refuted


def test_settings_that_the_theorems_do_not_speak_of():
    W = exact([[0, 0]] * 4)
    assert_unknown(certify_penalised_minimum(GRID, W, 0), "need gamma > 0")
    smooth = Risk(Network((1, 1, 2), tanh), [-1, 1], [0, 1], one_versus_all_hinge())
    assert_unknown(certify_penalised_critical(smooth, W), "every piece through 0")
    with pytest.raises(HypothesisError, match="LVB-C101, hypothesis identity"):
        linear_escape(GRID, W)
    flat = Risk(Network((1, 1, 2), identity), [-1, 1], [0, 1], one_versus_all_hinge())
    with pytest.raises(HypothesisError, match="equal replicas: gamma is 1 and the penalty 1"):
        linear_escape(flat, exact([[1, 0], [0, 0], [0, 0], [0, 0]]) + W)
