r"""He, Wang and Tao (2020), stage 3: a two-piece network around a knot of another activation.

Lemma 5 and the last step of Theorem 1 move a network with a two-piece activation into the
neighbourhood of one knot of a piecewise linear activation: a map between points, for any point.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import mul

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, ones, rational
from lscore.algebra.rationals import positive
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.model.activations import PiecewiseLinear, two_piece
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

GLUED = "HE-L5"


@checked
def around_knot(h: PiecewiseLinear, knot: Scalar) -> tuple[PiecewiseLinear, fmpq]:
    """The two-piece activation with the slopes of h at a knot, and how far it is right there.

    Raises `HypothesisError` "knot" where the slope does not change. The reach is the length of the
    shorter piece beside the knot, 1 if both have no end.

    >>> from lscore import hard_tanh
    >>> pair, reach = around_knot(hard_tanh, -1)
    >>> pair.slopes, reach
    ((0, 1), 2)
    """
    t = rational(knot, "knot")
    if t not in h.knots or h.slopes[p := h.knots.index(t)] == h.slopes[p + 1]:
        text = f"{h.name} does not bend at {t}"
        raise HypothesisError(GLUED, "knot", text, t)
    beside = [abs(other - t) for other in h.knots[max(p - 1, 0) : p + 2] if other != t]
    return two_piece(h.slopes[p + 1], h.slopes[p]), min(beside, default=fmpq(1))


@checked
def transplanted(
    risk: Risk,
    w: Point,
    knot: Scalar,
    *,
    scale: Scalar | None = None,
    shrink: Sequence[Scalar] | None = None,
    printed: bool = False,
) -> RationalMatrix:
    r"""The point of the network of `risk` that has the outputs of w, a point of the network with
    the two-piece activation of `around_knot` (HE-L5, HE-T1).

    :math:`W_1' = W_1/M`, :math:`b_1' = b_1/M + t`; :math:`W_i' = \alpha_i W_i`,
    :math:`b_i' = t - \alpha_i h(t) W_i 1 + (\prod_{j \le i} \alpha_j / M)\, b_i`;
    :math:`W_L' = (M / \prod \alpha_j) W_L`, :math:`b_L' = b_L - h(t) W_L' 1`. `scale` is M, by
    default so large that every pre-activation stays within half the reach; `shrink` are the
    :math:`\alpha_2, \dots, \alpha_{L-1}`, 1 by default. The outputs on the data are those of w,
    whatever w is: :math:`h(t + z) = h(t) + h_{s_-, s_+}(z)` for small z, and two-piece activations
    are homogeneous. So Lemma 5, which moves a minimum, and the last step of Theorem 1, which moves
    a lower point with other constants, are one map. The paper prints
    :math:`b_L' = b_L - M h(t) 1` (`printed`), without :math:`W_L` and the :math:`\alpha`. One
    activation in all layers. Raises `HypothesisError` "activation", "knot", `DataError` for a scale
    that is too small.

    >>> from lscore import hard_tanh
    >>> risk = Risk(Network((1, 1, 1), hard_tanh), [0, 1, 2], [0, 0, 1])
    >>> moved = transplanted(risk, exact([1, -1, 1, 0]), -1)          # max(x - 1, 0)
    >>> risk.predictions(moved)
    column(0, 0, 1)
    """
    network = risk.network
    Setting(biases=True, output_activation=False, activations=("piecewise linear",)).require(
        network, GLUED
    )
    h = network.activations[0]
    if any(g != h for g in network.activations):
        raise HypothesisError(GLUED, "activation", "need one activation in all layers", network)
    pair, reach = around_knot(h, knot)
    w, t = exact(network.point(w), "w"), rational(knot, "knot")
    given = [positive(a, "shrink") for a in shrink or [fmpq(1)] * (len(network.widths) - 3)]
    if len(given) != len(network.widths) - 3:
        raise ShapeError(f"shrink: got {len(given)}, need one per hidden layer after the first")
    rates = list(accumulate([fmpq(1), *given], mul))
    plain = Network(network.widths, pair)
    pre = plain.preactivations(w, risk.exact_X)
    largest = max(max(map(abs, z.entries())) * a for z, a in zip(pre, rates, strict=True))
    M = max(fmpq(1), 2 * largest / reach) if scale is None else positive(scale, "scale")
    if largest / M >= reach and len(h.knots) > 1:
        raise DataError(f"scale: got {M}, need more than {largest / reach}")
    weights, biases = [], []
    layers = plain.unpack(w)
    for l, (layer, rate) in enumerate(zip(layers[:-1], rates, strict=True)):
        weight = layer.weight / M if l == 0 else layer.weight * given[l - 1]
        shift = ones(len(layer.bias)) * t + layer.bias * (rate / M)
        if l:
            shift = shift - weight @ ones(weight.shape[1]) * h(t)
        weights.append(weight)
        biases.append(shift)
    last, gain = layers[-1], M / rates[-1]
    lift = last.weight * gain @ ones(last.weight.shape[1]) * h(t)
    if printed:
        lift = ones(len(last.bias)) * (M * h(t))
    return network.pack([*weights, last.weight * gain], [*biases, last.bias - lift])
