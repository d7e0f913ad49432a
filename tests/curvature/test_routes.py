"""Curvature along the gradient: every route against double backward, the traps, the refusals."""

import copy
import re

import numpy as np
import pytest
import torch
from modules import MODULES, risk_of
from torch import nn
from torch.nn import functional as F

from lscore import Network, Risk, SquaredLoss, binary_hinge, hard_tanh, relu, tanh
from lscore.curvature.routes import (
    curvature,
    quadratic_form,
    risk_gradient,
    secant_quadratic,
    step_curvature,
    unsafe_normalisations,
)
from lscore.curvature.sweep import program_of
from lscore.errors import DataError, DtypeError, ShapeError
from lscore.model.modules import ModuleRisk, as_module, kept_buffers, module_risk


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


# Traps. If the first test fails, torch has been repaired and the guard can go.


class Normalised(nn.Module):
    """Two linear layers around a normalisation with affine parameters, and a smooth activation."""

    def __init__(self, norm):
        super().__init__()
        self.one, self.norm, self.two = nn.Linear(3, 4), norm, nn.Linear(4, 1)

    def forward(self, x):
        return self.two(torch.tanh(self.norm(self.one(x))))


def normalised_risk(norm):
    torch.manual_seed(0)
    module, X = Normalised(norm).double(), torch.randn(6, 3, dtype=torch.float64)
    return ModuleRisk(module, F.mse_loss, X, torch.randn(6, 1, dtype=torch.float64))


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


@pytest.mark.parametrize("route", ["double-backward", "tangent-sweep"])
def test_a_training_step_moves_the_running_statistics_as_one_forward_pass_does(route):
    risk, plain = normalised_risk(nn.BatchNorm1d(4)), normalised_risk(nn.BatchNorm1d(4))
    plain()
    step_curvature(risk, route)
    assert int(risk.module.norm.num_batches_tracked) == 1
    pairs = zip(risk.module.buffers(), plain.module.buffers(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


# The secant, and the same with the old switches.


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
    assert curvature(risk, w, "old-switches", step).normalised == pytest.approx(1.2)
    secant = curvature(risk, w, "secant", step).normalised
    jump = 2 * (0.5 - 2.5) / step / (0.5 + 0.6 * 0.25)  # concave: the gradient jumps by 2
    assert secant == pytest.approx(1.2 + jump)
    assert secant < -10


def test_within_a_cell_the_secant_tends_to_the_curvature():
    rng = np.random.default_rng(0)
    risk = Risk(Network((2, 4, 1), relu), rng.standard_normal((8, 2)), rng.standard_normal(8))
    w = risk.network.init(seed=0)
    c = curvature(risk, w).normalised
    errors = [abs(curvature(risk, w, "secant", h).normalised - c) for h in (1e-4, 1e-5)]
    assert errors[1] < errors[0] / 5 < 1e-2


# Refusals.


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)

    def forward(self, x):
        return torch.softmax(self.one(x), 1)


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


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"X": torch.zeros(4, 3, dtype=torch.float64)}, DtypeError),
        ({"X": torch.zeros(3, 3)}, ShapeError),
        ({"y": [1, 2, 3, 4]}, DtypeError),
        ({"weight_decay": -1.0}, DataError),
        ({"module": nn.ReLU()}, DataError),
        ({"module": F.relu}, DtypeError),
        ({"module": nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3).double())}, DtypeError),
    ],
)
def test_nothing_is_cast(change, error):
    good = {"module": nn.Linear(3, 3), "loss": F.mse_loss, "X": torch.zeros(4, 3),
            "y": torch.zeros(4, 3)}  # fmt: skip
    ModuleRisk(**good)
    with pytest.raises(error):
        ModuleRisk(**(good | change))


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


def test_as_module_is_the_network():
    network = Network((2, 4, 3), hard_tanh, bias=False, output_activation=relu)
    w, X = network.init(seed=0), torch.randn(5, 2, dtype=torch.float64)
    assert torch.equal(as_module(network, w)(X), network(w, X))
    with pytest.raises(DtypeError):
        as_module(network, [0.0])
