"""Constants and numbers of Theorem 2: accepted where true, refused by name."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from flint import arb, ctx, fmpq
from smooth_points import NAMES, TABLE, number

import lscore
from lscore import relu
from lscore.errors import DataError, DtypeError, HypothesisError, ShapeError
from lscore.papers.yun2019 import (
    certify_printed_fit,
    certify_smooth_minimum,
    certify_zero_risk,
    constants,
    place,
)
from lscore.papers.yun2019.smooth.minimum import (
    slope_and_bend,
)
from lscore.papers.yun2019.smooth.table import sigmoid_place


@pytest.mark.parametrize("name", NAMES)
def test_the_points_second_order_form_is_autodiffs_hessian(name):
    c = TABLE[name].constants
    p, a = (list(map(number, x)) for x in slope_and_bend(c))
    w = c.point().point()
    assert float(c.risk.gradient(w).abs().max()) < 1e-12
    hessian = c.risk.hessian(w)
    cross = np.sqrt(p[0] * p[1]) * np.sign(number(c.u[0]) * number(c.u[1]))
    cross *= np.prod([np.sign(float(c.h.derivatives(s.v, 1)[1].mid())) for s in c.places])
    for z in ([1, 0], [0, 1], [1, -2]):
        u = torch.tensor([z[0], -z[0], z[1], -z[1], 0, 0, 0, 0, 0], dtype=torch.float64)
        form = (p[0] + a[0]) * z[0] ** 2 + (p[1] + a[1]) * z[1] ** 2 + 2 * cross * z[0] * z[1]
        assert float(u @ hessian @ u) == pytest.approx(2 * form, rel=1e-6, abs=1e-9)


def test_numbers_of_another_activation_or_an_unsolved_unit_are_refused():
    quarter = sigmoid_place("1/4")
    with pytest.raises(DataError, match=r"v\[0\]: has h = 1/4, but tanh has"):
        constants(lscore.tanh, [quarter, quarter], [1, 1])
    with pytest.raises(DataError, match="solved: unit 0 does not make"):
        replace(constants(lscore.sigmoid, [quarter, quarter], [1, 1]), solved=0)
    with pytest.raises(DataError, match=r"places\[0\]: has h = 1/2, but tanh has"):
        certify_printed_fit(lscore.tanh, list(map(sigmoid_place, ("1/2", "1/4", "1/4", "1/8"))))
    with pytest.raises(DataError, match=r"u\[0\]: got nan"):
        constants(lscore.tanh, [1, 1], [arb("nan"), 1])


@pytest.mark.parametrize("bad", ["inf", "-inf", "nan"])
def test_numbers_that_are_not_finite_are_refused(bad):
    """A weight of a point is a number: no ball of infinite radius, no NaN stands for one."""
    bad, zero = arb(bad), place(lscore.tanh, 0, [0, 1, 0])
    for pair in ((bad, 1), (1, bad)):
        with pytest.raises(DataError, match=r"v\[[01]\]: got .* need a finite ball"):
            certify_zero_risk(lscore.sigmoid, pair)
    for h in (lscore.square, lscore.tanh):
        with pytest.raises(DataError, match=r"v: got .* need a finite ball"):
            place(h, bad)
    with pytest.raises(DataError, match="v: got"):
        replace(zero, v=bad)
    with pytest.raises(DataError, match="value: got"):
        replace(zero, value=bad)
    with pytest.raises(DataError, match="v: got"):
        constants(lscore.sigmoid, [bad, 0], [1, 1])


def near_third_of_e(bits):
    """The multiple of 2^-bits nearest to 1/(3e), from the series of 1/e in fractions."""
    total, term = Fraction(0), Fraction(1)
    for k in range(1, 60):
        total, term = total + term, -term / k
    return fmpq(round(total / 3 * 2**bits), 2**bits)


@pytest.mark.parametrize("bits", [20, 200])
def test_a_fraction_that_nearly_solves_the_equation_does_not(bits):
    """u e = 1/3 has no rational solution, so the output bias is not 0 for any fraction u."""
    one, u = place(lscore.exponential, 1), near_third_of_e(bits)
    c = constants(lscore.exponential, [one], [None])
    assert certify_smooth_minimum(c).certified
    with ctx.workprec(300):
        as_ball = arb(u)
    for weight in (u, as_ball):
        with pytest.raises(DataError, match="solved: unit 0"):
            replace(c, u=(weight,))
    free = certify_smooth_minimum(constants(lscore.exponential, [one], [u]))
    assert free.certified
    assert "output bias" in free.conditions[0].text
    wider = c.u[0] + arb(0, "1e-20")
    assert replace(c, u=(wider,)).b2 == 0
    two = [place(lscore.square, 1, [1, 4, 2])] * 2
    whole = constants(lscore.square, two, ["1/6", None])
    assert (whole.u[1], whole.b2) == (fmpq(1, 6), 0)


@pytest.mark.parametrize("seed", range(40))
def test_true_fractions_are_accepted_and_false_ones_refused(seed):
    rng = np.random.default_rng(seed)
    v = fmpq(int(rng.integers(1, 10**6)), int(rng.integers(1, 10**6)))
    for h, known in (
        (lscore.square, [v * v, 4 * v * v, 2]),
        (lscore.softsign, [v / (1 + v), (1 + v) ** -4, -2 * (1 + v) ** -3]),
    ):
        assert place(h, v, known).curvature == known[2]
        for k in range(3):
            off = [x * (1 + (k == j) * fmpq(1, 10**30)) for j, x in enumerate(known)]
            with pytest.raises(DataError, match=rf"known\[{k}\]: got"):
                place(h, v, off)
    with pytest.raises(DataError, match=r"known\[0\]"):
        place(lscore.square, "1/2", [fmpq(1, 4) + fmpq(1, 10**60)])
    with pytest.raises(ShapeError, match="known: got 4 numbers"):
        place(lscore.square, 1, [1, 4, 2, 0])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: constants(lscore.tanh, [1], [1, 1]), ShapeError, "v, u: lengths 1 and 2"),
        (lambda: constants(lscore.tanh, [], []), ShapeError, "lengths 0 and 0"),
        (lambda: constants(lscore.tanh, [1, 1], [None, None]), DataError, "at most one"),
        (lambda: constants(lscore.tanh, [1, 0], [1, None]), HypothesisError, r"C2\.3: h\(v2\) = 0"),
        (lambda: constants(lscore.selu, [1, 0], [1, 1]), HypothesisError, r"C2\.4: SELU"),
        (lambda: place(lscore.tanh, 1, ["1/2"]), DataError, r"known\[0\]: got 1/2"),
        (lambda: constants(lscore.tanh, [float("nan"), 1], [1, 1]), DataError, "v: got nan"),
    ],
)
def test_impossible_constants_are_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_places_that_no_memory_holds_are_refused():
    for h, v in (
        (lscore.exponential, 10**9),
        (lscore.exponential, -(10**9)),
        (lscore.silu, -(10**12)),
    ):
        with pytest.raises(DataError, match=r"value: got .* powers of two up to 400000"):
            place(h, v)
    far = constants(lscore.exponential, [10**4, 10**4], [-1, -1])
    answer = certify_smooth_minimum(far)
    assert answer.refuted
    assert "E+13028" in str(answer)


def test_a_place_needs_a_smooth_activation():
    with pytest.raises(HypothesisError, match="piecewise linear"):
        place(relu, 1)
    with pytest.raises(DtypeError, match=r"need a .*Smooth"):
        place(torch.tanh, 1)
