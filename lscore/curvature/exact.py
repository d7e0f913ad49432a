r"""Curvature along the gradient in rationals: at a point, on a whole cell, along a run.

Inside a cell the risk is a polynomial P, so :math:`g^\top H g` is a rational number at rational
points, and the gradient flow has a Taylor series with rational coefficients. The two give the
identities of Milne (2019), equations (16), (19) and (20), without rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flint import fmpq, fmpq_mpoly, fmpq_poly

from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational
from lscore.cells.forms import cell_polynomial
from lscore.cells.pattern import Cell, locate
from lscore.cells.rays import risk_along
from lscore.certificates import Certificate, Condition, Question
from lscore.curvature.shares import first_convex_step, loss_change_fraction
from lscore.errors import DataError, TieError
from lscore.model.networks import Point
from lscore.model.risk import Risk

_SECOND = Question("MILNE-E16", "gamma'' = 2 g'Hg along the gradient flow")
_TWICE = Question("MILNE-E19", "g . grad |g|^2 is a multiple of g'Hg on the whole cell")
_CHANGE = Question("MILNE-E20", "this share of the change of the risk comes after t0")


def exact_second_derivative(risk: Risk, w: Point | np.ndarray) -> tuple[fmpq, fmpq]:
    r""":math:`|g|^2` and :math:`2 g^\top H g` at an exact or float point inside a cell.

    Read off the risk along w + t g, a polynomial in t near 0. Any depth and polynomial loss.
    Raises `TieError` on a wall. Source: Milne (2019), equation (16) (MILNE-E16).

    >>> from lscore.model.activations import relu
    >>> from lscore.model.networks import Network
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [0])     # (v w)^2 / 2
    >>> exact_second_derivative(risk, exact([2, 1]))                  # g = (2, 4)
    (20, 264)
    """
    w = exact(risk.network.point(w), "w")
    g = risk.gradient(w)
    if risk.loss.knots and (risk.loss.positions(risk.predictions(w), risk.exact_y) % 2).any():
        raise TieError("w: a margin is on a knot; the loss has no second derivative there")
    coefficients = risk_along(risk, w, g).risk
    return g.dot(g), 4 * coefficients[2]


def flow_series(cell: Cell, w: RationalMatrix, order: int) -> list[fmpq_poly]:
    r"""The Taylor polynomials in t of the flow :math:`\dot W = -\nabla P(W)`, :math:`W(0) = w`.

    One per parameter, exact up to :math:`t^{\text{order}}`, by Picard iteration with the cell's
    polynomial P. For networks that fit on a page.

    >>> from lscore.model.activations import relu
    >>> from lscore.model.networks import Network
    >>> network = Network((1, 1), (), bias=False, output_activation=relu)
    >>> risk, w = Risk(network, [1], [0]), exact([3])
    >>> flow_series(locate(risk, w).cell, w, 3)                            # 3 exp(-t)
    [(-1/2)*x^3 + 3/2*x^2 + (-3)*x + 3]
    """
    p = cell_polynomial(cell)
    partials = [p.derivative(j) for j in range(p.context().nvars())]
    start = [fmpq_poly([value]) for value in w.entries()]
    path = list(start)
    for _ in range(order):
        slopes = [_substitute(q, path, order) for q in partials]
        path = [_truncate(a - s.integral(), order) for a, s in zip(start, slopes, strict=True)]
    return path


def _truncate(p: fmpq_poly, order: int) -> fmpq_poly:
    return fmpq_poly(p.coeffs()[: order + 1])


def _substitute(q: fmpq_mpoly, path: list[fmpq_poly], order: int) -> fmpq_poly:
    """q(path(t)) up to t^order."""
    total = fmpq_poly(0)
    for exponents, c in q.to_dict().items():
        term = fmpq_poly([c])
        for variable, exponent in zip(path, exponents, strict=True):
            for _ in range(exponent):
                term = _truncate(term * variable, order)
        total += term
    return total


@_SECOND.checker
def certify_second_derivative(
    risk: Risk, w: Point | np.ndarray, claimed: Scalar | None = None
) -> Certificate:
    r"""Is :math:`\gamma''(0)` along the gradient flow from w equal to `claimed`? (MILNE-E16)

    `claimed` is :math:`2 g^\top H g` by default. The answer comes from elsewhere: the flow's
    Taylor series, put into the cell's polynomial. Certified, refuted with the right number, or
    unknown on a wall, where :math:`\gamma''` need not exist. Sound, and complete inside cells.
    Source: Milne (2019), equations (15) and (16).

    >>> from lscore.model.activations import relu
    >>> from lscore.model.networks import Network
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [0])
    >>> print(certify_second_derivative(risk, exact([2, 1])))
    certified (exact): gamma'' = 264 along the gradient flow  [MILNE-E16]
      holds     the point is inside a cell, distance to the nearest wall 2
      holds     2 g'Hg is the second derivative of the risk along the flow's Taylor series
      value     c = 66/5
    """
    w = locate(risk, w)
    try:
        cell = w.cell
        squared, quadratic = exact_second_derivative(risk, w)
    except TieError as tie:
        return _SECOND.unknown(str(tie), [Condition("the point is inside a cell", False)])
    who = "2 g'Hg" if claimed is None else "the claimed number"
    claimed = quadratic if claimed is None else rational(claimed, "claimed")
    along = _substitute(cell_polynomial(cell), flow_series(cell, w, 2), 2)
    asked = Question("MILNE-E16", f"gamma'' = {claimed} along the gradient flow")
    found = 2 * along[2]
    text = f"{who} is the second derivative of the risk along the flow's Taylor series"
    conditions = (
        Condition("the point is inside a cell", True, w.clearance, "distance to the nearest wall"),
        Condition(text, claimed == found),
    )
    if claimed != found:
        return asked.refuted(conditions, {"taylor_second_derivative": found})
    return asked.certified(conditions, values={"c": found / squared} if squared else {})


@_TWICE.checker
def certify_two_backpropagations(cell: Cell, factor: Scalar = 2) -> Certificate:
    r"""Is :math:`\nabla P \cdot \nabla |\nabla P|^2` = `factor` :math:`\cdot\, g^\top H g` on a
    whole cell?

    Compared as polynomials in the parameters, so for all points of the cell at once (MILNE-E19).
    Refuted with a monomial that differs. Sound and complete. Source: Milne (2019), equation (19).

    >>> from lscore.model.activations import relu
    >>> from lscore.model.networks import Network
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [1])
    >>> cell = locate(risk, exact([2, 2])).cell
    >>> certify_two_backpropagations(cell).certified
    True
    """
    factor = rational(factor, "factor")
    p = cell_polynomial(cell)
    count = p.context().nvars()
    g = [p.derivative(j) for j in range(count)]
    norm = sum((q * q for q in g), p * 0)
    twice = sum((q * norm.derivative(j) for j, q in enumerate(g)), p * 0)
    quadratic = p * 0
    for i in range(count):
        for j in range(count):
            quadratic += g[i] * g[j] * g[i].derivative(j)
    difference = twice - quadratic * factor
    asked = Question("MILNE-E19", f"g . grad |g|^2 = {factor} g'Hg on the whole cell")
    condition = Condition("both sides are the same polynomial", difference == 0)
    if difference != 0:
        exponents, c = next(iter(difference.to_dict().items()))
        names = zip(p.context().names(), exponents, strict=True)
        monomial = " ".join(name if e == 1 else f"{name}^{e}" for name, e in names if e) or "1"
        return asked.refuted([condition], {"monomial_of_the_difference": f"{c} {monomial}"})
    return asked.certified([condition], values={"monomials": len(twice.to_dict())})


@_CHANGE.checker
def certify_loss_change(risk: Risk, points: Sequence, at_least: Scalar) -> Certificate:
    r"""Does at least this share of the risk's change come after :math:`t_0`? (MILNE-E20)

    :math:`t_0` is the first of the recorded `points` (exact, or floats taken exactly) from which on
    :math:`\gamma'' = 2 g^\top H g` is positive at every one of them. Signs and the fraction (20)
    are decided in rationals. Certified; refuted with the fraction, or with the last point if
    :math:`\gamma''` is not positive there; unknown if a point lies on a wall. Sound and complete
    otherwise; it speaks of the recorded points only. Raises `DataError` for fewer than two points.
    Source: Milne (2019), equation (20).
    """
    at_least = rational(at_least, "at_least")
    if len(points) < 2:
        raise DataError(f"points: got {len(points)}, need at least 2")
    asked = Question("MILNE-E20", f"at least {at_least} of the change of the risk comes after t0")
    exacts = [exact(risk.network.point(point), "points") for point in points]
    later = "gamma'' > 0 at every recorded point from t0 on"
    bends = []
    for k, w in enumerate(exacts):
        try:
            bends.append(exact_second_derivative(risk, w)[1])
        except TieError as tie:
            return asked.unknown(f"point {k}: {tie}", [Condition(later, None)])
    start = first_convex_step(bends)
    positive = Condition(later, start is not None)
    if start is None:
        return asked.refuted([positive], {"last_second_derivative": bends[-1]})
    fraction = loss_change_fraction([risk(w) for w in exacts], start)
    enough = Condition("the fraction is large enough", fraction >= at_least)
    conditions, values = [positive, enough], {"index_of_t0": start, "fraction": fraction}
    if fraction < at_least:
        return asked.refuted(conditions, values)
    return asked.certified(conditions, values=values)
