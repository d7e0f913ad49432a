"""Answer checkers for the exercises of *Any bend makes bad minima*."""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq

from lscore.algebra.matrices import Scalar, rational
from lscore.model.activations import PiecewiseLinear, hard_tanh, piecewise_linear, relu
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.he2020 import (
    affine_minimum,
    around_knot,
    certify_spurious_minimum,
    hinge_point,
    sides,
)

X, Y = [0, 1, 2, 3], [0, 1, 4, 9]


def sides_by_hand(answer: object) -> str:
    """How many sides of knots with a slope the triangle wave with knots -1, 1, 3 has."""
    wave = piecewise_linear([-1, 1, 3], [0, 1, -1, 0], -1)
    return same_number(answer, fmpq(len(sides(wave))))


def scale_by_hand(answer: object) -> str:
    """The bound that M must exceed to move the ReLU minimum of the parabola to a hard tanh."""
    risk = Risk(Network((1, 2, 1), relu), X, Y)
    (pre,) = risk.network.preactivations(affine_minimum(risk), risk.exact_X)
    return same_number(answer, max(map(abs, pre.entries())) / around_knot(hard_tanh, -1)[1])


def is_spurious_with_mixed_layers(activations: Sequence[PiecewiseLinear]) -> str:
    """Three different activations, no knot at 0, with which a network has a certified spurious
    minimum on the parabola."""
    if len(activations) != 3 or len({(h.knots, h.slopes) for h in activations}) < 3:
        return "not yet: wanted three different activations"
    for h in activations:
        if 0 in h.knots or not h.knots:
            return f"not yet: the knots of {h.name} are {', '.join(map(str, h.knots)) or 'none'}"
    risk = Risk(Network((1, 2, 1, 1, 1), tuple(activations)), X, Y)
    answer = certify_spurious_minimum(risk, affine_minimum(risk))
    return f"correct: spurious, with risk {answer.values['risk']}"


def barely_bends(h: PiecewiseLinear, most: Scalar = "1/1000000000") -> str:
    """The hinge lowers the risk of the parabola, by less than `most`."""
    risk = Risk(Network((1, 2, 1), h), X, Y)
    won = risk(affine_minimum(risk)) - risk(hinge_point(risk).point)
    if won >= rational(most, "most"):
        return f"not yet: the hinge wins {float(won):.2g}"
    return f"correct: the hinge wins {float(won):.2g}, and not 0"
