r"""What a ray sees: the risk along :math:`w + t u`, piece by piece, as exact polynomials.

Inside one cell the risk of a piecewise linear network is a polynomial in t. `risk_along` returns
it for the cell that the ray enters, kinks at the start included, and `cell_along` returns that
cell; `walls_along` and `pieces_along` follow a segment from cell to cell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from flint import fmpq, fmpq_poly

from lscore.algebra.arguments import checked
from lscore.algebra.arrays import object_array
from lscore.algebra.matrices import RationalMatrix
from lscore.algebra.polynomials import first_root
from lscore.cells.pattern import Cell, switched, switches
from lscore.errors import DataError, SettingError, TieError
from lscore.model.losses import objects
from lscore.model.passes import apply_pieces, forward, layout
from lscore.model.risk import Risk
from lscore.model.settings import Setting

_T = fmpq_poly([0, 1])
_ONE_LAYER = Setting(
    hidden=1, output_activation=False, activations=("piecewise linear",), loss="polynomial loss"
)
_WITH_MARGINS = replace(_ONE_LAYER, loss="hinge loss")


@dataclass(frozen=True)
class Expansion:
    r"""The risk along :math:`w + t u`: the polynomial `risk` in t, valid for start <= t <= stop."""

    risk: fmpq_poly
    start: fmpq
    stop: fmpq

    def __str__(self) -> str:
        return f"{polynomial_text(self.risk)}  for {self.start} <= t <= {self.stop}"

    @property
    def change(self) -> fmpq_poly:
        """risk(t) - risk(start)."""
        return self.risk - self.risk(self.start)

    @property
    def order(self) -> int | None:
        """Order of the first non-zero term of the change at t = 0; None if constant."""
        return _first_nonzero(self.risk - self.risk(fmpq(0)))


def polynomial_text(p: fmpq_poly) -> str:
    """A polynomial in t, lowest order first.

    >>> polynomial_text(fmpq_poly([2, -4, 0, 1]))
    '2 - 4 t + t^3'
    """
    text = ""
    for k, c in enumerate(p.coeffs()):
        if c == 0:
            continue
        power = "" if k == 0 else "t" if k == 1 else f"t^{k}"
        size = str(abs(c)) if k == 0 or abs(c) != 1 else ""
        sign = "-" if c < 0 else "+"
        text += f" {sign} " + " ".join(filter(None, (size, power)))
    return text[3:] if text.startswith(" +") else "-" + text[3:] if text else "0"


def _first_nonzero(p: fmpq_poly) -> int | None:
    return next((k for k, c in enumerate(p.coeffs()) if c != 0), None)


def _piece_after(knots: tuple[fmpq, ...], z: fmpq_poly) -> tuple[int, fmpq | None]:
    """The piece that z(t) uses for small t > 0, and a bound up to which it stays in it.

    The bound is exact for affine z, else a lower bound of the first positive root (Cauchy).
    """
    piece, bound = 0, None
    for t in knots:
        shifted = z - t
        k = _first_nonzero(shifted)
        if k is None:
            continue
        coefficients = shifted.coeffs()[k:]
        lead = coefficients[0]
        piece += lead > 0
        rest = coefficients[1:]
        if len(rest) == 1 and k == 0:
            root = -lead / rest[0]
        elif any(c != 0 for c in rest):
            root = abs(lead) / (abs(lead) + max(abs(c) for c in rest))
        else:
            continue
        if root > 0 and (bound is None or root < bound):
            bound = root
    return piece, bound


@dataclass(frozen=True)
class _Ray:
    """What the ray w + t u sees for small t > 0, as polynomials in t, up to the first wall."""

    point: np.ndarray
    outputs: np.ndarray
    signals: list[np.ndarray]  # per switch layer (n, width)
    pieces: list[np.ndarray]
    stop: fmpq | None  # no wall before it

    def places(self, risk: Risk):
        """Every signal: its (layer, sample, unit), its knots, and itself."""
        for l, (h, matrix) in enumerate(zip(switches(risk), self.signals, strict=True), start=1):
            for (i, k), z in np.ndenumerate(matrix):
                yield (l, i, k), h.knots, z


def _follow(risk: Risk, w: RationalMatrix, u: RationalMatrix) -> _Ray:
    w = risk.network.point(w)
    if len(u) != len(w) or u.shape[1] < 2:  # else the columns of a curve
        u = risk.network.point(u, "u")
    columns = [u.column(l).entries() for l in range(u.shape[1])]
    point = object_array([fmpq_poly(list(row)) for row in zip(w.entries(), *columns, strict=True)])
    activations, pieces, stops = risk.network.switches, [], []

    def note(knots: tuple[fmpq, ...], z: np.ndarray) -> np.ndarray:
        found = [_piece_after(knots, value) for value in z.flat]
        stops.extend(bound for _, bound in found if bound is not None)
        pieces.append(np.array([piece for piece, _ in found]).reshape(z.shape))
        return pieces[-1]

    def bend(l: int, z: np.ndarray) -> np.ndarray:
        if l == len(activations):
            return z
        return apply_pieces(activations[l], z, note(activations[l].knots, z))

    run = forward(layout(risk.network, point), objects(risk.exact_X), bend)
    signals = switched(risk, run)
    if risk.loss.knots:
        note(risk.loss.knots, signals[-1])
    return _Ray(point, run.outputs, signals, pieces, min(stops, default=None))


@checked
def risk_along(risk: Risk, w: RationalMatrix, u: RationalMatrix) -> Expansion:
    r"""The exact risk polynomial on the first cell that the ray w + t u, t >= 0, runs through.

    Piecewise linear networks of any depth; any loss that is a polynomial on its pieces; w may lie
    on kinks. `stop` is positive: the exact first wall when everything is affine in t, else a
    rational below it (1 if no wall is met). With more than one column u is a curve,
    :math:`w + t u_1 + t^2 u_2 + \dots`

    >>> from lscore import Network, Risk, exact, relu
    >>> risk = Risk(Network((1, 2, 1), relu, bias=False), [1.0], [1.0])
    >>> w, u = exact([0, 0, 1, -1]), exact([1, -1, 0, 0])
    >>> risk_along(risk, w, u).risk                      # (t - 1)^2 / 2
    1/2*x^2 + (-1)*x + 1/2
    """
    ray = _follow(risk, w, u)
    value = Cell(risk, tuple(ray.pieces)).loss(ray.outputs)
    if risk.weight_decay:
        value += risk.penalty(ray.point)
    return Expansion(value, fmpq(0), fmpq(1) if ray.stop is None else ray.stop)


@checked
def cell_along(risk: Risk, w: RationalMatrix, u: RationalMatrix) -> Cell:
    """The cell that the ray w + t u enters for small t > 0.

    Raises `TieError` if the ray runs inside a wall: a pre-activation or margin that stays on a
    knot.

    >>> from lscore import Network, exact, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [-1.0, 1.0], [0.0, 0.0])
    >>> cell_along(risk, exact([0, 0, 1, 0]), exact([1, 0, 0, 0])).pieces[0].tolist()
    [[0], [1]]
    """
    ray = _follow(risk, w, u)
    for (l, i, k), knots, z in ray.places(risk):
        if any(z == t for t in knots):
            place = f"sample {i}, entry {k} of the activated layer {l}"
            raise TieError(f"u: the ray runs inside a wall, {place} stays on a knot")
    return Cell(risk, tuple(ray.pieces))


@dataclass(frozen=True)
class Wall:
    """A wall that a segment meets at time t: which signals reach a knot there.

    `signals` lists (layer, sample, unit) with layers counted from 1; the margins of a hinge loss
    are the last layer.
    """

    t: fmpq
    signals: tuple[tuple[int, int, int], ...]


@checked
def walls_along(risk: Risk, start: RationalMatrix, end: RationalMatrix) -> list[Wall]:
    """The walls that the segment start + t (end - start) meets for 0 < t <= 1, in order, exact.

    Any depth. The walls must be rational, as they are if the segment moves one layer only: then
    every signal is affine in t in each cell on the way. Raises `SettingError` at an irrational one.

    >>> from lscore import Network, exact, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [1.0, 2.0], [0.0, 0.0])
    >>> walls = walls_along(risk, exact([-1, 0, 1, 0]), exact([-1, 2, 1, 0]))
    >>> [(wall.t, wall.signals) for wall in walls]
    [(1/2, ((1, 0, 0),)), (1, ((1, 1, 0),))]
    """
    u, walls, t = end - start, [], fmpq(0)
    while True:
        met = _first_wall(risk, start + t * u, u, 1 - t)
        if met is None:
            return walls
        t += met.t
        walls.append(Wall(t, met.signals))


def _first_wall(risk: Risk, w: RationalMatrix, u: RationalMatrix, last: fmpq) -> Wall | None:
    """The first wall that the ray w + t u meets for 0 < t <= last."""
    places = _follow(risk, w, u).places(risk)
    signals = [(place, knots, z) for place, knots, z in places if z.degree() > 0]
    try:
        first = first_root((z - t for _, knots, z in signals for t in knots), last)
    except DataError as error:
        raise SettingError("start, end: the next wall is irrational, move one layer") from error
    if first is None:
        return None
    return Wall(first, tuple(place for place, knots, z in signals if z(first) in knots))


def pieces_along(risk: Risk, start: RationalMatrix, end: RationalMatrix) -> list[Expansion]:
    """All risk polynomials along the segment start + t (end - start), 0 <= t <= 1, in order.

    One hidden layer, where the pre-activations are affine in t and so every wall crossing is
    rational. Walls of units whose output weights are zero all along the segment are not crossed:
    the risk does not see them. With a hinge loss the margins have walls too (`walls_along`), which
    are rational if one layer moves. Raises `SettingError` for others, and for other networks and
    losses: an output activation bends too.
    """
    hinge = risk.loss.hinge
    (_WITH_MARGINS if hinge else _ONE_LAYER).require(risk)
    u = end - start
    times = (
        [wall.t for wall in walls_along(risk, start, end)] if hinge else _crossings(risk, start, u)
    )
    walls = {fmpq(0), fmpq(1)} | {t for t in times if 0 < t < 1}
    pieces = []
    for a, b in pairwise(sorted(walls)):
        local = risk_along(risk, start + a * u, u).risk
        pieces.append(Expansion(local(_T - a), a, b))
    return pieces


def _crossings(risk: Risk, start: RationalMatrix, u: RationalMatrix) -> set[fmpq]:
    """Times at which a visible unit reaches a knot on some sample."""
    (hidden, out), (d_hidden, d_out) = risk.network.unpack(start), risk.network.unpack(u)
    z, dz = hidden(risk.exact_X), d_hidden(risk.exact_X)
    h, times = risk.network.activations[0], set()
    for k in range(z.shape[1]):
        if out.weight.column(k).is_zero() and d_out.weight.column(k).is_zero():
            continue
        speeds = dz.column(k).entries()
        for value, speed in zip(z.column(k).entries(), speeds, strict=True):
            if speed != 0:
                times.update((t - value) / speed for t in h.knots)
    return times
