"""Candidates for a kink: sums against plain loops, directions that separate, the best one first."""

import numpy as np
import pytest
from cases import PARABOLA
from two_piece_points import TWO

from lscore import Network, Risk, exact, relu
from lscore.errors import DataError, ShapeError
from lscore.papers.yun2019 import affine_fit
from lscore.papers.yun2019.two_piece.candidates import (
    _sums,
    checked_direction,
    directions_to_try,
    ranked_kinks,
    unit_scale,
)


def test_sums_over_kinks_are_those_of_plain_loops():
    rng = np.random.default_rng(0)
    z, residuals, basis = (
        rng.integers(0, 5, 9) / 4,
        rng.normal(size=(9, 2)),
        rng.normal(size=(9, 3)),
    )
    marks = np.array([0.0, 0.3, 0.5, 1.0])
    sums = _sums(z, marks, residuals, basis)
    for j, beta in enumerate(marks):
        right, left = np.maximum(z - beta, 0), np.maximum(beta - z, 0)
        assert sums.pull[:, j] == pytest.approx(residuals.T @ right)
        assert sums.shadow[:, j] == pytest.approx(basis.T @ right)
        assert (sums.right[j], sums.left[j]) == pytest.approx((right @ right, left @ left))


def test_the_last_direction_separates_all_inputs():
    grid = Risk(Network((2, 2, 1), relu), [[a, b] for a in range(3) for b in range(3)], range(9))
    directions = directions_to_try(grid)
    assert [u.shape for u in directions] == [(2, 1)] * len(directions)
    assert directions[:2] == [exact([1, 0]), exact([0, 1])]
    assert directions[-1] == exact([1, 3])
    counts = [len(set(map(int, (grid.exact_X @ u).numerator.entries()))) for u in directions]
    assert counts == [3, 3, 5, 7, 9]


def test_kinks_come_by_their_score_and_equal_ones_in_order():
    fit = affine_fit(PARABOLA)
    listed = list(ranked_kinks(PARABOLA, fit, None, lambda sums: sums.right, midpoints=True))
    assert [str(beta) for _, beta in listed] == ["0", "1/2", "1", "3/2", "2", "5/2", "3"]
    some = ranked_kinks(PARABOLA, fit, [1], lambda s: np.where(s.right > 0, 1, np.nan), False)
    assert [str(beta) for _, beta in some] == ["0", "1", "2"]


def test_constant_inputs_give_no_kink():
    flat = Risk(TWO, [1, 1, 1], [0, 1, 2])
    assert not list(ranked_kinks(flat, affine_fit(flat), None, lambda sums: sums.right, True))


def test_columns_at_unit_scale():
    assert unit_scale(exact([[2, 0], [-4, 0]])).tolist() == [[0.5, 0], [-1, 0]]


def test_unfit_directions_are_refused_by_name():
    with pytest.raises(ShapeError, match=r"direction: shape \(2, 1\), need \(1, 1\)"):
        checked_direction(PARABOLA, [1, 0])
    with pytest.raises(DataError, match="direction: is zero"):
        checked_direction(PARABOLA, [0])
