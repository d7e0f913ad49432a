r"""Yun, Sra, Jadbabaie (2019), Theorem 1: the setting, its hypotheses, its living units.

One hidden layer, activation :math:`h(z) = s_+ z` (z >= 0), :math:`s_- z` (z < 0) with
:math:`s_+ \ne s_-`, biases, squared loss at any scale, data X (n, d), Y (n, k).
"""

from __future__ import annotations

from flint import fmpq

from lscore.arguments import checked
from lscore.errors import DataError, HypothesisError
from lscore.exact import RationalMatrix, exact
from lscore.linear_algebra import AffineFit, affine_least_squares, merge_rows
from lscore.losses import SquaredLoss
from lscore.networks import Network
from lscore.risk import Risk

CLAIM = "YUN-T1"


def check_network(risk: Risk) -> Network:
    """The network of a risk with one hidden layer, biases and squared loss, else `DataError`."""
    network = risk.network
    if len(network.widths) != 3:
        raise DataError(f"risk: network widths {network.widths}, need one hidden layer")
    if not network.bias or network.output_activation is not None or risk.weight_decay:
        raise DataError("risk: need biases, no output activation and no weight decay")
    if not isinstance(risk.loss, SquaredLoss):
        raise DataError(f"risk: loss {type(risk.loss).__name__}, need SquaredLoss")
    return network


@checked
def slopes(risk: Risk) -> tuple[fmpq, fmpq]:
    """(s_plus, s_minus) of the network, after checking the setting of the theorem.

    Raises `HypothesisError` C1.3 (activation not two-piece) and `DataError` (depth, biases, loss,
    weight decay, output activation).
    """
    network = check_network(risk)
    h = network.activations[0]
    if not network.is_piecewise_linear or h.knots != (fmpq(0),) or h.value != 0:
        raise HypothesisError(
            CLAIM, "C1.3", f"the activation {h.name} is not two-piece with its kink at 0", h
        )
    return h.slopes[1], h.slopes[0]


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


def check_width(risk: Risk, needed: int, what: str) -> None:
    """Raise `HypothesisError` C1.4 if the hidden layer is narrower than `needed` for `what`."""
    width = risk.network.widths[1]
    if width < needed:
        raise HypothesisError(
            CLAIM, "C1.4", f"the hidden layer has width {width}, {what} needs {needed}", width
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
