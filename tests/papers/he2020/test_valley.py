"""Valleys of constructed minima: flat all along, straight paths that are not, and dimensions."""

import numpy as np
import pytest
from cases import assert_unknown
from flint import fmpq

from lscore import (
    Network,
    Risk,
    absolute_value,
    binary_hinge,
    exact,
    hard_tanh,
    leaky_relu,
    relu,
)
from lscore.algebra.definite import inertia
from lscore.cells.hessians import cell_hessian
from lscore.cells.pattern import cell_at
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.minima.affine import certify_affine_minimum
from lscore.papers.he2020 import (
    affine_minimum,
    certify_flat_dimension,
    certify_valley,
    valley_point,
)

ANCHOR = Risk(Network((1, 2, 1), hard_tanh), [0, 1, 2, 3, 4], [0, 1, 0, 2, 1])
ENDS = (1, ["4/5"]), (99, ["1/51"])


def risks_of(seed):
    rng = np.random.default_rng(seed)
    for widths, h in (
        ((2, 3, 2), hard_tanh),
        ((1, 2, 1, 1), leaky_relu("1/4")),
        ((2, 3, 3, 2), hard_tanh),
        ((1, 3, 2, 1), absolute_value),
        ((2, 2, 1, 1, 1), relu),
    ):
        X, y = rng.integers(-5, 6, (6, widths[0])), rng.integers(-5, 6, (6, widths[-1]))
        yield Risk(Network(widths, h), X, y)


@pytest.mark.parametrize("seed", [0, 1])
def test_every_point_of_the_path_is_a_local_minimum_of_the_same_risk(seed):
    rng = np.random.default_rng(seed)
    for risk in risks_of(seed):
        layers, numbers = len(risk.network.activations), []
        lowest = -min(0, affine_outputs(risk).smallest())
        for _ in range(2):
            level = lowest + fmpq(int(rng.integers(1, 400)), 7)
            reach = max(level, max(affine_outputs(risk).entries()) + level)
            scales = [fmpq(int(rng.integers(1, 100)), 101) / reach for _ in range(layers)]
            numbers.append((level, scales))
        answer = certify_valley(risk, *numbers)
        assert answer.certified, answer
        for t in (0, "1/9", "1/2", "8/9", 1):
            w = valley_point(risk, t, *numbers)
            assert risk(w) == answer.values["risk"]
            assert certify_affine_minimum(risk, w).certified


def affine_outputs(risk):
    return risk.predictions(affine_minimum(risk))


def test_straight_in_the_scales_is_not_flat_where_pieces_end():
    """The half-way point leaves the pieces of hard tanh: 1054 in place of 19/20, by the mean."""
    assert certify_valley(ANCHOR, *ENDS).certified
    answer = certify_valley(ANCHOR, *ENDS, straight=True)
    assert answer.refuted
    assert risk_at("1/2") / 5 == fmpq(230326773, 218405)
    assert risk_at(answer.witness["t"]) == answer.witness["risk"]
    endless = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3, 4], [0, 1, 0, 2, 1])
    assert certify_valley(endless, *ENDS, straight=True).certified


def risk_at(t):
    return ANCHOR(valley_point(ANCHOR, t, *ENDS, straight=True))


def test_ends_that_are_not_allowed_raise():
    with pytest.raises(DataError, match="level: got 0, need more than 0"):
        valley_point(ANCHOR, 0, (0, ["1/5"]), ENDS[1])
    with pytest.raises(DataError, match="t: got 2, need a number from 0 to 1"):
        valley_point(ANCHOR, 2, *ENDS)
    with pytest.raises(DataError, match="scales: got 1, need more than 0 and less than"):
        valley_point(ANCHOR, 0, (1, [1]), ENDS[1])
    with pytest.raises(ShapeError, match="last: got 1 entries, need 2"):
        valley_point(ANCHOR, 0, ENDS[0], (1,))
    assert_unknown(
        certify_valley(Risk(ANCHOR.network, ANCHOR.X, [1, -1, 1, 1, 1], binary_hinge()), *ENDS),
        "no exact one is computed",
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_dimension_is_that_of_the_kernel_of_the_hessian(seed):
    """At these minima the Hessian is J'J, and its kernel the tangent space of the manifold."""
    for risk in risks_of(seed):
        w = affine_minimum(risk)
        answer = certify_flat_dimension(risk, w)
        assert answer.certified, answer
        negative, zero, _ = inertia(cell_hessian(cell_at(risk, w), w))
        assert (negative, zero) == (0, answer.values["dimension"])


def test_dead_networks_and_other_points_are_unknown():
    """All units off: the same risk on a set of another dimension, so nothing is said."""
    dead = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    off = exact([0, 0, -1, -1, 1, 1, "7/2"])
    assert certify_affine_minimum(dead, off).certified
    assert_unknown(certify_flat_dimension(dead, off), "do not reach every output")
    assert_unknown(certify_flat_dimension(dead, exact([1, -1, 0, 1, 1, 1, 0])), "kink|piece")
    hinge = Risk(Network((1, 2, 1), relu), [0, 1], [1, -1], binary_hinge())
    assert_unknown(certify_flat_dimension(hinge, exact([0] * 7)), "squared loss")
    decayed = Risk(Network((1, 2, 1), relu), [0, 1], [1, 1], weight_decay=1)
    assert_unknown(certify_flat_dimension(decayed, exact([0] * 7)), "weight decay")
    with pytest.raises(HypothesisError, match="A3"):
        affine_minimum(Risk(Network((1, 1, 2), relu), [0, 1], [[1, 0], [0, 1]]))
