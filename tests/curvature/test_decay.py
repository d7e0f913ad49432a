"""Decay near a minimum (Lemma 8) in balls, and at walls: each checker says yes and no."""

import numpy as np
import pytest
from cases import assert_unknown
from curvature_points import HALF, KINK, ONE_UNIT, random_point, random_risk
from flint import arb, fmpq, fmpz_mat

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    binary_hinge,
    exact,
    hard_tanh,
    leaky_relu,
    relu,
)
from lscore.curvature.decay import _positive_definite, certify_crossing, certify_decay
from lscore.curvature.exact import (
    exact_second_derivative,
)
from lscore.errors import DataError
from lscore.runs.flow import gradient_flow

BIASED = Risk(Network((1, 1), (), output_activation=relu), [-1, 1], [2, 2], SquaredLoss("1/2"))
TWO_LAYERS = Risk(
    Network((1, 1, 1), hard_tanh, output_activation=hard_tanh), [1, -1], [0, 0], HALF, 8
)
VALLEY = Risk(
    Network((1, 1, 1), relu, bias=False), [1], [2], HALF, 1
)  # minimum at (1, 1), Hessian 2 I
NEAR = exact(["65/64", 1])


def test_decay_is_certified_for_all_time_near_a_minimum():
    answer = certify_decay(VALLEY, NEAR, 1, "1/8")
    assert answer.certified
    assert answer.method == "ball"
    assert len(answer.conditions) == 3


@pytest.mark.parametrize(
    ("w", "rate", "radius", "verdict"),
    [
        (NEAR, 100, "1/8", "refuted"),
        (NEAR, 1, "3", "unknown"),  # the box meets a wall
        (NEAR, 1, "1/1000", "unknown"),  # the flow may leave the box
        (NEAR, 3, "1/8", "unknown"),  # c is that large at the start, the Hessian is not everywhere
        (exact([3, 3]), 1, "1/8", "unknown"),
    ],
)
def test_each_condition_of_the_decay_is_needed(w, rate, radius, verdict):
    assert certify_decay(VALLEY, w, rate, radius).verdict == verdict


@pytest.mark.parametrize(
    ("risk", "w", "rate", "radius", "verdict"),
    [
        # (4 w - 2)^2 / 2 for w > 0: c = 32, and the box of half-width 3/2 meets w = 0
        (Risk(ONE_UNIT, [4], [2]), ["1"], 31, "3/4", "certified"),
        (Risk(ONE_UNIT, [4], [2]), ["1"], 31, "3/2", "unknown"),
        # pre-activations 3 - w and 3 + w, so that the bias keeps them from 0
        (BIASED, [0, 3], "39/10", "11/10", "certified"),
        (BIASED, [0, 3], "39/10", 2, "unknown"),
        # the hidden unit stays in its piece up to 7/16, the output up to 0.39
        (TWO_LAYERS, ["1/8", 0, "1/8", "1/8"], 12, "3/8", "certified"),
        (TWO_LAYERS, ["1/8", 0, "1/8", "1/8"], 12, "13/32", "unknown"),
    ],
)
def test_the_box_meets_the_walls_of_every_layer(risk, w, rate, radius, verdict):
    answer = certify_decay(risk, exact(w), rate, radius)
    assert answer.verdict == verdict
    stays, *others = answer.conditions
    assert stays.holds is (True if verdict == "certified" else None)
    assert all(line.holds for line in others)


def test_definite_matrices_are_those_of_sylvester():
    rng, seen = np.random.default_rng(0), set()
    for _ in range(300):
        A = rng.integers(-3, 4, (4, 4)) + 4 * np.eye(4, dtype=int)
        A = np.triu(A) + np.triu(A, 1).T
        minors = [int(fmpz_mat(A[:k, :k].tolist()).det()) for k in range(1, 5)]
        found = _positive_definite([[arb(int(v)) for v in row] for row in A])
        assert found == (min(minors) > 0)
        seen.add(found)
    assert seen == {True, False}


def test_rates_at_the_edge():
    line = Risk(ONE_UNIT, [1], [1])  # (w - 1)^2 / 2: |g|^2 is |g(0)|^2 exp(-2 t)
    assert certify_decay(line, exact(["3/2"]), 2, "3/4").verdict == "unknown"
    for rate, time in ((0, 1), ("-1/100", 1), (0, None)):  # |g| <= 1/2, so the path is below 1/2
        wide, tight = (
            certify_decay(line, exact(["3/2"]), rate, r, time=time) for r in ("33/64", "1/2")
        )
        assert wide.certified == (time is not None)
        assert tight.verdict == "unknown"
    above = certify_decay(line, exact(["3/2"]), "2000001/1000000", "3/4")
    assert above.refuted
    assert above.witness["c_at_the_start"] == 2


def test_a_finite_time_allows_a_negative_rate():
    w = exact(["1/4", "1/4"])  # beside the saddle at 0
    assert exact_second_derivative(VALLEY, w)[1] < 0
    assert certify_decay(VALLEY, w, -5, "1/8", time="1/8").certified
    assert certify_decay(VALLEY, w, -5, "1/8").verdict == "unknown"
    assert certify_decay(VALLEY, w, -5, "1/8", time=8).verdict == "unknown"
    assert certify_decay(VALLEY, w, 0, "1/8", time="1/8").refuted


def test_certified_decay_is_what_the_flow_does():
    flow = gradient_flow(VALLEY, NEAR.point(), 4.0)
    for stretch in flow.stretches:
        bound = stretch.speeds[0] * np.exp(-stretch.times)
        assert (stretch.speeds <= bound * (1 + 1e-9)).all()


def test_zero_rate_and_bad_arguments():
    assert certify_decay(VALLEY, NEAR, 0, "1/8", time="1/100").certified
    assert certify_decay(VALLEY, NEAR, 0, "1/8").verdict == "unknown"
    with pytest.raises(DataError):
        certify_decay(VALLEY, NEAR, 1, 0)
    with pytest.raises(DataError):
        certify_decay(VALLEY, NEAR, 1, 1, time=-1)
    flat = Risk(ONE_UNIT, [1], [1])
    assert_unknown(certify_decay(flat, exact([1]), 1, 1), "non-zero gradient")


def test_the_counterexample_to_lemma_8_without_c2():
    assert exact_second_derivative(KINK, exact([1])) == (fmpq(121, 100), fmpq(363, 250))
    for start in (1, "1/1000", "-1/1000", -1):
        squared, bend = exact_second_derivative(KINK, exact([start]))
        assert bend / squared == fmpq(6, 5)
    answer = certify_crossing(KINK, exact([0]))
    assert answer.refuted
    assert dict(answer.witness) == {"before": fmpq(1, 4), "after": fmpq(25, 4)}


def test_a_convex_kink_that_is_crossed_lets_the_gradient_fall():
    answer = certify_crossing(Risk(ONE_UNIT, [1, -1], [4, 1], HALF), exact([0]))
    assert answer.verdict == "unknown"  # both sides lead away: no flow arrives
    assert "away" in answer.reason
    slides = certify_crossing(Risk(ONE_UNIT, [1, -1], [-1, -5], HALF), exact([0]))
    assert slides.certified
    assert slides.values["after"] == 0  # in one dimension the slide is a stop
    steep = Risk(Network((1, 1), (), bias=False, output_activation=leaky_relu("1/2")), [1], [-9])
    crossed = certify_crossing(steep, exact([0]))
    assert crossed.certified
    assert (crossed.values["before"], crossed.values["after"]) == (81, fmpq(81, 4))
    other = Risk(Network((1, 1), (), bias=False, output_activation=leaky_relu(2)), [1], [-9])
    assert certify_crossing(other, exact([0])).refuted


def test_sliding_leaves_the_tangential_part():
    risk = Risk(Network((1, 1, 1), relu), [1, 2], [-2, 2], HALF, "1/100")
    w = exact([1, -1, "1/2", "1/4"])  # z = 0 at the first sample; residuals 9/4, -5/4
    answer = certify_crossing(risk, w)
    assert answer.certified
    assert "slides" in answer.conditions[0].text
    assert 0 < answer.values["after"] < answer.values["before"]


def test_where_the_wall_checker_says_unknown():
    risk = random_risk(0)
    inside = certify_crossing(risk, random_point(risk, 0))
    assert inside.reason == "1 cells meet at the point, need exactly 2"
    corner = Risk(Network((1, 1, 1), relu), [0, 1], [1, 1], binary_hinge())  # 2 and 2 in doubt
    assert certify_crossing(corner, exact([0, 1, 0, 1])).reason.startswith("4 cells meet")
    still = Risk(Network((1, 1, 1), relu, bias=False), [1], [1])
    assert "tangent" in certify_crossing(still, exact([0, 0])).reason


def test_hinge_margins_have_walls_of_their_own():
    """From w = 2 the flow passes w = 1, where the margin turns: the risk is not one polynomial."""
    network = Network((1, 1), (), bias=False)
    risk = Risk(network, [1], [1], binary_hinge(["1/2"]), weight_decay=1)
    far = certify_decay(risk, exact([2]), "19/10", "5/2")
    assert (
        far.reason == "not shown: no unit or margin changes its piece on the box of half-width 5/2"
    )
    assert certify_decay(risk, exact([2]), "19/10", "9/10", time="1/4").certified
