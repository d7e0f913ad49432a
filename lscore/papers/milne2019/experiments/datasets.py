"""Real data with shapes and scale stated: scikit-learn's small sets, offline, split by seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sklearn import datasets as sklearn_datasets

from lscore.errors import DataError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs X (n, ...) and labels y (n,) or (n, k), with the scale of X in words.

    Class labels are int64 and index `classes`; regression targets are float64 and `classes` is
    empty.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    scale: str
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.X)

    def take(self, rows: np.ndarray | slice) -> Dataset:
        """The data set with these rows only, in this order."""
        return replace(self, X=self.X[rows], y=self.y[rows])

    def split(self, test: float = 0.2, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Training and test part: a permutation by seed, the first round(test * n) rows test.

        Raises `DataError` if a part would be empty.
        """
        size = round(test * len(self))
        if not 0 < size < len(self):
            raise DataError(f"test: got {test}, which puts {size} of {len(self)} rows aside")
        order = np.random.default_rng(seed).permutation(len(self))
        return self.take(order[size:]), self.take(order[:size])


def _digits(bunch) -> np.ndarray:
    return (bunch.images / 16)[:, None]


def _table(bunch) -> np.ndarray:
    return bunch.data


_SETS: dict[str, tuple[Callable, Callable, str]] = {
    "digits": (
        sklearn_datasets.load_digits,
        _digits,
        "images (n, 1, 8, 8), grey values of 0 to 16 divided by 16",
    ),
    "iris": (sklearn_datasets.load_iris, _table, "lengths and widths in cm"),
    "wine": (sklearn_datasets.load_wine, _table, "as measured, mixed units"),
    "breast_cancer": (sklearn_datasets.load_breast_cancer, _table, "as measured, mixed units"),
    "diabetes": (
        sklearn_datasets.load_diabetes,
        _table,
        "columns with mean 0 and sum of squares 1",
    ),
    "linnerud": (sklearn_datasets.load_linnerud, _table, "numbers of repetitions"),
}


def load(name: str) -> Dataset:
    """One of scikit-learn's sets, without a network: float64 inputs, classes int64.

    digits (1797, 1, 8, 8), 10 classes; iris (150, 4), 3; wine (178, 13), 3; breast_cancer
    (569, 30), 2; diabetes (442, 10) with targets (442,); linnerud (20, 3) with targets (20, 3).
    Raises `DataError` listing the names.

    >>> digits = load("digits")
    >>> digits.X.shape, float(digits.X.max()), len(digits.classes)
    ((1797, 1, 8, 8), 1.0, 10)
    >>> [len(part) for part in digits.split(test=0.25, seed=1)]
    [1348, 449]
    """
    if name not in _SETS:
        raise DataError(f"name: got {name!r}, need one of {', '.join(_SETS)}")
    loader, read, scale = _SETS[name]
    bunch = loader()
    is_classes = name not in ("diabetes", "linnerud")
    y = bunch.target.astype(np.int64 if is_classes else np.float64)
    classes = tuple(map(str, bunch.target_names)) if is_classes else ()
    return Dataset(name, np.ascontiguousarray(read(bunch), dtype=np.float64), y, scale, classes)
