"""Keep the chapters' text sources and their executed notebooks together.

A chapter is written in `name.md` (a MyST text notebook) and shown from `name.ipynb`, which is
committed with its outputs. This script executes the text and writes the notebook; running it
twice writes the same bytes.

    python book/refresh.py                what is stale
    python book/refresh.py NAME ...       these chapters, stale or not
    python book/refresh.py --all          everything
    python book/refresh.py --check        execute nothing, name every problem
    python book/refresh.py --address      write the address of _config.yml into the first cells
    python book/refresh.py --editions DIR build two books: the full one, one without solutions
"""

import argparse
import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

from lscore.pages import inputs

BOOK = Path(__file__).resolve().parent
PICTURE = "_static/landing.png"
PRINTED = Path(inputs.__file__).with_name(inputs.PRINTED)
SOLUTION = "solution"  # the tag of cells that a student edition lacks
GIVEN = re.compile(r"page\.given\(([^)]*)\)")
SETUP = re.compile(r"(:tags: \[setup, remove-cell\]\n\n)(.*?)(?=\n```)", re.DOTALL)
SETUP_CELL = """\
# Installs lscore where it is missing, on Colab for example.
import importlib.util
import subprocess
import sys

ADDRESS = "{}"  # of the repository, written by book/refresh.py
if importlib.util.find_spec("lscore") is None:
    if not ADDRESS:
        raise ImportError("lscore is missing: get the repository of this book "
                          "and run `pip install .` in its folder")
    command = [sys.executable, "-m", "pip", "install", "-q", "git+" + ADDRESS]
    subprocess.run(command, check=True)"""
RAW_FLOAT = re.compile(r"\d\.\d{12,}")


def sources(book=BOOK):
    """Return the text notebooks under `book`."""
    found = [
        path
        for path in Path(book).rglob("*.md")
        if not any(part.startswith((".", "_")) for part in path.relative_to(book).parts)
        and re.match(r"---\n(?:(?!---\n).*\n)*?jupytext:", path.read_text("utf-8"))
    ]
    return sorted(found)


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
    path.write_text(with_setup(path), encoding="utf-8")
    notebook = read_source(path)
    metadata = dict(notebook.metadata)
    resources = {"metadata": {"path": str(path.parent)}}
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as record:
        NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=600,
            record_timing=False,
            resources=resources,
            coalesce_streams=True,
        ).execute(env=os.environ | {inputs.RECORD: record.name})
        others = [line for line in inputs.printed() if line.split()[0] != path.stem]
        lines = sorted({*others, *record.read().splitlines()})
    if lines != inputs.printed():
        PRINTED.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    notebook.metadata = nbformat.from_dict(metadata)
    path.with_suffix(".ipynb").write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def with_setup(path):
    """Return the text of a chapter whose first cell knows the address of the configuration."""
    config = path.parent / "_config.yml"
    for folder in path.resolve().parents:
        config = folder / "_config.yml"
        if config.exists():
            break
    settings = yaml.safe_load(config.read_text("utf-8")) if config.exists() else {}
    cell = SETUP_CELL.format(settings.get("repository", {}).get("url") or "")
    return SETUP.sub(lambda m: m[1] + cell, path.read_text("utf-8"))


def write_address(path):
    """Write the configured address into a chapter and its twin, whose outputs stay."""
    path.write_text(with_setup(path), encoding="utf-8")
    notebook, twin = read_source(path), path.with_suffix(".ipynb")
    for mine, theirs in zip(notebook.cells, nbformat.read(twin, as_version=4).cells, strict=True):
        if mine.cell_type == "code":
            mine.update(outputs=theirs.outputs, execution_count=theirs.execution_count)
    twin.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def write_edition(folder, solutions, book=BOOK):
    """Copy the sources of the book into a new folder, with or without the solutions."""
    shutil.copytree(book, folder / "book", ignore=shutil.ignore_patterns("_build", ".*"))
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(book.parent / name, folder / name)
    for twin in [] if solutions else (folder / "book").rglob("*.ipynb"):
        notebook = nbformat.read(twin, as_version=4)
        kept = [c for c in notebook.cells if SOLUTION not in c.metadata.get("tags", [])]
        notebook.cells = kept
        twin.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def build_editions(folder, book=BOOK):
    """Build the full book and the one for students below `folder`; return the exit status."""
    for name in ("full", "student"):
        write_edition(Path(folder) / name, name == "full", book)
        code = "from jupyter_book.cli.main import main; main()"
        build = [sys.executable, "-c", code, "build", str(Path(folder) / name), "-W", "-n"]
        if status := subprocess.run(build, check=False).returncode:
            return status
    return 0


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
    if path.read_text("utf-8") != with_setup(path):
        found.append(f"{path.name}: the first cell is not the one of book/refresh.py")
    if text.metadata != stored.metadata:
        found.append(f"{twin.name}: notebook metadata differs from {path.name}")
    if len(text.cells) != len(stored.cells):
        found.append(f"{twin.name}: {len(stored.cells)} cells, {path.name}: {len(text.cells)}")
    for number, (mine, theirs) in enumerate(zip(text.cells, stored.cells, strict=False)):
        for key in ("cell_type", "source", "metadata"):
            if mine[key] != theirs[key]:
                found.append(f"{twin.name}: {key} of cell {number} differs from {path.name}")
    marked = {name for names in GIVEN.findall(path.read_text("utf-8"))
              for name in re.findall(r"(\w+)=", names)}  # fmt: skip
    kept = {line.split()[1] for line in inputs.printed() if line.split()[0] == path.stem}
    if marked != kept:
        found.append(f"{path.name}: marks {sorted(marked)}, printed.txt has {sorted(kept)}")
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
    parser.add_argument("--address", action="store_true", help="write the configured address")
    parser.add_argument("--editions", metavar="DIR", help="build the full and the student edition")
    args = parser.parse_args(argv)
    if args.editions:
        return build_editions(args.editions, Path(book))
    if args.address:
        for path in sources(book):
            write_address(path)
        return 0
    if args.check:
        found = problems(book)
        print("\n".join(found) if found else "every pair is in step")
        return 1 if found else 0
    texts = sources(book)
    names = {Path(name).stem for name in args.names}
    if unknown := names - {path.stem for path in texts}:
        parser.error(f"no such chapter: {', '.join(sorted(unknown))}")
    chosen = [p for p in texts if p.stem in names or args.all or (not names and pair_problems(p))]
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
