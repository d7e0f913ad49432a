"""Linear functions with bends against the plain formula on many directions."""

import random
from fractions import Fraction
from itertools import product

import pytest
from brute_kinks import dot
from cases import fraction
from flint import fmpq
from named_kinks import numbers

from lscore import exact
from lscore.errors import BudgetError
from lscore.minima.bends import bent

GRID = {D: [list(u) for u in product((-3, -2, -1, 0, 1, 2, 3), repeat=D)] for D in (1, 2, 3)}


def random_bends(rng):
    """Rows of several kinds, and g as a plain function."""
    D, m = rng.choice([1, 2, 2, 3]), rng.randint(0, 5)
    a = [Fraction(rng.randint(-2, 2), rng.choice([1, 2])) for _ in range(D)]
    rows = [[Fraction(rng.choice([-2, -1, 0, 1, 1])) for _ in range(D)] for _ in range(m)]
    weights = [Fraction(rng.choice([-2, -1, 1, 1, 2, 3]), 2) for _ in rows]

    def plain(u):
        pairs = zip(rows, weights, strict=True)
        return dot(a, u) + sum(b * max(dot(x, u), 0) for x, b in pairs)

    table = exact([[str(e) for e in x] for x in rows]) if rows else None
    g = bent(exact([str(e) for e in a]), table, [fmpq(b.numerator, b.denominator) for b in weights])
    return g, plain, D


def test_parallel_rows_are_merged_without_changing_the_function():
    rng = random.Random(1)
    for _ in range(100):
        g, plain, D = random_bends(rng)
        assert all(fraction(g(exact(u))) == plain(u) for u in GRID[D][::3])
        assert 0 not in g.bends
        assert g.is_zero == (not any(plain(u) for u in GRID[D]))
        if not g.is_zero:
            assert plain(numbers(g.nonzero())) != 0


def test_what_bends_without_a_slope_on_average_is_found_to_be_not_0():
    g = bent(exact([-1, 0, 0]), exact([[1, 0, 0], [0, 1, 0]]), [fmpq(2), fmpq(2)])
    assert g(g.nonzero())
    g = bent(exact(["-1/2", "1/2"]), exact([[1, 0], [0, 1]]), [fmpq(1), fmpq(-1)])
    assert g(g.nonzero())  # |u_1| / 2 - |u_2| / 2


def test_descent_is_found_exactly_where_there_is_some():
    rng, seen = random.Random(2), {True: 0, False: 0}
    for _ in range(300):
        g, plain, D = random_bends(rng)
        u = g.descent(10**6)
        seen[u is None] += 1
        if u is None:
            assert min(map(plain, GRID[D])) >= 0
        else:
            assert plain(numbers(u)) < 0
    assert min(seen.values()) > 40


def test_the_steepest_direction_is_found_exactly_where_there_is_some():
    rng, seen = random.Random(3), {True: 0, False: 0}
    for _ in range(200):
        g, plain, D = random_bends(rng)
        level = Fraction(rng.randint(1, 12), 4)
        u = g.steeper(fmpq(level.numerator, level.denominator) ** 2, 10**6)
        seen[u is None] += 1
        if u is None:
            assert all(plain(u) ** 2 <= level**2 * dot(u, u) for u in GRID[D])
        else:
            u = numbers(u)
            assert plain(u) ** 2 > level**2 * dot(u, u)
    assert min(seen.values()) > 40


def test_the_level_itself_is_not_steeper():
    """On u_1 = u_2 the function u_1 + u_2 has slope sqrt 2; max(u_1 + u_2, 0) too."""
    for g in (
        bent(exact([3, 4]), None, []),
        bent(exact([0, 0]), exact([[3, 4]]), [fmpq(1)]),
        bent(exact([0, 0]), exact([[3, 4]]), [fmpq(-1)]),
    ):
        assert g.steeper(fmpq(25), 2) is None
        assert g.steeper(fmpq(4999, 1000) ** 2, 2) is not None


def test_the_limit_counts_chambers_before_they_are_listed():
    rows = exact([[1, 0], [0, 1], [1, 1]])
    g = bent(exact([0, 0]), rows, [fmpq(-1), fmpq(3), fmpq(3)])
    assert g.cases(g.concave) == 2
    with pytest.raises(BudgetError, match="up to 2 cases, the limit is 1"):
        bent(exact([1, 1]), rows, [fmpq(1), fmpq(1), fmpq(-1, 2)]).descent(1)
    with pytest.raises(BudgetError, match="up to 6 cases"):
        g.steeper(fmpq(1), 5)
