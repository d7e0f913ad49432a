r"""Intervals with their two ends kept apart, for products that must stay tight.

A ball is a midpoint and a radius, so the product of two wide balls is wider than the set of
products. An `Interval` keeps the lower and the upper end (each rounded outward) and multiplies
ends: for :math:`[1, 3]^2` it gives [1, 9], where a ball gives [-1, 9].
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, fmpq

from lscore.errors import DataError

Real = arb | fmpq | int


@dataclass(frozen=True)
class Interval:
    """All real numbers from `low` to `high`, both finite and exact binary numbers.

    >>> wide = interval(1, 3)
    >>> float((wide * wide).low), float((wide * wide).high)
    (1.0, 9.0)
    """

    low: arb
    high: arb

    def __post_init__(self) -> None:
        if not (self.low.is_finite() and self.high.is_finite() and self.low <= self.high):
            raise DataError(f"low, high: got {self.low} and {self.high}, need finite low <= high")

    def __add__(self, other: Interval | Real) -> Interval:
        other = _lift(other)
        return Interval((self.low + other.low).lower(), (self.high + other.high).upper())

    __radd__ = __add__

    def __sub__(self, other: Interval | Real) -> Interval:
        other = _lift(other)
        return Interval((self.low - other.high).lower(), (self.high - other.low).upper())

    def __mul__(self, other: Interval | Real) -> Interval:
        other = _lift(other)
        products = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(p.lower() for p in products), max(p.upper() for p in products))

    __rmul__ = __mul__

    def square(self) -> Interval:
        """The squares of the numbers in it; never below 0."""
        ends = sorted([abs(self.low), abs(self.high)])
        smallest = arb(0) if self.low <= 0 <= self.high else (ends[0] * ends[0]).lower()
        return Interval(smallest, (ends[1] * ends[1]).upper())

    def union(self, other: Interval) -> Interval:
        """The smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def ball(self) -> arb:
        """The smallest ball that holds it."""
        return self.low.union(self.high)

    def widened(self, by: Real) -> Interval:
        """All numbers within `by` of it."""
        return Interval((self.low - by).lower(), (self.high + by).upper())


def interval(low: Real, high: Real | None = None) -> Interval:
    """The interval from low to high, or around one number or ball."""
    high = low if high is None else high
    return Interval(arb(low).lower(), arb(high).upper())


def _lift(value: Interval | Real) -> Interval:
    return value if isinstance(value, Interval) else interval(value)
