r"""Activation cells: which linear piece every unit uses on every sample, decided exactly.

The *pattern* of a point lists, for every sample, the piece of every unit and, for a loss with knots
such as a hinge loss, the piece of every margin: its margins are one more layer of switches. Points
with the same pattern and no tie form a cell; there the risk is one polynomial, which `Cell`
evaluates, at its own points and at any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.arrays import object_array
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.errors import SettingError, ShapeError, TieError
from lscore.model.activations import PiecewiseLinear
from lscore.model.losses import objects
from lscore.model.networks import Point
from lscore.model.passes import Frozen, Matrix, Pass, backward, forward, layout, trace
from lscore.model.risk import Risk

Tie = tuple[int, int, int]


def switches(risk: Risk) -> list[PiecewiseLinear]:
    """What bends, one per switch layer: the activations, then the margins if the loss has knots."""
    return [*risk.network.switches, *([risk.loss.switch] if risk.loss.knots else [])]


def switched(risk: Risk, run: Pass) -> list[Matrix]:
    """The signals (n, width) of every switch layer in a pass, of any kind of number."""
    margins = [risk.loss.margins(run.outputs, risk.exact_y)] if risk.loss.knots else []
    return [*run.pre[: len(risk.network.switches)], *margins]


@dataclass(frozen=True, eq=False)
class Pattern:
    """Where a point lies: an (n, width) array of positions per switch layer.

    A position is 2p inside the open piece p and 2p + 1 on knot p. If `margins` is set, the last
    layer holds the margins of the loss (hinge: 0 slack, 1 tie, 2 unsolved). Patterns are equal if
    all positions are.
    """

    layers: tuple[np.ndarray, ...]
    margins: bool = False

    @property
    def ties(self) -> list[Tie]:
        """(layer, sample, unit) of everything that lies on a knot; layers are counted from 1."""
        return [
            (l, int(i), int(k))
            for l, part in enumerate(self.layers, start=1)
            for i, k in np.argwhere(part % 2)
        ]

    @property
    def in_cell(self) -> bool:
        """Whether nothing lies on a knot, so that the point is inside an open cell."""
        return not any((part % 2).any() for part in self.layers)

    @property
    def pieces(self) -> tuple[np.ndarray, ...]:
        """The piece of every signal; on a knot the left one."""
        return tuple(part // 2 for part in self.layers)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pattern):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple:
        return tuple((part.shape, part.tobytes()) for part in self.layers)

    def _names(self) -> list[str]:
        names = [f"layer {l}" for l in range(1, len(self.layers) + 1)]
        return [*names[:-1], "margins"] if self.margins else names

    def __str__(self) -> str:
        return "\n".join(
            f"{name}  " + " ".join("".join(map(_symbol, row)) for row in part)
            for name, part in zip(self._names(), self.layers, strict=True)
        )

    __repr__ = __str__

    def check_inside(self) -> None:
        """Raise `TieError` naming the first tie if there is one."""
        for l, i, k in self.ties[:1]:
            name = self._names()[l - 1]
            what = f"margin {k}" if name == "margins" else f"unit {k} of {name}"
            raise TieError(
                f"w: lies on a wall, {what} has a tie at sample {i} ({len(self.ties)} in all)"
            )


def _symbol(position: int) -> str:
    """- and + for the two pieces around one knot, 0 on it; further pieces are numbered 2, 3, ..."""
    if position % 2:
        return "0" if position == 1 else "|"
    return ("-", "+")[position // 2] if position < 4 else str(position // 2)


@dataclass(frozen=True, eq=False, repr=False)
class Located(RationalMatrix):
    """An exact point (m, 1) that knows where it lies: its forward `run` and its `pattern`.

    Whatever takes an exact point takes it, and hands it on, so that the pass is made once.
    """

    risk: Risk
    run: Pass
    pattern: Pattern

    @cached_property
    def clearance(self) -> fmpq | None:
        """The smallest distance of a signal to a knot; None without knots."""
        pairs = zip(switches(self.risk), switched(self.risk, self.run), strict=True)
        gaps = (abs(value - t) for h, z in pairs for t in h.knots for value in z.entries())
        return min(gaps, default=None)

    @cached_property
    def cell(self) -> Cell:
        """The open cell around the point; raises `TieError` naming the first tie on a wall."""
        self.pattern.check_inside()
        return Cell(self.risk, self.pattern.pieces)


def locate(risk: Risk, w: Point | np.ndarray) -> Located:
    """The point as an exact one that knows its pattern; one that does already is handed on."""
    if isinstance(w, Located) and w.risk is risk:
        return w
    w = exact(risk.network.point(w), "w")
    run = trace(risk.network, w, risk.exact_X)
    margins = [risk.loss.positions(run.outputs, risk.exact_y)] if risk.loss.knots else []
    pattern = Pattern((*run.positions, *margins), bool(margins))
    return Located(w.numerator, w.denominator, risk, run, pattern)


@checked
def pattern_at(risk: Risk, w: Point | np.ndarray) -> Pattern:
    """The exact pattern of a point; float points and data are taken as the dyadics they are.

    Piecewise linear networks of any depth, any loss. No sign is ever guessed: what lies on a knot
    is a tie. Raises `SettingError` for smooth activations. Source: the function S of Laurent and
    von Brecht (2018), Lemma 1 (LVB-L1).

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1], [-1, 1], binary_hinge())
    >>> pattern_at(risk, exact([1, 1, 1, -1, 1, 0, -2]))
    layer 1  +- +0
    margins  0 +
    """
    return locate(risk, w).pattern


@checked
@dataclass(frozen=True, eq=False)
class Cell:
    r"""A cell: the `pieces` (n, width) of each switch layer, the margins of the loss included.

    As a function of w it is the polynomial that equals the risk on the cell, continued to all of
    parameter space: the *frozen* risk. Exact points only; `frozen_pass` takes
    other numbers.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1.0], [1.0])
    >>> cell = cell_at(risk, exact([2, 2]))               # w, v > 0: (v w - 1)^2 / 2
    >>> cell(exact([2, 2])), cell(exact([-1, 1])), risk(exact([-1, 1]))
    (9/2, 2, 1/2)
    """

    risk: Risk
    pieces: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        n, network = len(self.risk.y), self.risk.network
        needed = [(n, width) for width in network.widths[1 : len(network.switches) + 1]]
        needed += [self.risk.margin_lines.shape[:2]] if self.risk.loss.knots else []
        given = [part.shape for part in self.pieces]
        if given != needed:
            raise ShapeError(f"pieces: shapes {given}, need {needed}")

    @cached_property
    def frozen(self) -> Frozen:
        """The activations, frozen on the pieces."""
        return Frozen(self.risk.network.switches, self.pieces)

    @property
    def margins(self) -> np.ndarray | None:
        """The pieces (n, J) of the margins (1 is unsolved for a hinge); None without knots."""
        return self.pieces[-1] if self.risk.loss.knots else None

    def forward(self, w: RationalMatrix) -> Pass:
        """The pass of the data through the frozen network, at an exact point."""
        if isinstance(w, Located) and w.risk is self.risk:
            pairs = zip(self.pieces, w.run.positions, strict=False)
            if all((abs(2 * piece - place) <= 1).all() for piece, place in pairs):
                return w.run  # on a knot both pieces give one value
        return forward(self.risk.network.unpack(w), self.risk.exact_X, self.frozen.bend)

    def outputs(self, w: RationalMatrix) -> RationalMatrix:
        """The outputs (n, k) of the frozen network."""
        return self.forward(w).outputs

    def loss(self, outputs: Matrix) -> object:
        """The frozen loss of outputs (n, k); `SettingError` if it is not a polynomial of them."""
        if not self.risk.loss.polynomial:
            raise SettingError(
                f"risk: the {self.risk.loss.kind} loss is not a polynomial in a cell"
            )
        return self.risk.loss(outputs, self.risk.exact_y, self.margins)

    def pull(self, outputs: Matrix | None) -> Matrix:
        """The derivative (n, k) of the frozen loss by the outputs."""
        return self.risk.loss.gradient(outputs, self.risk.exact_y, self.margins)

    def __call__(self, w: RationalMatrix) -> fmpq:
        """The frozen risk at any exact point."""
        return self.loss(self.outputs(w)) + self.risk.penalty(w)

    def gradient(self, w: RationalMatrix) -> RationalMatrix:
        """The gradient (m, 1) of the frozen risk at any exact point, 0 by frozen parameters."""
        run = self.forward(w)
        gradient = backward(run, self.pull(run.outputs), self.frozen.slope)
        return self.risk.freed(gradient + self.risk.shrinkage(w))

    def __contains__(self, w: Point) -> bool:
        """Whether a point lies in this (open) cell."""
        return pattern_at(self.risk, w) == self.pattern

    @cached_property
    def pattern(self) -> Pattern:
        """The pattern of the points of this cell."""
        return Pattern(tuple(2 * part for part in self.pieces), bool(self.risk.loss.knots))


def frozen_pass(cell: Cell, w: Sequence[object]) -> Pass:
    """The pass of the data through the frozen network, at a list (m,) of polynomials or intervals.

    Anything that rationals multiply will do, see `forms.variables`.
    """
    layers = layout(cell.risk.network, object_array(w))
    return forward(layers, objects(cell.risk.exact_X), cell.frozen.bend)


@checked
def cell_at(risk: Risk, w: Point | np.ndarray) -> Cell:
    """The cell that contains w; raises `TieError` naming the first tie if w lies on a wall."""
    return locate(risk, w).cell
