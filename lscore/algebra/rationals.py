"""Exact rational numbers: one number, from whatever holds it, and back to a float or to text."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpz

from lscore.errors import DataError, DtypeError

Scalar = int | float | str | Fraction | Decimal | fmpz | fmpq
LARGEST_EXPONENT = 100_000  # of text and decimals: 1e99999999 would fill the memory


def rational(value: Scalar, name: str = "value") -> fmpq:
    """The rational number that `value` is, exactly; a float means its dyadic value.

    Accepts int, float, ``Fraction``, ``Decimal``, python-flint's fmpz and fmpq, and text such as
    ``"1/10"``. Raises `DataError` for NaN, infinities, unreadable text and exponents of ten beyond
    100000, `DtypeError` for anything else (booleans included).

    >>> rational("1/10"), rational(0.5)
    (1/10, 1/2)
    >>> rational(0.1) == rational("1/10")
    False
    """
    if isinstance(value, fmpq):
        return value
    if isinstance(value, bool | np.bool_):
        raise DtypeError(f"{name}: got the boolean {value}, need a number")
    if isinstance(value, int | fmpz | np.integer) and not isinstance(value, np.timedelta64):
        return fmpq(int(value))
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, str):
        return _from_text(value, name)
    if isinstance(value, float):
        if not np.isfinite(value):
            raise DataError(f"{name}: got {value}, need a finite number")
        return fmpq(*map(int, value.as_integer_ratio()))
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise DataError(f"{name}: got {value}, need a finite number")
        return _from_text(str(value), name)
    raise DtypeError(f"{name}: got {type(value).__name__}, need int, float, Fraction, fmpq or text")


def positive(value: Scalar, name: str) -> fmpq:
    """The rational number that `value` is; `DataError` unless it is positive."""
    number = rational(value, name)
    if number <= 0:
        raise DataError(f"{name}: got {number}, need a positive number")
    return number


def _from_text(text: str, name: str) -> fmpq:
    try:
        power = re.search(r"[eE]([-+]?[0-9_]+)\s*$", text)
        if power and abs(int(power[1])) > LARGEST_EXPONENT:
            raise ValueError("the exponent is too large")
        return rational(Fraction(text))
    except (ValueError, ZeroDivisionError) as error:
        shown = repr(text if len(text) <= 40 else text[:40] + "...")
        raise DataError(
            f"{name}: cannot read {shown} as a fraction such as '1/10' (exponents of ten up to "
            f"{LARGEST_EXPONENT})"
        ) from error


def to_float(value: fmpq, name: str = "value") -> float:
    """The float nearest to a rational (correctly rounded); `DataError` beyond the floats."""
    try:
        return int(value.p) / int(value.q)
    except OverflowError as error:
        raise DataError(f"{name}: is larger than every float, about {short(value)}") from error


def short(value: fmpq) -> str:
    """Six significant digits of a rational of any size.

    >>> short(fmpq(1, 3)), short(fmpq(10) ** 600 / 3), short(-fmpq(1, 10**400))
    ('0.333333', '3.33333e+599', '-1e-400')
    """
    try:
        number = int(value.p) / int(value.q)
    except OverflowError:
        number = 0.0
    if number or not value:
        return f"{number:.6g}"
    with localcontext(prec=6, Emax=MAX_EMAX, Emin=MIN_EMIN):
        return str((Decimal(int(value.p)) / Decimal(int(value.q))).normalize()).lower()
