r"""The contract of a loss, and the squared loss with its scale stated.

A checker never asks a loss for its type: it asks for *facts*, and answers unknown where one that
it needs is missing. The scale of a loss decides its numbers, not its minima; so it is never left
implicit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational, to_float
from lscore.algebra.rationals import positive
from lscore.errors import DtypeError, SettingError, ShapeError
from lscore.model.activations import piecewise_linear

Outputs = torch.Tensor | RationalMatrix | np.ndarray


class Loss:
    r"""A function :math:`\ell(\hat Y, Y)` of outputs and targets (n, k), with facts about it.

    A loss of your own derives from it, sets the facts that are true, and gives `__call__`,
    `gradient` and `second`; with knots also `margins`. What it does not give raises `SettingError`,
    which a checker turns into *unknown*. All facts are False until then:

    - `convex` in the outputs; `smooth`: continuously differentiable in them; `nonnegative`;
    - `polynomial`: in each piece a polynomial with rational coefficients, so that exact outputs
      have an exact loss. Else exact outputs raise `DataError`, and balls are what decides;
    - `quadratic`: it is :math:`c\sum_i\|\hat y_i-y_i\|^2` with c = ``scale(n)``, no less;
    - `piecewise_linear` in the outputs; `hinge`: it is :math:`\sum_{ij}\mu_{ij}\max(m_{ij}, 0)`
      with margins m and numbers :math:`\mu` > 0;
    - `shift_invariant`: adding one number to all outputs of a sample changes nothing;
    - `knots`: if there are any, the loss is a sum of functions of one *margin* each, and each has
      one formula between two knots: (0,) for hinge losses, (-delta, delta) for Huber's. `margins`
      (n, J) are affine in the outputs; one in piece p lies between knots p - 1 and p.

    Facts are promises, and certificates rest on them; of the losses of this package they are
    `proved`, of others a certified minimum says that they are declared. A class derived from a loss
    is neither `proved` nor `quadratic` unless it says so itself. `kind` is its name in print. The
    type of the outputs decides what comes out: tensors, `RationalMatrix`, or numpy arrays: of
    floats (complex ones too), or of objects such as balls and polynomials. `pieces` (n, J) fixes
    the piece of each margin: the *frozen* loss, which polynomials need if there are knots. Without
    it a point on a knot raises `TieError` where a derivative does not exist; floats take the left
    piece and balls become nan there.
    """

    kind: str = "custom"
    convex = smooth = polynomial = nonnegative = quadratic = piecewise_linear = hinge = False
    shift_invariant = False
    proved = False
    knots: tuple = ()

    def __init_subclass__(cls) -> None:
        for fact in ("quadratic", "proved"):  # of one formula: not handed on to another
            setattr(cls, fact, vars(cls).get(fact, False))

    def read_labels(self, y: object, outputs: int) -> object:
        """Labels as the targets (n, k) that the loss takes; as they are by default."""
        return y

    def margins(self, outputs: Outputs, targets: Outputs):
        """What decides the formula: affine functions of the outputs, (n, J). None without knots."""

    def __call__(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The loss, a number."""
        raise SettingError(f"loss: {type(self).__name__} has no value, need `__call__`")

    def gradient(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The derivative by the outputs, (n, k)."""
        raise SettingError(f"loss: {type(self).__name__} has no derivative, need `gradient`")

    def second(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """The second derivatives by the outputs of each sample, (n, k, k): a tensor for a tensor,
        else an array of objects. By default from `curvature`."""
        targets, shape = paired(outputs, targets), tuple(outputs.shape)
        curvature = self.curvature(len(targets))
        if curvature is None:
            name = type(self).__name__
            raise SettingError(f"loss: {name} has no second derivative, need `second`")
        if len(shape) != 2:
            raise ShapeError(f"outputs: shape {shape}, need (n, k)")
        if isinstance(outputs, torch.Tensor):
            return to_float(curvature) * torch.eye(shape[1], dtype=torch.float64).expand(
                shape[0], -1, -1
            )
        unit = np.eye(shape[1], dtype=int).astype(object) * curvature
        return np.broadcast_to(unit, (shape[0], *unit.shape))

    def curvature(self, n: int) -> fmpq | None:
        """c if every second derivative is c times the identity wherever it exists, else None."""

    def positions(self, outputs: RationalMatrix, targets: RationalMatrix) -> np.ndarray | None:
        """Where each margin lies: 2p inside piece p, 2p + 1 on knot p. None without knots."""
        return self.switch.positions(self.margins(outputs, targets)) if self.knots else None

    def jump(self, outputs: RationalMatrix, targets: RationalMatrix, i: int, j: int) -> fmpq:
        """How much the slope of the term of margin j of sample i grows at the knot it lies on."""
        left, line = self.positions(outputs, targets) // 2, self.directions(targets)[i, j]
        right = left.copy()
        right[i, j] += 1
        low, high = (self.gradient(outputs, targets, pieces) for pieces in (left, right))
        r = int(np.flatnonzero(line)[0])
        return (high - low)[i, r] / rational(line[r])

    @property
    def switch(self):
        """A `PiecewiseLinear` with these knots, to switch the margins (its slopes mean nothing)."""
        return piecewise_linear(self.knots, range(len(self.knots) + 1), 0, f"{self.kind} margins")

    def directions(self, targets: RationalMatrix | np.ndarray) -> np.ndarray:
        """D (n, J, k), how each margin changes with each output: objects, exact."""
        if not self.knots:
            name = type(self).__name__
            raise SettingError(f"loss: {name} has no knots and is not said to be smooth, need one")
        targets = exact(targets, "targets")
        n, k = targets.shape
        columns = [exact([[int(c == r) for c in range(k)]] * n) for r in range(k)]
        start = self.margins(targets * 0, targets)
        changes = [self.margins(column, targets) - start for column in columns]
        return np.stack([objects(change) for change in changes], axis=2)


def objects(A: RationalMatrix | np.ndarray) -> np.ndarray:
    """The entries of a rational matrix as a numpy array of fmpq, for arithmetic with other kinds
    of numbers; an array stays what it is.

    >>> objects(exact([[1, "1/2"]])) * 2
    array([[2, 1]], dtype=object)
    """
    if not isinstance(A, RationalMatrix):
        return A
    array = np.empty(A.shape[0] * A.shape[1], dtype=object)
    array[:] = A.entries()
    return array.reshape(A.shape)


@checked
@dataclass(frozen=True)
class SquaredLoss(Loss):
    r""":math:`c \sum_i \|\hat y_i - y_i\|^2`, divided by n when `mean` is set.

    `factor` is the constant c (1/2 by default). The default, half the sum of squares, is the
    convention of Yun, Sra and Jadbabaie (2019); ``SquaredLoss(1, mean=True)`` is
    ``torch.nn.MSELoss`` for one output. Convex and differentiable in the predictions.

    >>> SquaredLoss()(exact([1, 2]), exact([0, 0])), SquaredLoss(1, mean=True).scale(2)
    (5/2, 1/2)
    """

    factor: Scalar = "1/2"
    mean: bool = False

    kind = "squared"
    convex = smooth = polynomial = nonnegative = quadratic = proved = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", positive(self.factor, "factor"))

    def scale(self, n: int) -> fmpq:
        """The number that multiplies the sum of squares for n samples."""
        return self.factor / int(n) if self.mean else self.factor

    def __call__(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """Loss of outputs (n, k) against targets (n, k); exact in, exact out."""
        residuals, scale = self._residuals(outputs, targets, self.scale(len(targets)))
        if isinstance(residuals, RationalMatrix):
            return residuals.dot(residuals) * scale
        return (residuals * residuals).sum() * scale

    def gradient(self, outputs: Outputs, targets: Outputs, pieces: np.ndarray | None = None):
        """Derivative with respect to the outputs, shape (n, k); exact in, exact out."""
        residuals, scale = self._residuals(outputs, targets, self.curvature(len(targets)))
        return residuals * scale

    def curvature(self, n: int) -> fmpq:
        """Second derivative with respect to each prediction."""
        return 2 * self.scale(n)

    def _residuals(self, outputs: Outputs, targets: Outputs, scale: fmpq):
        """The residuals, and the scale as a number of their kind."""
        targets = paired(outputs, targets)
        exactly = isinstance(outputs, RationalMatrix) or outputs.dtype == object
        return outputs - targets, scale if exactly else to_float(scale)


def _floats(targets: Outputs) -> np.ndarray:
    return targets.floats() if isinstance(targets, RationalMatrix) else np.asarray(targets)


def paired(outputs: Outputs, targets: Outputs) -> Outputs:
    """The targets as the partner of these outputs: nothing is broadcast, exact stays exact.

    Raises `ShapeError` unless both have one shape, and `DtypeError` if one is exact and the other
    is a tensor. Arrays of outputs take either: exact targets for arrays of objects.
    """
    if isinstance(outputs, np.ndarray):
        if outputs.dtype not in (object, np.float64, np.complex128):
            raise DtypeError(f"outputs: got dtype {outputs.dtype}, need float64 or objects")
        exactly = outputs.dtype == object
        targets = objects(exact(targets, "targets")) if exactly else _floats(targets)
    elif isinstance(outputs, RationalMatrix) != isinstance(targets, RationalMatrix):
        raise DtypeError("predictions, targets: one is exact and the other is not; use `exact`")
    if tuple(outputs.shape) != tuple(targets.shape):
        shapes = f"{tuple(outputs.shape)} and {tuple(targets.shape)}"
        raise ShapeError(f"predictions, targets: shapes {shapes}, need equal ones")
    return targets


half_sum_of_squares = SquaredLoss()
mean_squared_error = SquaredLoss(1, mean=True)
