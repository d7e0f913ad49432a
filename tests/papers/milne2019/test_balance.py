"""Milne (2019): layers of critical points are balanced, and where the theorem does not speak."""

import pytest
from cases import CERTIFIED, REFUTED, UNKNOWN, assert_unknown
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st
from toy_risks import HALF, chain, toy

from lscore import Network, Risk, exact, hard_tanh, leaky_relu, linear, rational, relu, two_piece
from lscore.papers.milne2019 import (
    certify_layer_balance,
    certify_membership,
    lowest_risk,
)


@pytest.mark.parametrize("H", [1, 2, 3, 4])
def test_chains_are_balanced(H):
    label = rational("1/2") ** (H + 1) + 2 ** (H - 1) * rational("1/4")
    answer = certify_layer_balance(chain(H, label), exact(["1/2"] * (H + 1)))
    assert answer.verdict == CERTIFIED
    assert answer.values["rayleigh_quotient"] == -H * rational("1/4")
    # and one weight in eight digits away from it: the gradient does not vanish
    moved = exact(["1/2"] * H + ["0.50000001"])
    refused = certify_layer_balance(chain(H, label), moved)
    assert refused.verdict == UNKNOWN
    assert "gradient" in refused.reason


def test_wide_layers_of_rank_one_have_the_numbers_of_the_chain():
    """W0 = v/2, W1 = u v'/2, W2 = u'/2 with unit vectors u, v: the operator norms are 1/2."""
    label = fmpq(1, 8) + 2 * fmpq(1, 4)
    risk = Risk(Network((1, 2, 2, 1), linear(1), bias=False), [1], [label], HALF, "1/4")
    u, v = (fmpq(3, 5), fmpq(4, 5)), (fmpq(5, 13), fmpq(-12, 13))
    half = fmpq(1, 2)
    w = [half * a for a in v] + [half * a * b for a in u for b in v] + [half * a for a in u]
    wide = certify_layer_balance(risk, exact(w))
    narrow = certify_layer_balance(chain(2, label, linear(1)), exact(["1/2"] * 3))
    assert wide.verdict == narrow.verdict == CERTIFIED
    assert wide.conditions == narrow.conditions


def test_leaky_and_linear_units_are_balanced_too():
    for h in (leaky_relu("1/3"), linear(1), linear("-1/2")):
        slope = h.slopes[-1]
        f = slope / 4 + rational("1/4") / slope
        answer = certify_layer_balance(chain(1, f, h), exact(["1/2", "1/2"]))
        assert answer.verdict == CERTIFIED, h.name


def test_slope_two_breaks_the_third_statement_only():
    answer = certify_layer_balance(chain(1, "5/8", two_piece(2, 0)), exact(["1/2", "1/2"]))
    assert answer.verdict == REFUTED
    assert [c.holds for c in answer.conditions] == [True, True, True, True, False]
    assert answer.conditions[-1].margin == rational("-3/64")


def test_points_of_which_the_theorem_does_not_speak():
    assert "0" in certify_layer_balance(chain(1, "1/2", linear(1)), exact([0, 0])).reason
    assert certify_layer_balance(chain(1, "1/2"), exact([0, 1])).verdict == UNKNOWN
    biased = Risk(Network((1, 1, 1), relu), [1], [1], HALF, 1)
    flat = Risk(Network((1, 1), relu, bias=False), [1], [1], HALF, 1)
    for risk, w, reason in (
        (biased, exact([0] * 4), "knot"),
        (chain(1, 1, hard_tanh), exact([1, 1]), "homogeneous: got hard tanh"),
        (chain(1, 1, decay=0), exact([1, 1]), "hypothesis weight decay"),
        (flat, exact([1]), "hidden layer"),
    ):
        assert_unknown(certify_layer_balance(risk, w), reason)


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from(["1/8", "1/3", 2]))
def test_toy_minima_are_balanced(a, b, decay):
    """Two sides with c the squares of a/12 and b/12, whatever the decay."""
    w = [rational(f"{a}/12"), rational(f"-{b}/12")]
    decay = rational(decay)
    y = [2 * decay + w[0] ** 2, -2 * decay - w[1] ** 2]
    risk = toy(decay, [1, -1], y)
    point = exact([*w, *w])
    assert certify_layer_balance(risk, point).verdict == CERTIFIED
    assert risk(point) == lowest_risk(risk)
    assert certify_membership(risk, point).verdict == REFUTED


def test_several_outputs_are_balanced_and_the_bound_is_sharp():
    """W0 = rho a' u', W1 = rho w u, e = -(lambda / |a|) w with unit u, w: 2 l r^2 = lambda^2."""
    u, v = exact(["3/5", "4/5"]), exact(["5/13", "-12/13"])
    a, rho, decay = exact([3, 4]), fmpq(1, 2), fmpq(1, 4)
    W0, W1 = u @ a.T * (rho / 5), v @ u.T * rho
    y = W1 @ W0 @ a + v * (decay / 5)
    network = Network((2, 2, 2), linear(1), bias=False)
    risk = Risk(network, a.T, y.T, HALF, decay)
    answer = certify_layer_balance(risk, network.pack([W0, W1]))
    assert answer.verdict == CERTIFIED
    assert answer.conditions[-1].holds
    lower = Risk(network, a.T, y.T, HALF, decay * fmpq(101, 100))
    assert certify_layer_balance(lower, network.pack([W0, W1])).verdict == UNKNOWN


def test_biases_that_are_not_decayed_change_nothing_and_decayed_ones_do():
    """Two samples, one unit, e = (lambda, -lambda): sharp again. With decayed biases (i) fails."""
    rho, lam = fmpq(1, 2), fmpq(1, 4)
    y = [rho * (1 - rho) + 3 - lam, rho * (1 + rho) + 3 + lam]
    w = exact([rho, 1, rho, 3])
    free = Risk(Network((1, 1, 1), relu), [-1, 1], y, HALF, {"weights": lam})
    answer = certify_layer_balance(free, w)
    assert answer.verdict == CERTIFIED
    assert answer.claim == "MILNE-B-N-1"
    assert answer.conditions[-1].margin == 0
    network = Network((1, 1, 1), relu, bias=(True, False))
    tied = Risk(network, ["5/12"], ["313/624"], HALF, "1/4")
    refuted = certify_layer_balance(tied, exact(["5/26", "6/13", "1/2"]))
    assert refuted.verdict == REFUTED
    assert [c.holds for c in refuted.conditions] == [True, True, False, False]
    uneven = Risk(network, ["5/12"], ["313/624"], HALF, ["1/4", "1/5"])
    assert_unknown(
        certify_layer_balance(uneven, exact(["5/26", "6/13", "1/2"])), "one decay of all weights"
    )
