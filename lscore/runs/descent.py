r"""Runs of gradient descent and SGD with the curvature of every step on record.

A `Run` holds, per step, the risk, :math:`|g|^2`, :math:`2 g^\top H g`, the same from consecutive
gradients, and how many switches the step turned. From these come the first time :math:`t_0` after
which the curvature stays positive, and the loss-change fraction (MILNE-E20).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from lscore.cells.floats import float_cell, pieces_of
from lscore.curvature.routes import (
    Curvature,
    curvature,
    quadratic_form,
    risk_gradient,
    secant_quadratic,
    step_curvature,
)
from lscore.curvature.shares import first_convex_step, loss_change_fraction
from lscore.errors import DataError, ShapeError
from lscore.model.modules import ModuleRisk, kept_buffers, squared_norm
from lscore.model.risk import Risk

DEFINITIONS = ("minibatch", "full batch", "full Hessian")


@dataclass(frozen=True, eq=False)
class Run:
    r"""The record of a run: arrays of shape (steps,), one entry per visited point.

    `values` R, `squared_norms` :math:`|g|^2`, `second_derivatives` :math:`2 g^\top H g`. `step` is
    :math:`\eta`; `definition` says on which samples g and H were taken. `gradient_descent` adds
    `points` (steps, m), `secants` :math:`2 g \cdot (g - g^+)/\eta` (nan for the last point), and
    for piecewise linear activations `flips`, how many switches differ at the next point (-1 for the
    last), and `corrected`, the secant with the old switches kept.
    """

    values: np.ndarray
    squared_norms: np.ndarray
    second_derivatives: np.ndarray
    step: float
    definition: str
    secants: np.ndarray | None = None
    flips: np.ndarray | None = None
    points: np.ndarray | None = None
    corrected: np.ndarray | None = None

    @property
    def normalised(self) -> np.ndarray:
        r""":math:`c = 2 g^\top H g / |g|^2` per point."""
        return self.second_derivatives / self.squared_norms

    @property
    def normalised_secants(self) -> np.ndarray:
        """The same from two consecutive gradients, kinks included."""
        return self.secants / self.squared_norms

    @property
    def convex_from(self) -> int | None:
        """The first index from which on the curvature stays positive."""
        return first_convex_step(self.second_derivatives)

    @property
    def fraction(self) -> float:
        """The loss-change fraction (20)."""
        return float(loss_change_fraction(self.values, self.convex_from))

    @property
    def tenth_percentile(self) -> float:
        """The 10th percentile of c from `convex_from` on; nan if there is none."""
        start = self.convex_from
        return float("nan") if start is None else float(np.percentile(self.normalised[start:], 10))


def gradient_descent(
    risk: Risk, w: torch.Tensor, step: float, steps: int, *, route: str = "double-backward"
) -> Run:
    r"""Gradient descent :math:`w \leftarrow w - \eta g` with fixed step on a `Risk`.

    Records `steps` points, the first is w. For the squared loss the secant with the old switches
    kept is :math:`2 g^\top H g` again, up to :math:`O(\eta)`. `route` is that of `curvature`.

    >>> from lscore.model.activations import relu
    >>> from lscore.model.networks import Network
    >>> network = Network((1, 1), (), bias=False, output_activation=relu)
    >>> risk = Risk(network, [1.0], [0.0])                           # w^2 / 2
    >>> run = gradient_descent(risk, torch.tensor([4.0], dtype=torch.float64), 0.5, 3)
    >>> run.values.tolist(), run.normalised.tolist(), run.convex_from, run.fraction
    ([8.0, 2.0, 0.5], [2.0, 2.0, 2.0], 0, 1.0)
    """
    _need_steps(step, steps)
    w = risk._float_point(w).detach().clone()
    frozen = risk.network.is_piecewise_linear and risk.loss.quadratic
    found, points, kept = [], [], []
    for _ in range(steps):
        found.append(curvature(risk, w, route, step=step))
        points.append(w.numpy().copy())
        g = torch.cat([part.reshape(-1) for part in found[-1].gradient])
        w = w - step * g
        if frozen:
            after = float_cell(risk, points[-1]).gradient(w.numpy())
            kept.append(2 * float(g.numpy() @ (g.numpy() - after)) / step)
    more = {"points": points}
    pairs = pairwise(found)
    secants = [2 * secant_quadratic(a.gradient, b.gradient, step) for a, b in pairs]
    more["secants"] = [*secants, float("nan")]
    if frozen:
        more["corrected"] = kept
    if risk.network.is_piecewise_linear:
        pieces = [pieces_of(risk, point) for point in points]
        more["flips"] = [*(_differ(a, b) for a, b in pairwise(pieces)), -1]
    return _run(found, step, "full batch", **more)


def sgd(
    risk: ModuleRisk,
    step: float,
    steps: int,
    batch_size: int,
    *,
    seed: int = 0,
    definition: str = "minibatch",
    route: str = "double-backward",
    every: int = 1,
    each: Callable[[int], None] | None = None,
) -> Run:
    r"""Stochastic gradient descent on the module of `risk`, which it trains in place.

    Minibatches come without replacement, reshuffled every epoch by `seed`; the loss should be a
    mean, so that they are comparable. Every `every` steps a point is recorded. `definition`:

    - "minibatch": g and H of the minibatch of the step, :math:`2 g_B^\top H_B g_B`: costs least.
    - "full batch": g and H of all samples, :math:`2 g^\top H g`: what (16) means.
    - "full Hessian": g of the minibatch, H of all samples, :math:`2 g_B^\top H g_B`.

    `values` are over the samples of H. `each` is called with the index of every step. Source:
    Milne (2019), section 4 (MILNE-E20); the paper does not say which definition it used.
    """
    _need_steps(step, steps)
    if definition not in DEFINITIONS:
        raise DataError(f"definition: got {definition!r}, need one of {', '.join(DEFINITIONS)}")
    if not 1 <= batch_size <= len(risk.X):
        raise ShapeError(f"batch_size: got {batch_size}, need 1 to {len(risk.X)}")
    shuffle, order, found = torch.Generator().manual_seed(seed), torch.empty(0), []
    for k in range(steps):
        if len(order) < batch_size:
            order = torch.randperm(len(risk.X), generator=shuffle).to(risk.X.device)
        batch, order = order[:batch_size], order[batch_size:]
        small = risk.on(risk.X[batch], risk.y[batch])
        if k % every == 0:
            at = step_curvature(small, route) if definition == "minibatch" else None
            gradient = risk_gradient(small)[1] if at is None else at.gradient
            found.append(at or _over_all(risk, gradient, definition, route))
        else:
            gradient = risk_gradient(small)[1]
        with torch.no_grad():
            torch._foreach_add_(risk.parameters, gradient, alpha=-step)
        if each is not None:
            each(k)
    return _run(found, step, definition)


def _over_all(risk: ModuleRisk, gradient: list, definition: str, route: str) -> Curvature:
    """The curvature with the Hessian of all samples; a normalisation's statistics are kept."""
    with kept_buffers(risk.module):
        if definition == "full batch":
            return curvature(risk, route=route)
        squared = squared_norm(gradient).item()
        quadratic = quadratic_form(risk, gradient)
        return Curvature(risk().item(), gradient, squared, quadratic, "double-backward")


def _run(found: list[Curvature], step: float, definition: str, **more) -> Run:
    columns = {
        "values": [at.value for at in found],
        "squared_norms": [at.squared_norm for at in found],
        "second_derivatives": [at.second_derivative for at in found],
    }
    arrays = {name: np.array(column) for name, column in (columns | more).items()}
    return Run(**arrays, step=step, definition=definition)


def _differ(a: list[np.ndarray], b: list[np.ndarray]) -> int:
    return int(sum((x != y).sum() for x, y in zip(a, b, strict=True)))


def _need_steps(step: float, steps: int) -> None:
    if not (step > 0 and np.isfinite(step)):
        raise DataError(f"step: got {step}, need a positive number")
    if steps < 1:
        raise DataError(f"steps: got {steps}, need at least 1")
