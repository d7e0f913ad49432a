"""Risks of products: loss and layer gradients, definiteness, and what is no linear network."""

from dataclasses import replace

import pytest
from linear_points import random_risk

from lscore import (
    Network,
    exact,
    identity,
    linear,
    mean_squared_error,
    relu,
    tanh,
)
from lscore.errors import HypothesisError, ShapeError
from lscore.papers.yun2019 import (
    layer_gradients,
)
from lscore.papers.yun2019.linear.setting import (
    LINEAR_SQUARED,
    product,
    product_gradient,
    product_loss,
    weights_of,
)


@pytest.mark.parametrize("loss", [None, mean_squared_error])
@pytest.mark.parametrize("widths", [(2, 3), (2, 3, 2), (3, 2, 4, 1), (1, 2, 2, 2, 3)])
def test_loss_and_layer_gradients_agree_with_the_risk(widths, loss):
    risk, w = random_risk(1, *widths)
    risk = replace(risk, loss=loss) if loss else risk
    weights = weights_of(risk, w)
    assert product_loss(risk, product(weights)) == risk(w)
    parts = layer_gradients(weights, product_gradient(risk, product(weights)))
    assert risk.network.pack(parts) == risk.gradient(w)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": Network((2, 3, 2), relu, bias=False)}, "identity: got ReLU"),
        ({"network": Network((2, 3, 2), linear(2), bias=False)}, "hypothesis identity"),
        ({"network": Network((2, 3, 2), tanh, bias=False)}, "identity: got tanh"),
        ({"network": Network((2, 3, 2), identity)}, "biases"),
        ({"network": Network((2, 3, 2), identity, False, relu)}, "output activation"),
        ({"weight_decay": 1}, "weight decay"),
    ],
)
def test_other_settings_are_refused(change, words):
    risk, _ = random_risk(0, 2, 3, 2)
    with pytest.raises(HypothesisError, match=words):
        LINEAR_SQUARED.require(replace(risk, **change), "YUN-T4")


def test_wrong_gradient_shape_and_empty_products():
    with pytest.raises(ShapeError, match="does not fit"):
        layer_gradients([exact([[1, 2]])], exact([[1], [2]]))
    assert product([], 2) == exact([[1, 0], [0, 1]])
