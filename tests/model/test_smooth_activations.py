"""Smooth activations: balls hold values and derivatives, and refuse them over a kink."""

import pytest
import torch
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

import lscore
from lscore import (
    Network,
    Risk,
    certify_convex_path,
    exact,
    two_sided,
)
from lscore.algebra.intervals import interval
from lscore.errors import DataError, HypothesisError
from lscore.model.balls import derivative_hulls
from lscore.papers.yun2019 import place

SMOOTH = [
    lscore.sigmoid,
    lscore.tanh,
    lscore.arctan,
    lscore.softplus,
    lscore.silu,
    lscore.sine,
    lscore.exponential,
    lscore.square,
    lscore.gelu,
    lscore.erf,
    lscore.softsign,
    lscore.elu(),
    lscore.elu("1/2"),
    lscore.selu,
]
KINKED = SMOOTH[-4:]


@pytest.mark.parametrize("h", SMOOTH, ids=lambda h: h.name)
@given(x=st.floats(-4, 4).filter(lambda x: abs(x) > 1e-3))
def test_smooth_balls_contain_what_torch_computes_and_their_derivatives_autodiffs(h, x):
    point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    value = h(point)
    (first,) = torch.autograd.grad(value, point, create_graph=True)
    wanted = [value, first]
    if first.requires_grad:
        wanted.append(torch.autograd.grad(first, point)[0])
    balls = h.derivatives(arb(x), 2)
    assert h.ball(arb(x)).overlaps(balls[0])
    for ball, number in zip(balls, wanted, strict=False):
        assert abs(float(ball.mid()) - number.item()) < 1e-11 * max(1, abs(number.item()))


@pytest.mark.parametrize("h", SMOOTH, ids=lambda h: h.name)
def test_derivatives_of_a_wide_ball_enclose_those_of_its_points(h):
    wide = h.derivatives(arb(0.5, 0.25), 3)
    for x in (0.25, 0.5, 0.7):
        for outer, inner in zip(wide, h.derivatives(arb(x), 3), strict=True):
            assert outer.contains(inner)


@pytest.mark.parametrize("h", KINKED, ids=lambda h: h.name)
def test_activations_with_a_kink_enclose_values_there_and_refuse_derivatives(h):
    wide = arb(0, 1)
    for x in (-0.75, 0.0, 0.5):
        assert h.ball(wide).contains(h.ball(arb(x)))
    for meets in (wide, arb(0)):
        assert all(d.is_nan() for d in h.derivatives(meets, 2))
    assert h.ball(arb(0)) == 0


def test_a_formula_that_divides_by_a_ball_around_0_gives_no_derivatives():
    inverse = lscore.Smooth("1/z", torch.reciprocal, lambda z: 1 / z)
    assert all(d.is_nan() for d in inverse.derivatives(arb(0, 1), 2))
    assert inverse.derivatives(arb(2), 1)[1] == arb(-0.25)


QUOTIENTS = {
    "(e^z - 1)/z": lambda z: (z.exp() - 1) / z,
    "sin z / z": lambda z: z.sin() / z,
    "z^3 / z": lambda z: z * z * z / z,
}


@pytest.mark.parametrize("name", QUOTIENTS)
def test_what_a_removable_singularity_costs_is_no_enclosure(name):
    """0/0 takes a term from the series; what was lost once came back as an exact 0."""
    h = lscore.Smooth(name, QUOTIENTS[name], QUOTIENTS[name])
    for order in range(4):
        assert all(d.is_nan() for d in h.derivatives(arb(0), order))
    assert all(d.is_finite() for d in h.derivatives(arb(1), 3))
    assert derivative_hulls(h, interval(0), 2, 1) is None
    risk = Risk(Network((1, 1, 1), h), [0, 1], [0, 1])
    path = [exact([0, 0, 0, 0]), exact([1, 0, 0, 0])]
    assert certify_convex_path(risk, path).reason.startswith("the activation has no finite")
    with pytest.raises(HypothesisError, match=r"C2\.4: .* has no derivatives at 0"):
        place(h, 0)
    with pytest.raises(DataError, match="or are not enclosed"):
        two_sided(name, h.ball_formula, h.ball_formula)


def test_two_sides_are_not_compared_where_a_quotient_has_lost_them():
    """h'' is 2 on the right and 0 on the left; 0 once stood for the lost term."""
    with pytest.raises(DataError, match="or are not enclosed"):
        two_sided("x", lambda z: z * z * z / z, lambda z: 0 * z)


def test_two_sides_must_meet_with_two_derivatives_and_then_the_third_may_jump():
    h = two_sided("rough", lambda z: 1 + z * z / 2 + z * z * z, lambda z: 1 + z * z / 2 - z * z * z)
    assert [str(d) for d in h.derivatives(arb(0), 2)] == [
        "1.00000000000000",
        "0",
        "1.00000000000000",
    ]
    for wide in (h.derivatives(arb(0, 1), 3), h.derivatives(arb(-0.5, 1), 3)):
        for x in (-0.9, -0.1, 0.0, 0.4):
            for outer, inner in zip(wide, h.derivatives(arb(x), 3), strict=True):
                assert outer.contains(inner)
    assert h(torch.tensor([-1.0, 2.0])).tolist() == [2.5, 11.0]
    assert h.ball(arb(0, 1)).contains(h.ball(arb(0.5)))
    with pytest.raises(DataError, match=r"right, left: .* differ at 0"):
        two_sided("ELU", lambda z: z, lambda z: z.exp() - 1)


def test_derivatives_leave_the_series_length_alone():
    before = ctx.cap
    lscore.tanh.derivatives(arb(0), 7)
    assert ctx.cap == before
    assert len(lscore.sine.derivatives(arb(1), 0)) == 1
