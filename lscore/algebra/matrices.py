r"""Exact rational numbers and matrices, and the way from floats to them.

A finite float is a dyadic rational, so float data are exact data: `exact` converts without
rounding. A `RationalMatrix` keeps one integer matrix and one common denominator
(:math:`A = N / q`), which makes products of data matrices several times faster than a fraction per
entry. The arithmetic is python-flint's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index as whole
from operator import lshift, mul
from typing import get_args

import numpy as np
import torch
from flint import fmpq, fmpz, fmpz_mat

from lscore.algebra.arrays import as_matrix, number_array
from lscore.algebra.rationals import Scalar as Scalar
from lscore.algebra.rationals import rational as rational
from lscore.algebra.rationals import to_float as to_float
from lscore.errors import DataError, DtypeError, ShapeError

LARGEST_SIZE = 2**28  # entries of a matrix
_NUMBERS = get_args(Scalar)


@dataclass(frozen=True, eq=False)
class RationalMatrix:
    """A matrix of rationals with one common denominator, shape (rows, columns).

    Points of a loss surface and vectors are columns, shape (m, 1). Supports ``+ - * / @``,
    ``.T``, ``==`` (exact), ``A[i, j]`` (an fmpq), ``len`` (rows) and `floats`.

    >>> A = exact([[1, "1/2"], [0, 3]])
    >>> (A @ A.T)[0, 0], A.shape
    (5/4, (2, 2))
    >>> A == exact([[1.0, 0.5], [0.0, 3.0]])
    True
    """

    numerator: fmpz_mat
    denominator: fmpz

    __array_ufunc__ = None  # numpy leaves its operators to this class, which refuses arrays by name

    def __post_init__(self) -> None:
        if type(self.numerator) is not fmpz_mat or type(self.denominator) is not fmpz:
            raise DtypeError("numerator, denominator: need fmpz_mat and fmpz; `exact` makes them")
        if self.denominator <= 0:
            raise DataError(f"denominator: got {self.denominator}, need a positive integer")

    @property
    def shape(self) -> tuple[int, int]:
        return self.numerator.nrows(), self.numerator.ncols()

    def __len__(self) -> int:
        return self.numerator.nrows()

    @cached_property
    def T(self) -> RationalMatrix:
        """The transpose."""
        return RationalMatrix(self.numerator.transpose(), self.denominator)

    def __getitem__(self, index: tuple[int, int]) -> fmpq:
        try:
            i, j = index
            return fmpq(self.numerator[whole(i), whole(j)], self.denominator)
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise ShapeError(
                f"index: got {index!r}, need [i, j] with both in the shape {self.shape}"
            ) from error

    def entries(self) -> list[fmpq]:
        """All entries, row by row."""
        return [fmpq(e, self.denominator) for e in self.numerator.entries()]

    def rows(self, start: int, stop: int) -> RationalMatrix:
        """Rows start..stop-1."""
        start, stop = checked_size(start, "start"), checked_size(stop, "stop")
        if not start <= stop <= len(self):
            raise ShapeError(f"start, stop: got {start}, {stop}, need at most {len(self)} in order")
        return self.flat(start * self.shape[1], stop - start, self.shape[1])

    def column(self, j: int) -> RationalMatrix:
        """Column j as a (rows, 1) matrix."""
        if checked_size(j, "j") >= self.shape[1]:
            raise ShapeError(f"j: got {j}, need a column of the shape {self.shape}")
        entries = self.numerator.entries()[j :: self.shape[1]]
        return RationalMatrix(fmpz_mat(len(self), 1, entries), self.denominator)

    def flat(self, start: int, rows: int, columns: int) -> RationalMatrix:
        """The rows*columns entries from position `start` of the row-by-row order, reshaped."""
        try:
            start, rows, columns = whole(start), whole(rows), whole(columns)
            entries = self.numerator.entries()[start : start + rows * columns]
            fits = min(start, rows, columns) >= 0 and max(rows, columns) <= LARGEST_SIZE
            if not fits or len(entries) != rows * columns:
                raise ValueError("not inside")
            return RationalMatrix(fmpz_mat(rows, columns, entries), self.denominator)
        except (TypeError, ValueError, OverflowError) as error:
            given = f"{start}, {rows}, {columns}"
            raise ShapeError(
                f"start, rows, columns: got {given} for the shape {self.shape}"
            ) from error

    def _check(self, other: RationalMatrix, same_shape: bool = True) -> None:
        if not isinstance(other, RationalMatrix):
            kind = type(other).__name__
            raise DtypeError(f"operand: got {kind}, need a RationalMatrix: exact(...)")
        if same_shape and self.shape != other.shape:
            raise ShapeError(f"shapes {self.shape} and {other.shape} differ")

    def __add__(self, other: RationalMatrix) -> RationalMatrix:
        self._check(other)
        p, q = self.denominator, other.denominator
        if p == q:
            return RationalMatrix(self.numerator + other.numerator, p)
        common = p.lcm(q)
        left, right = self.numerator * (common // p), other.numerator * (common // q)
        return RationalMatrix(left + right, common)

    __radd__ = __add__

    def __neg__(self) -> RationalMatrix:
        return RationalMatrix(-self.numerator, self.denominator)

    def __sub__(self, other: RationalMatrix) -> RationalMatrix:
        self._check(other)
        return self + (-other)

    __rsub__ = __sub__  # reached by what is no RationalMatrix only, and refuses it

    def __mul__(self, scalar: Scalar) -> RationalMatrix:
        scalar = rational(scalar, "scalar")
        return RationalMatrix(self.numerator * scalar.p, self.denominator * scalar.q)

    __rmul__ = __mul__

    def __truediv__(self, scalar: Scalar) -> RationalMatrix:
        scalar = rational(scalar, "scalar")
        if not scalar:
            raise DataError("scalar: got 0, need another number to divide by")
        return self * (1 / scalar)

    def __matmul__(self, other: RationalMatrix) -> RationalMatrix:
        self._check(other, same_shape=False)
        if self.shape[1] != other.shape[0]:
            raise ShapeError(f"cannot multiply shapes {self.shape} and {other.shape}")
        return RationalMatrix(
            self.numerator * other.numerator, self.denominator * other.denominator
        )

    __rmatmul__ = __matmul__  # refuses, as `__rsub__` does

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RationalMatrix):
            return NotImplemented
        return self.shape == other.shape and (
            self.numerator * other.denominator == other.numerator * self.denominator
        )

    __hash__ = None

    def is_zero(self) -> bool:
        """Whether every entry is exactly 0."""
        return self.numerator.is_zero()

    def smallest(self) -> fmpq:
        """The smallest entry."""
        if 0 in self.shape:
            raise ShapeError(f"smallest: shape {self.shape} has no entries")
        return fmpq(min(self.numerator.entries()), self.denominator)

    def dot(self, other: RationalMatrix) -> fmpq:
        """Sum of the products of corresponding entries."""
        self._check(other)
        if self.shape[1] == 1:
            total = (self.T.numerator * other.numerator)[0, 0]
        else:
            total = sum(map(mul, self.numerator.entries(), other.numerator.entries()), fmpz(0))
        return fmpq(total, self.denominator * other.denominator)

    def floats(self) -> np.ndarray:
        """The nearest float64 of every entry, shape (rows, columns); `DataError` beyond them."""
        q = int(self.denominator)
        try:
            return np.array([int(e) / q for e in self.numerator.entries()]).reshape(self.shape)
        except OverflowError as error:
            raise DataError("floats: an entry is larger than every float") from error

    def point(self) -> torch.Tensor:
        """The nearest float64 point, shape (rows,); for columns only."""
        if self.shape[1] != 1:
            raise ShapeError(f"point: shape {self.shape}, need a column (m, 1)")
        return torch.from_numpy(self.floats()[:, 0])

    def __repr__(self) -> str:
        n, d = self.shape
        if n * d > 60:
            return f"RationalMatrix of shape ({n}, {d})"
        rows = [[str(self[i, j]) for j in range(d)] for i in range(n)]
        if d == 1:
            return "column(" + ", ".join(row[0] for row in rows) + ")"
        return "[" + ", ".join("[" + ", ".join(row) + "]" for row in rows) + "]"


def _from_floats(array: np.ndarray) -> RationalMatrix:
    """Float64 array (n, d) -> integers over a power of two, without rounding."""
    mantissa, exponent = np.frexp(array)
    whole = (mantissa * 2.0**53).astype(np.int64).ravel()
    exponent = np.where(whole == 0, 0, exponent.ravel().astype(np.int64) - 53)
    low = min(int(exponent.min()), 0)
    shift, power = exponent - low, fmpz(2) ** -low
    if shift.max() > 28:
        integers = list(map(lshift, whole.tolist(), shift.tolist()))
        return RationalMatrix(fmpz_mat(*array.shape, integers), power)
    # two halves of at most 60 bits each: fmpz_mat reads machine integers twice as fast
    high = whole >> 32
    parts = (half << shift for half in (high, whole - (high << 32)))
    upper, lower = (fmpz_mat(*array.shape, part.tolist()) for part in parts)
    return RationalMatrix(upper * fmpz(2) ** 32 + lower, power)


def exact(values: object, name: str = "values", text: bool = True) -> RationalMatrix:
    """Convert without rounding: arrays, tensors, data frames, nested lists of numbers or text.

    One-dimensional input becomes a column (m, 1). Float64, integers, Python numbers and flint's are
    welcome. Raises `DataError` (NaN, infinity, unreadable text), `DtypeError` (boolean, float32,
    masked or sparse arrays, and what is no array or list; text unless `text` is set) and
    `ShapeError` (empty, ragged, more than two dimensions).

    >>> exact(np.array([0.5, 3.0]))
    column(1/2, 3)
    >>> exact([["1/3", 2]])
    [[1/3, 2]]
    """
    if not isinstance(text, bool):
        raise DtypeError(f"text: got {type(text).__name__}, need a bool")
    if isinstance(values, RationalMatrix):
        return values
    array = number_array(values, name)
    if array is not None:
        array = as_matrix(array, name)
        if array.dtype == np.float64:
            return _from_floats(array)
        values = array.tolist()
    if not isinstance(values, Sequence) or isinstance(values, str | bytes | bytearray | memoryview):
        kind = type(values).__name__
        raise DtypeError(f"{name}: got {kind}, need an array or a list of numbers")
    rows = [
        None if isinstance(row, _NUMBERS) else _row(row, f"{name}[{i}]")
        for i, row in enumerate(values)
    ]
    if any(row is None for row in rows):  # numbers, or numbers next to rows
        rows = [[value] if row is None else [] for row, value in zip(rows, values, strict=True)]
    if not rows or len({len(row) for row in rows}) != 1 or not len(rows[0]):
        raise ShapeError(f"{name}: need a non-empty list of numbers or of equally long rows")
    if not text and any(isinstance(v, str) for row in rows for v in row):
        raise DtypeError(f"{name}: got text, need numbers (numpy.unique numbers classes)")
    numbers = [rational(v, f"{name}[{i}]") for i, row in enumerate(rows) for v in row]
    common = fmpz(1)
    for number in numbers:
        common = common.lcm(number.q)
    integers = [number.p * (common // number.q) for number in numbers]
    return RationalMatrix(fmpz_mat(len(rows), len(rows[0]), integers), common)


def _row(row: object, name: str) -> Sequence | None:
    """A row of a nested list; None for a number."""
    if isinstance(row, list | tuple):
        return row
    array = number_array(row, name)
    if array is not None and array.ndim != 1:
        raise ShapeError(f"{name}: shape {array.shape}, need a number or a row of numbers")
    return None if array is None else array.tolist()


def checked_size(number: int, name: str) -> int:
    """A count of rows, columns, entries; `ShapeError` where python-flint would end the process."""
    if not isinstance(number, int | np.integer) or not 0 <= number <= LARGEST_SIZE:
        raise ShapeError(f"{name}: got {number!r}, need an integer from 0 to {LARGEST_SIZE}")
    return int(number)


def zeros(rows: int, columns: int = 1) -> RationalMatrix:
    """The zero matrix."""
    checked_size(checked_size(rows, "rows") * checked_size(columns, "columns"), "rows * columns")
    return RationalMatrix(fmpz_mat(rows, columns), fmpz(1))


def ones(rows: int) -> RationalMatrix:
    """A column of ones."""
    return RationalMatrix(fmpz_mat(rows, 1, [1] * checked_size(rows, "rows")), fmpz(1))


def stack(blocks: list[RationalMatrix]) -> RationalMatrix:
    """Blocks with equally many columns, one below the other."""
    if len({block.shape[1] for block in blocks}) != 1:
        raise ShapeError(f"blocks: columns {[b.shape[1] for b in blocks]} differ")
    common = fmpz(1)
    for block in blocks:
        common = common.lcm(block.denominator)
    entries = [e for b in blocks for e in (b.numerator * (common // b.denominator)).entries()]
    return RationalMatrix(fmpz_mat(sum(map(len, blocks)), blocks[0].shape[1], entries), common)


def augment(X: RationalMatrix) -> RationalMatrix:
    """[X, 1]: a column of ones on the right, (n, d) -> (n, d + 1)."""
    n, d = X.shape
    rows = X.numerator.tolist()
    for row in rows:
        row.append(X.denominator)
    return RationalMatrix(fmpz_mat(n, d + 1, [e for row in rows for e in row]), X.denominator)
