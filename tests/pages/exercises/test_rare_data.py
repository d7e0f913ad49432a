"""Exercises on rare data: right answers are accepted, others are told why."""

from lscore.pages.exercises.rare_data import (
    balances,
    hides_that_it_is_rare,
    makes_rare,
    separates_the_line,
    solves_the_puzzle,
)
from lscore.papers.laurent2018 import LabelledData, rare_from_subset_sum

FOUR = LabelledData([0, 1, 2, 3], [1, -1, -1, 1], ["1/6", "1/3", "1/3", "1/6"], "1/2")


def test_rare_coefficients():
    on = [[1, 0], [0, 1], [0, 1], [1, 0]]
    assert makes_rare(FOUR, [1, "1/2", "1/2", 1], on).startswith("correct")
    assert "equations" in makes_rare(FOUR, [1, 1, 1, 1], on)
    own = [[0, 1], [0, 0], [0, 0], [0, 0]]
    assert "own class" in makes_rare(FOUR, [1, 1, 1, 1], own)


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
