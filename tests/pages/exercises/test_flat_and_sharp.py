"""Exercises on flat and sharp minima: right answers are accepted, others are told why."""

from lscore import Network, Risk, binary_hinge, exact, leaky_relu, relu
from lscore.pages.exercises.flat_and_sharp import (
    balances_by_hand,
    fools_the_type_checker,
    is_bad_flat_point,
    is_good_flat_point,
    is_sharp_and_bad,
)

XOR = Risk(
    Network((2, 1, 1), leaky_relu("1/2")),
    [[-1, -1], [-1, 1], [1, -1], [1, 1]],
    [1, -1, -1, 1],
    binary_hinge(),
)
DEAD = Risk(Network((1, 1, 1), relu), [-1, 1], [-1, 1], binary_hinge())


def test_bad_flat_points():
    assert is_bad_flat_point(XOR, exact([1, 0, 3, "1/8", 0])) == (
        "correct: a flat cell with loss 1"
    )
    for point, reason in (
        ([1, 0, 1, "1/8", 0], "on a wall"),
        ([1, 1, "1/2", "1/8", 0], "not flat along output 0"),
        ([1, 0, 3, 0, 0], "an output weight is 0"),
    ):
        answer = is_bad_flat_point(XOR, exact(point))
        assert answer.startswith("not yet")
        assert reason in answer
    assert "the loss is 0" in is_bad_flat_point(DEAD, exact([9, 1, 1, -5]))


def test_points_that_fool_the_type_checker():
    w, down = exact([0, 0, 1, 0]), exact([0, -1, 0, 0])
    assert fools_the_type_checker(DEAD, w, down).startswith("correct: 1 of 4 ways")
    assert "inside a wall" in fools_the_type_checker(DEAD, w, down * 0)
    assert "not flat" in fools_the_type_checker(DEAD, w, -down)
    assert "certifies" in fools_the_type_checker(DEAD, w + down, down)


def test_sharp_and_bad_minima():
    risk = Risk(Network((1, 2, 1), leaky_relu("1/2")), [0, 1, 2], [1, -1, 1], binary_hinge())
    assert is_sharp_and_bad(risk, exact([1, 1, 1, 1, -1, 1, 1])) == (
        "correct: a sharp local minimum with loss 2/3"
    )
    assert "falls nearby" in is_sharp_and_bad(risk, exact([1, 1, 1, 1, -1, 1, 0]))
    easy = Risk(Network((1, 1, 1), leaky_relu("1/2")), [1], [1], binary_hinge())
    assert "loss is 0" in is_sharp_and_bad(easy, exact([1, 0, 1, 1]))
    clash = Risk(Network((1, 1, 1), leaky_relu("1/2")), [1, 1], [1, -1], binary_hinge())
    assert "may touch" in is_sharp_and_bad(clash, exact([1, 0, 1, "-1/2"]))


def test_good_flat_points_and_balancing_weights():
    line = Risk(Network((1, 2, 1), leaky_relu("1/2")), [-1, 0, 1], [1, -1, 1], binary_hinge())
    flat = exact([-3, 3, "1/2", "1/2", 8, 8, -13])
    assert is_good_flat_point(line, flat, exact([-3, 3, "1/2", "1/2", 9, 9, -15])) == (
        "correct: a flat cell of loss 0"
    )
    assert "multiple" in is_good_flat_point(line, flat, flat * 2)
    assert "not flat" in is_good_flat_point(line, flat, exact([-3, 3, "1/2", "1/2", 1, 1, 0]))
    assert balances_by_hand("1/2") == "correct: 1/2, and the data are rare"
    assert balances_by_hand("1/3") == "not yet: it is not 1/3"
