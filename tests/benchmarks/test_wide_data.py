"""What the certificate of an affine minimum costs as the data grow: integers such as pixels.

Run with ``pytest tests/benchmarks --benchmark-enable``, with one thread; times are CPU times. Of
2000 x 784 integers from 0 to 255, one output, the exact fit takes most: 14 s of 20 s in all, with
the point, the certificate and the lower point; 8000 x 784 take 65 s, 35 s of it the fit, and 2.2
GB. From 400 to 784 features the fit takes eight times as long.
"""

import time

import numpy as np
import pytest

from lscore import Network, Risk, certify_affine_minimum, relu
from lscore.papers.he2020 import affine_minimum, hinge_point, linear_minimiser

pytestmark = pytest.mark.benchmark(timer=time.process_time)


def pixels(n, d, hidden=(3,)):
    """Random integers, four of five 0, and labels 0 to 9."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (n, d)) * (rng.random((n, d)) < 0.2)
    risk = Risk(Network((d, *hidden, 1), relu), X.astype(float), rng.integers(0, 10, n) * 1.0)
    assert len(risk.exact_augmented) == n
    return risk


@pytest.mark.parametrize("d", [50, 100])
def test_exact_fit(benchmark, d):
    assert benchmark(linear_minimiser, pixels(500, d)).shape == (1, d + 1)


@pytest.mark.parametrize("d", [50, 100])
def test_certificate_with_a_given_fit(benchmark, d):
    risk = pixels(500, d)
    fit = linear_minimiser(risk)
    answer = benchmark(lambda: certify_affine_minimum(risk, affine_minimum(risk, fit)))
    assert answer.certified


def test_lower_point(benchmark):
    risk = pixels(500, 50)
    fit = linear_minimiser(risk)
    found = benchmark(hinge_point, risk, fit)
    assert risk(found.point) < risk(affine_minimum(risk, fit))
