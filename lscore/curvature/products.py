r"""How a tangent passes the layers that multiply: linear layers, convolutions, and attention.

What a rule takes and returns is said in `lscore.curvature.rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear


@dataclass
class Site:
    """One layer at work: its module, stored input and output, extra values, and its delta, which
    is needed where the layer bends."""

    module: nn.Module | SimpleNamespace
    input: torch.Tensor
    output: torch.Tensor
    delta: torch.Tensor | None = None
    extra: torch.Tensor | tuple | None = None
    bends: bool = True

    def moving(self, tangents: dict, name: str) -> torch.Tensor | None:
        """The direction in which a parameter of the module moves; None if it does not."""
        return tangents.get(getattr(self.module, name, None))


def _pair(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.dot(a.reshape(-1), b.reshape(-1))


def _add(a: torch.Tensor | None, b: torch.Tensor | None) -> torch.Tensor | None:
    return b if a is None else a if b is None else a + b


def linear_rule(site: Site, tangent: torch.Tensor | None, moves: dict):
    r"""Linear and Conv2d, :math:`a = W z + b`: :math:`a' = W z' + G z + g_b`,
    :math:`s = 2 G z'`.
    """
    module, G, g_b = site.module, site.moving(moves, "weight"), site.moving(moves, "bias")
    images = isinstance(module, nn.Conv2d)
    apply = module._conv_forward if images else F.linear
    moved = None if tangent is None else apply(tangent, module.weight, None)
    if G is not None:
        moved = _add(moved, apply(site.input, G, None))
    if g_b is not None:
        shape = (-1, 1, 1) if images else (-1,)
        moved = _add(moved, g_b.reshape(shape).expand_as(site.output))
    if tangent is None or G is None:
        return moved, 0.0
    return moved, 2 * _pair(site.delta, apply(tangent, G, None))


def without_rule(module: nn.MultiheadAttention) -> str | None:
    """What an attention has that its rule does not know; None if nothing.

    >>> without_rule(nn.MultiheadAttention(4, 2)) is None
    True
    >>> without_rule(nn.MultiheadAttention(4, 2, add_zero_attn=True))
    'add_zero_attn'
    """
    reasons = {
        "dropout in train mode": module.training and module.dropout != 0,
        "bias_k and bias_v": module.bias_k is not None or module.bias_v is not None,
        "add_zero_attn": module.add_zero_attn,
        "an out_proj of another class": type(module.out_proj)
        is not NonDynamicallyQuantizableLinear,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _heads(module: nn.MultiheadAttention, z: torch.Tensor) -> list[torch.Tensor]:
    """Projections side by side, each as (samples, heads, places, entries of a head)."""
    z = z.transpose(0, 1) if z.dim() == 3 and not module.batch_first else z
    split = z.unflatten(-1, (-1, module.num_heads, module.head_dim))
    return [part.transpose(-2, -3) for part in split.unbind(-3)]


def _joined(module: nn.MultiheadAttention, z: torch.Tensor) -> torch.Tensor:
    """The heads side by side again, in the module's order of samples and places."""
    z = z.transpose(-2, -3).flatten(-2)
    return z.transpose(0, 1) if z.dim() == 3 and not module.batch_first else z


def attend(module: nn.MultiheadAttention, inputs: tuple, mask: torch.Tensor | None) -> list[Site]:
    r"""Attention as its parts: linear maps to Q, K and V (one for all if the inputs are one), in
    each head :math:`S = Q K^\top/\sqrt d + M`, :math:`P = \mathrm{softmax}(S)`, :math:`O = P V`,
    and a linear map of O.
    """
    packed, bias = module.in_proj_weight, module.in_proj_bias
    if packed is not None and inputs[0] is inputs[1] is inputs[2]:
        inputs = inputs[:1]
    n = len(inputs)
    weights = [getattr(module, f"{x}_proj_weight") for x in "qkv"]
    weights = weights if packed is None else packed.chunk(n)
    maps = []
    for z, W, b in zip(inputs, weights, [None] * n if bias is None else bias.chunk(n), strict=True):
        maps.append(Site(SimpleNamespace(weight=W, bias=b), z, F.linear(z, W, b)))
    q, k, v = (part for site in maps for part in _heads(module, site.output))
    scores = (q / sqrt(module.head_dim)) @ k.mT
    if mask is not None:
        if (mask.dim(), q.dim()) == (3, 4):
            mask = mask.unflatten(0, (-1, module.num_heads))
        scores = scores.masked_fill(mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    shares = scores.softmax(-1)
    mixed = _joined(module, shares @ v)
    output = F.linear(mixed, module.out_proj.weight, module.out_proj.bias)
    inner = [Site(module, inputs, scores), Site(module, inputs, mixed, extra=(q, k, v, shares))]
    return [*maps, *inner, Site(module.out_proj, mixed, output)]


def attention_rule(sites: list[Site], tangents: tuple, moves: dict):
    r"""Attention, by the parts of `attend`; those that are linear maps by their own rule.

    In each row :math:`P' = P \sigma` with :math:`\sigma = S' - \langle P, S' \rangle`. Between the
    maps :math:`\langle d_S, \sigma^2 + 2 Q' K'^\top/\sqrt d \rangle + 2 \langle d_O, P' V' \rangle`
    arises.
    """
    *maps, scored, mixed, last = sites
    module, bend = scored.module, 0.0
    own = dict(moves)
    for name in ("weight", "bias"):
        step = moves.get(getattr(module, f"in_proj_{name}"))
        if step is not None:
            whole = [getattr(site.module, name) for site in maps]
            own |= zip(whole, step.chunk(len(maps)), strict=True)
    steps = []
    for site, tangent in zip(maps, tangents, strict=False):
        step, part = linear_rule(site, tangent, own)
        steps += [None] * (3 // len(maps)) if step is None else _heads(module, step)
        bend = bend + part
    moved = None
    if any(step is not None for step in steps):
        q, k, v, P = mixed.extra
        pairs = zip((q, k, v), steps, strict=True)
        dq, dk, dv = (torch.zeros_like(z) if step is None else step for z, step in pairs)
        moved = P @ dv
        if scored.delta is not None:
            turn = (dq @ k.mT + q @ dk.mT) / sqrt(module.head_dim)
            turn = turn - (P * turn).sum(-1, keepdim=True)
            P_moved = P * turn
            moved = moved + P_moved @ v
            bend = bend + _pair(scored.delta * turn, turn)
            bend = bend + 2 / sqrt(module.head_dim) * _pair(scored.delta @ dk, dq)
            bend = bend + 2 * _pair(_heads(module, mixed.delta)[0], P_moved @ dv)
        moved = _joined(module, moved)
    moved, part = linear_rule(last, moved, moves)
    return moved, bend + part
