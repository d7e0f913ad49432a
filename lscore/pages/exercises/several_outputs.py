"""Answer checkers for the exercises of *Several outputs, any loss*."""

from __future__ import annotations

from lscore.algebra.linear import affine_least_squares, pure_error
from lscore.algebra.matrices import augment, exact
from lscore.errors import ShapeError
from lscore.model.activations import relu
from lscore.model.huber import HuberLoss
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.he2020 import (
    affine_minimum,
    certify_spurious_minimum,
    hinge_point,
    linear_minimiser,
)


def has_two_lines(y: object) -> str:
    """Labels at x = 0, 1, 2, ... for which the Huber line, delta = 1, is not the least-squares
    line."""
    y = exact(y, "y")
    x = exact(range(len(y)))
    fit = affine_least_squares(augment(x), y)
    line = linear_minimiser(Risk(Network((1, 1, 1), relu), x, y, HuberLoss()))
    if (line[0, 0], line[0, 1]) == (fit.slope[0, 0], fit.intercept[0, 0]):
        largest = max(map(abs, fit.residuals.entries()))
        return f"not yet: both lines agree, the largest residual is {largest}"
    return f"correct: slopes {fit.slope[0, 0]} and {line[0, 0]}"


def hinge_by_hand(answer: object) -> str:
    """The decrease of `hinge_point` for x = 0, 1, 2 and two outputs, half the sum of squares."""
    risk = Risk(Network((1, 3, 2), relu), [0, 1, 2], [[0, 0], [1, 0], [0, 3]])
    return same_number(answer, risk(affine_minimum(risk)) - risk(hinge_point(risk).point))


def no_function_is_better(X: object, y: object) -> str:
    """At least three different inputs, labels that no affine map fits, and no function of x is
    better than the best affine map."""
    X, y = exact(X, "X"), exact(y, "y")
    if len(X) != len(y):
        raise ShapeError(f"X, y: {len(X)} inputs and {len(y)} labels, need as many")
    different = len({tuple(map(int, row)) for row in X.numerator.tolist()})
    if different < 3:
        return f"not yet: {different} different inputs, wanted 3"
    fit = affine_least_squares(augment(X), y)
    if fit.sum_of_squares == 0:
        return "not yet: an affine map fits exactly"
    gap = fit.sum_of_squares - pure_error(X, y)
    if gap:
        return f"not yet: the mean labels have a sum of squares that is smaller by {gap}"
    return f"correct: nothing leaves a sum of squares below {fit.sum_of_squares}"


def is_spurious_without_idle_units(risk: Risk, w: Point) -> str:
    """A certified spurious minimum in which every unit has an output weight that is not 0."""
    answer = certify_spurious_minimum(risk, w)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    out = risk.network.unpack(exact(risk.network.point(w), "w"))[-1].weight
    idle = [j for j in range(out.shape[1]) if out.column(j).is_zero()]
    if idle:
        return f"not yet: unit {idle[0]} is idle"
    return f"correct: spurious, with risk {answer.values['risk']}"
