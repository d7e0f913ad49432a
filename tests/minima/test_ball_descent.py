"""Smooth networks at the front door: refuted by gradient or curvature in balls, or unknown."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from cases import encloses, fraction, random_network
from flint import arb, ctx, fmpq

import lscore
from lscore import (
    Network,
    Risk,
    SquaredLoss,
    binary_hinge,
    certify_local_minimum,
    exact,
    multiclass_hinge,
    one_versus_all_hinge,
    pattern_at,
    relu,
    risk_along,
    softsign,
    square,
    tanh,
)
from lscore.errors import LscoreError
from lscore.minima.ball_descent import ball_gradient, ball_jet, below, certify_in_balls
from lscore.model.balls import ball_risk
from lscore.model.entropy import LogisticLoss

SMOOTH = [tanh, lscore.sigmoid, lscore.gelu, lscore.softplus, softsign, square, lscore.elu()]
ONE = Risk(Network((1, 1, 1), tanh), [1], [1])


@pytest.mark.parametrize("seed", range(20))
def test_jets_of_piecewise_linear_networks_enclose_the_exact_expansion(seed):
    risk, w = random_network(seed, bias=bool(seed % 3))
    w = exact(w)
    u = exact(np.random.default_rng(seed).integers(-2, 3, risk.dimension).astype(float))
    along = risk_along(risk, w, u).risk
    jet = ball_jet(risk, w, u)
    assert encloses(jet[0], along[0])
    if pattern_at(risk, w).in_cell:
        assert all(encloses(ball, along[k]) for k, ball in enumerate(jet))
        assert all(ball.rad() < 1e-20 for ball in jet)
        pairs = zip(ball_gradient(risk, w), risk.gradient(w).entries(), strict=True)
        assert all(encloses(ball, number) for ball, number in pairs)
    else:  # without biases a dead layer puts the next one on its knots
        assert not jet[1].is_finite()


@pytest.mark.parametrize("h", SMOOTH, ids=lambda h: h.name)
@pytest.mark.parametrize("loss", [SquaredLoss("1/3"), binary_hinge()])
def test_jets_agree_with_autodiff(h, loss):
    network = Network((2, 2, 2, 1), (h, tanh))
    X = [[1, 2], [0, 1], [-1, 1]]
    risk = Risk(network, X, [1, -1, 1], loss, weight_decay="1/7")
    w, u = network.init(3), network.init(5)
    value, slope, bend = ball_jet(risk, exact(w), exact(u))
    gradient = ball_gradient(risk, exact(w))
    expected = risk.gradient(w).tolist()
    assert [float(g) for g in gradient] == pytest.approx(expected, rel=1e-10)
    pairs = zip(gradient, exact(u).entries(), strict=True)
    assert slope.overlaps(sum((g * arb(e) for g, e in pairs), arb(0)))
    assert float(value) == pytest.approx(float(risk(w)), rel=1e-12)
    assert float(slope) == pytest.approx(float(risk.gradient(w) @ u), rel=1e-10)
    assert 2 * float(bend) == pytest.approx(
        float(risk.directional_second_derivative(w, u)), rel=1e-9
    )


def test_gradients_of_several_classes():
    network = Network((2, 2, 3), tanh, bias=False)
    X, w = [[1, 2], [0, 1], [-1, 1]], network.init(3)
    for loss in (multiclass_hinge(["1/2", 1, 2]), one_versus_all_hinge()):
        risk = Risk(network, X, [0, 2, 1], loss)
        gradient = [float(g) for g in ball_gradient(risk, exact(w))]
        assert gradient == pytest.approx(risk.gradient(w).tolist(), rel=1e-10)
    tied = Risk(Network((1, 1), ()), [1], [1], binary_hinge())
    assert not any(g.is_finite() for g in ball_gradient(tied, exact([1, 0])))


def test_a_slope_refutes_with_a_lower_point():
    assert str(certify_local_minimum(ONE, exact([0, 0, 0, "1/2"]))) == (
        "refuted (ball): the point is a local minimum  [B-SMOOTH]\n"
        "  fails     the gradient is 0\n"
        "  witness   direction: column(0, 0, 0, 1/2)\n"
        "  witness   order: 1\n"
        "  witness   slope at most: -1/4\n"
        "  witness   lower point: column(0, 0, 0, 1)\n"
        "  witness   decrease at least: 1/8"
    )


@pytest.mark.parametrize("h", SMOOTH, ids=lambda h: h.name)
@pytest.mark.parametrize("as_float", [True, False])
def test_points_with_a_gradient_are_refuted(h, as_float):
    network = Network((1, 2, 1), h)
    risk = Risk(network, [-1, 0, 2], [1, 3, -1])
    w = network.init(1)
    answer = certify_local_minimum(risk, w if as_float else exact(w))
    assert (str(answer.verdict), answer.method) == ("refuted", "ball")
    low = ball_risk(risk, answer.witness["lower_point"], bits=300)
    fall = ball_risk(risk, exact(w), bits=300) - low
    assert fall > arb(answer.witness["decrease_at_least"])
    assert answer.witness["slope_at_most"] < 0
    assert not answer.reason


def test_a_gradient_of_zero_and_negative_curvature():
    """At 0 the gradient vanishes; the first two layers together descend."""
    risk = Risk(Network((1, 1, 1), tanh, bias=False), [1, 2], [1, 1])
    answer = certify_local_minimum(risk, exact([0, 0]))
    assert answer.conditions[0].text == "no direction has a negative second derivative"
    assert answer.conditions[0].holds is False
    assert answer.witness["order"] == 2
    low = ball_risk(risk, answer.witness["lower_point"])
    assert low < ball_risk(risk, exact([0, 0])) - arb(answer.witness["decrease_at_least"])
    assert (
        certify_in_balls(risk, exact([0, 0])).witness["second_derivative_at_most"]
        == answer.witness["second_derivative_at_most"]
        < 0
    )


def test_zero_risk_and_minima_stay_unknown_with_the_reason():
    risk = Risk(Network((1, 1, 1), tanh), [1, 2], [0, 0])
    answer = certify_local_minimum(risk, exact([1, 1, 0, 0]))
    assert str(answer) == (
        "unknown (ball): the point is a local minimum  [B-SMOOTH]\n"
        "  holds     the gradient is 0\n"
        "  undecided no direction has a negative second derivative\n"
        "  reason    the gradient is 0 (512 bits); minima of smooth networks are not certified here"
    )
    best = Risk(Network((1, 1), (), bias=False, output_activation=tanh), [1, -1, 1], [1, -1, -1])
    mean = torch.atanh(torch.tensor([1 / 3], dtype=torch.float64))
    assert certify_local_minimum(best, mean).refuted  # a float is not the minimum itself


def test_a_possible_kink_is_unknown_with_the_reason():
    risk = Risk(Network((1, 1, 1), lscore.elu()), [1], [1])
    answer = certify_local_minimum(risk, exact([0, 0, 1, 0]))
    assert answer.reason.endswith("or a pre-activation or a margin on a kink")
    mixed = Risk(Network((1, 1, 1, 1), (relu, tanh)), [1], [1])
    assert certify_local_minimum(mixed, exact([0, 0, 1, 1, 1, 0])).reason == answer.reason
    assert certify_local_minimum(mixed, exact([1, 0, 1, 1, 1, 0])).refuted


def test_a_trained_smooth_point_is_refuted_at_rounding_level_and_says_so():
    network = Network((1, 1, 1), tanh)
    risk = Risk(network, [-1, 0, 1, 2], [1, -1, 2, 0], weight_decay="1/10")
    w = network.init(0)
    for _ in range(300):
        w = w - 0.05 * risk.gradient(w)
    for _ in range(20):
        w = w - torch.linalg.solve(risk.hessian(w), risk.gradient(w))
    assert float(risk.gradient(w).abs().max()) < 1e-14
    answer = certify_local_minimum(risk, w)
    assert answer.refuted
    assert answer.reason.startswith("not exactly critical, but the decrease is at rounding level")
    assert fraction(answer.witness["decrease_at_least"]) < Fraction(1, 10**20)


def test_points_beyond_the_floats_are_refuted_by_balls_alone():
    risk = Risk(Network((1, 1), (), output_activation=square), [1], [1])
    for far in (-(10**400), 10**400):
        answer = certify_local_minimum(risk, exact([far, 0]))
        assert answer.refuted
        assert answer.witness["decrease_at_least"] > 10**1000


def test_derivatives_too_small_to_write_out_are_no_witness():
    """e^-(10^300): positive, but its logarithm has 300 digits."""
    risk = Risk(Network((1, 1), (), output_activation=lscore.exponential), [1], [0])
    answer = certify_local_minimum(risk, exact([-1e300, 0]))
    assert str(answer.verdict) == "unknown"
    assert answer.reason.startswith("no entry of the gradient is shown to exceed")
    assert [c.holds for c in answer.conditions] == [None, None]
    grown = certify_local_minimum(risk, exact([1e300, 0]))
    assert str(grown.verdict) in {"refuted", "unknown"}


def test_short_numbers_below_a_ball():
    for ball in (arb(1) / 3, arb(10) ** 50 / 7, arb(2) ** -300, arb("1 +/- 0.5")):
        short = below(ball)
        assert 0 < short <= ball.lower().fmpq() < short * fmpq(2**28 + 1, 2**28)
        assert short.p.bit_length() <= 30 or short.q == 1


def test_the_precision_is_left_as_it_was():
    old = ctx.prec
    certify_local_minimum(ONE, exact([0, 0, 0, "1/2"]))
    assert ctx.prec == old
    with pytest.raises(LscoreError, match="w: shape"):
        certify_local_minimum(ONE, torch.zeros(3, dtype=torch.float64))
    assert (
        fraction(certify_local_minimum(ONE, exact([0, 0, 0, "1/2"])).witness["slope_at_most"]) < 0
    )


def test_a_risk_that_is_linear_along_the_direction_falls():
    """The output weight is 0: only the output layer moves, and the hinge is linear in it."""
    risk = Risk(Network((1, 1, 1), tanh), [1], [1], binary_hinge())
    w = exact([1, 0, 0, 0])
    assert ball_jet(risk, w, exact([0, 0, 1, 1]))[2].is_zero()
    answer = certify_in_balls(risk, w)
    assert (str(answer.verdict), answer.witness["order"]) == ("refuted", 1)


def test_at_order_two_the_direction_is_the_side_on_which_the_risk_falls():
    """The slope is tiny, not 0: a lower point on the far side of a rise is no descent."""
    risk = Risk(Network((1, 1, 1), lscore.erf, bias=False), [2], [1], binary_hinge())
    w = exact([0, "3/1000000000000000000000000000000"])
    witness = certify_local_minimum(risk, w).witness
    assert witness["order"] == 2
    assert ball_jet(risk, w, witness["direction"])[1] < 0
    assert "near_the_point" not in witness
    thirds = Risk(Network((1, 1, 1), softsign, bias=False), [2, 0.5], [-1, 2])  # 2/3 - 2 * 1/3
    either = certify_local_minimum(thirds, exact([1, 0])).witness
    assert either["near_the_point"] == "it falls along the direction or its negative"


def test_a_precision_of_one_bit_is_refused():
    for jet in (ball_gradient, lambda risk, w, bits: ball_jet(risk, w, w, bits=bits)):
        with pytest.raises(lscore.errors.DataError, match="bits: got 1"):
            jet(ONE, exact([0, 0, 0, 1]), bits=1)


@pytest.mark.parametrize("h", [relu, tanh])
def test_a_trained_logistic_classifier_gets_an_answer(h):
    risk = Risk(Network((1, 2, 1), h), [0, 1, 2, 3], [1, -1, 1, -1], LogisticLoss())
    w = risk.network.init(0)
    answer = certify_local_minimum(risk, w)
    assert answer.refuted
    assert risk(answer.witness["lower_point"].point()) < risk(w)
    for _ in range(300):
        w = w - 0.1 * risk.gradient(w)
    assert not certify_local_minimum(risk, w).certified
