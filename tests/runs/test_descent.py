"""Runs: what they record, the definitions of minibatch curvature, the loss-change fraction."""

import numpy as np
import pytest
import torch
from module_features import feature_risk
from modules import risk_of
from torch import nn
from torch.nn import functional as F

from lscore import Network, Risk, SquaredLoss, relu, tanh
from lscore.curvature.routes import curvature
from lscore.errors import DataError, ShapeError
from lscore.model.modules import ModuleRisk
from lscore.runs.descent import DEFINITIONS, gradient_descent, sgd


def small_risk(activation=relu, n=20):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 2))
    y = np.sin(2 * X[:, :1])
    half = SquaredLoss("1/2", mean=True)
    return Risk(Network((2, 8, 4, 1), activation), X, y, half, weight_decay=0.001)


@pytest.mark.parametrize("route", ["double-backward", "tangent-sweep"])
@pytest.mark.parametrize("activation", [relu, tanh])
def test_gradient_descent_is_that_of_torch(route, activation):
    risk = small_risk(activation)
    run = gradient_descent(risk, risk.network.init(seed=1), 0.1, 12, route=route)
    w = risk.network.init(seed=1).requires_grad_()
    optimizer = torch.optim.SGD([w], lr=0.1)
    for k in range(12):
        assert run.points[k] == pytest.approx(w.detach().numpy(), abs=1e-13)
        value = risk._float_value(w)
        assert run.values[k] == pytest.approx(value.item(), rel=1e-13)
        optimizer.zero_grad()
        value.backward()
        assert run.squared_norms[k] == pytest.approx(float(w.grad @ w.grad), rel=1e-12)
        optimizer.step()
    assert (run.flips is None) == (activation is tanh)
    assert run.step == 0.1


def test_the_secant_identity_holds_with_kinks_and_all():
    # |g+|^2 = (1 - eta c_secant) |g|^2 + |g+ - g|^2, whatever the risk
    risk = small_risk()
    run = gradient_descent(risk, risk.network.init(seed=1), 0.2, 40)
    assert (run.flips[:-1] > 0).sum() > 10
    gradients = [risk.gradient(torch.from_numpy(w)).numpy() for w in run.points]
    for k in range(39):
        left = run.squared_norms[k + 1]
        change = gradients[k + 1] - gradients[k]
        c = run.normalised_secants[k]
        assert left == pytest.approx((1 - 0.2 * c) * run.squared_norms[k] + change @ change)


def test_old_switches_follow_the_curvature_and_the_secant_does_not():
    risk = small_risk()
    run = gradient_descent(risk, risk.network.init(seed=1), 0.05, 60)
    turned = run.flips[:-1] > 0
    scale = run.squared_norms[:-1]
    secant = np.abs(run.secants - run.second_derivatives)[:-1] / scale
    corrected = np.abs(run.corrected - run.second_derivatives)[:-1] / scale
    assert turned.sum() > 5
    assert (~turned).sum() > 5
    assert secant[~turned].max() < 0.1
    assert corrected.max() < 0.1
    assert secant[turned].max() > 5 * corrected.max()


def test_a_run_knows_its_convex_part():
    risk = small_risk()
    run = gradient_descent(risk, risk.network.init(seed=1), 0.2, 60)
    start = run.convex_from
    assert (run.second_derivatives[start:] > 0).all()
    assert start == 0 or run.second_derivatives[start - 1] <= 0
    drop = run.values[0] - run.values[-1]
    assert run.fraction == pytest.approx((run.values[start] - run.values[-1]) / drop)
    assert run.tenth_percentile == pytest.approx(np.percentile(run.normalised[start:], 10))


def test_without_a_convex_end_there_is_no_percentile():
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1.0], [1.0])
    run = gradient_descent(risk, torch.tensor([0.1, 0.1], dtype=torch.float64), 0.01, 3)
    assert run.convex_from is None  # at (1/10, 1/10) the residual is -0.99: a saddle's side
    assert run.fraction == 0
    assert np.isnan(run.tenth_percentile)


def norm_risk():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1)).double()
    X = torch.randn(24, 2, dtype=torch.float64)
    return ModuleRisk(module, F.mse_loss, X, X.sum(1, keepdim=True).sin(), 1e-3)


def test_sgd_walks_the_same_way_for_every_definition():
    ends, records = [], []
    for definition in DEFINITIONS:
        risk = norm_risk()
        run = sgd(risk, 0.05, 10, 8, seed=3, definition=definition, every=2)
        ends.append(torch.cat([t.reshape(-1) for t in risk.module.state_dict().values()]))
        records.append(run)
        assert len(run.values) == 5
        assert run.definition == definition
    assert torch.allclose(ends[0], ends[1])  # statistics of the normalisation included
    assert torch.allclose(ends[0], ends[2])
    assert not np.allclose(records[0].normalised, records[1].normalised)
    assert not np.allclose(records[1].normalised, records[2].normalised)
    assert np.allclose(records[0].squared_norms, records[2].squared_norms)


def test_sgd_on_one_full_batch_is_gradient_descent_and_its_definitions_agree():
    runs = [sgd(norm_risk(), 0.05, 4, 24, definition=d).second_derivatives for d in DEFINITIONS]
    assert np.allclose(runs[0], runs[1])
    assert np.allclose(runs[0], runs[2])


def test_sgd_sees_every_sample_once_an_epoch_and_reports_every_step():
    risk, steps = risk_of("mlp"), []
    X = torch.arange(8.0, dtype=torch.float64).reshape(8, 1, 1, 1).expand(8, 1, 12, 12)
    seen = []

    def loss(outputs, y):
        return F.cross_entropy(outputs, y)

    class Spy(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            seen.extend(x[:, 0, 0, 0].tolist())
            return self.inner(x)

    spy = ModuleRisk(Spy(risk.module), loss, X.contiguous(), risk.y)
    sgd(spy, 1e-3, 8, 2, each=steps.append)
    assert sorted(seen[:8]) == sorted(seen[8:16]) == list(range(8))
    assert seen[:8] != seen[8:16]
    assert steps == list(range(8))


def test_the_first_record_is_the_curvature_at_the_start():
    start = curvature(norm_risk())
    run = sgd(norm_risk(), 0.05, 1, 8, definition="full batch")
    assert run.second_derivatives[0] == pytest.approx(start.second_derivative)


@pytest.mark.parametrize(
    ("change", "error"),
    [({"step": 0.0}, DataError), ({"steps": 0}, DataError), ({"batch_size": 25}, ShapeError),
     ({"definition": "mean"}, DataError), ({"step": float("inf")}, DataError)],
)  # fmt: skip
def test_bad_runs_are_refused(change, error):
    with pytest.raises(error):
        sgd(norm_risk(), **({"step": 0.1, "steps": 1, "batch_size": 2} | change))


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_running_statistics_of_a_recorded_run_are_those_of_a_plain_one(definition):
    recorded, plain_run = feature_risk("batch norm"), feature_risk("batch norm")
    sgd(recorded, 0.1, 5, 3, definition=definition)
    sgd(plain_run, 0.1, 5, 3, every=5)
    assert int(recorded.module[1].num_batches_tracked) == 5
    pairs = zip(recorded.module.buffers(), plain_run.module.buffers(), strict=True)
    assert all(torch.allclose(a, b, rtol=1e-12) for a, b in pairs)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_run_of_a_random_or_hooked_module_is_refused(definition):
    with pytest.raises(DataError, match=r"call module.eval\(\), or set p to 0"):
        sgd(feature_risk("dropout"), 0.1, 1, 3, definition=definition)
    with pytest.raises(DataError, match="has a backward hook"):
        sgd(feature_risk("backward hook"), 0.1, 1, 3, definition=definition)
