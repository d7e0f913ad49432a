"""Every chapter follows the template of README, "Add a chapter"; each rule is shown to refuse."""

import ast
import re

import pytest
import refresh
from chapters import CHAPTERS

GLOSSARY = refresh.BOOK / "reference" / "glossary.md"
# Words of the glossary that stand everywhere and need no link.
EVERYDAY = {
    "certificate", "certified", "checker", "claim", "complete", "convex", "convex hull",
    "critical point", "erratum", "exact arithmetic", "exact point", "global minimum", "gradient",
    "Hessian", "local minimum", "loss", "piecewise linear", "point", "pre-activation", "radius",
    "refuted", "risk", "saddle", "sound", "unknown", "unsolved", "verdict", "witness",
}  # fmt: skip
OPENING = {
    "You will": r".{20,}\.",
    "You need": r".*(\[.+\]\(.+\)|nothing).*\.",
    "Time": r"\d+ minutes to read, (\d+ seconds|a minute|\d minutes) to run\.",
    "Difficulty": r"[123] of 3\.",
}
BOX = re.compile(r"^:::\{admonition\} This chapter\n:class: opening\n\n(.*?)^:::$", re.M | re.S)
EXERCISE = re.compile(r"^:::\{admonition\} (Warm-up|Pen and paper|Exercise): (.+)$", re.M)
KINDS = ["Warm-up", "Pen and paper", "Exercise", "Exercise", "Exercise"]
IDLE = re.compile(  # where a word of the glossary needs no link
    r"^```\{code-cell\}.*?^```$|\$\$.*?\$\$|\$[^$]+\$|`[^`]+`|\]\([^)]*\)"
    r"|^(?:#|:::|```|:\w+:|\(\S+\)=)[^\n]*$",
    re.M | re.S,
)


def opening_problems(text):
    """What is wrong with the four lines that open a chapter."""
    box = BOX.search(text)
    if not box or box.start() > text.find("```{code-cell}"):
        return ["no box 'This chapter' before the first cell"]
    lines = re.findall(r"^- \*\*(.+?)\*\* (.+(?:\n  .+)*)$", box[1], re.M)
    if [name for name, _ in lines] != list(OPENING):
        return [f"lines {[name for name, _ in lines]}, need {list(OPENING)}"]
    return [f"{name}: {said}" for name, said in lines
            if not re.fullmatch(OPENING[name], said, re.S)]  # fmt: skip


def tags(cell):
    return cell.metadata.get("tags", [])


def setup_problems(cells, stem):
    """What is wrong with the first two code cells: the set-up, and the imports with the page."""
    found = []
    if "setup" not in tags(cells[0]):
        found.append("the first cell is not the set-up")
    if "hide-input" not in tags(cells[1]) or f'Page("{stem}")' not in cells[1].source:
        found.append("the second cell is not folded, or does not open the page by its name")
    return found


def input_problems(cells):
    """What is wrong with marked inputs, claims and the names in the table of verdicts."""
    found = []
    for number, cell in enumerate(cells):
        tree = ast.parse(cell.source)
        marks = "page.given(" in cell.source
        if marks and not re.search(r"# Change: .+", cell.source):
            found.append(f"cell {number} marks inputs and does not say what may be tried")
        if marks and "hide-input" in tags(cell):
            found.append(f"cell {number} marks inputs and is folded")
        if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
            found.append(f"cell {number} asserts; use page.claim, with a sentence")
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ledger.Verdicts":
                rows = node.args[0].elts
                last = [row.elts[2] if isinstance(row, ast.Tuple) else row for row in rows]
                found += [f"the table of verdicts takes {ast.unparse(e)}, need a plain name"
                          for e in last if not isinstance(e, ast.Name)]  # fmt: skip
    if not any("page.given(" in cell.source for cell in cells):
        found.append("no input is marked")
    return found


def folding_problems(cells):
    """Cells that draw a figure and are not folded."""
    return [f"cell {number} draws and is not folded" for number, cell in enumerate(cells)
            if "plotting.figure(" in cell.source and "hide-input" not in tags(cell)]  # fmt: skip


def exercise_problems(notebook):
    """What is wrong with the exercises: kinds, attempts, folded solutions."""
    found, kinds, cells = [], [], notebook.cells
    for here, cell in enumerate(cells):
        asked = EXERCISE.findall(cell.source) if cell.cell_type == "markdown" else []
        for kind, title in asked[-1:]:
            kinds.append((kind, title))
            attempt, solution = cells[here + 1 : here + 3]
            if not ("attempt(" in attempt.source and "..." in attempt.source) or tags(attempt):
                found.append(f"{title}: no open attempt after it")
            if not {"hide-cell", "solution"} <= set(tags(solution)):
                found.append(f"{title}: no folded solution, tagged so, after the attempt")
    names = [kind for kind, _ in kinds]
    if sorted(names, key=KINDS.index) != names or any(
        names.count(kind) < KINDS.count(kind) for kind in KINDS
    ):
        found.append(f"exercises {names}, need at least and in this order {KINDS}")
    if not any(title.startswith("fool our checker") for _, title in kinds):
        found.append("no exercise 'fool our checker'")
    return found


def words():
    """The words of the glossary that a chapter links where it first uses them."""
    if not GLOSSARY.exists():
        return []
    blocks = re.findall(r"^:::\{glossary\}\n(.*?)^:::$", GLOSSARY.read_text("utf-8"), re.M | re.S)
    found = re.findall(r"^(\S.*)$", "\n".join(blocks), re.M)
    return [word for word in found if word not in EVERYDAY]


def term_problems(text, terms):
    """Words of the glossary that are not linked at their first use."""
    found = []
    text = BOX.sub("", text.split("---\n", 2)[-1])
    linked = {}
    for role in re.finditer(r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`", text):
        linked.setdefault(role[1].strip(), role.start())
    blank = lambda m: " " * len(m[0])  # noqa: E731
    plain = IDLE.sub(blank, re.sub(r"\{term\}`[^`]*`", blank, text))
    for term in sorted(terms, key=len, reverse=True):  # "bad valley" is no "valley"
        ending = re.escape(term).replace("minimum", "minim(?:um|a)").replace(r"\ ", r"\s+")
        used = re.search(rf"(?<![\w-]){ending}(?:s|es)?(?![\w-])", plain)
        if used and linked.get(term, len(text)) > used.start():
            line = plain[: used.end()].rsplit("\n", 1)[-1].strip()
            found.append(f"{term}: not linked where it is first used: ...{line[-50:]}")
        plain = re.sub(rf"(?<![\w-]){ending}", blank, plain)
    return found


def next_problems(text, mine, order):
    """Links that say "next chapter" and lead to another one; `order`: labels as in the book."""
    places = order.index(mine)
    after = order[places + 1] if places + 1 < len(order) else None
    links = re.findall(r"\[[^\]]*\bnext\s+chapter\]\(#([\w-]+)\)", text, re.I)
    return [f"the next chapter is {after}, not {label}" for label in links if label != after]


def label(path):
    """The label of a chapter's title."""
    return re.search(r"^\(([\w-]+)\)=\n# ", path.read_text("utf-8"), re.M)[1]


def in_order():
    """The chapters as in the table of contents."""
    contents = (refresh.BOOK.parent / "_toc.yml").read_text("utf-8")
    names = re.findall(r"file: book/(\S+)\.ipynb", contents)
    return [path for name in names for path in CHAPTERS
            if path == refresh.BOOK / f"{name}.md"]  # fmt: skip


def read(path):
    notebook = refresh.read_source(path)
    return notebook, [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_chapter_stands_in_the_contents():
    assert len(CHAPTERS) == len(in_order())


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_follows_the_template(path):
    notebook, cells = read(path)
    found = opening_problems(path.read_text("utf-8")) + setup_problems(cells, path.stem)
    found += input_problems(cells) + folding_problems(cells) + exercise_problems(notebook)
    found += term_problems(path.read_text("utf-8"), words())
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_next_chapter_is_the_next(path):
    order = [label(chapter) for chapter in in_order()]
    assert not next_problems(path.read_text("utf-8"), label(path), order)


# The rules can say no.


MODEL = refresh.BOOK / "spurious_minima" / "two_piece_activations.md"
GOOD = MODEL.read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (r"- \*\*Time\*\* .*\n", "", "lines ["),
        (r"\d+ minutes to read", "a while", "Time: a while"),
        (r"\*\*You need\*\* .*", "**You need** courage.", "You need: courage"),
        ("This chapter", "Before", "no box"),
    ],
)
def test_an_opening_is_refused(old, new, complaint):
    assert opening_problems(GOOD) == []
    assert complaint in " ".join(opening_problems(re.sub(old, new, GOOD, count=1)))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[setup, remove-cell]", "[remove-cell]", "is not the set-up"),
        ('page = Page("', 'page = Page("other', "open the page by its name"),
        ("# Change:", "# Note:", "does not say what may be tried"),
        ("page.claim(", "assert (", "use page.claim"),
        ("page.given(", "dict(", "no input is marked"),
        (", on_xor)", ", answers[0])", "takes answers[0], need a plain name"),
        ("tags: [hide-input]\n", "", "draws and is not folded"),
        ("Warm-up:", "Exercise:", "need at least and in this order"),
        ("fool our checker", "cheat", "no exercise 'fool our checker'"),
        ("[hide-cell, solution]", "[solution]", "no folded solution"),
        ("attempt(", "print(", "no open attempt"),
    ],
)
def test_a_chapter_is_refused(old, new, complaint, tmp_path):
    path = tmp_path / MODEL.name
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    assert path.read_text("utf-8") != GOOD
    notebook, cells = read(path)
    found = setup_problems(cells, path.stem) + input_problems(cells)
    found += folding_problems(cells) + exercise_problems(notebook)
    assert complaint in " ".join(found)


def test_a_word_that_is_not_linked_is_refused():
    good = "A {term}`wall` and a {term}`bad valley`. Walls, bad valleys.\n\n`tie`\n\n# Ties\n"
    assert term_problems(good, ["wall", "tie", "valley", "bad valley"]) == []
    assert term_problems("Two walls, a {term}`wall`.", ["wall"]) == [
        "wall: not linked where it is first used: ...Two walls"
    ]
    assert term_problems("Spurious minima.".lower(), ["spurious minimum"])


def test_a_next_chapter_that_is_another_one_is_refused():
    text = "[The next chapter](#chap-b) and [a later chapter](#chap-c)."
    assert next_problems(text, "chap-a", ["chap-a", "chap-b", "chap-c"]) == []
    assert next_problems(text, "chap-b", ["chap-a", "chap-b", "chap-c"])
