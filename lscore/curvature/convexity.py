r"""Is the risk strongly convex around a point, inside its cell?

A positive answer is about the cell: where the point lies on a wall, the risk beyond the wall is
another polynomial, and none of this holds there.
"""

from __future__ import annotations

import numpy as np

from lscore.algebra.definite import inertia, is_positive_definite, negative_vector
from lscore.algebra.linear import null_space
from lscore.algebra.matrices import Scalar, exact, rational
from lscore.cells.hessians import cell_hessian
from lscore.cells.pattern import cell_at
from lscore.certificates import Certificate, Condition, Question
from lscore.model.networks import Point
from lscore.model.risk import Risk

_CONVEX = Question("MILNE-T3", "the Hessian of the risk at the point is above theta")


@_CONVEX.checker
def certify_strong_convexity(risk: Risk, w: Point | np.ndarray, theta: Scalar = 0) -> Certificate:
    r"""Is :math:`u^\top \nabla^2 R(w)\, u > \theta |u|^2` for all u other than 0?

    For theta >= 0 the risk is then strongly convex near w, for w lies in an open cell. Exact: the
    Hessian in rationals, and either a lower bound of its smallest eigenvalue or its inertia.
    Refuted with a `direction` that has less curvature, or as much. Piecewise linear networks of any
    depth, losses that are polynomial in pieces, weight decay; unknown on a wall and for other
    risks. Sound and complete inside cells. Milne (2019), Theorem 3 (MILNE-T3).

    >>> from lscore import Network, SquaredLoss, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], ["1/2"],
    ...             SquaredLoss("1/2", mean=True), "1/4")
    >>> certify_strong_convexity(risk, exact([1, "1/2"])).verdict.value     # fit 0: H = G + I / 4
    'certified'
    >>> certify_strong_convexity(risk, exact([1, "1/2"]), "1/4").witness["direction"]
    column(2, -1)
    """
    w, theta = exact(risk.network.point(w), "w"), rational(theta, "theta")
    hessian = cell_hessian(cell_at(risk, w), w)
    m = len(hessian)
    moved = hessian - exact([[theta * (i == j) for j in range(m)] for i in range(m)])
    condition = Condition("H - theta I is positive definite", is_positive_definite(moved))
    if condition.holds:
        return _CONVEX.certified([condition], values={"theta": theta})
    direction = negative_vector(moved) if inertia(moved)[0] else null_space(moved)[0]
    curvature = (hessian @ direction).dot(direction) / direction.dot(direction)
    return _CONVEX.refuted([condition], {"direction": direction, "curvature": curvature})
