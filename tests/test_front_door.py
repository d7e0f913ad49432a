"""The doors of the package: what is welcome, what is refused by name, and with which cure."""

import multiprocessing
import subprocess
import sys
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from flint import fmpq, fmpz_mat
from fuzz_pool import Frame

import lscore
from lscore import (
    Certificate,
    Condition,
    Network,
    RationalMatrix,
    Risk,
    Verdict,
    activation_cells,
    binary_hinge,
    cell_at,
    certify_affine_minimum,
    certify_local_minimum,
    certify_nonincreasing,
    exact,
    from_torch,
    rational,
    relu,
    risk_along,
    walls_along,
)
from lscore.algebra.arguments import check, checked, kind
from lscore.algebra.matrices import ones, zeros
from lscore.certificates import show
from lscore.errors import DataError, DtypeError, LscoreError, ShapeError
from lscore.pages.shared import refusal
from lscore.papers.laurent2018 import LabelledData
from lscore.papers.yun2019 import certify_spurious, least_squares_minimum

NET = Network((1, 2, 1), relu)
PARABOLA = Risk(NET, [0, 1, 2, 3], [0, 1, 4, 9])
F64 = torch.float64


def refused(error, message, function, *arguments, **keywords):
    with pytest.raises(error, match=message):
        function(*arguments, **keywords)


# data frames, masked arrays and their like


def test_a_frame_is_its_values_and_not_its_labels():
    frame = Frame([[5.0, 1.0], [2.0, 3.0]], columns=(7.0, 8.0))
    assert exact(frame) == exact([[5, 1], [2, 3]])
    risk = Risk(Network((2, 1, 1), relu), frame, Frame([1.0, 2.0]))
    assert risk.exact_X == exact([[5, 1], [2, 3]])
    assert risk.exact_y == exact([1, 2])
    assert Risk(NET, Frame([[5.0]], columns=("column 0",)), [1.0]).X.tolist() == [[5]]
    cells = activation_cells(Frame([[0.0], [1.0], [2.0]], columns=("a",)))
    assert len(cells) == len(activation_cells([[0], [1], [2]]))
    point = Frame([1.0, 0, 0, 0, 1, 0, 0])
    assert PARABOLA(point) == PARABOLA(point.values)
    refused(ShapeError, r"X: shape \(1, 2\), need \(n, 1\)", Risk, NET, Frame([[5.0, 6.0]]), [1.0])
    refused(DtypeError, "X: dtype bool", exact, Frame([[True]]), "X")


MASKED = np.ma.masked_equal(np.array([0.0, 1, 4, 9]), 4.0)
SPARSE = torch.tensor([0.0, 1, 4, 9], dtype=F64).to_sparse()
META = torch.zeros(4, dtype=F64, device="meta")


@pytest.mark.parametrize(
    ("values", "message"),
    [(MASKED, "masked array"), (SPARSE, r"layout sparse_coo.*to_dense"), (META, "meta device")],
    ids=["masked", "sparse", "meta"],
)
def test_entries_that_are_not_there_are_not_read(values, message):
    refused(DtypeError, f"y: .*{message}", Risk, NET, [0, 1, 2, 3], values)
    refused(DtypeError, f"X: .*{message}", exact, values, "X")
    refused(DtypeError, f"X: .*{message}", activation_cells, values)
    refused(DtypeError, f"y: .*{message}", Risk, NET, [0, 1, 2, 3], values, binary_hinge())
    refused(DtypeError, f"w: .*{message}", PARABOLA, values)
    refused(DtypeError, f"w: .*{message}", cell_at, PARABOLA, values)


@pytest.mark.parametrize(
    "values",
    [
        b"12",
        bytearray(b"12"),
        {0: 1, 1: 2},
        {1, 2},
        (i for i in range(2)),
        memoryview(b"12"),
        fmpz_mat(1, 1),
    ],
    ids=lambda v: type(v).__name__,
)
def test_what_is_no_list_is_refused(values):
    refused(
        DtypeError, f"X: got {type(values).__name__}, need an array or a list", exact, values, "X"
    )


def test_numbers_that_keep_their_value_are_welcome_from_any_array():
    column = exact([1, 2, 3])
    for values in (
        np.array([1, 2, 3]),
        np.array([1, 2, 3], dtype=np.uint8),
        np.array([1, 2, 3], dtype=">f8"),
        np.array([1, 2, 3], dtype=">i4"),
        torch.tensor([1, 2, 3]),
        np.array([Fraction(1), Decimal(2), 3], dtype=object),
        [np.array([1.0]), np.array([2.0]), np.array([3.0])],
        [Decimal("1"), Fraction(2), "3"],
        range(1, 4),
    ):
        assert exact(values) == column
    assert exact(np.array([2**63], dtype=np.uint64))[0, 0] == 2**63
    assert rational(Decimal("0.1")) == fmpq(1, 10)
    for values in (
        np.arange(7),
        torch.arange(7),
        np.arange(7, dtype=">f8"),
        np.arange(7.0)[::-1].copy(),
    ):
        assert PARABOLA.network.point(values).dtype == F64
    read_only = np.arange(7.0)
    read_only.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert NET.point(read_only)[6] == 6
    refused(DataError, r"w: has integers beyond 2\^53", NET.point, np.full(7, 2**53 + 1))
    refused(
        DtypeError,
        r"w: got an array of objects.*exact\(w\)",
        NET.point,
        np.array([Fraction(1)] * 7),
    )


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (np.array(["1"]), DtypeError),
        (np.array([1], dtype="M8[s]"), DtypeError),
        (np.array([1j]), DtypeError),
        (np.zeros(1, dtype=[("a", float)]), DtypeError),
        (np.array([1.0], dtype=np.longdouble), DtypeError),
        (torch.ones(1, dtype=torch.complex128), DtypeError),
        ([[1], 2], ShapeError),
        ([1, [2]], ShapeError),
        ([[[1]]], DtypeError),
        ([np.array(1.0)], ShapeError),
        ([np.zeros((1, 1))], ShapeError),
        ([np.timedelta64(1)], DtypeError),
        ([Decimal("nan")], DataError),
    ],
)
def test_what_would_be_cast_or_guessed_is_refused(values, error):
    refused(error, "X", exact, values, "X")


# numbers


@pytest.mark.parametrize("value", ["1e99999999", "-1E-99999999", Decimal("1e99999999"), "9" * 5000])
def test_numbers_that_would_fill_the_memory_are_refused_at_once(value):
    refused(DataError, "rate: cannot read", rational, value, "rate")


def test_matrices_refuse_wrong_operands_indices_and_sizes():
    A = exact([[1, 2], [3, 4]])
    for wrong in (0, (0,), (0, 1, 2), (2, 0), (-1, 0), (0.5, 0), ("a", 0), slice(0, 1), None):
        refused(ShapeError, "index: got .* need", A.__getitem__, wrong)
    refused(ShapeError, "index", list, A)
    for other in (1, None, np.ones((2, 2)), torch.ones(2, 2), [[1, 2], [3, 4]]):
        for operate in (
            lambda: A + other,  # noqa: B023
            lambda: other + A,  # noqa: B023
            lambda: A - other,  # noqa: B023
            lambda: other - A,  # noqa: B023
            lambda: A @ other,  # noqa: B023
        ):
            refused(DtypeError, "operand: got .* need a RationalMatrix", operate)
    refused(DtypeError, "operand", lambda: np.ones((2, 2)) @ A)
    refused(DtypeError, "scalar: got ndarray", lambda: np.ones(2) * A)
    refused(DataError, "scalar: got 0", lambda: A / 0)
    refused(ShapeError, "start, stop", A.rows, 1, 0)
    refused(ShapeError, "j: got 2", A.column, 2)
    refused(ShapeError, "smallest", zeros(0, 3).smallest)
    refused(DtypeError, "numerator", RationalMatrix, [[1]], 1)
    refused(DataError, "larger than every float", (A * fmpq(10) ** 400).floats)


def sizes_that_ended_the_process():
    A = exact([[1, 2], [3, 4]])
    for size in (-1, -(10**9), 2**40, 10**30, 1.5):
        for call in (
            zeros,
            ones,
            lambda n: zeros(2, n),
            lambda n: A.rows(0, n),
            lambda n: A.flat(0, n, n),
            lambda n: A.flat(0, n, 0),
        ):
            refused(ShapeError, "", call, size)
    refused(ShapeError, "", zeros, 2**20, 2**20)
    refused(ShapeError, "", A.rows, -1, 1)


def test_sizes_are_refused_and_do_not_end_the_process():
    child = multiprocessing.get_context("fork").Process(target=sizes_that_ended_the_process)
    child.start()
    child.join(60)
    assert child.exitcode == 0


# risks and networks


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Risk(NET, [0], [1], loss="mse"),
            DtypeError,
            "loss: got str, need .*, for",
        ),
        (lambda: Risk(NET, [0], [1], loss=torch.nn.MSELoss()), DtypeError, "loss: got MSELoss"),
        (lambda: Risk(NET, [0], [1], loss=binary_hinge), DtypeError, "loss: got function"),
        (lambda: Risk("net", [0], [1]), DtypeError, "network: got str, need a Network"),
        (lambda: Network((1, 2, 1), relu, bias=2), DtypeError, "bias: got int, need a bool"),
        (lambda: Network((1, 2, 1), (3,)), DtypeError, r"activation\[0\]: got int, need a .*Piece"),
        (lambda: Network((1, 2, 1), torch.nn.ReLU()), DtypeError, "activation: got ReLU"),
        (lambda: Network((1, 2, 1), relu, True, 3), DtypeError, "output_activation: got int"),
        (lambda: Network((10**9, 10**9, 1), relu).init(0), ShapeError, "widths: number of param"),
        (lambda: NET.init(-1), DataError, "seed: got -1, need an integer from 0"),
        (lambda: LabelledData([0, 1], [0.9, 1.2]), DataError, "labels: got the label"),
        (lambda: LabelledData([0, 1], [True, False]), DtypeError, "labels.*boolean"),
        (lambda: LabelledData([0, 1], ["0", "1"]), DtypeError, "labels: got text"),
        (lambda: PARABOLA([0.0] * 7), DtypeError, r"w: got list, need .*: exact\(w\)"),
        (lambda: NET(exact([0] * 7), [[1]]), DtypeError, "X: got list"),
        (lambda: NET(NET.init(0), torch.ones(1, 1)), DtypeError, "X: dtype float32"),
        (lambda: lscore.half_sum_of_squares(torch.ones(3, 1), torch.ones(3)), ShapeError, "equal"),
        (lambda: lscore.half_sum_of_squares(torch.ones(1, 1), ones(1)), DtypeError, "one is exact"),
        (lambda: relu(3.0), DtypeError, "z: got float, need a Tensor or a Rational"),
        (lambda: lscore.tanh(np.ones(2)), DtypeError, "z: got ndarray"),
        (lambda: lscore.gelu(torch.ones(2, dtype=int)), DtypeError, "z: dtype torch.int64"),
    ],
)
def test_the_wrong_kind_is_named_with_the_cure(make, error, message):
    refused(error, message, make)


@pytest.mark.parametrize("wrong", [None, 3, "risk", NET, [PARABOLA], Risk])
@pytest.mark.parametrize(
    "function",
    [
        certify_affine_minimum,
        certify_local_minimum,
        cell_at,
        certify_spurious,
        lscore.incident_cells,
    ],
)
def test_what_is_no_risk_is_named(function, wrong):
    refused(
        DtypeError,
        r"risk: got .*, need a Risk.*for example Risk\(network, X, y\)",
        function,
        wrong,
        exact([0] * 7),
    )


def test_exact_points_are_asked_for_where_they_are_needed():
    w = NET.init(0)
    for point in (w, w.numpy(), w.tolist()):
        refused(DtypeError, r"start: got .*exact\(start\)", walls_along, PARABOLA, point, exact(w))
        refused(DtypeError, r"u: got .*exact\(u\)", risk_along, PARABOLA, exact(w), point)
        refused(
            DtypeError,
            r"waypoints\[0\]: .*exact",
            certify_nonincreasing,
            PARABOLA,
            [point, exact(w)],
        )
    refused(DtypeError, r"waypoints: got Tensor", certify_nonincreasing, PARABOLA, w)
    refused(DtypeError, r"w: got None", certify_local_minimum, PARABOLA, None)


class Residual(torch.nn.Sequential):
    def forward(self, x):
        return super().forward(x) + x


class Halved(torch.nn.Linear):
    def forward(self, x):
        return super().forward(x) / 2


def sequential(*layers):
    return torch.nn.Sequential(*layers).double()


def test_a_module_that_is_not_what_its_layers_say_is_refused():
    line = torch.nn.Linear(1, 1)
    refused(DtypeError, "module: got Residual", from_torch, Residual(line).double())
    refused(DtypeError, "module: cannot read", from_torch, sequential(Halved(1, 1)))
    refused(DataError, "share a parameter", from_torch, sequential(line, torch.nn.ReLU(), line))
    tied = torch.nn.Linear(1, 1)
    tied.weight = line.weight
    refused(DataError, "share a parameter", from_torch, sequential(line, tied))
    for hooked in (sequential(torch.nn.Linear(1, 1)), sequential(torch.nn.Linear(1, 1))[0]):
        module = hooked if isinstance(hooked, torch.nn.Sequential) else torch.nn.Sequential(hooked)
        handle = hooked.register_forward_hook(lambda m, x, y: 2 * y)
        refused(DataError, "has a forward hook", from_torch, module)
        handle.remove()
        assert from_torch(module)[0].widths == (1, 1)
    own = sequential(torch.nn.Linear(1, 1))
    own.forward = lambda x: x
    refused(DataError, "has a 'forward' of its own", from_torch, own)
    meta = torch.nn.Sequential(torch.nn.Linear(1, 1, device="meta")).double()
    refused(DtypeError, "meta device", from_torch, meta)


# sizes at the ends of the floats


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


# the mechanism itself


def test_annotations_are_kept_for_functions_methods_and_dataclasses():
    refused(
        DtypeError, "verdict|witness", Certificate, "YUN-T1", "s", Verdict.REFUTED, "exact", (), 3
    )
    refused(LscoreError, "verdict: got 'no'", Certificate, "YUN-T1", "s", "no", "exact")
    refused(DtypeError, "holds: got int", Condition, "text", 1)
    refused(DtypeError, "n: got float", binary_hinge().term_weights, 2.0, 1)

    @checked
    def scaled(
        factor: float, pair: tuple[int, str] = (1, "a"), *, order: int = 1, more: object = 0
    ):
        return factor * order

    assert scaled(2, order=np.int64(3)) == 6
    refused(DataError, "factor: got nan", scaled, float("nan"))
    refused(DataError, "factor: is larger than every float", scaled, 10**400)
    refused(DtypeError, "factor: got the boolean True", scaled, True)
    refused(ShapeError, "pair: got 1 entries, need 2", scaled, 1.0, (1,))
    refused(DtypeError, r"pair\[0\]: got float", scaled, 1.0, (1.5, "a"))
    refused(DataError, "order: got 10000, need an integer from 0 to 1000", scaled, 1.0, order=10**4)
    with pytest.raises(TypeError, match="missing 1 required"):
        scaled()
    assert check(None, kind(int | None), "n") is None
    assert refusal(scaled, None).startswith(
        "DtypeError: factor: got NoneType, need a float or an int"
    )


# imports


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
