r"""He, Wang and Tao (2020), a point below the minimum of Theorem 1, corrected: one hinge at one
sample.

One spare unit of the first layer bends at a hyperplane that cuts a single input off all others at
which the loss still pulls. The bend adds a convex or concave function of x to the outputs, and the
pulls, orthogonal to all affine functions, see only its value at that input.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import mul

import torch
from flint import fmpq, fmpz_mat

from lscore.algebra.arguments import checked
from lscore.algebra.linear import merge_rows
from lscore.algebra.matrices import RationalMatrix, exact, ones, rational, stack
from lscore.errors import HypothesisError
from lscore.model.risk import Risk
from lscore.papers.he2020.affine_minimum import (
    SETTING,
    carried,
    check_widths,
    checked_fit,
    checked_level,
)
from lscore.papers.he2020.pieces import CLAIM, chosen_sides

HALVINGS = 200


@checked
@dataclass(frozen=True, eq=False)
class HingePoint:
    r"""An affine map plus one hinge: the `point`; the `hinge` g (n, 1), what the spare unit adds
    per unit of gain; the `gains` :math:`\epsilon`, one per output; and where the hinge bends,
    :math:`\langle x_l, x \rangle = \theta`: `corner` :math:`x_l` (d, 1), `threshold`. `fit` is the
    map."""

    point: RationalMatrix
    hinge: RationalMatrix
    gains: list[fmpq]
    corner: RationalMatrix
    threshold: fmpq
    fit: RationalMatrix


def merged_pulls(
    risk: Risk, outputs: RationalMatrix
) -> tuple[RationalMatrix, RationalMatrix, RationalMatrix]:
    """The distinct inputs, the sums of the derivative of the loss over each, and the derivative.

    In floats, read exactly, where the loss is not rational.
    """
    if risk.loss.polynomial:
        pull = risk.loss.gradient(outputs, risk.exact_y)
    else:
        pull = exact(risk.loss.gradient(torch.from_numpy(outputs.floats()), risk.y))
    return *merge_rows(risk.exact_X, pull), pull


@checked
def hinge_point(risk: Risk, fit: RationalMatrix | None = None) -> HingePoint:
    r"""A point below the minimum of `affine_minimum`, by one more unit in the first layer (HE-T1).

    With V the derivative of the loss at the outputs of the map, summed over equal inputs, let
    :math:`x_l` be the longest input with :math:`V_l \ne 0` and :math:`\theta` half way from
    :math:`|x_l|^2` to the largest :math:`\langle x_l, x_i \rangle` of the others with
    :math:`V_i \ne 0`. The spare unit bends where :math:`\langle x_l, x \rangle = \theta`; with its
    signal :math:`g_i`, :math:`\sum_i V_{ic} g_i` is :math:`V_{lc}` times a number that is not 0, so
    gains :math:`\epsilon_c = -\sum_i V_{ic} g_i / (q \sum_i g_i^2)` lead down, with q the largest
    second derivative of the loss by an output. For a squared loss the risk falls by exactly
    :math:`\sum_c (\sum_i V_{ic} g_i)^2 / (2 q \sum_i g_i^2)`. For other losses the gains are halved
    until the risk is smaller: in rationals, or in floats where the loss has none (then check with
    balls). Needs :math:`d_1 \ge k + 1`, :math:`d_l \ge k`. Raises `HypothesisError` as
    `affine_minimum`, and "A12" if V is 0 at every input: no function of x is better, for a convex
    loss.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3, 4], [0, 1, 0, 2, 1])
    >>> found = hinge_point(risk)
    >>> found.gains, risk(found.point)                      # 19/20 for the straight line
    ([-1/5], 87/100)
    """
    network, k = risk.network, risk.exact_y.shape[1]
    SETTING.require(risk, CLAIM)
    if not risk.loss.smooth:
        raise HypothesisError(CLAIM, "A1", "the loss has no derivative", risk.loss)
    check_widths(network, k, spare=1)
    fit = checked_fit(risk, fit)
    outputs = risk.exact_augmented @ fit.T
    X, merged, pull = merged_pulls(risk, outputs)
    corner, threshold = _corner(X, merged)
    chosen = chosen_sides(network)
    cut = risk.exact_X @ corner - ones(len(risk.exact_X)) * threshold
    first = chosen[0]
    step = first.sign * first.largest_scale(max(map(abs, cut.entries())), both=True)
    hinge = network.activations[0](ones(len(cut)) * first.knot + cut * step)
    hinge = hinge - ones(len(cut)) * first.value
    bend = _largest_bend(risk, outputs)
    gains = [-v / (bend * hinge.dot(hinge)) for v in (pull.T @ hinge).entries()]
    gains = _that_lower(risk, outputs, hinge, gains)
    raised = outputs + hinge @ exact(gains).T
    kappa = checked_level(stack([outputs, raised]), None)
    reach = max(max(map(max, (outputs.entries(), raised.entries()))) + kappa, kappa)
    steps = [side.largest_scale(reach) for side in chosen]
    extra = corner * step, first.knot - step * threshold, gains
    point = carried(network, chosen, fit, kappa, steps, extra)
    return HingePoint(point, hinge, gains, corner, threshold, fit)


def _corner(X: RationalMatrix, merged: RationalMatrix) -> tuple[RationalMatrix, fmpq]:
    """The longest input that pulls, and the threshold that cuts it off the others."""
    pairs = zip(X.numerator.tolist(), merged.numerator.tolist(), strict=True)
    pulling = [row for row, pull in pairs if any(pull)]  # integers, over one denominator q
    if not pulling:
        text = "the pulls of the loss cancel at every input, no function of x has a smaller risk"
        raise HypothesisError(CLAIM, "A12", text, merged)
    sizes = [sum(map(mul, row, row)) for row in pulling]
    longest = sizes.index(max(sizes))
    corner = pulling.pop(longest)
    if not pulling:
        text = "the pulls do not sum to 0: the fit is no minimiser over affine maps"
        raise HypothesisError(CLAIM, "minimiser", text, merged)
    nearest, q = max(sum(map(mul, corner, row)) for row in pulling), X.denominator
    threshold = fmpq(sizes[longest] + nearest, 2 * q * q)
    return RationalMatrix(fmpz_mat(len(corner), 1, corner), q), threshold


def _largest_bend(risk: Risk, outputs: RationalMatrix) -> fmpq:
    """The largest second derivative by an output, 1 if there is none; in floats where the loss is
    not rational. It only scales the gains, so floats do no harm."""
    exactly = risk.loss.polynomial
    pair = (outputs, risk.exact_y) if exactly else (torch.from_numpy(outputs.floats()), risk.y)
    bends = risk.loss.second(*pair)
    found = [rational(bends[i, c, c].item() if not exactly else bends[i, c, c])
             for i in range(len(bends)) for c in range(bends.shape[1])]  # fmt: skip
    return max(found) or fmpq(1)


def _that_lower(risk: Risk, outputs, hinge, gains: list[fmpq]) -> list[fmpq]:
    """The gains, halved until the outputs plus gains times the hinge have a smaller loss."""
    exactly, targets = risk.loss.polynomial, risk.exact_y if risk.loss.polynomial else risk.y

    def value(shift: list[fmpq]):
        moved = outputs + hinge @ exact(shift).T
        return risk.loss(moved if exactly else torch.from_numpy(moved.floats()), targets)

    start = value([fmpq(0)] * len(gains))
    for _ in range(HALVINGS):
        if value(gains) < start:
            return gains
        gains = [v / 2 for v in gains]
    text = f"{HALVINGS} halvings of the gains do not lower the risk"
    raise HypothesisError(CLAIM, "minimiser", text, gains)
