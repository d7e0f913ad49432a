"""Sides of knots: slopes, lengths, scales; which ones a network can use."""

import pytest
from flint import fmpq
from networks_of_he import triangle

from lscore import Network, absolute_value, hard_tanh, identity, linear, piecewise_linear, relu
from lscore.errors import HypothesisError
from lscore.papers.he2020.pieces import chosen_sides, sides


def test_every_side_is_the_activation_there():
    for h in (relu, absolute_value, hard_tanh, triangle, identity):
        for side in sides(h):
            near = (side.length or fmpq(1)) / 3
            assert h(side.knot) == side.value
            assert h(side.knot + side.sign * near) == side.value + side.slope * side.sign * near
            there = (side.other_length or fmpq(1)) / 3
            beyond = side.value - side.other_slope * side.sign * there
            assert h(side.knot - side.sign * there) == beyond
            c = side.largest_scale(fmpq(7), both=True)
            assert all(
                length is None or 7 * c < length for length in (side.length, side.other_length)
            )


def test_sides_without_a_slope_are_left_out_and_open_pieces_come_first():
    assert [(str(s.knot), s.sign) for s in sides(hard_tanh)] == [("-1", 1), ("1", -1)]
    h = piecewise_linear([0, 1], [0, 2, 3], 0)
    assert [(str(s.knot), s.sign) for s in sides(h)] == [("1", 1), ("0", 1), ("1", -1)]
    assert len(sides(absolute_value)) == 2
    assert sides(linear(0)) == []


def test_a_network_takes_what_bends_first_and_what_slopes_later():
    network = Network((1, 2, 1, 1), (hard_tanh, identity))
    assert [side.bends for side in chosen_sides(network)] == [True, False]
    with pytest.raises(HypothesisError, match="layer 1, need a knot"):
        chosen_sides(Network((1, 2, 1, 1), (identity, hard_tanh)))
    with pytest.raises(HypothesisError, match="layer 2, need a slope"):
        chosen_sides(Network((1, 2, 1, 1), (relu, linear(0))))
    with pytest.raises(HypothesisError, match="layer 2 has no such side"):
        chosen_sides(network, [sides(hard_tanh)[1]])
