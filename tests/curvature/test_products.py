"""Layers that multiply: linear ones by hand, and attention against double backward."""

import re

import pytest
import torch
from modules import risk_of
from torch import nn
from torch.nn import functional as F

from lscore.curvature.products import Site, linear_rule
from lscore.curvature.routes import (
    curvature,
)
from lscore.curvature.sweep import program_of
from lscore.errors import DataError
from lscore.model.modules import ModuleRisk


@pytest.mark.parametrize("still", ["in_proj", "attend", "up", "k_proj|v_proj", "q_proj|up", "bias"])
@pytest.mark.parametrize("name", ["attention", "attention of three widths"])
def test_attention_of_which_a_part_stands_still(name, still):
    risk = risk_of(name)
    for key, parameter in risk.module.named_parameters():
        parameter.requires_grad_(not re.search(still, key))
    risk = ModuleRisk(risk.module, risk.loss, risk.X, risk.y)
    slow, fast = curvature(risk), curvature(risk, route="tangent-sweep")
    assert fast.second_derivative == pytest.approx(slow.second_derivative, rel=1e-10)


class Attends(nn.Module):
    """Attention called in a way of one's own."""

    def __init__(self, call, **options):
        super().__init__()
        self.up, self.call = nn.Linear(3, 4), call
        self.attend = nn.MultiheadAttention(4, 2, batch_first=True, **options)
        self.register_buffer("mask", torch.ones(4, 4, dtype=torch.float64).triu(1) * -9)
        self.register_buffer("tanh", self.mask.clone())  # the name of a method
        self.register_buffer("bent", self.mask.clone().requires_grad_())
        self.free = nn.Parameter(torch.zeros(4, 4))

    def forward(self, x):
        return self.call(self, self.up(x))


def test_attention_twice_in_a_row_and_called_by_keywords():
    def call(m, z):
        h = m.attend(value=z, key=z, query=z)[0]
        return m.attend(h, z, h + z, None, False, m.mask)[0]

    torch.manual_seed(0)
    X = torch.randn(4, 3, dtype=torch.float64)
    risk = ModuleRisk(Attends(call).double(), F.mse_loss, X, torch.ones(4, 4).double())
    slow, fast = curvature(risk), curvature(risk, route="tangent-sweep")
    assert fast.second_derivative == pytest.approx(slow.second_derivative, rel=1e-10)


def called(**options):
    return lambda m, z: m.attend(z, z, z, **options)[0]


@pytest.mark.parametrize(
    ("module", "what"),
    [
        (Attends(called(), dropout=0.5), "MultiheadAttention with dropout in train mode"),
        (Attends(called(), add_bias_kv=True), "MultiheadAttention with bias_k and bias_v"),
        (Attends(called(), add_zero_attn=True), "MultiheadAttention with add_zero_attn"),
        (Attends(called(key_padding_mask=torch.zeros(4))), "with key_padding_mask"),
        (Attends(called(attn_mask=torch.zeros(4, 4), is_causal=True)), "with is_causal"),
        (Attends(called(attn_mask=torch.zeros(4, 4))), "attn_mask is no buffer"),
        (Attends(lambda m, z: m.attend(z, z, z, attn_mask=z)[0]), "attn_mask is no buffer"),
        (Attends(lambda m, z: m.attend(z, z, z, attn_mask=z.tanh())[0]), "attn_mask is no buffer"),
        (Attends(lambda m, z: m.attend(z, z, z, attn_mask=m.free)[0]), "attn_mask is no buffer"),
        (Attends(lambda m, z: m.attend(z, z, z, attn_mask=m.bent)[0]), "attn_mask is no buffer"),
        (Attends(lambda m, z: m.attend(z, z, m.mask)[0]), "no rule for 'mask'"),
        (Attends(lambda m, z: m.up(z) + m.mask), "no rule for 'mask'"),
        (Attends(lambda m, z: m.attend(z, z, z)[1]), "more than the first output"),
        (Attends(lambda m, z: m.attend(z, z, z)), "more than the first output"),
        (nn.MultiheadAttention(3, 1), "of anything but query, key and value"),
    ],
)
def test_attention_is_refused_by_what_has_no_rule(module, what):
    X = torch.randn(4, 3, dtype=torch.float64)
    risk = ModuleRisk(module.double(), F.mse_loss, X, torch.zeros(4, 4).double())
    with pytest.raises(DataError, match=what):
        program_of(risk.module)


@pytest.mark.parametrize("change", ["hook", "class", "rows without a place"])
def test_attention_that_is_not_torchs_is_refused(change):
    risk = risk_of("attention under a mask")
    if change == "hook":
        risk.module.attend.out_proj.register_forward_hook(lambda *_: None)
    elif change == "class":
        torch.nn.utils.parametrizations.orthogonal(risk.module.attend.out_proj)
    else:  # torch gives zeros there, or NaN
        risk.module.mask[0] = True
        risk.module.weights = False
    with pytest.raises(DataError, match=r"hook|another class|another function"):
        curvature(risk, route="tangent-sweep")


def test_the_linear_rule_by_hand():
    layer = nn.Linear(1, 1)
    z, moved, delta = torch.tensor([[2.0]]), torch.tensor([[3.0]]), torch.tensor([[5.0]])
    moves = {layer.weight: torch.tensor([[7.0]]), layer.bias: torch.tensor([11.0])}
    tangent, second = linear_rule(Site(layer, z, layer(z), delta), moved, moves)
    assert tangent.item() == pytest.approx(3 * layer.weight.item() + 7 * 2 + 11)
    assert float(second) == pytest.approx(2 * 5 * 7 * 3)
