"""A downloaded notebook runs in an empty folder, with nothing of the repository but lscore."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import refresh
from nbclient import NotebookClient

import lscore
from lscore.errors import DataError
from lscore.pages import stored_record

ROOT = Path(lscore.__file__).parents[1]
DOWNLOADED = {"intro": 99, "what_a_hessian_cannot_see": 99, "image_classification": 4}  # cells
BUILD = "import sys, setuptools.build_meta as b; print(b.build_wheel(sys.argv[1]))"
WHENCE = "import lscore, sys; sys.stdout.write(lscore.__file__)"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of a wheel of lscore, built from a copy of what the build reads."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "lscore", source / "lscore", ignore=shutil.ignore_patterns("__pyc*"))
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(made)], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    zipfile.ZipFile(next(made.glob("lscore-*.whl"))).extractall(made / "site")
    return made / "site"


@pytest.mark.slow
def test_a_wheel_has_every_file_of_the_package(installed):
    def files(folder):
        found = (path.relative_to(folder) for path in (folder / "lscore").rglob("*"))
        return {str(path) for path in found if path.suffix and "__pycache__" not in path.parts}

    assert files(installed) == files(ROOT)
    assert [name for name in files(installed) if name.endswith("digits_trials.json")]


def texts(outputs):
    return [output.get("text") for output in outputs or ()]


@pytest.mark.slow
@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_downloaded_notebook_runs_in_an_empty_folder(name, installed, tmp_path):
    stored = next(path for path in refresh.sources() if path.stem == name)
    notebook = nbformat.read(stored.with_suffix(".ipynb"), 4)
    notebook.cells = notebook.cells[: DOWNLOADED[name]]
    assert any("lscore" in cell.source for cell in notebook.cells if cell.cell_type == "code")
    before = [cell.get("outputs") for cell in notebook.cells]
    notebook.cells.insert(0, nbformat.v4.new_code_cell(WHENCE))
    client = NotebookClient(notebook, timeout=300, record_timing=False, coalesce_streams=True)
    client.resources = {"metadata": {"path": str(tmp_path)}}
    env = os.environ | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    client.execute(env=env)
    whence, *cells = notebook.cells
    assert whence.outputs[0].text.startswith(str(installed))
    for cell, old in zip(cells, before, strict=True):
        assert texts(cell.get("outputs")) == texts(old), cell.source
    assert not list(tmp_path.iterdir())


def test_no_page_opens_a_file_of_the_repository():
    for path in refresh.sources():
        for cell in refresh.read_source(path).cells:
            if cell.cell_type == "code":
                assert not re.search(r"_static|\.\./|\bopen\(|read_text", cell.source), path


def test_the_record_of_the_book_is_whole():
    rows = stored_record("digits_trials").rows
    tasks = {(row["model"], row.get("curve"), row["seed"]) for row in rows}
    assert len(tasks) == len(rows)
    with pytest.raises(DataError, match="name: no record 'mnist', known are digits_trials"):
        stored_record("mnist")
