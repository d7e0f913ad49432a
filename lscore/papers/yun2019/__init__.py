r"""Yun, Sra, Jadbabaie, "Small nonlinearities in activation functions create bad local minima in
neural networks", ICLR 2019. All points are exact; hand them to `Risk` or ``.point()``."""

from lscore.one_kink import best_one_kink
from lscore.papers.yun2019.escape import escape_path, just_outside
from lscore.papers.yun2019.lower_points import (
    LowerPoint,
    one_dead_unit,
    refitted_kink,
    two_unit_point,
)
from lscore.papers.yun2019.minimum import certify_spurious, least_squares_minimum
from lscore.papers.yun2019.setting import affine_fit, check_data, slopes

__all__ = [
    "LowerPoint",
    "affine_fit",
    "best_one_kink",
    "certify_spurious",
    "check_data",
    "escape_path",
    "just_outside",
    "least_squares_minimum",
    "one_dead_unit",
    "refitted_kink",
    "slopes",
    "two_unit_point",
]
