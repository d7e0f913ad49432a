r"""Activation cells: which piece every unit uses on every sample, and what a ray sees.

Along a ray :math:`w + t u` inside one cell the risk of a piecewise linear network is a polynomial
in t. `expand_along` returns it exactly for the cell that the ray enters, kinks at the start
included; `pieces_along` returns all of them along a segment, for one hidden layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from flint import fmpq, fmpq_poly

from lscore.activations import PiecewiseLinear
from lscore.errors import DataError, ShapeError
from lscore.exact import RationalMatrix
from lscore.networks import Network
from lscore.risk import Risk

_T = fmpq_poly([0, 1])


def positions(network: Network, pre: list[RationalMatrix]) -> list[np.ndarray]:
    """Per hidden layer the (n, width) positions: 2p in the open piece p, 2p + 1 on knot p.

    `pre` are exact pre-activations. Ties (odd numbers) are reported, never resolved.
    """
    return [h.positions(z) for h, z in zip(network.activations, pre, strict=True)]


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


def expand_along(risk: Risk, w: RationalMatrix, u: RationalMatrix) -> Expansion:
    """The exact risk polynomial on the first cell that the ray w + t u, t >= 0, runs through.

    Piecewise linear networks of any depth; w may lie on kinks. `stop` is positive: the exact
    first wall when the pre-activations are affine in t, else a rational below it (1 if no wall is
    met).

    >>> from lscore import Network, Risk, exact, relu
    >>> risk = Risk(Network((1, 2, 1), relu, bias=False), [1.0], [1.0])
    >>> w, u = exact([0, 0, 1, -1]), exact([1, -1, 0, 0])
    >>> expand_along(risk, w, u).risk                      # (t - 1)^2 / 2
    1/2*x^2 + (-1)*x + 1/2
    """
    network = risk.network
    if not network.is_piecewise_linear:
        raise DataError("risk: exact expansions need piecewise linear activations")
    outer = [*network.activations, network.output_activation]
    signal = _matrix(risk.exact_X, risk.exact_X * 0)
    stop: fmpq | None = None
    pairs = zip(network.unpack(w), network.unpack(u), outer, strict=True)
    for layer, direction, h in pairs:
        weight = _matrix(layer.weight, direction.weight)
        bias = None if layer.bias is None else _matrix(layer.bias, direction.bias)
        rows = []
        for inputs in signal:
            row = []
            for k, weights in enumerate(weight):
                z = sum((a * b for a, b in zip(inputs, weights, strict=True)), fmpq_poly(0))
                z = z if bias is None else z + bias[k][0]
                if h is not None:
                    piece, bound = _piece_after(h, z)
                    z = h.slopes[piece] * z + h.intercepts[piece]
                    stop = bound if stop is None or (bound is not None and bound < stop) else stop
                row.append(z)
            rows.append(row)
        signal = rows
    value = _risk_polynomial(risk, signal, _matrix(w, u))
    return Expansion(value, fmpq(0), fmpq(1) if stop is None else stop)


def _risk_polynomial(risk: Risk, outputs: list, point: list) -> fmpq_poly:
    n, k = risk.exact_y.shape
    labels = risk.exact_y.entries()
    total = fmpq_poly(0)
    for i in range(n):
        for j in range(k):
            residual = outputs[i][j] - labels[i * k + j]
            total += residual * residual
    value = total * risk.loss.scale(n)
    if risk.weight_decay:
        value += sum((row[0] * row[0] for row in point), fmpq_poly(0)) * (risk.weight_decay / 2)
    return value


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
    u = end - start
    walls = {fmpq(0), fmpq(1)} | {t for t in _crossings(risk, start, u) if 0 < t < 1}
    times = sorted(walls)
    pieces = []
    for a, b in pairwise(times):
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
