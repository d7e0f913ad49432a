r"""Minima of the binary hinge risk where the network is affine in x, and whether they are sharp.

If every unit stays strictly on one linear piece over the data, the network around the point is
:math:`\hat y = \langle p, x \rangle + q`, and the risk is :math:`G(p, q)`, a *convex* function of
slope and intercept. A minimum of G is a local minimum of the risk.
"""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.alternatives import zero_in_zonotope
from lscore.algebra.arguments import checked
from lscore.algebra.linear import rank
from lscore.algebra.matrices import RationalMatrix, exact, stack
from lscore.cells.pattern import pattern_at
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError
from lscore.minima.descent import STATEMENT
from lscore.model.hinges import HingeLoss
from lscore.model.networks import Point
from lscore.model.risk import Risk

_MINIMUM = Question("LVB-NS", STATEMENT)


@checked
def certify_affine_hinge_minimum(risk: Risk, w: Point) -> Certificate:
    r"""Is w a minimum of the convex hinge problem in slope and intercept? Then a local minimum.

    Conditions: (i) every hidden unit, in every layer, is strictly on one piece, the same for all
    samples; (ii) 0 lies in the subdifferential of G, a zonotope: the unsolved samples contribute
    :math:`-\mu_i y_i \tilde x_i`, each tie :math:`-p_i y_i \tilde x_i` with
    :math:`0 \le p_i \le \mu_i`. `values` holds the risk and the p. If the ties are as many
    independent directions as G has and every p is strictly inside its bounds, the minimum is
    *sharp*: the risk grows at least in proportion to the change of the function (a condition with
    the smallest slack of p). Sound; unknown where (i) or (ii) fails. Binary hinge, piecewise linear
    activations; `DataError` otherwise.

    >>> from lscore import Network, binary_hinge, leaky_relu
    >>> risk = Risk(Network((1, 2, 1), leaky_relu("1/2")), [-1, 0, 1], [1, -1, 1], binary_hinge())
    >>> print(certify_affine_hinge_minimum(risk, exact([1, 1, 2, 2, 1, -1, 1])))
    certified (exact): the point is a local minimum  [LVB-NS]
      holds     every hidden unit stays on one linear piece
      holds     0 is in the subdifferential of the convex problem
      holds     sharp: 0 is inside it, slack 1/6
      value     risk = 2/3
      value     p = column(1/6, 1/6)
    """
    network, loss = risk.network, risk.loss
    if not isinstance(loss, HingeLoss) or loss.kind != "binary" or risk.weight_decay:
        raise DataError("risk: need a binary hinge loss without weight decay")
    if network.output_activation is not None:
        raise DataError("risk: need a network without output activation")
    w = exact(network.point(w), "w")
    *layers, margins = pattern_at(risk, w).layers
    inside = "every hidden unit stays on one linear piece"
    for l, part in enumerate(layers, start=1):
        if (part % 2).any() or (part != part[0]).any():
            reason = f"a unit of layer {l} has a tie or uses more than one piece on the data"
            return _MINIMUM.unknown(reason, [Condition(inside, None)])
    conditions = [Condition(inside, True)]
    gradients, weights = _gradients(risk)
    margins = margins[:, 0]
    offset = gradients[0] * 0
    for g, mu, m in zip(gradients, weights, margins, strict=True):
        offset = offset + g * mu if m == 2 else offset
    ties = [i for i, m in enumerate(margins) if m == 1]
    values = {"risk": risk(w)}
    convex = "0 is in the subdifferential of the convex problem"
    if not ties:
        if not offset.is_zero():
            largest = max(map(abs, offset.entries()))
            failing = Condition(convex, False, largest, "largest entry of the gradient")
            return _MINIMUM.unknown("the risk falls nearby", [*conditions, failing])
        conditions.append(Condition(convex, True))
        return _MINIMUM.certified(conditions, values=values)
    generators = stack([gradients[i].T for i in ties]).T
    bounds = exact([weights[i] for i in ties])
    answer = zero_in_zonotope(offset, generators, bounds)
    if not answer.solvable:
        conditions.append(Condition(convex, False))
        return _MINIMUM.unknown("0 is not in the subdifferential", conditions)
    p = answer.solution
    conditions.append(Condition(convex, True))
    slack = min(p.smallest(), (bounds - p).smallest())
    if slack > 0 and len(ties) == len(offset) == rank(generators):
        conditions.append(Condition("sharp: 0 is inside it", True, slack, "slack"))
    values["p"] = p
    return _MINIMUM.certified(conditions, values=values)


def _gradients(risk: Risk) -> tuple[list[RationalMatrix], list[fmpq]]:
    """Per sample the column -y_i (x_i, 1), and the weight mu_i."""
    A, labels = risk.exact_augmented, risk.exact_y.entries()
    columns = [A.rows(i, i + 1).T * -y for i, y in enumerate(labels)]
    return columns, risk.loss.term_weights(len(labels), 1).entries()
