r"""Losses with their scale stated.

The scale of a loss decides its numbers, not its minima; so it is never left implicit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, rational, to_float
from lscore.errors import DataError, DtypeError, ShapeError

Outputs = torch.Tensor | RationalMatrix


@checked
@dataclass(frozen=True)
class SquaredLoss:
    r""":math:`c \sum_i \|\hat y_i - y_i\|^2`, divided by n when `mean` is set.

    `factor` is the constant c (1/2 by default). The default, half the sum of squares, is the
    convention of Yun, Sra and Jadbabaie (2019); ``SquaredLoss(1, mean=True)`` is
    ``torch.nn.MSELoss`` for one output. Convex and differentiable in the predictions.

    >>> from lscore.algebra.matrices import exact
    >>> SquaredLoss()(exact([1, 2]), exact([0, 0])), SquaredLoss(1, mean=True).scale(2)
    (5/2, 1/2)
    """

    factor: Scalar = "1/2"
    mean: bool = False

    is_convex = True
    is_differentiable = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", rational(self.factor, "factor"))
        if self.factor <= 0:
            raise DataError(f"factor: got {self.factor}, need a positive number")

    def scale(self, n: int) -> fmpq:
        """The number that multiplies the sum of squares for n samples."""
        return self.factor / int(n) if self.mean else self.factor

    def __call__(self, predictions: Outputs, targets: Outputs):
        """Loss of predictions (n, k) against targets (n, k); exact in, exact out."""
        check_paired(predictions, targets)
        residuals = predictions - targets
        scale = self.scale(len(targets))
        if isinstance(residuals, RationalMatrix):
            return residuals.dot(residuals) * scale
        return to_float(scale) * torch.sum(residuals**2)

    def gradient(self, predictions: Outputs, targets: Outputs):
        """Derivative with respect to the predictions, shape (n, k); exact in, exact out."""
        scale = self.curvature(len(targets))
        check_paired(predictions, targets)
        residuals = predictions - targets
        return residuals * (scale if isinstance(residuals, RationalMatrix) else to_float(scale))

    def curvature(self, n: int) -> fmpq:
        """Second derivative with respect to each prediction."""
        return 2 * self.scale(n)


def check_paired(predictions: Outputs, targets: Outputs) -> None:
    """Raise unless both are exact or both are tensors, of one shape: nothing is broadcast."""
    if isinstance(predictions, RationalMatrix) != isinstance(targets, RationalMatrix):
        raise DtypeError("predictions, targets: one is exact and the other is not; use `exact`")
    if tuple(predictions.shape) != tuple(targets.shape):
        shapes = f"{tuple(predictions.shape)} and {tuple(targets.shape)}"
        raise ShapeError(f"predictions, targets: shapes {shapes}, need equal ones")


half_sum_of_squares = SquaredLoss()
mean_squared_error = SquaredLoss(1, mean=True)
