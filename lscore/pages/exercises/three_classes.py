"""Answer checkers for the exercises of *With three classes data are seen and still unsolved*."""

from __future__ import annotations

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.minima.symmetries import certify_sharp_minimum
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.laurent2018 import active_minimum, active_unsolved


def is_active_unsolved(risk: Risk, w: RationalMatrix, i: int, r: int) -> str:
    """Sample i has an unsolved margin for class r, and a unit that is used sees it."""
    pairs = {(sample, against): unit for sample, against, unit in active_unsolved(risk, w)}
    if (i, r) in pairs:
        return f"correct: unit {pairs[i, r]} is on, and the margin for class {r} is positive"
    if any(i == sample for sample, _ in pairs):
        return f"not yet: sample {i} is unsolved, but not for class {r}"
    return f"not yet: all margins of sample {i} are solved"


def loss_by_hand(answer: object) -> str:
    """The loss of O12."""
    found = active_minimum("O12")
    return same_number(answer, found.risk(found.point))


def is_solved(risk: Risk, w: Point) -> str:
    """The loss is 0."""
    w = exact(risk.network.point(w), "w")
    return "correct: the loss is 0" if risk(w) == 0 else f"not yet: the loss is {risk(w)}"


def is_moved_minimum(risk: Risk, known: RationalMatrix, w: Point) -> str:
    """Certified, with the loss of the known point and another bias of unit 0."""
    w = exact(risk.network.point(w), "w")
    biases = [risk.network.unpack(point)[0].bias[0, 0] for point in (known, w)]
    if biases[0] == biases[1]:
        return f"not yet: the bias of unit 0 is {biases[0]}, as before"
    if risk(w) != risk(known):
        return f"not yet: the loss is {risk(w)}, not {risk(known)}"
    answer = certify_sharp_minimum(risk, w)
    if not answer.certified:
        return f"not yet: {answer.reason}"
    return f"correct: certified, with the bias {biases[1]}"
