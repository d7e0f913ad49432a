"""What the reference pages know: claims, where each is stated, who decides it, with what verdict.

Everything is read from the registry `lscore.claims`, the chapters' sources and stored outputs,
and the docstrings of lscore; nothing is listed here by hand.
"""

import functools
import importlib
import inspect
import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from lscore.claims import CLAIMS

ROOT = Path(__file__).resolve().parents[3]
ID = re.compile(r"(?<![\w-])(?:" + "|".join(sorted(CLAIMS, key=len, reverse=True)) + r")(?![\w-])")
_CODE = re.compile(r"^(`{3,}|:{3,})\{code-cell\}.*?^\1 *$", re.M | re.S)
_STORED = re.compile(
    r'<script type="application/json" class="lscore-verdicts">(.*?)</script>', re.S
)
_STATEMENT = re.compile(
    r"^[:`]{3,} *\{prf:(?!proof|ref)\w+\} *(?P<title>.*)\n(?:[ \t]*:(?!label).*\n)*"
    r"[ \t]*:label: *(?P<label>\S+)",
    re.M,
)


@dataclass(frozen=True)
class Chapter:
    """One page of the table of contents: its name without suffix, title, source and rows."""

    name: str
    title: str
    source: str
    rows: tuple[dict, ...]

    @property
    def prose(self) -> str:
        """The source without code cells."""
        return _CODE.sub("", self.source)


def toc_pages(root=ROOT):
    """The pages of the table of contents in order, without suffix."""

    def walk(node):
        if isinstance(node, list):
            return [page for item in node for page in walk(item)]
        if not isinstance(node, dict):
            return []
        own = [node[key] for key in ("root", "file") if key in node]
        return own + [page for value in node.values() for page in walk(value)]

    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    return [re.sub(r"\.(ipynb|md)$", "", page) for page in walk(toc)]


def _stored_rows(notebook):
    """The verdict rows in the stored outputs of a notebook."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            shown = "".join(output.get("data", {}).get("text/html", ""))
            for stored in _STORED.findall(shown):
                yield from json.loads(stored)


@functools.cache
def chapters(root=ROOT):
    """Every page that has a source, in the order of the table of contents."""
    found = []
    for name in toc_pages(root):
        path = root / f"{name}.md"
        if not path.exists():
            continue
        source, rows = path.read_text("utf-8"), ()
        if (twin := path.with_suffix(".ipynb")).exists():
            rows = tuple(_stored_rows(json.loads(twin.read_text("utf-8"))))
        title = re.search(r"^# (.+?)\s*$", source, re.M)
        found.append(Chapter(name, title[1] if title else name, source, rows))
    return tuple(found)


def verdicts(root=ROOT):
    """claim -> its stored rows, each with the chapter that decided it."""
    found = {id: [] for id in CLAIMS}
    for chapter in chapters(root):
        for row in chapter.rows:
            found.setdefault(row["claim"], []).append({**row, "chapter": chapter})
    return found


@functools.cache
def places(root=ROOT):
    """claim -> (page, anchor): its numbered statement, else its first mention, else its verdict.

    An anchor `claim-...` is set by the extension at the first mention in the page's prose.
    """
    stated, found = {}, {}
    for chapter in chapters(root):
        for match in _STATEMENT.finditer(chapter.source):
            for id in ID.findall(match["title"]):
                own = CLAIMS[id].item in match["title"]
                stated.setdefault(id, []).append((not own, chapter.name, match["label"]))
    decided = verdicts(root)
    for id, claim in CLAIMS.items():
        homes = list({row["chapter"].name: row["chapter"] for row in decided[id]}.values())
        named = [c for c in homes if id in ID.findall(c.prose)]
        if id in stated:
            found[id] = min(stated[id], key=lambda place: place[0])[1:]
        elif named:
            found[id] = (named[0].name, f"claim-{id.lower()}")
        elif homes:
            found[id] = (homes[0].name, "verdicts")
        else:
            same = [
                c for c in chapters(root) if claim.item in c.prose and claim.paper in _papers(c)
            ]
            if same:
                found[id] = (same[0].name, "")
    return found


def _papers(chapter):
    return {CLAIMS[row["claim"]].paper for row in chapter.rows}


@functools.cache
def functions(root=ROOT):
    """claim -> the public functions whose docstring names it, checkers first: (name, page, anchor).

    Only what stands on an API page counts.
    """
    found = {id: [] for id in CLAIMS}
    for page in sorted((root / "book/reference/api").glob("*.md")):
        for name in re.findall(r"automodule:: *(\S+)", page.read_text("utf-8")):
            module = importlib.import_module(name)
            for key, thing in vars(module).items():
                if key.startswith("_") or getattr(thing, "__module__", "") != name:
                    continue
                if not inspect.isfunction(inspect.unwrap(thing)) and not inspect.isclass(thing):
                    continue
                lines = (thing.__doc__ or "").splitlines()
                prose = "\n".join(lines[i] for i in prose_lines(lines))
                for id in dict.fromkeys(ID.findall(prose)):
                    place = (key, f"book/reference/api/{page.stem}", f"{name}.{key}")
                    found[id].append(place)
    for names in found.values():
        names.sort(key=lambda place: (not place[0].startswith("certify_"), place))
    return found


def prose_lines(lines):
    """The numbers of the lines of a docstring that are prose: no example, no output of one."""
    example = False
    for number, line in enumerate(lines):
        example = line.lstrip().startswith((">>>", "...")) or (example and bool(line.strip()))
        if not example:
            yield number


def hypotheses(root=ROOT):
    """(chapter, the Markdown of its section *The hypotheses*) for every chapter that has one."""
    for chapter in chapters(root):
        match = re.search(r"^## The hypotheses\n(.*?)(?=^## )", chapter.source, re.M | re.S)
        if match:
            yield chapter, match[1].strip()


def shown(line, root=ROOT):
    """The executed cell with this line: (chapter, source, plain output); None if there is none."""
    for chapter in chapters(root):
        twin = root / f"{chapter.name}.ipynb"
        if line not in chapter.source or not twin.exists():
            continue
        for cell in json.loads(twin.read_text("utf-8"))["cells"]:
            if cell["cell_type"] != "code" or line not in "".join(cell["source"]):
                continue
            texts = []
            for output in cell.get("outputs", []):
                text = output.get("text") or output.get("data", {}).get("text/plain", "")
                texts.append("".join(text).rstrip())
            return chapter, "".join(cell["source"]), "\n".join(t for t in texts if t)
    return None
