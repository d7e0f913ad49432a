r"""A local minimum beside a point, enclosed: for losses whose minima need not be rational.

A minimum of a risk with cross-entropy solves equations with exponentials; in general no point that
can be written down is one. But where every hidden unit stays on one linear piece, the outputs near
the point are :math:`\hat Y + A T^\top` with functions A (n, p) of the inputs, and the risk is a
convex function of T. `krawczyk` encloses its minimum; the first layer, or the output biases where a
layer is dead, can bring about the change T; if that moves no unit off its piece, a local minimum
lies there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from math import inf, nextafter

import numpy as np
from flint import arb, ctx

from lscore.algebra.balls import Balls, balls
from lscore.algebra.krawczyk import krawczyk
from lscore.algebra.linear import least_squares, pivot_columns
from lscore.algebra.matrices import RationalMatrix, exact, ones
from lscore.cells.pattern import Located, locate
from lscore.certificates import Certificate, Condition, Question
from lscore.minima.affine import affine_functions, bend, box_radius
from lscore.minima.descent import declared
from lscore.model.balls import ball_risk
from lscore.model.losses import Loss
from lscore.model.networks import Point
from lscore.model.passes import Frozen
from lscore.model.risk import Risk
from lscore.model.settings import Setting

_NEAR = Question("B-NEAR", "a local minimum lies within the radius of the point", "ball")
_SPURIOUS = Question("B-NEAR", "a spurious local minimum lies within the radius", "ball")
_INSIDE = "every hidden unit stays on one linear piece"
_SETTING = Setting(output_activation=False, activations=("piecewise linear",), weight_decay=False)


@dataclass(frozen=True, eq=False)
class ConvexMinimum:
    r"""The minimum of :math:`T \mapsto \ell(\hat Y + A T^\top)`: T (k, p) in the `box`, the `value`
    there in a ball; or the `reason` why none is shown."""

    box: Balls | None
    value: arb | None
    reason: str = ""


def convex_minimum(
    loss: Loss, outputs: RationalMatrix, targets: RationalMatrix, A: RationalMatrix, bits: int = 128
) -> ConvexMinimum:
    r"""The minimum that Newton's method finds from T = 0, for exact outputs (n, k) and A (n, p).

    T is 0 at columns of A that depend on earlier ones, and in the last row if the loss is
    `shift_invariant`; so it is one of many in general, and the value is the only one. Sound for a
    convex loss, see `krawczyk`.

    >>> from lscore.model.losses import half_sum_of_squares
    >>> start, y = exact([0, 0, 0]), exact([0, 1, 4])
    >>> found = convex_minimum(half_sum_of_squares, start, y, exact([[0, 1], [1, 1], [2, 1]]))
    >>> [t.str(4, radius=False) for t in found.box[0]], found.value.str(4, radius=False)
    (['2.000', '-0.3333'], '0.3333')
    """
    columns = pivot_columns(A.numerator)
    free, k = outputs.shape[1] - loss.shift_invariant, outputs.shape[1]
    with ctx.workprec(bits):
        design, start = balls(A)[:, columns], balls(outputs)
        sizes = np.array([max(abs(v) for v in column) for column in design.T], dtype=object)
        design = design / sizes  # columns of one size, whatever the units of the inputs are

        def moved(x: Balls) -> Balls:
            T = np.array([arb(0)] * (k * len(columns)), dtype=object).view(Balls)
            T[: x.size] = x
            return start + design @ T.reshape(k, len(columns)).T if x.size else start

        def slope(x: Balls) -> Balls:
            pull = np.asarray(loss.gradient(moved(x), targets))[:, :free].view(Balls)
            return (pull.T @ design).reshape(-1)

        def jacobian(x: Balls) -> Balls:
            second = np.asarray(loss.second(moved(x), targets))
            blocks = [
                [(design * second[:, a, b][:, None]).T @ design for b in range(free)]
                for a in range(free)
            ]
            return np.block(blocks).view(Balls)

        zeros = [arb(0)] * (free * len(columns))
        found = krawczyk(slope, jacobian, zeros, bits=bits)
        if found.box is None:
            return ConvexMinimum(None, None, found.reason)
        box = np.array([[arb(0)] * A.shape[1]] * k, dtype=object)
        box[:free, columns] = found.box.reshape(free, len(columns)) / sizes
        return ConvexMinimum(box.view(Balls), loss(moved(found.box), targets))


@_NEAR.checker
def certify_minimum_near(risk: Risk, w: Point | np.ndarray, *, bits: int = 128) -> Certificate:
    r"""Does a local minimum lie within a small radius of w? Certified in balls, or unknown.

    Conditions: (i) each hidden unit has all its pre-activations strictly inside one linear piece at
    w; (ii) the convex problem of the cell, `convex_minimum` over the affine functions of the inputs
    (the constants if a layer has only slopes 0), has a minimum near the outputs of w; (iii) some
    change of the first layer (of the output biases) makes these its outputs, and no unit leaves its
    piece while every parameter moves that far. Then the changed point is a local minimum, and
    nothing in its cell is lower. (iii) needs the layers above the first to pass on every direction
    of the outputs; with `shift_invariant` losses every difference of two.

    `values`: the `radius`, an upper bound of the change of every parameter; the `risk` of the
    minimum, a ball; and `radius_of_a_box` around w which holds no lower point. Piecewise linear
    activations, any depth, any convex loss with second derivatives in balls, above all
    cross-entropy; no weight decay, no output activation. Sound, not complete. Never refuted. A
    point itself is decided by `certify_affine_minimum`, if the loss has rational values.
    Source: this book.

    >>> from lscore import Network, relu
    >>> from lscore.model.entropy import CrossEntropyLoss
    >>> risk = Risk(Network((1, 1, 2), relu), [1, 2, 3], [1, 0, 0], CrossEntropyLoss())
    >>> dead = exact([0, -1, 1, 1, 0.6931471805599453, 0])         # output bias log(2), rounded
    >>> print(certify_minimum_near(risk, dead))
    certified (ball): a local minimum lies within the radius of the point  [B-NEAR]
      holds     every hidden unit stays on one linear piece
      holds     the convex problem of the cell has a minimum, enclosed
      holds     the point moves there before any unit leaves its piece, up to 1/8
      value     radius = 2.4E-17
      value     risk = 0.636514 (ball, radius 7e-38)
      value     radius of a box = 1/8
    """
    _SETTING.require(risk, _NEAR.claim)
    w = locate(risk, w)
    where = list(w.run.positions)
    if reason := bend(risk, where):
        return _NEAR.unknown(reason, [Condition(_INSIDE, None)])
    conditions = [Condition(_INSIDE, True), *declared(risk.loss, "convex")]
    if not risk.loss.convex:
        return _NEAR.unknown("the loss is not known to be convex in the outputs")
    if risk.loss.shift_invariant:
        conditions += declared(risk.loss, "shift_invariant")
    A, _ = affine_functions(risk, where)
    found = convex_minimum(risk.loss, w.run.outputs, risk.exact_y, A, bits)
    enclosed = "the convex problem of the cell has a minimum, enclosed"
    if found.box is None:
        return _NEAR.unknown(found.reason, [*conditions, Condition(enclosed, None)])
    conditions.append(Condition(enclosed, True))
    moves = _moves(risk, w, A.shape[1], found.box, bits)
    reached = "the point moves there before any unit leaves its piece"
    if moves is None:
        reason = "the layers above the first do not pass on every change of the outputs"
        return _NEAR.unknown(reason, [*conditions, Condition(reached, None)])
    size = max((abs(v) for v in moves), key=arb.upper)
    values = {"radius": _above(size), "risk": found.value}
    if any(h.knots for h in risk.network.activations):
        pairs = list(zip(risk.network.activations, w.run.pre, where, strict=False))
        values["radius_of_a_box"] = radius = box_radius(risk, w, pairs)
        inside = Condition(reached, bool(size < arb(radius)) or None, radius, "up to")
        conditions.append(inside)
        if not inside.holds:
            reason = f"the minimum may lie {_above(size)} away, and units leave their pieces"
            return _NEAR.unknown(reason, conditions)
    return _NEAR.certified(conditions, values=values)


@_SPURIOUS.checker
def certify_spurious_near(
    risk: Risk, w: Point | np.ndarray, lower: Point | np.ndarray, *, bits: int = 128
) -> Certificate:
    r"""Does a *spurious* local minimum lie within a small radius of w? In balls, or unknown.

    Conditions: those of `certify_minimum_near`, and the risk at the point `lower` is below that of
    the minimum; balls decide. Sound, not complete.

    >>> from lscore import Network, relu
    >>> from lscore.model.entropy import LogisticLoss
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1], [-1, 1], LogisticLoss())
    >>> dead, better = exact([0, -1, 1, 0]), exact([1, 0, 1, "-1/2"])
    >>> answer = certify_spurious_near(risk, dead, better)
    >>> answer.verdict.value, answer.conditions[-1].margin
    ('certified', Decimal('0.43'))
    """
    lower = risk.network.point(lower, "lower")
    found = certify_minimum_near(risk, w, bits=bits)
    if not found.certified:
        return _SPURIOUS.as_found(found)
    difference = found.values["risk"] - ball_risk(risk, lower, bits=bits)
    holds = bool(difference > 0) or None
    below = Condition("another point has a smaller risk", holds, _below(difference), "by at least")
    if not holds:
        reason = "the other point is not shown to have a smaller risk"
        return _SPURIOUS.unknown(reason, [*found.conditions, below])
    return _SPURIOUS.certified([*found.conditions, below], values=dict(found.values))


def _moves(risk: Risk, w: Located, p: int, T: Balls, bits: int) -> list[arb] | None:
    """Changes of parameters that change the outputs by A T', or by that and one function for all;
    None if the layers above the first do not pass them on.

    With B the product of these layers the change M of the first one adds B M to the function. Where
    a layer is dead, or the first has no bias, the output biases change the constants.
    """
    network, layers, positions = risk.network, risk.network.unpack(w), w.run.positions
    first, last, d = network.biases[0], network.biases[-1], network.widths[0]
    k, free = len(T), len(T) - risk.loss.shift_invariant
    pairs = zip(network.activations, positions, strict=True)
    if any(not any(h.slopes[p] for p in part[0] // 2) for h, part in pairs):
        return list(T.flat) if last else None
    if p > d + first and not last:
        return None
    frozen = Frozen(network.activations, [part[:1].repeat(k, 0) // 2 for part in positions])
    B = layers[-1].weight if positions else _unit(k)
    for l in reversed(range(len(positions))):
        B = frozen.slope(l, B)
        B = B @ layers[l].weight if l else B
    differences = B.rows(0, free)
    if free < k:
        differences = differences - ones(free) @ B.rows(k - 1, k)
    inverse, rank = least_squares(differences @ differences.T, _unit(free))
    if rank < free:
        return None
    with ctx.workprec(bits):
        moves = balls(differences.T @ inverse) @ T[:free, : d + first]
        return [*moves.flat, *T[:, d + first :].flat]


def _unit(k: int) -> RationalMatrix:
    return exact(np.eye(k, dtype=int))


def _above(ball: arb) -> Decimal:
    """Two digits that are at least the ball."""
    size = nextafter(nextafter(float(ball.upper()), inf), inf)
    return Context(2, ROUND_CEILING).create_decimal_from_float(size)


def _below(ball: arb) -> Decimal:
    return -_above(-ball)
