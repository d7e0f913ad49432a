r"""One activation cell in floats: the frozen risk, its gradient, and exact Hessian products.

The frozen risk is a polynomial, so the complex step :math:`\mathrm{Im}\,\nabla P(w + i h v)/h`
gives :math:`\nabla^2 P(w)\, v` to rounding, for any tiny h. Fast enough for the right-hand side of
a differential equation, and defined at every point: the cell's own polynomial, continued.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from lscore.algebra.matrices import to_float
from lscore.model.passes import Pass, backward, forward, layout
from lscore.model.risk import Risk
from lscore.model.settings import Setting

_TINY = 1e-40


@dataclass(frozen=True, eq=False)
class FloatCell:
    """A squared risk whose switches are frozen: `slopes` and `intercepts`, (n, width) per layer.

    Slopes need not be those of a piece: a mean of the slopes on the two sides of a kink gives the
    mean of the two gradients, for one hidden layer.
    """

    risk: Risk
    slopes: tuple[np.ndarray, ...]
    intercepts: tuple[np.ndarray, ...]

    def _bend(self, l: int, z: np.ndarray) -> np.ndarray:
        return self.slopes[l] * z + self.intercepts[l] if l < len(self.slopes) else z

    def _slope(self, l: int, pull: np.ndarray) -> np.ndarray:
        return pull * self.slopes[l] if l < len(self.slopes) else pull

    def forward(self, w: np.ndarray) -> Pass:
        """The pass through the frozen network; complex points are allowed."""
        return forward(layout(self.risk.network, w), self.risk.X.numpy(), self._bend)

    def value(self, w: np.ndarray) -> float:
        """The frozen risk."""
        loss = self.risk.loss(self.forward(w).outputs, self.risk.y.numpy())
        return loss + self.risk.penalty(w)

    def gradient(self, w: np.ndarray) -> np.ndarray:
        """The gradient (m,) of the frozen risk; complex points are allowed."""
        run = self.forward(w)
        pull = self.risk.loss.gradient(run.outputs, self.risk.y.numpy())
        return backward(run, pull, self._slope) + self.risk.shrinkage(w)

    def normal(self, w: np.ndarray, place: tuple[int, int, int]) -> np.ndarray:
        """The gradient (m,) of one pre-activation, place = (layer from 1, sample, unit)."""
        layer, i, k = place
        run = self.forward(w)
        pull = np.zeros(run.pre[layer - 1].shape)
        pull[i, k] = 1.0
        return backward(run, pull, self._slope, layer - 1)

    def hessian_product(self, w: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Hessian of the frozen risk times v, by the complex step."""
        return self.gradient(w + 1j * _TINY * v).imag / _TINY


def pieces_of(risk: Risk, w: np.ndarray) -> list[np.ndarray]:
    """The piece of every unit and sample at a float point; on a knot the left one."""
    pieces, activations = [], risk.network.switches

    def bend(l: int, z: torch.Tensor) -> torch.Tensor:
        if l == len(activations):
            return z
        knots = [to_float(t) for t in activations[l].knots]
        pieces.append(sum(((z > t).numpy().astype(int) for t in knots), np.zeros(z.shape, int)))
        return activations[l](z)

    forward(layout(risk.network, torch.from_numpy(w)), risk.X, bend)
    return pieces


def freeze(risk: Risk, pieces: list[np.ndarray]) -> FloatCell:
    """The cell with the given pieces, (n, width) per activated layer.

    Raises `SettingError` for losses other than squared ones.
    """
    Setting(loss="squared loss").require(risk)
    slopes, intercepts = [], []
    for h, part in zip(risk.network.switches, pieces, strict=True):
        slopes.append(np.array([to_float(s) for s in h.slopes])[part])
        intercepts.append(np.array([to_float(c) for c in h.intercepts])[part])
    return FloatCell(risk, tuple(slopes), tuple(intercepts))


def float_cell(risk: Risk, w: np.ndarray) -> FloatCell:
    """The cell of a float point.

    >>> from lscore.model.activations import relu
    >>> from lscore.model.networks import Network
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1.0], [0.0])     # (v w)^2 / 2
    >>> w = np.array([2.0, 1.0])
    >>> cell = float_cell(risk, w)
    >>> cell.gradient(w), cell.hessian_product(w, np.array([1.0, 0.0]))
    (array([2., 4.]), array([1., 4.]))
    """
    return freeze(risk, pieces_of(risk, w))
