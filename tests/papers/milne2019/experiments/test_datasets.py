"""Data sets: shapes and scale as documented, splits by seed."""

import numpy as np
import pytest

from lscore.errors import DataError
from lscore.papers.milne2019.experiments.datasets import Dataset, load

SHAPES = {
    "digits": ((1797, 1, 8, 8), (1797,), 10),
    "iris": ((150, 4), (150,), 3),
    "wine": ((178, 13), (178,), 3),
    "breast_cancer": ((569, 30), (569,), 2),
    "diabetes": ((442, 10), (442,), 0),
    "linnerud": ((20, 3), (20, 3), 0),
}


@pytest.mark.parametrize("name", SHAPES)
def test_small_sets_are_as_documented(name):
    data = load(name)
    assert (data.X.shape, data.y.shape, len(data.classes)) == SHAPES[name]
    assert data.X.dtype == np.float64
    assert data.y.dtype == (np.int64 if data.classes else np.float64)
    if data.classes:
        assert set(data.y) == set(range(len(data.classes)))
    assert data.scale


def test_scales():
    assert (load("digits").X.min(), load("digits").X.max()) == (0, 1)
    diabetes = load("diabetes").X
    assert abs(diabetes.mean(0)).max() < 1e-12
    assert abs((diabetes**2).sum(0) - 1).max() < 1e-12


def test_splits_are_disjoint_and_decided_by_the_seed():
    data = Dataset("numbers", np.arange(10.0)[:, None], np.arange(10), "integers")
    train, test = data.split(0.3, seed=4)
    assert (len(train), len(test)) == (7, 3)
    assert sorted([*train.y, *test.y]) == list(range(10))
    assert np.array_equal(train.X[:, 0], train.y)
    assert np.array_equal(data.split(0.3, seed=4)[1].y, test.y)
    assert not np.array_equal(data.split(0.3, seed=5)[1].y, test.y)
    with pytest.raises(DataError, match="puts 0 of 10"):
        data.split(0.01)
    with pytest.raises(DataError, match="need one of digits"):
        load("mnist")
