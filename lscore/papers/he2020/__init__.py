"""He, Wang, Tao, "Piecewise linear activations substantially shape the loss surfaces of neural
networks", ICLR 2020. Theorem 1 in its three stages, and corrected as one construction."""

from lscore.papers.he2020.affine_minimum import affine_minimum
from lscore.papers.he2020.deeper import deepened
from lscore.papers.he2020.entropy import (
    certify_never_flat,
    certify_no_minimum,
    certify_overlap,
)
from lscore.papers.he2020.linear_fit import linear_minimiser
from lscore.papers.he2020.linear_minimum import LinearMinimum, linear_minimum
from lscore.papers.he2020.lower_point import HingePoint, hinge_point
from lscore.papers.he2020.pieces import Side, sides
from lscore.papers.he2020.separation import Separation, certify_separation, separation
from lscore.papers.he2020.spurious import certify_better_function, certify_spurious_minimum
from lscore.papers.he2020.transplant import around_knot, transplanted
from lscore.papers.he2020.two_units import PairPoint, pair_point
from lscore.papers.he2020.valley import certify_flat_dimension, certify_valley, valley_point

__all__ = [
    "HingePoint",
    "LinearMinimum",
    "PairPoint",
    "Separation",
    "Side",
    "affine_minimum",
    "around_knot",
    "certify_better_function",
    "certify_flat_dimension",
    "certify_never_flat",
    "certify_no_minimum",
    "certify_overlap",
    "certify_separation",
    "certify_spurious_minimum",
    "certify_valley",
    "deepened",
    "hinge_point",
    "linear_minimiser",
    "linear_minimum",
    "pair_point",
    "separation",
    "sides",
    "transplanted",
    "valley_point",
]
