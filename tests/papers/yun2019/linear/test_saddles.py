"""Strict saddles by their witness: a lower and a higher point, steps, and refused witnesses."""

from dataclasses import replace

import numpy as np
import pytest
from flint import fmpq
from linear_points import MINIMA, MINIMUM, SADDLES, network, random_risk
from losses import Wide

from lscore import Risk, exact, rational
from lscore.algebra.linear import least_squares
from lscore.errors import DataError, HypothesisError
from lscore.papers.yun2019 import (
    certify_saddle,
    certify_saddle_or_minimum,
    saddle_escape,
)


@pytest.mark.parametrize(
    ("widths", "claim"),
    [
        ((2, 2, 1), "YUN-T4"),
        ((1, 2, 3), "YUN-T4"),
        ((2, 1, 1), "YUN-T4"),
        ((2, 1, 2), "YUN-B-T4-1"),
        ((3, 2, 1, 2), "YUN-B-T4-1"),
    ],
)
def test_the_theorem_is_quoted_where_the_widths_are_its_own(widths, claim):
    risk, w = random_risk(5, *widths)
    answer = certify_saddle(risk, w * 0)
    assert (answer.verdict, answer.claim) == ("certified", claim)


def test_global_minima_are_certified_and_not_called_saddles():
    for made in MINIMA:
        answer = certify_saddle_or_minimum(made.risk, made.point)
        assert answer.certified
        assert (answer.statement, answer.claim) == (MINIMUM, "YUN-C5")
        best = least_squares(made.risk.exact_X, made.risk.exact_y)[0]
        residuals = made.risk.exact_X @ best - made.risk.exact_y
        assert answer.values["loss"] == residuals.dot(residuals) / 2
        assert certify_saddle(made.risk, made.point).refuted


def test_a_perturbed_witness_is_refused():
    made = SADDLES[20]
    found = replace(saddle_escape(made.risk, made.point, "1/8"), epsilon=rational("1/4"))
    assert certify_saddle(made.risk, made.point, "1/4", found=found).certified
    nudge = exact([1] * made.risk.dimension) / 10**9
    spoiled = {
        "same product": replace(found, base=found.base + nudge),
        "higher": replace(found, up=found.down),
        "lower": replace(found, down=found.base),
        "moves by more": replace(found, epsilon=found.epsilon / 64),
    }
    for words, witness in spoiled.items():
        answer = certify_saddle(made.risk, made.point, "1/4", found=witness)
        assert answer.verdict == "unknown"
        (wrong,) = [c.text for c in answer.conditions if not c.holds]
        assert words in wrong


def test_the_escape_needs_a_positive_step_and_a_gradient():
    made = SADDLES[0]
    with pytest.raises(DataError, match="epsilon"):
        saddle_escape(made.risk, made.point, 0)
    with pytest.raises(HypothesisError, match="stationary"):
        saddle_escape(MINIMA[0].risk, MINIMA[0].point)


def test_balls_that_overlap_leave_the_rise_undecided():
    made = SADDLES[20]
    found = saddle_escape(made.risk, made.point, "1/4")
    answer = certify_saddle(replace(made.risk, loss=Wide()), made.point, "1/4", found=found)
    assert (answer.verdict, answer.method) == ("unknown", "ball")
    assert [c.holds for c in answer.conditions[-2:]] == [None, None]
    assert answer.reason == "a point within reach is higher: not decided"
    far = replace(found, epsilon=rational(100))  # the smaller of the two radii counts
    assert certify_saddle(made.risk, made.point, "1/64", found=far).conditions[4].holds is False


@pytest.mark.parametrize("epsilon", [1, "1e90", "1e-90", "1e5000"])
def test_every_step_is_decided(epsilon):
    risk, zero = Risk(network(2, 2, 2), np.eye(2), np.eye(2)), exact([0] * 8)
    found = saddle_escape(risk, zero, epsilon)
    assert risk(found.up) > risk(zero) > risk(found.down)
    assert certify_saddle_or_minimum(risk, zero, epsilon).certified


@pytest.mark.parametrize("seed", range(12))
def test_the_step_is_the_first_halving_that_works(seed):
    """Twice the move of the pivot layer fails on one side, unless it is the whole move."""
    made = SADDLES[seed * len(SADDLES) // 12]
    for epsilon in (1, 7, 1000):
        found = saddle_escape(made.risk, made.point, epsilon)
        level, move = made.risk(made.point), found.up - found.base
        assert made.risk(found.up) > level > made.risk(found.down)
        whole = max(map(abs, (move / epsilon).entries()))
        twice = [made.risk(found.base + move * side) for side in (2, -2)]
        size = sum(map(abs, move.entries()), fmpq(0))
        assert size == epsilon or not twice[0] > level > twice[1]
        assert whole <= 1


@pytest.mark.parametrize("epsilon", [0, -1, "-1/8"])
def test_a_step_must_be_positive_whatever_the_answer(epsilon):
    plain = Risk(network(1, 1, 1), [1], [1])
    biased = Risk(network(1, 1, 1, bias=True), [1, 2], [1, 2])
    for risk, points in ((plain, ([0, 0], [1, 1], [1, 0])), (biased, ([1, 1, 0, 0], [1, 0, 0, 0]))):
        for w in points:
            with pytest.raises(DataError, match=r"epsilon: got .*, need a positive number"):
                certify_saddle_or_minimum(risk, exact(w), epsilon)
            if risk is plain:
                with pytest.raises(DataError, match=r"epsilon: got .*, need a positive number"):
                    certify_saddle(risk, exact(w), epsilon)
