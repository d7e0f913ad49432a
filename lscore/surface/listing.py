"""All local minima of a surface: the list, what it rests on, and its certificate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq

from lscore.algebra.matrices import RationalMatrix, augment, to_float
from lscore.cells.arrangement.hyperplanes import count_patterns
from lscore.cells.pattern import locate
from lscore.certificates import Certificate, Question, show
from lscore.model.risk import Risk
from lscore.model.settings import Setting
from lscore.surface.candidates import Candidate, count_subsets, subsets, unions
from lscore.surface.cones import Cones
from lscore.surface.places import BLOCK, Places, Search
from lscore.surface.points import decouples, point_at

SETTING = Setting(
    hidden=1,
    outputs=1,
    biases=True,
    output_activation=False,
    activations=("two-piece",),
    loss="squared loss",
    weight_decay=False,
)
LISTED = Question("B-SOLVE", "these are all values of local minima, and how they are attained")


@dataclass(frozen=True, eq=False)
class Minimum:
    """A value of local minima: the `risk`, and an exact `point` (m, 1) that has it.

    `spurious`: it is not the global minimum. `wall_only`: every local minimum of this risk has a
    pre-activation on a knot. `fits`: how many predictions have it, up to the mean.
    """

    risk: fmpq
    point: RationalMatrix
    spurious: bool
    wall_only: bool
    fits: int

    @property
    def facts(self) -> tuple[fmpq, bool, bool, int]:
        """Everything but the point."""
        return self.risk, self.spurious, self.wall_only, self.fits

    @property
    def where(self) -> str:
        """Where it is attained, in words."""
        return "on walls only" if self.wall_only else "inside a cell"


@dataclass(frozen=True, eq=False)
class Decision:
    """What is known of a candidate: places of its units inside chambers, and anywhere.

    Where there are none, obstructions instead; places inside are places anywhere.
    """

    candidate: Candidate
    inside: Places | None
    anywhere: Places | None
    not_inside: tuple[RationalMatrix, ...]
    nowhere: tuple[RationalMatrix, ...]

    def holds(self, width: int) -> bool:
        """Whether all of that is true, by substitution."""
        pairs = ((True, self.inside, self.not_inside), (False, self.anywhere, self.nowhere))
        return all(
            search.excludes_all(reasons) if places is None else search.holds(places)
            for within, places, reasons in pairs
            if (search := Search(self.candidate, width, within))
        )


@dataclass(frozen=True, eq=False)
class Surface:
    r"""All local minima of a small surface: `minima`, by their risk, the global one first.

    `cells` closed cells were solved, with `decisions` on the different predictions next to the
    labels; `solutions` are the candidates, and `answers` (cells,) says which solves which cell.
    """

    risk: Risk
    cones: Cones
    minima: tuple[Minimum, ...]
    decisions: tuple[Decision, ...]
    solutions: tuple[Candidate, ...]
    answers: np.ndarray

    @property
    def best(self) -> Minimum:
        """The global minimum."""
        return self.minima[0]

    @property
    def spurious(self) -> tuple[Minimum, ...]:
        """The local minima that are not global."""
        return self.minima[1:]

    @property
    def cells(self) -> int:
        """How many closed cells were solved."""
        return len(self.answers)

    def nearest(self, risks: Sequence[float] | np.ndarray, tolerance: float) -> np.ndarray:
        """Which of the minima has each risk up to the tolerance, (trials,); -1 where none has.

        For the ends of training runs, in floats.
        """
        values = np.array([to_float(minimum.risk) for minimum in self.minima])
        gaps = abs(np.asarray(risks, dtype=float)[:, None] - values)
        return np.where(gaps.min(axis=1) <= tolerance, gaps.argmin(axis=1), -1)

    def __repr__(self) -> str:
        n, width = len(self.risk.y), self.risk.network.widths[1]
        lines = [f"samples: {n}, hidden units: {width}, values of local minima: {len(self.minima)}"]
        for minimum in self.minima:
            kind = "spurious" if minimum.spurious else "global"
            lines.append(f"  {show(minimum.risk):<24} {kind:<9} {minimum.where}")
        return "\n".join(lines)

    def certify(self) -> Certificate:
        """Whether the list is true and complete. Claim B-SOLVE.

        Everything is decided again from the data, in rationals: the activation patterns are counted
        by deletion and restriction; each cell has its solution, by the signs of the slopes along
        its vectors; each prediction has places of the units that give it, or obstructions that
        exclude all of them; each listed point has its risk, and its units may sit where they are.
        Sound. Unknown for a risk that `solve_surface` does not take.
        """
        if missing := SETTING.misses(self.risk):
            return LISTED.unknown(missing)
        values = {"global_minimum": self.best.risk} if self.minima else {}
        values |= {"spurious_values": len(self.spurious)}
        return LISTED.line_by_line(self._lines(), values=values)

    def _lines(self) -> Iterator[tuple[str, bool, str]]:
        """The conditions, one after the other: the first that fails is the last one asked."""
        width, patterns = self.risk.network.widths[1], int(self.cones.faces.is_chamber.sum())
        yield (
            f"a unit has {patterns} activation patterns on the data",
            self._fits() and patterns == count_patterns(augment(self.risk.exact_X)),
            "an activation pattern is missing, or it is another surface",
        )
        decided = {_key(decision.candidate) for decision in self.decisions}
        yield (
            f"{self.cells} closed cells have {len(decided)} best predictions",
            decided >= {_key(solution) for solution in self.solutions} and self._are_solved(),
            "a cell has another best prediction",
        )
        yield (
            "each of them is a local minimum with these places, or obstructed",
            all(decision.holds(width) for decision in self.decisions),
            "a prediction is not decided",
        )
        yield (
            f"{len(self.minima)} values are listed, in order, with where they are attained",
            _facts(_by_risk(self.risk, self.decisions)) == [m.facts for m in self.minima],
            "the list is not what follows from the predictions",
        )
        yield (
            "each listed point has its risk, and its units decouple",
            all(self._is_attained(minimum) for minimum in self.minima),
            "a listed point is not a local minimum of its risk",
        )

    def _fits(self) -> bool:
        """Whether all of it is about the unit of this risk."""
        cones, risk = self.cones, self.risk
        candidates = [*self.solutions, *(decision.candidate for decision in self.decisions)]
        return (
            (cones.X, cones.y) == (risk.exact_X, risk.exact_y)
            and tuple(cones.slopes) == risk.network.activations[0].slopes
            and all(candidate.cones is cones for candidate in candidates)
        )

    def _are_solved(self) -> bool:
        """Whether each cell has the solution that it is said to have."""
        cones, width = self.cones, self.risk.network.widths[1]
        spans, total = cones.spans[cones.distinct], count_subsets(len(cones.distinct), width)
        if self.cells != total or not self.solutions:
            return False
        for start in range(0, total, BLOCK):
            stop = min(start + BLOCK, total)
            reached = unions(spans, subsets(len(cones.distinct), width, start, stop))
            answers = self.answers[start:stop]
            for which in np.unique(answers):
                if not self.solutions[which].solves(reached[answers == which]).all():
                    return False
        return True

    def _is_attained(self, minimum: Minimum) -> bool:
        w = locate(self.risk, minimum.point)
        tied = any((part % 2).any() for part in w.run.positions)
        return (
            self.risk(minimum.point) == minimum.risk
            and decouples(self.cones, w)
            and tied == minimum.wall_only
        )


def _key(candidate: Candidate) -> tuple[fmpq, ...]:
    return tuple(candidate.residual.entries())


def _by_risk(risk: Risk, decisions: Iterable[Decision]) -> dict[fmpq, list[Decision]]:
    """The local minima among the decisions, by their risk, in order."""
    found: dict[fmpq, list[Decision]] = {}
    for decision in decisions:
        if decision.anywhere is not None:
            found.setdefault(risk_of(risk, decision.candidate), []).append(decision)
    return dict(sorted(found.items()))


def _facts(found: dict[fmpq, list[Decision]]) -> list[tuple[fmpq, bool, bool, int]]:
    """Risk, spurious, on walls only, number of fits: of each value."""
    lowest = min(found, default=None)
    return [
        (value, value > lowest, all(d.inside is None for d in here), len(here))
        for value, here in found.items()
    ]


def risk_of(risk: Risk, candidate: Candidate) -> fmpq:
    """The risk of the prediction of a candidate, with the best output bias."""
    residual = candidate.residual
    return risk.loss.scale(len(residual)) * residual.dot(residual)


def surface_of(
    risk: Risk,
    cones: Cones,
    decisions: tuple[Decision, ...],
    solutions: tuple[Candidate, ...],
    answers: np.ndarray,
) -> Surface:
    """The surface that these decisions make, with a point for each value."""
    found, minima = _by_risk(risk, decisions), []
    for facts, here in zip(_facts(found), found.values(), strict=True):
        first = next((d for d in here if d.inside is not None), here[0])
        point = point_at(risk, first.candidate, first.inside or first.anywhere)
        value, *others = facts
        minima.append(Minimum(value, point, *others))
    return Surface(risk, cones, tuple(minima), decisions, solutions, answers)
