"""Cases that the tests share: a risk, a point, and what is true of the point.

Also an independent reference in ``fractions.Fraction``: plain loops, nothing of lscore's algebra.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    exact,
    identity,
    leaky_relu,
    relu,
    two_piece,
)
from lscore.algebra.matrices import RationalMatrix
from lscore.papers.yun2019 import least_squares_minimum

settings.register_profile("lscore", derandomize=True, deadline=None, database=None)
settings.load_profile("lscore")

CERTIFIED, REFUTED, UNKNOWN = "certified", "refuted", "unknown"
SLOPES = [(1, 0), (0, 1), (1, -1), (-2, "1/2"), ("1.000001", 1), (2, "1/10")]


@dataclass(frozen=True)
class Case:
    """`verdict`: the answer to "is this point a local minimum?"."""

    name: str
    risk: Risk
    point: RationalMatrix
    verdict: str


def at_minimum(name, risk, alpha=1):
    """The case of the least-squares minimum of a risk."""
    return Case(name, risk, least_squares_minimum(risk, alpha), CERTIFIED)


PARABOLA = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
SQUARE = [[-1, -1], [-1, 1], [1, -1], [1, 1]]
XOR = Risk(Network((2, 2, 1), relu), SQUARE, [1, -1, -1, 1])
TIES = Risk(Network((2, 2, 1), two_piece(1, "1/10")), SQUARE, [0, -2, 0, 2])
DYADIC = Risk(
    Network((2, 3, 1), leaky_relu(0.5)),
    np.array([(0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (1, 3)], dtype=float),
    np.array([1.5, 1, 0.25, 0.75, 4.25, 1.25]),
)
MIRRORED = Risk(Network((1, 2, 1), two_piece(0, 1)), [0, 1, 2, 3], [0, 1, 4, 9])
ABSOLUTE = Risk(Network((1, 2, 1), absolute_value), [0, 1, 2, 3], [0, 1, 4, 9])
TWO_OUTPUTS = Risk(Network((1, 3, 2), relu), [0, 1, 2, 3], [[0, 0], [1, 1], [4, 2], [9, 3]])
SADDLE = Risk(
    Network((1, 2, 1), relu, bias=False), [1, 2, -1], [1, 2, -1], SquaredLoss(1, mean=True)
)
PLATEAU = Risk(
    Network((2, 3, 1), relu),
    [["1/2", 1], ["-1/4", "3/4"], [2, "-1/8"], ["-3/2", "-1/2"]],
    [1, "-1/2", "3/4", "7/4"],
)

CASE_A = Case("A, a slope that autograd cannot see", SADDLE, exact([0, 0, 1, -1]), REFUTED)
CASE_B = Case("B, first layer zero", PLATEAU, exact([0] * 9 + [1, -2, "1/2", "3/4"]), REFUTED)
CASE_C = at_minimum(
    "C, affine fit of a parabola",
    Risk(Network((1, 3, 1), relu), [-2, -1, 0, 1, 2], [4, 1, 0, 1, 4]),
)
CASE_D = Case(
    "D, deep linear network at zero",
    Risk(Network((1, 1, 1, 1), identity, bias=False), [1], [1]),
    exact([0, 0, 0]),
    REFUTED,
)
DEAD = Case("all units dead", PARABOLA, exact([0, 0, -1, -1, 1, 2, "7/2"]), CERTIFIED)
KINK = Case(
    "a global minimum on a kink",
    Risk(Network((1, 1, 1), relu), [-1, 0, 1], [0, 0, 1]),
    exact([1, 0, 1, 0]),
    CERTIFIED,
)
PULLED = Case(
    "a local minimum on a kink at a sample that pulls",
    Risk(Network((1, 1, 1), relu, bias=False), [1], [-1]),
    exact([0, 1]),
    CERTIFIED,
)
DEEP_KINK = Case(
    "a local minimum on kinks of two layers",
    Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [-1]),
    exact([0, 1, 1]),
    UNKNOWN,
)
ZERO = Case(
    "everything zero",
    Risk(Network((1, 2, 1), relu), [1, 2, -3], [1, 2, -3]),
    exact([0] * 7),
    REFUTED,
)
CASES = [
    CASE_A,
    CASE_B,
    CASE_C,
    CASE_D,
    at_minimum("parabola", PARABOLA),
    at_minimum("xor", XOR),
    at_minimum("ties", TIES),
    at_minimum("dyadic data", DYADIC),
    at_minimum("mirrored, no slope on the right", MIRRORED),
    at_minimum("absolute value", ABSOLUTE),
    at_minimum("two outputs", TWO_OUTPUTS),
    DEAD,
    KINK,
    PULLED,
    DEEP_KINK,
    ZERO,
]
AFFINE = [case for case in CASES if case not in (KINK, PULLED)]
CERTIFIED_CASES = [case for case in AFFINE if case.verdict == CERTIFIED]
REFUTED_CASES = [case for case in CASES if case.verdict == REFUTED]


seeds = given(st.integers(0, 60), st.booleans())


def name(case):
    return case.name


def with_slopes(risk, pair, width=None):
    """The same data under a two-piece activation with other slopes, and another width."""
    widths = risk.network.widths
    widths = (widths[0], width or widths[1], widths[2])
    return Risk(Network(widths, two_piece(*pair)), risk.exact_X, risk.exact_y, risk.loss)


def random_risk(seed, pair):
    """Small rational data with ties, duplicates and dependent columns, width 2."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(3, 13)), int(rng.integers(1, 5))
    X = [[Fraction(int(v), 2) for v in row] for row in rng.integers(-3, 4, (n, d))]
    y = [Fraction(int(v), 3) for v in rng.integers(-4, 5, n)]
    if seed % 2:
        X[-1] = X[0]
    if seed % 3 == 0 and d > 1:
        for row in X:
            row[-1] = 2 * row[0] - 1
    if seed % 5 == 4:
        y = [row[0] / 3 - 1 for row in X]
    return Risk(Network((d, 2, 1), two_piece(*pair)), X, y)


def random_network(seed, bias=True):
    """A piecewise linear risk of depth 1 to 3 and a point, with float64 data; ties improbable."""
    rng = np.random.default_rng(seed)
    hidden = tuple(int(v) for v in rng.integers(1, 5, rng.integers(1, 4)))
    widths = (int(rng.integers(1, 4)), *hidden, int(rng.integers(1, 3)))
    choices = [relu, leaky_relu(0.25), absolute_value, two_piece(-1, "1/2")]
    activations = tuple(choices[i] for i in rng.integers(0, 4, len(hidden)))
    network = Network(widths, activations, bias)
    risk = Risk(
        network,
        rng.normal(size=(5, widths[0])),
        rng.normal(size=(5, widths[-1])),
        SquaredLoss("1/3", mean=bool(seed % 2)),
        weight_decay=seed % 3,
    )
    return risk, network.init(seed)


small_fractions = st.fractions(-3, 3, max_denominator=6)


def columns(m, elements=small_fractions):
    """Exact points of dimension m."""
    return st.lists(elements, min_size=m, max_size=m).map(exact)


# The independent reference.


def fraction(value):
    return Fraction(int(value.p), int(value.q))


def encloses(ball, number):
    """Whether a rational lies in a ball, decided in Fractions."""
    middle, radius = (
        Fraction(int(m)) * Fraction(2) ** int(e)
        for m, e in (part.man_exp() for part in (ball.mid(), ball.rad()))
    )
    return abs(fraction(number) - middle) <= radius


def table(matrix):
    """Rows of Fractions of a RationalMatrix."""
    return [[fraction(matrix[i, j]) for j in range(matrix.shape[1])] for i in range(len(matrix))]


def reference_outputs(risk, w):
    """Outputs of a piecewise linear network, straight from knots and slopes."""
    network, values = risk.network, [fraction(v) for v in w.entries()]
    signal, start = table(risk.exact_X), 0
    outer = (*network.activations, network.output_activation)
    layers = zip(network.widths, network.widths[1:], outer, network.biases, strict=False)
    for inner, out, h, has_bias in layers:
        weight = [values[start + k * inner : start + (k + 1) * inner] for k in range(out)]
        start += out * inner
        bias = values[start : start + out] if has_bias else [Fraction(0)] * out
        start += out * has_bias
        signal = [
            [
                reference_activation(h, sum(a * b for a, b in zip(x, row, strict=True)) + b)
                for row, b in zip(weight, bias, strict=True)
            ]
            for x in signal
        ]
    return signal


def reference_activation(h, z):
    """h(z), walking from the first knot to z along the slopes."""
    if h is None:
        return z
    knots, slopes = [fraction(t) for t in h.knots], [fraction(s) for s in h.slopes]
    value, place = fraction(h.value), knots[0] if knots else Fraction(0)
    if z <= place or not knots:
        return value + slopes[0] * (z - place)
    for k, slope in enumerate(slopes[1:]):
        stop = min(z, knots[k + 1]) if k + 1 < len(knots) else z
        if stop > place:
            value, place = value + slope * (stop - place), stop
    return value


def reference_risk(risk, w):
    """The risk in Fractions."""
    labels = table(risk.exact_y)
    total = sum(
        (a - b) ** 2
        for row, label in zip(reference_outputs(risk, w), labels, strict=True)
        for a, b in zip(row, label, strict=True)
    )
    scale = fraction(risk.loss.factor) / (len(labels) if risk.loss.mean else 1)
    squares = sum(fraction(v) ** 2 for v in w.entries())
    return scale * total + fraction(risk.weight_decay) / 2 * squares


def assert_unknown(answer, reason):
    """The answer is unknown, and its reason holds this pattern."""
    assert answer.verdict == "unknown", answer
    assert re.search(reason, answer.reason), answer.reason


def reference_residuals(A, y):
    """y minus its projection on the columns of A: Gram-Schmidt in Fractions, any rank."""
    left, basis = list(y), []
    for column in zip(*A, strict=True):
        column = list(column)
        for b in basis:
            column = without(column, b)
        if any(column):
            basis.append(column)
    for b in basis:
        left = without(left, b)
    return left


def without(v, b):
    """v minus its component along b."""
    ratio = inner(v, b) / inner(b, b)
    return [x - ratio * z for x, z in zip(v, b, strict=True)]


def inner(a, b):
    return sum((x * z for x, z in zip(a, b, strict=True)), Fraction(0))
