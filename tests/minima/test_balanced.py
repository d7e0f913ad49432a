"""Pulls that balance: minima of any depth and convex loss, and the neighbours that are none."""

from dataclasses import replace

import numpy as np
import pytest
from cases import KINK, PARABOLA, PULLED, fraction, reference_risk
from flint import fmpq
from losses import Absolute, Capped, Huber, Unproved

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    binary_hinge,
    certify_hinge_minimum,
    certify_local_minimum,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    linear,
    multiclass_hinge,
    relu,
    tanh,
    two_piece,
)
from lscore.algebra.linear import least_squares
from lscore.cells.forms import cell_polynomial
from lscore.cells.pattern import cell_at
from lscore.errors import BudgetError, DataError, LscoreError
from lscore.minima.affine import certify_affine_minimum
from lscore.minima.balanced import certify_balance, reachable_functions
from lscore.minima.local import _cell_directions, most_monomials

XOR = Risk(Network((2, 2, 1), relu), [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
FITTED = exact([-1, 1, 0, 0, "-1/2", -1, "4/3", 0, "1/3"])
LINE = Risk(Network((1, 2, 1), leaky_relu("1/2")), [-1, 0, 1], [1, -1, 1], binary_hinge())
DEEP = Risk(Network((1, 2, 2, 1), relu), [-1, 0, 1, 2], [0, 1, 1, 4])
LINEAR = Risk(Network((1, 2, 1, 1), identity), [-1, 0, 1, 2], [0, 1, 1, 4])


def lowered(risk, w, answer):
    low = answer.witness["lower_point"]
    return reference_risk(risk, w) - reference_risk(risk, low) == fraction(
        answer.witness["decrease_there"]
    )


def test_a_cell_in_which_a_unit_uses_both_pieces():
    answer = certify_local_minimum(XOR, FITTED)
    assert str(answer) == (
        "certified (exact): the point is a local minimum  [B-BALANCE]\n"
        "  holds     units are on knots only at inputs with pull 0\n"
        "  holds     the pulls balance along every path: 1 sum over the samples is 0\n"
        "  value     risk = 1/3"
    )
    moved = FITTED + exact([0] * 8 + ["1/100"])
    assert str(certify_balance(XOR, moved)) == (
        "unknown (exact): the point is a local minimum  [B-BALANCE]\n"
        "  holds     units are on knots only at inputs with pull 0\n"
        "  fails     the pulls balance along every path: 2 sums over the samples are 0, "
        "largest sum 1/25\n"
        "  reason    the pulls do not balance"
    )
    answer = certify_local_minimum(XOR, moved)
    assert answer.refuted
    assert lowered(XOR, moved, answer)


def test_an_unused_unit_on_two_pieces_refutes_at_order_two():
    """Output 0, gradient 0; unit 0 is on at two samples whose pulls balance with x, not with 1."""
    risk = Risk(Network((1, 2, 1), relu), [-2, -1, 1, 2], [1, 0, -2, 1])
    w = exact([1, 0, 0, -1, 0, 0, 0])
    assert risk.gradient(w).is_zero()
    assert certify_balance(risk, w).conditions[1].holds is False
    answer = certify_local_minimum(risk, w, trials=0)
    assert str(answer.witness["direction"]) == "column(0, 0, -1, 0, 1/5, 0, 0)"
    assert answer.witness["order"] == 2
    assert lowered(risk, w, answer)
    idle = exact([0, 0, -1, -1, 0, 0, 0])  # both units dead: the constants are all there is
    assert certify_local_minimum(risk, idle).certified


def test_sums_are_per_unit_and_per_output():
    """Two outputs: one of them does not balance, and that decides."""
    two = Risk(Network((2, 2, 2), relu), XOR.exact_X, [[0, 0], [1, 1], [1, 1], [0, 0]])
    w = exact([-1, 1, 0, 0, "-1/2", -1, "4/3", 0, "4/3", 0, "1/3", "1/3"])
    assert certify_local_minimum(two, w).certified
    assert len(certify_balance(two, w).conditions) == 2
    assert "2 sums" in certify_balance(two, w).conditions[1].text
    worse = exact([-1, 1, 0, 0, "-1/2", -1, "4/3", 0, "4/3", 0, "1/3", "1/2"])
    assert certify_balance(two, worse).conditions[1].holds is False
    assert certify_local_minimum(two, worse).refuted


def test_without_biases_the_constants_do_not_count():
    risk = Risk(Network((1, 2, 1), relu, bias=False), [-1, 1, 2], [1, 1, 3])
    w = exact([1, -1, "7/5", 1])  # the best slope on each side of 0
    answer = certify_local_minimum(risk, w)
    assert answer.claim == "B-BALANCE"
    assert answer.certified
    assert (
        certify_balance(
            Risk(Network((1, 2, 1), relu), [-1, 1, 2], [1, 1, 3]), exact([1, -1, 0, 0, "7/5", 1, 0])
        )
        .conditions[1]
        .holds
        is False
    )


def test_intercepts_count():
    """Hard tanh, one unit in the middle at one sample and saturated at the others."""
    risk = Risk(Network((1, 1, 1), hard_tanh), [-3, -3, 0, 0, 3, 3], [-2, 0, -1, 1, 1, 1])
    w = exact([1, 0, 1, 0])
    assert certify_local_minimum(risk, w).certified
    functions = reachable_functions(risk.network, risk.exact_X, (np.repeat([0, 1, 2], 2)[:, None],))
    assert str(functions.T) == "[[1, 1, 1, 1, 1, 1], [1, 1, 0, 0, -1, -1], [0, 0, 1, 1, 0, 0]]"
    uneven = Risk(Network((1, 1, 1), hard_tanh), [-3, 0, 0, 3], [-2, -1, 1, 2])
    assert uneven.gradient(w)[2, 0] != 0
    assert certify_balance(uneven, w).conditions[1].holds is False
    assert certify_local_minimum(uneven, w).refuted


@pytest.mark.parametrize("risk", [DEEP, LINEAR], ids=["affine cell", "deep linear"])
def test_affine_cells_and_linear_networks_of_any_depth(risk):
    """Every unit on: the affine least-squares fit, slope 6/5 and intercept 9/10."""
    network, biases = risk.network, [exact([9] * width) for width in risk.network.widths[1:]]
    weights = [
        exact([[int(i == j == 0) for j in range(inner)] for i in range(out)])
        for out, inner in zip(network.widths[1:], network.widths, strict=False)
    ]
    biases[-1] = exact([0])
    at_zero = network(network.pack(weights, biases), exact([0]))[0, 0]
    weights[-1] = weights[-1] * "6/5"
    biases[-1] = exact([fmpq(9, 10) - at_zero * fmpq(6, 5)])
    best = network.pack(weights, biases)
    assert risk.predictions(best) == exact(["-3/10", "9/10", "21/10", "33/10"])
    answer = certify_local_minimum(risk, best)
    assert (answer.verdict, answer.claim) == ("certified", "B-BALANCE")
    biases[-1] = biases[-1] + exact(["1/7"])
    moved = network.pack(weights, biases)
    answer = certify_local_minimum(risk, moved)
    assert answer.refuted
    assert lowered(risk, moved, answer)


def test_dead_networks_of_any_depth():
    weights = [exact([[0], [0]]), exact([[0, 0], [0, 0]]), exact([[1, 2]])]
    biases = [exact([1, 1]), exact([-1, -1]), exact(["3/2"])]
    dead = DEEP.network.pack(weights, biases)
    answer = certify_local_minimum(DEEP, dead)
    assert answer.certified
    assert "1 sum over" in answer.conditions[1].text
    biases[2] = exact([1])
    assert certify_local_minimum(DEEP, DEEP.network.pack(weights, biases)).refuted


def test_a_deep_linear_saddle_is_not_certified():
    """At 0 with the mean as bias the gradient is 0, the residuals still feel x: it descends."""
    w = exact([0] * (LINEAR.dimension - 1) + ["3/2"])
    assert LINEAR.gradient(w).is_zero()
    assert certify_balance(LINEAR, w).conditions[1].holds is False
    answer = certify_local_minimum(LINEAR, w)
    assert not answer.certified


@pytest.mark.parametrize("alpha", ["0", "1/4", "1/2"])
def test_affine_minima_of_hinge_risks(alpha):
    risk = Risk(Network((1, 2, 1), leaky_relu(alpha)), [-1, 0, 1], [1, -1, 1], binary_hinge())
    w = exact([1, 1, 2, 2, 1, -1, 1])
    assert certify_affine_minimum(risk, w).certified
    answer = certify_local_minimum(risk, w)
    assert answer.certified
    assert answer.values["risk"] == risk(w) > 0
    assert str(answer.values["p"]) == "column(1/6, 1/6)"
    moved = w + exact([0] * 6 + ["-1/2"])
    assert certify_balance(risk, moved).conditions[1].holds is False
    assert certify_local_minimum(risk, moved).refuted


def test_flat_cells_of_hinge_risks():
    dead = Risk(Network((1, 1, 1), relu), [-1, 1], [-1, 1], binary_hinge())
    answer = certify_local_minimum(dead, exact([0, -1, 1, 0]))
    assert (answer.verdict, answer.values["risk"]) == ("certified", 1)
    uneven = Risk(dead.network, [-1, 1], [1, 1], binary_hinge())
    answer = certify_local_minimum(uneven, exact([0, -1, 1, 0]))
    assert answer.refuted


def test_a_hinge_cell_with_gradient_zero_that_is_not_flat_falls():
    """Nothing is used: a gradient of 0 at order 1, a fall at order 2."""
    risk = Risk(Network((1, 1, 1, 1), identity, bias=False), [1], [1], binary_hinge())
    answer = certify_local_minimum(risk, exact([0, 0, 0]), trials=0)
    assert answer.witness["order"] == 3


def test_risk_zero_is_a_global_minimum():
    answer = certify_local_minimum(KINK.risk, KINK.point)
    assert str(answer) == (
        "certified (exact): the point is a local minimum  [B-ZERO]\n"
        "  holds     the risk is 0, and it is a sum of terms >= 0\n"
        "  value     risk = 0"
    )
    solved = exact([1, -1, -1, 1, 0, 0, 1, 1, 0])
    assert certify_local_minimum(XOR, solved).claim == "B-ZERO"
    absolute = Risk(Network((1, 2, 1), relu), [-1, 0, 2], [1, 0, 2])
    w = exact([1, -1, 0, 0, 1, 1, 0])
    assert certify_local_minimum(absolute, w).certified
    hinge = Risk(Network((1, 1, 1), relu), [0, 2], [-1, 1], binary_hinge())
    assert certify_local_minimum(hinge, exact([1, 0, 1, -1])).claim == "B-ZERO"
    for risk, point in ((absolute, w), (hinge, exact([1, 0, 1, -1]))):
        near = point + exact([0] * (risk.dimension - 1) + ["1/100"])
        assert not certify_local_minimum(risk, near).certified


def test_risk_zero_counts_the_decay():
    network = Network((1, 2, 1), relu)
    assert certify_local_minimum(
        Risk(network, [1, 2], [0, 0], weight_decay=1), exact([0] * 7)
    ).certified
    answer = certify_local_minimum(
        Risk(network, [1], [1], weight_decay=1), exact([1, 0, 0, 0, 1, 0, 0])
    )
    assert answer.refuted
    off = certify_local_minimum(Risk(network, [1, 2], [1, -1], weight_decay=1), exact([0] * 7))
    assert (off.claim, fraction(off.values["risk"])) == ("HE-foc", 1)  # a minimum, not by its risk


def test_a_knot_at_a_fitted_sample_is_no_obstacle():
    """The affine fit of one side, the kink exactly at a sample whose residual is 0."""
    risk = Risk(Network((1, 1, 1), relu), [-2, -1, 0, 1, 1, 2, 2], [0, 0, 0, 0, 2, 1, 3])
    w = exact([1, 0, 1, 0])
    assert risk(w) == 2
    assert certify_local_minimum(risk, w).certified
    pulled = Risk(risk.network, [-2, -1, 0, 1, 1, 2, 2], [0, 0, 1, 0, 2, 1, 3])
    answer = certify_balance(pulled, w)
    assert answer.conditions[0].holds is False
    assert "at sample 2, which pulls" in answer.reason


def test_pulls_at_equal_inputs_are_one_pull():
    risk = Risk(Network((1, 1, 1), relu), [0, 0, 1], [1, -1, 1])
    assert certify_local_minimum(risk, exact([1, 0, 1, 0])).certified
    other = Risk(Network((1, 1, 1), relu), [0, "1/8", 1], [1, -1, 1])
    assert not certify_local_minimum(other, exact([1, 0, 1, 0])).certified


def test_without_a_hidden_layer_a_critical_point_is_a_global_minimum():
    risk = Risk(Network((1, 1), ()), [0, 1], [0, 3], weight_decay=1)
    gram = risk.exact_augmented.T @ risk.exact_augmented + exact([[1, 0], [0, 1]])
    best, _ = least_squares(gram, risk.exact_augmented.T @ risk.exact_y)
    answer = certify_local_minimum(risk, best)
    assert (answer.verdict, answer.claim, answer.values["risk"]) == (
        "certified",
        "B-CONVEX",
        fmpq(9, 5),
    )
    assert answer.conditions[0].text == "without a hidden layer the risk is convex in w"
    assert certify_local_minimum(risk, best + exact([0, "1/9"])).refuted
    hidden = Risk(Network((1, 1, 1), identity), [0, 1], [0, 3], weight_decay=1)
    assert not certify_local_minimum(hidden, exact([0, 0, 0, 1])).certified
    plain = Risk(Network((1, 1), ()), [-1, 0, 1], [1, -1, 1], binary_hinge())
    assert certify_local_minimum(plain, exact([0, 1])).claim == "B-BALANCE"
    bent = Risk(Network((1, 1), (), bias=False, output_activation=absolute_value), [1], [0])
    assert certify_local_minimum(bent, exact([0])).claim == "B-ZERO"
    peak = Risk(Network((1, 1), (), bias=False, output_activation=absolute_value), [1], [1])
    assert certify_local_minimum(peak, exact([0])).refuted


def test_output_activations_pull_through_their_slopes():
    dead = Risk(Network((1, 1), (), output_activation=relu), [0, 1], [1, 1])
    assert certify_local_minimum(dead, exact([0, -1])).certified
    tied = certify_local_minimum(dead, exact([0, 0]))
    assert tied.refuted
    assert certify_balance(dead, exact([0, 0])).conditions[0].holds is False
    live = Risk(Network((1, 1), (), output_activation=relu), [0, 1, 5], [1, 3, -1])
    assert certify_balance(live, exact([0, 2])).conditions[1].holds is False


def test_several_classes_with_tied_margins():
    risk = Risk(Network((1, 1, 2), relu), [1, 1], [0, 1], multiclass_hinge())
    w = exact([1, 1, 0, 0, 1, 0])  # outputs (1, 0): one margin tied, the other at 2
    answer = certify_local_minimum(risk, w)
    assert answer.certified
    assert answer.values["p"][0, 0] == risk.loss.term_weights(2, 1)[1, 0]
    uneven = Risk(risk.network, [1, 1], [0, 1], multiclass_hinge(["1/4", "3/4"]))
    assert certify_local_minimum(uneven, w).refuted


def test_what_the_balance_does_not_speak_about():
    decay = Risk(PARABOLA.network, [0, 1], [0, 1], weight_decay=1)
    assert certify_balance(decay, exact([1] * 7)).reason == "the risk has weight decay"
    smooth = Risk(Network((1, 1, 1), tanh), [1], [1])
    assert (
        certify_balance(smooth, exact([1] * 4)).reason == "the activation is not piecewise linear"
    )
    assert certify_balance(PULLED.risk, PULLED.point).conditions[0].holds is False


def test_too_many_paths_are_unknown_with_the_count():
    rng = np.random.default_rng(0)
    pieces = tuple(rng.integers(0, 2, (20, 20)) for _ in range(3))
    network = Network((1, 20, 20, 20, 1), relu)
    with pytest.raises(BudgetError, match="different paths, the limit is 100"):
        reachable_functions(network, exact(list(range(20))), pieces, limit=100)


@pytest.mark.parametrize("loss", [SquaredLoss("1/3", mean=True), SquaredLoss(7)])
def test_the_scale_of_the_loss_does_not_decide(loss):
    risk = Risk(XOR.network, XOR.exact_X, XOR.exact_y, loss)
    assert certify_local_minimum(risk, FITTED).certified
    with pytest.raises(LscoreError):
        certify_balance(risk, exact([1]))


def deep_and_cancelling(depth):
    """Equal inputs with labels 1, -1: flat. Products of slopes 1 and primes, all different."""
    primes, large = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61], 10**40
    activations = tuple(two_piece(1, p) for p in primes[:depth])
    network = Network((1, *(2,) * depth, 1), activations, bias=False)
    middle = [exact([[1, large], [large, 1]])] * (depth - 1)
    w = network.pack([exact([[1], [-1]]), *middle, exact([[fmpq(1, large**20), 0]])])
    return network, w


def test_inputs_whose_pulls_cancel_drop_out_before_the_paths_are_listed():
    network, w = deep_and_cancelling(13)
    flat = Risk(network, [1, 1], [1, -1], binary_hinge())
    answer = certify_local_minimum(flat, w, trials=4, limit=1)
    assert (answer.verdict, answer.claim) == ("certified", "B-BALANCE")


def test_a_cell_with_too_many_monomials_is_not_written_out():
    for depth, written in ((4, 1), (7, 0)):
        network, w = deep_and_cancelling(depth)
        assert (most_monomials(network) <= 10**4) == written
        risk = Risk(network, [1, 1, 1], [1, -1, 1], binary_hinge())
        assert len([*_cell_directions(risk, w)]) == written


@pytest.mark.parametrize("seed", range(6))
def test_the_bound_on_the_monomials_holds(seed):
    rng = np.random.default_rng(seed)
    widths = tuple(int(v) for v in rng.integers(1, 4, rng.integers(2, 5)))
    network = Network((*widths, 1), identity, bool(seed % 2))
    X = rng.integers(1, 9, (2, widths[0]))
    risk = Risk(network, X, [1, 1], binary_hinge())
    w = exact([fmpq(int(v), 100) for v in rng.integers(1, 9, network.dimension)])
    cell = cell_at(risk, w)
    assert len(cell_polynomial(cell, w).to_dict()) <= most_monomials(network)


@pytest.mark.parametrize(
    ("risk", "w"),
    [
        (Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [1]), [-1, 1, 1]),
        (Risk(Network((1, 1, 1), relu, bias=False), [0], [1]), [1, 1]),
        (Risk(Network((1, 1, 1, 1), leaky_relu("1/2"), bias=False), [0], [1]), [1, 1, 1]),
    ],
)
def test_ties_that_stand_are_no_kinks(risk, w):
    answer = certify_local_minimum(risk, exact(w))
    assert answer.certified
    standing = "units are on knots only at inputs with pull 0, or stay on them near the point"
    assert certify_balance(risk, exact(w)).conditions[0].text == standing


def test_ties_above_a_unit_on_a_knot_do_not_stand():
    risk = Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [1])
    answer = certify_balance(risk, exact([0, 1, 1]))
    assert answer.conditions[0].holds is False
    assert certify_local_minimum(risk, exact([0, 1, 1])).refuted


def test_a_tied_margin_on_a_knot_pulls_with_nothing():
    """Where p = 1/2 would balance the docstring says unknown."""
    risk = Risk(Network((1, 1, 1), relu), [1, 1], [1, -1], binary_hinge())
    assert str(certify_balance(risk, exact([1, -1, 1, 1])).verdict) == "unknown"


@pytest.mark.parametrize("loss", [Huber(), Absolute(), Unproved()])
@pytest.mark.parametrize(
    "decide",
    [certify_affine_minimum, certify_balance, certify_local_minimum, certify_hinge_minimum],
)
def test_what_a_loss_says_of_itself_is_called_declared(decide, loss):
    fitted = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 1, 2], loss), exact([1, 1, 1, -1])
    off = (
        Risk(Network((1, 1), ()), [-1, 1, 1], [0, 0, 4], loss),
        exact([1, 1]),
    )  # the middle of 0, 4
    for risk, w in (fitted, off):
        answer = decide(risk, w)
        if decide is certify_hinge_minimum and answer.reason:
            continue  # outside of its setting
        fact = "Loss.nonnegative" if answer.claim == "B-ZERO" else "Loss.convex"
        assert answer.refuted or answer.conditions[-1].text.endswith(f"by {fact}")
    if decide is certify_hinge_minimum:
        return
    known = decide(replace(fitted[0], loss=SquaredLoss()), fitted[1])
    assert known.certified
    assert "declared" not in str(known)


def test_a_loss_that_is_not_convex_at_a_knot_is_caught():
    risk = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 1, 2], Capped())
    for decide in (certify_affine_minimum, certify_balance, certify_hinge_minimum):
        with pytest.raises(DataError, match="declared convex, but its slope falls"):
            decide(risk, exact([1, 1, 1, -1]))


def test_tied_margins_of_a_network_that_answers_0_near_the_point():
    """Two layers are off, and there are no biases: no output can change, all p balance."""
    network = Network((1, 1, 1, 1), (relu, linear(0)), bias=False)
    risk = Risk(network, [1, 2], [0, 0], Absolute())
    for decide in (certify_affine_minimum, certify_balance):
        assert decide(risk, exact([1, 1, 1])).certified
