r"""Phase one of the simplex method: a last basis, found exactly or proposed by floats.

The system is :math:`Ax = b`, :math:`x \ge 0` with integer rows ``[A_i, b_i]``, :math:`b_i \ge 0`;
artificial variables have the indices n, n + 1, ... A basis is a list with one variable per row.
`linear_programs` turns it into an answer and checks that answer.
"""

from __future__ import annotations

from math import gcd

import numpy as np

from lscore.exact import RationalMatrix

_NOISE, _SHIFT = 1e-9, 1e-6


def integer_rows(A: RationalMatrix, b: RationalMatrix) -> tuple[list[list[int]], list[int]]:
    """Rows [A_i, b_i] as coprime integers with b_i >= 0, and the number that each is divided by.

    The integers are the numerators of A and of b, so the common denominators are left out.

    >>> from lscore.exact import exact
    >>> integer_rows(exact([[2, -4]]), exact([-6]))
    ([[-1, 2, 3]], [-2])
    """
    right = [int(e) for e in b.numerator.entries()]
    rows, scales = [], []
    for row, value in zip(A.numerator.tolist(), right, strict=True):
        integers = [int(e) for e in row]
        scale = (-1 if value < 0 else 1) * (gcd(*integers, value) or 1)
        rows.append([e // scale for e in integers] + [value // scale])
        scales.append(scale)
    return rows, scales


def exact_basis(rows: list[list[int]], n: int) -> list[int]:
    """The last basis when the sum of the artificial variables is minimised, without rounding.

    Fraction-free: `rows` become the numerators of B^-1 [A, b] over a common denominator, the last
    pivot. The steepest cost enters, but after a degenerate pivot Bland's rule holds until the next
    real step, so nothing cycles. Artificial columns never come back and are not kept.

    >>> exact_basis([[1, 2, 0, 4], [0, 1, 1, 1]], 3)      # x = (2, 1, 0)
    [0, 1]
    """
    basis, det, bland = list(range(n, n + len(rows))), 1, False
    cost = [-sum(column) for column in zip(*rows, strict=True)] or [0] * (n + 1)
    while cost[-1] != 0:
        if bland:
            c = next((j for j in range(n) if cost[j] < 0), None)
        else:
            c = min(range(n), key=cost.__getitem__, default=None)
        if c is None or cost[c] >= 0:
            break
        r = _leaving_row(rows, basis, c)
        bland, pivot = rows[r][-1] == 0, rows[r][c]
        source = rows[r]
        rows = [row if i == r else _eliminate(row, source, c, det) for i, row in enumerate(rows)]
        cost = _eliminate(cost, source, c, det)
        basis[r], det = c, pivot
    return basis


def _leaving_row(rows: list[list[int]], basis: list[int], c: int) -> int:
    """The row with the smallest ratio; among equals the one with the first basic variable."""
    best = None
    for i, row in enumerate(rows):
        if row[c] <= 0:
            continue
        if best is not None:
            left, right = row[-1] * rows[best][c], rows[best][-1] * row[c]
            if left > right or (left == right and basis[i] > basis[best]):
                continue
        best = i
    return best


def _eliminate(row: list[int], source: list[int], c: int, det: int) -> list[int]:
    """The row after a pivot on entry c of `source`; the division has no remainder."""
    pivot, factor = source[c], row[c]
    if factor == 0:
        return row if pivot == det else [pivot * a // det for a in row]
    return [(pivot * a - factor * s) // det for a, s in zip(row, source, strict=True)]


def float_basis(rows: list[list[int]], n: int) -> tuple[list[int], list[int]]:
    """The same in floats, as a proposal, and the numbers that it divided the rows by.

    Right-hand sides are shifted a little and unequally, so that ties are rare.

    >>> float_basis([[1, 2, 0, 4], [0, 1, 1, 1]], 3)
    ([0, 1], [2, 1])
    """
    m = len(rows)
    tops = [max(map(abs, row[:-1]), default=0) or 1 for row in rows]
    try:
        table = np.array([[a / top for a in row] for row, top in zip(rows, tops, strict=True)])
    except OverflowError:  # a right-hand side beyond the floats: nothing to propose
        return list(range(n, n + m)), tops
    table[:, -1] /= table[:, -1].max() or 1
    table[:, -1] += _SHIFT * (1 + np.arange(m) * 0.618 % 1)  # no ties, so no cycles
    table, basis = np.vstack([table, -table.sum(0)]), list(range(n, n + m))
    for _ in range(4 * (m + n)):
        c = int(table[-1, :n].argmin())
        if table[-1, c] > -_NOISE or table[-1, -1] > -_NOISE:
            break
        ratios = np.full(m, np.inf)
        rising = table[:m, c] > _NOISE
        ratios[rising] = table[:m, -1][rising] / table[:m, c][rising]
        if not rising.any():
            break
        r = int(ratios.argmin())
        table[r] /= table[r, c]
        source = table[r].copy()
        table -= np.outer(table[:, c], source)
        table[r], basis[r] = source, c
    return basis, tops
