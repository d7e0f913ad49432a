r"""Networks whose activations are frozen on one linear piece per unit and sample.

Inside an activation cell a piecewise linear network *is* such a network: the pieces are constants,
and outputs and gradients follow from matrix products. The same formulas make sense at any other
point, where they are the continuation of that cell's polynomial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lscore.algebra.matrices import RationalMatrix, exact, ones, stack, zeros
from lscore.errors import DataError, TieError
from lscore.model.activations import PiecewiseLinear
from lscore.model.networks import Network


def activated(network: Network) -> tuple[PiecewiseLinear, ...]:
    """The activations of the hidden layers, and the output activation if there is one.

    Raises `DataError` unless all of them are piecewise linear.
    """
    if not network.is_piecewise_linear:
        raise DataError("risk: cells need piecewise linear activations in every layer")
    last = network.output_activation
    return network.activations + (() if last is None else (last,))


@dataclass(frozen=True, eq=False)
class Trace:
    """A forward pass that keeps everything: `inputs` and `pre` (n, d_l) per layer, `outputs`.

    `positions` has an (n, width) array per activated layer: 2p in the open piece p, 2p + 1 on
    knot p. Ties (odd numbers) are reported, never resolved.
    """

    inputs: tuple[RationalMatrix, ...]
    pre: tuple[RationalMatrix, ...]
    positions: tuple[np.ndarray, ...]
    outputs: RationalMatrix

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


def trace(network: Network, w: RationalMatrix, X: RationalMatrix) -> Trace:
    """The exact forward pass of a piecewise linear network on samples X (n, d)."""
    activations = activated(network)
    inputs, pre, positions, signal = [], [], [], X
    for depth, layer in enumerate(network.unpack(w)):
        inputs.append(signal)
        signal = layer(signal)
        pre.append(signal)
        if depth < len(activations):
            positions.append(activations[depth].positions(signal))
            signal = activations[depth].apply_pieces(signal, positions[depth] // 2)
    return Trace(tuple(inputs), tuple(pre), tuple(positions), signal)


@dataclass(frozen=True, eq=False)
class FrozenNetwork:
    """A piecewise linear network with given `pieces`: one (n, width) array per activated layer.

    The activated layers are the hidden ones, and the last one if the network has an output
    activation. Exact points only; `X` (n, d) are the samples that the pieces belong to.
    """

    network: Network
    X: RationalMatrix
    pieces: tuple[np.ndarray, ...]

    def forward(self, w: RationalMatrix) -> tuple[list[RationalMatrix], RationalMatrix]:
        """The inputs (n, d_l) of every layer, and the outputs (n, k)."""
        inputs, signal, activations = [], self.X, activated(self.network)
        for depth, layer in enumerate(self.network.unpack(w)):
            inputs.append(signal)
            signal = layer(signal)
            if depth < len(self.pieces):
                signal = activations[depth].apply_pieces(signal, self.pieces[depth])
        return inputs, signal

    def gradient(
        self,
        w: RationalMatrix,
        inputs: Sequence[RationalMatrix],
        pull: RationalMatrix,
        depth: int | None = None,
    ) -> RationalMatrix:
        """The gradient (m, 1) of the sum over samples of `pull` times a signal.

        The signal is the output (n, k) by default, or the pre-activations of layer `depth`
        (counted from 0); `inputs` come from `forward`.
        """
        layers, delta = self.network.unpack(w), pull
        blocks: list[RationalMatrix] = []
        top = len(layers) - 1 if depth is None else depth
        for l in reversed(range(len(layers))):
            weight = layers[l].weight
            out, inner = weight.shape
            if l > top:
                blocks.insert(0, zeros(out * (inner + self.network.bias)))
                continue
            if l < len(self.pieces) and (l < top or depth is None):
                delta = self._times_slopes(delta, l)
            block = [(delta.T @ inputs[l]).flat(0, out * inner, 1)]
            if self.network.bias:
                block.append(delta.T @ ones(len(delta)))
            blocks = block + blocks
            delta = delta @ weight if l else delta
        return stack(blocks)

    def _times_slopes(self, delta: RationalMatrix, l: int) -> RationalMatrix:
        """delta times the slope of each frozen piece of layer l, entry by entry."""
        slopes = activated(self.network)[l].slopes
        pairs = zip(delta.entries(), self.pieces[l].ravel(), strict=True)
        return exact([d * slopes[p] for d, p in pairs]).flat(0, *delta.shape)
