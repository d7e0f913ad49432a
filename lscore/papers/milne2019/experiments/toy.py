r"""The toy regression from its cell moments: a thousand trials in a few hundredths of a second.

One input, one hidden layer of ReLUs, no biases, one output: a unit with w > 0 reads only positive
inputs, one with w < 0 only negative ones. On either side the network is :math:`x \mapsto c_\pm x`
with :math:`c_\pm = \sum_{\pm w_j > 0} v_j w_j`, and the loss needs of the data only

.. math:: S_\pm = \tfrac1n \sum_{\pm x_i > 0} x_i^2, \quad
          B_\pm = \tfrac1n \sum_{\pm x_i > 0} x_i y_i, \quad Q = \tfrac1n \sum_i y_i^2 .

So a step costs O(1) instead of O(n). Index 0 is the positive side, 1 the negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lscore.curvature.shares import loss_change_fraction
from lscore.errors import DataError, DtypeError, ShapeError
from lscore.runs.ensembles import check_steps


@dataclass(frozen=True)
class Sides:
    """The moments of one data set, or of one per trial.

    `square` S and `product` B are (2,) or (2, trials), `target` Q is a number or (trials,);
    `radius` is r = max \\|x\\|.
    """

    square: np.ndarray
    product: np.ndarray
    target: np.ndarray
    radius: np.ndarray


def sides(x: np.ndarray, y: np.ndarray) -> Sides:
    """Moments of inputs and labels, both (n,), or (trials, n) for one data set per trial.

    Raises `ShapeError`, `DtypeError` for what is not real, `DataError` for NaN, infinity, overflow.

    >>> found = sides(np.array([2.0, -1.0]), np.array([1.0, 3.0]))
    >>> found.square.tolist(), found.product.tolist(), float(found.target)
    ([2.0, 0.5], [1.0, -1.5], 5.0)
    """
    x, y = _floats(x, "x"), _floats(y, "y")
    if x.shape != y.shape or x.ndim not in (1, 2) or not x.size:
        raise ShapeError(f"x, y: shapes {x.shape} and {y.shape}, need equal (n,) or (trials, n)")
    masks = (x > 0, x < 0)
    with np.errstate(over="ignore", invalid="ignore"):
        square = np.stack([(x * x * on).mean(-1) for on in masks])
        product = np.stack([(x * y * on).mean(-1) for on in masks])
        target = (y * y).mean(-1)
    if not all(np.isfinite(moment).all() for moment in (square, product, target)):
        raise DataError("x, y: their products are beyond the range of float64, scale them down")
    return Sides(square, product, target, abs(x).max(-1))


def _floats(values: np.ndarray, name: str) -> np.ndarray:
    """Real and finite numbers as a float64 array, none of them changed by that."""
    try:
        given = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DtypeError(f"{name}: {error}, need an array of real numbers") from error
    if given.dtype.kind not in "iuf" or isinstance(values, np.ma.MaskedArray):
        kind = "masked" if isinstance(values, np.ma.MaskedArray) else given.dtype
        raise DtypeError(f"{name}: dtype {kind}, need real numbers")
    floats = given.astype(float)
    if not np.isfinite(floats).all():
        raise DataError(f"{name}: has NaN or infinite entries, need finite numbers")
    with np.errstate(invalid="ignore"):
        back = floats.astype(given.dtype)
    if (back != given).any():
        raise DtypeError(f"{name}: dtype {given.dtype} has entries that float64 has not")
    return floats


@dataclass(frozen=True)
class Runs:
    """Every step of every trial, trained on `factor` * mean squared error with weight decay.

    `states` is (steps + 1, 2, units, trials): w in states[:, 0] and v in states[:, 1].
    """

    sides: Sides
    states: np.ndarray
    weight_decay: float
    factor: float = 0.5
    output_relu: bool = False

    def points(self, step: int = -1) -> np.ndarray:
        """The points after a step, by default the last: (trials, 2 units), first all w."""
        return self.states[step].reshape(-1, self.states.shape[-1]).T.copy()

    def slopes(self) -> np.ndarray:
        r""":math:`c_\pm`, (steps + 1, 2, trials); 0 on the dead side of an output ReLU."""
        w, v = self.states[:, 0], self.states[:, 1]
        c = np.stack([(w * v * on).sum(axis=1) for on in (w > 0, w < 0)], axis=1)
        if self.output_relu:
            c[:, 0], c[:, 1] = np.maximum(c[:, 0], 0), np.minimum(c[:, 1], 0)
        return c

    def loss(self, factor: float = 0.5) -> np.ndarray:
        """factor * mean squared error without weight decay, (steps + 1, trials)."""
        S, B, c = self.sides.square, self.sides.product, self.slopes()
        S, B = (m[:, None] if m.ndim == 1 else m for m in (S, B))
        return factor * ((S * c - 2 * B) * c).sum(axis=1) + factor * self.sides.target

    def squared_norm(self) -> np.ndarray:
        """Squared norm of all weights, (steps + 1, trials)."""
        return (self.states**2).sum(axis=(1, 2))

    def risk(self, factor: float = 0.5) -> np.ndarray:
        """Loss with weight decay, (steps + 1, trials)."""
        return self.loss(factor) + self.weight_decay / 2 * self.squared_norm()

    def pulls(self) -> np.ndarray:
        r""":math:`B_\pm - S_\pm c_\pm`, the mean of residual times input on either side.

        This is q_j of every unit on that side: (steps + 1, 2, trials). For half the mean squared
        error and no output ReLU.
        """
        S, B = (m[:, None] if m.ndim == 1 else m for m in (self.sides.square, self.sides.product))
        return B - S * self.slopes()

    def occupied(self) -> np.ndarray:
        """Number of units on either side, (steps + 1, 2, trials)."""
        w = self.states[:, 0]
        return np.stack([(w > 0).sum(axis=1), (w < 0).sum(axis=1)], axis=1)

    def smallest_curvature(self) -> np.ndarray:
        r"""Smallest eigenvalue of the Hessian of half the mean squared error, (steps + 1, trials).

        Side by side, with u the weights (w, v) of its k units and q its pull, the Hessian is
        :math:`S\,\tilde u \tilde u^\top - q P`, where P swaps w and v and :math:`\tilde u = Pu`.
        Its eigenvalues are
        :math:`\tfrac12 S|u|^2 \pm (q^2 - 2 q S c + \tfrac14 S^2 |u|^4)^{1/2}`, and
        :math:`\pm q` if k > 1. Weight decay adds lambda to each. A unit with w = 0 is off and has
        curvature 0.
        """
        w, v = self.states[:, 0], self.states[:, 1]
        S = self.sides.square[:, None] if self.sides.square.ndim == 1 else self.sides.square
        q, c, units = self.pulls(), self.slopes(), self.occupied()
        size = np.stack([((w * w + v * v) * on).sum(axis=1) for on in (w > 0, w < 0)], axis=1)
        half = S * size / 2
        low = half - np.sqrt(np.maximum(q * q - 2 * q * S * c + half * half, 0))
        low = np.where(units > 1, np.minimum(low, -abs(q)), low)
        low = np.where(units > 0, low, np.inf).min(axis=1)
        return np.where((w == 0).any(axis=1), np.minimum(low, 0), low)

    def squared_bound(
        self, name: str = "K0", factor: float = 0.5, radius: float | None = None
    ) -> np.ndarray:
        r"""Square of a bound for the negative curvature of the loss, (steps + 1, trials).

        K0, K1, K2 and K6 as in `lscore.papers.milne2019.curvature_bounds`; K7 is the negative
        part of `smallest_curvature`. `factor` and `radius` (default: the data's) replace the 1/2
        of the loss and r in K0 and K1.
        """
        r = self.sides.radius if radius is None else radius
        if name in ("K0", "K1"):
            return (8 if name == "K0" else 2) * self.loss(factor) * r**2
        if name == "K2":
            return 2 * self.loss() * self.sides.square.sum(axis=0)
        if name == "K6":
            return (self.pulls() ** 2 * (self.occupied() > 0)).max(axis=1)
        if name == "K7":
            return np.minimum(self.smallest_curvature(), 0) ** 2
        raise DataError(f"name: got {name!r}, need K0, K1, K2, K6 or K7")

    def share_inside(
        self, name: str = "K0", factor: float = 0.5, radius: float | None = None
    ) -> np.ndarray:
        """Percent of the decrease of the risk after the bound first fell below weight decay.

        (trials,); for K0 this is the measurement of Figure 1 of Milne (2019), MILNE-F1. Raises
        `DataError` for trials whose risk does not decrease. See `squared_bound`.
        """
        risk = self.risk(self.factor)
        if not (risk[0] > risk[-1]).all():
            raise DataError(f"risk: {int((~(risk[0] > risk[-1])).sum())} trials do not decrease")
        inside = self.squared_bound(name, factor, radius) < self.weight_decay**2
        entries = [int(row.argmax()) if row.any() else None for row in inside.T]
        shares = [loss_change_fraction(*trial) for trial in zip(risk.T, entries, strict=True)]
        return 100 * np.array(shares)


def default_starts(rng: np.random.Generator, trials: int, units: int = 2) -> np.ndarray:
    r"""Torch's default initial values: w uniform in :math:`\pm 1`, v in :math:`\pm 1/\sqrt{k}`.

    Shape (trials, 2 units), k = `units`; so :math:`|W|^2 \le k + 1`.

    >>> default_starts(np.random.default_rng(0), 3).shape
    (3, 4)
    """
    box = np.repeat([1, units**-0.5], units)
    return rng.uniform(-1, 1, (trials, 2 * units)) * box


def descend_sides(
    data: Sides,
    points: np.ndarray,
    rate: float,
    steps: int,
    weight_decay: float,
    *,
    factor: float = 0.5,
    output_relu: bool = False,
) -> Runs:
    r"""Gradient descent on factor * mean squared error + :math:`\tfrac\lambda2|W|^2`, all trials.

    `points` (trials, 2 units): first all w, then all v, as in `Network((1, units, 1), relu,
    bias=False)`. A unit with w = 0 has no gradient in w, as in ``torch.relu``. The toy regression
    of Milne (2019), section 4, is units = 2, weight_decay = 0.4, rate = 0.1. Raises as `sides` and
    `descend_together`.

    >>> run = descend_sides(sides([1.0], [1.0]), np.array([[1.0, 2.0]]), 0.25, 1, 0.0)
    >>> run.points().tolist(), run.loss().tolist()         # the output falls from 2
    ([[0.5, 1.75]], [[0.5], [0.0078125]])
    """
    points = _floats(points, "points")
    check_steps(rate, steps)
    if points.ndim != 2 or points.shape[1] % 2 or not points.size:
        raise ShapeError(f"points: shape {points.shape}, need (trials, 2 units)")
    if data.square.shape[1:] not in ((), (len(points),)):
        raise ShapeError(f"data, points: {data.square.shape[1]} data sets, {len(points)} points")
    units = points.shape[1] // 2
    states = np.empty((steps + 1, 2, units, len(points)))
    states[0] = points.T.reshape(2, units, -1)
    S, B = (np.broadcast_to(m.T, (len(points), 2)).T for m in (data.square, data.product))
    scale = 2 * factor * rate
    step = (scale * S, scale * B, 1 - rate * weight_decay, output_relu)
    # zeros are rare, and looking for them in every step costs a tenth of the time
    _descend(states, *step, has_zeros=not states[0, 0].all())
    if not states[:, 0].all():
        _descend(states, *step, has_zeros=True)
    return Runs(data, states, weight_decay, factor, output_relu)


def _descend(states, S, B, shrink, output_relu, has_zeros) -> None:
    """Fill states[1:] from states[0]; S and B (2, trials) carry the step size."""
    c = np.empty_like(B)
    for now, after in pairwise(states):
        w = now[0]
        positive = w > 0
        product = w * now[1]
        np.add.reduce(product * positive, 0, out=c[0])
        np.add.reduce(product, 0, out=c[1])
        c[1] -= c[0]
        pull = B - S * c
        if output_relu:
            pull *= [c[0] > 0, c[1] < 0]
        pull = np.where(positive, pull[0], pull[1])
        if has_zeros:
            pull *= w != 0
        np.multiply(now[::-1], pull, out=after)
        after += shrink * now
