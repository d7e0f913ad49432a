"""The mean over all minibatches, listed, against its closed form; and where it is refused."""

from itertools import combinations

import numpy as np
import pytest
from cases import assert_unknown
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from lscore import Network, Risk, SquaredLoss, binary_hinge, exact, relu
from lscore.curvature.exact import exact_second_derivative
from lscore.curvature.minibatches import certify_minibatch_mean, sample_gradients
from lscore.errors import DataError

HALF = SquaredLoss("1/2", mean=True)
TURNED = Risk(Network((2, 1, 1), relu, bias=False), [[1, 2], [1, -2]], [2, 2], HALF)
POINT = exact(["1/2", 0, "1/2"])


def test_hand_values():
    answer = certify_minibatch_mean(TURNED, POINT, 1)
    assert answer.certified
    assert answer.values["gradient_curvature"] == fmpq(-245, 128)
    assert answer.values["noise_trace"] == fmpq(49, 16)
    assert answer.values["mean_over_minibatches"] == fmpq(147, 128)


def test_the_full_batch_adds_nothing():
    answer = certify_minibatch_mean(TURNED, POINT, 2)
    assert answer.values["mean_over_minibatches"] == answer.values["gradient_curvature"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_random_networks(seed, batch_size):
    rng = np.random.default_rng(seed)
    network = Network((2, 2, 1), relu)
    X, y = rng.integers(-4, 5, (5, 2)) / 4, rng.integers(-4, 5, 5) / 4
    risk = Risk(network, X, y, HALF, "1/8")
    w = exact(rng.integers(-40, 41, risk.dimension) / 16 + 1 / 64)
    answer = certify_minibatch_mean(risk, w, batch_size)
    assert answer.certified or str(answer.verdict) == "unknown"
    if answer.certified:
        assert 2 * answer.values["gradient_curvature"] == exact_second_derivative(risk, w)[1]
        wrong = certify_minibatch_mean(risk, w, batch_size, correction=7)
        assert wrong.refuted == (answer.values["noise_trace"] != 0)


def test_sample_gradients_average_to_the_gradient_of_each_minibatch():
    X, y = [[1, 2], [3, -1], [2, 2], [1, 1]], [1, 0, 2, 5]
    w = exact(["1/2", "1/4", "1/2"])
    risk = Risk(TURNED.network, X, y, HALF, "1/3")
    gradients = sample_gradients(risk, w)
    for i, j in combinations(range(4), 2):
        pair = Risk(TURNED.network, [X[i], X[j]], [y[i], y[j]], HALF, "1/3")
        assert (gradients[i] + gradients[j]) * fmpq(1, 2) == pair.gradient(w)


def test_walls_are_unknown_and_other_input_is_refused():
    wall = certify_minibatch_mean(TURNED, exact([0, 0, 1]), 1)
    assert str(wall.verdict) == "unknown"
    assert wall.reason
    with pytest.raises(DataError, match="batch_size: got 3"):
        certify_minibatch_mean(TURNED, POINT, 3)
    many = Risk(TURNED.network, [[1, 2]] * 24, [2] * 24, HALF)
    answer = certify_minibatch_mean(many, POINT, 12)
    assert_unknown(answer, "2704156 minibatches, the limit is 100000")
    one = Risk(TURNED.network, [[1, 2]], [2], HALF)
    assert_unknown(certify_minibatch_mean(one, POINT, 1), "two samples: got 1")
    summed = Risk(TURNED.network, [[1, 2], [1, -2]], [2, 2])
    hinged = Risk(TURNED.network, [[1, 2], [1, -2]], [1, -1], binary_hinge())
    for other in (summed, hinged):
        assert_unknown(certify_minibatch_mean(other, POINT, 1), "hypothesis mean squared loss")
