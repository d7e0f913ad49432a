r"""How large a part of a run the risk is convex along its gradient, and how curved it is there."""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb

from lscore.algebra.rationals import rational
from lscore.errors import DataError


def first_convex_step(second_derivatives: Sequence) -> int | None:
    r"""The first index from which on every :math:`\gamma''` is positive; None if the last is not.

    >>> first_convex_step([3, -1, 2, 5]), first_convex_step([1, -1])
    (2, None)
    """
    bad = [k for k, value in enumerate(second_derivatives) if not value > 0]
    start = bad[-1] + 1 if bad else 0
    return start if start < len(second_derivatives) else None


def loss_change_fraction(values: Sequence, start: int | None):
    r""":math:`(\gamma(t_0) - \gamma(t_1)) / (\gamma(0) - \gamma(t_1))` of Milne (2019), (20).

    `values` are the risks along a run, `start` the index of :math:`t_0`; 0 if it is None. Exact for
    exact values. Raises `DataError` if the risk did not change. Claim MILNE-E20.

    >>> loss_change_fraction([9, 5, 1], 1)
    0.5
    """
    total = values[0] - values[-1]
    if total == 0:
        raise DataError("values: first and last are equal, the loss change has no fractions")
    return total * 0 if start is None else (values[start] - values[-1]) / total


def tenth_percentile(values: Sequence[arb]) -> arb:
    r"""An enclosure of the 10th percentile of the numbers in balls, interpolated as numpy does.

    It lies at :math:`(1 - t)\, x_{(k)} + t\, x_{(k+1)}` with :math:`k + t = (n - 1)/10`. The j-th
    smallest of numbers grows with each of them: as many lie below a level as before, or fewer. So
    :math:`x_{(j)}` lies between the j-th smallest of the lower ends of the balls and the j-th
    smallest of the upper ends, and as 1 - t and t are not negative the percentile lies between
    those of the lower and of the upper ends. Ends are exact and sorted exactly. Sound. `DataError`
    for no values. An infinite ball, or one that is not a number, makes the answer not a number.

    >>> found = tenth_percentile([arb(3), arb(1, 0.5), arb(2, 2)])   # ends 0, .5, 3 and 1.5, 3, 4
    >>> round(float(found.lower()), 6), round(float(found.upper()), 6)
    (0.1, 1.8)
    """
    if not values:
        raise DataError("values: got none, need at least one ball")
    if not all(v.is_finite() for v in values):
        return arb("nan")
    position = rational("1/10") * (len(values) - 1)
    k = int(position.floor())
    part, ends = arb(position - k), []
    for end in ("lower", "upper"):
        row = sorted(getattr(v, end)() for v in values)
        ends.append(row[k] + part * (row[min(k + 1, len(row) - 1)] - row[k]))
    return ends[0].union(ends[1])
