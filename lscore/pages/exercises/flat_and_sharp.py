"""Answer checkers for the exercises of *On generic data flat minima are optimal, bad minima
sharp*."""

from __future__ import annotations

from lscore.algebra.matrices import RationalMatrix, exact, rational
from lscore.cells.pattern import cell_at, pattern_at
from lscore.cells.rays import cell_along
from lscore.errors import TieError
from lscore.minima.affine import certify_affine_minimum
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.laurent2018 import certify_flat, certify_touches_flat


def is_good_flat_point(risk: Risk, known: RationalMatrix, w: Point) -> str:
    """In a flat cell of loss 0, and no multiple of the known point."""
    w = exact(risk.network.point(w), "w")
    if w.dot(known) ** 2 == w.dot(w) * known.dot(known):
        return "not yet: it is a multiple of the point in the picture"
    answer = certify_flat(cell_at(risk, w))
    if not answer.certified:
        return f"not yet: the cell is not flat along {answer.witness['path']}"
    if answer.values["risk"] != 0:
        return f"not yet: the loss is {answer.values['risk']}"
    return "correct: a flat cell of loss 0"


def balances_by_hand(answer: object) -> str:
    """The weight of the middle of -1, 0, 1, labels +, -, +, at which all pulls sum to 0."""
    m = rational(answer, "answer")
    outer = (1 - m) / 2
    pulls, X = exact([[outer, -m, outer]]), exact([[-1, 1], [0, 1], [1, 1]])
    if (pulls @ X).is_zero():
        return f"correct: {m}, and the data are rare"
    return f"not yet: it is not {m}"


def is_bad_flat_point(risk: Risk, w: Point) -> str:
    """The point lies in a flat cell, has a positive loss and no output weight equal to 0."""
    w = exact(risk.network.point(w), "w")
    ties = pattern_at(risk, w).ties
    if ties:
        return f"not yet: the point lies on a wall, with {len(ties)} ties"
    answer = certify_flat(cell_at(risk, w))
    if answer.refuted:
        return f"not yet: the cell is not flat along {answer.witness['path']}"
    if answer.values["risk"] == 0:
        return "not yet: the loss is 0"
    if any(e == 0 for e in risk.network.unpack(w)[-1].weight.entries()):
        return "not yet: an output weight is 0"
    return f"correct: a flat cell with loss {answer.values['risk']}"


def fools_the_type_checker(risk: Risk, w: Point, direction: RationalMatrix) -> str:
    """The ray enters a flat cell, yet `certify_touches_flat` says unknown at the point."""
    w = exact(risk.network.point(w), "w")
    try:
        cell = cell_along(risk, w, exact(direction, "direction"))
    except TieError:
        return "not yet: the ray runs inside a wall"
    if not certify_flat(cell).certified:
        return "not yet: the ray enters a cell that is not flat"
    answer = certify_touches_flat(risk, w)
    if answer.certified:
        return "not yet: the checker certifies it"
    return f"correct: {answer.reason}, and the ray enters one of them"


def is_sharp_and_bad(risk: Risk, w: Point) -> str:
    """A local minimum by convexity, with a positive loss, that touches no flat cell."""
    minimum = certify_affine_minimum(risk, w)
    if not minimum.certified:
        return f"not yet: {minimum.reason or 'the risk falls nearby'}"
    if minimum.values["risk"] == 0:
        return "not yet: the loss is 0"
    if not certify_touches_flat(risk, w).refuted:
        return "not yet: it may touch a flat cell"
    return f"correct: a sharp local minimum with loss {minimum.values['risk']}"
