r"""Central hyperplane arrangements in rationals: all sign vectors of :math:`A\delta`, counted.

Row i of A, shape (n, m), is the hyperplane :math:`\{\delta \in \mathbb{Q}^m : a_i \cdot \delta =
0\}`. The cells of the arrangement are the sign vectors without a zero. Hyperplanes are added one by
one: the next one cuts exactly the cells whose pattern occurs in the arrangement that the earlier
ones leave on it, one dimension lower (deletion and restriction). All numbers are integers; there is
no linear program and no tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, gcd
from operator import mul

from flint import fmpz, fmpz_mat
from tqdm import tqdm

from lscore.algebra.matrices import RationalMatrix

Normal = tuple[int, ...]


def primitive(vector: list[int] | Normal) -> Normal:
    """The vector divided by the greatest common divisor of its entries.

    >>> primitive([4, -6])
    (2, -3)
    """
    content = gcd(*vector)
    return tuple(vector) if content <= 1 else tuple(v // content for v in vector)


def hyperplanes(rows: list[list[int]]) -> tuple[list[Normal], list[tuple[int, int]]]:
    """Distinct normals among non-zero integer rows, and per row (its normal, its side +1 or -1).

    Parallel and opposite rows share a normal, whose first non-zero entry is positive.

    >>> hyperplanes([[1, 2], [0, -3], [-2, -4]])
    ([(1, 2), (0, 1)], [(0, 1), (1, -1), (0, -1)])
    """
    places: dict[Normal, int] = {}
    sides = []
    for row in rows:
        normal, side = primitive(row), 1
        if next(v for v in normal if v) < 0:
            normal, side = tuple(-v for v in normal), -1
        sides.append((places.setdefault(normal, len(places)), side))
    return list(places), sides


def _dot(a: Normal, b: Normal) -> int:
    return sum(map(mul, a, b))


def _pivot(normal: Normal) -> int:
    """The coordinate that is eliminated on a hyperplane: its smallest non-zero coefficient."""
    return min((abs(v), j) for j, v in enumerate(normal) if v)[1]


def _restricted(normals: list[Normal], normal: Normal, pivot: int) -> list[Normal]:
    """The other hyperplanes inside the one given, in its coordinates without the pivot."""
    scale = normal[pivot]
    rows = []
    for other in normals:
        factor = other[pivot]
        row = [scale * o - factor * v for o, v in zip(other, normal, strict=True)]
        rows.append(row[:pivot] + row[pivot + 1 :])
    return hyperplanes(rows)[0]


def _points_on(normals: list[Normal], normal: Normal, pivot: int) -> Iterator[Normal]:
    """One point in each cell that the other hyperplanes leave on the one given."""
    rest = normal[:pivot] + normal[pivot + 1 :]
    scale = normal[pivot]
    inside = _restricted(normals, normal, pivot)
    for y in cells(inside, len(normal) - 1).values():
        last = -_dot(rest, y)
        y = [scale * v for v in y]
        yield primitive([*y[:pivot], last, *y[pivot:]])


def _short(point: list[int], values: list[int], sizes: list[int]) -> Normal:
    """The point rounded to as few bits as keep the signs of its values at the normals.

    `sizes` are the bit lengths of the 1-norms: rounding by half of 2^s moves a value by less than
    2^(s - 1 + size).
    """
    s = min(v.bit_length() - size for v, size in zip(values, sizes, strict=False))
    if s > 0:
        point = [(v + (1 << s - 1)) >> s for v in point]
    return primitive(point)


def cells(normals: list[Normal], dimension: int, progress: bool = False) -> dict[int, Normal]:
    """All cells of distinct hyperplanes: bit i of a key is 1 on the positive side of normal i.

    The values are integer points inside the cells. `progress` shows a bar after five seconds.

    >>> cells([(1, 0), (0, 1)], 2)
    {3: (1, 1), 1: (1, -1), 2: (-1, 1), 0: (-1, -1)}
    """
    sizes = [sum(map(abs, normal)).bit_length() for normal in normals]
    found: dict[int, Normal] = {0: (0,) * dimension}
    bar = tqdm(normals, delay=5, disable=not progress, unit="hyperplane", leave=False)
    for j, normal in enumerate(bar):
        earlier, pivot = normals[:j], _pivot(normal)
        steps = [other[pivot] for other in normals[: j + 1]]
        if steps[j] < 0:
            steps = [-v for v in steps]
        cut = {}
        for point in _points_on(earlier, normal, pivot):
            values = [_dot(other, point) for other in earlier]
            key = sum(1 << i for i, v in enumerate(values) if v > 0)
            pairs = [(abs(v), 2 * abs(s)) for v, s in zip(values, steps, strict=False) if s]
            step = min((v // s for v, s in pairs), default=1)
            factor = 1 if step else 1 + max(s // v for v, s in pairs)
            cut[key] = [factor * v for v in point], [factor * v for v in values] + [0], step or 1
        after: dict[int, Normal] = {}
        for key, point in found.items():
            if key not in cut:
                after[key | (_dot(normal, point) > 0) << j] = point
                continue
            base, values, step = cut[key]
            for side in (step, -step):
                moved = base.copy()
                moved[pivot] += side if normal[pivot] > 0 else -side
                shifted = [v + side * s for v, s in zip(values, steps, strict=True)]
                after[key | (side > 0) << j] = _short(moved, shifted, sizes)
        found = after
    return found


def _count(normals: list[Normal], dimension: int) -> int:
    """Number of cells of distinct hyperplanes."""
    if dimension <= 2:
        return max(1, 2 * len(normals))
    total = 1
    for j, normal in enumerate(normals):
        pivot = _pivot(normal)
        total += _count(_restricted(normals[:j], normal, pivot), dimension - 1)
    return total


def integer_rows(A: RationalMatrix) -> list[list[int]]:
    """The rows of A as Python integers, all multiplied by the common denominator."""
    return [[int(v) for v in row] for row in A.numerator.tolist()]


def sign_patterns(A: RationalMatrix) -> list[tuple[tuple[int, ...], RationalMatrix]]:
    r"""All sign vectors of :math:`A\delta` without a zero, each with a rational point that has it.

    A (n, m) is any rational matrix: any rank, repeated, opposite or parallel rows; a row of zeros
    leaves no sign vector. Returns pairs (pattern, witness): a tuple of n entries +1 or -1 and an
    (m, 1) integer column. Sound (each witness has its pattern) and complete (no pattern is
    missing), exact throughout; the time grows like n m times the number of patterns. Claim LVB-L1
    for one unit.

    >>> from lscore.algebra.matrices import exact
    >>> for pattern, witness in sign_patterns(exact([[1, 0], [-2, 0], [1, 1]])):
    ...     print(pattern, witness)
    (1, -1, 1) column(4, -3)
    (1, -1, -1) column(2, -3)
    (-1, 1, 1) column(-2, 3)
    (-1, 1, -1) column(-4, 3)
    """
    rows = integer_rows(A)
    if not all(map(any, rows)):
        return []
    normals, sides = hyperplanes(rows)
    m = A.shape[1]
    listed = []
    for key, point in cells(normals, m).items():
        pattern = tuple(side if key >> j & 1 else -side for j, side in sides)
        listed.append((pattern, RationalMatrix(fmpz_mat(m, 1, list(point)), fmpz(1))))
    return sorted(listed, key=lambda cell: cell[0], reverse=True)


def count_patterns(A: RationalMatrix) -> int:
    """The number of sign vectors of A without a zero, by deletion and restriction of counts.

    Zaslavsky's theorem: the count needs no point of any cell, so it is independent of
    `sign_patterns`. 0 if a row is zero.

    >>> from lscore.algebra.matrices import exact
    >>> count_patterns(exact([[0, 1], [1, 1], [2, 1], [2, 1]]))
    6
    """
    rows = integer_rows(A)
    if not all(map(any, rows)):
        return 0
    return _count(hyperplanes(rows)[0], A.shape[1])


def most_patterns(n: int, m: int) -> int:
    r"""The most sign vectors of n hyperplanes in m dimensions, :math:`2\sum_{k<m}\binom{n-1}{k}`.

    Reached exactly by hyperplanes in general position (Schläfli).

    >>> [most_patterns(n, 3) for n in range(2, 7)]
    [4, 8, 14, 22, 32]
    """
    return 2 * sum(comb(n - 1, k) for k in range(m))
