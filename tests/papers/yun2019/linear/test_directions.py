"""The directions of the proof, in floats and in rationals."""

from flint import fmpq
from linear_points import SADDLES

from lscore.papers.yun2019.linear.directions import find_directions, make_moves
from lscore.papers.yun2019.linear.setting import product, product_gradient, weights_of


def test_the_floats_use_the_construction_of_the_proof():
    made = SADDLES[40]
    weights = weights_of(made.risk, made.point)
    G = product_gradient(made.risk, product(weights))
    moves = make_moves(weights, G, find_directions(weights, G), fmpq(1, 4))
    assert product(moves.base) == product(weights)
    M = product(moves.tuple(1)) - product(weights)
    assert M.dot(G) > 0
    assert product(moves.tuple(-1)) - product(weights) == -M
