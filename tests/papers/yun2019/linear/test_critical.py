"""Theorem 4 and Corollary 5 of Yun, Sra and Jadbabaie (2019): critical points, saddle or global."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_points import MINIMA, MINIMUM, NARROW, SADDLE, SADDLES, diagonal, network, random_risk
from losses import Cave, Told, Unproved

from lscore import (
    Risk,
    exact,
    mean_squared_error,
    rational,
)
from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import stack
from lscore.errors import DtypeError, HypothesisError
from lscore.model.balls import ball_risk
from lscore.model.entropy import LogisticLoss
from lscore.papers.yun2019 import (
    Designed,
    certify_saddle,
    certify_saddle_or_minimum,
    certify_strict_saddle,
    count_answers,
    factorise,
    layer_gradients,
    partial_decomposition,
    saddle_escape,
    zero_layers,
)
from lscore.papers.yun2019.linear.setting import (
    product,
    product_gradient,
)


@pytest.mark.parametrize("epsilon", [1, "1/16", fmpq(1, 2**16)])
def test_every_designed_saddle_is_certified(epsilon):
    for made in SADDLES:
        answer = certify_saddle_or_minimum(made.risk, made.point, epsilon)
        assert answer.certified
        assert answer.statement == SADDLE
        assert answer.method == "exact"
        up, down = answer.witness["up"], answer.witness["down"]
        level = made.risk(made.point)
        assert made.risk(up) > level > made.risk(down)
        for v in (up, down):
            for layer in made.risk.network.unpack(v - made.point):
                assert layer.weight.dot(layer.weight) <= rational(epsilon) ** 2


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 6])
def test_the_zero_point_is_a_saddle_of_the_order_of_the_depth(depth):
    risk = Risk(network(*[2] * (depth + 1)), [[1, 0], [0, 1]], [[1, 0], [0, 2]])
    zero = exact([0] * risk.dimension)
    answer = certify_saddle_or_minimum(risk, zero, "1/10")
    assert answer.values["order_of_the_move"] == depth
    fall = risk(zero) - risk(answer.witness["down"])
    assert fall == 2 * fmpq(1, 10**depth) - fmpq(1, 2 * 10 ** (2 * depth))
    assert certify_strict_saddle(risk, zero).verdict == ("certified" if depth == 2 else "refuted")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 5))
def test_two_zero_layers_are_critical_and_certified_on_any_float_data(seed, pair):
    first, second = [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)][pair]
    rng = np.random.default_rng(seed)
    net = network(3, 4, 3, 5, 2)
    risk = Risk(net, rng.normal(size=(9, 3)), rng.normal(size=(9, 2)))
    w = zero_layers(net, torch.from_numpy(rng.normal(size=net.dimension)), first, second)
    assert float(risk.gradient(w).abs().max()) == 0.0
    assert certify_saddle_or_minimum(risk, w, "1/8").certified


def test_one_zero_block_is_not_critical_in_general():
    made = partial_decomposition((3, 3, 3, 3), 1, (2, 2))
    answer = certify_saddle_or_minimum(made.risk, made.point)
    assert answer.refuted
    assert "gradient_of_layer_2" in answer.witness


def test_a_point_that_is_not_critical_is_refuted_by_its_gradient():
    made = SADDLES[0]
    moved = made.point + exact([1e-9] * made.risk.dimension)
    answer = certify_saddle_or_minimum(made.risk, moved)
    assert answer.refuted
    (name,) = answer.witness
    assert name.startswith("gradient_of_layer")
    assert not answer.witness[name].is_zero()
    weights = [layer.weight for layer in made.risk.network.unpack(moved)]
    parts = layer_gradients(weights, product_gradient(made.risk, product(weights)))
    wrong = [j for j, part in enumerate(parts, start=1) if not part.is_zero()]
    assert len(wrong) > 1
    assert name == f"gradient_of_layer_{wrong[0]}"
    assert answer.witness[name] == parts[wrong[0] - 1]
    with pytest.raises(HypothesisError, match="not zero"):
        saddle_escape(made.risk, moved)


def test_a_network_without_hidden_layers_has_minima_only():
    risk, _ = random_risk(3, 2, 2)
    best = least_squares(risk.exact_X, risk.exact_y)[0].T
    w = risk.network.pack([best])
    assert certify_saddle_or_minimum(risk, w).statement == MINIMUM
    assert certify_saddle_or_minimum(risk, w * 2).refuted


def test_corollary_5_for_logistic_loss_on_separable_data():
    X, y = [[1, 1], [2, 0], [-1, 0], [-2, 1]], [1, 1, -1, -1]
    risk = Risk(network(2, 2, 2, 1), X, y, LogisticLoss())
    zero = exact([0] * risk.network.dimension)
    answer = certify_saddle_or_minimum(risk, zero, "1/10")
    assert answer.certified
    assert answer.method == "ball"
    assert answer.values["order_of_the_move"] == 3
    rise = ball_risk(risk, answer.witness["up"]) - ball_risk(risk, zero)
    fall = ball_risk(risk, answer.witness["down"]) - ball_risk(risk, zero)
    assert abs(float(rise.mid()) - 3.0012e-3) < 1e-7
    assert abs(float(fall.mid()) + 2.9988e-3) < 1e-7
    with pytest.raises(HypothesisError, match="rational only where"):
        product_gradient(risk, exact([[1, 0]]))


def test_a_gradient_that_does_not_vanish_is_enough_for_other_losses():
    cubic = Told(lambda z: z[0, 0] + z[0, 0] ** 3, lambda z: exact([[1 + 3 * z[0, 0] ** 2]]))
    risk = Risk(network(1, 1, 1), [1], [0], cubic)
    assert certify_saddle_or_minimum(risk, exact([0, 0]), "1/2").certified


@pytest.mark.parametrize(("kept", "kind"), [(0, "minimum"), (1, "strict saddle")])
def test_a_bottleneck_with_biases(kept, kind):
    plain, point = diagonal([2, 1], [kept])
    risk, w = with_biases(Designed(plain, point, 1, (1, 2)), 3)
    answer = certify_saddle_or_minimum(risk, w)
    assert (answer.verdict, answer.claim) == ("certified", "YUN-B-T4-3")
    assert kind in answer.statement
    if kept:
        lower = answer.witness["lower_point"]
        assert answer.witness["decrease_there"] == risk(w) - risk(lower) > 0
        smallest = np.linalg.eigvalsh(risk.hessian(w.point()).numpy())[0]
        assert smallest < -1e-6
    assert certify_saddle_or_minimum(risk, w + exact([0] * (risk.dimension - 1) + [1])).refuted


def test_with_biases_the_constant_counts_in_a_bottleneck():
    """With the constant held at 0 the second component is larger, with a free one the first."""
    net = network(2, 1, 2, bias=True)
    X, y = [[3, 0], [1, 0], [0, 1], [0, -1]], [[5, 0], [3, 0], [0, "3/2"], [0, "-3/2"]]
    risk = Risk(net, X, y)
    slope = fmpq(5, 3)  # of y_1 on x_1, after the means are taken off
    mean_x, mean_y = fmpq(1), fmpq(2)
    w = net.pack(
        [exact([[slope, 0]]), exact([[1], [0]])], [exact([0]), exact([mean_y - slope * mean_x, 0])]
    )
    assert risk.gradient(w).is_zero()
    assert certify_saddle_or_minimum(risk, w).certified
    assert "minimum" in certify_saddle_or_minimum(risk, w).statement


def test_a_declared_convexity_is_called_declared():
    plain, told = mean_squared_error, Unproved()
    best = factorise(network(2, 2, 2), [[2, 0], [0, 1]])
    for loss, words in ((plain, "the loss is convex in"), (told, "the loss is declared convex in")):
        risk = replace(NARROW, network=network(2, 2, 2), loss=loss)
        for check in (certify_saddle_or_minimum, certify_saddle):
            (text,) = [c.text for c in check(risk, best).conditions if "convex" in c.text]
            assert text.startswith(words)
    cave = replace(NARROW, network=network(2, 2, 2), loss=Cave())
    answer = certify_saddle_or_minimum(cave, best)
    assert [(c.text[:18], c.holds) for c in answer.conditions][1:] == [
        ("gradient of the lo", False),
        ("the loss is declar", False),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": lambda z: 1.5}, "loss: value gives float, need a rational or a ball"),
        ({"slope": lambda z: z.floats()}, "loss: gradient gives ndarray, need a RationalMatrix"),
        ({"slope": lambda z: exact([[0]])}, r"loss: gradient gives shape \(1, 1\), need"),
    ],
)
def test_a_loss_that_answers_in_floats_certifies_nothing(change, message):
    own = replace(Told(lambda z: z.dot(z), lambda z: z * 2 - exact([[1, 0], [0, 0]])), **change)
    risk = replace(NARROW, network=network(2, 2, 2), loss=own)
    with pytest.raises(DtypeError, match=message):
        certify_saddle_or_minimum(risk, exact([0] * 8))


def test_rank_at_the_point_is_enough_in_a_bottleneck():
    shapes = [(3, 2, 3), (4, 2, 3, 3), (3, 3, 2, 4), (3, 2, 2, 2, 3)]
    count = Counter()
    for widths in shapes:
        for kept in range(min(widths)):
            for pair in [(a, b) for b in range(2, len(widths)) for a in range(1, b)]:
                made = partial_decomposition(widths, kept, pair)
                answer = certify_saddle_or_minimum(made.risk, made.point)
                count[answer.verdict.value, answer.claim] += 1
    assert count == {("certified", "YUN-B-T4-1"): 26}


def with_biases(made, seed):
    """The same point in a network with biases, on data with the same residuals after a shift."""
    rng = np.random.default_rng(seed)
    plain = made.risk
    net = network(*plain.network.widths, bias=True)
    n = len(plain.X)
    labels = stack([plain.exact_y, -plain.exact_y])
    inputs = stack([plain.exact_X, -plain.exact_X])  # sums to 0, and so do the residuals
    weights = [layer.weight for layer in plain.network.unpack(made.point)]
    biases = [exact(rng.integers(-2, 3, d).astype(float)) for d in net.widths[1:]]
    w = net.pack(weights, biases)
    shift = Risk(net, inputs, labels).predictions(w) - inputs @ product(weights).T
    assert len(shift) == 2 * n
    return Risk(net, inputs, labels + shift), w


@pytest.mark.parametrize("made", SADDLES[::12], ids=lambda made: str(made.risk.network.widths))
def test_biases_change_nothing(made):
    risk, w = with_biases(made, 0)
    assert risk.gradient(w).is_zero()
    answer = certify_saddle_or_minimum(risk, w, "1/8")
    assert (answer.verdict, answer.claim, answer.statement) == ("certified", "YUN-B-T4-3", SADDLE)
    assert risk(answer.witness["up"]) > risk(w) > risk(answer.witness["down"])
    for layer in risk.network.unpack(answer.witness["down"] - w):
        move = layer.weight.dot(layer.weight) + layer.bias.dot(layer.bias)
        assert move <= fmpq(1, 64)
    off = w + exact([0] * (risk.dimension - 1) + [1])
    assert certify_saddle_or_minimum(risk, off).refuted


def test_a_minimum_with_biases():
    risk, w = with_biases(MINIMA[2], 1)
    answer = certify_saddle_or_minimum(risk, w)
    assert (answer.verdict, answer.claim, answer.statement) == ("certified", "YUN-B-T4-3", MINIMUM)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize(
    ("widths", "X", "y"),
    [
        ((1, 1, 1), [[1e154], [-1e154]], [[1e-154], [-1e-154]]),
        ((1, 1, 1, 1), [[1e154], [-1e154]], [[1e-154], [-1e-154]]),
        ((2, 1, 2), [[1e154, 0], [-1e154, 0], [0, 1]], [[1, 0], [-1, 0], [0, 1e-154]]),
    ],
)
def test_badly_scaled_data_is_decided(widths, X, y, biased):
    """Steps of 10^-616 and less: the number of halvings is read off the quadratic."""
    risk = Risk(network(*widths, bias=biased), X, y)
    w = exact([0] * risk.dimension)
    if biased:
        constant = exact(np.array(y)).T @ exact([[1]] * len(y)) / len(y)
        w = w + exact([0] * (risk.dimension - widths[-1]) + constant.entries())
    answer = certify_saddle_or_minimum(risk, w)
    assert answer.certified
    assert answer.statement == SADDLE
    assert risk(answer.witness["up"]) > risk(w) > risk(answer.witness["down"])


@pytest.mark.parametrize(
    ("noise", "found"), [(0, 96), (1e-12, 96), (1e-8, 96), (1e-6, 90), (1e-4, 70)]
)
def test_no_saddle_is_called_a_minimum_under_noise(noise, found):
    saddles, minima = count_answers(SADDLES, noise), count_answers(MINIMA, noise)
    assert saddles["global minimum"] == minima["saddle"] == 0
    assert saddles["saddle"] >= found
    assert minima["global minimum"] == (26 if noise < 1e-5 else 0)
