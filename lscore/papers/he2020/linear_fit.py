r"""The affine map of smallest risk, exactly, for losses that are quadratic in pieces.

For such a loss, the squared or the Huber loss, the best affine map solves linear equations once it
is known which formula every margin has there. Floats propose that; rationals solve and check.
"""

from __future__ import annotations

import numpy as np
import torch
from flint import fmpq
from scipy.optimize import minimize

from lscore.algebra.arguments import checked
from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.errors import HypothesisError, LscoreError
from lscore.model.risk import Risk

CLAIM = "HE-T1"
ROUNDS = 20


@checked
def linear_minimiser(risk: Risk) -> RationalMatrix:
    r"""[W, b] (k, d + 1) with the smallest risk of all affine maps :math:`x \mapsto W x + b`.

    Conditions: :math:`\sum_i V_i (x_i, 1)^\top = 0` with the derivative V of the loss at the
    outputs; for a convex loss they suffice. For the squared loss one exact least-squares problem, a
    basic solution if [X, 1] has dependent columns. For a smooth loss with knots: a float minimum
    proposes the piece of every margin, exact Newton steps on these pieces follow, until the
    conditions hold in rationals. Raises `HypothesisError` "minimiser" if they do not, or for a loss
    that is not convex, not differentiable or not rational: then give a map of your own.

    >>> from lscore import Network, relu
    >>> from lscore.model.huber import HuberLoss
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3, 4, 6], [0, 2, 1, 5, 3, 4])
    >>> linear_minimiser(risk)
    [[9/14, 11/14]]
    >>> linear_minimiser(Risk(risk.network, risk.X, risk.y, HuberLoss("1/2")))
    [[9/14, 5/14]]
    """
    loss, A = risk.loss, risk.exact_augmented
    if loss.quadratic:
        return least_squares(A, risk.exact_y)[0].T
    if not (loss.convex and loss.smooth and loss.polynomial):
        text = f"no exact one is computed for the {loss.kind} loss, give a map as `fit`"
        raise HypothesisError(CLAIM, "minimiser", text, loss)
    try:
        fit = exact(_float_minimiser(risk).tolist())
        for _ in range(ROUNDS):
            sums = A.T @ loss.gradient(A @ fit.T, risk.exact_y)
            if sums.is_zero():
                return fit
            fit = _newton(risk, fit, sums)
    except (LscoreError, ZeroDivisionError) as error:
        raise HypothesisError(CLAIM, "minimiser", str(error), loss) from error
    text = f"{ROUNDS} exact Newton steps did not end in one, give a map as `fit`"
    raise HypothesisError(CLAIM, "minimiser", text, loss)


def _float_minimiser(risk: Risk) -> np.ndarray:
    """A minimum over affine maps in floats, (k, d + 1), from the least-squares map."""
    A = torch.cat([risk.X, torch.ones(len(risk.X), 1, dtype=torch.float64)], 1)
    start = torch.linalg.lstsq(A, risk.y, driver="gelsd").solution

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        outputs = A @ torch.from_numpy(flat).reshape(start.shape)
        slopes = A.T @ risk.loss.gradient(outputs, risk.y)
        return float(risk.loss(outputs, risk.y)), slopes.numpy().ravel()

    found = minimize(value, start.numpy().ravel(), jac=True, method="BFGS")
    return found.x.reshape(start.shape).T


def _newton(risk: Risk, fit: RationalMatrix, sums: RationalMatrix) -> RationalMatrix:
    """The stationary point of the formulas in use at this map: exact for quadratic pieces."""
    loss, A, (k, p) = risk.loss, risk.exact_augmented, fit.shape
    bends = loss.second(A @ fit.T, risk.exact_y)
    rows = [[fmpq(0)] * (k * p) for _ in range(k * p)]
    for c in range(k):
        for e in range(k):
            weighted = [
                [v * b for v in row] for row, b in zip(_table(A), bends[:, c, e], strict=True)
            ]
            block = A.T @ exact(weighted)
            for i in range(p):
                for j in range(p):
                    rows[c * p + i][e * p + j] = block[i, j]
    right = -sums.T.flat(0, k * p, 1)
    return fit + least_squares(exact(rows), right)[0].flat(0, k, p)


def _table(A: RationalMatrix) -> list[list[fmpq]]:
    entries, width = A.entries(), A.shape[1]
    return [entries[i : i + width] for i in range(0, len(entries), width)]
