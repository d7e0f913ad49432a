"""What autograd reports at a kink: a cell's gradient, or no subgradient."""

import numpy as np
from kinked_points import CAMPAIGN, instance

from lscore import Network, Risk, binary_hinge, exact, relu
from lscore.minima.autograd import autograd_cell, certify_autograd
from lscore.minima.clarke import clarke_subdifferential


def test_autograd_without_biases_can_report_what_is_no_subgradient():
    """relu(w x) on x = 1, -1: autograd says 0, the risk is 1 - w/2 near 0."""
    net = Network((1, 1), (), bias=False, output_activation=relu)
    risk = Risk(net, [1, -1], [1, -1], binary_hinge())
    w = exact([0])
    assert float(risk.gradient(w.point())) == 0.0
    assert autograd_cell(risk, w).gradient(w).is_zero()
    answer = certify_autograd(risk, w)
    assert answer.refuted
    gradients = clarke_subdifferential(risk, w).gradients
    assert {str(g) for g in gradients.entries()} == {"-1/2"}


def test_autograd_agrees_with_its_cell_in_floats():
    for seed in range(30):
        risk, w, _ = instance(CAMPAIGN[8], seed)
        assert np.array_equal(
            risk.gradient(w.point()).numpy().round(12),
            autograd_cell(risk, w).gradient(w).floats()[:, 0].round(12),
        )
