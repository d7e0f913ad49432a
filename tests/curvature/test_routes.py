"""Curvature along the gradient: every route against double backward, the traps, the refusals."""

import numpy as np
import pytest
import torch
from module_features import SECANT, STEP, SWEEP, feature_risk, judge, state
from modules import risk_of
from normalised import normalised_risk
from torch import nn
from torch.nn import functional as F

from lscore import Network, Risk, SquaredLoss, binary_hinge, hard_tanh, relu, tanh
from lscore.curvature.routes import (
    curvature,
    quadratic_form,
    risk_gradient,
    secant_quadratic,
    step_curvature,
)
from lscore.errors import DataError, DtypeError
from lscore.model.modules import ModuleRisk, module_risk


def by_hessian(risk):
    """2 g'Hg from the full Hessian, column by column."""
    gradient = torch.autograd.grad(risk.data_loss(), risk.parameters, create_graph=True)
    flat = torch.cat([g.reshape(-1) for g in gradient])
    rows = [
        torch.cat([r.reshape(-1) for r in torch.autograd.grad(f, risk.parameters,
                   retain_graph=True)]) for f in flat]  # fmt: skip
    point = torch.cat([p.detach().reshape(-1) for p in risk.parameters])
    g = flat.detach() + risk.weight_decay * point
    H = torch.stack(rows) + risk.weight_decay * torch.eye(len(g), dtype=g.dtype)
    return float(2 * g @ H @ g)


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Sigmoid()])
@pytest.mark.parametrize("norm", [nn.Identity(), nn.BatchNorm1d(4, track_running_stats=False)])
def test_double_backward_agrees_with_the_full_hessian(activation, norm):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), norm, activation, nn.Linear(4, 3)).double()
    X, y = torch.randn(6, 3, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1, 2])
    risk = ModuleRisk(module, F.cross_entropy, X, y, 1e-2)
    for route in ("double-backward", "tangent-sweep"):
        found = curvature(risk, route=route).second_derivative
        assert found == pytest.approx(by_hessian(risk), rel=1e-10)


def test_a_known_value_by_hand():
    # (v w)^2 / 2 at w = 2, v = 1: g = (2, 4), H = [[1, 4], [4, 4]], 2 g'Hg = 264
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1.0], [0.0])
    w = torch.tensor([2.0, 1.0], dtype=torch.float64)
    for route in ("double-backward", "tangent-sweep", "torch.func"):
        found = curvature(risk, w, route)
        assert (found.value, found.squared_norm, found.second_derivative) == (2.0, 20.0, 264.0)
        assert found.normalised == 13.2
        assert found.quantity == "in the cell"


@pytest.mark.parametrize("activation", [relu, hard_tanh, tanh])
@pytest.mark.parametrize("loss", [SquaredLoss(), SquaredLoss(1, mean=True)])
def test_our_own_risks_agree_with_their_hessian(activation, loss):
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((9, 2)), rng.standard_normal((9, 2))
    risk = Risk(Network((2, 5, 4, 2), activation), X, y, loss, weight_decay="1/7")
    w = risk.network.init(seed=1)
    g, H = risk.gradient(w), risk.hessian(w)
    for route in ("double-backward", "tangent-sweep", "torch.func"):
        found = curvature(risk, w, route)
        assert torch.allclose(torch.cat([p.reshape(-1) for p in found.gradient]), g, atol=1e-13)
        assert found.second_derivative == pytest.approx(float(2 * g @ H @ g), rel=1e-10)
    assert module_risk(risk, w)().item() == pytest.approx(float(risk(w)), rel=1e-14)


def test_hinge_losses_have_no_curvature_of_their_own():
    rng = np.random.default_rng(0)
    risk = Risk(Network((2, 3, 1), relu), rng.standard_normal((6, 2)), [-1, 1, 1, -1, 1, -1],
                binary_hinge())  # fmt: skip
    w = risk.network.init(seed=0)
    found = [curvature(risk, w, route).quadratic for route in ("double-backward", "tangent-sweep")]
    g = risk.gradient(w)
    assert found == pytest.approx([float(g @ risk.hessian_vector_product(w, g))] * 2, rel=1e-10)
    line = Risk(Network((2, 1), ()), [[1.0, 2.0]], [1], binary_hinge())  # linear in w
    for route in ("double-backward", "tangent-sweep"):
        assert curvature(line, line.network.init(seed=0) * 0, route).quadratic == 0


@pytest.mark.parametrize("route", ["double-backward", "tangent-sweep"])
def test_a_training_step_moves_the_running_statistics_as_one_forward_pass_does(route):
    risk, plain = normalised_risk(nn.BatchNorm1d(4)), normalised_risk(nn.BatchNorm1d(4))
    plain()
    step_curvature(risk, route)
    assert int(risk.module.norm.num_batches_tracked) == 1
    pairs = zip(risk.module.buffers(), plain.module.buffers(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_secant_is_the_consecutive_gradients_and_puts_everything_back():
    risk, step = risk_of("resnet"), 0.1
    before = [t.clone() for t in (*risk.module.buffers(), *risk.parameters)]
    found = curvature(risk, route="secant", step=step)
    assert found.quantity == "mean over the step, kinks included"
    moved = zip(risk.parameters, before[len(list(risk.module.buffers())) :], strict=True)
    assert all(torch.equal(p, q) for p, q in moved)
    with torch.no_grad():
        for p, g in zip(risk.parameters, found.gradient, strict=True):
            p.sub_(step * g)
    after = risk_gradient(risk)[1]
    assert found.quadratic == pytest.approx(secant_quadratic(found.gradient, after, step))


def test_a_kink_makes_the_secant_another_quantity_and_old_switches_mend_it():
    # w^2/2 + relu's kink at 0: from w = 1/4 the step of 1/2 crosses; c = 6/5 on both sides
    network = Network((1, 1), (), bias=False, output_activation=relu)
    risk = Risk(network, [1.0, -1.0], [-1.0, 5.0], SquaredLoss("1/2", mean=True), "1/10")
    w, step = torch.tensor([0.25], dtype=torch.float64), 0.5
    exact = curvature(risk, w)
    assert exact.normalised == pytest.approx(1.2)
    assert curvature(risk, w, "old-switches", step=step).normalised == pytest.approx(1.2)
    secant = curvature(risk, w, "secant", step=step).normalised
    jump = 2 * (0.5 - 2.5) / step / (0.5 + 0.6 * 0.25)  # concave: the gradient jumps by 2
    assert secant == pytest.approx(1.2 + jump)
    assert secant < -10


def test_within_a_cell_the_secant_tends_to_the_curvature():
    rng = np.random.default_rng(0)
    risk = Risk(Network((2, 4, 1), relu), rng.standard_normal((8, 2)), rng.standard_normal(8))
    w = risk.network.init(seed=0)
    c = curvature(risk, w).normalised
    errors = [abs(curvature(risk, w, "secant", step=h).normalised - c) for h in (1e-4, 1e-5)]
    assert errors[1] < errors[0] / 5 < 1e-2


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"route": "finite differences"}, DataError, "route"),
        ({"route": "secant"}, DataError, "step"),
        ({"route": "tangent-sweep", "fallback": "torch.func"}, DataError, "fallback"),
        ({"w": torch.zeros(1)}, DtypeError, "w"),
        ({"route": "old-switches", "step": 0.1}, DataError, "old-switches"),
    ],
)
def test_bad_requests_are_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        curvature(risk_of("mlp"), **arguments)


def test_a_risk_needs_a_point_and_a_smooth_one_has_no_switches():
    risk = Risk(Network((1, 2, 1), tanh), [1.0], [1.0])
    with pytest.raises(DtypeError, match="float64 point"):
        curvature(risk)
    with pytest.raises(DataError, match="old-switches"):
        curvature(risk, risk.network.init(seed=0), "old-switches", step=0.1)


def test_unused_frozen_and_shared_parameters():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.spare = nn.Linear(3, 3), nn.Linear(2, 2)
            self.still = nn.Linear(3, 3).requires_grad_(False)

        def forward(self, x):
            return self.one(torch.tanh(self.still(self.one(x))))

    torch.manual_seed(0)
    X = torch.randn(4, 3, dtype=torch.float64)
    risk = ModuleRisk(Shared().double(), F.mse_loss, X, torch.ones_like(X), 0.1)
    slow, fast = curvature(risk), curvature(risk, route="tangent-sweep")
    assert len(slow.gradient) == 4
    assert fast.second_derivative == pytest.approx(slow.second_derivative, rel=1e-12)
    assert quadratic_form(risk, slow.gradient) == pytest.approx(slow.quadratic)


def test_parameters_are_those_of_the_moment():
    risk = feature_risk("plain")
    risk.module[0].requires_grad_(False)
    assert curvature(risk).squared_norm == pytest.approx(judge("frozen first layer")[1], rel=1e-6)
    risk.module[0] = nn.Linear(3, 4).double()
    assert len(curvature(risk, route=SWEEP).gradient) == 4


def test_a_step_that_fails_is_taken_back(monkeypatch):
    risk = feature_risk("plain")
    before, add = state(risk.module), torch._foreach_add_

    def failing(*given, **options):
        add(*given, **options)
        raise RuntimeError("in the middle")

    monkeypatch.setattr(torch, "_foreach_add_", failing)
    with pytest.raises(DataError, match="in the middle"):
        curvature(risk, route=SECANT, step=STEP)
    assert all(map(torch.equal, before[1], state(risk.module)[1]))


def test_a_refused_draw_is_taken_back():
    risk = feature_risk("dropout")
    before = torch.get_rng_state()
    with pytest.raises(DataError, match="draws random numbers"):
        curvature(risk)
    assert torch.equal(before, torch.get_rng_state())
