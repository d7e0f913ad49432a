"""lscore: constructions, checkers and exact certificates for loss surfaces of neural networks."""

from lscore.algebra.matrices import RationalMatrix, exact, rational
from lscore.cells.arrangement.units import ActivationCells, activation_cells
from lscore.cells.forms import (
    cell_polynomial,
    certify_backpropagation,
    certify_forms,
    certify_multilinear,
    forms,
    laplacian,
    monomials_by_block,
    output_polynomials,
)
from lscore.cells.incident import incident_cells
from lscore.cells.pattern import Cell, cell_at, signature
from lscore.cells.rays import cell_along, expand_along, walls_along
from lscore.certificates import Certificate, Condition, Verdict
from lscore.minima.affine import certify_affine_minimum
from lscore.minima.autograd import autograd_cell, certify_autograd
from lscore.minima.balanced import certify_balance
from lscore.minima.clarke import certify_subgradient, clarke_subdifferential
from lscore.minima.convex_paths import certify_convex_path
from lscore.minima.descent import certify_along
from lscore.minima.local import certify_local_minimum
from lscore.minima.paths import certify_nonincreasing
from lscore.minima.smooth import (
    cell_hessian,
    certify_indefinite,
    certify_mirrored_spectrum,
    certify_smooth_extremum,
    certify_smooth_maximum,
)
from lscore.model.activations import (
    PiecewiseLinear,
    absolute_value,
    hard_tanh,
    identity,
    leaky_relu,
    linear,
    piecewise_linear,
    relu,
    two_piece,
)
from lscore.model.hinges import binary_hinge, multiclass_hinge, one_versus_all_hinge
from lscore.model.losses import SquaredLoss, half_sum_of_squares, mean_squared_error
from lscore.model.networks import Network, from_torch
from lscore.model.risk import Risk
from lscore.model.smooth_activations import (
    Smooth,
    arctan,
    elu,
    erf,
    exponential,
    gelu,
    selu,
    sigmoid,
    silu,
    sine,
    softplus,
    softsign,
    square,
    tanh,
    two_sided,
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
    "certify_affine_minimum",
    "certify_along",
    "certify_autograd",
    "certify_backpropagation",
    "certify_balance",
    "certify_convex_path",
    "certify_forms",
    "certify_indefinite",
    "certify_local_minimum",
    "certify_mirrored_spectrum",
    "certify_multilinear",
    "certify_nonincreasing",
    "certify_smooth_extremum",
    "certify_smooth_maximum",
    "certify_subgradient",
    "clarke_subdifferential",
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
