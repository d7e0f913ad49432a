"""Kinks with names that more than one test file asks about."""

from fractions import Fraction

from brute_kinks import Hinges
from cases import fraction

from lscore import Network, Risk, binary_hinge, leaky_relu, relu


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
