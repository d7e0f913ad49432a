"""Cells that cannot go on say so, and the table of verdicts stands."""

import ast

import nbformat
import pytest
from nbclient import NotebookClient

from lscore import two_piece
from lscore.errors import DataError
from lscore.pages import Page
from lscore.pages.inputs import fingerprint
from lscore.pages.ledger import Verdicts
from lscore.pages.stops import Missing, MissingError, Protect


def test_a_missing_result_says_so_and_stands_in_the_table():
    missing = Missing("bad", "no such point")
    with pytest.raises(MissingError, match="needs bad, which did not come out"):
        missing.point()
    row = Verdicts([("YUN-T1", "spurious?", missing)]).data()[0]
    assert (row["verdict"], row["decided"]) == ("missing", "spurious?: no such point")


CELLS = """\
from lscore.pages import Page
page = Page("an unprinted page")
---
x = 0
page.given(x=x)
from lscore import two_piece
h = two_piece(x, 1)
h.name
---
h = two_piece(x + 1, x + 1)
after = 1
h.name
---
print(h.slopes)
---
after
---
x;
"""


def test_cells_of_a_notebook_are_protected():
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.split("---\n")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3").execute()  # no cell ends in an exception
    texts = ["".join(o.get("text") or o["data"]["text/plain"] for o in c.outputs) for c in cells]
    assert texts[1].endswith("'two-piece (0, 1)'")
    assert texts[2].startswith("With your x this cell stops: s_plus, s_minus: both are 1")
    assert " ".join(texts[3].split()).endswith("it needs h, which did not come out.")
    assert texts[4].startswith("Missing(name='after'")
    assert texts[5] == ""


def run(monkeypatch, capsys, printed, *cells):
    """What the cells of a page print, each protected, and the page; `printed` are its inputs."""
    marks = [f"p {name} {fingerprint(value)}" for name, value in printed.items()]
    monkeypatch.setattr("lscore.pages.inputs.printed", lambda: marks)
    names = {"page": Page("p"), "two_piece": two_piece}
    for source in cells:
        exec(compile(Protect().visit(ast.parse(source)), "cell", "exec"), names)
    return " ".join(capsys.readouterr().out.split()), names


FAILS = "found = two_piece(1, 1)"


def test_a_printed_input_whose_name_is_used_again_is_no_changed_one(monkeypatch, capsys):
    with pytest.raises(DataError, match="both are 1"):
        run(monkeypatch, capsys, {"w": 3}, "page.given(w=3)", "w = 5", FAILS)
    said, _ = run(monkeypatch, capsys, {"w": 3}, "w = 5", FAILS)  # never marked, hence looked at
    assert said.startswith("Changed here: w.")


@pytest.mark.parametrize("use", ["page.claim(found, 'all hold')", "found == 3", "not found"])
def test_a_missing_result_is_neither_true_nor_equal_nor_different(monkeypatch, capsys, use):
    said, names = run(monkeypatch, capsys, {"n": 3}, "page.given(n=4)", FAILS, f"passed = {use}")
    assert said.endswith("this cell stops: it needs found, which did not come out.")
    assert isinstance(names["passed"], Missing)


def test_a_missing_result_inside_a_function_is_said_too(monkeypatch, capsys):
    cells = "def later(): return found[0]", "page.given(n=4)", FAILS, "later()"
    said, _ = run(monkeypatch, capsys, {"n": 3}, *cells)
    assert said.endswith("this cell stops: this needs found, which did not come out.")


def test_half_a_list_and_an_import_that_did_not_run_are_missing(monkeypatch, capsys):
    start = "import numpy as np\nrows, table = [], {}\npage.given(n=4)"
    loop = "for k in range(2):\n    rows.append(np.append([], 1))\n    table[k] = two_piece(k, 1)"
    _, names = run(monkeypatch, capsys, {"n": 3}, start, loop + "\nfrom math import pi as circle")
    assert {key for key, value in names.items() if isinstance(value, Missing)} == {
        "rows", "table", "k", "circle"
    }  # fmt: skip
