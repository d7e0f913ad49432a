"""Where torch returns, without a warning, what is not the second derivative, and how to notice.

Each guard looks at what ran, not at the classes of the layers, so that functions are seen too.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from lscore.errors import DataError
from lscore.model.modules import ModuleRisk, kept_buffers

WEIGHT_NORM = "WeightNormInterfaceBackward0"


@contextmanager
def without_draws(device: torch.device):
    """Raises `DataError` if the block drew random numbers, even where it failed, and puts torch's
    generators back. Those of Python and numpy are not watched.

    >>> with without_draws(torch.device("cpu")):
    ...     _ = torch.zeros(2)
    """

    kinds = [torch] if device.type == "cpu" else [torch, torch.get_device_module(device)]

    def states() -> list[torch.Tensor]:
        return [k.get_rng_state(*([] if k is torch else [device])) for k in kinds]

    before = states()
    try:
        yield
    finally:
        if not all(map(torch.equal, before, states())):
            for kind, state in zip(kinds, before, strict=True):
                kind.set_rng_state(state, *([] if kind is torch else [device]))
            raise DataError(
                "module: it draws random numbers, as dropout does in train mode, so that its risk "
                "has no one curvature; call module.eval(), or set p to 0"
            )


@contextmanager
def kept_parameters(module: torch.nn.Module):
    """Raises `DataError` if the block changed the values of parameters, and puts them back.

    >>> layer = torch.nn.Linear(1, 1)
    >>> with kept_parameters(layer):
    ...     layer.weight.data = layer.weight.data + 1
    Traceback (most recent call last):
    ...
    lscore.errors.DataError: module: it changes its own parameters when it is called
    """
    held = [(p, p.detach().clone()) for p in module.parameters()]
    try:
        yield
    finally:
        changed = [(p, old) for p, old in held if not _same(p.detach(), old)]
        for p, old in changed:
            p.data = old
        if changed:
            raise DataError("module: it changes its own parameters when it is called")


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors have the same entries, NaN where the other has NaN."""
    if torch.equal(a, b) or a.shape != b.shape:  # allclose costs more
        return a.shape == b.shape
    return torch.allclose(a, b, 0.0, 0.0, equal_nan=True)


def refuse_weight_norm(value: torch.Tensor) -> None:
    """`DataError` if a value comes from torch's weight normalisation, fused into one operation.

    Its derivative takes the norm for a constant, so that the second derivative is wrong.

    >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(1, 1))
    >>> refuse_weight_norm(layer(torch.ones(1, 1)))
    Traceback (most recent call last):
    ...
    lscore.errors.DataError: module: uses weight normalisation, whose second derivatives are wrong \
in torch without a warning; write g * v / v.norm() out, or remove it
    """
    seen, left = set(), [value.grad_fn]
    while left:
        node = left.pop()
        if node is not None and node not in seen:
            seen.add(node)
            left += [before for before, _ in node.next_functions]
    if any(node.name() == WEIGHT_NORM for node in seen):
        raise DataError(
            "module: uses weight normalisation, whose second derivatives are wrong in torch "
            "without a warning; write g * v / v.norm() out, or remove it"
        )


def twice_differentiable(needed: bool = True):
    """Inside it attention is computed by plain operations, which have second derivatives."""
    return sdpa_kernel(SDPBackend.MATH) if needed else nullcontext()


class _Unsafe(TorchDispatchMode):
    """Notes batch normalisation with batch statistics, layer normalisation and determinants."""

    def __init__(self):
        super().__init__()
        self.found: set[str] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.__name__.split(".")[0]
        if "batch_norm" in name and "no_training" not in name:
            if "legit" in name or "with_update" in name or any(a is True for a in args):
                self.found.add("batch normalisation in train mode")
        elif "layer_norm" in name:
            self.found.add("layer normalisation")
        elif name in ("_linalg_det", "_linalg_slogdet"):
            self.found.add("a determinant")
        return func(*args, **(kwargs or {}))


def unsafe_normalisations(at: ModuleRisk) -> list[str]:
    """What in a module makes nested forward mode wrong; found by running it, statistics kept.

    >>> X = torch.zeros(3, 2)
    >>> unsafe_normalisations(
    ...     ModuleRisk(torch.nn.LayerNorm(2), torch.nn.functional.mse_loss, X, X))
    ['layer normalisation']
    """
    # with gradients, because without them torch takes another path, through fused layers
    with torch.enable_grad(), kept_buffers(at.module), _Unsafe() as seen:
        at.data_loss()
    return sorted(seen.found)
