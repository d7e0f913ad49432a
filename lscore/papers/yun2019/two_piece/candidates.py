r"""Yun, Sra, Jadbabaie (2019), Theorem 1: where to put a kink.

Floats rank the candidates (direction u, threshold beta); whoever takes one decides exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from flint import fmpq

from lscore.algebra.linear import AffineFit
from lscore.algebra.matrices import RationalMatrix, Scalar, exact
from lscore.errors import DataError, ShapeError
from lscore.model.risk import Risk


def checked_direction(risk: Risk, direction: Sequence[Scalar]) -> RationalMatrix:
    """A direction u as an exact column (d, 1); `ShapeError` or `DataError` naming it if unfit."""
    u, d = exact(direction, "direction"), risk.exact_X.shape[1]
    if u.shape != (d, 1):
        raise ShapeError(f"direction: shape {u.shape}, need ({d}, 1) as X has {d} columns")
    if u.is_zero():
        raise DataError("direction: is zero")
    return u


def directions_to_try(risk: Risk) -> list[RationalMatrix]:
    """Coordinate axes, then (1, t, t^2, ...) up to the first t that separates all inputs."""
    d = risk.exact_X.shape[1]
    directions = [exact([int(j == k) for j in range(d)]) for k in range(d)]
    distinct = len({tuple(map(int, row)) for row in risk.exact_X.numerator.tolist()})
    t, separated = 0, False
    while not separated:
        t += 1
        u = exact([t**j for j in range(d)])
        directions += [] if u in directions else [u]
        separated = len(set(_integers(risk.exact_X @ u))) == distinct
    return directions


def _integers(column: RationalMatrix) -> list[int]:
    """The entries times the denominator, which Python sorts and divides faster than fractions."""
    return list(map(int, column.numerator.entries()))


def unit_scale(A: RationalMatrix) -> np.ndarray:
    """A in floats, each column divided by its largest absolute value (zero columns stay)."""
    columns = []
    for j in range(A.shape[1]):
        column = _integers(A.column(j))
        size = max(map(abs, column)) or 1
        columns.append([v / size for v in column])
    return np.array(columns).T


@dataclass(frozen=True)
class KinkSums:
    r"""What the kinks :math:`\varphi = \max(z - \beta, 0)` of one direction sum to, in floats.

    Per threshold (c of them): `pull` (k, c) = residuals' phi, `right` (c,) = phi'phi, `left` (c,)
    the same for the mirrored kink max(beta - z, 0), `shadow` (p, c) = basis' phi.
    """

    pull: np.ndarray
    right: np.ndarray
    left: np.ndarray
    shadow: np.ndarray


def _sums(z: np.ndarray, marks: np.ndarray, residuals: np.ndarray, basis: np.ndarray) -> KinkSums:
    """All sums at once from cumulative ones, O(n) per column instead of O(n c)."""
    order = np.argsort(z, kind="stable")
    z = z[order]
    columns = np.column_stack([residuals[order], basis[order], np.ones_like(z), z])
    above = np.searchsorted(z, marks, side="right")
    from_below = np.vstack([np.zeros(columns.shape[1]), np.cumsum(columns, 0)])
    moments = np.vstack([np.zeros(columns.shape[1]), np.cumsum(columns * z[:, None], 0)])
    tail, tail_moment = from_below[-1] - from_below[above], moments[-1] - moments[above]
    kink = (tail_moment - marks[:, None] * tail).T
    k, p = residuals.shape[1], basis.shape[1]

    def square(ones, first, second):
        return second - 2 * marks * first + marks**2 * ones

    right = square(tail[:, -2], tail[:, -1], tail_moment[:, -1])
    left = square(from_below[above, -2], from_below[above, -1], moments[above, -1])
    return KinkSums(kink[:k], right, left, kink[k : k + p])


def ranked_kinks(
    risk: Risk,
    fit: AffineFit,
    direction: Sequence[Scalar] | None,
    score: Callable[[KinkSums], np.ndarray],
    midpoints: bool,
    basis: np.ndarray | None = None,
) -> Iterator[tuple[RationalMatrix, fmpq]]:
    """Candidates (u, beta), the largest score first.

    `score` turns the sums of a direction, at unit scale, into one number per threshold; NaN drops
    a candidate. Equal scores (nine digits) keep the order of the directions.
    """
    given = direction is not None
    tried = [checked_direction(risk, direction)] if given else directions_to_try(risk)
    residuals = unit_scale(fit.residuals)
    basis = np.zeros((len(residuals), 0)) if basis is None else basis
    kinks, gains = [], []
    for u in tried:
        projected = risk.exact_X @ u
        numbers = [2 * v for v in _integers(projected)]
        levels = sorted(set(numbers))
        if midpoints:
            levels += [(a + b) // 2 for a, b in pairwise(levels)]
        low, spread = min(levels), max(levels) - min(levels)
        if spread == 0:
            continue
        z, marks = (np.array([(v - low) / spread for v in part]) for part in (numbers, levels))
        kinks += [(u, beta, 2 * projected.denominator) for beta in levels]
        with np.errstate(all="ignore"):
            gains += list(score(_sums(z, marks, residuals, basis)))
    gains = np.nan_to_num(np.array(gains), nan=-1.0, posinf=-1.0)
    best = gains.max(initial=0.0) or 1.0
    for j in np.argsort(-np.round(gains / best, 9), kind="stable"):
        if gains[j] >= 0:
            u, beta, denominator = kinks[j]
            yield u, fmpq(beta, denominator)
