"""The generated pages: what they say comes from the registry, the sources and stored outputs."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml
from bookext import head, link_claims, registry, tables
from docutils import nodes

from lscore.claims import CLAIMS, STANDINGS, Claim
from lscore.errors import DataError

ROWS = [row for rows in registry.verdicts().values() for row in rows]


# The book itself.


def test_every_claim_has_a_verdict_or_is_marked_as_observed():
    bare = [id for id, rows in registry.verdicts().items() if not rows]
    assert bare == [id for id, c in CLAIMS.items() if c.observed]


def test_no_verdict_is_open_or_rests_on_floats():
    assert {row["verdict"] for row in ROWS} <= {"certified", "refuted"}
    assert {row["method"] for row in ROWS} <= {"exact", "ball"}
    assert {row["claim"] for row in ROWS} <= set(CLAIMS)


@pytest.mark.parametrize("id", [c.id for c in CLAIMS.values() if c.erratum])
def test_every_erratum_has_an_executed_line(id):
    claim = CLAIMS[id]
    assert claim.shown, f"{id} has an erratum: give it shown=, a piece of a chapter's code"
    found = registry.shown(claim.shown)
    assert found, f"{id}: no chapter has a code line with {claim.shown!r}"
    assert found[2], f"{id}: the cell with {claim.shown!r} prints nothing"


def test_what_is_refuted_as_printed_has_an_erratum():
    refuted = [c for c in CLAIMS.values() if c.standing == "refuted as printed"]
    assert refuted
    assert all(c.erratum for c in refuted)


def test_every_claim_has_a_place():
    assert set(registry.places()) == set(CLAIMS)
    assert registry.places()["YUN-T1"] == (
        "book/spurious_minima/two_piece_activations",
        "thm-yun-t1",
    )


def test_the_ledger_has_a_row_for_every_claim_by_paper():
    text = tables.ledger()
    assert [text.count(f'id="ledger-{id.lower()}"') for id in CLAIMS] == [1] * len(CLAIMS)
    assert text.index("## Yun et al. 2019") < text.index("## Milne 2019")
    assert 'api/yun2019.html#lscore.papers.yun2019.two_piece.minimum.certify_spurious"' in text


def test_the_other_pages_hold_what_they_promise():
    own = [c.id for c in CLAIMS.values() if c.paper == "book"]
    assert all(f"<code>{id}</code>" in tables.beyond() for id in own)
    assert all(f"### {c.id}, " in tables.errata() for c in CLAIMS.values() if c.erratum)
    refuted = sum(row["verdict"] == "refuted" for row in ROWS)
    assert tables.counterexamples().count("<tr>") == refuted + 1
    assert tables.hypotheses().count("### [") == len(list(registry.hypotheses()))


# The parts, on small cases.


def test_a_claim_has_one_of_four_standings():
    assert Claim("X", "book", "i", "s").standing == "new"
    assert Claim("X", "yun2019", "i", "s").standing == "as in the paper"
    for paper, standing in (("yun2019", "new"), ("book", "sharpened"), ("yun2019", "fine")):
        with pytest.raises(DataError, match=f"standing: X has '{standing}'"):
            Claim("X", paper, "i", "s", standing=standing)
    assert {c.standing for c in CLAIMS.values()} == set(STANDINGS)


def write_chapter(root, name, text, rows=()):
    """A chapter of a small book, with stored verdicts and one code cell that prints 2."""
    path = root / "book" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    stored = '<script type="application/json" class="lscore-verdicts">{}</script>'
    html = stored.format(json.dumps(list(rows)).replace("<", "\\u003c"))
    cells = [
        {"cell_type": "markdown", "source": ["x\n"]},
        {"cell_type": "code", "source": ["a = 1\n", "a + 1"],
         "outputs": [{"data": {"text/plain": ["2"]}}]},
        {"cell_type": "code", "source": "", "outputs": [{"data": {"text/html": [html]}}]},
    ]  # fmt: skip
    path.with_suffix(".ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")


@pytest.fixture
def small(tmp_path):
    """A book of two chapters, the second one first in the table of contents."""
    row = {"claim": "YUN-T1", "decided": "a < b", "verdict": "certified", "method": "exact"}
    code = "```{code-cell} ipython3\na = 1\na + 1  # B-RAY\n```\n"
    stated = ":::{prf:theorem} YUN-T1, Theorem 1\n:label: thm-x\n\nTrue.\n:::\n"
    later = ":::{prf:lemma} YUN-T1, Step 2\n:label: lem-y\n\nTrue.\n:::\n"
    rows = [row, row | {"claim": "YUN-LA1"}, row | {"claim": "B-RAY"}]
    write_chapter(tmp_path, "part/one", f"# One\n\n{later}\nSee `YUN-LA1`.\n\n{code}", rows)
    write_chapter(tmp_path, "part/two", f"# Two\n\n{stated}\n## The hypotheses\n\n1. a\n\n## B\n")
    toc = "root: book/part/two.ipynb\nparts:\n- chapters:\n  - file: book/part/one.ipynb\n"
    (tmp_path / "_toc.yml").write_text(toc)
    return tmp_path


def test_a_small_book_is_read(small):
    two, one = registry.chapters(small)
    assert (two.title, one.title) == ("Two", "One")
    assert [row["claim"] for row in one.rows] == ["YUN-T1", "YUN-LA1", "B-RAY"]
    assert [row["chapter"] for row in registry.verdicts(small)["YUN-T1"]] == [one]
    places = registry.places(small)
    assert places["YUN-T1"] == ("book/part/two", "thm-x")  # the statement, not a step of it
    assert places["YUN-LA1"] == ("book/part/one", "claim-yun-la1")
    assert places["B-RAY"] == ("book/part/one", "verdicts")  # named in code only
    assert "YUN-T2" not in places
    assert list(registry.hypotheses(small)) == [(two, "1. a")]
    assert registry.shown("a = 1", small) == (one, "a = 1\na + 1", "2")
    assert registry.shown("a = 7", small) is None


def test_ids_are_whole_words():
    text = "YUN-T1, (YUN-B-T1-4) and LVB-T1; not XYUN-T1, YUN-T12 or B-T1-4"
    assert registry.ID.findall(text) == ["YUN-T1", "YUN-B-T1-4", "LVB-T1"]


def test_docstrings_link_claims_in_prose_only():
    lines = ["Source: YUN-T1, not `YUN-T2`.", "", ">>> f()  # YUN-T1", "certified [YUN-T1]", "",
             "See LVB-D1."]  # fmt: skip
    link_claims(None, None, None, None, None, lines)
    assert lines == ["Source: :claim:`YUN-T1`, not `YUN-T2`.", "", ">>> f()  # YUN-T1",
                     "certified [YUN-T1]", "", "See :claim:`LVB-D1`."]  # fmt: skip


def test_a_mark_is_filled_and_other_text_stays():
    assert tables.filled("a\n\n<!-- generated: counts -->\n\nb") == f"a\n\n{tables.counts()}\n\nb"
    assert tables.filled("a <!-- generated: counts -->") == "a <!-- generated: counts -->"
    assert tables.href("book/cells/clarke", "x") == "../cells/clarke.html#x"


def test_a_description_is_the_first_paragraph_cut_after_a_word():
    def page(text):
        return nodes.section("", nodes.paragraph("", "short"), nodes.paragraph("", text))

    assert head.description(page("A paragraph of more than thirty characters.")).endswith("ters.")
    assert head.description(page("word " * 60)) == ("word " * 40).strip() + " ..."
    assert head.description(None) == head.SITE
    said = head.metadata('A "title"', "about", "", "")
    assert '<meta property="og:title" content="A &quot;title&quot;">' in said
    assert "og:url" not in said


def test_without_an_address_nothing_is_derived():
    config = SimpleNamespace(html_theme_options={"repository_url": ""}, html_baseurl="")
    head.addressed(config)
    assert config.html_theme_options == {"repository_url": ""}
    elsewhere = SimpleNamespace(
        html_theme_options={"repository_url": "https://git.example/a/b/"}, html_baseurl=""
    )
    head.addressed(elsewhere)
    assert elsewhere.html_baseurl == ""
    assert "colab_url" not in elsewhere.html_theme_options["launch_buttons"]


WORDS = "Some words of at least thirty letters."
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": f"# One\n\n{WORDS}"},
    ],
    "metadata": {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.mark.parametrize("address", ["", "https://github.com/Owner/repo"])
def test_one_address_gives_buttons_and_canonical_links(address, tmp_path):
    config = yaml.safe_load((registry.ROOT / "_config.yml").read_text("utf-8"))
    config["repository"]["url"] = address
    options = config["sphinx"]["config"]
    for key in ("html_static_path", "templates_path"):
        options[key] = [str(registry.ROOT / path) for path in options[key]]
    config["sphinx"]["local_extensions"] = {"bookext": str(registry.ROOT / "book/_sphinx")}
    config["bibtex_bibfiles"] = [str(registry.ROOT / "book/references.bib")]
    config["html"].pop("favicon")
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: start\nchapters:\n- file: one.ipynb\n"
    )
    (tmp_path / "start.md").write_text(f"# Start\n\n{WORDS}\n")
    (tmp_path / "one.ipynb").write_text(json.dumps(NOTEBOOK))
    build = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", build, "build", str(tmp_path), "-W", "-n"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    page = (tmp_path / "_build/html/one.html").read_text("utf-8")
    assert f'<meta name="description" content="{WORDS}">' in page
    assert ('rel="canonical" href="https://owner.github.io/repo/one.html"' in page) == bool(address)
    for text in ("mybinder.org", "colab.research.google.com/github/Owner/repo",
                 "https://github.com/Owner/repo/issues", 'property="og:image"'):  # fmt: skip
        assert (text in page) == bool(address)
    assert ("has no address" in page) == (not address)
