"""Hinge losses: hand values, labels, gradients against autodiff, refusals."""

import numpy as np
import pytest
import torch
from flint import fmpq

from lscore import (
    Network,
    Risk,
    binary_hinge,
    exact,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
)
from lscore.errors import DataError, DtypeError, LscoreError, ShapeError, TieError
from lscore.model.hinges import HingeLoss

KINDS = [
    (binary_hinge, 1, [1, -1, -1]),
    (multiclass_hinge, 3, [0, 2, 1]),
    (one_versus_all_hinge, 3, [0, 2, 1]),
]


def random_risk(loss, outputs, labels, seed):
    rng = np.random.default_rng(seed)
    X = rng.integers(-4, 5, (3, 2)) / 2.0
    risk = Risk(Network((2, 3, outputs), leaky_relu("1/4")), X, labels, loss)
    return risk, exact(rng.integers(-8, 9, risk.dimension) / 4.0)


def test_hand_values():
    outputs = exact([[2, 0], ["1/2", 1], [0, 0]])
    labels = multiclass_hinge().read_labels([0, 0, 1], 2)
    assert labels.tolist() == [[1, -1], [1, -1], [-1, 1]]
    # margins -1, 3/2, 1
    assert multiclass_hinge()(outputs, exact(labels)) == fmpq(5, 6)
    assert multiclass_hinge([2, 1, 1])(outputs, exact(labels)) == fmpq(5, 2)
    # margins (-1, 1), (1/2, 2), (1, 1)
    assert one_versus_all_hinge()(outputs, exact(labels)) == fmpq(11, 6)
    weights = [["1/2", 1], [1, 1], [1, 1]]
    assert one_versus_all_hinge(weights)(outputs, exact(labels)) == fmpq(11, 2)


@pytest.mark.parametrize(("loss", "outputs", "labels"), KINDS, ids=[k[0].__name__ for k in KINDS])
@pytest.mark.parametrize("seed", range(8))
def test_floats_and_rationals_agree(loss, outputs, labels, seed):
    risk, w = random_risk(loss(), outputs, labels, seed)
    assert float(risk(w.point())) == pytest.approx(float(risk(w).p) / float(risk(w).q))
    try:
        gradient = risk.gradient(w)
    except TieError:
        return
    traced = torch.func.grad(risk._float_value)(w.point())
    assert np.allclose(gradient.floats()[:, 0], traced, atol=1e-12)
    hessian = torch.func.hessian(risk._float_value)(w.point())
    assert np.allclose(risk.hessian(w.point()), hessian, atol=1e-12)
    layers = [8 + 1 if k == 0 else 0 for k in range(2)]
    assert float(risk.hessian(w.point())[: layers[0], : layers[0]].abs().max()) == 0.0


def test_a_sign_matrix_is_read_as_itself():
    risk, _ = random_risk(multiclass_hinge(), 3, [0, 2, 1], 0)
    again = Risk(risk.network, risk.X, risk.y, risk.loss)
    assert torch.equal(again.y, risk.y)
    assert np.array_equal(
        multiclass_hinge().read_labels(np.array([2, 0]), 3), [[-1, -1, 1], [1, -1, -1]]
    )


def test_float_gradient_counts_a_tie_as_slack():
    loss = binary_hinge()
    outputs, targets = torch.tensor([[1.0]]), torch.tensor([[1.0]])
    assert loss.gradient(outputs.double(), targets.double()).tolist() == [[0.0]]


def test_exact_gradient_refuses_a_tie():
    with pytest.raises(TieError, match="margin 0 of sample 1 is exactly 0"):
        binary_hinge().gradient(exact([3, 1]), exact([1, 1]))


def bad(message, error, call):
    with pytest.raises(error, match=message):
        call()


def test_bad_input_is_named():
    net = Network((1, 1, 1), relu)
    bad("kind: got 'square'", DataError, lambda: HingeLoss("square"))
    bad("weights: got 0, need positive", DataError, lambda: binary_hinge([1, 0]))
    bad(
        r"weights: shape \(2, 1\), need \(3,\)",
        ShapeError,
        lambda: Risk(net, [1, 2, 3], [1, 1, 1], binary_hinge([1, 1]))(exact([1, 1, 1, 1])),
    )
    bad("got the label 0, need", DataError, lambda: Risk(net, [1], [0], binary_hinge()))
    bad("not an integer", DataError, lambda: Risk(net, [1], [0.5], binary_hinge()))
    for labels in (["a"], ["1"], np.array(["1"]), [1, "1"]):
        bad("y: .*text|y: dtype", DtypeError, lambda y=labels: Risk(net, [1], y, binary_hinge()))
    for labels in ([True], np.array([True]), [True, -1]):
        bad(r"y.*bool", DtypeError, lambda y=labels: Risk(net, [1], y, binary_hinge()))
    for labels in ([0.9], exact(["12/10"]), np.array([1 - 1e-16]), ["-1"]):
        bad("y", LscoreError, lambda y=labels: Risk(net, [1], y, binary_hinge()))
    bad("1 output, got 2", ShapeError, lambda: binary_hinge().read_labels([1], 2))
    bad("at least 2 outputs", ShapeError, lambda: multiclass_hinge().read_labels([1], 1))
    bad("got the class 3, need 0..2", DataError, lambda: multiclass_hinge().read_labels([3], 3))
    bad("exactly one", DataError, lambda: multiclass_hinge().read_labels([[1, 1]], 2))
    bad(r"need \(n,\) or \(n, 3\)", ShapeError, lambda: multiclass_hinge().read_labels([[1, 1]], 3))
    bad("need", ShapeError, lambda: binary_hinge().read_labels([], 1))
