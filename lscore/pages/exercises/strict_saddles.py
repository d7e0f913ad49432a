"""Answer checkers for the exercises of *With three layers a linear saddle can be flat*."""

from __future__ import annotations

from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.yun2019 import (
    certify_saddle_or_minimum,
    certify_strict_saddle,
    negative_curvature,
)
from lscore.papers.yun2019.linear.setting import product, weights_of


def is_flat_saddle(risk: Risk, w: Point) -> str:
    """A certified saddle without negative curvature, with a product that is not zero."""
    answer = certify_saddle_or_minimum(risk, w)
    if "pivot layer" not in answer.values:
        return f"not yet: {answer.verdict}, {answer.statement}"
    if product(weights_of(risk, w)).is_zero():
        return "not yet: a saddle, but its product is zero"
    if not certify_strict_saddle(risk, w).refuted:
        return "not yet: the saddle is strict"
    return f"correct: a flat saddle, the move has order {answer.values['order of the move']}"


def is_strict_but_slow(risk: Risk, w: Point) -> str:
    """A certified strict saddle at which the construction of the proof has order 3 at least."""
    answer = certify_saddle_or_minimum(risk, w)
    if "pivot layer" not in answer.values:
        return f"not yet: {answer.verdict}, {answer.statement}"
    order = answer.values["order of the move"]
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
