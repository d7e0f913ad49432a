"""Exercises on valleys accept what is right only."""

from valley_points import FREE, HINGE, TRAPPED, WIDE

from lscore import Network, Risk, exact, relu
from lscore.pages.exercises.valleys import (
    fools_the_convex_checker,
    is_bent_and_trapped,
    leads_down,
    leads_from_above,
    rise_by_hand,
)
from lscore.papers.yun2019 import least_squares_minimum, wide_path


def test_bent_valleys_are_recognised():
    bump = Risk(Network((1, 1, 1), relu), [0, 1, 2, 3], [0, 1, 0, 0])
    assert is_bent_and_trapped(bump, exact([-1, 1, "-1/3", "1/3"])) == (
        "correct: risk 1/3, the global minimum is 3/11"
    )
    assert is_bent_and_trapped(HINGE, TRAPPED) == (
        "not yet: the risk is 1/12, the affine fit has 1/12"
    )
    assert is_bent_and_trapped(HINGE, FREE).startswith("not yet: unknown, a global minimum lies")
    assert is_bent_and_trapped(HINGE, exact([1, -1, 1, 0])) == "not yet: refuted"


def test_the_first_two_exercises_know_right_from_wrong():
    far = [10, 20, 30, -1, -2, -3, 4, 5, 6, 7]
    assert leads_from_above(far, 1000).endswith("to 0 without rising")
    assert leads_from_above([0] * 10, 1000) == "not yet: the risk of the start is 49"
    assert rise_by_hand("9/40") == "correct: 9/40"
    assert rise_by_hand("3/8") == "not yet: it is not 3/8"


def test_paths_down_are_recognised():
    risk = WIDE["parabola"]
    path = wide_path(risk, least_squares_minimum(risk))
    assert leads_down(risk, path, 3) == "correct: from 2 to 0 without rising"
    assert leads_down(risk, path, 2) == "not yet: 3 segments, wanted 2 at most"
    assert leads_down(risk, path[:3], 3) == "not yet: the risk at the end is 2"
    assert leads_down(risk, path[::-1], 3) == "not yet: refuted"


def test_paths_that_only_one_checker_follows_are_recognised():
    path = [exact(["1/2", 0, 1, "-1/6"]), exact(["1/2", "-1/2", 2, 0])]
    assert fools_the_convex_checker(HINGE, path).startswith("correct: segment 0 moves more than")
    assert fools_the_convex_checker(HINGE, path[::-1]).startswith("not yet: refuted")
    assert fools_the_convex_checker(HINGE, [FREE, FREE]) == "not yet: the checker says certified"
