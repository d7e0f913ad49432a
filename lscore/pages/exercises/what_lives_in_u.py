"""Answer checkers for the exercises of *Only the zero network lives in U*."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from flint import fmpq

from lscore.algebra.matrices import exact, rational
from lscore.cells.pattern import pattern_at
from lscore.model.activations import relu
from lscore.model.losses import SquaredLoss
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.milne2019 import certify_layer_balance
from lscore.papers.milne2019.region import BOUNDED, data_loss, squared_radius

HALF = SquaredLoss("1/2", mean=True)
INTRUDED = replace(BOUNDED, hidden=1, biases=None, weight_decay=True)


def is_balanced(risk: Risk, w: Point, outputs: int) -> str:
    """A critical point other than 0 of a network with so many outputs, and it obeys the theorem."""
    if (found := risk.network.widths[-1]) != outputs:
        return f"not yet: {found} outputs, wanted {outputs}"
    answer = certify_layer_balance(risk, w)
    return f"correct: {answer.claim}" if answer.certified else f"not yet: {answer.verdict}"


def ratio_by_hand(answer: object) -> str:
    """The ratio of the theorem at the critical point of a chain, H = 2, all weights 1/2."""
    s, decay = fmpq(1, 2), fmpq(1, 4)
    chain = Risk(Network((1,) * 4, relu, bias=False), [1], [s**3 + decay / s], HALF, decay)
    square = 2 * data_loss(chain, exact([s] * 3)) * squared_radius(chain) * s**2 / decay**2
    given = rational(answer, "answer")
    return same_number(answer, given if given > 0 and given**2 == square else given + 1)


def is_a_biased_intruder(risk: Risk, w: Point) -> str:
    """A critical point with decayed biases, weights not 0, that satisfies the condition of U."""
    w = exact(risk.network.point(w), "w")
    if not any(risk.network.biases):
        return "not yet: there are no biases"
    if missed := INTRUDED.misses(risk):
        return f"not yet: {missed}"
    if not risk.gradient(w).is_zero():
        return "not yet: the gradient is not 0"
    if not any(layer.weight.dot(layer.weight) for layer in risk.network.unpack(w)):
        return "not yet: the weights are 0"
    bound, room = 8 * data_loss(risk, w) * squared_radius(risk), risk.weight_decay**2
    if bound >= room:
        return f"not yet: 8 l r^2 is {bound}, not below {room}"
    return f"correct: 8 l r^2 is {bound}, below {room}"


def has_idle_units(risk: Risk, w: Point) -> str:
    """A critical point that obeys the theorem, with a hidden unit whose weights are all 0."""
    w = exact(risk.network.point(w), "w")
    answer = certify_layer_balance(risk, w)
    if not answer.certified:
        return f"not yet: {answer.verdict}, {answer.reason}"
    idle = [
        j
        for before, after in pairwise(risk.network.unpack(w))
        for j in range(len(before.weight))
        if before.weight.rows(j, j + 1).is_zero() and after.weight.column(j).is_zero()
    ]
    return f"correct: unit {idle[0]} is idle" if idle else "not yet: every hidden unit has weights"


def hides_on_a_wall(risk: Risk, w: Point) -> str:
    """Layers of equal norm, not 0, a tie, and no answer of the checker."""
    w = exact(risk.network.point(w), "w")
    layers = [layer.weight.dot(layer.weight) for layer in risk.network.unpack(w)]
    if len(set(map(str, layers))) > 1 or not any(layers):
        return "not yet: the layers are not balanced, or all 0"
    if not pattern_at(risk, w).ties:
        return "not yet: nothing lies on a knot"
    answer = certify_layer_balance(risk, w)
    if answer.verdict != "unknown":
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"
