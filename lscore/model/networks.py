r"""Fully connected networks as functions of one flat parameter vector.

A `Network` holds no parameters: a *point* w of shape (m,) is an argument. The same calls take a
float64 torch tensor or a `RationalMatrix` column (m, 1); the second is the exact twin, computed
in rationals. Order inside a point: for each layer the weight matrix (out, in) row by row, as in
``torch.nn.Linear``, then the bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from lscore.algebra.arguments import checked
from lscore.algebra.arrays import float_tensor
from lscore.algebra.matrices import RationalMatrix, checked_size
from lscore.errors import DataError, DtypeError, SettingError, ShapeError
from lscore.model.activations import PiecewiseLinear
from lscore.model.passes import Layer, flat, forward, layout
from lscore.model.smooth_activations import Activation

Point = torch.Tensor | np.ndarray | RationalMatrix


@checked
@dataclass(frozen=True)
class Network:
    r""":math:`\hat y = W_L\, h(\cdots h(W_1 x + b_1) \cdots) + b_L` with rows as samples.

    Parameters: `widths` (d_0, ..., d_L), all >= 1, with at least two entries; `activation`, one
    for all hidden layers or a tuple with one per hidden layer; `bias`, whether every layer has one,
    or a tuple that says it of each layer, the output layer last; `output_activation` (default:
    none). `dimension` is m, the number of parameters.

    >>> from lscore.model.activations import relu
    >>> net = Network((1, 2, 1), relu)
    >>> net.dimension
    7
    >>> from lscore.algebra.matrices import exact
    >>> w = net.pack([exact([1, -1]), exact([[1, 1]])], [exact([0, 0]), exact([0])])
    >>> net(w, exact([-3, 2]))              # |x| as the sum of two ReLUs
    column(3, 2)
    >>> Network((1, 2, 1), relu, bias=(True, False)).dimension      # no output bias
    6
    """

    widths: object
    activation: Activation | tuple[Activation, ...]
    bias: bool | tuple[bool, ...] = True
    output_activation: Activation | None = None

    def __post_init__(self) -> None:
        if isinstance(self.widths, np.ndarray) and self.widths.ndim:
            object.__setattr__(self, "widths", self.widths.tolist())
        if not isinstance(self.widths, Sequence) or isinstance(self.widths, str | bytes):
            raise ShapeError(f"widths: got {self.widths!r}, need numbers such as (1, 2, 1)")
        widths = tuple(self.widths)
        if len(widths) < 2:
            raise ShapeError(f"widths: got {widths}, need input and output width at least")
        for i, width in enumerate(widths):
            if isinstance(width, bool) or not isinstance(width, int | np.integer) or width < 1:
                raise ShapeError(f"widths: entry {i} is {width!r}, need an integer >= 1")
        object.__setattr__(self, "widths", tuple(int(width) for width in widths))
        if isinstance(self.activation, list):
            raise DtypeError("activation: got a list, need an activation or a tuple of them")
        if isinstance(self.activation, tuple) and len(self.activation) != len(widths) - 2:
            raise ShapeError(
                f"activation: got {len(self.activation)}, need one or one for each of the "
                f"{len(widths) - 2} hidden layers"
            )
        one = isinstance(self.bias, bool | np.bool_)
        biases = tuple(map(bool, [self.bias] if one else self.bias))
        if not one and len(biases) != len(widths) - 1:
            raise ShapeError(
                f"bias: got {len(biases)}, need one or one for each of the {len(widths) - 1} layers"
            )
        object.__setattr__(self, "bias", biases if len(set(biases)) > 1 else biases[0])

    @cached_property
    def biases(self) -> tuple[bool, ...]:
        """Whether a layer has a bias, one per layer."""
        return self.bias if isinstance(self.bias, tuple) else (self.bias,) * (len(self.widths) - 1)

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """One activation per hidden layer."""
        if isinstance(self.activation, tuple):
            return self.activation
        return (self.activation,) * (len(self.widths) - 2)

    @property
    def is_piecewise_linear(self) -> bool:
        """Whether every activation is piecewise linear, so that the exact twin exists."""
        last = () if self.output_activation is None else (self.output_activation,)
        return all(isinstance(h, PiecewiseLinear) for h in self.activations + last)

    @cached_property
    def _sizes(self) -> list[tuple[int, int]]:
        return list(zip(self.widths[1:], self.widths[:-1], strict=True))

    @cached_property
    def dimension(self) -> int:
        """Number of parameters m."""
        pairs = zip(self._sizes, self.biases, strict=True)
        return sum(out * (inner + bias) for (out, inner), bias in pairs)

    def point(self, w: Point | np.ndarray, name: str = "w") -> Point:
        """Check a point (or direction): float64 of shape (m,), or exact of shape (m, 1).

        Arrays and series become tensors, without rounding (`float_tensor`).
        """
        needed = (self.dimension, 1)
        if not isinstance(w, RationalMatrix):
            w, needed = float_tensor(w, name), needed[:1]
        if tuple(w.shape) != needed:
            raise ShapeError(
                f"{name}: shape {tuple(w.shape)}, need {needed} for widths {self.widths} "
                f"{self.biases_in_words()}"
            )
        return w

    def biases_in_words(self) -> str:
        """Which layers have a bias, such as "without biases"."""
        if isinstance(self.bias, bool):
            return f"{'with' if self.bias else 'without'} biases"
        having = [str(l) for l, b in enumerate(self.biases, 1) if b]
        return f"with biases in layer {' and '.join(having)} only"

    @cached_property
    def switches(self) -> tuple[PiecewiseLinear, ...]:
        """The activations of the hidden layers, and the output activation if there is one.

        Raises `SettingError` unless all of them are piecewise linear.
        """
        if not self.is_piecewise_linear:
            raise SettingError("risk: cells need piecewise linear activations in every layer")
        last = self.output_activation
        return self.activations + (() if last is None else (last,))

    def unpack(self, w: Point) -> list[Layer]:
        """The layers of a point, without copying floats."""
        return layout(self, self.point(w))

    def pack(self, weights: Sequence[object], biases: Sequence[object] | None = None) -> Point:
        """The flat point of weight matrices (out, in) and biases; inverse of `unpack`.

        `biases` has None for each layer without one; None alone says it of all layers.
        """
        none = biases is None or all(b is None for b in biases)
        if len(weights) != len(self._sizes) or none == any(self.biases):
            raise ShapeError(
                f"weights, biases: need {len(self._sizes)} weights"
                + (" and as many biases" if any(self.biases) else " and no biases")
            )
        biases = [None] * len(weights) if biases is None else biases
        if len(biases) != len(weights):
            raise ShapeError(f"biases: got {len(biases)}, need {len(weights)}")
        for i, (b, needed) in enumerate(zip(biases, self.biases, strict=True)):
            if (b is not None) != needed:
                given, need = ("none", "one") if needed else ("one", "None")
                raise ShapeError(
                    f"biases[{i}]: got {given}, need {need}: a network {self.biases_in_words()}"
                )
        kinds = {_kind(part) for part in [*weights, *biases] if part is not None}
        if len(kinds) > 1 or kinds - {"exact", "torch.float64"}:
            raise DtypeError(
                f"weights, biases: got {', '.join(sorted(kinds))} (dtype), need all torch.float64 "
                "or all exact"
            )
        parts = []
        for i, (weight, size) in enumerate(zip(weights, self._sizes, strict=True)):
            if tuple(weight.shape) != size:
                raise ShapeError(f"weights[{i}]: shape {tuple(weight.shape)}, need {size}")
            parts.append(weight)
            if biases[i] is not None:
                needed = (size[0], 1) if isinstance(weight, RationalMatrix) else (size[0],)
                if tuple(biases[i].shape) != needed:
                    raise ShapeError(f"biases[{i}]: shape {tuple(biases[i].shape)}, need {needed}")
                parts.append(biases[i])
        return self.point(flat(parts))

    def init(self, seed: int) -> torch.Tensor:
        r"""A random float64 point: every entry uniform in :math:`\pm 1/\sqrt{\text{fan-in}}`."""
        checked_size(self.dimension, "widths: number of parameters")
        generator = torch.Generator().manual_seed(int(seed))
        parts = []
        for (out, inner), bias in zip(self._sizes, self.biases, strict=True):
            draws = torch.rand(out * (inner + bias), generator=generator, dtype=torch.float64)
            parts.append((2 * draws - 1) / inner**0.5)
        return torch.cat(parts)

    def preactivations(self, w: Point, X: Point) -> list:
        """Inputs of the hidden activations, one (n, d_l) matrix per hidden layer."""
        return self.forward(w, X)[0]

    def __call__(self, w: Point, X: Point):
        """Outputs (n, d_L) for inputs X (n, d_0)."""
        return self.forward(w, X)[1]

    def forward(self, w: Point, X: Point, augmented: bool = False) -> tuple[list, object]:
        """Pre-activations and outputs together; `augmented` says that X is the exact [X, 1]."""
        return self._run(*self._checked(w, X, self.widths[0] + augmented), augmented)

    def _checked(self, w: Point, X, columns: int) -> tuple[Point, Point]:
        w = self.point(w)
        X = X if isinstance(X, RationalMatrix) else float_tensor(X, "X")
        if isinstance(w, RationalMatrix) != isinstance(X, RationalMatrix):
            raise DtypeError("w, X: one is exact and the other is not; convert with `exact`")
        if columns > self.widths[0] and not (self.biases[0] and isinstance(w, RationalMatrix)):
            raise DataError("augmented: need an exact point and biases")
        if isinstance(w, RationalMatrix) and not self.is_piecewise_linear:
            raise SettingError("w: exact points need piecewise linear activations; see `ball_risk`")
        if len(X.shape) != 2 or X.shape[1] != columns:
            raise ShapeError(f"X: shape {tuple(X.shape)}, need (n, {columns})")
        return w, X

    def _run(self, w: Point, X, augmented: bool = False) -> tuple[list, object]:
        """Pre-activations and outputs, without checks, so that autodiff can trace it."""
        outer = (*self.activations, self.output_activation)

        def bend(l: int, z):
            return z if outer[l] is None else outer[l](z)

        run = forward(layout(self, w), X, bend, augmented)
        return run.pre[:-1], run.outputs


def _kind(part: object) -> str:
    """How a matrix is stored, for error messages."""
    if isinstance(part, RationalMatrix):
        return "exact"
    return str(part.dtype) if isinstance(part, torch.Tensor) else type(part).__name__
