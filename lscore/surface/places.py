r"""Is a prediction a local minimum? Places for the units are found, or proved not to exist.

Units decouple: at a point with pull :math:`V = p - y` each unit must sit in a face, with an output
sign, where the slopes :math:`\langle V, s\,h(\tilde X r)\rangle` allow it (`Cones.allowed`). What k
units there reach, inside their faces, are the *positive* combinations of the vectors of the faces.
So p is a local minimum of width K if and only if it is a positive combination for some set of at
most K allowed cones; a unit that is left over splits one in use. Where none is in use p is
constant, and all units need a place where they add nothing.

No for all sets is proved by *obstructions*: a vector z with mean 0 whose products with the vectors
of a set are :math:`\ge 0` and with p :math:`\le 0`, not all of them 0, excludes the set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpq, fmpz, fmpz_mat

from lscore.algebra.alternatives import solve_nonnegative
from lscore.algebra.matrices import RationalMatrix, ones
from lscore.errors import LscoreError
from lscore.surface.candidates import (
    Candidate,
    combined,
    count_subsets,
    picked,
    subsets,
    unions,
)

BLOCK = 8192


@dataclass(frozen=True)
class Places:
    """Where units give the fit of a candidate: cones, and a positive weight for each vector.

    No cones: all units have output weight 0 and sit in the face `idle`.
    """

    cones: tuple[int, ...]
    weights: dict[int, fmpq]
    idle: int | None = None


@dataclass(frozen=True, eq=False)
class Search:
    """The allowed cones of a candidate, only those of chambers if `inside`, and sets of them."""

    candidate: Candidate
    width: int
    inside: bool

    @cached_property
    def items(self) -> np.ndarray:
        """The allowed cones that differ in their vectors, by their numbers."""
        cones = self.candidate.cones
        allowed = np.flatnonzero(cones.allowed(self.candidate.slopes))
        allowed = allowed[allowed < cones.open] if self.inside else allowed
        keys = np.packbits(cones.spans[allowed], axis=1)
        return allowed[np.sort(np.unique(keys, axis=0, return_index=True)[1])]

    @property
    def idle(self) -> int | None:
        """A face in which a unit may sit with output weight 0, None if there is none."""
        cones = self.candidate.cones
        both = cones.allowed(self.candidate.slopes).reshape(-1, 2).all(axis=1)
        both = both[: cones.open // 2] if self.inside else both
        return int(cones.face[2 * np.argmax(both)]) if both.any() else None

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The vectors of the sets of cones, (sets, vectors), and the sets, block by block."""
        spans = self.candidate.cones.spans[self.items]
        total = count_subsets(len(self.items), self.width)
        for start in range(1, total, BLOCK):
            sets = subsets(len(self.items), self.width, start, min(start + BLOCK, total))
            yield unions(spans, sets), sets

    def excluded(self, z: RationalMatrix, reached: np.ndarray) -> np.ndarray:
        """Which of the sets with these vectors (sets, vectors) the obstruction z excludes."""
        against = z.dot(self.candidate.fit)
        if against > 0:
            return np.zeros(len(reached), dtype=bool)
        products = self.candidate.cones.slopes_at(z)
        never = ~reached[:, products < 0].any(axis=1)
        return never if against < 0 else never & reached[:, products > 0].any(axis=1)

    def excludes_all(self, obstructions: Iterable[RationalMatrix]) -> bool:
        """Whether the obstructions show that there are no places."""
        if self.candidate.fit.is_zero() and self.idle is not None:
            return False
        return all(
            np.any([self.excluded(z, reached) for z in obstructions], axis=0).all()
            for reached, _ in self.blocks()
        )

    def holds(self, places: Places) -> bool:
        """Whether these are places of the units for the fit, by substitution."""
        cones, fit = self.candidate.cones, self.candidate.fit
        if not places.cones:
            return fit.is_zero() and places.idle is not None and places.idle == self.idle
        allowed = cones.allowed(self.candidate.slopes)[list(places.cones)]
        reached = np.flatnonzero(cones.spans[list(places.cones)].any(axis=0)).tolist()
        weights = [places.weights.get(v, fmpq(0)) for v in reached]
        return (
            len(places.cones) <= self.width
            and allowed.all()
            and (not self.inside or max(places.cones) < cones.open)
            and set(reached) == set(places.weights)
            and min(weights, default=1) > 0
            and combined(cones, reached, weights) == fit
        )

    def _columns(self, vectors: object) -> RationalMatrix:
        return RationalMatrix(picked(self.candidate.cones, vectors).transpose(), fmpz(1))

    def positive(self, vectors: list[int]) -> RationalMatrix | dict[int, fmpq]:
        """Positive weights of the vectors that give the fit, or an obstruction."""
        C, fit = self._columns(vectors), self.candidate.fit
        A = RationalMatrix(_beside(C.numerator * fit.denominator, -fit.numerator), fit.denominator)
        answer = solve_nonnegative(A, fit - C @ ones(len(vectors)))
        if not answer.solvable:
            return -answer.obstruction
        *more, stretch = answer.solution.entries()
        return {v: (1 + x) / (1 + stretch) for v, x in zip(vectors, more, strict=True)}

    def run(self) -> tuple[Places | None, tuple[RationalMatrix, ...]]:
        """Places, or the obstructions that exclude all sets."""
        if self.candidate.fit.is_zero() and self.idle is not None:
            return Places((), {}, self.idle), ()
        reachable = np.flatnonzero(self.candidate.cones.spans[self.items].any(axis=0)).tolist()
        whole = solve_nonnegative(self._columns(reachable), self.candidate.fit)
        obstructions = [] if whole.solvable else [-whole.obstruction]
        for reached, sets in self.blocks():
            waiting = np.arange(len(sets))
            for z in obstructions:
                waiting = waiting[~self.excluded(z, reached[waiting])]
            while len(waiting):
                found = self.positive(np.flatnonzero(reached[waiting[0]]).tolist())
                if isinstance(found, dict):
                    chosen = sets[waiting[0]]
                    return Places(tuple(self.items[chosen[chosen >= 0]].tolist()), found), ()
                out = self.excluded(found, reached[waiting])
                if not out[0]:
                    raise LscoreError("surface: an obstruction failed its check by substitution")
                obstructions.append(found)
                waiting = waiting[~out]
        return None, tuple(obstructions)


def _beside(A: fmpz_mat, b: fmpz_mat) -> fmpz_mat:
    rows = [[*row, e] for row, e in zip(A.tolist(), b.entries(), strict=True)]
    return fmpz_mat(rows)
