"""First roots: rational ones exactly, irrational ones refused only where they come first. Signs on
an interval: decided for every polynomial."""

from itertools import pairwise

import pytest
from cases import small_fractions
from flint import ctx, fmpq, fmpq_poly
from hypothesis import given
from hypothesis import strategies as st

from lscore.algebra.polynomials import dominates, first_root, positive_point
from lscore.errors import DataError

ONE = fmpq(1)


def is_nonpositive(p, a, b):
    """The answer, after the point that shows it is checked."""
    t = positive_point(p, a, b)
    assert t is None or (a <= t <= b and p(t) > 0)
    return t is None


SQRT_HALF = fmpq_poly([-1, 0, 2])
roots = st.fractions(-2, 2, max_denominator=9).map(lambda r: fmpq(r.numerator, r.denominator))


def with_roots(values):
    p = fmpq_poly([3])
    for root in values:
        p *= fmpq_poly([-root, 1])
    return p


@given(st.lists(st.lists(roots, min_size=1, max_size=4), min_size=1, max_size=3))
def test_the_first_rational_root_is_found(families):
    expected = min((r for values in families for r in values if 0 < r <= 1), default=None)
    assert first_root([with_roots(values) for values in families], ONE) == expected


def test_an_irrational_root_matters_only_if_it_comes_first():
    half = fmpq_poly([-1, 2])
    assert first_root([SQRT_HALF, half], ONE) == fmpq(1, 2)
    assert first_root([SQRT_HALF], fmpq(7, 10)) is None
    with pytest.raises(DataError, match="the first root is irrational"):
        first_root([fmpq_poly([-1, 1]), SQRT_HALF], ONE)
    assert first_root([fmpq_poly([2, 0, 1]), fmpq_poly([-1, 0, 0, 0])], ONE) is None


def test_roots_that_floats_cannot_tell_apart():
    """sqrt(1/2) lies between two rationals that agree in 60 digits."""
    digits = 707106781186547524400844362104849039284835937688474036588339868995
    below, above = fmpq(digits, 10**66), fmpq(digits + 1, 10**66)
    assert first_root([SQRT_HALF * SQRT_HALF, fmpq_poly([-below, 1])], ONE) == below
    with pytest.raises(DataError, match="irrational"):
        first_root([SQRT_HALF, fmpq_poly([-above, 1])], ONE)
    assert ctx.prec == 53


polynomials = st.lists(small_fractions, min_size=1, max_size=5).map(
    lambda values: fmpq_poly([fmpq(v.numerator, v.denominator) for v in values])
)


@given(polynomials, roots, st.integers(1, 4))
def test_the_sign_test_agrees_with_sampling(p, a, length):
    b = a + length
    answer = is_nonpositive(p, a, b)
    samples = [p(a + fmpq(k * length, 40)) for k in range(41)]
    if any(v > 0 for v in samples):
        assert answer is False
    if answer is False:
        assert max(p(a + fmpq(k * length, 2**12)) for k in range(2**12 + 1)) > 0


@pytest.mark.parametrize(
    ("coefficients", "answer"),
    [
        ([0], True),
        ([-1], True),
        ([1], False),
        ([0, -1], True),
        ([-1, 4, -4], True),  # -(2t - 1)^2 touches zero at 1/2
        ([-1, 6, -9], True),  # -(3t - 1)^2 touches zero at 1/3, which no bisection meets
        ([-1, 0, 4, 0, -4], True),  # -(2t^2 - 1)^2 touches zero at an irrational point
        ([0, 1, -1], False),  # both ends are roots
        ([0, -1, 1], True),
        ([0, 0, 1, -2, 1], False),  # both ends are double roots
        ([0, -1, 3, -2], False),  # t (1 - t) (2t - 1): below zero first, above it at the end
        (["-99/100", 4, -4], False),
        (["-1073741823/1073741824", 1], False),  # positive on the last billionth only
        (["-101/100", 4, -4], True),
    ],
)
def test_the_sign_on_an_interval_is_always_decided(coefficients, answer):
    p = fmpq_poly(
        [fmpq(*map(int, c.split("/"))) if isinstance(c, str) else c for c in coefficients]
    )
    assert is_nonpositive(p, fmpq(0), fmpq(1)) is answer


@given(st.lists(roots, min_size=1, max_size=3), st.lists(roots, max_size=2), st.booleans())
def test_double_roots_and_roots_at_the_ends_are_no_obstacle(double, single, sign):
    """The sign between neighbouring roots, from the roots themselves."""
    p = with_roots(double) * with_roots(double) * with_roots(single) * (1 if sign else -1)
    a, b = min(double), max(double) + 1
    marks = sorted({a, b, *(r for r in double + single if a < r < b)})
    middles = [(s + t) / 2 for s, t in pairwise(marks)]
    assert is_nonpositive(p, a, b) == all(p(t) <= 0 for t in marks + middles)
    assert ctx.prec == 53


def test_roots_close_to_an_end_are_told_from_it():
    """-(t - 1 - 10^-40) (t - 1 + 10^-40): positive within 10^-40 of 1 only."""
    tiny = fmpq(1, 10**40)
    p = -with_roots([ONE - tiny, ONE + tiny])
    assert not is_nonpositive(p, fmpq(0), ONE)
    assert is_nonpositive(p, fmpq(0), ONE - tiny)
    assert is_nonpositive(p, ONE + tiny, fmpq(2))


@given(st.lists(roots, min_size=1, max_size=4), st.lists(roots, min_size=1, max_size=4))
def test_largest_and_smallest_roots_are_compared_with_ties(own, other):
    assert dominates(with_roots(own), with_roots(other)) == (min(own) >= max(other))


def test_irrational_roots_are_compared_however_close():
    two = fmpq_poly([-2, 0, 1])
    digits = 141421356237309504880168872420969807856967187537694807317667973799
    below, above = (fmpq_poly([-fmpq(digits + k, 10**65), 1]) for k in (0, 1))
    positive = two * fmpq_poly([3, 1])  # -3 and -+ root of 2
    assert dominates(above, positive)
    assert not dominates(below, positive)
    assert not dominates(positive, below)
    assert not dominates(two, two)
    assert dominates(fmpq_poly([-4, 2]), fmpq_poly([-6, 3]))
    assert dominates(fmpq_poly([1, 0, 1]), two)  # no real root on one side
    assert dominates(two, fmpq_poly([1, 0, 1]))
    assert dominates(fmpq_poly([0, 1]), fmpq_poly([1, 0, 1]))
    assert ctx.prec == 53


def test_the_zero_polynomial_is_not_compared():
    zero, one = fmpq_poly([0]), fmpq_poly([-1, 1])
    for p, q, name in ((zero, one, "p"), (one, zero, "q"), (zero, zero, "p")):
        with pytest.raises(DataError, match=f"{name}: is the zero polynomial"):
            dominates(p, q)
