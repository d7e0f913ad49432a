"""Kinks that more than one test file asks about: with names, and random ones."""

from fractions import Fraction

from brute_kinks import Hinges, dot
from cases import fraction

from lscore import Network, Risk, binary_hinge, exact, leaky_relu, linear, relu, two_piece


def numbers(column):
    return [fraction(v) for v in column.entries()]


def plain(risk):
    """The same risk for the brute force: binary hinge."""
    network, h, n = risk.network, risk.network.activations[0], len(risk.y)
    mu = risk.loss.weights
    mu = [Fraction(1, n)] * n if mu is None else numbers(mu)
    rows = [numbers(risk.exact_X.rows(i, i + 1)) for i in range(n)]
    terms = list(zip(rows, numbers(risk.exact_y), mu, [1] * n, strict=True))
    slopes = (fraction(h.slopes[0]), fraction(h.slopes[-1]))
    return Hinges(*network.widths[:2], *network.biases, slopes, terms)


RIGHT, LEFT = [[-1, 1], [1, 1], [0, -1]], [1, 1, -1]
DEAD = [[3, 0], [4, 1], [5, -1], [3, 2], [6, 1], [-3, 0], [-4, 1], [-5, -1], [-4, -2], [-6, 2]]
HALF = leaky_relu("1/2")


def standing(h, mu=("7/20", "7/20", "3/10"), units=1):
    return Risk(Network((2, units, 1), h), RIGHT, LEFT, binary_hinge(mu))


FIGURE_4 = Risk(Network((2, 2, 1), relu), DEAD, [1] * 5 + [-1] * 5, binary_hinge())
TWO_NEURONS = [1, 0, -2, 0, 3, 5, 0, 0, 1]
SLOPES = [(0, 1), (0, 1), ("1/4", 1), ("1/2", 1), (-1, 1), (1, 0), (2, 1), (-2, -1), (1, 1), (0, 0)]


def activation(slopes):
    return linear(slopes[0]) if slopes[0] == slopes[1] else two_piece(slopes[1], slopes[0])


def random_point(rng):
    """A small risk and a point on a grid, with ties of units and of a margin, and unused units."""
    d, K, n = rng.choice([1, 1, 2, 2, 3]), rng.choice([1, 1, 2, 2, 3]), rng.randint(2, 6)
    bias, shift = rng.random() < 0.7, rng.random() < 0.7
    X = [[rng.choice([-2, -1, 0, 1, 2]) for _ in range(d)] for _ in range(n)]
    y = [rng.choice([1, -1]) for _ in range(n)]
    if rng.random() < 0.3:  # separable
        q, b = [rng.choice([-1, 0, 1, 2]) for _ in range(d)], rng.choice([-1, 0, 1]) * shift
        y = [1 if dot(q, x) + b > 0 else -1 for x in X]
    mu = [Fraction(rng.randint(1, 3), 4) for _ in range(n)]
    halves = [sum(m for m, label in zip(mu, y, strict=True) if label == s) for s in (-1, 1)]
    if all(halves) and rng.random() < 0.4:  # equal class weights
        mu = [m / halves[label > 0] for m, label in zip(mu, y, strict=True)]
    network = Network((d, K, 1), activation(rng.choice(SLOPES)), (bias, shift))
    risk = Risk(network, X, y, binary_hinge(mu))
    weights = [0, 0, 0, 1, -1] if rng.random() < 0.4 else [-2, -1, 0, 0, 0, 1, Fraction(1, 2)]
    w = [rng.choice([-2, -1, -1, 0, 0, 1, 1, 2]) for _ in range(K * d)]
    w += [rng.choice([-2, -1, 0, 1, 2]) for _ in range(K * bias)]
    w += [rng.choice(weights) for _ in range(K)]
    if shift:
        outputs = numbers(risk.predictions(exact([*w, 0])))
        ties = [label - f for label, f in zip(y, outputs, strict=True)]
        w.append(rng.choice([rng.choice([-1, 0, 1]), *ties]))
    return risk, list(map(Fraction, w))
