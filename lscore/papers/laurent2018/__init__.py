"""Laurent, von Brecht, "The multilinear structure of ReLU networks", ICML 2018."""

from lscore.papers.laurent2018.data import LabelledData, is_rare_combination
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
from lscore.papers.laurent2018.penalty import PenalisedRisk
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

__all__ = [
    "LabelledData",
    "LinearEscape",
    "PenalisedRisk",
    "adjacent_patterns",
    "certify_flat",
    "certify_flat_is_optimal",
    "certify_generic",
    "certify_linear_hinge_minimum",
    "certify_penalised_critical",
    "certify_penalised_minimum",
    "certify_touches_flat",
    "certify_vanishing",
    "changes_the_frozen_risk",
    "collapsed",
    "deepened",
    "flat_point",
    "flat_ray",
    "is_flat_point",
    "is_rare_combination",
    "linear_escape",
    "linear_hinge_optimum",
    "rare_from_subset_sum",
    "separates_class",
]
