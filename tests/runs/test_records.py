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


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"value": 9', '"value": 8'),
        ('"seed": 2', '"seed": 3'),
        ('"none": null', '"none": 0'),
        ("cores", "kernels"),
        ('"date": "2', '"date": "1'),
    ],
)
def test_a_record_that_was_edited_is_refused(made, tmp_path, before, after):
    path = tmp_path / "a.json"
    made.save(path)
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(DataError, match=r"path: the record and its sha256 differ"):
        load_record(path)


def test_other_spaces_make_no_other_record(made, tmp_path):
    made.save(tmp_path / "a.json")
    (tmp_path / "b.json").write_text(json.dumps(json.loads((tmp_path / "a.json").read_text())))
    assert load_record(tmp_path / "b.json") == made


def test_a_record_that_lost_a_row_is_refused(made, tmp_path):
    path = tmp_path / "a.json"
    made.save(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:3] + lines[4:]))
    with pytest.raises(DataError, match=r"path: the record and its sha256 differ"):
        load_record(path)
    path.write_text(json.dumps({"about": made.about, "rows": made.rows}))
    with pytest.raises(DataError, match=r"path: the record lacks sha256"):
        load_record(path)


@pytest.mark.parametrize(
    ("about", "rows", "text"),
    [
        ({}, [1, 2], "a row of the record is not a mapping"),
        ({}, [{"a": 1}, None], "a row of the record is not a mapping"),
        ({"machine": None}, [{"a": 1}], "machine is None, need words"),
        ({"machine": ""}, [{"a": 1}], "machine is '', need words"),
        ({"versions": None}, [{"a": 1}], "versions are None, need names"),
        ({"versions": {}}, [{"a": 1}], "versions are {}, need names"),
        ({"versions": {"torch": 2}}, [{"a": 1}], "versions are {'torch': 2}, need names"),
    ],
)
def test_a_record_of_something_else_is_refused(made, tmp_path, about, rows, text):
    Record(made.about | about, rows).save(tmp_path / "a.json")
    with pytest.raises(DataError, match=f"path: .*{text}"):
        load_record(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('{"rows": [{"a": NaN}]}', "NaN is no finite number"),
        ('{"rows": [{"a": -Infinity}]}', "-Infinity is no finite number"),
        ('{"rows": [{"a": 1e999}]}', "1e999 is no finite number"),
        ('{"rows": [{"a": 1, "b": 2, "a": 1}]}', "the name 'a' occurs twice"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_a_record_never_holds_is_refused(tmp_path, content, text):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=f"path: .*{text}"):
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
