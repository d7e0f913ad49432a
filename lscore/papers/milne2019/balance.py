r"""What differentiable critical points but 0 obey: layers of equal norm, a loss that is not small.

Theorem N. Let the network have H hidden layers, no biases and positively homogeneous piecewise
linear activations, and let :math:`\lambda > 0`. Split the Hessian of the loss in a cell into
:math:`G + B`, with :math:`G = \frac1n \sum_i \nabla \hat y_i^\top \nabla \hat y_i`. At a
differentiable critical point :math:`W \ne 0` of the risk, with the B of any incident cell (the
risk itself need not have a Hessian there),

(i) all layers have the same Frobenius norm, (ii) :math:`W^\top B W = -H \lambda |W|^2`, and
(iii) if no slope exceeds 1, :math:`2 \ell r^2 |W|_*^{2(H-1)} \ge \lambda^2`, with :math:`|W|_*`
the largest operator norm of a layer.

With biases that are not decayed, anywhere, (i) and (iii) are true too (MILNE-B-N-1): scale
:math:`W_i` by :math:`c_i` and the bias of layer j by :math:`c_0 \cdots c_j`, the last one not at
all. The outputs less the last bias are multiplied by all :math:`c_i`, and the derivatives by the
biases vanish, so :math:`\kappa = \lambda |W_i|^2` again; of :math:`\kappa` only the paths from the
inputs are left, for those from a bias are its derivative. An output activation is scaled with what
enters it: the last bias then as the others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from flint import fmpq

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.rays import risk_along
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import HypothesisError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.milne2019.region import (
    MILNE,
    data_loss,
    norms_are_below,
    squared_radius,
)

_BALANCE = Question("MILNE-N", "this critical point obeys (i), (ii) and (iii)")
_BIASED = Question("MILNE-B-N-1", "this critical point obeys (i) and (iii)")


@_BALANCE.checker
def certify_layer_balance(risk: Risk, w: Point | np.ndarray) -> Certificate:
    """Does a critical point obey Theorem N? (MILNE-N, with biases MILNE-B-N-1)

    The gradient is computed exactly and must vanish; otherwise, on a kink, and where the weights
    are 0 the answer is unknown, for the theorem says nothing. (ii) is read off the second-order
    term of the risk along w itself. With one output :math:`|W|_*` in (iii) is the common norm of
    (i), for the output layer is a single row. Slopes above 1 and biases that are decayed are
    accepted, so that one can see it fail; the weights need one decay. Unknown for other risks.
    Sound and complete.

    >>> from lscore import Network, SquaredLoss, relu
    >>> half = SquaredLoss("1/2", mean=True)
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], ["1/2"], half, "1/4")
    >>> certify_layer_balance(risk, exact(["1/2", "1/2"])).verdict.value
    'certified'
    >>> risk = Risk(Network((1, 1, 1), relu), ["5/12"], ["313/624"], half, "1/4")
    >>> certify_layer_balance(risk, exact(["5/26", "6/13", "1/2", 0])).verdict.value
    'unknown'
    """
    replace(MILNE, biases=None, one_decay=False, weight_decay=True).require(risk, _BALANCE.claim)
    if not risk.network.activations:
        return _BALANCE.unknown("got no hidden layer, need one")
    biased = any(risk.network.biases)
    asked, decay = _BIASED if biased else _BALANCE, _decay_of_weights(risk)
    w = exact(risk.network.point(w), "w")
    steepest = max(abs(g) for g in risk.gradient(w).entries())
    norms = [layer.weight.dot(layer.weight) for layer in risk.network.unpack(w)]
    setting = (
        Condition("the gradient is 0", steepest == 0),
        Condition("the weights are not 0" if biased else "the point is not 0", any(norms)),
    )
    if not all(c.holds for c in setting):
        zero = "the weights are 0" if biased else "the point is 0"
        reason = f"a gradient entry is {steepest}" if steepest else zero
        return asked.unknown(reason, setting)
    lowest = 2 * data_loss(risk, w) * squared_radius(risk)
    large = not norms_are_below(risk, w, lowest, decay**2)
    # a single row has its Frobenius norm as operator norm, and no layer has a larger one: by (i),
    # and with decayed biases as what a unit takes in, its bias included, balances what it sends
    one = risk.network.widths[-1] == 1
    room = lowest * max(norms) ** (len(norms) - 2) - decay**2 if one else None
    second, values = [], {"lambda": decay}
    if not biased:
        quotient = _residual_curvature(risk, w) / w.dot(w)
        holds = quotient == -(len(norms) - 1) * decay
        second = [Condition("(ii) w'Bw = -H lambda |w|^2", holds)]
        values = {"rayleigh_quotient": quotient} | values
    conditions = (
        *setting,
        Condition("(i) all layers have the same norm", len(set(map(str, norms))) == 1),
        *second,
        Condition("(iii) 2 l r^2 |W|_*^(2(H-1)) >= lambda^2", large, room),
    )
    failed = [c.text for c in conditions if not c.holds]
    if failed:
        return asked.refuted(conditions, {"fails": failed[0]})
    return asked.certified(conditions, values=values)


def _decay_of_weights(risk: Risk) -> fmpq:
    """The one decay of all weights, whatever that of the biases; else `HypothesisError`."""
    if not isinstance(risk.weight_decay, RationalMatrix):
        return risk.weight_decay
    layers = risk.network.unpack(risk.weight_decay)
    first, *others = sorted({e for layer in layers for e in layer.weight.entries()})
    if others or not first:
        raise HypothesisError(
            "MILNE-N",
            "one decay of all weights",
            f"got {first} and {others[0] if others else 0}",
            risk.weight_decay,
        )
    return first


def _residual_curvature(risk: Risk, w: RationalMatrix) -> fmpq:
    r"""w'Bw: the risk's second derivative along w, less that of weight decay, less w'Gw.

    The outputs are homogeneous of degree H + 1, so :math:`\nabla \hat y \cdot w = (H + 1) \hat y`.
    """
    along = 2 * risk_along(risk, w, w).risk[2]
    outputs, depth = risk.predictions(w), len(risk.network.widths) - 1
    gauss_newton = risk.loss.curvature(len(outputs)) * depth**2 * outputs.dot(outputs)
    return along - risk.weight_decay * w.dot(w) - gauss_newton
