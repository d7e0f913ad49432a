r"""What differentiable critical points but 0 obey: layers of equal norm, a loss that is not small.

Theorem N. Let the network have H hidden layers, no biases and positively homogeneous piecewise
linear activations, and let :math:`\lambda > 0`. Split the Hessian of the loss in a cell into
:math:`G + B`, with :math:`G = \frac1n \sum_i \nabla \hat y_i \nabla \hat y_i^\top`. At a
differentiable critical point :math:`W \ne 0` of the risk, with the B of any incident cell (the
risk itself need not have a Hessian there),

(i) all layers have the same Frobenius norm, (ii) :math:`W^\top B W = -H \lambda |W|^2`, and
(iii) if no slope exceeds 1, :math:`2 \ell r^2 |W|_*^{2(H-1)} \ge \lambda^2`, with :math:`|W|_*`
the largest operator norm of a layer.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from flint import fmpq

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.rays import risk_along
from lscore.certificates import Certificate, Condition, Question
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.milne2019.region import (
    MILNE,
    data_loss,
    norms_are_below,
    squared_radius,
)

_BALANCE = Question("MILNE-N", "this critical point obeys (i), (ii) and (iii)")


@_BALANCE.checker
def certify_layer_balance(risk: Risk, w: Point | np.ndarray) -> Certificate:
    """Does a critical point of a bias-free network obey Theorem N? (MILNE-N)

    The gradient is computed exactly and must vanish; otherwise, on a kink, and at 0 the answer is
    unknown, for the theorem says nothing. (ii) is read off the second-order term of the risk along
    w itself. With one output :math:`|W|_*` in (iii) is the common norm of (i), for the output layer
    is a single row. Slopes above 1 are accepted, so that one can see (iii) fail. Unknown for other
    risks. Sound and complete.

    >>> from lscore import Network, SquaredLoss, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], ["1/2"],
    ...             SquaredLoss("1/2", mean=True), "1/4")
    >>> certify_layer_balance(risk, exact(["1/2", "1/2"])).verdict.value
    'certified'
    """
    replace(MILNE, weight_decay=True).require(risk, _BALANCE.claim)
    if not risk.network.activations:
        return _BALANCE.unknown("got no hidden layer, need one")
    w = exact(risk.network.point(w), "w")
    steepest = max(abs(g) for g in risk.gradient(w).entries())
    setting = (
        Condition("the gradient is 0", steepest == 0),
        Condition("the point is not 0", not w.is_zero()),
    )
    if not all(c.holds for c in setting):
        reason = f"a gradient entry is {steepest}" if steepest else "the point is 0"
        return _BALANCE.unknown(reason, setting)
    norms = [layer.weight.dot(layer.weight) for layer in risk.network.unpack(w)]
    curvature, wanted = _residual_curvature(risk, w), -(len(norms) - 1) * risk.weight_decay
    quotient = curvature / w.dot(w)
    lowest, decay = 2 * data_loss(risk, w) * squared_radius(risk), risk.weight_decay
    large = not norms_are_below(risk, w, lowest, decay**2)
    # a single row has its Frobenius norm as operator norm, and by (i) no layer has a larger one
    one = risk.network.widths[-1] == 1
    room = lowest * max(norms) ** (len(norms) - 2) - decay**2 if one else None
    conditions = (
        *setting,
        Condition("(i) all layers have the same norm", len(set(map(str, norms))) == 1),
        Condition("(ii) w'Bw = -H lambda |w|^2", quotient == wanted),
        Condition("(iii) 2 l r^2 |W|_*^(2(H-1)) >= lambda^2", large, room),
    )
    values = {"rayleigh_quotient": quotient, "lambda": risk.weight_decay}
    failed = [c.text for c in conditions if not c.holds]
    if failed:
        return _BALANCE.refuted(conditions, {"fails": failed[0]})
    return _BALANCE.certified(conditions, values=values)


def _residual_curvature(risk: Risk, w: RationalMatrix) -> fmpq:
    r"""w'Bw: the risk's second derivative along w, less that of weight decay, less w'Gw.

    The outputs are homogeneous of degree H + 1, so :math:`\nabla \hat y \cdot w = (H + 1) \hat y`.
    """
    along = 2 * risk_along(risk, w, w).risk[2]
    outputs, depth = risk.predictions(w), len(risk.network.widths) - 1
    gauss_newton = risk.loss.curvature(len(outputs)) * depth**2 * outputs.dot(outputs)
    return along - risk.weight_decay * w.dot(w) - gauss_newton
