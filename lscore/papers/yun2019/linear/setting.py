r"""Yun, Sra, Jadbabaie (2019), Section 4: deep linear networks as products of matrices.

:math:`\ell(W_1, \dots, W_L) = \ell_0(W_L \cdots W_1)` with :math:`L = H + 1` weight matrices
:math:`W_j` of shape (d_j, d_{j-1}). Write :math:`W_{j:i} = W_j \cdots W_i`, :math:`R = W_{L:1}` for
the product, and :math:`G = \nabla \ell_0(R)`, shape (d_y, d_x); then the derivative by
:math:`W_j` is :math:`W_{L:j+1}^\top G\, W_{j-1:1}^\top`. Rows are samples, so predictions are
:math:`X R^\top`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import pairwise

import numpy as np
from flint import arb, fmpq, fmpz, fmpz_mat

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, ones
from lscore.errors import DataError, DtypeError, HypothesisError, ShapeError
from lscore.model.balls import ball_risk
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

CLAIM = "YUN-T4"
LINEAR = Setting(biases=False, output_activation=False, activations=("identity",))
LINEAR_SQUARED = replace(LINEAR, loss="squared loss", weight_decay=False)
LINEAR_SMOOTH = replace(LINEAR_SQUARED, loss="differentiable loss")


def unit_matrix(size: int) -> RationalMatrix:
    """The identity matrix in rationals."""
    entries = [int(i == j) for i in range(size) for j in range(size)]
    return RationalMatrix(fmpz_mat(size, size, entries), fmpz(1))


def product(weights: Sequence, size: int | None = None):
    """W_j ... W_i of the weights (W_i, ..., W_j), in the order of the layers.

    Exact or numpy matrices; an empty list gives the identity of the given size.

    >>> product([exact([[1, 2]]), exact([[3], [4]])])
    [[3, 6], [4, 8]]
    """
    if not weights:
        return unit_matrix(size)
    return reduce(lambda done, weight: weight @ done, weights)


def weights_of(risk: Risk, w: Point) -> list[RationalMatrix]:
    """The exact weight matrices W_1, ..., W_L of a point."""
    return [layer.weight for layer in risk.network.unpack(exact(risk.network.point(w), "w"))]


def value_at(risk: Risk, w: RationalMatrix) -> fmpq | arb:
    """The risk of a linear network: a rational, by its product, or a ball if the loss is no
    polynomial; else `DtypeError`."""
    exactly = risk.loss.polynomial
    value = product_loss(risk, product(weights_of(risk, w))) if exactly else ball_risk(risk, w)
    if not isinstance(value, fmpq | arb):
        raise DtypeError(f"loss: value gives {type(value).__name__}, need a rational or a ball")
    return value


def product_loss(risk: Risk, R: RationalMatrix) -> fmpq:
    """The loss of the map x -> R x."""
    return risk.loss(risk.exact_X @ R.T, risk.exact_y)


def product_gradient(risk: Risk, R: RationalMatrix) -> RationalMatrix:
    r""":math:`G = \nabla\ell_0(R) = \nu^\top X`, (d_y, d_x), with :math:`\nu` the derivative of the
    loss by the outputs :math:`X R^\top`; `DtypeError` unless that is an exact (n, d_y) matrix.

    >>> from lscore.model.activations import identity
    >>> risk = Risk(Network((1, 1, 1), identity, bias=False), [1], [1])
    >>> product_gradient(risk, exact([[6]]))                     # of (R - 1)^2 / 2
    column(5)
    """
    outputs = risk.exact_X @ R.T
    try:
        pull = risk.loss.gradient(outputs, risk.exact_y)
    except DataError as error:
        raise HypothesisError(CLAIM, "rational gradient", str(error), R) from error
    if not isinstance(pull, RationalMatrix) or pull.shape != outputs.shape:
        kind = f"shape {pull.shape}" if isinstance(pull, RationalMatrix) else type(pull).__name__
        raise DtypeError(f"loss: gradient gives {kind}, need a RationalMatrix {outputs.shape}")
    return pull.T @ risk.exact_X


def total_bias(weights: Sequence, biases: Sequence) -> RationalMatrix:
    r"""The constant :math:`c = b_L + \sum_j W_L \cdots W_{j+1} b_j` of a network with biases.

    The network is :math:`x \mapsto R x + c`; shape (d_y, 1).
    """
    total = biases[0]
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        total = weight @ total + bias
    return total


def without_biases(risk: Risk, w: Point) -> tuple[Risk, RationalMatrix]:
    r"""The risk as a function of the weights alone, the constant c held at its value in w.

    Returns the risk for the labels :math:`y - c` and its point. The map from
    :math:`(W, b_1, \dots, b_L)` to :math:`(W, b_1, \dots, b_{L-1}, c)` is a diffeomorphism, so w is
    critical if and only if the returned point is and the residuals sum to 0 (YUN-B-T4-3).
    """
    replace(LINEAR_SQUARED, biases=True).require(risk, CLAIM)
    layers = risk.network.unpack(exact(risk.network.point(w), "w"))
    weights, biases = [l.weight for l in layers], [l.bias for l in layers]
    network = Network(risk.network.widths, risk.network.activation, bias=False)
    labels = risk.exact_y - ones(len(risk.X)) @ total_bias(weights, biases).T
    return Risk(network, risk.exact_X, labels, risk.loss), network.pack(weights)


@checked
def layer_gradients(
    weights: Sequence[RationalMatrix | np.ndarray], G: RationalMatrix | np.ndarray
) -> list:
    r"""The derivatives :math:`W_{L:j+1}^\top G\, W_{j-1:1}^\top` of the loss by each layer.

    One matrix (d_j, d_{j-1}) per layer; exact or numpy.

    >>> layer_gradients([exact([[0]]), exact([[2]])], exact([[-1]]))
    [column(-2), column(0)]
    """
    shapes = [weight.shape for weight in weights]
    fitting = len(weights) > 0 and all(len(shape) == 2 for shape in shapes)
    if not fitting or any(a[0] != b[1] for a, b in pairwise(shapes)):
        raise ShapeError(f"weights: shapes {shapes}, need matrices that can be multiplied")
    if G.shape != (shapes[-1][0], shapes[0][1]):
        raise ShapeError(f"G: shape {G.shape} does not fit the weights")
    left, parts = G, []
    for j in reversed(range(len(weights))):
        parts.append(left @ product(weights[:j]).T if j else left)
        left = weights[j].T @ left
    return parts[::-1]
