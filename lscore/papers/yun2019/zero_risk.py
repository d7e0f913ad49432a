"""Yun, Sra, Jadbabaie (2019), Theorem 2, part 1: points with risk zero; both parts together."""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb, ctx, fmpq

from lscore.activations import PiecewiseLinear, Smooth
from lscore.certificates import Certificate, Condition, Verdict
from lscore.errors import HypothesisError
from lscore.exact import RationalMatrix, Scalar, exact, rational
from lscore.papers.yun2019.setting import slopes
from lscore.papers.yun2019.smooth_lower_points import rounded_down
from lscore.papers.yun2019.smooth_minimum import certify_smooth_minimum
from lscore.papers.yun2019.three_points import (
    CLAIM,
    PRECISION,
    Constants,
    Place,
    check_activation,
    sign,
    three_points,
)

STATEMENT = "a point has risk 0"
_PAIRS = [(0, 1), (0, 2), (-1, 0), (-2, 0), (1, 2), (-1, 2), (1, 3), (0, "1/2")]


def certify_zero_risk(h: Smooth, v: Sequence[Scalar | arb] | None = None) -> Certificate:
    r"""A point with risk 0 for any non-affine h, from one pair of numbers (YUN-B-T2-1).

    With :math:`D = h(v_1) + h(v_2) - 2 h(\tfrac{v_1 + v_2}2) \ne 0` the point
    :math:`W_1 = ((v_1, v_2), (v_2, v_1))`, :math:`b_1 = 0`, :math:`W_2 = -(1, 1)/D`,
    :math:`b_2 = (h(v_1) + h(v_2))/D` has the outputs 0, 0, 1: an identity. So the only condition is
    the sign of D, decided in balls. Without `v` a few pairs are tried. Certified, or unknown if no
    D is shown to be non-zero (an affine h has none).

    >>> from lscore.activations import sigmoid
    >>> certify_zero_risk(sigmoid, (1, -1)).reason
    'D is not told from 0 for any pair tried'
    """
    check_activation(h)
    for pair in [v] if v is not None else _PAIRS:
        gap = bend(h, *pair)
        if sign(gap) in (1, -1):
            at = ", ".join(map(_show, pair))
            text = f"h(v1) + h(v2) and 2 h((v1 + v2)/2) differ at v = ({at})"
            condition = Condition(text, True, rounded_down(abs(gap)), "difference")
            return Certificate(
                "YUN-B-T2-1", STATEMENT, Verdict.CERTIFIED, "ball", [condition], values={"risk": 0}
            )
    reason = "D is not told from 0 for any pair tried"
    return Certificate("YUN-B-T2-1", STATEMENT, Verdict.UNKNOWN, "ball", reason=reason)


def _show(v: Scalar | arb) -> str:
    return v.str(6, radius=False) if isinstance(v, arb) else str(rational(v))


def bend(h: Smooth, v1: Scalar | arb, v2: Scalar | arb) -> arb:
    r"""A ball around :math:`D = h(v_1) + h(v_2) - 2 h(\tfrac{v_1 + v_2}2)`."""
    with ctx.workprec(PRECISION):
        a, b = (v if isinstance(v, arb) else arb(rational(v, "v")) for v in (v1, v2))
        return h.ball(a) + h.ball(b) - 2 * h.ball((a + b) / 2)


def certify_printed_fit(h: Smooth, places: Sequence[Place]) -> Certificate:
    r"""The paper's point with risk 0, without biases, from four places (YUN-T2, part 1).

    C2.1: :math:`h(v_1) h(v_4) = h(v_2) h(v_3)`, an equation, so both sides must be exact:
    fractions, or exactly 0. C2.2, in balls:
    :math:`g = h(v_3) h(\tfrac{v_1+v_2}2) - h(v_1) h(\tfrac{v_3+v_4}2) \ne 0`. Then
    :math:`W_1 = ((v_1, v_2), (v_3, v_4))`, :math:`W_2 = (h(v_3), -h(v_1))/g` fits. Raises
    `HypothesisError` C2.1 or C2.2 with the two sides.
    """
    check_activation(h)
    v1, v2, v3, v4 = places
    with ctx.workprec(PRECISION):
        left, right = v1.value * v4.value, v2.value * v3.value
        if not left == right:  # for balls: both exact and equal
            raise HypothesisError(
                CLAIM, "C2.1", f"h(v1)h(v4) = {left} and h(v2)h(v3) = {right}", (left, right)
            )
        sides = v3.value * h.ball((v1.v + v2.v) / 2), v1.value * h.ball((v3.v + v4.v) / 2)
        gap = sides[0] - sides[1]
    if sign(gap) not in (1, -1):
        raise HypothesisError(
            CLAIM,
            "C2.2",
            f"h(v3)h((v1+v2)/2) and h(v1)h((v3+v4)/2) are both {sides[0].str(6, radius=False)}",
            sides,
        )
    conditions = [
        Condition("C2.1: h(v1)h(v4) = h(v2)h(v3)", True),
        Condition("C2.2: the midpoint products differ", True, rounded_down(abs(gap)), "difference"),
    ]
    return Certificate(CLAIM, STATEMENT, Verdict.CERTIFIED, "ball", conditions, values={"risk": 0})


def certify_three_points(c: Constants, fit: Sequence[Place] | None = None) -> Certificate:
    r"""Is the point of c a spurious local minimum? Both parts of Theorem 2 together.

    `certify_smooth_minimum`, and a point with risk 0: from the paper's four places `fit`, or else
    by `certify_zero_risk`. Certified, refuted or unknown as the first; unknown if no fit is shown.

    >>> from lscore.activations import softplus
    >>> from lscore.papers.yun2019.three_points import constants
    >>> certify_three_points(constants(softplus, [0, 0], [1, 1])).values["radius"]
    Decimal('1.000')
    """
    statement = "the point is a spurious local minimum"
    local = certify_smooth_minimum(c)
    if not local.certified:
        return Certificate(
            CLAIM, statement, local.verdict, "ball", local.conditions, local.witness, local.reason
        )
    best = certify_zero_risk(c.h) if fit is None else certify_printed_fit(c.h, fit)
    conditions = [*local.conditions, *best.conditions]
    values = {**local.values, "smaller risk": 0}
    return Certificate(
        CLAIM, statement, best.verdict, "ball", conditions, reason=best.reason, values=values
    )


def relu_like_point(h: PiecewiseLinear) -> RationalMatrix:
    r"""The local minimum of Theorem 2's data for a two-piece h (YUN-A6): v = 1/(4 s+), u = 2/3.

    All pre-activations are 1/(4 s+) > 0 and the outputs 1/3; `certify_spurious` proves it. C2.7
    fails with equality, because h'' = 0. Raises `HypothesisError` unless :math:`s_+ > 0`,
    :math:`s_- \ge 0`.
    """
    s_plus, _ = _relu_slopes(h)
    v = 1 / (4 * s_plus)
    return exact([v, v, v, v, 0, 0, "2/3", "2/3", 0])


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
