r"""Yun, Sra, Jadbabaie (2019), Theorem 1: points below the least-squares minimum.

Two constructions that need neither smallness constants nor a case for ties; Step 2 as printed is
`two_unit_point`. :math:`\bar Y` is the exact affine fit and :math:`R = \bar Y - Y` its residual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import AffineFit, affine_least_squares
from lscore.algebra.matrices import (
    RationalMatrix,
    Scalar,
    augment,
    exact,
    ones,
    rational,
    stack,
    to_float,
)
from lscore.errors import DataError
from lscore.model.risk import Risk
from lscore.model.settings import check_width, slopes
from lscore.papers.yun2019.two_piece.candidates import (
    KinkSums,
    checked_direction,
    ranked_kinks,
    unit_scale,
)
from lscore.papers.yun2019.two_piece.setting import affine_fit, check_data, living_units, pack


@checked
@dataclass(frozen=True, eq=False)
class LowerPoint:
    """A point below the least-squares risk: `point`, its `risk`, the exact `decrease`, and the
    numbers of its formula in `recipe`."""

    point: RationalMatrix
    risk: fmpq
    decrease: fmpq
    recipe: dict[str, object] = field(default_factory=dict)


def lower_point(risk: Risk, fit: AffineFit, point: RationalMatrix, recipe: dict) -> LowerPoint:
    """The `LowerPoint` of an exact point, with its decrease below the risk of the affine fit."""
    value = risk(point)
    ceiling = fit.sum_of_squares * risk.loss.scale(len(risk.exact_y))
    return LowerPoint(point, value, ceiling - value, recipe)


@checked
def one_dead_unit(risk: Risk, direction: Sequence[Scalar] | None = None) -> LowerPoint:
    r"""A point below the least-squares minimum with one spare unit, ties included (YUN-B-T1-1).

    The spare unit reads :math:`u \cdot x - \beta` with output weight :math:`\epsilon`. With
    :math:`h_i = h(u \cdot x_i - \beta)`, :math:`A = \sum_i r_i h_i`, :math:`B = \sum_i h_i^2` the
    half sum of squares changes by :math:`\epsilon A + \epsilon^2 B / 2`; :math:`\epsilon = -A/B`
    lowers it by exactly :math:`A^2/(2B)`, summed over the outputs. Some data point
    :math:`\beta = u \cdot x_j` has :math:`A \ne 0` as soon as u separates the inputs; the best one
    (and, without `direction`, the best of a few u) is taken. Raises `HypothesisError` C1.1, C1.2,
    C1.4 (width < outputs + 1).

    >>> from lscore import Network, relu
    >>> xor = [[-1, -1], [-1, 1], [1, -1], [1, 1]]
    >>> one_dead_unit(Risk(Network((2, 2, 1), relu), xor, [1, -1, -1, 1]), [1, 1]).decrease
    1/2
    """
    slopes(risk)
    h = risk.network.activations[0]
    outputs = risk.exact_y.shape[1]
    check_width(risk, outputs + 1, "a living unit per output and a spare one")
    fit = affine_fit(risk)
    check_data(risk, fit)
    low, high = map(to_float, h.slopes)

    def score(sums: KinkSums) -> np.ndarray:
        size = high**2 * sums.right + low**2 * sums.left
        gain = (sums.pull**2).sum(0) / size
        return np.where(size > 1e-12 * size.max(), gain, np.nan)

    for u, beta in ranked_kinks(risk, fit, direction, score, midpoints=False):
        unit = h(risk.exact_X @ u - ones(len(risk.exact_X)) * beta)
        A, B = (fit.residuals.T @ unit).entries(), unit.dot(unit)
        if any(a != 0 for a in A):
            break
    else:
        raise DataError(
            f"direction: along {direction} no data point gives a descent; choose a direction that "
            "separates the inputs"
        )
    rows, shifts, weights, offsets = living_units(
        risk, fit.slope, fit.intercept, fit.predictions, fmpq(1)
    )
    rows[outputs], shifts[outputs] = u.entries(), -beta
    for c in range(outputs):
        weights[c][outputs] = -A[c] / B
    point = pack(risk, rows, shifts, weights, offsets)
    return lower_point(risk, fit, point, {"u": u.entries(), "beta": beta, "A": A, "B": B})


@checked
def refitted_kink(
    risk: Risk, direction: Sequence[Scalar] | None = None, beta: Scalar | None = None
) -> LowerPoint:
    r"""Affine part and one kink fitted together (YUN-B-T1-2).

    With :math:`\varphi_i = \max(u \cdot x_i - \beta, 0)` and P the projector off the affine
    functions, the half sum of squares falls by exactly
    :math:`(r \cdot \varphi)^2 / (2 |P\varphi|^2)`, whatever the two slopes are, since
    :math:`h(z) = s_- z + (s_+ - s_-)\max(z, 0)`; the price is an output weight of size
    :math:`1/(s_+ - s_-)`. Without `direction` or `beta` the best data point or midpoint along a few
    directions is taken. Raises as `one_dead_unit`.

    >>> from lscore import Network, two_piece
    >>> risk = Risk(Network((1, 2, 1), two_piece("1.000001", 1)), [0, 1, 2, 3], [0, 1, 4, 9])
    >>> refitted_kink(risk).decrease
    2
    """
    s_plus, s_minus = slopes(risk)
    outputs = risk.exact_y.shape[1]
    check_width(risk, outputs + 1, "a living unit per output and a kink")
    fit = affine_fit(risk)
    check_data(risk, fit)
    if beta is not None and direction is None:
        raise DataError("beta: given without a direction")
    if beta is None:
        basis = _affine_basis(risk)
        candidates = ranked_kinks(risk, fit, direction, _refit_score, midpoints=True, basis=basis)
    else:
        candidates = [(checked_direction(risk, direction), rational(beta, "beta"))]
    for u, beta in candidates:
        z = risk.exact_X @ u - ones(len(risk.exact_X)) * beta
        kink = exact([max(value, fmpq(0)) for value in z.entries()])
        joint = affine_least_squares(augment(stack([risk.exact_X.T, kink.T]).T), risk.exact_y)
        if joint.sum_of_squares < fit.sum_of_squares:
            break
    else:
        raise DataError("direction, beta: this kink does not lower the risk")
    d, jump = risk.exact_X.shape[1], s_plus - s_minus
    amplitude = [joint.slope[c, d] for c in range(outputs)]
    tilt = [-a * s_minus / jump for a in amplitude]
    slope = joint.slope.T.rows(0, d).T + exact(tilt) @ u.T
    intercept = joint.intercept - exact(tilt) * beta
    values = risk.exact_augmented @ stack([slope.T, intercept.T])
    rows, shifts, weights, offsets = living_units(risk, slope, intercept, values, fmpq(1))
    rows[outputs], shifts[outputs] = u.entries(), -beta
    for c in range(outputs):
        weights[c][outputs] = amplitude[c] / jump
    point = pack(risk, rows, shifts, weights, offsets)
    return lower_point(risk, fit, point, {"u": u.entries(), "beta": beta, "amplitude": amplitude})


def _affine_basis(risk: Risk) -> np.ndarray:
    """Orthonormal columns that span the affine functions on the data, in floats."""
    basis, singular, _ = np.linalg.svd(unit_scale(risk.exact_augmented), full_matrices=False)
    return basis[:, singular > 1e-12 * singular[0]]


def _refit_score(sums: KinkSums) -> np.ndarray:
    """Score of kinks when the affine part is fitted again: (r.phi)^2 / |P phi|^2."""
    rest = sums.right - (sums.shadow**2).sum(0)
    return np.where(rest > 1e-12 * sums.right.max(), (sums.pull**2).sum(0) / rest, np.nan)
