"""Exercises on the exact penalty: right answers are accepted, others are told why."""

from lscore import Network, Risk, exact, identity, one_versus_all_hinge, relu
from lscore.pages.exercises.exact_penalty import (
    hides_a_minimum,
    is_below_zero,
    is_cheap,
    penalty_of_three,
    price_of_a_move,
)

PAIR = Risk(Network((1, 1, 2), relu), [-1, 1], [0, 1], one_versus_all_hinge())


def test_numbers_by_hand():
    assert penalty_of_three(8) == "correct: 8"
    assert penalty_of_three(16) == "not yet: it is not 16"
    assert price_of_a_move(50) == "correct: 50"
    assert price_of_a_move(25).startswith("not yet")


def test_cheap_replicas():
    flat = Risk(Network((1, 1, 2), identity), [-1, 1], [0, 1], one_versus_all_hinge())
    solved = exact([[1, 1], [0, 0], [-1, 1], [0, 0]])
    assert is_cheap(flat, solved) == "correct: 0"
    assert is_cheap(flat, solved * 0) == "not yet: the penalised risk is 2"


def test_replicas_below_zero():
    W = exact([["1/4", "1/4"], [0, 0], ["-1/4", "1/4"], [0, 0]])
    assert is_below_zero(PAIR, W).startswith("correct: the penalised risk is 31/16")
    assert is_below_zero(PAIR, W * 2) == "not yet: an entry is larger than 1/4"
    assert is_below_zero(PAIR, W * 0).startswith("not yet: the penalised risk is 2")
    apart = exact([["1/4", "-1/4"], [0, 0], ["-1/4", "-1/4"], [0, 0]])
    assert is_below_zero(PAIR, apart).startswith("not yet")


def test_a_hidden_minimum():
    risk = Risk(Network((1, 1, 2), relu), [0] * 20, [0] * 20, one_versus_all_hinge())
    W = exact([[1, 1], [0, 0], [1, 1], [1, -1]])
    assert hides_a_minimum(risk, W) == (
        "correct: class 0: 40 ties meet at the point, the limit is 16"
    )
    assert hides_a_minimum(PAIR, W).startswith("not yet: the penalised risk")
    few = Risk(Network((1, 1, 2), relu), [0], [0], one_versus_all_hinge())
    assert "says certified" in hides_a_minimum(few, W)
