r"""Convex hulls of finitely many gradients: is 0 inside, and which element is the shortest?

A Clarke subdifferential is such a hull, :math:`\mathrm{conv}\{g_1, \dots, g_k\}` with
:math:`g_u \in \mathbb{Q}^m`. Floats propose which gradients carry the answer; rationals decide, and
every answer is checked by substitution. Gradients are the columns of one matrix (m, k), or a list
of columns (m, 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq, fmpz, fmpz_mat
from scipy.optimize import nnls

from lscore.errors import LscoreError, ShapeError
from lscore.exact import RationalMatrix, augment, exact, ones, stack
from lscore.linear_algebra import pivot_columns
from lscore.linear_programs import strict_direction

Gradients = RationalMatrix | Sequence[RationalMatrix]


@dataclass(frozen=True, eq=False)
class ZeroInHull:
    """Either `weights` (k, 1) of a convex combination that is 0, or a `direction` d (m, 1).

    The direction has <g, d> <= -1 for every gradient g: the loss falls along it in every cell.
    """

    weights: RationalMatrix | None
    direction: RationalMatrix | None

    @property
    def contained(self) -> bool:
        return self.weights is not None


@dataclass(frozen=True, eq=False)
class MinNormElement:
    r"""The element of least Euclidean norm of a hull.

    `point` (m, 1), its `weights` (k, 1) on the gradients, and `norm_squared`. Optimality is the
    condition :math:`\langle p, g_u \rangle \ge \langle p, p \rangle` for all u, with gap 0.
    """

    point: RationalMatrix
    weights: RationalMatrix
    norm_squared: fmpq


def _matrix(gradients: Gradients) -> RationalMatrix:
    if isinstance(gradients, RationalMatrix):
        matrix = gradients
    else:
        columns = list(gradients)
        if not columns or len({g.shape for g in columns}) != 1 or columns[0].shape[1] != 1:
            shapes = [g.shape for g in columns]
            raise ShapeError(f"gradients: shapes {shapes}, need one or more columns (m, 1)")
        matrix = stack([g.T for g in columns]).T
    if 0 in matrix.shape:
        raise ShapeError(f"gradients: shape {matrix.shape}, need (m, k) with m, k >= 1")
    return matrix


def _distinct(G: RationalMatrix) -> tuple[RationalMatrix, list[int]]:
    """The distinct columns of G and the index at which each appears first."""
    first: dict[tuple[int, ...], int] = {}
    for j, column in enumerate(G.numerator.transpose().tolist()):
        first.setdefault(tuple(map(int, column)), j)
    keep = list(first.values())
    return G if len(keep) == G.shape[1] else _columns(G, keep), keep


def _columns(G: RationalMatrix, indices: Sequence[int]) -> RationalMatrix:
    entries = [e for row in G.numerator.tolist() for e in (row[j] for j in indices)]
    return RationalMatrix(fmpz_mat(len(G), len(indices), entries), G.denominator)


def _spread(values: RationalMatrix, indices: Sequence[int], k: int) -> RationalMatrix:
    """The column (k, 1) with these values at these indices and 0 elsewhere."""
    full = [fmpz(0)] * k
    for j, value in zip(indices, values.numerator.entries(), strict=True):
        full[j] = value
    return RationalMatrix(fmpz_mat(k, 1, full), values.denominator)


def _are_convex(weights: RationalMatrix, k: int) -> bool:
    return weights.shape == (k, 1) and weights.smallest() >= 0 and weights.dot(ones(k)) == 1


def is_zero_combination(gradients: Gradients, weights: RationalMatrix) -> bool:
    """Whether weights >= 0 have sum 1 and combine the gradients to 0.

    >>> G = exact([[1, -1]])
    >>> is_zero_combination(G, exact(["1/2", "1/2"])), is_zero_combination(G, exact([1, 0]))
    (True, False)
    """
    G = _matrix(gradients)
    return _are_convex(weights, G.shape[1]) and (G @ weights).is_zero()


def is_common_descent(gradients: Gradients, direction: RationalMatrix) -> bool:
    """Whether <g, d> <= -1 for every gradient.

    >>> is_common_descent(exact([[1, 2]]), exact([-1])), is_common_descent(exact([[1]]), exact([1]))
    (True, False)
    """
    G = _matrix(gradients)
    return direction.shape == (len(G), 1) and (-(G.T @ direction)).smallest() >= 1


def is_min_norm_element(gradients: Gradients, point: RationalMatrix, weights: RationalMatrix):
    """Whether the weights are convex, give the point, and no gradient lies closer to 0.

    >>> G = exact([[1, 1], [1, -1]])
    >>> is_min_norm_element(G, exact([1, 0]), exact(["1/2", "1/2"]))
    True
    >>> is_min_norm_element(G, exact([1, 1]), exact([1, 0]))
    False
    """
    G = _matrix(gradients)
    return (
        point.shape == (len(G), 1)
        and _are_convex(weights, G.shape[1])
        and G @ weights == point
        and (G.T @ point).smallest() >= point.dot(point)
    )


def contains_zero(gradients: Gradients) -> ZeroInHull:
    r"""Is 0 a convex combination of the gradients? With the weights, or a direction of descent.

    Decides :math:`\sum_u \theta_u g_u = 0`, :math:`\theta \ge 0`, :math:`\sum_u \theta_u = 1`;
    if there is none, a direction has :math:`\langle g_u, d \rangle \le -1` for all u. Sound and
    complete, verified by `is_zero_combination` or `is_common_descent`. Raises `ShapeError`.

    >>> contains_zero(exact([[1, -1], [0, 0]])).weights
    column(1/2, 1/2)
    >>> contains_zero(exact([[1, 1], [2, -1]])).direction
    column(-2, -1)
    """
    G = _matrix(gradients)
    distinct, keep = _distinct(G)
    answer = strict_direction(-distinct.T)
    if answer.exists:
        return ZeroInHull(None, answer.direction)
    total = answer.multiplier.dot(ones(len(keep)))
    weights = _spread(answer.multiplier * (1 / total), keep, G.shape[1])
    return ZeroInHull(_checked(weights, is_zero_combination(G, weights)), None)


def _checked(value: RationalMatrix, holds: bool) -> RationalMatrix:
    if not holds:
        raise LscoreError("convex hull: an answer failed its own check")
    return value


def min_norm_element(gradients: Gradients) -> MinNormElement:
    r"""The shortest vector in the convex hull of the gradients, exactly.

    Non-negative least squares in floats proposes the gradients that carry it; Wolfe's algorithm
    starts from them in rationals, and mostly has nothing left to do. Sound and complete: the answer
    satisfies `is_min_norm_element`. Raises `ShapeError`.

    >>> found = min_norm_element(exact([[2, 1, 3], [0, 1, 3]]))
    >>> found.point, found.weights, found.norm_squared
    (column(1, 1), column(0, 1, 0), 2)
    """
    G = _matrix(gradients)
    distinct, keep = _distinct(G)
    corral, weights = _wolfe(distinct, _proposed_corral(distinct))
    weights = _spread(weights, [keep[j] for j in corral], G.shape[1])
    point = G @ weights
    _checked(weights, is_min_norm_element(G, point, weights))
    return MinNormElement(point, weights, point.dot(point))


def _proposed_corral(G: RationalMatrix) -> list[int]:
    """The gradients with positive weight in a float solution, by the least-distance trick.

    The nonnegative x that minimises |[G; 1] x - e|, with e the last unit vector, is a multiple of
    the weights of the shortest element. Falls back to the shortest gradient.
    """
    top = max(map(abs, G.numerator.entries())) or fmpz(1)
    scaled = RationalMatrix(G.numerator, top).floats()
    system = np.vstack([scaled, np.ones(G.shape[1])])
    if len(G) > G.shape[1]:
        # an orthogonal change of rows keeps all lengths
        triangle = np.linalg.qr(scaled, mode="r")
        system = np.vstack([triangle, np.ones(G.shape[1])])
    right = np.zeros(len(system))
    right[-1] = 1
    try:
        x = nnls(system, right)[0]
    except RuntimeError:
        return []
    chosen = np.flatnonzero(x > 1e-9 * x.max()).tolist()
    kept = pivot_columns(augment(_columns(G, chosen).T).numerator.transpose())
    return [chosen[j] for j in kept]  # affinely independent


def _affine_minimiser(G: RationalMatrix, corral: list[int]) -> RationalMatrix | None:
    """Weights with sum 1 of the shortest point of the affine hull; None if not unique.

    Solves the stationarity system [G'G, 1; 1', 0] (weights, multiplier) = (0, 1).
    """
    S, s = _columns(G, corral).numerator, len(corral)
    gram = S.transpose() * S
    rows = [[*row, fmpz(1)] for row in gram.tolist()] + [[fmpz(1)] * s + [fmpz(0)]]
    matrix = fmpz_mat(s + 1, s + 1, [e for row in rows for e in row])
    try:
        solution = matrix.solve(fmpz_mat(s + 1, 1, [0] * s + [1]))
    except ZeroDivisionError:
        return None
    return exact(solution.entries()[:s])


def _wolfe(G: RationalMatrix, corral: list[int]) -> tuple[list[int], RationalMatrix]:
    """Wolfe's algorithm in rationals: the carrying gradients and their weights, all positive."""
    weights = _affine_minimiser(G, corral) if corral else None
    if weights is None or weights.smallest() < 0:  # the proposal does not stand
        squares = [G.column(j).dot(G.column(j)) for j in range(G.shape[1])]
        corral, weights = [squares.index(min(squares))], ones(1)
    while True:
        corral, weights = _without_zeros(corral, weights)
        point = _columns(G, corral) @ weights
        products = (G.T @ point).entries()
        entering = products.index(min(products))
        if products[entering] >= point.dot(point):
            return corral, weights
        corral, weights = [*corral, entering], stack([weights, ones(1) * 0])
        while (target := _affine_minimiser(G, corral)).smallest() < 0:
            pairs = zip(weights.entries(), target.entries(), strict=True)
            step = min(a / (a - b) for a, b in pairs if b < 0)
            corral, weights = _without_zeros(corral, weights + (target - weights) * step)
        weights = target


def _without_zeros(corral: list[int], weights: RationalMatrix) -> tuple[list[int], RationalMatrix]:
    kept = [(j, w) for j, w in zip(corral, weights.entries(), strict=True) if w != 0]
    return [j for j, _ in kept], exact([w for _, w in kept])
