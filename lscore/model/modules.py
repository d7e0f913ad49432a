r"""The risk of any ``torch.nn.Module``, beside that of our own networks.

A `ModuleRisk` is a module with its current parameters, a loss, and data. It is what the curvature
of a training run is computed from; nothing is cast, and the parameters stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isfinite

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from lscore.algebra.matrices import RationalMatrix, to_float
from lscore.errors import DataError, DtypeError, LscoreError, SettingError, ShapeError
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.model.sequential import share_memory
from lscore.model.smooth_activations import Activation


@dataclass(frozen=True, eq=False)
class ModuleRisk:
    r""":math:`\ell(f(X), y) + \tfrac{\lambda}{2}\|w\|^2` at the current parameters w of `module`.

    `loss` maps (outputs, y) to a scalar tensor and states its own scale; `weight_decay` is
    :math:`\lambda`, over all parameters that require a gradient, as in ``torch.optim.SGD``.
    Raises `DtypeError` where torch would need a cast, or for parameters that are neither float32
    nor float64, `ShapeError` for unequally many samples, `DataError` for a module without trainable
    parameters, for parameters that overlap in memory, and for a negative weight decay. What the
    module or the loss raises when it is called comes as a `DataError` with the shapes.

    >>> module = nn.Linear(1, 1, bias=False).double()
    >>> _ = nn.init.constant_(module.weight, 3.0)
    >>> X = torch.ones(2, 1, dtype=torch.float64)
    >>> ModuleRisk(module, nn.functional.mse_loss, X, 0 * X, weight_decay=2.0)().item()
    18.0
    """

    module: nn.Module
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    X: torch.Tensor
    y: torch.Tensor
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.module, nn.Module):
            raise DtypeError(f"module: got {type(self.module).__name__}, need torch.nn.Module")
        if isinstance(self.module, torch.jit.ScriptModule):
            raise DtypeError("module: got a scripted module, need the one that was scripted")
        if not callable(self.loss):
            raise DtypeError(f"loss: got {self.loss!r}, need a function of (outputs, y)")
        if not self.parameters:
            raise DataError("module: has no parameter that requires a gradient")
        dtype = self._dtype()
        for name in ("X", "y"):
            given = getattr(self, name)
            if not isinstance(given, torch.Tensor):
                raise DtypeError(f"{name}: got {type(given).__name__}, need a torch tensor")
            if given.is_meta or given.layout != torch.strided:
                raise DtypeError(f"{name}: got a meta or sparse tensor, need a dense one")
            if given.is_floating_point() and given.dtype != dtype:
                raise DtypeError(f"{name}: dtype {given.dtype}, need {dtype} as the module")
            if given.dim() == 0 or len(given) == 0:
                raise ShapeError(f"{name}: shape {tuple(given.shape)}, need at least one sample")
        if len(self.X) != len(self.y):
            raise ShapeError(f"X, y: {len(self.X)} inputs and {len(self.y)} labels, need as many")
        if not (self.weight_decay >= 0 and isfinite(self.weight_decay)):
            raise DataError(f"weight_decay: got {self.weight_decay}, need a finite number >= 0")

    def _dtype(self) -> torch.dtype:
        """The one number type of the parameters, which must not overlap in memory."""
        floats = [p for p in self.module.parameters() if p.is_floating_point() or p.requires_grad]
        kinds = {p.dtype for p in floats}
        if len(kinds) > 1:
            raise DtypeError(f"module: parameters of dtypes {sorted(map(str, kinds))}, need one")
        dtype = kinds.pop()
        if dtype not in (torch.float32, torch.float64):
            raise DtypeError(
                f"module: parameters of dtype {dtype}, in which second derivatives overflow or "
                "vanish; need torch.float32 or torch.float64, call module.double()"
            )
        if any(p.is_meta or is_lazy(p) for p in floats):
            raise DataError("module: has lazy or meta parameters, run it on X once or load values")
        if share_memory(self.parameters):
            raise DataError(
                "module: two parameters, or entries of one, share their memory, so no step can "
                "move one of them; make them one parameter, or clone them"
            )
        return dtype

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The trainable parameters, each once."""
        return [p for p in self.module.parameters() if p.requires_grad]

    def on(self, X: torch.Tensor, y: torch.Tensor) -> ModuleRisk:
        """The same module and loss on other data, for instance a minibatch."""
        return replace(self, X=X, y=y)

    def data_loss(self) -> torch.Tensor:
        """The loss without weight decay: a scalar that autograd can differentiate."""
        held = list(self.module.parameters())
        before = [p._version for p in held]
        with self.named_errors():
            value = self.loss_of(self.module(self.X.clone()))
        if before != [p._version for p in held]:
            raise DataError("module: it changes its own parameters when it is called")
        return value

    def loss_of(self, outputs: torch.Tensor) -> torch.Tensor:
        """The loss of these outputs; `ShapeError` or `DtypeError` unless it is a real scalar.

        `DataError` under autocast, which computes in another number type.
        """
        refuse_autocast(self.X.device)
        value = self.loss(outputs, self.y.clone())
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            raise DtypeError(f"loss: returned {value!r}, need a tensor of floats")
        if value.dim():
            raise ShapeError(f"loss: returned shape {tuple(value.shape)}, need a scalar")
        return value

    @contextmanager
    def named_errors(self):
        """What torch raises inside the module or the loss, as a `DataError` that says where."""
        try:
            yield
        except (LscoreError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # whatever a module's own code raises
            shapes = f"X {tuple(self.X.shape)} and y {tuple(self.y.shape)}"
            raise DataError(
                f"module, loss: {type(error).__name__} with {shapes}: {error}"
            ) from error

    def penalty(self) -> float:
        """The weight decay term."""
        if not self.weight_decay:
            return 0.0
        return self.weight_decay / 2 * squared_norm([p.detach() for p in self.parameters]).item()

    def __call__(self) -> torch.Tensor:
        """The risk, with weight decay."""
        return self.data_loss() + self.penalty()


def refuse_autocast(device: torch.device) -> None:
    """`DataError` inside ``torch.autocast``, where layers cast what they are given."""
    if torch.is_autocast_enabled(device.type):
        raise DataError(
            f"module: autocast to {torch.get_autocast_dtype(device.type)} is on, in which second "
            "derivatives are not those of the module; leave torch.autocast"
        )


def inner_product(a: Sequence[torch.Tensor], b: Sequence[torch.Tensor]) -> torch.Tensor:
    """The sum over all entries of two lists of tensors of equal shapes."""
    pairs = zip(a, b, strict=True)
    return torch.stack([torch.dot(x.reshape(-1), y.reshape(-1)) for x, y in pairs]).sum()


def squared_norm(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """The sum of all squares in a list of tensors."""
    return inner_product(tensors, tensors)


@contextmanager
def kept_buffers(module: nn.Module):
    """Run a block and put the module's buffers back, such as running means of a normalisation."""
    old = [
        (part._buffers, dict(part._buffers), [(b, b.clone()) for b in part.buffers(recurse=False)])
        for part in module.modules()
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for live, known, values in old:
                live.clear()
                live.update(known)
                for buffer, value in values:
                    if not torch.equal(buffer, value):
                        buffer.copy_(value)


class Elementwise(nn.Module):
    """One of our activations as a module: a PiecewiseLinear or Smooth, entry by entry."""

    def __init__(self, activation: Activation):
        super().__init__()
        self.activation = activation

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """The activation of every entry."""
        return self.activation(z)


def module_risk(risk: Risk, w: torch.Tensor) -> ModuleRisk:
    """A `Risk` at a float point as a `ModuleRisk`: a Sequential of Linear and activations.

    The parameters are a copy of w, in its order. `from_torch` goes the other way. Raises
    `SettingError` unless there is one weight decay for all parameters, and none is frozen.

    >>> from lscore.model.activations import relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0.0, 1.0], [0.0, 1.0])
    >>> w = risk.network.init(seed=0)
    >>> bool(module_risk(risk, w)() == risk(w))
    True
    """
    if risk.frozen or isinstance(risk.weight_decay, RationalMatrix):
        given = "frozen parameters" if risk.frozen else "several weight decays"
        raise SettingError(f"risk: got {given}, need one weight decay for all, and none frozen")
    module = as_module(risk.network, w)
    return ModuleRisk(module, risk.loss, risk.X, risk.y, to_float(risk.weight_decay))


def as_module(network: Network, w: torch.Tensor) -> nn.Sequential:
    """The network at a float point as a ``torch.nn.Sequential``."""
    if not isinstance(w, torch.Tensor):
        raise DtypeError(f"w: got {type(w).__name__}, need a float64 tensor")
    parts: list[nn.Module] = []
    outer = (*network.activations, network.output_activation)
    for layer, activation in zip(network.unpack(w), outer, strict=True):
        out, inner = layer.weight.shape
        linear = nn.Linear(inner, out, bias=layer.bias is not None, dtype=torch.float64)
        linear.weight = nn.Parameter(layer.weight.detach().clone())
        if layer.bias is not None:
            linear.bias = nn.Parameter(layer.bias.detach().clone())
        parts += [linear] if activation is None else [linear, Elementwise(activation)]
    return nn.Sequential(*parts)
