"""Answer checkers for the exercises of *One cell is nearly convex*."""

from __future__ import annotations

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.pattern import cell_at, pattern_at
from lscore.model.activations import relu
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.surface.nearly_convex import best_in_cell, certify_lowest_in_cell


def is_lowest_in_a_bent_cell(risk: Risk, w: Point) -> str:
    """Certified lowest in its cell, where some unit uses two pieces."""
    answer = certify_lowest_in_cell(risk, w)
    if not answer.certified:
        return f"not yet: the checker says {answer.verdict}"
    places = pattern_at(risk, w).layers[0]
    if all(len(set(column)) == 1 for column in places.T.tolist()):
        return "not yet: every unit uses one piece only"
    return f"correct: nothing in this cell has a risk below {answer.values['risk']}"


def best_by_hand(answer: object) -> str:
    """The smallest risk with a ReLU without bias that is on at x = 1, 2, labels 1 and 3."""
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1, 2], [1, 3])
    return same_number(answer, best_in_cell(cell_at(risk, exact([1, 1]))))


def is_higher_in_the_middle(risk: Risk, a: RationalMatrix, b: RationalMatrix) -> str:
    """Two points of one cell, and the risk in the middle between them is above both."""
    if pattern_at(risk, a) != pattern_at(risk, b) or not pattern_at(risk, a).in_cell:
        return "not yet: the points do not lie in one open cell"
    middle = risk((a + b) / 2)
    if middle <= max(risk(a), risk(b)):
        return f"not yet: in the middle the risk is {middle}"
    return f"correct: {risk(a)}, {risk(b)}, and {middle} in the middle"


def are_lowest_in_two_cells(risk: Risk, a: RationalMatrix, b: RationalMatrix) -> str:
    """Both are lowest in their cells, and their risks differ."""
    verdicts = [certify_lowest_in_cell(risk, w) for w in (a, b)]
    for name, answer in zip("ab", verdicts, strict=True):
        if not answer.certified:
            return f"not yet: at {name} the checker says {answer.verdict}"
    if risk(a) == risk(b):
        return f"not yet: both have the risk {risk(a)}"
    return f"correct: risks {risk(a)} and {risk(b)}"
