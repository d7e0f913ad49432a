r"""Smooth networks: a point whose gradient is not 0, or that bends downwards, refuted in balls.

Along :math:`w + t u` every signal is a *jet*, enclosures of its value and of its first two Taylor
coefficients in t. With them balls decide the sign of :math:`\langle \nabla R, u\rangle` and of
:math:`u^\top \nabla^2 R\, u`. Mixed networks and hinge losses too, away from knots and ties.
"""

from __future__ import annotations

import numpy as np
import torch
from flint import arb, ctx, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.balls import Balls, Jets, balls, each
from lscore.algebra.matrices import RationalMatrix, exact, zeros
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError
from lscore.minima.descent import STATEMENT, rounding_note
from lscore.model.activations import PiecewiseLinear
from lscore.model.networks import Network, Point
from lscore.model.passes import Layer, backward, forward, layout
from lscore.model.risk import Risk

_MINIMUM = Question("B-SMOOTH", STATEMENT, "ball")
PRECISIONS = (128, 512)
_HALVINGS = 200
_LONGEST = 10**5  # bits of a number that is written out
_CURVED = 64  # parameters up to which an eigenvector of the float Hessian is tried
_GRADIENT, _CURVATURE = "the gradient is 0", "no direction has a negative second derivative"
Jet = tuple[arb, arb, arb]


@checked
def ball_jet(risk: Risk, w: RationalMatrix, u: RationalMatrix, *, bits: int = 128) -> Jet:
    r"""Enclosures of :math:`R(w)`, :math:`\langle \nabla R, u \rangle` and
    :math:`\tfrac12 u^\top \nabla^2 R\, u`.

    Exact w and u (m, 1), any activations, any loss, weight decay. The derivatives
    are nan where an activation or a margin may be on a kink; the value never is. Sound, not sharp.

    >>> from lscore import Network, tanh
    >>> risk = Risk(Network((1, 1), (), bias=False, output_activation=tanh), [1], [0])
    >>> [c.str(4, radius=False) for c in ball_jet(risk, exact([0]), exact([1]))]  # tanh(w)^2 / 2
    ['0', '0', '0.5000']
    """
    network, old = risk.network, ctx.prec
    w, u = network.point(w), network.point(u, "u")
    ctx.prec = bits
    try:
        both = zip(*(layout(network, balls(point)[:, 0]) for point in (w, u)), strict=True)
        layers = [
            Layer(Jets(a.weight, b.weight), None if a.bias is None else Jets(a.bias, b.bias))
            for a, b in both
        ]
        none = balls(risk.exact_X * 0)

        def bend(l: int, z: Jets) -> Jets:
            value, first, second = z.parts
            h, slope, curve = _derivatives(network, l, value)
            return Jets(h, slope * first, slope * second + curve * first * first / 2)

        run = forward(layers, Jets(balls(risk.exact_X), none, none), bend)
        value, first, second = run.outputs.parts
        pull = risk.loss.gradient(value, risk.exact_y)
        curve = risk.loss.second(value, risk.exact_y) * first[:, :, None] * first[:, None, :]
        falls = (pull * first).sum(), (pull * second).sum() + curve.sum() / 2
        jet = risk.loss(value, risk.exact_y), *falls
        if risk.weight_decay:
            decay = (risk.penalty(w), risk.shrinkage(w).dot(u), risk.penalty(u))
            jet = tuple(a + arb(b) for a, b in zip(jet, decay, strict=True))
        return jet
    finally:
        ctx.prec = old


def _derivatives(network: Network, l: int, z: Balls) -> tuple[Balls, Balls, Balls]:
    """h, h' and h'' at the pre-activations of layer l; nan where h may have a kink."""
    h = (*network.activations, network.output_activation)[l]

    def at(z: arb) -> tuple[arb, arb, arb]:
        if h is None:
            return z, arb(1), arb(0)
        if isinstance(h, PiecewiseLinear):
            return h.ball(z), _slope(h, z), arb(0)
        return h.ball(z), *h.derivatives(z, 2)[1:]

    return each(at, z, results=3)


def _slope(h: PiecewiseLinear, z: arb) -> arb:
    """The slope of h on a ball inside one open piece, else nan."""
    below = [bool(z > arb(t)) for t in h.knots]
    if not all(low or z < arb(t) for low, t in zip(below, h.knots, strict=True)):
        return arb.nan()
    return arb(h.slopes[sum(below)])


@checked
def ball_gradient(risk: Risk, w: RationalMatrix, *, bits: int = 128) -> list[arb]:
    """Enclosures of all partial derivatives at an exact point, by one backward sweep.

    As `ball_jet`: any activations, any loss, weight decay; nan where a kink is possible.

    >>> from lscore import Network, tanh
    >>> risk = Risk(Network((1, 1, 1), tanh), [1], [1])
    >>> [g.str(4, radius=False) for g in ball_gradient(risk, exact([0, 0, 2, "1/2"]))]
    ['-1.000', '-1.000', '0', '-0.5000']
    """
    network, old = risk.network, ctx.prec
    w = network.point(w)
    ctx.prec = bits
    try:
        slopes = []

        def bend(l: int, z: Balls) -> Balls:
            value, slope, _ = _derivatives(network, l, z)
            slopes.append(slope)
            return value

        run = forward(layout(network, balls(w)[:, 0]), balls(risk.exact_X), bend)
        pull = risk.loss.gradient(run.outputs, risk.exact_y).view(Balls)
        found = backward(run, pull, lambda l, pull: pull * slopes[l])
        found, held = found + balls(risk.shrinkage(w))[:, 0], risk.frozen or [False] * len(w)
        return [arb(0) if still else g for g, still in zip(found, held, strict=True)]
    finally:
        ctx.prec = old


def below(ball: arb, bits: int = 30) -> fmpq:
    """A short rational that is at most every number in a positive ball.

    Positive, unless the ball reaches below :math:`2^{-100000}`: such numbers are not written out.

    >>> below(arb(5)), below(arb(1) / 3, bits=4), below(arb(-(10**9)).exp())
    (5, 5/16, 0)
    """
    mantissa, exponent = ball.lower().man_exp()
    extra = max(mantissa.bit_length() - bits, 0)
    exponent = int(exponent) + extra
    return (
        fmpq(0)
        if exponent < -_LONGEST
        else (mantissa >> extra) * fmpq(2) ** min(exponent, _LONGEST)
    )


def _power_below(ball: arb) -> fmpq:
    """The largest power of 2 that is at most every number in a positive ball, within reason."""
    mantissa, exponent = ball.lower().man_exp()
    exponent = int(exponent) + mantissa.bit_length() - 1
    return fmpq(2) ** max(min(exponent, _LONGEST), -_LONGEST)


@checked
def certify_in_balls(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is w refuted as a local minimum, by its gradient or by negative curvature?

    Refuted if :math:`\langle \nabla R, u \rangle < 0` in balls, for u the negative float gradient
    or minus the enclosed partial derivatives; or if :math:`u^\top \nabla^2 R\, u < 0` for an
    eigenvector of the float Hessian (up to 64 parameters): then the risk falls along u or -u,
    whatever the gradient is. The witness holds a direction along which it falls (or says that it
    falls along it or its negative, where balls do not show which), a lower point and a rational
    that the decrease is at least. Unknown otherwise: in balls no derivative can be shown to be
    exactly 0. Sound; complete for a gradient that differs from 0 by more than the last balls
    resolve, if they resolve the decrease too. Any depth, smooth and mixed activations, squared and
    hinge losses, weight decay.

    >>> from lscore import Network, tanh
    >>> risk = Risk(Network((1, 1, 1), tanh), [1], [1])
    >>> print(certify_in_balls(risk, exact([0, 0, 0, "1/2"])))
    refuted (ball): the point is a local minimum  [B-SMOOTH]
      fails     the gradient is 0
      witness   direction: column(0, 0, 0, 1/2)
      witness   order: 1
      witness   slope at most: -1/4
      witness   lower point: column(0, 0, 0, 1)
      witness   decrease at least: 1/8
    """
    w = exact(risk.network.point(w), "w")
    for bits in PRECISIONS:
        for u in _float_directions(risk, w) if bits == PRECISIONS[0] else []:
            answer = _along(risk, w, u, bits)
            if answer is not None:
                return answer
        slopes = ball_gradient(risk, w, bits=bits)
        if any(not slope.is_finite() for slope in slopes):
            reason = (
                "balls enclose no derivative here: a number may be too large, or a pre-activation "
                "or a margin on a kink"
            )
            return _MINIMUM.unknown(reason, [Condition(_GRADIENT, None)])
        signed = [below(-g) if g < 0 else -below(g) if g > 0 else fmpq(0) for g in slopes]
        if any(signed):
            answer = _along(risk, w, exact(signed), bits)
            if answer is not None:
                return answer
    flat = all(slope.is_zero() for slope in slopes)
    largest = max((slope.abs_upper() for slope in slopes), key=float)
    size = (largest * arb("1.06")).str(2, radius=False)  # two digits, never less than it is
    bound = _GRADIENT if flat else f"no entry of the gradient is shown to exceed {size}"
    reason = f"{bound} ({bits} bits); minima of smooth networks are not certified here"
    conditions = [Condition(_GRADIENT, flat or None), Condition(_CURVATURE, None)]
    return _MINIMUM.unknown(reason, conditions)


def _float_directions(risk: Risk, w: RationalMatrix) -> list[RationalMatrix]:
    """The negative float gradient; the eigenvector of the lowest eigenvalue if that is < 0."""
    try:
        point = w.point()
    except DataError:
        return []
    found = [-risk.gradient(point)]
    if risk.dimension <= _CURVED:
        hessian = risk.hessian(point)
        if hessian.isfinite().all():
            values, vectors = torch.linalg.eigh(hessian)
            found += [risk.freed(vectors[:, 0])] * bool(values[0] < 0)
    return [exact(u) for u in found if u.isfinite().all() and u.any()]


def _along(risk: Risk, w: RationalMatrix, u: RationalMatrix, bits: int) -> Certificate | None:
    """The refutation along u, or along u or -u, if balls show it."""
    value, slope, bend = ball_jet(risk, w, u, bits=bits)
    if slope < 0 and below(-slope):
        order, failing, shown, sides = 1, _GRADIENT, {"slope_at_most": -below(-slope)}, (u,)
    elif bend < 0 and below(-bend):
        order, failing, shown = 2, _CURVATURE, {"second_derivative_at_most": -2 * below(-bend)}
        sides = (u,) if slope < 0 else (-u,) if slope > 0 else (u, -u)
        if len(sides) == 2 and not slope.is_zero():
            shown["near_the_point"] = "it falls along the direction or its negative"
    else:
        return None
    still, step = zeros(len(w)), fmpq(1)
    if slope < 0 and bend > 0:  # the minimum of the parabola, up to a factor of 2
        step = _power_below(-slope / (2 * bend))

    def drop(point: RationalMatrix) -> fmpq:
        fall = value - ball_jet(risk, point, still, bits=bits)[0]
        return below(fall) if fall > 0 else fmpq(0)

    for halvings in range(_HALVINGS):
        for side in sides:
            lower = w + side * (step / 2**halvings)
            fall = drop(lower)
            if fall:
                witness = {"direction": side, "order": order, **shown}
                witness |= {"lower_point": lower, "decrease_at_least": fall}
                start = below(value) if value > 0 else fmpq(0)
                note = rounding_note(risk, w, lower, fall, start, drop)
                return _MINIMUM.refuted([Condition(failing, False)], witness, reason=note)
    return None
