"""Attacks on the decider of local minima: tiny exact instances, an evaluation that shares no code.

Every certified point is attacked by small exact moves, every witness is followed along its ray.
"""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from cases import fraction, reference_outputs, table

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    binary_hinge,
    certify_local_minimum,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    pattern_at,
    relu,
)
from lscore.algebra.linear import null_space
from lscore.minima.balanced import reachable_functions
from lscore.model.passes import trace

ACTIVATIONS = [relu, relu, leaky_relu("1/2"), absolute_value, hard_tanh, identity]
SIZES = [Fraction(1, 10**5), Fraction(1, 10**7), Fraction(1, 10**9)]


def reference(risk, w):
    """The risk in Fractions, squared and hinge losses, from the definitions."""
    outputs, labels = reference_outputs(risk, w), table(risk.exact_y)
    n = len(outputs)
    decay = fraction(risk.weight_decay) / 2 * sum(fraction(v) ** 2 for v in w.entries())
    if isinstance(risk.loss, SquaredLoss):
        scale = fraction(risk.loss.factor) / (n if risk.loss.mean else 1)
        pairs = zip(outputs, labels, strict=True)
        return decay + scale * sum(
            (a - b) ** 2 for row, y in pairs for a, b in zip(row, y, strict=True)
        )
    weights = risk.loss.weights
    total = Fraction(0)
    for i, (row, signs) in enumerate(zip(outputs, labels, strict=True)):
        mu = Fraction(1, n) if weights is None else fraction(weights[i, 0])
        if risk.loss.kind == "multiclass":
            own = row[signs.index(1)]
            margins = [1 + v - own for v, s in zip(row, signs, strict=True) if s < 0]
        else:
            margins = [1 - s * v for v, s in zip(row, signs, strict=True)]
        total += mu * sum(max(m, Fraction(0)) for m in margins)
    return decay + total


def attack(risk, w, rng, moves):
    """No small exact move, dense or sparse, may lower the risk."""
    start, m = reference(risk, w), risk.dimension
    for k in range(moves):
        u = rng.integers(-3, 4, m) * (rng.random(m) < rng.choice([0.3, 0.7, 1.0]))
        step = exact([Fraction(int(v)) * SIZES[k % 3] for v in u])
        assert reference(risk, w + step) >= start, (risk, w, step)


def follow(risk, w, witness):
    """The risk falls along the ray: at the lower point by what it says, and arbitrarily near w."""
    start, u = reference(risk, w), witness["direction"]
    low = witness["lower_point"]
    assert start - reference(risk, low) == fraction(witness["decrease_there"]) > 0
    size = max(abs(fraction(v)) for v in u.entries())
    for t in SIZES:
        assert reference(risk, w + u * (t / size / 100)) < start, (risk, w, u)


def inside_a_cell(risk, w):
    run = trace(risk.network, w, risk.exact_X)
    return not any((part % 2).any() for part in run.positions)


def is_promised(risk, w):
    """Whether the docstring of the decider promises an answer."""
    network = risk.network
    if reference(risk, w) == 0:
        return True
    if risk.weight_decay or not pattern_at(risk, w).in_cell:
        return False
    one = len(network.widths) == 3 and network.widths[-1] == 1
    return risk.loss.curvature(1) == 0 or (one and network.output_activation is None)


def draw_setting(rng):
    """Network, inputs, and a point with ties, dead units and zero output weights in plenty."""
    depth, d = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    outputs = int(rng.choice([1, 1, 2, 3]))
    hidden = tuple(int(v) for v in rng.integers(1, 4, depth))
    chosen = tuple(ACTIVATIONS[i] for i in rng.integers(0, len(ACTIVATIONS), depth))
    output = relu if rng.random() < 0.08 else None
    network = Network((d, *hidden, outputs), chosen, tuple(rng.random(depth + 1) < 0.7), output)
    X = exact([[Fraction(int(v), 2) for v in row] for row in rng.integers(-2, 3, (4, d))])
    grid = rng.integers(-4, 5, network.dimension) * (rng.random(network.dimension) < 0.8)
    entries = [Fraction(int(v), int(rng.choice([1, 2, 3]))) for v in grid]
    w = exact(entries)
    if rng.random() < 0.4:  # one unit of the last hidden layer feeds nothing
        layers = network.unpack(w)
        weights, biases = [a.weight for a in layers], [a.bias for a in layers]
        k, rows = int(rng.integers(hidden[-1])), table(weights[-1])
        weights[-1] = exact([[0 if j == k else v for j, v in enumerate(row)] for row in rows])
        w = network.pack(weights, biases)
    return network, X, w


def random_labels(network, X, w, rng):
    grid = rng.integers(-3, 4, (4, network.widths[-1]))
    return [[Fraction(int(v), 2) for v in row] for row in grid]


def own_outputs(network, X, w, rng):
    return network(w, X)


def balanced_labels(network, X, w, rng):
    """Labels for which the residuals are orthogonal to some or all reachable functions."""
    run = trace(network, w, X)
    pieces = tuple(part // 2 for part in run.positions)
    functions = reachable_functions(network, X, pieces)
    if rng.random() < 0.4:  # orthogonal to the constants, or to few functions, only
        functions = functions.T.rows(0, 1).T
    basis = null_space(functions.T)
    columns = []
    for _ in range(network.widths[-1]):
        column = X.column(0) * 0
        for v in basis:
            column = column + v * Fraction(int(rng.integers(-2, 3)), 3)
        columns.append(column.entries())
    return run.outputs + exact(columns).T


def squared(rng):
    network, X, w = draw_setting(rng)
    labels = rng.choice([random_labels, own_outputs, balanced_labels, balanced_labels])
    decay = 0 if rng.random() < 0.85 else Fraction(1, 3)
    if decay and rng.random() < 0.5:
        w = w * 0
    loss = SquaredLoss("1/3", mean=bool(rng.random() < 0.5))
    return Risk(network, X, labels(network, X, w, rng), loss, decay), w


def hinge(rng):
    """Half of the data come in pairs of equal inputs with different labels, whose pulls cancel."""
    network, X, w = draw_setting(rng)
    k, n = network.widths[-1], len(X)
    weights = [Fraction(int(v), 4) for v in rng.integers(1, 3, n)]
    y = rng.choice([-1, 1], n) if k == 1 else rng.integers(0, k, n)
    if rng.random() < 0.5:
        X = exact([X.rows(i // 2, i // 2 + 1).entries() for i in range(n)])
        weights = [weights[i // 2] for i in range(n)]
        y[1::2] = -y[::2] if k == 1 else (y[::2] + 1) % k
        w = w * Fraction(int(rng.choice([1, 1, 2])), int(rng.choice([1, 4])))
    elif rng.random() < 0.5:  # outputs as large as the labels ask: slack or tied margins
        w = w * int(rng.choice([2, 3]))
    elif network.biases[-1]:  # the outputs are constants, and margins are tied
        layers = network.unpack(w)
        weights_in = [layer.weight for layer in layers[:-1]] + [layers[-1].weight * 0]
        ends = exact([int(v) for v in rng.choice([-1, 0, 1], k)])
        w = network.pack(weights_in, [layer.bias for layer in layers[:-1]] + [ends])
    loss = rng.choice([multiclass_hinge, one_versus_all_hinge]) if k > 1 else binary_hinge
    decay = 0 if rng.random() < 0.9 else Fraction(1, 3)
    return Risk(network, X, y.astype(float), loss(weights), decay), w


@pytest.mark.parametrize(
    ("draw", "seed", "least"),
    [
        (
            squared,
            0,
            {"B-BALANCE": 15, "B-ZERO": 20, "YUN-T1": 8, "refuted": 50, "certified on a kink": 10},
        ),
        (hinge, 1, {"B-BALANCE": 25, "B-ZERO": 1, "refuted": 70, "certified on a kink": 5}),
    ],
)
def test_no_attack_succeeds_and_every_witness_holds(draw, seed, least):
    rng, seen = np.random.default_rng(seed), Counter()
    for _ in range(150):
        risk, w = draw(rng)
        answer = certify_local_minimum(risk, w, trials=40, limit=3)
        kind = answer.claim if answer.certified else str(answer.verdict)
        seen[kind] += 1
        if answer.certified:
            assert fraction(answer.values["risk"]) == reference(risk, w)
            seen["certified on a kink"] += not inside_a_cell(risk, w)
            attack(risk, w, rng, 40)
        elif answer.refuted:
            follow(risk, w, answer.witness)
        else:
            assert not is_promised(risk, w)
    assert all(seen[kind] >= number for kind, number in least.items()), seen
