"""Real roots of rational polynomials, compared exactly: which is first, which is larger, and what
sign an interval has."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

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


def positive_point(p: fmpq_poly, a: fmpq, b: fmpq) -> fmpq | None:
    """A rational t in [a, b] with p(t) > 0; None if p <= 0 on all of [a, b].

    Sound and complete: between neighbouring real roots the sign of p is that at any rational point,
    and a and b stand for the two outer parts.

    >>> positive_point(fmpq_poly([-1, 6, -9]), fmpq(0), fmpq(1))          # -(3t - 1)^2
    >>> positive_point(fmpq_poly([-1, 2]), fmpq(0), fmpq(1))
    1
    """
    return next((t for t in [a, b, *_between_roots(p, a, b)] if p(t) > 0), None)


def _between_roots(p: fmpq_poly, a: fmpq, b: fmpq) -> list[fmpq]:
    """A rational number in (a, b) between every two neighbouring real roots that leave room there.

    The roots are enclosed until the balls are apart and hold a or b only where these are roots.
    """
    if p.degree() < 2:
        return []
    numerator, precision = p.numer(), ctx.prec
    ends = [t for t in (a, b) if p(t) != 0]
    try:
        while True:
            roots = [z.real for z, _ in numerator.complex_roots() if z.imag == 0]
            roots.sort(key=lambda z: z.mid().fmpq())
            apart = all(left < right for left, right in pairwise(roots))
            if apart and all(z < t or z > t for z in roots for t in ends):
                gaps = ((x.upper().fmpq(), y.lower().fmpq()) for x, y in pairwise(roots))
                return [t for low, high in gaps if a < (t := (low + high) / 2) < b]
            ctx.prec *= 2
    finally:
        ctx.prec = precision


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


def dominates(p: fmpq_poly, q: fmpq_poly) -> bool:
    """Whether every real root of p is at least as large as every real root of q; ties count.

    Exact: roots of different irreducible factors differ, so balls separate them. True if one of
    them has no real root. `DataError` for the zero polynomial, of which every number is a root.

    >>> half, two = fmpq_poly([-1, 2]), fmpq_poly([-2, 0, 1])                # 1/2; -+ root of 2
    >>> dominates(half, half), dominates(two, half), dominates(half, two * half)
    (True, False, False)
    """
    if p == 0 or q == 0:
        raise DataError(f"{'p' if p == 0 else 'q'}: is the zero polynomial, need another one")
    own, other = ([f for f, _ in polynomial.numer().factor()[1]] for polynomial in (p, q))
    factors = own + [f for f in other if f not in own]
    precision = ctx.prec
    try:
        while True:
            roots = [
                (z.real, f in own, f in other)
                for f in factors
                for z, _ in f.complex_roots()
                if z.imag == 0
            ]
            roots.sort(key=lambda root: root[0].mid().fmpq())
            if not any(a[0].overlaps(b[0]) for a, b in pairwise(roots)):
                break
            ctx.prec *= 2
    finally:
        ctx.prec = precision
    first = next((k for k, root in enumerate(roots) if root[1]), len(roots))
    last = max((k for k, root in enumerate(roots) if root[2]), default=-1)
    return first >= last
