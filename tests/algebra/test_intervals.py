"""Intervals: ends stay tight and outward."""

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from lscore.algebra.intervals import Interval, interval
from lscore.errors import DataError

numbers = st.fractions(-9, 9, max_denominator=12)
pairs = st.tuples(numbers, numbers).map(sorted)


def q(x):
    return fmpq(x.numerator, x.denominator)


def holds(box, x):
    return (
        bool(box.low <= q(x) <= box.high) if hasattr(x, "numerator") else box.low <= x <= box.high
    )


@given(a=pairs, b=pairs, s=st.fractions(0, 1, max_denominator=7))
def test_operations_hold_what_they_should_and_little_more(a, b, s):
    x, y = (p[0] + s * (p[1] - p[0]) for p in (a, b))
    first, second = (interval(q(p[0]), q(p[1])) for p in (a, b))
    assert holds(first + second, x + y)
    assert holds(first * second, x * y)
    assert holds(first.square(), x * x)
    assert holds(first.union(second), x)
    assert holds(first.widened(1), x + 1)
    corners = [u * v for u in a for v in b]
    product = first * second
    assert float(product.low) == pytest.approx(float(min(corners)), abs=1e-12)
    assert float(product.high) == pytest.approx(float(max(corners)), abs=1e-12)


def test_squares_are_never_negative():
    assert interval(-1, 2).square().low == 0
    assert float(interval(-3, -1).square().low) == 1.0
    assert interval(-1, 1).ball().contains(arb(1))


@pytest.mark.parametrize("ends", [(2, 1), (arb.nan(), 1), (0, arb.pos_inf())])
def test_impossible_ends_are_refused(ends):
    with pytest.raises(DataError, match="low, high: got"):
        Interval(arb(ends[0]), arb(ends[1]))
