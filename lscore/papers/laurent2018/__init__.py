"""Laurent, von Brecht, "The multilinear structure of ReLU networks", ICML 2018."""

from lscore.papers.laurent2018.cell_constants import (
    cell_constants,
    certify_cell_constants,
)
from lscore.papers.laurent2018.classes import (
    active_minimum,
    active_unsolved,
    halves_curve,
    separating_map,
    split_unit,
    zero_loss_point,
)
from lscore.papers.laurent2018.data import LabelledData, is_rare_combination
from lscore.papers.laurent2018.dead_data import certify_dead_data
from lscore.papers.laurent2018.flat import (
    certify_flat,
    certify_flat_is_optimal,
    certify_vanishing,
    changes_the_frozen_risk,
)
from lscore.papers.laurent2018.flat_points import (
    adjacent_patterns,
    certify_touches_flat,
    flat_point,
    flat_ray,
    is_flat_point,
)
from lscore.papers.laurent2018.linear import (
    certify_linear_hinge_minimum,
    collapsed,
    deepened,
    linear_hinge_optimum,
)
from lscore.papers.laurent2018.no_bad_minima import (
    certify_no_bad_minima,
    certify_not_critical,
    path_to_zero,
)
from lscore.papers.laurent2018.penalty import PenalisedRisk
from lscore.papers.laurent2018.perturbations import (
    certify_fall,
    first_perturbation,
    leaky_descent,
    second_perturbation,
    third_perturbation,
)
from lscore.papers.laurent2018.rare import (
    certify_generic,
    rare_from_subset_sum,
    separates_class,
)
from lscore.papers.laurent2018.replicas import (
    LinearEscape,
    certify_penalised_critical,
    certify_penalised_minimum,
    linear_escape,
)
from lscore.papers.laurent2018.separable import certify_separable, separator

__all__ = [
    "LabelledData",
    "LinearEscape",
    "PenalisedRisk",
    "active_minimum",
    "active_unsolved",
    "adjacent_patterns",
    "cell_constants",
    "certify_cell_constants",
    "certify_dead_data",
    "certify_fall",
    "certify_flat",
    "certify_flat_is_optimal",
    "certify_generic",
    "certify_linear_hinge_minimum",
    "certify_no_bad_minima",
    "certify_not_critical",
    "certify_penalised_critical",
    "certify_penalised_minimum",
    "certify_separable",
    "certify_touches_flat",
    "certify_vanishing",
    "changes_the_frozen_risk",
    "collapsed",
    "deepened",
    "first_perturbation",
    "flat_point",
    "flat_ray",
    "halves_curve",
    "is_flat_point",
    "is_rare_combination",
    "leaky_descent",
    "linear_escape",
    "linear_hinge_optimum",
    "path_to_zero",
    "rare_from_subset_sum",
    "second_perturbation",
    "separates_class",
    "separating_map",
    "separator",
    "split_unit",
    "third_perturbation",
    "zero_loss_point",
]
