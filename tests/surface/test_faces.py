"""Faces of arrangements: against sign vectors of many points, counts and Euler's relation."""

from itertools import product

import numpy as np
import pytest

from lscore import exact
from lscore.algebra.matrices import augment
from lscore.cells.arrangement.hyperplanes import count_patterns
from lscore.errors import DataError
from lscore.surface.faces import faces

DATA = {
    "four points": [0, 1, 2, 5],
    "a repeated point": [0, 1, 1, 3],
    "one point": [2],
    "general position": [[0, 0], [3, 0], [0, 2], [2, 3], [-1, 3], [1, -2]],
    "three on a line": [[0, 0], [1, 0], [0, 1], [2, 1], [1, 3], [-1, 2]],
    "all on a line": [[1, 2], [2, 4], [3, 6]],
    "three inputs": [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]],
}


@pytest.fixture(params=DATA, ids=str)
def matrix(request):
    return augment(exact(DATA[request.param]))


def test_every_sign_vector_of_a_grid_is_a_face(matrix):
    found = {tuple(row) for row in faces(matrix).signs.tolist()}
    rows = np.array(matrix.floats())
    grid = np.array(list(product(range(-4, 5), repeat=rows.shape[1])))
    seen = {tuple(row) for row in np.sign(grid @ rows.T).astype(int).tolist()}
    assert seen <= found
    if rows.shape[1] == 2:
        assert seen == found or len(rows) > 3  # the grid is fine enough for three points


def test_the_sum_of_its_rays_lies_in_each_face(matrix):
    found = faces(matrix)
    rows, rays = np.array(matrix.floats()), np.array(found.rays)
    sums = found.members.astype(int) @ rays
    assert np.array_equal(np.sign(sums @ rows.T), found.signs)


def test_chambers_are_as_many_as_zaslavsky_says_and_faces_obey_euler(matrix):
    found = faces(matrix)
    assert found.is_chamber.sum() == count_patterns(matrix)
    rank = np.linalg.matrix_rank(matrix.floats())
    rays = np.array(found.rays)
    dimensions = [np.linalg.matrix_rank(rays[row]) if row.any() else 0 for row in found.members]
    assert sum((-1) ** d for d in dimensions) == (-1) ** rank
    assert not found.signs[0].any()
    assert len({row.tobytes() for row in found.signs}) == len(found.signs)


def test_the_star_is_made_of_the_chambers_that_touch_the_face(matrix):
    found = faces(matrix)
    chambers = np.flatnonzero(found.is_chamber)
    for face in range(len(found.signs)):
        signs = found.signs[face]
        touching = [c for c in chambers if (found.signs[c][signs != 0] == signs[signs != 0]).all()]
        assert np.array_equal(found.members[touching].any(axis=0), found.star[face])


def test_a_row_of_zeros_is_refused():
    with pytest.raises(DataError, match="A: row 1 is zero"):
        faces(exact([[1, 0], [0, 0]]))
