"""Krawczyk's test: zeros that are known, boxes that hold them, and what has no answer."""

import numpy as np
import pytest
from flint import arb, ctx, fmpq

from lscore.algebra.balls import Balls
from lscore.algebra.krawczyk import krawczyk
from lscore.errors import DataError


def balls(rows):
    return np.array(rows, dtype=object).view(Balls)


def circle(x):  # and a diagonal: the zeros are +-(1, 1)
    return balls([x[0] ** 2 + x[1] ** 2 - 2, x[0] - x[1]])


def slopes(x):
    return balls([[2 * x[0], 2 * x[1]], [arb(1), arb(-1)]])


@pytest.mark.parametrize(("start", "zero"), [((2, "1/2"), 1), ((-3.0, -1), -1)])
def test_a_zero_that_is_known_lies_in_the_box(start, zero):
    found = krawczyk(circle, slopes, [fmpq(1, 2) if v == "1/2" else v for v in start])
    assert all(x.contains(arb(zero)) and x.rad() < 1e-36 for x in found.box)


def test_more_bits_make_a_smaller_box_and_the_precision_is_put_back():
    before = ctx.prec
    coarse, fine = (krawczyk(circle, slopes, [2, 1], bits=b).box for b in (64, 512))
    assert fine[0].rad() < arb(2) ** -480 < coarse[0].rad() < 1e-15
    assert ctx.prec == before


def test_the_zero_is_irrational_and_enclosed():
    found = krawczyk(lambda x: balls([x[0].exp() - 3]), lambda x: balls([[x[0].exp()]]), [1])
    with ctx.workprec(400):
        assert found.box[0].contains(arb(3).log())


def test_zero_and_huge_zeros():
    for zero in (0, 10**40, fmpq(1, 10**40)):
        found = krawczyk(lambda x, z=zero: x - arb(z), lambda x: balls([[arb(1)]]), [7.0])
        with ctx.workprec(600):
            assert found.box[0].contains(zero)
    assert krawczyk(lambda x: x, lambda x: x, []).box.size == 0


@pytest.mark.parametrize(
    ("value", "slope", "start", "reason"),
    [
        (lambda x: x * x + 1, lambda x: 2 * x, 3, "do not settle"),
        (lambda x: x * x, lambda x: 2 * x, 1, "Krawczyk's test fails"),  # double
        (lambda x: x * 0 + 1, lambda x: x * 0, 1, "singular"),
        (lambda x: x * arb.nan(), lambda x: x * 0 + 1, 1, "no ball encloses it"),
        (lambda x: x, lambda x: x * arb.nan(), 1, "singular, or no ball"),
        # a slope that is wrong: nothing is shown
        (lambda x: x * x - 2, lambda x: x * 0 - 1, 1, "do not settle"),
    ],
)
def test_what_has_no_answer(value, slope, start, reason):
    found = krawczyk(value, lambda x: slope(x)[:, None].view(Balls), [start])
    assert found.box is None
    assert reason in found.reason


def test_a_jacobian_that_varies_too_much_is_refused():
    wide = [krawczyk(lambda x: x - 1, lambda x, r=r: balls([[arb(1, r)]]), [3]) for r in (0.5, 2)]
    assert wide[0].box is not None
    assert "varies too much" in wide[1].reason


def test_a_precision_out_of_range_is_refused():
    with pytest.raises(DataError, match="bits"):
        krawczyk(circle, slopes, [1, 1], bits=0)
