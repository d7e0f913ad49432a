"""The full Hessian of a ReLU net in closed form against autodiff, N = 1000 samples.

Run with ``pytest tests/benchmarks --benchmark-enable``; the numbers in brackets are the ratios in
one run.
"""

import pytest
import torch

from lscore import Network, Risk, relu

WIDTHS = [(10, 18, 1), (14, 20, 9, 1)]  # 217 and 499 parameters


@pytest.fixture(scope="module", params=WIDTHS, ids=str)
def case(request):
    network = Network(request.param, relu)
    draw = torch.Generator().manual_seed(0)
    X = torch.randn(1000, network.widths[0], generator=draw, dtype=torch.float64)
    y = torch.randn(1000, 1, generator=draw, dtype=torch.float64)
    return Risk(network, X, y), network.init(seed=0)


def by_vectorised_products(risk, w):
    """Hessian-vector products for all unit vectors at once."""
    gradient = torch.func.grad(risk._float_value)
    products = torch.func.vmap(lambda v: torch.func.jvp(gradient, (w,), (v,))[1])
    return products(torch.eye(len(w), dtype=torch.float64))


def by_torch(risk, w):
    return torch.func.hessian(risk._float_value)(w)


def test_closed_form(benchmark, case):
    benchmark.group = f"Hessian, {case[0].dimension} parameters"
    assert torch.isfinite(benchmark(case[0].hessian, case[1])).all()


@pytest.mark.parametrize("route", [by_vectorised_products, by_torch])
def test_autodiff(benchmark, case, route):
    benchmark.group = f"Hessian, {case[0].dimension} parameters"
    result = benchmark.pedantic(route, case, rounds=3)
    scale = result.abs().max()
    assert (result - case[0].hessian(case[1])).abs().max() <= 1e-12 * scale
