"""Stage 3: the outputs of any point, around any knot of other activations."""

import numpy as np
import pytest
from networks_of_he import BENDING, HALF, made, random_pieces

from lscore import (
    Network,
    Risk,
    certify_affine_minimum,
    exact,
    hard_tanh,
    relu,
)
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.papers.he2020 import affine_minimum, around_knot, deepened, pair_point, transplanted

X, Y = [[0, 1], [1, 0], [2, 2], [3, 1], [4, 0]], [[0, 1], [1, 0], [0, 2], [2, 0], [1, 1]]


def test_any_point_is_transplanted_to_any_knot():
    rng = np.random.default_rng(1)
    for h in [*BENDING, random_pieces(rng), random_pieces(rng)]:
        for t in h.knots:
            pair, _ = around_knot(h, t)
            for widths in ((2, 3, 2), (2, 3, 2, 2), (2, 2, 3, 1, 2)):
                risk = Risk(Network(widths, h), X, Y)
                plain = Network(widths, pair)
                w = exact(rng.integers(-3, 4, plain.dimension).tolist()) / 2
                shrink = ["1/2", "1/3"][: len(widths) - 3]
                for rates in (None, shrink):
                    moved = transplanted(risk, w, t, shrink=rates)
                    assert risk.predictions(moved) == plain(w, risk.exact_X)


def test_minima_stay_minima_and_lower_points_stay_lower():
    h = random_pieces(np.random.default_rng(2))
    t = h.knots[1]
    pair, _ = around_knot(h, t)
    one, deep = Risk(Network((2, 3, 2), pair), X, Y, HALF), Network((2, 3, 2, 2), pair)
    risk = Risk(Network((2, 3, 2, 2), h), X, Y, HALF)
    low = transplanted(risk, deepened(one, pair_point(one).point, deep), t)
    stuck = transplanted(risk, deepened(one, affine_minimum(one), deep), t)
    assert certify_affine_minimum(risk, stuck).certified
    assert risk(low) < risk(stuck) == one(affine_minimum(one))


def test_the_printed_last_layer_misses_the_outputs():
    risk = Risk(Network((1, 2, 1, 1), hard_tanh), [0, 1, 2, 3, 4], [0, 1, 0, 2, 1], HALF)
    one = Risk(Network((1, 2, 1), relu), risk.X, risk.y, HALF)
    w = deepened(one, affine_minimum(one), Network((1, 2, 1, 1), relu))
    right = transplanted(risk, w, -1, shrink=["1/2"])
    wrong = transplanted(risk, w, -1, shrink=["1/2"], printed=True)
    assert str(risk(right)) == "19/100"
    assert risk(wrong) > 1
    assert (right - wrong).entries()[:-1] == [0] * (len(right) - 1)  # the last bias only


def test_refusals():
    risk = Risk(Network((1, 2, 1), hard_tanh), [0, 1, 2], [0, 1, 0])
    w = exact([1, -1, 0, 0, 1, 1, 0])
    assert made(transplanted, risk, w, 0) == "knot"
    with pytest.raises(DataError, match="scale: got 1"):
        transplanted(risk, w * 9, -1, scale=1)
    with pytest.raises(ShapeError, match="shrink: got 1"):
        transplanted(risk, w, -1, shrink=[1])
    mixed = Risk(Network((1, 2, 2, 1), (relu, hard_tanh)), [0, 1], [0, 1])
    with pytest.raises(HypothesisError, match="one activation"):
        transplanted(mixed, exact([0] * 13), 0)
