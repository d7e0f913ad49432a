"""Modules that are not what their layers say: hooks, patches and modes are seen."""

from functools import wraps

import pytest
import torch
from module_features import (
    BACKWARD,
    BALLS,
    SWEEP,
    built,
    feature_risk,
    judge,
    plain,
    taken,
)
from torch import nn
from torch.nn import functional as F
from torch.nn.modules import module as torch_module
from torch.overrides import TorchFunctionMode

from lscore.errors import DataError, DtypeError
from lscore.model.sequential import alteration, plain_layers


@pytest.mark.parametrize("kind", ["forward_pre", "forward", "full_backward_pre", "full_backward"])
def test_hooks_of_all_modules_are_seen(kind):
    register = getattr(torch_module, f"register_module_{kind}_hook")
    names = {"forward_pre": "forward pre", "full_backward_pre": "backward pre"}
    text = f"torch has a {names.get(kind, kind.removeprefix('full_'))} hook for all modules"
    handle = register(lambda *given: None)
    try:
        assert alteration(plain()) == text
        for taker in (SWEEP, BALLS, *([BACKWARD] if "backward" in kind else [])):
            with pytest.raises(DataError, match=text):
                taken(taker, feature_risk("plain"))
    finally:
        handle.remove()
    assert alteration(plain()) is None


def test_a_patched_class_is_seen(monkeypatch):
    risk = feature_risk("plain")
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, x: torch.tanh(x))
    for taker in (SWEEP, BALLS):
        with pytest.raises(DataError, match=r"\(ReLU\) has a 'forward' that is not torch's"):
            taken(taker, risk)
    assert taken(BACKWARD, risk) == pytest.approx(judge("tanh")[:3], rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        (nn.Linear, "forward"),
        *[
            (kind, method)
            for kind in (nn.Linear, nn.Module)
            for method in ("__call__", "_call_impl")
        ],
    ],
)
def test_a_patch_that_looks_like_torchs_is_seen(monkeypatch, kind, method):
    risk, old = feature_risk("plain"), getattr(kind, method)

    @wraps(old)
    def patched(self, *given):
        out = old(self, *given)
        return torch.tanh(out) if type(self) is nn.Linear else out

    monkeypatch.setattr(kind, method, patched)
    for taker in (SWEEP, BALLS):
        with pytest.raises(DataError, match=rf"has a '{method}' that is not torch's"):
            taken(taker, risk)


class Bending(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        return torch.tanh(out) if func is F.linear else out


def test_patched_functions_and_modes_are_seen(monkeypatch):
    risk = feature_risk("plain")
    for taker in (SWEEP, BALLS):
        with Bending(), pytest.raises(DataError, match=r"a TorchFunctionMode is active \(Bending"):
            taken(taker, risk)
        with torch.device("cpu"):
            taken(taker, risk)
    monkeypatch.setattr(F, "linear", lambda x, w, b=None: torch.tanh(x @ w.T + b))
    for taker in (SWEEP, BALLS):
        with pytest.raises(DataError, match=r"torch.nn.functional.linear is not torch's"):
            taken(taker, risk)


def test_layers_are_those_of_a_sequential():
    module = plain()
    assert [*map(id, plain_layers(module))] == [id(module[k]) for k in range(3)]
    shared = nn.ReLU()
    assert plain_layers(nn.Sequential(shared, nn.Linear(1, 1), shared))[2] is shared
    for name, error in (("residual", DtypeError), ("forward hook", DataError)):
        with pytest.raises(error, match="module: "):
            plain_layers(built(name)[0])
