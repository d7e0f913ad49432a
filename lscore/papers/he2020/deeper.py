r"""He, Wang and Tao (2020), stage 2: the outputs of one hidden layer, in a deeper network.

Lemma 4 and Theorem 4 carry the outputs of a network with one hidden layer through more layers of
the same units: a map between points, for any point.
"""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, ones, rational, stack, zeros
from lscore.errors import DataError, HypothesisError
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

DEEP = "HE-T4"
PLAIN = Setting(biases=True, output_activation=False, activations=("homogeneous",))


@checked
def deepened(risk: Risk, w: Point, network: Network, level: Scalar | None = None) -> RationalMatrix:
    r"""The point of a deeper `network` that has the outputs of w, a point with one hidden layer
    (HE-L4, HE-T4).

    Hidden layer 2 carries :math:`\hat y + \lambda > 0` in k units, the further ones hand it on with
    weights :math:`1/s_+`, the output layer subtracts :math:`\lambda` (`level`, by default 1 more
    than needed). Spare units have weights 0 and bias :math:`\lambda`, strictly inside their piece;
    the paper's sit exactly on the knot from layer 3 on. One two-piece activation with its knot at 0
    in both networks; where :math:`s_+ = 0` the left side is used. Raises `HypothesisError` "width"
    (other input, output or first width, or fewer than k units in a layer), else as `Setting`.

    >>> from lscore import relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1], [0, 1])
    >>> deepened(risk, exact([2, -1, 1, 0]), Network((1, 1, 1, 1), relu))
    column(2, -1, 1, 1, 1, -1)
    """
    Setting(hidden=1).require(risk, DEEP)
    PLAIN.require(risk.network, DEEP)
    PLAIN.require(network, DEEP)
    w, k = exact(risk.network.point(w), "w"), risk.network.widths[-1]
    h, widths = risk.network.activations[0], network.widths
    narrow = min(widths[2:-1], default=k) < k or len(widths) < 4
    if narrow or widths[:2] + widths[-1:] != risk.network.widths:
        text = f"got widths {widths}, need {risk.network.widths[:2]}, then {k} or more units, {k}"
        raise HypothesisError(DEEP, "width", text, widths)
    if any((g.knots, g.slopes) != (h.knots, h.slopes) for g in network.activations):
        raise HypothesisError(DEEP, "activation", f"need {h.name} in every layer", network)
    sign, slope = (1, h.slopes[-1]) if h.slopes[-1] else (-1, h.slopes[0])
    lowest = -min(fmpq(0), risk.predictions(w).smallest())
    lam = lowest + 1 if level is None else rational(level, "level")
    if lam <= lowest:
        raise DataError(f"level: got {lam}, need more than {lowest}")
    first, last = risk.network.unpack(w)
    weights, biases = [first.weight], [first.bias]
    read, offset = last.weight, last.bias + ones(k) * lam
    for width in widths[2:-1]:
        spare = width - k
        weights.append(stack([read * sign, zeros(spare, read.shape[1])]))
        biases.append(stack([offset * sign, ones(spare) * (sign * lam)]))
        read = exact([[(sign / slope) * (i == j) for j in range(width)] for i in range(k)])
        offset = zeros(k)
    return network.pack([*weights, read], [*biases, offset - ones(k) * lam])
