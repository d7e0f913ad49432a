r"""A sweep as one dated text file, to be read, compared and committed.

The files of a sweep are for resuming it. A record is for readers: one row per trial in JSON, with
the day, the machine in words and the versions, and a checksum of all that. `load_record` checks
that it is whole: that nothing was cut off, edited or damaged since it was saved.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from lscore.errors import DataError, DtypeError
from lscore.runs.sweeps import Sweep, check_names

VERSIONS = ("torch", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Record:
    """`rows`, one per trial: its setting, "seed" and results, None for nan; and `about`.

    `about` has the date (UTC), the machine in words, and the versions.
    """

    about: dict
    rows: list[dict]

    def where(self, **entries) -> list[dict]:
        """The rows with these entries.

        >>> Record({}, [{"a": 1, "b": 2}, {"a": 3, "b": 2}]).where(a=3)
        [{'a': 3, 'b': 2}]
        """
        return [row for row in self.rows if entries.items() <= row.items()]

    def save(self, path: str | Path) -> None:
        """Write the record as JSON, one row a line."""
        rows = ",\n".join(json.dumps(row, allow_nan=False) for row in self.rows)
        mark = json.dumps(_checksum(self.about, self.rows))
        text = f'{{"about": {json.dumps(self.about)},\n"sha256": {mark},\n"rows": [\n{rows}\n]}}\n'
        Path(path).write_text(text, encoding="utf-8")


def _checksum(about: dict, rows: list[dict]) -> str:
    """SHA-256 of a record's content, whatever the spaces and line ends of its file."""
    return hashlib.sha256(json.dumps([about, rows]).encode()).hexdigest()


def record(sweep: Sweep) -> Record:
    """The results of a sweep with today's date.

    Raises `DataError` for a result that is named like a setting or the seed, `DtypeError` for one
    that JSON cannot hold, such as an infinite or complex number.

    >>> import numpy as np
    >>> done = Sweep((({"model": "mlp"}, 3),), ({"share": np.array(0.5)},), 0, ())
    >>> record(done).rows
    [{'model': 'mlp', 'seed': 3, 'share': 0.5}]
    """
    about = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "versions": {name: version(name) for name in VERSIONS},
    }
    rows = []
    for (setting, seed), result in zip(sweep.tasks, sweep.results, strict=True):
        check_names(setting, result)
        plain = {name: _plain(array.tolist()) for name, array in result.items()}
        row = {**setting, "seed": seed, **plain}
        try:
            json.dumps(row, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise DtypeError(f"sweep: seed {seed}: {error}, need what JSON can hold") from error
        rows.append(row)
    return Record(about, rows)


def _plain(value):
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def load_record(path: str | Path) -> Record:
    """Read a record; `DataError` that names what is wrong if it is not whole.

    A record has a day, a machine and versions, rows that are mappings, finite numbers, no name
    twice in one mapping, and the checksum that `Record.save` wrote.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        hooks = {"object_pairs_hook": _mapping, "parse_float": _finite, "parse_constant": _finite}
        stored = json.loads(text, **hooks)
    except RecursionError as error:
        raise DataError(f"path: {path} is nested too deeply for a record") from error
    except ValueError as error:
        raise DataError(f"path: {path} is not JSON: {error}") from error
    stored = stored if isinstance(stored, dict) else {}
    about, rows = stored.get("about"), stored.get("rows")
    if not isinstance(about, dict) or not isinstance(rows, list):
        raise DataError(f"path: {path} is not a record, need about and rows")
    missing = [name for name in ("date", "machine", "versions") if name not in about]
    missing += [] if rows else ["rows"]
    missing += [] if "sha256" in stored else ["sha256"]
    if missing:
        raise DataError(f"path: the record lacks {', '.join(missing)}")
    try:
        datetime.date.fromisoformat(about["date"])
    except (TypeError, ValueError) as error:
        raise DataError(f"path: the record's date is {about['date']!r}, need a day") from error
    machine, versions = about["machine"], about["versions"]
    if not (isinstance(machine, str) and machine):
        raise DataError(f"path: the record's machine is {machine!r}, need words")
    if not (isinstance(versions, dict) and versions and _all_are(str, versions.values())):
        raise DataError(f"path: the record's versions are {versions!r}, need names with versions")
    if not _all_are(dict, rows):
        raise DataError("path: a row of the record is not a mapping from names to values")
    if stored["sha256"] != _checksum(about, rows):
        raise DataError("path: the record and its sha256 differ, it was changed after it was saved")
    return Record(about, rows)


def _all_are(kind: type, values: Iterable[object]) -> bool:
    return all(isinstance(value, kind) for value in values)


def _mapping(pairs: list[tuple[str, object]]) -> dict:
    names = [name for name, _ in pairs]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"the name {twice[0]!r} occurs twice")
    return dict(pairs)


def _finite(number: str) -> float:
    if not math.isfinite(float(number)):
        raise ValueError(f"{number} is no finite number")
    return float(number)
