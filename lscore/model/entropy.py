r"""The logistic loss: convex and smooth, and never rational but where all outputs are 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from flint import arb, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix
from lscore.errors import DataError, SettingError, ShapeError
from lscore.model.hinges import integer_labels
from lscore.model.losses import Loss, Outputs, paired


@checked
@dataclass(frozen=True)
class LogisticLoss(Loss):
    r""":math:`\sum_i \log(1 + e^{-y_i \hat y_i})` for labels :math:`y_i = \pm 1` and one output.

    Balls decide, and floats are welcome. Exact outputs have an exact gradient,
    :math:`-\tfrac12 y_i`, only where all of them are 0; everything else raises `DataError` there.

    >>> from lscore.algebra.matrices import exact
    >>> LogisticLoss().gradient(exact([0, 0]), exact([1, -1]))
    column(-1/2, 1/2)
    >>> LogisticLoss()(np.array([[arb(0)]]), exact([1])).str(5, radius=False)
    '0.69315'
    """

    kind = "logistic"
    convex = smooth = nonnegative = proved = True

    def read_labels(self, y: object, outputs: int) -> np.ndarray:
        """Labels +1 and -1 as a column. Raises `DtypeError`, `DataError` or `ShapeError`."""
        labels = integer_labels(y, "y")
        if outputs != 1 or labels.shape[1] != 1:
            raise ShapeError(f"y: shape {labels.shape} for {outputs} outputs, need (n,) for 1")
        bad = labels[abs(labels) != 1]
        if bad.size:
            raise DataError(f"y: got the label {bad[0]}, need +1 or -1")
        return labels.astype(float)

    def __call__(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The loss of outputs (n, 1) in floats or balls."""
        margins = self._margins(outputs, targets)
        if isinstance(margins, torch.Tensor):
            return torch.nn.functional.softplus(-margins).sum()
        return sum(((1 + (-m).exp()).log() for m in margins.flat), arb(0))

    def gradient(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The derivative by the outputs, (n, 1)."""
        if isinstance(outputs, RationalMatrix) and outputs.is_zero():
            return paired(outputs, targets) * fmpq(-1, 2)
        margins, targets = self._margins(outputs, targets), paired(outputs, targets)
        if isinstance(margins, torch.Tensor):
            return -targets * torch.sigmoid(-margins)
        return -targets / (1 + _exponentials(margins))

    def second(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The second derivative of each sample, (n, 1, 1)."""
        margins = self._margins(outputs, targets)
        if isinstance(margins, torch.Tensor):
            return (torch.sigmoid(margins) * torch.sigmoid(-margins))[:, :, None]
        return (1 / (2 + _exponentials(margins) + _exponentials(-margins)))[:, :, None]

    def _margins(self, outputs: Outputs, targets: Outputs):
        targets = paired(outputs, targets)
        if len(outputs.shape) != 2:
            raise ShapeError(f"outputs: shape {tuple(outputs.shape)}, need (n, 1)")
        if isinstance(outputs, RationalMatrix):
            raise SettingError(
                "outputs: the logistic loss and its derivatives are rational only where all "
                "outputs are 0, and then only the gradient; need floats or balls"
            )
        return outputs * targets


def _exponentials(margins: np.ndarray) -> np.ndarray:
    """exp of every ball."""
    found = np.empty(margins.shape, dtype=object)
    for place, m in np.ndenumerate(margins):
        found[place] = arb(m).exp()
    return found
