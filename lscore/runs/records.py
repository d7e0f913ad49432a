r"""A sweep as one dated text file, to be read, compared and committed.

The files of a sweep are for resuming it. A record is for readers: one row per trial in JSON, with
the day, the machine in words and the versions. `load_record` checks that it is whole.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import platform
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
        text = f'{{"about": {json.dumps(self.about)},\n"rows": [\n{rows}\n]}}\n'
        Path(path).write_text(text, encoding="utf-8")


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
    """Read a record; `DataError` if it is not whole: no date, machine, versions, or no rows."""
    try:
        stored = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"path: {path} is not JSON: {error}") from error
    stored = stored if isinstance(stored, dict) else {}
    about, rows = stored.get("about"), stored.get("rows")
    if not isinstance(about, dict) or not isinstance(rows, list):
        raise DataError(f"path: {path} is not a record, need about and rows")
    missing = [name for name in ("date", "machine", "versions") if name not in about]
    missing += [] if rows else ["rows"]
    if missing:
        raise DataError(f"path: the record lacks {', '.join(missing)}")
    try:
        datetime.date.fromisoformat(about["date"])
    except (TypeError, ValueError) as error:
        raise DataError(f"path: the record's date is {about['date']!r}, need a day") from error
    return Record(about, rows)
