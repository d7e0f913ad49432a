"""lscore: constructions, checkers and exact certificates for loss surfaces of neural networks.

The names here are those that a reader types first. Everything else is in its room: `algebra`,
`model`, `cells`, `minima`, `curvature`, `surface`, `runs`, and by paper in `papers`.
"""

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.algebra.rationals import rational
from lscore.cells.arrangement.units import activation_cells
from lscore.cells.forms import cell_polynomial, certify_multilinear
from lscore.cells.hessians import cell_hessian
from lscore.cells.incident import incident_cells
from lscore.cells.partition import (
    certify_disconnected,
    certify_in_cell,
    certify_not_convex,
    certify_smooth,
)
from lscore.cells.pattern import Cell, cell_at, pattern_at
from lscore.cells.rays import cell_along, risk_along, walls_along
from lscore.certificates import Certificate, Condition, Verdict
from lscore.claims import cite
from lscore.curvature.decay import certify_crossing, certify_decay
from lscore.curvature.exact import certify_loss_change
from lscore.errors import BudgetError, HypothesisError, LscoreError
from lscore.minima.affine import certify_affine_minimum
from lscore.minima.autograd import certify_autograd
from lscore.minima.clarke import certify_subgradient, clarke_subdifferential
from lscore.minima.convex_paths import certify_convex_path
from lscore.minima.kinks import certify_hinge_minimum
from lscore.minima.local import certify_local_minimum
from lscore.minima.near import certify_minimum_near, certify_spurious_near
from lscore.minima.paths import certify_nonincreasing
from lscore.minima.smooth import (
    certify_indefinite,
    certify_smooth_extremum,
    certify_smooth_maximum,
)
from lscore.minima.symmetries import certify_sharp_minimum
from lscore.minima.unit_by_unit import certify_kink_minimum
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
from lscore.model.entropy import CrossEntropyLoss, LogisticLoss
from lscore.model.hinges import binary_hinge, multiclass_hinge, one_versus_all_hinge
from lscore.model.huber import HuberLoss
from lscore.model.losses import SquaredLoss, half_sum_of_squares, mean_squared_error
from lscore.model.networks import Network
from lscore.model.readers import from_arrays, from_torch, frozen_of, weight_decay_of
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
from lscore.papers.yun2019.two_piece.minimum import certify_spurious

__all__ = [
    "BudgetError",
    "Cell",
    "Certificate",
    "Condition",
    "CrossEntropyLoss",
    "HuberLoss",
    "HypothesisError",
    "LogisticLoss",
    "LscoreError",
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
    "binary_hinge",
    "cell_along",
    "cell_at",
    "cell_hessian",
    "cell_polynomial",
    "certify_affine_minimum",
    "certify_autograd",
    "certify_convex_path",
    "certify_crossing",
    "certify_decay",
    "certify_disconnected",
    "certify_hinge_minimum",
    "certify_in_cell",
    "certify_indefinite",
    "certify_kink_minimum",
    "certify_local_minimum",
    "certify_loss_change",
    "certify_minimum_near",
    "certify_multilinear",
    "certify_nonincreasing",
    "certify_not_convex",
    "certify_sharp_minimum",
    "certify_smooth",
    "certify_smooth_extremum",
    "certify_smooth_maximum",
    "certify_spurious",
    "certify_spurious_near",
    "certify_subgradient",
    "cite",
    "clarke_subdifferential",
    "elu",
    "erf",
    "exact",
    "exponential",
    "from_arrays",
    "from_torch",
    "frozen_of",
    "gelu",
    "half_sum_of_squares",
    "hard_tanh",
    "identity",
    "incident_cells",
    "leaky_relu",
    "linear",
    "mean_squared_error",
    "multiclass_hinge",
    "one_versus_all_hinge",
    "pattern_at",
    "piecewise_linear",
    "rational",
    "relu",
    "risk_along",
    "selu",
    "sigmoid",
    "silu",
    "sine",
    "softplus",
    "softsign",
    "square",
    "tanh",
    "two_piece",
    "two_sided",
    "walls_along",
    "weight_decay_of",
]


def __dir__() -> list[str]:
    """What completion shows: the public names, no module."""
    return __all__
