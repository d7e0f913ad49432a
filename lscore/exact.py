r"""Exact rational numbers and matrices, and the way from floats to them.

A finite float is a dyadic rational, so float data are exact data: `exact` converts without
rounding. A `RationalMatrix` keeps one integer matrix and one common denominator
(:math:`A = N / q`), which makes products of data matrices several times faster than a fraction per
entry. The arithmetic is python-flint's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import lshift, mul

import numpy as np
import torch
from flint import fmpq, fmpz, fmpz_mat

from lscore.errors import DataError, DtypeError, ShapeError

Scalar = int | float | str | Fraction | fmpz | fmpq


def rational(value: Scalar, name: str = "value") -> fmpq:
    """The rational number that `value` is, exactly; a float means its dyadic value.

    Accepts int, float, ``fractions.Fraction``, python-flint's fmpz and fmpq, and text such as
    ``"1/10"``. Raises `DataError` for NaN, infinities and unreadable text, `DtypeError` for
    anything else (booleans included).

    >>> rational("1/10"), rational(0.5)
    (1/10, 1/2)
    >>> rational(0.1) == rational("1/10")
    False
    """
    if isinstance(value, fmpq):
        return value
    if isinstance(value, bool | np.bool_):
        raise DtypeError(f"{name}: got the boolean {value}, need a number")
    if isinstance(value, int | fmpz | np.integer):
        return fmpq(int(value))
    if isinstance(value, Fraction):
        return fmpq(value.numerator, value.denominator)
    if isinstance(value, str):
        try:
            return rational(Fraction(value))
        except (ValueError, ZeroDivisionError) as error:
            raise DataError(
                f"{name}: cannot read {value!r} as a fraction such as '1/10'"
            ) from error
    if isinstance(value, float | np.float64):
        if not np.isfinite(value):
            raise DataError(f"{name}: got {value}, need a finite number")
        return fmpq(*map(int, float(value).as_integer_ratio()))
    raise DtypeError(f"{name}: got {type(value).__name__}, need int, float, Fraction, fmpq or text")


def to_float(value: fmpq) -> float:
    """The float nearest to a rational (correctly rounded)."""
    return int(value.p) / int(value.q)


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

    def __post_init__(self) -> None:
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
        return fmpq(self.numerator[index], self.denominator)

    def entries(self) -> list[fmpq]:
        """All entries, row by row."""
        return [fmpq(e, self.denominator) for e in self.numerator.entries()]

    def rows(self, start: int, stop: int) -> RationalMatrix:
        """Rows start..stop-1."""
        return self.flat(start * self.shape[1], stop - start, self.shape[1])

    def column(self, j: int) -> RationalMatrix:
        """Column j as a (rows, 1) matrix."""
        entries = self.numerator.entries()[j :: self.shape[1]]
        return RationalMatrix(fmpz_mat(len(self), 1, entries), self.denominator)

    def flat(self, start: int, rows: int, columns: int) -> RationalMatrix:
        """The rows*columns entries from position `start` of the row-by-row order, reshaped."""
        entries = self.numerator.entries()[start : start + rows * columns]
        return RationalMatrix(fmpz_mat(rows, columns, entries), self.denominator)

    def _check_shape(self, other: RationalMatrix) -> None:
        if self.shape != other.shape:
            raise ShapeError(f"shapes {self.shape} and {other.shape} differ")

    def __add__(self, other: RationalMatrix) -> RationalMatrix:
        self._check_shape(other)
        p, q = self.denominator, other.denominator
        if p == q:
            return RationalMatrix(self.numerator + other.numerator, p)
        common = p.lcm(q)
        left, right = self.numerator * (common // p), other.numerator * (common // q)
        return RationalMatrix(left + right, common)

    def __neg__(self) -> RationalMatrix:
        return RationalMatrix(-self.numerator, self.denominator)

    def __sub__(self, other: RationalMatrix) -> RationalMatrix:
        return self + (-other)

    def __mul__(self, scalar: Scalar) -> RationalMatrix:
        scalar = rational(scalar, "scalar")
        return RationalMatrix(self.numerator * scalar.p, self.denominator * scalar.q)

    __rmul__ = __mul__

    def __truediv__(self, scalar: Scalar) -> RationalMatrix:
        return self * (1 / rational(scalar, "scalar"))

    def __matmul__(self, other: RationalMatrix) -> RationalMatrix:
        if self.shape[1] != other.shape[0]:
            raise ShapeError(f"cannot multiply shapes {self.shape} and {other.shape}")
        return RationalMatrix(
            self.numerator * other.numerator, self.denominator * other.denominator
        )

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
        return fmpq(min(self.numerator.entries()), self.denominator)

    def dot(self, other: RationalMatrix) -> fmpq:
        """Sum of the products of corresponding entries."""
        self._check_shape(other)
        if self.shape[1] == 1:
            total = (self.T.numerator * other.numerator)[0, 0]
        else:
            total = sum(map(mul, self.numerator.entries(), other.numerator.entries()), fmpz(0))
        return fmpq(total, self.denominator * other.denominator)

    def floats(self) -> np.ndarray:
        """The nearest float64 of every entry, shape (rows, columns)."""
        q = int(self.denominator)
        return np.array([int(e) / q for e in self.numerator.entries()]).reshape(self.shape)

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


def float_array(values: object, name: str) -> np.ndarray | None:
    """The (n, d) float64 array that `values` holds, a vector as a column; None for other types.

    A view of the caller's array, not a copy. Raises as `exact` does.
    """
    if isinstance(values, torch.Tensor):
        if values.dtype != torch.float64:
            kind = str(values.dtype).removeprefix("torch.")
            raise DtypeError(f"{name}: dtype {kind}, need float64 (convert with .double())")
        values = values.detach().cpu().numpy()
    if not isinstance(values, np.ndarray) or values.dtype == object:
        return None
    if values.dtype != np.float64:
        raise DtypeError(
            f"{name}: dtype {values.dtype}, need float64 (convert with .astype(float))"
        )
    array = values.reshape(-1, 1) if values.ndim == 1 else values
    if array.ndim != 2 or array.size == 0:
        raise ShapeError(f"{name}: shape {values.shape}, need (m,) or (n, d) with m, n, d >= 1")
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{name}: entry {index} is {array[index]}, need finite numbers")
    return array


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


def exact(values: object, name: str = "values") -> RationalMatrix:
    """Convert without rounding: float64 arrays and tensors, nested lists of numbers or text.

    One-dimensional input becomes a column (m, 1). Raises `DataError` (NaN, infinity, unreadable
    text), `DtypeError` (integer, boolean or float32 arrays: convert them yourself, explicitly)
    and `ShapeError` (empty, ragged, more than two dimensions).

    >>> exact(np.array([0.5, 3.0]))
    column(1/2, 3)
    >>> exact([["1/3", 2]])
    [[1/3, 2]]
    """
    if isinstance(values, RationalMatrix):
        return values
    array = float_array(values, name)
    if array is not None:
        return _from_floats(array)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise DtypeError(f"{name}: got {values!r}, need an array or a list of numbers")
    rows = [row if isinstance(row, list | tuple | np.ndarray) else [row] for row in values]
    if not rows or len({len(row) for row in rows}) != 1 or not len(rows[0]):
        raise ShapeError(f"{name}: need a non-empty list of numbers or of equally long rows")
    numbers = [rational(v, f"{name}[{i}]") for i, row in enumerate(rows) for v in row]
    common = fmpz(1)
    for number in numbers:
        common = common.lcm(number.q)
    integers = [number.p * (common // number.q) for number in numbers]
    return RationalMatrix(fmpz_mat(len(rows), len(rows[0]), integers), common)


def zeros(rows: int, columns: int = 1) -> RationalMatrix:
    """The zero matrix."""
    return RationalMatrix(fmpz_mat(rows, columns), fmpz(1))


def ones(rows: int) -> RationalMatrix:
    """A column of ones."""
    return RationalMatrix(fmpz_mat(rows, 1, [1] * rows), fmpz(1))


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
