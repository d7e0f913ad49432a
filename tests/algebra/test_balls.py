"""Matrices of balls and power series: they enclose, and the precision is left alone."""

from cases import encloses
from flint import arb

from lscore import exact
from lscore.algebra.balls import balls


def test_a_ball_matrix_encloses_entry_by_entry():
    A = exact([["1/3", 2], [0, "-5/7"]])
    enclosure = balls(A)
    assert all(encloses(enclosure[i, j], A[i, j]) for i in range(2) for j in range(2))
    assert isinstance(enclosure[0, 0], arb)
