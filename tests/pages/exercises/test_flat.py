"""The answer checkers of the chapter on flat cells accept right answers and name what is wrong."""

from lscore import Network, Risk, binary_hinge, exact, leaky_relu, relu
from lscore.pages.exercises.flat_and_sharp import (
    balances_by_hand,
    fools_the_type_checker,
    is_bad_flat_point,
    is_good_flat_point,
    is_sharp_and_bad,
)
from lscore.pages.exercises.rare_data import (
    balances,
    hides_that_it_is_rare,
    makes_rare,
    separates_the_line,
    solves_the_puzzle,
)
from lscore.papers.laurent2018 import LabelledData, rare_from_subset_sum

XOR = Risk(
    Network((2, 1, 1), leaky_relu("1/2")),
    [[-1, -1], [-1, 1], [1, -1], [1, 1]],
    [1, -1, -1, 1],
    binary_hinge(),
)
FOUR = LabelledData([0, 1, 2, 3], [1, -1, -1, 1], ["1/6", "1/3", "1/3", "1/6"], "1/2")
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


def test_rare_coefficients():
    on = [[1, 0], [0, 1], [0, 1], [1, 0]]
    assert makes_rare(FOUR, [1, "1/2", "1/2", 1], on).startswith("correct")
    assert "equations" in makes_rare(FOUR, [1, 1, 1, 1], on)
    own = [[0, 1], [0, 0], [0, 0], [0, 0]]
    assert "own class" in makes_rare(FOUR, [1, 1, 1, 1], own)


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


def test_data_that_hide_that_they_are_rare():
    numbers = [3**k for k in range(8)]
    assert hides_that_it_is_rare(rare_from_subset_sum(numbers, sum(numbers)), 100).startswith(
        "correct"
    )
    assert "says refuted" in hides_that_it_is_rare(rare_from_subset_sum([1, 2], 3), 100)
    generic = rare_from_subset_sum([10 * a for a in numbers], 15)
    assert "not rare" in hides_that_it_is_rare(generic, 100)


def test_a_separating_line_is_recognised():
    assert separates_the_line([2, -3]).startswith("correct")
    assert separates_the_line([1, -2]).startswith("not yet")
    assert separates_the_line([-1, 1]).startswith("not yet")


def test_a_balancing_weight_is_recognised():
    assert balances("1/6") == "correct: 1/6"
    assert balances("1/3") == "not yet: it is not 1/3"
    assert balances(1).startswith("not yet: need")


def test_a_solved_puzzle_is_recognised():
    puzzle = rare_from_subset_sum([3, 34, 4, 12, 5, 2], 9)
    assert solves_the_puzzle(puzzle, [4, 3, 2]) == "correct: 4 + 3 + 2 = 9"
    assert solves_the_puzzle(puzzle, [4, 5]).startswith("correct")
    assert "not there" in solves_the_puzzle(puzzle, [3, 3, 3])
    assert "sum to 8" in solves_the_puzzle(puzzle, [3, 5])


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
