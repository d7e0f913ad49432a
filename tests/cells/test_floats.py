"""A cell in floats: frozen risk, gradient and Hessian products against the risk."""

import pytest
from flows import random_risk

from lscore import hard_tanh, relu
from lscore.cells.floats import float_cell


def test_the_frozen_floats_agree_with_the_risk():
    for activation in (relu, hard_tanh):
        risk = random_risk(0, (2, 5, 4, 1), activation=activation)
        w = risk.network.init(seed=2)
        cell, v = float_cell(risk, w.numpy()), risk.network.init(seed=3)
        assert cell.value(w.numpy()) == pytest.approx(float(risk(w)), rel=1e-13)
        assert cell.gradient(w.numpy()) == pytest.approx(risk.gradient(w).numpy(), abs=1e-14)
        product = risk.hessian_vector_product(w, v).numpy()
        assert cell.hessian_product(w.numpy(), v.numpy()) == pytest.approx(product, abs=1e-13)
