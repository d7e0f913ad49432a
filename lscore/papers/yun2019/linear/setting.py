r"""Yun, Sra, Jadbabaie (2019), Section 4: deep linear networks as products of matrices.

:math:`\ell(W_1, \dots, W_L) = \ell_0(W_L \cdots W_1)` with :math:`L = H + 1` weight matrices
:math:`W_j` of shape (d_j, d_{j-1}). Write :math:`W_{j:i} = W_j \cdots W_i`, :math:`R = W_{L:1}` for
the product, and :math:`G = \nabla \ell_0(R)`, shape (d_y, d_x); then the derivative by
:math:`W_j` is :math:`W_{L:j+1}^\top G\, W_{j-1:1}^\top`. Rows are samples, so predictions are
:math:`X R^\top`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

import numpy as np
from flint import arb, ctx, fmpq, fmpz, fmpz_mat

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, ones, rational
from lscore.errors import DataError, DtypeError, HypothesisError, ShapeError
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

CLAIM = "YUN-T4"
LINEAR = Setting(biases=False, output_activation=False, activations=("identity",))
LINEAR_SQUARED = replace(LINEAR, loss="squared loss", weight_decay=False)


def unit_matrix(size: int) -> RationalMatrix:
    """The identity matrix in rationals."""
    entries = [int(i == j) for i in range(size) for j in range(size)]
    return RationalMatrix(fmpz_mat(size, size, entries), fmpz(1))


def positive(value: Scalar, name: str) -> fmpq:
    """The rational number that `value` is; `DataError` unless it is positive."""
    number = rational(value, name)
    if number <= 0:
        raise DataError(f"{name}: got {number}, need a positive number")
    return number


def product(weights: Sequence, size: int | None = None):
    """W_j ... W_i of the weights (W_i, ..., W_j), in the order of the layers.

    Exact or numpy matrices; an empty list gives the identity of the given size.

    >>> product([exact([[1, 2]]), exact([[3], [4]])])
    [[3, 6], [4, 8]]
    """
    if not weights:
        return unit_matrix(size)
    return reduce(lambda done, weight: weight @ done, weights)


@checked
@dataclass(frozen=True, eq=False)
class ProductLoss:
    r"""A differentiable loss :math:`\ell_0` of the product matrix R, shape (d_y, d_x).

    `value` maps an exact R to a rational or to a ball; `gradient` to the exact matrix
    :math:`\nabla\ell_0(R)`, and raises `HypothesisError` where that is not rational. `is_convex`
    says whether a zero gradient proves a global minimum: it is *declared*, and certificates that
    rest on it say so, but for the two losses of this module, convex by a theorem (`known`).
    """

    value: Callable[[RationalMatrix], fmpq | arb]
    gradient: Callable[[RationalMatrix], RationalMatrix]
    is_convex: bool
    known: bool = False


@checked
@dataclass(frozen=True, eq=False)
class LinearRisk:
    """A deep linear network with a loss of its product, as a function of a point.

    `network` has identity activations and no biases (`HypothesisError` otherwise).

    >>> from lscore.model.activations import identity
    >>> risk = Risk(Network((1, 1, 1), identity, bias=False), [1], [1])
    >>> linear_risk(risk)(exact([2, 3]))                     # (6 - 1)^2 / 2
    25/2
    """

    network: Network
    loss: ProductLoss

    def __post_init__(self) -> None:
        LINEAR.require(self.network, CLAIM)

    def weights(self, w: Point) -> list[RationalMatrix]:
        """The exact weight matrices W_1, ..., W_L of a point."""
        return [layer.weight for layer in self.network.unpack(exact(self.network.point(w), "w"))]

    def __call__(self, w: Point) -> fmpq | arb:
        return self.value(product(self.weights(w)))

    def value(self, R: RationalMatrix) -> fmpq | arb:
        """The loss of a product; `DtypeError` if it is neither a rational nor a ball."""
        value = self.loss.value(R)
        if not isinstance(value, fmpq | arb):
            raise DtypeError(f"loss: value gives {type(value).__name__}, need a rational or a ball")
        return value

    def gradient(self, R: RationalMatrix) -> RationalMatrix:
        """The gradient of the loss at a product; `DtypeError` unless it is an exact matrix of the
        same shape."""
        G = self.loss.gradient(R)
        if not isinstance(G, RationalMatrix) or G.shape != R.shape:
            kind = f"shape {G.shape}" if isinstance(G, RationalMatrix) else type(G).__name__
            raise DtypeError(f"loss: gradient gives {kind}, need a RationalMatrix {R.shape}")
        return G


def squared_product_loss(
    X: RationalMatrix, Y: RationalMatrix, scale: Scalar = "1/2"
) -> ProductLoss:
    r""":math:`\ell_0(R) = c\,\|X R^\top - Y\|_F^2` for data X (n, d_x), Y (n, d_y).

    With :math:`S = X^\top X` the gradient is :math:`2c\,(R S - Y^\top X)`; after S and
    :math:`Y^\top X` are formed, the cost does not depend on n.
    """
    gram, cross, size, scale = X.T @ X, Y.T @ X, Y.dot(Y), positive(scale, "scale")

    def value(R: RationalMatrix) -> fmpq:
        return scale * ((R @ gram - cross * 2).dot(R) + size)

    return ProductLoss(value, lambda R: (R @ gram - cross) * (2 * scale), True, known=True)


@checked
def logistic_product_loss(X: object, labels: object, precision: int = 128) -> ProductLoss:
    r""":math:`\ell_0(R) = \sum_i \log(1 + e^{-y_i R x_i})` for labels +1 and -1, one output.

    Values are balls with `precision` bits. The gradient is rational only where all predictions
    are 0, and is :math:`-\tfrac12 \sum_i y_i x_i^\top` there; elsewhere `HypothesisError`. On
    linearly separable data it has no zero at all. Raises `DataError` for other labels.

    >>> loss = logistic_product_loss([[1, 0], [0, 1]], [1, -1])
    >>> loss.gradient(exact([[0, 0]]))
    [[-1/2, 1/2]]
    """
    X, labels = exact(X, "X"), exact(labels, "labels")
    if labels.shape != (len(X), 1) or any(abs(e) != 1 for e in labels.entries()):
        raise DataError("labels: need one +1 or -1 for each row of X")

    def value(R: RationalMatrix) -> arb:
        old, ctx.prec = ctx.prec, precision
        try:
            margins = zip((X @ R.T).entries(), labels.entries(), strict=True)
            return sum(((1 + (-arb(y * z)).exp()).log() for z, y in margins), arb(0))
        finally:
            ctx.prec = old

    def gradient(R: RationalMatrix) -> RationalMatrix:
        if not (X @ R.T).is_zero():
            message = "the logistic gradient is rational only where all predictions are 0"
            raise HypothesisError(CLAIM, "rational gradient", message, R)
        return labels.T @ X * fmpq(-1, 2)

    return ProductLoss(value, gradient, True, known=True)


@checked
def linear_risk(risk: Risk | LinearRisk) -> LinearRisk:
    """The product form of a `Risk` of a deep linear network without biases.

    Squared loss at any scale, no weight decay; `HypothesisError` otherwise.
    """
    if isinstance(risk, LinearRisk):
        return risk
    LINEAR_SQUARED.require(risk, CLAIM)
    scale = risk.loss.scale(len(risk.X))
    return LinearRisk(risk.network, squared_product_loss(risk.exact_X, risk.exact_y, scale))


def total_bias(weights: Sequence, biases: Sequence) -> RationalMatrix:
    r"""The constant :math:`c = b_L + \sum_j W_L \cdots W_{j+1} b_j` of a network with biases.

    The network is :math:`x \mapsto R x + c`; shape (d_y, 1).
    """
    total = biases[0]
    for weight, bias in zip(weights[1:], biases[1:], strict=True):
        total = weight @ total + bias
    return total


def without_biases(risk: Risk, w: Point) -> tuple[LinearRisk, RationalMatrix]:
    r"""The risk as a function of the weights alone, the constant c held at its value in w.

    Returns the `LinearRisk` for the labels :math:`y - c` and its point. The map from
    :math:`(W, b_1, \dots, b_L)` to :math:`(W, b_1, \dots, b_{L-1}, c)` is a diffeomorphism, so w is
    critical if and only if the returned point is and the residuals sum to 0 (YUN-B-T4-3).
    """
    replace(LINEAR_SQUARED, biases=True).require(risk, CLAIM)
    layers = risk.network.unpack(exact(risk.network.point(w), "w"))
    weights, biases = [l.weight for l in layers], [l.bias for l in layers]
    network = Network(risk.network.widths, risk.network.activation, bias=False)
    labels = risk.exact_y - ones(len(risk.X)) @ total_bias(weights, biases).T
    scale = risk.loss.scale(len(risk.X))
    reduced = LinearRisk(network, squared_product_loss(risk.exact_X, labels, scale))
    return reduced, network.pack(weights)


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


def is_positive_semidefinite(A: RationalMatrix) -> bool:
    r"""Whether a symmetric matrix has no negative eigenvalue, decided exactly.

    The characteristic polynomial of a matrix with real eigenvalues has no negative root if and
    only if its coefficients alternate in sign (zeros allowed). `ShapeError` if not symmetric.

    >>> is_positive_semidefinite(exact([[1, 1], [1, 1]]))
    True
    >>> is_positive_semidefinite(exact([[1, 2], [2, 1]]))
    False
    """
    if A.shape[0] != A.shape[1] or A != A.T:
        raise ShapeError(f"A: shape {A.shape}, need a symmetric matrix")
    coefficients = A.numerator.charpoly().coeffs()[::-1]
    return all((-1) ** k * c >= 0 for k, c in enumerate(coefficients))
