r"""MNIST, CIFAR-10 and CIFAR-100 from OpenML, kept in a cache that notices every change.

The first load downloads (scikit-learn checks OpenML's MD5), decodes to bytes, and writes them with
a record of their SHA-256. Every later load computes the SHA-256 again; what does not fit its
record is refused. Nothing is downloaded when the cache is there.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml, get_data_home

from lscore.errors import DataError
from lscore.papers.milne2019.experiments.datasets import Dataset
from lscore.runs.sweeps import write_atomically

_CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck"


@dataclass(frozen=True)
class ImageSet:
    """What OpenML has to deliver: `rows` images of `shape` (channels, height, width).

    `data_id` is OpenML's number; the first `train` rows are for training. `classes` are the names
    of the labels 0, 1, ...
    """

    name: str
    data_id: int
    shape: tuple[int, int, int]
    rows: int
    train: int
    classes: tuple[str, ...]


IMAGE_SETS = {
    entry.name: entry
    for entry in (
        ImageSet("mnist", 554, (1, 28, 28), 70000, 60000, tuple("0123456789")),
        ImageSet("cifar10", 40927, (3, 32, 32), 60000, 50000, tuple(_CIFAR10.split())),
        ImageSet("cifar100", 41983, (3, 32, 32), 60000, 50000, tuple(map(str, range(100)))),
    )
}


def load_images(
    name: str | ImageSet,
    part: str = "train",
    *,
    folder: str | Path | None = None,
    dtype: type = np.float32,
    retries: int = 3,
) -> Dataset:
    """Images (n, channels, height, width), bytes divided by 255, with int64 labels.

    `name`: mnist, cifar10 or cifar100, or an `ImageSet`. `part`: train, test or all. `folder`
    holds the cache (default: ``lscore`` in scikit-learn's data home). float32 by default: CIFAR in
    float64 takes 1.5 GB. Raises `DataError` if there is neither a cache nor a network, if the
    download is not what it should be, or if the cache was changed.

    >>> IMAGE_SETS["cifar10"].shape, IMAGE_SETS["cifar10"].classes[3]
    ((3, 32, 32), 'cat')
    """
    if isinstance(name, str) and name not in IMAGE_SETS:
        raise DataError(f"name: got {name!r}, need one of {', '.join(IMAGE_SETS)}")
    spec = IMAGE_SETS[name] if isinstance(name, str) else name
    rows = {"train": slice(spec.train), "test": slice(spec.train, None), "all": slice(None)}
    if part not in rows:
        raise DataError(f"part: got {part!r}, need train, test or all")
    folder = Path(get_data_home()) / "lscore" if folder is None else Path(folder)
    images, labels = _cached(spec, folder, retries)
    X = images[rows[part]].astype(dtype)
    X /= 255
    return Dataset(spec.name, X, labels[rows[part]], "bytes divided by 255", spec.classes)


def _cached(spec: ImageSet, folder: Path, retries: int) -> tuple[np.ndarray, np.ndarray]:
    """Images in bytes and labels, from the cache, or downloaded and recorded there."""
    store, record = folder / f"{spec.name}.npz", folder / f"{spec.name}.sha256"
    again = f"delete {store.name} and {record.name} in {folder} to download again"
    if store.exists() != record.exists():
        missing = record.name if store.exists() else store.name
        raise DataError(f"{spec.name}: the cache has no {missing}; {again}")
    if not store.exists():
        images, labels = _download(spec, folder, retries)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, images=images, labels=labels)
        write_atomically(record, digest(images, labels).encode())
        write_atomically(store, buffer.getvalue())
        return images, labels
    try:
        with np.load(store, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{store.name}: cannot be read ({error}); {again}") from error
    recorded = record.read_text(encoding="ascii", errors="replace").strip()
    if digest(images, labels) != recorded:
        raise DataError(f"{store.name}: its SHA-256 is not the recorded one; {again}")
    _check(spec, images, labels)
    return images, labels


def digest(images: np.ndarray, labels: np.ndarray) -> str:
    """SHA-256 of dtypes, shapes and contents.

    >>> len(digest(np.zeros((1, 1), np.uint8), np.zeros(1, np.int64)))
    64
    """
    total = hashlib.sha256()
    for array in (images, labels):
        total.update(f"{array.dtype.str} {array.shape}\n".encode())
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()


def _download(spec: ImageSet, folder: Path, retries: int) -> tuple[np.ndarray, np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        X, y = fetch_openml(
            data_id=spec.data_id,
            data_home=folder,
            return_X_y=True,
            as_frame=False,
            parser="liac-arff",  # needs no pandas
            n_retries=retries,
        )
    except OSError as error:
        raise DataError(
            f"{spec.name}: not in {folder}, and OpenML cannot be reached ({error}); the first "
            "load needs a network"
        ) from error
    except ValueError as error:
        raise DataError(f"{spec.name}: OpenML's answer is unusable: {error}") from error
    if X.shape != (spec.rows, np.prod(spec.shape)):
        wanted = (spec.rows, int(np.prod(spec.shape)))
        raise DataError(f"{spec.name}: OpenML delivered {X.shape}, need {wanted}")
    images = X.astype(np.uint8)
    if not np.array_equal(images, X):
        raise DataError(f"{spec.name}: OpenML delivered values that are not bytes")
    labels = np.array([int(float(label)) for label in y], dtype=np.int64)
    images = images.reshape(-1, *spec.shape)
    _check(spec, images, labels)
    return images, labels


def _check(spec: ImageSet, images: np.ndarray, labels: np.ndarray) -> None:
    """What must hold for the arrays of this data set, whoever made them."""
    if images.shape != (spec.rows, *spec.shape) or images.dtype != np.uint8:
        raise DataError(f"{spec.name}: images {images.shape} {images.dtype}, need {spec.shape}")
    if labels.shape != (spec.rows,) or set(labels) != set(range(len(spec.classes))):
        raise DataError(f"{spec.name}: labels are not {spec.rows} of 0..{len(spec.classes) - 1}")
