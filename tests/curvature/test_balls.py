"""Balls against floats, and certificates of recorded runs that say yes, no and unknown."""

import itertools
from itertools import pairwise
from threading import Lock

import numpy as np
import pytest
import torch
from flint import arb
from module_features import built, feature_risk
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import cross_entropy, mse_loss

from lscore.curvature.balls import BallCurvature, ball_curvature, ball_record, certify_share
from lscore.curvature.routes import curvature
from lscore.curvature.shares import first_convex_step, loss_change_fraction
from lscore.errors import DataError, DtypeError, ShapeError, TieError
from lscore.model.modules import ModuleRisk


def network(widths, seed):
    torch.manual_seed(seed)
    layers = []
    for inner, out in itertools.pairwise(widths):
        layers += [nn.Linear(inner, out), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *layers[:-1]).double()


def risk_of(widths, seed, n=7, decay=0.01):
    module = network(widths, seed)
    X = torch.randn(n, 1, widths[0]).double()
    return ModuleRisk(module, cross_entropy, X, torch.arange(n) % widths[-1], decay)


@pytest.mark.parametrize("widths", [(3, 4), (3, 5, 4), (2, 6, 5, 3), (4, 3, 3, 3, 2)])
@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_balls_hold_what_double_backward_finds(widths, decay):
    for seed in range(4):
        risk = risk_of(widths, seed, decay=decay)
        ball, found = ball_curvature(risk), curvature(risk)
        for enclosure, value in (
            (ball.value, found.value),
            (ball.squared_norm, found.squared_norm),
            (ball.quadratic, found.quadratic),
        ):
            assert enclosure.rad() < 1e-25
            assert abs(float(enclosure) - value) < 1e-10 * max(1, abs(value))
        gap = abs(float(ball.normalised) - found.normalised)
        assert gap < 1e-10 * max(1, abs(found.normalised))


def test_single_precision_points_are_taken_exactly():
    risk = risk_of((3, 5, 4), 0)
    single = ModuleRisk(risk.module.float(), cross_entropy, risk.X.float(), risk.y, 0.25)
    double = ModuleRisk(network((3, 5, 4), 0), cross_entropy, single.X.double(), risk.y, 0.25)
    double.module.load_state_dict(single.module.state_dict())
    assert ball_curvature(single).quadratic.overlaps(ball_curvature(double).quadratic)


def test_a_dead_unit_is_a_tie():
    risk = risk_of((3, 5, 4), 0)
    with torch.no_grad():
        risk.parameters[0][0] = 0
        risk.parameters[1][0] = 0
    with pytest.raises(TieError, match="hidden layer 1"):
        ball_curvature(risk)
    with pytest.raises(TieError, match="point 0: hidden layer 1"):
        ball_record(risk, [[p.detach().clone() for p in risk.parameters]])


def test_other_losses_and_layers_are_refused():
    risk = risk_of((3, 5, 4), 0)
    with pytest.raises(DataError, match="loss"):
        ball_curvature(ModuleRisk(risk.module, mse_loss, risk.X, risk.X[:, 0]))
    for module in (
        nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4)),
        nn.Sequential(nn.Flatten(), nn.Linear(3, 4, bias=False)),
    ):
        with pytest.raises(DataError, match="module: layers"):
            ball_curvature(ModuleRisk(module.double(), cross_entropy, risk.X, risk.y))


def balls(values, quadratics):
    return [BallCurvature(arb(v), arb(2), arb(q)) for v, q in zip(values, quadratics, strict=True)]


def test_shares_are_those_of_the_float_functions():
    rng = np.random.default_rng(1)
    for _ in range(50):
        values, bends = np.sort(rng.normal(size=6))[::-1], rng.normal(size=6) + 0.5
        start = first_convex_step(bends)
        answer = certify_share(balls(values, bends), "1/2")
        if start is None:
            assert answer.refuted
            assert answer.witness == {"last_point_below_zero": 5}
            continue
        share = loss_change_fraction(values, start)
        assert answer.certified == (share >= 0.5)
        assert answer.refuted == (share < 0.5)
        shown = {**answer.values, **answer.witness}
        assert shown["index_of_t0"] == start
        assert abs(float(shown["fraction"]) - share) < 1e-5 * max(share, 1e-3)


def test_one_sign_changes_the_answer():
    record = balls([9, 5, 2, 1], [-1, 1, 1, 1])
    assert certify_share(record, "1/2").certified
    assert certify_share(balls([9, 5, 2, 1], [-1, 1, -1, 1]), "1/2").refuted
    rising = certify_share(balls([1, 2, 3], [-1, 1, 1]), "1/2")  # a share of a rise is one too
    assert (str(rising.verdict), rising.values["fraction"]) == ("certified", "0.500000")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (balls([3, 2], [arb(0, 1), 1]), "point 0: 2 g'Hg is not apart from 0"),
        (balls([3, 2], [1, 0]), "point 1: 2 g'Hg is not apart from 0"),
        (balls([3, 3], [1, 1]), "the change of the risk is not apart from 0"),
        (balls([3, arb(2, 0.5), 1], [-1, 1, 1]), "the fraction is too close"),
    ],
)
def test_what_balls_leave_open_is_unknown(record, reason):
    answer = certify_share(record, "1/2")
    assert str(answer.verdict) == "unknown"
    assert answer.reason == reason


def test_too_few_points():
    with pytest.raises(DataError, match="got 1 points"):
        certify_share(balls([1], [1]), 0)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda p: [v.float() for v in p], DtypeError, r"point 1 has dtypes .*float32.*need .*64"),
        (lambda p: [p[0].long(), *p[1:]], DtypeError, "point 1 has dtypes .*int64"),
        (lambda p: [p[0][:1], *p[1:]], ShapeError, r"point 1 has shapes \(1, 3\), .*need \(5, 3\)"),
        (lambda p: [p[0].T, *p[1:]], ShapeError, r"point 1 has shapes \(3, 5\)"),
        (lambda p: p[:-1], ShapeError, "point 1 has shapes"),
        (lambda p: [v.tolist() for v in p], DtypeError, "point 1 holds other things than tensors"),
    ],
)
def test_points_of_a_record_are_neither_cast_nor_broadcast(change, error, text):
    risk = risk_of((3, 5, 4), 0)
    before = [p.detach().clone() for p in risk.parameters]
    moved = [p + 1 for p in before]
    with pytest.raises(error, match=text):
        ball_record(risk, [moved, change(moved)])
    assert all(map(torch.equal, before, risk.parameters))


@pytest.mark.parametrize("kind", [torch.complex128, torch.int64, torch.bool])
def test_inputs_of_another_number_type_are_refused(kind):
    risk = risk_of((3, 5, 4), 0)
    with pytest.raises(DtypeError, match=f"X: dtype {kind}, need torch.float64 as the module"):
        ball_curvature(ModuleRisk(risk.module, cross_entropy, risk.X.to(kind), risk.y))


def test_a_loss_that_is_another_one_is_found_by_its_value(monkeypatch):
    risk, old = risk_of((3, 5, 4), 0), torch._C._nn.cross_entropy_loss
    monkeypatch.setattr(torch._C._nn, "cross_entropy_loss", lambda *given: 1.0000001 * old(*given))
    with pytest.raises(DataError, match="its loss is not the mean cross-entropy"):
        ball_curvature(risk)


@pytest.mark.parametrize("bits", [1, 0, -3])
def test_too_few_bits_are_refused(bits):
    with pytest.raises(DataError, match=f"bits: got {bits}, need"):
        ball_curvature(risk_of((3, 4), 0), bits=bits)


def test_the_whole_change_and_none_of_it_are_decided():
    values = [arb(k) / 3 for k in (10, 5, 1)]
    whole, none = balls(values, [1, 1, 1]), balls(values, [-1, -1, 1])
    assert certify_share(whole, 1).certified
    assert certify_share(whole, "10001/10000").refuted
    assert certify_share(none, 0).certified
    assert certify_share(none, "1/10000").refuted


def test_a_patched_function_is_found_by_the_outputs(monkeypatch):
    risk, old = feature_risk("plain"), torch.relu
    assert ball_curvature(risk)
    monkeypatch.setattr(torch, "relu", lambda x: 1.000001 * old(x))
    with pytest.raises(DataError, match="its outputs are not those of its layers"):
        ball_curvature(risk)
    with pytest.raises(DataError, match="its outputs are not those of its layers"):
        ball_record(risk, [[p.detach().clone() for p in risk.parameters]])


def test_a_residual_network_is_not_certified_as_another():
    """Read as b(relu(a(x))) every point was convex; with + x the last one is not."""
    risk = feature_risk("residual")
    points = [[p.detach() + k / 4 for p in risk.parameters] for k in range(3)]
    with pytest.raises(DtypeError, match=r"got Of, need torch\.nn\.Sequential itself"):
        ball_record(risk, points)


def test_what_torch_raises_reaches_the_balls_with_a_name():
    risk = feature_risk("plain")
    risk.module.lock = Lock()
    with pytest.raises(DataError, match=r"module, loss: TypeError .*cannot pickle"):
        ball_curvature(risk)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(1, 3)).double()
    with pytest.raises(ShapeError, match=r"X: shape \(7,\), need \(n, 1\)"):
        ball_curvature(ModuleRisk(flat, F.cross_entropy, risk.X[:, 0], risk.y))


@pytest.mark.parametrize(
    ("X", "y", "error", "text"),
    [
        (torch.ones(2, 1, 3), [0, 1], ShapeError, r"need \(n, 3\), or nn.Flatten\(\) first"),
        (torch.ones(2, 3) * float("nan"), [0, 1], DataError, "NaN or infinite"),
        (torch.ones(2, 3), [0, -1], DataError, "y: need one label from 0 to 2"),
        (torch.ones(2, 3), [0, 3], DataError, "y: need one label from 0 to 2"),
        (torch.ones(2, 3), [[0.5, 0.5, 0], [1, 0, 0]], DataError, "y: need one label"),
    ],
)
def test_balls_take_rows_and_labels(X, y, error, text):
    y = torch.tensor(y).double() if isinstance(y[0], list) else torch.tensor(y)
    with pytest.raises(error, match=text):
        ball_curvature(ModuleRisk(built("plain")[0], F.cross_entropy, X.double(), y))


def test_balls_are_narrow_around_what_the_module_computes():
    for before, after in pairwise((53, 128, 256)):
        wide, narrow = (
            ball_curvature(feature_risk("plain"), bits=bits) for bits in (before, after)
        )
        assert narrow.quadratic.rad() < wide.quadratic.rad()
        assert wide.quadratic.contains(narrow.quadratic)
