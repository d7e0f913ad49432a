"""Cones of a unit: what it adds on each face, and where it may sit."""

from itertools import product

import numpy as np
import pytest
from flint import fmpq
from small_surfaces import EIGHT, FLAT, PLANE
from surface_cones import cones_of

from lscore import exact
from lscore.algebra.matrices import augment, zeros
from lscore.surface.cones import Cones, centred

CASES = list(product([EIGHT, PLANE, FLAT], [(0, 1), ("1/2", 1), (-1, 1), (-2, "-1/3")]))


@pytest.mark.parametrize(("data", "slopes"), CASES)
def test_vectors_are_what_rays_add(data, slopes):
    cones = cones_of(data, slopes)
    A, rows = augment(cones.X), cones.vectors.tolist()
    low, high = cones.slopes
    for ray, v, length in zip(cones.faces.rays, cones.vector_of, cones.lengths, strict=True):
        z = (A @ exact(list(ray))).entries()
        column = centred(exact([(high if e > 0 else low) * e for e in z]))
        assert column == (exact(rows[v]) * length if v >= 0 else zeros(len(A)))
    assert [[-e for e in row] for row in rows[::2]] == rows[1::2]


def test_members_span_their_cones_and_chambers_come_first():
    cones = cones_of(PLANE)
    for c, (face, sign) in enumerate(zip(cones.face, cones.sign, strict=True)):
        rays = np.flatnonzero(cones.faces.members[face])
        given = {cones.given(c, ray) for ray in rays} - {-1}
        assert set(np.flatnonzero(cones.spans[c])) == given
        assert cones.face[c ^ 1] == face
        assert cones.sign[c ^ 1] == -sign
    assert cones.faces.is_chamber[cones.face[: cones.open]].all()
    assert not cones.faces.is_chamber[cones.face[cones.open :]].any()


def test_cones_are_counted_once_and_dead_ones_not_at_all():
    x = [0, 1, 2], [0, 0, 1]
    assert len(cones_of(x).distinct) == 9  # of 12: two are dead, affine ones are equal
    assert len(cones_of(x, (-1, 1)).distinct) == 5  # |z| does not see the side


def test_a_unit_may_sit_where_the_risk_does_not_fall_and_does_not_change_inside():
    cones = cones_of(PLANE)
    slopes = cones.slopes_at(exact([3, -1, -2, 1, 0, -1]))
    for c, allowed in enumerate(cones.allowed(slopes)):
        star = slopes[np.flatnonzero(cones.around[c])]
        assert allowed == ((star >= 0).all() and not slopes[cones.spans[c]].any())


def test_a_sample_alone_adds_nothing():
    cones = Cones(exact([2]), exact([1]), (fmpq(0), fmpq(1)))
    assert cones.vectors.nrows() == 0
    assert len(cones.distinct) == 0
    assert cones.allowed(cones.slopes_at(exact([0]))).all()
