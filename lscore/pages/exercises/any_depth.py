"""Answer checkers for the exercises of *Depth does not remove bad minima*."""

from __future__ import annotations

from collections.abc import Sequence

from lscore.algebra.matrices import exact
from lscore.model.activations import relu
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.he2020 import (
    affine_minimum,
    certify_spurious_minimum,
    deepened,
    hinge_point,
)


def has_fewest_units(hidden: Sequence[int], outputs: int = 2) -> str:
    """Three hidden widths for two outputs with which the construction works, and no fewer units."""
    y = [[(i * i * (c + 1)) % 5 for c in range(outputs)] for i in range(5)]
    if len(hidden) != 3:
        return f"not yet: {len(hidden)} hidden layers, wanted 3"
    risk = Risk(Network((1, *hidden, outputs), relu), range(5), y)
    hinge_point(risk)
    spare = sum(hidden) - (3 * outputs + 1)
    if spare:
        return f"not yet: {sum(hidden)} units, {spare} more than needed"
    return f"correct: {', '.join(map(str, hidden))}"


def last_bias_by_hand(answer: object) -> str:
    """The bias of the output when the minimum of x = 0..3, y = 0, 1, 4, 9 is made deeper."""
    risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    deep = deepened(risk, affine_minimum(risk), Network((1, 2, 1, 1), relu))
    return same_number(answer, deep.entries()[-1])


def is_spurious_on_the_left(risk: Risk, w: Point) -> str:
    """A certified spurious minimum with every hidden pre-activation below 0."""
    answer = certify_spurious_minimum(risk, w)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    pre = risk.network.preactivations(exact(risk.network.point(w), "w"), risk.exact_X)
    for l, z in enumerate(pre, 1):
        if max(z.entries()) >= 0:
            return f"not yet: layer {l} has a pre-activation {max(z.entries())}"
    return f"correct: spurious, with risk {answer.values['risk']}"


def is_dead_in_the_middle(risk: Risk, w: Point) -> str:
    """A certified spurious minimum whose second hidden layer sends 0 for every sample, while the
    first does not."""
    answer = certify_spurious_minimum(risk, w)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    pre = risk.network.preactivations(exact(risk.network.point(w), "w"), risk.exact_X)
    signals = [h(z) for h, z in zip(risk.network.activations, pre, strict=True)]
    if signals[0].is_zero():
        return "not yet: the first layer sends 0 as well"
    if not signals[1].is_zero():
        return "not yet: the second layer sends something"
    return f"correct: spurious, with risk {answer.values['risk']}"
