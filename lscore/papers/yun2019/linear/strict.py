r"""Which saddles of a deep linear network are strict? (YUN-B-T4-2)

Two layers j < k see each other through :math:`M = W_{k-1} \cdots W_{j+1}` and
:math:`C = (W_L \cdots W_{k+1})^\top G\, (W_{j-1} \cdots W_1)^\top`: moving both changes the loss by
:math:`\langle \Delta_k M \Delta_j, C\rangle` at second order, besides the curvature of the loss of
the product along their first-order change.
"""

from __future__ import annotations

from collections.abc import Iterator

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.definite import inertia, negative_vector
from lscore.algebra.linear import null_space
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.hessians import cell_hessian
from lscore.cells.pattern import cell_at
from lscore.certificates import Certificate, Condition, Question
from lscore.minima.descent import certify_along
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.yun2019.linear.directions import flip
from lscore.papers.yun2019.linear.setting import (
    CLAIM,
    LINEAR_SQUARED,
    layer_gradients,
    product,
    product_gradient,
    product_loss,
    weights_of,
)

_STRICT = Question(
    "YUN-B-T4-2", "the point is a strict saddle: a critical point with negative curvature"
)


def coupled_layers(weights: list, G) -> Iterator[tuple[int, int, RationalMatrix, RationalMatrix]]:
    """The pairs of layers j < k (from 1) for which both M and C are not zero: (j, k, M, C)."""
    depth = len(weights)
    for j in range(1, depth):
        for k in range(j + 1, depth + 1):
            M = product(weights[j : k - 1], weights[j - 1].shape[0])
            left = product(weights[k:], weights[k - 1].shape[0])
            right = product(weights[: j - 1], weights[0].shape[1])
            C = left.T @ G @ right.T
            if not M.is_zero() and not C.is_zero():
                yield j, k, M, C


@checked
def negative_curvature(risk: Risk, w: Point) -> RationalMatrix | None:
    r"""A direction u with :math:`\tfrac12 u^\top H u = -1` at a critical point; None if not found.

    Needs a coupled pair and a vector x with :math:`W_L \cdots W_{j+1} x = 0`, :math:`M x \ne 0` (or
    the same in the transposed chain). Layer j moves by a multiple of :math:`x e_c^\top`, which does
    not move the product at first order, layer k by :math:`e_r (Mx)^\top`, where C[r, c] is not 0.
    """
    LINEAR_SQUARED.require(risk, CLAIM)
    weights = weights_of(risk, w)
    R = product(weights)
    G = product_gradient(risk, R)
    for transposed in (False, True):
        chain, gradient = (flip(weights), G.T) if transposed else (weights, G)
        for j, k, M, C in coupled_layers(chain, gradient):
            killed = null_space(product(chain[j:]))
            seen = next((x for x in killed if not (M @ x).is_zero()), None)
            if seen is None:
                continue
            moves = _bend(chain, j, k, M @ seen, seen, C)
            first = product(chain[k:], chain[-1].shape[0]) @ moves[k - 1] @ product(chain[: k - 1])
            first = first.T if transposed else first
            rise = product_loss(risk, R + first) - product_loss(risk, R)
            moves[j - 1] = moves[j - 1] * (rise + 1)
            return risk.network.pack(flip(moves) if transposed else moves)
    return None


def _bend(chain: list, j: int, k: int, image: RationalMatrix, x: RationalMatrix, C) -> list:
    """Moves of layers j and k whose coupled second-order change of the loss is -1."""
    rows, columns = C.shape
    r, c = next((r, c) for r in range(rows) for c in range(columns) if C[r, c] != 0)
    moves = [weight * 0 for weight in chain]
    weight = -1 / (C[r, c] * image.dot(image))
    moves[j - 1] = x @ exact([[weight if i == c else fmpq(0) for i in range(columns)]])
    moves[k - 1] = exact([[fmpq(int(i == r))] for i in range(rows)]) @ image.T
    return moves


def _downward(risk: Risk, w: RationalMatrix) -> RationalMatrix | None:
    """The direction of two layers, else one along which the exact Hessian is negative."""
    direction = negative_curvature(risk, w)
    if direction is not None:
        return direction
    hessian = cell_hessian(cell_at(risk, w), w)
    return negative_vector(hessian) if inertia(hessian)[0] else None


@_STRICT.checker
def certify_strict_saddle(risk: Risk, w: Point) -> Certificate:
    r"""Has this critical point negative curvature? (YUN-B-T4-2)

    Certified: the risk falls at order 2 along an explicit direction, of two layers
    (`negative_curvature`) or else from the exact Hessian; `certify_along` says so
    independently. Refuted: w is not critical, or no two layers are coupled, or the exact Hessian is
    positive semidefinite. Sound and complete. Squared loss, no biases; otherwise unknown.

    >>> from lscore import Network, identity
    >>> certify_strict_saddle(Risk(Network((1, 1, 1), identity, bias=False), [1], [1]),
    ...                       exact([0, 0])).verdict.value
    'certified'
    >>> certify_strict_saddle(Risk(Network((1, 1, 1, 1), identity, bias=False), [1], [1]),
    ...                       exact([0, 0, 0])).verdict.value
    'refuted'
    """
    LINEAR_SQUARED.require(risk, CLAIM)
    w = exact(risk.network.point(w), "w")
    weights = weights_of(risk, w)
    G = product_gradient(risk, product(weights))
    gradients = layer_gradients(weights, G)
    critical = Condition(
        "every layer gradient is exactly zero", all(part.is_zero() for part in gradients)
    )
    if not critical.holds:
        return _STRICT.refuted([critical], {"gradient": risk.network.pack(gradients)})
    flat = Condition("the Hessian has a negative direction", False)
    if not any(True for _ in coupled_layers(weights, G)):
        witness = {"coupled_pairs_of_layers": "none, so the Hessian is positive semidefinite"}
        return _STRICT.refuted([critical, flat], witness)
    direction = _downward(risk, w)
    if direction is None:
        witness = {"exact_Hessian": "positive semidefinite, by its characteristic polynomial"}
        return _STRICT.refuted([critical, flat], witness)
    answer = certify_along(risk, w, direction)
    falls = answer.witness.get("order") == 2
    return _STRICT.certified(
        [critical, Condition("the risk falls at order 2 along the direction", falls)],
        witness={"direction": direction},
        values={"quadratic_coefficient": answer.witness.get("coefficient")},
    )
