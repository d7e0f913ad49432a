"""Fingerprints of inputs, and a notebook that is run, changed and run again."""

from fractions import Fraction

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient

from lscore import Network, Risk, certify_affine_minimum, exact, leaky_relu, rational, relu, tanh
from lscore.certificates import FactError
from lscore.errors import DataError
from lscore.pages import Page, attempt
from lscore.pages.inputs import describe, fingerprint
from lscore.pages.ledger import Verdicts
from lscore.pages.shared import same_number
from lscore.pages.stops import Missing, MissingError

NET = Network((1, 2, 1), relu)


def test_one_input_has_one_text_however_it_is_stored():
    kinds = [exact([[1], ["1/2"]]), np.array([[1], [0.5]]), torch.tensor([[1], [0.5]])]
    kinds += [[[1], [Fraction(1, 2)]], ((1.0,), (np.float32(0.5),))]
    assert {describe(kind) for kind in kinds} == {"[[1], [1/2]]"}
    assert describe({"b": True, "a": None}) == describe({"a": None, "b": True})
    assert describe(Risk(NET, [0, 1], [0, 1])) == describe(Risk(NET, [0, 1.0], [0, 1]))


def test_different_inputs_have_different_fingerprints():
    inputs = [1, "1", True, [1], 1e-9, 2, None, relu, leaky_relu(0.5), tanh, NET]
    inputs += [Network((1, 3, 1), relu), Network((1, 2, 1), relu, bias=False)]
    inputs += [Risk(NET, [0, 1], [0, 1]), Risk(NET, [0, 1], [0, 2]), Risk(NET, [0, 2], [0, 1])]
    inputs += [Risk(NET, [0, 1], [0, 1], weight_decay=1), torch.nn.Linear(1, 1), np.zeros, {1: 2}]
    assert len({fingerprint(value) for value in inputs}) == len(inputs)


def test_fingerprints_are_the_same_on_every_machine():
    assert fingerprint([0, 0.1, "1/10", relu]) == "b53c72c21d12"
    with pytest.raises(DataError, match="inputs: got a object, need"):
        fingerprint(object())


def test_a_changed_input_that_is_put_right_again_is_not_changed(monkeypatch, capsys):
    monkeypatch.setattr("lscore.pages.inputs.printed", lambda: [f"p x {fingerprint(1)}"])
    page = Page("p")
    page.given(x=2)
    assert page.changed == ["x"]
    page.claim(False, "x is 1")
    page.given(x=1)
    assert capsys.readouterr().out.splitlines() == [
        "Changed here: x. Captions and text speak of the printed one.",
        "The page says: x is 1. With your x: not so.",
    ]
    assert page.changed == []
    with pytest.raises(AssertionError, match="x is 1"):
        page.claim(False, "x is 1")


def test_a_certificate_says_what_it_is_asked_for_and_has_not():
    refuted = certify_affine_minimum(Risk(NET, [0, 1], [0, 1]), exact([0] * 7))
    assert refuted.values.get("radius") is None
    with pytest.raises(FactError, match="no 'radius' in this certificate, its verdict is"):
        refuted.values["radius"]


def test_a_missing_result_says_so_and_stands_in_the_table():
    missing = Missing("bad", "no such point")
    with pytest.raises(MissingError, match="needs bad, which did not come out"):
        missing.point()
    row = Verdicts([("YUN-T1", "spurious?", missing)]).data()[0]
    assert (row["verdict"], row["decided"]) == ("missing", "spurious?: no such point")


def test_an_attempt_never_ends_in_an_exception():
    assert attempt(same_number, ..., 1) == "not answered yet"
    assert attempt(same_number, "1/2", rational("1/2")) == "correct: 1/2"
    assert attempt(same_number, "3", 1) == "not yet: it is not 3"
    assert attempt(same_number, "half", 1).startswith("not yet: answer")


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
