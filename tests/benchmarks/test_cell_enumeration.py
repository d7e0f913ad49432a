"""What it costs to list all activation patterns of one unit, a million of them.

Run with ``pytest tests/benchmarks/test_cell_enumeration.py --benchmark-enable``, with one thread;
times are CPU times. Without that option the same code runs on a third of the samples. The groups: a
million cells, and their certificate; the share of cells that random sampling misses in the CPU time
of the enumeration, and in ten times as much; linear programs, one per cell and sample; data on
which floats do not suffice; degenerate data.
"""

import time

import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.datasets import load_diabetes, load_iris

from lscore import activation_cells
from lscore.cells.arrangement.hyperplanes import most_patterns
from lscore.cells.arrangement.sweep import fingerprints

pytestmark = pytest.mark.benchmark(timer=time.process_time)
MILLION = [(150, 3, 1102900), (60, 4, 978812), (30, 6, 1243232)]


def samples(benchmark, n):
    """n, or a third of it where nothing is timed."""
    return n if benchmark.enabled else n // 3


def gaussian(n, d):
    return np.random.default_rng(0).standard_normal((n, d))


def nearly_flat(n, d):
    """Gaussian data in which every fifth sample lies on a flat with d others, but for rounding."""
    X = gaussian(n, d)
    weights = np.full(d, 0.7 / (d - 1))
    weights[0] = 0.3
    for i in range(d, n, 5):
        X[i] = weights @ X[i - d : i]
    return X


def nearly_equal(n, d):
    """Gaussian data in which two samples differ by one unit in the last place."""
    X = gaussian(n, d)
    X[1] = np.nextafter(X[0], X[1])
    return X


def sampled(X, seconds):
    """Distinct patterns of Gaussian weights and biases, as many as fit into the CPU time."""
    generator = np.random.default_rng(1)
    A = np.column_stack([X, np.ones(len(X))])
    found = np.empty(0, dtype=np.uint64)
    stop = time.process_time() + seconds
    while time.process_time() < stop:
        patterns = generator.standard_normal((20_000, A.shape[1])) @ A.T > 0
        found = np.union1d(found, fingerprints(np.packbits(patterns, axis=1)))
    return len(found)


def linear_programs(X):
    """All patterns point by point: one linear program per cell and new sample."""
    A = np.column_stack([X, np.ones(len(X))])
    free = [(None, None)] * A.shape[1]
    found = [()]
    for i in range(len(A)):
        tried = [(*pattern, side) for pattern in found for side in (1, -1)]
        found = [
            pattern
            for pattern in tried
            if linprog(
                np.zeros(A.shape[1]),
                -np.array(pattern)[:, None] * A[: i + 1],
                -np.ones(i + 1),
                bounds=free,
            ).success
        ]
    return len(found)


@pytest.mark.parametrize(("n", "d", "number"), MILLION)
@pytest.mark.benchmark(group="a million cells")
def test_enumeration(benchmark, n, d, number):
    assert most_patterns(n, d + 1) == number
    n = samples(benchmark, n)
    cells = benchmark.pedantic(activation_cells, (gaussian(n, d),), rounds=3, warmup_rounds=1)
    assert len(cells) == most_patterns(n, d + 1)


@pytest.mark.parametrize(("n", "d"), [shape[:2] for shape in MILLION])
@pytest.mark.benchmark(group="certificate of a million cells")
def test_certificate(benchmark, n, d):
    cells = activation_cells(gaussian(samples(benchmark, n), d))
    answer = benchmark.pedantic(cells.certify, rounds=3, warmup_rounds=1)
    assert answer.certified


@pytest.mark.parametrize("factor", [1, 10])
@pytest.mark.parametrize(("n", "d"), [(100, 2), (50, 3), (20, 6), (100, 3)])
@pytest.mark.benchmark(group="sampling in the same time")
def test_share_that_sampling_misses(benchmark, n, d, factor):
    X = gaussian(samples(benchmark, n), d)
    start = time.process_time()
    number = len(activation_cells(X))
    seconds = factor * (time.process_time() - start)
    found = benchmark.pedantic(sampled, (X, seconds), rounds=1)
    benchmark.extra_info["missed, percent"] = round(100 * (1 - found / number), 1)
    assert found <= number


@pytest.mark.parametrize("route", [activation_cells, linear_programs])
@pytest.mark.benchmark(group="n = 12, d = 2, against linear programs")
def test_against_linear_programs(benchmark, route):
    found = benchmark.pedantic(route, (gaussian(12, 2),), rounds=3)
    assert (found if isinstance(found, int) else len(found)) == 134


@pytest.mark.parametrize("data", [gaussian, nearly_flat, nearly_equal])
@pytest.mark.parametrize(("n", "d"), [(100, 2), (150, 3), (60, 4)])
@pytest.mark.benchmark(group="where floats do not suffice")
def test_integer_decisions(benchmark, data, n, d):
    X = data(samples(benchmark, n), d)
    cells = benchmark.pedantic(activation_cells, (X,), rounds=5, warmup_rounds=1)
    benchmark.extra_info["cells without a float"] = len(cells.exact_witnesses)
    assert bool(cells.exact_witnesses) == (data is not gaussian)


@pytest.mark.parametrize(
    ("load", "n", "features", "number"),
    [(load_iris, 150, [0, 1], 12176), (load_iris, 150, [2, 3], 9694),
     (load_diabetes, 60, [2, 3, 8], 68554)],
)  # fmt: skip
@pytest.mark.benchmark(group="data that are not in general position")
def test_degenerate_data(benchmark, load, n, features, number):
    X = load().data[:n, features]
    assert len(benchmark.pedantic(activation_cells, (X,), rounds=3, warmup_rounds=1)) == number
