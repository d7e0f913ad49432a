"""Where torch returns no second derivative, and that the guards notice."""

import pytest
import torch
from normalised import normalised_risk
from torch import nn
from torch.nn import functional as F

from lscore.curvature.routes import curvature, unsafe_normalisations
from lscore.errors import DataError
from lscore.model.modules import ModuleRisk, kept_buffers


def functional(risk):
    """The loss as a function of a flat parameter vector."""
    shapes = {name: p.shape for name, p in risk.module.named_parameters()}
    buffers = {name: b.clone() for name, b in risk.module.named_buffers()}

    def loss(flat):
        parts = flat.split([shape.numel() for shape in shapes.values()])
        moved = {n: p.reshape(s) for (n, s), p in zip(shapes.items(), parts, strict=True)}
        return risk.loss(torch.func.functional_call(risk.module, moved | buffers, (risk.X,)),
                         risk.y)  # fmt: skip

    return loss, torch.cat([p.detach().reshape(-1) for p in risk.parameters])


def hessian_by_differences(loss, flat, h=1e-5):
    gradient = torch.func.grad(loss)
    columns = [(gradient(flat + h * e) - gradient(flat - h * e)) / (2 * h)
               for e in torch.eye(len(flat), dtype=flat.dtype)]  # fmt: skip
    return torch.stack(columns)


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(4, track_running_stats=False), nn.LayerNorm(4)])
def test_torch_func_hessian_is_wrong_through_a_normalisation(norm):
    risk = normalised_risk(norm)
    loss, flat = functional(risk)
    truth = hessian_by_differences(loss, flat)
    by_torch = torch.func.hessian(loss)(flat)
    assert (by_torch - truth).norm() > 1e-3 * truth.norm()
    g = torch.func.grad(loss)(flat)
    expected = float(2 * g @ truth @ g)
    for route in ("double-backward", "tangent-sweep"):
        assert curvature(risk, route=route).second_derivative == pytest.approx(expected, rel=1e-6)
    zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)

    def slope(t):
        return torch.func.jvp(lambda s: loss(flat + s * g), (t,), (one,))[1]

    nested = torch.func.jvp(slope, (zero,), (one,))[1]
    assert abs(float(2 * nested) - expected) > 1e-3 * abs(expected)


def test_torch_differentiates_weight_normalisation_and_determinants_wrongly():
    torch.manual_seed(0)
    v, g = (torch.randn(2, k, dtype=torch.float64, requires_grad=True) for k in (3, 1))
    fused = lambda v, g: torch._weight_norm(v, g).sin()  # noqa: E731
    assert torch.autograd.gradcheck(fused, (v, g))
    assert not torch.autograd.gradgradcheck(fused, (v, g), raise_exception=False)
    A, B = torch.randn(2, 3, 3, dtype=torch.float64)
    t, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)

    def det(t):
        return torch.linalg.det(A + t * B)

    nested = torch.func.jvp(lambda t: torch.func.jvp(det, (t,), (one,))[1], (t,), (one,))[1]
    h = 1e-3
    truth = (det(t + h) - 2 * det(t) + det(t - h)) / h**2
    assert abs(nested - truth) > 1e-2 * abs(truth)


@pytest.mark.parametrize(
    ("norm", "what"),
    [
        (nn.BatchNorm1d(4), "batch normalisation in train mode"),
        (nn.BatchNorm1d(4, track_running_stats=False).eval(), "batch normalisation in train mode"),
        (nn.LayerNorm(4), "layer normalisation"),
    ],
)
def test_the_torch_func_route_is_refused_there(norm, what):
    risk = normalised_risk(norm)
    with pytest.raises(DataError, match=what):
        curvature(risk, route="torch.func")


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(4).eval(), nn.GroupNorm(2, 4), nn.Identity()])
def test_the_torch_func_route_is_right_elsewhere(norm):
    risk = normalised_risk(norm)
    assert unsafe_normalisations(risk) == []
    assert curvature(risk, route="torch.func").second_derivative == pytest.approx(
        curvature(risk).second_derivative, rel=1e-10
    )


def test_a_functional_normalisation_is_seen_too():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(3, 1)

        def forward(self, x):
            return F.layer_norm(self.one(x), (1,))

    X = torch.randn(4, 3)
    risk = ModuleRisk(Hidden(), F.mse_loss, X, torch.zeros(4, 1))
    with pytest.raises(DataError, match="layer normalisation"):
        curvature(risk, route="torch.func")


def test_looking_leaves_running_statistics_and_parameters_alone():
    risk = normalised_risk(nn.BatchNorm1d(4))
    before = [t.clone() for t in (*risk.module.buffers(), *risk.parameters)]
    unsafe_normalisations(risk)
    with kept_buffers(risk.module):
        risk()
    after = (*risk.module.buffers(), *risk.parameters)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
