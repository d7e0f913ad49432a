"""Exercises on deep linear networks with a hinge loss: right answers are accepted, others told."""

from lscore import Network, Risk, binary_hinge, exact, identity, relu
from lscore.pages.exercises.deep_linear_hinge import (
    balances_the_line,
    fools_us,
    is_lower_nearby,
    is_the_product,
    least_of_three,
)


def test_the_product_of_a_network():
    assert is_the_product([3, 5, 6]) == "correct"
    assert is_the_product([3, 5, 2]).startswith("not yet: the network")
    assert is_the_product([3, 5]) == "not yet: need 3 numbers"


def test_the_least_risk_of_three_points():
    assert least_of_three("2/3") == "correct: 2/3"
    assert least_of_three("1/2") == "not yet: it is not 1/2"


def test_multipliers_by_hand():
    assert balances_the_line(["1/2", 1, 1, "1/2"]) == "correct: the bound is 3/4"
    assert balances_the_line(["1/4", "1/2", "1/2", "1/4"]) == "not yet: the bound is 3/8"
    assert "need 0 and 0" in balances_the_line([1, 1, 1, 1])
    assert "four numbers" in balances_the_line([2, 1, 1, 2])
    assert "four numbers" in balances_the_line([1, 1])


def test_a_lower_point_close_to_the_origin():
    assert is_lower_nearby(exact(["1/10", "-1/10", "-1/10"])).startswith("correct")
    assert is_lower_nearby(exact([1, 1, 1])) == "not yet: an entry is larger than 1/10"
    assert is_lower_nearby(exact(["1/10", "1/10", "-1/10"])).startswith("not yet: it is 1001/1000")


def test_fooling_the_checker():
    bent = Risk(Network((1, 1, 1), relu), [1], [1], binary_hinge())
    assert fools_us(bent, exact([1, 0, 1, 0])).startswith("correct")
    flat = Risk(Network((1, 1, 1), identity), [1], [1], binary_hinge())
    assert "says certified" in fools_us(flat, exact([1, 0, 1, 0]))
