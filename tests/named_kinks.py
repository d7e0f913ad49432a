"""Kinks with names that more than one test file asks about."""

from cases import fraction

from lscore import Network, Risk, binary_hinge, leaky_relu, relu


def numbers(column):
    return [fraction(v) for v in column.entries()]


RIGHT, LEFT = [[-1, 1], [1, 1], [0, -1]], [1, 1, -1]
DEAD = [[3, 0], [4, 1], [5, -1], [3, 2], [6, 1], [-3, 0], [-4, 1], [-5, -1], [-4, -2], [-6, 2]]
HALF = leaky_relu("1/2")


def standing(h, mu=("7/20", "7/20", "3/10"), units=1):
    return Risk(Network((2, units, 1), h), RIGHT, LEFT, binary_hinge(mu))


FIGURE_4 = Risk(Network((2, 2, 1), relu), DEAD, [1] * 5 + [-1] * 5, binary_hinge())
TWO_NEURONS = [1, 0, -2, 0, 3, 5, 0, 0, 1]
