r"""He, Wang and Tao (2020), the local minimum of Theorem 1, corrected: any depth, any piecewise
linear activations, several outputs, any convex loss.

A network can carry any affine map :math:`x \mapsto W x + b` to its outputs without leaving one
piece of each unit. If the map is a minimiser of the risk over affine maps, that point is a local
minimum: `certify_affine_minimum` decides it, whatever was constructed here.
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, ones, rational, stack, zeros
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.model.settings import Setting
from lscore.papers.he2020.linear_fit import linear_minimiser
from lscore.papers.he2020.pieces import CLAIM, Side, chosen_sides

SETTING = Setting(
    biases=True, output_activation=False, activations=("piecewise linear",), weight_decay=False
)
Extra = tuple[RationalMatrix, fmpq, list[fmpq]]


@checked
def affine_minimum(
    risk: Risk,
    fit: RationalMatrix | None = None,
    *,
    level: Scalar | None = None,
    scales: Sequence[Scalar] | None = None,
    places: Sequence[Side] | None = None,
) -> RationalMatrix:
    r"""A point whose outputs are an affine map of x, every unit strictly inside one piece (HE-T1).

    `fit` [W, b] (k, d + 1) is that map, by default `linear_minimiser`, with which the point is a
    local minimum for a convex loss. Unit c < k of layer l has the pre-activation
    :math:`t_l + \sigma_l c_l (\hat y_{c} + \kappa)`, spare units
    :math:`t_l + \sigma_l c_l \kappa`, and the output layer undoes it. `level` is :math:`\kappa`,
    which must exceed 0 and :math:`-\min \hat y` and does by 1 if not given; `scales` are the
    :math:`c_l`, one per hidden layer, less than the length of the piece divided by P, the largest
    of :math:`\hat y + \kappa` and :math:`\kappa`, and half of that, at most 1, if not given;
    `places` the sides, see `sides`. Needs :math:`d_l \ge k`, biases, no output activation and no
    decay. Raises `HypothesisError`: "A3" (width), "activation", "minimiser" (none is found, or the
    fit is none), else as `Setting`; `DataError` for a level or a scale that is not allowed.

    >>> from lscore import Network, hard_tanh
    >>> risk = Risk(Network((1, 2, 1, 1), hard_tanh), [0, 1, 2, 3, 4], [0, 1, 0, 2, 1])
    >>> affine_minimum(risk)
    column(1/8, 0, -1/2, -7/12, 1, 0, 0, 12/5, 7/5)
    """
    network, k = risk.network, risk.exact_y.shape[1]
    SETTING.require(risk, CLAIM)
    check_widths(network, k, spare=0)
    fit = checked_fit(risk, fit)
    outputs = risk.exact_augmented @ fit.T
    chosen = chosen_sides(network, places)
    kappa = checked_level(outputs, level)
    reach = max(max(outputs.entries()) + kappa, kappa)
    steps = checked_scales(chosen, reach, scales)
    return carried(network, chosen, fit, kappa, steps)


def check_widths(network: Network, k: int, spare: int) -> None:
    """Raise `HypothesisError` A3 unless the first hidden layer has k + spare units and each other
    one k."""
    hidden = network.widths[1:-1]
    if not hidden:
        raise HypothesisError(CLAIM, "A3", "there is no hidden layer", network.widths)
    for l, width in enumerate(hidden, 1):
        needed = k + spare if l == 1 else k
        if width < needed:
            text = f"hidden layer {l} has width {width}, need {needed} for {k} outputs"
            raise HypothesisError(CLAIM, "A3", text, width)


def checked_fit(risk: Risk, fit: RationalMatrix | None) -> RationalMatrix:
    """The affine map [W, b] (k, d + 1), a minimiser over affine maps as far as rationals tell."""
    if fit is None:
        return linear_minimiser(risk)
    needed = (risk.exact_y.shape[1], risk.exact_X.shape[1] + 1)
    if fit.shape != needed:
        raise ShapeError(f"fit: shape {fit.shape}, need {needed}, slope and intercept per output")
    if not risk.inexact and risk.loss.smooth:
        pull = risk.loss.gradient(risk.exact_augmented @ fit.T, risk.exact_y)
        sums = risk.exact_augmented.T @ pull
        if not sums.is_zero():
            text = "the fit given is no minimiser over affine maps: its gradient is not 0"
            raise HypothesisError(CLAIM, "minimiser", text, sums)
    return fit


def checked_level(outputs: RationalMatrix, level: Scalar | None) -> fmpq:
    r"""The number :math:`\kappa` that makes all outputs, and itself, positive."""
    lowest = -min(fmpq(0), outputs.smallest())
    kappa = lowest + 1 if level is None else rational(level, "level")
    if kappa <= lowest:
        raise DataError(f"level: got {kappa}, need more than {lowest}")
    return kappa


def checked_scales(
    chosen: Sequence[Side], reach: fmpq, scales: Sequence[Scalar] | None
) -> list[fmpq]:
    """The numbers c, one per hidden layer, that keep numbers up to `reach` inside the pieces."""
    if scales is None:
        return [side.largest_scale(reach) for side in chosen]
    found = [rational(c, "scales") for c in scales]
    if len(found) != len(chosen):
        raise ShapeError(f"scales: got {len(found)}, need one for each of {len(chosen)} layers")
    for c, side in zip(found, chosen, strict=True):
        if c <= 0 or (side.length is not None and c * reach >= side.length):
            most = "" if side.length is None else f" and less than {side.length / reach}"
            raise DataError(f"scales: got {c}, need more than 0{most}")
    return found


def carried(
    network: Network,
    chosen: Sequence[Side],
    fit: RationalMatrix,
    kappa: fmpq,
    steps: Sequence[fmpq],
    extra: Extra | None = None,
) -> RationalMatrix:
    """The point that carries the map [W, b], unchecked.

    `extra` is one more unit of the first layer, (weights (d, 1), bias, gains): the second layer,
    or the output layer, adds gain times its signal, less that at the knot, to each output.
    """
    k, d = fit.shape[0], fit.shape[1] - 1
    read, offset = fit.T.rows(0, d).T, fit.column(d) + ones(k) * kappa
    weights, biases = [], []
    for l, (side, c, width) in enumerate(zip(chosen, steps, network.widths[1:], strict=False)):
        step, spare = side.sign * c, width - k
        rows, knots = read * step, ones(k) * side.knot + offset * step
        more, shifts = zeros(spare, read.shape[1]), ones(spare) * (side.knot + step * kappa)
        if extra is not None and l == 0:
            more = stack([extra[0].T, zeros(spare - 1, d)])
            shifts = stack([exact([extra[1]]), shifts.rows(1, spare)])
        weights.append(stack([rows, more]) if spare else rows)
        biases.append(stack([knots, shifts]) if spare else knots)
        gain = 1 / (side.slope * step)
        table = [[gain * (i == j) for j in range(width)] for i in range(k)]
        if extra is not None and l == 0:
            for row, amount in zip(table, extra[2], strict=True):
                row[k] = amount
        read = exact(table)
        offset = -(read @ ones(width)) * side.value
    weights.append(read)
    biases.append(offset - ones(k) * kappa)
    return network.pack(weights, biases)
