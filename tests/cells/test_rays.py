"""Rays and segments: the polynomials are the risk, piece by piece, and meet at the walls."""

from itertools import pairwise

import numpy as np
import pytest
from cases import CASE_A, CASES, PARABOLA, columns, name, random_network
from flint import fmpq, fmpq_poly
from hypothesis import given
from hypothesis import strategies as st

import lscore
from lscore import Network, Risk, exact, rational, relu
from lscore.cells.rays import pieces_along, polynomial_text, risk_along
from lscore.errors import LscoreError, SettingError, ShapeError

times = st.fractions(0, 1, max_denominator=12).map(lambda t: fmpq(t.numerator, t.denominator))
HARD_TANH = Risk(
    Network((1, 2, 1), lscore.hard_tanh), [-1, 0, "3/2"], [1, "1/3", 0], weight_decay="1/5"
)


@given(st.integers(0, 40), st.booleans(), times)
def test_an_expansion_is_the_risk_up_to_its_stop_at_any_depth(seed, bias, t):
    risk, w = random_network(seed, bias)
    w, u = exact(w), exact(risk.network.init(seed + 1))
    expansion = risk_along(risk, w, u)
    assert expansion.start == 0
    assert expansion.stop > 0
    t *= expansion.stop
    assert expansion.risk(t) == risk(w + t * u)


@pytest.mark.parametrize("case", CASES, ids=name)
@pytest.mark.parametrize("seed", range(3))
def test_an_expansion_is_the_risk_also_where_the_ray_starts_on_a_kink(case, seed):
    u = exact(list(np.random.default_rng(seed).integers(-2, 3, case.risk.dimension)))
    expansion = risk_along(case.risk, case.point, u)
    for t in (0, fmpq(1, 3), 1):
        t = t * expansion.stop
        assert expansion.risk(t) == case.risk(case.point + t * u)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_two_columns_are_a_curve(case):
    u = exact(np.random.default_rng(1).integers(-2, 3, (case.risk.dimension, 2)))
    expansion = risk_along(case.risk, case.point, u)
    for t in (fmpq(1, 3), fmpq(1)):
        t *= expansion.stop
        assert expansion.risk(t) == case.risk(case.point + u @ exact([t, t * t]))
    with pytest.raises(ShapeError, match="u: shape"):
        risk_along(case.risk, case.point, u.rows(0, 1))


@given(columns(7), columns(7), times)
def test_pieces_are_the_risk_and_meet_at_the_walls(start, end, t):
    for risk in (PARABOLA, HARD_TANH):
        pieces = pieces_along(risk, start, end)
        assert (pieces[0].start, pieces[-1].stop) == (0, 1)
        for left, right in pairwise(pieces):
            assert left.stop == right.start
            assert left.risk(left.stop) == right.risk(left.stop)
        for piece in pieces:
            assert piece.start < piece.stop
            inside = piece.start + t * (piece.stop - piece.start)
            assert piece.risk(inside) == risk(start + inside * (end - start))
            assert piece.change(inside) == piece.risk(inside) - piece.risk(piece.start)


def test_the_stop_is_the_first_wall_in_one_hidden_layer():
    w, u = exact([1, 1, 1, "1/2", 1, 1, 0]), exact([-1, 0, 0, "-1/8", 0, 0, 0])
    assert risk_along(PARABOLA, w, u).stop == fmpq(4, 3)
    assert risk_along(PARABOLA, w, u * 0).stop == 1


def test_case_a_falls_with_slope_four_where_autograd_sees_none():
    expansion = risk_along(CASE_A.risk, CASE_A.point, exact([1, -1, 0, 0]))
    assert expansion.risk == fmpq_poly([2, -4, 2])
    assert expansion.order == 1
    assert not CASE_A.risk.gradient(CASE_A.point.point()).any()


def test_the_order_of_a_constant_is_none():
    assert risk_along(PARABOLA, exact([0] * 7), exact([0] * 7)).order is None


def test_polynomials_are_written_in_t():
    for coefficients, text in [
        ([], "0"),
        ([0], "0"),
        (["-1/2"], "-1/2"),
        ([0, 1], "t"),
        ([0, -1, 0, 1], "-t + t^3"),
        ([1, 1, -1], "1 + t - t^2"),
        ([-2, "3/2", 0, "-4"], "-2 + 3/2 t - 4 t^3"),
    ]:
        assert polynomial_text(fmpq_poly([rational(c) for c in coefficients])) == text
    expansion = risk_along(PARABOLA, exact([0] * 7), exact([0] * 6 + [1]))
    assert str(expansion) == "49 - 14 t + 2 t^2  for 0 <= t <= 1"


def test_walls_of_unseen_units_are_not_crossed():
    start, end = exact([1, 1, 1, 1, 1, 0, 0]), exact([1, -2, 1, 1, 1, 0, 0])
    assert len(pieces_along(PARABOLA, start, end)) == 1
    seen = exact([1, -2, 1, 1, 1, 1, 0])
    assert [piece.stop for piece in pieces_along(PARABOLA, start, seen)] == [
        fmpq(4, 9),
        fmpq(1, 2),
        fmpq(2, 3),
        1,
    ]


def test_pieces_refuse_what_they_cannot_cut_into_pieces():
    point = exact([1, 0, -1, 0])
    deep = Risk(Network((1, 1, 1, 1), relu), [1], [0])
    with pytest.raises(SettingError, match="got 2 hidden layers, need 1 hidden layer"):
        pieces_along(deep, exact([1] * 6), exact([0] * 6))
    smooth = Risk(Network((1, 1, 1), lscore.tanh), [1], [0])
    for expand in (risk_along, pieces_along):
        with pytest.raises(SettingError, match=r"risk: .*piecewise linear"):
            expand(smooth, point, -point)
    bent_output = Risk(Network((1, 1, 1), relu, output_activation=relu), [1], [0])
    with pytest.raises(LscoreError, match="output activation"):
        pieces_along(bent_output, point, -point)
