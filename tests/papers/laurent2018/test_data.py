"""Labelled data and their combinations: what is accepted, what is refused by name."""

import numpy as np
import pytest
from rare_data import LINE, SIGNS

from lscore import Network, Risk, binary_hinge, exact, leaky_relu, multiclass_hinge, relu, tanh
from lscore.algebra.matrices import ones
from lscore.errors import DataError, DtypeError, HypothesisError, LscoreError, ShapeError
from lscore.model.activations import absolute_value, identity
from lscore.papers.laurent2018 import LabelledData, certify_generic, is_rare_combination


def test_perturbed_combinations_are_refused():
    data = LabelledData(LINE, SIGNS, None, "1/2")
    good, on = exact(["1/2", 1, "1/2"]), exact([[1, 0], [0, 1], [1, 0]])
    assert is_rare_combination(data, good, on)
    assert not is_rare_combination(data, ones(3), on)
    assert not is_rare_combination(data, exact(["1/2", 1, "1/4"]), on)
    assert not is_rare_combination(data, good, exact([[1, 0], [0, 1], [0, 0]]))
    assert not is_rare_combination(data, good, on * 0)
    assert not is_rare_combination(data, good, on * "1/2")
    assert not is_rare_combination(data, good, on * 2)
    assert not is_rare_combination(data, ones(2), on)


def test_as_printed_every_data_set_is_rare():
    data = LabelledData([0, 7], [-1, 1], None, "1/2")
    own_class_only = exact([[1, 0], [0, 0]])
    assert certify_generic(data).certified
    assert is_rare_combination(data, ones(2), own_class_only, as_printed=True)
    assert not is_rare_combination(data, ones(2), own_class_only)
    assert not is_rare_combination(data, ones(2), own_class_only * 0, as_printed=True)


def test_a_risk_knows_its_data():
    risk = Risk(Network((1, 2, 2, 1), leaky_relu("1/2")), LINE, SIGNS, binary_hinge())
    data = LabelledData.of(risk)
    assert (data.classes, data.depth, data.alpha) == ((1, 0, 1), 2, exact(["1/2"])[0, 0])
    assert data.weights == ones(3) / 3
    three = Risk(Network((1, 2, 3), identity), LINE, [0, 1, 2], multiclass_hinge([1, 2, 3]))
    assert LabelledData.of(three).classes == (0, 1, 2)
    assert LabelledData.of(three).slopes == (1,)


@pytest.mark.parametrize("h", [tanh, absolute_value])
def test_other_activations_and_losses_are_refused(h):
    with pytest.raises(HypothesisError, match="activation"):
        LabelledData.of(Risk(Network((1, 2, 1), h), LINE, SIGNS, binary_hinge()))
    with pytest.raises(HypothesisError, match="hypothesis binary or multiclass hinge loss"):
        LabelledData.of(Risk(Network((1, 2, 1), relu), LINE, SIGNS))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((LINE, [1, -1]), ShapeError, "labels, weights: 2"),
        ((LINE, SIGNS, [1, 1, 0]), DataError, "weights: got 0"),
        ((LINE, SIGNS, None, -1), DataError, "alpha, depth: got -1 and 1"),
        ((LINE, SIGNS, None, 1, 0), DataError, "alpha, depth: got 1 and 0"),
        ((LINE, [2, -1, 1]), DataError, "labels"),
    ],
)
def test_the_input_is_checked(arguments, error, message):
    with pytest.raises(error, match=message):
        LabelledData(*arguments)


@pytest.mark.parametrize("labels", [[0.9, 1.2], [True, False], ["1", "0"], [None, 1], [1j, 0]])
def test_labels_that_are_no_integers_are_refused(labels):
    """0.9 and 1.2 were read as 0 and 1."""
    with pytest.raises(LscoreError, match=r"labels.*: got"):
        LabelledData([0, 2], labels)


def test_labels_are_whole_numbers_of_any_type():
    for labels in ([1.0, -1.0], np.array([1, -1]), [np.int8(1), np.float64(-1)]):
        assert LabelledData([0, 2], labels).labels == (1, -1)
    for depth in (1.5, True, "1"):
        with pytest.raises(DtypeError, match=r"depth: got .*, need an int"):
            LabelledData([0, 2], [1, -1], depth=depth)
