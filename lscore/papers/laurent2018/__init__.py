"""Laurent, von Brecht, "The multilinear structure of ReLU networks", ICML 2018."""

from lscore.papers.laurent2018.flat_cells import (
    changes_the_frozen_risk,
    decide_flat,
    decide_flat_is_optimal,
    vanishes_for_every_matrix,
)
from lscore.papers.laurent2018.flat_point import (
    adjacent_patterns,
    decide_touches_flat,
    flat_point,
    flat_ray,
    is_flat_point,
)
from lscore.papers.laurent2018.labelled_data import LabelledData, is_rare_combination
from lscore.papers.laurent2018.rare_data import (
    decide_generic,
    rare_from_subset_sum,
    separates_class,
)
from lscore.papers.laurent2018.sharp_minima import certify_affine_hinge_minimum

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
