r"""Yun, Sra, Jadbabaie (2019), Theorem 1, Step 2 as printed: two opposite units, both cases.

With :math:`\kappa = (s_+ - s_-)/(s_+ + s_-)` the units :math:`h(f + \gamma) - h(-f + \gamma)`,
divided by :math:`s_+ + s_-`, give :math:`f + \kappa\gamma` where :math:`f > |\gamma|` and
:math:`f - \kappa\gamma` where :math:`f < -|\gamma|`.
"""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import AffineFit
from lscore.algebra.matrices import RationalMatrix, Scalar, rational
from lscore.errors import HypothesisError
from lscore.model.risk import Risk
from lscore.model.settings import CLAIM, ONE_OUTPUT, check_width, slopes
from lscore.papers.yun2019.two_piece.lower_points import LowerPoint, lower_point
from lscore.papers.yun2019.two_piece.setting import affine_fit, check_data, pack
from lscore.papers.yun2019.two_piece.splits import split_tie
from lscore.papers.yun2019.two_piece.ties import tie_groups, usable_gaps


def _slopes(risk: Risk) -> tuple[fmpq, fmpq]:
    s_plus, s_minus = slopes(risk)
    if s_plus + s_minus == 0:
        raise HypothesisError(
            CLAIM, "C1.3", "s_plus + s_minus = 0, the two-unit formula divides by it", s_plus
        )
    return s_plus, s_minus


@checked
def opposite_units(
    risk: Risk, slope: RationalMatrix, shift: Scalar, beta: Scalar, gamma: Scalar
) -> RationalMatrix:
    r"""The exact point whose output is :math:`f_i \pm \kappa\gamma + \beta` (YUN-T1, Step 2).

    Here :math:`f_i = a \cdot x_i + b - \beta` with `slope` a, shape (1, d), and `shift` b; the sign
    is that of :math:`f_i` where :math:`|f_i| \ge |\gamma|`. One output, width 2 at least. Raises
    `HypothesisError` C1.3 if :math:`s_+ + s_- = 0`.
    """
    s_plus, s_minus = _slopes(risk)
    check_width(risk, 2, "the two-unit point")
    beta, gamma = rational(beta, "beta"), rational(gamma, "gamma")
    offset = rational(shift, "shift") - beta
    row, spare = slope.entries(), risk.network.widths[1] - 2
    rows = [row, [-v for v in row]] + [[fmpq(0)] * len(row)] * spare
    shifts = [offset + gamma, gamma - offset] + [fmpq(0)] * spare
    gain = 1 / (s_plus + s_minus)
    return pack(risk, rows, shifts, [[gain, -gain] + [fmpq(0)] * spare], [beta])


def _setting(risk: Risk) -> tuple[AffineFit, fmpq]:
    """The affine fit and kappa, after the checks that both cases share."""
    s_plus, s_minus = _slopes(risk)
    ONE_OUTPUT.require(risk, CLAIM)
    check_width(risk, 2, "the two-unit point")
    fit = affine_fit(risk)
    check_data(risk, fit)
    return fit, (s_plus - s_minus) / (s_plus + s_minus)


@checked
def two_unit_point(risk: Risk) -> LowerPoint:
    r"""Step 2 as in the paper: push the two sides of a gap in :math:`\bar y` apart.

    With :math:`\bar y` sorted, :math:`S_j = \sum_{i \le j} r_i` and
    :math:`J = \{j : S_j \ne 0, \bar y_j < \bar y_{j+1}\}`, two opposite units with
    :math:`|\gamma| = \min(\text{gap}/4, |2 S_j/(n \kappa)|)` lower the half sum of squares by
    exactly :math:`2\kappa\gamma S_j - n\kappa^2\gamma^2/2`; the best j is taken (case 1). If J is
    empty the point is that of `tied_point` (case 2). One output. Raises `HypothesisError` (C1.1,
    C1.2, C1.4; C1.3 if :math:`s_+ + s_- = 0`, where the formula divides by zero).

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    >>> two_unit_point(risk).decrease
    1/2
    """
    fit, kappa = _setting(risk)
    n, best = len(risk.exact_y), None
    for gap in usable_gaps(tie_groups(fit.predictions, fit.residuals)):
        size = min((gap.high - gap.low) / 4, abs(2 * gap.partial / (n * kappa)))
        gamma = size if kappa * gap.partial > 0 else -size
        gain = 2 * kappa * gamma * gap.partial - n * kappa**2 * gamma**2 / 2
        if best is None or gain > best[0]:
            best = (gain, (gap.low + gap.high) / 2, gamma)
    if best is None:
        return tied_point(risk)
    _, beta, gamma = best
    point = opposite_units(risk, fit.slope, fit.intercept[0, 0], beta, gamma)
    return lower_point(risk, fit, point, {"case": 1, "beta": beta, "gamma": gamma})


@checked
def tied_point(risk: Risk, sample: int | None = None) -> LowerPoint:
    r"""Step 2, case 2, as in the paper: tilt the fit along v, then push (YUN-T1, YUN-LA2).

    With the split of `split_tie` and :math:`\sigma = \mathrm{sign}(\kappa r_{j_1})`, the slope
    :math:`\bar w - \alpha v` and :math:`\gamma = \sigma\alpha D/4` lower the half sum of squares by
    exactly :math:`a\alpha - b\alpha^2`, where :math:`a = |\kappa r_{j_1}| D/2` and
    :math:`b = \tfrac12 \sum_i (-v \cdot x_i \mp \kappa\sigma D/4)^2` (- on `below`, + on `above`);
    :math:`\alpha = \min(1, a/(2b))`. `recipe` holds these numbers. Raises as `two_unit_point`, and
    `HypothesisError` "J empty" if case 1 applies.

    >>> from lscore import Network, relu
    >>> tied_point(Risk(Network((1, 2, 1), relu), [-1, 0, 1], [1, -2, 1])).decrease
    2/19
    """
    fit, kappa = _setting(risk)
    split = split_tie(risk, sample)
    reach = (risk.exact_X @ split.direction).entries()
    residual = sum((fit.residuals[i, 0] for i in split.below), fmpq(0))  # r_j1, the rest cancels
    sigma = 1 if kappa * residual > 0 else -1
    a, push = abs(kappa * residual) * split.spread / 2, kappa * sigma * split.spread / 4
    moves = [-reach[i] + (push if i in split.above else -push) for i in range(len(reach))]
    b = sum((move**2 for move in moves), fmpq(0)) / 2
    alpha = min(fmpq(1), a / (2 * b))
    beta, gamma = split.beta(alpha), sigma * alpha * split.spread / 4
    slope = fit.slope - alpha * split.direction.T
    point = opposite_units(risk, slope, fit.intercept[0, 0], beta, gamma)
    recipe = {"case": 2, "alpha": alpha, "beta": beta, "gamma": gamma, "a": a, "b": b}
    return lower_point(risk, fit, point, recipe | {"split": split})
