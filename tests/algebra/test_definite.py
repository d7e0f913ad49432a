"""Eigenvalues of symmetric rational matrices: enclosures, inertia, definiteness."""

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from lscore.algebra import definite
from lscore.algebra.definite import (
    inertia,
    is_positive_definite,
    negative_vector,
    smallest_eigenvalue,
)
from lscore.algebra.matrices import exact
from lscore.errors import DataError, ShapeError


def with_eigenvalues(values, seed=0):
    """Q diag(values) Q' with a rational orthogonal Q, a product of reflections."""
    rng, n = np.random.default_rng(seed), len(values)
    Q = exact(np.eye(n, dtype=int))
    for _ in range(3):
        v = exact(rng.integers(1, 5, (n, 1)))
        Q = Q - Q @ v @ v.T * (2 / v.dot(v))
    diagonal = exact([[values[i] if i == j else 0 for j in range(n)] for i in range(n)])
    return Q @ diagonal @ Q.T


@pytest.mark.parametrize(
    "values",
    [[1], [-2], [0], [1, 2, 3], [0, 0, 5], [-1, 0, 0, 2], [fmpq(1, 10**40), 1], [3] * 6, [0, 0],
     [-fmpq(1, 10**40), 1, 1], [10**300, 10**280], [fmpq(1, 10**400)] * 2],
)  # fmt: skip
def test_known_eigenvalues(values):
    A = with_eigenvalues(values)
    found = smallest_eigenvalue(A)
    low, high = found.low, found.high
    assert low <= min(values) <= high
    assert float((high - low) / (max(map(abs, values)) or 1)) < 1e-13
    count = tuple(sum(fmpq(v) * s > 0 or (v == 0 == s) for v in values) for s in (-1, 0, 1))
    assert inertia(A) == count
    assert is_positive_definite(A) == (min(values) > 0)


def test_a_factor_that_is_wrong_bounds_less_and_never_too_much(monkeypatch):
    """The bound is taken from the residual of whatever L is, not from Cholesky's word."""
    A, rng = with_eigenvalues([1, 2, 3, 4]), np.random.default_rng(0)
    true = definite.np.linalg.cholesky
    for size in (1e-9, 1e-3, 1.0):
        wrong = lambda M, size=size: true(M) + size * rng.normal(size=M.shape)  # noqa: E731
        monkeypatch.setattr(definite.np.linalg, "cholesky", wrong)
        assert smallest_eigenvalue(A).low <= 1
        assert is_positive_definite(A)  # the characteristic polynomial decides then
        assert not is_positive_definite(A - with_eigenvalues([1] * 4))


def test_random_matrices_against_numpy():
    rng = np.random.default_rng(2)
    for _ in range(40):
        n = int(rng.integers(1, 9))
        M = rng.integers(-4, 5, (n, n))
        A = M + M.T
        values = np.linalg.eigvalsh(A)
        found = smallest_eigenvalue(exact(A))
        assert abs(float(found.low) - values[0]) < 1e-9 > abs(float(found.high) - values[0])
        clear = np.abs(values) > 1e-9
        negative, zero, positive = inertia(exact(A))
        assert (negative, positive) == ((values[clear] < 0).sum(), (values[clear] > 0).sum())
        assert zero == (~clear).sum()


def test_what_is_no_symmetric_matrix_is_refused_by_name():
    for function in (smallest_eigenvalue, inertia, is_positive_definite, negative_vector):
        with pytest.raises(ShapeError, match=r"A: shape \(1, 2\), need a square matrix"):
            function(exact([[1, 2]]))
        with pytest.raises(DataError, match=r"A: entries \(1, 0\) and \(0, 1\) differ"):
            function(exact([[1, 2], [3, 4]]))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=10, max_size=10))
def test_a_negative_vector_is_found_unless_there_is_none(entries):
    a = iter(entries)
    A = [[0] * 4 for _ in range(4)]
    for i in range(4):
        for j in range(i + 1):
            A[i][j] = A[j][i] = next(a)
    A = exact(A)
    if not inertia(A)[0]:
        with pytest.raises(DataError, match="positive semidefinite"):
            negative_vector(A)
        return
    v = negative_vector(A)
    assert (v.T @ A @ v)[0, 0] < 0
