r"""Yun, Sra, Jadbabaie (2019), Theorem 1: the local minimum and its certificate.

Step 1 of the proof, for any slopes :math:`s_+ \ne s_-` and several outputs.
"""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import affine_least_squares, pure_error
from lscore.algebra.matrices import RationalMatrix, Scalar, augment, exact, ones
from lscore.algebra.rationals import positive
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import HypothesisError
from lscore.minima.affine import certify_affine_minimum
from lscore.model.risk import Risk
from lscore.model.settings import CLAIM, Setting, check_width
from lscore.papers.yun2019.two_piece.lower_points import one_dead_unit
from lscore.papers.yun2019.two_piece.setting import affine_fit, living_units, pack
from lscore.surface.one_kink import OneKinkFit, best_one_kink


@checked
def least_squares_minimum(risk: Risk, alpha: Scalar = 1) -> RationalMatrix:
    r"""Step 1: a local minimum with the risk of the affine least-squares fit (YUN-T1).

    :math:`W_1 = \alpha (w; 0)`, :math:`b_1 = \alpha (b - \eta; -\eta)`,
    :math:`W_2 = (1, 0)/(\alpha s_+)`, :math:`b_2 = \eta` with
    :math:`\eta = \min(-1, 2 \min_i \bar y_i)`, so that every pre-activation is positive and the
    output is :math:`\bar y`; for :math:`s_+ = 0` the mirror image on the negative side. Several
    outputs (YUN-B-T1-3) get one living unit each. Any alpha > 0 gives such a minimum and its
    certified radius is proportional to alpha. Raises `HypothesisError` C1.4 if the width is smaller
    than the number of outputs. Also built when an affine map fits (it is global then).

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    >>> w = least_squares_minimum(risk)
    >>> w, risk(w)
    (column(3, 0, 1, 2, 1, 0, -2), 2)
    """
    alpha = positive(alpha, "alpha")
    check_width(risk, risk.exact_y.shape[1], "one living unit per output")
    fit = affine_fit(risk)
    return pack(risk, *living_units(risk, fit.slope, fit.intercept, fit.predictions, alpha))


@checked
def certify_spurious(risk: Risk, w, lower: RationalMatrix | None = None) -> Certificate:
    r"""Is w a spurious local minimum: a local minimum with a lower point elsewhere? (YUN-T1)

    Conditions: those of `certify_affine_minimum` at w, and R(lower) < R(w) exactly; without `lower`
    the point of `least_squares_minimum` is used, or of `one_dead_unit` if w is not above it, or for
    widths (1, 1, 1) a global minimum. `values` holds it as `lower_point`. Refuted if w is not a
    local minimum (witness from there) or if it is global: its risk equals a bound that no function
    of x beats (the pure error), of a linear network the affine fit, or for widths (1, 1, 1) the
    exact global minimum of `best_one_kink`. Unknown if w is not decided, if `lower` is not lower,
    or if none is given and a hypothesis of the constructions fails, such as a spare unit. Sound.
    """
    asked = Question(CLAIM, "the point is a spurious local minimum")
    text = "another point has a smaller risk"
    missing = Setting(hidden=1, loss="squared loss").misses(risk)
    local = asked.unknown(missing) if missing else certify_affine_minimum(risk, w)
    if not local.certified:
        return asked.as_found(local)
    value, single = local.values["risk"], _single_kink(risk)
    bounds = {"smallest_risk_of_any_function_of_x": _pure_risk(risk)}
    if single is not None:
        bounds["global_minimum_of_this_network"] = single.risk
    if risk.network.activations[0].is_linear:
        fit = affine_fit(risk)
        bounds["smallest_risk_of_any_affine_map"] = fit.sum_of_squares * risk.loss.scale(
            len(risk.X)
        )
    reached = {name: bound for name, bound in bounds.items() if bound == value}
    if reached:
        conditions = [*local.conditions, Condition(text, False)]
        return asked.refuted(conditions, {"risk": value} | reached)
    point = None if lower is None else exact(lower, "lower")
    try:
        point = _lower_point(risk, value, single) if point is None else point
    except HypothesisError as error:
        conditions = [*local.conditions, Condition(text, None)]
        reason = f"no lower point is constructed, give one as `lower`; {error}"
        return asked.unknown(reason, conditions)
    best = risk(risk.network.point(point, "lower"))
    below = Condition(text, best < value, value - best, "difference")
    conditions, values = [*local.conditions, below], {**local.values, "smaller_risk": best}
    if best >= value:
        return asked.unknown("the other point given is not lower", conditions)
    values["lower_point"] = point
    return asked.certified(conditions, values=values)


def _lower_point(risk: Risk, value: fmpq, single: OneKinkFit | None) -> RationalMatrix:
    """The first of the constructions that is below the value."""
    if single is not None:
        return _single_kink_point(risk, single)
    point = least_squares_minimum(risk)
    return point if risk(point) < value else one_dead_unit(risk).point


def _single_kink(risk: Risk) -> OneKinkFit | None:
    """`best_one_kink` where it applies: widths (1, 1, 1) in the setting of the theorem."""
    try:
        return best_one_kink(risk)
    except HypothesisError:
        return None


def _single_kink_point(risk: Risk, best: OneKinkFit) -> RationalMatrix:
    """A point of a network with widths (1, 1, 1) that has the risk of `best_one_kink`."""
    if best.kink is None:
        return least_squares_minimum(risk)
    h, points = risk.network.activations[0], []
    for side in (1, -1):
        unit = h((risk.exact_X - ones(len(risk.X)) * best.kink) * side)
        fit = affine_least_squares(augment(unit), risk.exact_y)
        rows = [[side]], [-side * best.kink], [[fit.slope[0, 0]]], [fit.intercept[0, 0]]
        points.append(pack(risk, *rows))
    return min(points, key=risk)


def _pure_risk(risk: Risk) -> fmpq:
    return pure_error(risk.exact_X, risk.exact_y) * risk.loss.scale(len(risk.exact_y))
