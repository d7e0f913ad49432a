"""Answer checkers for the exercises of *Where the risk is piecewise strongly convex*."""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.matrices import exact, rational
from lscore.cells.pattern import cell_at, pattern_at
from lscore.curvature.convexity import certify_strong_convexity
from lscore.model.activations import relu
from lscore.model.losses import SquaredLoss
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.milne2019 import (
    certify_membership,
    certify_minimizers_inside,
    curvature_chain,
)
from lscore.papers.milne2019.region import data_loss

HALF = SquaredLoss("1/2", mean=True)


def is_imperfect_and_inside(risk: Risk, w: Point) -> str:
    """w lies in U, is not 0 and does not fit the data."""
    w = exact(risk.network.point(w), "w")
    if w.is_zero():
        return "not yet: this is the origin"
    if not data_loss(risk, w):
        return "not yet: the loss is 0"
    answer = certify_membership(risk, w)
    return "correct: it lies in U" if answer.certified else f"not yet: in U? {answer.verdict}"


def least_decay_by_hand(answer: object) -> str:
    """The number above which (10) holds, one hidden layer, inputs 1 and -1, labels 1."""
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1, -1], [1, 1], HALF, 1)
    decay = rational(answer, "answer")
    above, at = (
        certify_minimizers_inside(Risk(risk.network, risk.X, risk.y, HALF, value)).certified
        for value in (decay + fmpq(1, 10**9), decay)
    )
    return same_number(answer, decay if above and not at else decay + 1)


def is_minimum_outside(risk: Risk, w: Point) -> str:
    """One hidden layer, a gradient of 0, a risk strongly convex around w, not 0 and not in U."""
    w = exact(risk.network.point(w), "w")
    if (hidden := len(risk.network.activations)) != 1:
        return f"not yet: {hidden} hidden layers, wanted 1"
    if w.is_zero():
        return "not yet: this is the origin"
    if not risk.gradient(w).is_zero():
        return "not yet: the gradient is not 0"
    answer = certify_strong_convexity(risk, w)
    if not answer.certified:
        return f"not yet: strongly convex there? {answer.verdict}"
    if not (inside := certify_membership(risk, w)).refuted:
        return f"not yet: in U? {inside.verdict}"
    return "correct: a strict local minimum outside U"


def is_wall_inside(risk: Risk, w: Point) -> str:
    """w lies in U and on a wall, and is not 0."""
    w = exact(risk.network.point(w), "w")
    if w.is_zero():
        return "not yet: this is the origin"
    if not (ties := len(pattern_at(risk, w).ties)):
        return "not yet: nothing lies on a knot"
    answer = certify_membership(risk, w)
    if not answer.certified:
        return f"not yet: in U? {answer.verdict}"
    return f"correct: in U, with {ties} tie{'s' * (ties > 1)}"


def outruns_the_region(risk: Risk, w: Point) -> str:
    """Inside a cell the residual part is below lambda: the risk is convex, yet w is not in U."""
    w = exact(risk.network.point(w), "w")
    found = curvature_chain(cell_at(risk, w), w)["K6"]
    if not found < risk.weight_decay:
        return f"not yet: K6 is {float(found):.4g}, the weight decay {risk.weight_decay}"
    if not certify_membership(risk, w).refuted:
        return "not yet: it lies in U"
    return "correct: convex by K6, and not in U"
