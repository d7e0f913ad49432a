"""What it costs to list all local minima of a surface, and to certify the list.

Run with ``pytest tests/benchmarks/test_whole_surfaces.py --benchmark-enable``, with one thread; CPU
times, but wall-clock time for two processes. Without that option the larger cases are smaller. The
groups: the reference surfaces with their budgets (1.5, 10 and 45 s); growth with the number of
samples; two processes against one.
"""

import time

import numpy as np
import pytest
from small_surfaces import EIGHT, PLANE, risk_of

from lscore import Network, Risk, relu
from lscore.surface.solver import solve_surface

BUDGETS = {
    "8 points on a line, 2 units": (EIGHT, 2, 26, 1.5),
    "6 points in the plane, 2 units": (PLANE, 2, 38, 10),
    "8 points on a line, 3 units": (EIGHT, 3, 98, 45),
}


def random_risk(n, width, d=1):
    """Different integer inputs and labels from -4 to 4."""
    rng = np.random.default_rng(1)
    X = rng.choice(40, size=(n, d), replace=False) if d == 1 else rng.integers(-9, 10, (n, d))
    return Risk(Network((d, width, 1), relu), X.tolist(), rng.integers(-4, 5, n).tolist())


@pytest.mark.benchmark(group="reference surfaces", timer=time.process_time)
@pytest.mark.parametrize("name", BUDGETS)
def test_reference_surfaces(benchmark, name):
    data, width, values, budget = BUDGETS[name]

    def solve_and_certify():
        surface = solve_surface(risk_of(data, width, (0, 1)))
        assert surface.certify().certified
        return surface

    surface = benchmark.pedantic(solve_and_certify, rounds=3 if benchmark.enabled else 1)
    assert len(surface.minima) == values
    if benchmark.enabled:
        assert benchmark.stats.stats.min < budget


@pytest.mark.benchmark(group="growth", timer=time.process_time)
@pytest.mark.parametrize("n", [6, 8, 10, 12, 16])
@pytest.mark.parametrize("width", [2, 3])
def test_growth_with_the_number_of_samples(benchmark, n, width):
    risk = random_risk(n if benchmark.enabled else 5, width)
    surface = benchmark.pedantic(solve_surface, (risk,), {"progress": False}, rounds=1)
    benchmark.extra_info |= {"cells": surface.cells, "predictions": len(surface.decisions)}


@pytest.mark.benchmark(group="processes")
@pytest.mark.parametrize("workers", [1, 2])
def test_two_processes(benchmark, workers):
    risk = random_risk(14 if benchmark.enabled else 5, 3)
    if not benchmark.enabled:
        workers = 1
    options = {"workers": workers, "progress": False}
    solve_surface(random_risk(5, 1), **options)  # the processes have started
    benchmark.pedantic(solve_surface, (risk,), options, rounds=1)
