r"""No bad valley for smooth activations (YUN-B-T2-4): a path that leaves the minimum of Theorem 2.

First only output weights move, and the output bias with them: the outputs stay 1/3, whatever h is.
The path stops where one unit j is left, with an output weight u small enough and of the sign that
makes :math:`Q_{jj} = u^2 h'(v_j)^2 + \tfrac13 u h''(v_j)` negative. Then the first-layer row of j
moves from :math:`(v_j, v_j)` to :math:`(v_j + t, v_j - t)`, and the risk falls.
"""

from __future__ import annotations

from flint import arb, ctx, fmpq

from lscore.certificates import Certificate, Condition, Verdict
from lscore.errors import HypothesisError
from lscore.papers.yun2019.smooth_lower_points import rounded_down
from lscore.papers.yun2019.three_points import (
    CLAIM,
    PRECISION,
    THIRD,
    Constants,
    Place,
    approximate,
    sign,
)

STATEMENT = "the risk never rises along the path and ends below 1/3"


def lone_weight(p: Place) -> fmpq:
    r"""A rational output weight near :math:`-h''/(6 h'^2)`, where :math:`Q_{jj}` is smallest.

    At most 1 in size (for :math:`h' = 0` any weight of this sign will do).
    """
    bend, slope = approximate(p.curvature), approximate(p.slope_squared)
    size = min(1.0, abs(bend) / (6 * slope)) if slope else 1.0
    return fmpq(-1 if bend > 0 else 1) * max(fmpq(round(size * 64), 64), fmpq(1, 64))


def certify_smooth_escape(c: Constants) -> Certificate:
    r"""Does a path lead from the minimum of c to a lower point, without ever rising? (YUN-B-T2-4)

    Conditions: on the first leg the outputs are constant by construction; on the second, for a unit
    with :math:`h''(v_j) \ne 0` and its `lone_weight`, the second derivative of the risk in t is
    negative on [0, T] (balls, 16 pieces) and the first vanishes at 0 because the risk is even in t.
    `values`: the unit, its weight, T, and the decrease at the end. Raises `HypothesisError`
    "curvature" if no :math:`h''(v_j)` is shown to be non-zero. Unknown if no T >= 2^-10 works.
    """
    bent = [k for k, p in enumerate(c.places) if sign(p.curvature) in (1, -1)]
    if not bent:
        raise HypothesisError(CLAIM, "curvature", "h'' is not shown to be non-zero at any place", c)
    tried = [(*_fall(c, k, lone_weight(c.places[k])), k) for k in bent]
    end, drop, k = max(tried, key=lambda row: float(row[1]))
    first = Condition("outputs stay 1/3 while output weights and bias move", True)
    falls = Condition("the second derivative in t is negative on [0, T]", drop > 0 or None)
    if not drop > 0:
        return Certificate(
            "YUN-B-T2-4",
            STATEMENT,
            Verdict.UNKNOWN,
            "ball",
            [first, falls],
            reason="no T >= 2^-10 with a negative second derivative",
        )
    values = {"unit": k + 1, "its output weight": lone_weight(c.places[k]), "T": end}
    values["decrease at least"] = rounded_down(drop, 4)
    return Certificate(
        "YUN-B-T2-4", STATEMENT, Verdict.CERTIFIED, "ball", [first, falls], values=values
    )


def _fall(c: Constants, k: int, u: fmpq) -> tuple[fmpq, arb]:
    """The longest T = 1, 1/2, ... on which the risk is concave in t, and 1/3 - risk there."""
    v = c.places[k].v
    with ctx.workprec(PRECISION):
        for power in range(11):
            end = fmpq(1, 2**power)
            pieces = [arb(end * i / 16).union(arb(end * (i + 1) / 16)) for i in range(16)]
            if all(_second_derivative(c, v, u, t) < 0 for t in pieces):
                here = c.h.ball(v)
                t1, t2 = (u * (c.h.ball(v + side * end) - here) for side in (1, -1))
                return end, -(THIRD * (t1 + t2) + (t1 * t1 + t2 * t2) / 2)
    return fmpq(0), arb(0)


def _second_derivative(c: Constants, v: arb, u: fmpq, t: arb) -> arb:
    r"""Of :math:`\tfrac13 (t_1 + t_2) + \tfrac12 (t_1^2 + t_2^2)`,
    :math:`t_{1,2} = u (h(v \pm t) - h(v))`."""
    total, here = arb(0), c.h.ball(v)
    for side in (1, -1):
        value, slope, bend = c.h.derivatives(v + side * t, 2)
        total += THIRD * u * bend + u * u * (slope * slope + (value - here) * bend)
    return total
