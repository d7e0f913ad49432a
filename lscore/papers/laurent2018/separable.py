r"""Linearly separable data: an exact separator with its margin, or the point that forbids one.

Separable means :math:`y_i (\langle q, x_i \rangle + \beta) \ge m > 0` for all samples, with
:math:`\beta = 0` in a network without hidden biases. One theorem of the alternative decides:
otherwise weights :math:`\theta \ge 0` of sum 1 have :math:`\sum_i \theta_i y_i (x_i, 1) = 0`, and
the hulls of the two classes meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpq

from lscore.algebra.alternatives import common_descent, shortest_element
from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError, HypothesisError
from lscore.model.passes import layout
from lscore.model.risk import Risk
from lscore.model.settings import Setting
from lscore.papers.laurent2018.data import leaky_slope

ONE_HIDDEN_HINGE = Setting(
    hidden=1, outputs=1, output_activation=False, loss="binary hinge loss", weight_decay=False
)
_SEPARABLE = Question("LVB-T4", "the data are linearly separable")


@dataclass(frozen=True, eq=False)
class Separator:
    r"""The numbers :math:`(q, \beta)` in `vector` (d + 1, 1), or q alone without hidden biases.

    `margin` is the smallest :math:`y_i (\langle q, x_i \rangle + \beta)`, a positive number.
    """

    vector: RationalMatrix
    margin: fmpq

    @cached_property
    def norm_squared(self) -> fmpq:
        return self.vector.dot(self.vector)

    def written_to(self, risk: Risk, k: int, scale: int = 1) -> np.ndarray:
        """The direction (m,), an array of objects, that moves the input weights of unit k by
        `scale` times q, and its bias by as much of beta."""
        move = np.array([fmpq(0)] * risk.dimension, dtype=object)
        hidden, entries = layout(risk.network, move)[0], self.vector.entries()
        d = risk.network.widths[0]
        hidden.weight[k] = [scale * e for e in entries[:d]]
        if hidden.bias is not None:
            hidden.bias[k] = scale * entries[d]
        return move


@checked
def separator(
    risk: Risk, samples: Sequence[int] | None = None, *, widest: bool = False
) -> Separator:
    r"""A separator of the two classes, or of these `samples` only (at least one), exactly.

    With `widest` the one with the largest margin for its norm, :math:`m / |(q, \beta)|`: the
    shortest vector of the hull of the :math:`y_i (x_i, 1)`; else one with short entries. Raises
    `HypothesisError` (LVB-T4) if there is none, with the witness :math:`\theta` (n, 1), 0 outside
    `samples`; `DataError` for samples that are not there.

    >>> from lscore import Network, binary_hinge, leaky_relu
    >>> risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [0, 2], [-1, 1], binary_hinge())
    >>> separator(risk).vector, separator(risk, widest=True).vector
    (column(1, -1), column(1/2, -1/2))
    """
    ONE_HIDDEN_HINGE.require(risk, _SEPARABLE.claim)
    data = risk.exact_augmented if risk.network.biases[0] else risk.exact_X
    chosen = range(len(data)) if samples is None else samples
    if not len(chosen) or not set(chosen) <= set(range(len(data))):
        need = f"need numbers from 0 to {len(data) - 1}, one at least"
        raise DataError(f"samples: got {list(chosen)}, {need}")
    signs, rows = risk.exact_y.entries(), data.numerator.tolist()
    columns = exact([[e * signs[i] for e in rows[i]] for i in chosen]).T / fmpq(data.denominator)
    if widest:
        found = shortest_element(columns)
        vector, weights = found.point, found.weights
    else:
        answer = common_descent(-columns)
        vector, weights = answer.obstruction, answer.solution
    if vector is None or vector.is_zero():
        full = dict(zip(chosen, weights.entries(), strict=True))
        theta = exact([full.get(i, fmpq(0)) for i in range(len(data))])
        raise HypothesisError(_SEPARABLE.claim, "separable", "the classes' hulls meet", theta)
    return Separator(vector, (columns.T @ vector).smallest())


@_SEPARABLE.checker
def certify_separable(risk: Risk) -> Certificate:
    r"""Are the two classes linearly separable? Decided exactly, in the setting of Theorem 4.

    Certified with a separator :math:`(q, \beta)`, its margin m and the class weights. Refuted with
    weights :math:`\theta` (n, 1) of sum 1, :math:`\sum_i \theta_i y_i (x_i, 1) = 0`, and with
    hidden biases the common point of the hulls; without them the sum is that of the
    :math:`\theta_i y_i x_i`. One hidden layer, one output, binary hinge, no weight decay; else
    unknown. Sound and complete. Source: Laurent and von Brecht (2018), Section 3.

    >>> from lscore import Network, binary_hinge, leaky_relu
    >>> line = Risk(Network((1, 1, 1), leaky_relu("1/2")), [0, 2, 4], [-1, 1, -1], binary_hinge())
    >>> certify_separable(line).witness["common_point"]
    column(2)
    """
    try:
        found = separator(risk)
    except HypothesisError as error:
        if error.hypothesis != "separable":
            raise
        theta = error.witness
        witness = {"weights": theta}
        pairs = zip(theta.entries(), risk.exact_y.entries(), strict=True)
        if risk.network.biases[0]:
            above = [2 * t if y > 0 else fmpq(0) for t, y in pairs]
            witness["common_point"] = risk.exact_X.T @ exact(above)
        return _SEPARABLE.refuted([Condition("a hyperplane separates the classes", False)], witness)
    plus, minus = class_weights(risk)
    values = {"separator": found.vector, "weight_of_class_plus_1": plus}
    values |= {"weight_of_class_minus_1": minus}
    separated = Condition("a hyperplane separates the classes", True, found.margin)
    return _SEPARABLE.certified([separated], values=values)


def class_weights(risk: Risk) -> tuple[fmpq, fmpq]:
    r"""The sums of :math:`\mu_i` over the samples of label +1 and of label -1."""
    pairs = list(zip(term_weights(risk), risk.exact_y.entries(), strict=True))
    return tuple(sum((mu for mu, y in pairs if y == sign), fmpq(0)) for sign in (1, -1))


def term_weights(risk: Risk) -> list[fmpq]:
    r"""The numbers :math:`\mu_i` of the samples."""
    return risk.loss.term_weights(len(risk.y), 1).entries()


def check_unit(risk: Risk, k: int, name: str = "k") -> None:
    """Raise `DataError`, for the argument of this name, unless the hidden layer has a unit k."""
    last = risk.network.widths[1] - 1
    if not 0 <= k <= last:
        raise DataError(f"{name}: got {k}, need a unit from 0 to {last}")


def slope_of(risk: Risk, claim: str) -> fmpq:
    """alpha, after checking the setting: one hidden layer of leaky units, a binary hinge.

    Raises `HypothesisError` for the claim.
    """
    ONE_HIDDEN_HINGE.require(risk, claim)
    return leaky_slope(risk.network.activations[0], claim)
