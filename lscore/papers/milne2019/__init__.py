"""Milne, "Piecewise strong convexity of neural networks", NeurIPS 2019."""

from lscore.papers.milne2019.balance import decide_balance
from lscore.papers.milne2019.region import curvature_bounds, decide_membership
from lscore.papers.milne2019.toy import (
    decide_every_draw,
    decide_only_minimum,
    decide_trained_to_zero,
    lowest_risk,
    toy_sides,
)

__all__ = [
    "curvature_bounds",
    "decide_balance",
    "decide_every_draw",
    "decide_membership",
    "decide_only_minimum",
    "decide_trained_to_zero",
    "lowest_risk",
    "toy_sides",
]
