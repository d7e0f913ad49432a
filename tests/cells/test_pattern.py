"""Patterns and cells: exact positions, ties never guessed, frozen risks."""

import itertools

import numpy as np
import pytest
from flint import fmpq

from lscore import (
    Network,
    Risk,
    absolute_value,
    binary_hinge,
    cell_along,
    cell_at,
    exact,
    hard_tanh,
    incident_cells,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    pattern_at,
    relu,
    tanh,
    walls_along,
)
from lscore.cells.pattern import Cell, locate
from lscore.errors import DataError, ShapeError, TieError

CASES = [
    ((2, 3, 1), relu, binary_hinge(), [1, -1, 1, -1]),
    ((2, 2, 2, 2), leaky_relu("1/3"), multiclass_hinge(), [0, 1, 1, 0]),
    ((2, 3, 3), hard_tanh, one_versus_all_hinge(["1/2", 1, 1, "1/4"]), [0, 1, 2, 2]),
    ((2, 2, 2, 1), absolute_value, None, ["1/2", 1, 0, -1]),
]


def make(widths, h, loss, labels, seed=0, decay=0):
    rng = np.random.default_rng(seed)
    X = exact(rng.integers(-6, 7, (4, 2)) / 4.0)
    extra = {} if loss is None else {"loss": loss}
    risk = Risk(Network(widths, h), X, labels, weight_decay=decay, **extra)
    return risk, exact(rng.integers(-16, 17, risk.dimension) / 8.0 + 1 / 64)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", range(5))
def test_the_frozen_risk_is_the_risk_on_the_cell_and_not_elsewhere(case, seed):
    risk, w = make(*case, seed=seed, decay="1/10")
    found = pattern_at(risk, w)
    if found.ties:
        return
    cell = cell_at(risk, w)
    assert locate(risk, w).clearance > 0
    assert w in cell
    assert cell(w) == risk(w)
    assert cell.gradient(w) == risk.gradient(w)
    assert cell_along(risk, w, w).pattern == found
    rng = np.random.default_rng(seed)
    differs = 0
    for _ in range(20):
        other = w + exact(rng.integers(-16, 17, risk.dimension) / 4.0)
        inside = other in cell
        assert not inside or cell(other) == risk(other)
        differs += not inside and cell(other) != risk(other)
    assert differs > 10


def test_ties_are_reported_and_not_resolved():
    risk = Risk(Network((1, 2, 1), relu), [0, 1], [-1, 1], binary_hinge())
    w = exact([1, 1, 1, -1, 1, 0, -2])
    found = pattern_at(risk, w)
    assert found.ties == [(1, 1, 1), (2, 0, 0)]
    assert not found.in_cell
    assert locate(risk, w).clearance == 0
    assert str(found) == "layer 1  +- +0\nmargins  0 +"
    with pytest.raises(TieError, match=r"unit 1 of layer 1 has a tie at sample 1 \(2 in all\)"):
        cell_at(risk, w)
    only_margin = exact([1, 1, 1, 2, 1, 0, -2])
    with pytest.raises(TieError, match="margin 0 has a tie at sample 0"):
        cell_at(risk, only_margin)


def test_signs_are_exact_next_to_a_knot():
    risk = Risk(Network((1, 1, 1), relu), [0.1], [0.0])
    knot = exact([1, -fmpq(*(0.1).as_integer_ratio()), 1, 0])
    assert pattern_at(risk, knot).ties == [(1, 0, 0)]
    tiny = exact([0, fmpq(1, 10**40), 0, 0])
    assert pattern_at(risk, knot + tiny).layers[0].tolist() == [[2]]
    assert pattern_at(risk, knot - tiny).layers[0].tolist() == [[0]]
    assert locate(risk, knot + tiny).clearance == fmpq(1, 10**40)


def test_patterns_compare_by_their_positions():
    risk, w = make(*CASES[0])
    same, other = pattern_at(risk, w), pattern_at(risk, -w)
    assert same == pattern_at(risk, w * 1)
    assert same != other
    assert len({same, pattern_at(risk, w), other}) == 2
    assert same != "a"


def test_output_activations_and_many_pieces_are_part_of_the_signature():
    risk = Risk(Network((1, 1, 1), hard_tanh, output_activation=relu), [0, 3], [1, 0])
    w = exact([1, 0, 1, -1])
    assert str(pattern_at(risk, w)) == "layer 1  + 2\nlayer 2  - 0"
    assert str(pattern_at(risk, exact([1, 1, 1, 1]))) == "layer 1  | 2\nlayer 2  + +"


def test_a_cell_that_is_not_connected():
    risk = Risk(Network((1, 1, 1), relu), [0, 1], [-1, 1], binary_hinge())
    A, B = exact([1, 1, 4, -6]), exact([-1, 2, -4, 6])
    assert pattern_at(risk, A) == pattern_at(risk, B)
    assert str(pattern_at(risk, A)) == "layer 1  + +\nmargins  - -"
    assert str(pattern_at(risk, (A + B) / 2)) == "layer 1  + +\nmargins  + +"


def test_a_ray_inside_a_wall_enters_no_cell():
    risk = Risk(Network((1, 1, 1), relu), [-1, 1], [0, 0])
    with pytest.raises(TieError, match="stays on a knot"):
        cell_along(risk, exact([0, 0, 1, 0]), exact([0, 0, 1, 1]))
    assert cell_along(risk, exact([0, 0, 1, 0]), exact([1, 0, 0, 0])).pieces[0].tolist() == [
        [0],
        [1],
    ]


@pytest.mark.parametrize("case", CASES)
def test_walls_are_met_in_order_and_exactly(case):
    risk, w = make(*case, seed=3)
    layers = risk.network.unpack(w)
    rng = np.random.default_rng(1)
    for depth in range(len(layers)):
        moved = [layer.weight for layer in layers]
        moved[depth] = moved[depth] + exact(rng.integers(-24, 25, moved[depth].shape) / 8.0)
        end = risk.network.pack(moved, [layer.bias for layer in layers])
        walls = walls_along(risk, w, end)
        times = [fmpq(0), *(wall.t for wall in walls)]
        assert all(a < b for a, b in itertools.pairwise(times))
        for wall in walls:
            found = pattern_at(risk, w + wall.t * (end - w))
            assert set(wall.signals) <= set(found.ties)
            assert wall.signals
        for a, b in itertools.pairwise([*times, fmpq(1)]):
            inside = [
                pattern_at(risk, w + (a + s * (b - a)) * (end - w))
                for s in (fmpq(1, 7), fmpq(1, 2), fmpq(6, 7))
                if a < b
            ]
            assert len(set(inside)) <= 1


def test_irrational_walls_are_refused():
    risk, w = make(*CASES[1])
    with pytest.raises(DataError, match="start, end: the next wall is irrational"):
        walls_along(risk, w, -w * 2)


def test_rational_walls_of_a_segment_that_moves_two_layers():
    """The first margin is 1 - 2 t (4 t + 1) / 3, with its only positive root at t = 1/2."""
    risk = Risk(Network((1, 1, 1), relu), [1, 0], [1, -1], binary_hinge())
    start, end = exact([0, 1, 0, 0]), exact([4, 1, "2/3", 0])
    walls = walls_along(risk, start, end)
    assert [(wall.t, wall.signals) for wall in walls] == [(fmpq(1, 2), ((2, 0, 0),))]


def test_a_located_point_gives_what_its_exact_twin_gives():
    """Its pass serves every cell that touches it, and no other."""
    risk = Risk(Network((2, 2, 2), relu), [[0, 0], [1, -1], [2, 1]], [0, 1, 0], multiclass_hinge())
    w = exact([1, 1, 0, -1, 0, "1/3", 1, -1, 2, 1, 1, 0])
    located = locate(risk, w)
    assert located == w
    assert repr(located) == repr(w)
    assert locate(risk, located) is located
    assert type(located + w) is type(w)
    other = Risk(risk.network, risk.X * 2, [0, 1, 0], multiclass_hinge())
    assert locate(other, located).risk is other
    around = [found.cell for found in incident_cells(risk, located).cells]
    assert len(around) > 1
    away = exact(np.random.default_rng(0).normal(size=12))
    far = [cell_at(risk, away), cell_at(risk, -away)]
    for cell in [*around, *far]:
        assert cell.gradient(located) == cell.gradient(w)
        assert cell(located) == cell(w)
    assert all(cell.forward(located) is located.run for cell in around)
    assert not any(cell.forward(located) is located.run for cell in far)


def test_bad_input_is_named():
    smooth = Risk(Network((1, 1, 1), tanh), [1], [0])
    with pytest.raises(DataError, match="piecewise linear"):
        pattern_at(smooth, exact([0, 0, 0, 0]))
    risk, w = make(*CASES[0])
    cell = cell_at(risk, w)
    with pytest.raises(ShapeError, match="pieces"):
        Cell(risk, (cell.pieces[0][:1], *cell.pieces[1:]))
    with pytest.raises(ShapeError, match="pieces"):
        Cell(risk, cell.pieces[:-1])
