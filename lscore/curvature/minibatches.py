r"""What a minibatch adds to the curvature along its gradient, averaged over all minibatches.

Milne (2019) does not say whether g and H of its experiments belong to the minibatch or to all
samples. With H fixed, the difference has a closed form: the trace of H times the covariance of
the minibatch gradient.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
from flint import fmpq

from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational
from lscore.cells.pattern import cell_at
from lscore.cells.rays import risk_along
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import BudgetError, DataError, HypothesisError, TieError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

_MEAN = Question("MILNE-B-F2-1", "minibatches add a trace to g'Hg on average")


def sample_gradients(risk: Risk, w: RationalMatrix) -> list[RationalMatrix]:
    """The gradient of the risk on each sample alone, weight decay included; their mean is that
    of the risk. Needs a mean loss."""
    Setting(loss="mean squared loss").require(risk, _MEAN.claim)
    rows = range(len(risk.X))
    parts = [(risk.exact_X.rows(i, i + 1), risk.exact_y.rows(i, i + 1)) for i in rows]
    return [replace(risk, X=x, y=y).gradient(w) for x, y in parts]


@_MEAN.checker
def certify_minibatch_mean(
    risk: Risk,
    w: Point | np.ndarray,
    batch_size: int,
    *,
    correction: Scalar | None = None,
    limit: int = 100_000,
) -> Certificate:
    r"""Is the mean of :math:`g_B^\top H g_B` over all minibatches :math:`g^\top H g` plus a trace?

    For minibatches B of b = `batch_size` of the n samples without replacement, H that of all
    samples:

    .. math::

        \mathrm{mean}_B\; g_B^\top H g_B = g^\top H g + \kappa\, \mathrm{tr}(H \Sigma),
        \qquad \kappa = \frac{n - b}{b (n - 1)},

    with :math:`\Sigma` the covariance of the samples' gradients. All minibatches are listed and
    both sides compared in rationals; `correction` replaces :math:`\kappa`. Certified, refuted with
    the mean, unknown on a wall, for another loss, one sample, or more than `limit` minibatches.
    Sound, and complete inside cells. Claim MILNE-B-F2-1, proved in the book.

    >>> from lscore.model.losses import SquaredLoss
    >>> from lscore.model.networks import Network
    >>> risk = Risk(Network((1, 1), (), bias=False), [1, 1], [1, 3], SquaredLoss("1/2", mean=True))
    >>> certify_minibatch_mean(risk, exact([0]), 1).values["mean_over_minibatches"]  # (1 + 9) / 2
    5
    """
    w = exact(risk.network.point(w), "w")
    n, b = len(risk.X), batch_size
    if not 1 <= b <= n:
        raise DataError(f"batch_size: got {b}, need 1 to {n}")
    if n == 1:
        raise HypothesisError(_MEAN.claim, "two samples", "got 1", n)
    if comb(n, b) > limit:
        raise BudgetError(f"batch_size: {comb(n, b)} minibatches, the limit is {limit}")
    kappa = fmpq(n - b, b * (n - 1)) if correction is None else rational(correction, "correction")
    asked = Question(
        "MILNE-B-F2-1", f"minibatches of {b} add {kappa} tr(H Sigma) to g'Hg on average"
    )
    try:
        cell_at(risk, w)
    except TieError as tie:
        return asked.unknown(str(tie), [Condition("the point is inside a cell", False)])
    gradients = sample_gradients(risk, w)

    def form(direction: RationalMatrix) -> fmpq:
        return 2 * risk_along(risk, w, direction).risk[2]

    full = _mean(gradients)
    trace = sum((form(g - full) for g in gradients), fmpq(0)) / n
    batches = list(combinations(gradients, b))
    mean = sum((form(_mean(batch)) for batch in batches), fmpq(0)) / len(batches)
    values = {"gradient_curvature": form(full), "noise_trace": trace, "mean_over_minibatches": mean}
    holds = mean == form(full) + kappa * trace
    condition = Condition(f"equal over all {len(batches)} minibatches", holds)
    if holds:
        return asked.certified([condition], values=values)
    return asked.refuted([condition], values)


def _mean(gradients) -> RationalMatrix:
    total = gradients[0]
    for g in gradients[1:]:
        total = total + g
    return total * fmpq(1, len(gradients))
