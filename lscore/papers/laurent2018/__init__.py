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
from lscore.papers.laurent2018.rare import (
    certify_generic,
    rare_from_subset_sum,
    separates_class,
)

__all__ = [
    "LabelledData",
    "adjacent_patterns",
    "certify_flat",
    "certify_flat_is_optimal",
    "certify_generic",
    "certify_touches_flat",
    "certify_vanishing",
    "changes_the_frozen_risk",
    "flat_point",
    "flat_ray",
    "is_flat_point",
    "is_rare_combination",
    "rare_from_subset_sum",
    "separates_class",
]
