"""Exercises on barriers accept what is right only."""

from barrier_points import EXAMPLE, SIX, X, Y, network

from lscore import Network, Risk, exact, relu
from lscore.pages.exercises.barriers import (
    height_by_hand,
    hides_behind_a_barrier,
    leads_to_a_global_minimum,
    opens_the_barrier,
)


def test_exercises_on_barriers_accept_what_is_right_only():
    other = network(SIX[0], [2, 1, -2, 2, -3, -1])
    opened = network(SIX[0], [2, 1, -2, 2, -3, 1])
    assert hides_behind_a_barrier(other) == "correct: from 802/105 over 17/2 to 43/8"
    assert hides_behind_a_barrier(opened) == "not yet: refuted"
    assert hides_behind_a_barrier(network([0, 1, 2], [0, 1, 2])).startswith("not yet: refuted")
    assert hides_behind_a_barrier(network(X, Y, 4)).startswith("not yet: unknown, risk: its")
    assert opens_the_barrier(other, opened) == "correct: open at risk 1072/105"
    assert opens_the_barrier(opened, other) == "not yet: refuted before, certified after"
    assert opens_the_barrier(other, other) == "not yet: 0 labels differ, wanted 1"
    assert opens_the_barrier(other, network(*SIX)).startswith("not yet: 5 labels")
    assert opens_the_barrier(other, EXAMPLE) == "not yet: network or inputs differ"
    assert opens_the_barrier(network(X, Y, 3), EXAMPLE) == "not yet: network or inputs differ"


def test_ways_to_a_global_minimum():
    risk = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1])
    above, stuck = exact([-1, 0, 1, 5]), exact(["-1/2", 2, -1, "11/6"])
    best = exact([1, -1, 1, 0])
    assert leads_to_a_global_minimum(risk, above) == "correct: the way is open from risk 33"
    assert leads_to_a_global_minimum(risk, stuck) == "not yet: certified"
    assert leads_to_a_global_minimum(risk, best) == "not yet: it is a global minimum"
    assert height_by_hand("1/3") == "correct: 1/3"
    assert height_by_hand("1/12") == "not yet: it is not 1/12"
