r"""Ball arithmetic: rigorous enclosures where numbers are not rational.

A ball (python-flint's `arb`) is a midpoint and a radius; every operation rounds outward, so the
true value is inside. A comparison of balls has three answers: yes, no, and "they overlap".
"""

from __future__ import annotations

from functools import reduce

from flint import arb, ctx

from lscore.algebra.arguments import checked
from lscore.algebra.balls import Balls, balls, each
from lscore.algebra.intervals import Interval, interval
from lscore.algebra.matrices import exact
from lscore.model.networks import Point
from lscore.model.passes import forward, layout
from lscore.model.risk import Risk
from lscore.model.smooth_activations import Smooth


@checked
def ball_risk(risk: Risk, w: Point, *, bits: int = 128) -> arb:
    r"""A ball that contains the risk at a float or exact point, for any activation and loss.

    Computed with `bits` bits; the data and the point are taken exactly. Sound, not sharp.

    >>> from lscore.model.smooth_activations import tanh
    >>> from lscore.model.networks import Network
    >>> risk = Risk(Network((1, 1, 1), tanh), [1.0], [0.0])
    >>> ball = ball_risk(risk, exact([1, 0, 2, 0]))        # 2 tanh(1)^2
    >>> ball.mid().str(20, radius=False), bool(ball.rad() < 1e-30)
    ('1.1600513167719478612', True)
    """
    network, old = risk.network, ctx.prec
    w = exact(network.point(w), "w")
    ctx.prec = bits
    try:
        outer = (*network.activations, network.output_activation)

        def bend(l: int, z: Balls) -> Balls:
            return z if outer[l] is None else each(outer[l].ball, z)

        run = forward(layout(network, balls(w)[:, 0]), balls(risk.exact_X), bend)
        value = risk.loss(run.outputs, risk.exact_y)
        return value + arb(risk.penalty(w)) if risk.weight_decay else value
    finally:
        ctx.prec = old


def derivative_hulls(h: Smooth, z: Interval, order: int = 2, parts: int = 64):
    r"""Intervals that hold h, h', ..., :math:`h^{(k)}` (k = `order`) at every number of z.

    z is cut into `parts` pieces; on a piece with midpoint m the enclosure is the intersection of
    that of :math:`h^{(k)}` itself and of :math:`h^{(k)}(m) + h^{(k+1)}(\xi)(z - m)`; the pieces are
    joined. Sound for any formula that encloses. None if the formula has no finite enclosure.

    >>> from lscore.model.smooth_activations import sine
    >>> slope = derivative_hulls(sine, interval(0, 1), 1)[1]
    >>> float(slope.low) <= 0.540303, float(slope.high) >= 1.0
    (True, True)
    """
    step = (z.high - z.low) / parts
    hulls = []
    for k in range(parts):
        piece = (z.low + k * step).union(z.low + (k + 1) * step)
        wide, middle = h.derivatives(piece, order + 1), h.derivatives(piece.mid(), order)
        if not all(d.is_finite() for d in wide + middle):
            return None
        offset = piece - piece.mid()
        tight = [
            d.intersection(m + following * offset)
            for d, m, following in zip(wide, middle, wide[1:], strict=False)
        ]
        hulls.append([interval(d) for d in tight])
    return [reduce(Interval.union, column) for column in zip(*hulls, strict=True)]
