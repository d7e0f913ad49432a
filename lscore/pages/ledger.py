"""The verdicts of a chapter.

A chapter ends by displaying `Verdicts`; its stored output carries them as data. The ledger page
reads those outputs, so it can only show what the chapters' own code decided.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lscore.certificates import Certificate
from lscore.claims import claim
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

    A mapping of names to certificates makes a row of each. A certificate may be `Missing` where a
    reader's inputs gave none: its row says why. Raises `DataError` for an unknown claim ID or a row
    without a certificate.
    """

    rows: tuple[tuple[str, str, Certificate | Missing], ...]

    def __init__(self, rows: Iterable[tuple[str, str, Certificate | Missing]]):
        several = [
            (id, f"{text} {name}".strip(), answer)
            for id, text, found in rows
            for name, answer in (found if isinstance(found, Mapping) else {"": found}).items()
        ]
        object.__setattr__(self, "rows", tuple(several))
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
