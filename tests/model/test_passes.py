"""Passes: positions per layer, and the exact gradient against autodiff."""

import torch
from cases import random_network, seeds
from hypothesis import assume

from lscore import Network, exact, relu
from lscore.model.passes import trace


def test_positions_are_reported_per_layer():
    network = Network((1, 1, 1, 1), relu)
    found = trace(network, exact([1, 0, 1, -1, 1, 0]), exact([-1, 0, 1])).positions
    assert [p.ravel().tolist() for p in found] == [[0, 1, 2], [0, 0, 1]]


@seeds
def test_exact_gradient_equals_autodiff(seed, bias):
    risk, w = random_network(seed, bias)
    assume(not any((p % 2).any() for p in trace(risk.network, exact(w), risk.exact_X).positions))
    wanted = w.clone().requires_grad_()
    risk(wanted).backward()
    assert torch.allclose(risk.gradient(w), wanted.grad, rtol=1e-12, atol=1e-12)
    assert torch.allclose(risk.gradient(exact(w)).point(), wanted.grad, rtol=1e-12, atol=1e-12)
