"""Points on kinks that more than one test file asks about."""

import numpy as np

from lscore import (
    Network,
    Risk,
    binary_hinge,
    exact,
    hard_tanh,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
)

PLANE = [[0, 0], [1, 0], [0, 1], [2, 3], [5, -1], [-2, 7]]
CAMPAIGN = [
    ((1, 2, 1), relu, None, True),
    ((2, 2, 1), leaky_relu("1/3"), None, False),
    ((1, 2, 1), hard_tanh, None, True),
    ((1, 2, 1), relu, binary_hinge(), True),
    ((2, 2, 1), leaky_relu("1/2"), binary_hinge(["1/4", "1/2", "1/4"]), True),
    ((2, 2, 1), relu, binary_hinge(), False),
    ((1, 2, 2), leaky_relu("1/4"), multiclass_hinge(), True),
    ((1, 1, 3), relu, one_versus_all_hinge(), True),
    ((1, 2, 1, 1), relu, binary_hinge(), True),
    ((1, 1, 2, 1), leaky_relu("1/2"), None, True),
]


def instance(case, seed):
    """A tiny exact instance on a coarse grid, so that ties are the rule."""
    widths, h, loss, bias = case
    rng = np.random.default_rng([seed, len(widths), widths[0]])
    X = exact(rng.integers(-2, 3, (3, widths[0])) / 2.0)
    network = Network(widths, h, bias)
    if loss is None:
        risk = Risk(network, X, exact(rng.integers(-2, 3, (3, widths[-1])) / 1.0))
    elif widths[-1] == 1:
        risk = Risk(network, X, rng.choice([-1, 1], 3), loss)
    else:
        risk = Risk(network, X, rng.integers(0, widths[-1], 3), loss)
    return risk, exact(rng.integers(-2, 3, risk.dimension) / 1.0), rng
