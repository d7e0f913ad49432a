r"""Local minima of one hidden layer and one output at any point, kinks included: unit by unit.

By convexity the risk is never smaller than its tangent risk, which falls apart into one term for
the output bias and one for each unit. So each unit is asked alone, and exactly.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from flint import arb, ctx, fmpq

from lscore.algebra.balls import Balls, balls
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.pattern import Located, locate
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError, SettingError
from lscore.minima.balanced import pulls
from lscore.minima.ball_descent import below
from lscore.minima.descent import STATEMENT, certify_along, declared
from lscore.minima.tangent import BITS, Tangent
from lscore.model.balls import ball_risk
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

MAX_CASES = 1024
TANGENT = Setting(
    hidden=1,
    outputs=1,
    output_activation=False,
    activations=("piecewise linear",),
    loss="convex loss",
)
_MINIMUM = Question("HE-foc", STATEMENT, frozen="certified")
_LOWEST = "the tangent risk has a local minimum"
_HALVINGS = 200


@_MINIMUM.checker
def certify_kink_minimum(
    risk: Risk, w: Point | np.ndarray, *, limit: int = MAX_CASES
) -> Certificate:
    r"""Is w a local minimum? Decided at any point of one hidden layer and one output.

    Let :math:`\nu` (n, 1) be the derivative of the loss at the outputs, :math:`\tilde x = (x, 1)`
    (x without hidden biases), :math:`z_{ik} = \langle w_k, \tilde x_i \rangle` and
    :math:`\varphi(w_k) = \sum_i \nu_i h(z_{ik})`. Without weight decay w is a local minimum if and
    only if :math:`\sum_i \nu_i = 0` (with an output bias) and for every unit k

    - :math:`v_k \ne 0`: :math:`\varphi(w_k) = 0`, and :math:`v_k \varphi` has a local minimum at
      :math:`w_k`;
    - :math:`v_k = 0`: :math:`\varphi` is 0 around :math:`w_k`.

    Near :math:`w_k` :math:`\varphi(w_k + u) - \varphi(w_k)` is a linear function with a bend for
    each wall, `bends.Bent`: no bend and no slope decide the second condition, one zonotope for each
    chamber of the concave bends the first. *If*: by convexity the risk grows at least as the sum of
    :math:`(v_k + \delta_k) \varphi(w_k + u_k) - v_k \varphi(w_k) \ge 0`. *Only if*: the risk falls
    at order 1, or at order 2 where an unused unit first moves to where :math:`\varphi \ne 0`, which
    costs nothing.

    With weight decay :math:`\lambda` the conditions are :math:`\sum_i \nu_i + \lambda c = 0` and

    - :math:`v_k \ne 0`: :math:`\varphi(w_k) + \lambda v_k = 0`, no direction u has
      :math:`v_k \varphi'(w_k; u) + \lambda \langle w_k, u \rangle < 0`, and
      :math:`|w_k| \le |v_k|`;
    - :math:`v_k = 0`: :math:`w_k = 0`, :math:`\varphi(0) = 0` and :math:`|\varphi'(0; u)| \le
      \lambda |u|` for all u.

    They suffice: with :math:`p = v_k w_k` the term of the unit is piecewise linear in (p, v), and
    :math:`|p|^2 / v^2 + v^2` is convex where :math:`|p| < v^2`, and never below :math:`2 |p|`. For
    activations whose every piece goes through 0 they are necessary too (:math:`|w_k| = |v_k|`
    follows). For others :math:`|w_k| > |v_k|`, and a steep unit at 0 with :math:`h(0) \ne 0`, are
    left unknown: there the curvature of the loss decides.

    Decays may differ: then :math:`\sum_j \lambda_j w_j^2 \le \lambda_v v^2` takes the place of
    :math:`|w_k| \le |v_k|`, :math:`\lambda_j w_j = 0` for all j that of :math:`w_k = 0`, and
    :math:`\sqrt{\lambda_w \lambda_v}` that of :math:`\lambda` in the last condition. An unused unit
    of which nothing decays is asked as above. One that is pulled, and of which only some numbers
    decay or input weights differently, is left unknown.

    Any knots and slopes, dead, unused and repeated units, repeated samples. Convex losses that have
    a derivative at the outputs; for others with curvature none, `certify_hinge_minimum`. Refuted
    with a direction verified by `certify_along`. Losses that are not rational: exactly as above if
    their derivative is rational at the outputs, else refuted where balls show a falling direction
    at a kink, and never certified. Unknown if a unit may have more than `limit` chambers. Sound,
    and complete within these bounds. Source: this book, after He, Wang and Tao (2020), Theorem 2.

    >>> from lscore import Network, SquaredLoss, relu
    >>> x, y = [-2, -1, 0, 1, 2], [1, "-1/2", 1, "-1/2", 1]
    >>> risk = Risk(Network((1, 1, 1), relu), x, y, SquaredLoss("1/2", mean=True))
    >>> w = exact([1, 1, "3/34", "5/17"])                       # the kink is at the sample x = -1
    >>> print(certify_kink_minimum(risk, w))
    certified (exact): the point is a local minimum  [HE-foc]
      holds     the derivative by the output bias is 0
      holds     the derivatives by the output weights are 0
      holds     no used unit descends: multipliers in 1 case
      value     risk = 9/34
    >>> w = exact([1, 0, "3/32", "11/32"])                      # and here it is at x = 0
    >>> certify_kink_minimum(risk, w).witness["direction"]
    column(0, 1, 0, 0)
    """
    if missing := TANGENT.misses(risk):
        return _MINIMUM.unknown(missing)
    w = locate(risk, w)
    pull, enclosed = _derivative(w)
    tangent, conditions = Tangent(w, pull, limit), []
    for text, directions in tangent.conditions():
        for u in directions:
            if enclosed is None and risk.loss.polynomial:
                return _along(risk, w, u, [*conditions, Condition(text, False)])
            if fall := _fall_in_balls(tangent, enclosed, u):
                return _MINIMUM.refuted([Condition(text, False)], fall, method="ball")
            if enclosed is None:
                reason = f"{text}: not so, but balls show no lower point"
                return _MINIMUM.unknown(reason, [Condition(text, False)])
        conditions.append(Condition(text, True))
    if enclosed is not None:
        reason = "balls never show that a derivative is exactly 0, and here none is shown not to be"
        return _MINIMUM.unknown(reason, [Condition(_LOWEST, None)])
    conditions += declared(risk.loss, "convex")
    values = {"risk": risk(w)} if risk.loss.polynomial else {}
    return _MINIMUM.certified(conditions, values=values)


def _along(risk: Risk, w: Located, u: RationalMatrix, conditions: list) -> Certificate:
    """The refutation along u; unknown if the risk does not fall, as its curvature can tell."""
    found = certify_along(risk, w, u)
    if found.refuted:
        return _MINIMUM.as_found(found, conditions=conditions)
    *_, failing = conditions
    reason = f"{failing.text}: not so, and {found.reason}: the curvature of the loss decides"
    return _MINIMUM.unknown(reason, conditions)


def _derivative(w: Located) -> tuple[RationalMatrix, Balls | None]:
    """The derivative of the loss at the outputs; if it is not rational the midpoints of balls, and
    these."""
    loss, outputs, labels = w.risk.loss, w.run.outputs, w.risk.exact_y
    if loss.polynomial:
        pull, tied = pulls(loss, outputs, labels)
        if tied:
            raise SettingError(
                f"loss: the {loss.kind} loss has no derivative at the output of sample "
                f"{tied[0][0]}, need one at every output"
            )
        return pull, None
    with suppress(DataError, SettingError):
        return loss.gradient(outputs, labels), None
    with ctx.workprec(BITS):
        enclosed = loss.gradient(balls(outputs), labels)
    if not all(ball.is_finite() for ball in enclosed.flat):
        raise SettingError(f"loss: balls enclose no derivative of the {loss.kind} loss here")
    middles = [ball.mid().man_exp() for ball in enclosed.flat]
    return exact([fmpq(m) * fmpq(2) ** int(e) for m, e in middles]), enclosed


def _fall_in_balls(
    tangent: Tangent, enclosed: Balls | None, u: RationalMatrix
) -> dict[str, object]:
    """The witness of a descent along u: the risk falls at order 1, and balls show it.

    Or at order 2, for the exact pull of a tangent risk whose conditions gave this direction.
    """
    risk, w = tangent.at.risk, tangent.at
    with ctx.workprec(BITS):
        pull, speeds = balls(tangent.pull) if enclosed is None else enclosed, tangent.speed(u)
        slope = (pull * balls(speeds)).sum() + arb(risk.shrinkage(w).dot(u))
        if slope < 0 and (steepest := below(-slope)):
            shown = {"order": 1, "slope_at_most": -steepest}
        elif enclosed is None:
            shown = {"order": 2}
        else:
            return {}
        value = ball_risk(risk, w, bits=BITS)
        for halvings in range(_HALVINGS):
            lower = w + u / 2**halvings
            fall = value - ball_risk(risk, lower, bits=BITS)
            if fall > 0 and (decrease := below(fall)):
                found = {"lower_point": lower, "decrease_at_least": decrease}
                return {"direction": u} | shown | found
    return {}
