r"""Bad valleys of networks with one input and one unit.

Where the first weight is 0 the output is a constant, so below the risk of the best constant no path
can change the sign of the first weight: a barrier with an exact height.
"""

from __future__ import annotations

from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import RationalMatrix, exact, ones
from lscore.certificates import Certificate, Condition, Question
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.surface.one_kink import best_one_kink

CLAIM = "YUN-B-T1-7"
_VALLEY = Question(CLAIM, "every path to a global minimum rises above the point")


@_VALLEY.checker
def certify_bad_valley(risk: Risk, w: Point) -> Certificate:
    r"""Does w lie in a bad valley: does every path to a global minimum rise above w?

    Widths (1, 1, 1), two-piece activations (YUN-B-T1-7). Conditions: R(w) is smaller than the risk
    of every constant; and over all points whose first weight has the sign of w's the minimum,
    exactly that of `best_one_kink`, is larger than over all points. Certified: any path to a global
    minimum must rise to the barrier. Refuted if w is global itself. Unknown if the barrier argument
    does not apply: then a path may or may not exist, and `certify_barrier` decides. Sound.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1])
    >>> certify_bad_valley(risk, exact(["-1/2", 2, -1, "11/6"])).values["barrier"]
    1/3
    """
    bottom = best_one_kink(risk).risk
    w = exact(risk.network.point(w), "w")
    value = risk(w)
    if value == bottom:
        conditions = [Condition("the point is not a global minimum", False)]
        return _VALLEY.refuted(conditions, {"risk": value, "global_minimum": bottom})
    barrier = _best_constant(risk)
    text = "the best point with this sign of the first weight is not global"
    conditions = [
        Condition("the risk is below that of every constant", value < barrier, barrier - value)
    ]
    if value >= barrier:
        conditions.append(Condition(text, None))
        return _VALLEY.unknown("at this height a path may turn the unit round", conditions)
    side = 1 if w[0, 0] > 0 else -1
    valley = best_one_kink(risk, side).risk
    conditions.append(Condition(text, valley > bottom, valley - bottom))
    if valley == bottom:
        reason = "a global minimum lies on the same side of the barrier"
        return _VALLEY.unknown(reason, conditions)
    values = {"risk": value, "lowest_on_this_side": valley}
    values |= {"barrier": barrier, "global_minimum": bottom}
    return _VALLEY.certified(conditions, values=values)


def _best_constant(risk: Risk):
    constant: RationalMatrix = ones(len(risk.exact_y))
    mean, _ = least_squares(constant, risk.exact_y)
    return risk.loss(constant @ mean, risk.exact_y)
