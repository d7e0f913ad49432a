"""Zonotopes: coefficients that reach 0 or a direction that keeps it out, against HiGHS."""

import numpy as np
import pytest
from flint import fmpq
from scipy.optimize import linprog

from lscore import exact
from lscore.errors import DataError, ShapeError
from lscore.exact import ones
from lscore.zonotopes import reaches_zero, separates_zero, zonotope_contains_zero

LEAST = fmpq(1, 10**40)


def test_random_zonotopes_agree_with_highs():
    rng = np.random.default_rng(0)
    found = [0, 0]
    for _ in range(200):
        m, k = int(rng.integers(1, 4)), int(rng.integers(1, 6))
        G, a = rng.integers(-2, 3, (m, k)).astype(float), rng.integers(-3, 4, m).astype(float)
        bounds = rng.integers(0, 3, k).astype(float)
        answer = zonotope_contains_zero(exact(a), exact(G), exact(bounds))
        inside = linprog(0 * bounds, A_eq=G, b_eq=-a, bounds=[(0, b) for b in bounds]).status == 0
        assert answer.contained == inside
        found[inside] += 1
        if inside:
            assert reaches_zero(exact(a), exact(G), exact(bounds), answer.coefficients)
        else:
            assert separates_zero(exact(a), exact(G), exact(bounds), answer.direction)
    assert min(found) > 40


def test_wrong_coefficients_and_directions_are_refused():
    a, G, bounds = exact([-1, 0]), exact([[1, 1], [1, -1]]), exact([1, 1])
    p = zonotope_contains_zero(a, G, bounds).coefficients
    assert p == exact(["1/2", "1/2"])
    assert not reaches_zero(a, G, bounds, p + exact([LEAST, 0]))
    assert not reaches_zero(a, G, bounds * "1/3", p)
    assert not reaches_zero(a * 0, G * 0, bounds, exact([0, -LEAST]))
    assert not reaches_zero(a, G, bounds, ones(1))
    far = exact([-3, 0])
    d = zonotope_contains_zero(far, G, bounds).direction
    assert separates_zero(far, G, bounds, d)
    assert not separates_zero(far, G, bounds, -d)
    assert not separates_zero(a, G, bounds, d)
    assert not separates_zero(far, G, bounds, ones(3))


def test_a_direction_must_reach_minus_one():
    """The largest value on [0, 2] along -1 is 0, and a bound that is not reached separates."""
    assert not separates_zero(exact([0]), exact([[2]]), exact([1]), exact([-1]))
    assert separates_zero(exact([1]), exact([[2]]), exact([1]), exact([-1]))
    assert not separates_zero(exact(["999/1000"]), exact([[2]]), exact([1]), exact([-1]))
    assert not separates_zero(exact([-3]), exact([[2]]), exact(["1001/1000"]), exact([1]))
    assert not separates_zero(exact([-3]), exact([[2]]), exact([1]), exact([1, 1]))


def test_the_input_is_checked():
    with pytest.raises(ShapeError, match=r"need \(1, 1\) and \(2, 1\)"):
        zonotope_contains_zero(ones(2), exact([[1, 1]]), ones(2))
    with pytest.raises(DataError, match="bounds: smallest entry -1"):
        zonotope_contains_zero(ones(1), exact([[1]]), exact([-1]))
