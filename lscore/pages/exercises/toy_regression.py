"""Answer checkers for the exercises of *The toy regression is trained to zero*."""

from __future__ import annotations

from lscore.algebra.linear import pure_error
from lscore.algebra.matrices import Scalar, exact, rational, to_float
from lscore.errors import TieError
from lscore.model.activations import relu
from lscore.model.losses import SquaredLoss
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.milne2019 import (
    certify_layer_balance,
    certify_membership,
    certify_trained_to_zero,
    toy_sides,
)
from lscore.papers.milne2019.region import data_loss, squared_radius


def is_inside(risk: Risk, w: Point) -> str:
    """w is not 0 and lies in U(lambda)."""
    answer = certify_membership(risk, w)
    if exact(risk.network.point(w), "w").is_zero():
        return "not yet: this is the origin"
    if not answer.certified:
        return f"not yet: 8 l r^2 is {to_float(answer.values['residual_bound']):.4g}, too large"
    return f"correct: 8 l r^2 is {to_float(answer.values['residual_bound']):.4g}"


def least_decay_by_hand(answer: object) -> str:
    """The smallest weight decay for which 0 is the only global minimum, for two samples."""
    half = SquaredLoss("1/2", mean=True)
    risk = Risk(Network((1, 2, 1), relu, bias=False), [2, -1], [3, 1], half)
    return same_number(answer, max(abs(product) for _, product in toy_sides(risk)))


def is_sharp_critical_point(risk: Risk, w: Point, samples: int = 1) -> str:
    """A critical point other than 0, one hidden layer, with 2 l r^2 = lambda^2 exactly.

    `samples` is the number of different inputs that the data must have.
    """
    inputs = len(risk.X.unique(dim=0))
    if inputs < samples:
        return f"not yet: {inputs} different inputs, wanted {samples}"
    answer = certify_layer_balance(risk, w)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    w = exact(risk.network.point(w), "w")
    gap = 2 * data_loss(risk, w) * squared_radius(risk) - risk.weight_decay**2
    if gap or len(risk.network.widths) != 3:
        return f"not yet: 2 l r^2 exceeds lambda^2 by {gap}"
    return f"correct: 2 l r^2 = lambda^2 = {risk.weight_decay**2}"


def region_is_empty(risk: Risk) -> str:
    """U(lambda) of a network with one hidden layer is empty: equal inputs disagree too much."""
    least = pure_error(risk.exact_X, risk.exact_y) / (2 * len(risk.X))
    if 8 * least * squared_radius(risk) < risk.weight_decay**2:
        return f"not yet: some function of x has the loss {least}, which would be inside"
    return f"correct: the loss is at least {least} everywhere"


def outruns_the_checker(risk: Risk, rate: Scalar, w: Point, steps: int = 5) -> str:
    """Unknown at w for `certify_trained_to_zero`, yet a few exact steps lead into its ball."""
    w, rate = exact(risk.network.point(w), "w"), rational(rate, "rate")
    if certify_trained_to_zero(risk, rate, w.dot(w)).certified:
        return "not yet: the checker is certain"
    for step in range(1, steps + 1):
        try:
            w = w - risk.gradient(w) * rate
        except TieError as tie:
            return f"not yet: {tie}"
        if certify_trained_to_zero(risk, rate, w.dot(w)).certified:
            return f"correct: inside after {step} exact step{'s' * (step > 1)}"
    return f"not yet: |W|^2 is still {to_float(w.dot(w)):.3g}"
