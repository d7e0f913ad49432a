"""The flow through cells: walls crossed and slid along, the identity with jumps, and its limits."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from flows import HALF, random_risk

from lscore import Network, Risk, relu, tanh
from lscore.errors import DataError
from lscore.runs.flow import gradient_flow

ONE_UNIT = Network((1, 1), (), bias=False, output_activation=relu)


def point(*numbers):
    return torch.tensor(numbers, dtype=torch.float64)


def test_in_one_cell_the_flow_is_the_closed_form():
    risk = Risk(ONE_UNIT, [1.0], [1.0])  # w' = 1 - w
    flow = gradient_flow(risk, point(3.0), 2.0)
    (stretch,) = flow.stretches
    assert flow.end[0] == pytest.approx(1 + 2 * np.exp(-2.0), rel=1e-9)
    assert stretch.integral == pytest.approx(4.0)  # c = 2
    assert flow.reason == "time"
    assert not flow.turns


def test_crossing_a_concave_kink_at_the_known_time_with_the_known_jump():
    risk = Risk(ONE_UNIT, [1.0, -1.0], [-1.0, 5.0], HALF, "1/10")
    flow = gradient_flow(risk, point(1.0), 2.0)
    (turn,) = flow.turns
    assert turn.kind == "cross"
    assert turn.time == pytest.approx(np.log(2.2) / 0.6, rel=1e-9)
    assert turn.factor == pytest.approx(25.0)
    first, last = flow.stretches
    assert first.speeds[0] == pytest.approx(1.21)
    assert first.speeds[-1] == pytest.approx(0.25)
    assert last.speeds[0] == pytest.approx(6.25)
    assert np.allclose(np.concatenate([first.curvatures, last.curvatures]), 1.2)


def test_sliding_along_a_convex_kink():
    risk = Risk(Network((1, 1, 1), relu), [1.0, 2.0], [-2.0, 2.0], HALF, "1/100")
    w = point(1.0, -1.05, 0.5, 0.25)  # the unit is about to switch on at the first sample
    flow = gradient_flow(risk, w, 1.0)
    turn = flow.turns[0]
    assert turn.kind == "slide"
    assert turn.places == ((1, 0, 0),)
    assert turn.factor < 1
    on_wall = [s for s in flow.stretches if s.walls]
    assert max(abs(p[0] + p[1]) for s in on_wall for p in s.points) < 1e-9
    values = [float(risk(torch.from_numpy(p))) for s in flow.stretches for p in s.points]
    assert all(b <= a + 1e-12 for a, b in pairwise(values))
    for step in (1e-2, 1e-3):  # gradient descent zigzags about the wall, in proportion to its step
        v = w.clone()
        for k in range(round(1.0 / step)):
            v = v - step * risk.gradient(v)
            assert k * step < turn.time + 0.02 or abs(float(v[0] + v[1])) < 3 * step


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("widths", "n", "bias"), [((2, 6, 1), 8, True), ((2, 4, 1), 6, False)])
def test_the_identity_with_jumps(seed, widths, n, bias):
    risk = random_risk(seed, widths, n, bias)
    flow = gradient_flow(risk, risk.network.init(seed), 10.0)
    assert flow.reason == "time"
    assert abs(flow.defect()) < 1e-7
    assert all(turn.factor <= 1 + 1e-9 for turn in flow.turns if turn.kind == "slide")


@pytest.mark.parametrize("seed", [1, 3])
def test_small_steps_of_gradient_descent_shadow_the_flow(seed):
    risk = random_risk(seed)
    flow = gradient_flow(risk, risk.network.init(seed), 2.0)
    w, step = risk.network.init(seed), 5e-4
    for _ in range(4000):
        w = w - step * risk.gradient(w)
    assert np.abs(w.numpy() - flow.end).max() < 5e-3


def test_the_risk_falls_by_the_integral_of_the_squared_speed():
    risk = random_risk(1)
    flow = gradient_flow(risk, risk.network.init(1), 5.0)
    w = risk.network.init(1)
    fall = float(risk(w)) - float(risk(torch.from_numpy(flow.end)))
    speeds = sum(np.trapezoid(s.speeds, s.times) for s in flow.stretches)
    assert fall == pytest.approx(speeds, rel=0.05)


def test_it_rests_at_a_minimum():
    risk = Risk(ONE_UNIT, [1.0], [1.0])
    assert gradient_flow(risk, point(3.0), 100.0).reason == "at rest"


def test_deep_networks_cross_but_do_not_slide():
    reasons = set()
    for seed in range(6):
        risk = random_risk(seed, (2, 5, 4, 1))
        flow = gradient_flow(risk, risk.network.init(seed), 6.0)
        reasons.add(flow.reason)
        assert "slide" not in [turn.kind for turn in flow.turns]
        assert abs(flow.defect()) < 1e-6
    assert "sliding along a wall of a network with several hidden layers" in reasons


def test_limits_and_refusals():
    risk = random_risk(0)
    assert gradient_flow(risk, risk.network.init(0), 20.0, limit=1).reason == "1 turns"
    with pytest.raises(DataError):
        gradient_flow(Risk(Network((1, 1, 1), tanh), [1.0], [1.0]), point(1, 1, 1, 1), 1.0)
    with pytest.raises(DataError):
        gradient_flow(risk, risk.network.init(0), 0.0)
