r"""One point in every cell of a central arrangement in any position.

As in `sweep`, every cell belongs to its lowest vertex with respect to a generic flag; here the
flag starts with a generic functional in place of a row, so a vertex is degenerate only if the rows
through it are. At such a vertex the cells are those of a small arrangement, the rows through it in
the directions that the flag leaves, and the ones that belong to it are the cones on which the next
functional is negative. They are listed in integers, once for every degenerate vertex. Cells that
the first functional cuts are found from both sides and merged.
"""

from __future__ import annotations

from math import comb

import numpy as np
from flint import fmpz_mat
from tqdm import tqdm

from lscore.cells.arrangement.hyperplanes import Normal, cells, hyperplanes, primitive
from lscore.cells.arrangement.signs import SignedRows
from lscore.cells.arrangement.sweep import DegenerateError, OnePass, fingerprints, subset_blocks


def _generic_row(rows: tuple[Normal, ...]) -> Normal:
    """A random integer combination of the rows."""
    weights = np.random.default_rng(1).integers(1, 2**20, len(rows)).tolist()
    signs = np.random.default_rng(2).choice([-1, 1], len(rows)).tolist()
    columns = zip(*rows, strict=True)
    return primitive(
        [sum(s * w * v for s, w, v in zip(signs, weights, c, strict=True)) for c in columns]
    )


class VertexCells:
    """The cells that belong to a vertex, however many rows of `work` meet there."""

    def __init__(self, work: OnePass):
        self.work = work
        self.seen: set[tuple[int, ...]] = set()

    def __call__(self, subset: list[int]) -> list[tuple[list[bool], Normal]]:
        """Sides of all rows but the first, and a point, for each cell; [] for a vertex seen before.

        Also [] if the rows of the subset are dependent, so that there is no vertex.
        """
        work, k = self.work, len(subset)
        rows, flag = work.integer_system
        try:
            columns = work.inverse(subset)
        except DegenerateError:
            return []
        level = work.rank - 1 - k
        vertex, edges = columns[level], columns[level + 1 :]
        values = _products(work, vertex)
        through = [j for j, v in enumerate(values) if v == 0 and j > 0]
        if (key := (level, *through)) in self.seen:
            return []
        self.seen.add(key)
        found = []
        for inward in self._cones(edges, [rows[j] for j in through], flag[level + 1 : level + 2]):
            slopes = _products(work, inward)
            factor = 1 + max(
                (abs(s) // abs(v) for s, v in zip(slopes, values, strict=True) if v != 0), default=0
            )
            sides = [(v or s) > 0 for v, s in zip(values, slopes, strict=True)]
            found.append((sides[1:], work.inside((factor, vertex, inward))))
        return found

    def _cones(self, edges: list, through: list, functional: list) -> list[list]:
        """An inward direction of each cone at the vertex on which the functional is negative."""
        size = self.work.rank
        if not edges:
            return [[0] * size]
        local = [[int(_dot(row, edge)) for edge in edges] for row in [*through, *functional]]
        if not all(map(any, local)):
            raise DegenerateError("the flag is constant along the edges of a vertex")
        normals, sides = hyperplanes(local)
        (*others, (place, side)), bit = sides, 1 << sides[-1][0]
        listed = cells(normals, len(edges))
        is_wall = any(place == other for other, _ in others)  # on a line, where all normals agree
        return [
            [_dot(step, [edge[c] for edge in edges]) for c in range(size)]
            for pattern, step in listed.items()
            if bool(pattern & bit) != (side > 0) and (is_wall or pattern ^ bit not in listed)
        ]


def _dot(a: list, b: list):
    return sum(x * y for x, y in zip(a, b, strict=True))


def _products(work: OnePass, point: list) -> list:
    return (work.integer_rows * fmpz_mat(work.rank, 1, point)).entries()


def half_of_any_cells(
    arrangement: SignedRows, columns: list[int], progress: bool = True
) -> tuple[np.ndarray, np.ndarray, dict[int, Normal]]:
    """The cells on the positive side of row 0, for distinct hyperplanes in any position.

    Returns what `half_of_the_cells` returns. All signs are exact and all rows distinct; that none
    is missing follows from their number alone, for floats propose the vertices that are not
    degenerate. Raises `DegenerateError` if the flag is not generic for these rows.
    """
    n, rank, width = len(arrangement.rows), len(columns), len(arrangement.rows[0])
    extended = SignedRows((_generic_row(arrangement.rows), *arrangement.rows))
    work = OnePass(extended, columns)
    vertex_cells = VertexCells(work)
    proposed, points, sides, exact_points = [], [], [], []
    total = sum(comb(n, k) for k in range(rank))
    with tqdm(total=total, delay=5, disable=not progress, unit="vertex", leave=False) as bar:
        for k in range(min(rank - 1, n), -1, -1):
            for block in subset_blocks(n + 1, k, 150_000):
                scaled = np.zeros((len(block), width))
                with np.errstate(all="ignore"):
                    scaled[:, columns] = work.propose(block)
                    values, unsettled = extended.products(scaled)
                floats, representable = extended.points(scaled)
                doubtful = unsettled.any(axis=0) | ~representable
                proposed.append(np.packbits((values > 0)[1:, ~doubtful], axis=0).T)
                points.append(floats[~doubtful])
                for subset in block[doubtful].tolist():
                    for found, point in vertex_cells(subset):
                        sides.append(found)
                        exact_points.append(point)
                bar.update(len(block))
    if sides:
        proposed.append(np.packbits(np.array(sides, dtype=bool), axis=1))
        points.append(np.array([arrangement.nearest(point) for point in exact_points]))
    packed, floats = np.concatenate(proposed), np.concatenate(points)
    flip = packed[:, 0] < 128  # the first bit is 0
    packed[flip] ^= np.packbits(np.ones(n, dtype=bool))
    floats[flip] *= -1
    _, kept = np.unique(fingerprints(packed), return_index=True)
    packed, floats, first = packed[kept], floats[kept], len(flip) - len(exact_points)
    in_integers = np.flatnonzero(kept >= first).tolist()
    rounded, on_wall, _ = arrangement.signs(floats[in_integers], {})
    thin = on_wall | (rounded != packed[in_integers]).any(axis=1)
    chosen = {}
    for i, is_thin in zip(in_integers, thin.tolist(), strict=True):
        if is_thin:
            side = -1 if flip[kept[i]] else 1
            chosen[i] = tuple(side * v for v in exact_points[kept[i] - first])
    return packed, floats, chosen
