"""Tied data that more than one test file asks about."""

from fractions import Fraction

import numpy as np
from cases import TIES, XOR, reference_residuals
from two_piece_points import SYMMETRIC, TWO

from lscore import Network, Risk, two_piece

UNIT_SQUARE = Risk(XOR.network, [[0, 0], [0, 1], [1, 0], [1, 1]], [1, -1, -1, 1])
LINE = Risk(TWO, [0, 1, 2], [5, 4, 3])
GRID = [[a, b] for a in (-1, 0, 1) for b in (-1, 0, 1)]
COLUMNS = Risk(XOR.network, GRID, [-1, -1, -1, -1, 2, -1, 2, -1, 2])  # x_1 - r, r = (1, -2, 1)
TIED = [XOR, UNIT_SQUARE, SYMMETRIC, TIES, COLUMNS]
NAMES = ["xor", "unit square", "symmetric", "ties", "columns"]


def tied_risk(seed, pair):
    """Integer inputs in levels of x_1, prediction slope * x_1, and residuals that are orthogonal to
    the inputs and to every level, so that J is empty; every third with a repeated input."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 4))
    X = np.unique(rng.integers(-2, 3, (int(rng.integers(5, 13)), d)), axis=0).tolist()
    if seed % 3 == 0:
        X.append(X[0])
    slope = Fraction(int(rng.integers(0, 3)), 3) if d > 1 else Fraction(0)
    levels = sorted({x[0] for x in X}) if slope else []
    rows = [[*x, 1, *(int(x[0] == level) for level in levels)] for x in X]
    A = [[Fraction(v) for v in row] for row in rows]
    r = reference_residuals(A, [Fraction(int(v), 2) for v in rng.integers(-3, 4, len(X))])
    y = [slope * x[0] - v for x, v in zip(X, r, strict=True)]
    return Risk(Network((d, 2, 1), two_piece(*pair)), X, y), r
