r"""He, Wang and Tao (2020), Theorem 3: the paper's own lower point, two opposite units, corrected.

One hidden layer, an activation with slopes :math:`s_\pm` and its knot at 0. Two units push the
outputs on the two sides of a `separation` apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import merge_rows
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, ones
from lscore.algebra.rationals import positive
from lscore.errors import HypothesisError
from lscore.model.risk import Risk
from lscore.model.settings import Setting
from lscore.papers.he2020.affine_minimum import check_widths, checked_fit
from lscore.papers.he2020.separation import Separation, separation

CLAIM = "HE-T3"
SETTING = Setting(
    hidden=1, biases=True, output_activation=False, activations=("homogeneous",), weight_decay=False
)
QUARTERS = 60


@checked
@dataclass(frozen=True, eq=False)
class PairPoint:
    r"""The `point`, its :math:`\alpha` and :math:`\gamma`, the output k that is changed, the
    `separation` of the distinct inputs, and the `gap` D between its two sides."""

    point: RationalMatrix
    alpha: fmpq
    gamma: fmpq
    output: int
    separation: Separation
    gap: fmpq


@checked
def pair_point(
    risk: Risk,
    fit: RationalMatrix | None = None,
    *,
    alpha: Scalar | None = None,
    printed: bool = False,
) -> PairPoint:
    r"""The paper's lower point: outputs :math:`\hat y - \alpha\langle\beta, x\rangle \mp c\gamma`
    on I and J, :math:`c = (s_+ - s_-)/(s_+ + s_-)` (HE-T3).

    V is the derivative of the loss at the outputs of the map `fit` (default: `linear_minimiser`),
    summed over equal inputs; k the first output with V not 0; I, J, :math:`\beta` those of
    `separation` for :math:`u = V_k`, :math:`v = \hat y_k`; D the gap between the tilted sides;
    :math:`|\gamma| = D/4`, at most :math:`\alpha` where :math:`\beta = 0`. To first order the loss
    changes by :math:`-2 \gamma c \sum_{i \in I} V_{ki}`, so :math:`\gamma` has the sign of
    :math:`c \sum_I V`. The paper prints the opposite sign (`printed`), which raises it.

    Without `alpha`: 1/8, or less than `alpha_max`, divided by 4 until the risk is below that of the
    map. With one, the point as it comes. Losses that are differentiable and polynomial in pieces.
    Raises `HypothesisError` "A3" (width below k + 1), "A12" (V is 0), "slopes"
    (:math:`s_+ + s_- = 0`), else as `Setting`.

    >>> from lscore import Network, SquaredLoss, relu
    >>> half = SquaredLoss("1/2", mean=True)
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3, 4], [0, 1, 0, 2, 1], half)
    >>> [risk(pair_point(risk, alpha="1/4", printed=p).point) for p in (False, True)]  # f = 19/100
    [2989/16000, 3181/16000]
    """
    SETTING.require(risk, CLAIM)
    if risk.inexact or not risk.loss.smooth:
        text = "need a differentiable loss that is polynomial in pieces"
        raise HypothesisError(CLAIM, "A1", text, risk.loss)
    check_widths(risk.network, risk.exact_y.shape[1], spare=1)
    h = risk.network.activations[0]
    slopes = (h.slopes[0], h.slopes[-1])
    if sum(slopes) == 0 or slopes[0] == slopes[1]:
        text = f"the slopes are {slopes[1]} and {slopes[0]}, need different ones whose sum is not 0"
        raise HypothesisError(CLAIM, "slopes", text, slopes)
    fit = checked_fit(risk, fit)
    outputs = risk.exact_augmented @ fit.T
    pull = risk.loss.gradient(outputs, risk.exact_y)
    X, merged = merge_rows(risk.exact_X, pull)
    k = next((c for c in range(pull.shape[1]) if not merged.column(c).is_zero()), None)
    if k is None:
        text = "the pulls of the loss cancel at every input, no function of x has a smaller risk"
        raise HypothesisError(CLAIM, "A12", text, merged)
    d = X.shape[1]
    values = X @ fit.T.rows(0, d).column(k) + ones(len(X)) * fit[k, d]
    split = separation(merged.column(k), values, X)
    total = sum((merged[i, k] for i in split.below), fmpq(0))
    start = risk.loss(outputs, risk.exact_y)
    if alpha is not None:
        return _at(risk, fit, k, X, values, split, total, positive(alpha, "alpha"), printed)
    tried = min(fmpq(1, 8), split.alpha_max / 2) if split.alpha_max else fmpq(1, 8)
    for _ in range(QUARTERS):
        found = _at(risk, fit, k, X, values, split, total, tried, printed)
        if risk(found.point) < start:
            return found
        tried /= 4
    raise HypothesisError(CLAIM, "alpha", "no alpha that was tried lowers the risk", tried)


def _at(risk, fit, k, X, values, split, total, alpha, printed) -> PairPoint:
    """The point of one alpha."""
    h, width, d = risk.network.activations[0], risk.network.widths[1], X.shape[1]
    low, high = h.slopes[0], h.slopes[-1]
    side, plus, minus = (1, high, low) if high else (-1, -low, -high)
    jump = (plus - minus) / (plus + minus)
    moved = (values - alpha * (X @ split.beta)).entries()
    top = max(moved[i] for i in split.below)
    gap = min(moved[j] for j in split.above) - top
    size = gap / 4 if not split.beta.is_zero() else min(alpha, gap / 4)
    gamma = size if (jump * total > 0) != printed else -size
    eta = top + gap / 2
    outputs = (risk.exact_augmented @ fit.T).T
    rows, shifts, offsets = [], [], []
    table = [[fmpq(0)] * width for _ in range(len(fit))]
    for c in range(len(fit)):
        row = fit.rows(c, c + 1).flat(0, 1, d).entries()
        if c == k:
            row = [a - alpha * b for a, b in zip(row, split.beta.entries(), strict=True)]
        level = eta if c == k else min(fmpq(0), outputs.rows(c, c + 1).smallest()) - 1
        signs = ((1, gamma), (-1, gamma)) if c == k else ((1, fmpq(0)),)
        for sign, push in signs:
            table[c][len(rows)] = sign / (plus + minus) if c == k else 1 / plus
            rows.append([side * sign * a for a in row])
            shifts.append(side * (sign * (fit[c, d] - level) + push))
        offsets.append(level)
    spare = width - len(rows)
    rows += [[fmpq(0)] * d] * spare
    shifts += [fmpq(0)] * spare
    point = risk.network.pack([exact(rows), exact(table)], [exact(shifts), exact(offsets)])
    return PairPoint(point, alpha, gamma, k, split, gap)
