"""Answer checkers for the exercises of *Wide networks have bad minima, but no bad valleys*."""

from __future__ import annotations

from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational
from lscore.minima.convex_paths import certify_convex_path
from lscore.minima.paths import certify_nonincreasing
from lscore.model.activations import relu
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.yun2019 import affine_fit, certify_bad_valley, wide_path


def leads_from_above(start: object, least: Scalar) -> str:
    """Three segments lead down from a start on the parabola with three units; its risk is above
    `least`."""
    risk = Risk(Network((1, 3, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    w = exact(start, "start")
    if risk(w) <= rational(least, "least"):
        return f"not yet: the risk of the start is {risk(w)}"
    return leads_down(risk, wide_path(risk, w), 3)


def rise_by_hand(answer: object) -> str:
    """What separates the best line, drawn by a ReLU with a negative weight, from a perfect fit of
    x = 0, 1, 2, 3 and labels 0, 0, 0, 1."""
    risk = Risk(Network((1, 1, 1), relu), [0, 1, 2, 3], [0, 0, 0, 1])
    fit = affine_fit(risk)
    w = exact([-fit.slope[0, 0], 2, -1, fit.intercept[0, 0] + 2])
    return same_number(answer, certify_bad_valley(risk, w).values["barrier"] - risk(w))


def is_bent_and_trapped(risk: Risk, w: Point) -> str:
    """w lies in a certified bad valley although its risk is below that of the affine fit."""
    answer = certify_bad_valley(risk, w)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    fit = affine_fit(risk).sum_of_squares * risk.loss.scale(len(risk.exact_y))
    value = risk(exact(risk.network.point(w), "w"))
    if value >= fit:
        return f"not yet: the risk is {value}, the affine fit has {fit}"
    return f"correct: risk {value}, the global minimum is {answer.values['global_minimum']}"


def leads_down(risk: Risk, waypoints: list[RationalMatrix], segments: int) -> str:
    """The risk never rises on the path, falls in all to the smallest value 0, and the path has at
    most so many segments."""
    answer = certify_nonincreasing(risk, waypoints)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    if answer.values["risk_at_the_end"] != 0:
        return f"not yet: the risk at the end is {answer.values['risk_at_the_end']}"
    if len(waypoints) - 1 > segments:
        return f"not yet: {len(waypoints) - 1} segments, wanted {segments} at most"
    return f"correct: from {answer.values['risk_at_the_start']} to 0 without rising"


def fools_the_convex_checker(risk: Risk, waypoints: list[RationalMatrix]) -> str:
    """The risk never rises on the path, and `certify_convex_path` says unknown."""
    if not (answer := certify_nonincreasing(risk, waypoints)).certified:
        return f"not yet: {answer.verdict} that the risk never rises"
    answer = certify_convex_path(risk, waypoints)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"
