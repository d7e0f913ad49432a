"""Where a flow is: distances to walls, the side it goes to, and the mix that slides along one."""

import numpy as np
import pytest
from flows import HALF

from lscore import Network, Risk, relu
from lscore.cells.floats import pieces_of
from lscore.runs.filippov import FlowState, WallDistances

ONE_UNIT = Risk(Network((1, 1, 1), relu), [1, -2], [1, 0], HALF)


def state_at(risk, w):
    return FlowState(risk, pieces_of(risk, w))


def test_inside_a_cell_the_velocity_is_minus_the_gradient():
    w = np.array([1.0, 0.25, 0.5, -0.125])
    state = state_at(ONE_UNIT, w)
    gradient = ONE_UNIT.gradient(w)
    gradient = np.asarray(gradient).reshape(-1)
    assert state.velocity(w) == pytest.approx(-gradient)
    assert state.curvature(w)[0] == pytest.approx(gradient @ gradient)


def test_distances_are_those_to_the_knots():
    w = np.array([1.0, 0.25, 0.5, 0.0])
    state = state_at(ONE_UNIT, w)
    distances = WallDistances(state, set())
    ((down, up),) = distances(w)
    assert down.tolist() == [[1.25], [np.inf]]
    assert up.tolist() == [[np.inf], [1.75]]
    assert distances.smallest(w) == 1.25
    assert distances.hit(w) == {}
    assert distances.hit(np.array([1.0, -1.0, 0.5, 0.0])) == {(1, 0, 0): -1}
    assert distances.hit(np.array([1.0, 2.0, 0.5, 0.0])) == {(1, 1, 0): 1}


def test_places_on_a_wall_have_no_distance():
    w = np.array([1.0, 0.25, 0.5, 0.0])
    state = state_at(ONE_UNIT, w)
    state.still.add((1, 0, 0))
    assert WallDistances(state, set()).smallest(w) == 1.75


def test_pieces_move_one_place_at_a_time():
    state = state_at(ONE_UNIT, np.array([1.0, 0.25, 0.5, 0.0]))
    before = [part.copy() for part in state.pieces]
    (moved,) = state.shifted({(1, 1, 0): 1})
    assert moved.tolist() == [[1], [1]]
    assert np.array_equal(state.pieces[0], before[0])


def test_on_a_wall_the_mix_is_tangent_or_the_wall_is_left():
    """Without pull on either side of the wall the flow slides, with one it leaves."""
    slide = Risk(Network((1, 1, 1), relu), [0, 1], [1, -2], HALF)
    w = np.array([1.0, 0.0, 1.0, 0.0])
    state = FlowState(slide, [np.array([[0], [1]])], [[(1, 0, 0)]])
    normal = state.cell().normal(w, (1, 0, 0))
    left, right = (-state.cell(np.array([mix])).gradient(w) @ normal for mix in (0.0, 1.0))
    share = state.shares(w)[0]
    assert (1 - share) * left + share * right == pytest.approx(0)
    assert state.velocity(w) @ normal == pytest.approx(0)
    state.settle(w)
    assert bool(state.walls) == (left > 0 > right)
