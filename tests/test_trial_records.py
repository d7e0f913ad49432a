"""A record keeps what a sweep found, survives the disk, and is refused when it is not whole."""

import json

import pytest

from lscore.errors import DataError
from lscore.sweeps import sweep
from lscore.trial_records import Record, load_record, record


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
