"""Answer checkers for the exercises of *With three layers a linear saddle can be flat*."""

from __future__ import annotations

from lscore.algebra.matrices import exact
from lscore.cells.hessians import cell_hessian
from lscore.cells.pattern import cell_at
from lscore.model.activations import identity
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.yun2019 import (
    certify_saddle_or_minimum,
    certify_strict_saddle,
    negative_curvature,
)
from lscore.papers.yun2019.linear.setting import product, weights_of


def is_strict_with_zero_layers(risk: Risk, w: Point) -> str:
    """A strict saddle at which all layers but one are zero."""
    zero = [weight.is_zero() for weight in weights_of(risk, w)]
    if sum(zero) != len(zero) - 1:
        return f"not yet: {sum(zero)} of {len(zero)} layers are zero"
    answer = certify_strict_saddle(risk, w)
    if not answer.certified:
        return f"not yet: strict? {answer.verdict}"
    return "correct: a critical point with negative curvature"


def eigenvalue_by_hand(answer: object) -> str:
    r"""The smallest eigenvalue of the Hessian of :math:`\frac12 (w_2 w_1 - 3)^2` at 0."""
    risk = Risk(Network((1, 1, 1), identity, bias=False), [1], [3])
    origin = exact([0, 0])
    H = cell_hessian(cell_at(risk, origin), origin)
    return same_number(answer, -abs(H[0, 1]))  # the diagonal is 0


def is_flat_saddle(risk: Risk, w: Point) -> str:
    """A certified saddle without negative curvature, with a product that is not zero."""
    answer = certify_saddle_or_minimum(risk, w)
    if "pivot_layer" not in answer.values:
        return f"not yet: {answer.verdict}, {answer.statement}"
    if product(weights_of(risk, w)).is_zero():
        return "not yet: a saddle, but its product is zero"
    if not certify_strict_saddle(risk, w).refuted:
        return "not yet: the saddle is strict"
    return f"correct: a flat saddle, the move has order {answer.values['order_of_the_move']}"


def is_strict_but_slow(risk: Risk, w: Point) -> str:
    """A certified strict saddle at which the construction of the proof has order 3 at least."""
    answer = certify_saddle_or_minimum(risk, w)
    if "pivot_layer" not in answer.values:
        return f"not yet: {answer.verdict}, {answer.statement}"
    order = answer.values["order_of_the_move"]
    if order < 3:
        return "not yet: the move of the proof already has order 2"
    if not certify_strict_saddle(risk, w).certified:
        return "not yet: there is no negative curvature"
    return f"correct: strict, although the move of the proof has order {order}"


def fools_two_layers(risk: Risk, w: Point) -> str:
    """A strict saddle, wide enough for YUN-T4, at which no two layers show negative curvature."""
    d = risk.network.widths
    if min(d) < min(d[0], d[-1]):
        return f"not yet: widths {d} have a bottleneck"
    if not certify_strict_saddle(risk, w).certified:
        return "not yet: not a certified strict saddle"
    if negative_curvature(risk, w) is not None:
        return "not yet: two layers are enough here"
    return "correct: strict, and only the whole Hessian shows it"
