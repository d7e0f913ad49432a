"""Answer checkers for the exercises of *A stuck ReLU network does not see the samples it fails*."""

from __future__ import annotations

from lscore.algebra.matrices import exact
from lscore.minima.clarke import certify_subgradient
from lscore.minima.kinks import certify_hinge_minimum
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.laurent2018 import certify_dead_data


def is_blind_to_all(risk: Risk, w: Point) -> str:
    """A point at which all samples are unsolved, and no unit, in use or not, is on for one."""
    w = exact(risk.network.point(w), "w")
    hidden = risk.forward(w)[0][0]
    on = [i for i in range(len(hidden)) if max(hidden.rows(i, i + 1).entries()) > 0]
    if on:
        return f"not yet: a unit is on for sample {on[0]}"
    solved = certify_dead_data(risk, w).values["solved"]
    return f"not yet: {solved} samples are solved" if solved else "correct: nobody is seen"


def slope_by_hand(risk: Risk, w: Point, answer: object) -> str:
    """The fall of the risk if the last parameter, the output bias, rises by 1/100, times 100."""
    w = exact(risk.network.point(w), "w")
    moved = w.entries()
    moved[-1] += exact(["1/100"])[0, 0]
    return same_number(answer, 100 * (risk(w) - risk(exact(moved))))


def is_stuck_at(risk: Risk, w: Point, loss: object) -> str:
    """A certified local minimum with this loss."""
    wanted, found = exact([loss])[0, 0], risk(exact(risk.network.point(w), "w"))
    if found != wanted:
        return f"not yet: the loss is {found}"
    answer = certify_hinge_minimum(risk, w)
    if not answer.certified:
        return f"not yet: local minimum? {answer.verdict}"
    return f"correct: a local minimum with loss {found}"


def is_stuck_in_balance(risk: Risk, w: Point) -> str:
    """A certified local minimum with an output bias, where some samples are solved, not all."""
    if not risk.network.biases[-1]:
        return "not yet: the network has no output bias"
    dead = certify_dead_data(risk, w)
    if not dead.certified or not dead.values["solved"] or not dead.values["unsolved"]:
        return f"not yet: {dead.verdict}, need solved and unsolved samples"
    return is_stuck_at(risk, w, dead.values["risk"])


def fools_the_dead(risk: Risk, w: Point) -> str:
    """Every unsolved sample is dead, there is one, and the point is not critical."""
    dead = certify_dead_data(risk, w)
    if not dead.certified:
        return f"not yet: the checker says {dead.verdict}"
    if not dead.values["unsolved"]:
        return "not yet: no sample is unsolved"
    critical = certify_subgradient(risk, w)
    if not critical.refuted:
        return f"not yet: critical? {critical.verdict}"
    return f"correct: {dead.values['unsolved']} dead samples, and a direction descends"
