r"""Hinge losses: weighted sums of :math:`\max(m, 0)` over margins that are affine in the outputs.

.. math:: \ell = \sum_{i,j} \mu_{ij} \max(m_{ij}, 0), \qquad m_{ij} = 1 + \sum_r D_{ijr} \hat y_{ir}

with integers D that depend on the label: -y for binary labels; :math:`+1` at a wrong class and
:math:`-1` at the right one for several classes (Crammer and Singer); :math:`\mp 1` at each class
for one versus all. A term is *unsolved* where m > 0, *slack* where m < 0 and a *tie* where m = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from flint import arb, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.errors import DataError, ShapeError, TieError
from lscore.model.activations import relu
from lscore.model.losses import Loss, Outputs, objects, paired

_KINDS = ("binary", "multiclass", "one versus all")


@checked
@dataclass(frozen=True, eq=False)
class HingeLoss(Loss):
    r"""One of the three hinge losses; make it with `binary_hinge` and its siblings.

    `weights` are the positive numbers :math:`\mu`: None for 1/n each, (n,) one per sample, or
    (n, J) one per margin. Convex and piecewise linear in the outputs; not differentiable at ties.
    Raises `DataError` for an unknown kind or weights that are not positive.
    """

    kind: str
    weights: object = None

    convex = polynomial = nonnegative = piecewise_linear = hinge = proved = True
    knots = (fmpq(0),)

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise DataError(f"kind: got {self.kind!r}, need one of {', '.join(_KINDS)}")
        if self.weights is not None:
            object.__setattr__(self, "weights", exact(self.weights, "weights"))
            if self.weights.smallest() <= 0:
                raise DataError(f"weights: got {self.weights.smallest()}, need positive numbers")

    def read_labels(self, y: object, outputs: int) -> np.ndarray:
        """Labels as a float64 sign matrix (n, k): +1 for the class of a sample, -1 for others.

        Takes +-1 (n,) for one output, classes 0..k-1 (n,) for several, or the sign matrix itself.
        Raises `DtypeError` (not numbers), `DataError` (another label), `ShapeError`.
        """
        labels = integer_labels(y, "y")
        if self.kind == "binary" and outputs != 1:
            raise ShapeError(f"y: the binary hinge needs a network with 1 output, got {outputs}")
        if self.kind != "binary" and outputs < 2:
            raise ShapeError(f"y: the {self.kind} hinge needs at least 2 outputs, got {outputs}")
        if labels.shape[1] not in {1, outputs}:
            raise ShapeError(f"y: shape {labels.shape}, need (n,) or (n, {outputs})")
        if outputs > 1 and labels.shape[1] == 1:
            bad = labels[(labels < 0) | (labels >= outputs)]
            if bad.size:
                raise DataError(f"y: got the class {bad[0]}, need 0..{outputs - 1}")
            return 2.0 * (labels == np.arange(outputs)) - 1
        bad = labels[abs(labels) != 1]
        if bad.size:
            raise DataError(f"y: got the label {bad[0]}, need +1 or -1")
        if self.kind == "multiclass" and not ((labels > 0).sum(1) == 1).all():
            raise DataError("y: a row of signs has not exactly one +1, need one class per sample")
        return labels.astype(float)

    def directions(self, targets: Outputs) -> np.ndarray:
        """D (n, J, k), integers, for a sign matrix: J = 1, k - 1 and k margins for the three kinds.

        The margins of a multiclass sample are those of its wrong classes, in increasing order.
        """
        if isinstance(targets, torch.Tensor):
            targets = targets.detach()
        targets = targets.floats() if isinstance(targets, RationalMatrix) else np.asarray(targets)
        if targets.ndim != 2 or not targets.size or not np.isin(targets, (-1, 1)).all():
            raise DataError("targets: need a matrix (n, k) of signs +1 and -1")
        signs, k = targets.astype(int), targets.shape[1]
        if self.kind == "multiclass" and (k < 2 or ((signs > 0).sum(1) != 1).any()):
            raise DataError("targets: need exactly one +1 in each row of at least 2")
        if self.kind != "multiclass":
            return -signs[:, :, None] * np.eye(k, dtype=int)
        own = signs.argmax(1)
        wrong = np.array([[r for r in range(k) if r != c] for c in own])
        return np.eye(k, dtype=int)[wrong] - np.eye(k, dtype=int)[own][:, None, :]

    def term_weights(self, n: int, terms: int) -> RationalMatrix:
        """The numbers mu as an (n, J) matrix. Raises `ShapeError` if they do not fit the data."""
        if self.weights is None:
            return exact([[fmpq(1, int(n))] * int(terms)] * int(n))
        if self.weights.shape not in {(n, 1), (n, terms)}:
            raise ShapeError(f"weights: shape {self.weights.shape}, need ({n},) or ({n}, {terms})")
        if self.weights.shape == (n, terms):
            return self.weights
        return exact([[mu] * terms for mu in self.weights.entries()])

    def jump(self, outputs: Outputs, targets: Outputs, i: int, j: int) -> fmpq:
        """The number mu of the term."""
        return self.term_weights(*self.directions(targets).shape[:2])[i, j]

    def margins(self, outputs: Outputs, targets: Outputs):
        """m (n, J) for outputs (n, k), of their kind.

        >>> multiclass_hinge().margins(exact([[3, 1, 0]]), exact([[1, -1, -1]]))
        [[-1, -2]]
        """
        targets = paired(outputs, targets)
        if len(outputs.shape) != 2:
            raise ShapeError(f"predictions: shape {tuple(outputs.shape)}, need (n, k)")
        if isinstance(outputs, torch.Tensor):
            if self.kind != "multiclass":
                return 1 - targets * outputs
            own = torch.sum(outputs * (targets > 0), 1, keepdim=True)
            return 1 + torch.gather(outputs, 1, _wrong_classes(targets)) - own
        if isinstance(outputs, np.ndarray):
            D = self.directions(targets.astype(float)).astype(outputs.dtype)
            return (D @ outputs[:, :, None])[:, :, 0] + 1
        rows = outputs.numerator.tolist()
        D, one = self.directions(targets), outputs.denominator
        margins = [
            [one + sum(int(d) * v for d, v in zip(line, row, strict=True) if d) for line in lines]
            for lines, row in zip(D, rows, strict=True)
        ]
        return exact(margins) / fmpq(one)

    def __call__(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The loss of outputs (n, k) against a sign matrix (n, k); exact in, exact out.

        >>> binary_hinge()(exact([2, "1/2"]), exact([1, 1]))
        1/4
        """
        margins = self.margins(outputs, targets)
        weights = self.term_weights(*margins.shape)
        if isinstance(margins, torch.Tensor):
            kept = torch.relu(margins) if pieces is None else margins * torch.from_numpy(pieces > 0)
            return torch.sum(torch.from_numpy(weights.floats()) * kept)
        if isinstance(margins, RationalMatrix):
            pairs = zip(weights.entries(), margins.entries(), strict=True)
            on = [m > 0 for m in margins.entries()] if pieces is None else pieces.ravel() > 0
            return sum((mu * m for (mu, m), kept in zip(pairs, on, strict=True) if kept), fmpq(0))
        if pieces is None:
            terms = zip(weights.entries(), margins.flat, strict=True)
            return sum((mu * relu.ball(m) for mu, m in terms), arb(0))
        return (objects(weights) * margins * (pieces > 0)).sum()

    def gradient(self, outputs: Outputs | None, targets: Outputs, pieces: np.ndarray | None = None):
        r"""Derivative by the outputs, :math:`\nu_{ir} = \sum_j \mu_{ij} \epsilon_{ij} D_{ijr}` with
        :math:`\epsilon_{ij}` = 1 where the term is unsolved, else 0; with `pieces` exact, and the
        same at all outputs, which may be None.

        A tie counts as slack in floats, as in torch. Raises `TieError` at an exact tie.
        """
        if pieces is not None:
            pull = self._pull(targets, pieces > 0)
            if isinstance(outputs, torch.Tensor):
                return torch.from_numpy(pull.floats())
            return objects(pull) if isinstance(outputs, np.ndarray) else pull
        margins = self.margins(outputs, targets)
        if isinstance(outputs, torch.Tensor):
            on = torch.from_numpy(self.term_weights(*margins.shape).floats()) * (margins > 0)
            if self.kind != "multiclass":
                return -targets * on
            wrong = torch.zeros_like(outputs).scatter_add(1, _wrong_classes(targets), on)
            return wrong - (targets > 0) * on.sum(1, keepdim=True)
        if isinstance(outputs, np.ndarray):
            on = objects(self.term_weights(*margins.shape)) * _slopes(margins)
            D = self.directions(targets).astype(object)
            return (on[:, None, :] @ D)[:, 0, :]
        position = relu.positions(margins)
        if (position == 1).any():
            i, j = (int(v) for v in np.argwhere(position == 1)[0])
            raise TieError(
                f"w: margin {j} of sample {i} is exactly 0; the gradient does not exist there"
            )
        return self._pull(targets, position > 0)

    def _pull(self, targets: Outputs, unsolved: np.ndarray) -> RationalMatrix:
        """The derivative where only the terms `unsolved` (n, J) count."""
        D = self.directions(targets)
        n, terms, k = D.shape
        if unsolved.shape != (n, terms):
            raise ShapeError(f"pieces: shape {unsolved.shape}, need {n, terms}")
        weights = self.term_weights(n, terms)
        total = [[fmpq(0)] * k for _ in range(n)]
        for i, j in np.argwhere(unsolved):
            for r in np.flatnonzero(D[i, j]):
                total[i][r] += weights[int(i), int(j)] * int(D[i, j, r])
        return exact(total)

    def curvature(self, n: int) -> fmpq:
        """Second derivative by the outputs away from ties: 0."""
        return fmpq(0)


def _slopes(margins: np.ndarray) -> np.ndarray:
    """Per margin 1 where it is positive, 0 where it is negative, nan where a ball meets 0."""
    found = np.empty(margins.shape, dtype=object)
    for place, m in np.ndenumerate(margins):
        found[place] = arb(int(m > 0)) if m > 0 or m < 0 else arb.nan()
    return found


def _wrong_classes(targets: torch.Tensor) -> torch.Tensor:
    """Per sample the classes with sign -1 in increasing order, (n, k - 1)."""
    return torch.argsort(targets, dim=1, stable=True)[:, :-1]


def integer_labels(y: object, name: str) -> np.ndarray:
    """Labels as an (n, k) integer array, decided exactly; `DataError` for 0.9, `DtypeError` for
    text (numpy.unique numbers the classes) and booleans.

    >>> integer_labels([1.0, 2], "y").tolist()
    [[1], [2]]
    """
    labels = exact(y, name, text=False)
    numbers = [divmod(int(e), int(labels.denominator)) for e in labels.numerator.entries()]
    bad = [i for i, (whole, rest) in enumerate(numbers) if rest or abs(whole) > 2**53]
    if bad:
        found = labels.entries()[bad[0]]
        raise DataError(f"{name}: got the label {found}, not an integer: need +-1 or classes 0..")
    return np.array([whole for whole, _ in numbers]).reshape(labels.shape)


@checked
def binary_hinge(weights: object = None) -> HingeLoss:
    r""":math:`\sum_i \mu_i \max(1 - y_i \hat y_i, 0)` with labels :math:`y_i = \pm 1`."""
    return HingeLoss("binary", weights)


@checked
def multiclass_hinge(weights: object = None) -> HingeLoss:
    r""":math:`\sum_i \mu_i \sum_{r \ne r_i} \max(1 + \hat y_{ir} - \hat y_{i r_i}, 0)`."""
    return HingeLoss("multiclass", weights)


@checked
def one_versus_all_hinge(weights: object = None) -> HingeLoss:
    r""":math:`\sum_i \sum_r \mu_{ir} \max(1 - s_{ir} \hat y_{ir}, 0)`, with s = 1 for its class."""
    return HingeLoss("one versus all", weights)
