"""Small data sets for cross-entropy; `LSCORE_ENTROPY` says how many random ones are asked."""

import os

import numpy as np

from lscore import Network, Risk
from lscore.model.entropy import CrossEntropyLoss

SOFTMAX = CrossEntropyLoss()
SETS = int(os.environ.get("LSCORE_ENTROPY", "200"))


def linear(X, y, k, bias=True):
    d = np.shape(X)[1] if np.ndim(X) > 1 else 1
    return Risk(Network((d, k), (), bias=bias), X, y, SOFTMAX)


def random_risk(seed):
    """Small integers, so that ties, duplicates and quasi-separable data are frequent."""
    rng = np.random.default_rng(seed)
    k, d = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    n = int(rng.integers(k, 6 * k))
    X = rng.integers(-2, 3, (n, d))
    return linear(X, rng.integers(0, k, n), k, bias=bool(rng.random() < 0.8))
