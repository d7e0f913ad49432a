"""How the package is built: imports go down the floors, modules stay short, names explain
themselves."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import lscore
from lscore.claims import CLAIMS

ROOT = Path(lscore.__file__).parent
# Floors as in the design: a module imports from floors below, or from modules to its left.
FLOORS = [
    [
        "errors",
        "arrays",
        "rationals",
        "exact",
        "arguments",
        "activations",
        "losses",
        "roots",
        "hinges",
        "linear_algebra",
        "arrangements",
        "alternatives",
    ],
    ["plain_modules", "networks", "frozen", "hessians"],
    ["risk"],
    [
        "balls",
        "intervals",
        "claims.entry",
        "claims.yun2019",
        "claims.laurent2018",
        "claims.he2020",
        "claims.milne2019",
        "claims.book",
        "claims",
        "certificates",
        "cells",
        "rays",
        "signed_rows",
        "one_pass",
        "degenerate_pass",
        "enumeration",
    ],
    ["incident_cells", "clarke", "autograd_cells"],
    [
        "multilinear",
        "partition",
        "smooth_points",
        "descent",
        "balanced_cells",
        "affine_cells",
        "ball_descent",
        "local_minima",
        "paths",
        "convex_paths",
    ],
    [
        "papers",
        "papers.yun2019.setting",
        "one_kink",
        "papers.yun2019.kinks",
        "papers.yun2019.lower_points",
        "papers.yun2019.ties",
        "papers.yun2019.tie_splits",
        "papers.yun2019.two_units",
        "papers.yun2019.minimum",
        "papers.yun2019.escape",
        "papers.yun2019.wide_paths",
        "papers.yun2019.bad_valleys",
        "papers.yun2019.kink_cones",
        "papers.yun2019.barriers",
        "papers.yun2019.three_points",
        "papers.yun2019.smooth_lower_points",
        "papers.yun2019.smooth_minimum",
        "papers.yun2019.zero_risk",
        "papers.yun2019.corollary_3",
        "papers.yun2019.find_constants",
        "papers.yun2019.identities",
        "papers.yun2019.deep_linear",
        "papers.yun2019.linear_directions",
        "papers.yun2019.linear_saddles",
        "papers.yun2019.linear_curvature",
        "papers.yun2019.linear_factorisations",
        "papers.yun2019.critical_points",
        "papers.yun2019.linear_floats",
        "papers.yun2019.linear_counterexamples",
        "papers.yun2019.designed_saddles",
        "papers.yun2019",
        "papers.laurent2018.labelled_data",
        "papers.laurent2018.rare_data",
        "papers.laurent2018.flat_cells",
        "papers.laurent2018.flat_point",
        "papers.laurent2018.sharp_minima",
        "papers.laurent2018",
        "papers.milne2019.region",
        "papers.milne2019.balance",
        "papers.milne2019.toy",
        "papers.milne2019",
    ],
    [
        "module_risks",
        "torch_guards",
        "sweep_rules",
        "tangent_sweep",
        "float_cells",
        "curvature",
        "trajectories",
        "flow_state",
        "flow",
        "exact_curvature",
        "decay",
        "ball_curvature",
        "minibatches",
    ],
    [
        "convnets",
        "ensembles",
        "toy_ensembles",
        "trial_identity",
        "sweeps",
        "datasets",
        "image_datasets",
        "image_trials",
        "trial_records",
    ],
    [
        "plotting",
        "ledger",
        "exercises",
        "cell_exercises",
        "tie_exercises",
        "valley_exercises",
        "linear_exercises",
        "flat_exercises",
        "partition_exercises",
        "curvature_exercises",
        "toy_exercises",
        "image_exercises",
    ],
]
ORDER = [name for floor in FLOORS for name in floor]
LONGEST = 320


def path_of(name):
    path = ROOT / Path(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imports(name):
    """Modules of lscore that a module imports, anywhere in its source."""
    found = set()
    for node in ast.walk(ast.parse(path_of(name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import in line {node.lineno}"
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {
            m.removeprefix("lscore").lstrip(".") for m in names if m.split(".")[0] == "lscore"
        }
    return found


def module_of(name):
    return importlib.import_module(f"lscore.{name}")


def test_every_module_has_a_floor():
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py")}
    assert {path_of(name).relative_to(ROOT).as_posix() for name in ORDER} | {"__init__.py"} == files


@pytest.mark.parametrize("name", ORDER)
def test_imports_go_down_the_floors_only(name):
    below = ORDER[: ORDER.index(name)]
    assert imports(name) <= set(below), "imports from above, or the whole package from inside"


@pytest.mark.parametrize("name", ORDER)
def test_modules_are_short_and_say_what_they_are_for(name):
    text = path_of(name).read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("name", ORDER)
def test_public_classes_and_functions_have_docstrings(name):
    for key, value in vars(module_of(name)).items():
        own = getattr(value, "__module__", None) == f"lscore.{name}"
        if own and not key.startswith("_") and (inspect.isclass(value) or inspect.isroutine(value)):
            assert inspect.getdoc(value), key


@pytest.mark.parametrize(
    "module",
    [lscore, *(module_of(f"papers.{name}") for name in ("yun2019", "laurent2018", "milne2019"))],
    ids=lambda m: m.__name__,
)
def test_public_names_exist_sorted_and_documented(module):
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert inspect.getdoc(getattr(module, name)), name


def test_claims_named_in_the_source_exist():
    for name in ORDER:
        text = path_of(name).read_text(encoding="utf-8")
        for id in re.findall(r"\b(?:YUN|HE|LVB|MILNE|B)-[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*\b", text):
            assert id in CLAIMS, f"{name}: {id}"


def test_errors_are_lscores_and_the_builtin_that_fits():
    errors = vars(module_of("errors"))
    for error in errors.values():
        if inspect.isclass(error) and error is not errors["LscoreError"]:
            assert issubclass(error, errors["LscoreError"])
            assert issubclass(error, ValueError | TypeError)
