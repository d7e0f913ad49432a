r"""Activation cells: which linear piece every unit uses on every sample, decided exactly.

The *signature* of a point lists, for every sample, the piece of every unit and, for hinge losses,
the sign of every margin. Points with the same signature and no tie form a cell; there the risk is
one polynomial, which `Cell` evaluates, at its own points and at any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.errors import ShapeError, TieError
from lscore.model.activations import PiecewiseLinear, relu
from lscore.model.hinges import HingeLoss
from lscore.model.networks import Network, Point
from lscore.model.passes import FrozenNetwork, Trace, activated, trace
from lscore.model.risk import Risk


def positions(network: Network, pre: list[RationalMatrix]) -> list[np.ndarray]:
    """Per hidden layer the (n, width) positions: 2p in the open piece p, 2p + 1 on knot p.

    `pre` are exact pre-activations. Ties (odd numbers) are reported, never resolved.
    """
    return [h.positions(z) for h, z in zip(network.activations, pre, strict=True)]


@dataclass(frozen=True, eq=False)
class Signature:
    """Where a point lies: an (n, width) array of positions per activated layer.

    A position is 2p inside the open linear piece p and 2p + 1 on knot p. `margins` (n, J) does the
    same for the margins of a hinge loss (0 slack, 1 tie, 2 unsolved), and is None for other losses.
    `clearance` is the smallest distance of a pre-activation to a knot, or of a margin to 0 (None
    without knots). Signatures are equal if all positions are.
    """

    layers: tuple[np.ndarray, ...]
    margins: np.ndarray | None
    clearance: fmpq | None

    def _parts(self) -> list[np.ndarray]:
        return [*self.layers, *([] if self.margins is None else [self.margins])]

    @property
    def ties(self) -> list[tuple[int, int, int]]:
        """(layer, sample, unit) of everything that lies on a knot; layers are counted from 1.

        The margins of a hinge loss are the last layer.
        """
        return [
            (l, int(i), int(k))
            for l, part in enumerate(self._parts(), start=1)
            for i, k in np.argwhere(part % 2)
        ]

    @property
    def in_cell(self) -> bool:
        """Whether nothing lies on a knot, so that the point is inside an open cell."""
        return not self.ties

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Signature):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple:
        return tuple((part.shape, part.tobytes()) for part in self._parts())

    def __str__(self) -> str:
        names = [f"layer {l}" for l in range(1, len(self.layers) + 1)]
        names += [] if self.margins is None else ["margins"]
        lines = zip(names, self._parts(), strict=True)
        return "\n".join(
            f"{name}  " + " ".join("".join(map(_symbol, row)) for row in part)
            for name, part in lines
        )

    __repr__ = __str__


def _symbol(position: int) -> str:
    """- and + for the two pieces around one knot, 0 on it; further pieces are numbered 2, 3, ..."""
    if position % 2:
        return "0" if position == 1 else "|"
    return ("-", "+")[position // 2] if position < 4 else str(position // 2)


@checked
def signature(risk: Risk, w: Point | np.ndarray) -> Signature:
    """The exact signature of a point; float points and data are taken as the dyadics they are.

    Piecewise linear networks of any depth, squared and hinge losses. No sign is ever guessed: what
    lies on a knot is a tie. Raises `DataError` for smooth activations. Source: the function S of
    Laurent and von Brecht (2018), Lemma 1 (LVB-L1).

    >>> from lscore import Network, binary_hinge
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1], [-1, 1], binary_hinge())
    >>> signature(risk, exact([1, 1, 1, -1, 1, 0, -2]))
    layer 1  +- +0
    margins  0 +
    """
    w = exact(risk.network.point(w), "w")
    run = trace(risk.network, w, risk.exact_X)
    margins, clearances = None, _clearances(risk, run)
    if isinstance(risk.loss, HingeLoss):
        values = risk.loss.margins(run.outputs, risk.exact_y)
        margins = relu.positions(values)
        clearances.append(_clearance(relu, values))
    return Signature(run.positions, margins, min(clearances, default=None))


def _clearances(risk: Risk, run: Trace) -> list[fmpq]:
    pairs = zip(activated(risk.network), run.pre, strict=False)
    return [_clearance(h, z) for h, z in pairs if h.knots]


def _clearance(h: PiecewiseLinear, z: RationalMatrix) -> fmpq:
    return min(abs(value - t) for value in z.entries() for t in h.knots)


@checked
@dataclass(frozen=True, eq=False)
class Cell:
    r"""A cell: the `pieces` (n, width) of each activated layer, and which margins are `unsolved`.

    As a function of w it is the polynomial that equals the risk on the cell, continued to all of
    parameter space: the *frozen* risk. Exact points only.

    >>> from lscore import Network
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1.0], [1.0])
    >>> cell = cell_at(risk, exact([2, 2]))               # w, v > 0: (v w - 1)^2 / 2
    >>> cell(exact([2, 2])), cell(exact([-1, 1])), risk(exact([-1, 1]))
    (9/2, 2, 1/2)
    """

    risk: Risk
    pieces: tuple[np.ndarray, ...]
    unsolved: np.ndarray | None = None

    def __post_init__(self) -> None:
        n, network = len(self.risk.y), self.risk.network
        needed = [(n, width) for width in network.widths[1 : len(activated(network)) + 1]]
        given = [part.shape for part in self.pieces]
        if given != needed:
            raise ShapeError(f"pieces: shapes {given}, need {needed}")
        if (self.unsolved is not None) != isinstance(self.risk.loss, HingeLoss):
            raise ShapeError("unsolved: need an (n, J) array for hinge losses, None for others")

    @cached_property
    def frozen(self) -> FrozenNetwork:
        """The network with its activations frozen on the pieces."""
        return FrozenNetwork(self.risk.network, self.risk.exact_X, self.pieces)

    def outputs(self, w: RationalMatrix) -> RationalMatrix:
        """The outputs (n, k) of the frozen network."""
        return self.frozen.forward(self.risk.network.point(w))[1]

    def pull(self, outputs: RationalMatrix | None) -> RationalMatrix:
        """The derivative (n, k) of the frozen loss by the outputs."""
        loss = self.risk.loss
        if isinstance(loss, HingeLoss):
            return loss.gradient(None, self.risk.exact_y, self.unsolved)
        return loss.gradient(outputs, self.risk.exact_y)

    def __call__(self, w: RationalMatrix) -> fmpq:
        """The frozen risk at any exact point."""
        loss, outputs, decay = self.risk.loss, self.outputs(w), self.risk.weight_decay
        if isinstance(loss, HingeLoss):
            margins = loss.margins(outputs, self.risk.exact_y)
            weights = loss.term_weights(*margins.shape).entries()
            terms = zip(self.unsolved.ravel(), weights, margins.entries(), strict=True)
            value = sum((mu * m for on, mu, m in terms if on), fmpq(0))
        else:
            value = loss(outputs, self.risk.exact_y)
        return value + decay / 2 * w.dot(w)

    def gradient(self, w: RationalMatrix) -> RationalMatrix:
        """The gradient (m, 1) of the frozen risk at any exact point."""
        inputs, outputs = self.frozen.forward(self.risk.network.point(w))
        gradient = self.frozen.gradient(w, inputs, self.pull(outputs))
        return gradient + w * self.risk.weight_decay

    def __contains__(self, w: Point) -> bool:
        """Whether a point lies in this (open) cell."""
        found = signature(self.risk, w)
        return found == self.signature

    @cached_property
    def signature(self) -> Signature:
        """The signature of the points of this cell, without clearance."""
        margins = None if self.unsolved is None else 2 * self.unsolved.astype(int)
        return Signature(tuple(2 * part for part in self.pieces), margins, None)


@checked
def cell_at(risk: Risk, w: Point | np.ndarray) -> Cell:
    """The cell that contains w; raises `TieError` naming the first tie if w lies on a wall."""
    found = signature(risk, w)
    if found.ties:
        l, i, k = found.ties[0]
        what = f"margin {k}" if l > len(found.layers) else f"unit {k} of layer {l}"
        raise TieError(
            f"w: lies on a wall, {what} has a tie at sample {i} ({len(found.ties)} in all)"
        )
    unsolved = None if found.margins is None else found.margins > 0
    return Cell(risk, tuple(part // 2 for part in found.layers), unsolved)
