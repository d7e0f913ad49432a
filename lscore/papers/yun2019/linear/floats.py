r"""Critical points of deep linear networks in floats: a classification, never a certificate.

The construction of `linear_directions`, run in float64 with a rank tolerance. An answer other than
"unresolved" says that neither rounding nor the remaining gradient explains what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, to_float
from lscore.errors import DtypeError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.yun2019.linear.directions import Arithmetic, find_directions, make_moves
from lscore.papers.yun2019.linear.setting import CLAIM, LINEAR_SQUARED, layer_gradients, product

_STEPS = (1.0, 0.5, 0.25, 0.1, 0.03, 0.01)
_UNIT = 2.0**-53


@checked
@dataclass(frozen=True, eq=False)
class FloatAnswer:
    """What floats say: `kind` is "global minimum", "saddle" or "unresolved".

    `gap` is the suboptimality among all products, `gradient` the norm of the gradient that is
    left, `rank_tolerance` the one used. For a saddle, `up` and `down` are float points at most
    `step` away in every layer, and `rise` and `fall` the changes of the risk there.
    """

    kind: str
    gap: float
    gradient: float
    rank_tolerance: float
    step: float = 0.0
    rise: float = 0.0
    fall: float = 0.0
    up: np.ndarray | None = None
    down: np.ndarray | None = None


def float_arithmetic(tolerance: float) -> Arithmetic:
    """Null spaces by singular values below tolerance * max(1, largest).

    A null space is given by the columns of its projector, longest first: unlike a basis these do
    not depend on the linear algebra library.
    """

    def null(A: np.ndarray) -> list[np.ndarray]:
        _, sizes, rows = np.linalg.svd(A)
        kernel = rows[int((sizes > tolerance * max(1.0, sizes[0])).sum()) :]
        if not len(kernel):
            return []
        projector = kernel.T @ kernel
        lengths = np.round(np.diag(projector), 6)
        order = np.argsort(-lengths, kind="stable")
        return [projector[:, [k]] for k in order if lengths[k] > 1e-3]

    return Arithmetic(
        null,
        lambda A: float(np.abs(A).sum()),
        np.eye,
        lambda size, k: np.eye(size)[:, [k]],
        tolerance,
    )


@checked
def suboptimality(risk: Risk, w: Point | np.ndarray) -> float:
    r"""How far the risk is above the best product: :math:`\operatorname{tr}(G S^+ G^\top)/(4c)`.

    With :math:`S = X^\top X`, the loss :math:`c\,\|X R^\top - Y\|_F^2` and its gradient G at the
    product; for c = 1/2 this is :math:`\tfrac12 \operatorname{tr}(G S^+ G^\top)`. It needs no
    tolerance on gradients. Exact suboptimality of the point if all hidden widths are at least
    min(d_x, d_y); in a bottleneck an upper bound of it.
    """
    _, R, scale = _matrices(risk, w)
    X, Y = risk.X.numpy(), risk.y.numpy()
    G = 2 * scale * (X @ R.T - Y).T @ X
    return float(np.trace(G @ np.linalg.pinv(X.T @ X, hermitian=True) @ G.T)) / (4 * scale)


def _matrices(risk: Risk, w: Point | np.ndarray) -> tuple[list[np.ndarray], np.ndarray, float]:
    """Float weights, their product and the scale c of the loss."""
    LINEAR_SQUARED.require(risk, CLAIM)
    w = risk.network.point(w)
    if isinstance(w, RationalMatrix):
        raise DtypeError(
            "w: is exact, need a float point; `certify_saddle_or_minimum` decides exact ones"
        )
    weights = [layer.weight.numpy() for layer in risk.network.unpack(w)]
    return weights, product(weights), to_float(risk.loss.scale(len(risk.X)))


@checked
def critical_point_type(
    risk: Risk,
    w: Point | np.ndarray,
    *,
    gap_tolerance: float = 1e-9,
    rank_tolerance: float | None = None,
) -> FloatAnswer:
    r"""Global minimum, saddle or unresolved, for a float point (YUN-C5 read in floats).

    "global minimum": `suboptimality` is at most `gap_tolerance` times the risk of the zero map.
    "saddle": the moves of the proof, with ranks at `rank_tolerance` (default: the square root of
    the gradient's norm over that of G, kept between 1e-8 and 0.1), raise and lower the risk by more
    than :math:`2 \|\nabla\ell\| \epsilon \sqrt{L}` and rounding can explain, for some step in 1,
    0.5, ..., 0.01. Otherwise "unresolved". Squared loss, no biases (`HypothesisError`).

    >>> import torch
    >>> from lscore import Network, identity
    >>> risk = Risk(Network((1, 1, 1), identity, bias=False), [1.0], [1.0])
    >>> critical_point_type(risk, torch.tensor([0.0, 0.0], dtype=torch.float64)).kind
    'saddle'
    >>> critical_point_type(risk, torch.tensor([2.0, 0.5], dtype=torch.float64)).kind
    'global minimum'
    """
    weights, R, scale = _matrices(risk, w)
    X, Y = risk.X.numpy(), risk.y.numpy()
    G = 2 * scale * (X @ R.T - Y).T @ X
    steepness = float(np.sqrt(sum((part**2).sum() for part in layer_gradients(weights, G))))
    gap = suboptimality(risk, w)
    if rank_tolerance is None:
        ratio = steepness / max(float(np.linalg.norm(G)), 1e-300)
        rank_tolerance = float(np.clip(np.sqrt(ratio), 1e-8, 0.1))
    if gap <= gap_tolerance * scale * float((Y**2).sum()):
        return FloatAnswer("global minimum", gap, steepness, rank_tolerance)
    arithmetic = float_arithmetic(rank_tolerance)
    found = find_directions(weights, G, arithmetic) if np.any(G) else None

    def loss(matrices: list) -> float:
        return scale * float(((X @ product(matrices).T - Y) ** 2).sum())

    level = loss(weights)
    for step in _STEPS if found is not None else ():
        moves = make_moves(weights, G, found, step, arithmetic)
        eta = _length(moves, X, G, scale)
        up, down = moves.tuple(eta), moves.tuple(-eta)
        rise, fall = loss(up) - level, level - loss(down)
        if min(rise, fall) > 2 * steepness * step * len(weights) ** 0.5 + 64 * _UNIT * level:
            points = [np.concatenate([W.ravel() for W in tuple_]) for tuple_ in (up, down)]
            return FloatAnswer("saddle", gap, steepness, rank_tolerance, step, rise, fall, *points)
    return FloatAnswer("unresolved", gap, steepness, rank_tolerance)


def _length(moves, X: np.ndarray, G: np.ndarray, scale: float) -> float:
    """How far the pivot layer may move: to the bottom of the parabola of the loss, at most 1."""
    M = product(moves.tuple(1.0)) - product(moves.base)
    curvature = 2 * scale * float(((X @ M.T) ** 2).sum())
    return min(1.0, float((M * G).sum()) / curvature) if curvature else 1.0


@checked
def linear_descent(
    risk: Risk, w: Point | np.ndarray, rate: float, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Plain gradient descent: the risks (iterations + 1,) and the points (iterations + 1, m).

    Works on the product, so an iteration costs a few small matrix products, whatever the number
    of samples. Squared loss, no biases (`HypothesisError`).

    >>> import torch
    >>> from lscore import Network, identity
    >>> risk = Risk(Network((1, 1), identity, bias=False), [1.0], [1.0])
    >>> risks, points = linear_descent(risk, torch.zeros(1, dtype=torch.float64), 0.5, 1)
    >>> risks.tolist(), points.tolist()
    ([0.5, 0.125], [[0.0], [0.5]])
    """
    weights, _, scale = _matrices(risk, w)
    X, Y = risk.X.numpy(), risk.y.numpy()
    gram, cross, size = X.T @ X, Y.T @ X, float((Y**2).sum())
    risks, points = [], []
    for _ in range(iterations + 1):
        R = product(weights)
        risks.append(scale * (float(((R @ gram - 2 * cross) * R).sum()) + size))
        points.append(np.concatenate([weight.ravel() for weight in weights]))
        slopes = layer_gradients(weights, 2 * scale * (R @ gram - cross))
        weights = [weight - rate * slope for weight, slope in zip(weights, slopes, strict=True)]
    return np.array(risks), np.array(points)
