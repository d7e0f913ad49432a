r"""The ray test: a direction along which the risk falls refutes a local minimum.

Exact, for piecewise linear networks of any depth, at kinks and at degenerate points too.
"""

from __future__ import annotations

import numpy as np

from lscore.certificates import Certificate, Verdict
from lscore.exact import exact
from lscore.networks import Point
from lscore.rays import expand_along
from lscore.risk import Risk

STATEMENT = "the point is a local minimum"


def descent_certificate(risk: Risk, w: Point | np.ndarray, u: object) -> Certificate:
    r"""Does the risk fall strictly along w + t u for all small t > 0? Decided exactly.

    Refutes "w is a local minimum" when the first non-zero coefficient of :math:`R(w + tu) - R(w)`
    on the cell that the ray enters is negative; the witness holds the direction, the order k, the
    coefficient, and one explicit lower point with its decrease. Otherwise unknown: one direction
    cannot prove a minimum. Sound; piecewise linear networks of any depth, kinks allowed.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu, bias=False), [1.0], [1.0])
    >>> answer = descent_certificate(risk, exact([0, 0, 1, -1]), exact([1, -1, 0, 0]))
    >>> answer.verdict.value, answer.witness["order"], answer.witness["coefficient"]
    ('refuted', 1, -1)
    """
    w, u = exact(risk.network.point(w), "w"), risk.network.point(exact(u, "u"), "u")
    expansion = expand_along(risk, w, u)
    change, order = expansion.change, expansion.order
    if order is None or change[order] > 0:
        what = "is constant" if order is None else f"rises at order {order}"
        return Certificate(
            "B-RAY",
            STATEMENT,
            Verdict.UNKNOWN,
            "exact",
            reason=f"along this direction the risk {what}",
        )
    t = expansion.stop
    while change(t) >= 0:
        t /= 2
    return Certificate(
        "B-RAY",
        STATEMENT,
        Verdict.REFUTED,
        "exact",
        witness={
            "direction": u,
            "order": order,
            "coefficient": change[order],
            "lower point": w + t * u,
            "decrease there": -change(t),
        },
    )
