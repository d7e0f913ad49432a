r"""All faces of the arrangement that n samples make of the parameters of one unit.

Row i of A, shape (n, m), is the hyperplane :math:`\{w : a_i \cdot w = 0\}` on which sample i sits
on the kink of the unit. The sign vectors of Aw cut parameter space into *faces*, relatively open
cones: the *chambers* are those without a zero, the *rays* those that are a half-line. Every closed
face is the cone of its rays, and the rays of a face's *star*, of all chambers that touch it, say
what happens next to it. All of this is decided in integers, in any dimension.

If A has rank r < m, every face contains the null space of A. Then faces are those of the r leftmost
independent columns, and rays have 0 in the other entries; Aw takes no other value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from flint import fmpz_mat

from lscore.algebra.arguments import checked
from lscore.algebra.linear import pivot_columns
from lscore.algebra.matrices import RationalMatrix
from lscore.cells.arrangement.hyperplanes import Normal, hyperplanes, integer_rows, primitive
from lscore.errors import DataError


@dataclass(frozen=True, eq=False)
class Faces:
    r"""The faces of an arrangement of n hyperplanes in m dimensions, and their rays.

    `rays`: integer vectors of length m; `ray_signs` (rays, n) and `signs` (faces, n): the signs of
    Aw on each, the chambers last. The first face is {0} (the null space of A).

    >>> from lscore.algebra.matrices import exact
    >>> found = faces(exact([[1, 0], [0, 1]]))
    >>> found.rays
    ((0, 1), (0, -1), (1, 0), (-1, 0))
    >>> found.signs[found.is_chamber].tolist()
    [[-1, 1], [-1, -1], [1, 1], [1, -1]]
    """

    rays: tuple[Normal, ...]
    ray_signs: np.ndarray
    signs: np.ndarray

    @property
    def is_chamber(self) -> np.ndarray:
        """Which faces are chambers, (faces,) booleans."""
        return self.signs.all(axis=1)

    @cached_property
    def star(self) -> np.ndarray:
        """Which rays belong to a chamber that touches the face, (faces, rays) booleans.

        They are the rays without a sign opposite to one of the face.
        """
        return ~_some(self.signs, -self.ray_signs)

    @cached_property
    def members(self) -> np.ndarray:
        """Which rays span the face, those of the star inside its span, (faces, rays) booleans."""
        outside = (self.signs == 0).astype(np.int32) @ abs(self.ray_signs).astype(np.int32).T
        return self.star & (outside == 0)


def _some(signs: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether row i of `signs` and row j of `others` agree in an entry that is not 0."""
    positive = (signs > 0).astype(np.int32) @ (others > 0).astype(np.int32).T
    return (positive + (signs < 0).astype(np.int32) @ (others < 0).astype(np.int32).T) > 0


@checked
def faces(A: RationalMatrix) -> Faces:
    r"""All faces of the central arrangement with the rows of A (n, m) as normals.

    The rays are the lines on which r - 1 independent hyperplanes meet, r the rank of A; every other
    face but {0} is a join of its rays, one of them after the other, each in the star of the join so
    far. Sound and complete. Raises `DataError` for a row of zeros, of which no sign is left.

    >>> from lscore.algebra.matrices import exact
    >>> found = faces(exact([[0, 1], [1, 1], [2, 1]]))         # one unit on x = 0, 1, 2
    >>> len(found.rays), len(found.signs), int(found.is_chamber.sum())
    (6, 13, 6)
    """
    rows = integer_rows(A)
    for i, row in enumerate(rows):
        if not any(row):
            raise DataError(f"A: row {i} is zero, need another one")
    columns = pivot_columns(A.numerator)
    small = [[row[j] for j in columns] for row in rows]
    rays = []
    for ray in _lines(hyperplanes(small)[0], len(columns)):
        whole = [0] * A.shape[1]
        for j, value in zip(columns, ray, strict=True):
            whole[j] = value
        rays += [tuple(whole), tuple(-v for v in whole)]
    products = (fmpz_mat(rays) * fmpz_mat(rows).transpose()).entries()
    signs = [(v > 0) - (v < 0) for v in products]
    ray_signs = np.array(signs, dtype=np.int8).reshape(len(rays), len(rows))
    joins = _joins(ray_signs)
    order = np.argsort(joins.all(axis=1), kind="stable")
    return Faces(tuple(rays), ray_signs, joins[order])


def _lines(normals: list[Normal], dimension: int) -> list[Normal]:
    """One vector on each line on which dimension - 1 independent hyperplanes meet."""
    if dimension == 1:
        return [(1,)]
    lines: dict[Normal, None] = {}
    for chosen in combinations(normals, dimension - 1):
        basis, nullity = fmpz_mat(list(chosen)).nullspace()
        if nullity == 1:
            line = primitive([int(basis[i, 0]) for i in range(dimension)])
            first = next(v for v in line if v)
            lines[line if first > 0 else tuple(-v for v in line)] = None
    return list(lines)


def _joins(ray_signs: np.ndarray) -> np.ndarray:
    """The sign vectors of all faces: {0}, the rays, and what they join to."""
    found = {row.tobytes(): row for row in np.vstack([0 * ray_signs[:1], ray_signs])}
    waiting = list(found.values())[1:]
    while waiting:
        face = waiting.pop()
        for ray in ray_signs[~_some(face[None], -ray_signs)[0]]:
            join = np.where(face == 0, ray, face)
            if found.setdefault(join.tobytes(), join) is join:
                waiting.append(join)
    return np.stack(list(found.values()))
