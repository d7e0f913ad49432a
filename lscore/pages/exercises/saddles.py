"""Answer checkers for the exercises of *In a wide linear network every bad critical point is a
saddle*."""

from __future__ import annotations

from lscore.algebra.matrices import exact
from lscore.model.activations import identity
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.yun2019 import (
    certify_bottleneck_minimum,
    certify_saddle_or_minimum,
)
from lscore.papers.yun2019.linear.setting import (
    layer_gradients,
    product,
    product_gradient,
    weights_of,
)


def is_higher(risk: Risk, w: Point) -> str:
    """Higher than the point that has learnt the first of two outputs, with its first columns."""
    w = exact(risk.network.point(w), "w")
    half = exact([2, 0, 0, 0, 1, 0, 0, 0])
    if w.entries()[::2] != half.entries()[::2]:
        return "not yet: a first column is not that of the half-learnt point"
    if risk(w) <= risk(half):
        return f"not yet: the risk is {risk(w)}, at the half-learnt point it is {risk(half)}"
    return f"correct: {risk(w)} is more than {risk(half)}"


def decrease_by_hand(answer: object) -> str:
    """The fall of the risk of two layers from the half-learnt point to s = t = 1/2."""
    network = Network((2, 2, 2), identity, bias=False)
    risk = Risk(network, [[1, 0], [0, 1]], [[2, 0], [0, 1]])
    half, moved = exact([2, 0, 0, 0, 1, 0, 0, 0]), exact([2, 0, 0, "1/2", 1, 0, 0, "1/2"])
    return same_number(answer, risk(half) - risk(moved))


def is_saddle_with_pivot(risk: Risk, w: Point, layer: int) -> str:
    """A certified saddle with a product that is not zero and the given pivot layer."""
    answer = certify_saddle_or_minimum(risk, w)
    if "pivot_layer" not in answer.values:
        return f"not yet: {answer.verdict}, {answer.statement}"
    if product(weights_of(risk, w)).is_zero():
        return "not yet: a saddle, but its product is zero"
    found = answer.values["pivot_layer"]
    if found.split(" of ")[0] != str(layer):
        return f"not yet: the pivot is layer {found}"
    return f"correct: the pivot is layer {found}"


def is_narrow_minimum(risk: Risk, w: Point) -> str:
    """A certified global minimum of a bottleneck at which the loss of the product has a slope."""
    answer = certify_bottleneck_minimum(risk, w)
    if answer.verdict == "unknown":
        return f"not yet: {answer.reason}"
    if not answer.certified:
        failing = next(c.text for c in answer.conditions if not c.holds)
        return f"not yet: it fails that {failing}"
    if answer.values["gradient_of_the_loss_of_the_product"].is_zero():
        return "not yet: the gradient of the loss of the product is zero"
    return f"correct: global, with loss {answer.values['loss']}"


def fools_the_classifier(risk: Risk, w: Point, u: object) -> str:
    """A critical point that `certify_saddle_or_minimum` leaves unknown although the loss is smaller
    at w + u, w + u/2, ..., w + u/2^20."""
    w, u = (exact(risk.network.point(exact(v, name), name)) for v, name in ((w, "w"), (u, "u")))
    weights = weights_of(risk, w)
    gradients = layer_gradients(weights, product_gradient(risk, product(weights)))
    if not all(part.is_zero() for part in gradients):
        return "not yet: the point is not critical"
    answer = certify_saddle_or_minimum(risk, w)
    if answer.verdict != "unknown":
        return f"not yet: the classifier says {answer.verdict}, {answer.statement}"
    falls = [risk(w) - risk(w + u / 2**k) for k in range(21)]
    if not all(fall > 0 for fall in falls):
        return "not yet: the loss does not fall at every scale"
    return f"correct: the loss falls by {falls[0]} at once and still at the scale 2^-20"
