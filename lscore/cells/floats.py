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
from lscore.errors import DataError
from lscore.model.losses import SquaredLoss
from lscore.model.passes import activated
from lscore.model.risk import Risk

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

    def _layers(self, w: np.ndarray) -> list[tuple[np.ndarray, np.ndarray | None]]:
        layers, start, bias = [], 0, self.risk.network.bias
        widths = self.risk.network.widths
        for out, inner in zip(widths[1:], widths, strict=False):
            weight = w[start : start + out * inner].reshape(out, inner)
            start += out * inner
            layers.append((weight, w[start : start + out] if bias else None))
            start += out * bias
        return layers

    def signals(self, w: np.ndarray) -> tuple[list, list]:
        """The input of every layer, and its pre-activations (n, width); the last is the output."""
        signal, inputs, pre = self.risk.X.numpy(), [], []
        for l, (weight, bias) in enumerate(self._layers(w)):
            inputs.append(signal)
            z = signal @ weight.T + (0 if bias is None else bias)
            pre.append(z)
            signal = self.slopes[l] * z + self.intercepts[l] if l < len(self.slopes) else z
        return inputs, [*pre, signal]

    def value(self, w: np.ndarray) -> float:
        """The frozen risk."""
        residuals = self.signals(w)[1][-1] - self.risk.y.numpy()
        scale = to_float(self.risk.loss.scale(len(residuals)))
        return scale * (residuals**2).sum() + to_float(self.risk.weight_decay) / 2 * (w @ w)

    def gradient(self, w: np.ndarray) -> np.ndarray:
        """The gradient (m,) of the frozen risk; complex points are allowed."""
        inputs, pre = self.signals(w)
        residuals = pre[-1] - self.risk.y.numpy()
        delta = residuals * to_float(self.risk.loss.curvature(len(residuals)))
        return self._pull(w, inputs, delta, None) + to_float(self.risk.weight_decay) * w

    def normal(self, w: np.ndarray, place: tuple[int, int, int]) -> np.ndarray:
        """The gradient (m,) of one pre-activation, place = (layer from 1, sample, unit)."""
        layer, i, k = place
        inputs, pre = self.signals(w)
        delta = np.zeros(pre[layer - 1].shape)
        delta[i, k] = 1.0
        return self._pull(w, inputs, delta, layer - 1)

    def _pull(self, w, inputs, delta, depth: int | None) -> np.ndarray:
        """Backpropagation of delta from the output, or from the pre-activations of a layer."""
        layers = self._layers(w)
        top = len(layers) - 1 if depth is None else depth
        blocks = [np.zeros_like(part) for pair in layers[top + 1 :] for part in pair
                  if part is not None]  # fmt: skip
        for l in reversed(range(top + 1)):
            if l < len(self.slopes) and (l < top or depth is None):
                delta = delta * self.slopes[l]
            block = [delta.T @ inputs[l]]
            if layers[l][1] is not None:
                block.append(delta.sum(0))
            blocks = block + blocks
            delta = delta @ layers[l][0]
        return np.concatenate([block.reshape(-1) for block in blocks])

    def hessian_product(self, w: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Hessian of the frozen risk times v, by the complex step."""
        return self.gradient(w + 1j * _TINY * v).imag / _TINY


def pieces_of(risk: Risk, w: np.ndarray) -> list[np.ndarray]:
    """The piece of every unit and sample at a float point; on a knot the left one."""
    signal, pieces = risk.X.numpy(), []
    activations = activated(risk.network)
    for l, layer in enumerate(risk.network._layers(torch.from_numpy(w))):
        z = layer(torch.from_numpy(signal))
        if l == len(activations):
            break
        knots = [to_float(t) for t in activations[l].knots]
        pieces.append(sum(((z > t).numpy().astype(int) for t in knots), np.zeros(z.shape, int)))
        signal = activations[l](z).numpy()
    return pieces


def freeze(risk: Risk, pieces: list[np.ndarray]) -> FloatCell:
    """The cell with the given pieces, (n, width) per activated layer.

    Raises `DataError` for losses other than squared ones.
    """
    if not isinstance(risk.loss, SquaredLoss):
        raise DataError(f"risk: loss {type(risk.loss).__name__}, need SquaredLoss")
    slopes, intercepts = [], []
    for h, part in zip(activated(risk.network), pieces, strict=True):
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
