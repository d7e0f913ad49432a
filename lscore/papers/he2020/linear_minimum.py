r"""The minimum of the linear model with cross-entropy, enclosed, and bounded from below by duality.

Two proofs that do not need each other. Krawczyk's test puts the minimum into a box. And any
positive weights q that balance give a lower bound, their entropy: those next to the minimum miss it
by the square of a rounding error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flint import arb, ctx, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.balls import Balls, balls
from lscore.algebra.linear import least_squares, pivot_columns
from lscore.algebra.matrices import RationalMatrix, exact, zeros
from lscore.errors import HypothesisError
from lscore.minima.near import convex_minimum
from lscore.model.entropy import LogisticLoss
from lscore.model.losses import objects
from lscore.model.risk import Risk
from lscore.papers.he2020.entropy import (
    CLAIM,
    SETTING,
    checked_dual,
    class_rows,
    design,
    overlap,
)

_NEWTON = 200  # steps
_COARSE = 16  # bits of the weights that share out a correction


@dataclass(frozen=True, eq=False)
class LinearMinimum:
    r"""The minimum of a linear model: its weights W (K, p) in the `box`, its `risk` in a ball.

    p counts the inputs and the bias, the last row of W is 0, and so are its columns at inputs that
    depend on earlier ones. `weights` are rational numbers next to them. `dual` q (n, K) proves that
    no linear model has a risk below `lower`.
    """

    weights: RationalMatrix
    box: Balls
    risk: arb
    dual: RationalMatrix
    lower: arb


def entropy_bound(risk: Risk, q: RationalMatrix, *, bits: int = 128) -> arb:
    r"""What no linear model is below: the entropies of the rows of q, in a ball; their mean, or
    their sum for the logistic loss. Raises `LscoreError` unless q balances."""
    checked_dual(risk, q)
    with ctx.workprec(bits):
        total = sum((-arb(v) * arb(v).log() for v in q.entries()), arb(0))
        return total if isinstance(risk.loss, LogisticLoss) else total / len(q)


@checked
def linear_minimum(risk: Risk, *, bits: int = 128) -> LinearMinimum:
    r"""Enclose the minimum of the linear model, by Newton's method and Krawczyk's test, and bound
    its risk from below by dual weights, which need neither.

    Raises `HypothesisError` where there is no minimum, with the direction as its witness, or where
    balls show none: it may be too far out.

    >>> from lscore import Network
    >>> from lscore.model.entropy import CrossEntropyLoss
    >>> data = [-3, -1, 1, 3], [0, 1, 0, 1]
    >>> found = linear_minimum(Risk(Network((1, 2), ()), *data, CrossEntropyLoss()))
    >>> found.risk.str(20, radius=False), found.box[0, 0].str(16, radius=False)
    ('0.58687163378033638628', '-0.4540921312800475')
    >>> bool(found.risk - found.lower < 1e-30)
    True
    """
    SETTING.require(risk, CLAIM)
    direction = overlap(risk)[1]
    if direction is not None:
        raise HypothesisError(CLAIM, "overlap", "the classes do not overlap", direction)
    A, labels = design(risk), class_rows(risk)
    columns = pivot_columns(A.numerator)
    W = _newton(A.floats(), labels.floats(), columns)
    shown = W.rows(0, 1) if isinstance(risk.loss, LogisticLoss) else W
    found = convex_minimum(risk.loss, A @ shown.T, risk.exact_y, A, bits)
    if found.box is None:
        raise HypothesisError(CLAIM, "overlap", f"no minimum is enclosed: {found.reason}", None)
    with ctx.workprec(bits):
        box = balls(shown) + found.box
        box = box if len(box) == len(W) else np.concatenate([box, box * 0]).view(Balls)
        middle = exact([[v.mid().fmpq() for v in row] for row in box])
        q = _dual(risk, middle, columns, bits)
        return LinearMinimum(middle, box, found.value, q, entropy_bound(risk, q, bits=bits))


def _newton(A: np.ndarray, Y: np.ndarray, columns: list[int]) -> RationalMatrix:
    """Newton's method in floats, halving steps that do not descend: W (K, p), last row 0."""
    if not columns:
        return zeros(Y.shape[1], A.shape[1])
    scale = abs(A).max(0)[columns]
    D, k = A[:, columns] / scale, Y.shape[1]
    T = np.zeros((k - 1, len(columns)))

    def look(T: np.ndarray) -> tuple[float, np.ndarray]:
        z = np.column_stack([D @ T.T, np.zeros(len(D))])
        top = z.max(1, keepdims=True)
        powers = np.exp(z - top)
        total = powers.sum(1, keepdims=True)
        return ((np.log(total) + top)[:, 0] - (Y * z).sum(1)).sum(), powers / total

    value, p = look(T)
    for _ in range(_NEWTON):
        gradient = ((p - Y)[:, :-1].T @ D).ravel()
        S = p[:, :-1, None] * (np.eye(k - 1) - p[:, None, :-1])
        H = np.einsum("nab,ni,nj->aibj", S, D, D).reshape(gradient.size, -1)
        step = np.linalg.lstsq(H, gradient, rcond=None)[0].reshape(T.shape)
        sizes = (0.5**j for j in range(40))
        tried = ((T - t * step, *look(T - t * step)) for t in sizes)
        better = next((new for new in tried if new[1] < value), None)
        if better is None:
            break
        T, value, p = better
    W = np.array([[fmpq(0)] * A.shape[1]] * k, dtype=object)
    W[:-1, columns] = objects(exact(T.tolist())) / objects(exact([scale.tolist()]))
    return exact(W.tolist())


def _dual(risk: Risk, W: RationalMatrix, columns: list[int], bits: int) -> RationalMatrix:
    r"""The softmax p of W, rounded, and corrected so that it balances exactly: by
    :math:`-S_i u \tilde x_i`, where S is the second derivative, roughly, and u solves :math:`Hu` =
    the imbalance."""
    A, labels = design(risk), class_rows(risk)
    z = np.asarray(balls(A @ W.T))
    p = 1 / np.vectorize(arb.exp, otypes=[object])(z[:, None, :] - z[:, :, None]).sum(2)
    q, s = objects(_on_grid(p, bits)), objects(_on_grid(p, _COARSE))
    if not columns:
        return checked_dual(risk, exact(q.tolist()))
    D = objects(A)[:, columns]
    free, width = q.shape[1] - 1, len(columns)
    lacks = exact(((q - objects(labels))[:, :free].T @ D).ravel().tolist())
    S = s[:, :free, None] * (np.eye(free, dtype=int) - s[:, None, :free])
    blocks = [[(D * S[:, a, b][:, None]).T @ D for b in range(free)] for a in range(free)]
    u = objects(least_squares(exact(np.block(blocks).tolist()), lacks)[0]).reshape(free, width)
    change = np.concatenate([D @ u.T, D[:, :1] * 0], axis=1)
    return checked_dual(risk, exact((q - s * (change - (s * change).sum(1)[:, None])).tolist()))


def _on_grid(p: np.ndarray, bits: int) -> RationalMatrix:
    """Positive probabilities as multiples of one power of 2, with rows of sum exactly 1."""
    lowest = min(v.lower().man_exp()[0].bit_length() + int(v.lower().man_exp()[1]) for v in p.flat)
    level = bits - lowest
    whole = [[int((v.mid() * arb(2) ** level).floor().mid().fmpq().p) for v in row] for row in p]
    for row in whole:
        row[row.index(max(row))] += 2**level - sum(row)
    return exact(whole) / fmpq(2) ** level
