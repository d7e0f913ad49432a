"""Balls contain the truth and shrink with the precision; hulls hold every derivative."""

import pytest
import torch
from cases import CASES, encloses, name, random_network
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

import lscore
from lscore import Network, Risk, exact, relu
from lscore.algebra.intervals import interval
from lscore.errors import DataError, ShapeError
from lscore.model.balls import ball_risk, derivative_hulls


@given(st.integers(0, 40), st.booleans())
def test_the_ball_contains_the_exact_risk(seed, bias):
    risk, w = random_network(seed, bias)
    for bits in (24, 128):
        assert encloses(ball_risk(risk, w, bits=bits), risk(exact(w)))


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_ball_contains_the_exact_risk_on_kinks_too(case):
    assert encloses(ball_risk(case.risk, case.point), case.risk(case.point))


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "gelu", "softplus", "silu", "arctan"])
def test_the_ball_of_a_smooth_network_is_thin_and_next_to_the_float_value(activation):
    network = Network((2, 3, 2), getattr(lscore, activation), output_activation=lscore.sine)
    data = torch.tensor([[0.5, -1], [0.25, 2]], dtype=torch.float64)
    risk = Risk(network, data, data, weight_decay="1/10")
    w = network.init(2)
    ball = ball_risk(risk, w)
    assert abs(float(ball.mid()) - float(risk(w))) < 1e-13
    assert ball.rad() < 1e-30
    assert ball_risk(risk, w, bits=300).rad() < 1e-80
    assert ball.overlaps(ball_risk(risk, w, bits=300))


def test_precision_is_put_back_even_after_an_error():
    before, risk = ctx.prec, Risk(Network((1, 1, 1), relu), [1], [1])
    ball_risk(risk, exact([1, 0, 1, 0]), bits=500)
    assert ctx.prec == before
    with pytest.raises(ShapeError, match="w: shape"):
        ball_risk(risk, exact([1]), bits=500)
    assert ctx.prec == before
    with pytest.raises(DataError, match="bits: got 1"):
        ball_risk(risk, exact([1, 0, 1, 0]), bits=1)


@pytest.mark.parametrize(
    "h", [lscore.tanh, lscore.sigmoid, lscore.gelu, lscore.sine, lscore.erf], ids=lambda h: h.name
)
def test_hulls_hold_the_derivatives_and_are_nearly_their_range(h):
    hulls = derivative_hulls(h, interval(fmpq(-1, 2), fmpq(3, 2)), 2)
    samples = [h.derivatives(arb(x), 2) for x in torch.linspace(-0.5, 1.5, 81).tolist()]
    for k, hull in enumerate(hulls):
        values = [float(d[k].mid()) for d in samples]
        assert float(hull.low) <= min(values)
        assert max(values) <= float(hull.high)
        assert float(hull.high - hull.low) < 1.1 * (max(values) - min(values)) + 0.02


def test_more_parts_give_tighter_hulls():
    few, many = (derivative_hulls(lscore.tanh, interval(0, 1), 2, n)[2] for n in (2, 64))
    assert many.high - many.low < few.high - few.low


def test_there_is_no_hull_over_a_kink():
    assert derivative_hulls(lscore.selu, interval(-1, 1)) is None
    assert derivative_hulls(lscore.selu, interval(fmpq(1, 4), 1)) is not None
