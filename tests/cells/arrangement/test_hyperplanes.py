"""Sign vectors of a rational matrix: against linear programs, the known counts and each other."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from lscore import exact
from lscore.algebra.linear import rank
from lscore.cells.arrangement.hyperplanes import (
    cells,
    count_patterns,
    hyperplanes,
    most_patterns,
    primitive,
    sign_patterns,
)

matrices = st.tuples(st.integers(1, 5), st.integers(1, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(-2, 2), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def feasible(rows, pattern):
    """Whether some delta has pattern_i (row_i . delta) >= 1 for all i: a program in floats."""
    signed = -np.array(pattern)[:, None] * np.array(rows, dtype=float)
    free = [(None, None)] * signed.shape[1]
    return linprog(np.zeros(signed.shape[1]), signed, -np.ones(len(signed)), bounds=free).success


@given(matrices)
@settings(max_examples=60)
def test_patterns_are_those_that_a_linear_program_finds(rows):
    found = {pattern for pattern, _ in sign_patterns(exact(rows))}
    assert found == {p for p in product((1, -1), repeat=len(rows)) if feasible(rows, p)}


@given(matrices)
def test_every_witness_has_its_pattern_and_the_count_agrees(rows):
    A = exact(rows) / 3
    listed = sign_patterns(A)
    for pattern, witness in listed:
        values = (A @ witness).entries()
        assert all(v * side > 0 for v, side in zip(values, pattern, strict=True))
    patterns = [pattern for pattern, _ in listed]
    assert len(set(patterns)) == len(patterns) == count_patterns(A)
    assert patterns == sorted(patterns, reverse=True)
    assert {tuple(-v for v in p) for p in patterns} == set(patterns)


@given(matrices)
def test_general_position_is_independence_of_all_small_sets_of_rows(rows):
    A = exact(rows)
    n, m = A.shape
    size = min(n, m)
    independent = all(
        rank(exact([rows[i] for i in range(n) if chosen >> i & 1])) == size
        for chosen in range(1 << n)
        if chosen.bit_count() == size
    )
    assert (count_patterns(A) == most_patterns(n, m)) == independent
    assert count_patterns(A) <= most_patterns(n, m)


@pytest.mark.parametrize(("ties", "number"), [(2, 4), (3, 8), (4, 14), (5, 22), (6, 32)])
def test_generic_ties_in_three_dimensions(ties, number):
    A = exact(np.random.default_rng(0).standard_normal((ties, 3)))
    assert len(sign_patterns(A)) == count_patterns(A) == most_patterns(ties, 3) == number


@pytest.mark.parametrize(("n", "m"), [(1, 1), (7, 1), (9, 2), (12, 4), (10, 5), (4, 6)])
def test_generic_counts_and_witnesses_that_stay_short(n, m):
    A = exact(np.random.default_rng(1).standard_normal((n, m)))
    listed = sign_patterns(A)
    assert len(listed) == count_patterns(A) == most_patterns(n, m)
    longest = max(abs(v) for _, w in listed for v in w.numerator.entries())
    assert int(longest).bit_length() < 40


def test_degenerate_rows():
    assert sign_patterns(exact([[0, 0]])) == [] == sign_patterns(exact([[1, 0], [0, 0]]))
    assert count_patterns(exact([[1, 0], [0, 0]])) == 0
    repeated = [p for p, _ in sign_patterns(exact([[1, 2], [2, 4], [-1, -2]]))]
    assert repeated == [(1, 1, -1), (-1, -1, 1)]
    # a pencil of lines in space: rank 2, one pair of cells per line
    pencil = exact([[x, 1, 0] for x in range(5)])
    assert len(sign_patterns(pencil)) == count_patterns(pencil) == 10
    # the 24 chambers of the braid arrangement of four coordinates: their orders
    braid = [[(k == i) - (k == j) for k in range(4)] for i in range(4) for j in range(i + 1, 4)]
    assert len(sign_patterns(exact(braid))) == count_patterns(exact(braid)) == 24


@pytest.mark.parametrize("direction", [-np.inf, np.inf])
def test_rows_that_a_float_cannot_tell_from_collinear(direction):
    points = np.array([[0.1, 0.1], [0.3, 0.3], [np.nextafter(0.7, direction), 0.7]])
    A = exact(np.column_stack([points, np.ones(3)]))
    middle_alone = (1, -1, 1)
    assert len(sign_patterns(A)) == 8
    assert any(pattern == middle_alone for pattern, _ in sign_patterns(A))
    # the exactly collinear ones have no unit that is positive at both ends only
    straight = exact([[1, 1, 10], [3, 3, 10], [7, 7, 10]])
    assert len(sign_patterns(straight)) == 6
    assert all(pattern != middle_alone for pattern, _ in sign_patterns(straight))


def test_helpers_keep_their_promises():
    assert primitive([0, 0]) == (0, 0)
    assert primitive([-6, 9]) == (-2, 3)
    assert hyperplanes([[0, -2], [0, 5]]) == ([(0, 1)], [(0, -1), (0, 1)])
    assert cells([], 2) == {0: (0, 0)}
