r"""Many trials at once: gradient descent from many points of one risk, batched by `vmap`.

The trials share network, data and step size and differ in their starting points. One batched
gradient replaces the loop over trials; every trial gets the numbers of its own run, up to the
rounding of a reordered sum. `device` moves the whole computation, in float64 unless `dtype` says
otherwise. One risk of the toy regression is faster still, see `experiments.toy`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
import torch

from lscore.errors import DataError, DtypeError, ShapeError
from lscore.model.risk import Risk
from lscore.model.settings import Setting


@dataclass(frozen=True)
class Ensemble:
    """Where the trials ended, and what was watched on the way.

    `points` (trials, m) on the CPU; `watched[name]` (steps + 1, trials), from before the first
    step to after the last.
    """

    points: torch.Tensor
    watched: dict[str, torch.Tensor] = field(default_factory=dict)


def risk_on(
    risk: Risk, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float64
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The risk as a function of one point (m,), with its data on a device; for `torch.func`.

    It checks nothing, so that it can be differentiated, batched and compiled. `SettingError` for
    frozen parameters, which would move.
    """
    Setting().require(risk)
    moved = copy.copy(risk)
    for name in ("X", "y"):
        object.__setattr__(moved, name, getattr(risk, name).to(device, dtype))
    return moved._float_value


def descend_together(
    risk: Risk,
    points: torch.Tensor | np.ndarray,
    rate: float,
    steps: int,
    *,
    watch: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Ensemble:
    r"""Gradient descent :math:`w \leftarrow w - \text{rate}\,\nabla R(w)` from many points at once.

    `points` (trials, m) float64; `watch` maps names to scalar functions of one point, written with
    torch operations on `device` (such as ``risk_on(risk, device)``). Deterministic full-batch
    steps; at a kink the gradient is autodiff's. Raises `ShapeError`, `DtypeError`, `DataError`
    naming the argument.

    >>> from lscore import Network, identity, mean_squared_error
    >>> risk = Risk(Network((1, 1), identity, bias=False), [1], [1], mean_squared_error)
    >>> points, watch = np.array([[0.0], [3.0]]), {"risk": risk_on(risk)}
    >>> run = descend_together(risk, points, 0.25, 1, watch=watch)
    >>> run.points.flatten().tolist(), run.watched["risk"].tolist()
    ([0.5, 2.0], [[1.0, 4.0], [0.25, 1.0]])
    """
    points = _checked(risk, points)
    check_steps(rate, steps)
    values = torch.func.vmap(risk_on(risk, device, dtype))
    watchers = {name: torch.func.vmap(function) for name, function in (watch or {}).items()}
    w = points.to(device, dtype, copy=True)
    records = {name: [watcher(w)] for name, watcher in watchers.items()}
    for _ in range(steps):
        # no trial depends on another: the gradient of the sum holds the gradient of each
        w.requires_grad_(True)
        (gradient,) = torch.autograd.grad(values(w).sum(), w)
        w = w.detach() - rate * gradient
        for name, watcher in watchers.items():
            records[name].append(watcher(w))
    return Ensemble(w.cpu(), {name: torch.stack(rows).cpu() for name, rows in records.items()})


def check_steps(rate: float, steps: int) -> None:
    """Raise `DataError` unless the rate is a positive number and steps an integer >= 0."""
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise DataError(f"steps: got {steps!r}, need an integer >= 0")
    if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 < rate < float("inf"):
        raise DataError(f"rate: got {rate!r}, need a positive number")


def _checked(risk: Risk, points: torch.Tensor | np.ndarray) -> torch.Tensor:
    points = torch.as_tensor(points)
    if points.dtype != torch.float64:
        raise DtypeError(f"points: dtype {points.dtype}, need torch.float64")
    if points.ndim != 2 or points.shape[1] != risk.dimension or not len(points):
        raise ShapeError(f"points: shape {tuple(points.shape)}, need (trials, {risk.dimension})")
    if not points.isfinite().all():
        raise DataError("points: has NaN or infinite entries, need finite numbers")
    return points
