"""What the curvature of a training step costs, by route, and how exact it is in float32.

Run with ``pytest tests/benchmarks/test_curvature.py --benchmark-enable``; times are CPU times, so
set one thread. A step is: gradient, curvature, update. `test_overhead` times plain and curved steps
in turn and holds the ratios to their budgets; the other rows show every route, and PyHessian where
it is installed. The budgets are for steps of plain SGD on the same network.
"""

import copy
import importlib.util
import statistics
import sys
import time
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from modules import ResNet

from lscore.curvature import curvature, risk_gradient
from lscore.module_risks import ModuleRisk

pytestmark = pytest.mark.benchmark(timer=time.process_time)
ROUTES = ["plain", "double-backward", "tangent-sweep", "torch.func", "secant"]
ROUTES += ["PyHessian"] if importlib.util.find_spec("pyhessian") else []
BUDGETS = {"MLP": 2.2, "LeNet": 1.5, "BN ResNet": 3.3}


def mlp():
    layers = [torch.nn.Linear(a, b) for a, b in ((64, 96), (96, 96), (96, 10))]
    relu = torch.nn.ReLU()
    return torch.nn.Sequential(layers[0], relu, layers[1], relu, layers[2])


def lenet5():
    conv = torch.nn.Conv2d
    pool, relu, linear = torch.nn.MaxPool2d(2), torch.nn.ReLU(), torch.nn.Linear
    return torch.nn.Sequential(
        conv(1, 6, 5, padding=2), relu, pool, conv(6, 16, 5), relu, pool, torch.nn.Flatten(),
        linear(400, 120), relu, linear(120, 84), relu, linear(84, 10))  # fmt: skip


def make(name, dtype=torch.float32):
    """A seeded risk: 16522 parameters and B = 128, LeNet-5 and B = 128, a BN ResNet and B = 16."""
    torch.manual_seed(0)
    module, size, batch = {
        "MLP": (mlp, (64,), 128),
        "LeNet": (lenet5, (1, 28, 28), 128),
        "BN ResNet": (lambda: ResNet(width=16, blocks=4, channels=3), (3, 32, 32), 16),
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
    [(n, r) for n in BUDGETS for r in ROUTES if not (r == "torch.func" and "BN" in n)],
)
def test_step(benchmark, name, route):
    benchmark.group = f"one step with curvature, {name}"
    risk = make(name)
    if route == "PyHessian":
        benchmark.pedantic(by_pyhessian, (risk,), rounds=8, warmup_rounds=1)
    else:
        benchmark.pedantic(step, (risk, route), rounds=8, warmup_rounds=1)


@pytest.mark.parametrize("name", BUDGETS)
def test_overhead(name):
    """The fastest exact route against the plain step, in turn; medians of CPU time."""
    plain, curved = make(name), make(name)
    times = {"plain": [], "tangent-sweep": []}
    for k in range(4 if name == "BN ResNet" else 14):
        for risk, route in ((plain, "plain"), (curved, "tangent-sweep")):
            start = time.process_time()
            step(risk, route)
            times[route] += [time.process_time() - start] if k > 1 else []
    ratio = statistics.median(times["tangent-sweep"]) / statistics.median(times["plain"])
    print(f"{name}: {ratio:.2f} of the plain step, budget {BUDGETS[name]}")
    assert ratio < 2 * BUDGETS[name]  # the budget itself is for a quiet machine


@pytest.mark.parametrize("name", BUDGETS)
@pytest.mark.parametrize("route", ["double-backward", "tangent-sweep"])
def test_float32_is_exact_enough(name, route):
    single = make(name)
    module = copy.deepcopy(single.module).double()
    double = ModuleRisk(module, single.loss, single.X.double(), single.y, single.weight_decay)
    reference = curvature(double).second_derivative
    assert curvature(single, route=route).second_derivative == pytest.approx(reference, rel=1e-5)
