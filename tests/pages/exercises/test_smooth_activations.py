"""Exercises on smooth minima: right answers are accepted, others are told why."""

import pytest

from lscore import softplus, softsign
from lscore.pages.exercises.smooth_activations import (
    fails_only_c27,
    fools_the_box,
    has_radius,
    margin_by_hand,
    widens_the_box,
)
from lscore.papers.yun2019 import constants, find_constants


@pytest.mark.parametrize(
    ("v", "u", "answer"),
    [
        ([0, 1], [1, 1], "correct: C2.6: p1 + a1 > 0 fails, and no direction of descent is shown"),
        ([0, 1], [1, -1], "not yet: the output weights are not all positive"),
        ([1, 1], [1, 1], "not yet: the checker says certified"),
    ],
)
def test_points_that_fool_the_box(v, u, answer):
    assert fools_the_box(v, u) == answer


def test_places_and_margins_of_smooth_minima_are_told_apart():
    assert widens_the_box("1/3").startswith("not yet: the radius is 0")
    assert widens_the_box("2/3") == "not yet: at 2/3 the point is refuted"
    assert margin_by_hand("1/162") == "correct: 1/162"
    assert margin_by_hand("1/36") == "not yet: it is not 1/36"


def test_radii_of_smooth_minima_are_compared():
    c = find_constants(softplus)
    assert has_radius(c, 1) == "correct: no lower point within 1, a better one elsewhere"
    assert has_radius(c, 2) == "not yet: the certified radius is 1.040"
    assert has_radius(constants(softsign, ["1/4", 1], [-5, "8/3"]), 1) == "not yet: refuted"


def test_a_failing_c27_is_told_from_other_failures():
    saddle = constants(softsign, ["1/4", 1], [-5, "8/3"])
    assert fails_only_c27(saddle).startswith("correct: z'Qz < 0 for z = (1, ")
    assert fails_only_c27(find_constants(softplus)) == "not yet: C2.7 should fail"
    downhill = constants(softplus, [0, 0], ["-1/4", "-1/4"])
    assert fails_only_c27(downhill) == "not yet: C2.6 should hold"
