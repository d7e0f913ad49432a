"""Answer checkers for the exercises of *Two-piece activations make bad minima*."""

from __future__ import annotations

from lscore.algebra.linear import affine_least_squares, pure_error
from lscore.algebra.matrices import augment, exact, rational
from lscore.errors import ShapeError
from lscore.minima.affine import certified_radius_squared
from lscore.model.activations import relu
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.yun2019 import certify_spurious


def affine_map_fits(y: object) -> str:
    """Labels at x = 0, 1, 2, ... that lie on a line and are not all equal: C1.1 fails."""
    y = exact(y, "y")
    if len(set(map(str, y.entries()))) == 1:
        return "not yet: the labels are all equal"
    fit = affine_least_squares(augment(exact(range(len(y)))), y)
    if fit.sum_of_squares != 0:
        return f"not yet: the best line leaves a sum of squares of {fit.sum_of_squares}"
    return "correct: a line fits, and the point that is built is a global minimum"


def decrease_by_hand(answer: object) -> str:
    r"""Step 2 for x = 0, 1, 2 and y = 0, 0, 1 with a ReLU at the second point: :math:`A^2/(2B)`."""
    x, y = exact([0, 1, 2]), exact([0, 0, 1])
    r = affine_least_squares(augment(x), y).residuals
    h = relu(x - exact([1, 1, 1]))
    return same_number(answer, r.dot(h) ** 2 / (2 * h.dot(h)))


def is_dense_spurious_minimum(risk: Risk, w: Point, radius: object = 0) -> str:
    """A certified spurious minimum with this radius at least and no output weight equal to 0."""
    answer = certify_spurious(risk, w)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    _, out = risk.network.unpack(exact(risk.network.point(w), "w"))
    if any(entry == 0 for entry in out.weight.entries()):
        return "not yet: an output weight is 0"
    if certified_radius_squared(risk, w) < rational(radius, "radius") ** 2:
        return f"not yet: the certified radius is {answer.values['radius']}"
    return f"correct: spurious, with risk {answer.values['risk']}"


def affine_fit_is_best(X: object, y: object) -> str:
    """No affine map fits the data, and yet no function of x fits them better than one."""
    X, y = exact(X, "X"), exact(y, "y")
    if len(X) != len(y):
        raise ShapeError(f"X, y: {len(X)} inputs and {len(y)} labels, need as many")
    fit = affine_least_squares(augment(X), y)
    if fit.sum_of_squares == 0:
        return f"not yet: an affine map fits exactly, slope {fit.slope}"
    gap = fit.sum_of_squares - pure_error(X, y)
    if gap != 0:
        return f"not yet: the group means have a sum of squares that is smaller by {gap}"
    return f"correct: every function of x leaves a sum of squares of at least {fit.sum_of_squares}"
