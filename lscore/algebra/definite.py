r"""Where the eigenvalues of a symmetric rational matrix lie: enclosed in floats, decided exactly.

*Enclosed.* A float Cholesky factor L of :math:`A - sI`, taken as exact, gives
:math:`A = sI + LL^\top + E` with a residual E computed in integers, so that
:math:`\lambda_{\min}(A) \ge s - \|E\|_\infty`: for any L, whatever its rounding. A Rayleigh
quotient bounds the same eigenvalue from above.

*Decided.* The characteristic polynomial of a symmetric matrix has real roots only, so its changes
of sign count the positive ones (Descartes' rule is an equality there), and its lowest terms the
zeros.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from flint import fmpq, fmpz_mat

from lscore.algebra.arguments import checked
from lscore.algebra.intervals import Interval, interval
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.algebra.rationals import rational
from lscore.errors import DataError, ShapeError

_BITS = 52  # of the largest entry of a Cholesky factor


def _symmetric(A: RationalMatrix) -> None:
    if A.shape[0] != A.shape[1]:
        raise ShapeError(f"A: shape {A.shape}, need a square matrix")
    if A != A.T:
        i, j = next((i, j) for i in range(len(A)) for j in range(i) if A[i, j] != A[j, i])
        raise DataError(f"A: entries ({i}, {j}) and ({j}, {i}) differ, need a symmetric matrix")


@checked
def smallest_eigenvalue(A: RationalMatrix) -> Interval:
    """An enclosure of the smallest eigenvalue of a symmetric matrix (m, m).

    Rigorous, and as narrow as floats allow: about m rounding errors of the largest entry. Floats
    propose, integers decide. Raises `ShapeError` and `DataError` unless A is symmetric.

    >>> found = smallest_eigenvalue(exact([[2, 1], [1, 2]]))
    >>> found.low <= 1 <= found.high, float(found.high - found.low) < 1e-12
    (True, True)
    """
    _symmetric(A)
    if not (largest := max(map(abs, A.entries()))):
        return interval(0)
    A = A / largest  # so that floats hold it
    floats = A.floats()
    values, vectors = np.linalg.eigh((floats + floats.T) / 2)
    v = exact(vectors[:, 0])
    high, low = (A @ v).dot(v) / v.dot(v), None
    margin = 2.0**-50 * len(A)
    while low is None:
        s = values[0] - margin
        shifted = floats - s * np.eye(len(A))
        try:
            low = _floor(A, rational(float(s)), np.linalg.cholesky(shifted))
        except np.linalg.LinAlgError:
            margin *= 16
    return Interval(interval(low * largest).low, interval(high * largest).high)


def _floor(A: RationalMatrix, s: fmpq, L: np.ndarray) -> fmpq:
    """s less the norm of A - sI - LL', the largest sum of absolute values in a row."""
    scale = 2.0 ** (_BITS - np.ceil(np.log2(np.abs(L).max())))
    whole = np.rint(L * scale).astype(np.int64).tolist()
    factor = RationalMatrix(fmpz_mat(whole), rational(1).q) / rational(float(scale))
    rest = A - factor @ factor.T
    rows = rest.numerator.tolist()
    shift = s * rest.denominator
    sums = [sum(map(abs, row)) - abs(row[i]) + abs(row[i] - shift) for i, row in enumerate(rows)]
    return s - max(sums) / rest.denominator


@checked
def inertia(A: RationalMatrix) -> tuple[int, int, int]:
    """How many eigenvalues of a symmetric matrix are negative, zero and positive; exact.

    By the characteristic polynomial in integers: for m in the hundreds `smallest_eigenvalue` is
    faster. Raises as that does.

    >>> inertia(exact([[1, 2], [2, 4]])), inertia(exact([[0, 1], [1, 0]]))
    ((0, 1, 1), (1, 0, 1))
    """
    _symmetric(A)
    coefficients = [int(c > 0) - int(c < 0) for c in A.numerator.charpoly()]
    zero = next(k for k, c in enumerate(coefficients) if c)
    signs = [c for c in coefficients if c]
    positive = sum(a != b for a, b in pairwise(signs))
    return len(A) - zero - positive, zero, positive


@checked
def is_positive_definite(A: RationalMatrix) -> bool:
    """Whether every eigenvalue of a symmetric matrix is positive; exact.

    >>> is_positive_definite(exact([[2, 1], [1, 1]])), is_positive_definite(exact([[1, 1], [1, 1]]))
    (True, False)
    """
    found = smallest_eigenvalue(A)
    if found.low > 0 or found.high <= 0:
        return bool(found.low > 0)
    return inertia(A)[:2] == (0, 0)


@checked
def negative_vector(A: RationalMatrix) -> RationalMatrix:
    """A column v with v'Av < 0 for a symmetric matrix that is not positive semidefinite.

    Elimination: a negative diagonal entry gives v; a positive one is cleared from the others; if
    all are 0, an entry off the diagonal does. `DataError` if there is no such v, and as `inertia`.

    >>> negative_vector(exact([[1, 2], [2, 1]])), negative_vector(exact([[0, 1], [1, 0]]))
    (column(-2, 1), column(1, -1))
    """
    _symmetric(A)
    form = [[A[i, j] for j in range(len(A))] for i in range(len(A))]
    basis = [[fmpq(int(i == j)) for j in range(len(A))] for i in range(len(A))]
    left = list(range(len(A)))
    while left:
        for i in left:
            if form[i][i] < 0:
                return exact(basis[i])
        pivot = next((i for i in left if form[i][i] > 0), None)
        if pivot is None:
            break
        left.remove(pivot)
        for j in left:
            share = form[j][pivot] / form[pivot][pivot]
            if share != 0:
                basis[j] = [a - share * b for a, b in zip(basis[j], basis[pivot], strict=True)]
                for k in left:
                    form[j][k] -= share * form[pivot][k]
    for i in left:
        for j in left:
            if form[i][j] != 0:
                side = 1 if form[i][j] < 0 else -1
                return exact([a + side * b for a, b in zip(basis[i], basis[j], strict=True)])
    raise DataError("A: is positive semidefinite, no v has v'Av < 0")
