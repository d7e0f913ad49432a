"""Is a point a spurious minimum: three verdicts, merged gradients, losses and depths."""

import pytest
from losses import Quartic, Tilted, Unproved

from lscore import (
    Network,
    Risk,
    absolute_value,
    binary_hinge,
    certify_spurious,
    exact,
    hard_tanh,
    relu,
)
from lscore.model.huber import HuberLoss
from lscore.papers.he2020 import affine_minimum, certify_better_function, certify_spurious_minimum
from lscore.papers.yun2019 import least_squares_minimum

TWICE = [0, 0, 1, 1], [1, -1, 2, 0]


def deep(X, y, **keywords):
    return Risk(Network((1, 2, 2, 1), relu), X, y, **keywords)


def test_clashing_labels_alone_are_global_and_one_more_point_makes_them_spurious():
    alone, more = deep(*TWICE), deep([*TWICE[0], 2], [*TWICE[1], 5])
    answer = certify_spurious_minimum(alone, affine_minimum(alone))
    assert answer.refuted
    assert answer.witness["smallest_risk_of_any_function_of_x"] == 2
    assert certify_better_function(alone, affine_minimum(alone)).refuted
    answer = certify_spurious_minimum(more, affine_minimum(more))
    assert answer.certified


def test_gap_of_the_ledger_with_duplicates():
    risk = Risk(Network((1, 2, 1), relu), [*TWICE[0], 2], [*TWICE[1], 5])
    w = affine_minimum(risk)
    answer = certify_spurious_minimum(risk, w)
    assert str((risk(w) - answer.values["smaller_risk"]) / 5) == "18/245"


def test_a_point_that_is_no_minimum_is_refuted_with_a_descent():
    risk = deep([0, 1, 2], [0, 1, 0])
    entries = affine_minimum(risk).entries()
    entries[-1] += 1
    answer = certify_spurious_minimum(risk, exact(entries))
    assert answer.refuted
    assert risk(answer.witness["lower_point"]) < risk(exact(entries))


def test_a_lower_point_that_is_not_lower_proves_nothing():
    risk = deep([0, 1, 2], [0, 1, 0])
    w = affine_minimum(risk)
    assert certify_spurious_minimum(risk, w, w).reason == "the other point given is not lower"
    assert certify_spurious_minimum(risk, w).certified


def test_a_dead_network_is_below_nothing_and_above_the_affine_minimum():
    risk = deep([0, 1, 2], [0, 1, 5])
    dead = exact([0, 0, -1, -1, 0, 0, 0, 0, -1, -1, 0, 0, 2])
    answer = certify_spurious_minimum(risk, dead)
    assert answer.certified


def test_it_agrees_with_the_checker_of_one_hidden_layer():
    for y in ([0, 1, 4, 9], [1, 3, 5, 7], [0, 1, 0, 5]):
        risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], y)
        w = least_squares_minimum(risk)
        pair = certify_spurious(risk, w).verdict, certify_spurious_minimum(risk, w).verdict
        assert pair[0] == pair[1]


@pytest.mark.parametrize(
    ("loss", "reason"),
    [(binary_hinge(), "not known to be differentiable"), (Quartic(), "")],
)
def test_better_functions_outside_the_setting(loss, reason):
    risk = Risk(Network((1, 1, 1), relu), [0, 1, 2], [1, -1, 1], loss)
    answer = certify_better_function(risk, exact([0, 1, 0, 0]))
    assert answer.verdict == ("unknown" if reason else "certified") or answer.verdict == "unknown"
    assert reason in answer.reason


def test_a_loss_of_somebody_else_says_that_convexity_is_declared():
    risk = Risk(Network((1, 2, 1), relu), [0, 1, 2], [1, 2, 3], Unproved())
    w = affine_minimum(risk, exact([[1, 1]]))
    answer = certify_better_function(risk, w)
    assert answer.refuted
    assert "declared" in str(answer)
    tilted = Risk(Network((1, 2, 1), relu), [0, 1, 2], [1, 2, 3], Tilted())
    assert certify_better_function(tilted, affine_minimum(tilted)).refuted  # r = -3/2 everywhere


def test_huber_and_absolute_value_at_depth_three():
    risk = Risk(Network((1, 2, 1, 1), (absolute_value, hard_tanh)), [0, 1, 2, 3, 4, 6],
                [0, 2, 1, 5, 3, 4], HuberLoss("1/2"))  # fmt: skip
    answer = certify_spurious_minimum(risk, affine_minimum(risk))
    assert answer.certified
    assert answer.values["radius_of_a_box"] > 0


def test_weight_decay_and_smooth_activations_are_unknown():
    risk = deep([0, 1, 2], [0, 1, 0], weight_decay=1)
    w = affine_minimum(deep([0, 1, 2], [0, 1, 0]))
    assert not certify_spurious_minimum(risk, w).certified
    assert certify_better_function(risk, w).verdict == "unknown"
