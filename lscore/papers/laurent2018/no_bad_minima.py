r"""Theorems 4 and 5: leaky units on separable data have no bad minima, with numbers.

One hidden layer, a binary hinge, :math:`(q, \beta)` separating with margin m. Where a sample is
unsolved and a unit in use is on, every subgradient has a length, and a straight line leads down.
"""

from __future__ import annotations

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.pattern import locate
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import HypothesisError
from lscore.minima.kinks import certify_hinge_minimum
from lscore.model.networks import Point
from lscore.model.passes import layout
from lscore.model.risk import Risk
from lscore.papers.laurent2018.separable import (
    class_weights,
    separator,
    slope_of,
    term_weights,
)

_LONG = Question("LVB-B-T4-1", "no Clarke subgradient is 0, each is at least so long")
_NONE = Question("LVB-T5", "every local minimum has loss zero")


@_LONG.checker
def certify_not_critical(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""How long must every Clarke subgradient at w be? Theorems 4 and 6, with a number.

    For every g in the subdifferential, with :math:`\underline\lambda_{ik}` the smallest slope of
    unit k next to its pre-activation on sample i (1 where that is positive, else alpha),

    .. math:: |g|^2 \ge \frac{m^2}{|(q, \beta)|^2} \sum_k v_k^2
        \Big( \sum_{i \text{ unsolved}} \mu_i \underline\lambda_{ik} \Big)^2 .

    Only unsolved and tied samples have to be separable. Proof: minus the product of the part of g
    at :math:`(w_k, b_k)` with :math:`(q, \beta)` is :math:`v_k \sum_i \rho_{ik} y_i (\langle q, x_i
    \rangle + \beta)`, where :math:`\rho_{ik} \ge 0` is a mean of :math:`\mu_i \epsilon_i
    \lambda_{ik}` over the cells; Cauchy and Schwarz, and a sum over k. Certified if the bound, for
    the widest separator, is positive: the square of the length, and a direction that descends in
    all cells. Refuted where the loss is 0, a global minimum. Else unknown: v = 0, or (ReLU) the
    unsolved samples are dead. Sound. Source: this book (LVB-B-T4-1), after Laurent and von Brecht
    (2018), Theorems 4 and 6.

    >>> from lscore import Network, binary_hinge, leaky_relu
    >>> risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [-1, 2], [-1, 1], binary_hinge())
    >>> certify_not_critical(risk, exact([0, 1, 1, 0])).values["squared_length_at_least"]
    9/20
    """
    slope_of(risk, _LONG.claim)
    w, h = locate(risk, w), risk.network.activations[0]
    hidden, margins = w.pattern.layers
    if not risk(w):
        nothing = Condition("some sample is unsolved", False)
        return _LONG.refuted([nothing], {"loss_of_a_global_minimum": fmpq(0)})
    felt = [i for i, place in enumerate(margins[:, 0]) if place > 0]
    found, mu = separator(risk, felt, widest=True), term_weights(risk)
    unsolved = [i for i in felt if margins[i, 0] == 2]
    pulls = []
    for k, v in enumerate(risk.network.unpack(w)[1].weight.entries()):
        slopes = [h.slopes[-1 if hidden[i, k] == 2 else 0] for i in unsolved]
        pulls.append(v * sum((mu[i] * s for i, s in zip(unsolved, slopes, strict=True)), fmpq(0)))
    separated = Condition("a hyperplane separates the unsolved and tied samples", True)
    on = Condition("a unit in use is on for an unsolved sample", any(pulls))
    if not any(pulls):
        reason = "no unit with an output weight is on for an unsolved sample"
        return _LONG.unknown(reason, [separated, on])
    moves = [found.written_to(risk, k, pull) for k, pull in enumerate(pulls) if pull]
    width = found.margin**2 / found.norm_squared
    values = {
        "squared_length_at_least": width * sum((pull**2 for pull in pulls), fmpq(0)),
        "squared_width": width,
        "direction": exact(sum(moves).tolist()),
    }
    return _LONG.certified([separated, on], values=values)


@_NONE.checker
def certify_no_bad_minima(risk: Risk, w: Point | np.ndarray | None = None) -> Certificate:
    r"""Has every local minimum of this risk loss zero? Theorem 5, for one hidden layer.

    Certified if :math:`\alpha > 0`, the data are linearly separable, and the classes have equal
    weights or the network has no output bias (then v = 0 is no minimum, whatever the weights).
    Refuted by a point w that is a certified local minimum with a positive loss. Otherwise unknown,
    with the hypothesis that fails: the theorem is silent, bad minima need not exist. Sound. Source:
    Laurent and von Brecht (2018), Theorem 5 (LVB-T5).

    >>> from lscore import Network, binary_hinge, leaky_relu
    >>> risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [-1, 2], [-1, 1], binary_hinge())
    >>> print(certify_no_bad_minima(risk))
    certified (exact): every local minimum has loss zero  [LVB-T5]
      holds     the slope on the left is positive, alpha 1/2
      holds     a hyperplane separates the classes, margin 3
      holds     the classes have equal weights, each 1/2
    """
    alpha = slope_of(risk, _NONE.claim)
    w = None if w is None else exact(risk.network.point(w), "w")
    conditions = [Condition("the slope on the left is positive", alpha > 0, alpha, "alpha")]
    try:
        margin = separator(risk).margin
    except HypothesisError:
        margin = fmpq(0)
    conditions.append(Condition("a hyperplane separates the classes", margin > 0, margin))
    plus, minus = class_weights(risk)
    if risk.network.biases[-1]:
        text = "the classes have equal weights"
        each = (plus, "each") if plus == minus else (plus - minus, "difference")
        conditions.append(Condition(text, plus == minus, *each))
    else:
        conditions.append(Condition("there is no output bias", True))
    if all(condition.holds for condition in conditions):
        return _NONE.certified(conditions)
    failing = next(condition.text for condition in conditions if not condition.holds)
    if w is not None:
        found, loss = certify_hinge_minimum(risk, w), risk(w)
        if found.certified and loss > 0:
            return _NONE.refuted(conditions, {"local_minimum": w, "loss": loss})
    return _NONE.unknown(f"it does not hold that {failing}", conditions)


@checked
def path_to_zero(risk: Risk, w: Point | np.ndarray) -> list[RationalMatrix]:
    r"""Straight segments from w to loss zero on which the loss never rises: one, or two if v = 0.

    If some :math:`v_k \ne 0`, unit k turns towards the separator: with every step t each margin
    falls by at least :math:`t |v_k| \alpha m`, for ever. If v = 0 a unit takes the separator's
    hyperplane while c goes to 0, which costs nothing if the classes have equal weights; then it is
    switched on. Let `certify_nonincreasing` check it. Raises `HypothesisError` (LVB-B-T5-1) where
    a hypothesis of Theorem 5 fails.

    >>> from lscore import Network, binary_hinge, certify_nonincreasing, leaky_relu
    >>> risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [-1, 2], [-1, 1], binary_hinge())
    >>> path = path_to_zero(risk, exact([1, 0, 0, 1]))
    >>> path[-1], risk(path[-1]), certify_nonincreasing(risk, path).verdict.value
    (column(3, 0, 2/3, 0), 0, 'certified')
    """
    claim = "LVB-B-T5-1"
    alpha = slope_of(risk, claim)
    if not alpha:
        raise HypothesisError(claim, "alpha > 0", "the slope alpha is 0", risk.network)
    w, found = locate(risk, w), separator(risk)
    v = risk.network.unpack(w)[1].weight.entries()
    k = max(range(len(v)), key=lambda k: abs(v[k]))
    if v[k]:
        worst = max(risk.loss.margins(w.run.outputs, risk.exact_y).entries())
        step = max(worst, fmpq(0)) / (alpha * found.margin * v[k])
        return [w, w + exact(found.written_to(risk, k, step).tolist())]
    weights = class_weights(risk)
    if risk.network.biases[-1] and weights[0] != weights[1]:
        text = f"the classes weigh {weights[0]} and {weights[1]}"
        raise HypothesisError(claim, "equal class weights", text, weights)
    ready = np.array(w.entries(), dtype=object)
    hidden, out = layout(risk.network, ready)
    hidden.weight[0] = 0
    if hidden.bias is not None:
        hidden.bias[0] = 0
    if out.bias is not None:
        out.bias[0] = fmpq(0)
    ready = ready + found.written_to(risk, 0)
    final = ready.copy()
    layout(risk.network, final)[1].weight[0, 0] = 1 / (alpha * found.margin)
    return [w, exact(ready.tolist()), exact(final.tolist())]
