r"""Linear feasibility in rationals, with a certificate for either answer.

Two alternatives, each decided by a simplex run over the integers (fraction-free pivots, Bland's
rule against cycling; on larger systems floats propose the last basis) and confirmed by
substitution before it is returned:

- Farkas: either :math:`Ax = b` has a solution :math:`x \ge 0`, or some y has
  :math:`y^\top A \ge 0` and :math:`y^\top b < 0`.
- Gordan: either :math:`A\delta \ge 1` has a solution, or some :math:`q \ge 0`, :math:`q \ne 0`
  has :math:`q^\top A = 0`.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import mul

from flint import fmpq, fmpz, fmpz_mat

from lscore.errors import LscoreError, ShapeError
from lscore.exact import RationalMatrix, ones, zeros
from lscore.linear_algebra import pivot_columns
from lscore.simplex import exact_basis, float_basis, integer_rows

_LARGE = 150  # entries from which floats propose a basis first


@dataclass(frozen=True, eq=False)
class NonnegativeSolution:
    """Either `solution` x >= 0 with A x = b, (n, 1), or the `farkas` vector y, (m, 1)."""

    solution: RationalMatrix | None
    farkas: RationalMatrix | None

    @property
    def exists(self) -> bool:
        return self.solution is not None


@dataclass(frozen=True, eq=False)
class StrictDirection:
    """Either a `direction` with A direction >= 1, (d, 1), or the Gordan `multiplier`, (k, 1)."""

    direction: RationalMatrix | None
    multiplier: RationalMatrix | None

    @property
    def exists(self) -> bool:
        return self.direction is not None


def _column_of(v: RationalMatrix, rows: int) -> bool:
    return v.shape == (rows, 1)


def _bounded_below(v: RationalMatrix, bound: int) -> bool:
    """Whether every entry is at least `bound`; true of a column without entries."""
    return all(e >= bound * v.denominator for e in v.numerator.entries())


def solves(A: RationalMatrix, b: RationalMatrix, x: RationalMatrix) -> bool:
    """Whether x >= 0 and A x = b, by substitution.

    >>> from lscore.exact import exact
    >>> A, b = exact([[1, 1]]), exact([2])
    >>> solves(A, b, exact([2, 0])), solves(A, b, exact([3, -1])), solves(A, b, exact([1, 0]))
    (True, False, False)
    """
    return _column_of(x, A.shape[1]) and _bounded_below(x, 0) and A @ x == b


def is_farkas_vector(A: RationalMatrix, b: RationalMatrix, y: RationalMatrix) -> bool:
    """Whether y'A >= 0 and y'b < 0, which excludes every x >= 0 with A x = b.

    >>> from lscore.exact import exact
    >>> A, b = exact([[1, 1]]), exact([-2])
    >>> is_farkas_vector(A, b, exact([1])), is_farkas_vector(A, b, exact([-1]))
    (True, False)
    """
    return _column_of(y, len(A)) and _bounded_below(A.T @ y, 0) and y.dot(b) < 0


def is_strict_direction(A: RationalMatrix, direction: RationalMatrix) -> bool:
    """Whether A direction >= 1 in every row.

    >>> from lscore.exact import exact
    >>> is_strict_direction(exact([[1, 0], [1, 1]]), exact([1, 0]))
    True
    >>> is_strict_direction(exact([[1, 0], [1, 1]]), exact([1, "-1/9"]))
    False
    """
    return _column_of(direction, A.shape[1]) and _bounded_below(A @ direction, 1)


def is_gordan_multiplier(A: RationalMatrix, multiplier: RationalMatrix) -> bool:
    """Whether q >= 0, q != 0 and q'A = 0, which excludes every d with A d > 0.

    >>> from lscore.exact import exact
    >>> A = exact([[1, 0], [-2, 0]])
    >>> is_gordan_multiplier(A, exact([2, 1])), is_gordan_multiplier(A, exact([0, 0]))
    (True, False)
    """
    return (
        _column_of(multiplier, len(A))
        and _bounded_below(multiplier, 0)
        and not multiplier.is_zero()
        and (A.T @ multiplier).is_zero()
    )


def nonnegative_solution(A: RationalMatrix, b: RationalMatrix) -> NonnegativeSolution:
    r"""Solve :math:`Ax = b`, :math:`x \ge 0`, or prove by a Farkas vector that nothing does.

    Shapes: A (m, n), b (m, 1); any rank, zero rows and repeated rows included. The solution is a
    basic one: at most rank(A) entries are not 0. Sound and complete: one of the two answers always
    comes, verified by `solves` or `is_farkas_vector`. Raises `ShapeError`.

    >>> from lscore.exact import exact
    >>> A = exact([[1, 2, 0], [0, 1, 1]])
    >>> nonnegative_solution(A, exact([4, 1])).solution
    column(2, 1, 0)
    >>> nonnegative_solution(A, exact([1, -1])).farkas
    column(0, 1)
    """
    if b.shape != (len(A), 1):
        raise ShapeError(f"b: shape {b.shape}, need {(len(A), 1)} for A of shape {A.shape}")
    rows, scales = integer_rows(A, b)
    if A.shape[0] * A.shape[1] >= _LARGE:
        basis, tops = float_basis(rows, A.shape[1])
        answer = _read(A, b, list(map(mul, scales, tops)), basis)
        if answer is not None:
            return answer
    answer = _read(A, b, scales, exact_basis(rows, A.shape[1]))
    if answer is None:
        raise LscoreError("nonnegative_solution: the last basis failed its check by substitution")
    return answer


def strict_direction(A: RationalMatrix, proposal: RationalMatrix | None = None) -> StrictDirection:
    r"""Find a direction with :math:`A\delta \ge 1`, or prove that :math:`A\delta > 0` has none.

    Shape of A: (k, d); k = 0 is allowed and every direction will do. A `proposal` (d, 1) that
    already has :math:`A\delta > 0` is scaled and returned without a simplex run, as is the sum of
    the rows. Sound and complete, verified by `is_strict_direction` or `is_gordan_multiplier`.

    >>> from lscore.exact import exact
    >>> strict_direction(exact([[1, 0], [-1, 2]])).direction
    column(1, 1)
    >>> strict_direction(exact([[1, 0], [-1, 2], [0, -1]])).multiplier
    column(1/4, 1/4, 1/2)
    """
    k, d = A.shape
    if k == 0:
        return StrictDirection(zeros(d), None)
    for candidate in (proposal, A.T @ ones(k)):
        if candidate is not None and (scaled := _scaled(A, candidate)) is not None:
            return StrictDirection(_confirmed(scaled, is_strict_direction(A, scaled)), None)
    columns = pivot_columns(A.numerator)
    entries = A.numerator.entries()
    rows = [e for j in columns for e in entries[j::d]] + [fmpz(1)] * k
    system = RationalMatrix(fmpz_mat(len(columns) + 1, k, rows), fmpz(1))
    right = fmpz_mat(len(columns) + 1, 1, [0] * len(columns) + [1])
    answer = nonnegative_solution(system, RationalMatrix(right, fmpz(1)))
    if answer.exists:
        q = answer.solution
        return StrictDirection(None, _confirmed(q, is_gordan_multiplier(A, q)))
    *y, level = answer.farkas.entries()  # integer rows times y are at least -level > 0
    found = dict(zip(columns, y, strict=True))
    direction = _column([found.get(j, fmpq(0)) * A.denominator / -level for j in range(d)])
    return StrictDirection(_confirmed(direction, is_strict_direction(A, direction)), None)


def _scaled(A: RationalMatrix, direction: RationalMatrix) -> RationalMatrix | None:
    """The direction, stretched until A direction >= 1; None if it has a product <= 0."""
    smallest = (A @ direction).smallest()
    return None if smallest <= 0 else direction * (1 / min(smallest, fmpq(1)))


def _confirmed(vector: RationalMatrix, holds: bool) -> RationalMatrix:
    if not holds:
        raise LscoreError("linear program: an answer failed its own check")
    return vector


def _read(A: RationalMatrix, b: RationalMatrix, scales: list[int], basis: list[int]):
    """The verified answer that a basis holds, or None.

    Solution: B x_B = b. Farkas vector: B'y = -c_B with cost 1 on the artificial variables.
    """
    m, n = A.shape
    if m == 0:
        return NonnegativeSolution(zeros(n), None)
    entries, rows = A.numerator.entries(), []
    for variable in basis:
        if variable < n:
            rows += entries[variable::n]
        else:
            rows += [scales[i] if i == variable - n else 0 for i in range(m)]
    transposed = fmpz_mat(m, m, rows)
    try:
        values = transposed.transpose().solve(b.numerator).entries()
    except ZeroDivisionError:
        return None
    x = [fmpq(0)] * n
    for variable, value in zip(basis, values, strict=True):
        if variable < n:
            x[variable] = value
    x = _column(x) * fmpq(A.denominator, b.denominator)
    if solves(A, b, x):
        return NonnegativeSolution(x, None)
    costs = fmpz_mat(m, 1, [0 if variable < n else -1 for variable in basis])
    numerator, denominator = transposed.solve(costs).numer_denom()
    y = RationalMatrix(numerator, denominator)
    return NonnegativeSolution(None, y) if is_farkas_vector(A, b, y) else None


def _column(entries: list[fmpq]) -> RationalMatrix:
    common = fmpz(1)
    for e in entries:
        common = common.lcm(e.q)
    integers = [e.p * (common // e.q) for e in entries]
    return RationalMatrix(fmpz_mat(len(entries), 1, integers), common)
