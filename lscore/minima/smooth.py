r"""Extrema inside a cell: where the risk is a polynomial, convex in every single parameter.

At a point w of a cell the risk is :math:`p(u) = R(w + u)`. Its lowest-order part :math:`q_k`
decides what w can be. Restricted to the variables of a monomial with the fewest of them,
:math:`q_k` vanishes when any one of these is 0; convexity in each then forces a direction of
ascent, and for a hinge risk, which is linear in each, one of descent as well. Both are small
integer vectors.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from flint import fmpq, fmpq_mpoly

from lscore.algebra.matrices import exact
from lscore.cells.forms import cell_polynomial
from lscore.cells.hessians import cell_hessian
from lscore.cells.pattern import cell_at
from lscore.certificates import Certificate, Condition, Question
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

_HINGE = Setting(loss="piecewise linear loss", weight_decay=False)
_BOTH = Question("LVB-C2", "the Hessian has eigenvalues of both signs")
_MIRRORED = Question("LVB-B-C2-1", "the spectrum of the Hessian is symmetric about 0")
_MAXIMUM = Question("MILNE-L2", "the point is a local maximum")
_EXTREMUM = Question("LVB-C1", "the point is a local extremum")


@_BOTH.checker
def certify_indefinite(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Does the Hessian of a hinge risk at w have eigenvalues of both signs? (LVB-C2)

    Exact: the diagonal is 0, so a non-zero entry :math:`H_{ij}` gives the curvatures
    :math:`\pm 2 H_{ij}` along :math:`e_i \pm e_j`. Certified with that entry, refuted if the
    Hessian is 0, unknown on a wall. Any depth, no weight decay. Sound and complete inside cells.
    Source: Laurent and von Brecht (2018), Corollary 2.
    """
    _HINGE.require(risk, _BOTH.claim)
    w = exact(risk.network.point(w), "w")
    hessian = cell_hessian(cell_at(risk, w), w)
    diagonal = all(hessian[j, j] == 0 for j in range(len(hessian)))
    conditions = [Condition("every diagonal entry is 0, hence the trace", diagonal)]
    entries = hessian.numerator.entries()
    places = [divmod(place, len(hessian)) for place, e in enumerate(entries) if e != 0]
    if not places:
        conditions.append(Condition("some entry is not 0", False))
        return _BOTH.refuted(conditions, {"Hessian": "zero"})
    i, j = places[0]
    conditions.append(Condition(f"the entry ({i}, {j}) is not 0", True))
    values = {"curvatures_along_the_two_directions": f"+-{2 * abs(hessian[i, j])}"}
    return _BOTH.certified(conditions, values=values)


@_MIRRORED.checker
def certify_mirrored_spectrum(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is the spectrum of the Hessian at w symmetric under a change of sign? (LVB-B-C2-1)

    Exact, by the characteristic polynomial: :math:`\chi(-\lambda) = (-1)^m \chi(\lambda)` if and
    only if it lacks every other power. A hinge risk with one hidden layer always has it. Refuted
    with the highest odd coefficient, unknown on a wall. Any depth and loss. Sound and complete
    inside cells. Source: this book, beyond Corollary 2 of Laurent and von Brecht (2018).

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [2], [1], binary_hinge())
    >>> certify_mirrored_spectrum(risk, exact([1, "1/4"])).verdict.value
    'certified'
    """
    w = exact(risk.network.point(w), "w")
    hessian = cell_hessian(cell_at(risk, w), w)
    chi, m = hessian.numerator.charpoly(), len(hessian)
    odd = [k for k in range(m - 1, -1, -2) if chi[k] != 0]
    missing = Condition("the characteristic polynomial lacks every other power", not odd)
    if odd:
        k = odd[0]
        value = fmpq(chi[k], hessian.denominator ** (m - k))
        return _MIRRORED.refuted([missing], {"power": k, "coefficient": value})
    return _MIRRORED.certified([missing])


def _lowest_part(p: fmpq_mpoly) -> dict[tuple[int, ...], fmpq]:
    """The monomials of least positive degree: exponents to coefficient."""
    terms = {e: c for e, c in p.to_dict().items() if any(e)}
    order = min(map(sum, terms), default=0)
    return {e: c for e, c in terms.items() if sum(e) == order}


def _value(part: dict, u: tuple[int, ...]) -> fmpq:
    total = fmpq(0)
    for exponents, c in part.items():
        for x, e in zip(u, exponents, strict=True):
            c = c * fmpq(x) ** int(e)
        total += c
    return total


def _two_directions(part: dict) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """u with q(u) > 0, and u with the sign of one entry changed, on a smallest support."""
    support = min(
        ({j for j, e in enumerate(exponents) if e} for exponents in part),
        key=lambda s: (len(s), sorted(s)),
    )
    restricted = {
        exponents: c
        for exponents, c in part.items()
        if all(j in support for j, e in enumerate(exponents) if e)
    }
    size = len(next(iter(part)))
    places = sorted(support)
    for entries in product((1, 2, 3, 4, 5), repeat=len(places)):
        u = [0] * size
        for j, x in zip(places, entries, strict=True):
            u[j] = x
        value = _value(restricted, tuple(u))
        if value != 0:
            break
    flipped = list(u)
    flipped[places[0]] *= -1
    return (tuple(u), tuple(flipped)) if value > 0 else (tuple(flipped), tuple(u))


@_MAXIMUM.checker
def certify_smooth_maximum(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is w, inside a cell, a local maximum? Only if the risk is constant there (MILNE-L2).

    Certified if the cell's polynomial is constant, else refuted with an integer direction of ascent
    (`direction`, `order` and the first `coefficient` of the change along it); unknown on a wall.
    Convex losses, weight decay, any depth. Sound and complete inside cells. Source:
    Milne (2019), Lemma 2; Laurent and von Brecht (2018), Corollary 1.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [1])
    >>> answer = certify_smooth_maximum(risk, exact([1, 0]))
    >>> answer.witness["direction"], answer.witness["order"]
    (column(0, -1), 1)
    """
    return _decide(_MAXIMUM, risk, w, descent=False)


@_EXTREMUM.checker
def certify_smooth_extremum(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is w, inside a cell of a hinge risk, a local extremum? Only in a flat cell (LVB-C1).

    Certified if the cell's polynomial is constant (the cell is *flat*), else refuted with
    directions of ascent and of descent of the same order; unknown on a wall. Any depth and hinge
    loss, no weight decay. Sound and complete inside cells. Source: Laurent and von Brecht (2018),
    Corollary 1.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [2], [1], binary_hinge())
    >>> certify_smooth_extremum(risk, exact([-1, 0, 1, 2])).verdict.value      # slack
    'certified'
    >>> certify_smooth_extremum(risk, exact([1, 1, 0, 0])).verdict.value
    'refuted'
    """
    _HINGE.require(risk, _EXTREMUM.claim)
    return _decide(_EXTREMUM, risk, w, descent=True)


def _decide(asked: Question, risk: Risk, w, descent: bool) -> Certificate:
    if not risk.loss.convex:
        return asked.unknown("the loss is not known to be convex in the outputs")
    w = exact(risk.network.point(w), "w")
    part = _lowest_part(cell_polynomial(cell_at(risk, w), w))
    constant = Condition("the risk is constant on the cell of the point", not part)
    if not part:
        return asked.certified([constant], values={"risk": risk(w)})
    up, flipped = _two_directions(part)
    order, rise = sum(next(iter(part))), _value(part, up)
    witness = {"direction": exact(list(up)), "order": order, "coefficient": rise}
    if descent:
        witness |= {"descent": exact(list(flipped)), "its_coefficient": _value(part, flipped)}
    return asked.refuted([constant], witness)
