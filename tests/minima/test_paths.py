"""Monotone paths: sign tests on an interval, and certificates that can fail."""

import pytest
from cases import MIRRORED, PARABOLA, TIES, XOR, small_fractions
from flint import fmpq, fmpq_poly
from hypothesis import strategies as st

from lscore import Network, Risk, exact, relu
from lscore.errors import LscoreError, ShapeError
from lscore.minima.paths import certify_nonincreasing
from lscore.papers.yun2019 import escape_path, least_squares_minimum, one_dead_unit

polynomials = st.lists(small_fractions, min_size=1, max_size=5).map(
    lambda values: fmpq_poly([fmpq(v.numerator, v.denominator) for v in values])
)
rationals = small_fractions.map(lambda v: fmpq(v.numerator, v.denominator))


@pytest.mark.parametrize(
    "risk", [PARABOLA, XOR, TIES, MIRRORED], ids=["parabola", "xor", "ties", "mirrored"]
)
def test_the_escape_path_never_rises_and_its_reverse_does(risk):
    w = least_squares_minimum(risk)
    path = escape_path(risk, w)
    down = certify_nonincreasing(risk, path)
    assert down.certified
    assert down.values["risk_at_the_start"] == risk(w) == risk(path[-2])
    assert down.values["risk_at_the_end"] == risk(path[-1]) == one_dead_unit(risk).risk
    up = certify_nonincreasing(risk, path[::-1])
    assert up.refuted
    start, end = path[::-1][up.witness["segment"] :][:2]
    earlier, later = up.witness["earlier_time"], up.witness["later_time"]
    assert 0 <= earlier < later <= 1
    rise = risk(start + later * (end - start)) - risk(start + earlier * (end - start))
    assert rise == up.witness["rise"] > 0


def test_a_rise_behind_a_dip_is_found_although_the_end_is_lower():
    risk = Risk(Network((1, 1, 1), relu), [1], [1])
    start, end = exact([1, 1, "-2/5", "-1/2"]), exact([1, 1, 1, "-1/2"])
    assert risk(end) < risk(start)
    answer = certify_nonincreasing(risk, [start, start, end])
    assert answer.refuted
    assert answer.witness["segment"] == 1


def test_bends_of_the_output_are_not_overlooked():
    risk = Risk(Network((1, 1, 1), relu, output_activation=relu), [1], [0])
    start, end = exact([1, 0, -1, 0]), exact([1, 0, 1, 0])
    assert risk(end) > risk(start)
    try:
        answer = certify_nonincreasing(risk, [start, end])
    except LscoreError:
        return
    assert not answer.certified


def test_a_slope_that_touches_zero_between_dyadic_times_is_decided():
    """With s = t - 1/3 the residuals are 3/2 s^2 - 100/27 and 3/2 s^2 - 10/3 s, so that the risk
    has the derivative -9 s^2 (5/3 - s), which touches zero at 1/3."""
    risk = Risk(Network((1, 1, 1), relu), [0, 1], ["100/27", 0])
    start = exact(["-10/3", "9/2", "-1/3", "5/3"])
    end = exact(["-10/3", 6, "2/3", "-10/3"])
    answer = certify_nonincreasing(risk, [start, end])
    assert answer.certified
    assert certify_nonincreasing(risk, [end, start]).refuted


def test_a_path_needs_two_points():
    with pytest.raises(ShapeError, match="waypoints: got 1, need at least 2"):
        certify_nonincreasing(PARABOLA, [exact([0] * 7)])
