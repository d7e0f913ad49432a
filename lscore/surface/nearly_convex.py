r"""One cell is nearly convex: one hidden layer, one output, a differentiable convex loss.

In an open cell unit k is :math:`s_{ik} z_{ik} + c_{ik}` at sample i, so the outputs are linear in
:math:`\theta_k = v_k (w_k, b_k)`, :math:`v_k` and c, and the risk is a convex function r of these.
A point of the cell is a local minimum if and only if it minimises r over *all* values of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import least_squares
from lscore.cells.pattern import Cell, locate
from lscore.certificates import Certificate, Condition, Question
from lscore.minima.balanced import reachable_functions
from lscore.minima.descent import declared
from lscore.minima.unit_by_unit import certify_kink_minimum
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

NEARLY_CONVEX = Setting(
    hidden=1,
    outputs=1,
    output_activation=False,
    activations=("piecewise linear",),
    loss="differentiable loss",
    weight_decay=False,
)
SQUARED = replace(NEARLY_CONVEX, loss="squared loss")
_LOWEST = Question("HE-T2b", "no point of the closed cell has a smaller risk")


@checked
def best_in_cell(cell: Cell) -> fmpq:
    r"""The minimum of r over all :math:`(\theta, v, c)`, for a squared loss: exact least squares.

    No point of the closed cell has a smaller risk, and every local minimum in the open cell has
    this one (HE-T2b). The cell need not reach it. Raises `SettingError` outside `SQUARED`.

    >>> from lscore import Network, cell_at, exact, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1, 2, 3], [1, 0, 0, 3])
    >>> best_in_cell(cell_at(risk, exact([2, -3, 1, 0])))     # on at 2 and 3: they are fitted
    1/4
    """
    risk = cell.risk
    SQUARED.require(risk)
    functions = reachable_functions(risk.network, risk.exact_X, cell.pieces)
    residuals = functions @ least_squares(functions, risk.exact_y)[0] - risk.exact_y
    return risk.loss.scale(len(residuals)) * residuals.dot(residuals)


@_LOWEST.checker
def certify_lowest_in_cell(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is the risk at w, a point of an open cell, the smallest of the closed cell?

    Certified if the pulls :math:`\nu` of the loss are orthogonal to the functions
    :math:`1, s_{ik} (x_i, 1), c_{ik}` of the sample, so that r has gradient 0; then w is a local
    minimum and every local minimum in this cell has this risk. Refuted otherwise: then w is no
    local minimum, and the witness is a lower point beside it. Convex differentiable losses that are
    polynomial in pieces; one hidden layer, one output, no decay; else unknown, as on a wall. Sound
    and complete in an open cell. Source: He, Wang and Tao (2020), Theorem 2, part 2 (HE-T2b).

    >>> from lscore import Network, exact, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1, 2, 3], [1, 0, 1, 3])
    >>> print(certify_lowest_in_cell(risk, exact([1, "-7/4", 2, "1/2"])))
    certified (exact): no point of the closed cell has a smaller risk  [HE-T2b]
      holds     every pre-activation is off the knots, distance to the nearest knot 1/4
      holds     the pulls are orthogonal to 3 functions
      value     risk = 1/4
    """
    missing = NEARLY_CONVEX.misses(risk) or risk.inexact
    if missing or not risk.loss.convex:
        return _LOWEST.unknown(missing or "the loss is not known to be convex in the outputs")
    w = locate(risk, w)
    places = w.run.positions[0]
    inside = Condition("every pre-activation is off the knots", not (places % 2).any() or None)
    if not inside.holds:
        return _LOWEST.unknown("the point lies on a wall", [inside])
    gaps = [abs(z - t) for t in risk.network.activations[0].knots for z in w.run.pre[0].entries()]
    inside = Condition(inside.text, True, min(gaps, default=None), "distance to the nearest knot")
    functions = reachable_functions(risk.network, risk.exact_X, (places // 2,))
    sums = functions.T @ risk.loss.gradient(w.run.outputs, risk.exact_y)
    count = functions.shape[1]
    text = f"the pulls are orthogonal to {count} function{'s' * (count != 1)}"
    if sums.is_zero():
        conditions = [inside, Condition(text, True), *declared(risk.loss, "convex")]
        return _LOWEST.certified(conditions, values={"risk": risk(w)})
    found = certify_kink_minimum(risk, w)
    return _LOWEST.as_found(found, conditions=[inside, Condition(text, False)])
