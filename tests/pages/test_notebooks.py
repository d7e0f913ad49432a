"""The chapters' sources: pairs in step, house rules kept, and proof that the checks can fail."""

import re
import subprocess
import sys

import jupytext
import nbformat
import pytest
import refresh

CHAPTERS = refresh.sources()
NAMES = [path.stem for path in CHAPTERS]
MAX_LINES, MAX_COLUMNS, MAX_CELL_LINES = 500, 79, 20
CLOSING = ["Exercises", "Summary", "Verdicts"]
SECTIONS = [
    "The picture",
    "The statement",
    "The hypotheses",
    "Construct",
    "Check",
    "Certify",
    "Break each hypothesis",
    "What this certificate cannot decide",
    "Beyond the paper, and errata",
    *CLOSING,
]
STATEMENT = re.compile(r"^[:`]{3,} *\{prf:(?!proof)\w+\}.*\n((?:[ \t]*:.*\n)*)", re.MULTILINE)
SILENCED = re.compile(r"NBVAL_(?:IGNORE|SKIP)\w*|nbval-(?:ignore-output|skip)", re.IGNORECASE)


FOLDED = re.compile(  # what a reader opens only on purpose: front matter, proofs, hidden cells
    r"\A---\n.*?^---\n|^(:{3,})\{dropdown\}.*?^\1\n"
    r"|^```\{code-cell\}[^\n]*\n(?:---\n(?:(?!---\n)[^\n]*\n)*?tags: |:tags: )"
    r"\[[^\]\n]*(?:hide-|remove-)[^\n]*\].*?^```\n",
    re.DOTALL | re.MULTILINE,
)


def shape_problems(text):
    """Return what is wrong with a chapter's source as a page."""
    found = []
    if (lines := FOLDED.sub("", text).count("\n")) > MAX_LINES:
        found.append(f"{lines} open lines, more than {MAX_LINES}")
    found += [f"unlabelled {m[0].splitlines()[0]}" for m in STATEMENT.finditer(text)
              if ":label:" not in m[1]]  # fmt: skip
    found += [f"comparison switched off by {m[0]}" for m in SILENCED.finditer(text)]
    for number, cell in enumerate(jupytext.reads(text, fmt="md:myst").cells):
        if cell.cell_type != "code":
            continue
        rows = cell.source.splitlines()
        if (wide := max(map(len, rows), default=0)) > MAX_COLUMNS:
            found.append(f"cell {number} has a line of {wide} columns, more than {MAX_COLUMNS}")
        if (long := sum(bool(row.strip()) for row in rows)) > MAX_CELL_LINES:
            found.append(f"cell {number} has {long} lines of code, more than {MAX_CELL_LINES}")
    return found


def section_problems(text, required):
    """Return which required level-2 titles are missing or out of order."""
    titles = [title for title in re.findall(r"^## (.+?)\s*$", text, re.M) if title in required]
    return [] if titles == list(required) else [f"sections {titles}, wanted {list(required)}"]


def figure_problems(notebook):
    """Return which figures lack words, a name, or an assertion of what they show."""
    found = []
    for number, cell in enumerate(notebook.cells):
        drawn = any("image/png" in out.get("data", {}) for out in cell.get("outputs", []))
        if not drawn:
            continue
        words = cell.metadata.get("mystnb", {})
        figure, image = words.get("figure", {}), words.get("image", {})
        if not str(image.get("alt", "")).strip():
            found.append(f"figure in cell {number} has no alt text")
        if not str(figure.get("caption", "")).strip():
            found.append(f"figure in cell {number} has no caption")
        if not str(figure.get("name", "")).startswith("fig-"):
            found.append(f"figure in cell {number} has no name that starts with fig-")
        if not re.search(r"^\s*(assert|page\.claim)\b", cell.source, re.MULTILINE):
            found.append(f"figure in cell {number} claims nothing")
    return found


def required_sections(path):
    """Return the titles that a chapter needs: all in a part, the closing ones before the parts."""
    folder = path.relative_to(refresh.BOOK).parts[0]
    if folder in ("reference", "intro.md", "your_own_network.md"):
        return []
    return CLOSING if folder == path.name else SECTIONS


def test_there_are_chapters():
    assert CHAPTERS


def test_every_pair_is_in_step():
    assert refresh.problems() == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_source_keeps_the_house_rules(chapter):
    assert shape_problems(chapter.read_text("utf-8")) == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_sections_are_the_usual_ones(chapter):
    assert section_problems(chapter.read_text("utf-8"), required_sections(chapter)) == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=NAMES)
def test_figures_have_words_and_assertions(chapter):
    assert figure_problems(nbformat.read(chapter.with_suffix(".ipynb"), as_version=4)) == []


# The checks above and nbval, each shown to say no.

SOURCE = """\
---
jupytext:
  formats: ipynb,md:myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A small chapter

```{code-cell} ipython3
print("risk 0.125")
```

```{code-cell} ipython3
6 * 7
```
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A small book of one executed chapter."""
    path = tmp_path_factory.mktemp("book") / "small.md"
    path.write_text(SOURCE, encoding="utf-8")
    refresh.refresh(path)
    return path


@pytest.fixture
def small(executed, tmp_path):
    """A copy of the small book that a test may spoil."""
    for path in (executed, executed.with_suffix(".ipynb")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path / executed.name


def spoil(path, old, new, count=-1):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def compare(notebook):
    """Run nbval on one notebook, as the book's own tests do; return its exit status and report."""
    options = ["-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
    options += ["-c", str(notebook.parent / "none.ini"), "--rootdir", str(notebook.parent)]
    (notebook.parent / "none.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", *options, str(notebook)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_refresh_writes_the_same_bytes_again(small):
    twin = small.with_suffix(".ipynb")
    before = twin.read_bytes()
    refresh.refresh(small)
    assert twin.read_bytes() == before
    assert refresh.problems(small.parent) == []


def test_the_address_stands_in_one_place(small):
    cell = "```{code-cell} ipython3\n:tags: [setup, remove-cell]\n\nold\n```\n\n"
    spoil(small, "```{code-cell}", cell + "```{code-cell}", 1)
    (small.parent / "_config.yml").write_text("repository: {url: 'https://example.org/book'}")
    first = "small.md: the first cell is not the one of book/refresh.py"
    assert first in refresh.problems(small.parent)
    refresh.refresh(small)
    assert refresh.problems(small.parent) == []
    assert 'ADDRESS = "https://example.org/book"' in small.read_text("utf-8")
    (small.parent / "_config.yml").write_text("repository: {url: 'https://example.org/other'}")
    assert refresh.main(["--address"], book=small.parent) == 0
    assert refresh.problems(small.parent) == []
    assert "example.org/other" in small.with_suffix(".ipynb").read_text("utf-8")


def test_the_first_cell_installs_what_is_missing_and_only_that(monkeypatch):
    calls = []
    monkeypatch.setattr("subprocess.run", lambda command, check: calls.append(command))
    exec(refresh.SETUP_CELL.format("https://example.org/book"), {})
    assert calls == []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    exec(refresh.SETUP_CELL.format("https://example.org/book"), {})
    assert calls[0][-2:] == ["-q", "git+https://example.org/book"]
    with pytest.raises(ImportError, match="get the repository of this book"):
        exec(refresh.SETUP_CELL.format(""), {})


def test_changes_survive_an_editor_of_notebooks(tmp_path):
    page = refresh.BOOK / "spurious_minima" / "two_piece_activations.md"
    for path in (refresh.BOOK.parent / "pyproject.toml", page, page.with_suffix(".ipynb")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    sync = [sys.executable, "-m", "jupytext", "--sync", page.with_suffix(".ipynb").name]
    subprocess.run(sync, cwd=tmp_path, check=True, capture_output=True)
    kept = jupytext.read(tmp_path / page.name).metadata["changes"]
    assert kept == jupytext.read(page).metadata["changes"]


def test_a_student_edition_has_the_exercises_and_no_solution(tmp_path):
    for name in ("full", "student"):
        refresh.write_edition(tmp_path / name, name == "full")
    for twin in (tmp_path / "full" / "book").rglob("*.ipynb"):
        full = nbformat.read(twin, as_version=4).cells
        student = tmp_path / "student" / twin.relative_to(tmp_path / "full")
        kept = nbformat.read(student, as_version=4).cells
        assert kept == [c for c in full if "solution" not in c.metadata.get("tags", [])]
        assert twin.stem != "two_piece_activations" or len(kept) < len(full)


def test_check_refuses_an_input_that_was_not_recorded(small):
    spoil(small, "6 * 7", "page.given(answer=6 * 7)")
    assert "small.md: marks ['answer'], printed.txt has []" in refresh.problems(small.parent)


def test_nbval_refuses_a_changed_digit(small):
    twin = small.with_suffix(".ipynb")
    assert compare(twin)[0] == 0
    spoil(twin, "risk 0.125\\n", "risk 0.126\\n")
    status, report = compare(twin)
    assert status == 1
    assert "risk 0.126" in report


def test_check_refuses_an_edited_source(small):
    spoil(small, "6 * 7", "6 * 8")
    assert refresh.problems(small.parent) == [
        "small.ipynb: source of cell 2 differs from small.md",
    ]
    assert refresh.main(["--check"], book=small.parent) == 1


def test_check_refuses_changed_metadata(small):
    spoil(small, "ipython3\n6 * 7", "ipython3\n:tags: [hide-input]\n\n6 * 7")
    assert refresh.problems(small.parent) == [
        "small.ipynb: metadata of cell 2 differs from small.md",
    ]


def test_check_refuses_a_cleared_notebook(small):
    twin = small.with_suffix(".ipynb")
    notebook = nbformat.read(twin, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    nbformat.write(notebook, twin)
    assert compare(twin)[0] == 0  # nbval alone has nothing to compare and is content
    assert refresh.problems(small.parent) == [
        "small.ipynb: not executed in one go from top to bottom",
    ]


def test_check_refuses_a_raw_float(small):
    spoil(small.with_suffix(".ipynb"), "risk 0.125\\n", "risk 0.12500000000000003\\n")
    assert refresh.problems(small.parent) == [
        "small.ipynb: code cell 1 prints a raw float (0.12500000000000003...)",
    ]


@pytest.mark.parametrize("lost", [".md", ".ipynb"])
def test_check_refuses_a_missing_twin(small, lost):
    small.with_suffix(lost).unlink()
    (problem,) = refresh.problems(small.parent)
    assert problem.startswith("small")


def test_refresh_stops_at_an_error_and_leaves_the_notebook(small, capsys):
    before = small.with_suffix(".ipynb").read_bytes()
    spoil(small, "6 * 7", "6 / 0")
    assert refresh.main([], book=small.parent) == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert small.with_suffix(".ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("# A small", "\n" * MAX_LINES + "# A small", "open lines, more than"),
        ("6 * 7", f"answer = {'9' * MAX_COLUMNS}", "columns, more than"),
        ("6 * 7", "6 * 7\n" * (MAX_CELL_LINES + 1), "lines of code, more than"),
        ("6 * 7", "# NBVAL_IGNORE_OUTPUT\n6 * 7", "comparison switched off"),
        ("# A small chapter", "# A\n\n:::{prf:theorem} A\n\nTrue.\n:::", "unlabelled"),
    ],
)
def test_house_rules_refuse(old, new, complaint):
    assert shape_problems(SOURCE) == []
    (problem,) = shape_problems(SOURCE.replace(old, new))
    assert complaint in problem


def test_a_page_is_as_long_as_what_stands_open():
    fold = "# Long\n" * MAX_LINES
    start = "```{code-cell} ipython3\n"
    hidden = [
        f"{start}:tags: [hide-input]\n\n{fold}```\n",
        f"{start}---\nmystnb: {{}}\ntags: [hide-cell, solution]\n---\n{fold}```\n",
        f"::::{{dropdown}} Proof\n\n{fold}::::\n",
    ]
    for block in hidden:
        assert not FOLDED.sub("", f"{SOURCE}\n{block}").count("Long")
    shown = hidden[0].replace("[hide-input]", "[open]")
    assert FOLDED.sub("", f"{SOURCE}\n{shown}").count("Long") == MAX_LINES


def test_a_missing_or_misplaced_section_is_refused():
    good = "".join(f"## {title}\n\n" for title in SECTIONS)
    assert section_problems(good, SECTIONS) == []
    assert section_problems(good.replace("## Certify\n", ""), SECTIONS)
    assert section_problems("## Summary\n## Exercises\n## Verdicts\n", CLOSING)


def test_a_bare_figure_is_refused():
    drawing = nbformat.v4.new_output("display_data", {"image/png": ""})
    cell = nbformat.v4.new_code_cell("plt.show()", outputs=[drawing])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert len(figure_problems(notebook)) == 4
    cell.source = "assert True\nplt.show()"
    cell.metadata["mystnb"] = {
        "figure": {"name": "fig-a", "caption": "A line."},
        "image": {"alt": "A rising line."},
    }
    assert figure_problems(notebook) == []
