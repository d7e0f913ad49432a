r"""How a tangent passes each kind of layer, and what the layer adds to the second derivative.

Move all parameters along :math:`w + t g`. A rule takes a layer's stored input z and output, the
tangent :math:`z'` and, for layers that bend, the delta :math:`d = \partial\ell/\partial a` of the
output a. It returns :math:`a'` and :math:`\langle d, s \rangle`, where s is the part of
:math:`a''` that the layer makes itself (what :math:`z''` contributes is in the deltas below).
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, prod, sqrt

import torch
from torch import nn
from torch.nn import functional as F

from lscore.curvature.products import Site, attention_rule, linear_rule, without_rule
from lscore.model.activations import PiecewiseLinear
from lscore.model.modules import Elementwise


def batch_norm_rule(site: Site, tangent: torch.Tensor | None, moves: dict):
    r"""Batch normalisation :math:`a = \gamma n + \beta`, :math:`n = q (z - \bar z)`.

    In train mode :math:`\bar z` and :math:`q = (v + \epsilon)^{-1/2}` move with the batch. With
    :math:`z_c = z - \bar z` the layer's own part is :math:`s = 2 \gamma' (q z_c)' +
    \gamma (2 q' z_c' + q'' z_c)`. In eval mode the statistics stand still.
    """
    module, z = site.module, site.input
    over = [i for i in range(z.dim()) if i != 1]
    shape = (-1, *[1] * (z.dim() - 2))
    train = module.training or module.running_mean is None
    if train:
        n, _, q = torch.native_batch_norm(z, None, None, None, None, True, 0.0, module.eps)
    else:
        q = (module.running_var + module.eps).rsqrt()
        n = (z - module.running_mean.reshape(shape)) * q.reshape(shape)
    scale = torch.ones_like(q) if module.weight is None else module.weight
    d_scale, d_shift = site.moving(moves, "weight"), site.moving(moves, "bias")
    along_n = torch.zeros_like(q) if d_scale is None else d_scale  # the factor of n in a'
    if tangent is None:
        if d_scale is None and d_shift is None:
            return None, 0.0
        shift = torch.zeros_like(q) if d_shift is None else d_shift
        return torch.addcmul(shift.reshape(shape), n, along_n.reshape(shape)), 0.0
    step = tangent
    if train:
        step = tangent - tangent.mean(over).reshape(shape)
    with_step = (site.delta * step).sum(over)
    bend = 2 * along_n * q * with_step
    if train:
        size, with_n = z.numel() // len(q), (site.delta * n).sum(over)
        shrink = -(q / size) * (n * step).sum(over)  # q' / q
        curve = 3 * shrink.square() - q.square() / size * step.square().sum(over)  # q'' / q
        bend = bend + 2 * scale * shrink * q * with_step
        bend = bend + (scale * curve + 2 * along_n * shrink) * with_n
        along_n = along_n + scale * shrink
    moved = (step * (scale * q).reshape(shape)).addcmul_(n, along_n.reshape(shape))
    return moved if d_shift is None else moved.add_(d_shift.reshape(shape)), bend.sum()


def group_norm_rule(site: Site, tangent: torch.Tensor | None, moves: dict):
    r"""Layer and group normalisation, :math:`a = \gamma n + \beta`, :math:`n = q z_c`, in any mode.

    The statistics are those of a group of entries of one sample, here (samples, groups, channels,
    places). With :math:`z_c' = z' - \overline{z'}` the layer's own part is
    :math:`s = 2 \gamma' n' + \gamma n''`, :math:`n' = q z_c' + q' z_c`,
    :math:`n'' = 2 q' z_c' + q'' z_c`.
    """
    module, z = site.module, site.input
    d_scale, d_shift = site.moving(moves, "weight"), site.moving(moves, "bias")
    if tangent is None and d_scale is None and d_shift is None:
        return None, 0.0
    groups, channels = 1, prod(getattr(module, "normalized_shape", ()))
    if isinstance(module, nn.GroupNorm):
        groups, channels = module.num_groups, module.num_channels // module.num_groups
    places = prod(z.shape[2:]) if isinstance(module, nn.GroupNorm) else 1
    view = -1, groups, channels, places

    def parameter(given: torch.Tensor | None, default: float) -> torch.Tensor:
        if given is None:
            return z.new_full((groups, channels, 1), default)
        return given.reshape(groups, channels, 1)

    variance, mean = torch.var_mean(z.reshape(view), (2, 3), correction=0, keepdim=True)
    q = (variance + module.eps).rsqrt()
    n = (z.reshape(view) - mean) * q
    turn, bend = parameter(d_scale, 0.0), 0.0
    moved = torch.addcmul(parameter(d_shift, 0.0), n, turn)
    if tangent is not None:
        scale, delta, step = parameter(module.weight, 1.0), site.delta.reshape(view), tangent
        step = step.reshape(view) - step.reshape(view).mean((2, 3), keepdim=True)
        shrink = -q * (n * step).mean((2, 3), keepdim=True)  # q' / q
        curve = 3 * shrink.square() - q.square() * step.square().mean((2, 3), keepdim=True)
        moved = moved.addcmul_(step, scale * q).addcmul_(n, scale * shrink)
        factors = torch.cat([scale, turn], 2)
        by_group = (
            v.squeeze(3).transpose(0, 1)
            for v in ((delta * step).sum(3, True), (delta * n).sum(3, True), q, shrink, curve)
        )
        with_step, with_n, q, shrink, curve = by_group
        with_step, with_n = with_step @ factors, with_n @ factors
        bend = 2 * q * (shrink * with_step[..., :1] + with_step[..., 1:])
        bend = (bend + curve * with_n[..., :1] + 2 * shrink * with_n[..., 1:]).sum()
    return moved.reshape(z.shape), bend


def smooth_rule(site: Site, tangent: torch.Tensor | None, moves: dict):
    r"""A smooth activation :math:`\sigma`, entry by entry: :math:`a' = \sigma'(z) z'`,
    :math:`s = \sigma''(z) z'^2`."""
    if tangent is None:
        return None, 0.0
    y = site.output
    if isinstance(site.module, nn.Tanh):
        first = 1 - y.square()
        second = -2 * y * first
    elif isinstance(site.module, nn.Sigmoid):
        first = y * (1 - y)
        second = first * (1 - 2 * y)
    elif isinstance(site.module, nn.GELU):
        first, second = _gelu_slopes(site.input, site.module.approximate)
    else:
        with torch.enable_grad():
            z = site.input.detach().requires_grad_()
            (first,) = torch.autograd.grad(site.module(z.clone()).sum(), z, create_graph=True)
            (second,) = torch.autograd.grad(first.sum(), z)
        first = first.detach()
    return first * tangent, (site.delta * second * tangent.square()).sum()


def _gelu_slopes(z: torch.Tensor, approximate: str) -> tuple[torch.Tensor, torch.Tensor]:
    r"""First and second derivative of :math:`z \Phi(z)`, or of its approximation by a tanh."""
    if approximate == "none":
        density = torch.exp(-z.square() / 2) / sqrt(2 * pi)
        return torch.special.ndtr(z) + z * density, density * (2 - z.square())
    k, c = sqrt(2 / pi), 0.044715
    t = torch.tanh(k * (z + c * z**3))
    inner, rest = k * (1 + 3 * c * z.square()), 1 - t.square()
    first = (1 + t + z * rest * inner) / 2
    return first, rest * (inner + z * (3 * k * c * z - t * inner.square()))


def slope_rule(site: Site, tangent: torch.Tensor | None, moves: dict):
    """A piecewise linear activation: the tangent times the slope of the piece in use."""
    if tangent is None:
        return None, 0.0
    module, z = site.module, site.input
    if isinstance(module, nn.ReLU):
        return torch.ops.aten.threshold_backward(tangent, site.output, 0), 0.0
    if isinstance(module, nn.LeakyReLU):
        return torch.where(z > 0, tangent, module.negative_slope * tangent), 0.0
    return tangent * module.activation.slope(z), 0.0


def max_pool_rule(site: Site, tangent: torch.Tensor | None, moves: dict):
    """Max-pooling: the tangent of the entry that won."""
    if tangent is None:
        return None, 0.0
    flat = tangent.flatten(2).gather(2, site.extra.flatten(2))
    return flat.reshape(site.output.shape), 0.0


def same_rule(site: Site, tangent: torch.Tensor | None, moves: dict):
    """A linear map without parameters: the tangent goes through it."""
    return None if tangent is None else site.module(tangent), 0.0


_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_GROUP_NORMS = (nn.LayerNorm, nn.GroupNorm)
_SMOOTH = (nn.Tanh, nn.Sigmoid, nn.Softplus, nn.SiLU, nn.GELU, nn.Softsign, nn.Mish)
_SAME = (nn.Flatten, nn.Identity, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
Rule = Callable[[Site, torch.Tensor | None, dict], tuple]


def rule_of(module: nn.Module) -> tuple[Rule, bool] | None:
    """The rule of a module, and whether it needs the delta of its output; None if there is none.

    >>> rule_of(nn.PReLU()) is None, rule_of(nn.Linear(1, 1))[1]
    (True, True)
    """
    kind = type(module)
    if kind is Elementwise:
        linear = isinstance(module.activation, PiecewiseLinear)
        return (slope_rule, False) if linear else (smooth_rule, True)
    if kind in (nn.Linear, nn.Conv2d):
        return linear_rule, True
    if kind in _BATCH_NORMS:
        return batch_norm_rule, True
    if kind in _GROUP_NORMS:
        return group_norm_rule, True
    if kind in _SMOOTH:
        return smooth_rule, True
    if kind in (nn.ReLU, nn.LeakyReLU):
        return slope_rule, False
    if kind is nn.MaxPool2d and not module.return_indices:
        return max_pool_rule, False
    if kind is nn.MultiheadAttention:
        return None if without_rule(module) else (attention_rule, True)
    still = kind in (nn.Dropout, nn.Dropout2d) and (module.p == 0 or not module.training)
    return (same_rule, False) if kind in _SAME or still else None


def at_work(module: nn.Module, given: torch.Tensor) -> Site:
    """A layer with its output, never written over its input, which the sweep reads, and with where
    a pool's maxima come from."""
    bends = rule_of(module)[1]
    if isinstance(module, nn.MaxPool2d):
        size = (module.kernel_size, module.stride, module.padding, module.dilation)
        output, places = F.max_pool2d(given, *size, module.ceil_mode, return_indices=True)
        return Site(module, given, output, None, places, bends)
    output = module(given.clone() if getattr(module, "inplace", False) else given)
    return Site(module, given, output, None, None, bends)
