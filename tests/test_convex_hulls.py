"""Hulls of gradients: exact weights or directions, the shortest element, and their checks."""

import numpy as np
import pytest
from cases import small_fractions
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from lscore import exact
from lscore.convex_hulls import (
    contains_zero,
    is_common_descent,
    is_min_norm_element,
    is_zero_combination,
    min_norm_element,
)
from lscore.errors import LscoreError, ShapeError
from lscore.exact import ones, to_float, zeros

LEAST = fmpq(1, 10**40)

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
    columns = []
    for slopes in LEAKY_SLOPES:
        products = {x: slopes[x] * mu for x, mu in LEAKY_WEIGHTS.items()}
        weight = -sum((p * x for x, p in products.items()), fmpq(0))
        columns.append(exact([weight, -sum(products.values(), fmpq(0)), 0, 0]))
    return columns


def test_the_zero_network_of_the_leaky_example_is_not_critical():
    gradients = leaky_gradients()
    assert gradients[0] == exact(["-5/4", 0, 0, 0])
    assert gradients[3] == exact(["-5/8", 0, 0, 0])
    answer = contains_zero(gradients)
    assert not answer.contained
    assert is_common_descent(gradients, answer.direction)
    found = min_norm_element(gradients)
    assert found.norm_squared == fmpq(25, 64)
    assert found.point == exact(["-5/8", 0, 0, 0])
    assert found.weights == exact([0, 0, 0, 1, 0, 0])


def test_the_absolute_values_of_a_kink_have_zero_in_their_hull():
    G = exact([[1, 1, -1, -1], [1, -1, 1, -1]])
    answer = contains_zero(G)
    assert answer.contained
    assert is_zero_combination(G, answer.weights)
    assert min_norm_element(G).norm_squared == 0


matrices = st.tuples(st.integers(1, 4), st.integers(1, 7)).flatmap(
    lambda shape: st.lists(
        st.lists(small_fractions, min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


@given(matrices)
def test_the_two_deciders_agree_and_their_answers_pass_their_checks(rows):
    G = exact(rows)
    answer, shortest = contains_zero(G), min_norm_element(G)
    assert answer.contained == (shortest.norm_squared == 0)
    assert is_min_norm_element(G, shortest.point, shortest.weights)
    if answer.contained:
        assert is_zero_combination(G, answer.weights)
    else:
        assert is_common_descent(G, answer.direction)
        assert is_common_descent(G, shortest.point * (-1 / shortest.norm_squared))


@given(matrices)
def test_wolfe_alone_finds_the_same_point_without_a_proposal(rows):
    G = exact(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lscore.convex_hulls._proposed_corral", lambda G: [])
        alone = min_norm_element(G).point
    assert alone == min_norm_element(G).point


@given(matrices, st.randoms(use_true_random=False))
def test_any_wrong_proposal_is_repaired(rows, random):
    G = exact(rows)
    corral = random.sample(range(G.shape[1]), random.randint(1, G.shape[1]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lscore.convex_hulls.nnls", lambda *_: (np.isin(range(99), corral)[:k],))
        k = len({tuple(map(str, G.column(j).entries())) for j in range(G.shape[1])})
        found = min_norm_element(G)
    assert found.point == min_norm_element(G).point


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
    found = min_norm_element(exact(G))
    assert to_float(found.norm_squared) <= result.fun + 1e-12
    assert np.allclose(found.point.floats()[:, 0], G @ result.x, atol=5e-3)


def test_many_rows_and_huge_or_tiny_entries_do_no_harm():
    rng = np.random.default_rng(0)
    G = exact(rng.integers(-9, 10, (200, 6)).astype(float))
    plain = min_norm_element(G)
    assert min_norm_element(G * 10**300 * 10**300).point == plain.point * 10**300 * 10**300
    assert min_norm_element(G / 10**300 / 10**300).point == plain.point / 10**300 / 10**300
    assert min_norm_element(zeros(3, 2)).point == zeros(3)


def test_equal_gradients_count_once_and_keep_their_places():
    G = exact([[3, 3, 1, 1], [0, 0, 2, 2]])
    found = min_norm_element(G)
    assert found.weights == exact(["1/4", 0, "3/4", 0])
    assert found.point == exact(["3/2", "3/2"])
    zero = contains_zero([exact([1]), exact([1]), exact([-2]), exact([-2])])
    assert zero.weights == exact(["2/3", 0, "1/3", 0])


def test_wrong_weights_points_and_directions_are_refused():
    G = exact([[1, -1, 0], [0, 0, 1]])
    weights = contains_zero(G).weights
    assert is_zero_combination(G, weights)
    assert not is_zero_combination(G, weights + exact([LEAST, -LEAST, 0]))
    assert not is_zero_combination(G, weights * 0)
    assert not is_zero_combination(exact([[0, 0]]), exact([2, -1]))
    away = G + exact([[0, 0, 0], [1, 1, 1]])
    direction = contains_zero(away).direction
    assert is_common_descent(away, direction)
    assert is_common_descent(away, exact([0, -1]))
    assert not is_common_descent(away, exact([0, LEAST - 1]))
    assert not is_common_descent(away, ones(3))
    found = min_norm_element(away)
    assert is_min_norm_element(away, found.point, found.weights)
    assert not is_min_norm_element(away, found.point * (1 + LEAST), found.weights)
    assert not is_min_norm_element(away, away.column(0), exact([1, 0, 0]))
    assert not is_min_norm_element(away, zeros(2), exact([0, 0, 0]))


def test_an_answer_that_fails_its_check_is_never_returned(monkeypatch):
    monkeypatch.setattr("lscore.convex_hulls._wolfe", lambda G, corral: ([0], ones(1)))
    with pytest.raises(LscoreError, match="failed its own check"):
        min_norm_element(exact([[2, 1]]))


@pytest.mark.parametrize("gradients", [[], [ones(2), ones(3)], [exact([[1, 2]])]])
def test_shapes_must_fit(gradients):
    with pytest.raises(ShapeError, match="gradients: shapes"):
        contains_zero(gradients)
