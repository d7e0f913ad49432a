r"""Ball arithmetic: rigorous enclosures where numbers are not rational.

A ball (python-flint's `arb`) is a midpoint and a radius; every operation rounds outward, so the
true value is inside. A comparison of balls has three answers: yes, no, and "they overlap".
"""

from __future__ import annotations

from flint import arb, arb_mat, ctx

from lscore.errors import DataError
from lscore.exact import RationalMatrix, exact
from lscore.losses import SquaredLoss
from lscore.networks import Point
from lscore.risk import Risk


def ball_matrix(A: RationalMatrix) -> arb_mat:
    """Enclosure of a rational matrix at the current precision."""
    rows, columns = A.shape
    return arb_mat(rows, columns, [arb(e) for e in A.entries()])


def ball_risk(risk: Risk, w: Point, precision: int = 128) -> arb:
    r"""A ball that contains the squared risk at a float or exact point, for any activation.

    Computed with `precision` bits; the data and the point are taken exactly. Sound, not sharp.

    >>> from lscore.activations import tanh
    >>> from lscore.networks import Network
    >>> risk = Risk(Network((1, 1, 1), tanh), [1.0], [0.0])
    >>> ball = ball_risk(risk, exact([1, 0, 2, 0]))        # 2 tanh(1)^2
    >>> ball.mid().str(20, radius=False), bool(ball.rad() < 1e-30)
    ('1.1600513167719478612', True)
    """
    if not isinstance(risk.loss, SquaredLoss):
        raise DataError(f"risk: loss {type(risk.loss).__name__}, need SquaredLoss")
    if precision < 2:
        raise DataError(f"precision: got {precision} bits, need at least 2")
    network, old = risk.network, ctx.prec
    ctx.prec = precision
    try:
        signal = ball_matrix(risk.exact_X)
        layers = network.unpack(exact(network.point(w), "w"))
        outer = (*network.activations, network.output_activation)
        for layer, activation in zip(layers, outer, strict=True):
            signal = signal * ball_matrix(layer.weight.T)
            rows, columns = signal.nrows(), signal.ncols()
            bias = None if layer.bias is None else ball_matrix(layer.bias)
            entries = []
            for i in range(rows):
                for k in range(columns):
                    z = signal[i, k] if bias is None else signal[i, k] + bias[k, 0]
                    entries.append(z if activation is None else activation.ball(z))
            signal = arb_mat(rows, columns, entries)
        residuals = signal - ball_matrix(risk.exact_y)
        total = sum((e * e for e in residuals.entries()), arb(0))
        value = total * arb(risk.loss.scale(residuals.nrows()))
        if risk.weight_decay:
            point = exact(w, "w")
            value += arb(risk.weight_decay / 2 * point.dot(point))
        return value
    finally:
        ctx.prec = old
