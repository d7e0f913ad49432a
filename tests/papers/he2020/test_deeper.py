"""Stage 2: the outputs of any point, in deeper networks."""

import numpy as np
import pytest
from networks_of_he import HALF, made

from lscore import (
    Network,
    Risk,
    certify_affine_minimum,
    exact,
    leaky_relu,
    relu,
    two_piece,
)
from lscore.errors import DataError
from lscore.papers.he2020 import affine_minimum, deepened

X, Y = [[0, 1], [1, 0], [2, 2], [3, 1], [4, 0]], [[0, 1], [1, 0], [0, 2], [2, 0], [1, 1]]


@pytest.mark.parametrize("h", [relu, two_piece(0, -2), leaky_relu("-1/3")], ids=lambda h: h.name)
def test_any_point_has_a_deeper_one_with_its_outputs(h):
    rng = np.random.default_rng(0)
    flat, deep = Network((2, 3, 2), h), Network((2, 3, 2, 4, 3, 2), h)
    one, many = Risk(flat, X, Y, HALF), Risk(deep, X, Y, HALF)
    for _ in range(8):
        w = exact(rng.integers(-3, 4, flat.dimension).tolist()) / 2
        assert many.predictions(deepened(one, w, deep)) == one.predictions(w)
    w = affine_minimum(one)
    assert certify_affine_minimum(many, deepened(one, w, deep)).certified  # Lemma 4
    with pytest.raises(DataError, match="level: got -9"):
        deepened(one, w, deep, level=-9)


def test_deeper_networks_that_do_not_fit_are_refused():
    one = Risk(Network((2, 3, 2), relu), X, Y)
    w = affine_minimum(one)
    for widths in ((2, 3, 2), (2, 3, 1, 2), (2, 4, 2, 2), (2, 3, 2, 1)):
        assert made(deepened, one, w, Network(widths, relu)) == "width"
    assert made(deepened, one, w, Network((2, 3, 2, 2), leaky_relu("1/2"))) == "activation"
