"""A cell that cannot go on with a reader's inputs says so in a sentence, and the page goes on.

While a page is open, each cell runs inside a try. Nothing changes as long as its inputs are the
printed ones: an error is an error. With other inputs a refusal by lscore, or any error of a
statement that reads a changed input or what its cell made of one, is printed as a sentence, and
what the rest of the cell would have defined becomes `Missing`, so that no later cell takes an old
result for a new one.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from lscore.errors import LscoreError

if TYPE_CHECKING:
    from lscore.pages.inputs import Page

_PAGES: list[Page] = []
_TEMPLATE = """
_shown = None
try:
    pass
except Exception as _error:
    from lscore.pages.stops import stopped as _stopped
    if not _stopped(_error, globals(), PARTS):
        raise
_shown
"""


class MissingError(LscoreError, ValueError):
    """A cell uses a result that did not come out."""


@dataclass(frozen=True, eq=False)
class Missing:
    """Stands for a result that did not come out, with the reason."""

    name: str
    reason: str

    def __getattr__(self, attribute: str):
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        self._refuse()

    def _refuse(self, *_):
        raise MissingError(f"this needs {self.name}, which did not come out")


# without these it would be true, and unequal to everything
for _operator in ("bool", "eq", "ne", "lt", "le", "gt", "ge", "len", "iter", "contains", "getitem"):
    setattr(Missing, f"__{_operator}__", Missing._refuse)
for _operator in ("call", "neg", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "matmul"):
    setattr(Missing, f"__{_operator}__", Missing._refuse)


def open_page(page: Page) -> None:
    """Make `page` the page whose cells run; in a notebook they are protected from now on."""
    _PAGES[:] = [page]
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell and not any(isinstance(t, Protect) for t in shell.ast_transformers):
        shell.ast_transformers.append(Protect())


class Protect(ast.NodeTransformer):
    """Wraps the statements of a cell; what its last expression shows is still shown."""

    def visit_Module(self, tree: ast.Module) -> ast.Module:
        if not tree.body:
            return tree
        parts = tuple((s.lineno, s.end_lineno, _names(s, ast.Load), _names(s, ast.Store))
                      for s in tree.body)  # fmt: skip
        new = ast.parse(_TEMPLATE.replace("PARTS", repr(parts)))
        body, last = tree.body, tree.body[-1]
        if isinstance(last, ast.Expr):
            shown = ast.copy_location(ast.Name("_shown", ast.Store()), last)
            body = [*body[:-1], ast.copy_location(ast.Assign([shown], last.value), last)]
        else:
            new.body.pop()
        new.body[1].body = body
        return ast.fix_missing_locations(new)


def _names(statement: ast.stmt, context: type) -> tuple[str, ...]:
    if context is ast.Store and isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return (statement.name,)
    nodes = list(ast.walk(statement))
    inner = [n.target for n in nodes if isinstance(n, ast.comprehension)]
    own = {n.id for target in inner for n in ast.walk(target) if isinstance(n, ast.Name)}
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, context)}
    if context is ast.Store:
        names |= {_base(n) for n in nodes if _changes(n)}
        aliases = [n for n in nodes if isinstance(n, ast.alias)]
        names |= {alias.asname or alias.name.split(".")[0] for alias in aliases}
    return tuple(sorted(names - own - {""}))


def _changes(node: ast.AST) -> bool:
    """Whether a node changes a part of something: an entry, an attribute, the end of a list."""
    if isinstance(node, ast.Attribute) and node.attr in ("append", "extend", "update", "add"):
        return True
    return isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store)


def _base(node: ast.AST) -> str:
    """The name that an entry or attribute belongs to; empty if it belongs to a value."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def stopped(error: Exception, names: dict, parts: tuple) -> str:
    """How changed inputs explain the error of a cell, which is then said; empty if they do not.

    `parts`: first line, last line, names read and names written of each statement of the cell.
    """
    page = _PAGES[0]
    line = error.__traceback__.tb_lineno
    failed = next(k for k, (_, last, _, _) in enumerate(parts) if line <= last)
    lacks = [n for n in parts[failed][2] if isinstance(names.get(n), Missing)]
    refusal = isinstance(error, LscoreError)
    if not page.changed:  # an input may be changed and not marked yet, as on the front page
        unmarked = page.printed.keys() - page.marked
        page.given(**{n: names[n] for n in page.printed if n in unmarked & names.keys()})
    if refusal:
        page.refused(parts[failed][3])
    sources = set(parts[failed][2])
    for _, _, reads, writes in reversed(parts[:failed]):
        sources |= set(reads) if sources & set(writes) else set()
    if not page.changed or not (lacks or refusal or sources & set(page.changed)):
        return ""
    written = {name for part in parts[failed:] for name in part[3]}
    said = str(error) if refusal else f"{type(error).__name__}: {error}"
    why = f"it needs {' and '.join(lacks)}, which did not come out" if lacks else said
    for name in written:
        if not isinstance(names.get(name), ModuleType):
            names[name] = Missing(name, why)
    page.stop(why)
    return why
