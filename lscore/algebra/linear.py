r"""Exact least squares and ranks, in rationals.

The normal equations are formed and solved over the integers (one common dyadic exponent for
float data), so a residual that should be orthogonal *is* orthogonal: the sum is 0, not 1e-15.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq, fmpq_mat, fmpz, fmpz_mat, nmod_mat

from lscore.algebra.matrices import RationalMatrix, ones
from lscore.errors import ShapeError

_PRIME = 2**61 - 1


def pivot_columns(matrix: fmpz_mat) -> list[int]:
    """Columns that hold a pivot in the reduced row echelon form: the leftmost independent ones.

    >>> pivot_columns(fmpz_mat([[1, 2, 0], [2, 4, 1]]))
    [0, 2]
    """
    if matrix.ncols() > matrix.nrows():  # where elimination in integers is slow
        found = _pivots(*nmod_mat(matrix, _PRIME).rref())
        if found == list(range(_rank(matrix))):  # independent modulo a prime, hence independent
            return found
    reduced, _, rank = matrix.rref()
    return _pivots(reduced, rank)


def _pivots(reduced: fmpz_mat | nmod_mat, rank: int) -> list[int]:
    pivots: list[int] = []
    for j in range(reduced.ncols()):
        if len(pivots) < rank and reduced[len(pivots), j] != 0:
            pivots.append(j)
    return pivots


def rank(A: RationalMatrix) -> int:
    """Exact rank.

    >>> from lscore.algebra.matrices import exact
    >>> rank(exact([[1, 2], [2, 4]]))
    1
    """
    return _rank(A.numerator)


def _rank(matrix: fmpz_mat) -> int:
    """The rank modulo a prime is never larger: where it is full, nothing is left to decide."""
    rows, columns = matrix.nrows(), matrix.ncols()
    if nmod_mat(matrix, _PRIME).rank() == min(rows, columns):
        return min(rows, columns)
    return (matrix if rows >= columns else matrix.transpose()).rank()


def null_space(A: RationalMatrix) -> list[RationalMatrix]:
    """A basis of the vectors v with A v = 0, as exact columns; empty if there are none.

    >>> from lscore.algebra.matrices import exact
    >>> null_space(exact([[1, 2, 0], [0, 0, 1]]))
    [column(2, -1, 0)]
    """
    basis, nullity = A.numerator.nullspace()
    columns = RationalMatrix(basis, fmpz(1))
    return [columns.column(j) for j in range(nullity)]


def _from_fmpq_mat(matrix: fmpq_mat, scale: fmpq) -> RationalMatrix:
    numerator, denominator = matrix.numer_denom()
    return RationalMatrix(numerator * scale.p, denominator * scale.q)


def least_squares(A: RationalMatrix, B: RationalMatrix) -> tuple[RationalMatrix, int]:
    """A minimiser W of the sum of squares of A W - B, and the rank of A.

    Shapes: A (n, p), B (n, k), W (p, k). If A is rank-deficient the solution is a basic one:
    the coefficients outside a maximal independent set of columns are 0.

    >>> from lscore.algebra.matrices import exact
    >>> least_squares(exact([[1, 0], [1, 1], [1, 2]]), exact([0, 1, 4]))
    (column(-1/3, 2), 2)
    """
    if len(A) != len(B):
        raise ShapeError(f"A has {len(A)} rows and B has {len(B)}, need as many")
    At = A.numerator.transpose()
    gram, right = At * A.numerator, At * B.numerator
    scale = fmpq(A.denominator, B.denominator)
    columns, width = gram.ncols(), right.ncols()
    try:
        return _from_fmpq_mat(gram.solve(right), scale), columns
    except ZeroDivisionError:
        pivots = pivot_columns(gram)
    small = fmpz_mat(len(pivots), len(pivots), [gram[i, j] for i in pivots for j in pivots])
    chosen = fmpz_mat(len(pivots), width, [right[i, j] for i in pivots for j in range(width)])
    numerator, denominator = small.solve(chosen).numer_denom()
    full = fmpz_mat(columns, width)
    for row, i in enumerate(pivots):
        for j in range(width):
            full[i, j] = numerator[row, j]
    return RationalMatrix(full * scale.p, denominator * scale.q), len(pivots)


@dataclass(frozen=True)
class AffineFit:
    r"""The exact affine least-squares fit :math:`\bar y = X w^\top + b` of Y.

    `slope` (k, d), `intercept` (k, 1), `predictions` and `residuals` (n, k) with the sign
    convention residual = prediction - label, `sum_of_squares` of the residuals, `rank` of [X, 1].
    """

    slope: RationalMatrix
    intercept: RationalMatrix
    predictions: RationalMatrix
    residuals: RationalMatrix
    sum_of_squares: fmpq
    rank: int


def affine_least_squares(A: RationalMatrix, Y: RationalMatrix) -> AffineFit:
    """The affine least-squares fit in rationals of Y (n, k) on A = [X, 1], shape (n, d + 1).

    Any data, also with repeated or collinear rows; `augment` makes A from X.

    >>> from lscore.algebra.matrices import augment, exact
    >>> fit = affine_least_squares(augment(exact([0, 1, 2, 3])), exact([0, 1, 4, 9]))
    >>> fit.slope[0, 0], fit.intercept[0, 0], fit.sum_of_squares
    (3, -1, 4)
    """
    W, rank_of_data = least_squares(A, Y)
    d, k = A.shape[1] - 1, Y.shape[1]
    predictions = A @ W
    residuals = predictions - Y
    slope = W.rows(0, d).T
    intercept = W.rows(d, d + 1).flat(0, k, 1)
    return AffineFit(
        slope, intercept, predictions, residuals, residuals.dot(residuals), rank_of_data
    )


def merge_rows(X: RationalMatrix, V: RationalMatrix) -> tuple[RationalMatrix, RationalMatrix]:
    """Distinct rows of X, in order of first appearance, and the sums of V over equal rows.

    >>> from lscore.algebra.matrices import exact
    >>> merge_rows(exact([0, 0, 1]), exact([1, -1, 2]))
    (column(0, 1), column(0, 2))
    """
    n, d = X.shape
    k = V.shape[1]
    x, v = X.numerator.entries(), V.numerator.entries()
    sums: dict[tuple[int, ...], list[fmpz]] = {}
    for i in range(n):
        key = tuple(int(e) for e in x[i * d : (i + 1) * d])
        part, total = v[i * k : (i + 1) * k], sums.get(key)
        sums[key] = part if total is None else [a + b for a, b in zip(total, part, strict=True)]
    rows = fmpz_mat(len(sums), d, [e for key in sums for e in key])
    totals = fmpz_mat(len(sums), k, [e for total in sums.values() for e in total])
    return RationalMatrix(rows, X.denominator), RationalMatrix(totals, V.denominator)


def pure_error(X: RationalMatrix, Y: RationalMatrix) -> fmpq:
    """The smallest sum of squares that any function of x can reach on these data.

    It is 0 unless inputs coincide; then it is the spread of the labels around their group means.

    >>> from lscore.algebra.matrices import exact
    >>> pure_error(exact([0, 0, 1, 1]), exact([1, -1, 1, -1]))
    4
    """
    _, totals = merge_rows(X, Y)
    _, counts = merge_rows(X, ones(len(X)))
    size = counts.entries()
    k = totals.shape[1]
    means = sum((v * v / size[i // k] for i, v in enumerate(totals.entries())), fmpq(0))
    return Y.dot(Y) - means
