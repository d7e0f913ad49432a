r"""Is this point a local minimum? Exact deciders that take anybody's point.

`certify_affine_cell` proves it where every hidden unit stays on one linear piece over the data;
`descent_certificate` disproves it along a direction, at kinks and at degenerate points too;
`decide_local_minimum` tries both and says `unknown` when neither answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import torch
from flint import fmpq, fmpz

from lscore.cells import expand_along, positions
from lscore.certificates import Certificate, Condition, Verdict
from lscore.exact import RationalMatrix, exact, ones
from lscore.networks import Point
from lscore.risk import Risk

_STATEMENT = "the point is a local minimum"
_CELL, _RAY = "YUN-T1", "B-RAY"


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
    position = positions(risk.network, pre)[0]
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
    n, width = z.shape
    common = z.denominator
    for t in knots:
        common = common.lcm(t.q)
    numbers = (z.numerator * (common // z.denominator)).entries()
    levels = [(t * common).p for t in knots]
    nearest: list = [None] * n
    for k, p in enumerate(pieces):
        for level in levels[max(p - 1, 0) : p + 1]:
            for i, number in enumerate(numbers[k::width]):
                distance = abs(number - level)
                if nearest[i] is None or distance < nearest[i]:
                    nearest[i] = distance
    if nearest[0] is None:
        return None, None
    return fmpq(min(nearest), common), _smallest_ratio(risk, nearest, common)


def _smallest_ratio(risk: Risk, nearest: list, common: fmpz) -> fmpq | None:
    """min_i (nearest_i / common)^2 / (|x_i|^2 + 1), without the 1 if there are no biases.

    Floats leave only candidates within 1e-6 of their smallest value (their own error is below
    1e-12 unless they over- or underflow, and then nothing is left out); rationals decide.
    """
    data = risk.exact_augmented if risk.network.bias else risk.exact_X
    whole = int(common)
    with np.errstate(all="ignore"):
        sizes = (risk.X.numpy() ** 2).sum(1) + risk.network.bias
        guess = np.array([int(v) / whole for v in nearest]) ** 2 / sizes
    usable = np.isfinite(guess).all() and guess.min() > 1e-290
    candidates = np.flatnonzero(guess <= guess.min() * (1 + 1e-6)) if usable else range(len(guess))
    ratios = []
    for i in map(int, candidates):
        square = sum((data[i, j] ** 2 for j in range(data.shape[1])), fmpq(0))
        if square:
            ratios.append(fmpq(nearest[i], common) ** 2 / square)
    return min(ratios, default=None)


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
    if not network.bias and any(c != 0 for c in network.activations[0].intercepts):
        return "the network has no biases and an activation with intercepts"
    return ""


def certify_affine_cell(risk: Risk, w: Point | np.ndarray) -> Certificate:
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
    >>> print(certify_affine_cell(risk, exact([0, 1, "2/3", 0])))
    certified (exact): the point is a local minimum  [YUN-T1]
      holds     every hidden unit stays on one linear piece, distance to the nearest knot 1
      holds     residuals orthogonal to every affine function
      value     risk = 1/3
      value     radius = 0.707106
    """
    w = exact(risk.network.point(w), "w")
    unsupported = _unsupported(risk)
    if unsupported:
        return _unknown(_CELL, [], unsupported)
    pre, predictions = risk.forward(w)
    cell = _cell(risk, pre)
    inside = "every hidden unit stays on one linear piece"
    if cell.problem:
        return _unknown(_CELL, [Condition(inside, None)], cell.problem)
    conditions = [Condition(inside, True, cell.clearance, "distance to the nearest knot")]
    activation = risk.network.activations[0]
    alive = [k for k, p in enumerate(cell.pieces) if activation.slopes[p] != 0]
    residuals = risk.loss.gradient(predictions, risk.exact_y)
    design, what = risk.exact_augmented, "every affine function"
    if not alive:
        what = "the constants (every unit has slope 0)"
        design = ones(len(risk.exact_X)) * int(risk.network.bias)
    elif not risk.network.bias:
        design, what = risk.exact_X, "every linear function"
    orthogonal = (design.T @ residuals).is_zero()
    conditions.append(Condition(f"residuals orthogonal to {what}", orthogonal))
    if not orthogonal:
        return _refute_in_cell(risk, w, residuals, alive, conditions)
    values = {"risk": risk.loss(predictions, risk.exact_y)}
    if cell.radius_squared is not None:
        values["radius"] = lower_sqrt(cell.radius_squared)
    return Certificate(_CELL, _STATEMENT, Verdict.CERTIFIED, "exact", conditions, values=values)


def certified_radius_squared(risk: Risk, w: Point | np.ndarray) -> fmpq | None:
    """The exact rho^2 of `certify_affine_cell`; None if no unit has a knot or (i) fails."""
    w = exact(risk.network.point(w), "w")
    return None if _unsupported(risk) else _cell(risk, risk.forward(w)[0]).radius_squared


def _unknown(claim: str, conditions: Sequence[Condition], reason: str) -> Certificate:
    return Certificate(claim, _STATEMENT, Verdict.UNKNOWN, "exact", conditions, reason=reason)


def _refute_in_cell(risk, w, residuals, alive, conditions) -> Certificate:
    """A descent direction where the residuals are not orthogonal to the reachable functions."""
    gradient = risk.gradient(w)
    direction = -gradient
    if gradient.is_zero():
        direction = _second_order_direction(risk, w, residuals, alive)
    if direction is None:
        return _unknown(
            _CELL,
            conditions,
            "the gradient is zero and the residuals are not orthogonal to the data",
        )
    answer = descent_certificate(risk, w, direction)
    return Certificate(
        _CELL, _STATEMENT, answer.verdict, "exact", conditions, answer.witness, answer.reason
    )


def _second_order_direction(risk, w, residuals, alive) -> RationalMatrix | None:
    r"""Move an unused living unit against :math:`g = \sum_i r_i x_i` and switch its output on.

    With slope s and :math:`B = \sum_i h(z_i)^2` the risk changes by
    :math:`t^2(-\delta s |g|^2 + \delta^2 B/2)` up to higher orders, which is negative for
    :math:`\delta = s |g|^2 / B`.
    """
    network = risk.network
    hidden, out = network.unpack(w)
    h = network.activations[0]
    z = hidden(risk.exact_X)
    g = risk.exact_X.T @ residuals
    used = [not out.weight.column(k).is_zero() for k in range(len(hidden.weight))]
    for c in range(g.shape[1]):
        for k in alive:
            if used[k] or g.column(c).is_zero():
                continue
            slope = h.slopes[int(h.positions(z)[0, k]) // 2]
            bend = 2 * risk.loss.scale(len(z)) * h(z.column(k)).dot(h(z.column(k)))
            delta = slope * g.column(c).dot(g.column(c)) / (bend or 1)
            move = [fmpq(0)] * risk.dimension
            inner, start = len(g), len(hidden.weight) * (len(g) + network.bias)
            move[k * inner : (k + 1) * inner] = (-g).column(c).entries()
            move[start + c * len(hidden.weight) + k] = delta
            return exact(move)
    return None


def descent_certificate(risk: Risk, w: Point | np.ndarray, u: object) -> Certificate:
    r"""Does the risk fall strictly along w + t u for all small t > 0? Decided exactly.

    Refutes "w is a local minimum" when the first non-zero coefficient of :math:`R(w + tu) - R(w)`
    on the cell that the ray enters is negative; the witness holds the direction, the order k, the
    coefficient, and one explicit lower point with its decrease. Otherwise unknown: one direction
    cannot prove a minimum. Sound; piecewise linear networks of any depth, kinks allowed.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu, bias=False), [1.0], [1.0])
    >>> answer = descent_certificate(risk, exact([0, 0, 1, -1]), exact([1, -1, 0, 0]))
    >>> answer.verdict.value, answer.witness["order"], answer.witness["coefficient"]
    ('refuted', 1, -1)
    """
    w, u = exact(risk.network.point(w), "w"), risk.network.point(exact(u, "u"), "u")
    expansion = expand_along(risk, w, u)
    change, order = expansion.change, expansion.order
    if order is None or change[order] > 0:
        what = "is constant" if order is None else f"rises at order {order}"
        return _unknown(_RAY, [], f"along this direction the risk {what}")
    t = expansion.stop
    while change(t) >= 0:
        t /= 2
    return Certificate(
        _RAY,
        _STATEMENT,
        Verdict.REFUTED,
        "exact",
        witness={
            "direction": u,
            "order": order,
            "coefficient": change[order],
            "lower point": w + t * u,
            "decrease there": -change(t),
        },
    )


def propose_directions(risk: Risk, w: RationalMatrix, trials: int, seed: int) -> list:
    """Integer directions, most promising first: floats propose, nothing is decided here."""
    rng = np.random.default_rng(seed)
    m = risk.dimension
    directions = rng.integers(-2, 3, size=(trials, m)) * (rng.random((trials, m)) < 0.6)
    directions = directions[np.any(directions != 0, axis=1)].astype(float)
    base, start = float(risk(w.point())), w.point()
    drops = [
        min(float(risk(start + t * torch.from_numpy(u))) - base for t in (1e-1, 1e-2, 1e-3))
        for u in directions
    ]
    # rounded, so that rounding noise cannot reorder directions that are equally good
    order = np.argsort(np.round(drops, 9), kind="stable")
    return [directions[i] for i in order]


def decide_local_minimum(
    risk: Risk, w: Point | np.ndarray, trials: int = 400, seed: int = 0, exact_tries: int = 8
) -> Certificate:
    """Is w a local minimum? Certified, refuted with a descent direction, or unknown.

    First `certify_affine_cell`; where that cannot decide, `trials` random integer directions are
    ranked in floats and the best `exact_tries` are decided by `descent_certificate`. Sound, not
    complete: a local minimum on a kink stays unknown here. `seed` fixes the directions.
    """
    w = exact(risk.network.point(w), "w")
    answer = certify_affine_cell(risk, w)
    if answer.verdict is not Verdict.UNKNOWN or not risk.network.is_piecewise_linear:
        return answer
    for u in propose_directions(risk, w, trials, seed)[:exact_tries]:
        tried = descent_certificate(risk, w, u)
        if tried.refuted:
            return tried
    return _unknown(
        _RAY,
        answer.conditions,
        f"{answer.reason}; and none of {exact_tries} promising directions descends",
    )
