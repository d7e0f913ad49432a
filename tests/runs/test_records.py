"""A record keeps what a sweep found, survives the disk, and is refused when it is not whole."""

import json

import numpy as np
import pytest

from lscore.errors import DataError, DtypeError
from lscore.runs.records import Record, load_record, record
from lscore.runs.sweeps import Sweep, sweep


def trial(seed, base):
    return {"value": base**seed, "none": float("nan"), "path": [0.5, float("nan")]}


@pytest.fixture
def made(tmp_path):
    return record(sweep(trial, [{"base": 3}, {"base": 2}], [1, 2], tmp_path, progress=False))


def test_rows_hold_setting_seed_and_results(made):
    assert [row["value"] for row in made.rows] == [3, 9, 2, 4]
    row = {"base": 2, "seed": 2, "value": 4, "none": None, "path": [0.5, None]}
    assert made.where(base=2, seed=2) == [row]


def test_a_record_survives_the_disk(made, tmp_path):
    made.save(tmp_path / "a.json")
    assert load_record(tmp_path / "a.json") == made
    assert set(made.about["versions"]) == {"torch", "numpy", "scikit-learn"}


@pytest.mark.parametrize("lost", ["date", "machine", "versions"])
def test_a_record_that_is_not_whole_is_refused(made, tmp_path, lost):
    path = tmp_path / "a.json"
    about = {key: value for key, value in made.about.items() if key != lost}
    Record(about, made.rows).save(path)
    with pytest.raises(DataError, match=f"lacks {lost}"):
        load_record(path)
    path.write_text(json.dumps({"about": made.about, "rows": []}))
    with pytest.raises(DataError, match="lacks rows"):
        load_record(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"a line of text", b"[1, 2]", b'"about"', b'{"about": 3, "rows": [{}]}',
     b'{"about": {}, "rows": 7}', "{}".encode("utf-16")],
)  # fmt: skip
def test_a_file_that_is_no_record_is_refused(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError, match="path: "):
        load_record(tmp_path / "a.json")


@pytest.mark.parametrize("date", [None, 20260101.5, "soon"])
def test_a_record_of_no_day_is_refused(made, tmp_path, date):
    Record(made.about | {"date": date}, made.rows).save(tmp_path / "a.json")
    with pytest.raises(DataError, match="date is"):
        load_record(tmp_path / "a.json")


@pytest.mark.parametrize("name", ["seed", "base"])
def test_a_result_cannot_hide_the_seed_or_a_setting(name):
    done = Sweep((({"base": 1}, 7),), ({name: np.array(9)},), 0, ())
    with pytest.raises(DataError, match=f"a result is named '{name}'"):
        record(done)


@pytest.mark.parametrize("value", [np.inf, 1j, np.array([b"bytes"])])
def test_what_json_cannot_hold_is_refused(value):
    done = Sweep((({"base": 1}, 7),), ({"x": np.array(value)},), 0, ())
    with pytest.raises(DtypeError, match=r"sweep: seed 7: .*need what JSON can hold"):
        record(done)
