"""Yun, Sra, Jadbabaie (2019), Theorem 2, part 1: points with risk zero; both parts together."""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb, ctx, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import HypothesisError, ShapeError
from lscore.model.activations import PiecewiseLinear
from lscore.model.settings import slopes
from lscore.papers.yun2019.smooth.lower_points import rounded_down
from lscore.papers.yun2019.smooth.minimum import certify_smooth_minimum
from lscore.papers.yun2019.smooth.setting import (
    CLAIM,
    PRECISION,
    BallPoint,
    Constants,
    Place,
    Real,
    as_real,
    check_activation,
    check_place,
    sign,
    three_points,
)

_ZERO = Question("YUN-B-T2-1", "a point has risk 0", "ball")
_PRINTED = Question(CLAIM, _ZERO.statement, "ball")
_PAIRS = [(0, 1), (0, 2), (-1, 0), (-2, 0), (1, 2), (-1, 2), (1, 3), (0, "1/2")]


@_ZERO.checker
def certify_zero_risk(h: object, v: Sequence[Scalar | arb] | None = None) -> Certificate:
    r"""A point with risk 0 for any non-affine h, from one pair of numbers (YUN-B-T2-1).

    With :math:`D = h(v_1) + h(v_2) - 2 h(\tfrac{v_1 + v_2}2) \ne 0` the point
    :math:`W_1 = ((v_1, v_2), (v_2, v_1))`, :math:`b_1 = 0`, :math:`W_2 = -(1, 1)/D`,
    :math:`b_2 = (h(v_1) + h(v_2))/D` has the outputs 0, 0, 1: an identity. So the only condition is
    the sign of D, decided in balls; `values` holds the `point`. Without `v` a few pairs are tried.
    Certified, or unknown if no D is shown to be non-zero (an affine h has none) or h is not smooth.
    `ShapeError` unless `v` is a pair, `DataError` unless it is finite.

    >>> from lscore.model.smooth_activations import sigmoid, square
    >>> certify_zero_risk(sigmoid, (1, -1)).reason
    'D is not told from 0 for any pair tried'
    >>> print(certify_zero_risk(square, (0, 1)).values["point"])
    (0, 1, 1, 0, 0, 0, -2.000, -2.000, 2.000)
    """
    check_activation(h)
    if v is not None and len(v) != 2:
        raise ShapeError(f"v: got {len(v)} numbers, need 2")
    conditions = []
    for pair in [v] if v is not None else _PAIRS:
        v1, v2 = (as_real(x, f"v[{k}]") for k, x in enumerate(pair))
        with ctx.workprec(PRECISION):
            total = h.ball(arb(v1)) + h.ball(arb(v2))
            gap = total - 2 * h.ball((arb(v1) + arb(v2)) / 2)
        text = f"h(v1) + h(v2) and 2 h((v1 + v2)/2) differ at v = ({_show(v1)}, {_show(v2)})"
        conditions.append(_differ(text, gap))
        if conditions[-1].holds:
            with ctx.workprec(PRECISION):
                point = BallPoint((v1, v2, v2, v1, 0, 0, -1 / gap, -1 / gap, total / gap))
            return _ZERO.certified(conditions[-1:], values={"risk": 0, "point": point})
    return _ZERO.unknown("D is not told from 0 for any pair tried", conditions)


def _differ(text: str, gap: Real) -> Condition:
    """Whether a gap is told from 0; the margin is its size."""
    s = sign(gap)
    if s is None:
        return Condition(text, None)
    return Condition(text, s != 0, rounded_down(abs(gap)), "difference")


def _show(v: Real) -> str:
    return v.str(6, radius=False) if isinstance(v, arb) else str(v)


@_PRINTED.checker
def certify_printed_fit(h: object, places: Sequence[Place]) -> Certificate:
    r"""The paper's point with risk 0, without biases, from four places (YUN-T2, part 1).

    C2.1: :math:`h(v_1) h(v_4) = h(v_2) h(v_3)`, an equation, so both sides must be exact:
    fractions, or exactly 0. C2.2, in balls:
    :math:`g = h(v_3) h(\tfrac{v_1+v_2}2) - h(v_1) h(\tfrac{v_3+v_4}2) \ne 0`. Then
    :math:`W_1 = ((v_1, v_2), (v_3, v_4))`, :math:`W_2 = (h(v_3), -h(v_1))/g` fits; `values` holds
    this `point`. Unknown if a condition fails, with the difference of its two sides, or is not
    decided because its sides are balls that overlap; also for an h that is not smooth. `ShapeError`
    unless there are four places, `DataError` if one belongs to another activation.
    """
    check_activation(h)
    if len(places) != 4:
        raise ShapeError(f"places: got {len(places)}, need 4")
    for k, p in enumerate(places):
        check_place(h, p, f"places[{k}]", smooth=False)
    v1, v2, v3, v4 = places
    with ctx.workprec(PRECISION):
        apart = v1.value * v4.value - v2.value * v3.value
        first, second = (h.ball((a.v + b.v) / 2) for a, b in ((v1, v2), (v3, v4)))
        gap = v3.value * first - v1.value * second
    side = sign(apart)
    size = None if side is None else apart if isinstance(apart, fmpq) else rounded_down(apart)
    equal = None if side is None else side == 0
    conditions = [
        Condition("C2.1: h(v1)h(v4) = h(v2)h(v3)", equal, size if side else None, "difference"),
        _differ("C2.2: the midpoint products differ", gap),
    ]
    for name, condition in zip(("C2.1", "C2.2"), conditions, strict=True):
        if condition.holds is not True:
            reason = f"{name} fails, so this construction gives no point"
            if condition.holds is None:
                reason = f"{name} is not decided: its two sides are balls that overlap"
            return _PRINTED.unknown(reason, conditions)
    with ctx.workprec(PRECISION):
        weights = v3.value / gap, -v1.value / gap
    point = BallPoint((v1.v, v2.v, v3.v, v4.v, 0, 0, *weights, 0))
    return _PRINTED.certified(conditions, values={"risk": 0, "point": point})


@checked
def certify_three_points(c: Constants, fit: Sequence[Place] | None = None) -> Certificate:
    r"""Is the point of c a spurious local minimum? Both parts of Theorem 2 together.

    `certify_smooth_minimum`, and a point with risk 0: from the paper's four places `fit`, or else
    by `certify_zero_risk`. Certified, refuted or unknown as the first; unknown if no fit is shown.

    >>> from lscore.model.smooth_activations import softplus
    >>> from lscore.papers.yun2019.smooth.setting import constants
    >>> certify_three_points(constants(softplus, [0, 0], [1, 1])).values["radius"]
    Decimal('1.000')
    """
    asked = Question(CLAIM, "the point is a spurious local minimum", "ball")
    local = certify_smooth_minimum(c)
    if not local.certified:
        return asked.as_found(local)
    best = certify_zero_risk(c.h) if fit is None else certify_printed_fit(c.h, fit)
    conditions = [*local.conditions, *best.conditions]
    values = dict(local.values)
    if best.certified:
        values |= {"smaller_risk": 0, "lower_point": best.values["point"]}
    return asked.as_found(best, conditions=conditions, values=values)


@checked
def relu_like_point(h: PiecewiseLinear) -> RationalMatrix:
    r"""The local minimum of Theorem 2's data for a two-piece h (YUN-A6): v = 1/(4 s+), u = 2/3.

    All pre-activations are 1/(4 s+) > 0 and the outputs 1/3; `certify_spurious` proves it. C2.7
    fails with equality, because h'' = 0. Raises `HypothesisError` unless :math:`s_+ > 0`,
    :math:`s_- \ge 0`.
    """
    s_plus, _ = _relu_slopes(h)
    v = 1 / (4 * s_plus)
    return exact([v, v, v, v, 0, 0, "2/3", "2/3", 0])


@checked
def relu_like_fit(h: PiecewiseLinear) -> RationalMatrix:
    r"""A bias-free point with risk 0 on Theorem 2's data for a two-piece h (YUN-A6).

    For :math:`s_- > 0` from C2.1, C2.2 with :math:`v = (1/s_+, -1/s_-, -1/s_-, 1/s_+)`; for
    :math:`s_- = 0` the rows (0, 2), (-2, 1) with output weights :math:`(1, -2)/s_+`.
    """
    s_plus, s_minus = _relu_slopes(h)
    if s_minus == 0:
        return exact([0, 2, -2, 1, 0, 0, 1 / s_plus, -2 / s_plus, 0])
    v1, v3 = 1 / s_plus, -1 / s_minus
    scale = 2 * h((v1 + v3) / 2)
    return exact([v1, v3, v3, v1, 0, 0, 1 / scale, 1 / scale, 0])


def _relu_slopes(h: PiecewiseLinear) -> tuple[fmpq, fmpq]:
    s_plus, s_minus = slopes(three_points(h))
    if s_plus <= 0 or s_minus < 0:
        raise HypothesisError(
            "YUN-A6", "s+ > 0, s- >= 0", f"{h.name} has s+ = {s_plus}, s- = {s_minus}", h
        )
    return s_plus, s_minus
