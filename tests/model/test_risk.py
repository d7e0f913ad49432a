"""The risk and its derivatives: rationals against Fractions, floats against torch."""

import numpy as np
import pytest
import torch
from cases import CASES, DYADIC, PARABOLA, fraction, name, random_network, reference_risk, seeds
from hypothesis import given
from hypothesis import strategies as st

import lscore
from lscore import Network, Risk, SquaredLoss, exact, mean_squared_error, relu
from lscore.algebra.linear import rank
from lscore.errors import DataError, DtypeError, LscoreError, ShapeError, TieError
from lscore.papers.yun2019 import least_squares_minimum

NET = Network((1, 2, 1), relu)
f64 = torch.float64


@seeds
def test_exact_risk_equals_the_reference_exactly(seed, bias):
    risk, w = random_network(seed, bias)
    value = risk(exact(w))
    assert fraction(value) == reference_risk(risk, exact(w))
    assert float(risk(w)) == pytest.approx(float(fraction(value)), rel=1e-13)
    assert risk(w.numpy()) == risk(w)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_exact_risk_at_the_cases_equals_the_reference(case):
    assert fraction(case.risk(case.point)) == reference_risk(case.risk, case.point)


def test_exact_gradient_passes_through_an_output_activation():
    network = Network((2, 3, 2), relu, output_activation=lscore.leaky_relu(0.5))
    generator = np.random.default_rng(0)
    risk = Risk(network, generator.normal(size=(6, 2)), generator.normal(size=(6, 2)))
    w = network.init(1)
    assert torch.allclose(risk.gradient(exact(w)).point(), risk.gradient(w), atol=1e-13)


@given(st.integers(0, 15), st.booleans())
def test_hessian_equals_torchs_and_agrees_with_its_products(seed, bias):
    risk, w = random_network(seed, bias)
    hessian = risk.hessian(w)
    assert torch.allclose(hessian, torch.autograd.functional.hessian(risk, w), atol=1e-12)
    v = torch.linspace(-1, 1, len(w), dtype=f64)
    assert torch.allclose(risk.hessian_vector_product(w, v), hessian @ v, atol=1e-11)
    assert torch.allclose(risk.directional_second_derivative(w, v), v @ hessian @ v, atol=1e-11)


def test_hessian_of_a_smooth_network_equals_torchs():
    risk = Risk(Network((2, 3, 1), lscore.tanh), np.ones((1, 2)), np.ones(1), weight_decay="1/2")
    w = risk.network.init(0)
    wanted = torch.autograd.functional.hessian(risk, w)
    assert torch.allclose(risk.hessian(w), wanted, atol=1e-13)


@pytest.mark.parametrize("alpha", [1, 16, 128])
def test_hessian_rank_at_the_dyadic_minimum_is_the_rank_of_the_data(alpha):
    w = least_squares_minimum(DYADIC, alpha).point()
    assert torch.equal(DYADIC.gradient(w), torch.zeros(13, dtype=f64))
    assert DYADIC(w) == 2
    eigenvalues = torch.linalg.eigvalsh(DYADIC.hessian(w))
    assert rank(DYADIC.exact_augmented) == 3
    assert int((eigenvalues > 1e-10 * eigenvalues[-1]).sum()) == 3
    assert eigenvalues[0] > -1e-12 * eigenvalues[-1]


def test_weight_decay_adds_half_lambda_times_the_square():
    w = exact([1, -2, 3, "1/2", 1, 1, -1])
    heavy = Risk(NET, PARABOLA.exact_X, PARABOLA.exact_y, weight_decay="1/3")
    assert heavy(w) - PARABOLA(w) == w.dot(w) / 6
    assert heavy.gradient(w) - PARABOLA.gradient(w) == w / 3


def test_mean_squared_error_is_torchs_for_one_output():
    risk = Risk(NET, PARABOLA.X, PARABOLA.y, mean_squared_error)
    w = NET.init(0)
    wanted = torch.nn.MSELoss()(NET(w, risk.X), risk.y)
    assert torch.allclose(risk(w), wanted, rtol=1e-15)
    assert risk(exact(w)) * 2 == PARABOLA(exact(w))


def test_the_mean_is_over_samples_and_the_sum_over_outputs():
    predictions, labels = exact([[1, 2], [3, 4]]), exact([[0, 0], [0, 0]])
    assert SquaredLoss(3, mean=True)(predictions, labels) == 45
    assert SquaredLoss()(predictions, labels) == 15
    assert SquaredLoss(3).gradient(predictions, labels) == predictions * 6
    assert mean_squared_error.gradient(predictions, labels) == predictions


@pytest.mark.parametrize("factor", [0, -1, float("nan"), "x", True])
def test_an_impossible_loss_factor_is_refused(factor):
    with pytest.raises(LscoreError, match="factor: "):
        SquaredLoss(factor)


def test_data_in_every_form_are_the_same_data():
    X, y = [[0.5], [2.0]], [1.0, 0.25]
    w = NET.init(5)
    forms = [
        Risk(NET, X, y),
        Risk(NET, np.array(X), np.array(y)),
        Risk(NET, torch.tensor(X, dtype=f64), torch.tensor(y, dtype=f64)),
        Risk(NET, exact(X), exact(y)),
        Risk(NET, [["1/2"], [2]], ["1", "1/4"]),
        Risk(NET, np.array(X)[::-1], np.array(y)[::-1]),
    ]
    assert len({str(risk(exact(w))) for risk in forms}) == 1
    assert all(torch.isclose(risk(w), forms[0](w), rtol=1e-15) for risk in forms)


def test_the_risk_keeps_its_own_copy_of_the_data():
    X = np.array([0.0, 1.0])
    risk = Risk(NET, X, np.zeros(2))
    X[0] = 7.0
    assert risk.X[0, 0] == 0
    assert risk.exact_X[0, 0] == 0


def test_a_gradient_on_a_kink_does_not_exist():
    with pytest.raises(TieError, match="w: sample 0, unit 1 of layer 1"):
        PARABOLA.gradient(exact([1, 1, 1, 0, 1, 1, 0]))
    deep = Risk(Network((1, 1, 1, 1), relu), [1], [1])
    with pytest.raises(TieError, match="w: sample 0, unit 0 of layer 2"):
        deep.gradient(exact([1, 0, 1, -1, 1, 0]))


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"X": [[1, 2]]}, ShapeError, r"X: shape \(1, 2\), need \(n, 1\)"),
        ({"y": [[1, 2]]}, ShapeError, r"y: shape \(1, 2\), need \(n, 1\)"),
        ({"X": [1, 2]}, ShapeError, "X, y: 2 inputs and 1 labels"),
        ({"X": []}, ShapeError, "X: need a non-empty"),
        ({"y": np.zeros((0, 1))}, ShapeError, "y: shape"),
        ({"X": np.array([np.nan])}, DataError, r"X: entry \(0, 0\) is nan"),
        ({"y": [float("inf")]}, DataError, r"y\[0\]: got inf"),
        ({"X": np.array([True])}, DtypeError, "X: dtype bool"),
        ({"y": torch.ones(1)}, DtypeError, "y: dtype float32"),
        ({"X": 5}, LscoreError, "X"),
        ({"weight_decay": -1}, DataError, "weight_decay: got -1"),
        ({"weight_decay": float("nan")}, DataError, "weight_decay: got nan"),
        ({"weight_decay": None}, DtypeError, "weight_decay: got NoneType"),
    ],
)
def test_bad_data_are_refused_by_name(keywords, error, message):
    with pytest.raises(error, match=message):
        Risk(**{"network": NET, "X": [1], "y": [1]} | keywords)


def test_derivatives_name_the_argument_they_cannot_take():
    w, v = NET.init(0), torch.zeros(6, dtype=f64)
    with pytest.raises(DtypeError, match="w: the Hessian takes float points"):
        PARABOLA.hessian(exact(w))
    with pytest.raises(DtypeError, match="w"):
        PARABOLA.hessian_vector_product(exact(w), exact(w))
    with pytest.raises(ShapeError, match="v: shape"):
        PARABOLA.hessian_vector_product(w, v)
    with pytest.raises(ShapeError, match="u: shape"):
        PARABOLA.directional_second_derivative(w, v)
    with pytest.raises(ShapeError, match="w: shape"):
        PARABOLA.gradient(v)
