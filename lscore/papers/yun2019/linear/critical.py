r"""Yun, Sra, Jadbabaie (2019), Corollary 5: a critical point is a global minimum or a saddle.

`certify_saddle_or_minimum` takes anybody's exact point of a deep linear network, with or without
biases.
"""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.matrices import RationalMatrix, Scalar, exact, ones, stack
from lscore.algebra.rationals import positive
from lscore.certificates import Certificate, Condition, Question, Verdict
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.papers.yun2019.linear.factorisations import certify_bottleneck_minimum
from lscore.papers.yun2019.linear.saddles import (
    SADDLE,
    certify_saddle,
    convexity,
    saddle_escape,
)
from lscore.papers.yun2019.linear.setting import (
    CLAIM,
    LINEAR_SMOOTH,
    product,
    product_gradient,
    total_bias,
    value_at,
    weights_of,
    without_biases,
)
from lscore.papers.yun2019.linear.strict import certify_strict_saddle

_MINIMUM = Question("YUN-C5", "the point is a global minimum")
_EITHER = Question("YUN-C5", "the point is a global minimum or a saddle")


@_EITHER.checker
def certify_saddle_or_minimum(risk: Risk, w: Point, epsilon: Scalar = 1) -> Certificate:
    r"""Global minimum or saddle? The dichotomy of Corollary 5, for anybody's exact point.

    For a convex loss with G = 0 the certificate says "the point is a global minimum" (YUN-C5);
    everything else is answered by `certify_saddle`, and where a bottleneck leaves that open, for
    the squared loss, by `certify_bottleneck_minimum` and `certify_strict_saddle` (YUN-B-T4-4).
    Networks with biases are taken too, for the squared loss (YUN-B-T4-3). Refuted means that w is
    not critical. Sound; complete for the squared loss, at any widths; for other losses as
    `certify_saddle`. Other networks are unknown. `DataError` if epsilon is not positive.

    >>> from lscore import Network, identity
    >>> risk = Risk(Network((1, 1, 1), identity, bias=False), [1], [1])
    >>> str(certify_saddle_or_minimum(risk, exact([0, 0]))).splitlines()[0]
    'certified (exact): the point is a saddle  [YUN-T4]'
    >>> str(certify_saddle_or_minimum(risk, exact([2, "1/2"]))).splitlines()[0]
    'certified (exact): the point is a global minimum  [YUN-C5]'
    """
    epsilon = positive(epsilon, "epsilon")
    if any(risk.network.biases):
        return _with_biases(risk, w, epsilon)
    answer = _wide(risk, exact(risk.network.point(w), "w"), epsilon)
    narrow = answer.verdict is Verdict.UNKNOWN and risk.loss.quadratic
    return _in_bottleneck(risk, w) if narrow else answer


def _wide(risk: Risk, w: RationalMatrix, epsilon: fmpq) -> Certificate:
    """The dichotomy as far as the gradient G decides it, without biases."""
    LINEAR_SMOOTH.require(risk, CLAIM)
    G = product_gradient(risk, product(weights_of(risk, w)))
    if not (G.is_zero() and risk.loss.convex):
        return certify_saddle(risk, w, epsilon)
    conditions = [
        Condition("gradient of the loss of the product is exactly zero", True),
        convexity(risk.loss),
    ]
    return _MINIMUM.certified(conditions, values={"loss": value_at(risk, w)})


def _in_bottleneck(risk: Risk, w: Point) -> Certificate:
    """Global minimum or strict saddle, of a critical point at which the products have no null
    vectors: then its product has the largest rank possible, any first-order change of its two
    factors at the bottleneck is a change of one layer each, and the squared loss of two full
    factors that are not optimal has negative curvature."""
    best = certify_bottleneck_minimum(risk, w)
    return best if best.certified else certify_strict_saddle(risk, w)


def _with_biases(risk: Risk, w: Point, epsilon: fmpq) -> Certificate:
    """The same for x -> R x + c: c is stationary, the weights move, the last bias follows."""
    w = exact(risk.network.point(w), "w")
    plain, v = without_biases(risk, w)
    residuals = (risk.predictions(w) - risk.exact_y).T @ ones(len(risk.X))
    constant = Condition("the constant term is stationary", residuals.is_zero())
    if not residuals.is_zero():
        asked = Question("YUN-B-T4-3", SADDLE)
        return asked.refuted([constant], {"sum_of_the_residuals": residuals})
    answer = _wide(plain, v, epsilon)
    conditions, witness = list(answer.conditions), answer.witness
    if answer.certified and answer.statement == SADDLE:
        moved, witness = _lifted(risk, w, plain, v, epsilon)
        conditions = [*answer.conditions[:4], *moved]
    elif answer.verdict is Verdict.UNKNOWN:
        answer = _in_bottleneck(_centred(risk), v)
        conditions = list(answer.conditions)
        witness = _lower_with_biases(risk, w, v, answer.witness)
    return Question("YUN-B-T4-3", answer.statement).as_found(
        answer, conditions=[constant, *conditions], witness=witness, values={"loss": risk(w)}
    )


def _lifted(risk: Risk, w, plain: Risk, v, epsilon: fmpq):
    """Conditions and witness for the points of an escape, with the last bias adjusted."""
    constant, step, near = _constant(risk, w), epsilon, False
    while not near:
        found = saddle_escape(plain, v, step)
        points = [
            _with_constant(risk, w, weights_of(plain, p), constant) for p in (found.up, found.down)
        ]
        near = all(_bias_move(risk, p - w) <= epsilon**2 for p in points)
        step /= 2
    rise, fall = risk(points[0]) - risk(w), risk(w) - risk(points[1])
    conditions = [
        Condition(f"no layer moves by more than {epsilon}", near),
        Condition("a point within reach is higher", rise > 0, rise, "rise"),
        Condition("a point within reach is lower", fall > 0, fall, "fall"),
    ]
    return conditions, {"up": points[0], "down": points[1]}


def _constant(risk: Risk, w: RationalMatrix) -> RationalMatrix:
    layers = risk.network.unpack(w)
    return total_bias([layer.weight for layer in layers], [layer.bias for layer in layers])


def _with_constant(risk: Risk, w: RationalMatrix, weights: list, constant) -> RationalMatrix:
    """These weights, the biases of w, and the last bias such that the map is R x + constant."""
    biases = [layer.bias for layer in risk.network.unpack(w)]
    rest = total_bias(weights, [*biases[:-1], biases[-1] * 0])
    return risk.network.pack(weights, [*biases[:-1], constant - rest])


def _mean(A: RationalMatrix) -> RationalMatrix:
    return A.T @ ones(len(A)) / len(A)


def _centred(risk: Risk) -> Risk:
    """The risk as a function of the weights alone, the constant at its best for them: the mean is
    taken off inputs and labels."""
    network = Network(risk.network.widths, risk.network.activation, bias=False)
    X, y = (A - ones(len(A)) @ _mean(A).T for A in (risk.exact_X, risk.exact_y))
    return Risk(network, X, y, risk.loss)


def _lower_with_biases(risk: Risk, w, v, witness) -> dict[str, object]:
    """A lower point along the direction in which the centred risk falls; empty without one."""
    if "direction" not in witness:
        return {}
    plain, target = _centred(risk), v + witness["direction"]
    while plain(target) >= plain(v):
        target = (v + target) / 2
    weights = [layer.weight for layer in plain.network.unpack(target)]
    constant = _mean(risk.exact_y) - product(weights) @ _mean(risk.exact_X)
    point = _with_constant(risk, w, weights, constant)
    return {"lower_point": point, "decrease_there": risk(w) - risk(point)}


def _bias_move(risk: Risk, move: RationalMatrix) -> fmpq:
    """The largest squared Frobenius norm of a layer's move, weights and bias together."""
    parts = (stack([layer.weight.T, layer.bias.T]) for layer in risk.network.unpack(move))
    return max(part.dot(part) for part in parts)
