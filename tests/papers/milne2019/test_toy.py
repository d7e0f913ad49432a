"""Milne (2019): minima of the toy surface and training to zero, with the book's numbers."""

import numpy as np
import pytest
from cases import CERTIFIED, REFUTED, UNKNOWN, assert_unknown
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st
from toy_risks import HALF, X, eighths, toy

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    exact,
    leaky_relu,
    rational,
    relu,
)
from lscore.algebra.matrices import to_float
from lscore.errors import DataError, HypothesisError, TieError
from lscore.papers.milne2019 import (
    certify_every_draw,
    certify_layer_balance,
    certify_membership,
    certify_only_minimum,
    certify_trained_to_zero,
    lowest_risk,
    toy_sides,
)
from lscore.papers.milne2019.experiments.toy import descend_sides, sides


def test_reference_moments():
    (S, B), (S2, B2) = toy_sides(toy())
    assert (round(to_float(S), 6), round(to_float(S2), 6)) == (0.225009, 0.151795)
    assert B == S / 4
    assert B2 == S2 / 4


@pytest.mark.parametrize(
    ("decay", "value"),
    [(0.01, 0.0044483943), (0.03, 0.0100355489), (0.05, 0.0116882532), (0.4, 0.0117751199)],
)
def test_lowest_risk_is_the_one_that_training_finds(decay, value):
    risk = toy(decay)
    assert to_float(lowest_risk(risk)) == pytest.approx(value, abs=6e-11)
    start = np.array([[0.6, -0.5, 0.5, -0.4]])
    run = descend_sides(sides(X, X / 4), start, 0.5, 12000, decay)
    assert run.risk()[-1, 0] == pytest.approx(value, abs=1e-8)
    assert run.risk()[-1, 0] > value - 1e-9


def test_the_threshold_is_sharp():
    largest = max(B for _, B in toy_sides(toy()))
    assert certify_only_minimum(toy(largest)).verdict == CERTIFIED
    below = toy(largest - rational("1e-12"))
    answer = certify_only_minimum(below)
    assert answer.verdict == REFUTED
    assert below(answer.witness["lower_point"]) < below(exact([0] * 4))


@pytest.mark.parametrize("y", [[0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]])
@pytest.mark.parametrize("units", [1, 3])
def test_lower_points_on_either_side_and_of_either_sign(y, units):
    risk = toy("1/8", [1, -1], y, units)
    lower = certify_only_minimum(risk).witness["lower_point"]
    assert lowest_risk(risk) <= risk(lower) < risk(exact([0] * risk.dimension))


def test_one_unit_takes_the_better_side():
    two, one = (toy("1/8", [1, -1], [1, 2], units) for units in (2, 1))
    assert (
        lowest_risk(two)
        < lowest_risk(one)
        == lowest_risk(toy("1/8", [1, -1], [0, 2])) + rational("1/4")
    )


@given(
    st.lists(st.tuples(eighths, eighths), min_size=1, max_size=5),
    st.lists(eighths, min_size=4, max_size=4),
    st.sampled_from(["1/16", "1/2"]),
)
def test_no_point_is_below_the_minimum(data, w, decay):
    x, y = zip(*data, strict=True)
    risk = toy(decay, list(x), list(y))
    assert risk(exact(w)) >= lowest_risk(risk)
    if certify_only_minimum(risk).certified and any(w):
        assert risk(exact(w)) > risk(exact([0] * 4)) == lowest_risk(risk)


@given(st.lists(st.tuples(eighths, eighths), min_size=1, max_size=5), st.integers(0, 99))
def test_certified_starts_contract_by_the_factor(data, seed):
    x, y = np.array(data).T
    risk = toy(2, x, y / 4)
    answer = certify_trained_to_zero(risk, "1/4", "1/2")
    if not answer.certified:
        return
    starts = np.random.default_rng(seed).normal(size=(20, 4))
    starts *= 0.5**0.5 / np.linalg.norm(starts, axis=1)[:, None]
    norms = np.sqrt(descend_sides(sides(x, y / 4), starts, 0.25, 5, 2).squared_norm())
    assert (norms[1:] <= to_float(answer.values["factor_per_step"]) * norms[:-1] + 1e-14).all()


def test_training_to_zero_is_refused_outside_of_its_conditions():
    answer = certify_trained_to_zero(toy(), "1/10", 3)
    assert answer.verdict == CERTIFIED
    assert [c.text for c in answer.conditions] == TEXTS
    limit = 4 * (1 - fmpq(1, 25)) * 10 / toy_sides(toy())[0][0]  # of |W|^2, on the wider side
    assert certify_trained_to_zero(toy(), "1/10", limit).verdict == CERTIFIED
    for risk, rate, squares, failing in (
        (toy(), "1/10", limit + fmpq(1, 10**9), TEXTS[1]),
        (toy(x=-X), "1/10", limit + fmpq(1, 10**9), TEXTS[3]),
        (toy(), "25/10", 3, TEXTS[1]),
        (toy("1/20"), "1/10", 3, TEXTS[0]),
        (toy("1/20", -X), "1/10", 3, TEXTS[2]),
        (toy("1/4", [1], [0.25]), "1/10", 3, TEXTS[0]),
    ):
        answer = certify_trained_to_zero(risk, rate, squares)
        assert answer.verdict == UNKNOWN
        assert answer.reason == f"not so: {failing}"
        assert [c.text for c in answer.conditions] == TEXTS
        assert next(c.text for c in answer.conditions if not c.holds) == failing
    for rate, squares, wrong in ((0, 3, "rate: got 0"), ("1/10", -1, "squared_norm: got -1")):
        with pytest.raises(DataError, match=wrong):
            certify_trained_to_zero(toy(), rate, squares)
    assert_unknown(certify_trained_to_zero(toy(0), "1/10", 3), "lambda > 0")


TEXTS = [
    "|B+| < lambda",
    "rate S+ |W|^2 <= 4 (1 - rate lambda)",
    "|B-| < lambda",
    "rate S- |W|^2 <= 4 (1 - rate lambda)",
]


def test_no_step_of_an_exact_run_beats_the_factor():
    """In rationals, up to the last ball that is certified; there the step is longest."""
    rng = np.random.default_rng(5)
    for _ in range(60):
        x, y = rng.integers(-4, 5, (2, 3)) / 4
        risk, rate = toy(1, x, y / 4, units=2), fmpq(int(rng.integers(1, 12)), 12)
        widest = max(S for S, _ in toy_sides(risk))
        if not widest:
            continue
        ball = 4 * (1 - rate) / rate / widest
        answer = certify_trained_to_zero(risk, rate, ball)
        assert answer.certified
        w = exact(rng.normal(size=4).round(2))
        w = w * fmpq(round(1000 * to_float(ball / w.dot(w)) ** 0.5) - 1, 1000)
        assert w.dot(w) <= ball
        for _ in range(3):
            before = w.dot(w)
            try:
                w = w - risk.gradient(w) * rate
            except TieError:
                break
            assert w.dot(w) <= answer.values["factor_per_step"] ** 2 * before
            w = exact(w.point().numpy().round(6))


def test_beyond_the_certified_ball_a_run_can_grow():
    """One sample x = 1 with label 0: where rate |W|^2 > 4 a step can overshoot."""
    risk, rate = toy(1, [1], [0]), fmpq(1, 2)
    assert certify_trained_to_zero(risk, rate, 4).certified
    w = exact([3, "1/100", 3, 0])
    assert certify_trained_to_zero(risk, rate, w.dot(w)).verdict == UNKNOWN
    moved = w - risk.gradient(w) * rate
    assert moved.dot(moved) > w.dot(w)


def test_every_draw_of_the_toy_regression_is_trained_to_zero():
    texts = ["slope r^2 < lambda", "rate r^2 |W|^2 <= 4 (1 - rate lambda)"]
    answer = certify_every_draw("1/4", 1, "2/5", "1/10", 3)
    assert answer.verdict == CERTIFIED
    assert [(c.text, c.margin) for c in answer.conditions] == list(
        zip(texts, (fmpq(3, 20), fmpq(177, 50)), strict=True)
    )
    assert answer.values == {"factor_per_step": fmpq(197, 200)}
    for slope, decay, label in (("1/4", "1/5", "1/4"), (1, "2/5", 1)):
        answer = certify_every_draw(slope, 1, decay, "1/10", 3)
        assert answer.verdict == REFUTED
        assert [(c.text, c.holds) for c in answer.conditions] == [
            (texts[0], False),
            (texts[1], True),
        ]
        worst = toy(decay, [1], [label], units=1)
        assert (answer.witness["input"], answer.witness["label"]) == (1, rational(label))
        lower = answer.witness["lower_point"]
        assert worst(lower) == worst(exact([0, 0])) - answer.witness["lower_by"]
        assert answer.witness["lower_by"] > 0
    for arguments, failing in (
        (("1/4", 1, "1/4", "1/10", 3), texts[0]),
        (("1/4", 1, "2/5", "1/10", "193/5"), texts[1]),
        (("1/4", 1, "2/5", "26/10", 3), texts[1]),
        (("1/4", 4, "9/2", "1/10", 1), None),
        (("1/4", 4, "9/2", "1/10", 2), texts[1]),
    ):
        answer = certify_every_draw(*arguments)
        assert answer.verdict == (UNKNOWN if failing else CERTIFIED)
        assert answer.reason == (f"not so: {failing}" if failing else "")
        assert [c.text for c in answer.conditions if not c.holds] == ([failing] if failing else [])


@given(
    st.lists(st.tuples(eighths, st.integers(-8, 8)), min_size=1, max_size=5),
    st.integers(1, 8),
)
def test_no_draw_escapes_the_certificate_for_every_draw(data, slope):
    """Inputs in [-2, 2], labels of at most slope/8 |x|: each data set is certified."""
    x = np.array([a for a, _ in data])
    y = np.array([slope / 8 * a * part / 8 for a, part in data])
    everyone = certify_every_draw(fmpq(slope, 8), 2, "9/2", "1/10", 5)
    one = certify_trained_to_zero(toy("9/2", x, y), "1/10", 5)
    assert everyone.certified
    assert one.certified
    assert one.values["factor_per_step"] <= everyone.values["factor_per_step"]


def test_bad_numbers_for_every_draw_are_named():
    with pytest.raises(DataError, match="slope: got -1, need"):
        certify_every_draw(-1, 1, 1, 1, 1)
    with pytest.raises(DataError, match="radius: got 0, need"):
        certify_every_draw(1, 0, 1, 1, 1)
    with pytest.raises(DataError, match="rate: got 0"):
        certify_every_draw(1, 1, 1, 0, 1)
    assert_unknown(certify_every_draw(1, 1, -1, 1, 1), "weight decay -1")


def test_other_networks_are_not_the_toy():
    with pytest.raises(HypothesisError, match="hypothesis ReLU: got leaky ReLU"):
        toy_sides(toy(activation=leaky_relu("1/2")))
    with pytest.raises(HypothesisError, match="output activation"):
        toy_sides(toy(output_activation=relu))
    with pytest.raises(HypothesisError, match="half the mean squared error"):
        toy_sides(Risk(Network((1, 2, 1), relu, bias=False), X, X))
    with pytest.raises(HypothesisError, match="no biases"):
        toy_sides(Risk(Network((1, 2, 1), relu), X, X, HALF))
    assert_unknown(certify_only_minimum(toy(0)), "lambda > 0")


@pytest.mark.parametrize("loss", [SquaredLoss("1/4"), SquaredLoss(), SquaredLoss(1, mean=True)])
def test_only_half_the_mean_squared_error_is_milnes(loss):
    # a quarter of the sum is half the mean of two samples, not of eight: 0 is no minimum here
    risk = Risk(Network((1, 2, 1), relu, bias=False), [1] * 8, ["1/5"] * 8, loss, "1/4")
    point = exact(["1/2", 0, "1/2", 0])
    with pytest.raises(HypothesisError, match="half the mean squared error"):
        lowest_risk(risk)
    for ask in (
        certify_only_minimum,
        lambda r: certify_trained_to_zero(r, "1/10", 3),
        lambda r: certify_membership(r, point),
        lambda r: certify_layer_balance(r, point),
    ):
        assert_unknown(ask(risk), "hypothesis half the mean squared error")
