r"""He, Wang and Tao (2020), Lemma 6: numbers that sum to 0, split by a tilted order, ties included.

The lemma orders the samples by :math:`v_i - \alpha \langle \beta, x_i \rangle` and finds a place at
which the numbers u on the lower side do not sum to 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, zeros
from lscore.certificates import Certificate, Question
from lscore.errors import HypothesisError, ShapeError

CLAIM = "HE-L6"
_SEPARATION = Question(CLAIM, "a tilted order separates the samples")


@checked
@dataclass(frozen=True, eq=False)
class Separation:
    r"""The samples `below` (I) and `above` (J), the tilt `beta` (d, 1), the last sample below, and
    `alpha_max`: the order holds for all :math:`0 < \alpha < \alpha_{max}`; None if for all."""

    below: tuple[int, ...]
    above: tuple[int, ...]
    beta: RationalMatrix
    last: int
    alpha_max: fmpq | None


@checked
def separation(u: RationalMatrix, v: RationalMatrix, X: RationalMatrix) -> Separation:
    r"""Lemma 6: I, J and :math:`\beta` with :math:`\sum_{i \in I} u_i \ne 0` and
    :math:`v_i - \alpha \langle \beta, x_i \rangle < v_j - \alpha \langle \beta, x_j \rangle` for i
    in I, j in J and all small :math:`\alpha > 0` (HE-L6).

    Shapes: u, v (n, 1), X (n, d). Where the u of the samples with :math:`v_i \le c` do not sum to
    0, these are I and :math:`\beta = 0`. Otherwise the first group of equal v with some :math:`u
    \ne 0` is split at its longest such input, :math:`\beta = x_{l'}`. Raises `HypothesisError`: "u"
    (all 0, or their sum is not 0), "distinct" (two equal inputs with :math:`u \ne 0` and equal v),
    `ShapeError`.

    >>> from lscore.algebra.matrices import exact
    >>> found = separation(exact([1, -1, -1, 1]), exact([0] * 4), exact([0, 1, 2, 3]))
    >>> found.below, found.beta, found.alpha_max
    ((3,), column(3), None)
    """
    n = len(X)
    if u.shape != (n, 1) or v.shape != (n, 1):
        raise ShapeError(f"u, v: shapes {u.shape} and {v.shape}, need ({n}, 1)")
    values, weights = v.entries(), u.entries()
    total = sum(weights, fmpq(0))
    if u.is_zero() or total != 0:
        raise HypothesisError(CLAIM, "u", f"the sum is {total}, need 0 of numbers not all 0", u)
    rows = [X.rows(i, i + 1).T for i in range(n)]
    levels = sorted(set(map(_key, values)), key=lambda key: fmpq(*key))
    groups = [[i for i in range(n) if _key(values[i]) == level] for level in levels]
    below: list[int] = []
    for group in groups[:-1]:
        below = below + group
        if sum((weights[i] for i in below), fmpq(0)) != 0:
            above = [i for i in range(n) if i not in below]
            beta = zeros(X.shape[1])
            return Separation(tuple(below), tuple(above), beta, group[-1], None)
    split = next(g for g, group in enumerate(groups) if any(weights[i] != 0 for i in group))
    live = [i for i in groups[split] if weights[i] != 0]
    for place, i in enumerate(live):
        if any(rows[i] == rows[j] for j in live[:place]):
            text = f"the inputs of sample {i} and another one coincide"
            raise HypothesisError(CLAIM, "distinct", text, i)
    last = max(live, key=lambda i: rows[i].dot(rows[i]))
    beta, size = rows[last], rows[last].dot(rows[last])
    lower = [i for group in groups[:split] for i in group]
    lower += [i for i in groups[split] if i != last and beta.dot(rows[i]) >= size]
    below = [*lower, last]
    above = [i for i in range(n) if i not in below]
    bounds = []
    for side, sign in ((below, 1), (above, -1)):
        for i in side:
            slope = sign * (size - beta.dot(rows[i]))
            if slope > 0 and values[i] != values[last]:
                bounds.append(sign * (values[last] - values[i]) / slope)
    return Separation(tuple(below), tuple(above), beta, last, min(bounds, default=None))


def _key(value: fmpq) -> tuple[int, int]:
    return int(value.p), int(value.q)


@_SEPARATION.checker
def certify_separation(
    u: RationalMatrix, v: RationalMatrix, X: RationalMatrix, found: Separation
) -> Certificate:
    r"""Is this a separation? Assertion (1.1) for :math:`0 < \alpha < \alpha_{max}`, and (1.2).

    The differences are affine in alpha. So the order holds on the whole interval if it holds in
    the middle, and at both ends with at most ties; without an end, if it holds at 1, at 0 with at
    most ties, and the tilt is at least as large below as above. Also asked: both sides hold a
    sample, and each is on one side. Anybody's separation is read; refuted by the first line that
    fails. Exact. Raises `ShapeError`.

    >>> from lscore.algebra.matrices import exact
    >>> data = exact([1, -1, -1, 1]), exact([0] * 4), exact([0, 1, 2, 3])
    >>> certify_separation(*data, separation(*data)).verdict.value
    'certified'
    """
    (n, d), beta, limit = X.shape, found.beta, found.alpha_max
    if u.shape != (n, 1) or v.shape != (n, 1) or beta.shape != (d, 1):
        shapes = f"{u.shape}, {v.shape} and {beta.shape}"
        raise ShapeError(f"u, v, beta: shapes {shapes}, need {(n, 1)}, {(n, 1)} and {(d, 1)}")
    sides = sorted([*found.below, *found.above])
    apart = sides == list(range(n))
    filled = bool(found.below and found.above)
    total = sum((u[i, 0] for i in found.below), fmpq(0)) if apart else fmpq(0)
    tilt = X @ beta
    end = -tilt if limit is None else v - limit * tilt
    middle = v - (fmpq(1) if limit is None else limit / 2) * tilt
    ready = apart and filled
    gaps = [_gap(numbers, found) for numbers in (v, middle, end)] if ready else [fmpq(0)] * 3
    up_to = "for all alpha" if limit is None else f"for alpha up to {limit}"
    lines = [
        ("each sample is on one side", apart, f"the sides hold {sides}"),
        ("both sides hold a sample", filled, "one is empty"),
        ("the order is meant for some alpha > 0", limit is None or limit > 0, f"up to {limit}"),
        ("the tilted values below are smaller", min(gaps) >= 0 and gaps[1] > 0, up_to),
        ("the numbers below do not sum to 0", total != 0, "their sum is 0"),
    ]
    values = {"sum_below": total} | ({"alpha_max": limit} if limit is not None else {})
    return _SEPARATION.line_by_line(lines, values=values)


def _gap(values: RationalMatrix, found: Separation) -> fmpq:
    """The smallest value above less the largest one below."""
    return min(values[j, 0] for j in found.above) - max(values[i, 0] for i in found.below)
