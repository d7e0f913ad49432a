r"""The door for arrays: which objects hold numbers, and which are refused by name.

Welcome are numpy arrays, dense torch tensors, and data frames and series (anything with
``to_numpy``; their labels are not data). Their entries are float64, integers or Python numbers:
everything that keeps its value. A masked array, a sparse tensor or a tensor without storage has
entries that are not there; narrow floats, booleans, text and dates would have to be cast. All of
these are refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from lscore.errors import DataError, DtypeError, ShapeError

WHOLE = 2**53  # integers up to here are floats


def number_array(values: object, name: str) -> np.ndarray | None:
    """The array of float64, integers or objects that `values` holds, any shape; else None.

    A view where possible. Raises `DtypeError` for what has entries that are no such numbers.

    >>> number_array(np.array([1, 2], dtype=">i2"), "X"), number_array([1, 2], "X")
    (array([1, 2], dtype='>i2'), None)
    >>> number_array(np.ma.masked_equal([1.0, 2.0], 2.0), "X")
    Traceback (most recent call last):
    ...
    lscore.errors.DtypeError: X: got a masked array, need one without a mask (.filled, .compressed)
    """
    cure = "convert with .astype(float)"
    if isinstance(values, torch.Tensor):
        check_stored(values, name)
        kind, cure = str(values.dtype).removeprefix("torch."), "convert with .double()"
        if (values.dtype != torch.float64 and "int" not in kind) or values.is_quantized:
            raise DtypeError(f"{name}: dtype {kind}, need float64 ({cure})")
        values = values.detach().cpu().resolve_neg().numpy()
    elif callable(getattr(values, "to_numpy", None)) and not isinstance(values, type):
        values = values.to_numpy()
    if not isinstance(values, np.ndarray):
        return None
    check_stored(values, name)
    kind = values.dtype.kind
    if kind not in "iufO" or (kind == "f" and values.dtype.itemsize != 8):
        raise DtypeError(f"{name}: dtype {values.dtype}, need float64 ({cure})")
    return np.asarray(values, np.float64 if kind == "f" else None)


def object_array(entries: Sequence[object], shape: tuple[int, ...] | None = None) -> np.ndarray:
    """An array of objects, filled one by one: numpy would unpack polynomials into coefficients."""
    array = np.empty(len(entries), dtype=object)
    for i, entry in enumerate(entries):
        array[i] = entry
    return array if shape is None else array.reshape(shape)


def check_stored(values: torch.Tensor | np.ndarray, name: str) -> None:
    """Raise `DtypeError` if entries are not there: masked, sparse, or on the meta device."""
    if isinstance(values, np.ma.MaskedArray):
        raise DtypeError(
            f"{name}: got a masked array, need one without a mask (.filled, .compressed)"
        )
    if isinstance(values, np.ndarray):
        return
    if values.layout != torch.strided or values.is_nested:
        kind = str(values.layout).removeprefix("torch.")
        raise DtypeError(f"{name}: got a tensor of layout {kind}, need a dense one (.to_dense())")
    if values.is_meta:
        raise DtypeError(f"{name}: got a tensor on the meta device, which holds no numbers")


def floating(z: torch.Tensor, name: str) -> torch.Tensor:
    """The tensor itself, if its numbers are real floating ones of any width; else `DtypeError`."""
    if not z.is_floating_point():
        raise DtypeError(f"{name}: dtype {z.dtype}, need floating numbers (use .double())")
    return z


def as_matrix(array: np.ndarray, name: str) -> np.ndarray:
    """The array as (n, d), a vector as a column; finite if it holds floats."""
    matrix = array.reshape(-1, 1) if array.ndim == 1 else array
    if matrix.ndim != 2 or matrix.size == 0:
        raise ShapeError(f"{name}: shape {array.shape}, need (m,) or (n, d) with m, n, d >= 1")
    if matrix.dtype == np.float64 and not np.isfinite(matrix).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(matrix))[0])
        raise DataError(f"{name}: entry {index} is {matrix[index]}, need finite numbers")
    return matrix


def float_matrix(values: object, name: str) -> np.ndarray | None:
    """The float64 array (n, d) that `values` holds, a vector as a column; None if not float64."""
    array = number_array(values, name)
    return as_matrix(array, name) if array is not None and array.dtype == np.float64 else None


def float_tensor(values: object, name: str) -> torch.Tensor:
    """The float64 tensor that `values` holds, without rounding; a float64 tensor is passed through.

    Raises `DtypeError` for lists, objects and other types, `DataError` for NaN, infinities and
    integers that no float holds.
    """
    array = number_array(values, name)
    if array is None or array.dtype == object:
        kind = type(values).__name__ if array is None else "an array of objects"
        raise DtypeError(
            f"{name}: got {kind}, need a float64 tensor or array, or a RationalMatrix: "
            f"exact({name})"
        )
    if (
        array.dtype != np.float64
        and array.size
        and not -WHOLE <= array.min() <= array.max() <= WHOLE
    ):
        raise DataError(f"{name}: has integers beyond 2^53, which are no floats: exact({name})")
    if not np.isfinite(array).all():
        raise DataError(f"{name}: has NaN or infinite entries, need finite numbers")
    if isinstance(values, torch.Tensor) and values.dtype == torch.float64:
        return values
    return torch.from_numpy(np.require(array, np.float64, ["C", "W", "E"]))
