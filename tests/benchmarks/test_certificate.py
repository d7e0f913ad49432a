"""What an exact certificate costs: n = 200 samples, d = 10, and the diabetes data.

Run with ``pytest tests/benchmarks --benchmark-enable``, with one thread; times are CPU times. Where
a group has a variant in plain Fractions, which gives the identical rationals, the numbers in
brackets are the ratio in one run.
"""

import time
from fractions import Fraction

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes

from lscore import Network, Risk, certify_affine_minimum, relu
from lscore.minima.affine import certified_radius_squared
from lscore.papers.yun2019 import affine_fit, certify_spurious, least_squares_minimum, one_dead_unit

pytestmark = pytest.mark.benchmark(timer=time.process_time)
N, D = 200, 10


@pytest.fixture(scope="module")
def arrays():
    generator = np.random.default_rng(0)
    return generator.normal(size=(N, D)), generator.normal(size=N)


@pytest.fixture(scope="module")
def gaussian(arrays):
    risk = Risk(Network((D, 2, 1), relu), *arrays)
    return risk, least_squares_minimum(risk)


@pytest.fixture(scope="module")
def diabetes():
    data = load_diabetes()
    risk = Risk(Network((10, 2, 1), relu), data.data.astype(float), data.target.astype(float))
    return risk, least_squares_minimum(risk)


def from_arrays(X, y):
    """From two float arrays to the certificate of the least-squares minimum."""
    risk = Risk(Network((D, 2, 1), relu), X, y)
    return certify_affine_minimum(risk, least_squares_minimum(risk))


def fit_and_risk(X, y):
    """Half the least sum of squares of an affine fit, exactly."""
    return affine_fit(Risk(Network((D, 2, 1), relu), X, y)).sum_of_squares / 2


def fractions(array):
    """A float array as an array of Fractions."""
    return np.array([Fraction(v) for v in array.ravel().tolist()]).reshape(array.shape)


def fit_in_fractions(X, y):
    """[X, 1], the affine least-squares coefficients and the residuals, as arrays of Fractions."""
    A = np.column_stack([fractions(X), np.full(len(X), Fraction(1))])
    labels = fractions(y)
    system = np.column_stack([A.T @ A, A.T @ labels])
    size = len(system)
    for i in range(size):
        system[i] = system[i] / system[i, i]
        for k in range(i + 1, size):
            system[k, i:] -= system[k, i] * system[i, i:]
    fit = system[:, -1].copy()
    for i in reversed(range(size)):
        fit[i] -= system[i, i + 1 : size] @ fit[i + 1 :]
    return A, fit, A @ fit - labels


def fit_and_risk_in_fractions(X, y):
    """The same number, in arrays of Fractions."""
    *_, residuals = fit_in_fractions(X, y)
    return residuals @ residuals / 2


def certificate_in_fractions(X, y):
    """Risk and squared radius of the least-squares minimum after both conditions are checked."""
    A, fit, residuals = fit_in_fractions(X, y)
    values = A @ fit
    eta = min(Fraction(-1), 2 * min(values))
    living, idle = values - eta, np.full(len(values), -eta)
    assert min(living) > 0
    assert not (A.T @ residuals).any()
    nearest = np.minimum(living, idle)
    return residuals @ residuals / 2, min(nearest * nearest / (A * A).sum(1))


def point_in_fractions(risk, w):
    """The weights of an exact point as arrays of Fractions."""
    parts = []
    for layer in risk.network.unpack(w):
        for matrix in (layer.weight, layer.bias):
            entries = np.array([fraction(v) for v in matrix.entries()])
            parts.append(entries.reshape(matrix.shape))
    return parts


def check_in_fractions(X, y, parts):
    """Risk and squared radius of a given point, both conditions checked, in Fractions."""
    inputs, labels = fractions(X), fractions(y)
    W1, b1, W2, b2 = parts
    z = inputs @ W1.T + b1.T
    assert (z > 0).all()
    residuals = (z @ W2.T + b2.T)[:, 0] - labels
    A = np.column_stack([inputs, np.full(len(inputs), Fraction(1))])
    assert not (A.T @ residuals).any()
    return residuals @ residuals / 2, min((z * z).min(1) / (A * A).sum(1))


def fraction(value):
    return Fraction(int(value.p), int(value.q))


@pytest.mark.benchmark(group="least squares and risk")
def test_exact_fit_and_risk(benchmark, arrays):
    assert benchmark(fit_and_risk, *arrays) > 0


@pytest.mark.benchmark(group="least squares and risk")
def test_fit_and_risk_in_fractions(benchmark, arrays):
    value = benchmark.pedantic(fit_and_risk_in_fractions, arrays, rounds=5)
    assert value == fraction(fit_and_risk(*arrays))


@pytest.mark.benchmark(group="from data to verdict")
def test_exact_certificate(benchmark, arrays):
    assert benchmark(from_arrays, *arrays).certified


@pytest.mark.benchmark(group="from data to verdict")
def test_certificate_in_fractions(benchmark, arrays, gaussian):
    risk, squared_radius = benchmark.pedantic(certificate_in_fractions, arrays, rounds=5)
    assert risk == fraction(from_arrays(*arrays).values["risk"])
    assert squared_radius == fraction(certified_radius_squared(*gaussian))


@pytest.mark.benchmark(group="a given point")
def test_certificate_of_an_exact_point(benchmark, gaussian):
    assert benchmark(certify_affine_minimum, *gaussian).certified


@pytest.mark.benchmark(group="a given point")
def test_the_same_check_in_fractions(benchmark, arrays, gaussian):
    answer = benchmark.pedantic(
        check_in_fractions, (*arrays, point_in_fractions(*gaussian)), rounds=5
    )
    assert answer[1] == fraction(certified_radius_squared(*gaussian))


@pytest.mark.benchmark(group="a given point")
def test_refutation_of_the_rounded_point(benchmark, gaussian):
    risk, w = gaussian
    assert benchmark(certify_affine_minimum, risk, w.point()).refuted


@pytest.mark.benchmark(group="diabetes, 442 x 10")
def test_diabetes_certificate(benchmark, diabetes):
    assert benchmark(certify_affine_minimum, *diabetes).certified


@pytest.mark.benchmark(group="diabetes, 442 x 10")
def test_diabetes_lower_point(benchmark, diabetes):
    risk, _ = diabetes
    assert benchmark(one_dead_unit, risk).decrease > 0


@pytest.mark.benchmark(group="diabetes, 442 x 10")
def test_diabetes_spurious_minimum_with_a_lower_point(benchmark, diabetes):
    assert benchmark(certify_spurious, *diabetes).certified


@pytest.mark.benchmark(group="diabetes, 442 x 10")
def test_diabetes_hessian_in_floats(benchmark, diabetes):
    risk, w = diabetes
    assert torch.isfinite(benchmark(risk.hessian, w.point())).all()
