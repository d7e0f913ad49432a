r"""Yun, Sra, Jadbabaie (2019), Theorem 1: the setting, its hypotheses, its living units.

One hidden layer, activation :math:`h(z) = s_+ z` (z >= 0), :math:`s_- z` (z < 0) with
:math:`s_+ \ne s_-`, biases, squared loss at any scale, data X (n, d), Y (n, k).
"""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import AffineFit, affine_least_squares, merge_rows
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.errors import HypothesisError
from lscore.model.risk import Risk
from lscore.model.settings import CLAIM, slopes


@checked
def affine_fit(risk: Risk) -> AffineFit:
    """The exact affine least-squares fit of the data of a risk."""
    return affine_least_squares(risk.exact_augmented, risk.exact_y)


@checked
def check_data(risk: Risk, fit: AffineFit) -> None:
    """Raise `HypothesisError` if no better function of x exists than the affine fit.

    C1.1: an affine map fits the data exactly (witness: the fit). C1.2: inputs coincide and the
    affine fit already is the mean of the labels at each input (witness: the merged residuals).
    """
    if fit.sum_of_squares == 0:
        raise HypothesisError(
            CLAIM,
            "C1.1",
            f"an affine map fits the data exactly: slope {fit.slope}, intercept {fit.intercept}",
            fit,
        )
    _, merged = merge_rows(risk.exact_X, fit.residuals)
    if merged.is_zero():
        raise HypothesisError(
            CLAIM,
            "C1.2",
            "inputs coincide and the affine fit is the mean label at every input; no function of "
            "x has a smaller risk",
            merged,
        )


def living_units(
    risk: Risk,
    slope: RationalMatrix,
    intercept: RationalMatrix,
    values: RationalMatrix,
    alpha: fmpq,
):
    """First-layer rows, output weights and output biases that carry an affine map x -> y.

    One living unit per output, all on the side with a non-zero slope; the spare units idle at a
    constant on the same side. `values` (n, k) is the map on the data. Returns (W1 rows, b1, W2
    columns, b2) as lists.
    """
    s_plus, s_minus = slopes(risk)
    side, s = (1, s_plus) if s_plus else (-1, s_minus)
    k, d = slope.shape
    eta = [min(fmpq(-1), 2 * values.column(c).smallest()) for c in range(k)]
    rows = [[side * alpha * slope[c, j] for j in range(d)] for c in range(k)]
    shifts = [side * alpha * (intercept[c, 0] - eta[c]) for c in range(k)]
    gains = [side / (alpha * s) for _ in range(k)]
    spare = risk.network.widths[1] - k
    rows += [[fmpq(0)] * d for _ in range(spare)]
    shifts += [-side * alpha * eta[0]] * spare
    weights = [[gains[c] if j == c else fmpq(0) for j in range(k + spare)] for c in range(k)]
    return rows, shifts, weights, eta


def pack(risk: Risk, rows, shifts, weights, offsets) -> RationalMatrix:
    """The exact point with these lists as W1, b1, W2, b2."""
    return risk.network.pack([exact(rows), exact(weights)], [exact(shifts), exact(offsets)])
