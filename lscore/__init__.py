"""lscore: constructions, checkers and exact certificates for loss surfaces of neural networks."""

from lscore.activations import (
    PiecewiseLinear,
    Smooth,
    absolute_value,
    arctan,
    exponential,
    gelu,
    hard_tanh,
    identity,
    leaky_relu,
    linear,
    piecewise_linear,
    relu,
    sigmoid,
    silu,
    sine,
    softplus,
    square,
    tanh,
    two_piece,
)
from lscore.affine_cells import certify_affine_cell
from lscore.cells import expand_along
from lscore.certificates import Certificate, Condition, Verdict
from lscore.descent import descent_certificate
from lscore.errors import refusal
from lscore.exact import RationalMatrix, exact, rational
from lscore.local_minima import decide_local_minimum
from lscore.losses import SquaredLoss, half_sum_of_squares, mean_squared_error
from lscore.networks import Network, from_torch
from lscore.paths import certify_nonincreasing
from lscore.risk import Risk

__all__ = [
    "Certificate",
    "Condition",
    "Network",
    "PiecewiseLinear",
    "RationalMatrix",
    "Risk",
    "Smooth",
    "SquaredLoss",
    "Verdict",
    "absolute_value",
    "arctan",
    "certify_affine_cell",
    "certify_nonincreasing",
    "decide_local_minimum",
    "descent_certificate",
    "exact",
    "expand_along",
    "exponential",
    "from_torch",
    "gelu",
    "half_sum_of_squares",
    "hard_tanh",
    "identity",
    "leaky_relu",
    "linear",
    "mean_squared_error",
    "piecewise_linear",
    "rational",
    "refusal",
    "relu",
    "sigmoid",
    "silu",
    "sine",
    "softplus",
    "square",
    "tanh",
    "two_piece",
]
