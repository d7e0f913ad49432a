r"""Paths on which the risk never rises, for any activation: one layer moves at a time.

While only the output layer moves the risk is convex along a segment, so its slope at the end
decides; while only idle units move (output weights 0) it is constant.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, Context, Decimal
from itertools import pairwise

from flint import arb, ctx, fmpq

from lscore.algebra.matrices import RationalMatrix
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import ShapeError
from lscore.model.balls import ball_risk
from lscore.model.passes import Layer
from lscore.model.risk import Risk
from lscore.model.settings import Setting

_PATH = Question("YUN-B-T1-4", "the risk never rises along the path")
_SETTING = Setting(hidden=1, output_activation=False, loss="squared loss", weight_decay=False)


def upper_decimal(ball: arb, digits: int = 3) -> Decimal:
    """A decimal number that is not smaller than any number of the ball.

    >>> upper_decimal(arb(1) / 3)
    Decimal('0.334')
    """
    mantissa, exponent = ball.upper().man_exp()
    top = fmpq(int(mantissa)) * fmpq(2) ** int(exponent)
    context = Context(prec=digits, rounding=ROUND_CEILING)
    return context.divide(Decimal(int(top.p)), Decimal(int(top.q)))


@_PATH.checker
def certify_convex_path(
    risk: Risk, waypoints: list[RationalMatrix], *, bits: int = 128
) -> Certificate:
    r"""Does the risk never rise along these segments, each of which moves one layer only?

    Squared loss, one hidden layer, any activation. A segment may move the output layer: the outputs
    are affine in t, the risk is a convex parabola, and it never rises exactly if its slope at the
    end is <= 0. Or it may move hidden units whose output weights are 0 at both ends, and nothing
    else: the risk is constant. The slope at the end is

    .. math:: 2c \sum_i (\hat y_i - y_i) (\Delta W_2 h(z_i) + \Delta b_2),

    exact for piecewise linear activations, else enclosed in balls of `bits` bits; where the
    final output weights are all 0 the residuals are rational, samples with equal pre-activations
    are added up first, and a slope of exactly 0 is recognised. Certified, refuted (a segment with a
    positive slope at its end) or unknown (another kind of segment, or a slope of undecided sign).
    Sound. YUN-B-T1-4, YUN-B-T2-4.

    >>> from lscore import Network, exact, square
    >>> risk = Risk(Network((1, 1, 1), square), [1], [1])
    >>> path = [exact([0, 0, 0, 0]), exact([1, 0, 0, 0]), exact([1, 0, "1/2", 0])]
    >>> certify_convex_path(risk, path).verdict.value
    'certified'
    """
    _SETTING.require(risk, _PATH.claim)
    if len(waypoints) < 2:
        raise ShapeError(f"waypoints: got {len(waypoints)}, need at least 2")
    method = "exact" if risk.network.is_piecewise_linear else "ball"
    asked = replace(_PATH, method=method)
    conditions = []
    for s, (start, end) in enumerate(pairwise(waypoints)):
        (hidden, out), (moved, final) = risk.network.unpack(start), risk.network.unpack(end)
        if _same(hidden, moved):
            slope = _slope(risk, end, start, bits)
            text = f"segment {s}: the output layer moves, slope <= 0 at the end"
            if slope > 0:
                witness = {"segment": s, "slope_at_its_end": "positive"}
                return asked.refuted([*conditions, Condition(text, False)], witness)
            if not slope <= 0:
                reason = f"segment {s}: the sign of the slope at its end is not decided"
                return asked.unknown(reason, [*conditions, Condition(text, None)])
        elif _same(out, final) and _idle_only(hidden, moved, out):
            text = f"segment {s}: only idle units move"
        else:
            reason = f"segment {s} moves more than the output layer or idle units"
            conditions.append(Condition(f"segment {s}: the output layer or idle units move", False))
            return asked.unknown(reason, conditions)
        conditions.append(Condition(text, True))
    ends = [ball_risk(risk, waypoints[k], bits=bits) for k in (0, -1)]
    if not all(ball.is_finite() for ball in ends):
        reason = "the activation has no finite enclosure at an end of the path"
        return asked.unknown(reason, conditions)
    first, last = map(upper_decimal, ends)
    values = {"risk_at_the_start_at_most": first, "risk_at_the_end_at_most": last}
    return asked.certified(conditions, values=values)


def _same(a: Layer, b: Layer) -> bool:
    return a.weight == b.weight and a.bias == b.bias


def _idle_only(hidden: Layer, moved: Layer, out: Layer) -> bool:
    """Whether every hidden unit that moves has output weight 0."""
    still = [
        hidden.weight.rows(k, k + 1) == moved.weight.rows(k, k + 1)
        and (hidden.bias is None or hidden.bias[k, 0] == moved.bias[k, 0])
        for k in range(len(hidden.weight))
    ]
    return all(still[k] or out.weight.column(k).is_zero() for k in range(len(still)))


def _slope(risk: Risk, end: RationalMatrix, start: RationalMatrix, bits: int) -> arb | fmpq:
    """Derivative of the risk at the end of a segment that moves the output layer only."""
    if risk.network.is_piecewise_linear:
        last = risk.predictions(end)
        return risk.loss.gradient(last, risk.exact_y).dot(last - risk.predictions(start))
    old = ctx.prec
    ctx.prec = bits
    try:
        return _slope_in_balls(risk, end, start)
    finally:
        ctx.prec = old


def _slope_in_balls(risk: Risk, end: RationalMatrix, start: RationalMatrix) -> arb:
    hidden, out = risk.network.unpack(end)
    _, before = risk.network.unpack(start)
    h, z, y = risk.network.activations[0], hidden(risk.exact_X), risk.exact_y
    n, width = z.shape
    balls = [[h.ball(arb(z[i, k])) for k in range(width)] for i in range(n)]
    total = arb(0)
    for c in range(y.shape[1]):
        base = fmpq(0) if out.bias is None else out.bias[c, 0]
        exact_residuals = [base - y[i, c] for i in range(n)]
        idle = all(out.weight[c, k] == 0 for k in range(width))
        residuals = [
            arb(exact_residuals[i])
            + sum((arb(out.weight[c, k]) * balls[i][k] for k in range(width)), arb(0))
            for i in range(n)
        ]
        for k in range(width):
            change = out.weight[c, k] - before.weight[c, k]
            if change == 0:
                continue
            if idle:
                sums: dict[str, list] = {}
                for i in range(n):
                    entry = sums.setdefault(str(z[i, k]), [fmpq(0), balls[i][k]])
                    entry[0] += exact_residuals[i]
                pull = sum((arb(r) * ball for r, ball in sums.values() if r != 0), arb(0))
            else:
                pull = sum((residuals[i] * balls[i][k] for i in range(n)), arb(0))
            total += arb(change) * pull
        if out.bias is not None:
            step = out.bias[c, 0] - before.bias[c, 0]
            total += (
                arb(step * sum(exact_residuals, fmpq(0)))
                if idle
                else arb(step) * sum(residuals, arb(0))
            )
    return total * arb(2 * risk.loss.scale(n))
