r"""Zonotopes: offset plus boxes of generators, and whether 0 lies in one.

Where no hidden unit is on a knot, the Clarke subdifferential of a hinge risk lies in
:math:`\{a + \sum_j p_j g_j : 0 \le p_j \le \mu_j\}`: one exact linear program, no enumeration.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq, fmpz, fmpz_mat

from lscore.errors import DataError, LscoreError, ShapeError
from lscore.exact import RationalMatrix, stack, zeros
from lscore.linear_programs import nonnegative_solution


@dataclass(frozen=True, eq=False)
class ZeroInZonotope:
    """Either `coefficients` p (k, 1) that reach 0, or a `direction` d (m, 1).

    The direction has <z, d> <= -1 for every point z of the zonotope.
    """

    coefficients: RationalMatrix | None
    direction: RationalMatrix | None

    @property
    def contained(self) -> bool:
        return self.coefficients is not None


def reaches_zero(
    offset: RationalMatrix,
    generators: RationalMatrix,
    bounds: RationalMatrix,
    coefficients: RationalMatrix,
) -> bool:
    """Whether 0 <= p <= bounds and offset + generators p = 0.

    >>> from lscore.exact import exact
    >>> half = exact(["1/2"])
    >>> reaches_zero(exact([-1]), exact([[2]]), exact([1]), half)
    True
    >>> reaches_zero(exact([-1]), exact([[2]]), exact(["1/4"]), half)
    False
    """
    return (
        coefficients.shape == bounds.shape
        and coefficients.smallest() >= 0
        and (bounds - coefficients).smallest() >= 0
        and (offset + generators @ coefficients).is_zero()
    )


def separates_zero(
    offset: RationalMatrix,
    generators: RationalMatrix,
    bounds: RationalMatrix,
    direction: RationalMatrix,
) -> bool:
    r"""Whether <z, d> <= -1 on the whole zonotope: its largest value there is
    :math:`\langle a, d\rangle + \sum_j \mu_j \max(\langle g_j, d\rangle, 0)`.

    >>> from lscore.exact import exact
    >>> args = exact([-3]), exact([[2]]), exact([1])
    >>> separates_zero(*args, exact([1])), separates_zero(*args, exact(["1/2"]))
    (True, False)
    """
    if direction.shape != offset.shape:
        return False
    slopes = (generators.T @ direction).entries()
    pairs = zip(slopes, bounds.entries(), strict=True)
    return offset.dot(direction) + sum((s * b for s, b in pairs if s > 0), fmpq(0)) <= -1


def zonotope_contains_zero(
    offset: RationalMatrix, generators: RationalMatrix, bounds: RationalMatrix
) -> ZeroInZonotope:
    r"""Is :math:`a + \sum_j p_j g_j = 0` for some :math:`0 \le p_j \le \mu_j`?

    Shapes: offset a (m, 1), generators (m, k) with k >= 1, bounds mu (k, 1), all >= 0. Sound and
    complete, verified by `reaches_zero` or `separates_zero`. Raises `ShapeError`, `DataError`.

    >>> from lscore.exact import exact
    >>> zonotope_contains_zero(exact([-1]), exact([[2, 1]]), exact([1, 1])).coefficients
    column(0, 1)
    >>> zonotope_contains_zero(exact([-4]), exact([[2, 1]]), exact([1, 1])).direction
    column(1)
    """
    m, k = generators.shape
    if offset.shape != (m, 1) or bounds.shape != (k, 1):
        raise ShapeError(
            f"offset, bounds: shapes {offset.shape} and {bounds.shape}, need {(m, 1)} and {(k, 1)}"
        )
    if bounds.smallest() < 0:
        raise DataError(f"bounds: smallest entry {bounds.smallest()}, need >= 0")
    # variables p and the slacks mu - p
    unit = [[fmpz(i == j) for j in range(k)] for i in range(k)]
    identity = RationalMatrix(fmpz_mat(k, k, [e for row in unit for e in row]), fmpz(1))
    system = stack([stack([generators.T, zeros(k, m)]).T, stack([identity, identity]).T])
    answer = nonnegative_solution(system, stack([-offset, bounds]))
    if answer.exists:
        p = answer.solution.rows(0, k)
        return ZeroInZonotope(_checked(p, reaches_zero(offset, generators, bounds, p)), None)
    # y = (u, v): u'g + v >= 0, v >= 0 and -u'a + v'mu < 0, so -u separates
    y = answer.farkas
    level = -y.dot(stack([-offset, bounds]))
    direction = y.rows(0, m) * (-1 / level)
    holds = separates_zero(offset, generators, bounds, direction)
    return ZeroInZonotope(None, _checked(direction, holds))


def _checked(value: RationalMatrix, holds: bool) -> RationalMatrix:
    if not holds:
        raise LscoreError("zonotope: an answer failed its own check")
    return value
