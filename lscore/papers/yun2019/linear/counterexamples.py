r"""Linear networks beyond the hypotheses of Yun, Sra and Jadbabaie (2019), Theorem 4.

Where the loss of the product is not differentiable, or where its gradient vanishes at a saddle of
it, a linear network can have bad local minima. Two examples, each with its proof as conditions.
"""

from __future__ import annotations

from functools import partial
from itertools import product as all_of

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational
from lscore.algebra.rationals import positive
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError, ShapeError
from lscore.model.activations import identity
from lscore.model.losses import Loss
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.papers.yun2019.linear.setting import product_loss


@checked
def certify_linear_collapse(network: Network) -> Certificate:
    """Is the whole surface of the outputs one cell, whatever the data? (HE-T2d)

    Certified if no activation, of the hidden layers or of the output, has a knot at which its slope
    changes; refuted with the activation that has one. Unknown for smooth activations, which have no
    cells, before a layer of slope 0, and without biases behind one. Sound. It speaks of the
    outputs: the margins of a hinge loss make walls of their own.

    >>> from lscore.model.activations import identity, relu
    >>> certify_linear_collapse(Network((1, 1, 1), identity)).verdict.value
    'certified'
    >>> answer = certify_linear_collapse(Network((1, 1, 1), identity, output_activation=relu))
    >>> answer.witness["activation"]
    'ReLU'
    """
    asked = Question("HE-T2d", "the surface of the outputs is a single cell")
    last = network.output_activation
    every = network.activations + (() if last is None else (last,))
    bent = [h for h in every if not getattr(h, "is_linear", False)]
    conditions = [Condition("no activation changes its slope", not bent)]
    if not bent:
        return asked.certified(conditions)
    flat = [l for l, h in enumerate(every) if set(getattr(h, "slopes", ())) == {0}]
    seen = [
        h
        for l, h in enumerate(every)
        if h in bent
        and not any(f > l or (f < l and not any(network.biases[f + 1 : l + 1])) for f in flat)
    ]
    reason = ""
    if not network.is_piecewise_linear:
        reason = "a smooth activation has no cells"
    elif not seen:
        reason = "a layer of slope 0 may hide activations: those before it, without biases all"
    if reason:
        return asked.unknown(reason, [Condition("no activation changes its slope", None)])
    return asked.refuted(conditions, {"activation": seen[0].name})


def absolute_risk(w: RationalMatrix, v: fmpq) -> fmpq:
    r""":math:`(|v w_1| + |1 - v w_2|)/2`: the mean absolute error of the linear network
    :math:`x \mapsto v\, (w \cdot x)` on x = (1, 0), (0, 1) with labels 0 and 1."""
    return (abs(v * w[0, 0]) + abs(1 - v * w[1, 0])) / 2


@checked
def certify_absolute_minimum(w: object, radius: Scalar) -> Certificate:
    r"""Is (w, v = 0) a spurious local minimum of `absolute_risk`? (HE-T2d, YUN-T4)

    While :math:`w_1 \ge |w_2|` holds, 2R is at least :math:`|v| w_1 + 1 - |v||w_2| \ge 1`, which is
    its value at (w, 0). So a margin of twice the radius makes (w, 0) a local minimum on the box of
    that radius. Unknown without the margin. `DataError` unless the radius is positive. Sound.

    >>> certify_absolute_minimum([1, "1/10"], "9/20").verdict.value
    'certified'
    >>> certify_absolute_minimum([1, "1/10"], "1/2").verdict.value
    'unknown'
    """
    w, radius = exact(w, "w"), positive(radius, "radius")
    if w.shape != (2, 1):
        raise ShapeError(f"w: shape {w.shape}, need (2, 1)")
    margin = w[0, 0] - abs(w[1, 0]) - 2 * radius
    better = exact(["1/100", 1])
    low = absolute_risk(better, fmpq(1))
    conditions = [
        Condition("the first weight outweighs the second all over the box", margin >= 0, margin),
        Condition("another point has a smaller risk", low < fmpq(1, 2), fmpq(1, 2) - low),
    ]
    asked = Question(
        "HE-T2d", "a linear network with absolute loss has a spurious local minimum here"
    )
    values = {"risk": absolute_risk(w, fmpq(0)), "radius": radius, "smaller_risk": low}
    if margin < 0:
        return asked.unknown("the box is too large for the bound", conditions, values=values)
    return asked.certified(conditions, values=values)


def corner_identity_holds() -> bool:
    r"""The identity behind the two-by-two examples, proved at 256 corners.

    For :math:`A = \begin{pmatrix} p & e \\ f & g \end{pmatrix}`,
    :math:`B = \begin{pmatrix} h & i \\ j & q \end{pmatrix}` and R = AB:
    :math:`p q R_{21} = f q R_{11} + j p R_{22} - f j R_{12}`. Both sides have degree one in each of
    the eight variables, so they are equal if they are at all 0-1 values.
    """
    for p, e, f, g, h, i, j, q in all_of((0, 1), repeat=8):
        r11, r12 = p * h + e * j, p * i + e * q
        r21, r22 = f * h + g * j, f * i + g * q
        if p * q * r21 != f * q * r11 + j * p * r22 - f * j * r12:
            return False
    return True


CORNER = exact([0, 0, 0, 1, 1, 0, 0, 0])  # W_1 = diag(0, 1), W_2 = diag(1, 0): product 0


def absolute_corner_loss(R: RationalMatrix) -> fmpq:
    r""":math:`|R_{11}| + |R_{22}| + |R_{12}| + |R_{21} - 1|`: convex, with kinks."""
    return abs(R[0, 0]) + abs(R[1, 1]) + abs(R[0, 1]) + abs(R[1, 0] - 1)


class _SaddleLoss(Loss):
    r""":math:`R_{11}^2 + R_{22}^2 + R_{12}^2 - R_{21}^2`: smooth, with a saddle at 0.

    For the two unit vectors as data, whose outputs are the rows of :math:`R^\top`.
    """

    kind = "saddle"
    smooth = polynomial = True

    def __call__(self, outputs, targets, pieces=None) -> fmpq:
        a, b, c, d = (outputs[i, j] for i in (0, 1) for j in (0, 1))
        return a**2 - b**2 + c**2 + d**2

    def gradient(self, outputs, targets, pieces=None) -> RationalMatrix:
        return (outputs - exact([[0, 2 * outputs[0, 1]], [0, 0]])) * 2


_UNIT = [[1, 0], [0, 1]]
saddle_corner_risk = Risk(Network((2, 2, 2), identity, bias=False), _UNIT, _UNIT, _SaddleLoss())


@checked
def certify_corner_minimum(loss: str, radius: Scalar) -> Certificate:
    r"""Is `CORNER` a local minimum of the two-layer network with this loss? (YUN-T4)

    `loss` is "absolute" or "saddle". On the box of the given radius the identity gives
    :math:`|R_{21}| \le q(|R_{11}| + |R_{22}|) + q^2 |R_{12}|`, q = radius/(1 - radius). Hence the
    value is smallest at the corner if :math:`q \le 1`, or :math:`2q^2 + q^4 \le 1` (Cauchy and
    Schwarz). Lower points exist: any tuple with product :math:`R_{21} = 1`, all else 0. Unknown if
    the box is too large. Sound.

    >>> certify_corner_minimum("absolute", "1/2").verdict.value
    'certified'
    """
    bounds = {"absolute": lambda q: 1 - q, "saddle": lambda q: 1 - 2 * q**2 - q**4}
    if loss not in bounds:
        raise DataError(f"loss: got {loss!r}, need 'absolute' or 'saddle'")
    radius = rational(radius, "radius")
    if not 0 < radius < 1:
        raise DataError(f"radius: got {radius}, need a number between 0 and 1")
    margin = bounds[loss](radius / (1 - radius))
    value = (
        absolute_corner_loss if loss == "absolute" else partial(product_loss, saddle_corner_risk)
    )
    zero, better = exact([[0, 0], [0, 0]]), exact([[0, 0], [1, 0]])
    conditions = [
        Condition("the identity for R_21 holds at all 256 corners", corner_identity_holds()),
        Condition("it bounds R_21 tightly enough on the box", margin >= 0, margin),
        Condition(
            "another product is lower", value(better) < value(zero), value(zero) - value(better)
        ),
    ]
    asked = Question("YUN-T4", "the two-layer network has a spurious local minimum here")
    values = {"value": value(zero), "radius": radius, "smaller_value": value(better)}
    if margin < 0:
        return asked.unknown("the box is too large for the bound", conditions, values=values)
    return asked.certified(conditions, values=values)
