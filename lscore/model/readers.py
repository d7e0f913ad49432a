r"""Doors for networks that were trained elsewhere: from torch, and from plain arrays.

What comes out is a `Network` and the point w at which it stands, in float64 without rounding: every
float16, bfloat16 and float32 is a float64. What would not be the same function, or not the same
question, is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn, optim
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

from lscore.algebra.arguments import checked
from lscore.algebra.arrays import check_stored
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.errors import DataError, DtypeError, ShapeError
from lscore.model.activations import identity, leaky_relu, piecewise_linear, relu
from lscore.model.modules import Elementwise
from lscore.model.networks import Network, Point
from lscore.model.sequential import plain_layers
from lscore.model.smooth_activations import (
    Activation,
    elu,
    gelu,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    tanh,
)

_NARROW = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_ACTIVATIONS = {
    nn.ReLU: lambda m: relu,
    nn.LeakyReLU: lambda m: leaky_relu(m.negative_slope) if m.negative_slope != 1 else identity,
    nn.ReLU6: lambda m: piecewise_linear([0, 6], [0, 1, 0], 0, "ReLU6"),
    nn.Hardtanh: lambda m: piecewise_linear([m.min_val, m.max_val], [0, 1, 0], m.min_val),
    nn.Hardsigmoid: lambda m: piecewise_linear([-3, 3], [0, "1/6", 0], 0, "hard sigmoid"),
    nn.Softshrink: lambda m: (
        piecewise_linear([-m.lambd, m.lambd], [1, 0, 1], 0, "soft shrink") if m.lambd else identity
    ),
    nn.ELU: lambda m: elu(m.alpha),
    nn.SELU: lambda m: selu,
    nn.GELU: lambda m: gelu if m.approximate == "none" else None,
    nn.Sigmoid: lambda m: sigmoid,
    nn.SiLU: lambda m: silu,
    nn.Softplus: lambda m: softplus if (m.beta, m.threshold) == (1, 20) else None,
    nn.Softsign: lambda m: softsign,
    nn.Tanh: lambda m: tanh,
    Elementwise: lambda m: m.activation,
}
_ADDED_TO_THE_GRADIENT = (optim.SGD, optim.Adam, optim.NAdam, optim.RAdam, optim.RMSprop)
_ADDED_TO_THE_GRADIENT += (optim.Adagrad, optim.Adadelta, optim.Adamax)
_WITHOUT = (optim.AdamW, optim.Adafactor, optim.LBFGS, optim.Rprop, optim.SparseAdam)


@checked
def from_torch(module: nn.Module, *, frozen: bool = False) -> tuple[Network, torch.Tensor]:
    """The `Network` and the point of a ``torch.nn.Sequential``, nested or not.

    Read are Linear layers, each with a bias or without, and between them ReLU, LeakyReLU, ReLU6,
    Hardtanh, Hardsigmoid, Softshrink, ELU, SELU, GELU (not its tanh approximation), Sigmoid, SiLU,
    Softplus (beta 1, by its formula; torch returns z beyond 20), Softsign, Tanh, and ours as
    `Elementwise`. Two Linear layers without an activation between them get the identity. Identity,
    Flatten and Dropout outside train mode are no layers.

    Raises `DtypeError` for any other module (subclasses included) and other parameters than floats
    of at most 64 bits; `DataError` where the layers do not say what is computed, or not what is
    trained: hooks, a ``forward`` of its own, a shared parameter (`plain_layers`), Dropout in train
    mode, some parameters frozen and some not, unless `frozen` says that you know (`frozen_of` tells
    the risk which); `ShapeError` without a Linear layer.

    >>> net, w = from_torch(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    >>> net.widths, net.activation[0].name, w.shape, w.dtype
    ((2, 3, 1), 'tanh', torch.Size([13]), torch.float64)
    """
    linears, between = [], []
    layers = plain_layers(module)
    for name, p in module.named_parameters():
        if getattr(p, "_post_accumulate_grad_hooks", None):
            raise DataError(f"module: parameter '{name}' has a hook that may change its gradient")
    for layer in layers:
        if type(layer) is nn.Linear:
            if not layer._parameters.keys() >= {"weight", "bias"}:
                raise DataError(f"module: weight or bias of {layer} is no parameter, need both so")
            between += [identity] * (len(linears) - len(between))
            linears.append(layer)
        elif not _does_nothing(layer):
            h = _ACTIVATIONS.get(type(layer), lambda m: None)(layer)
            if h is None:
                raise DtypeError(
                    f"module: cannot read {layer}, need Linear layers with activations between "
                    "them; for curvature, `ModuleRisk` takes any module"
                )
            if len(between) == len(linears):
                where = "follows another activation" if linears else "stands before any Linear"
                raise DtypeError(f"module: {layer} {where}, need Linear layers and one after each")
            between.append(h)
    if not linears:
        raise ShapeError("module: has no Linear layer")
    if not frozen:
        _refuse_frozen(module)
    output = between.pop() if len(between) == len(linears) else None
    weights, biases = [layer.weight for layer in linears], [layer.bias for layer in linears]
    return from_arrays(weights, biases, tuple(between), output_activation=output)


def _does_nothing(layer: nn.Module) -> bool:
    """Whether a layer returns its rows as they are; `DataError` for dropout in train mode."""
    if type(layer) in (nn.Dropout, nn.AlphaDropout):
        if layer.training and layer.p:
            raise DataError(f"module: {layer} draws in train mode, call module.eval()")
        return True
    return type(layer) is nn.Identity or (
        type(layer) is nn.Flatten and (layer.start_dim, layer.end_dim) == (1, -1)
    )


def _refuse_frozen(module: nn.Module) -> None:
    trained = {name: p.requires_grad for name, p in module.named_parameters()}
    if len(set(trained.values())) == 2:
        frozen = next(name for name, free in trained.items() if not free)
        raise DataError(
            f"module: parameter '{frozen}' is frozen and others are not; to keep it where it is, "
            "from_torch(module, frozen=True) and Risk(..., frozen=frozen_of(module)); to ask about "
            "all parameters, module.requires_grad_()"
        )


@checked
def frozen_of(module: nn.Module) -> dict[str, list[bool]] | bool:
    """Which parameters of the Linear layers of a module are frozen, as a `Risk` takes it.

    A list with one entry per layer for "weights" and one for "biases"; False if all or none of its
    parameters require a gradient. Raises `DataError` if a parameter is in no Linear layer.

    >>> model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> _ = model[0].requires_grad_(False)
    >>> frozen_of(model)
    {'weights': [True, False], 'biases': [True, False]}
    """
    if len({p.requires_grad for p in module.parameters()}) < 2:
        return False
    kinds = _of_linear_layers(module)
    if kinds is None:
        raise DataError("module: some parameters are frozen, and not all are in Linear layers")
    weights, biases = ([p is not None and not p.requires_grad for p in kind] for kind in kinds)
    return {"weights": weights, "biases": biases}


def _of_linear_layers(module: nn.Module) -> list[list] | None:
    """Weights and biases (or None) of the Linear layers; None if they are not all parameters."""
    linears = [layer for layer in module.modules() if type(layer) is nn.Linear]
    kinds = [[layer.weight for layer in linears], [layer.bias for layer in linears]]
    held = {id(p) for kind in kinds for p in kind} - {id(None)}
    return kinds if held == set(map(id, module.parameters())) else None


@checked
def from_arrays(
    weights: Sequence[object],
    biases: Sequence[object] | None,
    activation: Activation | tuple[Activation, ...],
    *,
    output_activation: Activation | None = None,
    inputs_first: bool = False,
) -> tuple[Network, Point]:
    """The `Network` and the point of one weight matrix, and one bias vector, per layer.

    Matrices are (out, in), as in torch; with `inputs_first` they are (in, out), as the ``coefs_``
    of scikit-learn and the kernels of Keras. `biases` is None for a network without, and has None
    for each layer without. Arrays and
    tensors of floats give a float point, lists and other numbers an exact one (if any part is
    exact, all are). `activation` and `output_activation` as in `Network`. Raises `ShapeError`,
    `DtypeError`, `DataError` naming the part.

    >>> net, w = from_arrays([[[1, -1]], [[1], [1]]], [[0, 0], [0]], relu, inputs_first=True)
    >>> net.widths, net(w, exact([-3, 2]))
    ((1, 2, 1), column(3, 2))
    """
    if not len(weights):
        raise ShapeError("weights: got none, need one matrix per layer")
    parts = [_part(W, f"weights[{k}]") for k, W in enumerate(weights)]
    given = [None] * len(parts) if biases is None else biases
    offsets = [None if b is None else _part(b, f"biases[{k}]") for k, b in enumerate(given)]
    if any(isinstance(part, RationalMatrix) for part in parts + offsets):
        parts = [exact(W, f"weights[{k}]") for k, W in enumerate(parts)]
        offsets = [None if b is None else exact(b, f"biases[{k}]") for k, b in enumerate(offsets)]
    if inputs_first:
        parts = [part.T for part in parts]
    for k, W in enumerate(parts):
        inner = parts[k - 1].shape[0] if k else "..."
        if len(W.shape) != 2 or (k and W.shape[1] != inner):
            order = f"(in, out) = ({inner}, ...)" if inputs_first else f"(out, in) = (..., {inner})"
            given = tuple(W.T.shape if inputs_first else W.shape)
            cure = "" if inputs_first else "; inputs_first=True reads (in, out)"
            raise ShapeError(f"weights[{k}]: shape {given}, need {order}{cure}")
    widths = (parts[0].shape[1], *(W.shape[0] for W in parts))
    if len(offsets) != len(parts):
        raise ShapeError(f"biases: got {len(offsets)}, need {len(parts)}")
    bias = tuple(b is not None for b in offsets)
    network = Network(widths, activation, bias, output_activation)
    return network, network.pack(parts, offsets)


def _part(values: object, name: str) -> torch.Tensor | RationalMatrix:
    """A float64 tensor for an array of floats of at most 64 bits, else exact."""
    if isinstance(values, np.ndarray | torch.Tensor):
        check_stored(values, name)
    if isinstance(values, np.ndarray) and values.dtype in (np.float16, np.float32, np.float64):
        return torch.from_numpy(values.astype(float))
    if not isinstance(values, torch.Tensor) or not values.is_floating_point():
        return exact(values, name)
    if values.dtype not in _NARROW:
        raise DtypeError(f"{name}: dtype {values.dtype}, need floats of at most 64 bits")
    return values.detach().cpu().double()


@checked
def weight_decay_of(
    optimizer: optim.Optimizer, module: nn.Module
) -> float | dict[str, list[float]]:
    r"""The weight decay that an optimizer adds to the risk, as a `Risk` takes it.

    One :math:`\lambda` for all parameters; where its groups differ (weights only, or per layer), a
    list with one number per Linear layer for "weights" and one for "biases". Frozen parameters do
    not count, unless all are.

    Raises `DataError` where no such numbers exist: a parameter of `module` that the optimizer does
    not hold, a decay outside the gradient (AdamW: its rest points are those of no risk), a
    maximised risk, decays that differ elsewhere than between Linear layers; `DtypeError` for an
    optimizer of another kind, which may shrink the parameters in its own way (ASGD does, without
    weight decay), or one whose steps have hooks.

    >>> line = nn.Linear(1, 1)
    >>> weight_decay_of(optim.SGD(line.parameters(), lr=0.1, weight_decay=0.5), line)
    0.5
    >>> groups = [{"params": [line.weight], "weight_decay": 0.5}, {"params": [line.bias]}]
    >>> weight_decay_of(optim.SGD(groups, lr=0.1), line)
    {'weights': [0.5], 'biases': [0.0]}
    """
    held = {p: group for group in optimizer.param_groups for p in group["params"]}
    found: dict[float, str] = {}
    every = list(module.named_parameters())
    for name, p in [(name, p) for name, p in every if p.requires_grad] or every:
        if p not in held:
            raise DataError(f"optimizer: does not hold parameter '{name}', which stays as it is")
        found.setdefault(_decay(held[p]), name)
        if held[p].get("maximize"):
            raise DataError("optimizer: it maximises, and a Risk is minimised")
    if any(found) and any(group.get("decoupled_weight_decay") for group in held.values()):
        raise DataError(
            f"optimizer: the weight decay of {type(optimizer).__name__} is not in the gradient, so "
            "it is no term of a risk"
        )
    hooked = (
        optimizer._optimizer_step_pre_hooks
        or optimizer._optimizer_step_post_hooks
        or _global_optimizer_pre_hooks
        or _global_optimizer_post_hooks
    )
    if hooked or type(optimizer) not in _ADDED_TO_THE_GRADIENT + (() if any(found) else _WITHOUT):
        raise DtypeError(
            f"optimizer: cannot read the weight decay of {type(optimizer).__name__}"
            f"{' with hooks' if hooked else ''}"
        )
    if len(found) < 2:
        return next(iter(found), 0.0)
    kinds = _of_linear_layers(module)
    if kinds is None:
        named = ", ".join(f"{decay:g} for '{name}'" for decay, name in found.items())
        raise DataError(f"optimizer: weight decay is {named}, and not all are in Linear layers")
    weights, biases = ([_decay(held.get(p, {})) for p in kind] for kind in kinds)
    return {"weights": weights, "biases": biases}


def _decay(group: dict) -> float:
    return float(group.get("weight_decay", 0))
