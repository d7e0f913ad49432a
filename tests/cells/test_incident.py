"""The cells at a kink: their number, and which stay in doubt."""

from itertools import product

import numpy as np
import pytest
from kinked_points import PLANE
from losses import Absolute

from lscore import (
    Network,
    Risk,
    binary_hinge,
    exact,
    multiclass_hinge,
    pattern_at,
    relu,
)
from lscore.cells.incident import incident_cells, relevant_ties
from lscore.errors import BudgetError, DataError
from lscore.minima.clarke import certify_subgradient, clarke_subdifferential


@pytest.mark.parametrize(("m", "cells"), [(2, 4), (3, 8), (4, 14), (5, 22), (6, 32)])
def test_generic_ties_in_three_dimensions(m, cells):
    risk = Risk(Network((2, 1, 1), relu), PLANE[:m], [0] * m)
    found = incident_cells(risk, exact([0, 0, 0, 1, 0]))
    assert (len(found.cells), len(found.ties), found.is_complete) == (cells, m, True)


def test_a_hidden_zero_output_weight_leaves_cells_in_doubt():
    """With v = 0 first order can miss cells: they are doubtful, never silently dropped."""
    doubtful = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        X = exact(rng.integers(-2, 3, (4, 1)) / 1.0)
        risk = Risk(Network((1, 2, 1), relu), X, rng.choice([-1, 1], 4), binary_hinge())
        w = exact([*rng.integers(-1, 2, 4), 0, int(rng.integers(-1, 2)), int(rng.choice([-1, 1]))])
        try:
            listed = incident_cells(risk, w, tie_limit=7, limit=500)
        except BudgetError:
            continue
        doubtful += bool(listed.doubtful)
        if listed.doubtful and relevant_ties(risk, w) == pattern_at(risk, w).ties:
            hull = clarke_subdifferential(risk, w)
            with pytest.raises(DataError, match="cells are doubtful"):
                hull.shortest()
    assert doubtful


def test_no_choice_of_multipliers_leaves_a_cell_in_doubt():
    """Samples 2 and 3 coincide, so a cell that parts their margins is out, not doubtful.

    Several combinations of the signed gradients are 0; the one that has no second-order part either
    has to be found, also where an earlier tie has left the branch in doubt.
    """
    risk = Risk(Network((1, 2, 2), relu), [0, 2, 1, 1], [1, 1, 1, 1], multiclass_hinge())
    w = exact([1, -1, -1, -1, 1, -1, 0, -1, 0, 1])
    listed = incident_cells(risk, w)
    assert (len(listed.ties), len(listed.cells), len(listed.doubtful)) == (5, 5, 1)
    for cell in [*[found.cell for found in listed.cells], *listed.doubtful]:
        assert cell.margins[2].tolist() == cell.margins[3].tolist()


def test_ties_of_slack_samples_are_not_felt():
    risk = Risk(Network((1, 1, 1), relu), [0, 1], [1, 1], binary_hinge())
    w = exact([1, 0, 0, 3])  # both margins slack, one hidden tie
    assert pattern_at(risk, w).ties == [(1, 0, 0)]
    assert relevant_ties(risk, w) == []
    assert certify_subgradient(risk, w).certified


def test_margins_that_part_in_second_order_are_doubtful_and_equal_ones_are_not():
    """Both margins tie with one gradient, as inner and outer weight are 0; X = 0, 1 can part."""
    for X, doubtful in ([0, 1], 2), ([1, 1], 0):
        risk = Risk(Network((1, 1, 1), relu), X, [1, 1], binary_hinge())
        found = incident_cells(risk, exact([0, 1, 0, 1]))
        assert (len(found.cells), len(found.doubtful)) == (2, doubtful)
        assert found.is_complete == (doubtful == 0)


@pytest.mark.parametrize(("X", "count"), [([0, 1], 12), ([1, 1], 4), ([-1, 0, 1], 22)])
def test_hidden_ties_and_margins_together_leave_no_doubt_for_one_output(X, count):
    """As many cells as random points nearby have sign patterns; first order decides them all."""
    risk = Risk(Network((1, 1, 1), relu), X, [1] * len(X), binary_hinge())
    found = incident_cells(risk, exact([0, 0, 1, 1]))
    W, b, v, c = np.random.default_rng(0).normal(size=(4, 50000, 1)) * 1e-4
    z = W * np.array(X) + b
    margins = 1 - ((1 + v) * np.maximum(z, 0) + 1 + c)
    assert len(np.unique(np.hstack([z > 0, margins > 0]), axis=0)) == count
    assert (len(found.cells), len(found.doubtful)) == (count, 0)


def test_one_layer_leaves_no_doubt():
    for X, w, count in (([1, 1], [1, 0], 2), ([0, 1, 2], [0, 1], 6)):
        risk = Risk(Network((1, 1), ()), X, [1] * len(X), binary_hinge())
        found = incident_cells(risk, exact(w))
        assert (len(found.cells), len(found.doubtful)) == (count, 0)


def test_margins_that_nothing_moves_hide_no_cells():
    """Without biases a sample of output 0 stays there where its unit is off: |f - 0| stands."""
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1, -1, 1], [0, 0, 0], Absolute())
    for w, count, doubtful in ([0, 0], 0, 4), ([1, 0], 2, 0):
        found = incident_cells(risk, exact(w))
        assert (len(found.cells), len(found.doubtful)) == (count, doubtful)
        cells = [*(cell.cell for cell in found.cells), *found.doubtful]
        known = {tuple(part.tobytes() for part in cell.pieces) for cell in cells}
        for u in product((-1, 1), repeat=2):
            near = pattern_at(risk, exact(w) + exact(u) / 8).pieces
            assert tuple(part.tobytes() for part in near) in known
