"""Answer checkers for the exercises of *Constructed minima lie in a valley*."""

from __future__ import annotations

from lscore.algebra.matrices import exact
from lscore.model.activations import relu
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.he2020 import affine_minimum, certify_flat_dimension, certify_valley
from lscore.papers.he2020.valley import Numbers


def is_another_end(risk: Risk, first: Numbers, last: Numbers) -> str:
    """A second pair of level and scales, both different from the first, in the same valley."""
    answer = certify_valley(risk, first, last)
    if not answer.certified:
        return f"not yet: {answer.verdict}, {answer.reason}"
    if exact([first[0], *first[1]]) == exact([last[0], *last[1]]):
        return "not yet: this is the same point"
    return f"correct: a path of risk {answer.values['risk']}"


def dimension_by_hand(answer: object) -> str:
    """The dimension of the valley of a network with two hidden layers, two inputs and outputs."""
    X, y = [[0, 0], [1, 1], [2, 2], [3, 3]], [[0, 1], [1, 0], [4, 0], [9, 1]]
    risk = Risk(Network((2, 3, 2, 2), relu), X, y)
    found = certify_flat_dimension(risk, affine_minimum(risk))
    return same_number(answer, found.values["dimension"])


def leaves_the_valley(risk: Risk, first: Numbers, last: Numbers) -> str:
    """Two ends between which the path that is straight in the scales is not flat."""
    answer = certify_valley(risk, first, last, straight=True)
    if answer.refuted:
        return f"correct: at t = {answer.witness['t']} the risk is {answer.witness['risk']}"
    return f"not yet: the straight path is {answer.verdict}"


def has_dimension(risk: Risk, w: Point, wanted: int) -> str:
    """A local minimum with a valley of this dimension."""
    answer = certify_flat_dimension(risk, exact(risk.network.point(w), "w"))
    if not answer.certified:
        return f"not yet: {answer.verdict}, {answer.reason}"
    if answer.values["dimension"] != wanted:
        return f"not yet: the dimension is {answer.values['dimension']}"
    return f"correct: {wanted} of {answer.values['parameters']}"


def hides_its_dimension(risk: Risk, w: Point) -> str:
    """A global minimum of risk 0 whose valley the checker does not measure."""
    w = exact(risk.network.point(w), "w")
    if risk(w) != 0:
        return f"not yet: the risk is {risk(w)}, not 0"
    answer = certify_flat_dimension(risk, w)
    if answer.certified:
        return f"not yet: it has dimension {answer.values['dimension']}"
    return f"correct: {answer.reason}"
