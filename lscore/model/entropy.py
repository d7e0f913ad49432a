r"""Logistic loss and cross-entropy: convex and smooth, and hardly ever rational.

Balls decide. Exact outputs have an exact gradient only where no class is preferred.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from flint import arb, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, ones
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
        where = "the logistic loss and its derivatives are rational only where all outputs are 0"
        return outputs * _read(outputs, targets, "(n, 1)", where)


def _exponentials(margins: np.ndarray) -> np.ndarray:
    """exp of every ball."""
    found = np.empty(margins.shape, dtype=object)
    for place, m in np.ndenumerate(margins):
        found[place] = arb(m).exp()
    return found


@checked
@dataclass(frozen=True)
class CrossEntropyLoss(Loss):
    r""":math:`\frac1n \sum_i \sum_k -y_{ik} \log p_{ik}` with :math:`p_i` the softmax of
    :math:`\hat y_i`, for K >= 2 outputs: ``torch.nn.CrossEntropyLoss()``.

    Labels are classes 0..K-1 (n,), or rows of probabilities (n, K) that sum to exactly 1, as label
    smoothing makes them; stored as rows. The gradient is :math:`(p - y)/n`. `shift_invariant`:
    adding one number to all outputs of a sample changes nothing. Balls decide, and floats are
    welcome; exact outputs have an exact gradient only where those of each sample are equal, and
    raise `SettingError` otherwise.

    >>> loss = CrossEntropyLoss()
    >>> loss.gradient(exact([[0, 0], [3, 3]]), exact([[1, 0], [0, 1]]))
    [[-1/4, 1/4], [1/4, -1/4]]
    >>> loss(np.array([[arb(0), arb(0)]]), exact([[1, 0]])).str(5, radius=False)
    '0.69315'
    """

    kind = "cross-entropy"
    convex = smooth = nonnegative = proved = shift_invariant = True

    def read_labels(self, y: object, outputs: int) -> np.ndarray | RationalMatrix:
        """Rows (n, K) of probabilities. Raises `DtypeError`, `DataError` or `ShapeError`."""
        rows = exact(y, "y")
        if outputs < 2 or rows.shape[1] not in (1, outputs):
            raise ShapeError(
                f"y: shape {rows.shape} for {outputs} outputs, need (n,) or (n, K) for K >= 2"
            )
        if rows.shape[1] > 1:
            sums = (rows @ ones(outputs)).entries()
            bad = [i for i, total in enumerate(sums) if total != 1]
            if bad or rows.smallest() < 0:
                raise DataError(
                    f"y: row {bad[0]} sums to {sums[bad[0]]}, need exactly 1 (fractions can)"
                    if bad
                    else f"y: got the probability {rows.smallest()}, need >= 0"
                )
            return rows
        labels = integer_labels(y, "y")
        bad = labels[(labels < 0) | (labels >= outputs)]
        if bad.size:
            raise DataError(f"y: got the class {bad[0]}, need 0..{outputs - 1}")
        return (labels == np.arange(outputs)).astype(float)

    def __call__(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The loss of outputs (n, K) in floats or balls."""
        targets = self._read(outputs, targets)
        if isinstance(outputs, torch.Tensor):
            return -(targets * torch.log_softmax(outputs, 1)).sum() / len(outputs)
        terms = zip(targets.flat, _odds(outputs).flat, strict=True)
        return sum((arb(y) * odds.log() for y, odds in terms if y), arb(0)) / len(outputs)

    def gradient(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The derivative by the outputs, (n, K)."""
        if isinstance(outputs, RationalMatrix):
            (n, k), targets = outputs.shape, paired(outputs, targets)
            if outputs == outputs.column(0) @ ones(k).T:
                return (ones(n) @ ones(k).T / k - targets) / n
        targets = self._read(outputs, targets)
        return (self._probabilities(outputs) - targets) / len(outputs)

    def second(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The second derivative of each sample, (n, K, K)."""
        self._read(outputs, targets)
        p, (n, k) = self._probabilities(outputs), outputs.shape
        unit = torch.eye(k, dtype=p.dtype) if isinstance(p, torch.Tensor) else np.eye(k, dtype=int)
        return (p[:, :, None] * unit - p[:, :, None] * p[:, None, :]) / n

    def _probabilities(self, outputs: Outputs):
        if isinstance(outputs, torch.Tensor):
            return torch.softmax(outputs, 1)
        return 1 / _odds(outputs)

    def _read(self, outputs: Outputs, targets: Outputs) -> Outputs:
        where = "cross-entropy and its derivatives are rational only where all outputs of a sample "
        return _read(outputs, targets, "(n, K)", where + "are equal")


def _read(outputs: Outputs, targets: Outputs, shape: str, where: str) -> Outputs:
    """The targets of outputs that are a table of floats or balls."""
    targets = paired(outputs, targets)
    if len(outputs.shape) != 2:
        raise ShapeError(f"outputs: shape {tuple(outputs.shape)}, need {shape}")
    if isinstance(outputs, RationalMatrix):
        text = f"outputs: {where}, and then only the gradient; need floats or balls"
        raise SettingError(text)
    return targets


def _odds(outputs: np.ndarray) -> np.ndarray:
    r""":math:`1/p_{ik} = \sum_l e^{z_{il} - z_{ik}}`, which is thinner in balls than a quotient."""
    z = np.asarray(outputs)
    return _exponentials(z[:, None, :] - z[:, :, None]).sum(2)
