"""Points of barriers that more than one test file asks about."""

import numpy as np

from lscore import Network, Risk, relu
from lscore.papers.yun2019 import least_squares_minimum

X, Y = [0, 1, 2, 3, 7], [-1, -3, 2, -1, 2]
SIX = [0, 1, 2, 3, 4, 5], [1, 2, -2, 1, -2, -2]


def network(x, y, width=2, h=relu, loss=None):
    return Risk(Network((1, width, 1), h), x, y, *([loss] if loss else []))


EXAMPLE = network(X, Y)
FIT = least_squares_minimum(EXAMPLE)


def random_data(seed, n, clash=False):
    rng = np.random.default_rng(seed)
    x = rng.choice(9, n, replace=clash).tolist()
    return x, rng.integers(-3, 4, n).tolist()
