r"""Curvature of a risk along its gradient: :math:`2 g^\top H g`, four ways, and what each one is.

Along the gradient flow :math:`\dot W = -\nabla R(W)` the risk :math:`\gamma(t) = R(W(t))` has
:math:`\gamma'' = 2 g^\top H g` (MILNE-E16). All routes but one compute this number inside the cell
of the point; the secant route measures another one, which also sees the kinks of the last step.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lscore.cells.floats import float_cell
from lscore.curvature.sweep import tangent_sweep
from lscore.errors import DataError, DtypeError
from lscore.model.guards import (
    kept_parameters,
    refuse_weight_norm,
    twice_differentiable,
    unsafe_normalisations,
    without_draws,
)
from lscore.model.modules import (
    ModuleRisk,
    inner_product,
    kept_buffers,
    module_risk,
    squared_norm,
)
from lscore.model.risk import Risk
from lscore.model.sequential import backward_alteration

ROUTES = ("double-backward", "tangent-sweep", "torch.func", "secant", "old-switches")


@dataclass(frozen=True, eq=False)
class Curvature:
    r"""What one evaluation found: `value` R, `gradient` (a list like the parameters),
    `squared_norm` :math:`|g|^2`, `quadratic` :math:`g^\top H g`, and the `route` taken.

    `quantity` says what `quadratic` is: "in the cell", or for the secant route "mean over the step,
    kinks included".
    """

    value: float
    gradient: list[torch.Tensor]
    squared_norm: float
    quadratic: float
    route: str

    @property
    def quantity(self) -> str:
        return "mean over the step, kinks included" if self.route == "secant" else "in the cell"

    @property
    def second_derivative(self) -> float:
        r""":math:`\gamma'' = 2 g^\top H g` (MILNE-E16)."""
        return 2 * self.quadratic

    @property
    def normalised(self) -> float:
        r""":math:`c = 2 g^\top H g / |g|^2`, the left side of (17) in MILNE-L8; nan at g = 0."""
        return self.second_derivative / self.squared_norm if self.squared_norm else float("nan")


def curvature(
    risk: Risk | ModuleRisk,
    w: torch.Tensor | None = None,
    route: str = "double-backward",
    *,
    step: float | None = None,
    fallback: str | None = None,
) -> Curvature:
    r"""Value, gradient and :math:`g^\top H g`, at w for a `Risk`, where it stands for a
    `ModuleRisk`.

    Routes: "double-backward" differentiates the gradient once more, for any module that autograd
    differentiates twice; attention runs in the kernel that has second derivatives.
    "tangent-sweep" reuses the backward pass; a layer without a rule is refused by name
    (`DataError`), or goes to `fallback` if given. "torch.func" is nested forward mode; refused
    where a normalisation or a determinant makes it wrong. "secant" is
    :math:`g \cdot (g - g^+)/\eta` with the gradient :math:`g^+` after a step :math:`\eta` =
    `step`: the mean curvature on the step *plus the jumps at kinks*. "old-switches" is the same
    with :math:`g^+` taken in the old cell (`Risk` with piecewise linear activations only).

    The module is left as it was, running statistics included; tensors on it that are no buffers are
    not watched. Raises `DataError` for a module whose value is random (dropout in train mode; draws
    by Python or numpy are not seen) or that changes its parameters, under autocast, for backward
    hooks and hooks of parameters, which may change the gradient, for weight normalisation, which
    torch differentiates wrongly, and with torch's words where it has no second derivative.

    Source: Milne (2019), equations (16) and (19) (MILNE-E16, MILNE-E19).

    >>> from lscore.model.activations import relu
    >>> from lscore.model.networks import Network
    >>> network = Network((1, 1), (), bias=False, output_activation=relu)
    >>> risk = Risk(network, [1.0], [0.0])                 # w^2 / 2 for w > 0: g = w, H = 1
    >>> found = curvature(risk, torch.tensor([3.0], dtype=torch.float64))
    >>> found.second_derivative, found.normalised
    (18.0, 2.0)
    """
    if route not in ROUTES:
        raise DataError(f"route: got {route!r}, need one of {', '.join(ROUTES)}")
    if fallback not in (None, *ROUTES[:2]):
        raise DataError(f"fallback: got {fallback!r}, need one of {', '.join(ROUTES[:2])}")
    if isinstance(risk, ModuleRisk) == (w is not None):
        need = "no point" if isinstance(risk, ModuleRisk) else "a float64 point"
        raise DtypeError(f"w: a {type(risk).__name__} takes {need}")
    if route in ("secant", "old-switches") and not (step and step > 0):
        raise DataError(f"step: got {step}, need the step size > 0 for the route {route!r}")
    if route == "old-switches":
        return _old_switches(risk, w, step)
    at = risk if isinstance(risk, ModuleRisk) else module_risk(risk, risk._float_point(w))
    with kept_buffers(at.module), kept_parameters(at.module):
        return step_curvature(at, route, step=step, fallback=fallback)


def step_curvature(
    at: ModuleRisk, route: str, *, step: float | None = None, fallback: str | None = None
) -> Curvature:
    """`curvature` as a part of a training step: running statistics move, as in any forward pass."""
    with at.named_errors(), without_draws(at.X.device):
        return _by_route(at, route, step, fallback)


def _by_route(at: ModuleRisk, route: str, step: float | None, fallback: str | None) -> Curvature:
    if route == "tangent-sweep":
        try:
            value, gradient, quadratic = tangent_sweep(at)
        except DataError:
            if fallback is None:
                raise
            return _by_route(at, fallback, step, None)
        return _found(at, value, gradient, quadratic, route)
    if route == "torch.func":
        return _nested_forward(at)
    return _secant(at, step) if route == "secant" else _double_backward(at)


def _found(at: ModuleRisk, value: float, gradient: list, quadratic, route: str) -> Curvature:
    """Everything in one place; `value` and `quadratic` are those of the data loss."""
    squared = squared_norm(gradient).item()
    total = float(quadratic) + at.weight_decay * squared
    return Curvature(value + at.penalty(), gradient, squared, total, route)


def risk_gradient(at: ModuleRisk) -> tuple[float, list[torch.Tensor]]:
    """The risk and its gradient, as the plain step needs them: one backward pass."""
    value, raw = _raw_gradient(at)
    return value.item() + at.penalty(), _decayed(at, raw)


def quadratic_form(at: ModuleRisk, direction: list[torch.Tensor]) -> float:
    """direction' H direction, by double backward; refuses what `curvature` does."""
    with without_draws(at.X.device):
        raw = _raw_gradient(at, create_graph=True)[1]
    decay = at.weight_decay * squared_norm(direction).item()
    return float(_data_quadratic(at, raw, direction)) + decay


def _raw_gradient(at: ModuleRisk, create_graph: bool = False) -> tuple[torch.Tensor, list]:
    """The data loss and its gradient without weight decay; absent parameters have gradient 0."""
    altered = backward_alteration(at.module)
    if altered:
        raise DataError(f"module: {altered}, which may change the gradient; remove it")
    with torch.enable_grad(), at.named_errors(), twice_differentiable(create_graph):
        value = at.data_loss()
        if not value.requires_grad:
            raise DataError("module, loss: no gradient flows from the loss to the parameters")
        if create_graph:
            refuse_weight_norm(value)
        found = torch.autograd.grad(
            value, at.parameters, create_graph=create_graph, materialize_grads=True
        )
    return value.detach(), list(found)


def _decayed(at: ModuleRisk, raw: list) -> list[torch.Tensor]:
    with torch.no_grad():
        if at.weight_decay:
            return list(torch._foreach_add(raw, at.parameters, alpha=at.weight_decay))
        return [g.detach() for g in raw]


def _data_quadratic(at: ModuleRisk, raw: list, direction: list) -> torch.Tensor | float:
    """direction' H direction for the data loss, from its gradient with its graph."""
    pairs = [(r, v) for r, v in zip(raw, direction, strict=True) if r.requires_grad]
    if not pairs:
        return 0.0
    rows, seeds = (list(part) for part in zip(*pairs, strict=True))
    with at.named_errors():
        products = torch.autograd.grad(rows, at.parameters, seeds, materialize_grads=True)
    return inner_product(products, direction)


def _double_backward(at: ModuleRisk) -> Curvature:
    value, raw = _raw_gradient(at, create_graph=True)
    gradient = _decayed(at, raw)
    quadratic = _data_quadratic(at, raw, gradient)
    return _found(at, value.item(), gradient, quadratic, "double-backward")


def _nested_forward(at: ModuleRisk) -> Curvature:
    """Second derivative of t -> R(w + t g) at 0 by forward mode inside forward mode."""
    unsafe = unsafe_normalisations(at)
    if unsafe:
        raise DataError(
            f"route 'torch.func': the module uses {' and '.join(unsafe)}, through which nested "
            "forward mode and torch.func.hessian give wrong second derivatives without a warning; "
            "use route='double-backward'"
        )
    value, raw = _raw_gradient(at)
    gradient = _decayed(at, raw)
    moves = dict(zip(at.parameters, gradient, strict=True))
    slots = [
        (f"{name}.{key}" if name else key, parameter.detach(), moves[parameter])
        for name, part in at.module.named_modules()
        for key, parameter in part.named_parameters(recurse=False)
        if parameter in moves
    ]

    def along(t):
        moved = {name: start + t * move for name, start, move in slots}
        call = torch.func.functional_call(at.module, moved, (at.X.clone(),), tie_weights=False)
        return at.loss(call, at.y.clone())

    zero, one = torch.zeros_like(value), torch.ones_like(value)

    def slope(t):
        return torch.func.jvp(along, (t,), (one,))[1]

    with twice_differentiable():
        first, quadratic = torch.func.jvp(slope, (zero,), (one,))
    expected = inner_product(raw, gradient)
    if not torch.isclose(first, expected, rtol=torch.finfo(first.dtype).eps ** 0.5):
        raise DataError(
            "route 'torch.func': moved parameters do not reach everything that the module computes "
            "from them; use route='double-backward'"
        )
    return _found(at, value.item(), gradient, quadratic, "torch.func")


def _secant(at: ModuleRisk, step: float) -> Curvature:
    value, gradient = risk_gradient(at)
    kept = [p.detach().clone() for p in at.parameters]
    try:
        with torch.no_grad():
            torch._foreach_add_(at.parameters, gradient, alpha=-step)
        with kept_buffers(at.module):
            after = risk_gradient(at)[1]
    finally:
        with torch.no_grad():
            torch._foreach_copy_(at.parameters, kept)
    squared = squared_norm(gradient).item()
    quadratic = secant_quadratic(gradient, after, step)
    return Curvature(value, gradient, squared, quadratic, "secant")


def secant_quadratic(before: list, after: list, step: float) -> float:
    r""":math:`g \cdot (g - g^+)/\eta` from two consecutive gradients of gradient descent."""
    change = [g - a for g, a in zip(before, after, strict=True)]
    return inner_product(before, change).item() / step


def _old_switches(risk: Risk | ModuleRisk, w: torch.Tensor | None, step: float) -> Curvature:
    if not isinstance(risk, Risk) or not risk.network.is_piecewise_linear:
        raise DataError(
            "route 'old-switches': needs a Risk with piecewise linear activations, whose switches "
            "can be kept; use route='double-backward'"
        )
    w = risk._float_point(w).detach().numpy()
    cell = float_cell(risk, w)
    g = cell.gradient(w)
    quadratic = g @ (g - cell.gradient(w - step * g)) / step
    gradient = [torch.from_numpy(g)]
    return Curvature(cell.value(w), gradient, float(g @ g), float(quadratic), "old-switches")
