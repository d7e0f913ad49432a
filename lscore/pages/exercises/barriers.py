"""Answer checkers for the exercises of *A bad minimum can lie behind a barrier*."""

from __future__ import annotations

from lscore.algebra.matrices import exact
from lscore.certificates import Certificate
from lscore.model.activations import relu
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.yun2019 import (
    certify_barrier,
    certify_spurious,
    least_squares_minimum,
    lowest_pass,
)


def leads_to_a_global_minimum(risk: Risk, w: Point) -> str:
    """w is no global minimum, and a path that never rises leads from it to one."""
    answer = certify_barrier(risk, w)
    if not answer.refuted:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    if risk(w) == lowest_pass(risk, w).bottom:
        return "not yet: it is a global minimum"
    return f"correct: the way is open from risk {risk(w)}"


def height_by_hand(answer: object) -> str:
    """The lowest pass of one ReLU unit from the affine fit of (0, 0), (1, 0), (2, 1)."""
    risk = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1])
    return same_number(answer, lowest_pass(risk, exact(["-1/2", 2, -1, "11/6"])).height)


def _ends_behind_a_barrier(risk: Risk) -> Certificate:
    """`certify_barrier` at the constructed minimum, which must be spurious."""
    w = least_squares_minimum(risk)
    spurious = certify_spurious(risk, w)
    return certify_barrier(risk, w) if spurious.certified else spurious


def hides_behind_a_barrier(risk: Risk) -> str:
    """The affine fit is a certified spurious minimum behind a certified barrier."""
    answer = _ends_behind_a_barrier(risk)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    values = answer.values
    return f"correct: from {values['risk']} over {values['barrier']} to {values['global_minimum']}"


def opens_the_barrier(closed: Risk, opened: Risk) -> str:
    """One label differs, and the barrier of `closed` is gone in `opened`."""
    if closed.network != opened.network or closed.exact_X != opened.exact_X:
        return "not yet: network or inputs differ"
    changed = sum(v != 0 for v in (closed.exact_y - opened.exact_y).entries())
    if changed != 1:
        return f"not yet: {changed} labels differ, wanted 1"
    before, after = map(_ends_behind_a_barrier, (closed, opened))
    if not (before.certified and after.refuted and after.claim == before.claim):
        return f"not yet: {before.verdict} before, {after.verdict} after"
    return f"correct: open at risk {after.witness['highest_risk']}"
