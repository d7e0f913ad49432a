"""Points of linear networks that more than one test file asks about."""

import numpy as np

from lscore import (
    Network,
    Risk,
    exact,
    identity,
)
from lscore.papers.yun2019 import designed_minima, designed_saddles

SADDLES = list(designed_saddles())
MINIMA = [*designed_minima(0), *designed_minima(1)]
SADDLE, MINIMUM = "the point is a saddle", "the point is a global minimum"


def network(*widths, bias=False):
    return Network(widths, identity, bias=bias)


def random_risk(seed, *widths, n=7, scale=8):
    """Dyadic data and a dyadic point."""
    rng = np.random.default_rng(seed)
    net = network(*widths)
    X, y = (rng.integers(-scale, scale, (n, d)) / 4 for d in (widths[0], widths[-1]))
    return Risk(net, X, y), exact(rng.integers(-4, 5, net.dimension) / 2)


NARROW = Risk(network(2, 1, 2), [[1, 0], [0, 1]], [[2, 0], [0, 1]])


def diagonal(values, kept, hidden=1):
    """A two-layer network on the unit vectors with a diagonal task, and the point that keeps some
    entries of the diagonal."""
    n, units = len(values), [*kept, *[None] * (hidden - len(kept))]
    first = exact([[values[k] * int(k == j) for k in range(n)] for j in units])
    last = exact([[int(i == j) for j in units] for i in range(n)])
    task = [[values[i] * int(i == k) for k in range(n)] for i in range(n)]
    net = network(n, hidden, n)
    return Risk(net, [[int(i == k) for k in range(n)] for i in range(n)], task), net.pack(
        [first, last]
    )


ONE, FIRST = [1, 0, 0, 1], [1, 0, 0, 0]
