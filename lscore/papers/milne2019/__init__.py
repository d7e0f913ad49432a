"""Milne, "Piecewise strong convexity of neural networks", NeurIPS 2019."""

from lscore.papers.milne2019.balance import certify_layer_balance
from lscore.papers.milne2019.bounds import certify_curvature_bound, curvature_chain
from lscore.papers.milne2019.minimizers import certify_minimizers_inside
from lscore.papers.milne2019.region import certify_membership, curvature_bounds
from lscore.papers.milne2019.toy import (
    certify_every_draw,
    certify_only_minimum,
    certify_trained_to_zero,
    lowest_risk,
    toy_sides,
)

__all__ = [
    "certify_curvature_bound",
    "certify_every_draw",
    "certify_layer_balance",
    "certify_membership",
    "certify_minimizers_inside",
    "certify_only_minimum",
    "certify_trained_to_zero",
    "curvature_bounds",
    "curvature_chain",
    "lowest_risk",
    "toy_sides",
]
