r"""What backpropagation reports at a kink, and why biases in every layer make it a subgradient.

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
from lscore.cells.pattern import Cell, signature
from lscore.cells.rays import cell_along
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import TieError
from lscore.minima.clarke import certify_subgradient
from lscore.model.networks import Point
from lscore.model.passes import activated
from lscore.model.risk import Risk


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
    found = signature(risk, exact(risk.network.point(w), "w"))
    unsolved = None if found.margins is None else found.margins > 1
    return Cell(risk, tuple(part // 2 for part in found.layers), unsolved)


def autograd_direction(risk: Risk, w: RationalMatrix) -> RationalMatrix:
    """A direction from w into `autograd_cell`, if every layer has biases.

    Lowers the biases of tied units so far that each tie falls at rate 1 at least; tied margins fall
    because the output layer grows.
    """
    cell, found = autograd_cell(risk, w), signature(risk, w)
    state = [*cell.pieces, *([] if cell.unsolved is None else [cell.unsolved.astype(int)])]
    widths, move = risk.network.widths, [fmpq(0)] * risk.dimension
    start = 0
    for layer, (out, inner) in enumerate(zip(widths[1:], widths, strict=False), start=1):
        start += out * inner
        for k in range(out):
            mine = [tie for tie in found.ties if tie[0] == layer and tie[2] == k]
            if layer > len(activated(risk.network)):
                mine = []
            rates = [tie_gradient(risk, w, tie, state).dot(exact(move)) for tie in mine]
            if rates:
                move[start + k] = -max(*rates, fmpq(0)) - 1
        start += out
    margins = [tie for tie in found.ties if tie[0] > len(activated(risk.network))]
    rates = [tie_gradient(risk, w, tie, state).dot(exact(move)) for tie in margins]
    if rates:
        last = widths[-1] * (widths[-2] + 1)
        growth = max(*rates, fmpq(0)) + 1
        move[-last:] = [
            m + growth * v for m, v in zip(move[-last:], w.entries()[-last:], strict=True)
        ]
    return exact(move)


@checked
def certify_autograd(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is autograd's gradient at w an element of Clarke's subdifferential? (LVB-AG)

    Certified by a direction from w into the cell whose gradient autograd reports: with biases in
    every layer it always exists (no output activation). Else decided by `certify_subgradient`:
    certified as a convex combination, refuted with a direction, or unknown. Sound; piecewise linear
    networks of any depth, squared and hinge losses.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1], [1, 1])
    >>> print(certify_autograd(risk, exact([0, 0, 1, 0])))
    certified (exact): autograd's gradient is in Clarke's subdifferential  [LVB-AG]
      holds     the ray along a direction enters the cell that autograd uses, 2 ties broken
    """
    w = exact(risk.network.point(w), "w")
    cell = autograd_cell(risk, w)
    if risk.network.bias and risk.network.output_activation is None:
        direction = autograd_direction(risk, w)
        try:
            reached = cell_along(risk, w, direction).signature == cell.signature
        except TieError:
            reached = False
        count = len(signature(risk, w).ties)
        text = f"the ray along a direction enters the cell that autograd uses, {count} ties broken"
        if reached:
            asked = Question("LVB-AG", "autograd's gradient is in Clarke's subdifferential")
            return asked.certified([Condition(text, True)])
    return certify_subgradient(risk, w, cell.gradient(w), claim="LVB-AG")
