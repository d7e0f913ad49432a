r"""Yun, Sra, Jadbabaie (2019), Corollary 5: a critical point is a global minimum or a saddle.

`classify_critical` takes anybody's exact point of a deep linear network, with or without biases.
"""

from __future__ import annotations

from flint import fmpq

from lscore.certificates import Certificate, Condition, Verdict
from lscore.exact import RationalMatrix, Scalar, exact, ones, rational, stack
from lscore.networks import Point
from lscore.papers.yun2019.deep_linear import (
    LinearRisk,
    linear_risk,
    product,
    total_bias,
    without_biases,
)
from lscore.papers.yun2019.linear_saddles import SADDLE, certify_saddle, saddle_escape
from lscore.risk import Risk

MINIMUM = "the point is a global minimum"


def classify_critical(risk: Risk | LinearRisk, w: Point, epsilon: Scalar = 1) -> Certificate:
    r"""Global minimum or saddle? The dichotomy of Corollary 5, for anybody's exact point.

    For a convex loss with G = 0 the certificate says "the point is a global minimum" (YUN-C5);
    everything else is answered by `certify_saddle`. Networks with biases are taken too
    (YUN-B-T4-3). Sound, and complete for critical points of networks with
    d_j >= min(d_x, d_y) and a convex loss.

    >>> from lscore import Network, identity
    >>> risk = Risk(Network((1, 1, 1), identity, bias=False), [1], [1])
    >>> str(classify_critical(risk, exact([0, 0]))).splitlines()[0]
    'certified (exact): the point is a saddle  [YUN-T4]'
    >>> str(classify_critical(risk, exact([2, "1/2"]))).splitlines()[0]
    'certified (exact): the point is a global minimum  [YUN-C5]'
    """
    if isinstance(risk, Risk) and risk.network.bias:
        return _classify_with_biases(risk, w, epsilon)
    linear = linear_risk(risk)
    weights = linear.weights(w)
    G = linear.loss.gradient(product(weights))
    if not (G.is_zero() and linear.loss.is_convex):
        return certify_saddle(linear, w, epsilon)
    conditions = [
        Condition("gradient of the loss of the product is exactly zero", True),
        Condition("the loss is convex in the product", True),
    ]
    values = {"loss": linear(w)}
    return Certificate("YUN-C5", MINIMUM, Verdict.CERTIFIED, "exact", conditions, {}, "", values)


def _classify_with_biases(risk: Risk, w: Point, epsilon: Scalar) -> Certificate:
    """The same for x -> R x + c: c is stationary, the weights move, the last bias keeps c."""
    w = exact(risk.network.point(w), "w")
    linear, v = without_biases(risk, w)
    residuals = (risk.predictions(w) - risk.exact_y).T @ ones(len(risk.X))
    constant = Condition("the constant term is stationary", residuals.is_zero())
    if not residuals.is_zero():
        witness = {"sum of the residuals": residuals}
        return Certificate("YUN-B-T4-3", SADDLE, "refuted", "exact", [constant], witness)
    epsilon = rational(epsilon, "epsilon")
    answer = classify_critical(linear, v, epsilon)
    if not answer.certified or answer.statement == MINIMUM:
        conditions = [constant, *answer.conditions]
    else:
        conditions, witness = _lifted(risk, w, linear, v, epsilon)
        conditions = [constant, *answer.conditions[:3], *conditions]
        answer = Certificate("YUN-T4", SADDLE, "certified", "exact", conditions, witness)
    values = {"loss": risk(w)}
    return Certificate(
        "YUN-B-T4-3",
        answer.statement,
        answer.verdict,
        "exact",
        conditions,
        answer.witness,
        answer.reason,
        values,
    )


def _lifted(risk: Risk, w, linear: LinearRisk, v, epsilon: fmpq):
    """Conditions and witness for the points of an escape, with the last bias adjusted."""
    biases = [layer.bias for layer in risk.network.unpack(w)]
    constant, step = total_bias(linear.weights(v), biases), epsilon
    while True:
        found = saddle_escape(linear, v, step)
        points = []
        for moved in (found.up, found.down):
            weights = linear.weights(moved)
            rest = total_bias(weights, [*biases[:-1], biases[-1] * 0])
            points.append(risk.network.pack(weights, [*biases[:-1], constant - rest]))
        if all(_bias_move(risk, p - w) <= epsilon**2 for p in points):
            break
        step /= 2
    rise, fall = risk(points[0]) - risk(w), risk(w) - risk(points[1])
    conditions = [
        Condition(f"no layer moves by more than {epsilon}", True),
        Condition("a point within reach is higher", rise > 0, rise, "rise"),
        Condition("a point within reach is lower", fall > 0, fall, "fall"),
    ]
    return conditions, {"up": points[0], "down": points[1]}


def _bias_move(risk: Risk, move: RationalMatrix) -> fmpq:
    """The largest squared Frobenius norm of a layer's move, weights and bias together."""
    parts = (stack([layer.weight.T, layer.bias.T]) for layer in risk.network.unpack(move))
    return max(part.dot(part) for part in parts)
