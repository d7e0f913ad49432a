r"""The region U of Definition 2, decided exactly.

Without biases, with :math:`\ell = \frac{1}{2n} \sum_i |\hat y_i - y_i|^2`, weight decay
:math:`\lambda`, H hidden layers, :math:`|x_i| \le r` and :math:`|W|_*` the largest operator norm of
a layer. Every second derivative of :math:`\ell` inside a cell is at least
:math:`-K_0 = -\sqrt{2 \ell}\, H (H + 1)\, r\, |W|_*^{H-1}` (Lemma 3), so that
:math:`K_0 < \lambda - \theta`, which is the region, makes the risk strongly convex there. Sharper
bounds than :math:`K_0` are in `bounds`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.definite import is_positive_definite
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import HypothesisError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

MILNE = Setting(
    biases=False,
    activations=("homogeneous",),
    loss="half the mean squared error",
    one_decay=True,
)
BOUNDED = replace(MILNE, activations=("homogeneous", "|slope| <= 1"))
TOY = replace(MILNE, inputs=1, hidden=1, outputs=1, output_activation=False, activations=("ReLU",))
_IN_U = Question("MILNE-D2", "the point lies in U(lambda, theta)")


def squared_radius(risk: Risk) -> fmpq:
    """The smallest possible :math:`r^2`: the largest squared norm of an input."""
    rows = (risk.exact_X.rows(i, i + 1) for i in range(len(risk.exact_X)))
    return max(row.dot(row) for row in rows)


def data_loss(risk: Risk, w: RationalMatrix) -> fmpq:
    """The loss without weight decay at an exact point."""
    return risk.loss(risk.predictions(w), risk.exact_y)


def hidden_layers(risk: Risk) -> int:
    """H, at least 1; `HypothesisError` for a network without hidden layers."""
    if not (hidden := len(risk.network.activations)):
        raise HypothesisError("MILNE-D2", "H >= 1", "got no hidden layer", 0)
    return hidden


def norms_are_below(risk: Risk, w: RationalMatrix, factor: fmpq, room: fmpq) -> bool:
    r"""Whether :math:`factor \cdot |W|_*^{2 (H - 1)} < room`, exactly.

    :math:`|W_i|^{2p}` is the largest eigenvalue of the p-th power of :math:`W_i^\top W_i`, so it is
    asked whether room times the identity less that power is positive definite.
    """
    power = len(risk.network.activations) - 1
    for layer in risk.network.unpack(w):
        W = layer.weight if layer.weight.shape[0] > layer.weight.shape[1] else layer.weight.T
        gram, size = W.T @ W, W.shape[1]
        unit = exact([[int(i == j) for j in range(size)] for i in range(size)])
        total = reduce(RationalMatrix.__matmul__, [gram] * power, unit)
        if not is_positive_definite(unit * room - total * factor):
            return False
    return True


@_IN_U.checker
def certify_membership(
    risk: Risk, w: Point | np.ndarray, theta: Scalar = 0, *, squared_r: Scalar | None = None
) -> Certificate:
    r"""Is w in :math:`U(\lambda, \theta)`, that is :math:`2 H^2 (H+1)^2 \ell r^2 |W|_*^{2(H-1)} <
    (\lambda - \theta)^2`?

    Any number H >= 1 of hidden layers and of outputs. `squared_r` is :math:`r^2`, by default the
    smallest one that the data allow; `theta` = 0 is the union over all positive theta. Exact, sound
    and complete; kinks do no harm. Unknown with biases, slopes above 1, and for theta outside
    [0, lambda). MILNE-D2, Definition 2 of Milne (2019).

    >>> from lscore import Network, SquaredLoss, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], ["1/2"],
    ...             SquaredLoss("1/2", mean=True), "1/4")
    >>> certify_membership(risk, exact([0, 0])).verdict.value         # 8 l = 1 against 1/16
    'refuted'
    >>> certify_membership(risk, exact([1, "1/2"])).verdict.value     # l = 0
    'certified'
    """
    BOUNDED.require(risk, _IN_U.claim)
    hidden = hidden_layers(risk)
    w = exact(risk.network.point(w), "w")
    theta, decay = rational(theta, "theta"), risk.weight_decay
    smallest = squared_radius(risk)
    squared_r = smallest if squared_r is None else rational(squared_r, "squared_r")
    if not 0 <= theta < decay:
        raise HypothesisError("MILNE-D2", "0 <= theta < lambda", f"theta {theta}", theta)
    if squared_r < smallest:
        raise HypothesisError("MILNE-D2", "|x| <= r", f"an input has |x|^2 = {smallest}", smallest)
    number, room = 2 * (hidden * (hidden + 1)) ** 2, (decay - theta) ** 2
    bound = number * data_loss(risk, w) * squared_r
    inside = norms_are_below(risk, w, bound, room)
    values = {"lambda": decay, "theta": theta}
    if hidden > 1:
        norm = f" |W|_*^{2 * (hidden - 1)}"
        condition = Condition(f"{number} l r^2{norm} < (lambda - theta)^2", inside)
        if inside:
            return _IN_U.certified((condition,), values=values)
        return _IN_U.refuted((condition,), {"without_the_norms": bound}, values=values)
    condition = Condition("8 l r^2 < (lambda - theta)^2", inside, room - bound)
    values["residual_bound"] = bound
    if inside:
        return _IN_U.certified((condition,), values=values)
    return _IN_U.refuted((condition,), {"residual_excess": bound - room}, values=values)


@checked
def curvature_bounds(risk: Risk, w: Point | np.ndarray) -> dict[str, fmpq]:
    r"""Squares of upper bounds for the negative curvature of the loss, one hidden layer, d = 1.

    Keys are "K0^2", ..., as the values are squares; `bounds.curvature_chain` encloses the bounds of
    other networks.

    - K0 = 2 r (2 l)^(1/2), the paper's; K1 = K0 / 2, by Cauchy-Schwarz over the layers;
    - K2: r becomes the root mean square of the inputs; K3: the mean of \|residual\| \|x\|;
    - K6: the largest \|q_j\|, with q_j the mean of residual times input where unit j is on. This
      is the smallest eigenvalue of the part of the Hessian that the residuals carry, exactly.

    The risk is strongly convex in the cell where any of them is below lambda squared. For ReLU
    without output activation; an input at a kink counts as off. `HypothesisError` for other
    networks.

    >>> from lscore import Network, SquaredLoss, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1, -1], [1, 1],
    ...             SquaredLoss("1/2", mean=True), "1/4")
    >>> {name: str(K) for name, K in curvature_bounds(risk, exact([1, "1/2"])).items()}
    {'K0^2': '5/2', 'K1^2': '5/8', 'K2^2': '5/8', 'K3^2': '9/16', 'K6^2': '1/16'}
    """
    TOY.require(risk, "MILNE-D2")
    w = exact(risk.network.point(w), "w")
    pre, outputs = risk.forward(w)
    residuals = (risk.exact_y - outputs).entries()
    x, n = risk.exact_X.entries(), len(risk.exact_X)
    loss = data_loss(risk, w)
    mean_square = sum((a * a for a in x), fmpq(0)) / n
    spread = sum((abs(e) * abs(a) for e, a in zip(residuals, x, strict=True)), fmpq(0)) / n
    pulls = [
        sum((e * a for e, a, z in zip(residuals, x, unit, strict=True) if z > 0), fmpq(0)) / n
        for unit in (pre[0].column(j).entries() for j in range(pre[0].shape[1]))
    ]
    first = 2 * loss * squared_radius(risk)
    bounds = {"K0^2": 4 * first, "K1^2": first, "K2^2": 2 * loss * mean_square, "K3^2": spread**2}
    return bounds | {"K6^2": max(q * q for q in pulls)}
