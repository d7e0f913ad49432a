"""The full Hessian of a ReLU net in closed form against autodiff, N = 1000 samples.

Run with ``pytest tests/benchmarks --benchmark-enable``, with one thread; times are CPU times. The
numbers in brackets are the ratios in one run. Autodiff gets several chunk sizes, because taking all
columns at once is not its fastest way: the ratio to quote is the smallest.
"""

import time

import pytest
import torch

from lscore import Network, Risk, relu

pytestmark = pytest.mark.benchmark(timer=time.process_time)
CHUNKS = [16, 32, 64, None]
WIDTHS = [(10, 18, 1), (14, 20, 9, 1), (14, 20, 9, 5)]  # 217, 499 and 539 parameters


@pytest.fixture(scope="module", params=WIDTHS, ids=str)
def case(request):
    network = Network(request.param, relu)
    draw = torch.Generator().manual_seed(0)
    X = torch.randn(1000, network.widths[0], generator=draw, dtype=torch.float64)
    y = torch.randn(1000, network.widths[-1], generator=draw, dtype=torch.float64)
    return Risk(network, X, y), network.init(seed=0)


def by_vectorised_products(risk, w, chunk):
    """Hessian-vector products for `chunk` unit vectors at once."""
    gradient = torch.func.grad(risk._float_value)
    product = torch.func.vmap(lambda v: torch.func.jvp(gradient, (w,), (v,))[1], chunk_size=chunk)
    return product(torch.eye(len(w), dtype=torch.float64))


def by_reverse_over_reverse(risk, w, chunk):
    return torch.func.jacrev(torch.func.grad(risk._float_value), chunk_size=chunk)(w)


def by_torch(risk, w):
    return torch.func.hessian(risk._float_value)(w)


def test_closed_form(benchmark, case):
    benchmark.group = f"Hessian, {case[0].dimension} parameters"
    assert torch.isfinite(benchmark(case[0].hessian, case[1])).all()


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("route", [by_vectorised_products, by_reverse_over_reverse])
def test_autodiff_in_chunks(benchmark, case, route, chunk):
    run_autodiff(benchmark, case, route, chunk)


def test_autodiff_by_torch(benchmark, case):
    run_autodiff(benchmark, case, by_torch)


def run_autodiff(benchmark, case, route, *chunk):
    benchmark.group = f"Hessian, {case[0].dimension} parameters"
    result = benchmark.pedantic(route, (*case, *chunk), rounds=5, warmup_rounds=1)
    scale = result.abs().max()
    assert (result - case[0].hessian(case[1])).abs().max() <= 1e-12 * scale
