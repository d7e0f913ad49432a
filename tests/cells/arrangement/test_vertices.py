"""One point in every cell, degenerate or not: against the patterns that are listed in integers."""

from math import gcd

import numpy as np
import pytest

from lscore.cells.arrangement.hyperplanes import cells
from lscore.cells.arrangement.signs import SignedRows
from lscore.cells.arrangement.sweep import DegenerateError, OnePass
from lscore.cells.arrangement.vertices import VertexCells, _generic_row, half_of_any_cells

SMALL = {
    "generic": ((1, 0, 1), (0, 1, 1), (1, 1, 3), (1, 2, 5)),
    "four through a line": ((1, 0, 0), (0, 1, 0), (1, 1, 0), (1, -1, 0), (0, 0, 1)),
    "a grid": tuple((a, b, 1) for a in (0, 1, 2) for b in (0, 1, 2)),
    "four dimensions": ((1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0), (0, 0, 1, 1), (1, 0, 1, 1)),
}
COLUMNS = {"four dimensions": [0, 1, 2]}  # the last column repeats the third


@pytest.mark.parametrize("name", SMALL)
def test_the_half_is_that_of_the_list_in_integers(name):
    rows = SMALL[name]
    columns = COLUMNS.get(name, list(range(len(rows[0]))))
    packed, points, exact_points = half_of_any_cells(SignedRows(rows), columns, progress=False)
    found = np.unpackbits(packed, axis=1, count=len(rows)).astype(bool)
    listed = cells([tuple(row[c] for c in columns) for row in rows], len(columns))
    half = {tuple(bool(p >> j & 1) for j in range(len(rows))) for p in listed if p & 1}
    assert len(found) == len(half)
    assert {tuple(row) for row in found.tolist()} == half
    for k, sides in enumerate(found):  # each point lies in its cell
        point = exact_points.get(k) or points[k]
        values = [sum(a * b for a, b in zip(row, point, strict=True)) for row in rows]
        assert [v > 0 for v in values] == sides.tolist()


def test_a_vertex_is_answered_once():
    work = OnePass(SignedRows((_generic_row(SMALL["a grid"]), *SMALL["a grid"])), [0, 1, 2])
    at = VertexCells(work)
    first = at([1, 2])
    assert first
    assert at([1, 2]) == []
    assert at([2, 3]) == []  # the same three rows meet there


def test_dependent_rows_have_no_vertex():
    rows = ((1, 1, 1), (1, 0, 0), (2, 0, 0), (0, 1, 0))
    with pytest.raises(DegenerateError):
        OnePass(SignedRows(rows), [0, 1, 2]).inverse([1, 2])
    assert VertexCells(OnePass(SignedRows(rows), [0, 1, 2]))([1, 2]) == []


def test_the_generic_row_is_a_primitive_combination_of_the_rows():
    for rows in SMALL.values():
        row = _generic_row(rows)
        assert gcd(*row) == 1
        assert any(row)
    assert _generic_row(((1, 0, 0), (0, 1, 0)))[2] == 0
