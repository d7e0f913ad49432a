"""Logistic loss and cross-entropy: against torch, by hand, in balls, and what is refused."""

import numpy as np
import pytest
import torch
from flint import arb

from lscore import Network, Risk, exact, tanh
from lscore.algebra.balls import balls
from lscore.errors import DataError, SettingError, ShapeError
from lscore.model.balls import ball_risk
from lscore.model.entropy import CrossEntropyLoss, LogisticLoss

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


# Cross-entropy

SOFTMAX = CrossEntropyLoss()
LOGITS = [[-3.0, 0.5, 2.0], [40.0, 0.0, -700.0], [0.0, 0.0, 0.0], [1.0, 1.0, -2.0]]
HARD = np.eye(3)[[0, 1, 2, 1]]
SOFT = [["1/3", "1/3", "1/3"], ["1/2", "1/2", 0], [1, 0, 0], ["1/10", "1/5", "7/10"]]


@pytest.mark.parametrize("labels", [exact(HARD), exact(SOFT)])
def test_cross_entropy_is_that_of_torch(labels):
    outputs = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    targets = torch.from_numpy(labels.floats())

    def reference(z):
        return torch.nn.CrossEntropyLoss()(z, targets)

    assert SOFTMAX(outputs, targets).item() == pytest.approx(reference(outputs).item(), rel=1e-14)
    (gradient,) = torch.autograd.grad(reference(outputs), outputs)
    assert torch.allclose(SOFTMAX.gradient(outputs, targets), gradient, rtol=1e-13)
    second = torch.autograd.functional.hessian(reference, outputs.detach())
    blocks = torch.stack([second[i, :, i] for i in range(4)])
    assert torch.allclose(SOFTMAX.second(outputs, targets), blocks, rtol=1e-9, atol=1e-17)
    inside = balls(exact(LOGITS))
    for name in ("__call__", "gradient", "second"):
        ours = np.ravel(getattr(SOFTMAX, name)(inside, labels))
        floats = np.ravel(getattr(SOFTMAX, name)(outputs.detach(), targets).numpy())
        for ball, value in zip(ours, floats, strict=True):
            assert float(arb(ball).rad()) < 1e-12
            assert float(arb(ball).mid()) == pytest.approx(float(value), rel=1e-9, abs=1e-16)


def test_a_tiny_probability_keeps_its_digits_in_balls():
    p = 1 + SOFTMAX.gradient(balls(exact([[0, 700]])), exact([[1, 0]]))[0, 0]
    assert not p > 0  # 1 - (1 - p): as it must be
    q = SOFTMAX.gradient(balls(exact([[0, 700]])), exact([[0, 1]]))[0, 0]
    assert q > 0
    assert q.rad() / q < 1e-10


def test_two_classes_are_the_logistic_loss_of_the_difference():
    z, y = exact([[3, "1/2"], [-1, 2]]), exact([[1, 0], [0, 1]])
    logistic = LOGISTIC(balls(exact(["5/2", -3])), exact([1, -1]))
    assert SOFTMAX(balls(z), y).overlaps(logistic / 2)
    moved = SOFTMAX(balls(z) + balls(exact([[7, 7], [-9, -9]])), y)
    assert moved.overlaps(logistic / 2)  # shift_invariant


def test_its_gradient_is_rational_where_the_outputs_of_each_sample_are_equal():
    found = SOFTMAX.gradient(exact([[5, 5, 5], [-1, -1, -1]]), exact(HARD[:2]))
    assert found == exact([["-1/3", "1/6", "1/6"], ["1/6", "-1/3", "1/6"]])
    for ask in (SOFTMAX, SOFTMAX.gradient, SOFTMAX.second):
        with pytest.raises(SettingError, match="need floats or balls"):
            ask(exact([[0, 1]]), exact([[1, 0]]))


def test_labels_are_classes_or_rows_of_probabilities():
    network = Network((1, 2, 3), tanh)
    assert Risk(network, [0, 1], [2, 0], SOFTMAX).y.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert Risk(network, [0, 1], SOFT[:2], SOFTMAX).exact_y == exact(SOFT[:2])
    for bad, match in (
        ([0, 3], "got the class 3"),
        ([0, -1], "got the class -1"),
        ([0, 0.5], "not an integer"),
        ([[1, 0, 0], [0.1, 0.2, 0.7]], "row 1 sums to"),
        ([[1, 0, 0], [2, -1, 0]], "got the probability -1"),
    ):
        with pytest.raises(DataError, match=match):
            Risk(network, [0, 1], bad, SOFTMAX)
    with pytest.raises(ShapeError, match="for 3 outputs"):
        Risk(network, [0, 1], [[1, 0], [0, 1]], SOFTMAX)
    with pytest.raises(ShapeError, match="for 1 outputs"):
        Risk(Network((1, 2, 1), tanh), [0, 1], [0, 1], SOFTMAX)


def test_an_own_loss_has_no_shift_unless_it_says_so():
    class Own(CrossEntropyLoss):
        pass

    assert Own.shift_invariant
    assert not Own.proved
    assert not LOGISTIC.shift_invariant
