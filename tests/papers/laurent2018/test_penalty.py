"""The penalised risk: both forms of the penalty, its gradient, the rescaling."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from flint import fmpq

from lscore import (
    Network,
    Risk,
    absolute_value,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
)
from lscore.errors import DataError, HypothesisError, ShapeError, TieError
from lscore.minima.clarke import clarke_subdifferential
from lscore.papers.laurent2018 import PenalisedRisk

SHAPES = [(1, 1, 2), (2, 2, 3), (2, 1, 2, 3), (1, 2, 1, 2, 2)]
ACTIVATIONS = [relu, leaky_relu("1/4"), identity, absolute_value]


def random_risk(seed, bias=True):
    """A one-versus-all risk with weights of its own, and random replicas with some ties."""
    rng = np.random.default_rng(seed)
    widths, h = SHAPES[seed % 4], ACTIVATIONS[seed // 4 % 4]
    X = rng.integers(-2, 3, (4, widths[0])).tolist()
    labels = [0, 1, widths[-1] - 1, 0]
    mu = rng.integers(1, 5, (4, widths[-1])).tolist()
    E = PenalisedRisk(
        Risk(Network(widths, h, bias), X, labels, one_versus_all_hinge(mu)), ["1/3", 2][seed % 2]
    )
    shape = (E.network.dimension, E.classes)
    return E, exact(rng.integers(-2, 3, shape).tolist()), rng


def by_hand(E, W):
    """E_gamma in Fractions, from the definition: pairs for the penalty, loops for the losses."""
    columns = [[Fraction(str(v)) for v in W.column(r).entries()] for r in range(E.classes)]
    risk, total = E.risk, Fraction(0)
    h, d = risk.network.activations[0], risk.network.widths
    a, b = (Fraction(str(h.slopes[0])), Fraction(str(h.slopes[-1])))
    shared = 0
    for r, w in enumerate(columns):
        for i, x in enumerate(risk.X.tolist()):
            signal, at = [Fraction(v) for v in x], 0
            for l, (inner, out) in enumerate(zip(d[:-1], [*d[1:-1], 1], strict=True)):
                rows = [w[at + k * inner : at + (k + 1) * inner] for k in range(out)]
                at += inner * out
                biases = w[at : at + out] if risk.network.bias else [0] * out
                at += out * risk.network.bias
                z = [sum(p * q for p, q in zip(row, signal, strict=True)) + c
                     for row, c in zip(rows, biases, strict=True)]  # fmt: skip
                hidden = l < len(d) - 2
                signal = [v * (b if v > 0 else a) if hidden else v for v in z]
                shared = at if hidden else shared
            mu = Fraction(str(risk.loss.weights[i, r]))
            total += mu * max(1 - int(risk.y[i, r]) * signal[0], Fraction(0))
    pairs = sum(
        (p - q) ** 2
        for v, w in combinations(columns, 2)
        for p, q in zip(v[:shared], w[:shared], strict=True)
    )
    return total + Fraction(str(E.gamma)) * pairs / (E.classes - 1)


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("bias", [True, False])
def test_the_penalised_risk_is_its_definition(seed, bias):
    E, W, _ = random_risk(seed, bias)
    assert str(E(W)) == str(by_hand(E, W))


@pytest.mark.parametrize("seed", range(16))
def test_the_gradient_of_the_penalty_has_its_factor_two(seed):
    """A quadratic has exact central differences; without the 2 of the print they disagree."""
    E, W, rng = random_risk(seed)
    u = exact(rng.integers(-3, 4, W.shape).tolist())
    change = (E.penalty(W + u) - E.penalty(W - u)) / 2
    assert change == E.penalty_gradient(W).dot(u)
    others = [sum((W[0, s] for s in range(E.classes) if s != r), fmpq(0)) / (E.classes - 1)
              for r in range(E.classes)]  # fmt: skip
    row = E.penalty_gradient(W).rows(0, 1).entries()
    assert row == [2 * (W[0, r] - others[r]) for r in range(E.classes)]


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("bias", [True, False])
def test_rescaling_changes_no_output_and_every_subgradient_has_its_slope(seed, bias):
    E, W, _ = random_risk(seed, bias)
    for s in ("1/3", 1, 2):
        assert E.losses(E.rescaled(W, s)) == E.losses(W)
    if E.penalty(W):
        assert E.penalty(E.rescaled(W, "1/3")) < E.penalty(W)
    d = E.rescaling(W)
    slope = E.gamma * E.penalty_gradient(W).dot(d)
    assert slope <= -2 * E.gamma * E.penalty(W)
    if len(E.network.widths) == 3:
        assert slope == -2 * E.gamma * E.penalty(W)
    for r, part in enumerate(E.parts):
        try:
            gradients = clarke_subdifferential(part, W.column(r), limit=64).gradients
        except (DataError, TieError, ValueError):
            continue
        assert (gradients.T @ d.column(r)).is_zero()


def test_the_gradient_is_that_of_the_parts_plus_the_penalty():
    E, _, rng = random_risk(5)
    W = exact(rng.integers(-20, 21, (E.network.dimension, E.classes)).tolist()) / 7
    u, h = exact(rng.integers(-3, 4, W.shape).tolist()), fmpq(1, 10**40)
    slope = (E(W + u * h) - E(W - u * h)) / (2 * h)
    assert abs(slope - E.gradient(W).dot(u)) < fmpq(1, 10**30)
    with pytest.raises(TieError):
        E.gradient(W * 0)


@pytest.mark.parametrize("seed", range(8))
def test_replicas_of_one_point_and_back(seed):
    E, W, rng = random_risk(seed, bias=seed < 4)
    w = exact(rng.integers(-2, 3, E.risk.dimension).tolist())
    assert E.averaged(E.replicated(w)) == w
    assert E.penalty(E.replicated(w)) == 0
    assert E(E.replicated(w)) == E.risk(w)
    assert E.penalty(E.replicated(E.averaged(W))) == 0


def test_moving_one_replica_costs_gamma_times_its_square():
    E, _, rng = random_risk(1)
    W = E.replicated(exact(rng.integers(-2, 3, E.risk.dimension).tolist()))
    rows = [[0] * E.classes for _ in range(len(W))]
    rows[0][1], rows[1][1], rows[-1][1] = 3, -2, 7
    assert E.penalty(W + exact(rows)) == 13  # the output bias is not shared


def test_a_risk_that_the_theorem_does_not_speak_of_is_refused():
    net, X, y = Network((1, 1, 2), relu), [-1, 1], [0, 1]
    with pytest.raises(HypothesisError, match="LVB-T7, hypothesis one versus all hinge loss"):
        PenalisedRisk(Risk(net, X, y, multiclass_hinge()))
    with pytest.raises(HypothesisError, match="every piece through 0"):
        PenalisedRisk(Risk(Network((1, 1, 2), hard_tanh), X, y, one_versus_all_hinge()))
    with pytest.raises(HypothesisError, match="no weight decay"):
        PenalisedRisk(Risk(net, X, y, one_versus_all_hinge(), weight_decay=1))
    with pytest.raises(HypothesisError, match="nothing to share"):
        PenalisedRisk(Risk(Network((1, 2), ()), X, y, one_versus_all_hinge()))
    bent = Network((1, 1, 2), relu, output_activation=relu)
    with pytest.raises(HypothesisError, match="no output activation"):
        PenalisedRisk(Risk(bent, X, y, one_versus_all_hinge()))
    E = PenalisedRisk(Risk(net, X, y, one_versus_all_hinge()))
    with pytest.raises(ShapeError, match=r"replicas: shape \(4, 1\), need \(4, 2\), one column"):
        E(exact([1, 2, 3, 4]))
    with pytest.raises(DataError, match="s: got 0, need a positive number"):
        E.rescaled(exact([[0, 0]] * 4), 0)
