"""Small helpers of the tests of arrangements."""

import numpy as np

rng = np.random.default_rng


def pattern_set(cells):
    return {tuple(row) for row in np.where(cells.patterns, 1, -1).tolist()}
