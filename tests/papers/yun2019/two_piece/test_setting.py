"""What Theorem 1 covers, and what is refused by name."""

import pytest
from cases import PARABOLA, SQUARE, TIES, XOR
from two_piece_points import DUPLICATES, TWO

from lscore import Network, Risk, binary_hinge, exact, hard_tanh, identity, relu
from lscore.errors import HypothesisError
from lscore.papers.yun2019 import (
    affine_fit,
    check_data,
    least_squares_minimum,
    one_dead_unit,
    refitted_kink,
    slopes,
    two_unit_point,
)


def test_check_data_passes_what_the_theorem_covers():
    for risk in (PARABOLA, XOR, DUPLICATES):
        assert check_data(risk, affine_fit(risk)) is None


@pytest.mark.parametrize("h", [hard_tanh, identity], ids=lambda h: h.name)
def test_other_activations_are_refused(h):
    risk = Risk(Network((1, 2, 1), h), [0, 1], [0, 1])
    for construct in (least_squares_minimum, one_dead_unit, refitted_kink, two_unit_point):
        with pytest.raises(HypothesisError, match=r"C1\.3: the activation"):
            construct(risk)


@pytest.mark.parametrize(
    ("risk", "message"),
    [
        (Risk(Network((1, 2, 2, 1), relu), [0], [0]), "got 2 hidden layers"),
        (Risk(Network((1, 1), ()), [0], [0]), "got 0 hidden layers"),
        (Risk(Network((1, 2, 1), relu, bias=False), [0], [0]), "hypothesis biases"),
        (Risk(TWO, [0], [0], weight_decay=1), "hypothesis no weight decay"),
        (Risk(Network((1, 2, 1), relu, output_activation=relu), [0], [0]), "no output activation"),
        (Risk(TWO, [0], [1], binary_hinge()), "squared loss: got binary hinge loss"),
    ],
)
def test_other_settings_are_refused(risk, message):
    for construct in (slopes, least_squares_minimum, one_dead_unit, refitted_kink, two_unit_point):
        with pytest.raises(HypothesisError, match=message):
            construct(risk)


def test_square_data_are_shared_by_the_tie_cases():
    assert XOR.exact_X == TIES.exact_X == exact(SQUARE)
