"""The chapters as the tests of the pages see them: their text, their cells, and a run of them."""

import ast
import contextlib
import functools
import io
import warnings
from dataclasses import dataclass, field

import jupytext
import matplotlib as mpl
import refresh
from matplotlib import pyplot as plt

from lscore.errors import DtypeError, LscoreError, ShapeError
from lscore.pages import stops
from lscore.pages.inputs import Page

CHAPTERS = [path for path in refresh.sources() if "## Verdicts" in path.read_text("utf-8")]
# Pages of another form whose inputs a reader changes, too.
CHANGED = [*CHAPTERS, refresh.BOOK / "intro.md", refresh.BOOK / "your_own_network.md"]


@functools.cache
def notebook(path):
    """The text notebook of a chapter."""
    return jupytext.read(path)


def code_cells(path):
    """The sources of a chapter's code cells."""
    return [cell.source for cell in notebook(path).cells if cell.cell_type == "code"]


def with_change(cells, old, new):
    """The cells with one text in them replaced; it must stand there exactly once."""
    count = sum(cell.count(old) for cell in cells)
    assert count == 1, f"{old!r} occurs {count} times in the code, need once"
    return [cell.replace(old, new) for cell in cells]


@dataclass
class Trial:
    """What a run of a chapter printed, which inputs had changed, and what went wrong."""

    printed: str = ""
    changed: list = field(default_factory=list)
    stops: int = 0
    problems: list = field(default_factory=list)


def run(cells):
    """Run the code of a chapter in this process, as a notebook would."""
    trial, names, out, said = Trial(), {}, io.StringIO(), stops.stopped

    def note(error, namespace, parts):
        explained = said(error, namespace, parts)
        trial.stops += bool(explained)
        if explained and not explained.startswith("it needs"):
            if isinstance(error, ShapeError | DtypeError):
                trial.problems.append(f"a length or type is fixed in the code: {error}")
            elif not isinstance(error, LscoreError):
                trial.problems.append(f"a bare exception stops a cell: {explained}")
        return explained

    stops.stopped = note
    try:
        with mpl.rc_context({"backend": "agg"}), contextlib.redirect_stdout(out):
            warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
            for number, source in enumerate(cells, start=1):
                tree = stops.Protect().visit(ast.parse(source))
                names["_shown"] = None
                try:
                    exec(compile(tree, f"code cell {number}", "exec"), names)
                    shown = names["_shown"]
                    getattr(shown, "_repr_html_", shown.__repr__)()
                except Exception as error:
                    what = f"{type(error).__name__}: {error}"
                    trial.problems.append(f"code cell {number} ends in {what}")
                plt.close("all")
    finally:
        stops.stopped = said
    trial.printed = out.getvalue()
    page = next((value for value in names.values() if isinstance(value, Page)), None)
    trial.changed = page.changed if page else []
    if "ledger.Verdicts" in cells[-1] and not hasattr(names["_shown"], "table"):
        trial.problems.append("the table of verdicts is not shown")
    return trial
