"""Claims: known sources, citations in prose and in BibTeX."""

from pathlib import Path

import pytest
from certificates import make
from pybtex.database import parse_string

from lscore import Certificate
from lscore.claims import CLAIMS, PAPERS, cite, claim
from lscore.errors import DataError

ROOT = Path(__file__).parents[2]


def test_an_unknown_claim_is_refused_by_name():
    with pytest.raises(DataError, match="id: no claim 'YUN-T9', known are YUN-T1"):
        Certificate("YUN-T9", "s", "unknown", "exact", reason="r")
    with pytest.raises(DataError, match="id: no claim"):
        claim("")


def test_cite_gives_the_paper_the_theorem_and_our_erratum():
    assert make("unknown", reason="r").cite() == (
        "YUN-T1: C. Yun, S. Sra, A. Jadbabaie, Small nonlinearities in activation functions create "
        "bad local minima in neural networks, ICLR 2019, Theorem 1. Erratum: footnote 1 asks that "
        "no linear map fits X; the theorem needs that no affine map does"
    )
    assert claim("YUN-B-T1-5").cite() == (
        "YUN-B-T1-5: Loss surfaces, executed (this book), dead network."
    )


def fields_of(text):
    """The fields of each BibTeX entry by its key, as a parser reads them."""
    entries = parse_string(text, "bibtex").entries
    people = {key: [str(p) for p in e.persons["author"]] for key, e in entries.items()}
    return {key: dict(e.fields) | {"author": people[key]} for key, e in entries.items()}


def test_every_claim_is_a_bibtex_entry_with_the_fields_of_the_bibliography():
    known = fields_of((ROOT / "book" / "references.bib").read_text("utf-8"))
    for id, entry in CLAIMS.items():
        ((key, found),) = fields_of(entry.cite(bibtex=True)).items()
        assert id.replace("_", r"\_") in found["note"]
        assert ("annote" in found) == bool(entry.erratum and entry.paper != "book")
        if entry.paper != "book":
            assert {name: found[name] for name in known[key]} == known[key]
        else:
            assert found["title"] == "Loss surfaces, executed"


def test_the_readme_shows_the_entry_of_the_package():
    assert cite() in (ROOT / "README.md").read_text("utf-8")
    assert make("unknown", reason="r").cite(bibtex=True).startswith("@inproceedings{yun2019small,")


def test_every_claim_has_a_known_source_and_says_something():
    for id, entry in CLAIMS.items():
        assert entry.id == id
        assert entry.paper in PAPERS
        assert entry.item
        assert entry.statement
