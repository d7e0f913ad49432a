"""Random networks, data and losses for the constructions of He, Wang and Tao (2020)."""

from fractions import Fraction

import numpy as np
from cases import fraction, reference_outputs, table

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    piecewise_linear,
    relu,
    two_piece,
)
from lscore.errors import HypothesisError
from lscore.model.huber import HuberLoss

HALF = SquaredLoss("1/2", mean=True)
hard_sigmoid = piecewise_linear([-3, 3], [0, "1/6", 0], 0, "hard sigmoid")
soft_shrink = piecewise_linear([-1, 1], [1, 0, 1], 0, "soft shrink")
triangle = piecewise_linear([-2, 0, 2, 4], [1, -1, 1, -1, 1], "1/3", "triangle wave")
BENDING = [
    relu,
    leaky_relu("1/10"),
    two_piece("1/2", -2, "slopes -2 and 1/2"),
    two_piece(0, 1, "left ReLU"),
    absolute_value,
    hard_tanh,
    piecewise_linear([0, 6], [0, 1, 0], 0, "ReLU6"),
    hard_sigmoid,
    soft_shrink,
    triangle,
    leaky_relu("999/1000"),
]
LOSSES = [SquaredLoss(), HALF, SquaredLoss("3/7"), HuberLoss("1/2"), HuberLoss(2, mean=True)]


def random_pieces(rng):
    """Five pieces, knots and slopes anywhere, h(t) not 0."""
    knots = np.cumsum(rng.integers(1, 5, 4)) - 6
    slopes = rng.permutation([-2, -1, 0, 1, 3])
    return piecewise_linear(knots.tolist(), slopes.tolist(), Fraction(int(rng.integers(1, 9)), 5))


def draw(seed, losses=LOSSES):
    """Depth 2 to 6, 1 to 4 outputs, the narrowest widths or wider, activations per layer."""
    rng = np.random.default_rng(seed)
    k, d, hidden = int(rng.integers(1, 5)), int(rng.integers(1, 4)), int(rng.integers(1, 6))
    n = int(rng.integers(d + 2, d + 6))
    widths = [
        k + 1 + int(rng.integers(0, 2)),
        *(k + int(rng.integers(0, 2)) for _ in range(1, hidden)),
    ]
    pool = [*BENDING, random_pieces(rng)]
    first = pool[int(rng.integers(len(pool)))]
    later = [*pool, identity]
    chosen = (first, *(later[int(rng.integers(len(later)))] for _ in range(1, hidden)))
    X, y = rng.integers(-3, 4, (n, d)), rng.integers(-4, 5, (n, k))
    if seed % 4 == 0:  # a sample twice, with another label
        X[-1] = X[0]
    return Risk(Network((d, *widths, k), chosen), X, y, losses[seed % len(losses)])


def loss_of(loss, rows, labels):
    """The loss in Fractions, from its definition."""
    entries = [abs(a - b) for row, label in zip(rows, labels, strict=True)
               for a, b in zip(row, label, strict=True)]  # fmt: skip
    if loss.quadratic:
        return sum(e * e for e in entries) * fraction(loss.scale(len(rows)))
    d = fraction(loss.delta)
    total = sum(e * e / 2 if e <= d else d * e - d * d / 2 for e in entries)
    return total / len(entries) if loss.mean else total


def reference(risk, w):
    """The risk in Fractions, by code that is not the package's."""
    return loss_of(risk.loss, reference_outputs(risk, w), table(risk.exact_y))


def attack(risk, w, rng, radius=None, moves=6):
    """No exact move, tiny or to the corners of the certified box, lowers the risk."""
    base = reference(risk, w)
    sizes = [Fraction(1, 10**4), Fraction(1, 10**9)] + ([fraction(radius)] if radius else [])
    for j in range(moves):
        step = rng.integers(-1, 2, risk.dimension).tolist()
        assert reference(risk, w + exact(step) * sizes[j % len(sizes)]) >= base, (risk, step)


def made(construct, *arguments, **keywords):
    """What a construction gives, or the hypothesis that it names."""
    try:
        return construct(*arguments, **keywords)
    except HypothesisError as error:
        return error.hypothesis
