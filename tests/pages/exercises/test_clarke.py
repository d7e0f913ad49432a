"""Exercises on kinks: right answers are accepted, others are told why."""

from lscore import Network, Risk, binary_hinge, exact, relu
from lscore.pages.exercises.clarke import (
    has_incident_cells,
    is_proper_subgradient,
    shortest_by_hand,
)


def test_cells_that_meet_and_their_gradients():
    tied = Risk(Network((1, 1, 1), relu), [0, 1, 3], [0, 0, 0])
    on_one, on_all = exact([1, -1, 1, 0]), exact([0, 0, 1, 0])
    assert has_incident_cells(tied, on_one, 2) == "correct: 2 cells meet; ties there: 1"
    assert has_incident_cells(tied, on_all, 2) == "not yet: 6 cells meet there, wanted 2"
    hinged = Risk(Network((1, 1, 1), relu), [1], [1], binary_hinge())
    middle = is_proper_subgradient(hinged, on_all, exact(["-1/2", "-1/2", 0, -1]))
    assert middle.startswith("correct: g is a convex combination")
    corner = is_proper_subgradient(hinged, on_all, exact([-1, -1, 0, -1]))
    assert corner == "not yet: g is the gradient of an incident cell"
    outside = is_proper_subgradient(hinged, on_all, exact([1, 1, 0, -1]))
    assert outside == "not yet: refuted, g is not shown to be in the subdifferential"


def test_the_shortest_subgradient_by_hand():
    assert shortest_by_hand("1/4") == "correct: 1/4"
    assert shortest_by_hand("1/2") == "not yet: it is not 1/2"
