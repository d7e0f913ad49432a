r"""Yun, Sra, Jadbabaie (2019), Lemma A.1: what tied predictions imply.

:math:`\bar y` is the exact affine fit and :math:`r = \bar y - y`. The lemma says what follows when
no gap between different :math:`\bar y_i` can be used. It speaks of rational numbers: a rounded
:math:`\bar y` has no ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import AffineFit, least_squares
from lscore.algebra.matrices import RationalMatrix, checked_size, exact
from lscore.certificates import Certificate, Question
from lscore.errors import DtypeError, ShapeError
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.model.settings import ONE_OUTPUT
from lscore.papers.yun2019.two_piece.setting import affine_fit

CLAIM = "YUN-LA1"
_SUMS = Question(CLAIM, "Lemma A.1 applies and its assertions hold")


@checked
@dataclass(frozen=True)
class TieGroup:
    """Samples with one prediction: its `value`, the `samples`, the `total` of their residuals and
    the samples `off` the fit (residual not 0)."""

    value: fmpq
    samples: tuple[int, ...]
    total: fmpq
    off: tuple[int, ...]


@checked
@dataclass(frozen=True)
class Gap:
    r"""An element of J: `count` samples lie at or below `low`, the next prediction is `high`, and
    `partial` is :math:`S_j = \sum_{i \le j} r_i \ne 0`."""

    count: int
    low: fmpq
    high: fmpq
    partial: fmpq


@checked
def tie_groups(predictions: object, residuals: object) -> list[TieGroup]:
    """The samples grouped by equal prediction, in increasing order (YUN-LA1).

    Both arguments are exact columns (n, 1); anything else raises `DtypeError`, because rounding
    breaks ties.

    >>> from lscore import exact
    >>> [group.samples for group in tie_groups(exact([1, 0, 1]), exact([2, 0, -2]))]
    [(1,), (0, 2)]
    """
    for name, column in (("predictions", predictions), ("residuals", residuals)):
        if not isinstance(column, RationalMatrix):
            kind = type(column).__name__
            raise DtypeError(f"{name}: got {kind}, need a RationalMatrix; rounding breaks ties")
    if predictions.shape != residuals.shape:
        raise ShapeError(f"predictions, residuals: {predictions.shape} and {residuals.shape}")
    r, members = residuals.entries(), {}
    for i, value in enumerate(predictions.entries()):
        members.setdefault((value.p, value.q), []).append(i)
    groups = []
    for (p, q), samples in members.items():
        total = sum((r[i] for i in samples), fmpq(0))
        off = tuple(i for i in samples if r[i] != 0)
        groups.append(TieGroup(fmpq(p, q), tuple(samples), total, off))
    return sorted(groups, key=lambda group: group.value)


@checked
def usable_gaps(groups: Sequence[TieGroup]) -> list[Gap]:
    r"""The set J of the paper: gaps between neighbouring groups below which the residuals do not
    sum to 0. It is empty exactly if every group sums to 0."""
    gaps, count, partial = [], 0, fmpq(0)
    for group, following in pairwise(groups):
        count, partial = count + len(group.samples), partial + group.total
        if partial != 0:
            gaps.append(Gap(count, group.value, following.value, partial))
    return gaps


@_SUMS.checker
def certify_group_sums(risk: Risk, groups: Sequence[Sequence[int]] | None = None) -> Certificate:
    r"""Lemma A.1: if J is empty, the residuals of tied predictions cancel (YUN-LA1).

    `groups` are the samples with equal predictions, anybody's (default: `tie_groups`). Hypotheses:
    some residual is not 0, the groups are the sets of equal :math:`\bar y_i`, J is empty. Then the
    four assertions, each decided on its own. Refuted by the first line that fails, with a witness.
    Exact, sound and complete. Squared loss, one hidden layer with biases, one output; otherwise
    unknown.

    >>> from lscore import Network, Risk, relu
    >>> answer = certify_group_sums(Risk(Network((1, 2, 1), relu), [-1, 0, 1], [1, -2, 1]))
    >>> answer.verdict.value, answer.values["groups"]
    ('certified', 1)
    """
    fit = one_output_fit(risk)
    found = tie_groups(fit.predictions, fit.residuals)
    groups = [group.samples for group in found] if groups is None else groups
    claimed = [sorted(group) for group in groups]
    true = sorted(list(group.samples) for group in found)
    wrong = next((group for group in claimed if group not in true), None)
    if wrong is None and sorted(claimed) != true:
        wrong = next((group for group in true if claimed.count(group) != 1), None)
    gaps = usable_gaps(found)
    open_gap = "; ".join(f"{gap.count} samples below, residual sum {gap.partial}" for gap in gaps)
    alone = [g.samples[0] for g in found if len(g.samples) == 1 and g.off]
    unbalanced = [g.samples for g in found if g.total != 0]
    tied = max(len(g.samples) for g in found)
    widest = max(len(g.off) for g in found)
    lines = [
        ("some residual is not 0", fit.sum_of_squares != 0, "every residual is 0"),
        ("the groups are the sets of equal predictions", wrong is None, f"samples {wrong}"),
        ("no gap between groups can be used (J is empty)", not gaps, open_gap),
        ("1. some predictions coincide", tied > 1, "all are different"),
        ("2. a prediction that is not shared has residual 0", not alone, f"samples {alone}"),
        ("3. the residuals of each group sum to 0", not unbalanced, f"samples {unbalanced}"),
        ("4. some group has two residuals that are not 0", widest > 1, "no group has two"),
    ]
    values = {"groups": len(found), "residuals_that_are_not_0": sum(len(g.off) for g in found)}
    return _SUMS.line_by_line(lines, values=values)


def one_output_fit(risk: Risk) -> AffineFit:
    """The exact affine fit, in the setting of Theorem 1 and for one output (`HypothesisError`)."""
    ONE_OUTPUT.require(risk, CLAIM)
    return affine_fit(risk)


@checked
def random_ties(network: Network, seed: int, samples: int = 10) -> Risk:
    r"""Random data on which J is empty: integer inputs, prediction :math:`x_1`, tied by level.

    The residuals are random integers, projected exactly to be orthogonal to the inputs and to every
    level of :math:`x_1`; all of them can be 0. Repeated inputs are dropped.

    >>> from lscore import Network, relu
    >>> certify_group_sums(random_ties(Network((2, 2, 1), relu), 0)).verdict.value
    'certified'
    """
    rng = np.random.default_rng(seed)
    checked_size(samples * network.widths[0], "samples * inputs")
    X = np.unique(rng.integers(-2, 3, (samples, network.widths[0])), axis=0)
    levels = [(X[:, 0] == level).astype(int) for level in sorted(set(X[:, 0].tolist()))]
    design = exact(np.column_stack([X, *levels]).tolist())
    noise = exact(rng.integers(-3, 4, len(X)).tolist())
    residuals = noise - design @ least_squares(design, noise)[0]
    return Risk(network, X.tolist(), exact(X[:, :1].tolist()) - residuals)
