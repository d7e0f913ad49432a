r"""Yun, Sra, Jadbabaie (2019), Lemma A.2: a direction that breaks one tie and no order.

Tilting the affine fit :math:`\bar y` by :math:`-\alpha v` separates one sample of a tied group from
the rest of the group, while predictions that differ keep their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import AffineFit
from lscore.algebra.matrices import RationalMatrix, Scalar, rational
from lscore.certificates import Certificate, Question
from lscore.errors import DataError, HypothesisError
from lscore.model.risk import Risk
from lscore.papers.yun2019.two_piece.setting import affine_fit, check_data
from lscore.papers.yun2019.two_piece.ties import (
    TieGroup,
    one_output_fit,
    tie_groups,
    usable_gaps,
)

CLAIM = "YUN-LA2"
_SPLIT = Question(CLAIM, "the split is that of Lemma A.2: it breaks the tie and no order")


@checked
@dataclass(frozen=True)
class TieSplit:
    r"""What Lemma A.2 constructs, for every :math:`\alpha \in (0, 1]`.

    `value` is :math:`y^*`; `j1`, `j2` are sample indices; `direction` is v, shape (d, 1); `below`
    holds the samples with :math:`\bar y_i - \alpha v \cdot x_i - \beta < 0`, `above` those with
    > 0; `spread` is :math:`D = v \cdot (x_{j_1} - x_{j_2})`, `middle` is
    :math:`v \cdot (x_{j_1} + x_{j_2})/2`.
    """

    value: fmpq
    j1: int
    j2: int
    direction: RationalMatrix
    below: tuple[int, ...]
    above: tuple[int, ...]
    spread: fmpq
    middle: fmpq

    def beta(self, alpha: Scalar) -> fmpq:
        r"""The threshold :math:`\beta = y^* - \alpha v \cdot (x_{j_1} + x_{j_2})/2`."""
        return self.value - rational(alpha, "alpha") * self.middle


@dataclass(frozen=True)
class _Tie:
    """The smallest prediction whose inputs do not all have residual 0, and its samples."""

    value: fmpq
    samples: tuple[int, ...]
    off: list[int]
    longest: list[int]
    room: fmpq  # a quarter of the smallest gap between predictions; 1 if there is no gap
    size: fmpq  # largest |x_i|^2


def _row(risk: Risk, i: int) -> RationalMatrix:
    return risk.exact_X.rows(i, i + 1).T


def _totals(risk: Risk, fit: AffineFit) -> list[fmpq]:
    """For each sample the sum of the residuals at its input: r_i, if the inputs are distinct."""
    d, x = risk.exact_X.shape[1], risk.exact_X.numerator.entries()
    keys = [tuple(map(int, x[i * d : (i + 1) * d])) for i in range(len(risk.exact_X))]
    sums: dict[tuple[int, ...], fmpq] = {}
    for key, residual in zip(keys, fit.residuals.entries(), strict=True):
        sums[key] = sums.get(key, fmpq(0)) + residual
    return [sums[key] for key in keys]


def _first_tie(risk: Risk, groups: list[TieGroup], totals: list[fmpq]) -> _Tie:
    group = next(g for g in groups if any(totals[i] != 0 for i in g.samples))
    off = [i for i in group.samples if totals[i] != 0]
    squares = [_row(risk, i).dot(_row(risk, i)) for i in range(len(totals))]
    longest = max(squares[i] for i in off)
    gaps = [b.value - a.value for a, b in pairwise(groups)]
    return _Tie(
        group.value,
        group.samples,
        off,
        [i for i in off if squares[i] == longest],
        min(gaps) / 4 if gaps else fmpq(1),
        max(squares),
    )


def _ahead(risk: Risk, tie: _Tie, j1: int) -> tuple[list[int], list[int]]:
    """J>= and J<: samples of the tie that reach at least as far along x_j1 as x_j1, and others."""
    reach = (risk.exact_X @ _row(risk, j1)).entries()
    return (
        [i for i in tie.samples if reach[i] >= reach[j1]],
        [i for i in tie.samples if reach[i] < reach[j1]],
    )


@checked
def split_tie(risk: Risk, sample: int | None = None) -> TieSplit:
    r"""Lemma A.2: the indices and the direction :math:`v = c\, x_{j_1}` that break a tie (YUN-LA2).

    :math:`y^*` is the smallest tied prediction with residuals that are not 0, :math:`j_1` its
    longest input among those (`sample` picks one where several are as long; default the first),
    :math:`J_\ge = \{x_j \cdot x_{j_1} \ge |x_{j_1}|^2\}` and :math:`j_2` the furthest of the rest.
    :math:`c = g/M^2` with :math:`M^2 = \max_i |x_i|^2` and g a quarter of the smallest gap between
    different :math:`\bar y_i` (the paper's :math:`g/(M|x_{j_1}|)` is irrational in general); if all
    coincide the paper has no g, and any positive number does (1 here). Where inputs coincide the
    residuals at an input are added up. Raises `HypothesisError` C1.1, C1.2, "J empty"; `DataError`
    for an unfit `sample`.

    >>> from lscore import Network, Risk, relu
    >>> split = split_tie(Risk(Network((1, 2, 1), relu), [-1, 0, 1], [1, -2, 1]))
    >>> split.j1, split.j2, split.direction, split.below, split.above
    (0, 1, column(-1), (0,), (1, 2))
    """
    fit = one_output_fit(risk)
    check_data(risk, fit)
    groups = tie_groups(fit.predictions, fit.residuals)
    if gaps := usable_gaps(groups):
        message = f"the gap above {gaps[0].low} can be used, this is case 1"
        raise HypothesisError(CLAIM, "J empty", message, gaps)
    tie = _first_tie(risk, groups, _totals(risk, fit))
    j1 = tie.longest[0] if sample is None else sample
    if j1 not in tie.longest:
        raise DataError(f"sample: got {sample}, need one of {tie.longest}")
    v = _row(risk, j1) * (tie.room / tie.size)
    reach = (risk.exact_X @ v).entries()
    front, rest = _ahead(risk, tie, j1)
    j2 = max(rest, key=lambda i: reach[i])
    below = front + [i for g in groups if g.value < tie.value for i in g.samples]
    above = [i for i in range(len(reach)) if i not in below]
    spread, middle = reach[j1] - reach[j2], (reach[j1] + reach[j2]) / 2
    return TieSplit(tie.value, j1, j2, v, tuple(sorted(below)), tuple(above), spread, middle)


@_SPLIT.checker
def certify_split(risk: Risk, split: TieSplit) -> Certificate:
    r"""Does this split keep what Lemma A.2 says? Every line is decided exactly (YUN-LA2).

    The definitions of :math:`y^*, j_1, v, J_\ge, j_2, D`; the signs of
    :math:`\bar y_i - \alpha v \cdot x_i - \beta \pm \gamma` for all :math:`\alpha \in (0, 1]` and
    :math:`|\gamma| \le \alpha D/4` (affine in alpha: not of the wrong sign at 0 and right at 1);
    and :math:`\sum_{above} r_i - \sum_{below} r_i = -2 r_{j_1} \ne 0`. Refuted by the first line
    that fails. Sound and complete for the lemma's own construction; other directions may also work
    for Step 2 and are refused here. Unknown where there is no tie to split.
    """
    split_tie(risk)
    fit = affine_fit(risk)
    predictions, residuals = fit.predictions.entries(), fit.residuals.entries()
    totals = _totals(risk, fit)
    tie = _first_tie(risk, tie_groups(fit.predictions, fit.residuals), totals)
    lines = [("y* is the smallest tie to break", split.value == tie.value, f"it is {tie.value}")]
    fits = split.j1 in tie.longest
    lines.append(("j1 is a longest input off the fit", fits, f"those are {tie.longest}"))
    if not fits:
        return _SPLIT.line_by_line(lines)
    x, v = _row(risk, split.j1), split.direction
    front, rest = _ahead(risk, tie, split.j1)
    expected = [i for i in range(len(predictions)) if predictions[i] < tie.value or i in front]
    parallel = v.shape == x.shape and v * x.dot(x) == x * v.dot(x) and v.dot(x) > 0
    lines.append(("v is a positive multiple of x_j1", parallel, f"v = {v}, x_j1 = {x}"))
    if not parallel:
        return _SPLIT.line_by_line(lines)
    reach = (risk.exact_X @ v).entries()
    longest = max(map(abs, reach))
    far = max(reach[i] for i in rest)
    numbers = (reach[split.j1] - far, (reach[split.j1] + far) / 2)
    several = len({(p.p, p.q) for p in predictions}) > 1
    partition = list(split.below) == expected and sorted(split.below + split.above) == list(
        range(len(reach))
    )
    lines += [
        ("|v.x_i| is at most g", longest <= tie.room or not several, f"{longest} > {tie.room}"),
        ("below: smaller predictions and J>=; above: the rest", partition, f"not {expected}"),
        (
            "j2 is the furthest of J<, D and the middle fit",
            split.j2 in rest and reach[split.j2] == far and (split.spread, split.middle) == numbers,
            f"D, middle = {numbers}",
        ),
    ]
    clearance = []
    for i, value in enumerate(predictions):
        side = 1 if i in split.above else -1
        start = side * (value - split.value)
        end = start + side * (split.middle - reach[i]) - split.spread / 4
        clearance.append(end if start >= 0 else start)
    margin = min(clearance)
    jump = sum((residuals[i] for i in split.above), fmpq(0)) - sum(
        (residuals[i] for i in split.below), fmpq(0)
    )
    lines += [
        (
            "- on below, + on above, for all alpha in (0, 1], |gamma| <= alpha D/4",
            margin > 0,
            f"sample {clearance.index(margin)}",
            margin,
            "at alpha = 1 at least",
        ),
        ("sum above - sum below = -2 r_j1", jump == -2 * totals[split.j1] != 0, f"it is {jump}"),
    ]
    values = {"D": split.spread, "r_j1": totals[split.j1]}
    return _SPLIT.line_by_line(lines, values=values)
