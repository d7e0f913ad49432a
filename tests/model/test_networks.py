"""Networks: one flat point, the same function as torch, the same function in rationals."""

import numpy as np
import pytest
import torch
from cases import CASES, columns, name, random_network, reference_outputs, table
from hypothesis import given
from hypothesis import strategies as st

import lscore
from lscore import Network, exact, relu, tanh
from lscore.algebra.matrices import ones, zeros
from lscore.errors import DataError, DtypeError, LscoreError, ShapeError

NET = Network((2, 3, 1), relu)
f64 = torch.float64


def float_parts():
    return [torch.ones(3, 2, dtype=f64), torch.ones(1, 3, dtype=f64)], [
        torch.zeros(3, dtype=f64),
        torch.zeros(1, dtype=f64),
    ]


@given(st.integers(0, 40), st.booleans())
def test_pack_is_the_inverse_of_unpack(seed, bias):
    risk, w = random_network(seed, bias)
    network = risk.network
    for point in (w, exact(w)):
        layers = network.unpack(point)
        weights, biases = [v.weight for v in layers], [v.bias for v in layers]
        again = network.pack(weights, biases)
        assert bool((again == point).all()) if point is w else again == point
    assert w.shape == (network.dimension,)
    sizes = zip(network.widths, network.widths[1:], strict=False)
    assert network.dimension == sum(b * (a + bias) for a, b in sizes)


@given(st.integers(0, 40), st.booleans())
def test_exact_twin_equals_the_reference_and_rounds_to_the_float_network(seed, bias):
    risk, w = random_network(seed, bias)
    outputs = risk.network(exact(w), risk.exact_X)
    assert table(outputs) == reference_outputs(risk, exact(w))
    assert np.allclose(outputs.floats(), risk.network(w, risk.X), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_outputs_at_the_cases_equal_the_reference(case):
    assert table(case.risk.predictions(case.point)) == reference_outputs(case.risk, case.point)


@given(columns(10))
def test_output_activations_and_mixed_activations_apply_where_they_stand(w):
    h = lscore.piecewise_linear(["1/2"], [1, -1], 0)
    network = Network((1, 2, 1, 1), (relu, lscore.absolute_value), False, h)
    w = w.rows(0, network.dimension)
    X = exact([1, "-2/3"])
    risk = lscore.Risk(network, X, [0, 0])
    assert table(network(w, X)) == reference_outputs(risk, w)


def test_preactivations_come_per_hidden_layer():
    network = Network((1, 1, 1, 1), relu)
    w = network.pack([ones(1) * 2, ones(1) * 3, ones(1)], [ones(1)] * 3)
    first, second = network.preactivations(w, exact([1, -1]))
    assert first == exact([3, -1])
    assert second == exact([10, 1])
    assert network(w, exact([1, -1])) == exact([11, 2])


def test_a_network_without_hidden_layers_is_affine():
    network = Network((2, 1), relu)
    assert network(exact([2, 3, 4]), exact([[1, 1]])) == exact([9])
    assert network.preactivations(exact([2, 3, 4]), exact([[1, 1]])) == []


def test_init_depends_on_the_seed_alone_and_respects_its_bounds():
    network = Network((9, 4, 1), relu)
    w = network.init(3)
    assert torch.equal(w, network.init(3))
    assert not torch.equal(w, network.init(4))
    assert w.dtype == f64
    assert w[:40].abs().max() <= 1 / 3
    assert w[40:].abs().max() <= 1 / 2


def test_piecewise_linearity_is_declared():
    assert NET.is_piecewise_linear
    assert not Network((1, 1, 1), tanh).is_piecewise_linear
    assert not Network((1, 1, 1), relu, output_activation=tanh).is_piecewise_linear
    assert not Network((1, 1, 1, 1), (relu, tanh)).is_piecewise_linear


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ((2,), r"widths: got \(2,\)"),
        ((2, 0, 1), "widths: entry 1 is 0"),
        ((2, True, 1), "widths: entry 1 is True"),
        ((2, 1.0), "widths: entry 1 is 1.0"),
        ((-1, 1), "widths: entry 0 is -1"),
        (5, "widths"),
    ],
)
def test_impossible_widths_are_refused(widths, message):
    with pytest.raises(LscoreError, match=message):
        Network(widths, relu)


def test_activations_must_be_one_per_hidden_layer():
    with pytest.raises(ShapeError, match="activation: got 1, need one or one for each of the 2"):
        Network((1, 2, 2, 1), (relu,))
    with pytest.raises(LscoreError, match="activation"):
        Network((1, 2, 1), [relu])
    assert Network(tuple(np.array([1, 2, 1])), relu) == Network((1, 2, 1), relu)


@pytest.mark.parametrize(
    ("w", "error", "message"),
    [
        (torch.zeros(12, dtype=f64), ShapeError, r"w: shape \(12,\), need \(13,\)"),
        (torch.zeros(13, 1, dtype=f64), ShapeError, r"w: shape \(13, 1\), need \(13,\)"),
        (zeros(1, 13), ShapeError, r"w: shape \(1, 13\), need \(13, 1\)"),
        (torch.zeros(13), DtypeError, "w: dtype float32, need float64"),
        (np.full(13, 2**53 + 1), DataError, "w: has integers beyond 2"),
        (np.full(13, np.nan), DataError, "w: has NaN or infinite"),
        (torch.full((13,), torch.inf, dtype=f64), DataError, "w: has NaN or infinite"),
        ([0.0] * 13, DtypeError, "w: got list"),
    ],
)
def test_unusable_points_are_refused(w, error, message):
    with pytest.raises(error, match=message):
        NET.point(w)


def test_a_reversed_array_is_a_point_too():
    assert NET.point(np.arange(13.0)[::-1])[0] == 12


def test_inputs_are_checked_against_the_point():
    with pytest.raises(DtypeError, match="w, X: one is exact"):
        NET(zeros(13), torch.zeros(1, 2, dtype=f64))
    with pytest.raises(DtypeError, match="w, X: one is exact"):
        NET(torch.zeros(13, dtype=f64), zeros(1, 2))
    with pytest.raises(ShapeError, match=r"X: shape \(2, 1\), need \(n, 2\)"):
        NET(zeros(13), zeros(2, 1))
    with pytest.raises(DataError, match=r"w: exact points need .*`ball_risk`"):
        Network((2, 3, 1), tanh)(zeros(13), zeros(1, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda W, b: (W[:1], b), "weights, biases: need 2 weights and as many biases"),
        (lambda W, b: (W, None), "weights, biases: need 2 weights"),
        (lambda W, b: (W, b[:1]), "biases: got 1, need 2"),
        (lambda W, b: ([W[1], W[0]], b), r"weights\[0\]: shape \(1, 3\), need \(3, 2\)"),
        (lambda W, b: (W, [b[1], b[0]]), r"biases\[0\]: shape \(1,\), need \(3,\)"),
        (lambda W, b: ([exact(W[0]), W[1]], b), "weights|biases"),
        (lambda W, b: ([W[0], exact(W[1])], [b[0], exact(b[1])]), "weights|biases"),
        (lambda W, b: ([W[0].float(), W[1]], b), "dtype"),
        (lambda W, b: ([W[0].float(), W[1].float()], [v.float() for v in b]), "dtype"),
        (lambda W, b: ([W[0] * torch.nan, W[1]], b), "NaN"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    with pytest.raises(LscoreError, match=message):
        NET.pack(*change(*float_parts()))


def test_each_layer_has_a_bias_of_its_own_or_none():
    network = Network((2, 3, 1), relu, bias=(True, False))
    W, b = float_parts()
    w = network.pack(W, [b[0], None])
    assert network.dimension == len(w) == 12
    assert [layer.bias is None for layer in network.unpack(w)] == [False, True]
    same = (Network((2, 3, 1), relu, bias=(v, v)) for v in (True, False))
    assert [other.bias for other in same] == [True, False]
    assert Network((2, 3, 1), relu, [False, False]) == Network((2, 3, 1), relu, False)


@pytest.mark.parametrize(
    ("biases", "message"),
    [
        (lambda b: b, r"biases\[1\]: got one, need None: .* with biases in layer 1 only"),
        (lambda b: [None, b[1]], r"biases\[0\]: got none, need one"),
        (lambda b: None, "need 2 weights and as many biases"),
        (lambda b: [b[0]], "biases: got 1, need 2"),
    ],
)
def test_the_wrong_layers_with_biases_are_refused(biases, message):
    W, b = float_parts()
    with pytest.raises(ShapeError, match=message):
        Network((2, 3, 1), relu, bias=(True, False)).pack(W, biases(b))


def test_biases_must_be_one_per_layer():
    with pytest.raises(ShapeError, match="bias: got 1, need one or one for each of the 2 layers"):
        Network((2, 3, 1), relu, bias=(True,))
    with pytest.raises(DtypeError, match=r"bias\[0\]: got the int|bias\[0\]: got int"):
        Network((2, 3, 1), relu, bias=(1, 0))


def test_biases_are_refused_where_there_are_none():
    with pytest.raises(ShapeError, match="need 2 weights and no biases"):
        Network((2, 3, 1), relu, bias=False).pack(*float_parts())
