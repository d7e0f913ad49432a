r"""The region U of Definition 2 for one hidden layer, decided exactly, and sharper bounds.

Without biases, with :math:`\ell = \frac{1}{2n} \sum_i (\hat y_i - y_i)^2`, weight decay
:math:`\lambda` and :math:`\|x_i\| \le r`. Every second derivative of :math:`\ell` inside a cell is
at least :math:`-K_0 = -2 r \sqrt{2 \ell}` (Lemma 3), so that :math:`K_0 < \lambda` makes the risk
strongly convex there. The bounds of `curvature_bounds` are smaller and do the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import HypothesisError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

MILNE = Setting(
    outputs=1, biases=False, activations=("homogeneous",), loss="half the mean squared error"
)
TOY = replace(MILNE, inputs=1, hidden=1, output_activation=False, activations=("ReLU",))
_IN_U = Question("MILNE-D2", "the point lies in U(lambda, theta)")
_ONE_LAYER = replace(MILNE, hidden=1, activations=("homogeneous", "|slope| <= 1"))


def squared_radius(risk: Risk) -> fmpq:
    """The smallest possible :math:`r^2`: the largest squared norm of an input."""
    rows = (risk.exact_X.rows(i, i + 1) for i in range(len(risk.exact_X)))
    return max(row.dot(row) for row in rows)


def data_loss(risk: Risk, w: RationalMatrix) -> fmpq:
    """The loss without weight decay at an exact point."""
    return risk.loss(risk.predictions(w), risk.exact_y)


@_IN_U.checker
def certify_membership(
    risk: Risk, w: Point | np.ndarray, theta: Scalar = 0, *, squared_r: Scalar | None = None
) -> Certificate:
    r"""Is w in :math:`U(\lambda, \theta)`, that is :math:`8 \ell r^2 < (\lambda - \theta)^2`?

    One hidden layer. `squared_r` is :math:`r^2`, by default the smallest one that the data allow;
    `theta` = 0 is the union over all positive theta. Exact, sound and complete; kinks do no harm.
    Unknown with biases, another depth, slopes above 1, and for theta outside [0, lambda).
    MILNE-D2, Definition 2 of Milne (2019).

    >>> from lscore import Network, SquaredLoss, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], ["1/2"],
    ...             SquaredLoss("1/2", mean=True), "1/4")
    >>> certify_membership(risk, exact([0, 0])).verdict.value         # 8 l = 1 against 1/16
    'refuted'
    >>> certify_membership(risk, exact([1, "1/2"])).verdict.value     # l = 0
    'certified'
    """
    _ONE_LAYER.require(risk, _IN_U.claim)
    w = exact(risk.network.point(w), "w")
    theta, decay = rational(theta, "theta"), risk.weight_decay
    smallest = squared_radius(risk)
    squared_r = smallest if squared_r is None else rational(squared_r, "squared_r")
    if not 0 <= theta < decay:
        raise HypothesisError("MILNE-D2", "0 <= theta < lambda", f"theta {theta}", theta)
    if squared_r < smallest:
        raise HypothesisError("MILNE-D2", "|x| <= r", f"an input has |x|^2 = {smallest}", smallest)
    bound, room = 8 * data_loss(risk, w) * squared_r, (decay - theta) ** 2
    condition = Condition("8 l r^2 < (lambda - theta)^2", bound < room, room - bound)
    values = {"lambda": decay, "theta": theta, "residual_bound": bound}
    if bound < room:
        return _IN_U.certified((condition,), values=values)
    witness = {"residual_excess": bound - room}
    return _IN_U.refuted((condition,), witness, values=values)


@checked
def curvature_bounds(risk: Risk, w: Point | np.ndarray) -> dict[str, fmpq]:
    r"""Squares of upper bounds for the negative curvature of the loss, one hidden layer, d = 1.

    Keys are "K0^2", ..., as the values are squares:

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
