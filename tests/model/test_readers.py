"""Networks trained elsewhere: the same function without rounding, or a refusal by name."""

import warnings
from copy import deepcopy
from itertools import cycle

import numpy as np
import pytest
import torch
from doors import refused
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn, optim
from torch.nn.utils import prune
from torch.optim.optimizer import register_optimizer_step_pre_hook

import lscore
from lscore import (
    SquaredLoss,
    exact,
    from_arrays,
    from_torch,
    multiclass_hinge,
    relu,
    sigmoid,
    tanh,
    weight_decay_of,
)
from lscore.errors import DataError, DtypeError, ShapeError
from lscore.model.entropy import CrossEntropyLoss, LogisticLoss
from lscore.model.modules import Elementwise, ModuleRisk, as_module

f64 = torch.float64
BCE = nn.BCEWithLogitsLoss(reduction="sum")
POINTS = torch.linspace(-7, 7, 40, dtype=f64).reshape(20, 2)

MODULES = [
    lambda L: [L(2, 3), nn.ReLU(), L(3, 1)],
    lambda L: [L(2, 3), nn.LeakyReLU(0.01), L(3, 4), nn.ReLU(), L(4, 2)],
    lambda L: [L(2, 3), L(3, 1)],
    lambda L: [L(2, 3), nn.Identity(), L(3, 1), nn.ReLU()],
    lambda L: [L(2, 1)],
    lambda L: [nn.Flatten(), nn.Sequential(L(2, 3), nn.Sequential(nn.ReLU())), L(3, 1)],
    lambda L: [L(2, 3), nn.Dropout(0.0), nn.ReLU(), nn.Identity(), L(3, 1)],
]
ACTIVATIONS = [
    nn.ReLU(inplace=True),
    nn.ReLU6(),
    nn.Hardtanh(-0.5, 2),
    nn.Hardsigmoid(),
    nn.Softshrink(0.25),
    nn.ELU(0.5),
    nn.SELU(),
    nn.GELU(),
    nn.Sigmoid(),
    nn.SiLU(),
    nn.Softplus(),
    nn.Softsign(),
    nn.Tanh(),
    Elementwise(lscore.sine),
]


@pytest.mark.parametrize("layers", MODULES)
@pytest.mark.parametrize("bias", [True, False, (True, False), (False, True)])
def test_a_torch_module_and_its_network_are_the_same_function(layers, bias):
    torch.manual_seed(0)
    turns = cycle([bias] if isinstance(bias, bool) else bias)
    module = nn.Sequential(*layers(lambda a, b: nn.Linear(a, b, bias=next(turns), dtype=f64)))
    network, w = from_torch(module)
    linears = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    assert network.biases == tuple(layer.bias is not None for layer in linears)
    assert torch.allclose(network(w, POINTS), module(POINTS), rtol=1e-14, atol=1e-14)
    assert torch.equal(w, nn.utils.parameters_to_vector(module.parameters()))
    exact_outputs = network(exact(w), exact(POINTS)).floats()
    assert np.allclose(exact_outputs, module(POINTS).detach(), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("h", ACTIVATIONS, ids=lambda h: type(h).__name__)
@pytest.mark.parametrize("last", [False, True])
def test_every_activation_is_read_as_torch_computes_it(h, last):
    torch.manual_seed(1)
    parts = [nn.Linear(2, 3), h, nn.Linear(3, 2)] + [deepcopy(h)] * last
    module = nn.Sequential(*parts).double().eval()
    network, w = from_torch(module)
    assert torch.allclose(network(w, POINTS), module(POINTS), rtol=1e-12, atol=1e-14)
    assert (network.output_activation is not None) == last
    assert from_torch(as_module(network, w))[0] == network


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_narrow_floats_are_read_without_rounding_and_left_as_they_are(dtype):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).to(dtype)
    _, w = from_torch(module)
    assert w.dtype == f64
    assert torch.equal(w.to(dtype), nn.utils.parameters_to_vector(module.parameters()))
    assert {p.dtype for p in module.parameters()} == {dtype}
    w.zero_()
    assert nn.utils.parameters_to_vector(module.parameters()).any()


def line(a=1, b=1, **keywords):
    return nn.Linear(a, b, **keywords)


def shared():
    tied = line()
    return nn.Sequential(tied, nn.Sequential(nn.ReLU(), tied))


def frozen():
    module = nn.Sequential(line(), nn.ReLU(), line())
    module[0].requires_grad_(False)
    return module


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(line())

    def forward(self, x):
        return self.net(x)


REFUSED = {
    "activation first": (lambda: nn.Sequential(nn.ReLU(), line()), DtypeError, "before any Linear"),
    "two in a row": (
        lambda: nn.Sequential(line(), nn.ReLU(), nn.Tanh(), line()),
        DtypeError,
        r"Tanh\(\) follows another activation",
    ),
    "tanh approximation": (
        lambda: nn.Sequential(line(), nn.GELU("tanh")),
        DtypeError,
        "cannot read GELU.approximate='tanh'.",
    ),
    "another softplus": (
        lambda: nn.Sequential(line(), nn.Softplus(2)),
        DtypeError,
        "cannot read Softplus",
    ),
    "trained slope": (lambda: nn.Sequential(line(), nn.PReLU()), DtypeError, "cannot read PReLU"),
    "softmax": (lambda: nn.Sequential(line(), nn.Softmax(1)), DtypeError, "cannot read Softmax"),
    "batch norm": (
        lambda: nn.Sequential(line(), nn.BatchNorm1d(1)).eval(),
        DtypeError,
        "cannot read BatchNorm1d.*`ModuleRisk` takes any module",
    ),
    "convolution": (
        lambda: nn.Sequential(nn.Conv2d(1, 1, 3), nn.ELU(), nn.Flatten(), line(4)),
        DtypeError,
        "cannot read Conv2d",
    ),
    "half flat": (
        lambda: nn.Sequential(nn.Flatten(0), line()),
        DtypeError,
        r"cannot read Flatten\(start_dim=0",
    ),
    "dropout": (
        lambda: nn.Sequential(line(), nn.Dropout(), line()),
        DataError,
        r"Dropout.*train mode, call module.eval\(\)",
    ),
    "no layer": (nn.Sequential, ShapeError, "no Linear layer"),
    "a layer": (line, DtypeError, "got Linear, need torch.nn.Sequential"),
    "own forward": (Own, DtypeError, "got Own, need torch.nn.Sequential itself"),
    "parallel": (
        lambda: nn.DataParallel(nn.Sequential(line())),
        DtypeError,
        "got DataParallel.*: pass module.module",
    ),
    "module dict": (lambda: nn.ModuleDict({"a": line()}), DtypeError, "got ModuleDict, need"),
    "shared inside": (shared, DataError, "share a parameter"),
    "frozen": (frozen, DataError, r"'0.weight' is frozen .*frozen_of\(module\)"),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(2)), DataError, "lazy parameters.*run it on X"),
    "weight norm": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(line())),
        DtypeError,
        "cannot read ParametrizedLinear",
    ),
    "old spectral norm": (
        lambda: nn.Sequential(nn.utils.spectral_norm(line(2, 2))),
        DataError,
        "has a forward pre hook",
    ),
    "recurrent": (lambda: nn.Sequential(nn.GRU(1, 1)), DtypeError, r"cannot read GRU\(1, 1\)"),
    "attention": (
        lambda: nn.TransformerEncoderLayer(4, 2, 8),
        DtypeError,
        "got TransformerEncoderLayer",
    ),
    "pruned": (lambda: pruned(), DataError, "a tensor 'weight' that is no parameter"),
    "complex": (
        lambda: nn.Sequential(line(dtype=torch.complex64)),
        DtypeError,
        r"weights\[0\]: got|weights\[0\]: dtype",
    ),
    "not a number": (lambda: with_nan(), DataError, "NaN"),
    "bias held still": (
        lambda: with_buffer(),
        DataError,
        "weight or bias of Linear.* no parameter",
    ),
    "overlapping": (lambda: overlapping(), DataError, "share their memory"),
    "expanded": (
        lambda: with_weight(torch.ones(1, 1).expand(3, 3)),
        DataError,
        "share their memory",
    ),
}


def with_weight(weight, *others):
    module = nn.Sequential(line(3, 3), *others)
    module[0].weight = nn.Parameter(weight)
    return module


def overlapping():
    base, last = torch.zeros(4, 3), line(3, 3)
    last.weight = nn.Parameter(base[1:])
    return with_weight(base[:3], nn.ReLU(), last)


def with_buffer():
    module = nn.Sequential(line())
    bias = module[0].bias.detach()
    del module[0].bias
    module[0].register_buffer("bias", bias)
    return module


def pruned():
    module = nn.Sequential(line(4, 4))
    prune.l1_unstructured(module[0], "weight", amount=2)
    return module


def with_nan():
    module = nn.Sequential(line())
    nn.init.constant_(module[0].weight, torch.nan)
    return module


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_by_name(name):
    make, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        from_torch(make())


def test_the_whole_module_may_be_frozen_and_the_rest_read_after_frozen_layers():
    module = frozen().double()
    assert from_torch(deepcopy(module).requires_grad_(False))[0].widths == (1, 1, 1)
    network, w = from_torch(module[2:])
    X = torch.linspace(-1, 1, 5, dtype=f64)[:, None]
    assert torch.allclose(network(w, module[:2](X)), module(X))


def test_a_scripted_module_is_refused_for_curvature_too():
    module = nn.Sequential(line())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(module)
    with pytest.raises(DtypeError, match="got RecursiveScriptModule"):
        from_torch(scripted)
    with pytest.raises(DtypeError, match="got a scripted module, need the one that was scripted"):
        ModuleRisk(scripted, nn.functional.mse_loss, torch.zeros(1, 1), torch.zeros(1, 1))


# arrays


@pytest.mark.parametrize(
    ("kind", "h"), [("relu", relu), ("tanh", tanh), ("logistic", sigmoid), ("identity", None)]
)
def test_a_network_of_scikit_learn_is_the_same_function(kind, h):
    X, y = POINTS.numpy() / 7, np.arange(20.0)
    model = MLPRegressor(
        hidden_layer_sizes=(4, 3), activation=kind, max_iter=3, random_state=0, solver="lbfgs"
    )
    model.fit(X, y)
    network, w = from_arrays(
        model.coefs_, model.intercepts_, h or lscore.identity, inputs_first=True
    )
    assert network.widths == (2, 4, 3, 1)
    assert np.allclose(network(w, POINTS / 7)[:, 0], model.predict(X), rtol=1e-12)


def test_the_outputs_of_a_classifier_of_scikit_learn_are_before_its_softmax():
    X = POINTS.numpy() / 7
    model = MLPClassifier((3,), max_iter=500, random_state=0, solver="lbfgs").fit(
        X, [0, 1, 2, 1] * 5
    )
    network, w = from_arrays(model.coefs_, model.intercepts_, relu, inputs_first=True)
    shares = torch.softmax(network(w, POINTS / 7), 1)
    assert np.allclose(shares, model.predict_proba(X), rtol=1e-10)


def test_the_flat_list_of_keras_is_two_lists():
    rng = np.random.default_rng(0)
    sizes = [(2, 3), (3,), (3, 1), (1,)]
    flat = [rng.normal(size=size).astype(np.float32) for size in sizes]
    network, w = from_arrays(flat[::2], flat[1::2], relu, inputs_first=True)
    wide = [part.astype(float) for part in flat]
    outputs = np.maximum(POINTS.numpy() @ wide[0] + wide[1], 0) @ wide[2] + wide[3]
    assert np.allclose(network(w, POINTS), outputs, rtol=1e-13)


def test_lists_give_an_exact_point_and_one_exact_part_makes_all_exact():
    network, w = from_arrays([[["1/3"]], [[2]]], None, relu)
    assert network(w, exact([3])) == exact([2])
    W = np.array([[0.5]])
    assert from_arrays([W, W], [[0], [0]], relu)[1] == exact(["1/2", 0, "1/2", 0])
    assert from_arrays([torch.tensor([[2]])], None, ())[1] == exact([2])
    held, (_, w) = W.copy(), from_arrays([W], None, ())
    w.zero_()
    assert np.array_equal(W, held)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda W: from_arrays([], None, relu), ShapeError, "weights: got none"),
        (
            lambda W: from_arrays([W, W], None, relu),
            ShapeError,
            r"weights\[1\]: shape \(3, 2\), need \(out, in\) = \(..., 3\); inputs_first=True reads",
        ),
        (
            lambda W: from_arrays([W, W], None, relu, inputs_first=True),
            ShapeError,
            r"weights\[1\]: shape \(3, 2\), need \(in, out\) = \(2, ...\)$",
        ),
        (lambda W: from_arrays([W[0]], None, relu), ShapeError, r"weights\[0\]: shape \(2,\)"),
        (lambda W: from_arrays([W], [], ()), ShapeError, "biases: got 0, need 1"),
        (lambda W: from_arrays([W, W.T], [W[0]], relu), ShapeError, "biases: got 1, need 2"),
        (lambda W: from_arrays([W], [W[0]], ()), ShapeError, r"biases\[0\]: shape \(2,\)"),
        (lambda W: from_arrays([W, W.T], None, (relu, relu)), ShapeError, "activation: got 2"),
        (lambda W: from_arrays([W * np.nan], None, ()), DataError, "NaN"),
        (lambda W: from_arrays([W > 0], None, ()), DtypeError, r"weights\[0\]: dtype bool"),
        (lambda W: from_arrays([np.ma.masked_equal(W, 1)], None, ()), DtypeError, "masked"),
        (lambda W: from_arrays(W, None, "relu"), DtypeError, "activation: got str"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(np.array([[1.0, 2], [3, 4], [5, 6]]))


# weight decay


def model_with_decay(*decays, kind=optim.SGD, **keywords):
    module = nn.Sequential(line(), nn.ReLU(), line())
    groups = [{"params": list(module[0].parameters()), "weight_decay": decays[0]}]
    groups.append({"params": list(module[2].parameters()), "weight_decay": decays[-1]})
    return kind(groups, lr=0.1, **keywords), module


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.RMSprop])
def test_the_rest_points_of_an_optimizer_are_those_of_the_risk_with_its_decay(kind):
    """One step from a point with gradient 0 of the loss moves along -lambda w alone."""
    optimizer, module = model_with_decay(0.25, kind=kind)
    assert weight_decay_of(optimizer, module) == 0.25
    for p in module.parameters():
        p.grad = -0.25 * p.detach()
    before = nn.utils.parameters_to_vector(module.parameters())
    optimizer.step()
    assert torch.equal(nn.utils.parameters_to_vector(module.parameters()), before)


def scaled_model():
    module = nn.Sequential(line(), nn.LayerNorm(1))
    groups = [{"params": module[0].parameters(), "weight_decay": 0.5}]
    return optim.SGD([*groups, {"params": module[1].parameters()}], lr=0.1), module


class Shrinking(optim.SGD):
    def step(self, closure=None):
        super().step(closure)
        for group in self.param_groups:
            torch._foreach_mul_(group["params"], 0.5)


def hooked(optimizer, module):
    optimizer.register_step_pre_hook(lambda *given: None)
    return optimizer, module


def test_hooks_of_every_optimizer_and_of_gradients_are_seen():
    optimizer, module = model_with_decay(0.5)
    handle = register_optimizer_step_pre_hook(lambda *given: None)
    try:
        refused(DtypeError, "decay of SGD with hooks", weight_decay_of, optimizer, module)
    finally:
        handle.remove()
    assert weight_decay_of(optimizer, module) == 0.5
    module = nn.Sequential(line())
    module[0].weight.register_post_accumulate_grad_hook(lambda p: p.grad.add_(p))
    refused(DataError, "parameter '0.weight' has a hook", from_torch, module)


@pytest.mark.parametrize("layer", [nn.LeakyReLU(1.0), nn.Softshrink(0.0)])
def test_an_activation_that_does_not_bend_is_the_identity(layer):
    network, _ = from_torch(nn.Sequential(line(), layer, line()))
    assert network.activations == (lscore.identity,)


def test_averaged_sgd_shrinks_parameters_without_a_weight_decay():
    """Why it is refused at weight decay 0 too: with gradient 0 its step is no rest."""
    module = nn.Sequential(line())
    optimizer = optim.ASGD(module.parameters(), lr=1.0, lambd=0.25)
    nn.utils.vector_to_parameters(torch.ones(2), module.parameters())
    for p in module.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    assert nn.utils.parameters_to_vector(module.parameters()).tolist() == [0.75, 0.75]


def test_no_decay_is_zero():
    module = nn.Sequential(line())
    assert weight_decay_of(optim.LBFGS(module.parameters()), module) == 0
    assert weight_decay_of(optim.AdamW(module.parameters(), weight_decay=0), module) == 0


@pytest.mark.parametrize(
    ("optimizer", "error", "message"),
    [
        (
            scaled_model,
            DataError,
            "decay is 0.5 for '0.weight', 0 for '1.we.*not all are in Linear",
        ),
        (lambda: model_with_decay(0.5, kind=optim.AdamW), DataError, "AdamW is not in the gradi"),
        (
            lambda: model_with_decay(0.5, kind=optim.Adam, decoupled_weight_decay=True),
            DataError,
            "is not in the gradient",
        ),
        (lambda: model_with_decay(0.5, kind=optim.ASGD), DtypeError, "cannot read .* ASGD"),
        (lambda: model_with_decay(0.0, kind=optim.ASGD), DtypeError, "cannot read .* ASGD"),
        (lambda: model_with_decay(0.0, kind=Shrinking), DtypeError, "cannot read .* Shrinking"),
        (lambda: hooked(*model_with_decay(0.5)), DtypeError, "decay of SGD with hooks"),
        (lambda: model_with_decay(0.5, maximize=True), DataError, "it maximises"),
        (
            lambda: (optim.SGD(line().parameters()), nn.Sequential(line())),
            DataError,
            "does not hold parameter '0.weight'",
        ),
    ],
)
def test_a_decay_that_no_risk_has_is_refused(optimizer, error, message):
    with pytest.raises(error, match=message):
        weight_decay_of(*optimizer())


def test_the_decays_of_groups_are_those_of_the_risk():
    """The gradient of the risk is what the optimizer adds up, in every parameter."""
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1, bias=False)).double()
    groups = [
        {"params": [module[0].weight], "weight_decay": 0.5},
        {"params": [module[0].bias], "weight_decay": 0.25},
        {"params": [module[2].weight]},
    ]
    optimizer = optim.SGD(groups, lr=1.0)
    decay = weight_decay_of(optimizer, module)
    assert decay == {"weights": [0.5, 0.0], "biases": [0.25, 0.0]}
    network, w = from_torch(module)
    X, y = torch.randn(5, 2, dtype=f64), torch.randn(5, 1, dtype=f64)
    risk = lscore.Risk(network, X, y, SquaredLoss("1/2"), decay)
    ((module(X) - y) ** 2).sum().div(2).backward()
    optimizer.step()
    moved = w - nn.utils.parameters_to_vector(module.parameters())
    assert torch.allclose(moved, risk.gradient(w), rtol=1e-13)


def test_decays_that_are_equal_after_all_are_one_number():
    optimizer, module = model_with_decay(0.0, 0.5)
    assert weight_decay_of(optimizer, module) == {"weights": [0, 0.5], "biases": [0, 0.5]}
    optimizer, module = model_with_decay(0.5, 0.5)
    assert weight_decay_of(optimizer, module) == 0.5


# losses of elsewhere, as the page "Your own network" translates them


@pytest.mark.parametrize(
    ("theirs", "ours", "labels"),
    [
        (nn.MSELoss(), SquaredLoss("1/3", mean=True), None),
        (nn.MSELoss(reduction="sum"), SquaredLoss(1), None),
        (nn.CrossEntropyLoss(), CrossEntropyLoss(), [2, 0, 1, 1]),
        (nn.MultiMarginLoss(), multiclass_hinge(["1/12"] * 4), [2, 0, 1, 1]),
        (lambda a, y: ((a - y) ** 2).mean() / 2, SquaredLoss("1/6", mean=True), None),
        (
            lambda a, y: nn.BCEWithLogitsLoss(reduction="sum")(
                a[:, :1], (y[:, None].double() + 1) / 2
            ),
            LogisticLoss(),
            [1, -1, -1, 1],
        ),
    ],
)
def test_losses_have_the_scale_that_the_page_says(theirs, ours, labels):
    outputs = torch.arange(12, dtype=f64).reshape(4, 3).sin()
    y = torch.ones(4, 3, dtype=f64).cumsum(0) / 7 if labels is None else torch.tensor(labels)
    k = 1 if isinstance(ours, LogisticLoss) else 3
    network, w = from_arrays([np.eye(3)[:k]], None, ())
    risk = lscore.Risk(network, outputs, y, ours)
    assert risk(w).item() == pytest.approx(theirs(outputs, y).item(), rel=1e-12)


def test_the_alpha_of_scikit_learn_is_a_decay_of_the_weights():
    X, y = np.linspace(-1, 1, 12).reshape(6, 2), np.linspace(-1, 1, 6) ** 2
    fitted = MLPRegressor(
        hidden_layer_sizes=(3,), activation="tanh", solver="lbfgs", alpha=0.5, random_state=0
    )
    fitted.set_params(max_iter=2000, tol=1e-14).fit(X, y)
    network, w = from_arrays(fitted.coefs_, fitted.intercepts_, tanh, inputs_first=True)
    risk = lscore.Risk(network, X, y, SquaredLoss("1/2", mean=True), {"weights": 0.5 / 6})
    assert risk(w).item() == pytest.approx(fitted.loss_, rel=1e-9)
    assert risk.gradient(w).abs().max() < 1e-4


class Residual(torch.nn.Sequential):
    def forward(self, x):
        return super().forward(x) + x


class Halved(torch.nn.Linear):
    def forward(self, x):
        return super().forward(x) / 2


def sequential(*layers):
    return torch.nn.Sequential(*layers).double()


def test_a_module_that_is_not_what_its_layers_say_is_refused():
    line = torch.nn.Linear(1, 1)
    refused(DtypeError, "module: got Residual", from_torch, Residual(line).double())
    refused(DtypeError, "module: cannot read", from_torch, sequential(Halved(1, 1)))
    refused(DataError, "share a parameter", from_torch, sequential(line, torch.nn.ReLU(), line))
    tied = torch.nn.Linear(1, 1)
    tied.weight = line.weight
    refused(DataError, "share a parameter", from_torch, sequential(line, tied))
    for hooked in (sequential(torch.nn.Linear(1, 1)), sequential(torch.nn.Linear(1, 1))[0]):
        module = hooked if isinstance(hooked, torch.nn.Sequential) else torch.nn.Sequential(hooked)
        handle = hooked.register_forward_hook(lambda m, x, y: 2 * y)
        refused(DataError, "has a forward hook", from_torch, module)
        handle.remove()
        assert from_torch(module)[0].widths == (1, 1)
    own = sequential(torch.nn.Linear(1, 1))
    own.forward = lambda x: x
    refused(DataError, "has a 'forward' of its own", from_torch, own)
    meta = torch.nn.Sequential(torch.nn.Linear(1, 1, device="meta")).double()
    refused(DtypeError, "meta device", from_torch, meta)
