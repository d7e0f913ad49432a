"""The first root of rational polynomials in (0, 1], when it is rational."""

from __future__ import annotations

from collections.abc import Iterable

from flint import ctx, fmpq, fmpq_poly, fmpz_poly

from lscore.errors import DataError


def first_root(polynomials: Iterable[fmpq_poly], last: fmpq) -> fmpq | None:
    """The smallest t with 0 < t <= last that is a root of any polynomial; None without one.

    Exact: rational roots are those of the linear factors over the integers; the real roots of the
    other factors are enclosed in balls until they are separated from it. Raises `DataError` if an
    irrational root comes first.

    >>> half, none = fmpq_poly([0, 1, -3, 2]), fmpq_poly([1, 0, 1])     # t (1 - t) (1 - 2 t)
    >>> first_root([none, half], fmpq(1)), first_root([none, half], fmpq(1, 3))
    (1/2, None)
    """
    factors = [q for p in polynomials for q in _factors(p)]
    linear = [fmpq(-q[0], q[1]) for q in factors if q.degree() == 1]
    first = min((root for root in linear if 0 < root <= last), default=None)
    for q in factors:
        if q.degree() > 1 and _has_root_before(q, last if first is None else first):
            raise DataError(f"polynomials: the first root is irrational, a root of {q}")
    return first


def _factors(p: fmpq_poly) -> list[fmpz_poly]:
    """Irreducible factors over the integers of positive degree."""
    numerator = p.numer()
    return [numerator] if p.degree() == 1 else [q for q, _ in numerator.factor()[1]]


def _has_root_before(q: fmpz_poly, bound: fmpq) -> bool:
    """Whether an irreducible polynomial of degree > 1 has a root in (0, bound)."""
    precision = ctx.prec
    try:
        while True:
            positive = [z.real for z, _ in q.complex_roots() if z.imag == 0 and z.real > 0]
            if all(z < bound or z > bound for z in positive):
                return any(z < bound for z in positive)
            ctx.prec *= 2
    finally:
        ctx.prec = precision
