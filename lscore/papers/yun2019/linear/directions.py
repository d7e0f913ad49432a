r"""Yun, Sra, Jadbabaie (2019), Theorem 4, part 1: ascent and descent at every bad critical point.

The two cases of the printed proof are one. Let the *pivot* be the largest j in 2..L for which
:math:`W_j \cdots W_2` kills a vector :math:`v_1` that :math:`W_{j-1} \cdots W_2` does not kill
(the paper's Case 1 is j = L). Move :math:`W_1` by :math:`\gamma v_1 v_0^\top` and each layer j
above the pivot by :math:`\gamma v_j v_{j-1}^\top` with left null vectors :math:`v_j` of
:math:`W_j \cdots W_2`. The product stays, and the derivative by the pivot layer becomes a
polynomial :math:`C(\gamma)` whose top coefficient is not zero. Only null vectors are needed, no
singular vectors, so the same lines run in rationals and in floats (`Arithmetic`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import fmpq, fmpz, fmpz_mat

from lscore.algebra.linear import null_space
from lscore.algebra.matrices import RationalMatrix
from lscore.papers.yun2019.linear.setting import product, unit_matrix


@dataclass(frozen=True)
class Arithmetic:
    """What the construction asks of its numbers.

    `null` gives a basis of the null space (columns), `size` the entrywise 1-norm, `identity` and
    `unit` the identity matrix and its columns; sizes up to `threshold` count as zero.
    """

    null: Callable
    size: Callable
    identity: Callable
    unit: Callable
    threshold: float = 0


def one_norm(A: RationalMatrix) -> fmpq:
    """The sum of the moduli of all entries; at least the Frobenius norm.

    >>> from lscore.algebra.matrices import exact
    >>> one_norm(exact([[1, "-1/2"]]))
    3/2
    """
    return fmpq(sum(map(abs, A.numerator.entries()), fmpz(0)), A.denominator)


def _unit(size: int, k: int) -> RationalMatrix:
    return RationalMatrix(fmpz_mat(size, 1, [int(i == k) for i in range(size)]), fmpz(1))


EXACT = Arithmetic(null_space, one_norm, unit_matrix, _unit)


def flip(weights: list) -> list:
    """The transposed chain of layers: W_L', ..., W_1'."""
    return [weight.T for weight in reversed(weights)]


@dataclass(frozen=True, eq=False)
class Directions:
    r"""The moves of the proof, in the transposed chain if `transposed`.

    `pivot` is :math:`j^*`, counted in that chain; `changes` maps a layer (1-based) to the matrix
    that :math:`\gamma` multiplies.
    """

    pivot: int
    changes: dict[int, object]
    transposed: bool

    def layer(self, depth: int) -> int:
        """The pivot layer in the order of the network, which has `depth` layers."""
        return depth + 1 - self.pivot if self.transposed else self.pivot


def _pivot(chain: list, arithmetic: Arithmetic):
    """The pivot, v_1 and the left null vectors {j: v_j}, j = pivot..L-1; None without them."""
    products = {1: arithmetic.identity(chain[0].shape[0])}  # W_j ... W_2
    for j, weight in enumerate(chain[1:], start=2):
        products[j] = weight @ products[j - 1]
    for j in range(len(chain), 1, -1):
        null = [v / arithmetic.size(v) for v in arithmetic.null(products[j])]
        images = [arithmetic.size(products[j - 1] @ v) for v in null]
        if not images or max(images) <= arithmetic.threshold:
            continue
        left = {k: arithmetic.null(products[k].T) for k in range(j, len(chain))}
        if not all(left.values()):
            return None
        left = {k: vectors[0] / arithmetic.size(vectors[0]) for k, vectors in left.items()}
        return j, null[images.index(max(images))], left
    return None


def _largest_entry(G) -> tuple[int, int, int]:
    """Row, column and sign of the first entry of largest modulus."""
    places = [(i, k) for i in range(G.shape[0]) for k in range(G.shape[1])]
    i, k = max(places, key=lambda place: abs(G[place]))
    return i, k, 1 if G[i, k] > 0 else -1


def find_directions(weights: list, G, arithmetic: Arithmetic = EXACT) -> Directions | None:
    r"""The moves of the proof at weights with :math:`G \ne 0`; None where it provides none.

    The chain is read forwards if d_y <= d_x and transposed if not (the paper's A7.2); if that
    gives nothing, the other way. Complete at critical points under the width condition of YUN-T4;
    in a bottleneck it asks for rank :math:`W_L \cdots W_2` below every hidden width, or the same of
    the transposed chain (YUN-B-T4-1).
    """
    wide = G.shape[0] > G.shape[1]
    for transposed in (wide, not wide):
        chain, gradient = (flip(weights), G.T) if transposed else (weights, G)
        found = _pivot(chain, arithmetic)
        if found is None:
            continue
        pivot, v1, vectors = found
        i, k, sign = _largest_entry(gradient)
        changes = {1: v1 @ arithmetic.unit(gradient.shape[1], k).T}
        vectors[len(chain)] = arithmetic.unit(gradient.shape[0], i) * sign
        for j in range(pivot + 1, len(chain) + 1):
            changes[j] = vectors[j] @ vectors[j - 1].T
        return Directions(pivot, changes, transposed)
    return None


def pivot_derivative(weights: list, G, found: Directions) -> list:
    r"""The coefficients of :math:`C(\gamma)`, the derivative by the pivot layer, lowest first.

    :math:`C = V_{L:p+1}^\top G\, V_1^\top W_{p-1:2}^\top` with the pivot p and
    :math:`V_j = W_j + \gamma \Delta_j`, in the chain of `found`. At a critical point the first
    coefficient is zero.
    """
    chain, gradient = (flip(weights), G.T) if found.transposed else (weights, G)
    terms = [gradient]
    for j in range(len(chain), found.pivot, -1):
        terms = _times(terms, chain[j - 1], found.changes[j], lambda t, A: A.T @ t)
    terms = _times(terms, chain[0], found.changes[1], lambda t, A: t @ A.T)
    middle = chain[1 : found.pivot - 1]
    return [term @ product(middle).T for term in terms] if middle else terms


def _times(terms: list, A, B, multiply: Callable) -> list:
    """The matrix polynomial `terms` times (A + gamma B)."""
    low, high = [multiply(t, A) for t in terms], [multiply(t, B) for t in terms]
    return [low[0], *(a + b for a, b in zip(low[1:], high[:-1], strict=True)), high[-1]]


@dataclass(frozen=True, eq=False)
class Moves:
    """The tuples of the proof at one step: `base` has the product of the weights, and the pivot
    layer may move by +change (ascent) and -change (descent)."""

    base: list
    change: object
    layer: int

    def tuple(self, eta) -> list:
        """The base tuple with the pivot layer moved by eta times the change."""
        moved = list(self.base)
        moved[self.layer - 1] = moved[self.layer - 1] + self.change * eta
        return moved


def make_moves(weights: list, G, found: Directions, epsilon, arithmetic: Arithmetic = EXACT):
    r"""Base tuple and pivot change for a step :math:`\epsilon`; no layer moves further.

    :math:`\gamma` starts at :math:`\epsilon` and is halved while :math:`C(\gamma) = 0`, which ends
    because C is a non-zero polynomial; :math:`\Delta_{j^*} = \epsilon C / \|C\|_1`.
    """
    terms, gamma = pivot_derivative(weights, G, found), epsilon
    C = _at(terms, gamma)
    while not arithmetic.size(C):
        gamma = gamma / 2
        C = _at(terms, gamma)
    chain = flip(weights) if found.transposed else list(weights)
    for j, change in found.changes.items():
        chain[j - 1] = chain[j - 1] + change * gamma
    change = C * (epsilon / arithmetic.size(C))
    if found.transposed:
        return Moves(flip(chain), change.T, found.layer(len(chain)))
    return Moves(chain, change, found.pivot)


def _at(terms: list, gamma):
    """The value of a matrix polynomial (Horner)."""
    value = terms[-1]
    for term in reversed(terms[:-1]):
        value = value * gamma + term
    return value


def order_of(terms: list) -> int:
    r"""The power of the step at which the moved loss differs: one more than that of C.

    >>> order_of([unit_matrix(1) * 0, unit_matrix(1) * 0, unit_matrix(1)])
    3
    """
    return 1 + next(k for k, term in enumerate(terms) if not term.is_zero())
