r"""What a ray sees: the risk along :math:`w + t u`, piece by piece, as exact polynomials.

Inside one cell the risk of a piecewise linear network is a polynomial in t. `expand_along` returns
it for the cell that the ray enters, kinks at the start included, and `cell_along` returns that
cell; `walls_along` and `pieces_along` follow a segment from cell to cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from flint import fmpq, fmpq_poly

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix
from lscore.algebra.polynomials import first_root
from lscore.cells.pattern import Cell
from lscore.errors import DataError, ShapeError, TieError
from lscore.model.activations import PiecewiseLinear, relu
from lscore.model.hinges import HingeLoss
from lscore.model.passes import activated
from lscore.model.risk import Risk

_T = fmpq_poly([0, 1])


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


def _piece_after(h: PiecewiseLinear, z: fmpq_poly) -> tuple[int, fmpq | None]:
    """The piece of h that z(t) uses for small t > 0, and a bound up to which it stays in it.

    The bound is exact for affine z, else a lower bound of the first positive root (Cauchy).
    """
    piece, bound = 0, None
    for t in h.knots:
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


def _matrix(A: RationalMatrix, U: RationalMatrix) -> list[list[fmpq_poly]]:
    """A + t U as rows of polynomials."""
    n, d = A.shape
    a, u = A.entries(), U.entries()
    return [[fmpq_poly([a[i * d + j], u[i * d + j]]) for j in range(d)] for i in range(n)]


@dataclass(frozen=True)
class _Ray:
    """The signals along w + t u for small t > 0, and where they hit the first wall."""

    pre: list[list[list[fmpq_poly]]]  # per activated layer, sample, unit
    outputs: list[list[fmpq_poly]]
    margins: list[list[fmpq_poly]]  # of a hinge loss, else empty
    stop: fmpq | None  # no wall before it

    def layers(self):
        """Every matrix of signals that walls come from: the activated layers, then the margins."""
        return [*self.pre, self.margins] if self.margins else self.pre


def _activations(risk: Risk) -> list[PiecewiseLinear]:
    """The activation of each matrix in `_Ray.layers`."""
    return [*activated(risk.network), *([relu] if isinstance(risk.loss, HingeLoss) else [])]


def _follow(risk: Risk, w: RationalMatrix, u: RationalMatrix) -> _Ray:
    activations = activated(risk.network)
    signal = _matrix(risk.exact_X, risk.exact_X * 0)
    pre, stops = [], []
    pairs = zip(risk.network.unpack(w), risk.network.unpack(u), strict=True)
    for depth, (layer, direction) in enumerate(pairs):
        weight = _matrix(layer.weight, direction.weight)
        bias = None if layer.bias is None else _matrix(layer.bias, direction.bias)
        signal = [_affine(weight, bias, inputs) for inputs in signal]
        if depth < len(activations):
            pre.append(signal)
            signal = [[_apply(activations[depth], z, stops) for z in row] for row in signal]
    margins = []
    if isinstance(risk.loss, HingeLoss):
        lines = risk.loss.directions(risk.y.numpy())
        ones = [[[fmpq_poly(1)]] * lines.shape[1]] * len(lines)
        constants = zip(lines, ones, signal, strict=True)
        margins = [_affine(line.tolist(), one, outputs) for line, one, outputs in constants]
        for row in margins:
            for m in row:
                _apply(relu, m, stops)
    return _Ray(pre, signal, margins, min(stops, default=None))


def _affine(weight: list, bias: list | None, inputs: list) -> list[fmpq_poly]:
    """weight @ inputs + bias for one sample; numbers and polynomials."""
    out = []
    for k, row in enumerate(weight):
        z = fmpq_poly(0) if bias is None else bias[k][0]
        out.append(sum((a * b for a, b in zip(inputs, row, strict=True)), z))
    return out


def _apply(h: PiecewiseLinear, z: fmpq_poly, stops: list[fmpq]) -> fmpq_poly:
    """h(z(t)) for small t > 0; notes where z leaves its piece."""
    piece, bound = _piece_after(h, z)
    if bound is not None:
        stops.append(bound)
    return h.slopes[piece] * z + h.intercepts[piece]


@checked
def expand_along(risk: Risk, w: RationalMatrix, u: RationalMatrix) -> Expansion:
    """The exact risk polynomial on the first cell that the ray w + t u, t >= 0, runs through.

    Piecewise linear networks of any depth; squared and hinge losses; w may lie on kinks. `stop` is
    positive: the exact first wall when everything is affine in t, else a rational below it (1 if
    no wall is met).

    >>> from lscore import Network, Risk, exact, relu
    >>> risk = Risk(Network((1, 2, 1), relu, bias=False), [1.0], [1.0])
    >>> w, u = exact([0, 0, 1, -1]), exact([1, -1, 0, 0])
    >>> expand_along(risk, w, u).risk                      # (t - 1)^2 / 2
    1/2*x^2 + (-1)*x + 1/2
    """
    ray = _follow(risk, w, u)
    value = _hinge_polynomial(risk, ray) if ray.margins else _squared_polynomial(risk, ray.outputs)
    if risk.weight_decay:
        squares = sum((row[0] * row[0] for row in _matrix(w, u)), fmpq_poly(0))
        value += squares * (risk.weight_decay / 2)
    return Expansion(value, fmpq(0), fmpq(1) if ray.stop is None else ray.stop)


def _squared_polynomial(risk: Risk, outputs: list) -> fmpq_poly:
    n, k = risk.exact_y.shape
    labels = risk.exact_y.entries()
    total = fmpq_poly(0)
    for i in range(n):
        for j in range(k):
            residual = outputs[i][j] - labels[i * k + j]
            total += residual * residual
    return total * risk.loss.scale(n)


def _hinge_polynomial(risk: Risk, ray: _Ray) -> fmpq_poly:
    weights = risk.loss.term_weights(*risk.loss.directions(risk.y.numpy()).shape[:2]).entries()
    margins = [m for row in ray.margins for m in row]
    terms = zip(weights, margins, strict=True)
    return sum((mu * m for mu, m in terms if _piece_after(relu, m)[0]), fmpq_poly(0))


@checked
def cell_along(risk: Risk, w: RationalMatrix, u: RationalMatrix) -> Cell:
    """The cell that the ray w + t u enters for small t > 0.

    Raises `TieError` if the ray runs inside a wall: a pre-activation or margin that stays on a
    knot.

    >>> from lscore import Network, exact
    >>> risk = Risk(Network((1, 1, 1), relu), [-1.0, 1.0], [0.0, 0.0])
    >>> cell_along(risk, exact([0, 0, 1, 0]), exact([1, 0, 0, 0])).pieces[0].tolist()
    [[0], [1]]
    """
    w, u = risk.network.point(w), risk.network.point(u, "u")
    pieces = []
    for h, matrix in zip(_activations(risk), _follow(risk, w, u).layers(), strict=True):
        for i, row in enumerate(matrix):
            for k, z in enumerate(row):
                if any(z == t for t in h.knots):
                    place = f"sample {i}, entry {k} of the activated layer {len(pieces) + 1}"
                    raise TieError(f"u: the ray runs inside a wall, {place} stays on a knot")
        pieces.append(np.array([[_piece_after(h, z)[0] for z in row] for row in matrix]))
    unsolved = pieces.pop() > 0 if isinstance(risk.loss, HingeLoss) else None
    return Cell(risk, tuple(pieces), unsolved)


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
    every signal is affine in t in each cell on the way. Raises `DataError` at an irrational one.

    >>> from lscore import Network, exact
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
    layers = zip(_activations(risk), _follow(risk, w, u).layers(), strict=True)
    signals = [
        ((l, i, k), h.knots, z)
        for l, (h, matrix) in enumerate(layers, start=1)
        for i, row in enumerate(matrix)
        for k, z in enumerate(row)
        if z.degree() > 0
    ]
    try:
        first = first_root((z - t for _, knots, z in signals for t in knots), last)
    except DataError as error:
        raise DataError("start, end: the next wall is irrational, move one layer") from error
    if first is None:
        return None
    return Wall(first, tuple(place for place, knots, z in signals if z(first) in knots))


def pieces_along(risk: Risk, start: RationalMatrix, end: RationalMatrix) -> list[Expansion]:
    """All risk polynomials along the segment start + t (end - start), 0 <= t <= 1, in order.

    One hidden layer, where the pre-activations are affine in t and so every wall crossing is
    rational. Walls of units whose output weights are zero all along the segment are not crossed:
    the risk does not see them. Raises `ShapeError` for deeper networks, `DataError` for smooth ones
    and for an output activation, which bends too.
    """
    if len(risk.network.widths) != 3:
        raise ShapeError(
            f"risk: the network has widths {risk.network.widths}, need one hidden layer"
        )
    if not risk.network.is_piecewise_linear or risk.network.output_activation is not None:
        raise DataError("risk: need a piecewise linear network without output activation")
    if isinstance(risk.loss, HingeLoss):
        raise DataError("risk: need a squared loss, hinge margins are not affine in t")
    u = end - start
    walls = {fmpq(0), fmpq(1)} | {t for t in _crossings(risk, start, u) if 0 < t < 1}
    pieces = []
    for a, b in pairwise(sorted(walls)):
        local = expand_along(risk, start + a * u, u).risk
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
