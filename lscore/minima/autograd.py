r"""What backpropagation reports at a kink, and why hidden biases make it a subgradient.

Autograd takes the left slope of ReLU at 0 and counts a tied margin as slack. Lowering the biases
of tied units, layer by layer, and then scaling up the output layer enters the cell in which all
ties are broken just so: its gradient is autograd's (LVB-AG). The outputs have no activation.
"""

from __future__ import annotations

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.incident import tie_gradient
from lscore.cells.pattern import Cell, Tie, locate, pattern_at
from lscore.cells.rays import cell_along
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import TieError
from lscore.minima.clarke import certify_subgradient
from lscore.model.networks import Point
from lscore.model.passes import layout
from lscore.model.risk import Risk

_AUTOGRAD = Question("LVB-AG", "autograd's gradient is in Clarke's subdifferential")


@checked
def autograd_cell(risk: Risk, w: Point | np.ndarray) -> Cell:
    """The pieces that backpropagation uses: left of every knot, and tied margins slack.

    Its gradient at w is autograd's in exact arithmetic, kink or not.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1), (), bias=False, output_activation=relu), [1], [-1])
    >>> w = exact([0])                                     # (relu(w) + 1)^2 / 2
    >>> autograd_cell(risk, w).gradient(w)
    column(0)
    """
    return Cell(risk, pattern_at(risk, w).pieces)


def autograd_direction(risk: Risk, w: Point) -> RationalMatrix:
    """A direction from the point into `autograd_cell`, if every hidden layer has biases.

    Lowers the biases of tied units so far that each tie falls at rate 1 at least; tied margins fall
    because the output layer grows.
    """
    w = locate(risk, w)
    network, pieces = risk.network, w.pattern.pieces
    move = np.array([fmpq(0)] * network.dimension, dtype=object)
    layers = layout(network, move)

    def rates(ties: list[Tie]) -> list[fmpq]:
        return [tie_gradient(risk, w, tie, pieces).dot(exact(move.tolist())) for tie in ties]

    for l, layer in enumerate(layers[: len(network.switches)], start=1):
        for k in range(network.widths[l]):
            found = rates([tie for tie in w.pattern.ties if tie[0] == l and tie[2] == k])
            if found:
                layer.bias[k] = -max(*found, fmpq(0)) - 1
    found = rates([tie for tie in w.pattern.ties if tie[0] > len(network.switches)])
    if found:
        last = network.widths[-1] * (network.widths[-2] + network.biases[-1])
        growth = max(*found, fmpq(0)) + 1
        move[-last:] += np.array(w.entries()[-last:], dtype=object) * growth
    return exact(move.tolist())


@_AUTOGRAD.checker
def certify_autograd(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is autograd's gradient at w an element of Clarke's subdifferential? (LVB-AG)

    Certified by a direction from w into the cell whose gradient autograd reports: with biases in
    every hidden layer it always exists (no output activation). Else decided by
    `certify_subgradient`: certified as a convex combination, refuted with a direction, or unknown.
    Sound; piecewise linear networks of any depth, any loss with exact values.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1], [1, 1])
    >>> print(certify_autograd(risk, exact([0, 0, 1, 0])))
    certified (exact): autograd's gradient is in Clarke's subdifferential  [LVB-AG]
      holds     the ray along a direction enters the cell that autograd uses, 2 ties broken
    """
    w = locate(risk, w)
    cell = Cell(risk, w.pattern.pieces)
    if all(risk.network.biases[:-1]) and risk.network.output_activation is None:
        direction = autograd_direction(risk, w)
        try:
            reached = cell_along(risk, w, direction).pattern == cell.pattern
        except TieError:
            reached = False
        count = len(w.pattern.ties)
        text = f"the ray along a direction enters the cell that autograd uses, {count} ties broken"
        if reached:
            return _AUTOGRAD.certified([Condition(text, True)])
    return certify_subgradient(risk, w, cell.gradient(w), claim=_AUTOGRAD.claim)
