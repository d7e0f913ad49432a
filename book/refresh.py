"""Keep the chapters' text sources and their executed notebooks together.

A chapter is written in `name.md` (a MyST text notebook) and shown from `name.ipynb`, which is
committed with its outputs. This script executes the text and writes the notebook; running it
twice writes the same bytes.

    python book/refresh.py                what is stale
    python book/refresh.py NAME ...       these chapters, stale or not
    python book/refresh.py --all          everything
    python book/refresh.py --check        execute nothing, name every problem
"""

import argparse
import base64
import hashlib
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

BOOK = Path(__file__).resolve().parent
PICTURE = "_static/landing.png"
LAST = "ledger"  # reads the stored outputs of all other notebooks
RAW_FLOAT = re.compile(r"\d\.\d{12,}")


def sources(book=BOOK):
    """Return the text notebooks under `book`, the ledger last."""
    found = [
        path
        for path in Path(book).rglob("*.md")
        if not any(part.startswith((".", "_")) for part in path.relative_to(book).parts)
        and re.match(r"---\n(?:(?!---\n).*\n)*?jupytext:", path.read_text("utf-8"))
    ]
    return sorted(found, key=lambda path: (path.stem == LAST, path))


def read_source(path):
    """Read a text notebook and give each cell an id made from its content."""
    notebook = jupytext.read(path)
    seen = set()
    for cell in notebook.cells:
        text, salt = f"{cell.cell_type}\n{cell.source}", 0
        while (key := hashlib.sha1(f"{text}{salt or ''}".encode()).hexdigest()[:8]) in seen:
            salt += 1
        seen.add(key)
        cell["id"] = key
    notebook.metadata["jupytext"] = {
        "default_lexer": "ipython3",
        "formats": notebook.metadata["jupytext"].get("formats"),
    }
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def refresh(path):
    """Execute one text notebook in its own folder and write its twin; on an error write nothing."""
    notebook = read_source(path)
    metadata = dict(notebook.metadata)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=600,
        record_timing=False,
        resources=resources,
        coalesce_streams=True,
    ).execute()
    notebook.metadata = nbformat.from_dict(metadata)
    path.with_suffix(".ipynb").write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def output_texts(cell):
    """Yield every piece of text that a code cell has stored."""
    for output in cell.outputs:
        yield output.get("text", "")
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield data


def pair_problems(path):
    """Return what is wrong between a text notebook and its twin, and with the stored outputs."""
    twin = path.with_suffix(".ipynb")
    if not twin.exists():
        return [f"{path.name}: has no executed twin {twin.name}"]
    text, stored, found = read_source(path), nbformat.read(twin, as_version=4), []
    if text.metadata != stored.metadata:
        found.append(f"{twin.name}: notebook metadata differs from {path.name}")
    if len(text.cells) != len(stored.cells):
        found.append(f"{twin.name}: {len(stored.cells)} cells, {path.name}: {len(text.cells)}")
    for number, (mine, theirs) in enumerate(zip(text.cells, stored.cells, strict=False)):
        for key in ("cell_type", "source", "metadata"):
            if mine[key] != theirs[key]:
                found.append(f"{twin.name}: {key} of cell {number} differs from {path.name}")
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append(f"{twin.name}: not executed in one go from top to bottom")
    for number, cell in enumerate(code, start=1):
        for raw in RAW_FLOAT.findall("\n".join(output_texts(cell))):
            found.append(f"{twin.name}: code cell {number} prints a raw float ({raw}...)")
        if any(output.get("name") == "stderr" for output in cell.outputs):
            found.append(f"{twin.name}: code cell {number} writes to stderr")
    return found


def landing_picture(book):
    """Return the first figure of the landing page, which README.md shows, or None."""
    page = Path(book) / "intro.ipynb"
    if not page.exists():
        return None
    for cell in nbformat.read(page, as_version=4).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                return base64.b64decode(output["data"]["image/png"])
    return None


def problems(book=BOOK):
    """Return every problem of every pair under `book` as one sentence each."""
    texts = sources(book)
    found = [problem for path in texts for problem in pair_problems(path)]
    for twin in sorted(Path(book).rglob("*.ipynb")):
        hidden = any(part.startswith((".", "_")) for part in twin.relative_to(book).parts)
        if not hidden and twin.with_suffix(".md") not in texts:
            found.append(f"{twin.name}: has no text notebook {twin.stem}.md")
    picture = Path(book) / PICTURE
    if (figure := landing_picture(book)) and not (
        picture.exists() and picture.read_bytes() == figure
    ):
        found.append(f"{picture.name}: is not the figure of the landing page")
    return found


def main(argv=None, book=BOOK):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="chapters, by file name without suffix")
    parser.add_argument("--all", action="store_true", help="refresh everything")
    parser.add_argument("--check", action="store_true", help="execute nothing, name every problem")
    args = parser.parse_args(argv)
    if args.check:
        found = problems(book)
        print("\n".join(found) if found else "every pair is in step")
        return 1 if found else 0
    texts = sources(book)
    names = {Path(name).stem for name in args.names}
    if unknown := names - {path.stem for path in texts}:
        parser.error(f"no such chapter: {', '.join(sorted(unknown))}")
    chosen = [p for p in texts if p.stem in names or args.all or (not names and pair_problems(p))]
    if chosen:
        chosen += [path for path in texts if path.stem == LAST and path not in chosen]
    for path in (bar := tqdm(chosen, unit="chapter")):
        bar.set_postfix_str(path.stem)
        try:
            refresh(path)
        except CellExecutionError as error:
            bar.close()
            print(f"{path.name} stopped; its notebook is left as it was.\n{error}", file=sys.stderr)
            return 1
    if figure := landing_picture(book):
        (Path(book) / PICTURE).write_bytes(figure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
