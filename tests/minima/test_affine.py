"""Affine minima at any depth, with several outputs and any loss: against exact brute force."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from cases import fraction, reference_outputs, table
from losses import Absolute, Huber

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    binary_hinge,
    certify_affine_minimum,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
)
from lscore.algebra.linear import null_space
from lscore.algebra.matrices import stack, zeros
from lscore.minima.balanced import certify_balance

ACTIVATIONS = [relu, relu, leaky_relu("1/2"), absolute_value, hard_tanh, identity]
LOSSES = [
    (SquaredLoss(), 1),
    (SquaredLoss("3/7", mean=True), 2),
    (Huber(), 1),
    (Huber("3/2"), 2),
    (Absolute(), 1),
    (Absolute(), 2),
    (binary_hinge(), 1),
    (multiclass_hinge(), 3),
    (one_versus_all_hinge(), 2),
]
SIZES = [Fraction(1, 10**3), Fraction(1, 10**6), Fraction(1, 10**9)]


def terms(loss, row, label):
    """The loss of one sample, from its definition, up to scale, in Fractions."""
    if loss.hinge:
        own = row[label.index(1)] if loss.kind == "multiclass" else None
        margins = [
            1 + (v - own if own is not None else -s * v)
            for v, s in zip(row, label, strict=True)
            if own is None or s < 0
        ]
        return sum(max(m, Fraction(0)) for m in margins)
    gaps = [abs(a - b) for a, b in zip(row, label, strict=True)]
    if isinstance(loss, Huber):
        d = Fraction(loss.delta)
        return sum(g * g / 2 if g <= d else d * g - d * d / 2 for g in gaps)
    return sum(g if isinstance(loss, Absolute) else g * g for g in gaps)


def reference(risk, w):
    rows, labels = reference_outputs(risk, w), table(risk.exact_y)
    return sum(terms(risk.loss, *pair) for pair in zip(rows, labels, strict=True))


def affine_point(rng, network, X):
    """A random point at which every unit is strictly inside one piece over the data."""
    signal, weights, biases = X, [], []
    for h, (inner, out) in zip(
        [*network.activations, None], zip(network.widths, network.widths[1:], strict=False),
        strict=True,
    ):  # fmt: skip
        rows, shifts = rng.integers(-2, 3, (out, inner)).tolist(), [0] * out
        for k in range(out) if h else []:
            values = [sum(int(a) * s for a, s in zip(rows[k], row, strict=True))
                      for row in table(signal)]  # fmt: skip
            low, high = min(values), max(values)
            p = int(rng.integers(0, len(h.slopes)))
            left = fraction(h.knots[p - 1]) if p else None
            right = fraction(h.knots[p]) if p < len(h.knots) else None
            gap = Fraction(int(rng.integers(1, 5)), 2)
            if left is not None and right is not None:
                shrink = (right - left) / (2 * (high - low + 1))
                rows[k] = [a * shrink for a in rows[k]]
                shifts[k] = left + (right - left) / 4 - low * shrink
            elif left is not None:
                shifts[k] = left + gap - low
            elif right is not None:
                shifts[k] = right - gap - high
        weights.append(exact(rows))
        biases.append(exact(shifts))
        signal = signal @ weights[-1].T + exact([list(shifts)] * len(X))
        signal = signal if h is None else h(signal)
    return network.pack(weights, biases)


def labels_of_a_minimum(rng, loss, outputs, X):
    """Labels for which some pull at the outputs is orthogonal to all affine functions of x."""
    n, k = outputs.shape
    basis = null_space(stack([X.T, exact([[1] * n])]))
    columns = []
    for c in range(k):
        v = zeros(n)
        for b in basis:
            v = v + b * int(rng.integers(-2, 3))
        largest = max(map(abs, v.entries()))
        if largest and isinstance(loss, Huber):
            v = v * loss.delta / largest  # the largest pulls are on their knot, or beyond it
            v = exact([r * int(rng.integers(1, 4)) if abs(r) * 2 == 1 and loss.delta == "1/2"
                       else r for r in v.entries()])  # fmt: skip
        elif largest and isinstance(loss, Absolute):
            # a sample of full pull is off its label, the others are fitted
            v = exact([(r > 0) - (r < 0) if abs(r) == largest else 0 for r in v.entries()])
        columns.append((outputs.column(c) - v).T)
    return stack(columns).T


def draw(seed):
    rng = np.random.default_rng(seed)
    loss, k = LOSSES[seed % len(LOSSES)]
    hidden = tuple(int(v) for v in rng.integers(1, 4, int(rng.integers(0, 4))))
    d, n = int(rng.integers(1, 3)), int(rng.integers(3, 6))
    chosen = tuple(ACTIVATIONS[i] for i in rng.integers(0, len(ACTIVATIONS), len(hidden)))
    network = Network((d, *hidden, k), chosen)
    X = exact(rng.integers(-2, 3, (n, d)))
    if loss.hinge and rng.random() < 0.6:  # every input with every label, unsolved all over
        classes = [1, -1] if k == 1 else list(range(k))
        X = exact([row for row in X.numerator.tolist()[:2] for _ in classes])
        w = affine_point(rng, network, X)
        cut = network.dimension - k * (network.widths[-2] + 1)
        w = exact([*w.entries()[:cut], *[0] * (k * network.widths[-2]), *[0] * k])
        return rng, Risk(network, X, classes * 2, loss), w
    w = affine_point(rng, network, X)
    if loss.hinge:
        y = rng.choice([-1, 1], n) if k == 1 else rng.integers(0, k, n)
    elif rng.random() < 0.6:
        y = labels_of_a_minimum(rng, loss, network(w, X), X)
    else:
        y = exact(rng.integers(-6, 7, (n, k))) / 2
    return rng, Risk(network, X, y, loss), w


def attack(risk, w, rng, moves):
    """No exact move, small or smaller, dense or sparse, lowers the risk."""
    start, m = reference(risk, w), risk.dimension
    for j in range(moves):
        u = rng.integers(-3, 4, m) * (rng.random(m) < rng.choice([0.3, 0.7, 1.0]))
        step = exact([Fraction(int(v)) * SIZES[j % 3] for v in u])
        assert reference(risk, w + step) >= start, (risk, w, step)


def tied(risk, w):
    return (risk.loss.positions(risk.predictions(w), risk.exact_y) % 2).any()


def follow(risk, w, witness):
    start, u = reference(risk, w), witness["direction"]
    assert reference(risk, witness["lower_point"]) < start
    size = max(abs(fraction(v)) for v in u.entries())
    for t in SIZES[1:]:
        assert reference(risk, w + u * (t / size / 100)) < start, (risk, w, u)


def corner(rng, m, radius):
    """A move of which every entry is the radius, its negative, or 0."""
    return exact((rng.integers(-1, 2, m)).tolist()) * radius


@pytest.mark.parametrize("block", range(12))
def test_verdicts_stand_brute_force(block):
    seen = Counter()
    for seed in range(block * 90, block * 90 + 90):
        rng, risk, w = draw(seed)
        answer = certify_affine_minimum(risk, w)
        deep = len(risk.network.widths) != 3
        seen[risk.loss.kind, deep, str(answer.verdict)] += 1
        if answer.certified:
            attack(risk, w, rng, 9)
            base, radius = reference(risk, w), answer.values.get("radius_of_a_box")
            for _ in range(6 if radius else 0):
                assert reference(risk, w + corner(rng, len(w), radius)) >= base
            # the same by another way: paths instead of affine functions
            assert certify_balance(risk, w).certified
        elif answer.refuted:
            follow(risk, w, answer.witness)
        else:
            assert "unit" not in answer.reason  # the point is in an affine cell
            ties = risk.loss.knots and tied(risk, w)
            assert ties or risk.gradient(w).is_zero()
    for group in (["squared"], ["Huber"], ["absolute"], ["binary", "multiclass", "one versus all"]):
        for verdict in ("certified", "refuted"):
            count = sum(c for (kind, _, v), c in seen.items() if kind in group and v == verdict)
            assert count >= 3, (group, verdict, seen)
