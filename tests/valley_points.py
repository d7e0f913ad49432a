"""Data of valleys that more than one test file asks about."""

from cases import PARABOLA, TIES, TWO_OUTPUTS, XOR

from lscore import (
    Network,
    Risk,
    absolute_value,
    exact,
    hard_tanh,
    leaky_relu,
    mean_squared_error,
    relu,
    two_piece,
)

HINGE = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1])
TRAPPED = exact(["-1/2", 2, -1, "11/6"])  # the affine fit, drawn by a left-hand hinge
FREE = exact(["1/2", 1, 1, "-7/6"])  # the affine fit, drawn by a right-hand hinge
CLASH = ([0, 0, 1, 2, 2, 3], [1, -1, 4, 0, 3, 2])


def wide(risk, width, h=relu):
    d, _, k = risk.network.widths
    return Risk(Network((d, width, k), h), risk.exact_X, risk.exact_y, risk.loss)


WIDE = {
    "parabola": wide(PARABOLA, 3),
    "parabola, hard tanh": wide(PARABOLA, 4, hard_tanh),
    "xor, absolute value": wide(XOR, 3, absolute_value),
    "ties, leaky": wide(TIES, 5, leaky_relu("1/10")),
    "two outputs": wide(TWO_OUTPUTS, 3, two_piece(0, 1)),
    "clashing labels": Risk(Network((1, 3, 1), relu), *CLASH, mean_squared_error),
}
