"""What the curvature of a training step costs, by route, and how exact it is in float32.

Run with ``pytest tests/benchmarks/test_curvature_cost.py --benchmark-enable``, with one thread;
times are CPU times. A step is: gradient, curvature, update. `test_overhead` times plain and curved
steps in turn and reports the ratios with their budgets; the other rows show every route, and
PyHessian where it is installed. The budgets are for steps of plain SGD on the same network.
"""

import copy
import importlib.util
import statistics
import time

import pytest
import torch
from torch.nn import functional as F

from lscore.curvature.routes import curvature, risk_gradient
from lscore.model.modules import ModuleRisk
from lscore.papers.milne2019.experiments.networks import lenet5, resnet22

pytestmark = pytest.mark.benchmark(timer=time.process_time)
ROUTES = ["plain", "double-backward", "tangent-sweep", "torch.func", "secant"]
ROUTES += ["PyHessian"] if importlib.util.find_spec("pyhessian") else []
BUDGETS = {"MLP": 2.2, "LeNet": 1.5, "ResNet-22": 3.3, "Attention": 3.0}


def mlp():
    layers = [torch.nn.Linear(a, b) for a, b in ((64, 96), (96, 96), (96, 10))]
    relu = torch.nn.ReLU()
    return torch.nn.Sequential(layers[0], relu, layers[1], relu, layers[2])


class Attention(torch.nn.Module):
    """Two layers of attention with four heads and skip connections, over 32 places."""

    def __init__(self):
        super().__init__()
        self.up, self.out = torch.nn.Linear(16, 64), torch.nn.Linear(64, 10)
        self.one, self.two = (
            torch.nn.MultiheadAttention(64, 4, batch_first=True) for _ in range(2)
        )

    def forward(self, x):
        x = self.up(x)
        x = x + self.one(x, x, x, need_weights=False)[0]
        x = x + self.two(x, x, x, need_weights=False)[0]
        return self.out(x.mean(1))


def make(name, dtype=torch.float32):
    """A seeded risk: 16522 parameters and B = 128, LeNet-5 and B = 128, ResNet-22 and B = 16,
    attention and B = 32."""
    torch.manual_seed(1)
    module, size, batch = {
        "MLP": (mlp, (64,), 128),
        "LeNet": (lenet5, (1, 28, 28), 128),
        "ResNet-22": (lambda: resnet22(seed=1), (3, 32, 32), 16),
        "Attention": (Attention, (32, 16), 32),
    }[name]
    X, y = torch.randn(batch, *size), torch.randint(0, 10, (batch,))
    return ModuleRisk(module().to(dtype), F.cross_entropy, X.to(dtype), y, 5e-4)


def step(risk, route, rate=1e-3):
    """One step of SGD with the curvature by a route; without, for "plain"."""
    if route == "plain":
        gradient = risk_gradient(risk)[1]
    else:
        gradient = curvature(risk, route=route, step=rate).gradient
    with torch.no_grad():
        torch._foreach_add_(risk.parameters, gradient, alpha=-rate)


def by_pyhessian(risk, rate=1e-3):
    """The same step with PyHessian's Hessian-vector product."""
    utils = importlib.import_module("pyhessian.utils")
    risk.module.zero_grad()
    risk().backward(create_graph=True)
    parameters, raw = utils.get_params_grad(risk.module)
    seeds = [g.detach() for g in raw]
    product = utils.hessian_vector_product(raw, parameters, seeds)
    value = utils.group_product(product, seeds)
    with torch.no_grad():
        torch._foreach_add_(risk.parameters, seeds, alpha=-rate)
    risk.module.zero_grad(set_to_none=True)
    return value


@pytest.mark.parametrize(
    ("name", "route"),
    [(n, r) for n in BUDGETS for r in ROUTES if not (r == "torch.func" and n == "ResNet-22")],
)
def test_step(benchmark, name, route):
    benchmark.group = f"one step with curvature, {name}"
    risk = make(name)
    if route == "PyHessian":
        benchmark.pedantic(by_pyhessian, (risk,), rounds=8, warmup_rounds=1)
    else:
        benchmark.pedantic(step, (risk, route), rounds=8, warmup_rounds=1)


@pytest.mark.parametrize("name", BUDGETS)
@pytest.mark.benchmark(group="overhead of the tangent sweep, steps in turn")
def test_overhead(benchmark, name):
    """The fastest exact route against the plain step, in turn; ratio of medians of CPU time."""
    plain, curved = make(name), make(name)
    times = {"plain": [], "tangent-sweep": []}

    def both():
        for risk, route in ((plain, "plain"), (curved, "tangent-sweep")):
            start = time.process_time()
            step(risk, route)
            times[route].append(time.process_time() - start)

    benchmark.pedantic(both, rounds=6 if name == "ResNet-22" else 14, warmup_rounds=1)
    medians = {route: statistics.median(values[1:] or values) for route, values in times.items()}
    ratio = medians["tangent-sweep"] / medians["plain"]
    benchmark.extra_info["times the plain step"] = round(ratio, 2)
    benchmark.extra_info["budget"] = BUDGETS[name]
    assert ratio < 2 * BUDGETS[name] or not benchmark.enabled


@pytest.mark.parametrize("name", BUDGETS)
@pytest.mark.parametrize("route", ["double-backward", "tangent-sweep"])
def test_float32_is_exact_enough(name, route):
    """Where no switch differs between the precisions; with seed 0 two of ResNet-22 do: 3e-4."""
    single = make(name)
    module = copy.deepcopy(single.module).double()
    double = ModuleRisk(module, single.loss, single.X.double(), single.y, single.weight_decay)
    reference = curvature(double).second_derivative
    assert curvature(single, route=route).second_derivative == pytest.approx(reference, rel=1e-5)
