"""The minimum of the linear model: two proofs that agree, against torch and a linear program.

`LSCORE_ENTROPY=2000` asks that many random integer data sets instead of 200.
"""

import numpy as np
import pytest
from entropy_data import SETS, linear, random_risk
from flint import arb, ctx
from sklearn.datasets import load_iris

from lscore import (
    CrossEntropyLoss,
    LogisticLoss,
    Network,
    Risk,
    absolute_value,
    certify_minimum_near,
    certify_spurious_near,
    exact,
    from_torch,
    hard_tanh,
    leaky_relu,
    relu,
)
from lscore.errors import HypothesisError, LscoreError
from lscore.model.balls import ball_risk
from lscore.model.modules import as_module
from lscore.papers.he2020 import affine_minimum, hinge_point
from lscore.papers.he2020.entropy import certify_overlap
from lscore.papers.he2020.linear_minimum import entropy_bound, linear_minimum

ANCHOR = [-3, -1, 1, 3], [0, 1, 0, 1]
LEAST = "0.58687163378033638627"


def as_point(risk, W):
    """Weights (K, p) as the point of the network without hidden layer."""
    d = risk.network.widths[0]
    parts = [W[k, j] for k in range(len(W)) for j in range(d)]
    return exact(parts + [W[k, d] for k in range(len(W)) if risk.network.bias])


def test_the_anchor():
    found = linear_minimum(linear(*ANCHOR, 2))
    with ctx.workprec(128):
        assert abs(found.risk - arb(LEAST)) < 1e-20
        assert not found.lower > found.risk
        assert abs(found.box[0, 0] - arb("-0.45409213128004754")) < 1e-17
    assert found.box[0, 1].contains(0)
    assert found.box[1, 0].is_zero()


def test_more_bits_bring_the_bounds_together():
    for bits in (64, 400):
        found = linear_minimum(linear(*ANCHOR, 2), bits=bits)
        with ctx.workprec(bits):
            assert abs(found.risk - found.lower) < arb(2) ** (16 - bits)
            assert max(b.rad() for b in found.box.flat) < arb(2) ** (16 - bits)


@pytest.mark.parametrize("seed", range(4))
def test_both_proofs_agree_on_random_data_and_the_rest_is_refused(seed):
    overlaps = 0
    for part in range(seed, SETS, 4):
        risk = random_risk(part)
        if not certify_overlap(risk).certified:
            with pytest.raises(HypothesisError, match="do not overlap") as refused:
                linear_minimum(risk)
            assert refused.value.witness.shape[0] == risk.y.shape[1]
            continue
        overlaps += 1
        found = linear_minimum(risk)
        upper = ball_risk(risk, as_point(risk, found.weights))
        with ctx.workprec(128):
            assert not found.lower > upper
            assert abs(upper - found.lower) < 1e-25
            assert abs(upper - found.risk) < 1e-25
        assert max(b.rad() for b in found.box.flat) < 1e-25
        assert found.dual.smallest() > 0
    assert overlaps


def test_the_gradient_in_balls_vanishes_only_near_the_minimum():
    from lscore.minima.ball_descent import ball_gradient

    risk = linear(*ANCHOR, 2)
    found = linear_minimum(risk)
    at = as_point(risk, found.weights)
    assert all(abs(g) < 1e-30 for g in ball_gradient(risk, at))
    moved = at.entries()
    moved[0] += exact(["1/1000"])[0, 0]
    assert any(g > 1e-6 or g < -1e-6 for g in ball_gradient(risk, exact(moved)))


def test_the_logistic_loss_has_the_same_minimum_times_n():
    one = Risk(Network((1, 1), ()), ANCHOR[0], [1, -1, 1, -1], LogisticLoss())
    found, two = linear_minimum(one), linear_minimum(linear(*ANCHOR, 2))
    with ctx.workprec(128):
        assert abs(found.risk - 4 * two.risk) < 1e-30
        assert abs(found.lower - 4 * two.lower) < 1e-30
        assert abs(found.box[0, 0] - two.box[0, 0]) < 1e-30
    assert found.weights.shape == (2, 2)


def test_dependent_and_badly_scaled_inputs():
    X = [[x, 2 * x, 1e-200 * x, 5] for x in ANCHOR[0]]
    found = linear_minimum(linear(X, ANCHOR[1], 2))
    with ctx.workprec(128):
        assert abs(found.risk - arb(LEAST)) < 1e-20
    assert [bool(b.is_zero()) for b in found.box[0]] == [False, True, True, False, True]


def test_weights_beyond_the_floats():
    found = linear_minimum(linear([5e-324 * x for x in ANCHOR[0]], ANCHOR[1], 2))
    with ctx.workprec(128):
        assert abs(found.risk - arb(LEAST)) < 1e-20
        assert found.box[0, 0] < -(arb(10) ** 320)


def test_inputs_that_are_all_zero():
    found = linear_minimum(linear([[0, 0]] * 3, [0, 1, 2], 3, bias=False))
    with ctx.workprec(128):
        assert found.risk.overlaps(arb(3).log())
        assert found.lower.overlaps(arb(3).log())


def test_iris_two_classes():
    X, y = load_iris(return_X_y=True)
    found = linear_minimum(linear(X[50:], y[50:] - 1, 2))
    assert abs(float(found.risk) - 0.0594927339568) < 1e-11
    assert max(b.rad() for b in found.box.flat) < 1e-30


def test_a_bound_needs_weights_that_balance():
    risk = linear(*ANCHOR, 2)
    q = linear_minimum(risk).dual
    with pytest.raises(LscoreError, match="failed its check"):
        entropy_bound(risk, q * 2)
    nearly = np.array(q.floats())
    with pytest.raises(LscoreError, match="failed its check"):
        entropy_bound(risk, exact(nearly))


def test_one_hinge_below_the_anchor():
    """The minimum carried by a network, a hinge at one input with the gain of the squared loss,
    and with ever larger ones: down to the infimum, the minimum plus a quarter of log p."""
    risk = Risk(Network((1, 3, 2), relu), *ANCHOR, CrossEntropyLoss())
    best = linear_minimum(risk)
    w = affine_minimum(risk, best.weights)
    near = certify_minimum_near(risk, w)
    assert near.certified
    assert near.values["radius"] < 1e-30
    fit = best.weights
    with ctx.workprec(128):
        p = 1 / (1 + (3 * best.box[0, 0]).exp())  # of the right class at x = 3
        infimum = best.risk + p.log() / 4
        assert abs(infimum - arb("0.529873254891762349")) < 1e-17
        V = 1 - p
        by_formula = best.risk + (p.log() + (1 + (3 * best.box[0, 0] - 2 * V).exp()).log()) / 4
        assert abs(by_formula - arb("0.569194694893")) < 1e-12
    lower = hinge_point(risk, fit)
    answer = certify_spurious_near(risk, w, lower.point)
    assert answer.certified
    assert answer.conditions[-1].margin > 0.017
    assert ball_risk(risk, lower.point) > infimum


def test_five_layers_of_torch_are_certified_and_spurious():
    X, y = load_iris(return_X_y=True)
    activations = (relu, leaky_relu("1/10"), hard_tanh, absolute_value)
    risk = Risk(Network((4, 3, 2, 2, 2, 2), activations), X[50:], y[50:] - 1, CrossEntropyLoss())
    best = linear_minimum(risk)
    model = as_module(risk.network, affine_minimum(risk, best.weights).point())
    network, w = from_torch(model)
    risk = Risk(network, X[50:], y[50:] - 1, CrossEntropyLoss())
    answer = certify_spurious_near(risk, w, hinge_point(risk, best.weights).point)
    assert answer.certified, answer.reason
    assert answer.values["radius"] < 1e-10
