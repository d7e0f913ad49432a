"""Leaky networks on separable data, and points of theirs, random and exact."""

from fractions import Fraction

from brute_kinks import dot

from lscore import Network, Risk, binary_hinge, exact, identity, leaky_relu, relu

SLOPES = [relu, leaky_relu("1/4"), leaky_relu("1/2"), identity]


def separable_risk(rng, h=None, equal=False, bias=True, shift=True):
    """A small risk with separable data, duplicates now and then, and random weights.

    `bias`, `shift`: whether there are hidden biases and an output bias."""
    d, K, n = rng.choice([1, 2, 2, 3]), rng.choice([1, 2, 3]), rng.randint(2, 6)
    while True:
        q, beta = [rng.choice([-1, 0, 1, 2]) for _ in range(d)], rng.choice([-1, 0, 1]) * bias
        X = [[rng.choice([-2, -1, 0, 1, 2]) for _ in range(d)] for _ in range(n)]
        values = [dot(q, x) + beta for x in X]
        if all(values) and min(values) < 0 < max(values):
            break
    y = [1 if value > 0 else -1 for value in values]
    mu = [Fraction(rng.randint(1, 3), 4) for _ in range(n)]
    if equal:
        halves = [sum(m for m, s in zip(mu, y, strict=True) if s == side) for side in (-1, 1)]
        mu = [m / halves[s > 0] for m, s in zip(mu, y, strict=True)]
    network = Network((d, K, 1), h or rng.choice(SLOPES), (bias, shift))
    return Risk(network, X, y, binary_hinge(mu))


def grid_point(rng, risk, idle=False, edge=None):
    """A point on a grid, often on kinks: `idle` with v = 0, `edge` with c of that set."""
    d, K, _ = risk.network.widths
    bias, shift = risk.network.biases
    w = [rng.choice([-2, -1, 0, 0, 1, 2]) for _ in range(K * d + K * bias)]
    w += [0 if idle else rng.choice([-2, -1, 0, 1, Fraction(1, 2)]) for _ in range(K)]
    w += [rng.choice(edge or [-1, 0, Fraction(1, 2), 1, 2])] * shift
    return exact(w)
