r"""Local minima in cells on which the network is affine in x, decided exactly.

Where every hidden unit stays on one linear piece over the data, two rational conditions prove a
local minimum and give a radius; where one fails, a lower point refutes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from flint import fmpq, fmpz

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, ones
from lscore.certificates import Certificate, Condition, Question
from lscore.minima.balanced import unused_unit_direction
from lscore.minima.descent import STATEMENT, certify_along
from lscore.model.networks import Point
from lscore.model.risk import Risk

_MINIMUM = Question("YUN-T1", STATEMENT)


def lower_sqrt(value: fmpq, digits: int = 6) -> Decimal:
    """The square root of a rational >= 0, rounded down to `digits` significant digits.

    >>> lower_sqrt(fmpq(1, 3), 4)
    Decimal('0.5773')
    """
    if value <= 0:
        return Decimal(0)
    size = math.log10(int(value.p)) - math.log10(int(value.q))
    places = digits - 1 - math.floor(size / 2)
    scale = fmpq(10) ** (2 * places + 40)
    scaled = value * scale
    root = int((scaled.p // scaled.q).isqrt() // 10**20)
    return Decimal(root).scaleb(-places)


@dataclass(frozen=True)
class _Cell:
    """The pieces of a point whose units all stay on one open piece, or why it has none."""

    pieces: tuple[int, ...]
    clearance: fmpq | None  # smallest |pre-activation - knot|; None without knots
    radius_squared: fmpq | None
    problem: str


def _cell(risk: Risk, pre: list[RationalMatrix]) -> _Cell:
    position = risk.network.activations[0].positions(pre[0])
    if (position % 2).any():
        i, k = (int(v) for v in np.argwhere(position % 2)[0])
        return _Cell(
            (),
            None,
            None,
            f"unit {k} has its pre-activation exactly on a knot at "
            f"sample {i}: the point is on a kink",
        )
    mixed = np.flatnonzero((position != position[0]).any(axis=0))
    if len(mixed):
        return _Cell(
            (),
            None,
            None,
            f"unit {mixed[0]} uses more than one linear piece on the "
            "data, so the network is not affine in x around the point",
        )
    pieces = tuple(int(p) // 2 for p in position[0])
    return _Cell(pieces, *_distances(risk, pre[0], pieces), "")


def _distances(risk: Risk, z: RationalMatrix, pieces: tuple[int, ...]):
    """Smallest distance of a pre-activation to a knot, and the certified squared radius."""
    knots = risk.network.activations[0].knots
    width = z.shape[1]
    common = z.denominator
    for t in knots:
        common = common.lcm(t.q)
    stretch = common // z.denominator
    numbers = (z.numerator if stretch == 1 else z.numerator * stretch).entries()
    levels = [(t * common).p for t in knots]
    nearest: list[fmpz] = []
    for k, p in enumerate(pieces):
        for level in levels[max(p - 1, 0) : p + 1]:
            column = numbers[k::width]
            distances = [abs(v - level) for v in column] if level else list(map(abs, column))
            nearest = list(map(min, nearest, distances)) if nearest else distances
    if not nearest:
        return None, None
    return fmpq(min(nearest), common), _smallest_ratio(risk, nearest, common)


def _smallest_ratio(risk: Risk, nearest: list, common: fmpz) -> fmpq | None:
    """min_i (nearest_i / common)^2 / (|x_i|^2 + 1), without the 1 if there are no biases.

    Floats only leave out candidates (`_close_to_smallest`); rationals decide.
    """
    data = risk.exact_augmented if risk.network.bias else risk.exact_X
    ratios = []
    for i in _close_to_smallest(risk, nearest, common):
        square = sum((data[i, j] ** 2 for j in range(data.shape[1])), fmpq(0))
        if square:
            ratios.append(fmpq(nearest[i], common) ** 2 / square)
    return min(ratios, default=None)


def _close_to_smallest(risk: Risk, nearest: list, common: fmpz) -> list[int]:
    """The samples whose ratio is within 1e-6 of the smallest one in floats.

    The floats' own relative error is far below that while squares and ratios stay in the normal
    range; if any does not, no sample is left out.
    """
    everything, whole = list(range(len(nearest))), int(common)
    try:
        with np.errstate(all="ignore"):
            squares = np.array([int(v) / whole for v in nearest]) ** 2
            sizes = (risk.X.numpy() ** 2).sum(1) + risk.network.bias
            ratios = squares / sizes
    except OverflowError:
        return everything
    numbers = np.concatenate([squares, sizes, ratios])
    if not (np.isfinite(numbers).all() and numbers.min() > 1e-290):
        return everything
    return np.flatnonzero(ratios <= ratios.min() * (1 + 1e-6)).tolist()


def _unsupported(risk: Risk) -> str:
    network = risk.network
    if not network.is_piecewise_linear:
        return "the activation is not piecewise linear"
    if len(network.widths) != 3:
        return f"the network has {len(network.widths) - 2} hidden layers, this certificate needs 1"
    if network.output_activation is not None:
        return "the network has an output activation"
    if risk.weight_decay:
        return "the risk has weight decay"
    if not risk.loss.quadratic:
        return "the loss is not a squared loss"
    if not network.bias and any(c != 0 for c in network.activations[0].intercepts):
        return "the network has no biases and an activation with intercepts"
    return ""


@checked
def certify_affine_minimum(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Decide whether w is a local minimum when every unit stays on one linear piece.

    Conditions (YUN-T1, Step 1, in the form of both signs and any piecewise linear activation): (i)
    each hidden unit has all its pre-activations strictly inside one linear piece; (ii) the
    residuals are orthogonal to every affine function of the data, :math:`\sum_i r_i = 0` and
    :math:`\sum_i r_i x_i^\top = 0` (only the first if every unit sits on a piece of slope 0). Then
    the risk is nowhere smaller on the whole open cell. `values` holds the risk and a certified
    radius :math:`\rho`: no point with :math:`|(\Delta w_k, \Delta b_k)|_2 < \rho` for each hidden
    unit k, and any change of the output layer, has a smaller risk;
    :math:`\rho^2 = \min_{i,k} \mathrm{dist}(z_{ik}, \text{knots})^2 / (|x_i|^2 + 1)`.

    Squared loss, one hidden layer, no weight decay. Sound. Complete where (i) holds, for one
    output: the answer is then certified, or refuted with a lower point. Where (i) fails the
    answer is unknown, with the unit and the sample. Float points are taken exactly.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [-1, 0, 1], [1, 0, 1])
    >>> print(certify_affine_minimum(risk, exact([0, 1, "2/3", 0])))
    certified (exact): the point is a local minimum  [YUN-T1]
      holds     every hidden unit stays on one linear piece, distance to the nearest knot 1
      holds     residuals orthogonal to every affine function
      value     risk = 1/3
      value     radius = 0.707106
    """
    w = exact(risk.network.point(w), "w")
    if not risk.network.is_piecewise_linear:
        return _MINIMUM.unknown(_unsupported(risk))
    return certify_affine_run(risk, w, *risk.forward(w))


def certify_affine_run(
    risk: Risk, w: RationalMatrix, pre: Sequence[RationalMatrix], predictions: RationalMatrix
) -> Certificate:
    """`certify_affine_minimum` for a forward pass that is already done."""
    unsupported = _unsupported(risk)
    if unsupported:
        return _MINIMUM.unknown(unsupported)
    cell = _cell(risk, pre)
    inside = "every hidden unit stays on one linear piece"
    if cell.problem:
        return _MINIMUM.unknown(cell.problem, [Condition(inside, None)])
    conditions = [Condition(inside, True, cell.clearance, "distance to the nearest knot")]
    activation = risk.network.activations[0]
    alive = [k for k, p in enumerate(cell.pieces) if activation.slopes[p] != 0]
    residuals, scale = predictions - risk.exact_y, risk.loss.scale(len(risk.exact_y))
    design, what = risk.exact_augmented, "every affine function"
    if not alive:
        what = "the constants (every unit has slope 0)"
        design = ones(len(risk.exact_X)) * int(risk.network.bias)
    elif not risk.network.bias:
        design, what = risk.exact_X, "every linear function"
    sums = design.T @ residuals
    orthogonal = sums.is_zero()
    largest = None if orthogonal else max(map(abs, sums.entries()))
    conditions.append(
        Condition(f"residuals orthogonal to {what}", orthogonal, largest, "largest sum")
    )
    if not orthogonal:
        return _refute_in_cell(risk, w, residuals * (2 * scale), cell.pieces, conditions)
    values = {"risk": residuals.dot(residuals) * scale}
    if cell.radius_squared is not None:
        values["radius"] = lower_sqrt(cell.radius_squared)
    return _MINIMUM.certified(conditions, values=values)


def certified_radius_squared(risk: Risk, w: Point | np.ndarray) -> fmpq | None:
    """The exact rho^2 of `certify_affine_minimum`; None if no unit has a knot or (i) fails."""
    w = exact(risk.network.point(w), "w")
    return None if _unsupported(risk) else _cell(risk, risk.forward(w)[0]).radius_squared


def _refute_in_cell(risk, w, pull, pieces, conditions) -> Certificate:
    """A descent direction where the residuals are not orthogonal to the reachable functions."""
    gradient = risk.gradient(w)
    direction = -gradient
    if gradient.is_zero():
        everywhere = np.tile(pieces, (len(pull), 1))
        direction = unused_unit_direction(risk, w, pull, everywhere)
    if direction is None:
        reason = "the gradient is zero and the residuals are not orthogonal to the data"
        return _MINIMUM.unknown(reason, conditions)
    return _MINIMUM.as_found(certify_along(risk, w, direction), conditions=conditions)
