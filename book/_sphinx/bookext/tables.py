"""The generated reference pages: ledger, errata, beyond the papers, hypotheses.

A page names what it wants in a comment, `<!-- generated: ledger -->`; the extension puts the text
there when the book is built. All tables are plain HTML, complete without any script.
"""

import html
import posixpath
import re

from lscore.claims import CLAIMS, PAPERS, SHORT

from . import registry

MARK = re.compile(r"^<!-- generated: (\w+) -->$", re.M)
HERE = "book/reference"
FILTER = (  # stays hidden where no script runs; all rows are there then
    '<p class="lscore-filter" hidden><label for="lscore-filter">Show rows with</label> '
    '<input id="lscore-filter" type="search" autocomplete="off"> '
    '<output for="lscore-filter" aria-live="polite"></output></p>'
)


def href(page, anchor="", here=HERE):
    """The address of a page and anchor, seen from the folder `here`."""
    return posixpath.relpath(f"{page}.html", here) + (f"#{anchor}" if anchor else "")


def link(text, page, anchor="", code=False):
    """A link with escaped text."""
    shown = html.escape(text)
    if code:  # long names may break after an underscore
        shown = f"<code>{shown.replace('_', '_<wbr>')}</code>"
    return f'<a href="{html.escape(href(page, anchor))}">{shown}</a>'


def raw(text):
    """HTML as a block of MyST."""
    return f"```{{raw}} html\n{text}\n```"


def table(head, rows, caption, ids=None):
    """One table; `rows` hold ready HTML, the first cell of each is its row header."""
    heads = "".join(f'<th scope="col">{title}</th>' for title in head)
    body = []
    for number, row in enumerate(rows):
        own = f' id="{ids[number]}"' if ids else ""
        cells = "".join(f"<td>{cell}</td>" for cell in row[1:])
        body.append(f'<tr{own}><th scope="row">{row[0]}</th>{cells}</tr>')
    return (
        '<div class="lscore-ledger lscore-scroll" tabindex="0" role="region" '
        f'aria-label="{caption}">'
        f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def where(id):
    """The claim's ID as a link to its statement, plain where the book has none."""
    place = registry.places().get(id)
    return link(id, *place, code=True) if place else f"<code>{id}</code>"


def calls(id):
    """Links to the functions that speak of a claim, three at most."""
    names = registry.functions()[id][:3]
    return ", ".join(link(name, page, anchor, code=True) for name, page, anchor in names) or "-"


def decided(id):
    """The verdicts of a claim, each with what was asked, in one list."""
    items = []
    for row in registry.verdicts()[id]:
        word = f'<strong class="lscore-{row["verdict"]}">{row["verdict"]}</strong>'
        asked = link(row["decided"], row["chapter"].name, "verdicts")
        items.append(f"<li>{word} ({row['method']}): {asked}</li>")
    return f"<ul>{''.join(items)}</ul>" if items else "observed only, no verdict"


def ledger():
    """Every claim, by paper: statement, standing, verdicts, functions, erratum."""
    text = [raw(FILTER)]
    for key, paper in PAPERS.items():
        claims = [c for c in CLAIMS.values() if c.paper == key]
        rows = []
        for c in claims:
            fault = f"<br><em>Erratum:</em> {html.escape(c.erratum)}." if c.erratum else ""
            said = f"{html.escape(c.item)}: {html.escape(c.statement)}.{fault}"
            rows.append((where(c.id), said, c.standing, decided(c.id), calls(c.id)))
        head = ("claim", "statement", "standing", "verdicts", "functions")
        name = SHORT.get(key, "This book")
        ids = [f"ledger-{c.id.lower()}" for c in claims]
        text += [f"## {name}", f"{paper}.", raw(table(head, rows, f"Claims of {name}", ids))]
    return "\n\n".join(text)


def counts():
    """How many claims and verdicts there are, in one sentence."""
    rows = [row for rows in registry.verdicts().values() for row in rows]
    words = [f"{sum(r['verdict'] == w for r in rows)} {w}" for w in ("certified", "refuted")]
    open_ = sum(r["verdict"] == "unknown" for r in rows)
    words += [f"{open_} unknown"] if open_ else []
    decided_ = len({r["claim"] for r in rows})
    observed = sum(c.observed for c in CLAIMS.values())
    return (
        f"{len(CLAIMS)} claims; {len(rows)} verdicts on {decided_} of them: {', '.join(words)}. "
        f"{observed} tables of experiments were only observed and have none."
    )


def errata():
    """Every erratum with the executed cell that shows it and what the cell printed."""
    text = []
    for key, name in SHORT.items():
        faults = [c for c in CLAIMS.values() if c.paper == key and c.erratum]
        text += [f"## {name}"] if faults else []
        for c in faults:
            text.append(f"### {c.id}, {c.item}")
            said = html.escape(c.erratum[0].upper() + c.erratum[1:])
            text.append(raw(f"<p>{where(c.id)}, <em>{c.standing}</em>: {said}.</p>"))
            found = registry.shown(c.shown) if c.shown else None
            if not found:
                text.append("The chapter argues this; no line was executed for it.")
                continue
            chapter, source, printed = found
            source = re.sub(r"^(?:# Change:|page\.given\().*\n", "", source, flags=re.M)
            text.append(raw(f"<p>Executed in {link(chapter.title, chapter.name)}:</p>"))
            text.append(f"```{{code-block}} python\n{source}\n```")
            text.append(f"```{{code-block}} none\n{printed}\n```")
    return "\n\n".join(text)


def beyond():
    """What the book adds: the claims that are its own, with the place of the proof."""
    text = []
    groups = {"YUN": "yun2019", "LVB": "laurent2018", "HE": "he2020", "MILNE": "milne2019"}
    own = [c for c in CLAIMS.values() if c.paper == "book"]
    for prefix in (*groups, "B"):
        claims = [c for c in own if c.id.split("-")[0] == prefix]
        if not claims:
            continue
        name = f"Beyond {SHORT[groups[prefix]]}" if prefix in groups else "Of no single paper"
        rows = [
            (where(c.id), html.escape(f"{c.item}: {c.statement}."), proved(c.id), decided(c.id))
            for c in claims
        ]
        head = ("claim", "statement", "where", "verdicts")
        text += [f"## {name}", raw(table(head, rows, name))]
    return "\n\n".join(text)


def proved(id):
    """The chapter of a claim, as a link to the statement there."""
    place = registry.places().get(id)
    titles = {chapter.name: chapter.title for chapter in registry.chapters()}
    return link(titles[place[0]], *place) if place else "-"


def hypotheses():
    """The hypotheses of every chapter, each with its link to the cell that breaks it."""
    text = []
    for chapter, items in registry.hypotheses():
        address = posixpath.relpath(chapter.name, HERE)
        text += [f"### [{chapter.title}]({address}.md)".replace(".md", ".ipynb"), items]
    return "\n\n".join(text)


def counterexamples():
    """Every refuted verdict: what was asked, of which claim, in which chapter."""
    rows = []
    for id, found in registry.verdicts().items():
        for row in found:
            if row["verdict"] == "refuted":
                chapter = row["chapter"]
                place = link(chapter.title, chapter.name, "verdicts")
                rows.append((where(id), html.escape(row["decided"]), row["method"], place))
    head = ("claim", "what was asked", "how", "chapter")
    return raw(table(head, rows, "Refuted verdicts"))


PAGES = {
    "ledger": ledger,
    "counts": counts,
    "errata": errata,
    "beyond": beyond,
    "hypotheses": hypotheses,
    "counterexamples": counterexamples,
}


def filled(text):
    """The source of a page with its generated parts."""
    return MARK.sub(lambda match: PAGES[match[1]](), text)
