r"""One point in every cell of a central arrangement, from one solve per cell.

Take one hyperplane's positive side (the other side is its mirror image) and a generic flag of
linear functionals :math:`g_0, g_1, \dots`, where :math:`g_0` is that hyperplane's normal. Every
cell has exactly one lowest vertex with respect to the flag: k other hyperplanes meet there, in the
slice where the first functionals vanish, and the flag singles out one of the :math:`2^k` cones at
it. So the k-subsets, k = r - 1, ..., 0, list the :math:`\sum_{k<r} \binom{n-1}{k}` cells of an
arrangement in general position of rank r without repetition. Floats propose; where their signs are
not settled, or two subsets claim one cell, the same construction runs in integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, combinations, islice
from math import comb, frexp, ldexp
from operator import add, mul, sub

import numpy as np
from flint import fmpz, fmpz_mat
from tqdm import tqdm

from lscore.algebra.matrices import exact
from lscore.cells.arrangement.hyperplanes import Normal, primitive
from lscore.cells.arrangement.signs import SignedRows
from lscore.errors import LscoreError

Cone = tuple[int, list[fmpz], list[fmpz]]


class DegenerateError(LscoreError, ValueError):
    """A vertex of the arrangement lies on a further hyperplane."""


def fingerprints(packed: np.ndarray) -> np.ndarray:
    """A 64-bit number per row of bits (N, bytes): equal rows have equal numbers."""
    packed = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    mixed = np.zeros(len(packed), dtype=np.uint64)
    for word in np.ascontiguousarray(packed).view(np.uint64).T:
        mixed ^= word
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            mixed ^= mixed >> np.uint64(33)
            mixed *= np.uint64(factor)
        mixed ^= mixed >> np.uint64(33)
    return mixed


def subset_blocks(n: int, k: int, entries: int) -> Iterator[np.ndarray]:
    """All k-subsets of 1..n-1 as arrays (B, k) with B n about `entries`."""
    size = max(64, entries // n)
    if k == 0:
        yield np.zeros((1, 0), dtype=np.int64)
        return
    every = chain.from_iterable(combinations(range(1, n), k))
    while len(block := np.fromiter(islice(every, size * k), dtype=np.int64)):
        yield block.reshape(-1, k)


class OnePass:
    """The construction for `arrangement` in general position inside its independent `columns`."""

    def __init__(self, arrangement: SignedRows, columns: list[int], seed: int = 0):
        self.arrangement, self.columns = arrangement, columns
        self.floats = arrangement.floats[:, columns]
        self.rank = len(columns)
        rng = np.random.default_rng(seed)
        # orthonormal columns: W = R^-1 z turns rows of A into rows of Q, which are well scaled
        self.rows, R = np.linalg.qr(self.floats)
        if (np.diag(R) == 0).any():  # of full rank in integers, not in floats
            self.rows, R = self.floats, np.eye(self.rank)
        self.back = np.linalg.inv(R).T
        generic = rng.standard_normal((self.rank - 1, self.rank))
        self.functionals = generic @ R
        self.flag = np.vstack([self.rows[:1], generic])

    def propose(self, subsets: np.ndarray) -> np.ndarray:
        """A float point (B, r), in scaled coordinates, in the cell of each subset (B, k)."""
        count, k = subsets.shape
        level = self.rank - 1 - k
        system = np.empty((count, self.rank, self.rank))
        system[:, : level + 1] = self.flag[: level + 1]
        system[:, level + 1 :] = self.rows[subsets]
        inverse = _inverses(system)
        vertex = inverse[:, :, level]
        edges = inverse[:, :, level + 1 :]
        inward = np.zeros((count, self.rank))
        if k:
            sides = -np.sign(self.flag[level + 1] @ edges)
            inward = (edges @ sides[:, :, None])[:, :, 0]
        if level:
            inward = inward + inverse[:, :, 0]
        at_vertex = self.rows @ vertex.T
        at_vertex[subsets.T, np.arange(count)] = np.inf
        if level:
            at_vertex[0] = np.inf
        steepest = abs((self.rows @ inward.T) / at_vertex).max(axis=0)
        points = vertex + (0.5 / np.maximum(steepest, 0.5))[:, None] * inward
        points = points @ self.back
        _, exponent = np.frexp(abs(points).max(axis=1))
        return np.ldexp(points, -exponent[:, None])

    def solve(self, subsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[Cone]]:
        """The cell of each subset (B, k) in integers.

        Returns where the rows are positive (B, n), float points in scaled coordinates (B, r) that
        lie in the cells unless these are too thin, and cones with points that do. Raises
        `DegenerateError` if a vertex does not exist, lies on a further hyperplane, or has an edge
        along which the flag is constant.
        """
        level = self.rank - 1 - subsets.shape[1]
        vertices, inwards, sides = zip(*map(self._cone, subsets.tolist()), strict=True)
        vertex, vertex_exponent = _floats(vertices)
        inward, inward_exponent = _floats(inwards)
        bounds = self.arrangement.bounds[:, None]
        base, slope = self.floats @ vertex.T, abs(self.floats @ inward.T) + bounds
        meets = np.zeros(base.shape, dtype=bool)
        meets[subsets.T, np.arange(len(subsets))] = True
        meets[0] |= level > 0
        near = (abs(base) <= 8 * bounds) & ~meets
        positive = base.T > 0
        base[near | meets] = np.inf
        steepest = (slope / abs(base)).max(axis=0)
        shifts = (inward_exponent - vertex_exponent).tolist()
        factors = [1 + _whole(2 * s, e) for s, e in zip(steepest.tolist(), shifts, strict=True)]
        rows, _ = self.integer_system
        for j, i in np.argwhere(near).tolist():
            value = sum(map(mul, rows[j], vertices[i]))
            if value == 0:
                raise DegenerateError(f"hyperplane {j} meets the vertex of {subsets[i].tolist()}")
            positive[i, j] = value > 0
            rise = sum(map(mul, rows[j], inwards[i]))
            factors[i] = max(factors[i], 1 + int(abs(rise) // abs(value)))
        positive[np.arange(len(subsets))[:, None], subsets] = np.array(sides).reshape(subsets.shape)
        positive[:, 0] |= level > 0
        steps = [(1 << max(e, 0)) / (f << max(-e, 0)) for f, e in zip(factors, shifts, strict=True)]
        points = vertex + np.array(steps)[:, None] * inward
        points /= abs(points).max(axis=1, keepdims=True)
        return positive, points, list(zip(factors, vertices, inwards, strict=True))

    def _cone(self, subset: list[int]) -> tuple[list[fmpz], list[fmpz], list[bool]]:
        """Vertex and inward direction of one cell, and its sides of the hyperplanes that meet."""
        level = self.rank - 1 - len(subset)
        _, flag = self.integer_system
        columns = self.inverse(subset)
        inward = columns[0] if level else [fmpz(0)] * self.rank
        sides = []
        for edge in columns[level + 1 :]:
            slope = sum(map(mul, flag[level + 1], edge))
            if slope == 0:
                raise DegenerateError("the flag is constant along an edge")
            sides.append(slope < 0)
            inward = list(map(add if slope < 0 else sub, inward, edge))
        return columns[level], inward, sides

    def inverse(self, subset: list[int]) -> list[list[fmpz]]:
        """The columns of a positive multiple of the inverse of [flag; rows of the subset].

        Raises `DegenerateError` if there is no inverse.
        """
        rows, flag = self.integer_system
        r = self.rank
        system = [*flag[: r - len(subset)], *(rows[i] for i in subset)]
        # the reduced echelon form of [M, I] is d [I, M^-1], without a fraction
        system = chain.from_iterable(map(add, system, self._identity))
        reduced, d, _ = fmpz_mat(r, 2 * r, list(system)).rref()
        columns = (reduced if d > 0 else -reduced).transpose().tolist()
        if columns[r - 1][r - 1] == 0:
            raise DegenerateError(f"hyperplanes {subset} are not independent")
        return columns[r:]

    def inside(self, cone: Cone) -> Normal:
        """An integer point in the cell of a cone, in the original coordinates."""
        factor, vertex, inward = cone
        full = [0] * len(self.arrangement.rows[0])
        for j, v, u, shift in zip(self.columns, vertex, inward, self._shifts, strict=True):
            full[j] = int(factor * v + u) << shift
        return primitive(full)

    @cached_property
    def _identity(self) -> list[list[int]]:
        return [[int(i == j) for j in range(self.rank)] for i in range(self.rank)]

    @cached_property
    def _shifts(self) -> list[int]:
        exponents = self.arrangement.exponents[1][self.columns]
        return (exponents - exponents.min()).tolist()

    @cached_property
    def integer_rows(self) -> fmpz_mat:
        """The rows (n, r) in scaled coordinates, as integers."""
        return fmpz_mat(
            [
                [row[c] << s for c, s in zip(self.columns, self._shifts, strict=True)]
                for row in self.arrangement.rows
            ]
        )

    @cached_property
    def integer_system(self) -> tuple[list, list]:
        """The rows and the functionals of the flag as lists of integers."""
        rows = self.integer_rows.tolist()
        generic = exact(self.functionals).numerator.tolist() if self.rank > 1 else []
        return rows, [rows[0], *generic]


def _inverses(systems: np.ndarray) -> np.ndarray:
    """Inverses of a stack of square matrices; NaN where a matrix is singular."""
    try:
        return np.linalg.inv(systems)
    except np.linalg.LinAlgError:
        singular = np.linalg.det(systems) == 0
        systems[singular] = np.eye(systems.shape[1])
        inverse = np.linalg.inv(systems)
        inverse[singular] = np.nan
        return inverse


def half_of_the_cells(
    arrangement: SignedRows, columns: list[int], progress: bool = True
) -> tuple[np.ndarray, np.ndarray, dict[int, Normal]]:
    """The cells on the positive side of row 0, for distinct hyperplanes in general position.

    `columns` are independent ones, as many as the rank. Returns where the rows are positive, as
    bits (N, ceil(n/8)), float points in the cells (N, D), and integer points for the few cells that
    hold none of the floats tried, by their index; all signs are exact and all rows distinct. Raises
    `DegenerateError` if the arrangement is found not to be in general position (inside its rank).
    """
    n, rank = len(arrangement.rows), len(columns)
    work = OnePass(arrangement, columns)
    total = sum(comb(n - 1, k) for k in range(rank))
    packed = np.empty((total, (n + 7) // 8), dtype=np.uint8)
    points = np.zeros((total, len(arrangement.rows[0])))
    exact_points: dict[int, Normal] = {}
    solved: set[int] = set()
    blocks = []

    def solve(indices: np.ndarray, subsets: np.ndarray) -> None:
        """Decide the cells of some subsets of one size in integers."""
        if not len(indices):
            return
        signs, inside, cones = work.solve(subsets)
        scaled = np.zeros((len(indices), points.shape[1]))
        scaled[:, columns] = inside
        values, unsettled = arrangement.products(scaled)
        packed[indices] = np.packbits(signs, axis=1)
        points[indices], representable = arrangement.points(scaled)
        thin = unsettled.any(axis=0) | ((values.T > 0) != signs).any(axis=1) | ~representable
        exact_points.update(
            (int(indices[j]), work.inside(cones[j])) for j in np.flatnonzero(thin).tolist()
        )
        solved.update(indices.tolist())

    start = 0
    with tqdm(total=total, delay=5, disable=not progress, unit="cell", leave=False) as bar:
        for k in range(min(rank, n) - 1, -1, -1):
            for block in subset_blocks(n, k, 150_000):
                stop = start + len(block)
                scaled = np.zeros((len(block), points.shape[1]))
                with np.errstate(all="ignore"):
                    scaled[:, columns] = work.propose(block)
                    values, unsettled = arrangement.products(scaled)
                    packed[start:stop] = np.packbits(values > 0, axis=0).T
                points[start:stop], representable = arrangement.points(scaled)
                doubtful = unsettled.any(axis=0) | ~(values[0] > 0) | ~representable
                solve(start + np.flatnonzero(doubtful), block[doubtful])
                blocks.append((start, block.astype(np.int32)))
                start = stop
                bar.update(len(block))
    while claimed := _shared(packed) - solved:
        indices = np.array(sorted(claimed))
        for first, block in blocks:
            inside = indices[(first <= indices) & (indices < first + len(block))]
            solve(inside, block[inside - first])
    return packed, points, exact_points


def _whole(value: float, shift: int) -> int:
    """The integer part of value 2^shift, for value >= 0."""
    mantissa, exponent = frexp(value)
    shift += exponent - 53
    whole = int(ldexp(mantissa, 53))
    return whole << shift if shift > 0 else whole >> -shift


def _floats(points: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Integer points as floats of sup-norm 1 at most, and the exponents taken out."""
    rows, exponents = [], []
    for point in points:
        top = max(v.bit_length() for v in point)
        excess = max(top - 62, 0)
        rows.append([int(v >> excess) for v in point])
        exponents.append(top)
    exponents = np.array(exponents)
    return np.ldexp(np.array(rows, dtype=float), -np.minimum(exponents, 62)[:, None]), exponents


def _shared(packed: np.ndarray) -> set[int]:
    """Indices of rows whose fingerprint another row has too."""
    marks = fingerprints(packed)
    order = np.argsort(marks)
    same = marks[order][1:] == marks[order][:-1]
    return set(order[1:][same].tolist()) | set(order[:-1][same].tolist())
