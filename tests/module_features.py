"""Features of torch modules, each with the routes that take it or refuse it by name."""

from functools import cache

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrizations

from lscore.curvature.balls import ball_curvature
from lscore.curvature.routes import curvature
from lscore.model.modules import ModuleRisk

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


def feature_risk(name):
    return ModuleRisk(built(name)[0], F.cross_entropy, *built(name)[1:], DECAY)
