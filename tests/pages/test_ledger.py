"""The ledger shows what chapters stored, and nothing else."""

import json

import pytest
from cases import PARABOLA

from lscore import certify_affine_minimum
from lscore.claims import CLAIMS
from lscore.errors import DataError
from lscore.pages.ledger import Verdicts, claim_table, collect, missing_claims, verdict_table
from lscore.papers.yun2019 import certify_spurious, least_squares_minimum

W = least_squares_minimum(PARABOLA)
VERDICTS = Verdicts(
    [
        ("YUN-T1", "a & b", certify_spurious(PARABOLA, W)),
        ("YUN-B-T1-5", "moved", certify_affine_minimum(PARABOLA, W * 2)),
    ]
)
ROWS = [
    {"claim": "YUN-T1", "decided": "a & b", "verdict": "certified", "method": "exact"},
    {"claim": "YUN-B-T1-5", "decided": "moved", "verdict": "refuted", "method": "exact"},
]


OPEN, CLOSE = '<script type="application/json" class="lscore-verdicts">', "</script>"


def notebook(title, *shown):
    """The JSON of a notebook with stored HTML outputs, split into lines as nbformat does."""
    cells = [{"cell_type": "markdown", "source": ["intro\n", f"# {title}\n"]}]
    bundles = [{"text/html": text.splitlines(keepends=True)} for text in shown]
    outputs = [{"output_type": "display_data", "data": bundle} for bundle in bundles]
    cells.append({"cell_type": "code", "source": "", "outputs": outputs})
    return json.dumps({"cells": cells})


def test_verdicts_store_their_rows_and_print_them():
    assert VERDICTS.data() == ROWS
    assert repr(VERDICTS) == (
        "claim       what was decided  verdict    how\n"
        "YUN-T1      a & b             certified  exact\n"
        "YUN-B-T1-5  moved             refuted    exact"
    )


def test_the_html_form_is_stable_escaped_and_carries_the_rows():
    one = Verdicts([("YUN-T1", "a & </script>", VERDICTS.rows[0][2])])
    assert one._repr_html_() == (
        '<div class="lscore-ledger"><table><thead><tr><th>claim</th><th>what was decided</th>'
        "<th>verdict</th><th>how</th></tr></thead><tbody><tr><td><code>YUN-T1</code></td>"
        "<td>a &amp; &lt;/script&gt;</td>"
        '<td><strong class="lscore-certified">certified</strong></td><td>exact</td></tr></tbody>'
        f'</table></div>{OPEN}[{{"claim": "YUN-T1", "decided": "a & \\u003c/script>", '
        f'"verdict": "certified", "method": "exact"}}]{CLOSE}'
    )


def test_verdicts_take_known_claims_and_certificates_only():
    with pytest.raises(DataError, match="id: no claim 'YUN-T9'"):
        Verdicts([("YUN-T9", "x", VERDICTS.rows[0][2])])
    with pytest.raises(DataError, match="rows: YUN-T1 comes with bool, need a Certificate"):
        Verdicts([("YUN-T1", "x", True)])


def test_chapters_come_in_the_order_of_the_table_of_contents(tmp_path):
    book = tmp_path / "book"
    for name in ("a/one", "a/two", "b/three"):
        (book / name).parent.mkdir(parents=True, exist_ok=True)
        (book / f"{name}.ipynb").write_text(notebook(name, VERDICTS._repr_html_()))
    assert [row["chapter"] for row in collect(book)][::2] == ["a/one", "a/two", "b/three"]
    listed = "- file: book/b/three.ipynb\n- file: book/a/two.ipynb\n"
    (tmp_path / "_toc.yml").write_text(listed)
    assert [row["chapter"] for row in collect(book)][::2] == ["b/three", "a/two", "a/one"]


def test_stored_verdicts_are_collected_in_order_with_their_chapter(tmp_path):
    shown = VERDICTS._repr_html_()
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "b.ipynb").write_text(notebook("Second", "<p>other</p>", shown))
    (tmp_path / "a.ipynb").write_text(notebook("First", shown))
    (tmp_path / "c.ipynb").write_text(notebook("No verdicts", ""))
    for hidden in (".ipynb_checkpoints", "_build"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "a.ipynb").write_text(notebook("Hidden", shown))
    rows = collect(tmp_path)
    assert [row["chapter"] for row in rows] == ["First"] * 2 + ["Second"] * 2
    assert [row["path"] for row in rows] == ["a.ipynb"] * 2 + ["part/b.ipynb"] * 2
    assert [{key: row[key] for key in ROWS[0]} for row in rows] == ROWS * 2


def test_the_verdict_table_links_to_the_chapters():
    row = {**ROWS[0], "chapter": "A < B", "path": "part/a.ipynb"}
    table = verdict_table([row], "..")
    assert repr(table).splitlines()[1] == "YUN-T1  a & b             certified  exact  A < B"
    assert '<td><a href="../part/a.html">A &lt; B</a></td>' in table._repr_html_()
    assert "<td>a &amp; b</td>" in table._repr_html_()


def test_the_claim_table_has_every_claim_with_its_erratum():
    table = claim_table()
    assert [row[0] for row in table.rows] == list(CLAIMS)
    assert all(row[3] == (CLAIMS[row[0]].erratum or "-") for row in table.rows)
    assert table._repr_html_().count("<tr>") == len(CLAIMS) + 1


def test_a_book_without_verdicts_or_titles_is_an_error(tmp_path):
    with pytest.raises(DataError, match="book: no stored verdicts"):
        collect(tmp_path)
    text = notebook("x", VERDICTS._repr_html_()).replace("# x", "x")
    (tmp_path / "a.ipynb").write_text(text)
    with pytest.raises(DataError, match="book: a notebook with verdicts has no title"):
        collect(tmp_path)


def test_claims_that_no_chapter_decided_are_listed():
    decidable = [id for id, c in CLAIMS.items() if not c.observed]
    assert missing_claims(ROWS) == [id for id in decidable if id not in ("YUN-T1", "YUN-B-T1-5")]
    assert missing_claims([{"claim": id} for id in decidable]) == []


def test_only_tables_of_experiments_are_observed_and_the_table_says_so():
    assert [id for id, c in CLAIMS.items() if c.observed] == ["MILNE-Tab1", "MILNE-Tab2"]
    marked = [row[0] for row in claim_table().rows if "observed only" in row[2]]
    assert marked == ["MILNE-Tab1", "MILNE-Tab2"]
