"""The ledger: verdicts that chapters produced, gathered from their stored outputs.

A chapter ends by displaying `Verdicts`; its stored output carries them as data. The ledger page
reads those outputs, so it can only show what the chapters' own code decided.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lscore.certificates import Certificate
from lscore.claims import CLAIMS, SHORT, claim
from lscore.errors import DataError
from lscore.pages.stops import Missing

_OPEN, _CLOSE = '<script type="application/json" class="lscore-verdicts">', "</script>"


@dataclass(frozen=True)
class Table:
    """A table of text with a plain and an HTML form; `marked` holds ready HTML per cell."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(title)}</th>" for title in self.head)
        body = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in self.marked
        )
        return (
            f'<div class="lscore-ledger"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )


def _verdict(word: str) -> str:
    return f'<strong class="lscore-{word}">{word}</strong>'


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of one chapter: rows of (claim ID, what was decided, certificate).

    A certificate may be `Missing` where a reader's inputs gave none: its row says why. Raises
    `DataError` for an unknown claim ID or a row without a certificate.
    """

    rows: tuple[tuple[str, str, Certificate | Missing], ...]

    def __init__(self, rows: Iterable[tuple[str, str, Certificate | Missing]]):
        object.__setattr__(self, "rows", tuple(rows))
        for id, _, certificate in self.rows:
            claim(id)
            if not isinstance(certificate, Certificate | Missing):
                kind = type(certificate).__name__
                raise DataError(f"rows: {id} comes with {kind}, need a Certificate")

    def data(self) -> list[dict[str, str]]:
        """One dictionary per row, as stored in the notebook."""
        return [
            {"claim": id, "decided": f"{text}: {c.reason}", "verdict": "missing", "method": "-"}
            if isinstance(c, Missing)
            else {"claim": id, "decided": text, "verdict": str(c.verdict), "method": c.method}
            for id, text, c in self.rows
        ]

    def table(self) -> Table:
        """The rows as a table."""
        rows = [(r["claim"], r["decided"], r["verdict"], r["method"]) for r in self.data()]
        marked = [
            (f"<code>{id}</code>", html.escape(text), _verdict(verdict), method)
            for id, text, verdict, method in rows
        ]
        return Table(("claim", "what was decided", "verdict", "how"), tuple(rows), tuple(marked))

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_html_(self) -> str:
        stored = json.dumps(self.data()).replace("<", "\\u003c")
        return self.table()._repr_html_() + _OPEN + stored + _CLOSE


def collect(book: str | Path) -> list[dict[str, str]]:
    """All verdict rows stored in the notebooks below `book`, with chapter title and path.

    In the order of the table of contents beside `book` (then of the paths), and within a chapter of
    its rows. Raises `DataError` if none is found.
    """
    rows, contents = [], Path(book).resolve().parent / "_toc.yml"
    listed = contents.read_text(encoding="utf-8") if contents.exists() else ""
    for path in sorted(Path(book).rglob("*.ipynb"), key=lambda p: (_place(listed, p), p)):
        relative = path.relative_to(book)
        if any(part.startswith((".", "_")) for part in relative.parts):
            continue
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                shown = "".join(output.get("data", {}).get("text/html", ""))
                for stored in shown.split(_OPEN)[1:]:
                    for row in json.loads(stored.split(_CLOSE)[0]):
                        place = {"chapter": _title(notebook), "path": relative.as_posix()}
                        rows.append(row | place)
    if not rows:
        raise DataError("book: no stored verdicts in the notebooks below it")
    return rows


def _place(contents: str, path: Path) -> int:
    """Where a table of contents names a notebook; at the end if it does not."""
    at = contents.find("/".join(path.resolve().parts[-2:]))
    return at if at >= 0 else len(contents)


def verdict_table(rows: list[dict[str, str]], root: str) -> Table:
    """Collected rows as a table with links to the chapters; `root` leads to the book's folder."""
    plain = [(r["claim"], r["decided"], r["verdict"], r["method"], r["chapter"]) for r in rows]
    marked = []
    for row, cells in zip(rows, plain, strict=True):
        target = f"{root}/{row['path'].removesuffix('.ipynb')}.html"
        link = f'<a href="{html.escape(target)}">{html.escape(row["chapter"])}</a>'
        decided = html.escape(cells[1])
        marked.append((f"<code>{cells[0]}</code>", decided, _verdict(cells[2]), cells[3], link))
    head = ("claim", "what was decided", "verdict", "how", "chapter")
    return Table(head, tuple(plain), tuple(marked))


def claim_table() -> Table:
    """Every claim of the registry: ID, source, what it says, and our erratum."""
    rows = []
    for c in CLAIMS.values():
        source = c.item if c.paper == "book" else f"{SHORT[c.paper]}, {c.item}"
        statement = c.statement + (" (observed only, no verdict)" if c.observed else "")
        rows.append((c.id, source, statement, c.erratum or "-"))
    marked = [(f"<code>{row[0]}</code>", *map(html.escape, row[1:])) for row in rows]
    return Table(("claim", "source", "statement", "erratum"), tuple(rows), tuple(marked))


def missing_claims(rows: list[dict[str, str]]) -> list[str]:
    """Claims of the registry that no chapter decided, observations apart."""
    decided = {row["claim"] for row in rows}
    return [id for id, c in CLAIMS.items() if id not in decided and not c.observed]


def _title(notebook: dict) -> str:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for line in "".join(cell["source"]).splitlines():
                if line.startswith("# "):
                    return line[2:].strip()
    raise DataError("book: a notebook with verdicts has no title")
