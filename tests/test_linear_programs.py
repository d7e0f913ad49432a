"""Exact linear feasibility: both answers, against HiGHS, and witnesses that are refused."""

import numpy as np
import pytest
from flint import fmpq, fmpz, fmpz_mat
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from lscore import RationalMatrix, exact
from lscore.errors import LscoreError, ShapeError
from lscore.exact import ones, zeros
from lscore.linear_algebra import rank
from lscore.linear_programs import (
    is_farkas_vector,
    is_gordan_multiplier,
    is_strict_direction,
    nonnegative_solution,
    solves,
    strict_direction,
)
from lscore.simplex import exact_basis, float_basis, integer_rows

LEAST = fmpq(1, 10**40)


def degenerate_system(rng):
    """A small system of any rank, with zero rows, repeated rows and right-hand sides of 0."""
    m, n = int(rng.integers(1, 6)), int(rng.integers(1, 8))
    A = rng.integers(-2, 3, (m, n)) * (rng.random((m, n)) < 0.7)
    if m > 1 and rng.random() < 0.4:
        A[-1] = rng.integers(-1, 3) * A[0]
    b = rng.integers(-2, 3, m) * (rng.random(m) < 0.6)
    if rng.random() < 0.5:
        b = A @ np.maximum(rng.integers(-2, 3, n), 0)
    return A.astype(float), b.astype(float)


def empty(rows, columns):
    return RationalMatrix(fmpz_mat(rows, columns), fmpz(1))


def test_random_systems_agree_with_highs():
    rng = np.random.default_rng(0)
    found = [0, 0]
    for _ in range(400):
        A, b = degenerate_system(rng)
        answer = nonnegative_solution(exact(A), exact(b))
        assert answer.exists == (linprog(0 * A[0], A_eq=A, b_eq=b).status == 0)
        found[answer.exists] += 1
        if answer.exists:
            assert solves(exact(A), exact(b), answer.solution)
            assert sum(e != 0 for e in answer.solution.entries()) <= rank(exact(A))
        else:
            assert is_farkas_vector(exact(A), exact(b), answer.farkas)
    assert min(found) > 100


def test_random_strict_systems_agree_with_highs():
    rng = np.random.default_rng(1)
    found = [0, 0]
    for _ in range(300):
        A, _ = degenerate_system(rng)
        if rng.random() < 0.6:
            A *= np.where(A @ rng.integers(-2, 3, A.shape[1]) < 0, -1, 1)[:, None]
        answer = strict_direction(exact(A))
        free = [(None, None)] * A.shape[1]
        status = linprog(0 * A[0], A_ub=-A, b_ub=-np.ones(len(A)), bounds=free).status
        assert answer.exists == (status == 0)
        found[answer.exists] += 1
        if answer.exists:
            assert is_strict_direction(exact(A), answer.direction)
        else:
            assert is_gordan_multiplier(exact(A), answer.multiplier)
    assert min(found) > 80


rationals = st.fractions(-3, 3, max_denominator=4)


@given(st.lists(st.lists(rationals, min_size=4, max_size=4), min_size=1, max_size=5))
def test_every_system_has_exactly_one_answer(rows):
    A, b = exact([row[:3] for row in rows]), exact([row[3] for row in rows])
    answer = nonnegative_solution(A, b)
    assert (answer.solution is None) != (answer.farkas is None)
    direction = strict_direction(A)
    assert (direction.direction is None) != (direction.multiplier is None)


BEALE = [
    [1, 0, 0, "1/4", -8, -1, 9],
    [0, 1, 0, "1/2", -12, "-1/2", 3],
    [0, 0, 1, 0, 0, 1, 0],
]
BEALE_COST, BEALE_RIGHT, BEALE_BEST = [0, 0, 0, "-3/4", 20, "-1/2", 6], [0, 0, 1], "-5/4"
KUHN = [
    [1, 0, 0, -2, -9, 1, 9],
    [0, 1, 0, "1/3", 1, "-1/3", -2],
    [0, 0, 1, 2, 3, -1, -12],
]
KUHN_COST, KUHN_RIGHT, KUHN_BEST = [0, 0, 0, -2, -3, 1, 12], [0, 0, 2], -2


@pytest.mark.parametrize(
    ("rows", "cost", "right", "best"),
    [
        (BEALE, BEALE_COST, BEALE_RIGHT, BEALE_BEST),
        (KUHN, KUHN_COST, KUHN_RIGHT, KUHN_BEST),
    ],
    ids=["Beale", "Kuhn"],
)
def test_the_classical_cycling_examples_end_at_their_optimum(rows, cost, right, best):
    A = exact([cost, *rows])
    reached = exact([best, *right])
    assert nonnegative_solution(A, reached).exists
    below = nonnegative_solution(A, reached - exact([LEAST, 0, 0, 0]))
    assert is_farkas_vector(A, reached - exact([LEAST, 0, 0, 0]), below.farkas)


def test_hand_values():
    A = exact([[1, 2, 0], [0, 1, 1]])
    assert nonnegative_solution(A, exact([4, 1])).solution == exact([2, 1, 0])
    assert nonnegative_solution(A / 3, exact([4, 1]) / 7).solution == exact([2, 1, 0]) * "3/7"
    assert nonnegative_solution(A, exact([1, -1])).farkas == exact([0, 1])
    assert nonnegative_solution(zeros(2, 2), zeros(2)).solution == zeros(2)
    assert nonnegative_solution(zeros(1, 2), exact([5])).farkas == exact(["-1/5"])


def test_a_wrong_solution_is_refused():
    A, b = exact([[1, 1], [1, -1]]), exact([2, 0])
    x = nonnegative_solution(A, b).solution
    assert solves(A, b, x)
    assert not solves(A, b, x + exact([LEAST, 0]))
    assert not solves(exact([[1, 1]]), exact([2]), exact([2 + LEAST, -LEAST]))
    assert not solves(A, b, ones(3))


def test_a_wrong_farkas_vector_is_refused():
    A, b = exact([[1, 1], [1, 1]]), exact([1, 2])
    y = nonnegative_solution(A, b).farkas
    assert is_farkas_vector(A, b, y)
    assert not is_farkas_vector(A, b, -y)
    assert not is_farkas_vector(A, b, y * 0)
    assert not is_farkas_vector(A, b, y - exact([LEAST, 0]))
    assert not is_farkas_vector(A, exact([1, 1]), y)
    assert not is_farkas_vector(A, b, ones(1))


def test_a_wrong_direction_is_refused():
    A = exact([[1, 0], [-1, 2], [3, 3]])
    d = strict_direction(A).direction
    assert is_strict_direction(A, d)
    assert not is_strict_direction(A, -d)
    assert not is_strict_direction(A, exact([1 - LEAST, 1]))
    assert not is_strict_direction(A, ones(3))


def test_a_wrong_multiplier_is_refused():
    A = exact([[1, 0], [-1, 2], [0, -1]])
    q = strict_direction(A).multiplier
    assert is_gordan_multiplier(A, q)
    assert not is_gordan_multiplier(A, q + exact([LEAST, 0, 0]))
    assert not is_gordan_multiplier(A, q * 0)
    assert not is_gordan_multiplier(exact([[1], [1]]), exact([1, -1]))
    assert not is_gordan_multiplier(A, ones(2))


def test_empty_systems_are_answered():
    assert strict_direction(empty(0, 3)).direction == zeros(3)
    assert nonnegative_solution(empty(0, 2), empty(0, 1)).solution == zeros(2)
    assert strict_direction(zeros(1, 2)).multiplier == ones(1)


def test_a_good_proposal_is_kept_and_a_bad_one_replaced():
    A = exact([[1, 0], [-1, 4]])
    assert strict_direction(A, exact([3, 1])).direction == exact([3, 1])
    assert strict_direction(A, exact([1, "1/2"])).direction == exact([1, "1/2"])
    assert strict_direction(A, exact(["1/4", "1/8"])).direction == exact([1, "1/2"])
    other = strict_direction(A, exact([-1, 0])).direction
    assert is_strict_direction(A, other)


@pytest.mark.parametrize("seed", range(4))
def test_large_systems_go_through_the_floats_and_come_back_exact(seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((25, 9))
    assert is_gordan_multiplier(exact(A), strict_direction(exact(A)).multiplier)
    A *= np.sign(A @ rng.standard_normal(9))[:, None]
    assert is_strict_direction(exact(A), strict_direction(exact(A)).direction)


def test_floats_that_propose_nonsense_do_not_matter(monkeypatch):
    def nonsense(rows, n):
        return [0] * len(rows), [1] * len(rows)

    rng = np.random.default_rng(5)
    A = exact(rng.integers(-3, 4, (10, 20)).astype(float))
    b = A @ ones(20)
    monkeypatch.setattr("lscore.linear_programs.float_basis", nonsense)
    assert solves(A, b, nonnegative_solution(A, b).solution)


def test_an_answer_that_fails_its_check_is_never_returned(monkeypatch):
    monkeypatch.setattr("lscore.linear_programs.exact_basis", lambda rows, n: [n])
    with pytest.raises(LscoreError, match="failed its check"):
        nonnegative_solution(exact([[1]]), exact([1]))


def test_a_right_hand_side_beyond_the_floats():
    A, huge = exact(np.eye(13)), exact([10**400] * 13)
    assert float_basis(*integer_rows(A, huge)[:1], 13)[0] == list(range(13, 26))
    assert nonnegative_solution(A, huge).solution == huge


def test_both_bases_of_a_plain_system_agree():
    rows, scales = integer_rows(exact([[2, -4, 0], [0, 1, 1]]), exact([-6, 5]))
    assert scales == [-2, 1]
    assert sorted(exact_basis(rows, 3)) == sorted(float_basis(rows, 3)[0])


def test_shapes_must_fit():
    with pytest.raises(ShapeError, match=r"b: shape \(3, 1\), need \(2, 1\)"):
        nonnegative_solution(ones(2), ones(3))
