"""A thousand trials of the toy regression, 500 steps each: a loop over trials, vmap, cell moments.

Run with ``pytest tests/benchmarks/test_ensemble_speed.py --benchmark-enable``, with one thread;
times are CPU times. The loop keeps the weights of every step, as the moments do; it is timed on 4
trials and scaled. Agreement is asserted here as well, at step 20, before all weights are near 0.
"""

import time

import numpy as np
import pytest
import torch

from lscore import Network, Risk, SquaredLoss, relu
from lscore.papers.milne2019.experiments.toy import default_starts, descend_sides, sides
from lscore.runs.ensembles import descend_together

pytestmark = pytest.mark.benchmark(group="1000 trials x 500 steps", timer=time.process_time)
RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, 100)
STARTS = default_starts(RNG, 1000)
RISK = Risk(Network((1, 2, 1), relu, bias=False), X, X / 4, SquaredLoss("1/2", mean=True), "2/5")


class Model(torch.nn.Module):
    def __init__(self, start):
        super().__init__()
        self.hidden = torch.nn.Linear(1, 2, bias=False)
        self.output = torch.nn.Linear(2, 1, bias=False)
        self.double()
        torch.nn.utils.vector_to_parameters(torch.tensor(start), self.parameters())

    def forward(self, x):
        return self.output(torch.relu(self.hidden(x)))


def naive(start, steps):
    model = Model(start)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    history = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = ((model(RISK.X) - RISK.y) ** 2).mean() / 2
        loss = loss + 0.4 / 2 * sum((p**2).sum() for p in model.parameters())
        loss.backward()
        optimiser.step()
        history.append(torch.nn.utils.parameters_to_vector(model.parameters()).detach())
    return history


@pytest.fixture(scope="module")
def naive_seconds():
    """CPU seconds of the loop for 1000 trials, from 4."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    naive(STARTS[0], 20)
    start = time.process_time()
    for w in STARTS[:4]:
        naive(w, 500)
    yield 250 * (time.process_time() - start)
    torch.set_num_threads(threads)


def vmap(steps):
    return descend_together(RISK, STARTS, 0.1, steps).points.numpy()


def vmap_float32(steps):
    return descend_together(RISK, STARTS, 0.1, steps, dtype=torch.float32).points.numpy()


def moments(steps):
    return descend_sides(sides(X, X / 4), STARTS, 0.1, steps, 0.4).points()


@pytest.mark.parametrize(("route", "ratio"), [(vmap, 50), (vmap_float32, 80), (moments, 10000)])
def test_ratio_to_the_loop(benchmark, naive_seconds, route, ratio):
    expected = np.stack([naive(w, 20)[-1] for w in STARTS[:3]])
    assert abs(route(20)[:3] - expected).max() < 1e-7
    benchmark.pedantic(route, (500,), rounds=5 if route is moments else 1, warmup_rounds=1)
    if benchmark.stats is None:
        return
    found = naive_seconds / benchmark.stats.stats.min
    benchmark.extra_info["times faster"] = round(found)
    benchmark.extra_info["wanted"] = ratio
    assert found > ratio / 2
