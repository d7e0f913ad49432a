"""Lemma 4: where the global minimizers lie, and that only 0 can be among them."""

import numpy as np
import pytest
import torch
from cases import assert_unknown
from flint import fmpq
from toy_risks import HALF, chain

from lscore import Network, Risk, exact, leaky_relu, relu
from lscore.papers.milne2019 import certify_membership, certify_minimizers_inside


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_the_bound_is_an_inequality_between_rationals(hidden):
    """l(0) = 1/2 and r = 1: H^2 (H + 1)^2 < lambda^(H + 1)."""
    border = (hidden * (hidden + 1)) ** 2
    for decay in (1, 2, 3, 4, 6):
        answer = certify_minimizers_inside(chain(hidden, 1, decay=decay))
        assert answer.certified == (border < decay ** (hidden + 1))
        assert not answer.refuted
        assert answer.conditions[0].margin == decay ** (hidden + 1) - border


def test_no_search_finds_a_point_below_zero_where_the_answer_is_yes():
    rng, seen = np.random.default_rng(0), set()
    for _ in range(30):
        hidden, outputs = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        network = Network((2, *[3] * hidden, outputs), leaky_relu("1/4"), bias=False)
        X, y = rng.normal(size=(4, 2)), rng.normal(size=(4, outputs))
        risk = Risk(network, X, y, HALF, fmpq(int(rng.choice([1, 4, 80])), 8))
        inside = certify_minimizers_inside(risk)
        w = torch.from_numpy(rng.normal(size=network.dimension))
        for _ in range(20):
            w = w - 0.1 / (1 + float(risk.weight_decay)) * risk.gradient(w)
            answer = certify_minimizers_inside(risk, w)
            assert not (inside.certified and answer.refuted)
            seen.add(answer.verdict.value)
        if inside.certified:
            assert certify_membership(risk, exact([0] * network.dimension)).certified
    assert seen >= {"certified", "unknown"}


def test_a_lower_point_refutes_and_other_risks_are_unknown():
    low = chain(2, "5/4")
    answer = certify_minimizers_inside(low, exact([1, 1, 1]))
    assert answer.refuted
    assert low(answer.witness["lower_point"]) < low(exact([0, 0, 0]))
    assert_unknown(certify_minimizers_inside(low), "sufficient only")
    assert_unknown(certify_minimizers_inside(chain(2, 1, decay=0)), "lambda > 0")
    assert_unknown(
        certify_minimizers_inside(Risk(Network((1, 1, 1), relu), [1], [1], HALF, 1)), "no biases"
    )
