r"""One forward and one backward pass through a network, for every kind of number.

A layer multiplies, transposes and adds, whatever its numbers are. So one loop serves float tensors,
rational matrices, and numpy arrays of anything that can be added and multiplied: floats, complex
numbers, polynomials in t or in the parameters, intervals, balls. What the activations do is an
argument: they may be evaluated, or frozen on given pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from lscore.algebra.matrices import RationalMatrix, exact, ones, stack, zeros
from lscore.errors import TieError
from lscore.model.activations import PiecewiseLinear

Matrix = torch.Tensor | RationalMatrix | np.ndarray
Bend = Callable[[int, Matrix], Matrix]  # layer (from 0) and pre-activations -> signals


@dataclass(frozen=True)
class Layer:
    """Weight (out, in) and bias of one layer, or None; an exact bias is (out, 1), others (out,)."""

    weight: Matrix
    bias: Matrix | None

    def __call__(self, inputs: Matrix, augmented: bool = False) -> Matrix:
        """inputs @ weight.T + bias for inputs (n, in); if `augmented`, inputs are exact [X, 1]."""
        if augmented:
            return inputs @ stack([self.weight.T, self.bias.T])
        out = inputs @ self.weight.T
        if self.bias is None:
            return out
        if isinstance(out, RationalMatrix):
            return out + ones(len(out)) @ self.bias.T
        return out + self.bias


@dataclass(frozen=True, eq=False)
class Pass:
    """A forward pass that keeps everything: per layer its `inputs` and `pre` (n, d_l); `outputs`.

    `positions` (of `trace`) has an (n, width) array per activated layer: 2p in the open piece p,
    2p + 1 on knot p. Ties (odd numbers) are reported, never resolved.
    """

    layers: Sequence[Layer]
    inputs: list[Matrix]
    pre: list[Matrix]
    outputs: Matrix
    positions: tuple[np.ndarray, ...] = field(default=())

    def pieces(self) -> tuple[np.ndarray, ...]:
        """The linear pieces in use; raises `TieError` if a pre-activation lies on a knot."""
        for depth, position in enumerate(self.positions):
            if (position % 2).any():
                i, k = (int(v) for v in np.argwhere(position % 2)[0])
                raise TieError(
                    f"w: sample {i}, unit {k} of layer {depth + 1} has its pre-activation "
                    "exactly on a knot; the gradient does not exist there"
                )
        return tuple(position // 2 for position in self.positions)


def forward(layers: Sequence[Layer], X: Matrix, bend: Bend, augmented: bool = False) -> Pass:
    """The pass of samples X (n, d); `bend(l, z)` is what the activation makes of layer l."""
    inputs, pre, signal = [], [], X
    for l, layer in enumerate(layers):
        inputs.append(signal)
        pre.append(layer(signal, augmented and l == 0))
        signal = bend(l, pre[-1])
    return Pass(layers, inputs, pre, signal)


def backward(run: Pass, pull: Matrix, slope: Bend, layer: int | None = None) -> Matrix:
    """The gradient, flat, of the sum over samples of `pull` times a signal of the pass.

    The signal is the output by default, or the pre-activations of `layer` (from 0);
    `slope(l, d)` multiplies d (n, width) with the slopes of the activation of layer l.
    """
    top = len(run.layers) - 1 if layer is None else layer
    found = [_blank(part) for above in run.layers[top + 1 :] for part in _parts(above)]
    for l in reversed(range(top + 1)):
        if l < top or layer is None:
            pull = slope(l, pull)
        bias = [] if run.layers[l].bias is None else [_total(pull)]
        found = [pull.T @ run.inputs[l], *bias, *found]
        pull = pull @ run.layers[l].weight if l else pull
    return flat(found)


def _parts(layer: Layer) -> list[Matrix]:
    return [part for part in (layer.weight, layer.bias) if part is not None]


def _blank(part: Matrix) -> Matrix:
    return zeros(*part.shape) if isinstance(part, RationalMatrix) else np.zeros_like(part)


def _total(pull: Matrix) -> Matrix:
    """The sums over the samples, in the shape of a bias."""
    return pull.T @ ones(len(pull)) if isinstance(pull, RationalMatrix) else pull.sum(0)


def flat(parts: Sequence[Matrix]) -> Matrix:
    """Weights and biases, in the order of a point, as one point."""
    if isinstance(parts[0], RationalMatrix):
        return stack([part.flat(0, part.shape[0] * part.shape[1], 1) for part in parts])
    if isinstance(parts[0], torch.Tensor):
        return torch.cat([part.reshape(-1) for part in parts])
    return np.concatenate([part.reshape(-1) for part in parts])


def layout(network, w: Matrix) -> list[Layer]:
    """The layers of a flat point of a `Network`, unchecked; w may be an array (m,) of any kind.

    This is the order inside a point. Parts of an array are views, through which it can be written.
    """
    layers, start = [], 0
    for out, inner, has_bias in zip(
        network.widths[1:], network.widths[:-1], network.biases, strict=True
    ):
        exactly, middle = isinstance(w, RationalMatrix), start + out * inner
        weight = w.flat(start, out, inner) if exactly else w[start:middle].reshape(out, inner)
        start, bias = middle, None
        if has_bias:
            start = middle + out
            bias = w.flat(middle, out, 1) if exactly else w[middle:start]
        layers.append(Layer(weight, bias))
    return layers


def apply_pieces(h: PiecewiseLinear, z: Matrix, pieces: np.ndarray) -> Matrix:
    """h frozen on the pieces (n, width), for exact z or an array of what rationals multiply."""
    if isinstance(z, RationalMatrix):
        return h.apply_pieces(z, pieces)
    slopes, intercepts = (np.array(numbers, dtype=object) for numbers in (h.slopes, h.intercepts))
    return slopes[pieces] * z + intercepts[pieces]


@dataclass(frozen=True, eq=False)
class Frozen:
    """Piecewise linear activations on given `pieces`: one (n, width) array per activated layer.

    There may be more arrays than activations (those of a loss); they are ignored.
    """

    activations: Sequence[PiecewiseLinear]
    pieces: Sequence[np.ndarray]

    def bend(self, l: int, z: Matrix) -> Matrix:
        """The signals of layer l."""
        here = l < len(self.activations)
        return apply_pieces(self.activations[l], z, self.pieces[l]) if here else z

    def slope(self, l: int, pull: RationalMatrix) -> RationalMatrix:
        """`pull` (n, width) times the slopes of the pieces."""
        if l == len(self.activations):
            return pull
        slopes, pieces = self.activations[l].slopes, self.pieces[l].ravel().tolist()
        pairs = zip(pull.entries(), pieces, strict=True)
        return exact([d * slopes[p] for d, p in pairs]).flat(0, *pull.shape)


def trace(network, w: RationalMatrix, X: RationalMatrix) -> Pass:
    """The exact pass of samples X (n, d) through a piecewise linear `Network`, with positions."""
    positions: list[np.ndarray] = []

    def bend(l: int, z: RationalMatrix) -> RationalMatrix:
        if l == len(network.switches):
            return z
        positions.append(network.switches[l].positions(z))
        return network.switches[l].apply_pieces(z, positions[l] // 2)

    run = forward(layout(network, w), X, bend)
    return Pass(run.layers, run.inputs, run.pre, run.outputs, tuple(positions))
