"""How curved is the risk along its gradient: routes, rules, exact values, balls, decay."""

from lscore.curvature.routes import curvature

__all__ = ["curvature"]
