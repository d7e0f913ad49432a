"""Exercises on image networks: right answers are accepted, others are told why."""

from flint import arb

from lscore import Network, Risk, SquaredLoss, exact, relu
from lscore.curvature.balls import BallCurvature
from lscore.pages.exercises.image_classification import (
    adds_this_share,
    difference_by_hand,
    fools_the_share_checker,
    hides_its_share,
    minibatches_look_convex,
)


def test_share_of_the_trace():
    assert adds_this_share(21, 7, "1/10").startswith("correct")
    assert "1/40" in adds_this_share(21, 14, "1/10")
    assert adds_this_share(21, 22, "1/10").startswith("not yet")


def test_difference_by_hand():
    assert difference_by_hand("27/4").startswith("correct")
    assert difference_by_hand("15/2").startswith("not yet")


def test_hiding_the_share():
    late = [1, 1, 1, -1, 1, 1]
    assert hides_its_share([100, 50, 20, 8, 4, 2], late).startswith("correct: the share is 0.02")
    assert hides_its_share([100, 50, 20, 18, 14, 2], late).endswith("is certified")
    assert hides_its_share([100, 50, 20, 8, 4, 2], [1] * 5 + [-1]).endswith("is refuted")
    assert "2 signs" in hides_its_share([100, 50, 20, 8, 4, 2], [-1, 1, 1, -1, 1, 1])
    assert "at least 6" in hides_its_share([2, 1], [1, 1])


def test_looking_convex():
    def four(t):
        network = Network((2, 1, 1), relu, bias=False)
        return Risk(network, [[1, t], [1, -t]] * 2, [2] * 4, SquaredLoss("1/2", mean=True))

    point = exact(["1/2", 0, "1/2"])
    assert minibatches_look_convex(four(3), point, 2).startswith("correct")
    assert minibatches_look_convex(four(2), point, 2).startswith("not yet: g'Hg")
    assert "two samples" in minibatches_look_convex(four(3), point, 1)
    assert "unknown" in minibatches_look_convex(four(3), exact([0, 0, 1]), 2)


def test_fooling_the_share_checker():
    bends = [1, -1, -1, *[1] * 9, -1, *[1] * 3]
    record = [BallCurvature(arb(20 - k), arb(1), arb(b)) for k, b in enumerate(bends)]
    kept = [k for k, b in enumerate(bends) if b > 0]
    assert fools_the_share_checker(record, kept, "9/10").startswith("correct")
    assert "first and the last" in fools_the_share_checker(record, kept[1:], "9/10")
    assert "at least 10" in fools_the_share_checker(record, kept[:5], "9/10")
    assert "refuted for" in fools_the_share_checker(record, range(16), "9/10")
    assert "not refuted at 0" in fools_the_share_checker(record, kept, 0)
