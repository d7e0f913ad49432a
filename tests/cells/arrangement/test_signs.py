"""Signs of many products: settled in floats only where they are exact."""

from fractions import Fraction

import numpy as np
from arrangements import rng

from lscore import exact
from lscore.cells.arrangement.signs import SignedRows


def test_products_are_settled_only_where_their_sign_is_exact():
    generator = rng(8)
    normals = [tuple(map(int, row)) for row in generator.integers(-(2**60), 2**60, (30, 4))]
    rows = SignedRows(tuple(normals))
    points = generator.standard_normal((40, 4))
    near = np.linalg.svd(np.array(normals[:3], dtype=float))[2][-1]  # close to three hyperplanes
    points = np.vstack([points, near, near * 1e-200, np.zeros(4)])
    positive, zero, decided = rows.signs(points, {})
    truth = (exact([list(r) for r in normals]) @ exact(points).T).T
    signs = np.array([v > 0 for v in truth.entries()]).reshape(len(points), len(normals))
    assert (positive == np.packbits(signs, axis=1)).all()
    assert zero.tolist() == [False] * 42 + [True]
    assert decided >= 30


def test_points_beyond_the_floats_are_not_called_exact():
    near, far = SignedRows(((1, 2**10),)), SignedRows(((1, 2**3000),))
    scaled = np.array([[0.5, -0.25], [0.0, 0.75], [0.5, 0.0]])
    points, representable = near.points(scaled)
    assert representable.all()
    assert (points @ [1, 2**10] > 0).tolist() == (scaled.sum(axis=1) > 0).tolist()
    assert not far.points(scaled)[1].any()


def test_the_bounds_hold_what_rounding_does_in_many_dimensions():
    generator = rng(9)
    table = generator.integers(2**59, 2**60, (4, 300)).tolist()
    rows = SignedRows(tuple(map(tuple, table)))
    points = generator.uniform(0.5, 1, (6, 300))
    by_row, by_column = (e.tolist() for e in rows.exponents)
    values, _ = rows.products(points)
    errors = []
    for row, shift, found, bound in zip(table, by_row, values, rows.bounds, strict=True):
        scaled = [v * Fraction(2) ** (shift + c) for v, c in zip(row, by_column, strict=True)]
        for point, value in zip(points.tolist(), found.tolist(), strict=True):
            truth = sum(a * Fraction(x) for a, x in zip(scaled, point, strict=True))
            errors.append(abs(truth - Fraction(value)) / Fraction(float(bound)))
    assert 0 < max(errors) <= 1
