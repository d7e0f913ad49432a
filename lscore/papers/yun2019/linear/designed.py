r"""Deep linear networks with critical points that are rational by design.

Critical points of real problems have irrational singular vectors. Two kinds do not: points with two
zero layers, for any data; and partial singular value decompositions without normalisation, for
which the data are made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from flint import fmpq, fmpz_mat

from lscore.algebra.arguments import checked
from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import RationalMatrix, checked_size, exact
from lscore.errors import DataError, ShapeError
from lscore.model.activations import identity
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.papers.yun2019.linear.floats import critical_point_type
from lscore.papers.yun2019.linear.setting import CLAIM, LINEAR, unit_matrix


@checked
def zero_layers(network: Network, w: Point, first: int, second: int) -> Point:
    r"""The point w with two weight matrices set to zero (layers count from 1): always critical.

    Every derivative :math:`\partial\ell/\partial W_j` keeps one zero factor, so it vanishes for
    any data and any differentiable loss of the product, in floats as well as exactly. `ShapeError`
    if the layers are not two different ones, `HypothesisError` if the network has biases or is not
    linear.

    >>> net = Network((1, 1, 1, 1), identity, bias=False)
    >>> zero_layers(net, exact([5, 6, 7]), 1, 3)
    column(0, 6, 0)
    """
    LINEAR.require(network, CLAIM)
    depth = len(network.widths) - 1
    if first == second or not {first, second} <= set(range(1, depth + 1)):
        raise ShapeError(f"first, second: got {first}, {second}, need two of layers 1 to {depth}")
    weights = [layer.weight for layer in network.unpack(network.point(w))]
    return network.pack([W * int(j not in (first, second)) for j, W in enumerate(weights, start=1)])


@checked
@dataclass(frozen=True, eq=False)
class Designed:
    """A designed critical point: its risk, the point, how many components it keeps, and which
    blocks of spare units are zero."""

    risk: Risk
    point: RationalMatrix
    kept: int
    zero_blocks: tuple[int, int]


def _orthogonal(rows: Sequence[RationalMatrix], metric: RationalMatrix) -> list[RationalMatrix]:
    """Gram-Schmidt without normalisation: columns with a' metric b = 0, exactly."""
    done: list[RationalMatrix] = []
    for v in rows:
        for u in done:
            v = v - u * ((u.T @ metric @ v)[0, 0] / (u.T @ metric @ u)[0, 0])
        done.append(v)
    return done


def _unimodular(rng: np.random.Generator, size: int) -> tuple[RationalMatrix, RationalMatrix]:
    """An integer matrix with determinant 1, and its inverse, which is integer too."""
    lower = np.tril(rng.integers(-1, 2, (size, size)), -1) + np.eye(size, dtype=int)
    upper = np.triu(rng.integers(-1, 2, (size, size)), 1) + np.eye(size, dtype=int)
    U = exact((lower @ upper).tolist())
    inverse = fmpz_mat(U.numerator).inv(integer=True)
    return U, RationalMatrix(inverse, U.denominator)


@checked
def partial_decomposition(
    widths: Sequence[int], kept: int, zero_blocks: tuple[int, int], *, seed: int = 0
) -> Designed:
    r"""A critical point that keeps some components of the best map and misses the others.

    Integer data X; rational :math:`p_i` (orthogonal) and :math:`q_i` with
    :math:`q_i^\top X^\top X q_j = 0`, not normalised; labels :math:`Y = X R_*^\top + N` with
    :math:`R_* = \sum_i s_i p_i q_i^\top` and :math:`X^\top N = 0`. The layers carry
    :math:`s_i q_i^\top, 1, \dots, 1, p_i` for i <= `kept`, and arbitrary integers in the blocks of
    spare units, except that the blocks of the two layers `zero_blocks` are zero: with one zero
    block the point is not critical in general. Unimodular integer changes of the hidden
    coordinates hide the blocks. `DataError` if a layer is narrower than `kept`.

    >>> made = partial_decomposition((2, 3, 2), 1, (1, 2))
    >>> made.risk.gradient(made.point).is_zero(), made.risk.network.widths
    (True, (2, 3, 2))
    """
    d = Network(widths, identity, bias=False).widths
    checked_size(max(d) ** 2, "widths: entries of a layer")
    components = min(d[0], d[-1])
    if not 0 <= kept <= min(*d[1:-1], components):
        raise DataError(f"kept: got {kept}, need at most {min(*d[1:-1], components)}")
    rng = np.random.default_rng([seed, kept, *zero_blocks, *d])
    X, q, p, Y = _data(rng, d[0], d[-1], components)
    blocks = [
        _block(rng, d[j], d[j - 1], kept, j in zero_blocks, j == 1, j == len(d) - 1)
        for j in range(1, len(d))
    ]
    first = [[*v.entries()] for v in q[:kept]]
    blocks[0] = first + blocks[0][kept:]
    for i in range(d[-1]):
        blocks[-1][i][:kept] = [v[i, 0] for v in p[:kept]]
    weights = [exact(block) for block in blocks]
    for j in range(len(weights) - 1):
        U, inverse = _unimodular(rng, d[j + 1])
        weights[j], weights[j + 1] = U @ weights[j], weights[j + 1] @ inverse
    network = Network(d, identity, bias=False)
    return Designed(Risk(network, X, Y), network.pack(weights), kept, tuple(zero_blocks))


def _data(rng: np.random.Generator, dx: int, dy: int, components: int):
    """X, the scaled q_i, the p_i and Y; drawn again until X has full column rank."""
    n = dx + 2
    X = exact(rng.integers(-2, 3, (n, dx)).tolist())
    while (X.T @ X).numerator.rank() < dx:
        X = exact(rng.integers(-2, 3, (n, dx)).tolist())
    columns, rows = ([unit_matrix(size).column(j) for j in range(size)] for size in (dx, dy))
    for basis in (columns, rows):
        for j in range(1, len(basis)):
            basis[j] = basis[j] + basis[j - 1] * int(rng.integers(-1, 2))
    q = _orthogonal(columns[:components], X.T @ X)
    p = _orthogonal(rows[:components], unit_matrix(dy))
    q = [v * fmpq(int(rng.integers(1, 4))) for v in q]
    noise = exact(rng.integers(-1, 2, (n, dy)).tolist())
    noise = noise - X @ least_squares(X, noise)[0]
    best = p[0] @ q[0].T
    for a, b in zip(p[1:], q[1:], strict=True):
        best = best + a @ b.T
    return X, q, p, X @ best.T + noise


def _block(rng, out: int, inner: int, kept: int, zero: bool, first: bool, last: bool) -> list:
    """One layer as rows: the identity on the kept units, integers or zeros on the spare ones."""
    top, left = (0 if last else kept), (0 if first else kept)
    rows = [[fmpq(0)] * inner for _ in range(out)]
    for i in range(kept):
        if not first and not last:
            rows[i][i] = fmpq(1)
    for i in range(top, out):
        for k in range(left, inner):
            rows[i][k] = fmpq(0 if zero else int(rng.integers(-1, 2)))
    return rows


@checked
def designed_saddles(family: Sequence[Sequence[int]] = (), seed: int = 0) -> Iterator[Designed]:
    """All partial decompositions of the given widths that miss a component: every number of kept
    components, every pair of zero blocks. Default: thirteen width vectors of depth 2 to 5."""
    for widths in family if len(family) else WIDTHS:
        widths = Network(widths, identity, bias=False).widths
        smallest = min(widths[0], widths[-1])
        for kept in range(smallest):
            for pair in combinations(range(1, len(widths)), 2):
                yield partial_decomposition(widths, kept, pair, seed=seed)


@checked
def designed_minima(seed: int = 0) -> Iterator[Designed]:
    """Partial decompositions of the same widths that keep every component: global minima."""
    for widths in WIDTHS:
        yield partial_decomposition(widths, min(widths[0], widths[-1]), (1, 2), seed=seed)


@checked
def count_answers(points: Sequence[Designed], noise: float, *, seed: int = 0) -> Counter:
    """How `critical_point_type` names designed points once normal noise is on every weight."""
    rng, kinds = np.random.default_rng(seed), Counter()
    for made in points:
        w = made.point.floats()[:, 0]
        w = w + noise * rng.normal(size=w.shape)
        kinds[critical_point_type(made.risk, w).kind] += 1
    return kinds


WIDTHS = (
    (2, 2, 2),
    (3, 3, 2),
    (2, 4, 3),
    (2, 2, 2, 2),
    (3, 2, 4, 2),
    (2, 3, 3, 3),
    (2, 2, 3, 2, 1),
    (2, 3, 2, 2, 3),
    (3, 2, 2, 3, 2, 2),
    (1, 2, 1, 2, 2, 2),
    (3, 3, 3),
    (3, 4, 3, 3),
    (2, 3, 2, 3, 2),
)
