"""Arrays at the door: which are welcome from any library, and which are refused by name."""

import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from doors import NET, PARABOLA, refused
from flint import fmpq, fmpz_mat
from fuzz_pool import Frame

from lscore import Network, Risk, activation_cells, binary_hinge, cell_at, exact, rational, relu
from lscore.algebra.arrays import as_matrix, float_tensor, number_array, object_array
from lscore.errors import DataError, DtypeError, ShapeError

F64 = torch.float64


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


def test_arrays_of_numbers_are_views_and_lists_are_none():
    stored = np.array([[1.0, 2.0]])
    assert np.shares_memory(number_array(stored, "X"), stored)
    assert number_array([1, 2], "X") is None
    assert float_tensor(np.array([1, 2]), "y").tolist() == [1, 2]
    with pytest.raises(DtypeError, match="y: got list, need a float64 tensor"):
        float_tensor([1, 2], "y")
    assert as_matrix(np.zeros(3), "y").shape == (3, 1)
    with pytest.raises(ShapeError, match="X"):
        as_matrix(np.zeros((1, 2, 3)), "X")


def test_objects_stay_whole():
    entries = [(1, 2), [3], None, "x"]
    array = object_array(entries, (2, 2))
    assert array.shape == (2, 2)
    assert [*array.flat] == entries
