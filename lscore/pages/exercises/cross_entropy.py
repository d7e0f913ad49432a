"""Answer checkers for the exercises of *When cross-entropy has no minimum to be spurious*."""

from __future__ import annotations

from lscore.algebra.linear import merge_rows
from lscore.algebra.matrices import exact
from lscore.errors import ShapeError
from lscore.minima.near import certify_minimum_near
from lscore.model.entropy import CrossEntropyLoss
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.he2020.entropy import certify_overlap, margins


def _linear(X: object, y: object) -> Risk:
    """The linear model of two classes on these data."""
    X = exact(X, "X")
    return Risk(Network((X.shape[1], 2), ()), X, y, CrossEntropyLoss())


def labels_overlap(y: object) -> str:
    """Labels 0 and 1 at x = 0, 1, 2, ... for which the linear model has a minimum."""
    y = exact(y, "y")
    answer = certify_overlap(_linear(range(len(y)), y))
    if answer.certified:
        return "correct: the classes overlap, and the risk has a minimum"
    return f"not yet: {answer.reason}"


def limit_probability(answer: object) -> str:
    """The probability of class 1 at x = 0 as the risk falls, for x = -1, 0, 0, 0, 1."""
    labels = [0, 1, 0, 1, 1]
    risk = _linear([-1, 0, 0, 0, 1], labels)
    direction = certify_overlap(risk).witness["direction"]
    left = [y for y, m in zip(labels, margins(risk, direction), strict=True) if m == 0]
    return same_number(answer, exact([sum(left)])[0, 0] / len(left))


def is_quasi_separable(X: object, y: object) -> str:
    """Distinct points with two classes that are quasi-separable, but not separable."""
    X = exact(X, "X")
    if len(X) != len(exact(y, "y")):
        raise ShapeError(f"X, y: {len(X)} inputs and {len(exact(y, 'y'))} labels, need as many")
    distinct, _ = merge_rows(X, X)
    if len(distinct) < len(X):
        return "not yet: two of the points are equal"
    answer = certify_overlap(_linear(X, y))
    if answer.certified:
        return "not yet: the classes overlap, the risk has a minimum"
    if answer.reason.startswith("separable"):
        return f"not yet: {answer.reason}"
    return f"correct: {answer.reason}"


def lies_beside_a_minimum(risk: Risk, w: Point, radius: float = 1e-6) -> str:
    """A point with a certified local minimum within the radius."""
    answer = certify_minimum_near(risk, w)
    if not answer.certified:
        return f"not yet: {answer.reason}"
    if answer.values["radius"] > radius:
        return f"not yet: the minimum is only shown to lie within {answer.values['radius']}"
    return f"correct: a local minimum lies within {answer.values['radius']}"


def fools_the_enclosure(risk: Risk, w: Point) -> str:
    """A global minimum, all outputs 0 and no function better, beside which nothing is enclosed."""
    w = exact(risk.network.point(w), "w")
    outputs = risk.predictions(w)
    if not outputs.is_zero():
        return "not yet: make all outputs 0, where the derivative of the loss is rational"
    _, merged = merge_rows(risk.exact_X, risk.loss.gradient(outputs, risk.exact_y))
    if not merged.is_zero():
        return "not yet: some function of x is better, so this may be no minimum"
    answer = certify_minimum_near(risk, w)
    if answer.certified:
        return "not yet: the checker encloses a minimum here"
    return f"correct: a global minimum, but unknown: {answer.reason}"
