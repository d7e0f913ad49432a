"""Negative curvature at critical points: exact Hessians against rays and floats."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from cases import assert_unknown
from linear_points import NARROW, SADDLES, random_risk
from losses import Cave

from lscore import (
    cell_at,
    cell_hessian,
    exact,
    mean_squared_error,
    risk_along,
)
from lscore.errors import HypothesisError
from lscore.papers.yun2019 import (
    certify_bottleneck_minimum,
    certify_saddle_or_minimum,
    certify_strict_saddle,
    negative_curvature,
)


def test_checkers_of_the_squared_loss_refuse_other_losses():
    other = replace(NARROW, loss=Cave())
    for check in (certify_bottleneck_minimum, certify_strict_saddle):
        assert_unknown(check(other, exact([0] * 4)), "hypothesis squared loss")
    with pytest.raises(HypothesisError, match="squared loss"):
        negative_curvature(other, exact([0] * 4))
    assert certify_saddle_or_minimum(other, exact([0, 1, 0, 1])).verdict == "unknown"


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
    H = cell_hessian(cell_at(risk, w), w)
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
