"""The closed-form Hessian against autodiff, an independent channel."""

import pytest
import torch

from lscore import Network, Risk, SquaredLoss, hard_tanh, leaky_relu, relu
from lscore.model import hessian as hessians

SHAPES = [
    ((3, 2), relu, True),
    ((3, 4, 2), relu, False),
    ((3, 4, 5, 2), hard_tanh, True),
    ((2, 3, 4, 3, 1), leaky_relu("1/4"), True),
    ((3, 4, 2), hard_tanh, (True, False)),
    ((2, 3, 4, 3, 2), leaky_relu("1/4"), (False, True, False, True)),
]


def random_risk(widths, activation, bias, samples=9):
    draw = torch.Generator().manual_seed(sum(widths))
    X = torch.randn(samples, widths[0], generator=draw, dtype=torch.float64)
    y = torch.randn(samples, widths[-1], generator=draw, dtype=torch.float64)
    network = Network(widths, activation, bias)
    return Risk(network, X, y, SquaredLoss("1/3", mean=True), weight_decay=0.25)


ROUTES = [hessians._add_jacobian, hessians._add_pairs]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: str(shape[0]))
def test_equals_double_backward(shape, route, monkeypatch):
    risk = random_risk(*shape)
    w = 2 * risk.network.init(seed=1)
    expected = torch.autograd.functional.hessian(risk, w)
    assert torch.allclose(risk.hessian(w), expected, rtol=0, atol=1e-13)
    monkeypatch.setattr(hessians, "_cheaper", lambda network: (route, 1))
    assert torch.allclose(risk.hessian(w), expected, rtol=0, atol=1e-13)
    monkeypatch.setattr(hessians, "_CHUNK", 4)  # nine samples, four at a time
    assert torch.allclose(risk.hessian(w), expected, rtol=0, atol=1e-13)


def test_few_inputs_and_several_outputs_go_by_pairs():
    assert hessians._cheaper(Network((14, 20, 9, 5), relu))[0] is hessians._add_pairs
    assert hessians._cheaper(Network((14, 20, 9, 1), relu))[0] is hessians._add_jacobian


@pytest.mark.parametrize("shape", [(3, 7, 2), (4, 33, 3)])  # 37 and 267 parameters: tiles of 128
def test_it_is_symmetric_to_the_last_bit(shape):
    risk = random_risk(shape, relu, True)
    H = risk.hessian(risk.network.init(seed=1).requires_grad_())
    assert torch.equal(H, H.T)


def test_an_output_activation_is_differentiated_too():
    network = Network((2, 3, 1), relu, output_activation=leaky_relu("1/2"))
    risk = Risk(network, [[1, 2], [3, -1], [0, 1]], [1, 0, 2])
    w = network.init(seed=3)
    expected = torch.autograd.functional.hessian(risk, w)
    assert torch.allclose(risk.hessian(w), expected, rtol=0, atol=1e-13)


def test_it_would_notice_a_missing_second_order_part():
    risk = random_risk(*SHAPES[1])
    w = risk.network.init(seed=1)
    jacobian = torch.autograd.functional.jacobian(lambda v: risk.predictions(v).reshape(-1), w)
    scale = 2 * float(risk.loss.scale(9).p) / float(risk.loss.scale(9).q)
    first_part = scale * jacobian.T @ jacobian + 0.25 * torch.eye(risk.dimension)
    assert not torch.allclose(risk.hessian(w), first_part, atol=1e-3)
