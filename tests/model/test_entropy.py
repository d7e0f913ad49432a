"""The logistic loss: against torch, values by hand, balls that hold them, and what is refused."""

import numpy as np
import pytest
import torch
from flint import arb

from lscore import Network, Risk, exact, tanh
from lscore.algebra.balls import balls
from lscore.errors import DataError, SettingError, ShapeError
from lscore.model.balls import ball_risk
from lscore.model.entropy import LogisticLoss

LOGISTIC = LogisticLoss()
OUTPUTS, LABELS = [[-3.0], [0.0], [0.5], [40.0]], [[1.0], [-1.0], [1.0], [-1.0]]


def test_floats_are_those_of_torch():
    outputs = torch.tensor(OUTPUTS, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor(LABELS, dtype=torch.float64)

    def reference(z):
        return torch.nn.functional.soft_margin_loss(z, labels, reduction="sum")

    assert LOGISTIC(outputs, labels).item() == pytest.approx(reference(outputs).item())
    (gradient,) = torch.autograd.grad(reference(outputs), outputs)
    assert torch.allclose(LOGISTIC.gradient(outputs, labels), gradient, rtol=1e-13)
    second = torch.autograd.functional.hessian(reference, outputs.detach()).squeeze()
    assert torch.allclose(LOGISTIC.second(outputs, labels).squeeze(), second.diag(), rtol=1e-10)


def test_balls_hold_the_floats_and_are_thin():
    inside, labels = balls(exact(OUTPUTS)), exact(LABELS)
    outputs, signs = (torch.tensor(v, dtype=torch.float64) for v in (OUTPUTS, LABELS))
    for name in ("__call__", "gradient", "second"):
        ours = np.ravel(getattr(LOGISTIC, name)(inside, labels))
        floats = np.ravel(getattr(LOGISTIC, name)(outputs, signs).numpy())
        for ball, value in zip(ours, floats, strict=True):
            assert float(arb(ball).rad()) < 1e-12
            assert float(arb(ball).mid()) == pytest.approx(float(value), rel=1e-12)


def test_only_the_gradient_at_zero_is_rational():
    assert LOGISTIC.gradient(exact([0, 0]), exact([1, -1])) == exact(["-1/2", "1/2"])
    for ask in (LOGISTIC, LOGISTIC.second):
        with pytest.raises(SettingError, match="rational only where all outputs are 0"):
            ask(exact([0, 0]), exact([1, -1]))
    with pytest.raises(SettingError, match="need floats or balls"):
        LOGISTIC.gradient(exact([0, 1]), exact([1, -1]))


def test_a_risk_of_it_is_log_two_at_zero():
    risk = Risk(Network((1, 2, 1), tanh), [-1, 0, 2], [1, -1, 1], LOGISTIC)
    value = ball_risk(risk, exact([0] * risk.network.dimension))
    assert value.overlaps(3 * arb(2).log())
    assert float(value.rad()) < 1e-12


def test_labels_are_plus_and_minus_one():
    network = Network((1, 2, 1), tanh)
    with pytest.raises(DataError, match="got the label 0, need"):
        Risk(network, [0, 1], [0, 1], LOGISTIC)
    with pytest.raises(ShapeError, match="for 2 outputs"):
        Risk(Network((1, 2, 2), tanh), [0, 1], [1, -1], LOGISTIC)
