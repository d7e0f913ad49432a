r"""The best network with one hidden unit on one-dimensional data, exactly.

A unit has one kink :math:`\tau`. Between two neighbouring inputs the fit is linear in three
numbers, so the minimum over each gap is an exact least-squares problem on a cone: inside it, or
with the kink on one of the two inputs. The smallest over finitely many gaps is the global minimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.errors import DataError, HypothesisError
from lscore.model.risk import Risk
from lscore.model.settings import CLAIM, ONE_TO_ONE, slopes


@dataclass(frozen=True)
class OneKinkFit:
    """`risk`: the global minimum; `kink`: where its kink lies (None: an affine fit is best)."""

    risk: fmpq
    kink: fmpq | None


def _sum_of_squares(columns: list[list[fmpq]], y: RationalMatrix) -> tuple[fmpq, RationalMatrix]:
    A = exact([list(row) for row in zip(*columns, strict=True)])
    coefficients, _ = least_squares(A, y)
    residuals = A @ coefficients - y
    return residuals.dot(residuals), coefficients


@checked
def best_one_kink(risk: Risk, side: int | None = None) -> OneKinkFit:
    """The exact global minimum over all points of a network with widths (1, 1, 1).

    With `side` 1 (or -1) over the points whose first weight is positive (or negative) only.
    Two-piece activations. Raises `HypothesisError` for other widths, `DataError` for other sides.
    Sound and complete: every kink position is covered by one of at most 2 (n - 1) gaps, each solved
    in rationals.

    >>> from lscore import Network, relu
    >>> best_one_kink(Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1]))
    OneKinkFit(risk=0, kink=1)
    """
    ONE_TO_ONE.require(risk, CLAIM)
    if risk.network.widths[1] != 1:
        raise HypothesisError(CLAIM, "1 hidden unit", f"got {risk.network.widths[1]}", risk.network)
    if side not in (None, 1, -1):
        raise DataError(f"side: got {side}, need 1, -1 or None")
    s_plus, s_minus = slopes(risk)
    turns = {1: [(s_minus, s_plus)], -1: [(s_plus, s_minus)]}
    turns[None] = turns[1] + turns[-1]
    x, y = risk.exact_X.entries(), risk.exact_y
    constant = [fmpq(1)] * len(x)
    best = (_sum_of_squares([x, constant], y)[0], None)
    places = sorted(set(x))
    for low, high in pairwise(places):
        for left, right in turns[side]:
            slope = [left if value <= low else right for value in x]
            tilted = [s * value for s, value in zip(slope, x, strict=True)]
            total, (a, b, _) = _free_kink(tilted, slope, constant, y)
            if a != 0 and low <= b / a <= high:
                best = min(best, (total, b / a), key=lambda item: item[0])
            for kink in (low, high):
                fixed = [s * (value - kink) for s, value in zip(slope, x, strict=True)]
                total, _ = _sum_of_squares([fixed, constant], y)
                best = min(best, (total, kink), key=lambda item: item[0])
    return OneKinkFit(best[0] * risk.loss.scale(len(x)), best[1])


def _free_kink(tilted, slope, constant, y):
    """Least squares of a * slope * (x - kink) + c in (a, a * kink, c)."""
    total, coefficients = _sum_of_squares([tilted, [-s for s in slope], constant], y)
    return total, coefficients.entries()
