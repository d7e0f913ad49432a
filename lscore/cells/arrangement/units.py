r"""Every activation pattern of one unit on given data, with a certificate that none is missing.

A unit with weights w and bias b sees sample i on the side :math:`\operatorname{sign}(w \cdot x_i +
b)`. The patterns are the cells of the central arrangement with normals :math:`(x_i, 1)`; n samples
in general position in d dimensions have :math:`2\sum_{k \le d} \binom{n-1}{k}` of them, and no data
have more. A hidden layer of K units has all K-tuples of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import comb
from types import MappingProxyType

import numpy as np
from flint import fmpz, fmpz_mat

from lscore.algebra.arguments import checked
from lscore.algebra.linear import pivot_columns
from lscore.algebra.matrices import RationalMatrix, augment, exact, stack
from lscore.cells.arrangement.hyperplanes import (
    Normal,
    cells,
    count_patterns,
    hyperplanes,
    integer_rows,
    most_patterns,
    primitive,
)
from lscore.cells.arrangement.signs import BLOCK, SignedRows
from lscore.cells.arrangement.sweep import DegenerateError, fingerprints, half_of_the_cells
from lscore.cells.arrangement.vertices import half_of_any_cells
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import BudgetError, DataError, DtypeError, ShapeError, TieError

LARGEST = 2**31
COUNTING = 5_000_000


@checked
@dataclass(frozen=True, eq=False)
class ActivationCells:
    r"""Activation patterns of one unit, each with parameters that have it.

    `packed` (N, ceil(n/8)): the patterns, a bit per sample in the order of ``numpy.packbits``, then
    zeros; `patterns` unpacks them, (N, n), True where the unit is positive. `witnesses` (N, d + 1):
    floats :math:`(w, b)` inside the cells, dyadic and hence exact (without biases (N, d)). A cell
    too thin for them has its witness, in integers, in `exact_witnesses` by its index; `witness`
    returns either. `expected` is the number of cells by the formula or by Zaslavsky's theorem, and
    `general_position` says whether any d + 1 of the rows :math:`(x_i, 1)` are independent (any d of
    the rows :math:`x_i` without biases). The second half of the rows mirrors the first.
    `certify` trusts none of these fields.
    """

    X: RationalMatrix
    bias: bool
    packed: np.ndarray
    witnesses: np.ndarray
    expected: int
    general_position: bool
    exact_witnesses: Mapping[int, Normal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "exact_witnesses", MappingProxyType(dict(self.exact_witnesses)))
        if self.packed.ndim != 2 or self.witnesses.ndim != 2:
            raise ShapeError("packed, witnesses: need two dimensions")
        shape = len(self.packed), (len(self.X) + 7) // 8
        if self.packed.shape != shape or self.packed.dtype != np.uint8:
            raise ShapeError(f"packed: {self.packed.dtype} {self.packed.shape}, need uint8 {shape}")
        if (self.packed[:, -1] & ~_all_bits(len(self.X))[-1]).any():
            raise DataError(f"packed: bits behind the {len(self.X)} samples, need zeros")
        shape = len(self.packed), self.X.shape[1] + self.bias
        if self.witnesses.shape != shape or self.witnesses.dtype != np.float64:
            raise ShapeError(
                f"witnesses: {self.witnesses.dtype} {self.witnesses.shape}, need float64 {shape}"
            )
        for i, point in self.exact_witnesses.items():
            if i not in range(len(self)) or len(point) != shape[1] or not any(point):
                raise ShapeError(f"exact_witnesses: entry {i}, need {shape[1]} integers, not all 0")
            if not all(isinstance(v, int) for v in point):
                raise DtypeError(f"exact_witnesses: entry {i} has other numbers than integers")
        if not np.isfinite(self.witnesses).all():
            raise DataError("witnesses: need finite numbers")

    def __len__(self) -> int:
        return len(self.packed)

    def __repr__(self) -> str:
        n, d = self.X.shape
        return f"{len(self)} activation patterns of one unit on {n} samples in {d} dimensions"

    @property
    def patterns(self) -> np.ndarray:
        """All patterns (N, n) as booleans, a byte each, unpacked on every call."""
        return np.unpackbits(self.packed, axis=1, count=len(self.X)).view(bool)

    @cached_property
    def _rows(self) -> RationalMatrix:
        return augment(self.X) if self.bias else self.X

    @cached_property
    def _places(self) -> dict[bytes, int]:
        return {row.tobytes(): i for i, row in enumerate(self.packed)}

    def witness(self, i: int) -> RationalMatrix:
        """Exact parameters with pattern i, a column: the weights, then the bias if there is one."""
        if not 0 <= i < len(self):
            raise ShapeError(f"i: got {i}, need a pattern from 0 to {len(self) - 1}")
        if i in self.exact_witnesses:
            entries = list(self.exact_witnesses[i])
            return RationalMatrix(fmpz_mat(len(entries), 1, entries), fmpz(1))
        return exact(self.witnesses[i])

    def pattern_of(self, weights: object, bias: object = None) -> np.ndarray:
        """The pattern (n,) of a unit, decided exactly; `TieError` if a sample is on its wall."""
        point = exact(weights, "weights")
        if self.bias:
            point = stack([point, exact([0 if bias is None else bias], "bias")])
        elif bias is not None:
            raise DataError(f"bias: got {bias}, but these are cells of a unit without bias")
        if point.shape != (self._rows.shape[1], 1):
            raise ShapeError(f"weights: got {len(point) - self.bias}, need {self.X.shape[1]}")
        values = (self._rows @ point).numerator.entries()
        ties = [i for i, v in enumerate(values) if v == 0]
        if ties:
            raise TieError(f"weights: samples {ties} lie on the wall, the unit is in no cell")
        return np.array([v > 0 for v in values])

    def index(self, pattern: Sequence[bool]) -> int | None:
        """The row that holds a pattern (n,) of booleans; None if there is none."""
        pattern = np.asarray(pattern)
        if pattern.shape != (len(self.X),) or pattern.dtype != bool:
            raise ShapeError(
                f"pattern: {pattern.dtype} {pattern.shape}, need ({len(self.X)},) bool"
            )
        return self._places.get(np.packbits(pattern).tobytes())

    def certify(self) -> Certificate:
        """Whether these are all activation patterns of one unit on the data. Claim LVB-L1.

        Decided from the data, the patterns and the witnesses alone: the rows are distinct, every
        row is the pattern of its witness (a rounding bound settles most signs, integers the rest),
        and there are as many as there can be. Sound. Complete up to the cost of counting: where
        rows are missing, an exact count refutes if it is affordable.
        """
        return _certificate(self)


@checked
def activation_cells(
    X: object,
    bias: bool = True,
    *,
    limit: int = 5_000_000,
    progress: bool = True,
) -> ActivationCells:
    """All activation patterns of one unit on the data X (n, d), claim LVB-L1.

    Exact for every input: float data are taken at their dyadic values, repeated and collinear
    samples included. Data in general position (inside their affine hull) give about a million
    cells in 2 s; others take longer, by the number of degenerate vertices. Without bias a sample
    that is zero leaves no cell. Raises `BudgetError` if there may be more than `limit` cells, or if
    the cells of degenerate data are too many to count.

    >>> cells = activation_cells([[0], [1], [2]])
    >>> sorted(cells.patterns.astype(int).tolist())
    [[0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 1]]
    >>> cells.certify().certified, cells.general_position
    (True, True)
    """
    X = exact(X, "X")
    A = augment(X) if bias else X
    n, D = A.shape
    rows = integer_rows(A)
    if not all(map(any, rows)):
        nothing = np.empty((0, (n + 7) // 8), np.uint8)
        return ActivationCells(X, bias, nothing, np.empty((0, D)), 0, False)
    normals, sides = hyperplanes(rows)
    columns = pivot_columns(A.numerator)
    most = most_patterns(len(normals), len(columns))
    if most > limit:
        raise BudgetError(
            f"X: up to {most} cells ({len(normals)} distinct samples, rank {len(columns)}), "
            f"more than limit={limit}"
        )
    if most * (n // 8 + 8 * D) > LARGEST:
        raise BudgetError(f"X: up to {most} cells of {n} samples do not fit in {LARGEST} bytes")
    arrangement = SignedRows(tuple(normals))
    try:
        half, points, exact_points = half_of_the_cells(arrangement, columns, progress)
        expected = most
    except DegenerateError:
        expected = _count(A, len(normals), len(columns))
        if expected is None:
            raise BudgetError(
                f"X: up to {most} cells, and the samples are not in general position; the exact "
                f"count of their cells would take more than {COUNTING} steps"
            ) from None
        try:
            half, points, exact_points = half_of_any_cells(arrangement, columns, progress)
        except DegenerateError:  # rows of very different sizes, to which no float flag is generic
            half, points, exact_points = np.empty((0, 0)), np.empty(0), {}
        if 2 * len(half) != expected:
            half, points, exact_points = _half_in_integers(arrangement, columns, progress)
    place, side = np.array(sides).T
    half = _expanded(half, place, side < 0)
    mirrored = {i + len(half): tuple(-v for v in w) for i, w in exact_points.items()}
    return ActivationCells(
        X,
        bias,
        np.concatenate([half, half ^ _all_bits(n)]),
        np.concatenate([points, -points]),
        expected,
        expected == most_patterns(n, D),
        exact_points | mirrored,
    )


def _all_bits(n: int) -> np.ndarray:
    """The pattern of n samples on the positive side."""
    return np.packbits(np.ones(n, dtype=bool))


def _expanded(half: np.ndarray, place: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """Signs of all samples from the signs of the distinct normals, both as bits."""
    if (place != np.arange(len(place))).any():
        blocks = np.array_split(half, 1 + half.size // BLOCK)
        half = np.concatenate(
            [np.packbits(np.unpackbits(b, axis=1)[:, place], axis=1) for b in blocks]
        )
    return half ^ np.packbits(flipped)


def _half_in_integers(
    arrangement: SignedRows, columns: list[int], progress: bool
) -> tuple[np.ndarray, np.ndarray, dict[int, Normal]]:
    """The cells on the positive side of normal 0, for any distinct normals."""
    n, D = len(arrangement.rows), len(arrangement.rows[0])
    rows = [tuple(row[j] for j in columns) for row in arrangement.rows]
    listed = cells(rows, len(columns), progress)
    half = {key: point for key, point in listed.items() if key & 1}
    size = (n + 7) // 8
    little = b"".join(key.to_bytes(size, "little") for key in half)
    packed = np.frombuffer(little, np.uint8).reshape(-1, size)
    packed = np.packbits(np.unpackbits(packed, axis=1, bitorder="little"), axis=1)
    full = np.zeros((len(half), D), dtype=object)
    full[:, columns] = list(half.values())
    points = np.array([arrangement.nearest(point) for point in full.tolist()])
    rounded, on_wall, _ = arrangement.signs(points, {})
    missed = np.flatnonzero(on_wall | (rounded != packed).any(axis=1)).tolist()
    return packed, points, {i: tuple(full[i].tolist()) for i in missed}


def _count(A: RationalMatrix, distinct: int, rank: int) -> int | None:
    """Zaslavsky's count for A with so many distinct normals; None where it would take too long."""
    steps = comb(distinct, max(rank - 2, 0)) * distinct
    return count_patterns(A) if steps <= COUNTING else None


def _certificate(listed: ActivationCells) -> Certificate:
    A = listed._rows
    rows = [primitive(row) for row in integer_rows(A)]
    zero = [i for i, row in enumerate(rows) if not any(row)]
    asked = Question("LVB-L1", "these are all activation patterns of one unit on the data")
    if zero:
        wrong, distinct, in_integers = np.arange(len(listed)), 0, 0
        count, source = 0, f"sample {zero[0]} is zero, so no parameters lie in a cell"
    else:
        packed, on_wall, in_integers = SignedRows(tuple(rows)).signs(
            listed.witnesses, listed.exact_witnesses
        )
        wrong = np.flatnonzero(on_wall | (packed != listed.packed).any(axis=1))
        marks = np.sort(fingerprints(listed.packed))
        distinct = int(np.count_nonzero(np.diff(marks))) + 1 if len(marks) else 0
        if distinct < len(listed):
            distinct = len(np.unique(listed.packed, axis=0))
        normals, rank = len(hyperplanes(rows)[0]), len(pivot_columns(A.numerator))
        count, source = most_patterns(normals, rank), "no data of this shape have more"
        if count != len(listed):
            count, source = _count(A, normals, rank), "Zaslavsky's count for these data"
    conditions = [
        Condition("every row is the pattern of its witness", not wrong.size),
        Condition("the rows are distinct", distinct == len(listed)),
        Condition(
            f"their number is {count}: {source}", None if count is None else count == len(listed)
        ),
    ]
    holds = [c.holds for c in conditions]
    values = {"patterns": len(listed), "signs_decided_in_integers": in_integers}
    if all(holds):
        return asked.certified(conditions, values=values)
    if not wrong.size and count is not None:
        witness = {"patterns_listed": distinct, "patterns_there_are": count}
        return asked.refuted(conditions, witness)
    reason = "the cells of these data are too many to count exactly"
    if wrong.size:
        reason = f"row {wrong[0]} is not the pattern of its witness"
    return asked.unknown(reason, conditions, values=values)
