"""Exercises on barriers accept what is right only."""

from barrier_points import EXAMPLE, SIX, X, Y, network

from lscore.pages.exercises.barriers import hides_behind_a_barrier, opens_the_barrier


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
