"""Theorem 6: no critical point of separable data has an active unsolved sample; Figure 4."""

import random
from dataclasses import replace

import pytest
from leaky_points import grid_point, separable_risk
from named_kinks import FIGURE_4, HALF, standing

from lscore import (
    Network,
    Risk,
    binary_hinge,
    certify_hinge_minimum,
    exact,
    multiclass_hinge,
    relu,
)
from lscore.minima.clarke import certify_subgradient
from lscore.papers.laurent2018 import certify_dead_data, certify_not_critical

AS_PRINTED = replace(FIGURE_4, network=Network((2, 2, 1), relu, bias=(True, False)))


def test_unsolved_samples_are_dead_at_critical_points_and_strictly_at_minima():
    rng, seen = random.Random(9), {"critical": 0, "minimum": 0, "active": 0}
    while seen["minimum"] < 25 or seen["active"] < 60:
        risk = separable_risk(rng, relu, bias=rng.random() < 0.8, shift=rng.random() < 0.5)
        w = grid_point(rng, risk)
        dead = certify_dead_data(risk, w)
        if dead.refuted:
            seen["active"] += 1
            assert certify_not_critical(risk, w).certified
            continue
        if risk(w) == 0 or not certify_subgradient(risk, w, limit=64).certified:
            continue
        seen["critical"] += 1
        if certify_hinge_minimum(risk, w, limit=10**4).certified:
            seen["minimum"] += 1
            v, y = risk.network.unpack(w)[1].weight.entries(), risk.exact_y.entries()
            pre, margins = (
                risk.forward(w)[0][0],
                risk.loss.margins(risk.predictions(w), risk.exact_y),
            )
            for i, label in enumerate(y):
                for k, weight in enumerate(v):
                    if margins[i, 0] > 0 and label * weight > 0:
                        assert pre[i, k] < 0
    assert seen["critical"] > seen["minimum"]


@pytest.mark.parametrize(
    ("biases", "weights", "loss", "counts"),
    [
        ([-1, -1], [1, -1], "0", (10, 0)),
        (["-7/2", "-7/2"], [4, -4], "3/10", (7, 3)),
        ([-10, -10], [1, -1], "1", (0, 10)),
    ],
)
def test_figure_4(biases, weights, loss, counts):
    w = exact([1, 0, -1, 0, *biases, *weights])
    answer = certify_dead_data(AS_PRINTED, w)
    assert str(answer.values["risk"]) == loss
    assert (answer.values["solved"], answer.values["unsolved"]) == counts
    assert certify_hinge_minimum(AS_PRINTED, w).certified
    shifted = certify_hinge_minimum(FIGURE_4, exact([*w.entries(), 0]))
    assert shifted.certified == (counts[1] != 3)


def test_active_yet_unsolved_is_named():
    signs = Risk(Network((1, 2, 1), relu), [-1, 0, 1], [1, -1, 1], binary_hinge())
    answer = certify_dead_data(signs, exact([1, 1, 2, 2, 1, -1, 1]))
    assert dict(answer.witness) == {"sample": 1, "unit": 0, "pre_activation": 2}
    bare = Risk(Network((1, 1, 1), relu, bias=False), [2, 1], [1, -1], binary_hinge())
    at = exact([1, "1/2"])
    assert certify_subgradient(bare, at).certified
    assert certify_dead_data(bare, at).witness["sample"] == 1


def test_equality_occurs_at_critical_points():
    opposite = Risk(Network((1, 1, 1), relu), [1, -1], [1, -1], binary_hinge())
    w = exact([1, -1, 1, 0])
    assert certify_dead_data(opposite, w).values["on_a_hyperplane"] == 1
    assert certify_subgradient(opposite, w).certified
    assert certify_hinge_minimum(opposite, w).refuted


def test_outside_the_setting():
    assert "alpha" in certify_dead_data(standing(HALF), exact([1, 0, 3, 0, 1])).reason
    classes = Risk(Network((1, 1, 2), relu), [0, 1], [0, 1], multiclass_hinge())
    assert certify_dead_data(classes, exact([0] * 6)).verdict == "unknown"
