"""Theorem 3: the corrected pair of units lowers the risk, the printed sign raises it."""

import numpy as np
import pytest
from cases import fraction
from networks_of_he import HALF, made, reference

from lscore import Network, Risk, absolute_value, exact, hard_tanh, leaky_relu, relu, two_piece
from lscore.errors import HypothesisError
from lscore.model.huber import HuberLoss
from lscore.papers.he2020 import affine_minimum, pair_point

SLOPES = [relu, two_piece(0, 1), leaky_relu("1/2"), two_piece(-1, "1/3"), two_piece(2, -1)]


def draw(seed):
    rng = np.random.default_rng(seed)
    d, k = 1 + seed % 3, 1 + seed % 2
    n, loss = d + 3, [HALF, HuberLoss()][seed % 5 == 0]
    X = rng.integers(-2, 3, (n, d))
    y = rng.integers(-3, 4, (n, k))
    if seed % 3 == 0:  # every prediction tied
        X, y = np.array([[-1], [0], [1]]).repeat(d, 1), np.array([[1], [-2], [1]]).repeat(k, 1)
    return Risk(Network((d, k + 1 + seed % 2, k), SLOPES[seed % len(SLOPES)]), X, y, loss)


def test_random_cases_fall_and_rise_with_the_printed_sign():
    count = 0
    for seed in range(40):
        risk = draw(seed)
        found = made(pair_point, risk)
        if found == "A12":
            continue
        base = reference(risk, affine_minimum(risk))
        assert reference(risk, found.point) < base
        printed = pair_point(risk, alpha=found.alpha, printed=True)
        assert reference(risk, printed.point) > base, seed
        assert printed.gamma == -found.gamma
        count += 1
    assert count > 30


@pytest.mark.parametrize(
    ("alpha", "value"),
    [("1/8", "1441/2048"), ("1/32", "16513/32768"), ("1/64", "65281/131072"),
     ("1/512", "4188673/8388608")],
)  # fmt: skip
def test_the_tied_anchor(alpha, value):
    risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [1, -1, -1, 1], HALF)
    found = pair_point(risk, alpha=alpha)
    assert str(risk(found.point)) == value
    assert found.gap == 3 * found.alpha
    assert found.gamma == -found.gap / 4


def test_a_good_alpha_is_found_by_quartering():
    risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [1, -1, -1, 1], HALF)
    found = pair_point(risk)
    assert str(found.alpha) == "1/128"
    assert fraction(risk(found.point)) < fraction(exact(["1/2"])[0, 0])


def test_refusals():
    X, y = [0, 1, 2], [0, 1, 0]
    assert made(pair_point, Risk(Network((1, 2, 1), absolute_value), X, y)) == "slopes"
    assert made(pair_point, Risk(Network((1, 2, 1), hard_tanh), X, y)) == "homogeneous"
    assert made(pair_point, Risk(Network((1, 1, 1), relu), X, y)) == "A3"
    assert made(pair_point, Risk(Network((1, 2, 1), relu), X, [1, 2, 3])) == "A12"
    with pytest.raises(HypothesisError, match="1 hidden layer"):
        pair_point(Risk(Network((1, 2, 2, 1), relu), X, y))
