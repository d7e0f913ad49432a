r"""Sweeps over settings and seeds that survive a crash, on processes or on a Dask cluster.

Every finished trial is a file before the next one starts: written under another name, flushed, and
renamed. A file carries the SHA-256 of its content and the task that it answers. So a killed sweep
resumes where it stopped, and a damaged file is reported and computed again. All results are read
back from the files, checked, in the order of the tasks: it makes no difference who computed them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import uuid
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm

from lscore.errors import DataError, DtypeError

_MAGIC = b"lscore trial 1 "


class DamagedResult(UserWarning):
    """A result file was not what it should be, and its trial is computed again."""


@dataclass(frozen=True)
class Sweep:
    """The results of a sweep: one mapping of names to arrays per (setting, seed), in that order.

    `reused` counts the trials that were on disk already; `damaged` names the files that were
    there but unusable.
    """

    tasks: tuple[tuple[dict, int], ...]
    results: tuple[dict[str, np.ndarray], ...]
    reused: int
    damaged: tuple[str, ...]

    def values(self, name: str) -> np.ndarray:
        """One quantity of all trials, stacked: (trials, ...)."""
        return np.stack([result[name] for result in self.results])


def sweep(
    trial: Callable[..., Mapping[str, object]],
    settings: Sequence[Mapping[str, object]],
    seeds: Iterable[int],
    folder: str | Path,
    jobs: int = 1,
    cluster: object = None,
    progress: bool = True,
) -> Sweep:
    """Run ``trial(seed=seed, **setting)`` for all settings and seeds; resume what is on disk.

    `trial` returns a mapping from names to numbers or arrays and depends on its arguments alone.
    `settings` holds what JSON can hold. `folder` belongs to one sweep at a time; use another one
    when the code of `trial` changes, for old results are trusted. `jobs` processes (joblib; one
    numerical thread each if more than one); or `cluster`, a ``distributed.Client`` or the address
    of a scheduler whose workers share the folder. `progress` shows a bar.

    Raises `DataError` for duplicate tasks, `DtypeError` for settings or results that cannot be
    stored. A trial that raises ends the sweep; what is finished stays on disk. Warns
    `DamagedResult`.

    >>> import tempfile
    >>> def trial(seed, factor):
    ...     return {"draw": factor * seed}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = sweep(trial, [{"factor": 2}], range(3), folder, progress=False)
    ...     again = sweep(trial, [{"factor": 2}], range(4), folder, progress=False)
    >>> again.values("draw").tolist(), again.reused
    ([0, 2, 4, 6], 3)
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink()
    seeds = list(seeds)
    tasks = tuple((dict(setting), seed) for setting in settings for seed in seeds)
    names = [_task_name(trial, *task) for task in tasks]
    if len(set(names)) < len(names):
        raise DataError("settings, seeds: a task occurs twice")
    paths = [folder / f"{hashlib.sha256(name).hexdigest()[:20]}.trial" for name in names]
    waiting, damaged = [], []
    for task, name, path in zip(tasks, names, paths, strict=True):
        try:
            _read(path, name)
        except FileNotFoundError:
            waiting.append((task, name, path))
        except DataError as error:
            warnings.warn(f"{error}; computed again", DamagedResult, stacklevel=2)
            damaged.append(path.name)
            waiting.append((task, name, path))
    with _backend(cluster, jobs):
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
        done = parallel(joblib.delayed(_run)(trial, *task, n, p) for task, n, p in waiting)
        bar = tqdm(total=len(tasks), initial=len(tasks) - len(waiting), disable=not progress)
        with bar:
            for _ in done:
                bar.update()
    results = tuple(_read(path, name) for path, name in zip(paths, names, strict=True))
    return Sweep(tasks, results, len(tasks) - len(waiting), tuple(damaged))


@contextmanager
def _backend(cluster: object, jobs: int):
    """Joblib's back end for the calls inside; an address is connected to and left again."""
    with ExitStack() as stack:
        if isinstance(cluster, str):
            from distributed import Client

            cluster = stack.enter_context(Client(cluster))
        if cluster is not None:
            stack.enter_context(joblib.parallel_config(backend="dask", client=cluster))
        elif jobs != 1:
            stack.enter_context(joblib.parallel_config(backend="loky", inner_max_num_threads=1))
        yield


def _task_name(trial: Callable, setting: Mapping[str, object], seed: int) -> bytes:
    """The task in one line of JSON, which identifies its file."""
    task = {"trial": trial.__qualname__, "setting": dict(setting), "seed": seed}
    try:
        return json.dumps(task, sort_keys=True).encode()
    except TypeError as error:
        raise DtypeError(f"settings, seeds: {error}, need what JSON can hold") from error


def _run(trial: Callable, setting: dict, seed: int, name: bytes, path: Path) -> None:
    arrays = {key: np.asarray(value) for key, value in trial(seed=seed, **setting).items()}
    for key, array in arrays.items():
        if array.dtype.hasobject:
            raise DtypeError(f"trial: result {key!r} has dtype object, need numbers or text")
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    content = name + b"\n" + buffer.getvalue()
    write_atomically(path, _MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def _read(path: Path, name: bytes) -> dict[str, np.ndarray]:
    """The arrays of a result file; raises `DataError` if it is not whole, or answers another
    task."""
    head, _, content = path.read_bytes().partition(b"\n")
    if head != _MAGIC + hashlib.sha256(content).hexdigest().encode():
        raise DataError(f"{path.name}: content and checksum differ")
    found, _, payload = content.partition(b"\n")
    if found != name:
        raise DataError(f"{path.name}: holds the task {found.decode()}")
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name}: {error}") from error


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that at any moment it is absent, or the old one, or whole."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
