"""The corrected construction of Theorem 1: local minima and lower points of random networks.

LSCORE_HE=1 runs all 320 random cases; the ordinary run takes a sample.
"""

import os
from collections import Counter

import numpy as np
import pytest
from cases import fraction
from flint import fmpq
from networks_of_he import HALF, attack, draw, hard_sigmoid, made, reference

from lscore import (
    Network,
    Risk,
    absolute_value,
    binary_hinge,
    certify_affine_minimum,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    linear,
    relu,
    tanh,
)
from lscore.algebra.linear import merge_rows
from lscore.algebra.matrices import zeros
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.papers.he2020 import (
    affine_minimum,
    certify_spurious_minimum,
    hinge_point,
    linear_minimiser,
    sides,
)

CASES = range(320) if os.environ.get("LSCORE_HE") else range(0, 320, 11)
LINE, LABELS = [0, 1, 2, 3, 4], [0, 1, 0, 2, 1]
ANCHORS = [  # activation, hidden widths, gain, decrease of half the mean square, 19/100 before
    (relu, (2,), "-1/5", "2/125"),
    (absolute_value, (2,), "-2/425", "8/10625"),
    (hard_tanh, (2, 1), "-14/5", "2/125"),
    (hard_sigmoid, (2, 1, 1), "-28/5", "2/125"),
]


@pytest.mark.parametrize("block", range(4))
def test_random_networks_have_the_minimum_and_the_lower_point(block):
    seen = Counter()
    for seed in [s for s in CASES if s % 4 == block]:
        risk, rng = draw(seed), np.random.default_rng(seed)
        w, fit = affine_minimum(risk), linear_minimiser(risk)
        outputs = risk.exact_augmented @ fit.T
        assert risk.predictions(w) == outputs
        local = certify_affine_minimum(risk, w)
        assert local.certified, (seed, local)
        assert fraction(local.values["risk"]) == reference(risk, w)
        attack(risk, w, rng, local.values.get("radius_of_a_box"))
        pull = risk.loss.gradient(outputs, risk.exact_y)
        if merge_rows(risk.exact_X, pull)[1].is_zero():
            assert made(hinge_point, risk) == "A12"
            assert certify_spurious_minimum(risk, w).refuted
            seen["global"] += 1
            continue
        found = hinge_point(risk)
        below = reference(risk, found.point)
        assert below < reference(risk, w)
        if risk.loss.quadratic:  # the exact formula
            sums, g = (pull.T @ found.hinge).entries(), found.hinge
            bend = risk.loss.curvature(len(outputs))
            gap = sum(s * s for s in sums) / (2 * bend * g.dot(g))
            assert below == fraction(local.values["risk"] - gap)
        answer = certify_spurious_minimum(risk, w, found.point)
        assert answer.certified, (seed, answer)
        seen[risk.loss.kind, len(risk.network.widths) - 1] += 1
    assert len(seen) >= (8 if len(CASES) > 100 else 3)


@pytest.mark.parametrize(("h", "hidden", "gain", "decrease"), ANCHORS, ids=lambda v: str(v))
def test_the_anchors(h, hidden, gain, decrease):
    risk = Risk(Network((1, *hidden, 1), h), LINE, LABELS, HALF)
    w, found = affine_minimum(risk), hinge_point(risk)
    assert risk(w) == fmpq(19, 100)
    assert [str(e) for e in found.gains] == [gain]
    assert str(risk(w) - risk(found.point)) == decrease
    assert certify_spurious_minimum(risk, w).certified


def test_a_perturbed_minimum_is_refuted():
    risk = Risk(Network((1, 2, 1, 1), hard_tanh), LINE, LABELS)
    entries = affine_minimum(risk).entries()
    entries[0] += fmpq(1, 10**9)
    assert certify_affine_minimum(risk, exact(entries)).refuted


def test_level_scales_and_places_are_free_within_their_bounds():
    risk = Risk(Network((1, 2, 1), hard_tanh), LINE, LABELS, HALF)
    for level, scale in ((1, "4/5"), (99, "1/51"), ("1/100", "13/10")):
        w = affine_minimum(risk, level=level, scales=[scale])
        assert certify_affine_minimum(risk, w).certified
        assert risk(w) == fmpq(19, 100)
    for side in sides(hard_tanh):
        w = affine_minimum(risk, places=[side])
        assert certify_affine_minimum(risk, w).certified
    for keywords in ({"level": 0}, {"level": -3}, {"scales": [1]}, {"scales": [0]}):
        with pytest.raises(DataError, match=f"{next(iter(keywords))}: got"):
            affine_minimum(risk, **keywords)
    with pytest.raises(ShapeError, match="scales: got 2"):
        affine_minimum(risk, scales=[1, 1])
    with pytest.raises(HypothesisError, match="hypothesis sides"):
        affine_minimum(risk, places=[sides(relu)[0]])


def test_constant_labels_one_sample_and_dependent_inputs():
    for X, y in (([[1, 2]], [3]), ([[0, 0]] * 3, [1, 1, 1]), ([[1, 1], [2, 2], [3, 3]], [1, 0, 1])):
        risk = Risk(Network((2, 2, 1, 1), leaky_relu("1/2")), X, y)
        assert certify_affine_minimum(risk, affine_minimum(risk)).certified


def test_floats_of_every_size_are_exact_data():
    X, y = 1e-300 * np.array([0.0, 1, 2, 5]), 1e250 * np.array([0.0, 1, 0, 3])
    risk = Risk(Network((1, 2, 1, 1), hard_tanh), X, y)
    assert certify_spurious_minimum(risk, affine_minimum(risk)).certified


@pytest.mark.parametrize(
    ("changed", "hypothesis"),
    [
        ({"widths": (1, 1)}, "A3"),
        ({"widths": (1, 1, 1, 2)}, "A3"),
        ({"widths": (1, 2, 1, 2)}, "A3"),
        ({"activation": identity}, "activation"),
        ({"activation": (relu, linear(0))}, "activation"),
        ({"activation": tanh}, "piecewise linear"),
        ({"bias": False}, "biases"),
        ({"output_activation": relu}, "no output activation"),
        ({"weight_decay": 1}, "no weight decay"),
    ],
)
def test_a_hypothesis_that_fails_is_named(changed, hypothesis):
    widths = changed.pop("widths", (1, 2, 2, 2))
    h, hidden = changed.pop("activation", relu), len(widths) - 2
    decay = changed.pop("weight_decay", 0)
    h = h[:hidden] if isinstance(h, tuple) else (h,) * hidden
    network = Network(widths, h, **changed)
    y = [[0] * widths[-1], [1] * widths[-1], [0] * widths[-1]]
    risk = Risk(network, [0, 1, 2], y, weight_decay=decay)
    assert made(affine_minimum, risk) == hypothesis


def test_a_map_that_is_no_minimiser_is_refused_and_a_minimiser_is_taken():
    risk = Risk(Network((1, 2, 1), relu), LINE, LABELS)
    assert made(affine_minimum, risk, exact([["3/10", 0]])) == "minimiser"
    w = affine_minimum(risk, exact([["3/10", "1/5"]]))
    assert w == affine_minimum(risk)
    with pytest.raises(ShapeError, match="fit: shape"):
        affine_minimum(risk, zeros(2, 2))
    hinge = Risk(Network((1, 2, 1), relu), LINE, [1, -1, 1, -1, 1], binary_hinge())
    assert made(affine_minimum, hinge) == "minimiser"
