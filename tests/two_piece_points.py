"""Data of Theorem 1 that more than one test file asks about."""

from lscore import Network, Risk, relu

TWO = Network((1, 2, 1), relu)
SYMMETRIC = Risk(TWO, [-1, 0, 1], [1, -2, 1])
DUPLICATES = Risk(TWO, [0, 0, 1, 2], [1, -1, 1, 0])
CONTRADICTORY = Risk(TWO, [0, 0, 1, 1], [1, -1, 1, -1])
