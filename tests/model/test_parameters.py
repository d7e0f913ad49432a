"""Weight decay per parameter: every form is read alike, and every kind of number agrees."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from losses import Huber

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    binary_hinge,
    cell_at,
    cell_polynomial,
    certify_local_minimum,
    exact,
    hard_tanh,
    relu,
    risk_along,
    tanh,
)
from lscore.cells.floats import float_cell
from lscore.cells.hessians import cell_hessian
from lscore.curvature import curvature
from lscore.errors import DataError, DtypeError, SettingError, ShapeError
from lscore.minima.ball_descent import ball_gradient, ball_jet, certify_in_balls
from lscore.model.balls import ball_risk
from lscore.model.parameters import per_parameter, read_decay, read_frozen

NETWORK = Network((2, 3, 1), relu, bias=(True, False))
FORMS = [
    {"weights": [1, "1/2"], "biases": [3, 0]},
    {"weights": (1.0, 0.5), "biases": np.array([3, 7])},
    [1] * 6 + [3] * 3 + [0.5] * 3,
    exact([1] * 6 + [3] * 3 + ["1/2"] * 3),
    torch.tensor([1.0] * 6 + [3.0] * 3 + [0.5] * 3, dtype=torch.float64),
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_decay(form):
    assert read_decay(NETWORK, form) == exact(FORMS[2])


def test_per_layer_weights_only_and_equal_ones():
    assert per_parameter(NETWORK, [1, 2], "decay") == [1] * 9 + [2] * 3
    assert per_parameter(NETWORK, {"biases": 5}, "decay") == [0] * 6 + [5] * 3 + [0] * 3
    for one in ([2, 2], {"weights": 2, "biases": [2, 0]}, [2] * 12, np.array([2.0, 2.0])):
        assert read_decay(NETWORK, one) == 2
    plain = replace(NETWORK, bias=False)
    assert read_decay(plain, {"weights": "1/3"}) == read_decay(plain, "1/3")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([1, 2, 3], ShapeError, r"got 3, need one, 2 \(one per layer\), or 12 \(one per param"),
        ({"weights": [1]}, ShapeError, r"weight_decay\['weights'\]: got 1, need one, or 2"),
        ({"weight": 1}, DataError, "got the key 'weight', need 'weights' and 'biases'"),
        ([0, -1], DataError, "weight_decay: got -1, need >= 0"),
        ([0, float("nan")], DataError, "weight_decay"),
        ([1, None], DtypeError, "weight_decay: got NoneType"),
        ([1, [2, 3]], DtypeError, "weight_decay: got list"),
        (np.ones((12, 1)), DtypeError, r"an array of shape \(12, 1\)"),
        (torch.ones(12), DtypeError, "dtype float32"),
        ({1, 2}, DtypeError, "got set, need a number, a list of numbers, or a mapping"),
        ([], ShapeError, "got 0"),
    ],
)
def test_what_is_no_decay_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        Risk(NETWORK, [[1, 2]], [1], weight_decay=given)


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (False, ()),
        (np.False_, ()),
        ([False, False], ()),
        ([True, False], (True,) * 9 + (False,) * 3),
        ({"biases": True}, (False,) * 6 + (True,) * 3 + (False,) * 3),
        ({"weights": [False, True]}, (False,) * 9 + (True,) * 3),
        (np.arange(12) < 2, (True,) * 2 + (False,) * 10),
        (torch.arange(12) < 2, (True,) * 2 + (False,) * 10),
    ],
)
def test_every_form_of_what_is_frozen(given, held):
    assert read_frozen(NETWORK, given) == held
    assert Risk(NETWORK, [[1, 2]], [1], frozen=given).frozen == held


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (True, DataError, "frozen: got every parameter, need one that moves"),
        (np.True_, DataError, "frozen: got every parameter, need one that moves"),
        ([True, True], DataError, "frozen: got every parameter"),
        ([1, 0], DtypeError, "frozen: got int, need True or False"),
        (None, DtypeError, "frozen: got NoneType"),
        ([True], ShapeError, "frozen: got 1, need one, 2"),
        ({"bias": True}, DataError, "frozen: got the key 'bias'"),
    ],
)
def test_what_says_nothing_frozen_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        Risk(NETWORK, [[1, 2]], [1], frozen=given)


def several(network, seed=0):
    return np.random.default_rng(seed).integers(0, 4, network.dimension) / 7


CASES = [
    (Network((2, 3, 1), relu), SquaredLoss(), None),
    (Network((2, 2, 3, 2), hard_tanh, (True, False, True)), SquaredLoss("1/3", mean=True), None),
    (Network((2, 3, 1), relu, bias=False), binary_hinge(), [1, -1, 1, -1, 1]),
    (Network((2, 2, 2), tanh), SquaredLoss(), None),
    (Network((2, 2, 1), relu), Huber("1/2"), None),
]


@pytest.mark.parametrize("case", CASES)
def test_values_and_derivatives_are_those_of_autograd(case):
    """Floats, rationals, balls, cells, rays and polynomials of one risk, against torch."""
    network, loss, labels = case
    rng = np.random.default_rng(1)
    X = rng.integers(-8, 9, (5, 2)) / 4 + 1 / 8  # no input is 0
    y = labels or rng.integers(-8, 9, (5, network.widths[-1])) / 4
    decay = torch.tensor(several(network))
    risk = Risk(network, X, y, loss, decay)
    free = replace(risk, weight_decay=0)
    w, u = (torch.tensor(rng.normal(size=risk.dimension)) for _ in range(2))

    def reference(v):
        return free._float_value(v) + (decay * v * v).sum() / 2

    value, slope = reference(w).item(), torch.func.grad(reference)(w)
    bend = torch.func.hessian(reference)(w)
    assert np.isclose(risk(w).item(), value, rtol=1e-14)
    assert torch.allclose(risk.gradient(w), slope, atol=1e-12)
    assert torch.allclose(risk.hessian(w), bend, atol=1e-12)
    assert torch.allclose(risk.hessian_vector_product(w, u), bend @ u, atol=1e-12)
    a, v = exact(w), exact(u)
    assert np.isclose(float(ball_risk(risk, a)), value, rtol=1e-13)
    assert np.allclose([float(g) for g in ball_gradient(risk, a)], slope, atol=1e-12)
    jet = [float(c) for c in ball_jet(risk, a, v)]
    assert np.allclose(jet, [value, slope @ u, u @ bend @ u / 2], atol=1e-11)
    if risk.inexact:
        return
    assert np.isclose(float(str_value(risk(a))), value, rtol=1e-13)
    assert np.allclose(risk.gradient(a).floats()[:, 0], slope, atol=1e-12)
    cell = cell_at(risk, a)
    assert cell(a) == risk(a)
    assert cell.gradient(a) == risk.gradient(a)
    assert np.allclose(cell_hessian(cell, a).floats(), bend, atol=1e-12)
    along = risk_along(risk, a, v).risk
    assert (along[0], along[1]) == (risk(a), risk.gradient(a).dot(v))
    assert 2 * along[2] == v.dot(cell_hessian(cell, a) @ v)
    if risk.dimension < 20:
        assert cell_polynomial(cell, a)(*v.entries()) == cell(a + v)
    if loss.quadratic:
        held = float_cell(risk, w.numpy())
        assert np.isclose(held.value(w.numpy()), value, rtol=1e-13)
        assert np.allclose(held.gradient(w.numpy()), slope, atol=1e-12)
        assert np.allclose(held.hessian_product(w.numpy(), u.numpy()), bend @ u, atol=1e-11)


def str_value(value):
    return int(value.p) / int(value.q)


def test_a_decay_of_the_weights_alone_moves_the_minimum():
    """One weight and one bias: with 2 b = y the bias fits, and only the weight is pulled."""
    risk = Risk(Network((1, 1), ()), [1, -1], [3, 1], weight_decay={"weights": 2})
    assert certify_local_minimum(risk, exact(["1/2", 2])).certified
    assert certify_local_minimum(replace(risk, weight_decay=2), exact(["1/2", 2])).refuted
    assert certify_local_minimum(risk, exact(["1/2", 1])).refuted


def test_an_idle_parameter_without_decay_leaves_risk_zero():
    risk = Risk(Network((1, 1, 1), relu), [0, 1], [5, 5], weight_decay={"weights": 1})
    answer = certify_local_minimum(risk, exact([0, 7, 0, 5]))
    assert (answer.claim, answer.verdict) == ("B-ZERO", "certified")
    assert certify_local_minimum(replace(risk, weight_decay=1), exact([0, 7, 0, 5])).refuted


def test_smooth_points_are_refuted_by_their_own_decay():
    risk = Risk(Network((1, 1, 1), tanh), [1], [0], weight_decay=[0, 1])
    assert certify_in_balls(risk, exact([1, 0, 0, 1])).refuted
    assert not certify_in_balls(risk, exact([1, 5, 0, 0])).refuted


def test_curvature_needs_one_number():
    risk = Risk(NETWORK, [[1, 2]], [1], weight_decay=[1, 2])
    w = NETWORK.init(0)
    with pytest.raises(SettingError, match="several weight decays, need one"):
        curvature(risk, w)
    found = curvature(risk, w, "old-switches", step=1e-7)
    g = risk.gradient(w)
    assert np.isclose(found.quadratic, (g @ risk.hessian(w) @ g).item(), rtol=1e-5)
