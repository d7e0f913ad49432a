"""A reader changes a number and runs the page again: no page ends in a bare exception.

Each chapter names changes in its front matter. One of them is tried here, another one each time
the chapter is edited; LSCORE_CHANGES=all tries them all.
"""

import os
import zlib

import pytest
from chapters import CHANGED, code_cells, notebook, run, with_change

ALL = os.environ.get("LSCORE_CHANGES") == "all"


def chosen():
    """(chapter, change) for all changes, or for one of each chapter."""
    for path in CHANGED:
        names = list(notebook(path).metadata.get("changes", {}))
        pick = zlib.crc32(path.read_bytes()) % max(len(names), 1)
        yield from ((path, name) for name in (names if ALL else names[pick : pick + 1]))


@pytest.mark.parametrize("path", CHANGED, ids=lambda path: path.stem)
def test_each_chapter_names_three_changes_that_can_be_made(path):
    changes = notebook(path).metadata.get("changes", {})
    assert len(changes) >= 3
    for old, new in changes.values():
        assert with_change(code_cells(path), old, new) != code_cells(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "name"), [pytest.param(p, n, id=f"{p.stem}-{n}") for p, n in chosen()]
)
def test_a_changed_page_ends_in_its_table_and_without_bare_exception(path, name):
    old, new = notebook(path).metadata["changes"][name]
    trial = run(with_change(code_cells(path), old, new))
    assert trial.changed, "the change meets no input that page.given() marks"
    assert not trial.problems, "\n".join([*trial.problems, trial.printed])


# The test can fail, and a false caption is refused.

SETUP = 'from lscore.pages import Page, ledger\npage = Page("small")\n'
END = "ledger.Verdicts([])"


@pytest.fixture
def printed(monkeypatch):
    """A page "small" whose input x is 1 in print."""
    monkeypatch.setattr("lscore.pages.inputs.printed", lambda: ["small x 6b86b273ff34"])


def test_a_false_caption_is_refused(printed):
    cells = [SETUP + "x = 1\npage.given(x=x)", 'page.claim(x + 1 == 3, "the sum is 3")', END]
    assert run(cells).problems == ["code cell 2 ends in AssertionError: the sum is 3"]


def test_with_other_inputs_it_is_said_and_the_page_goes_on(printed):
    claim = 'page.claim(x + 1 == 2, "the sum is 2", f"the sum is {x + 1}")\n"shown"'
    trial = run([SETUP + "x = 2\npage.given(x=x)", claim, END])
    assert (trial.problems, trial.changed) == ([], ["x"])
    assert trial.printed.splitlines()[-1] == (
        "The page says: the sum is 2. With your x: the sum is 3."
    )


STEPS = ["from lscore import exact\ny = exact([x, 1])\nz = exact([[x], [x, 1]])", "z.T", END]


@pytest.mark.parametrize(
    ("x", "problems"),
    [
        (1, ["code cell 2 ends in ShapeError", "code cell 3 ends in NameError"]),
        (2, ["a length or type is fixed in the code"]),
    ],
)
def test_a_refusal_stops_one_cell_and_what_needs_it(x, problems, printed):
    trial = run([SETUP + f"x = {x}\npage.given(x=x)", *STEPS])
    assert all(map(str.startswith, trial.problems, problems))
    assert len(trial.problems) == len(problems)
    assert trial.stops == (0 if x == 1 else 2)


def test_an_input_that_is_refused_when_it_is_made_stops_its_cell(printed, monkeypatch):
    cells = [SETUP, 'from lscore import exact\nx = exact("a")\npage.given(x=x)', "x.T", END]
    trial = run(cells)
    assert (trial.changed, trial.stops) == (["x"], 2)
    assert trial.printed.startswith("With your x this cell stops: ")
    assert " ".join(trial.printed.split()).endswith("it needs x, which did not come out.")
    monkeypatch.setenv("LSCORE_RECORD", os.devnull)
    assert run(cells).problems[0].startswith("code cell 2 ends in ")


def test_an_error_of_the_reader_stops_its_cell_but_one_of_the_page_does_not(printed):
    start = SETUP + 'x = "a"\npage.given(x=x)'
    trial = run([start, "y = [x]\n{}[y[0]]", "z = 2\n1 / 0", END])
    assert trial.problems[0] == "a bare exception stops a cell: KeyError: 'a'"
    assert trial.problems[1] == "code cell 3 ends in ZeroDivisionError: division by zero"
    assert "With your x this cell stops: KeyError: 'a'." in trial.printed


def test_a_change_that_is_not_there_once_is_refused():
    with pytest.raises(AssertionError, match="occurs 2 times"):
        with_change(["a = 1", "b = 1"], "1", "2")
