"""Least squares in rationals, against Gram-Schmidt in Fractions and sympy."""

from fractions import Fraction

import pytest
import sympy
from cases import fraction, inner, random_risk, reference_residuals, table
from flint import fmpq, fmpz_mat
from hypothesis import given
from hypothesis import strategies as st

from lscore import exact
from lscore.algebra.linear import (
    _PRIME,
    affine_least_squares,
    least_squares,
    merge_rows,
    pivot_columns,
    pure_error,
    rank,
)
from lscore.algebra.matrices import augment, ones, zeros
from lscore.errors import ShapeError

integer_rows = st.integers(1, 4).flatmap(
    lambda p: st.lists(
        st.lists(st.integers(-2, 2), min_size=p + 1, max_size=p + 1), min_size=1, max_size=6
    )
)


@given(integer_rows)
def test_rank_equals_sympys_rank_whatever_the_ties(rows):
    assert rank(exact(rows)) == sympy.Matrix(rows).rank()
    assert rank(exact(rows) / 7) == sympy.Matrix(rows).rank()


@given(integer_rows, st.sampled_from([1, _PRIME, _PRIME**2]), st.booleans())
def test_pivots_and_rank_hold_where_the_prime_divides_minors(rows, factor, transposed):
    for i, row in enumerate(rows):
        row[i % len(row)] *= factor
    whole = sympy.Matrix(rows).T if transposed else sympy.Matrix(rows)
    matrix = fmpz_mat([[int(v) for v in row] for row in whole.tolist()])
    assert tuple(pivot_columns(matrix)) == whole.rref()[1]
    assert rank(exact(matrix.tolist())) == whole.rank()


def test_a_rank_that_is_lower_modulo_the_prime_is_not_believed():
    assert rank(exact([[_PRIME, 0, 0], [0, 1, 0]])) == 2
    assert pivot_columns(fmpz_mat([[_PRIME, 1, 0]])) == [0]
    assert pivot_columns(fmpz_mat([[1, 1, 0], [1, 1 + _PRIME, 1]])) == [0, 1]
    assert pivot_columns(fmpz_mat([[1, 0, 1], [0, _PRIME, 0]])) == [0, 1]


@given(integer_rows)
def test_residuals_are_exactly_orthogonal_and_minimal_at_every_rank(rows):
    A, B = exact([row[:-1] for row in rows]) / 3, exact([row[-1] for row in rows]) / 5
    W, found = least_squares(A, B)
    residuals = B - A @ W
    assert (A.T @ residuals).is_zero()
    assert found == rank(A)
    assert sum(entry != 0 for entry in W.entries()) <= found
    assert [fraction(v) for v in residuals.entries()] == reference_residuals(
        table(A), [fraction(v) for v in B.entries()]
    )


def test_several_right_hand_sides_are_solved_one_by_one():
    A, B = exact([[1, 0], [1, 1], [1, 2]]), exact([[0, 1], [1, 1], [4, 3]])
    W, _ = least_squares(A, B)
    for k in range(2):
        assert W.column(k) == least_squares(A, B.column(k))[0]


def test_a_matrix_of_zeros_gives_the_zero_solution():
    assert least_squares(zeros(2, 3), ones(2)) == (zeros(3, 1), 0)


@pytest.mark.parametrize("seed", range(10))
def test_affine_fit_equals_the_reference_on_degenerate_data(seed):
    risk = random_risk(seed, (1, 0))
    fit = affine_least_squares(risk.exact_augmented, risk.exact_y)
    left = reference_residuals(
        table(risk.exact_augmented), [fraction(v) for v in risk.exact_y.entries()]
    )
    assert fit.residuals == exact([-v for v in left])
    assert fraction(fit.sum_of_squares) == inner(left, left)
    assert fit.predictions == risk.exact_X @ fit.slope.T + ones(len(left)) * fit.intercept[0, 0]
    assert (
        fit.rank
        == sympy.Matrix(
            [[sympy.Rational(str(v)) for v in row] for row in table(risk.exact_augmented)]
        ).rank()
    )


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-3, 3)), min_size=1, max_size=8))
def test_pure_error_is_the_spread_around_the_group_means(pairs):
    groups = {}
    for x, y in pairs:
        groups.setdefault(x, []).append(Fraction(y))
    spread = sum((v - sum(g) / len(g)) ** 2 for g in groups.values() for v in g)
    X, y = exact([x for x, _ in pairs]), exact([y for _, y in pairs])
    assert fraction(pure_error(X, y)) == spread
    rows, sums = merge_rows(X, y)
    assert rows == exact(list(groups))
    assert sums == exact([sum(g) for g in groups.values()])


def test_pure_error_is_summed_over_outputs():
    X, Y = exact([0, 0]), exact([[1, 0], [-1, 3]])
    assert pure_error(X, Y) == 2 + fmpq(9, 2)


def test_numbers_of_rows_must_agree():
    with pytest.raises(ShapeError, match="A has 2 rows and B has 1"):
        least_squares(ones(2), ones(1))
    with pytest.raises(ShapeError, match="A has 2 rows and B has 3"):
        affine_least_squares(augment(ones(2)), ones(3))
