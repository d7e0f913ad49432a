"""Activations: exact, float and ball evaluation agree; declared knots and slopes are true."""

import pytest
import torch
from cases import encloses, fraction, reference_activation, small_fractions
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

import lscore
from lscore import (
    Network,
    Risk,
    certify_convex_path,
    exact,
    leaky_relu,
    linear,
    piecewise_linear,
    rational,
    relu,
    two_piece,
    two_sided,
)
from lscore.algebra.intervals import interval
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.model.balls import derivative_hulls
from lscore.papers.yun2019 import place

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
