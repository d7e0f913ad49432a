"""Answer checkers for the exercises on valleys; they answer as those of `exercises`."""

from __future__ import annotations

from lscore.certificates import Certificate
from lscore.convex_paths import certify_convex_path
from lscore.exact import RationalMatrix, exact
from lscore.networks import Point
from lscore.papers.yun2019 import (
    affine_fit,
    certify_bad_valley,
    certify_barrier,
    certify_spurious,
    least_squares_minimum,
)
from lscore.paths import certify_nonincreasing
from lscore.risk import Risk


def is_bent_and_trapped(risk: Risk, w: Point) -> str:
    """w lies in a certified bad valley although its risk is below that of the affine fit."""
    answer = certify_bad_valley(risk, w)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    fit = affine_fit(risk).sum_of_squares * risk.loss.scale(len(risk.exact_y))
    value = risk(exact(risk.network.point(w), "w"))
    if value >= fit:
        return f"not yet: the risk is {value}, the affine fit has {fit}"
    return f"correct: risk {value}, the global minimum is {answer.values['global minimum']}"


def leads_down(risk: Risk, waypoints: list[RationalMatrix], segments: int) -> str:
    """The risk never rises on the path, falls in all to the smallest value 0, and the path has at
    most so many segments."""
    answer = certify_nonincreasing(risk, waypoints)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    if answer.values["risk at the end"] != 0:
        return f"not yet: the risk at the end is {answer.values['risk at the end']}"
    if len(waypoints) - 1 > segments:
        return f"not yet: {len(waypoints) - 1} segments, wanted {segments} at most"
    return f"correct: from {answer.values['risk at the start']} to 0 without rising"


def fools_the_convex_checker(risk: Risk, waypoints: list[RationalMatrix]) -> str:
    """The risk never rises on the path, and `certify_convex_path` says unknown."""
    if not (answer := certify_nonincreasing(risk, waypoints)).certified:
        return f"not yet: {answer.verdict} that the risk never rises"
    answer = certify_convex_path(risk, waypoints)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"


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
    return f"correct: from {values['risk']} over {values['barrier']} to {values['global minimum']}"


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
    return f"correct: open at risk {after.witness['highest risk']}"
