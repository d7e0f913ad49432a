"""Shares of a run and percentiles, in floats, rationals and balls."""

import numpy as np
import pytest
from flint import arb, ctx, fmpq

from lscore.curvature.shares import first_convex_step, loss_change_fraction, tenth_percentile
from lscore.errors import DataError


def test_the_percentile_is_numpys_and_grows_with_the_radius():
    values = np.random.default_rng(0).normal(size=23)
    exact = tenth_percentile([arb(v) for v in values])
    assert abs(float(exact) - np.percentile(values, 10)) < 1e-12
    wide = tenth_percentile([arb(v, 0.5) for v in values])
    assert wide.contains(arb(np.percentile(values - 0.5, 10)).mid() + arb(0.01))
    assert wide.contains(arb(np.percentile(values + 0.5, 10)).mid() - arb(0.01))


def test_the_percentile_is_enclosed_where_floats_cannot_sort():
    """1 + 2^-60 and 1 are one float; their order was the order in the list."""
    small = arb(fmpq(1, 2**60))
    ctx.prec = 128
    try:
        for values in ([1 + small, arb(1)], [arb(1), 1 + small]):
            assert tenth_percentile(values).contains(1 + fmpq(1, 10 * 2**60))
    finally:
        ctx.prec = 53


def test_the_percentile_encloses_that_of_every_choice_in_the_balls():
    rng = np.random.default_rng(3)
    for n in (1, 2, 7, 10, 11, 12, 21, 24):
        centres, radii = rng.integers(-9, 9, n), rng.integers(0, 5, n)
        found = tenth_percentile([arb(int(c), int(r)) for c, r in zip(centres, radii, strict=True)])
        for part in (-1, 0, 1, *rng.integers(-4, 5, (20, n)) / 4):
            row = sorted(fmpq(round(4 * v), 4) for v in centres + part * radii)
            k, rest = divmod(n - 1, 10)
            exact = row[k] + fmpq(rest, 10) * (row[min(k + 1, n - 1)] - row[k])
            assert found.contains(exact)
        for part, end in ((-1, found.lower()), (1, found.upper())):
            assert abs(float(end) - np.percentile(centres + part * radii, 10)) < 1e-6


def test_the_percentile_of_nothing_and_of_infinite_balls():
    with pytest.raises(DataError, match="values: got none"):
        tenth_percentile([])
    for ball in (arb("nan"), arb(0, float("inf"))):
        assert tenth_percentile([arb(1), ball, arb(2)]).is_nan()


@pytest.mark.parametrize(
    ("bends", "first"),
    [([1, 1], 0), ([-1, 1, 2], 1), ([1, 0, 2], 2), ([1, -1], None), ([float("nan"), 1], 1)],
)
def test_first_convex_step(bends, first):
    assert first_convex_step(bends) == first


def test_the_fraction_is_exact_for_exact_risks():
    values = [fmpq(3), fmpq(2), fmpq(1), fmpq(1, 3)]
    assert loss_change_fraction(values, 0) == 1
    assert loss_change_fraction(values, 1) == fmpq(5, 8)
    assert loss_change_fraction(values, None) == 0
    with pytest.raises(DataError):
        loss_change_fraction([fmpq(1), fmpq(1)], 0)
