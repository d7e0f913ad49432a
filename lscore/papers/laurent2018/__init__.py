"""Laurent, von Brecht, "The multilinear structure of ReLU networks", ICML 2018."""

from lscore.minima.sharp import certify_affine_hinge_minimum
from lscore.papers.laurent2018.data import LabelledData, is_rare_combination
from lscore.papers.laurent2018.flat import (
    changes_the_frozen_risk,
    decide_flat,
    decide_flat_is_optimal,
    vanishes_for_every_matrix,
)
from lscore.papers.laurent2018.flat_points import (
    adjacent_patterns,
    decide_touches_flat,
    flat_point,
    flat_ray,
    is_flat_point,
)
from lscore.papers.laurent2018.rare import (
    decide_generic,
    rare_from_subset_sum,
    separates_class,
)

__all__ = [
    "LabelledData",
    "adjacent_patterns",
    "certify_affine_hinge_minimum",
    "changes_the_frozen_risk",
    "decide_flat",
    "decide_flat_is_optimal",
    "decide_generic",
    "decide_touches_flat",
    "flat_point",
    "flat_ray",
    "is_flat_point",
    "is_rare_combination",
    "rare_from_subset_sum",
    "separates_class",
    "vanishes_for_every_matrix",
]
