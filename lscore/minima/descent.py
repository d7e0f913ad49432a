r"""The ray test: a direction along which the risk falls refutes a local minimum.

Exact, for piecewise linear networks of any depth, at kinks and at degenerate points too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from flint import fmpq

from lscore.algebra.matrices import RationalMatrix, exact, rational
from lscore.cells.rays import risk_along
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError
from lscore.model.losses import Loss
from lscore.model.networks import Point
from lscore.model.risk import Risk

STATEMENT = "the point is a local minimum"
MINIMUM_BY_RAYS = Question("B-RAY", STATEMENT, frozen="decided")
_FACTS = {
    "convex": "convex in the outputs",
    "nonnegative": ">= 0",
    "shift_invariant": "blind to one shift of all outputs",
}
_EPSILON = fmpq(1, 2**52)
_DOUBLINGS = 64


@MINIMUM_BY_RAYS.checker
def certify_along(risk: Risk, w: Point | np.ndarray, u: object) -> Certificate:
    r"""Does the risk fall strictly along w + t u for all small t > 0? Decided exactly.

    Refutes "w is a local minimum" when the first non-zero coefficient of :math:`R(w + tu) - R(w)`
    on the cell that the ray enters is negative; the witness holds the direction, the order k, the
    coefficient, and one explicit lower point with its decrease. Otherwise unknown: one direction
    cannot prove a minimum. Sound; piecewise linear networks of any depth, kinks allowed. Where the
    decrease is below what float64 resolves the reason says so (`rounding_note`). With more than one
    column u is a curve, :math:`w + t u_1 + t^2 u_2 + \dots`, and so the witness says. Raises
    `DataError` if it moves a frozen parameter.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu, bias=False), [1.0], [1.0])
    >>> answer = certify_along(risk, exact([0, 0, 1, -1]), exact([1, -1, 0, 0]))
    >>> answer.verdict.value, answer.witness["order"], answer.witness["coefficient"]
    ('refuted', 1, -1)
    """
    w, u = exact(risk.network.point(w), "w"), exact(u, "u")
    if len(u) == len(w) and risk.freed(u) != u:
        raise DataError("u: moves a frozen parameter, need 0 there")
    expansion = risk_along(risk, w, u)
    change, order = expansion.change, expansion.order
    if order is None or change[order] > 0:
        what = "is constant" if order is None else f"rises at order {order}"
        return MINIMUM_BY_RAYS.unknown(f"along this direction the risk {what}")
    t = expansion.stop
    while change(t) >= 0:
        t /= 2
    powers = exact([t**l for l in range(1, u.shape[1] + 1)])
    value, lower = expansion.risk(fmpq(0)), w + u @ powers
    decrease = max(-change(t), -change(t / 2))
    return MINIMUM_BY_RAYS.refuted(
        (),
        {
            "direction" if len(powers) == 1 else "curve": u,
            "order": order,
            "coefficient": change[order],
            "lower_point": lower,
            "decrease_there": -change(t),
        },
        reason=rounding_note(risk, w, lower, decrease, value, lambda x: value - risk(x)),
    )


def rounding_note(
    risk: Risk,
    w: RationalMatrix,
    lower: RationalMatrix,
    decrease: fmpq,
    value: fmpq,
    drop: Callable[[RationalMatrix], fmpq],
) -> str:
    r"""What a decrease of the risk at rounding level means, in words; empty for a larger one.

    Rounding level: at most :math:`\epsilon (R + \epsilon R_0)` with :math:`\epsilon = 2^{-52}`,
    R = `value` and :math:`R_0` the loss of a network that answers 0. No float risk shows it. The
    step from w to `lower` is doubled, at most some 64 times up to the size of w or 1, as long as
    the risk falls further, also beyond walls: `drop`, the decrease at a point, must stay that low.
    """
    if risk.loss.polynomial:
        silent = risk.loss(risk.exact_y * 0, risk.exact_y)
    else:
        silent = rational(float(risk.loss(risk.y * 0, risk.y)))
    level = _EPSILON * (value + _EPSILON * silent)
    step = (lower - w) * 2
    size, reach = max(map(abs, step.entries())), max(fmpq(1), *map(abs, w.entries()))
    while size * 2**_DOUBLINGS < reach:
        step, size = step * 2**_DOUBLINGS, size * 2**_DOUBLINGS
    while decrease <= level and size <= reach:
        further = drop(w + step)
        if further <= decrease:
            break
        decrease, step, size = further, step * 2, size * 2
    if decrease > level:
        return ""
    return (
        "not exactly critical, but the decrease is at rounding level, too small for float64 to "
        "show: this point is no minimum, a point nearby may be one. Floats end in such points; "
        "solve for the critical point in rationals and ask about that"
    )


def unused_unit_direction(
    risk: Risk, w: RationalMatrix, pull: RationalMatrix, pieces: np.ndarray
) -> RationalMatrix | None:
    r"""A direction along which the risk falls at order 2, if a unit that is not used can do it.

    One hidden layer, in an open cell with gradient 0. A unit k with output weights 0 whose moment
    :math:`g = \sum_i \nu_{ic} s_{ik} (x_i, 1)` is not 0 for an output c moves its input weights
    against g and switches on: with :math:`B = \sum_i \ell''_{icc} h(z_{ik})^2` the risk changes by
    :math:`t^2(-\delta |g|^2 + \delta^2 B/2)` up to higher orders, negative for
    :math:`\delta = |g|^2 / B`. None if there is no such unit. `pieces` is (n, width).
    """
    network = risk.network
    hidden, out = network.unpack(w)
    h, width = network.activations[0], len(hidden.weight)
    z = hidden(risk.exact_X)
    bends = risk.loss.second(out(h(z)), risk.exact_y)
    data = risk.exact_augmented if network.biases[0] else risk.exact_X
    for c in range(pull.shape[1]):
        for k in range(width):
            if not out.weight.column(k).is_zero():
                continue
            slopes = [h.slopes[p] for p in pieces[:, k]]
            pulled = [v * s for v, s in zip(pull.column(c).entries(), slopes, strict=True)]
            g = data.T @ exact(pulled)
            if g.is_zero():
                continue
            values = h(z.column(k))
            squares = zip(values.entries(), bends, strict=True)
            bend = sum((v * v * row[c, c] for v, row in squares), fmpq(0))
            move, inner = [fmpq(0)] * risk.dimension, hidden.weight.shape[1]
            move[k * inner : (k + 1) * inner] = (-g).entries()[:inner]
            if network.biases[0]:
                move[width * inner + k] = -g[inner, 0]
            step = g.dot(g) / bend if bend > 0 else g.dot(g)
            move[width * data.shape[1] + c * width + k] = step
            return exact(move)
    return None


def declared(loss: Loss, fact: str) -> list[Condition]:
    """A fact that a certificate takes from the word of a loss; nothing of one that is `proved`."""
    text = f"the loss is declared {_FACTS[fact]}, by Loss.{fact}"
    return [] if loss.proved else [Condition(text, getattr(loss, fact))]


def not_convex(loss: Loss, i: int) -> DataError:
    """The error where a loss shows at sample i that it is not convex, as it says."""
    fall = f"its slope falls at the knot on which a margin of sample {i} lies"
    return DataError(f"loss: got {loss.kind}, declared convex, but {fall}")
