"""The doors of the package: huge numbers, honest errors, imports that load what is needed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from doors import NET, PARABOLA, refused
from flint import fmpq

import lscore
from lscore import (
    Risk,
    Verdict,
    activation_cells,
    certify_affine_minimum,
    certify_local_minimum,
    certify_nonincreasing,
    exact,
    rational,
)
from lscore.certificates import show
from lscore.errors import ShapeError
from lscore.papers.yun2019 import certify_spurious, least_squares_minimum


def test_certificates_of_huge_and_tiny_numbers_are_printed():
    X, y = np.arange(4.0), np.array([0.0, 1, 4, 9])
    for scale, exponent in ((1e300, "e+600"), (1e-300, "e-600")):
        risk = Risk(NET, scale * X, scale * y)
        w = least_squares_minimum(risk)
        for answer in (certify_affine_minimum(risk, w), certify_spurious(risk, w)):
            assert answer.certified
            assert f"risk = 2{exponent}" in str(answer)
        assert certify_local_minimum(risk, exact([1, 1, 0, 0, 1, 1, 0])).refuted
    assert show(fmpq(10) ** 400 / 7).startswith("1.42857e+399 (exact")
    assert show(-fmpq(1, 10**400)).startswith("-1e-400 (exact")


def test_a_rise_is_found_however_short_it_is():
    tiny = Risk(NET, 1e-300 * np.arange(4.0), 1e-320 * np.array([0.0, 1, 4, 9]))
    answer = certify_nonincreasing(tiny, [exact([k] * 7) for k in (1, 0, 2)])
    assert answer.refuted
    assert answer.witness["rise"] > 0
    s, t = answer.witness["earlier_time"], answer.witness["later_time"]
    assert tiny(exact([1 - s] * 7)) < tiny(exact([1 - t] * 7))
    assert 0 <= s < t <= 1


@pytest.mark.parametrize("scale", [1e300, fmpq(10) ** 600])
def test_a_nan_of_our_own_is_not_blamed_on_an_argument(scale):
    w = exact([1, -1, 0, -1, 1, 1, 0]) * rational(scale)
    assert certify_local_minimum(PARABOLA, w).verdict in Verdict
    assert certify_local_minimum(Risk(NET, [0, 1, 0], [0, 0, 1]), w).verdict in Verdict


def test_cells_of_rows_of_any_size_are_found():
    rows = [[0, 0, -2], [-2, 1, -2], [0, 0, 2], [0, -1, 2], [1, -1, -1], [-1, 2, -2]]
    powers = [-127, -209, -183, -110, -213, 113]
    X = np.array([[v * 10.0**p for v in row] for row, p in zip(rows, powers, strict=True)])
    found = activation_cells(X)
    assert len(found) == 52
    assert found.certify().certified
    for values in ([[1e-279], [1e243], [1.0], [-1e-300]], 5e-324 * np.arange(8.0)):
        assert activation_cells(values).certify().certified
    for i in (-1, 52, 2**40):
        refused(ShapeError, "i: got .*need a pattern from 0 to 51", found.witness, i)


IMPORT_EACH_FIRST = """
import os, sys, importlib, lscore, joblib, matplotlib.pyplot, scipy.optimize, sklearn.datasets
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        importlib.import_module(name)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{name} cannot be imported first")
"""


@pytest.mark.slow
def test_every_module_can_be_imported_first():
    """After ``import lscore``, which comes first whatever is named."""
    root = Path(lscore.__file__).parent
    paths = [path.relative_to(root.parent).with_suffix("") for path in root.rglob("*.py")]
    names = sorted(".".join(path.parts).removesuffix(".__init__") for path in paths)
    assert len(names) > 100
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH_FIRST, *names], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


HEAVY = ("joblib", "matplotlib", "pandas", "scipy", "sklearn")


def test_importing_lscore_loads_nothing_that_only_some_pages_need():
    code = f"import sys, lscore; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr[-2000:]
