"""Activations: exact, float and ball evaluation agree; declared knots and slopes are true."""

import pytest
import torch
from cases import encloses, fraction, reference_activation, small_fractions
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

import lscore
from lscore import (
    exact,
    leaky_relu,
    linear,
    piecewise_linear,
    rational,
    relu,
    two_piece,
)
from lscore.errors import DataError, ShapeError

PIECEWISE = [
    relu,
    leaky_relu("1/10"),
    lscore.absolute_value,
    lscore.hard_tanh,
    lscore.identity,
    linear("1/2"),
    two_piece(-2, "1/2"),
    piecewise_linear(["-3/2", 0, "1/3"], [1, -2, 0, "5/7"], "2/3"),
]


@pytest.mark.parametrize("h", PIECEWISE, ids=lambda h: h.name)
@given(values=st.lists(small_fractions, min_size=1, max_size=5))
def test_piecewise_linear_evaluations_agree(h, values):
    wanted = [reference_activation(h, v) for v in values]
    column = exact(values)
    assert [fraction(v) for v in h(column).entries()] == wanted
    assert [fraction(h(v)) for v in column.entries()] == wanted
    floats = h(torch.tensor([float(v) for v in values], dtype=torch.float64))
    assert floats.tolist() == pytest.approx([float(v) for v in wanted], abs=1e-14)
    for v, image in zip(column.entries(), h(column).entries(), strict=True):
        assert encloses(h.ball(arb(v)), image)


@pytest.mark.parametrize("h", PIECEWISE, ids=lambda h: h.name)
@given(a=small_fractions, b=small_fractions, t=st.fractions(0, 1, max_denominator=9))
def test_a_wide_ball_encloses_every_value_in_it(h, a, b, t):
    ball = h.ball(arb(rational(a)).union(arb(rational(b))))
    assert encloses(ball, h(rational(a + t * (b - a))))


@pytest.mark.parametrize("pair", [(1, 0), (2, "1/3"), (-1, 1)])
@given(z=small_fractions, scale=st.fractions("1/9", 9, max_denominator=9))
def test_two_piece_activations_are_nonnegatively_homogeneous(pair, z, scale):
    h, z, scale = two_piece(*pair), rational(z), rational(scale)
    assert h(scale * z) == scale * h(z)
    s_plus, s_minus = map(rational, pair)
    assert h(z) == s_minus * z + (s_plus - s_minus) * max(z, fmpq(0))


def test_positions_report_ties_and_never_resolve_them():
    h = piecewise_linear(["-1/3", 2], [0, 1, 0])
    z = exact(["-1/2", "-1/3", 0, 2, "5/2"])
    assert h.positions(z).ravel().tolist() == [0, 1, 2, 3, 4]
    assert relu.positions(exact([[0.0, 5e-324]])).tolist() == [[1, 2]]


def test_intercepts_make_the_pieces_meet():
    h = PIECEWISE[-1]
    for p, t in enumerate(h.knots):
        left, right = (h.slopes[q] * t + h.intercepts[q] for q in (p, p + 1))
        assert left == right == h(t)


def test_linearity_is_declared_from_the_slopes():
    assert [h.is_linear for h in PIECEWISE] == [False] * 4 + [True] * 2 + [False] * 2
    assert piecewise_linear([1], [2, 2]).is_linear


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: two_piece(1, 1), DataError, "s_plus, s_minus: both are 1"),
        (lambda: two_piece(float("nan"), 0), DataError, "s_plus: got nan"),
        (lambda: two_piece(1, float("inf")), DataError, "s_minus: got inf"),
        (lambda: leaky_relu(float("nan")), DataError, "slope: got nan"),
        (lambda: piecewise_linear([0], [1]), ShapeError, "slopes: got 1 for 1 knots"),
        (lambda: piecewise_linear([1, 1], [1, 2, 3]), DataError, "knots: got .*increasing"),
        (lambda: piecewise_linear([2, 1], [1, 2, 3]), DataError, "knots"),
        (lambda: piecewise_linear([0], [1, 2], "a"), DataError, "value: cannot read"),
    ],
)
def test_impossible_activations_are_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        make()
