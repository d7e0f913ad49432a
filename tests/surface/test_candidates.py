"""The best prediction of every closed cell, against scipy, and sets in their order."""

from itertools import chain, combinations
from math import comb

import numpy as np
import pytest
from scipy.optimize import nnls
from small_surfaces import EIGHT, FLAT, PLANE
from surface_cones import cones_of

from lscore.surface import candidates
from lscore.surface.candidates import (
    Candidate,
    cell_solutions,
    combined,
    count_subsets,
    picked,
    subsets,
    unions,
)


@pytest.mark.parametrize(("items", "largest"), [(5, 2), (3, 7), (0, 2), (4, 4)])
def test_sets_come_in_order_of_size_and_none_is_missing(items, largest):
    whole = [*chain.from_iterable(combinations(range(items), k) for k in range(largest + 1))]
    assert count_subsets(items, largest) == len(whole)
    rows = np.vstack([subsets(items, largest, i, i + 2) for i in range(0, len(whole), 2)])
    assert [tuple(v for v in row if v >= 0) for row in rows.tolist()] == whole
    spans = np.eye(max(items, 1), dtype=bool)
    assert unions(spans, rows).sum() == sum(map(len, whole))


def test_a_count_may_stop_when_it_is_enough():
    assert count_subsets(10**6, 10**6, 10**9) > 10**9
    assert count_subsets(10, 3, 10**9) == sum(comb(10, k) for k in range(4))


@pytest.mark.parametrize("data", [EIGHT, PLANE, FLAT])
@pytest.mark.parametrize("slopes", [(0, 1), ("-1/2", 1)])
def test_solutions_are_those_of_scipy(data, slopes):
    cones = cones_of(data, slopes)
    start, stop = 200, 300
    found, answers = cell_solutions(cones, 2, start, stop)
    rows = np.array([[int(e) for e in row] for row in cones.rows], dtype=float)
    target = cones.target.floats()[:, 0]
    cells = subsets(len(cones.distinct), 2, start, stop)
    reached = unions(cones.spans[cones.distinct], cells)
    for row, answer in zip(reached, answers, strict=True):
        distance = nnls(rows[row].T, target)[1]
        residual = found[answer].residual.floats()[:, 0]
        assert np.isclose(np.linalg.norm(residual), distance)


def test_a_wrong_support_solves_nothing():
    cones = cones_of(PLANE)
    found, answers = cell_solutions(cones, 1, 0, 20)
    reached = unions(cones.spans[cones.distinct], subsets(len(cones.distinct), 1, 0, 20))
    for which, solution in enumerate(found):
        assert solution.solves(reached[answers == which]).all()
        weights = solution.weights
        assert combined(cones, solution.support, weights) == solution.fit
        assert picked(cones, solution.support).nrows() == len(weights)
        if solution.support:
            opposite = Candidate(cones, tuple(v ^ 1 for v in solution.support))
            assert not opposite.solves(np.ones_like(reached)).any()
            shorter = Candidate(cones, solution.support[1:])
            assert not shorter.solves(reached[answers == which]).any()


def test_a_solution_that_fails_its_check_is_an_error(monkeypatch):
    cones = cones_of(PLANE)
    wrong = candidates.nonnegative_least_squares
    monkeypatch.setattr(
        candidates,
        "nonnegative_least_squares",
        lambda A, b: (wrong(A, b)[0] * 0 + wrong(A, -b)[0], b),
    )
    with pytest.raises(candidates.LscoreError, match="failed its check"):
        cell_solutions(cones, 1, 1, 20)
