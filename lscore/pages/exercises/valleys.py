"""Answer checkers for the exercises of *Wide networks have bad minima, but no bad valleys*."""

from __future__ import annotations

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.minima.convex_paths import certify_convex_path
from lscore.minima.paths import certify_nonincreasing
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.yun2019 import (
    affine_fit,
    certify_bad_valley,
)


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
