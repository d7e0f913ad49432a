r"""One theorem of the alternative: 0 lies in a convex set, or a direction leads all of it away.

The set is :math:`\{a + Gp : p \in P\}`, and P says whose theorem this is:

- :math:`p \ge 0`, a cone. Farkas: :math:`Gp = -a` has a solution, or some y = -d has
  :math:`G^\top y \ge 0 > \langle y, -a \rangle`.
- :math:`p \ge 0`, :math:`\sum_u p_u = 1`, the hull of the columns of G: the gradients of the cells
  that meet at a point. Gordan: 0 is in it, or :math:`\langle g_u, d \rangle < 0` for all u.
- :math:`0 \le p \le \mu`, a zonotope: the gradients of a hinge risk without hidden ties.

All are *non-negative least squares*. Let :math:`x \ge 0` minimise :math:`|Ax - b|` and let
:math:`r = Ax - b`. Then :math:`A^\top r \ge 0` and :math:`\langle Ax, r \rangle = 0`, hence
:math:`\langle b, r \rangle = -|r|^2`: if r is 0 then x solves the system, else r is Farkas' vector.
Floats propose, rationals decide, and an answer is confirmed by substitution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import gcd

import numpy as np
from flint import fmpq, fmpz, fmpz_mat

from lscore.algebra.linear import pivot_columns
from lscore.algebra.matrices import RationalMatrix, exact, ones, stack, zeros
from lscore.errors import DataError, LscoreError, ShapeError

Pair = tuple[RationalMatrix, RationalMatrix]


@dataclass(frozen=True, eq=False)
class ConvexSet:
    r"""All :math:`a + Gp`, :math:`p \ge 0`, where p has sum 1 if `convex`, or is at most `bounds`.

    Shapes: `offset` a (m, 1), `generators` G (m, k), bounds (k, 1).

    >>> segment = ConvexSet(exact([-3]), exact([[2]]), exact(["3/2"]))
    >>> segment.reaches_zero(exact(["3/2"])), segment.separates_zero(exact([1]))
    (True, False)
    """

    offset: RationalMatrix
    generators: RationalMatrix
    bounds: RationalMatrix | None = None
    convex: bool = False

    def reaches_zero(self, p: RationalMatrix) -> bool:
        """Whether p is allowed and gives 0."""
        return (
            p.shape == (self.generators.shape[1], 1)
            and min(p.entries(), default=0) >= 0
            and (self.bounds is None or min((self.bounds - p).entries(), default=0) >= 0)
            and (not self.convex or p.dot(ones(len(p))) == 1)
            and (self.offset + self.generators @ p).is_zero()
        )

    def separates_zero(self, d: RationalMatrix) -> bool:
        """Whether <z, d> <= -1 for every z of the set, which keeps 0 out of it."""
        return d.shape == self.offset.shape and (top := self.highest(d)) is not None and top <= -1

    def highest(self, d: RationalMatrix) -> fmpq | None:
        r"""The largest <z, d> on the set; None if there is none, -1 if the set is empty.

        With bounds it is :math:`\langle a, d\rangle + \sum_j \mu_j \max(\langle g_j, d\rangle, 0)`.
        """
        level, slopes = self.offset.dot(d), (self.generators.T @ d).entries()
        if self.convex:
            return level + max(slopes) if slopes else fmpq(-1)
        if self.bounds is None:
            return level if max(slopes, default=0) <= 0 else None
        pairs = zip(slopes, self.bounds.entries(), strict=True)
        return level + sum((s * bound for s, bound in pairs if s > 0), fmpq(0))


@dataclass(frozen=True, eq=False)
class Alternative:
    """Either the `solution`, a p at which the set `within` is 0, or an `obstruction`.

    The obstruction d has <z, d> <= -1 for every z of the set. A wrong answer cannot be made:
    `LscoreError` unless exactly one of the two is given and passes its check by substitution.

    >>> Alternative(ConvexSet(exact([-1]), exact([[2]])), solution=exact([1]))
    Traceback (most recent call last):
    ...
    lscore.errors.LscoreError: alternative: an answer failed its check by substitution
    """

    within: ConvexSet
    solution: RationalMatrix | None = None
    obstruction: RationalMatrix | None = None

    def __post_init__(self) -> None:
        p, d = self.solution, self.obstruction
        holds = (p is None) != (d is None) and (
            self.within.separates_zero(d) if p is None else self.within.reaches_zero(p)
        )
        if not holds:
            raise LscoreError("alternative: an answer failed its check by substitution")

    @property
    def solvable(self) -> bool:
        return self.solution is not None


def solve_nonnegative(A: RationalMatrix, b: RationalMatrix) -> Alternative:
    r"""Farkas: solve :math:`Ax = b`, :math:`x \ge 0`, or obstruct it.

    Shapes: A (m, n), b (m, 1); any rank, m = 0 and n = 0 included. The `solution` x is basic: its
    positive entries have independent columns. The `obstruction` d has :math:`A^\top d \le 0`,
    :math:`\langle b, d \rangle \ge 1`. Sound and complete. Raises `ShapeError`.

    >>> A = exact([[1, 2, 0], [0, 1, 1]])
    >>> solve_nonnegative(A, exact([4, 1])).solution
    column(2, 1, 0)
    >>> solve_nonnegative(A, exact([1, -1])).obstruction
    column(0, -1)
    """
    return _decided(ConvexSet(-b, A), A, b)


def common_descent(G: RationalMatrix, proposal: RationalMatrix | None = None) -> Alternative:
    r"""Gordan: combine 0 from the columns of G (m, k), or descend along all of them.

    The `solution` :math:`\theta \ge 0` has :math:`\sum_u \theta_u g_u = 0`, :math:`\sum_u \theta_u
    = 1`; the `obstruction` d has :math:`\langle g_u, d \rangle \le -1` for all u (d = 0 if k = 0).
    A `proposal` (m, 1) that descends is kept, as is minus the sum of the columns. Sound and
    complete. Raises `ShapeError`.

    >>> common_descent(exact([[1, -1], [0, 0]])).solution
    column(1/2, 1/2)
    >>> common_descent(exact([[1, 1], [2, -1]])).obstruction
    column(-2, -1)
    """
    G = exact(G, "G")
    within, one = ConvexSet(zeros(len(G)), G, convex=True), ones(G.shape[1])
    d = _leading_away(within, ([] if proposal is None else [proposal]) + [-(G @ one)])
    if d is not None:
        return Alternative(within, None, d)
    return _decided(within, *_lifted(G, within.offset, one.T))


def zero_in_zonotope(a: RationalMatrix, G: RationalMatrix, mu: RationalMatrix) -> Alternative:
    r"""Is :math:`a + \sum_j p_j g_j = 0` for some :math:`0 \le p_j \le \mu_j`?

    Shapes: a (m, 1), G (m, k) with columns g, mu (k, 1) >= 0. The `solution` is p, the
    `obstruction` a d with :math:`\langle z, d \rangle \le -1` for all points z of the zonotope.
    Sound and complete. Raises `ShapeError`, `DataError`.

    >>> zero_in_zonotope(exact([-1]), exact([[2, 1]]), exact([1, 1])).solution
    column(1/2, 0)
    >>> zero_in_zonotope(exact([-4]), exact([[2, 1]]), exact([1, 1])).obstruction
    column(1)
    """
    m, k = G.shape
    if a.shape != (m, 1) or mu.shape != (k, 1):
        raise ShapeError(f"a, mu: shapes {a.shape} and {mu.shape}, need {(m, 1)} and {(k, 1)}")
    if min(mu.entries(), default=0) < 0:
        raise DataError(f"mu: smallest entry {mu.smallest()}, need >= 0")
    # the unknowns are the shares p / mu and 1 - p / mu
    unit, scaled = _diagonal(ones(k)), stack([_diagonal(mu) @ G.T, zeros(k, m)]).T
    return _decided(ConvexSet(a, G, mu), *_lifted(scaled, a, stack([unit, unit]).T))


@dataclass(frozen=True, eq=False)
class ShortestElement:
    r"""The element of least Euclidean norm in the hull of the columns of `gradients` (m, k).

    It has `weights` (k, 1). A wrong one cannot be made: `LscoreError` unless they are convex and
    the `point` p has :math:`\langle p, g_u \rangle \ge \langle p, p \rangle` for all u.
    """

    gradients: RationalMatrix
    weights: RationalMatrix

    def __post_init__(self) -> None:
        Alternative(ConvexSet(-self.point, self.gradients, convex=True), self.weights)
        if min((self.gradients.T @ self.point).entries()) < self.norm_squared:
            raise LscoreError("shortest element: the hull comes nearer to 0")

    @cached_property
    def point(self) -> RationalMatrix:
        return self.gradients @ self.weights

    @cached_property
    def norm_squared(self) -> fmpq:
        return self.point.dot(self.point)


def shortest_element(G: RationalMatrix) -> ShortestElement:
    r"""The shortest vector in the convex hull of the columns of G (m, k), k >= 1, exactly.

    The :math:`x \ge 0` that minimises :math:`|Gx|^2 + (\sum_u x_u - 1)^2` is a multiple of its
    weights. Sound and complete. Raises `ShapeError`.

    >>> found = shortest_element(exact([[2, 1, 3], [0, 1, 3]]))
    >>> found.point, found.weights, found.norm_squared
    (column(1, 1), column(0, 1, 0), 2)
    """
    G = exact(G, "G")
    if not G.shape[1]:
        raise ShapeError(f"G: shape {G.shape}, need (m, k) with k >= 1")
    one = ones(G.shape[1])
    x = nonnegative_least_squares(*_lifted(G, zeros(len(G)), one.T))[0]
    return ShortestElement(G, x * (1 / x.dot(one)))


def nonnegative_least_squares(A: RationalMatrix, b: RationalMatrix) -> Pair:
    r"""The :math:`x \ge 0` that minimises :math:`|Ax - b|`, and the residual :math:`Ax - b`.

    Shapes: A (m, n), b (m, 1); any rank. x is basic, the residual unique. Raises `ShapeError`.

    >>> nonnegative_least_squares(exact([[1, 0], [1, 1]]), exact([2, 0]))
    (column(1, 0), column(-1, 1))
    """
    return _repaired(A, b, _proposed(A, b)[0])


def _diagonal(v: RationalMatrix) -> RationalMatrix:
    square = [e * (i == j) for i, e in enumerate(v.numerator.entries()) for j in range(len(v))]
    return RationalMatrix(fmpz_mat(len(v), len(v), square), v.denominator)


def _lifted(A: RationalMatrix, a: RationalMatrix, rows: RationalMatrix) -> Pair:
    """[A; rows] and [-a; 1], the latter rows times a power of two that makes them as large as A."""
    bits = int(max(map(abs, A.numerator.entries()), default=fmpz(0))).bit_length()
    level = fmpq(fmpz(2) ** bits, A.denominator)
    return stack([A, rows * level]), stack([-a, ones(len(rows)) * level])


def _decided(within: ConvexSet, A: RationalMatrix, b: RationalMatrix) -> Alternative:
    """0 is in the set if and only if A x = b for some x >= 0; minus the residual leads away."""
    m, k = within.generators.shape
    support, residual = _proposed(A, b)
    d = _leading_away(within, _rounded(residual[:m]))
    if d is None:
        x, residual = _repaired(A, b, support)
        if residual.is_zero():
            p = x.rows(0, k) if within.bounds is None else _diagonal(within.bounds) @ x.rows(0, k)
            return Alternative(within, p * (1 / p.dot(ones(k))) if within.convex else p)
        d = _leading_away(within, [_away(residual.numerator.entries()[:m])])
    return Alternative(within, None, d)


def _leading_away(within: ConvexSet, candidates: Iterable[RationalMatrix]) -> RationalMatrix | None:
    """The first direction along which the whole set is below 0, stretched until below -1."""
    for d in candidates:
        if (top := within.highest(d)) is not None and top < 0:
            return d if top <= -1 else d * (-1 / top).ceil()
    return None


def _away(residual: Iterable[int]) -> RationalMatrix:
    whole = [-int(e) for e in residual]
    common = gcd(*whole)
    return exact([e // common for e in whole])


def _rounded(residual: np.ndarray) -> Iterator[RationalMatrix]:
    """Away from it, in few bits, then in more; nothing if it is 0 up to rounding errors."""
    top = abs(residual).max(initial=0)
    for bits in (3, 12, 48) if top > 1e-9 else ():
        yield _away(np.rint(residual * (2.0**bits / top)))


def _proposed(A: RationalMatrix, b: RationalMatrix) -> tuple[list[int], np.ndarray]:
    """In floats: the positive entries of a solution, and a multiple of the residual."""
    from scipy.optimize import nnls

    m, n = A.shape
    if b.shape != (m, 1):
        raise ShapeError(f"b: shape {b.shape}, need {(m, 1)} for A of shape {A.shape}")
    if 0 in A.shape:
        return [], np.zeros(m)
    entries = A.numerator.transpose().entries() + b.numerator.entries()
    columns = np.array([int(e) for e in entries], dtype=object).reshape(n + 1, m)
    columns = (columns / np.maximum(abs(columns).max(1, keepdims=True), 1)).astype(float)
    system, right = columns[:n].T, columns[n]
    try:
        x, _ = nnls(system, right)
    except RuntimeError:  # no end in sight
        return [], np.zeros(m)
    return np.flatnonzero(x > 1e-9 * x.max()).tolist(), system @ x - right


def _repaired(A: RationalMatrix, b: RationalMatrix, support: list[int]) -> Pair:
    """Lawson and Hanson's algorithm in rationals, from any guess at the positive entries of x.

    x goes towards the minimum over the columns S without signs; entries that become 0 on the way
    leave. There the residual is orthogonal to S, so the column along which the distance falls
    fastest is independent of S, and comes in. The distance falls each time, so no S comes back.
    """
    transposed, right = A.numerator.transpose(), b.numerator
    columns = transposed.tolist()
    S = [support[j] for j in pivot_columns(fmpz_mat([columns[j] for j in support]).transpose())]
    x = [fmpq(1)] * len(S)
    while True:
        while S and min(best := _least_squares([columns[j] for j in S], right)) <= 0:
            pairs = list(zip(x, best, strict=True))
            step = min(a / (a - e) for a, e in pairs if e <= 0)
            x = [a + step * (e - a) for a, e in pairs]
            S, x = [j for j, a in zip(S, x, strict=True) if a], [a for a in x if a]
        values = dict(zip(S, best, strict=True)) if S else {}
        full = exact([values.get(j, 0) for j in range(len(columns))] or zeros(0))
        residual = A.numerator * full.numerator - right * full.denominator
        slopes = (transposed * residual).entries()
        if min(slopes, default=0) >= 0:
            scale = fmpq(A.denominator, b.denominator)
            return full * scale, RationalMatrix(residual, full.denominator * b.denominator)
        S, x = [*S, slopes.index(min(slopes))], [*values.values(), fmpq(0)]


def _least_squares(columns: list[list[fmpz]], right: fmpz_mat) -> list[fmpq]:
    """The z that minimises |C z - right|, for independent columns of C."""
    rows = fmpz_mat(columns)
    if rows.nrows() == rows.ncols():
        return rows.transpose().solve(right).entries()
    return (rows * rows.transpose()).solve(rows * right).entries()
