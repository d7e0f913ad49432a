"""What exact saddles of deep linear networks cost: 96 designed ones, and real widths.

Run with ``pytest tests/benchmarks --benchmark-enable``, with one thread; times are CPU times.
"""

import time

import numpy as np
import pytest

from lscore import Network, Risk, identity
from lscore.papers.yun2019 import (
    certify_saddle_or_minimum,
    critical_point_type,
    designed_saddles,
    zero_layers,
)

pytestmark = pytest.mark.benchmark(timer=time.process_time)


@pytest.fixture(scope="module")
def designed():
    return list(designed_saddles())


@pytest.fixture(scope="module")
def wide():
    """Float data, n = 200, and a 10-20-20-5 network with two zero layers."""
    generator = np.random.default_rng(0)
    network = Network((10, 20, 20, 5), identity, bias=False)
    X, y = generator.normal(size=(200, 10)), generator.normal(size=(200, 5))
    return Risk(network, X, y), zero_layers(network, network.init(0), 1, 3)


def certify_all(points):
    """Design and certify a family: all saddles, below one second."""
    return [certify_saddle_or_minimum(made.risk, made.point, "1/16") for made in points]


@pytest.mark.benchmark(group="deep linear")
def test_ninety_six_designed_saddles_certified(benchmark, designed):
    answers = benchmark(certify_all, designed)
    assert len(answers) >= 90
    assert all(answer.certified for answer in answers)
    if benchmark.stats is not None:
        assert benchmark.stats.stats.median < 1.0


@pytest.mark.benchmark(group="deep linear")
def test_designing_them(benchmark):
    assert len(benchmark(lambda: list(designed_saddles()))) >= 90


@pytest.mark.benchmark(group="deep linear")
def test_ninety_six_designed_saddles_in_floats(benchmark, designed):
    def answers():
        return [critical_point_type(made.risk, made.point.point()) for made in designed]

    assert {answer.kind for answer in benchmark(answers)} == {"saddle"}


@pytest.mark.benchmark(group="deep linear")
def test_saddle_of_a_wide_network(benchmark, wide):
    assert benchmark(certify_saddle_or_minimum, *wide).certified
