"""Answer checkers for the exercises of *How convex a training run looks depends on the
minibatch*."""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb, fmpq

from lscore.algebra.matrices import Scalar, rational
from lscore.curvature.balls import BallCurvature, certify_share
from lscore.curvature.minibatches import certify_minibatch_mean
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number


def adds_this_share(samples: int, batch_size: int, share: Scalar) -> str:
    """Minibatches of this size of so many samples add `share` times tr(H Sigma) on average."""
    if not 1 <= batch_size <= samples or samples < 2:
        return f"not yet: a minibatch has 1 to {samples} of at least 2 samples"
    found = fmpq(samples - batch_size, batch_size * (samples - 1))
    if found != rational(share, "share"):
        return f"not yet: they add {found} tr(H Sigma), wanted {share}"
    return f"correct: ({samples} - {batch_size})/({batch_size} * {samples - 1}) = {found}"


def difference_by_hand(answer: object) -> str:
    """How much more g_B'Hg_B is on average than g'Hg: H = 3, samples with gradients 1 and -2."""
    gradients, bend = (fmpq(1), fmpq(-2)), 3
    full = sum(gradients, fmpq(0)) / len(gradients)
    mean = sum((bend * g * g for g in gradients), fmpq(0)) / len(gradients)
    return same_number(answer, mean - bend * full * full)


def hides_its_share(values: Sequence[Scalar], bends: Sequence[Scalar]) -> str:
    """Risks and signs of six records or more: one sign is not positive, the share below 1/10."""
    if len(values) != len(bends) or len(values) < 6:
        return "not yet: need two lists of equal length, of at least 6 numbers"
    record = [BallCurvature(arb(rational(v)), arb(1), arb(rational(b)))
              for v, b in zip(values, bends, strict=True)]  # fmt: skip
    bad = sum(rational(b) <= 0 for b in bends)
    if bad != 1:
        return f"not yet: {bad} signs are not positive, wanted one"
    answer = certify_share(record, "1/10")
    if not answer.refuted or "fraction" not in answer.witness:
        return f"not yet: a share of one tenth is {answer.verdict}"
    return f"correct: the share is {answer.witness['fraction']}"


def minibatches_look_convex(risk: Risk, w: Point, batch_size: int) -> str:
    """g'Hg < 0 for all samples, yet its mean over minibatches of this size, > 1, is positive."""
    if batch_size < 2:
        return "not yet: take minibatches of two samples or more"
    answer = certify_minibatch_mean(risk, w, batch_size)
    if not answer.certified:
        return f"not yet: the checker says {answer.verdict}, {answer.reason}"
    full, mean = answer.values["gradient_curvature"], answer.values["mean_over_minibatches"]
    if full >= 0 or mean <= 0:
        return f"not yet: g'Hg = {full}, mean over minibatches {mean}"
    return f"correct: g'Hg = {full}, mean over minibatches {mean}"


def fools_the_share_checker(
    record: Sequence[BallCurvature], kept: Sequence[int], at_least: Scalar
) -> str:
    """The record refutes `at_least`; its entries `kept`, with both ends, are certified to have it.

    `kept` are at least 10 increasing indices.
    """
    kept = list(kept)
    if len(kept) < 10 or kept != sorted(set(kept)) or not 0 <= kept[0] <= kept[-1] < len(record):
        return "not yet: need at least 10 increasing indices of the record"
    if kept[0] != 0 or kept[-1] != len(record) - 1:
        return "not yet: keep the first and the last entry"
    if not certify_share(record, at_least).refuted:
        return f"not yet: the whole record is not refuted at {at_least}"
    answer = certify_share([record[k] for k in kept], at_least)
    if not answer.certified:
        return f"not yet: {answer.verdict} for the kept entries"
    return f"correct: {len(kept)} of {len(record)} points hide what the others show"
