"""Torch modules as risks: every feature is right or refused, and nothing is left changed."""

import pytest
import torch
from module_features import (
    BACKWARD,
    DECAY,
    FEATURES,
    FUNC,
    NUMBERS,
    SECANT,
    SWEEP,
    TAKERS,
    built,
    feature_risk,
    judge,
    one_of,
    state,
    taken,
)
from torch import nn
from torch.nn import functional as F

from lscore import Network, hard_tanh, relu
from lscore.curvature.routes import (
    curvature,
)
from lscore.errors import DataError, DtypeError, LscoreError, ShapeError
from lscore.model.modules import ModuleRisk, as_module


def unchanged(before, after):
    same = all(torch.equal(a, b) for a, b in zip(before[1], after[1], strict=True))
    kept = [(a[:3], [*map(id, a[3].values())], [*map(id, a[4].values())]) for a in before[0]] == [
        (b[:3], [*map(id, b[3].values())], [*map(id, b[4].values())]) for b in after[0]
    ]
    return same and kept and all(g is None for g in after[2])


@pytest.mark.filterwarnings("ignore:Complex modules", "ignore:.*weight_norm. is deprecated")
@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("name", [*FEATURES, *NUMBERS])
def test_every_feature_of_a_module_is_right_or_refused_by_name(name, taker):
    refused = (FEATURES | NUMBERS)[name][1]
    module, X, y = built(name)
    before, data = state(module), X.clone()
    if taker in refused:
        with pytest.raises(LscoreError, match=refused[taker]):
            taken(taker, ModuleRisk(module, F.cross_entropy, X, y, DECAY))
    else:
        found = taken(taker, ModuleRisk(module, F.cross_entropy, X, y, DECAY))
        value, squared, quadratic, secant = judge(name)
        expected = (value, squared, secant if taker == SECANT else quadratic)
        assert found == pytest.approx(expected, rel=2e-5, abs=1e-6)
    if name != "renormalised in forward":  # torch itself writes the new weights
        assert unchanged(before, state(module))
    assert torch.equal(X, data)


def views(first, second):
    """A network whose two matrices are the given parts of one tensor of 20 numbers."""
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    base = torch.ones(20, dtype=torch.float64)
    module[0].weight, module[2].weight = nn.Parameter(first(base)), nn.Parameter(second(base))
    return module


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda b: b[:9].view(3, 3), lambda b: b[4:10].view(2, 3)),
        (lambda b: b[4:13].view(3, 3), lambda b: b[:6].view(2, 3)),
        (lambda b: b[:3].expand(3, 3), lambda b: b[10:16].view(2, 3)),
        (lambda b: b.as_strided((3, 3), (1, 1)), lambda b: b[10:16].view(2, 3)),
    ],
)
def test_parameters_that_overlap_are_refused(first, second):
    module = views(first, second)
    with pytest.raises(DataError, match="share their memory"):
        ModuleRisk(module, F.mse_loss, torch.ones(2, 3).double(), torch.ones(2, 2).double())


def test_parameters_beside_each_other_are_taken():
    module = views(lambda b: b[:9].view(3, 3).T, lambda b: b[9:15].view(2, 3))
    X, y = torch.ones(2, 3).double(), torch.ones(2, 2).double()
    assert curvature(ModuleRisk(module, F.mse_loss, X, y)).value >= 0


@pytest.mark.parametrize("taker", [BACKWARD, SECANT])
def test_parameters_moved_behind_autograd_are_put_back(taker):
    def clamped(m, x):
        m.a.weight.data = m.a.weight.data.clamp(-0.1, 0.1)
        return m.a(x)

    X = torch.ones(2, 3, dtype=torch.float64)
    risk = ModuleRisk(one_of(clamped)().double(), F.mse_loss, X, 0 * X)
    before = state(risk.module)
    with pytest.raises(DataError, match="changes its own parameters"):
        taken(taker, risk)
    assert unchanged(before, state(risk.module))


@pytest.mark.parametrize("taker", [BACKWARD, SWEEP, FUNC, SECANT])
def test_a_loss_that_writes_over_the_labels_gets_its_own(taker):
    def shifted(outputs, y):
        return F.mse_loss(outputs, y.add_(1.0))

    X, y = built("plain")[1], torch.zeros(7, 3, dtype=torch.float64)
    found = taken(taker, ModuleRisk(built("plain")[0], shifted, X, y))
    assert not y.any()
    assert found == taken(taker, ModuleRisk(built("plain")[0], F.mse_loss, X, y + 1))


@pytest.mark.parametrize("taker", TAKERS)
def test_autocast_is_refused(taker):
    risk = feature_risk("float32")
    on = torch.autocast("cpu", dtype=torch.bfloat16)
    with on, pytest.raises(DataError, match=r"autocast to torch.bfloat16 is on"):
        taken(taker, risk)
    taken(taker, risk)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"loss": "mse"}, DtypeError, "loss: got 'mse', need a function"),
        ({"loss": lambda out, y: out}, ShapeError, r"loss: returned shape \(7, 3\), need a scalar"),
        ({"loss": lambda out, y: 1.0}, DtypeError, "loss: returned 1.0, need a tensor"),
        ({"X": torch.zeros(7, 3).to_sparse()}, DtypeError, "X: got a meta or sparse tensor"),
        ({"X": torch.zeros(7, 3, device="meta")}, DtypeError, "X: got a meta or sparse tensor"),
        ({"X": torch.zeros(0, 3).double()}, ShapeError, "X: shape .*at least one sample"),
        ({"y": torch.tensor(1)}, ShapeError, "y: shape .*at least one sample"),
        ({"weight_decay": float("inf")}, DataError, "weight_decay: got inf"),
        ({"weight_decay": float("nan")}, DataError, "weight_decay: got nan"),
    ],
)
def test_what_a_module_risk_refuses(change, error, text):
    module, X, y = built("plain")
    with pytest.raises(error, match=text):
        curvature(
            ModuleRisk(**{"module": module, "loss": F.cross_entropy, "X": X, "y": y} | change)
        )


def test_the_size_of_the_table():
    assert (len(TAKERS), len(FEATURES) + len(NUMBERS)) == (5, 86)


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


def test_as_module_is_the_network():
    network = Network((2, 4, 3), hard_tanh, bias=False, output_activation=relu)
    w, X = network.init(seed=0), torch.randn(5, 2, dtype=torch.float64)
    assert torch.equal(as_module(network, w)(X), network(w, X))
    with pytest.raises(DtypeError):
        as_module(network, [0.0])
