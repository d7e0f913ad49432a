r"""The predictions that can be local minima: the best of every closed cell.

Give k units k cones. The predictions that they reach together are a cone, and the one next to the
labels is its non-negative least-squares solution. Every local minimum has such a prediction, with
the cones of chambers next to its units. So finitely many problems list the candidates. A solution
of one cell mostly solves many: if its support lies in the cone of another cell, and the risk falls
along no vector of that, then it is the solution there too. That is the proof, by substitution, of
each answer; floats only propose.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations, islice

import numpy as np
from flint import fmpq, fmpz, fmpz_mat

from lscore.algebra.alternatives import nonnegative_least_squares
from lscore.algebra.matrices import RationalMatrix
from lscore.errors import LscoreError
from lscore.surface.cones import Cones


def count_subsets(items: int, largest: int, enough: int | None = None) -> int:
    """How many sets of at most `largest` of so many items there are; a part if that is `enough`.

    >>> count_subsets(4, 2)
    11
    """
    total = term = 1
    for k in range(min(largest, items)):
        if enough is not None and total > enough:
            break
        term = term * (items - k) // (k + 1)
        total += term
    return total


def subsets(items: int, largest: int, start: int, stop: int) -> np.ndarray:
    """The sets of at most `largest` items from number `start` to before `stop`, padded by -1.

    >>> subsets(3, 2, 2, 6).tolist()
    [[1, -1], [2, -1], [0, 1], [0, 2]]
    """
    largest = min(largest, items)
    every = chain.from_iterable(combinations(range(items), k) for k in range(largest + 1))
    rows = [(*row, *[-1] * (largest - len(row))) for row in islice(every, start, stop)]
    return np.array(rows, dtype=np.int32).reshape(len(rows), largest)


def unions(spans: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Which vectors the items of each set have together, (sets, vectors) booleans."""
    padded = np.vstack([spans, np.zeros_like(spans[:1])])
    found = np.zeros((len(sets), spans.shape[1]), dtype=bool)
    for column in sets.T:
        found |= padded[column]
    return found


@dataclass(frozen=True, eq=False)
class Candidate:
    r"""The prediction :math:`p = \sum_u \beta_u u` next to the labels, over vectors of a support.

    `support`: numbers of independent vectors; the weights :math:`\beta` are their least squares.
    """

    cones: Cones
    support: tuple[int, ...]

    @cached_property
    def _columns(self) -> fmpz_mat:
        return picked(self.cones, self.support)

    @cached_property
    def weights(self) -> list[fmpq]:
        """The weights of the vectors of the support."""
        rows, target = self._columns, self.cones.target
        right = rows * target.numerator
        if not self.support:
            return []
        found = (rows * rows.transpose()).solve(right)
        return [e / target.denominator for e in found.entries()]

    @cached_property
    def fit(self) -> RationalMatrix:
        """The prediction without its mean, (n, 1)."""
        return combined(self.cones, self.support, self.weights)

    @cached_property
    def residual(self) -> RationalMatrix:
        """Prediction minus labels, (n, 1); its mean is 0."""
        return self.fit - self.cones.target

    @cached_property
    def slopes(self) -> np.ndarray:
        """The sign of the slope of the risk along each vector, (vectors,)."""
        return self.cones.slopes_at(self.residual)

    def solves(self, reached: np.ndarray) -> np.ndarray:
        """Of which cells, given by their vectors (cells, vectors), it is the solution."""
        if min(self.weights, default=1) <= 0 or self.slopes[list(self.support)].any():
            return np.zeros(len(reached), dtype=bool)
        falls = reached[:, self.slopes < 0].any(axis=1)
        return reached[:, list(self.support)].all(axis=1) & ~falls


def picked(cones: Cones, vectors: object) -> fmpz_mat:
    """The vectors of these numbers as rows."""
    n = cones.vectors.ncols()
    entries = [e for v in vectors for e in cones.rows[v]]
    return fmpz_mat(len(entries) // n, n, entries)


def combined(cones: Cones, vectors: object, weights: list[fmpq]) -> RationalMatrix:
    """The sum of the vectors of these numbers with these weights, (n, 1)."""
    common = fmpz(1)
    for weight in weights:
        common = common.lcm(weight.q)
    whole = fmpz_mat(1, len(weights), [weight.p * (common // weight.q) for weight in weights])
    return RationalMatrix((whole * picked(cones, vectors)).transpose(), common)


def cell_solutions(
    cones: Cones, width: int, start: int, stop: int
) -> tuple[list[Candidate], np.ndarray]:
    """The solutions of the cells from number `start` to before `stop`, and which is each one's.

    Cells are sets of at most `width` of the `distinct` cones. Exact.
    """
    cells = subsets(len(cones.distinct), width, start, stop)
    reached = unions(cones.spans[cones.distinct], cells)
    answers, waiting = np.full(len(cells), -1, dtype=np.int32), np.arange(len(cells))
    found: list[Candidate] = []
    while len(waiting):
        columns = np.flatnonzero(reached[waiting[0]]).tolist()
        A = RationalMatrix(picked(cones, columns).transpose(), fmpz(1))
        x = nonnegative_least_squares(A, cones.target)[0].entries()
        pairs = zip(columns, x, strict=True) if columns else ()
        candidate = Candidate(cones, tuple(v for v, weight in pairs if weight))
        solved = candidate.solves(reached[waiting])
        if not solved[0]:
            raise LscoreError("surface: a solution failed its check by substitution")
        answers[waiting[solved]] = len(found)
        found.append(candidate)
        waiting = waiting[~solved]
    return found, answers
