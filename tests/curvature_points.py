"""Risks and points that the tests of exact curvature and of decay ask about."""

import numpy as np

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    exact,
    relu,
)

HALF = SquaredLoss("1/2", mean=True)
ONE_UNIT = Network((1, 1), (), bias=False, output_activation=relu)
KINK = Risk(ONE_UNIT, [1, -1], [-1, 5], HALF, "1/10")


def random_risk(seed, widths=(2, 3, 1), n=5, loss=HALF):
    rng = np.random.default_rng(seed)
    X = exact(rng.integers(-8, 9, (n, widths[0])) / 4.0)
    return Risk(Network(widths, relu), X, exact(rng.integers(-8, 9, n) / 4.0), loss, "1/10")


def random_point(risk, seed):
    rng = np.random.default_rng(seed)
    return exact(rng.integers(-32, 33, risk.dimension) / 32.0 + 1 / 1024)
