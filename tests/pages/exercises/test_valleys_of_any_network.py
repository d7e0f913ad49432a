"""Exercises on valleys of constructed minima accept what is right only."""

import pytest

from lscore import Network, Risk, exact, hard_tanh, relu
from lscore.errors import DataError
from lscore.pages.exercises import valleys_of_any_network as check
from lscore.papers.he2020 import affine_minimum

ANCHOR = Risk(Network((1, 2, 1), hard_tanh), [0, 1, 2, 3, 4], [0, 1, 0, 2, 1])
TEN = Risk(Network((1, 3, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])


def test_another_end():
    assert check.is_another_end(ANCHOR, (1, ["4/5"]), (2, ["1/2"])).startswith("correct")
    assert "same point" in check.is_another_end(ANCHOR, (1, ["4/5"]), (1, ["4/5"]))
    with pytest.raises(DataError, match="less than 10/17"):
        check.is_another_end(ANCHOR, (1, ["4/5"]), (2, [1]))


@pytest.mark.parametrize(("answer", "said"), [(19, "correct"), (17, "not yet")])
def test_the_dimension_by_hand(answer, said):
    assert check.dimension_by_hand(answer).startswith(said)


def test_out_of_the_valley():
    assert check.leaves_the_valley(ANCHOR, (1, ["3/4"]), (999, ["1/600"])).startswith("correct")
    assert "unknown" in check.leaves_the_valley(ANCHOR, (1, ["1/9"]), (2, ["1/9"]))


def test_dimensions():
    assert check.has_dimension(TEN, affine_minimum(TEN), 8).startswith("correct")
    assert check.has_dimension(TEN, affine_minimum(TEN), 7) == "not yet: the dimension is 8"
    assert "unknown" in check.has_dimension(TEN, exact([0] * 10), 8)
    constant = Risk(Network((1, 2, 1), relu), [0, 1], [1, 1])
    off = exact([0, 0, -1, -1, 1, 1, 1])
    assert check.hides_its_dimension(constant, off).startswith("correct")
    assert "dimension 5" in check.hides_its_dimension(constant, affine_minimum(constant))
    assert "not 0" in check.hides_its_dimension(TEN, affine_minimum(TEN))
