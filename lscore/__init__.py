"""lscore: constructions, checkers and exact certificates for loss surfaces of neural networks."""

from lscore.activations import (
    PiecewiseLinear,
    Smooth,
    absolute_value,
    arctan,
    elu,
    erf,
    exponential,
    gelu,
    hard_tanh,
    identity,
    leaky_relu,
    linear,
    piecewise_linear,
    relu,
    selu,
    sigmoid,
    silu,
    sine,
    softplus,
    softsign,
    square,
    tanh,
    two_piece,
    two_sided,
)
from lscore.affine_cells import certify_affine_cell
from lscore.autograd_cells import autograd_cell, decide_autograd
from lscore.balanced_cells import certify_balance
from lscore.cells import Cell, cell_at, signature
from lscore.certificates import Certificate, Condition, Verdict
from lscore.clarke import clarke_subdifferential, decide_subgradient
from lscore.convex_paths import certify_convex_path
from lscore.descent import descent_certificate
from lscore.enumeration import ActivationCells, activation_cells
from lscore.errors import refusal
from lscore.exact import RationalMatrix, exact, rational
from lscore.hinges import binary_hinge, multiclass_hinge, one_versus_all_hinge
from lscore.incident_cells import incident_cells
from lscore.local_minima import decide_local_minimum
from lscore.losses import SquaredLoss, half_sum_of_squares, mean_squared_error
from lscore.multilinear import (
    cell_polynomial,
    certify_backpropagation,
    certify_forms,
    certify_multilinear,
    forms,
    laplacian,
    monomials_by_block,
    output_polynomials,
)
from lscore.networks import Network, from_torch
from lscore.paths import certify_nonincreasing
from lscore.rays import cell_along, expand_along, walls_along
from lscore.risk import Risk
from lscore.smooth_points import (
    cell_hessian,
    decide_indefinite,
    decide_mirrored_spectrum,
    decide_smooth_extremum,
    decide_smooth_maximum,
)

__all__ = [
    "ActivationCells",
    "Cell",
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
    "activation_cells",
    "arctan",
    "autograd_cell",
    "binary_hinge",
    "cell_along",
    "cell_at",
    "cell_hessian",
    "cell_polynomial",
    "certify_affine_cell",
    "certify_backpropagation",
    "certify_balance",
    "certify_convex_path",
    "certify_forms",
    "certify_multilinear",
    "certify_nonincreasing",
    "clarke_subdifferential",
    "decide_autograd",
    "decide_indefinite",
    "decide_local_minimum",
    "decide_mirrored_spectrum",
    "decide_smooth_extremum",
    "decide_smooth_maximum",
    "decide_subgradient",
    "descent_certificate",
    "elu",
    "erf",
    "exact",
    "expand_along",
    "exponential",
    "forms",
    "from_torch",
    "gelu",
    "half_sum_of_squares",
    "hard_tanh",
    "identity",
    "incident_cells",
    "laplacian",
    "leaky_relu",
    "linear",
    "mean_squared_error",
    "monomials_by_block",
    "multiclass_hinge",
    "one_versus_all_hinge",
    "output_polynomials",
    "piecewise_linear",
    "rational",
    "refusal",
    "relu",
    "selu",
    "sigmoid",
    "signature",
    "silu",
    "sine",
    "softplus",
    "softsign",
    "square",
    "tanh",
    "two_piece",
    "two_sided",
    "walls_along",
]
