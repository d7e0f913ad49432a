"""Cells that cannot go on say so, and the table of verdicts stands."""

import nbformat
import pytest
from nbclient import NotebookClient

from lscore.pages.ledger import Verdicts
from lscore.pages.stops import Missing, MissingError


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
