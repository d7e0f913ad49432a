"""The program of the sweep: read anew when a module has changed, refused where it is wrong."""

import pytest
import torch
from module_features import SWEEP, Reversed, feature_risk, one_of, plain
from torch import nn
from torch.nn import functional as F

from lscore.curvature.routes import curvature
from lscore.curvature.sweep import program_of
from lscore.errors import DataError
from lscore.model.modules import ModuleRisk


def without_gradients(m, x):
    with torch.no_grad():
        h = m.a(x)
    return m.a(torch.tanh(h))


def test_the_sweep_reads_a_module_anew_when_it_has_changed():
    risk = feature_risk("plain")
    for change in (
        lambda m: m.append(nn.Tanh()),
        lambda m: m.append(m[0]),
        lambda m: m.__setitem__(1, nn.Softplus()),
        lambda m: m.eval(),
    ):
        curvature(risk, route=SWEEP)
        change(risk.module)
        if len(risk.module) == 5:
            risk.module.insert(4, nn.Linear(3, 3).double())
        fast, slow = curvature(risk, route=SWEEP), curvature(risk)
        assert (fast.value, fast.quadratic) == pytest.approx((slow.value, slow.quadratic))


@pytest.mark.parametrize(
    ("forward", "text"),
    [
        (without_gradients, "cannot be traced by torch.fx .it switches gradients off inside"),
        (lambda m, x: torch.tanh(torch.add(m.a(x), m.a(x).data)), "no rule for 'data'"),
        (lambda m, x: m.a(x) + m.a(x).detach(), "no rule for 'detach'"),
    ],
)
def test_what_stops_gradients_is_refused_by_the_sweep(forward, text):
    X = torch.ones(2, 3, dtype=torch.float64)
    risk = ModuleRisk(one_of(forward)().double(), F.mse_loss, X, 0 * X)
    with pytest.raises(DataError, match=text):
        curvature(risk, route=SWEEP)
    with torch.no_grad(), pytest.raises(DataError, match=text):
        curvature(risk, route=SWEEP)


def test_what_a_forward_reads_is_read_anew():
    module = one_of(lambda m, x: m.b(m.a(x).detach() if m.freeze else m.a(x)) + m.shift,
                    b=nn.Linear(3, 3))().double()  # fmt: skip
    module.shift, module.freeze = 1.0, False
    risk = ModuleRisk(module, F.mse_loss, *[torch.ones(2, 3, dtype=torch.float64)] * 2)
    for module.shift in (1.0, 2.0):
        found = curvature(risk, route=SWEEP)
        assert found.quadratic == pytest.approx(curvature(risk).quadratic)
    module.freeze = True  # the outputs stay as they are
    with pytest.raises(DataError, match="no rule for 'detach'"):
        curvature(risk, route=SWEEP)


def test_a_class_of_the_same_parts_has_a_program_of_its_own():
    module = nn.Sequential(plain(), nn.Linear(3, 3)).double()
    X = torch.ones(2, 3, dtype=torch.float64)
    risk = ModuleRisk(module, F.mse_loss, X, 0 * X)
    curvature(risk, route=SWEEP)
    module[0] = Reversed(*module[0])
    with pytest.raises(DataError, match="no rule for 'neg'"):
        curvature(risk, route=SWEEP)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)

    def forward(self, x):
        return torch.softmax(self.one(x), 1)


class ByName(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)

    def forward(self, x):
        return torch.flatten(input=self.one(x), start_dim=1)


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)

    def forward(self, x):
        return self.one(x) if x.sum() > 0 else -self.one(x)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (nn.Sequential(nn.Linear(3, 3), nn.RMSNorm(3)), "module '1' \\(RMSNorm\\)"),
        (nn.Sequential(nn.Linear(3, 3), nn.PReLU()), "PReLU"),
        (Attention(), "'softmax'"),
        (ByName(), "'flatten' with its input by name"),
        (Branching(), "cannot be traced"),
    ],
)
def test_the_sweep_refuses_by_name_or_falls_back_when_asked(module, name):
    X = torch.randn(4, 3, dtype=torch.float64)
    risk = ModuleRisk(module.double(), F.mse_loss, X, torch.zeros_like(X))
    with pytest.raises(DataError, match=name):
        curvature(risk, route="tangent-sweep")
    found = curvature(risk, route="tangent-sweep", fallback="double-backward")
    assert found.second_derivative == curvature(risk).second_derivative
    assert found.route == "double-backward"


def test_a_loss_that_reads_the_parameters_is_not_one_of_the_outputs():
    """R(w) = mean((x w)^2) + w^2 at w = 3 and x = 1: g = 12, H = 4, of which the sweep saw half."""
    module = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(module.weight, 3.0)
    X = torch.ones(2, 1, dtype=torch.float64)
    risk = ModuleRisk(
        module, lambda o, y: F.mse_loss(o, y) + module.weight.square().sum(), X, 0 * X
    )
    with pytest.raises(DataError, match="no function of the outputs alone"):
        curvature(risk, route="tangent-sweep")
    for found in (
        curvature(risk),
        curvature(risk, route="tangent-sweep", fallback="double-backward"),
    ):
        assert (found.value, found.squared_norm, found.quadratic) == (18, 144, 576)


def test_a_loss_may_hold_a_tensor_of_its_own():
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    X = torch.ones(2, 1, dtype=torch.float64)
    risk = ModuleRisk(nn.Linear(1, 1).double(), lambda o, y: scale * o.sum(), X, X)
    assert curvature(risk, route="tangent-sweep").quadratic == curvature(risk).quadratic == 0


def test_dropout_in_eval_mode_is_the_identity_and_modes_have_programs_of_their_own():
    module = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).double().eval()
    X = torch.randn(4, 3, dtype=torch.float64)
    risk = ModuleRisk(module, F.mse_loss, X, torch.zeros_like(X))
    assert curvature(risk, route="tangent-sweep").second_derivative == pytest.approx(
        curvature(risk).second_derivative
    )
    module.train()
    with pytest.raises(DataError, match="module '1' \\(Dropout in train mode\\)"):
        curvature(risk, route="tangent-sweep")
    for fallback in (None, "double-backward"):
        route = "double-backward" if fallback is None else "tangent-sweep"
        with pytest.raises(DataError, match=r"draws random numbers.*call module.eval\(\)"):
            curvature(risk, route=route, fallback=fallback)


def test_a_program_is_made_once_and_holds_no_module():
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    assert program_of(module) is program_of(module)
    assert module not in vars(program_of(module)).values()
