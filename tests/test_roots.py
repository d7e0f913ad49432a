"""First roots: rational ones exactly, irrational ones refused only where they come first."""

import pytest
from flint import ctx, fmpq, fmpq_poly
from hypothesis import given
from hypothesis import strategies as st

from lscore.errors import DataError
from lscore.roots import first_root

ONE = fmpq(1)
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
