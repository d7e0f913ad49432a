"""The point of risk zero: conditions C.21 and C.22 with their two sides."""

import pytest
import torch
from flint import arb, ctx, fmpq
from smooth_points import AFFINE, NAMES, TABLE

import lscore
from lscore import Smooth, rational
from lscore.errors import ShapeError
from lscore.papers.yun2019 import (
    certify_printed_fit,
    certify_three_points,
    certify_zero_risk,
    place,
    three_points,
)
from lscore.papers.yun2019.smooth.table import sigmoid_place


def test_an_infinite_difference_decides_nothing():
    top = Smooth("top", lambda z: z**2, lambda z: z * z if z < 2 else arb("inf"))
    assert certify_zero_risk(top, ("3/2", "5/2")).verdict == "unknown"
    assert certify_zero_risk(top, (0, 1)).certified


def texts(answer):
    return [(k.text[:4], k.holds) for k in answer.conditions]


def test_c21_and_c22_fail_with_the_difference_of_the_two_sides():
    row = [place(lscore.square, v, [rational(v) ** 2]) for v in (1, "1/2", "1/2", "1/4")]
    answer = certify_printed_fit(lscore.square, row)
    assert texts(answer) == [("C2.1", True), ("C2.2", False)]
    assert answer.reason == "C2.2 fails, so this construction gives no point"
    uneven = list(map(sigmoid_place, ("1/2", "1/4", "1/2", "1/8")))
    answer = certify_printed_fit(lscore.sigmoid, uneven)
    assert texts(answer) == [("C2.1", False), ("C2.2", True)]
    assert answer.conditions[0].margin == fmpq(1, 16) - fmpq(1, 8)
    with pytest.raises(ShapeError, match="places: got 3, need 4"):
        certify_printed_fit(lscore.sigmoid, uneven[:3])


def test_balls_that_overlap_are_undecided_and_not_a_violated_hypothesis():
    balls = [place(lscore.softsign, v) for v in (1, "1/3", "1/3", "1/7")]  # 1/2 1/8 = 1/4 1/4
    answer = certify_printed_fit(lscore.softsign, balls)
    assert texts(answer) == [("C2.1", None), ("C2.2", True)]
    assert "not decided" in answer.reason
    same = list(map(sigmoid_place, ("1/3", "1/9", "1/3", "1/9")))
    assert texts(certify_printed_fit(lscore.sigmoid, same)) == [("C2.1", True), ("C2.2", None)]
    whole = certify_three_points(TABLE["softsign"].constants, balls)
    assert str(whole.verdict) == "unknown"
    assert "smaller_risk" not in whole.values


def risk_in_balls(h, w):
    """The risk of a tuple of fractions and balls on the three points, straight from its formula."""
    with ctx.workprec(300):
        w = [arb(e) for e in w]
        total = arb(0)
        for x, y in (((1, 0), 0), ((0, 1), 0), ((arb("0.5"), arb("0.5")), 1)):
            units = [h.ball(w[2 * k] * x[0] + w[2 * k + 1] * x[1] + w[4 + k]) for k in (0, 1)]
            r = w[6] * units[0] + w[7] * units[1] + w[8] - y
            total += r * r / 2
        return total


@pytest.mark.parametrize("name", NAMES)
def test_the_point_of_risk_zero_is_returned(name, certificates):
    h, fit = TABLE[name].constants.h, TABLE[name].fit
    answers = [certify_zero_risk(h)] + ([certify_printed_fit(h, fit)] if fit else [])
    for answer in answers:
        value = risk_in_balls(h, answer.values["point"])
        assert value.contains(0)
        assert value < 1e-30
    assert str(certificates[name].values["lower_point"]) == str(answers[-1].values["point"])


def test_the_exponential_satisfies_c21_but_never_c22():
    steps = [place(lscore.exponential, v) for v in (0, 1, 2, 3)]
    powers = [fmpq(1), fmpq(2), fmpq(4), fmpq(8)]
    with ctx.workprec(160):
        logs = [place(lscore.exponential, arb(x).log(), [x]) for x in powers]
    assert texts(certify_printed_fit(lscore.exponential, logs)) == [("C2.1", True), ("C2.2", None)]
    assert texts(certify_printed_fit(lscore.exponential, steps))[0] == ("C2.1", None)


@pytest.mark.parametrize("name", NAMES)
def test_one_bend_fits_every_activation(name):
    h = TABLE[name].constants.h
    assert certify_zero_risk(h).certified
    v1, v2 = 0.0, 2.0
    f = [float(h(torch.tensor(v, dtype=torch.float64))) for v in (v1, v2, (v1 + v2) / 2)]
    bend = f[0] + f[1] - 2 * f[2]
    if abs(bend) > 1e-9:
        w = [v1, v2, v2, v1, 0, 0, -1 / bend, -1 / bend, (f[0] + f[1]) / bend]
        assert float(three_points(h)(torch.tensor(w, dtype=torch.float64))) < 1e-20


def test_an_odd_pair_has_no_bend():
    answer = certify_zero_risk(lscore.sigmoid, (1, -1))
    assert str(answer.verdict) == "unknown"
    assert certify_zero_risk(lscore.sigmoid, (2, 0)).certified
    assert str(certify_zero_risk(AFFINE).verdict) == "unknown"
    assert [k.holds for k in answer.conditions] == [None]
    assert {k.holds for k in certify_zero_risk(AFFINE).conditions} == {False}
    with pytest.raises(ShapeError, match="v: got 3 numbers"):
        certify_zero_risk(lscore.sigmoid, (1, 2, 3))


@pytest.mark.parametrize("power", [3, 7, 9, 12, 25])
def test_margins_beyond_every_float_are_shown(power):
    answer = certify_zero_risk(lscore.exponential, (10**power, 0))
    assert answer.certified
    assert "difference" in str(answer)
    (condition,) = answer.conditions
    expected = {7: "6.59223E+4342944", 9: "8.00298E+434294481", 12: "1.78577E+434294481903"}
    assert power not in expected or str(condition.margin) == expected[power]
