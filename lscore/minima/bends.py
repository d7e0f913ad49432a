r"""A linear function with bends: where is it negative, where not 0, and how steep is it?

:math:`g(u) = \langle a, u\rangle + \sum_j b_j \max(\langle n_j, u\rangle, 0)` is what one hidden
unit does to the risk at first order when its input weights move by u: a from the samples away from
its knots, a bend for each wall on which it lies. Bends with :math:`b_j > 0` are convex, others
concave. All answers are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from math import gcd

from flint import fmpq, fmpz, fmpz_mat

from lscore.algebra.alternatives import nonnegative_least_squares, zero_in_zonotope
from lscore.algebra.linear import least_squares, null_space, rank
from lscore.algebra.matrices import RationalMatrix, exact, stack, zeros
from lscore.cells.arrangement.hyperplanes import (
    hyperplanes,
    integer_rows,
    most_patterns,
    sign_patterns,
)
from lscore.errors import BudgetError


@dataclass(frozen=True, eq=False)
class Bent:
    r""":math:`g(u) = \langle a, u\rangle + \sum_j b_j \max(\langle n_j, u\rangle, 0)`.

    Shapes: `linear` a (D, 1), `normals` (m, D), no two of them parallel, `bends` b, m numbers, none
    of them 0. `bent` makes it from any rows.
    """

    linear: RationalMatrix
    normals: RationalMatrix
    bends: tuple[fmpq, ...]

    def __call__(self, u: RationalMatrix) -> fmpq:
        """g(u) for u (D, 1)."""
        values = (self.normals @ u).entries() if self.bends else []
        pairs = zip(self.bends, values, strict=True)
        return self.linear.dot(u) + sum((b * h for b, h in pairs if h > 0), fmpq(0))

    def scaled(self, factor: fmpq, shift: RationalMatrix) -> Bent:
        """factor * g + <shift, .>, for a factor that is not 0."""
        bends = tuple(factor * b for b in self.bends)
        return Bent(self.linear * factor + shift, self.normals, bends)

    @property
    def is_zero(self) -> bool:
        """Whether g is 0 everywhere, as bends on different walls are linearly independent."""
        return not self.bends and self.linear.is_zero()

    def nonzero(self) -> RationalMatrix:
        r"""Some u with g(u) != 0; there must be one.

        With :math:`m = a + \tfrac12 \sum_j b_j n_j` it is :math:`g(u) - g(-u) = 2 \langle m,
        u\rangle`, so one of -m and m serves unless m = 0. Then g bends across the first wall, at a
        point of that wall that lies on no other: the point, or a step from it to one of the sides.
        """
        middle = self.linear + self._sum(range(len(self.bends))) / 2
        if not middle.is_zero():
            return -middle if self(-middle) else middle
        normal = self._normal(0)
        inside = null_space(normal.T)
        others = self.normals.rows(1, len(self.bends))
        for base in count(1):  # a polynomial of `base` for each wall, not 0
            point = sum((v * base**j for j, v in enumerate(inside)), zeros(len(normal)))
            values = (others @ point).entries()
            if all(values):
                break
        steps = (others @ normal).entries()
        far = 1 + max((abs(s / v) for s, v in zip(steps, values, strict=True)), default=fmpq(0))
        candidates = (point * far + normal * side for side in (0, 1, -1))
        return next(u for u in candidates if self(u))

    def descent(self, limit: int) -> RationalMatrix | None:
        r"""Some u with g(u) < 0, or None if there is none.

        :math:`b \max(h, 0) = \min(b h, 0)` for b < 0, so g is the smallest of the convex functions
        :math:`g_S`, the convex bends and :math:`\langle a_S, u\rangle` with :math:`a_S = a + \sum_S
        b_j n_j`, S the concave walls with u on their positive side. There are as many S as chambers
        between the concave walls, and :math:`g_S \ge 0` if and only if 0 is in the zonotope
        :math:`a_S + \sum_{b_j > 0} [0, b_j] n_j`. A concave wall whose normal is not in the span of
        the others is refuted at once. Raises `BudgetError` if there may be more than `limit`
        chambers.
        """
        return next(filter(None, self._tries(limit)), None)

    @cached_property
    def concave(self) -> list[int]:
        """The bends with b < 0."""
        return [j for j, b in enumerate(self.bends) if b < 0]

    def _tries(self, limit: int):
        """A direction of descent or None, for each concave wall and for each S."""
        yield from map(self._across, self.concave)
        convex = [j for j, b in enumerate(self.bends) if b > 0]
        walls = self.normals.T
        G = stack([walls.column(j).T for j in convex] or [zeros(0, len(walls))]).T
        mu = exact([self.bends[j] for j in convex]) if convex else zeros(0)
        for above in self._chambers(self.concave, limit):
            a = self.linear + self._sum(above)
            if not convex:
                yield None if a.is_zero() else -a
            else:
                yield zero_in_zonotope(a, G, mu).obstruction

    def _across(self, j: int) -> RationalMatrix | None:
        """Descent across a concave wall, along all others, if their normals leave such a way."""
        normal, others = self._normal(j), [k for k in range(len(self.bends)) if k != j]
        u = normal
        if others:
            columns = stack([self._normal(k).T for k in others]).T
            u = normal - columns @ least_squares(columns, normal)[0]
        if u.is_zero():
            return None
        return u if self(u) < 0 else -u

    def steeper(self, square: fmpq, limit: int) -> RationalMatrix | None:
        r"""Some u with :math:`g(u)^2 > \mathrm{square} \cdot |u|^2`, or None if there is none.

        In the chamber C of all walls g is :math:`\langle a_C, u\rangle`. Its largest value there,
        over :math:`|u| = 1`, is the length of the projection of :math:`a_C` to the cone C: exact
        non-negative least squares. Raises `BudgetError` if there may be more than `limit` chambers.
        """
        normals = [self._normal(j) for j in range(len(self.bends))]
        for above in self._chambers(range(len(self.bends)), limit):
            a = self.linear + self._sum(above)
            for u in (a, -a):
                if u.dot(u) <= square:
                    continue
                if normals:  # minus the polar cone's nearest point
                    rows = [n * (-1 if j in above else 1) for j, n in enumerate(normals)]
                    u = -nonnegative_least_squares(stack([n.T for n in rows]).T, u)[1]
                if u.dot(u) > square:
                    return u
        return None

    def cases(self, chosen: Sequence[int]) -> int:
        """At most so many chambers between the chosen walls."""
        if not chosen:
            return 1
        return most_patterns(len(chosen), rank(stack([self._normal(j).T for j in chosen])))

    def _chambers(self, chosen: Sequence[int], limit: int) -> list[set[int]]:
        """Per chamber of the chosen walls those of them that have it on their positive side."""
        if not chosen:
            return [set()]
        if self.cases(chosen) > limit:
            raise BudgetError(f"there are up to {self.cases(chosen)} cases, the limit is {limit}")
        rows = stack([self._normal(j).T for j in chosen])
        return [
            {j for j, side in zip(chosen, pattern, strict=True) if side > 0}
            for pattern, _ in sign_patterns(rows)
        ]

    def _normal(self, j: int) -> RationalMatrix:
        return self.normals.rows(j, j + 1).T

    def _sum(self, chosen) -> RationalMatrix:
        """The sum of the chosen b n."""
        return sum((self._normal(j) * self.bends[j] for j in chosen), zeros(len(self.linear)))


def bent(linear: RationalMatrix, rows: RationalMatrix | None, weights: Sequence[fmpq]) -> Bent:
    r""":math:`\langle a, u\rangle + \sum_i \beta_i \max(\langle x_i, u\rangle, 0)` with parallel
    rows merged.

    For a negative multiple, :math:`\max(-h, 0) = \max(h, 0) - h`. Shapes: a (D, 1), rows (m, D) or
    None, m weights. Rows of zeros do nothing.

    >>> g = bent(exact([0, 0]), exact([[1, 0], [-2, 0], [0, 0]]), [fmpq(1), fmpq(3), fmpq(5)])
    >>> g.linear, g.normals, g.bends, g(exact([-1, 0]))
    (column(-6, 0), [[1, 0]], (7,), 6)
    """
    integers = integer_rows(rows) if rows is not None else []
    kept = [(row, b) for row, b in zip(integers, weights, strict=True) if any(row)]
    normals, sides = hyperplanes([row for row, _ in kept])
    totals = [fmpq(0)] * len(normals)
    for (row, b), (place, side) in zip(kept, sides, strict=True):
        size = b * fmpq(gcd(*row), rows.denominator)
        totals[place] += size
        if side < 0:
            normal = RationalMatrix(fmpz_mat(len(row), 1, list(normals[place])), fmpz(1))
            linear = linear - normal * size
    left = [(normal, b) for normal, b in zip(normals, totals, strict=True) if b]
    if not left:
        return Bent(linear, zeros(0, len(linear)), ())
    entries = [e for normal, _ in left for e in normal]
    walls = RationalMatrix(fmpz_mat(len(left), len(linear), entries), fmpz(1))
    return Bent(linear, walls, tuple(b for _, b in left))
