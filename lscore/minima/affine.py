r"""Local minima where the network is affine in x, at any depth, decided exactly.

Where every hidden unit stays on one linear piece over the data, the outputs near the point are
affine functions of x, and the risk is a convex function of their coefficients. A minimum of that
function is a local minimum of the risk, whatever the depth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import count

import numpy as np
from flint import fmpq, fmpz

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, ones, zeros
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import TieError
from lscore.minima.balanced import balancing, pulls
from lscore.minima.descent import STATEMENT, certify_along, declared, unused_unit_direction
from lscore.model.losses import Loss, objects
from lscore.model.networks import Point
from lscore.model.risk import Risk

_MINIMUM = Question("B-BALANCE", STATEMENT, frozen="certified")
_INSIDE = "every hidden unit stays on one linear piece"
_CONVEX = "0 is in the subdifferential of the convex problem"
Positions = list[np.ndarray]


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


def _question(risk: Risk) -> Question:
    """Whose theorem it is: a special case of B-BALANCE, some with a name of their own."""
    if risk.loss.quadratic and len(risk.network.widths) == 3:
        return Question("YUN-T1", STATEMENT)
    sharp = risk.loss.hinge and risk.network.widths[-1] == 1
    return Question("LVB-NS", STATEMENT) if sharp else _MINIMUM


def bend(risk: Risk, where: Positions) -> str:
    """What keeps the network from being affine in x around the point; empty if nothing does."""
    for l, position in enumerate(where, 1):
        layer = f" of layer {l}" if len(where) > 1 else ""
        if (position % 2).any():
            i, k = (int(v) for v in np.argwhere(position % 2)[0])
            return (
                f"unit {k}{layer} has its pre-activation exactly on a knot at "
                f"sample {i}: the point is on a kink"
            )
        mixed = np.flatnonzero((position != position[0]).any(axis=0))
        if len(mixed):
            return (
                f"unit {mixed[0]}{layer} uses more than one linear piece on the "
                "data, so the network is not affine in x around the point"
            )
    return ""


def _nearest(h, z: RationalMatrix, position: np.ndarray) -> tuple[list[fmpz], fmpz]:
    """Per sample the smallest distance of a pre-activation to a knot next to it, over a common
    denominator; no samples if no unit has a knot."""
    width, common = z.shape[1], z.denominator
    for t in h.knots:
        common = common.lcm(t.q)
    stretch = common // z.denominator
    numbers = (z.numerator if stretch == 1 else z.numerator * stretch).entries()
    levels = [(t * common).p for t in h.knots]
    nearest: list[fmpz] = []
    for k, p in enumerate(position[0] // 2):
        for level in levels[max(p - 1, 0) : p + 1]:
            column = numbers[k::width]
            distances = [abs(v - level) for v in column] if level else list(map(abs, column))
            nearest = list(map(min, nearest, distances)) if nearest else distances
    return nearest, common


def _smallest_ratio(risk: Risk, nearest: list, common: fmpz) -> fmpq | None:
    """min_i (nearest_i / common)^2 / (|x_i|^2 + 1), without the 1 if layer 1 has no bias; None if
    nothing can leave its piece.

    Floats only leave out candidates (`_close_to_smallest`); rationals decide.
    """
    data = risk.exact_augmented if risk.network.biases[0] else risk.exact_X
    ratios = []
    for i in _close_to_smallest(risk, nearest, common) if nearest else []:
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
            sizes = (risk.X.numpy() ** 2).sum(1) + risk.network.biases[0]
            ratios = squares / sizes
    except OverflowError:
        return everything
    numbers = np.concatenate([squares, sizes, ratios])
    if not (np.isfinite(numbers).all() and numbers.min() > 1e-290):
        return everything
    return np.flatnonzero(ratios <= ratios.min() * (1 + 1e-6)).tolist()


def _unsupported(risk: Risk) -> str:
    if risk.inexact:
        return risk.inexact
    if risk.network.output_activation is not None:
        return "the network has an output activation"
    if risk.weight_decay:
        return "the risk has weight decay"
    return "" if risk.loss.convex else "the loss is not known to be convex in the outputs"


@_MINIMUM.checker
def certify_affine_minimum(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Decide whether w is a local minimum when every unit stays on one linear piece.

    Conditions (YUN-T1, Step 1, for any depth, piecewise linear activations, number of outputs and
    convex loss): (i) each hidden unit has all its pre-activations strictly inside one linear piece;
    (ii) some subgradient :math:`\nu` (n, k) of the loss at the outputs is orthogonal to every
    affine function of the data, :math:`\sum_i \nu_i = 0` and :math:`\sum_i \nu_i x_i^\top = 0`
    (fewer functions if a layer of slopes 0, or a lack of biases, leaves fewer). Proof: near w the
    outputs :math:`\hat Y'` differ from :math:`\hat Y` by such functions, and by convexity
    :math:`\ell(\hat Y') \ge \ell(\hat Y) + \langle \nu, \hat Y' - \hat Y \rangle`.

    For a squared loss :math:`\nu` is a multiple of the residuals. A margin of a hinge loss on its
    tie pulls with any p between 0 and its weight: 0 in a zonotope, whose solution p is in `values`.
    If the tied margins are as many independent directions as (ii) has equations, and every p is
    strictly inside its bounds, the minimum is *sharp*: the risk grows at least in proportion to the
    change of the function (a condition, with the smallest slack of p).

    The risk is nowhere smaller on the whole open cell. For smooth losses `values` holds a radius.
    One hidden layer: no point with :math:`|(\Delta w_k, \Delta b_k)|_2 < \rho` for each hidden unit
    k, and any change of the output layer, has a smaller risk;
    :math:`\rho^2 = \min_{i,k} \mathrm{dist}(z_{ik}, \text{knots})^2 / (|x_i|^2 + 1)`. Deeper: no
    point with :math:`|\Delta w|_\infty` up to the `radius_of_a_box`, a power of 2.

    No weight decay, no output activation. Sound. Complete where (i) holds, for one hidden layer and
    one output, if no margin is on a knot: the answer is then certified, or refuted with a lower
    point. Where (i) fails the answer is unknown, with the unit and the sample. Float points are
    taken exactly.

    >>> from lscore import Network, binary_hinge, leaky_relu, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [-1, 0, 1], [1, 0, 1])
    >>> print(certify_affine_minimum(risk, exact([0, 1, "2/3", 0])))
    certified (exact): the point is a local minimum  [YUN-T1]
      holds     every hidden unit stays on one linear piece, distance to the nearest knot 1
      holds     residuals orthogonal to every affine function
      value     risk = 1/3
      value     radius = 0.707106
    >>> risk = Risk(Network((1, 2, 1), leaky_relu("1/2")), [-1, 0, 1], [1, -1, 1], binary_hinge())
    >>> print(certify_affine_minimum(risk, exact([1, 1, 2, 2, 1, -1, 1])))
    certified (exact): the point is a local minimum  [LVB-NS]
      holds     every hidden unit stays on one linear piece
      holds     0 is in the subdifferential of the convex problem
      holds     sharp: 0 is inside it, slack 1/6
      value     risk = 2/3
      value     p = column(1/6, 1/6)
    """
    w = exact(risk.network.point(w), "w")
    if not risk.network.is_piecewise_linear:
        return _question(risk).unknown(_unsupported(risk))
    return certify_affine_run(risk, w, *risk.forward(w))


def certify_affine_run(
    risk: Risk, w: RationalMatrix, pre: Sequence[RationalMatrix], outputs: RationalMatrix
) -> Certificate:
    """`certify_affine_minimum` for a forward pass that is already done."""
    asked, unsupported = _question(risk), _unsupported(risk)
    if unsupported:
        return asked.unknown(unsupported)
    where = [h.positions(z) for h, z in zip(risk.network.activations, pre, strict=True)]
    if reason := bend(risk, where):
        return asked.unknown(reason, [Condition(_INSIDE, None)])
    design, what = affine_functions(risk, where)
    pull, ties = pulls(risk.loss, outputs, risk.exact_y)
    value = risk.loss(outputs, risk.exact_y)
    if ties:
        return _in_zonotope(asked, risk.loss, value, design, pull, ties)
    pairs = list(zip(risk.network.activations, pre, where, strict=True))
    gaps = [_nearest(*pair) for pair in pairs]
    clearances = [fmpq(min(near), common) for near, common in gaps if near]
    clearance = min(clearances, default=None)
    sums, noun = design.T @ pull, "pulls"
    if risk.loss.quadratic:
        sums, noun = sums / risk.loss.curvature(len(pull)), "residuals"
    largest = None if sums.is_zero() else max(map(abs, sums.entries()))
    conditions = [
        Condition(_INSIDE, True, clearance, "distance to the nearest knot"),
        Condition(f"{noun} orthogonal to {what}", not largest, largest, "largest sum"),
    ]
    if not risk.loss.smooth:
        conditions = [
            Condition(_INSIDE, True),
            Condition(_CONVEX, not largest, largest, "largest entry of the gradient"),
        ]
    conditions += declared(risk.loss, "convex")
    if largest:
        return _refute_in_cell(asked, risk, w, pull, where, conditions)
    values = {"risk": value}
    if risk.loss.smooth and clearance is not None:
        if len(where) > 1:
            values["radius_of_a_box"] = box_radius(risk, w, pairs)
        elif squared := _smallest_ratio(risk, *gaps[0]):
            values["radius"] = lower_sqrt(squared)
    return asked.certified(conditions, values=values)


def affine_functions(risk: Risk, where: Positions) -> tuple[RationalMatrix, str]:
    """The functions of x that an output can be near the point, as columns (n, p), and in words."""
    network, constant, alive = risk.network, risk.network.biases[-1], True
    for h, position, bias in reversed(
        list(zip(network.activations, where, network.biases, strict=False))
    ):
        pieces = set(map(int, position[0] // 2))
        constant |= alive and any(h.intercepts[p] != 0 for p in pieces)
        alive &= any(h.slopes[p] != 0 for p in pieces)
        constant |= alive and bias
    if not alive:
        unit = ones(len(risk.exact_X)) if constant else zeros(len(risk.exact_X))
        every = "every unit has slope 0" if len(where) == 1 else "a layer has slope 0"
        return unit, f"the constants ({every})"
    if constant:
        return risk.exact_augmented, "every affine function"
    return risk.exact_X, "every linear function"


def _in_zonotope(asked, loss: Loss, value: fmpq, design, pull, ties: list) -> Certificate:
    """The answer where margins are tied."""
    p, slack = balancing(design, pull, [(weight, unit) for _, weight, unit in ties])
    conditions = [Condition(_INSIDE, True), Condition(_CONVEX, p is not None)]
    conditions += declared(loss, "convex")
    if p is None:
        return asked.unknown("0 is not in the subdifferential", conditions)
    if slack > 0:
        conditions.append(Condition("sharp: 0 is inside it", True, slack, "slack"))
    return asked.certified(conditions, values={"risk": value, "p": p})


@checked
def certified_radius_squared(risk: Risk, w: Point | np.ndarray) -> fmpq | None:
    """The exact rho^2 of `certify_affine_minimum`; None if no unit has a knot, if (i) fails, or
    unless there is one hidden layer."""
    w = exact(risk.network.point(w), "w")
    if _unsupported(risk) or len(risk.network.widths) != 3:
        return None
    (z,) = risk.forward(w)[0]
    where = [risk.network.activations[0].positions(z)]
    if bend(risk, where):
        return None
    return _smallest_ratio(risk, *_nearest(risk.network.activations[0], z, where[0]))


def box_radius(risk: Risk, w: RationalMatrix, pairs: list) -> fmpq:
    r"""The first of 1, 1/2, 1/4, ... such that no unit leaves its piece while each parameter moves
    by at most that much: with inputs s that spread by :math:`\sigma`, W s + b spreads by at most
    :math:`|W| \sigma + r (|s| + \sigma + 1)`."""
    weights = [abs(objects(layer.weight)).T for layer in risk.network.unpack(w)]
    signals = [objects(risk.exact_X), *(objects(h(z)) for h, z, _ in pairs)]
    levels = [(h, objects(z), position // 2) for h, z, position in pairs]

    def stay(r: fmpq) -> bool:
        spread = signals[0] * 0
        biases = map(int, risk.network.biases)
        for weight, bias, signal, (h, z, pieces) in zip(
            weights, biases, signals, levels, strict=False
        ):
            reach = (abs(signal) + spread).sum(axis=1)[:, None] + bias
            spread = spread @ weight + r * reach
            for p, t in enumerate(h.knots):
                beside = (pieces == p) | (pieces == p + 1)
                if (beside & (abs(z - t) <= spread)).any():
                    return False
            spread = abs(np.array(h.slopes, dtype=object))[pieces] * spread
        return True

    return next(r for k in count() if stay(r := fmpq(1, 2**k)))


def _refute_in_cell(asked, risk, w, pull, where, conditions) -> Certificate:
    """A descent direction where the pulls are not orthogonal to the functions."""
    gradient = risk.gradient(w)
    direction = None if gradient.is_zero() else -gradient
    if direction is None and len(where) == 1:
        with suppress(TieError):  # a margin on a knot has no second derivative
            direction = unused_unit_direction(risk, w, pull, where[0] // 2)
    if direction is None:
        noun = "residuals" if risk.loss.quadratic else "pulls"
        reason = f"the gradient is zero and the {noun} are not orthogonal to the data"
        return asked.unknown(reason, conditions)
    return asked.as_found(certify_along(risk, w, direction), conditions=conditions)
