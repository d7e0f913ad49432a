r"""Yun, Sra, Jadbabaie, "Small nonlinearities in activation functions create bad local minima in
neural networks", ICLR 2019. Points of Theorem 1 are exact; hand them to `Risk` or ``.point()``.
Points of Theorem 2 are named by `Constants`: fractions where possible, balls otherwise."""

from lscore.one_kink import (
    best_one_kink,
)
from lscore.papers.yun2019.bad_valleys import (
    certify_bad_valley,
)
from lscore.papers.yun2019.barriers import (
    Pass,
    certify_barrier,
    lowest_pass,
)
from lscore.papers.yun2019.corollary_3 import (
    corollary_3,
    sigmoid_place,
    tempting_constants,
)
from lscore.papers.yun2019.critical_points import (
    classify_critical,
)
from lscore.papers.yun2019.deep_linear import (
    LinearRisk,
    ProductLoss,
    layer_gradients,
    linear_risk,
    logistic_product_loss,
)
from lscore.papers.yun2019.designed_saddles import (
    Designed,
    count_answers,
    designed_minima,
    designed_saddles,
    partial_decomposition,
    zero_layers,
)
from lscore.papers.yun2019.escape import (
    escape_path,
    just_outside,
)
from lscore.papers.yun2019.find_constants import (
    find_constants,
)
from lscore.papers.yun2019.identities import (
    certify_bend_criterion,
    certify_lemma_a3,
    certify_lemma_a4,
    certify_lemma_a5,
)
from lscore.papers.yun2019.kink_cones import (
    KinkCones,
)
from lscore.papers.yun2019.linear_counterexamples import (
    CORNER,
    certify_absolute_minimum,
    certify_corner_minimum,
    certify_linear_collapse,
    saddle_corner_loss,
)
from lscore.papers.yun2019.linear_curvature import (
    certify_strict_saddle,
    linear_hessian,
    negative_curvature,
)
from lscore.papers.yun2019.linear_factorisations import (
    certify_bottleneck_minimum,
    certify_transfer,
    factorise,
    move_product,
)
from lscore.papers.yun2019.linear_floats import (
    FloatAnswer,
    classify_critical_floats,
    gradient_descent,
    suboptimality,
)
from lscore.papers.yun2019.linear_saddles import (
    Escape,
    certify_saddle,
    saddle_escape,
)
from lscore.papers.yun2019.lower_points import (
    LowerPoint,
    one_dead_unit,
    refitted_kink,
)
from lscore.papers.yun2019.minimum import (
    certify_spurious,
    least_squares_minimum,
)
from lscore.papers.yun2019.setting import (
    affine_fit,
    check_data,
    slopes,
)
from lscore.papers.yun2019.smooth_lower_points import (
    best_pull,
    first_lower_radius,
    lower_point_in_box,
    most_negative_place,
    pulled_apart,
    risk_on_slice,
)
from lscore.papers.yun2019.smooth_minimum import (
    box_is_safe,
    certify_smooth_minimum,
)
from lscore.papers.yun2019.three_points import (
    Constants,
    Place,
    constants,
    place,
    three_points,
)
from lscore.papers.yun2019.tie_splits import (
    TieSplit,
    certify_split,
    split_tie,
)
from lscore.papers.yun2019.ties import (
    Gap,
    TieGroup,
    certify_group_sums,
    random_ties,
    tie_groups,
    usable_gaps,
)
from lscore.papers.yun2019.two_units import (
    opposite_units,
    tied_point,
    two_unit_point,
)
from lscore.papers.yun2019.wide_paths import (
    wide_path,
)
from lscore.papers.yun2019.zero_risk import (
    certify_printed_fit,
    certify_three_points,
    certify_zero_risk,
    relu_like_fit,
    relu_like_point,
)

__all__ = [
    "CORNER",
    "Constants",
    "Designed",
    "Escape",
    "FloatAnswer",
    "Gap",
    "KinkCones",
    "LinearRisk",
    "LowerPoint",
    "Pass",
    "Place",
    "ProductLoss",
    "TieGroup",
    "TieSplit",
    "affine_fit",
    "best_one_kink",
    "best_pull",
    "box_is_safe",
    "certify_absolute_minimum",
    "certify_bad_valley",
    "certify_barrier",
    "certify_bend_criterion",
    "certify_bottleneck_minimum",
    "certify_corner_minimum",
    "certify_group_sums",
    "certify_lemma_a3",
    "certify_lemma_a4",
    "certify_lemma_a5",
    "certify_linear_collapse",
    "certify_printed_fit",
    "certify_saddle",
    "certify_smooth_minimum",
    "certify_split",
    "certify_spurious",
    "certify_strict_saddle",
    "certify_three_points",
    "certify_transfer",
    "certify_zero_risk",
    "check_data",
    "classify_critical",
    "classify_critical_floats",
    "constants",
    "corollary_3",
    "count_answers",
    "designed_minima",
    "designed_saddles",
    "escape_path",
    "factorise",
    "find_constants",
    "first_lower_radius",
    "gradient_descent",
    "just_outside",
    "layer_gradients",
    "least_squares_minimum",
    "linear_hessian",
    "linear_risk",
    "logistic_product_loss",
    "lower_point_in_box",
    "lowest_pass",
    "most_negative_place",
    "move_product",
    "negative_curvature",
    "one_dead_unit",
    "opposite_units",
    "partial_decomposition",
    "place",
    "pulled_apart",
    "random_ties",
    "refitted_kink",
    "relu_like_fit",
    "relu_like_point",
    "risk_on_slice",
    "saddle_corner_loss",
    "saddle_escape",
    "sigmoid_place",
    "slopes",
    "split_tie",
    "suboptimality",
    "tempting_constants",
    "three_points",
    "tie_groups",
    "tied_point",
    "two_unit_point",
    "usable_gaps",
    "wide_path",
    "zero_layers",
]
