"""How the package is built: rooms, imports that go down, short modules, names that explain
themselves."""

import ast
import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import lscore
from lscore.claims import CLAIMS

ROOT = Path(lscore.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")
    for path in ROOT.rglob("*.py")
)
MODULES.remove("")  # the package itself: the list of public names
LONGEST, SHORTEST = 320, 40
DATA = [f"claims.{name}" for name in ("yun2019", "laurent2018", "he2020", "milne2019", "book")]
PAPERS = ["yun2019", "laurent2018", "he2020", "milne2019"]
API = "\n".join(
    path.read_text("utf-8") for path in (ROOT.parent / "book" / "reference").rglob("*.md")
)


def path_of(name):
    path = ROOT / Path(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def tree_of(name):
    return ast.parse(path_of(name).read_text(encoding="utf-8"))


def module_of(name):
    return importlib.import_module(f"lscore.{name}")


def test_imports_go_down_the_rooms_only(capsys):
    passed = lint_imports(config_filename=str(ROOT.parent / "pyproject.toml"), no_cache=True) == 0
    assert passed, capsys.readouterr().out


@pytest.mark.parametrize("name", MODULES)
def test_imports_are_absolute_and_name_what_they_take(name):
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            assert node.module != "lscore", f"the whole package, from inside, line {node.lineno}"
            assert "*" not in [alias.name for alias in node.names], f"star, line {node.lineno}"


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_short_and_say_what_they_are_for(name):
    text = path_of(name).read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") <= LONGEST
    small = name.startswith(("claims", "pages.exercises"))  # data, and one module per chapter
    if path_of(name).name != "__init__.py" and not small:
        assert text.count("\n") >= SHORTEST, "is it part of something else?"


@pytest.mark.parametrize("name", MODULES)
def test_public_classes_and_functions_have_docstrings(name):
    for key, value in vars(module_of(name)).items():
        own = getattr(value, "__module__", None) == f"lscore.{name}"
        if own and not key.startswith("_") and (inspect.isclass(value) or inspect.isroutine(value)):
            assert inspect.getdoc(value), key


@pytest.mark.parametrize("name", MODULES)
def test_a_property_says_what_it_is_without_a_colon(name):
    for node in ast.walk(tree_of(name)):
        marks = getattr(node, "decorator_list", [])
        if isinstance(node, ast.FunctionDef) and any("property" in ast.unparse(m) for m in marks):
            first = (ast.get_docstring(node) or "").split("\n")[0]
            plain = re.sub(r":\w+:`[^`]*`|`[^`]*`", "", first)
            assert ":" not in plain, f"the API pages read it as a type, in {node.name}: {first}"


TESTED = [
    name
    for name in MODULES
    if path_of(name).name != "__init__.py" and name not in DATA  # names and data hold no code
]


@pytest.mark.parametrize("name", TESTED)
def test_every_module_has_a_test_file_of_its_name_that_speaks_of_it(name):
    *rooms, module = name.split(".")
    path = Path(__file__).parent.joinpath(*rooms, f"test_{module}.py")
    assert path.exists(), f"no {path.relative_to(ROOT.parent)}"
    text = path.read_text(encoding="utf-8")
    defined = [
        node.name
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("__")
    ]
    spoken = [word for word in (name, *defined) if re.search(rf"\b{re.escape(word)}\b", text)]
    assert spoken, f"it names none of {defined}"


def checkers():
    """Every public function that returns a certificate, as (module, name)."""
    for name in MODULES:
        for node in tree_of(name).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                returned = "" if node.returns is None else ast.unparse(node.returns)
                if "Certificate" in returned:
                    yield name, node.name


@pytest.mark.parametrize(("module", "name"), list(checkers()))
def test_what_returns_a_certificate_says_so_in_its_name(module, name):
    assert name.startswith("certify_")


def test_what_is_called_certify_returns_a_certificate():
    found = set(checkers())
    for name in MODULES:
        for node in tree_of(name).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("certify_"):
                assert (name, node.name) in found, f"{name}.{node.name}"


@pytest.mark.parametrize(
    "module", [lscore, *(module_of(f"papers.{name}") for name in PAPERS)], ids=lambda m: m.__name__
)
def test_public_names_exist_sorted_and_documented(module):
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert inspect.getdoc(getattr(module, name)), name


def test_completion_shows_the_public_names_and_no_module():
    assert dir(lscore) == lscore.__all__
    assert not [name for name in lscore.__all__ if inspect.ismodule(getattr(lscore, name))]


SHOWN = [
    name
    for name in MODULES
    if (path_of(name).name != "__init__.py" and name not in DATA) or name == "claims"
]


@pytest.mark.parametrize("name", SHOWN)
def test_every_module_stands_on_the_api_pages_once(name):
    assert len(re.findall(rf"^\.\. automodule:: lscore\.{re.escape(name)}$", API, re.M)) == 1


def test_claims_named_in_the_source_exist():
    for name in MODULES:
        text = path_of(name).read_text(encoding="utf-8")
        for id in re.findall(r"\b(?:YUN|HE|LVB|MILNE|B)-[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*\b", text):
            assert id in CLAIMS, f"{name}: {id}"


def test_errors_are_lscores_and_the_builtin_that_fits():
    errors = vars(module_of("errors"))
    for error in errors.values():
        if inspect.isclass(error) and error is not errors["LscoreError"]:
            assert issubclass(error, errors["LscoreError"])
            assert issubclass(error, ValueError | TypeError)


def rooms_entered(call):
    """The rooms whose functions run during a call."""
    entered = set()

    def note(frame, event, argument):
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith("lscore."):
            entered.add(module.split(".")[1])

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return entered


def test_a_point_walks_through_five_rooms():
    """From the user's hand to the certificate, as `book/reference/house.md` shows it."""
    risk = lscore.Risk(lscore.Network((1, 2, 1), lscore.relu), [0, 1, 2, 3], [0, 1, 4, 9])
    minimum = lscore.exact([0, 0, 1, 1, 0, 0, "7/2"])
    kink = lscore.exact([0, 0, 0, 0, 1, 1, 0])
    walk = {"minima", "cells", "model", "algebra", "certificates"}
    for w in (minimum, kink):
        rooms = rooms_entered(lambda w=w: lscore.certify_local_minimum(risk, w))
        assert rooms - {"claims"} <= walk
