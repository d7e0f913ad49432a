"""Answer checkers for the exercises of *Leaky networks have no bad minima on separable data*."""

from __future__ import annotations

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.minima.clarke import certify_subgradient
from lscore.minima.kinks import certify_hinge_minimum
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.laurent2018 import (
    certify_no_bad_minima,
    certify_not_critical,
    second_perturbation,
)


def separates(risk: Risk, vector: RationalMatrix) -> str:
    """Whether (q, beta) separates the classes with a margin of at least 1."""
    values = (risk.exact_augmented @ exact(vector, "vector")).entries()
    margins = [y * value for y, value in zip(risk.exact_y.entries(), values, strict=True)]
    worst = min(margins)
    if worst < 1:
        return f"not yet: sample {margins.index(worst)} has {worst}, need at least 1"
    return f"correct: the margin is {worst}"


def fall_by_hand(risk: Risk, w: Point, answer: object) -> str:
    """The number in front of t if the first unit is switched on."""
    return same_number(answer, second_perturbation(risk, w, 0).promise[0])


def is_bad_minimum(risk: Risk, w: Point) -> str:
    """A certified local minimum with a positive loss, where Theorem 5 does not apply."""
    answer = certify_hinge_minimum(risk, w)
    if not answer.certified:
        return f"not yet: local minimum? {answer.verdict}"
    loss = answer.values["risk"]
    if loss == 0:
        return "not yet: its loss is 0"
    failing = [c.text for c in certify_no_bad_minima(risk).conditions if not c.holds]
    return f"correct: loss {loss}, and it does not hold that {failing[0]}"


def is_flat_but_steep(risk: Risk, w: Point, length: object) -> str:
    """Not critical, with half the loss of a silent network left, and the bound below `length`."""
    length = exact([length])[0, 0]
    answer, loss, silent = certify_not_critical(risk, w), risk(w), risk(exact([0] * risk.dimension))
    if not answer.certified:
        return f"not yet: not critical? {answer.verdict}"
    if loss < silent / 2:
        return f"not yet: the loss is {loss}, need at least {silent / 2}"
    bound = answer.values["squared_length_at_least"]
    if bound >= length * length:
        return f"not yet: the squared length is at least {bound}, need a bound below {length**2}"
    return f"correct: loss {loss}, and the squared length is only known to be at least {bound}"


def fools_the_bound(risk: Risk, w: Point) -> str:
    """A point that `certify_not_critical` leaves unknown although it is not critical."""
    answer = certify_not_critical(risk, w)
    if answer.verdict != "unknown":
        return f"not yet: the checker says {answer.verdict}"
    critical = certify_subgradient(risk, w)
    if not critical.refuted:
        return f"not yet: critical? {critical.verdict}"
    return f"correct: {answer.reason}, but a direction descends in all cells"
