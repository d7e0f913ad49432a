r"""Lemma 102: on a cell of one hidden layer the hinge risk is four constants.

One hidden layer of leaky units, slope :math:`\alpha \in [0, 1]` on the left, with a binary hinge.
It is Theorem 1 for this network, with its forms written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.pattern import Cell
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import ShapeError
from lscore.model.passes import Layer, layout
from lscore.model.risk import Risk
from lscore.papers.laurent2018.separable import slope_of, term_weights

_CONSTANTS = Question("LVB-L102", "the constants give the frozen risk of the cell")


@dataclass(frozen=True, eq=False)
class CellConstants:
    r"""Lemma 102: what the frozen risk of a cell is made of,

    .. math:: R = \delta - \gamma c - \sum_k v_k (\langle a_k, w_k \rangle + \alpha_k b_k).

    :math:`a_k = \sum_i \mu_i y_i \epsilon_i \lambda_{ik} x_i` (`inputs`, a row per unit),
    :math:`\alpha_k` the same without :math:`x_i` (`biases`), :math:`\gamma = + \sum_i \mu_i y_i
    \epsilon_i` and :math:`\delta = \sum_i \mu_i \epsilon_i`; :math:`\epsilon_i` is 1 where the
    sample is unsolved, else 0, and :math:`\lambda_{ik}` the slope of unit k. `strengths` are the
    :math:`\sum_i \mu_i \epsilon_i \lambda_{ik}`. Source: LVB-L102.
    """

    inputs: tuple[tuple[fmpq, ...], ...]
    biases: tuple[fmpq, ...]
    gamma: fmpq
    delta: fmpq
    strengths: tuple[fmpq, ...]

    def pull(self, hidden: Layer, k: int) -> fmpq:
        r""":math:`\langle a_k, w_k \rangle + \alpha_k b_k` for the first `Layer` of a point."""
        row = hidden.weight.rows(k, k + 1).entries()
        total = sum((a * w for a, w in zip(self.inputs[k], row, strict=True)), fmpq(0))
        return total + (0 if hidden.bias is None else self.biases[k] * hidden.bias[k, 0])

    def __call__(self, risk: Risk, w: RationalMatrix) -> fmpq:
        """The frozen risk at any exact point."""
        hidden, out = risk.network.unpack(w)
        pulls = [v * self.pull(hidden, k) for k, v in enumerate(out.weight.entries())]
        shift = fmpq(0) if out.bias is None else self.gamma * out.bias[0, 0]
        return self.delta - shift - sum(pulls, fmpq(0))


@checked
def cell_constants(cell: Cell) -> CellConstants:
    """The constants of Lemma 102 of a cell. Raises `HypothesisError` (LVB-L102).

    >>> from lscore import Network, binary_hinge, cell_at, leaky_relu
    >>> risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [-1, 2], [-1, 1], binary_hinge())
    >>> found = cell_constants(cell_at(risk, exact([1, 0, 0, 0])))
    >>> found.inputs, found.biases, found.gamma, found.delta
    (((5/4,),), (1/4,), 0, 1)
    """
    risk = cell.risk
    alpha = slope_of(risk, _CONSTANTS.claim)
    unsolved = cell.margins[:, 0] > 0
    weights = [mu * int(on) for mu, on in zip(term_weights(risk), unsolved, strict=True)]
    signed = [mu * y for mu, y in zip(weights, risk.exact_y.entries(), strict=True)]
    inputs, biases, strengths = [], [], []
    for pieces in cell.pieces[0].T:
        slopes = [fmpq(1) if piece or alpha == 1 else alpha for piece in pieces]
        pulls = exact([nu * s for nu, s in zip(signed, slopes, strict=True)])
        inputs.append(tuple((risk.exact_X.T @ pulls).entries()))
        biases.append(sum(pulls.entries(), fmpq(0)))
        strengths.append(sum((mu * s for mu, s in zip(weights, slopes, strict=True)), fmpq(0)))
    gamma, delta = sum(signed, fmpq(0)), sum(weights, fmpq(0))
    return CellConstants(tuple(inputs), tuple(biases), gamma, delta, tuple(strengths))


@_CONSTANTS.checker
def certify_cell_constants(cell: Cell, constants: CellConstants | None = None) -> Certificate:
    r"""Do the constants (those of `cell_constants` by default) give the frozen risk everywhere?

    Both are sums of a constant and multiples of :math:`v_k w_{kj}`, :math:`v_k b_k` and c (Theorem
    1), so they agree everywhere if they do at 0 and where one of these monomials is 1 and the
    others are 0. Refuted with such a `point`. Sound and complete in the setting of Lemma 102, else
    unknown. Source: Laurent and von Brecht (2018), Lemma 102 (LVB-L102).

    >>> from lscore import Network, binary_hinge, cell_at, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [-1, 2], [-1, 1], binary_hinge(["1/4", "3/4"]))
    >>> print(certify_cell_constants(cell_at(risk, exact([1, 0, 0, 0]))))
    certified (exact): the constants give the frozen risk of the cell  [LVB-L102]
      holds     both agree at 4 points that carry one monomial each
      value     gamma = 1/2
      value     delta = 1
    """
    slope_of(cell.risk, _CONSTANTS.claim)
    constants = constants or cell_constants(cell)
    d, width, _ = cell.risk.network.widths
    given = [len(row) for row in constants.inputs]
    if given != [d] * width or len(constants.biases) != width:
        raise ShapeError(f"constants: rows {given}, need {width} of length {d}")
    points = list(_monomial_points(cell.risk))
    text = f"both agree at {len(points)} points that carry one monomial each"
    for point in points:
        risk, claimed = cell(point), constants(cell.risk, point)
        if risk != claimed:
            witness = {"point": point, "frozen_risk": risk, "by_the_constants": claimed}
            return _CONSTANTS.refuted([Condition(text, False)], witness)
    values = {"gamma": constants.gamma, "delta": constants.delta}
    return _CONSTANTS.certified([Condition(text, True)], values=values)


def _monomial_points(risk: Risk) -> Iterator[RationalMatrix]:
    """0, and the 0-1 points at which one monomial is 1."""
    zero = np.array([fmpq(0)] * risk.dimension, dtype=object)
    yield exact(zero.tolist())
    d, width, _ = risk.network.widths
    for k in range(width):
        for j in range(d + 1):
            point = zero.copy()
            hidden, out = layout(risk.network, point)
            out.weight[0, k] = 1
            if j < d:
                hidden.weight[k, j] = 1
            elif hidden.bias is not None:
                hidden.bias[k] = 1
            yield exact(point.tolist())
    point = zero.copy()
    out = layout(risk.network, point)[1]
    if out.bias is not None:
        out.bias[0] = 1
        yield exact(point.tolist())
