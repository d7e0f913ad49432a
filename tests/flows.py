"""Risks and starts of flows that more than one test file asks about."""

import numpy as np

from lscore import Network, Risk, SquaredLoss, relu

HALF = SquaredLoss("1/2", mean=True)


def random_risk(seed, widths=(2, 6, 1), n=8, bias=True, activation=relu):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, widths[0])), rng.standard_normal((n, 1))
    return Risk(Network(widths, activation, bias=bias), X, y, HALF, weight_decay=0.01)
