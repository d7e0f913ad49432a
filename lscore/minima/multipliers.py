r"""Exact multipliers at a kink: one linear program per case, or a direction along which F falls.

Near a point the risk of one hidden layer with a convex, piecewise linear loss is a piecewise linear
function F of c and of :math:`a_k = |v_k| (w_k, b_k)`; see `lscore.minima.kinks`. Its derivative is
:math:`F'(\delta) = \sum_i \max_p -p\, \hat y_i'(\delta)`, p in an interval for each sample. Where
every tie has a side or bends F upwards, F' is a maximum of linear functions. There it is >= 0,
shown by exact multipliers, or it falls along a direction (Farkas).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import comb, gcd, prod

from flint import fmpq

from lscore.algebra.alternatives import Alternative, ConvexSet, nonnegative_least_squares
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.arrangement.hyperplanes import sign_patterns

Numbers = Sequence[fmpq]


@dataclass(frozen=True)
class Face:
    """A unit with a sign of its output weight, and the `sides` (sample: +-1) of its concave ties.

    Without sides (None) it is an unused unit whose a stays on the ray of its input weights.
    """

    unit: int
    sign: int
    sides: dict[int, int] | None


@dataclass(frozen=True)
class Level:
    """A direction: the change `shift` of c and `moves` of a per unit, and the `slope` F'.

    `turns` says of the units without sides by how much of their input weights their a moves.
    """

    shift: fmpq
    moves: dict[int, Numbers]
    turns: dict[int, fmpq]
    signs: dict[int, int]
    slope: fmpq


@dataclass(frozen=True)
class Slopes:
    r"""F around a point: what its directional derivatives are made of.

    `data` (n, D) are the inputs, with a 1 if hidden units have biases; `pre` and `z` have a row per
    unit, the pre-activations (n) and input weights (D); `v` are the output weights, `bounds` the
    intervals of p, minus the subdifferential of the loss at the output of each sample; `slopes` are
    those of the activation, left and right of 0; `shifts`: whether there is an output bias c.
    """

    data: list[Numbers]
    pre: list[Numbers]
    z: list[Numbers]
    v: Numbers
    bounds: list[tuple[fmpq, fmpq]]
    slopes: tuple[fmpq, fmpq]
    shifts: bool

    @cached_property
    def pulling(self) -> list[int]:
        """The samples that F can feel."""
        return [i for i, bounds in enumerate(self.bounds) if any(bounds)]

    @cached_property
    def free(self) -> list[int]:
        """The samples whose p is not fixed."""
        return [i for i, (low, high) in enumerate(self.bounds) if low < high]

    @cached_property
    def seen(self) -> list[list[int]]:
        """Per unit the samples at which its change changes an output that F feels."""
        left, right = (slope != 0 for slope in self.slopes)
        on, inputs = (left or right, right, left), [any(x) for x in self.data]
        return [[i for i in self.pulling if inputs[i] and on[_sign(h[i])]] for h in self.pre]

    @cached_property
    def ties(self) -> list[list[int]]:
        """Per unit the samples at which F bends with it."""
        bent = self.slopes[0] != self.slopes[1]
        return [
            [i for i in of if bent and not h[i]] for of, h in zip(self.seen, self.pre, strict=True)
        ]

    @cached_property
    def steady(self) -> list[Numbers]:
        r"""Per unit :math:`\sum_i p_i \lambda_{ik} \tilde x_i` of fixed p, without ties."""
        found = []
        for k, h in enumerate(self.pre):
            total = [fmpq(0)] * len(self.data[0])
            for i in set(self.seen[k]).difference(self.free, self.ties[k]):
                pull = self.bounds[i][0] * self.slopes[h[i] > 0]
                total = [a + pull * x for a, x in zip(total, self.data[i], strict=True)]
            found.append(total)
        return found

    def folds(self, i: int, sign: int) -> int:
        """The sign of p if F bends upwards at ties of sample i with units of this sign, else 0."""
        low, high = self.bounds[i]
        side = 1 if low >= 0 else -1 if high <= 0 else 0
        return side * (side * sign * (self.slopes[1] - self.slopes[0]) < 0)

    def concave(self, k: int, sign: int) -> list[int]:
        """The ties of unit k that need a side."""
        return [i for i in self.ties[k] if not self.folds(i, sign)]

    def signs(self, k: int) -> list[int]:
        """The signs that the output weight of unit k has near the point."""
        return [_sign(self.v[k])] if self.v[k] else [-1, 1]

    def faces(self, k: int, sign: int) -> list[Face]:
        """One for each chamber of the concave ties."""
        ties = self.concave(k, sign)
        patterns = sign_patterns(exact([self.data[i] for i in ties])) if ties else [((), None)]
        return [Face(k, sign, dict(zip(ties, sides, strict=True))) for sides, _ in patterns]

    @cached_property
    def blocks(self) -> list[list[int]]:
        """The units that see a p that is not fixed, and every other unit on its own."""
        coupled = [k for k, seen in enumerate(self.seen) if not set(seen).isdisjoint(self.free)]
        return [coupled, *([k] for k, seen in enumerate(self.seen) if seen and k not in coupled)]

    @cached_property
    def cases(self) -> int:
        """Not more than so many, as m hyperplanes leave these chambers at most in D dimensions."""
        counts = []
        for k in range(len(self.v)):
            sizes = [len(self.concave(k, sign)) for sign in self.signs(k)]
            below = range(len(self.data[0]))
            counts.append(sum(2 * sum(comb(m - 1, j) for j in below) if m else 1 for m in sizes))
        return sum(prod(counts[k] for k in block) for block in self.blocks)

    def choices(self, block: list[int]) -> Iterator[tuple[Face, ...]]:
        """The cases of a block of units, those of unused units without sides at first."""
        lists = [
            self.faces(k, *self.signs(k)) if self.v[k] else [Face(k, s, None) for s in (-1, 1)]
            for k in block
        ]
        return product(*lists)

    def level(self, shift: fmpq, moves: dict[int, Numbers], turns: dict, signs: dict) -> Level:
        """A direction and its slope, with ties resolved by the direction itself."""
        slope = fmpq(0)
        for i in self.pulling:
            change = shift
            for k, move in moves.items():
                speed = _dot(move, self.data[i])
                change += signs[k] * self.slopes[(self.pre[k][i] or speed) > 0] * speed
            slope += max(-p * change for p in self.bounds[i])
        return Level(shift, moves, turns, signs, slope)

    def decide(self, faces: Sequence[Face], shared: bool) -> list[Level] | list[Numbers]:
        r"""The p of the case of these faces, one per way to give sides; or the levels of a descent.

        `shared`: c and the free p belong to the case. F' is 0 along all levels but the last, and
        negative there. A unit without sides that a level turns on gets sides for the next.
        """
        found = _Program(self, faces, shared).solve()
        if not isinstance(found, Level) or found.slope < 0:
            return [found]
        on = [face for face in faces if found.turns.get(face.unit, 0) > 0]
        rest, multipliers = [face for face in faces if face not in on], []
        for choice in product(*(self.faces(face.unit, face.sign) for face in on)):
            below = self.decide([*rest, *choice], shared)
            if isinstance(below[0], Level):
                return [found, *below]
            multipliers += below
        return multipliers


def _dot(a: Numbers, b: Numbers) -> fmpq:
    """The sum of the products."""
    return sum((x * y for x, y in zip(a, b, strict=True)), fmpq(0))


def _sign(value: fmpq) -> int:
    return (value > 0) - (value < 0)


def _solved(A: RationalMatrix, b: RationalMatrix) -> tuple[Numbers, Numbers | None]:
    """x >= 0 with A x = b, or Farkas' vector y with A' y >= 0 > b' y in small integers.

    Not `solve_nonnegative`: the exact residual is the same on every machine.
    """
    x, residual = nonnegative_least_squares(A, b)
    within = ConvexSet(-b, A)
    if residual.is_zero():
        return Alternative(within, x).solution.entries(), None
    away = Alternative(within, None, residual * (-1 / residual.dot(residual))).obstruction
    whole = [-e for e in away.numerator.entries()]
    content = gcd(*map(int, whole))
    return [], [fmpq(e, content) for e in whole]


class _Program:
    r"""The multipliers of one case: linear equations in unknowns >= 0, columns as dictionaries.

    p is :math:`\theta l + u`, :math:`0 \le u \le \theta (r - l)`; :math:`\theta \ge 1` scales it
    until :math:`\langle g_k, z_k \rangle \le -1` for the units without sides. Row 0 says
    :math:`\sum_i p_i = 0`, then come the rows of the faces, then those of the bounds.
    """

    def __init__(self, at: Slopes, faces: Sequence[Face], shared: bool):
        self.at, self.faces, self.height = at, faces, 1
        self.free = {i: {} for i in at.free if shared}  # what each p that is not fixed does
        self.fixed: dict[int, fmpq] = {}  # what the lower bounds of all p do
        self.own: list[dict[int, fmpq]] = []
        if shared and at.shifts:
            for i in at.pulling:
                self._pull(i, {0: fmpq(1)})
        self.starts = [self._face(face) for face in faces]

    def _pull(self, i: int, column: dict[int, fmpq]) -> None:
        """Add what the p of a sample does."""
        if i in self.free:
            self.free[i] |= column
        for row, value in column.items():
            self.fixed[row] = self.fixed.get(row, 0) + self.at.bounds[i][0] * value

    def _face(self, face: Face) -> int:
        """Add what every p does to a face, and its own unknowns; returns its first row."""
        at, k, start = self.at, face.unit, self.height
        moving = [i for i in self.free if i in at.seen[k] and i not in at.ties[k]]
        if face.sides is None:
            self.height += 1
            self.own.append({start: fmpq(1)})
            self.fixed[start] = face.sign * _dot(at.steady[k], at.z[k])
            for i in moving:
                h = at.pre[k][i]
                self._pull(i, {start: face.sign * at.slopes[h > 0] * h})
            return start
        self.height += len(at.data[0])
        self.fixed |= {start + j: face.sign * e for j, e in enumerate(at.steady[k])}
        for i in [*moving, *at.ties[k]]:
            side = face.sides.get(i, 0)
            column = self._along(start, i, face.sign * at.slopes[(at.pre[k][i] or side) > 0])
            if side:
                self.own.append(self._along(start, i, side))
            elif i not in moving:  # a slope between the two: |p| is e and its complement
                folds, row = at.folds(i, face.sign), self.height
                bend = face.sign * folds * (at.slopes[1] - at.slopes[0])
                column[row] = fmpq(-folds)
                self.own += [self._along(start, i, bend) | {row: fmpq(1)}, {row: fmpq(1)}]
                self.height += 1
            self._pull(i, column)
        return start

    def _along(self, start: int, i: int, factor: fmpq) -> dict[int, fmpq]:
        return {start + j: factor * x for j, x in enumerate(self.at.data[i])}

    def solve(self) -> Numbers | Level:
        """The p of all samples, or a direction that obstructs them."""
        fixed, columns = self.fixed, []
        for row, (i, column) in enumerate(self.free.items(), start=self.height):
            low, high = self.at.bounds[i]
            fixed[row] = low - high
            columns += [column | {row: 1}, {row: 1}]
        self.height += len(self.free)
        pairs = list(zip(self.starts, self.faces, strict=True))
        strict = {start for start, face in pairs if face.sides is None}
        columns += [*([fixed] if strict else []), *self.own]
        A = [[column.get(row, 0) for column in columns] or [0] for row in range(self.height)]
        b = [-fixed.get(row, 0) - (row in strict) for row in range(self.height)]
        x, away = _solved(exact(A), exact(b))
        if away is None:
            theta = 1 + x[2 * len(self.free)] if strict else fmpq(1)
            raised = {i: x[2 * j] / theta for j, i in enumerate(self.free)}
            return tuple(low + raised.get(i, 0) for i, (low, _) in enumerate(self.at.bounds))
        turns = {face.unit: away[start] for start, face in pairs if start in strict}
        moves = {
            face.unit: [away[start] * e for e in self.at.z[face.unit]]
            if start in strict
            else away[start : start + len(self.at.data[0])]
            for start, face in pairs
        }
        return self.at.level(away[0], moves, turns, {face.unit: face.sign for face in self.faces})
