"""Alternatives: both answers on degenerate data, against HiGHS and against all supports in
Fractions, and answers that are refused."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from cases import fraction, inner, reference_residuals, small_fractions, table
from flint import fmpq, fmpz, fmpz_mat
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

import lscore.algebra.alternatives
from lscore import RationalMatrix, exact
from lscore.algebra.alternatives import (
    Alternative,
    ConvexSet,
    ShortestElement,
    common_descent,
    nonnegative_least_squares,
    shortest_element,
    solve_nonnegative,
    zero_in_zonotope,
)
from lscore.algebra.linear import rank
from lscore.algebra.matrices import ones, stack, to_float, zeros
from lscore.errors import DataError, DtypeError, LscoreError, ShapeError

LEAST = fmpq(1, 10**40)


def cone(A, b):
    return ConvexSet(-b, A)


def hull(G):
    return ConvexSet(zeros(len(G)), G, convex=True)


def descends(G, d):
    """Whether <g, d> <= -1 for every column, entry by entry."""
    return all(e <= -1 for e in (G.T @ d).entries())


def obstructs(A, b, d):
    return all(e <= 0 for e in (A.T @ d).entries()) and b.dot(d) > 0


def empty(rows, columns):
    return RationalMatrix(fmpz_mat(rows, columns), fmpz(1))


def supports(n, largest):
    return (S for size in range(min(n, largest) + 1) for S in combinations(range(n), size))


def with_proposal(patch, support, residual=0.0):
    """Floats that propose nothing but this."""

    def proposed(A, b):
        return list(support), np.full(len(A), residual)

    patch.setattr(lscore.algebra.alternatives, "_proposed", proposed)


# Against other solvers.


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


def test_random_systems_agree_with_highs():
    rng = np.random.default_rng(0)
    found = [0, 0]
    for _ in range(400):
        A, b = degenerate_system(rng)
        answer = solve_nonnegative(exact(A), exact(b))
        assert answer.solvable == (linprog(0 * A[0], A_eq=A, b_eq=b).status == 0)
        found[answer.solvable] += 1
        if answer.solvable:
            assert exact(A) @ answer.solution == exact(b)
            assert answer.solution.smallest() >= 0
            assert sum(e != 0 for e in answer.solution.entries()) <= rank(exact(A))
        else:
            assert obstructs(exact(A), exact(b), answer.obstruction)
    assert min(found) > 100


def test_random_strict_systems_agree_with_highs():
    rng = np.random.default_rng(1)
    found = [0, 0]
    for _ in range(300):
        A, _ = degenerate_system(rng)
        if rng.random() < 0.6:
            A *= np.where(A @ rng.integers(-2, 3, A.shape[1]) < 0, -1, 1)[:, None]
        answer = common_descent(-exact(A).T)
        free = [(None, None)] * A.shape[1]
        status = linprog(0 * A[0], A_ub=-A, b_ub=-np.ones(len(A)), bounds=free).status
        assert answer.solvable == (status != 0)
        found[answer.solvable] += 1
        if answer.solvable:
            assert (exact(A).T @ answer.solution).is_zero()
            assert answer.solution.dot(ones(len(A))) == 1
        else:
            assert descends(-exact(A).T, answer.obstruction)
    assert min(found) > 80


def test_random_zonotopes_agree_with_highs():
    rng = np.random.default_rng(0)
    found = [0, 0]
    for _ in range(200):
        m, k = int(rng.integers(1, 4)), int(rng.integers(1, 6))
        G, a = rng.integers(-2, 3, (m, k)).astype(float), rng.integers(-3, 4, m).astype(float)
        bounds = rng.integers(0, 3, k).astype(float)
        answer = zero_in_zonotope(exact(a), exact(G), exact(bounds))
        inside = linprog(0 * bounds, A_eq=G, b_eq=-a, bounds=[(0, b) for b in bounds]).status == 0
        assert answer.solvable == inside
        found[inside] += 1
        if inside:
            assert exact(G) @ answer.solution == -exact(a)
        else:
            corners = np.array(np.meshgrid(*[[0, b] for b in bounds])).reshape(k, -1)
            points = exact(a[:, None] + G @ corners)
            assert descends(points, answer.obstruction)
    assert min(found) > 40


@pytest.mark.parametrize("seed", range(5))
def test_the_shortest_element_beats_a_general_solver(seed):
    rng = np.random.default_rng(seed)
    G = rng.standard_normal((5, 8)) + 1
    weights = np.full(8, 1 / 8)
    result = minimize(
        lambda t: (G @ t) @ (G @ t),
        weights,
        jac=lambda t: 2 * G.T @ (G @ t),
        bounds=[(0, 1)] * 8,
        constraints={"type": "eq", "fun": lambda t: t.sum() - 1, "jac": np.ones_like},
    )
    found = shortest_element(exact(G))
    assert to_float(found.norm_squared) <= result.fun + 1e-12
    assert np.allclose(found.point.floats()[:, 0], G @ result.x, atol=5e-3)


# Against all supports, in Fractions.


def matrices(rows, columns):
    return st.tuples(st.integers(1, rows), st.integers(1, columns)).flatmap(
        lambda shape: st.lists(
            st.lists(small_fractions, min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        )
    )


def solve_in_fractions(columns, right):
    """The z with sum z_j columns_j = right for independent columns, by elimination; else None."""
    rows = [[*row, e] for row, e in zip(zip(*columns, strict=True), right, strict=True)]
    for j in range(len(columns)):
        pivot = next((i for i in range(j, len(rows)) if rows[i][j]), None)
        if pivot is None:
            return None
        rows[j], rows[pivot] = rows[pivot], rows[j]
        rows[j] = [e / rows[j][j] for e in rows[j]]
        for i in range(len(rows)):
            if i != j:
                rows[i] = [a - rows[i][j] * b for a, b in zip(rows[i], rows[j], strict=True)]
    return [row[-1] for row in rows[: len(columns)]]


def least_distance(A, b):
    """The smallest |Ax - b|^2 for x >= 0, over all supports of independent columns."""
    columns, best = list(zip(*A, strict=True)), inner(b, b)
    for S in supports(len(columns), len(A)):
        if not S:
            continue
        chosen = [columns[j] for j in S]
        gram = [[inner(a, c) for a in chosen] for c in chosen]
        z = solve_in_fractions(list(zip(*gram, strict=True)), [inner(a, b) for a in chosen])
        if z is not None and min(z) >= 0:
            left = reference_residuals(list(zip(*chosen, strict=True)), b)
            best = min(best, inner(left, left))
    return best


@given(matrices(3, 5), st.data())
def test_least_squares_against_all_supports(rows, data):
    m = len(rows)
    b = data.draw(st.lists(small_fractions, min_size=m, max_size=m))
    A, right = exact(rows), exact(b)
    x, residual = nonnegative_least_squares(A, right)
    assert x.smallest() >= 0
    assert residual == A @ x - right
    reference = least_distance(table(A), [fraction(e) for e in right.entries()])
    assert fraction(residual.dot(residual)) == reference
    assert solve_nonnegative(A, right).solvable == (reference == 0)
    kept = [j for j, e in enumerate(x.entries()) if e]
    assert not kept or rank(stack([A.column(j).T for j in kept])) == len(kept)


@given(matrices(2, 5))
def test_shortest_elements_against_all_supports(rows):
    G = exact(rows)
    columns = list(zip(*table(G), strict=True))
    best = min(inner(c, c) for c in columns)
    for i, j in combinations(range(len(columns)), 2):
        a, c = columns[i], columns[j]
        edge = [x - y for x, y in zip(a, c, strict=True)]
        if any(edge) and 0 <= (t := inner(a, edge) / inner(edge, edge)) <= 1:
            point = [x - t * e for x, e in zip(a, edge, strict=True)]
            best = min(best, inner(point, point))
    inside = contains_zero_in_fractions(columns)
    found = shortest_element(G)
    assert fraction(found.norm_squared) == (0 if inside else best)
    assert common_descent(G).solvable == inside


def contains_zero_in_fractions(columns):
    lifted = [[*c, Fraction(1)] for c in columns]
    right = [Fraction(0)] * len(columns[0]) + [Fraction(1)]
    return least_distance(list(zip(*lifted, strict=True)), right) == 0


# Families: answers of any size, confirmed entry by entry.


def integers(rng, m, n, top=3):
    return rng.integers(-top, top + 1, (m, n)).astype(float)


def half_space(rng, k, d):
    A = rng.standard_normal((k, d))
    return -(A * np.sign(A @ rng.standard_normal(d))[:, None]).T


HULLS = {
    "7 x 8": lambda rng: rng.standard_normal((7, 8)) + 0.3,
    "12 x 64": lambda rng: rng.standard_normal((12, 64)),
    "30 x 256": lambda rng: rng.standard_normal((30, 256)) + 0.2,
    "60 vectors in a half-space of dimension 16": lambda rng: half_space(rng, 60, 16),
    "64 vectors of dimension 200": lambda rng: rng.standard_normal((200, 64)),
    "duplicates": lambda rng: (integers(rng, 4, 4) + 1)[:, rng.integers(0, 4, 12)],
    "rank 4": lambda rng: integers(rng, 10, 4) @ integers(rng, 4, 40),
    "exact ties": lambda rng: integers(rng, 8, 20, 1),
    "columns from 1e-300 to 1e300": lambda rng: (
        rng.standard_normal((4, 7)) * 2.0 ** rng.integers(-990, 990, 7)
    ),
    "rows from 1e-300 to 1e300": lambda rng: (
        integers(rng, 4, 7) * 2.0 ** rng.integers(-990, 990, (4, 1))
    ),
    "0 at a corner": lambda rng: np.abs(integers(rng, 5, 9)) * (np.arange(9) > 0),
    "a thin gap": lambda rng: np.vstack([integers(rng, 3, 9), np.full((1, 9), 2.0**-80)]),
}


@pytest.mark.parametrize("family", HULLS)
@pytest.mark.parametrize("seed", range(3))
def test_hulls_of_every_kind(family, seed):
    G = exact(HULLS[family](np.random.default_rng(seed)))
    answer, shortest = common_descent(G), shortest_element(G)
    assert answer.solvable == (shortest.norm_squared == 0)
    assert min((G.T @ shortest.point).entries()) >= shortest.norm_squared
    if answer.solvable:
        assert (G @ answer.solution).is_zero()
        assert answer.solution.smallest() >= 0
        assert answer.solution.dot(ones(G.shape[1])) == 1
    else:
        assert descends(G, answer.obstruction)
        assert descends(G, shortest.point * (-1 / shortest.norm_squared))


def feasible(rng, A, sparse=0.5):
    x = rng.integers(0, 4, A.shape[1]) * (rng.random(A.shape[1]) < sparse)
    return exact(A) @ exact(x.astype(float))


SYSTEMS = {
    "4 x 8": lambda rng: rng.standard_normal((4, 8)),
    "20 x 40": lambda rng: rng.standard_normal((20, 40)),
    "40 x 80": lambda rng: rng.standard_normal((40, 80)),
    "tall": lambda rng: rng.standard_normal((60, 12)),
    "rank 6": lambda rng: integers(rng, 20, 6) @ integers(rng, 6, 30),
    "equal columns": lambda rng: integers(rng, 5, 5)[:, rng.integers(0, 5, 12)],
    "zero rows": lambda rng: integers(rng, 8, 12) * (np.arange(8) % 2)[:, None],
    "columns from 1e-300 to 1e300": lambda rng: (
        integers(rng, 6, 9) * 2.0 ** rng.integers(-990, 990, 9)
    ),
    "rows from 1e-300 to 1e300": lambda rng: (
        integers(rng, 6, 9) * 2.0 ** rng.integers(-990, 990, (6, 1))
    ),
}


@pytest.mark.parametrize("family", SYSTEMS)
@pytest.mark.parametrize("seed", range(2))
def test_systems_of_every_kind(family, seed):
    rng = np.random.default_rng(seed)
    A = SYSTEMS[family](rng)
    b = feasible(rng, A)
    A, other = exact(A), exact(rng.standard_normal(len(A)))
    x = solve_nonnegative(A, b).solution
    assert A @ x == b
    assert x.smallest() >= 0
    answer = solve_nonnegative(A, other)
    if answer.solvable:
        assert A @ answer.solution == other
    else:
        assert obstructs(A, other, answer.obstruction)
    separated = solve_nonnegative(stack([A, ones(A.shape[1]).T]), stack([b, -ones(1)]))
    assert not separated.solvable


@pytest.mark.parametrize("shape", [(7, 20), (31, 60), (3, 12)])
@pytest.mark.parametrize("scale", ["1", "1e-300", "1e300"])
def test_zonotopes_of_every_size(shape, scale):
    rng = np.random.default_rng(shape[0])
    G, mu = exact(rng.standard_normal(shape)) * scale, exact(rng.random(shape[1])) / scale
    inside = -(G @ mu) / 3
    answer = zero_in_zonotope(inside, G, mu)
    assert inside + G @ answer.solution == zeros(shape[0])
    assert answer.solution.smallest() >= 0
    assert (mu - answer.solution).smallest() >= 0
    far = inside * 9
    d = zero_in_zonotope(far, G, mu).obstruction
    slopes = zip((G.T @ d).entries(), mu.entries(), strict=True)
    assert far.dot(d) + sum((max(s, fmpq(0)) * b for s, b in slopes), fmpq(0)) <= -1


def test_directions_are_short():
    rng = np.random.default_rng(1)
    far = exact(half_space(rng, 60, 16))
    assert max(abs(e) for e in common_descent(far).obstruction.entries()) < 10**6
    assert all(e.q == 1 for e in common_descent(far).obstruction.entries())


# Hand values.

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
    assert solve_nonnegative(A, reached).solvable
    below = reached - exact([LEAST, 0, 0, 0])
    assert obstructs(A, below, solve_nonnegative(A, below).obstruction)


def test_hand_values():
    A = exact([[1, 2, 0], [0, 1, 1]])
    assert solve_nonnegative(A, exact([4, 1])).solution == exact([2, 1, 0])
    assert solve_nonnegative(A / 3, exact([4, 1]) / 7).solution == exact([2, 1, 0]) * "3/7"
    assert solve_nonnegative(A, exact([1, -1])).obstruction == exact([0, -1])
    assert solve_nonnegative(zeros(2, 2), zeros(2)).solution == zeros(2)
    assert solve_nonnegative(zeros(1, 2), exact([5])).obstruction == exact([1])
    assert solve_nonnegative(zeros(1, 2), exact(["1/5"])).obstruction == exact([5])


# Leaky ReLU with slope 1/2, one unit, W = b = c = 0 and v = 1, on x = 1, 2, -1 with the labels
# +, +, - and the weights 1/4, 1/4, 1/2. All three data are tied and unsolved. The line
# s x + t crosses the sorted data (-1, 1, 2) in one place, so six patterns of slopes occur, and the
# loss has the gradient -sum_i mu_i y_i lambda_i (x_i, 1) in (W, b) and 0 in v and c, since
# 1/4 + 1/4 = 1/2.
LEAKY_WEIGHTS = {1: fmpq(1, 4), 2: fmpq(1, 4), -1: -fmpq(1, 2)}
HALF = fmpq(1, 2)
LEAKY_SLOPES = [
    {-1: 1, 1: 1, 2: 1},
    {-1: HALF, 1: 1, 2: 1},
    {-1: HALF, 1: HALF, 2: 1},
    {-1: HALF, 1: HALF, 2: HALF},
    {-1: 1, 1: HALF, 2: HALF},
    {-1: 1, 1: 1, 2: HALF},
]


def leaky_gradients():
    rows = []
    for slopes in LEAKY_SLOPES:
        products = {x: slopes[x] * mu for x, mu in LEAKY_WEIGHTS.items()}
        weight = -sum((p * x for x, p in products.items()), fmpq(0))
        rows.append([weight, -sum(products.values(), fmpq(0)), 0, 0])
    return exact(rows).T


def test_the_zero_network_of_the_leaky_example_is_not_critical():
    G = leaky_gradients()
    assert G.column(0) == exact(["-5/4", 0, 0, 0])
    assert G.column(3) == exact(["-5/8", 0, 0, 0])
    answer = common_descent(G)
    assert not answer.solvable
    assert descends(G, answer.obstruction)
    found = shortest_element(G)
    assert found.norm_squared == fmpq(25, 64)
    assert found.point == exact(["-5/8", 0, 0, 0])
    assert found.weights == exact([0, 0, 0, 1, 0, 0])


def test_the_absolute_values_of_a_kink_have_zero_in_their_hull():
    G = exact([[1, 1, -1, -1], [1, -1, 1, -1]])
    assert (G @ common_descent(G).solution).is_zero()
    assert shortest_element(G).norm_squared == 0


def test_equal_gradients_count_once_and_keep_their_places():
    found = shortest_element(exact([[3, 3, 1, 1], [0, 0, 2, 2]]))
    assert found.weights == exact(["1/4", 0, "3/4", 0])
    assert found.point == exact(["3/2", "3/2"])
    assert common_descent(exact([[1, 1, -2, -2]])).solution == exact(["2/3", 0, "1/3", 0])


def test_many_rows_and_huge_or_tiny_entries_do_no_harm():
    rng = np.random.default_rng(0)
    G = exact(rng.integers(-9, 10, (200, 6)).astype(float))
    plain = shortest_element(G)
    assert shortest_element(G * 10**300 * 10**300).point == plain.point * 10**300 * 10**300
    assert shortest_element(G / 10**300 / 10**300).point == plain.point / 10**300 / 10**300
    assert shortest_element(zeros(3, 2)).point == zeros(3)


def test_numbers_beyond_the_floats():
    A, huge = exact(np.eye(13)), exact([10**400] * 13)
    assert solve_nonnegative(A, huge).solution == huge
    assert solve_nonnegative(A * 10**400, ones(13)).solution == ones(13) / 10**400
    mixed = exact([[10**400, 1], [0, 1]])
    assert solve_nonnegative(mixed, exact([10**400, 1])).solution == exact([1 - 1 / huge[0, 0], 1])


def test_empty_systems_are_answered():
    assert common_descent(empty(3, 0)).obstruction == zeros(3)
    assert common_descent(empty(0, 2)).solution.dot(ones(2)) == 1
    assert common_descent(zeros(2, 1)).solution == ones(1)
    assert solve_nonnegative(empty(0, 2), empty(0, 1)).solution == zeros(2)
    assert solve_nonnegative(empty(2, 0), exact([0, -3])).obstruction == exact([0, -1])
    assert solve_nonnegative(empty(2, 0), zeros(2)).solution.shape == (0, 1)
    assert zero_in_zonotope(zeros(2), empty(2, 0), empty(0, 1)).solution.shape == (0, 1)
    assert zero_in_zonotope(exact([0, 2]), empty(2, 0), empty(0, 1)).obstruction == exact([0, -1])
    assert zero_in_zonotope(empty(0, 1), empty(0, 2), ones(2)).solvable
    assert shortest_element(empty(0, 2)).norm_squared == 0


def test_a_good_proposal_is_kept_and_a_bad_one_replaced():
    G = -exact([[1, 0], [-1, 4]]).T
    assert common_descent(G, exact([3, 1])).obstruction == exact([3, 1])
    assert common_descent(G, exact([1, "1/2"])).obstruction == exact([1, "1/2"])
    assert common_descent(G, exact(["1/4", "1/8"])).obstruction == exact([1, "1/2"])
    assert descends(G, common_descent(G, exact([-1, 0])).obstruction)


# What floats propose does not matter.


@given(matrices(4, 7))
def test_without_a_proposal_the_same_comes_out(rows):
    G = exact(rows)
    with pytest.MonkeyPatch.context() as patch:
        with_proposal(patch, [])
        alone, answer = shortest_element(G), common_descent(G)
    assert alone.point == shortest_element(G).point
    assert answer.solvable == common_descent(G).solvable == (alone.norm_squared == 0)
    if not answer.solvable:
        assert descends(G, answer.obstruction)


@given(matrices(4, 7), st.randoms(use_true_random=False))
def test_any_wrong_proposal_is_repaired(rows, random):
    G = exact(rows)
    support = random.sample(range(G.shape[1]), random.randint(1, G.shape[1]))
    with pytest.MonkeyPatch.context() as patch:
        with_proposal(patch, support)
        found = shortest_element(G)
        system = solve_nonnegative(G, G @ ones(G.shape[1]))
    assert found.point == shortest_element(G).point
    assert system.solvable


def test_wrong_proposals_of_larger_systems_are_repaired(monkeypatch):
    rng = np.random.default_rng(5)
    A = exact(rng.integers(-3, 4, (10, 20)).astype(float))
    b = A @ ones(20)
    with_proposal(monkeypatch, range(20))
    assert A @ solve_nonnegative(A, b).solution == b
    with_proposal(monkeypatch, [0])
    assert A @ solve_nonnegative(A, b).solution == b


def test_floats_that_never_end_do_not_matter(monkeypatch):
    def endless(system, right):
        raise RuntimeError("maximum number of iterations")

    monkeypatch.setattr("scipy.optimize.nnls", endless)
    assert solve_nonnegative(exact([[1, 2]]), exact([4])).solvable
    assert descends(exact([[1, 2]]), common_descent(exact([[1, 2]])).obstruction)


def test_a_wrong_direction_in_floats_is_not_believed(monkeypatch):
    G = exact([[1, -1, 0], [0, 0, 1]])
    with_proposal(monkeypatch, [], -1.0)
    assert (G @ common_descent(G).solution).is_zero()
    assert solve_nonnegative(G, exact([1, 1])).solvable


# A wrong answer cannot be made.


def refuses(within, solution=None, obstruction=None):
    with pytest.raises(LscoreError, match="an answer failed its check by substitution"):
        Alternative(within, solution, obstruction)
    return True


def test_a_wrong_solution_is_refused():
    A, b = exact([[1, 1], [1, -1]]), exact([2, 0])
    x = solve_nonnegative(A, b).solution
    assert Alternative(cone(A, b), x).solvable
    assert refuses(cone(A, b), x + exact([LEAST, 0]))
    assert refuses(cone(exact([[1, 1]]), exact([2])), exact([2 + LEAST, -LEAST]))
    assert refuses(cone(A, b), ones(3))
    assert refuses(cone(A, b))
    assert refuses(cone(A, b), x, exact([1, 1]))


def test_a_wrong_obstruction_is_refused():
    A, b = exact([[1, 1], [1, 1]]), exact([1, 2])
    d = solve_nonnegative(A, b).obstruction
    assert not Alternative(cone(A, b), None, d).solvable
    assert refuses(cone(A, b), None, -d)
    assert refuses(cone(A, b), None, d * 0)
    assert refuses(cone(A, b), None, d + exact([LEAST, 0]))
    assert refuses(cone(A, exact([1, 1])), None, d)
    assert refuses(cone(A, b), None, ones(1))


def test_wrong_weights_and_directions_of_a_hull_are_refused():
    G = exact([[1, -1, 0], [0, 0, 1]])
    weights = common_descent(G).solution
    assert hull(G).reaches_zero(weights)
    assert refuses(hull(G), weights + exact([LEAST, -LEAST, 0]))
    assert refuses(hull(G), weights * 0)
    assert refuses(hull(G), weights * 2)
    assert refuses(hull(exact([[0, 0]])), exact([2, -1]))
    assert refuses(hull(G), ones(2))
    away = G + exact([[0, 0, 0], [1, 1, 1]])
    direction = common_descent(away).obstruction
    assert hull(away).separates_zero(direction)
    assert hull(away).separates_zero(exact([0, -1]))
    assert refuses(hull(away), None, exact([0, LEAST - 1]))
    assert refuses(hull(away), None, ones(3))
    found = shortest_element(away)
    assert found.point == exact([0, 1])
    with pytest.raises(LscoreError, match="an answer failed"):
        ShortestElement(away, found.weights * (1 + LEAST))
    with pytest.raises(LscoreError, match="the hull comes nearer to 0"):
        ShortestElement(away, exact([1, 0, 0]))
    with pytest.raises(LscoreError, match="an answer failed"):
        ShortestElement(away, exact([0, 0, 0]))


def test_wrong_coefficients_and_directions_of_a_zonotope_are_refused():
    a, G, bounds = exact([-1, 0]), exact([[1, 1], [1, -1]]), exact([1, 1])
    p = zero_in_zonotope(a, G, bounds).solution
    assert p == exact(["1/2", "1/2"])
    assert refuses(ConvexSet(a, G, bounds), p + exact([LEAST, 0]))
    assert refuses(ConvexSet(a, G, bounds * "1/3"), p)
    assert refuses(ConvexSet(a * 0, G * 0, bounds), exact([0, -LEAST]))
    assert refuses(ConvexSet(a, G, bounds), ones(1))
    far = exact([-3, 0])
    d = zero_in_zonotope(far, G, bounds).obstruction
    assert ConvexSet(far, G, bounds).separates_zero(d)
    assert refuses(ConvexSet(far, G, bounds), None, -d)
    assert refuses(ConvexSet(a, G, bounds), None, d)
    assert refuses(ConvexSet(far, G, bounds), None, ones(3))


def test_a_direction_must_reach_minus_one():
    """The largest value on [0, 2] along -1 is 0, and a bound that is not reached separates."""

    def separates(a, mu, d):
        return ConvexSet(exact([a]), exact([[2]]), exact([mu])).separates_zero(exact(d))

    assert not separates(0, 1, [-1])
    assert separates(1, 1, [-1])
    assert not separates("999/1000", 1, [-1])
    assert not separates(-3, "1001/1000", [1])
    assert not separates(-3, 1, [1, 1])


def test_a_generator_that_points_the_other_way_does_not_separate():
    """The largest <z, d> of the segment from 0 to 2 along d = -1 is 0, not -2."""
    segment = ConvexSet(exact([0]), exact([[2]]), exact([1]))
    assert segment.highest(exact([-1])) == 0
    assert not segment.separates_zero(exact([-1]))
    assert zero_in_zonotope(exact([0]), exact([[2]]), exact([1])).solution == exact([0])


def test_the_input_is_checked():
    with pytest.raises(ShapeError, match=r"b: shape \(3, 1\), need \(2, 1\)"):
        solve_nonnegative(ones(2), ones(3))
    with pytest.raises(ShapeError, match=r"b: shape \(2, 2\), need \(2, 1\)"):
        nonnegative_least_squares(ones(2), zeros(2, 2))
    with pytest.raises(ShapeError, match=r"need \(1, 1\) and \(2, 1\)"):
        zero_in_zonotope(ones(2), exact([[1, 1]]), ones(2))
    with pytest.raises(DataError, match="mu: smallest entry -1, need >= 0"):
        zero_in_zonotope(ones(1), exact([[1]]), exact([-1]))
    with pytest.raises(ShapeError, match="G: need a non-empty list"):
        common_descent([])
    with pytest.raises(DtypeError, match="G"):
        common_descent([ones(2), ones(3)])
    with pytest.raises(ShapeError, match=r"G: shape \(3, 0\), need \(m, k\) with k >= 1"):
        shortest_element(empty(3, 0))
