r"""Yun, Sra, Jadbabaie, "Small nonlinearities in activation functions create bad local minima in
neural networks", ICLR 2019. Points of Theorem 1 are exact; hand them to `Risk` or ``.point()``.
Points of Theorem 2 are named by `Constants`: fractions where possible, balls otherwise."""

from lscore.model.settings import slopes
from lscore.papers.yun2019.linear.counterexamples import (
    CORNER,
    certify_absolute_minimum,
    certify_corner_minimum,
    certify_linear_collapse,
    saddle_corner_risk,
)
from lscore.papers.yun2019.linear.critical import (
    certify_saddle_or_minimum,
)
from lscore.papers.yun2019.linear.designed import (
    Designed,
    count_answers,
    designed_minima,
    designed_saddles,
    partial_decomposition,
    zero_layers,
)
from lscore.papers.yun2019.linear.factorisations import (
    certify_bottleneck_minimum,
    certify_transfer,
    factorise,
    move_product,
)
from lscore.papers.yun2019.linear.floats import (
    FloatAnswer,
    critical_point_type,
    linear_descent,
    suboptimality,
)
from lscore.papers.yun2019.linear.saddles import (
    Escape,
    certify_saddle,
    saddle_escape,
)
from lscore.papers.yun2019.linear.setting import (
    layer_gradients,
)
from lscore.papers.yun2019.linear.strict import (
    certify_strict_saddle,
    negative_curvature,
)
from lscore.papers.yun2019.smooth.fit import (
    certify_printed_fit,
    certify_three_points,
    certify_zero_risk,
    relu_like_fit,
    relu_like_point,
)
from lscore.papers.yun2019.smooth.identities import (
    certify_bend_criterion,
    certify_lemma_a3,
    certify_lemma_a4,
    certify_lemma_a5,
)
from lscore.papers.yun2019.smooth.lower_points import (
    best_pull,
    first_lower_radius,
    lower_point_in_box,
    most_negative_place,
    pulled_apart,
    risk_on_slice,
)
from lscore.papers.yun2019.smooth.minimum import (
    box_is_safe,
    certify_smooth_minimum,
)
from lscore.papers.yun2019.smooth.search import (
    find_constants,
)
from lscore.papers.yun2019.smooth.setting import (
    Constants,
    Place,
    constants,
    place,
    three_points,
)
from lscore.papers.yun2019.smooth.table import (
    corollary_3,
    sigmoid_place,
    tempting_constants,
)
from lscore.papers.yun2019.two_piece.barriers import (
    certify_barrier,
    lowest_pass,
)
from lscore.papers.yun2019.two_piece.escape import (
    escape_path,
    just_outside,
)
from lscore.papers.yun2019.two_piece.lower_points import (
    LowerPoint,
    one_dead_unit,
    refitted_kink,
)
from lscore.papers.yun2019.two_piece.minimum import (
    certify_spurious,
    least_squares_minimum,
)
from lscore.papers.yun2019.two_piece.printed import (
    opposite_units,
    tied_point,
    two_unit_point,
)
from lscore.papers.yun2019.two_piece.setting import affine_fit, check_data
from lscore.papers.yun2019.two_piece.splits import (
    TieSplit,
    certify_split,
    split_tie,
)
from lscore.papers.yun2019.two_piece.ties import (
    Gap,
    TieGroup,
    certify_group_sums,
    random_ties,
    tie_groups,
    usable_gaps,
)
from lscore.papers.yun2019.two_piece.valleys import (
    certify_bad_valley,
)
from lscore.papers.yun2019.two_piece.wide_paths import (
    wide_path,
)
from lscore.surface.one_kink import (
    best_one_kink,
)

__all__ = [
    "CORNER",
    "Constants",
    "Designed",
    "Escape",
    "FloatAnswer",
    "Gap",
    "LowerPoint",
    "Place",
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
    "certify_saddle_or_minimum",
    "certify_smooth_minimum",
    "certify_split",
    "certify_spurious",
    "certify_strict_saddle",
    "certify_three_points",
    "certify_transfer",
    "certify_zero_risk",
    "check_data",
    "constants",
    "corollary_3",
    "count_answers",
    "critical_point_type",
    "designed_minima",
    "designed_saddles",
    "escape_path",
    "factorise",
    "find_constants",
    "first_lower_radius",
    "just_outside",
    "layer_gradients",
    "least_squares_minimum",
    "linear_descent",
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
    "saddle_corner_risk",
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
