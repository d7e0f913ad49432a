"""Whatever takes a torch module, with every feature a module can have: right, or refused by name.

The judge is finite differences of the module's own risk in float64; it shares no code with lscore
and does not use autograd.
"""

from functools import cache, wraps
from itertools import pairwise
from threading import Lock

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.modules import module as torch_module
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrizations
from torch.overrides import TorchFunctionMode

from lscore.curvature.balls import ball_curvature, ball_record
from lscore.curvature.routes import curvature
from lscore.errors import DataError, DtypeError, LscoreError, ShapeError
from lscore.model.modules import ModuleRisk
from lscore.model.sequential import alteration, plain_layers
from lscore.runs.descent import DEFINITIONS, sgd

STEP, DECAY = 1e-2, 0.05
BACKWARD, SWEEP, FUNC, SECANT, BALLS = TAKERS = (
    "double-backward",
    "tangent-sweep",
    "torch.func",
    "secant",
    "balls",
)


class Of(nn.Module):
    """A module whose forward is the given function of itself and x."""

    def __init__(self, forward, **parts):
        super().__init__()
        for name, part in parts.items():
            if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)
        self.rule = [forward]

    def forward(self, x):
        return self.rule[0](self, x)


class Bent(nn.Linear):
    def forward(self, x):
        return torch.tanh(super().forward(x))


class Reversed(nn.Sequential):
    def forward(self, x):
        return super().forward(-x)


class Cached(nn.Module):
    """Counts its calls in a buffer, and makes another buffer at the first."""

    def __init__(self):
        super().__init__()
        self.one = nn.Linear(3, 3)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))
        self.register_buffer("scale", None)

    def forward(self, x):
        self.calls = self.calls + 1
        self.scale = torch.full((), 2.0, dtype=x.dtype)
        return self.scale * self.one(x)


def plain(*between):
    return nn.Sequential(nn.Linear(3, 4), *(between or [nn.ReLU()]), nn.Linear(4, 3))


def frozen(which):
    module = plain()
    module[which].requires_grad_(False)
    return module


def tied():
    layer = nn.Linear(3, 3)
    return nn.Sequential(layer, nn.ReLU(), layer)


def shared_weight():
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    module[2].weight = module[0].weight
    return module


def same_memory():
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3)).double()
    module[2].weight.data = module[0].weight.data
    return module


def hooked(register, hook, part=0):
    module = plain()
    getattr(module[part], register)(hook)
    return module


def parameter_hook():
    module = plain()
    module[0].weight.register_hook(lambda g: 2 * g)
    return module


def own_forward():
    module = plain()
    module[1].forward = torch.tanh
    return module


def own_forward_of_the_root():
    module = plain()
    module.forward = lambda x: torch.tanh(module[0](x))[:, :3]
    return module


def foreign_weight():
    """A Linear whose weight is a view of another layer's, and no parameter."""
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3)).double()
    del module[2].weight
    module[2].weight = module[0].weight.T
    return module


def with_spare():
    module = plain()
    module.spare = nn.Parameter(torch.ones(2))
    return module


def in_place():
    """The skip connection sees what the ReLU wrote over its input."""

    def forward(m, x):
        h = m.one(x)
        return m.act(h) + h

    return Of(forward, one=nn.Linear(3, 3), act=nn.ReLU(inplace=True))


def transformer(mode):
    layer = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True, activation="gelu")
    return Of(lambda m, x: m.out(m.layer(m.up(x).reshape(-1, 2, 4)).flatten(1)),
              up=nn.Linear(3, 8), layer=layer, out=nn.Linear(8, 3)).train(mode)  # fmt: skip


def attention():
    def forward(m, x):
        z = m.up(x).reshape(-1, 2, 4)
        return m.out(m.attend(z, z, z, need_weights=False)[0].flatten(1))

    return Of(forward, up=nn.Linear(3, 8), attend=nn.MultiheadAttention(4, 2, batch_first=True),
              out=nn.Linear(8, 3))  # fmt: skip


def recurrent():
    return Of(lambda m, x: m.out(m.cells(x.unsqueeze(2))[0][:, -1]),
              cells=nn.LSTM(1, 2, batch_first=True), out=nn.Linear(2, 3))  # fmt: skip


def norm(layer):
    return nn.Sequential(nn.Linear(3, 4), layer, nn.Tanh(), nn.Linear(4, 3))


def old_weight_norm():
    module = plain()
    nn.utils.weight_norm(module[0])
    return module


def weight_norm():
    module = plain()
    parametrizations.weight_norm(module[0])
    return module


def swallowing():
    """torch.fx cannot follow the test of the sign; the module then takes the other branch."""

    def forward(m, x):
        try:
            seen = bool(x.size(0))
        except torch.fx.proxy.TraceError:
            seen = False
        return m.one(x) if seen else torch.tanh(m.one(x))

    return Of(forward, one=nn.Linear(3, 3))


class Tanhs(torch.Tensor):
    """A matrix that torch multiplies in another way."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        out = super().__torch_function__(func, types, args, kwargs or {})
        return torch.tanh(out.as_subclass(torch.Tensor)) if func is F.linear else out


def own_class():
    module = plain().double()
    module[0].weight = nn.Parameter(module[0].weight.detach().as_subclass(Tanhs))
    return module


def one_of(forward, **parts):
    """A builder of `Of` with one Linear(3, 3) "a"."""
    return lambda: Of(forward, a=nn.Linear(3, 3), **parts)


def drop(m, x):
    return F.dropout(m.a(x), 0.3, m.training)


def doubled(m, before, after=None):
    return tuple(None if g is None else 2 * g for g in before)


def added_in_place(m, x):
    h = m.a(x)
    h.add_(torch.tanh(m.a(x)))
    return torch.tanh(h)


def added_to_a_view(m, x):
    h = m.a(x)
    h[:, :2].add_(torch.tanh(h)[:, :2])
    return torch.tanh(h)


def without_gradients(m, x):
    with torch.no_grad():
        h = m.a(x)
    return m.a(torch.tanh(h))


def determinant(m, x):
    return m.a(x) * torch.linalg.det(m.a.weight)


# name: (module, {taker: what it is refused with}); every other taker must find the right numbers.
LAYERS, SEQUENTIAL = {BALLS: "module: layers"}, {BALLS: "need torch.nn.Sequential itself"}
CALLERS, NESTED = (BACKWARD, FUNC, SECANT), "give wrong second derivatives"
RANDOM = dict.fromkeys(CALLERS, "draws random numbers")
READ = {SWEEP: "has a forward", BALLS: "has a forward"}


def rule(what):
    return {SWEEP: f"no rule for {what}"}


def everyone(text):
    return dict.fromkeys(TAKERS, text)


FEATURES = {
    "plain": (plain, {}),
    "no hidden layer": (lambda: nn.Sequential(nn.Linear(3, 3)), {}),
    "flattened": (lambda: nn.Sequential(nn.Flatten(), *plain()), {}),
    "flattened otherwise": (lambda: nn.Sequential(nn.Flatten(0, -2), *plain()), LAYERS),
    "in-place ReLU": (lambda: plain(nn.ReLU(inplace=True)), {}),
    "in-place on the data": (lambda: nn.Sequential(nn.ReLU(inplace=True), *plain()), LAYERS),
    "in-place skip": (in_place, rule("Of, of which torch.fx makes another") | SEQUENTIAL),
    "leaky": (lambda: plain(nn.LeakyReLU(0.1)), LAYERS),
    "tanh": (lambda: plain(nn.Tanh()), LAYERS),
    "no bias": (lambda: nn.Sequential(nn.Linear(3, 4, bias=False)), LAYERS),
    "nested": (lambda: nn.Sequential(plain(), nn.ReLU(), nn.Linear(3, 3)), {}),
    "empty": (lambda: nn.Sequential(), everyone("no parameter that requires a gradient")),
    "no parameters": (nn.ReLU, everyone("no parameter that requires a gradient")),
    "all frozen": (
        lambda: plain().requires_grad_(False), everyone("no parameter that requires a gradient"),
    ),
    "frozen first layer": (lambda: frozen(0), {BALLS: "frozen"}),
    "frozen last layer": (lambda: frozen(2), {BALLS: "frozen"}),
    "spare parameter": (with_spare, {BALLS: "a parameter is in no layer"}),
    "layer used twice": (tied, {BALLS: "two layers share a parameter"}),
    "shared weight": (shared_weight, {BALLS: "two layers share a parameter"}),
    "shared memory": (same_memory, everyone("share their memory")),
    "weight of another layer": (foreign_weight, {
        SWEEP: "'weight' that is no parameter", BALLS: "'weight' that is no parameter",
        FUNC: "moved parameters do not reach everything",
    }),
    "weight of a class of its own": (own_class, {
        SWEEP: "parameter 'weight' of class Tanhs", BALLS: "parameter 'weight' of class Tanhs",
        FUNC: "moved parameters do not reach everything",
    }),
    "forward hook": (lambda: hooked("register_forward_hook", lambda m, a, out: out.tanh()), READ),
    "forward pre-hook": (lambda: hooked("register_forward_pre_hook", lambda m, a: -a[0]), READ),
    "hook after ReLU": (lambda: hooked("register_forward_hook", lambda m, a, z: 3 * z, 1), READ),
    "backward hook": (
        lambda: hooked("register_full_backward_hook", doubled, 2), everyone("has a backward hook"),
    ),
    "backward pre-hook": (
        lambda: hooked("register_full_backward_pre_hook", doubled, 2),
        everyone("has a backward pre hook"),
    ),
    "parameter hook": (parameter_hook, everyone("parameter '0.weight' has a hook")),
    "residual": (lambda: Of(lambda m, x: m.b(F.relu(m.a(x))) + x, a=nn.Linear(3, 4),
                            b=nn.Linear(4, 3)), SEQUENTIAL),
    "tanh in forward": (one_of(lambda m, x: torch.tanh(m.a(x))), SEQUENTIAL),
    "sum": (one_of(lambda m, x: torch.add(torch.tanh(m.a(x)), m.a(x).T.mT)), SEQUENTIAL),
    "sum with other=": (
        one_of(lambda m, x: torch.add(x, other=torch.tanh(m.a(x)))), rule("'add'") | SEQUENTIAL,
    ),
    "method sum with other=": (
        one_of(lambda m, x: m.a(x).add(other=torch.tanh(m.a(x)))), rule("'add'") | SEQUENTIAL,
    ),
    "sum with alpha=": (
        one_of(lambda m, x: m.a(x).add(x, alpha=2)), rule("'add'") | SEQUENTIAL,
    ),
    "sum in place": (one_of(added_in_place), rule("'add_'") | SEQUENTIAL),
    "sum in place on a view": (one_of(added_to_a_view), rule("'add_'") | SEQUENTIAL),
    "in-place SiLU": (lambda: plain(nn.SiLU(inplace=True)), LAYERS),
    "in-place Mish": (lambda: plain(nn.Mish(inplace=True)), LAYERS),
    "subclass of Linear": (lambda: nn.Sequential(Bent(3, 3)), rule("") | LAYERS),
    "subclass of Sequential": (lambda: Reversed(*plain()), rule("'neg'") | SEQUENTIAL),
    "forward on the object": (own_forward, {
        SWEEP: "'forward' of its own", BALLS: "'forward' of its own",
    }),
    "forward on the Sequential": (own_forward_of_the_root, {
        SWEEP: "the Sequential has a 'forward' of its own", BALLS: "'forward' of its own",
    }),
    "compiled": (lambda: (m := plain(), m.compile(backend="eager"))[0],
                 {SWEEP: "is compiled", BALLS: "is compiled"}),
    "forward that torch.fx misreads": (
        swallowing, rule("Of, of which torch.fx makes another") | SEQUENTIAL,
    ),
    "old weight norm": (old_weight_norm, {
        BACKWARD: "uses weight normalisation", FUNC: "NotImplementedError",
        SWEEP: "'weight' that is no parameter", BALLS: "'weight' that is no parameter",
    }),
    "weight norm": (weight_norm, {
        BACKWARD: "uses weight normalisation", FUNC: "NotImplementedError",
        **rule("module '0' \\(ParametrizedLinear\\)"), **LAYERS,
    }),
    "dropout": (
        lambda: plain(nn.Dropout(0.3)), RANDOM | rule("module '1' \\(Dropout in train") | LAYERS,
    ),
    "dropout in eval mode": (lambda: plain(nn.Dropout(0.3)).eval(), LAYERS),
    "dropout with p = 0": (lambda: plain(nn.Dropout(0.0)), LAYERS),
    "dropout function": (one_of(drop), RANDOM | rule("'dropout'") | SEQUENTIAL),
    "dropout function in eval mode": (
        lambda: one_of(drop)().eval(), rule("'dropout'") | SEQUENTIAL,
    ),
    "noise": (one_of(lambda m, x: m.a(x) + torch.randn_like(x)),
              RANDOM | rule("'randn_like'") | SEQUENTIAL),
    "batch norm": (lambda: norm(nn.BatchNorm1d(4)), {FUNC: NESTED} | LAYERS),
    "batch norm in eval mode": (lambda: norm(nn.BatchNorm1d(4)).eval(), LAYERS),
    "batch norm frozen": (
        lambda: norm(nn.BatchNorm1d(4).requires_grad_(False)), {FUNC: NESTED} | LAYERS,
    ),
    "batch norm without statistics": (
        lambda: norm(nn.BatchNorm1d(4, track_running_stats=False)), {FUNC: NESTED} | LAYERS,
    ),
    "batch norm, then an error": (lambda: norm(nn.BatchNorm1d(4)).append(nn.Hardsigmoid()), {
        BACKWARD: "hardsigmoid_backward is not implemented", FUNC: NESTED,
        **rule("module '4' \\(Hardsigmoid"), **LAYERS,
    }),
    "batch norm, then dropout": (
        lambda: norm(nn.BatchNorm1d(4)).append(nn.Dropout(0.3)),
        RANDOM | {FUNC: "draws random numbers"} | rule("module '4' \\(Dropout") | LAYERS,
    ),
    "batch norm, modes mixed": (lambda: norm(nn.BatchNorm1d(4).eval()), LAYERS),
    "layer norm": (lambda: norm(nn.LayerNorm(4)), {FUNC: NESTED} | LAYERS),
    "RMS norm": (lambda: norm(nn.RMSNorm(4)), rule("module '1' \\(RMSNorm") | LAYERS),
    "group norm": (lambda: norm(nn.GroupNorm(2, 4)), LAYERS),
    "instance norm": (
        one_of(lambda m, x: F.instance_norm(m.a(x)[:, None])[:, 0]),
        {FUNC: NESTED} | rule("'instance_norm'") | SEQUENTIAL,
    ),
    "determinant": (one_of(determinant), {FUNC: NESTED} | rule("") | SEQUENTIAL),
    "PReLU": (lambda: plain(nn.PReLU()), rule("module '1' \\(PReLU") | LAYERS),
    "softmax": (lambda: plain(nn.Softmax(1)), rule("module '1' \\(Softmax") | LAYERS),
    "attention": (attention, SEQUENTIAL),
    "transformer": (
        lambda: transformer(True), {FUNC: NESTED} | rule("module 'layer'") | SEQUENTIAL,
    ),
    "transformer in eval mode": (
        lambda: transformer(False), {FUNC: NESTED} | rule("module 'layer'") | SEQUENTIAL,
    ),
    "LSTM": (recurrent, rule("module 'cells'") | SEQUENTIAL),
    "buffer": (
        one_of(lambda m, x: m.a(x) * m.s, s=torch.tensor([1.0, 2, 3])), rule("") | SEQUENTIAL,
    ),
    "buffers replaced in forward": (Cached, rule("'full'") | SEQUENTIAL),
    "renormalised in forward": (
        one_of(lambda m, x: m.a(x) + m.e(torch.arange(7) % 5), e=nn.Embedding(5, 3, None, 0.5)),
        dict.fromkeys(CALLERS, "changes its own parameters") | rule("") | SEQUENTIAL,
    ),
    "detached": (
        one_of(lambda m, x: m.a(x).detach()),
        dict.fromkeys(CALLERS, "no gradient flows") | rule("'detach'") | SEQUENTIAL,
    ),
    "no second derivative": (one_of(lambda m, x: F.hardsigmoid(m.a(x))), {
        BACKWARD: "derivative for aten::hardsigmoid_backward is not implemented",
        FUNC: "NotImplementedError", **rule("'hardsigmoid'"), **SEQUENTIAL,
    }),
    "other inputs": (lambda: nn.Sequential(nn.Linear(2, 3)), {
        **everyone("shapes cannot be multiplied"), BALLS: "need \\(n, 2\\)",
    }),
    "two outputs": (one_of(lambda m, x: (m.a(x), x)), {
        **everyone("must be Tensor, not tuple"), **rule("Of, of which"), **SEQUENTIAL,
    }),
}  # fmt: skip
NUMBERS = {
    "float32": (lambda: plain(), {}),
    "half": (lambda: plain().half(), everyone("dtype torch.float16")),
    "bfloat16": (lambda: plain().bfloat16(), everyone("dtype torch.bfloat16")),
    "complex": (lambda: plain().to(torch.complex128), everyone("dtype torch.complex128")),
    "mixed": (
        lambda: nn.Sequential(nn.Linear(3, 4).double(), nn.ReLU(), nn.Linear(4, 3)),
        everyone("parameters of dtypes"),
    ),
    "mixed, one frozen": (
        lambda: nn.Sequential(nn.Linear(3, 4).requires_grad_(False), nn.Linear(4, 3).double()),
        everyone("parameters of dtypes"),
    ),
    "meta": (lambda: nn.Linear(3, 3, device="meta"), everyone("lazy or meta")),
    "lazy": (lambda: nn.LazyLinear(3), everyone("lazy or meta")),
    "float32 buffer": (
        lambda: one_of(lambda m, x: m.a(x) * m.s, s=torch.tensor([1.0, 2, 3]).float())().double(),
        rule("") | SEQUENTIAL,
    ),
}  # fmt: skip


def built(name):
    """The module of a feature and its data: float64, or the numbers that are the feature."""
    torch.manual_seed(3)
    module = FEATURES[name][0]().double() if name in FEATURES else NUMBERS[name][0]()
    X = torch.randn(7, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    kinds = {p.dtype for p in module.parameters()} - {torch.complex128}
    return module, X.to(kinds.pop() if kinds else X.dtype), torch.arange(7) % 3


@cache
def judge(name):
    """Value, |g|^2, g'Hg and the secant by central differences; nothing but calls of the module."""
    module, X, y = built(name)
    module, X = module.double(), X.double()
    parts = [p for p in dict.fromkeys(module.parameters()) if p.requires_grad]
    start = [p.detach().clone() for p in parts]

    def risk(moves):
        with torch.no_grad():
            for p, s, u in zip(parts, start, moves, strict=True):
                p.copy_(s + u)
            decay = DECAY / 2 * sum(float(p.square().sum()) for p in parts)
            return float(F.cross_entropy(module(X.clone()), y)) + decay

    zero = [torch.zeros_like(p) for p in start]

    def slope(at, h=1e-5):
        found = [torch.zeros_like(p) for p in start]
        for k, part in enumerate(found):
            for j in range(part.numel()):
                ends = []
                for side in (h, -h):
                    moves = [u.clone() for u in at]
                    moves[k].view(-1)[j] += side
                    ends.append(risk(moves))
                part.view(-1)[j] = (ends[0] - ends[1]) / (2 * h)
        return found

    g = slope(zero)
    squared = sum(float(p.square().sum()) for p in g)
    t = 1e-4 / max(squared, 1e-8) ** 0.5
    along = [risk([k * t * p for p in g]) for k in (-1, 0, 1)]
    quadratic = (along[0] - 2 * along[1] + along[2]) / t**2
    after = slope([-STEP * p for p in g])
    secant = sum(float((p * (p - q)).sum()) for p, q in zip(g, after, strict=True)) / STEP
    return along[1], squared, quadratic, secant


def taken(taker, risk):
    """What a taker finds: value, |g|^2 and its quadratic form."""
    if taker == BALLS:
        found = ball_curvature(risk)
        return tuple(map(float, (found.value, found.squared_norm, found.quadratic)))
    found = curvature(risk, route=taker, step=STEP)
    return found.value, found.squared_norm, found.quadratic


def state(module):
    """Everything that must be as it was: keys of every module, tensors and their identity."""
    parts = [
        (id(part), sorted(vars(part)), part.training, dict(part._parameters), dict(part._buffers))
        for part in module.modules()
    ]
    tensors = [*module.parameters(), *module.buffers()]
    copies = [t.detach().clone() for t in tensors if not (t.is_meta or is_lazy(t))]
    return parts, copies, [p.grad for p in module.parameters()]


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


def risk_of(name):
    return ModuleRisk(built(name)[0], F.cross_entropy, *built(name)[1:], DECAY)


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
                taken(taker, risk_of("plain"))
    finally:
        handle.remove()
    assert alteration(plain()) is None


def test_a_patched_class_is_seen(monkeypatch):
    risk = risk_of("plain")
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
    risk, old = risk_of("plain"), getattr(kind, method)

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
    risk = risk_of("plain")
    for taker in (SWEEP, BALLS):
        with Bending(), pytest.raises(DataError, match=r"a TorchFunctionMode is active \(Bending"):
            taken(taker, risk)
        with torch.device("cpu"):
            taken(taker, risk)
    monkeypatch.setattr(F, "linear", lambda x, w, b=None: torch.tanh(x @ w.T + b))
    for taker in (SWEEP, BALLS):
        with pytest.raises(DataError, match=r"torch.nn.functional.linear is not torch's"):
            taken(taker, risk)


def test_a_patched_function_is_found_by_the_outputs(monkeypatch):
    risk, old = risk_of("plain"), torch.relu
    assert ball_curvature(risk)
    monkeypatch.setattr(torch, "relu", lambda x: 1.000001 * old(x))
    with pytest.raises(DataError, match="its outputs are not those of its layers"):
        ball_curvature(risk)
    with pytest.raises(DataError, match="its outputs are not those of its layers"):
        ball_record(risk, [[p.detach().clone() for p in risk.parameters]])


def test_a_residual_network_is_not_certified_as_another():
    """Read as b(relu(a(x))) every point was convex; with + x the last one is not."""
    risk = risk_of("residual")
    points = [[p.detach() + k / 4 for p in risk.parameters] for k in range(3)]
    with pytest.raises(DtypeError, match=r"got Of, need torch\.nn\.Sequential itself"):
        ball_record(risk, points)


def test_the_sweep_reads_a_module_anew_when_it_has_changed():
    risk = risk_of("plain")
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


def test_parameters_are_those_of_the_moment():
    risk = risk_of("plain")
    risk.module[0].requires_grad_(False)
    assert curvature(risk).squared_norm == pytest.approx(judge("frozen first layer")[1], rel=1e-6)
    risk.module[0] = nn.Linear(3, 4).double()
    assert len(curvature(risk, route=SWEEP).gradient) == 4


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_running_statistics_of_a_recorded_run_are_those_of_a_plain_one(definition):
    recorded, plain_run = risk_of("batch norm"), risk_of("batch norm")
    sgd(recorded, 0.1, 5, 3, definition=definition)
    sgd(plain_run, 0.1, 5, 3, every=5)
    assert int(recorded.module[1].num_batches_tracked) == 5
    pairs = zip(recorded.module.buffers(), plain_run.module.buffers(), strict=True)
    assert all(torch.allclose(a, b, rtol=1e-12) for a, b in pairs)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_run_of_a_random_or_hooked_module_is_refused(definition):
    with pytest.raises(DataError, match=r"call module.eval\(\), or set p to 0"):
        sgd(risk_of("dropout"), 0.1, 1, 3, definition=definition)
    with pytest.raises(DataError, match="has a backward hook"):
        sgd(risk_of("backward hook"), 0.1, 1, 3, definition=definition)


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


def test_a_step_that_fails_is_taken_back(monkeypatch):
    risk = risk_of("plain")
    before, add = state(risk.module), torch._foreach_add_

    def failing(*given, **options):
        add(*given, **options)
        raise RuntimeError("in the middle")

    monkeypatch.setattr(torch, "_foreach_add_", failing)
    with pytest.raises(DataError, match="in the middle"):
        curvature(risk, route=SECANT, step=STEP)
    assert all(map(torch.equal, before[1], state(risk.module)[1]))


def test_a_refused_draw_is_taken_back():
    risk = risk_of("dropout")
    before = torch.get_rng_state()
    with pytest.raises(DataError, match="draws random numbers"):
        curvature(risk)
    assert torch.equal(before, torch.get_rng_state())


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


def test_what_torch_raises_reaches_the_balls_with_a_name():
    risk = risk_of("plain")
    risk.module.lock = Lock()
    with pytest.raises(DataError, match=r"module, loss: TypeError .*cannot pickle"):
        ball_curvature(risk)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(1, 3)).double()
    with pytest.raises(ShapeError, match=r"X: shape \(7,\), need \(n, 1\)"):
        ball_curvature(ModuleRisk(flat, F.cross_entropy, risk.X[:, 0], risk.y))


@pytest.mark.parametrize("taker", TAKERS)
def test_autocast_is_refused(taker):
    risk = risk_of("float32")
    on = torch.autocast("cpu", dtype=torch.bfloat16)
    with on, pytest.raises(DataError, match=r"autocast to torch.bfloat16 is on"):
        taken(taker, risk)
    taken(taker, risk)


def test_layers_are_those_of_a_sequential():
    module = plain()
    assert [*map(id, plain_layers(module))] == [id(module[k]) for k in range(3)]
    shared = nn.ReLU()
    assert plain_layers(nn.Sequential(shared, nn.Linear(1, 1), shared))[2] is shared
    for name, error in (("residual", DtypeError), ("forward hook", DataError)):
        with pytest.raises(error, match="module: "):
            plain_layers(built(name)[0])


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


def test_the_size_of_the_table():
    assert (len(TAKERS), len(FEATURES) + len(NUMBERS)) == (5, 86)


def test_balls_are_narrow_around_what_the_module_computes():
    for before, after in pairwise((53, 128, 256)):
        wide, narrow = (ball_curvature(risk_of("plain"), bits) for bits in (before, after))
        assert narrow.quadratic.rad() < wide.quadratic.rad()
        assert wide.quadratic.contains(narrow.quadratic)
