"""One number: nothing is rounded on the way in, and nothing is read silently."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from doors import refused
from flint import fmpq, fmpz
from hypothesis import given
from hypothesis import strategies as st

from lscore import exact, rational
from lscore.algebra.matrices import to_float
from lscore.errors import DataError, DtypeError


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_converted_without_rounding(value):
    number = rational(value)
    assert Fraction(int(number.p), int(number.q)) == Fraction(value)
    assert to_float(number) == value
    assert exact(np.array([value]))[0, 0] == number
    assert exact(torch.tensor([value], dtype=torch.float64))[0, 0] == number


def test_numbers_of_every_accepted_type_agree():
    for value in (1, 1.0, "1", Fraction(1), fmpz(1), fmpq(1), np.int64(1), np.float64(1)):
        assert rational(value) == 1
    assert rational("-1.25") == fmpq(-5, 4)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (float("nan"), DataError, "eta: got nan"),
        (float("inf"), DataError, "eta: got inf"),
        ("one half", DataError, "eta: cannot read 'one half'"),
        ("1/0", DataError, "eta: cannot read"),
        (True, DtypeError, "eta: got the boolean True"),
        (np.bool_(True), DtypeError, "eta: got the boolean"),
        (np.float32(1), DtypeError, "eta: got float32"),
        (None, DtypeError, "eta: got NoneType"),
    ],
)
def test_an_unusable_number_is_refused_by_name(value, error, message):
    with pytest.raises(error, match=message):
        rational(value, "eta")


@pytest.mark.parametrize("value", ["1e99999999", "-1E-99999999", Decimal("1e99999999"), "9" * 5000])
def test_numbers_that_would_fill_the_memory_are_refused_at_once(value):
    refused(DataError, "rate: cannot read", rational, value, "rate")
