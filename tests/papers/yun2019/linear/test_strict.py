"""Negative curvature at critical points: exact Hessians against rays and floats."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from cases import assert_unknown
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_points import NARROW, SADDLES, random_risk
from losses import Cave

from lscore import (
    exact,
    mean_squared_error,
    risk_along,
)
from lscore.errors import DataError, HypothesisError
from lscore.papers.yun2019 import (
    certify_bottleneck_minimum,
    certify_saddle_or_minimum,
    certify_strict_saddle,
    linear_hessian,
    negative_curvature,
)
from lscore.papers.yun2019.linear.setting import (
    is_positive_semidefinite,
)
from lscore.papers.yun2019.linear.strict import negative_vector


def test_checkers_of_the_squared_loss_refuse_other_losses():
    other = replace(NARROW, loss=Cave())
    for check in (certify_bottleneck_minimum, certify_strict_saddle):
        assert_unknown(check(other, exact([0] * 4)), "hypothesis squared loss")
    with pytest.raises(HypothesisError, match="squared loss"):
        negative_curvature(other, exact([0] * 4))
    assert certify_saddle_or_minimum(other, exact([0, 1, 0, 1])).verdict == "unknown"


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=10, max_size=10))
def test_a_negative_vector_is_found_unless_there_is_none(entries):
    a = iter(entries)
    A = [[0] * 4 for _ in range(4)]
    for i in range(4):
        for j in range(i + 1):
            A[i][j] = A[j][i] = next(a)
    A = exact(A)
    if is_positive_semidefinite(A):
        with pytest.raises(DataError, match="positive semidefinite"):
            negative_vector(A)
        return
    v = negative_vector(A)
    assert (v.T @ A @ v)[0, 0] < 0


def test_curvature_is_decided_for_every_designed_saddle_and_agrees_with_floats():
    count = Counter()
    for made in SADDLES:
        answer = certify_strict_saddle(made.risk, made.point)
        two_layers = negative_curvature(made.risk, made.point)
        how = "two layers" if two_layers is not None else next(iter(answer.witness))
        count[answer.verdict.value, how] += 1
        if two_layers is not None:
            assert answer.values["quadratic_coefficient"] == -1
        smallest = np.linalg.eigvalsh(made.risk.hessian(made.point.point()).numpy())[0]
        assert smallest < -1e-6 if answer.certified else smallest > -1e-6
        if len(made.risk.network.widths) == 3:
            assert answer.certified
    assert count == {
        ("certified", "two layers"): 75,
        ("certified", "direction"): 5,
        ("refuted", "exact_Hessian"): 9,
        ("refuted", "coupled_pairs_of_layers"): 7,
    }


@pytest.mark.parametrize("loss", [None, mean_squared_error])
@pytest.mark.parametrize("widths", [(2, 2), (2, 3, 2), (1, 2, 3, 2), (2, 1, 2, 2, 1)])
def test_the_exact_hessian_is_that_of_the_expansion_along_rays(widths, loss):
    risk, w = random_risk(6, *widths)
    risk = replace(risk, loss=loss) if loss else risk
    H = linear_hessian(risk, w)
    assert H == H.T
    rng = np.random.default_rng(0)
    for _ in range(5):
        u = exact(rng.integers(-2, 3, risk.dimension).astype(float))
        assert risk_along(risk, w, u).risk[2] == (u.T @ H @ u)[0, 0] / 2


def test_curvature_refuses_a_point_that_is_not_critical():
    risk, w = random_risk(5, 2, 3, 2)
    answer = certify_strict_saddle(risk, w)
    assert answer.refuted
    assert answer.witness["gradient"] == risk.gradient(w)
