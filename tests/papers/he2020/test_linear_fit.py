"""The exact linear minimiser: stationary in rationals, and no float step is lower."""

import numpy as np
import pytest
from networks_of_he import made

from lscore import Network, Risk, SquaredLoss, binary_hinge, exact, relu
from lscore.model.entropy import LogisticLoss
from lscore.model.huber import HuberLoss
from lscore.papers.he2020 import linear_minimiser


@pytest.mark.parametrize("seed", range(12))
def test_it_is_stationary_and_nothing_near_is_lower(seed):
    rng = np.random.default_rng(seed)
    d, k, n = 1 + seed % 3, 1 + seed % 2, 8
    loss = [SquaredLoss("1/3"), HuberLoss("1/2"), HuberLoss("5/2", mean=True)][seed % 3]
    X, y = rng.integers(-4, 5, (n, d)), rng.integers(-6, 7, (n, k))
    if seed > 8:
        X[:, -1] = X[:, 0]  # dependent columns where d > 1
    risk = Risk(Network((d, 2, k), relu), X, y, loss)
    fit, A = linear_minimiser(risk), risk.exact_augmented

    def value(m):
        return loss(A @ m.T, risk.exact_y)

    assert (A.T @ loss.gradient(A @ fit.T, risk.exact_y)).is_zero()
    for _ in range(20):
        step = exact(rng.integers(-3, 4, fit.shape).tolist()) / 1000
        assert value(fit + step) >= value(fit)


def test_a_large_outlier_and_labels_on_a_line():
    X, y = list(range(6)), [0, 1, 2, 3, 4, 10**6]
    assert linear_minimiser(Risk(Network((1, 2, 1), relu), X, y, HuberLoss())).shape == (1, 2)
    on = Risk(Network((1, 2, 1), relu), X, [1, 3, 5, 7, 9, 11], HuberLoss("1/100"))
    assert linear_minimiser(on) == exact([[2, 1]])


def test_losses_without_one_are_refused():
    for loss in (binary_hinge(), LogisticLoss()):
        risk = Risk(Network((1, 2, 1), relu), [0, 1, 2], [1, -1, 1], loss)
        assert made(linear_minimiser, risk) == "minimiser"
