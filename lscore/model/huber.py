r"""The Huber loss: a parabola near the label, a cone away from it.

Convex and continuously differentiable, and its derivative is 0 at the label only; so it is the
simplest loss that is not the squared one and still rational.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from flint import arb, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, to_float
from lscore.algebra.rationals import positive
from lscore.errors import ShapeError
from lscore.model.losses import Loss, Outputs, objects, paired


@checked
@dataclass(frozen=True)
class HuberLoss(Loss):
    r""":math:`\sum_{i,c} \rho_\delta(\hat y_{ic} - y_{ic})` with :math:`\rho_\delta(m) =
    \tfrac12 m^2` for :math:`|m| \le \delta` and :math:`\delta |m| - \tfrac12 \delta^2` beyond;
    divided by the number of entries n k when `mean` is set.

    `delta` > 0 is where the slope stops growing. ``HuberLoss(1, mean=True)`` is
    ``torch.nn.HuberLoss()``. The margins are :math:`\hat y - y`. Convex and continuously
    differentiable; no second derivative at :math:`m = \pm\delta`.

    >>> huber = HuberLoss("1/2")
    >>> huber(exact([1, "1/4"]), exact([0, 0])), huber.gradient(exact([-3, "1/4"]), exact([0, 0]))
    (13/32, column(-1/2, 1/4))
    """

    delta: Scalar = 1
    mean: bool = False

    kind = "Huber"
    convex = smooth = polynomial = nonnegative = proved = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", positive(self.delta, "delta"))

    @property
    def knots(self) -> tuple[fmpq, fmpq]:
        """Where the margins change their formula."""
        return -self.delta, self.delta

    def margins(self, outputs: Outputs, targets: Outputs):
        """The differences of outputs and targets, (n, k)."""
        m = outputs - paired(outputs, targets)
        if len(m.shape) != 2:
            raise ShapeError(f"outputs: shape {tuple(m.shape)}, need (n, k)")
        return m

    def __call__(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The loss of outputs (n, k); exact in, exact out."""
        m = self.margins(outputs, targets)
        slopes, m, scale = objects(self._slopes(m, pieces)), objects(m), self._scale(m)
        if not _is_exact(m):
            return (slopes * (m - slopes / 2)).sum() * to_float(scale)
        terms = slopes * (m - slopes * fmpq(1, 2))  # s (m - s/2), also where s is +-delta
        return terms.sum() * scale

    def gradient(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The derivative by the outputs, (n, k): the differences, clipped at +-delta."""
        slopes = self._slopes(m := self.margins(outputs, targets), pieces)
        return slopes * (self._scale(m) if _is_exact(m) else to_float(self._scale(m)))

    def second(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The second derivatives of each sample, (n, k, k): 1 between the knots, else 0; on a knot
        the left one, and nan for a ball that meets one."""
        m = self.margins(outputs, targets)
        where = self._pieces(m) if pieces is None else pieces
        if isinstance(m, torch.Tensor):
            return torch.diag_embed(torch.from_numpy((where == 1) * to_float(self._scale(m))))
        found = np.full((*where.shape, where.shape[1]), fmpq(0), dtype=object)
        for place, piece in np.ndenumerate(where):
            known = pieces is not None or self._is_on_one_side(objects(m)[place])
            found[(*place, place[1])] = self._scale(m) * int(piece == 1) if known else arb.nan()
        return found

    def _scale(self, margins: Outputs) -> fmpq:
        n, k = margins.shape
        return fmpq(1, int(n) * int(k)) if self.mean else fmpq(1)

    def _pieces(self, margins: Outputs) -> np.ndarray:
        """Which formula each margin has: 0, 1 or 2; on a knot the left one."""
        if isinstance(margins, RationalMatrix):
            return self.switch.positions(margins) // 2
        entries = margins.detach().numpy() if isinstance(margins, torch.Tensor) else margins
        low, high = self.knots if entries.dtype == object else map(to_float, self.knots)
        return np.array([[int(m > low) + int(m > high) for m in row] for row in entries])

    def _slopes(self, m: Outputs, pieces: np.ndarray | None):
        """The derivative of every term by its margin, before the scale."""
        if isinstance(m, torch.Tensor) and pieces is None:
            return m.clamp(-to_float(self.delta), to_float(self.delta))
        if isinstance(m, np.ndarray) and pieces is None and m.dtype == object:
            clipped = [self._clipped(v) for v in m.flat]
            return _array(clipped, m.shape)
        where = self._pieces(m) if pieces is None else pieces
        if isinstance(m, torch.Tensor):
            middle = torch.from_numpy(where == 1)
            return torch.where(middle, m, torch.from_numpy(where - 1.0) * to_float(self.delta))
        if isinstance(m, np.ndarray) and m.dtype != object:
            return np.where(where == 1, m, (where - 1) * to_float(self.delta))
        pairs = zip(objects(m).flat, where.flat, strict=True)
        found = [v if p == 1 else self.delta * (int(p) - 1) + 0 * v for v, p in pairs]
        if isinstance(m, RationalMatrix):
            return exact(found).flat(0, *m.shape)
        return _array(found, m.shape)

    def _clipped(self, m):
        """A number or a ball, clipped."""
        if not isinstance(m, arb):
            return min(max(m, -self.delta), self.delta)
        d = arb(self.delta)
        return m.min(d).max(-d)

    def _is_on_one_side(self, m) -> bool:
        """Whether it is known on which side of every knot a number or a ball lies."""
        return not isinstance(m, arb) or all(m > t or m < t for t in self.knots)


def _is_exact(m: Outputs) -> bool:
    return isinstance(m, RationalMatrix) or m.dtype == object


def _array(entries: list, shape: tuple[int, int]) -> np.ndarray:
    found = np.empty(len(entries), dtype=object)
    found[:] = entries
    return found.reshape(shape)
