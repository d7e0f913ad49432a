r"""How large a part of a run the risk is convex along its gradient."""

from __future__ import annotations

from collections.abc import Sequence

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
