"""Rules of the sweep, layer by layer, against double backward, float32 and differences."""

import copy
import re

import pytest
import torch
from modules import MODULES, risk_of
from torch import nn

from lscore.curvature.products import linear_rule
from lscore.curvature.routes import (
    curvature,
    risk_gradient,
)
from lscore.curvature.rules import rule_of, same_rule, slope_rule, smooth_rule
from lscore.model.modules import ModuleRisk


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("weight_decay", [0.0, 1e-2])
def test_the_sweep_agrees_with_double_backward(name, weight_decay):
    risk = risk_of(name, weight_decay=weight_decay)
    slow, fast = curvature(risk), curvature(risk, route="tangent-sweep")
    assert fast.value == pytest.approx(slow.value, rel=1e-14)
    assert fast.squared_norm == pytest.approx(slow.squared_norm, rel=1e-12)
    assert fast.second_derivative == pytest.approx(slow.second_derivative, rel=1e-10)
    for a, b in zip(fast.gradient, slow.gradient, strict=True):
        assert torch.allclose(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "name",
    [
        "mlp",
        "lenet",
        "resnet",
        "tanh",
        "gelu by tanh",
        "layer norm",
        "group norm of images",
        "attention",
    ],
)
def test_float32_is_within_1e_5_of_float64(name):
    single = risk_of(name, torch.float32)
    module = copy.deepcopy(single.module).double()
    double = ModuleRisk(module, single.loss, single.X.double(), single.y, single.weight_decay)
    reference = curvature(double).second_derivative
    for route in ("double-backward", "tangent-sweep"):
        found = curvature(single, route=route).second_derivative
        assert found == pytest.approx(reference, rel=1e-5)


@pytest.mark.parametrize(
    "name", [name for name in MODULES if re.search("norm|gelu|attention", name)]
)
def test_the_sweep_agrees_with_central_differences(name):
    risk = risk_of(name)
    found = curvature(risk, route="tangent-sweep")
    h = 1e-5 / found.squared_norm**0.5

    def slope(t):
        with torch.no_grad():
            torch._foreach_add_(risk.parameters, found.gradient, alpha=t)
        gradient = risk_gradient(risk)[1]
        with torch.no_grad():
            torch._foreach_add_(risk.parameters, found.gradient, alpha=-t)
        return float(sum((a * b).sum() for a, b in zip(gradient, found.gradient, strict=True)))

    assert (slope(h) - slope(-h)) / (2 * h) == pytest.approx(found.quadratic, rel=1e-5)


@pytest.mark.parametrize(
    ("module", "rule"),
    [
        (nn.Linear(2, 2), linear_rule),
        (nn.Tanh(), smooth_rule),
        (nn.ReLU(), slope_rule),
        (nn.Flatten(), same_rule),
        (nn.Dropout(0.5).eval(), same_rule),
        (nn.Dropout(0.5), None),
        (nn.PReLU(), None),
        (nn.MaxPool2d(2, return_indices=True), None),
        (type("Own", (nn.Linear,), {})(2, 2), None),  # a class of one's own may compute anything
    ],
    ids=lambda value: type(value).__name__,
)
def test_layers_have_the_rule_of_their_kind_or_none(module, rule):
    found = rule_of(module)
    assert found is None if rule is None else found[0] is rule
