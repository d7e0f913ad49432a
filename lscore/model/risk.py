r"""The empirical risk as a function of one flat point.

:math:`R(w) = \ell(\hat Y(w), Y) + \tfrac12 \sum_j \lambda_j w_j^2`. A float point gives
float64 answers with derivatives from autodiff; an exact point gives rationals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from flint import fmpz_mat

from lscore.algebra.arguments import checked
from lscore.algebra.arrays import float_matrix
from lscore.algebra.matrices import (
    RationalMatrix,
    augment,
    exact,
    ones,
)
from lscore.errors import DtypeError, ShapeError
from lscore.model.hessian import piecewise_linear_hessian
from lscore.model.losses import Loss, half_sum_of_squares
from lscore.model.networks import Network, Point
from lscore.model.parameters import float_decay, penalty, read_decay, read_frozen, shrinkage
from lscore.model.passes import Frozen, backward, trace


@checked
@dataclass(frozen=True, eq=False)
class Risk:
    r"""Network, data, loss and weight decay, as a function of a point.

    `X` (n, d) and `y` (n, k), or (n,) for one input or output: whatever `exact` takes. Hinge losses
    take integer labels, stored as signs (n, k); see `HingeLoss.read_labels`. `weight_decay` is
    :math:`\lambda` in :math:`\tfrac{\lambda}{2}\|w\|^2`, one number for all parameters; or one per
    layer, or ``{"weights": 0.1}`` for the weights only, or one per parameter (see `per_parameter`),
    kept as a column (m, 1) where they differ. `frozen`: which parameters do not move, given per
    layer, ``{"biases": True}``, or per parameter; kept as (m,), empty if all move. Their decay is a
    constant, and left out; derivatives by them are 0. A checker that does not know them answers
    unknown. Raises `ShapeError`, `DataError`, `DtypeError` naming the argument.

    >>> from lscore.model.activations import relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0.0, 1.0], [0.0, 1.0])
    >>> risk(exact([1, 0, 0, 0, 1, 0, 0])), risk(exact([0] * 7))
    (0, 1/2)
    """

    network: Network
    X: object
    y: object
    loss: Loss = half_sum_of_squares
    weight_decay: object = 0
    frozen: object = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "y", self.loss.read_labels(self.y, self.network.widths[-1]))
        for name, width in (("X", self.network.widths[0]), ("y", self.network.widths[-1])):
            given = getattr(self, name)
            floats = float_matrix(given, name)
            if floats is None:
                self.__dict__[f"exact_{name}"] = exact(given, name)
                floats = self.__dict__[f"exact_{name}"].floats()
            if floats.shape[1] != width:
                raise ShapeError(f"{name}: shape {floats.shape}, need (n, {width})")
            object.__setattr__(self, name, torch.from_numpy(floats.copy()))
        if len(self.X) != len(self.y):
            raise ShapeError(f"X, y: {len(self.X)} inputs and {len(self.y)} labels, need as many")
        object.__setattr__(self, "weight_decay", read_decay(self.network, self.weight_decay))
        object.__setattr__(self, "frozen", read_frozen(self.network, self.frozen))
        if self.frozen and self.weight_decay:
            felt = self.shrinkage(self.freed(ones(self.dimension)))
            object.__setattr__(self, "weight_decay", read_decay(self.network, felt))

    @property
    def dimension(self) -> int:
        """Number of parameters m."""
        return self.network.dimension

    @property
    def inexact(self) -> str:
        """Why exact points have no exact risk; empty where it is a polynomial in every cell."""
        if not self.network.is_piecewise_linear:
            return "the activation is not piecewise linear"
        return "" if self.loss.polynomial else f"the {self.loss.kind} loss is not a polynomial"

    @cached_property
    def exact_X(self) -> RationalMatrix:
        """The inputs in rationals, (n, d)."""
        return exact(self.X, "X")

    @cached_property
    def exact_y(self) -> RationalMatrix:
        """The labels in rationals, (n, k)."""
        return exact(self.y, "y")

    @cached_property
    def exact_augmented(self) -> RationalMatrix:
        """[X, 1] in rationals, (n, d + 1)."""
        if "exact_X" in self.__dict__:
            return augment(self.exact_X)
        return exact(torch.cat([self.X, torch.ones(len(self.X), 1, dtype=torch.float64)], 1))

    @cached_property
    def margin_lines(self) -> np.ndarray:
        """How each margin of the loss changes with each output, (n, J, k), exact."""
        return self.loss.directions(self.exact_y).astype(object)

    @cached_property
    def unfrozen(self) -> Risk:
        """The same function, of which every parameter may move."""
        return replace(self, frozen=())

    def freed(self, u: Point | np.ndarray) -> Point | np.ndarray:
        """A direction, or several as columns, exact or in floats, with 0 for frozen parameters."""
        if not self.frozen:
            return u
        if isinstance(u, RationalMatrix):
            (m, columns), entries = u.shape, u.numerator.entries()
            kept = [0 if self.frozen[j // columns] else e for j, e in enumerate(entries)]
            return RationalMatrix(fmpz_mat(m, columns, kept), u.denominator)
        held = np.array(self.frozen).reshape(-1, *[1] * (len(u.shape) - 1))
        if isinstance(u, torch.Tensor):
            return torch.where(torch.from_numpy(held), 0.0, u)
        return np.where(held, u * 0, u)

    def penalty(self, w: Point | np.ndarray):
        r"""The weight decay term, :math:`\tfrac12 \sum_j \lambda_j w_j^2`; see `parameters`."""
        return penalty(self._decay(w), w)

    def shrinkage(self, w: Point | np.ndarray):
        r"""The gradient :math:`\lambda_j w_j` of the weight decay term."""
        return shrinkage(self._decay(w), w)

    def _decay(self, w: Point | np.ndarray) -> object:
        """The weight decay in the kind of number of w."""
        needed = (self.dimension, 1)[: 1 + isinstance(w, RationalMatrix)]
        if tuple(w.shape) != needed:
            raise ShapeError(f"w: shape {tuple(w.shape)}, need {needed}")
        exactly = isinstance(w, RationalMatrix) or w.dtype == object
        return self.weight_decay if exactly else self._float_decay

    @cached_property
    def _float_decay(self) -> float | np.ndarray:
        return float_decay(self.weight_decay)

    def forward(self, w: Point) -> tuple[list, torch.Tensor | RationalMatrix]:
        """Pre-activations (one (n, d_l) matrix per hidden layer) and outputs (n, k)."""
        if isinstance(w, RationalMatrix) and self.network.biases[0]:
            return self.network.forward(w, self.exact_augmented, augmented=True)
        return self.network.forward(w, self.exact_X if isinstance(w, RationalMatrix) else self.X)

    def predictions(self, w: Point):
        """Network outputs on the data, (n, k)."""
        return self.forward(w)[1]

    def __call__(self, w: Point | np.ndarray):
        """The risk: an fmpq for an exact point, a torch scalar for a float point."""
        w = self.network.point(w)
        if not isinstance(w, RationalMatrix):
            return self._float_value(w)
        value = self.loss(self.predictions(w), self.exact_y)
        return value + self.penalty(w) if self.weight_decay else value

    def _float_value(self, w: torch.Tensor) -> torch.Tensor:
        """The risk without checks, so that autodiff can trace it."""
        value = self.loss(self.network._run(w, self.X)[1], self.y)
        return value + self.penalty(w) if self.weight_decay else value

    def gradient(self, w: Point | np.ndarray) -> Point:
        """The gradient; exact for an exact point, which must not lie on a kink (`TieError`).

        For float points this is what autodiff reports, kink or not (at a knot it uses the left
        slope, as ``torch.relu`` does).
        """
        w = self.network.point(w)
        return self.freed(
            self._exact_gradient(w)
            if isinstance(w, RationalMatrix)
            else torch.func.grad(self._float_value)(w)
        )

    def hessian_vector_product(self, w: Point, v: Point) -> torch.Tensor:
        """Hessian at w times v (m,), by forward over reverse differentiation."""
        w, v = self._float_point(w), self._float_point(v, "v")
        return self.freed(self._tangent(w, self.freed(v)))

    def _float_point(self, w: Point | np.ndarray, name: str = "w") -> torch.Tensor:
        w = self.network.point(w, name)
        if isinstance(w, RationalMatrix):
            raise DtypeError(f"{name}: the Hessian takes float points, use {name}.point()")
        return w

    def _tangent(self, w: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return torch.func.jvp(torch.func.grad(self._float_value), (w,), (v,))[1]

    def hessian(self, w: Point) -> torch.Tensor:
        """The (m, m) Hessian: in closed form for piecewise linear networks and squared or hinge
        losses, else by autodiff.

        Both use the left slope on a knot; see `piecewise_linear_hessian`.
        """
        w, curvature = self._float_point(w), self.loss.curvature(len(self.y))
        if self.network.is_piecewise_linear and curvature is not None:
            found = piecewise_linear_hessian(self, w)
        else:
            columns = torch.func.vmap(lambda v: self._tangent(w, v))
            found = columns(torch.eye(self.dimension, dtype=torch.float64))
        return self.freed(self.freed(found).T)

    def directional_second_derivative(self, w: Point, u: Point) -> torch.Tensor:
        """u' H u, the second derivative of t -> R(w + t u) at 0 as autodiff sees it."""
        return torch.dot(self._float_point(u, "u"), self.hessian_vector_product(w, u))

    def _exact_gradient(self, w: RationalMatrix) -> RationalMatrix:
        """Backpropagation in rationals, inside an activation cell."""
        run = trace(self.network, w, self.exact_X)
        frozen = Frozen(self.network.switches, run.pieces())
        gradient = backward(run, self.loss.gradient(run.outputs, self.exact_y), frozen.slope)
        return gradient + self.shrinkage(w) if self.weight_decay else gradient
