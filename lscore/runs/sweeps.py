r"""Sweeps over settings and seeds that survive a crash, on processes or on a Dask cluster.

Every finished trial is a file before the next one starts: written under another name, flushed, and
renamed. A file carries the SHA-256 of its content and the task that it answers: setting, seed, and
the code of the trial (see `lscore.runs.identity`). So a killed sweep resumes where it stopped, an
edited trial starts anew, and a damaged file is reported and computed again. All results are read
back from the files, checked, in the order of the tasks: it makes no difference who computed them.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import platform
import re
import uuid
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from tqdm import tqdm

from lscore.errors import DataError, DtypeError
from lscore.runs.identity import fingerprint

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
    settings: Iterable[Mapping[str, object]],
    seeds: Iterable[int],
    folder: str | Path,
    *,
    jobs: int = 1,
    cluster: object = None,
    progress: bool = True,
) -> Sweep:
    """Run ``trial(seed=seed, **setting)`` for all settings and seeds; resume what is on disk.

    `trial` is a function that returns a mapping from names to numbers or arrays and depends on its
    arguments alone; one that is defined anew with other code is another trial, while results are
    trusted if only what it imports from other modules has changed: use another folder then.
    `settings` holds what JSON can hold, and each trial gets a copy of its own. `jobs` processes
    (joblib; one numerical thread each if more than one); or `cluster`, a ``distributed.Client`` or
    the address of a scheduler whose workers share the folder. `progress` shows a bar. Two sweeps
    may share a folder.

    Raises `DataError` for duplicate tasks and for results that are named like a setting or the
    seed, `DtypeError` for settings or results that cannot be stored and for trials that cannot be
    told apart. A trial that raises ends the sweep; what is finished stays on disk. Warns
    `DamagedResult`, also for a folder or a foreign file in the place of a result, which is moved
    aside or replaced.

    >>> import tempfile
    >>> def trial(seed, factor):
    ...     return {"draw": factor * seed}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = sweep(trial, [{"factor": 2}], range(3), folder, progress=False)
    ...     again = sweep(trial, [{"factor": 2}], range(4), folder, progress=False)
    >>> again.values("draw").tolist(), again.reused
    ([0, 2, 4, 6], 3)
    """
    folder, settings, seeds = Path(folder), list(settings), list(seeds)
    if folder.exists() and not folder.is_dir():
        raise DataError(f"folder: {folder} is a file, need a folder")
    for setting in settings:
        if not isinstance(setting, Mapping):
            raise DtypeError(f"settings: got {type(setting).__name__}, need a list of mappings")
    tasks = tuple((dict(setting), seed) for setting in settings for seed in seeds)
    identity = fingerprint(trial)
    names = [_task_name(trial, identity, *task) for task in tasks]
    if len(set(names)) < len(names):
        raise DataError("settings, seeds: a task occurs twice")
    folder.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
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
            if path.is_dir():
                path.rename(path.with_name(f"{path.name}.{uuid.uuid4().hex}.aside"))
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


def _task_name(trial: Callable, identity: str, setting: Mapping, seed: int) -> bytes:
    """The task in one line of JSON, which identifies its file."""
    if "seed" in setting:
        raise DataError("settings: one is named 'seed', need another name; seeds are an argument")
    task = {"trial": trial.__qualname__, "code": identity, "setting": dict(setting), "seed": seed}
    try:
        text = json.dumps(task, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DtypeError(f"settings, seeds: {error}, need what JSON can hold") from error
    if json.loads(text) != task:
        raise DtypeError(
            f"settings, seeds: {task['setting']} and {seed!r} come back from JSON as something "
            "else, need strings as names and lists instead of tuples"
        )
    return text.encode()


def check_names(setting: Mapping[str, object], results: Iterable[str]) -> None:
    """Raise `DataError` for a result that is named like the seed or a setting and would hide it.

    >>> check_names({"rate": 1}, ["loss", "rate"])
    Traceback (most recent call last):
    ...
    lscore.errors.DataError: trial: a result is named 'rate', as a setting or the seed is, rename it
    """
    for name in results:
        if name == "seed" or name in setting:
            raise DataError(
                f"trial: a result is named {name!r}, as a setting or the seed is, rename it"
            )


def _run(trial: Callable, setting: dict, seed: int, name: bytes, path: Path) -> None:
    found = trial(seed=seed, **copy.deepcopy(setting))
    if not isinstance(found, Mapping):
        raise DtypeError(f"trial: returned {type(found).__name__}, need a mapping from names")
    for key in found:
        if not isinstance(key, str) or not key.isprintable():
            raise DtypeError(f"trial: a result is named {key!r}, need printable text")
    check_names(setting, found)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, value in found.items():
            # a fixed date: equal results are equal files
            with archive.open(zipfile.ZipInfo(f"{key}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, _array(key, value), allow_pickle=False)
    content = name + b"\n" + buffer.getvalue()
    write_atomically(path, _MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def _array(key: str, value: object) -> np.ndarray:
    """A result as an array of numbers or text."""
    if _is_masked(value):
        raise DtypeError(f"trial: result {key!r} is masked, need numbers, nan where there are none")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists, tensors of other kinds
        raise DtypeError(f"trial: result {key!r}: {error}, need numbers or text") from error
    if array.dtype.hasobject:
        raise DtypeError(f"trial: result {key!r} has dtype object, need numbers or text")
    return array


def _is_masked(value: object) -> bool:
    """Whether numpy would read what a mask hides, also inside lists."""
    if isinstance(value, list | tuple):
        return any(_is_masked(entry) for entry in value)
    return isinstance(value, np.ma.MaskedArray)


def _read(path: Path, name: bytes) -> dict[str, np.ndarray]:
    """The arrays of a result file.

    Raises `FileNotFoundError` where nothing is, and `DataError` for what is not a whole file of
    arrays that answers this task.
    """
    if path.exists() and not path.is_file():
        raise DataError(f"{path.name}: is not a file")
    try:
        head, _, content = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(f"{path.name}: may not be read, {error.strerror}") from error
    if head != _MAGIC + hashlib.sha256(content).hexdigest().encode():
        raise DataError(f"{path.name}: content and checksum differ")
    found, _, payload = content.partition(b"\n")
    if found != name:
        raise DataError(f"{path.name}: holds the task {found.decode(errors='replace')}")
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            arrays = {
                entry.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(entry)), allow_pickle=False
                )
                for entry in archive.namelist()
            }
        check_names(json.loads(name)["setting"], arrays)
        return arrays
    except Exception as error:  # whatever a forged archive makes of zipfile and numpy
        raise DataError(f"{path.name}: {type(error).__name__}, {error}") from error


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that at any moment it is absent, or the old one, or whole."""
    path = Path(path)
    writer = f"{platform.node()}-{os.getpid()}"
    temporary = path.with_name(f".{path.name}.{writer}.{uuid.uuid4().hex}.tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers on this machine that are no longer alive."""
    pattern = re.compile(rf".*\.{re.escape(platform.node())}-(\d{{1,9}})\.[0-9a-f]{{32}}\.tmp")
    for leftover in folder.glob(".*.tmp"):
        writer = pattern.fullmatch(leftover.name)
        if writer and not _is_alive(int(writer[1])):
            leftover.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    """Whether a process may be running; always yes where signal 0 is not a mere question."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
