r"""Whether a ``torch.nn.Module`` is the network that its list of layers suggests.

A module computes what its ``forward`` says, and hooks may change that again. Whoever reads layers
instead of running the module asks here first; what cannot be known is refused, by name.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import is_

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules import module as torch_module
from torch.nn.parameter import is_lazy
from torch.overrides import _get_current_function_mode_stack
from torch.utils._device import DeviceContext

from lscore.errors import DataError, DtypeError

_METHODS = ("forward", "__call__", "_call_impl")
_CURES = {
    "DataParallel": ": pass module.module",
    "DistributedDataParallel": ": pass module.module",
    "OptimizedModule": ": pass the module that was compiled",
}
_FORWARD = ("forward_pre_hooks", "forward_hooks")
_BACKWARD = ("backward_pre_hooks", "backward_hooks")
# torch's own layers and functions, as they are when this module is imported
_LAYERS = {
    kind: tuple(getattr(kind, method) for method in _METHODS)
    for kind in vars(nn).values()
    if isinstance(kind, type) and issubclass(kind, nn.Module)
}
Parts = list[tuple[str, nn.Module]]
_PLAIN = {bool, int, float, str, tuple, type(None), dict, OrderedDict, set}
_FUNCTIONS = {name: value for name, value in vars(F).items() if callable(value)}


def backward_alteration(module: nn.Module) -> str | None:
    """What may change the gradients of a module on their way back; None if nothing does.

    Backward hooks, of every module inside it and of all modules, and hooks of its parameters.

    >>> layer = nn.Linear(1, 1)
    >>> _ = layer.weight.register_hook(lambda g: 2 * g)
    >>> backward_alteration(nn.Sequential(layer))
    "parameter '0.weight' has a hook"
    """
    return _backward_alteration(list(module.named_modules()))


def _backward_alteration(parts: Parts) -> str | None:
    for name, part in parts:
        for key, parameter in part._parameters.items():
            if parameter is not None and parameter._backward_hooks:
                return f"parameter '{f'{name}.' if name else ''}{key}' has a hook"
    return _hooked(parts, _BACKWARD)


def alteration(module: nn.Module) -> str | None:
    """Why calling a module need not be what the ``forward`` of its class says; None if nothing.

    Looks at every module inside it: hooks of any kind, methods replaced on the object or on a class
    of torch, a compiled call, parameters of a class of their own, tensors with a gradient that are
    no parameters. Also at functions of ``torch.nn.functional`` that are not torch's and at an
    active ``TorchFunctionMode``. Replaced is what differs from the import of this module; what was
    replaced earlier, or elsewhere in torch (``torch.relu``), is not seen.

    >>> layer = nn.Linear(1, 1)
    >>> layer.forward = torch.tanh
    >>> alteration(nn.Sequential(layer)), alteration(nn.Sequential(nn.ReLU()))
    ("module '0' (Linear) has a 'forward' of its own", None)
    """
    mode = next(
        (m for m in _get_current_function_mode_stack() if type(m) is not DeviceContext), None
    )
    if mode is not None:
        return f"a TorchFunctionMode is active ({type(mode).__name__})"
    if not all(map(is_, map(vars(F).get, _FUNCTIONS), _FUNCTIONS.values())):
        name = next(k for k, function in _FUNCTIONS.items() if vars(F).get(k) is not function)
        return f"torch.nn.functional.{name} is not torch's"
    parts = list(module.named_modules())
    for name, part in parts:
        kind, own = type(part), vars(part)
        # most keys are no attribute of a class, and most values no tensor, which sets say sooner
        classes = (*kind.__mro__, *type(kind).__mro__)
        shared = not all(own.keys().isdisjoint(vars(c).keys()) for c in classes)
        if shared or not _PLAIN.issuperset(map(type, own.values())):
            for key, value in own.items():
                if callable(getattr(kind, key, None)):
                    return f"{_called(name, part)} has a '{key}' of its own"
                if isinstance(value, torch.Tensor) and value.requires_grad:
                    return f"{_called(name, part)} has a tensor '{key}' that is no parameter"
        for key, method in zip(_METHODS, _LAYERS.get(kind, ()), strict=False):
            if getattr(kind, key) is not method:
                return f"{_called(name, part)} has a '{key}' that is not torch's"
        if own.get("_compiled_call_impl") is not None:
            return f"{_called(name, part)} is compiled"
        for key, parameter in part._parameters.items():
            if type(parameter) not in (nn.Parameter, type(None)):
                kind = type(parameter).__name__
                return f"{_called(name, part)} has a parameter '{key}' of class {kind}"
    return _hooked(parts, _FORWARD) or _backward_alteration(parts)


def plain_layers(module: nn.Module) -> list[nn.Module]:
    """The layers of a ``torch.nn.Sequential`` that provably applies one after the other.

    Those of a Sequential inside it take its place. Whether a layer is known is for the caller to
    say, by its exact type (``type(layer) is nn.Linear``: a subclass may compute anything). Raises
    `DtypeError` for another kind of module or an own subclass of Sequential, `DataError` for hooks,
    replaced methods (see `alteration`), lazy parameters, and parameters that share their memory,
    which the layers cannot show.

    >>> [type(layer).__name__ for layer in plain_layers(nn.Sequential(nn.Linear(2, 1), nn.ReLU()))]
    ['Linear', 'ReLU']
    """
    if type(module) is not nn.Sequential:
        kind = type(module).__name__
        raise DtypeError(
            f"module: got {kind}, need torch.nn.Sequential itself, whose layers say what it "
            f"computes{_CURES.get(kind, '')}"
        )
    if any(is_lazy(p) for p in module.parameters()):
        raise DataError("module: has lazy parameters without values, run it on X once")
    changed = alteration(module)
    if changed:
        raise DataError(f"module: {changed}, so its layers do not say what it computes; remove it")
    layers = list(_flattened(module))
    if share_memory([p for layer in layers for p in layer.parameters() if not p.is_meta]):
        raise DataError(
            "module: two layers share a parameter, or entries of one share their memory; need "
            "parameters of their own"
        )
    return layers


def share_memory(parameters: Iterable[torch.Tensor]) -> bool:
    """Whether two tensors, or entries of one, share their memory, so that none moves alone.

    >>> share_memory([torch.ones(2)]), share_memory([torch.ones(1).expand(2)])
    (False, True)
    """
    held = [p for p in parameters if p.numel()]
    places = sorted(map(_place, held))
    touch = any(a[0] == b[0] and b[1] < a[2] for a, b in pairwise(places))
    return touch or any(map(_overlaps, held))


def _place(p: torch.Tensor) -> tuple[str, int, int]:
    """Where a tensor lies in memory: device, first byte, and the byte after its last."""
    reach = sum((size - 1) * step for size, step in zip(p.shape, p.stride(), strict=True))
    return str(p.device), p.data_ptr(), p.data_ptr() + (reach + 1) * p.element_size()


def _overlaps(p: torch.Tensor) -> bool:
    """Whether two entries of a tensor may be one number, as in an expanded one."""
    reach = 1
    for step, size in sorted(zip(p.stride(), p.shape, strict=True)):
        if size > 1 and step < reach:
            return True
        reach += (size - 1) * step
    return False


def _flattened(module: nn.Sequential) -> Iterator[nn.Module]:
    for layer in module:
        yield from _flattened(layer) if type(layer) is nn.Sequential else (layer,)


def _hooked(parts: Parts, kinds: tuple[str, ...]) -> str | None:
    for kind in kinds:
        what = f"a {kind.removesuffix('s').replace('_', ' ')}"
        if getattr(torch_module, f"_global_{kind}"):
            return f"torch has {what} for all modules"
        attribute = f"_{kind}"
        for name, part in parts:
            if getattr(part, attribute):
                return f"{_called(name, part)} has {what}"
    return None


def _called(name: str, part: nn.Module) -> str:
    return f"module '{name}' ({type(part).__name__})" if name else f"the {type(part).__name__}"
