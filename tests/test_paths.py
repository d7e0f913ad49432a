"""Monotone paths: sign tests on an interval, and certificates that can fail."""

import pytest
from cases import MIRRORED, PARABOLA, TIES, XOR, small_fractions
from flint import fmpq, fmpq_poly
from hypothesis import given
from hypothesis import strategies as st

from lscore import Network, Risk, exact, relu
from lscore.errors import LscoreError, ShapeError
from lscore.papers.yun2019 import escape_path, least_squares_minimum, one_dead_unit
from lscore.paths import bernstein_coefficients, certify_nonincreasing, is_nonpositive

polynomials = st.lists(small_fractions, min_size=1, max_size=5).map(
    lambda values: fmpq_poly([fmpq(v.numerator, v.denominator) for v in values])
)
rationals = small_fractions.map(lambda v: fmpq(v.numerator, v.denominator))


@given(polynomials, rationals, st.integers(1, 4), st.integers(0, 8))
def test_bernstein_coefficients_enclose_the_polynomial_and_meet_its_ends(p, a, length, k):
    b = a + length
    coefficients = bernstein_coefficients(p, a, b)
    assert coefficients[0] == p(a)
    assert coefficients[-1] == p(b)
    assert min(coefficients) <= p(a + fmpq(k * length, 8)) <= max(coefficients)


@given(polynomials, rationals, st.integers(1, 4))
def test_the_sign_test_agrees_with_sampling(p, a, length):
    b = a + length
    answer = is_nonpositive(p, a, b)
    samples = [p(a + fmpq(k * length, 40)) for k in range(41)]
    if any(v > 0 for v in samples):
        assert answer is False
    if answer is False:
        assert max(p(a + fmpq(k * length, 2**12)) for k in range(2**12 + 1)) > 0


@pytest.mark.parametrize(
    ("coefficients", "answer"),
    [
        ([0], True),
        ([-1], True),
        ([1], False),
        ([0, -1], True),
        ([-1, 4, -4], True),  # -(2t - 1)^2 touches zero at 1/2, which bisection meets
        ([-1, 6, -9], None),  # -(3t - 1)^2 touches zero at 1/3, which it does not
        (["-99/100", 4, -4], False),
        (["-1073741823/1073741824", 1], False),  # positive on the last billionth only
        (["-101/100", 4, -4], True),
    ],
)
def test_the_sign_test_decides_or_says_that_it_does_not(coefficients, answer):
    p = fmpq_poly(
        [fmpq(*map(int, c.split("/"))) if isinstance(c, str) else c for c in coefficients]
    )
    assert is_nonpositive(p, fmpq(0), fmpq(1)) is answer


@pytest.mark.parametrize(
    "risk", [PARABOLA, XOR, TIES, MIRRORED], ids=["parabola", "xor", "ties", "mirrored"]
)
def test_the_escape_path_never_rises_and_its_reverse_does(risk):
    w = least_squares_minimum(risk)
    path = escape_path(risk, w)
    down = certify_nonincreasing(risk, path)
    assert down.certified
    assert down.values["risk at the start"] == risk(w) == risk(path[-2])
    assert down.values["risk at the end"] == risk(path[-1]) == one_dead_unit(risk).risk
    up = certify_nonincreasing(risk, path[::-1])
    assert up.refuted
    start, end = path[::-1][up.witness["segment"] :][:2]
    earlier, later = up.witness["earlier time"], up.witness["later time"]
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


def test_an_undecided_slope_is_unknown():
    """With s = t - 1/3 the residuals are 3/2 s^2 - 100/27 and 3/2 s^2 - 10/3 s, so that the risk
    has the derivative -9 s^2 (5/3 - s), which touches zero at 1/3."""
    risk = Risk(Network((1, 1, 1), relu), [0, 1], ["100/27", 0])
    start = exact(["-10/3", "9/2", "-1/3", "5/3"])
    end = exact(["-10/3", 6, "2/3", "-10/3"])
    answer = certify_nonincreasing(risk, [start, end])
    assert answer.verdict == "unknown"
    assert answer.reason == "segment 0, piece 1: sign of the slope not decided by bisection"


def test_a_path_needs_two_points():
    with pytest.raises(ShapeError, match="waypoints: got 1, need at least 2"):
        certify_nonincreasing(PARABOLA, [exact([0] * 7)])
