"""Exact matrices: arithmetic, parts, text, and arrays that are refused by name."""

import multiprocessing
from fractions import Fraction

import numpy as np
import pytest
import torch
from cases import small_fractions, table
from doors import refused
from flint import fmpq, fmpz, fmpz_mat
from hypothesis import given
from hypothesis import strategies as st

from lscore import RationalMatrix, exact
from lscore.algebra.matrices import augment, ones, stack, zeros
from lscore.errors import DataError, DtypeError, LscoreError, ShapeError

matrices = st.tuples(st.integers(1, 3), st.integers(1, 3)).flatmap(
    lambda shape: st.lists(
        st.lists(small_fractions, min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


@given(matrices, matrices)
def test_arithmetic_agrees_with_fractions(a, b):
    A, B = exact(a), exact(b)
    assert table(A) == a
    assert table(A.T) == [list(column) for column in zip(*a, strict=True)]
    assert table(A * "3/7") == [[Fraction(3, 7) * v for v in row] for row in a]
    assert A / 3 * 3 == A
    assert -A + A == A * 0
    if A.shape == B.shape:
        assert table(A + B) == [
            [x + y for x, y in zip(r, s, strict=True)] for r, s in zip(a, b, strict=True)
        ]
        assert A - B + B == A
        assert A.dot(B) == sum((A.T @ B)[i, i] for i in range(A.shape[1]))
    if A.shape[1] == B.shape[0]:
        assert (A @ B).T == B.T @ A.T


def test_pieces_of_a_matrix_keep_their_entries():
    A = exact([[1, "1/2"], ["1/3", 4]])
    assert A.column(1) == exact(["1/2", 4])
    assert A.rows(1, 2) == exact([["1/3", 4]])
    assert A.flat(1, 2, 1) == exact(["1/2", "1/3"])
    assert A.smallest() == fmpq(1, 3)
    assert augment(A) == exact([[1, "1/2", 1], ["1/3", 4, 1]])
    assert stack([A, A.rows(0, 1)]).shape == (3, 2)
    assert zeros(2, 2).is_zero()
    assert ones(2) == exact([1, 1])
    assert len(A) == 2
    assert A.floats().tolist() == [[1, 0.5], [1 / 3, 4]]
    assert exact([1, "1/4"]).point().tolist() == [1, 0.25]


def test_equality_ignores_the_representation_but_not_the_shape():
    assert RationalMatrix(fmpz_mat(1, 1, [2]), fmpz(4)) == exact(["1/2"])
    assert exact([1, 2]) != exact([[1, 2]])
    assert exact([1]) != 1
    assert exact(exact([1])) == exact([1])


def test_text_form_is_stable_and_short():
    assert repr(exact([["1/3", 2]])) == "[[1/3, 2]]"
    assert repr(exact([1, "-2/3"])) == "column(1, -2/3)"
    assert repr(zeros(61)) == "RationalMatrix of shape (61, 1)"


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.array([1.0, np.nan]), DataError, r"X: entry \(1, 0\) is nan"),
        (np.array([[-np.inf]]), DataError, r"X: entry \(0, 0\) is -inf"),
        (np.array([True]), DtypeError, "X: dtype bool"),
        (np.array([1.0], dtype=np.float32), DtypeError, "X: dtype float32"),
        (torch.ones(2), DtypeError, "X: dtype float32"),
        (np.zeros((2, 2, 2)), ShapeError, r"X: shape \(2, 2, 2\)"),
        (np.zeros((0, 2)), ShapeError, r"X: shape \(0, 2\)"),
        (np.array(1.0), ShapeError, r"X: shape \(\)"),
        ([], ShapeError, "X: need a non-empty list"),
        ([[]], ShapeError, "X: need a non-empty list"),
        ([[1, 2], [3]], ShapeError, "X: need a non-empty list"),
        ([1, float("nan")], DataError, r"X\[1\]: got nan"),
        ([[1], ["x"]], DataError, r"X\[1\]: cannot read"),
        ([True], DtypeError, r"X\[0\]: got the boolean"),
        (5, LscoreError, "X"),
        ("12", LscoreError, "X"),
        (torch.ones(2, dtype=torch.bfloat16), DtypeError, "X: dtype"),
    ],
)
def test_unusable_arrays_are_refused_by_name(values, error, message):
    with pytest.raises(error, match=message):
        exact(values, "X")


def test_shapes_that_do_not_fit_are_refused():
    A, B = exact([[1, 2]]), exact([1])
    with pytest.raises(ShapeError, match=r"\(1, 2\) and \(1, 1\) differ"):
        A + B
    with pytest.raises(ShapeError, match="cannot multiply"):
        A @ B
    with pytest.raises(ShapeError, match="need a column"):
        A.point()
    with pytest.raises(ShapeError, match="blocks: columns"):
        stack([A, B])
    with pytest.raises(DtypeError, match="scalar"):
        A * B
    with pytest.raises(DataError, match="denominator: got 0"):
        RationalMatrix(fmpz_mat(1, 1), fmpz(0))
    with pytest.raises(TypeError, match="unhashable"):
        hash(A)


@pytest.mark.parametrize(
    "values",
    [
        [0.1, -0.3, 7.0, 0.0],
        [-1.0, 2.0**-27, -(2.0**28) - 0.1],
        [5e-324, -1e308, 1 / 3],
        [-(2.0**53) + 1, 2.0**53 - 1],
    ],
    ids=["close together", "at the edge of two halves", "far apart", "all 53 bits"],
)
def test_floats_of_any_spread_are_taken_exactly(values):
    matrix = exact(np.array(values))
    assert [Fraction(int(e.p), int(e.q)) for e in matrix.entries()] == list(map(Fraction, values))
    assert matrix.floats()[:, 0].tolist() == values


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
