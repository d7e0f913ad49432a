"""Theorems 4 and 5: the bound against the exact distance, no bad minimum found, paths to loss 0."""

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from brute_kinks import dot, lower_point
from cases import fraction
from leaky_points import SLOPES, grid_point, separable_risk
from named_kinks import HALF, numbers, plain, standing

from lscore import (
    Network,
    Risk,
    binary_hinge,
    certify_hinge_minimum,
    certify_nonincreasing,
    exact,
    leaky_relu,
    relu,
)
from lscore.errors import HypothesisError, ShapeError
from lscore.minima.clarke import clarke_subdifferential
from lscore.papers.laurent2018 import certify_no_bad_minima, certify_not_critical, path_to_zero


def test_the_bound_is_below_the_exact_distance_and_nearly_reached():
    rng, ratios = random.Random(4), []
    while len(ratios) < 60:
        risk = separable_risk(rng)
        w = grid_point(rng, risk)
        answer = certify_not_critical(risk, w)
        if not answer.certified:
            continue
        around = clarke_subdifferential(risk, w, limit=128)
        if not around.is_complete:
            continue
        bound = answer.values["squared_length_at_least"]
        ratios.append(Fraction(fraction(around.shortest().norm_squared), fraction(bound)))
        d, columns = numbers(answer.values["direction"]), around.gradients
        for u in range(columns.shape[1]):
            assert dot(numbers(columns.column(u)), d) < 0
    assert 1 <= min(ratios) < 2


def test_it_says_nothing_at_idle_units_and_no_at_loss_zero():
    risk = standing(HALF)
    assert certify_not_critical(risk, exact([1, 0, 3, 0, 0])).verdict == "unknown"
    solved = path_to_zero(risk, exact([1, 0, 3, 1, 0]))[-1]
    assert certify_not_critical(risk, solved).refuted
    dead = Risk(Network((1, 1, 1), relu), [-1, 1], [-1, 1], binary_hinge())
    assert "no unit" in certify_not_critical(dead, exact([1, -5, 1, 0])).reason


def test_slack_samples_need_not_be_separable():
    """Only 1 and 3 are unsolved; 2, between them, is solved by the kink."""
    risk = Risk(Network((1, 1, 1), HALF), [1, 2, 3, -9], [1, 1, 1, -1], binary_hinge())
    mixed = Risk(risk.network, [1, 2, 3], [1, -1, 1], binary_hinge())
    w = exact([1, 0, -1, "1/2"])  # outputs -1/2, -3/2, -5/2: the middle is solved
    assert certify_not_critical(mixed, w).certified
    assert certify_no_bad_minima(mixed).verdict == "unknown"
    assert certify_no_bad_minima(risk).verdict == "unknown"  # unequal weights


def test_no_bad_minimum_where_the_theorem_says_so():
    rng, seen = random.Random(6), 0
    for trial in range(60):
        risk = separable_risk(rng, rng.choice(SLOPES[1:]), equal=True)
        assert certify_no_bad_minima(risk).certified
        for idle in (True, False):
            w = grid_point(rng, risk, idle=idle, edge=[1, -1] if idle else None)
            found = certify_hinge_minimum(risk, w, limit=10**5)
            assert found.certified == (risk(w) == 0)
            seen += found.certified
            if trial < 8 and found.refuted and w.entries().count(0) < 5:
                assert lower_point(plain(risk), numbers(w)) is not None


def test_a_certified_minimum_refutes_where_a_hypothesis_fails():
    bad = exact([1, 0, 3, 0, 1])
    unequal = certify_no_bad_minima(standing(HALF), bad)
    assert (unequal.verdict, str(unequal.witness["loss"])) == ("refuted", "3/5")
    assert certify_no_bad_minima(standing(HALF)).verdict == "unknown"
    assert certify_no_bad_minima(standing(HALF, ["1/4", "1/4", "1/2"]), bad).certified
    with_relu = certify_no_bad_minima(
        standing(relu, ["1/4", "1/4", "1/2"]), exact([1, 0, -3, 1, 0])
    )
    assert with_relu.refuted
    signs = Risk(Network((1, 2, 1), HALF), [-1, 0, 1], [1, -1, 1], binary_hinge())
    assert certify_no_bad_minima(signs, exact([1, 1, 2, 2, 1, -1, 1])).refuted


def test_without_an_output_bias_weights_do_not_matter():
    rng = random.Random(8)
    for trial in range(40):
        risk = separable_risk(rng, HALF, bias=trial % 3 > 0, shift=False)
        assert certify_no_bad_minima(risk).certified
        w = grid_point(rng, risk, idle=trial % 2 > 0)
        assert certify_hinge_minimum(risk, w, limit=10**5).certified == (risk(w) == 0)


@pytest.mark.parametrize("bias", [True, False])
def test_straight_paths_lead_to_loss_zero(bias):
    rng = random.Random(7)
    for trial in range(30):
        h = rng.choice(SLOPES[1:])
        risk = separable_risk(rng, h, equal=trial % 2 == 0, bias=bias, shift=trial % 3 > 0)
        w = grid_point(rng, risk, idle=trial % 4 == 0)
        if trial % 2 and trial % 3 and not any(risk.network.unpack(w)[1].weight.entries()):
            continue
        path = path_to_zero(risk, w)
        problem = plain(risk)
        assert certify_nonincreasing(risk, path).certified
        corners = list(map(numbers, path))
        assert corners[0] == numbers(w)
        assert problem.risk(corners[-1]) == 0
        for a, b in pairwise(corners):
            steps = [[u + Fraction(s, 16) * (v - u) for u, v in zip(a, b, strict=True)]
                     for s in range(17)]  # fmt: skip
            losses = list(map(problem.risk, steps))
            assert losses == sorted(losses, reverse=True)


def test_no_path_where_a_hypothesis_fails():
    for risk, w, name in (
        (standing(relu), [1, 0, 3, 1, 0], "alpha > 0"),
        (standing(HALF), [1, 0, 3, 0, 1], "equal class weights"),
        (
            Risk(Network((1, 1, 1), HALF), [0, 1, 2], [1, -1, 1], binary_hinge()),
            [1] * 4,
            "separable",
        ),
    ):
        with pytest.raises(HypothesisError, match=name):
            path_to_zero(risk, exact(w))


def test_a_point_of_another_shape_is_an_error_also_where_it_is_not_needed():
    risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [-1, 2], [-1, 1], binary_hinge())
    with pytest.raises(ShapeError, match=r"w: shape \(2, 1\), need \(4, 1\)"):
        certify_no_bad_minima(risk, exact([1, 2]))
