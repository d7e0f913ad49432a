"""Answer checkers for the exercises on deep linear networks; like those of `lscore.exercises`."""

from __future__ import annotations

from lscore.errors import DataError
from lscore.exact import exact
from lscore.networks import Point
from lscore.papers.yun2019 import (
    LinearRisk,
    certify_bottleneck_minimum,
    certify_strict_saddle,
    classify_critical,
    linear_risk,
    negative_curvature,
)
from lscore.papers.yun2019.deep_linear import layer_gradients, product
from lscore.risk import Risk


def is_saddle_with_pivot(risk: Risk, w: Point, layer: int) -> str:
    """A certified saddle with a product that is not zero and the given pivot layer."""
    answer = classify_critical(risk, w)
    if "pivot layer" not in answer.values:
        return f"not yet: {answer.verdict}, {answer.statement}"
    if product(linear_risk(risk).weights(w)).is_zero():
        return "not yet: a saddle, but its product is zero"
    found = answer.values["pivot layer"]
    if found.split(" of ")[0] != str(layer):
        return f"not yet: the pivot is layer {found}"
    return f"correct: the pivot is layer {found}"


def is_narrow_minimum(risk: Risk, w: Point) -> str:
    """A certified global minimum of a bottleneck at which the loss of the product has a slope."""
    try:
        answer = certify_bottleneck_minimum(risk, w)
    except DataError as error:
        return f"not yet: {error}"
    if not answer.certified:
        failing = next(c.text for c in answer.conditions if not c.holds)
        return f"not yet: it fails that {failing}"
    if answer.values["gradient of the loss of the product"].is_zero():
        return "not yet: the gradient of the loss of the product is zero"
    return f"correct: global, with loss {answer.values['loss']}"


def fools_the_classifier(risk: Risk | LinearRisk, w: Point, u: object) -> str:
    """A critical point that `classify_critical` leaves unknown although the loss is smaller at
    w + u, w + u/2, ..., w + u/2^20."""
    linear = linear_risk(risk)
    w, u = (exact(linear.network.point(exact(v, name), name)) for v, name in ((w, "w"), (u, "u")))
    weights = linear.weights(w)
    gradients = layer_gradients(weights, linear.gradient(product(weights)))
    if not all(part.is_zero() for part in gradients):
        return "not yet: the point is not critical"
    answer = classify_critical(risk, w)
    if answer.verdict != "unknown":
        return f"not yet: the classifier says {answer.verdict}, {answer.statement}"
    falls = [linear(w) - linear(w + u / 2**k) for k in range(21)]
    if not all(fall > 0 for fall in falls):
        return "not yet: the loss does not fall at every scale"
    return f"correct: the loss falls by {falls[0]} at once and still at the scale 2^-20"


def is_flat_saddle(risk: Risk, w: Point) -> str:
    """A certified saddle without negative curvature, with a product that is not zero."""
    answer = classify_critical(risk, w)
    if "pivot layer" not in answer.values:
        return f"not yet: {answer.verdict}, {answer.statement}"
    if product(linear_risk(risk).weights(w)).is_zero():
        return "not yet: a saddle, but its product is zero"
    if not certify_strict_saddle(risk, w).refuted:
        return "not yet: the saddle is strict"
    return f"correct: a flat saddle, the move has order {answer.values['order of the move']}"


def is_strict_but_slow(risk: Risk, w: Point) -> str:
    """A certified strict saddle at which the construction of the proof has order 3 at least."""
    answer = classify_critical(risk, w)
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
