r"""He, Wang and Tao (2020): is a point a spurious local minimum, at any depth and for any convex
loss; and the one test that stands in for two of the paper's assumptions.
"""

from __future__ import annotations

from lscore.algebra.linear import merge_rows
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.certificates import Certificate, Condition, Question, Verdict
from lscore.errors import HypothesisError
from lscore.minima.affine import certify_affine_minimum
from lscore.minima.descent import declared
from lscore.minima.local import certify_local_minimum
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.he2020.affine_minimum import affine_minimum
from lscore.papers.he2020.lower_point import hinge_point
from lscore.papers.he2020.pieces import CLAIM

_BETTER = Question("HE-A2", "some function of x has a smaller risk than the outputs")
_SPURIOUS = Question(CLAIM, "the point is a spurious local minimum")
_PULLS = "the pulls of the loss do not cancel at every input"
_LOWER = "another point has a smaller risk"


@_BETTER.checker
def certify_better_function(risk: Risk, w: Point) -> Certificate:
    r"""Has some function of x a smaller risk than the outputs of the network at w? (HE-A2)

    Condition: :math:`\sum_{i: x_i = x} V_i \ne 0` for some input x, with the derivative V (n, k) of
    the loss at the outputs: changing the output at x alone then lowers the risk. If all these sums
    are 0 and the loss is convex, no function of x has a smaller risk: refuted, and w is a global
    minimum. So it decides what *no affine map fits* and *the inputs are distinct* are assumed for.
    Losses that are differentiable and polynomial in pieces, no weight decay; otherwise unknown.
    Sound, and complete for convex losses of this kind.

    >>> from lscore import Network, exact, relu
    >>> twice = Risk(Network((1, 1, 1), relu), [0, 0, 1, 1], [1, -1, 2, 0])
    >>> certify_better_function(twice, exact([1, 1, 1, -1])).verdict.value   # the mean labels
    'refuted'
    """
    w = exact(risk.network.point(w), "w")
    if reason := _not_rational(risk):
        return _BETTER.unknown(reason)
    outputs = risk.predictions(w)
    X, merged = merge_rows(risk.exact_X, risk.loss.gradient(outputs, risk.exact_y))
    value = risk.loss(outputs, risk.exact_y)
    place = next((i for i, row in enumerate(merged.numerator.tolist()) if any(row)), None)
    condition = Condition(_PULLS, place is not None)
    if place is not None:
        values = {"risk": value, "input": X.rows(place, place + 1)}
        values["sum_of_the_pulls"] = merged.rows(place, place + 1)
        return _BETTER.certified([condition], values=values)
    if not risk.loss.convex:
        return _BETTER.unknown("the loss is not known to be convex in the outputs", [condition])
    conditions = [condition, *declared(risk.loss, "convex")]
    return _BETTER.refuted(conditions, {"smallest_risk_of_any_function_of_x": value})


def _not_rational(risk: Risk) -> str:
    if risk.inexact or risk.weight_decay:
        return risk.inexact or "the risk has weight decay"
    return "" if risk.loss.smooth else "the loss is not known to be differentiable"


@_SPURIOUS.checker
def certify_spurious_minimum(
    risk: Risk, w: Point, lower: RationalMatrix | None = None
) -> Certificate:
    r"""Is w a spurious local minimum: a local minimum with a lower point elsewhere? (HE-T1)

    Conditions: those of `certify_affine_minimum` at w, or of `certify_local_minimum` where that is
    unknown, and R(lower) < R(w) exactly. Without `lower` the points of `affine_minimum` and
    `hinge_point` are tried; the lower one found is the value `lower_point`. Refuted if w is no
    local minimum (witness from there), or if no function of x has a smaller risk
    (`certify_better_function`). Unknown if w is not decided, if `lower` is not lower, or if none is
    given and a hypothesis of the constructions fails. Any depth, widths, piecewise linear
    activations and number of outputs, as far as the two checkers decide. Sound.

    >>> from lscore import Network, absolute_value
    >>> risk = Risk(Network((1, 2, 1, 1), absolute_value), [0, 1, 2], [[0], [1], [0]])
    >>> certify_spurious_minimum(risk, affine_minimum(risk)).verdict.value
    'certified'
    """
    w = exact(risk.network.point(w), "w")
    local = certify_affine_minimum(risk, w)
    if local.verdict is Verdict.UNKNOWN:
        local = certify_local_minimum(risk, w)
    if not local.certified:
        return _SPURIOUS.as_found(local)
    value = local.values["risk"]
    better = certify_better_function(risk, w)
    if better.refuted:
        conditions = [*local.conditions, *better.conditions]
        return _SPURIOUS.refuted(conditions, {"risk": value} | dict(better.witness))
    try:
        points = _candidates(risk) if lower is None else [risk.network.point(lower, "lower")]
    except HypothesisError as error:
        reason = f"no lower point is constructed, give one as `lower`; {error}"
        return _SPURIOUS.unknown(reason, [*local.conditions, Condition(_LOWER, None)])
    point = min(points, key=risk)
    best = risk(point)
    below = Condition(_LOWER, best < value, value - best, "difference")
    values = {**local.values, "smaller_risk": best, "lower_point": point}
    if best >= value:
        given = "that is constructed" if lower is None else "given"
        return _SPURIOUS.unknown(
            f"the other point {given} is not lower", [*local.conditions, below]
        )
    return _SPURIOUS.certified([*local.conditions, below], values=values)


def _candidates(risk: Risk) -> list[RationalMatrix]:
    """The constructed minimum, and the point below it unless the loss pulls nowhere there."""
    points = [affine_minimum(risk)]
    try:
        points.append(hinge_point(risk).point)
    except HypothesisError as error:
        if error.hypothesis != "A12":
            raise
    return points
