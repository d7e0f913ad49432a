"""Lower points around a smooth minimum: outside its radius, never inside."""

from decimal import Decimal

import numpy as np
import pytest
import torch
from flint import arb, ctx, fmpq
from smooth_points import NAMES, TABLE, number

from lscore import exact, rational
from lscore.model.balls import ball_risk
from lscore.papers.yun2019 import (
    best_pull,
    box_is_safe,
    first_lower_radius,
    lower_point_in_box,
    pulled_apart,
    risk_on_slice,
)
from lscore.papers.yun2019.smooth.lower_points import in_box, rounded_down


@pytest.mark.parametrize("name", NAMES)
def test_nothing_lower_is_found_in_the_box_and_the_box_is_maximal(name, certificates):
    c, radius = TABLE[name].constants, rational(str(certificates[name].values["radius"]))
    assert box_is_safe(c, radius)
    assert not box_is_safe(c, radius * fmpq(1003, 1000))
    assert lower_point_in_box(c, radius) is None
    rng, centre = np.random.default_rng(0), c.point().point()
    for scale in (1.0, 0.3, 0.01):
        for _ in range(20):
            move = rng.choice([-1.0, 0.0, 1.0], c.risk.dimension) * scale * number(radius)
            w = centre + torch.from_numpy(move)
            w[-1] += (c.risk.y - c.risk.predictions(w)).mean()
            assert float(c.risk(w)) >= 1 / 3 - 1e-14


@pytest.mark.parametrize(
    "name",
    ["sigmoid", "tanh, wide", "quadratic", "SELU", "softplus", "GELU", "SiLU", "sine",
     "exponential", "erf"],
)  # fmt: skip
def test_at_one_and_a_half_times_the_radius_a_point_is_lower(name, certificates):
    c = TABLE[name].constants
    radius = rational(str(certificates[name].values["radius"])) * fmpq(3, 2)
    found = lower_point_in_box(c, radius)
    assert in_box(c, found.point, radius)
    assert not in_box(c, found.point, radius / 2)
    assert ball_risk(c.risk, found.point) < arb(fmpq(1, 3))
    assert found.decrease > 0
    drop = 1 / 3 - float(c.risk(found.point.point()))
    assert float(found.decrease) - 1e-15 <= drop <= 1.01 * float(found.decrease) + 1e-15


def test_the_first_lower_point_is_just_outside_for_a_convex_activation(certificates):
    for name in ("quadratic", "softplus", "SiLU", "GELU"):
        start = certificates[name].values["radius"]
        first = first_lower_radius(TABLE[name].constants, str(start))
        assert float(start) < first < 1.02 * float(start)


def test_points_are_pulled_apart_as_they_say():
    c = TABLE["quadratic"].constants
    w = pulled_apart(c, [0.5, 0.0], [0.25, 0.25], [1, -1], 0.125)
    assert w.rows(0, 6) == exact([1.375, 1.125, 0.875, 1.125, 0.25, 0])
    assert best_pull(c, [0, 0], [1 / 6, 1 / 6], [1, -1], 0.1) is None


def test_a_slice_shows_the_risks_of_the_points_it_names():
    c = TABLE["GELU"].constants
    s, t = np.array([-0.25, 0.5]), np.array([0.0, 0.125, 1.0])
    shown = risk_on_slice(c, [2, -1], [1, 0.5], [1, -0.5], s, t)
    assert shown.shape == (3, 2)
    u = np.array([number(w) for w in c.u])
    for i, b in enumerate(t):
        for j, a in enumerate(s):
            w = pulled_apart(c, a * np.array([2, -1]), u + a * np.array([1, 0.5]), [1, -0.5], b)
            assert shown[i, j] == pytest.approx(float(c.risk(w.point())), abs=1e-12)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(fmpq(2, 3), "0.6666"), (fmpq(-2, 3), "-0.6667"), (arb(0), "0"), (fmpq(1, 3000), "0.0003333")],
)
def test_rounding_is_downwards(value, shown):
    assert rounded_down(value, 4) == Decimal(shown)


@pytest.mark.parametrize("power", [-(10**7), -400, -310, -5, 5, 310, 400, 10**7])
@pytest.mark.parametrize("side", [1, -1])
def test_rounding_is_downwards_at_any_size(power, side):
    """Six digits of +-3 * 10^power, whose last one may be one less."""
    with ctx.workprec(200):
        shown = rounded_down(side * 3 * arb(10) ** power)
    sign, digits, exponent = shown.as_tuple()
    assert (sign, len(digits), exponent) == (side < 0, 6, power - 5)
    number = int("".join(map(str, digits)))
    assert number in ((299999, 300000) if side > 0 else (300000, 300001))
