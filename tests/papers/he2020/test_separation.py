"""Lemma 6 on random data with ties, groups that sum to 0, and duplicates."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from flint import fmpq

from lscore import exact
from lscore.errors import HypothesisError, ShapeError
from lscore.papers.he2020 import certify_separation, separation
from lscore.papers.he2020.separation import Separation


def problem(seed):
    """Distinct inputs, tied values, and numbers that often cancel in each group."""
    rng = np.random.default_rng(seed)
    d, n = int(rng.integers(1, 4)), int(rng.integers(3, 9))
    X = np.unique(rng.integers(-2, 3, (n, d)), axis=0)
    n = len(X)
    v = rng.integers(0, [1, 2, 4][seed % 3], n)
    u = rng.integers(-2, 3, n)
    if seed % 2:
        for level in set(v.tolist()):
            group = np.flatnonzero(v == level)
            u[group[0]] -= u[group].sum()
    else:
        u[0] -= u.sum()
    return exact(u.tolist()), exact(v.tolist()), exact(X.tolist())


def test_random_data_are_separated():
    seen = Counter()
    for seed in range(400):
        u, v, X = problem(seed)
        if u.is_zero():
            continue
        found = separation(u, v, X)
        assert certify_separation(u, v, X, found).certified, seed
        if found.alpha_max is not None:  # close to the bound, too
            alpha = found.alpha_max * fmpq(999999, 10**6)
            moved = (v - alpha * (X @ found.beta)).entries()
            assert max(moved[i] for i in found.below) < min(moved[j] for j in found.above)
        seen[found.beta.is_zero()] += 1
    assert min(seen.values()) > 50


def test_wrong_separations_are_refuted():
    data = exact([1, -1, -1, 1]), exact([0] * 4), exact([0, 1, 2, 3])
    found = separation(*data)
    assert certify_separation(*data, replace(found, beta=found.beta * -1)).refuted
    assert certify_separation(*data, replace(found, below=(3, 0))).refuted
    assert certify_separation(*data, replace(found, below=(0, 1, 2, 3), above=())).refuted
    swapped = replace(found, below=(0, 1), above=(2, 3), beta=-found.beta)
    assert certify_separation(*data, swapped).refuted  # 1 - 1 = 0


def test_an_order_has_to_hold_up_to_both_ends():
    u, X = exact([1, -1]), exact([1, 0])
    found = Separation((0,), (1,), exact([1]), 0, None)
    assert certify_separation(u, exact([0, 0]), X, found).certified
    early = certify_separation(u, exact(["1/2000", 0]), X, found)  # wrong for alpha < 1/2000
    assert early.refuted
    assert not early.conditions[-1].holds
    uphill = replace(found, beta=exact([-1]), alpha_max=fmpq(1))
    below_by_one = exact([0, 1])
    assert certify_separation(u, below_by_one, X, uphill).certified  # a tie at the end, alpha = 1
    for end in (None, fmpq(1001, 1000), fmpq(0), fmpq(-1)):
        assert certify_separation(u, below_by_one, X, replace(uphill, alpha_max=end)).refuted, end
    for sides in ((0, 5), (1,)), ((0,), (0, 1)), ((), (0, 1)):
        wrong = replace(found, below=sides[0], above=sides[1])
        assert certify_separation(u, exact([0, 0]), X, wrong).refuted
    for data in ((exact([1, -1, 0]), u, X, found), (u, u, X, replace(found, beta=u))):
        with pytest.raises(ShapeError, match="u, v, beta"):
            certify_separation(*data)


def test_the_hypotheses():
    X = exact([0, 1, 2])
    for u in ([0, 0, 0], [1, 1, 1]):
        with pytest.raises(HypothesisError, match="hypothesis u"):
            separation(exact(u), exact([0, 0, 0]), X)
    with pytest.raises(HypothesisError, match="coincide"):
        separation(exact([1, -1]), exact([0, 0]), exact([2, 2]))
    with pytest.raises(ShapeError, match="u, v"):
        separation(exact([1]), exact([0, 0]), exact([2, 2]))
