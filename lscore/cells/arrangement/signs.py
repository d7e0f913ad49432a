r"""Signs of :math:`a_i \cdot \delta` for many points :math:`\delta` at once: floats, then integers.

Rows and columns are scaled by powers of two, a product is computed in float64, and a bound of its
rounding error settles every sign that it can. What it does not settle is decided in integers, so
each sign that comes back is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ldexp
from operator import mul

import numpy as np

from lscore.cells.arrangement.hyperplanes import Normal

Exact = Mapping[int, Normal]
BLOCK = 150_000


def _ldexp(value: int, exponent: int) -> float:
    """value 2^exponent as a float: exact up to 64 significant bits, else with a relative error."""
    excess = max(value.bit_length() - 64, 0)
    return ldexp(float(value >> excess), exponent + excess)


@dataclass(frozen=True)
class SignedRows:
    """Non-zero integer rows of equal length D, ready for sign decisions."""

    rows: tuple[Normal, ...]

    @cached_property
    def exponents(self) -> tuple[np.ndarray, np.ndarray]:
        """Powers of two, per row (n,) and column (D,), by which all entries become less than 1."""
        bits = np.array([[v.bit_length() if v else -(10**9) for v in row] for row in self.rows])
        columns = np.zeros(bits.shape[1], dtype=np.int64)
        for _ in range(3):
            rows = -(bits + columns).max(axis=1)
            columns = -(bits + rows[:, None]).max(axis=0)
            columns[columns > 10**8] = 0
        return -(bits + columns).max(axis=1), columns

    @cached_property
    def floats(self) -> np.ndarray:
        """The scaled rows (n, D), largest entry of each row in [1/2, 1]."""
        by_row, by_column = (e.tolist() for e in self.exponents)
        return np.array(
            [
                [_ldexp(v, r + c) for v, c in zip(row, by_column, strict=True)]
                for row, r in zip(self.rows, by_row, strict=True)
            ]
        )

    @cached_property
    def bounds(self) -> np.ndarray:
        r"""Sizes (n,) above which a product with a point of sup-norm <= 1 has the exact sign.

        With unit roundoff u the product of D terms, in any order, errs by less than
        :math:`1.01 D u \|a\|_1`; rounding the row and the point adds :math:`2.01 u \|a\|_1`, and
        underflow less than :math:`2^{-1000}`. The bound is :math:`2 (D + 3) u \|a\|_1 + 2^{-1000}`.
        """
        return (self.floats.shape[1] + 3) * 2.0**-52 * abs(self.floats).sum(axis=1) + 2.0**-1000

    def scaled(self, points: np.ndarray) -> np.ndarray:
        """Points (N, D) in the scaled coordinates, each multiplied to a sup-norm in [1/2, 1)."""
        mantissa, exponent = np.frexp(points)
        exponent = np.where(mantissa == 0, -(10**9), exponent - self.exponents[1])
        return np.ldexp(mantissa, np.maximum(exponent - exponent.max(axis=1)[:, None], -2000))

    def scaled_exact(self, point: Normal) -> np.ndarray:
        """An integer point in the scaled coordinates, rounded, sup-norm in [1/2, 1]."""
        columns = self.exponents[1].tolist()
        top = max(v.bit_length() - c for v, c in zip(point, columns, strict=True) if v)
        return np.array([_ldexp(v, -c - top) for v, c in zip(point, columns, strict=True)])

    def points(self, scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Floats in the original coordinates, (N, D), and which of them are exact, (N,)."""
        by_column = self.exponents[1]
        shift = by_column - (by_column.max() + by_column.min()) // 2
        with np.errstate(over="ignore", under="ignore"):
            points = np.ldexp(scaled, shift)
            exact = (np.ldexp(points, -shift) == scaled).all(axis=1)
        return points, exact

    def nearest(self, point: Normal) -> np.ndarray:
        """The float point (D,) nearest to an integer point, up to a positive factor."""
        return self.points(self.scaled_exact(point)[None])[0][0]

    def products(self, scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Products (n, N) with scaled points (N, D), and where their signs are not settled."""
        values = self.floats @ scaled.T
        return values, ~(abs(values) > self.bounds[:, None])

    def signs(self, points: np.ndarray, exact: Exact) -> tuple[np.ndarray, np.ndarray, int]:
        """Signs of all rows at float points (N, D), all exact; `exact` replaces some points.

        Returns where the product is positive, as bits (N, ceil(n/8)) in the order of
        ``numpy.packbits``, whether a product of the point is zero (N,), and how many signs were
        decided in integers. A point that is zero counts as on a hyperplane.
        """
        shape = len(points), (len(self.rows) + 7) // 8
        packed, zero, decided = np.empty(shape, np.uint8), np.zeros(len(points), dtype=bool), 0
        size = max(64, BLOCK // len(self.rows))
        for start in range(0, len(points), size):
            block = slice(start, start + size)
            scaled = self.scaled(points[block])
            for i in exact.keys() & range(start, start + len(scaled)):
                scaled[i - start] = self.scaled_exact(exact[i])
            values, unsettled = self.products(scaled)
            positive = values > 0
            pairs = np.argwhere(unsettled).tolist() if unsettled.any() else []
            for j, i in pairs:
                place = start + i
                point = exact[place] if place in exact else integers(points[place])
                value = sum(map(mul, self.rows[j], point))
                positive[j, i] = value > 0
                zero[place] |= value == 0
            packed[block] = np.packbits(positive, axis=0).T
            decided += len(pairs)
        return packed, zero, decided


def integers(point: np.ndarray) -> Normal:
    """Integers in the same ratio as the floats of a point.

    >>> integers(np.array([0.5, -0.75]))
    (2, -3)
    """
    ratios = [v.as_integer_ratio() for v in point.tolist()]
    common = max(q for _, q in ratios)
    return tuple(p * (common // q) for p, q in ratios)
