"""Cones of kinks: minima as nonnegative least squares finds them, and the face of a unit."""

import numpy as np
import pytest
from barrier_points import EXAMPLE, FIT, network, random_data
from flint import fmpq
from scipy.optimize import nnls

from lscore import two_piece
from lscore.algebra.matrices import to_float
from lscore.errors import DataError
from lscore.papers.yun2019 import lowest_pass
from lscore.papers.yun2019.two_piece.cones import KinkCones


def test_cones_have_the_minimum_of_nonnegative_least_squares():
    cones = KinkCones(network(*random_data(3, 6, clash=True), h=two_piece(2, -1)))
    x, y = cones.risk.exact_X.floats()[:, 0], cones.risk.exact_y.floats()[:, 0]
    rng = np.random.default_rng(0)
    for _ in range(60):
        face = frozenset().union(*(cones.faces[i] for i in rng.integers(0, len(cones.faces), 3)))
        columns = [np.ones_like(x), -np.ones_like(x)]
        for g in sorted(face):
            z = sum(to_float(c) * v for c, v in zip(cones.rays[abs(g) - 1], (x, 1), strict=True))
            columns.append(np.sign(g) * np.where(z > 0, 2 * z, -z))
        wanted = nnls(np.column_stack(columns), y)[1] ** 2
        value, weights = cones.lowest(face)
        assert to_float(value) == pytest.approx(wanted, abs=1e-9)
        assert all(weights.get(g, 0) >= 0 for g in face)


def test_a_unit_finds_its_face():
    cones = KinkCones(network([0, 1, 2], [0, 0, 1], 1))
    assert cones.rays == [(-1, 2), (-1, 1), (-1, 0), (1, -2), (1, -1), (1, 0)]
    for unit, face in [
        ((0, 1, 1), []),
        ((3, 0, 0), []),
        ((2, -5, 5), [2]),
        ((-2, -5, 5), [-2]),
        ((1, 0, 1), [6, 1]),
        ((1, 0, -1), [3, 4]),
        ((-1, 2, -3), [-4, -5]),
    ]:
        assert cones.face_of(*map(fmpq, unit)) == frozenset(face)
    with pytest.raises(DataError, match=r"units: got .*, need 1 of the faces"):
        cones.smallest_risk((frozenset({1, 3}),))
    with pytest.raises(DataError, match="cones: made for another risk"):
        lowest_pass(EXAMPLE, FIT, cones)
    assert len(cones.beside[frozenset()]) == 12
    assert sorted(map(sorted, cones.beside[frozenset({-6})])) == [[], [-6, -5], [-6, -1]]
