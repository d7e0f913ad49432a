"""The sweep over vertices: floats propose, integers decide, degenerate rows are recognised."""

import numpy as np
import pytest
from arrangements import pattern_set, rng

from lscore import activation_cells, exact
from lscore.cells.arrangement.signs import SignedRows
from lscore.cells.arrangement.sweep import DegenerateError, OnePass, fingerprints, half_of_the_cells


def test_float_proposals_alone_are_never_believed(monkeypatch):
    """Whatever the floats propose, the integers repair it: proposals are shuffled or spoiled."""
    propose = OnePass.propose
    spoiled = {
        "shuffled": lambda points: points[::-1],
        "mirrored": lambda points: -points,
        "one for all": lambda points: np.repeat(points[:1], len(points), axis=0),
        "nan": lambda points: points * np.nan,
    }
    X = rng(7).standard_normal((12, 2))
    whole = pattern_set(activation_cells(X))
    for spoil in spoiled.values():
        monkeypatch.setattr(OnePass, "propose", lambda self, s, f=spoil: f(propose(self, s)))
        cells = activation_cells(X)
        assert pattern_set(cells) == whole
        assert cells.certify().certified
        assert not cells.exact_witnesses  # floats lie in all of these cells


def test_a_degenerate_arrangement_is_recognised():
    rows = SignedRows(((1, 0, 1), (0, 1, 1), (1, 1, 2), (1, 2, 4)))
    with pytest.raises(DegenerateError):
        half_of_the_cells(rows, [0, 1, 2])


def test_the_inverse_of_a_system_exists_where_its_hyperplanes_are_independent():
    assert OnePass(SignedRows(((1, 0), (0, 1))), [0, 1]).inverse([1]) == [[1, 0], [0, 1]]
    rows = SignedRows(((1, 0, 1), (0, 1, 1), (1, 1, 2), (1, 2, 4)))
    work = OnePass(rows, [0, 1, 2])
    with pytest.raises(DegenerateError, match=r"hyperplanes \[1, 2\] are not independent"):
        work.inverse([1, 2])
    system, inverse = exact([rows.rows[i] for i in (0, 1, 3)]), exact(work.inverse([1, 3])).T
    multiple = (system @ inverse)[0, 0]
    assert multiple > 0
    assert system @ inverse == exact([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) * multiple


def test_fingerprints_of_distinct_rows_differ():
    patterns = np.array([[i >> k & 1 for k in range(16)] for i in range(2**16)], dtype=bool)
    padded = np.packbits(np.pad(patterns, ((0, 0), (50, 70))), axis=1)
    assert len(np.unique(fingerprints(padded))) == 2**16
    assert (fingerprints(padded[[5, 5]]) == fingerprints(padded)[5]).all()
