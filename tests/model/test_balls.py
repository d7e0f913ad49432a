"""Balls contain the truth, and shrink with the precision."""

import pytest
import torch
from cases import CASES, encloses, name, random_network
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

import lscore
from lscore import Network, Risk, exact, relu
from lscore.algebra.balls import balls
from lscore.errors import DataError, ShapeError
from lscore.model.balls import ball_risk


@given(st.integers(0, 40), st.booleans())
def test_the_ball_contains_the_exact_risk(seed, bias):
    risk, w = random_network(seed, bias)
    for precision in (24, 128):
        assert encloses(ball_risk(risk, w, precision), risk(exact(w)))


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
    assert ball_risk(risk, w, 300).rad() < 1e-80
    assert ball.overlaps(ball_risk(risk, w, 300))


def test_precision_is_put_back_even_after_an_error():
    before, risk = ctx.prec, Risk(Network((1, 1, 1), relu), [1], [1])
    ball_risk(risk, exact([1, 0, 1, 0]), 500)
    assert ctx.prec == before
    with pytest.raises(ShapeError, match="w: shape"):
        ball_risk(risk, exact([1]), 500)
    assert ctx.prec == before
    with pytest.raises(DataError, match="precision: got 1 bits"):
        ball_risk(risk, exact([1, 0, 1, 0]), 1)


def test_a_ball_matrix_encloses_entry_by_entry():
    A = exact([["1/3", 2], [0, "-5/7"]])
    enclosure = balls(A)
    assert all(encloses(enclosure[i, j], A[i, j]) for i in range(2) for j in range(2))
    assert isinstance(enclosure[0, 0], arb)
