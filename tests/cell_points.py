"""Cells that the tests of more than one exercise ask about."""

from lscore import (
    Network,
    Risk,
    binary_hinge,
    exact,
    relu,
)

BALANCED = binary_hinge(["1/4", "1/2", "1/4"])
THREE = Risk(Network((1, 1, 1), relu), [-1, 0, 2], [1, -1, 1], BALANCED)
PAIR = Risk(Network((1, 1, 1), relu), [0, 1], [-1, 1], binary_hinge())
A, B = exact([1, 1, 4, -6]), exact([-1, 2, -4, 6])
