"""Toy risks that more than one test file asks about."""

import numpy as np
from hypothesis import strategies as st

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    relu,
)

HALF = SquaredLoss("1/2", mean=True)
X = np.random.default_rng(0).uniform(-1, 1, 100)
eighths = st.integers(-16, 16).map(lambda n: n / 8)


def toy(decay="2/5", x=X, y=None, units=2, activation=relu, **keywords):
    network = Network((1, units, 1), activation, bias=False, **keywords)
    return Risk(network, x, x / 4 if y is None else y, HALF, decay)


def chain(H, label, activation=relu, decay="1/4"):
    return Risk(Network((1,) * (H + 2), activation, bias=False), [1], [label], HALF, decay)
