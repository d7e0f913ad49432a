"""Cones of a unit on small data."""

from lscore import exact, rational
from lscore.surface.cones import Cones


def cones_of(data, slopes=(0, 1)):
    """The cones of a unit with these slopes (minus, plus)."""
    X, y = data
    return Cones(exact(X), exact(y), tuple(rational(s) for s in slopes))
