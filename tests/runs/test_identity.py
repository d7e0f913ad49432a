"""Fingerprints of trials: what changes one, what does not, and what cannot be told apart."""

import functools
import os
import subprocess
import sys
import threading
import types

import numpy as np
import pytest
from trials import trial

from lscore.errors import DtypeError
from lscore.runs.identity import fingerprint
from lscore.runs.sweeps import sweep


def draws(function, folder):
    return sweep(function, [{}], range(1, 4), folder, progress=False)


def made(factor, shift=None):
    return lambda seed: {"x": factor * seed + (0 if shift is None else shift[0])}


def test_two_lambdas_and_two_closures_do_not_share_results(tmp_path):
    trials = [lambda seed: {"x": 2 * seed}, lambda seed: {"x": 3 * seed}, lambda seed: {"x": -seed}]
    trials += [made(5), made(7), made(5, [1]), made(5, np.ones(1)), made(5, np.array([2.0]))]
    trials += [lambda seed, k=k: {"x": k + seed} for k in (10, 20)]
    found = [draws(function, tmp_path) for function in trials]
    assert [run.reused for run in found] == [0] * len(trials)
    first = [int(run.values("x")[0]) for run in found]
    assert first == [2, 3, -1, 5, 7, 6, 6, 7, 11, 21]
    assert draws(made(7), tmp_path).reused == 3


def written(source, trial="trial", **names):
    """The function `trial` that a page of source text defines."""
    page = {"__name__": "page", **names}
    exec(compile(source, "page", "exec"), page)
    return page[trial]


PAGE = """
import math
STEPS = {"few": [1, 2], "many": {3, 4}}
def helper(x):
    return 2 * x if x < 3 else helper(x - 1)
class Model:
    rate = 1
    def __init__(self):
        self.w = 2
    @property
    def size(self):
        return 3
    @staticmethod
    def zero():
        return 4
def trial(seed, *, more=5):
    "A trial."
    values = [helper(step) + math.sqrt(seed) for step in STEPS["few"]]
    return {"x": sum(values) + Model().w + more}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"few": [1', '"few": [0'),
        ("{3, 4}", "{3, 5}"),
        ("return 2 * x", "return 2 + x"),
        ("x < 3", "x < 4"),
        ("helper(x - 1)", "abs(x - 1)"),
        ("rate = 1", "rate = 1.0"),
        ("self.w = 2", "self.w = 3"),
        ("return 3", "return -3"),
        ("return 4", "return -4"),
        ("more=5", "more=6"),
        ("math.sqrt", "math.exp"),
        ("+ more", "- more"),
    ],
)
def test_an_edited_function_is_another_trial(before, after):
    assert PAGE.count(before) == 1
    original = fingerprint(written(PAGE))
    assert fingerprint(written(PAGE.replace(before, after))) != original
    assert fingerprint(written("# a comment\n" + PAGE + "\nunused = 7")) == original


HELPER = "def h(s): return $ * s"
READS = {
    "a wrapper's closure": """
def scaled(k):
    def wrapper(f):
        @functools.wraps(f)
        def inner(*a): return k * f(*a)
        return inner
    return wrapper
@scaled($)
def read(s): return s""",
    "a wrapper's code": """
def wrapper(f):
    @functools.wraps(f)
    def inner(*a): return $ * f(*a)
    return inner
@wrapper
def read(s): return s""",
    "a wrapped class": """
def wrapper(c):
    return functools.wraps(c, updated=())(lambda s: $ * c(s))
read = wrapper(int)""",
    "a closure of another module": "read = library.make_scale($)",
    "a class of another module": "read = library.make_class($)().scale",
    "a method of an instance": """
class M:
    def __call__(self, s): return $ * s
read = M()""",
    "a method of a dataclass": """
@dataclasses.dataclass(frozen=True)
class M:
    k: int = 1
    def __call__(self, s): return $ * s
read = M()""",
    "a default of a dataclass": """
@dataclasses.dataclass
class M:
    k: int = dataclasses.field(default_factory=lambda: $)
read = lambda s: M().k * s""",
    "a field of a dataclass": """
@dataclasses.dataclass
class M:
    k: int = dataclasses.field(metadata={"scale": $})
read = lambda s: dataclasses.fields(M)[0].metadata["scale"] * s""",
    "a generic class": """
T = typing.TypeVar("T")
class M(typing.Generic[T]):
    k = $
read = lambda s: M().k * s""",
    "a bound method": """
class M:
    def f(self, s): return $ * s
read = M().f""",
    "a bound function": "read = types.MethodType(lambda self, s: $ * s, 1)",
    "a class method": """
class M:
    @classmethod
    def f(cls, s): return $ * s
read = M.f""",
    "a metaclass": """
class Meta(type):
    def __call__(cls, s): return $ * s
class M(metaclass=Meta): pass
read = M""",
    "a base of another page": """
class M(library.make_class($)): pass
read = M().scale""",
    "a member called by an operator": """
def h(self, s): return $ * s
class M:
    __call__ = functools.partialmethod(h)
read = lambda s: M.__call__.__get__(M())(s)""",
    "a descriptor": """
class D:
    def __get__(self, instance, kind): return $
    def __set__(self, instance, value): pass
class M:
    k = D()
read = lambda s: M().k * s""",
    "a cached property": """
class M:
    @functools.cached_property
    def k(self): return $
read = lambda s: M().k * s""",
    "a class attribute, a number": "class M: k = np.float64($)\nread = lambda s: M.k * s",
    "a class attribute, an array": "class M: k = np.array([$])\nread = lambda s: M.k[0] * s",
    "a nested class": """
class M:
    class Inner: k = $
read = lambda s: M.Inner.k * s""",
    "an enumeration": "class M(enum.Enum): K = $\nread = lambda s: M.K.value * s",
    "a partial": HELPER + "\nread = functools.partial(h)",
    "a namespace": HELPER + "\nread = types.SimpleNamespace(h=h).__getattribute__('h')",
    "a namespace of functions": HELPER
    + "\nn = types.SimpleNamespace(h=h)\nread = lambda s: n.h(s)",
    "a dict in an object": HELPER
    + "\nn = collections.OrderedDict(h=h)\nread = lambda s: n['h'](s)",
    "a vectorised function": HELPER + "\nread = np.vectorize(h)",
    "a cached function": "@functools.lru_cache\n" + HELPER + "\nread = h",
    "a cached function in a default": "@functools.lru_cache\n" + HELPER
    + "\ndef read(s, h=h): return h(s)",
    "a transformed function": "v = torch.func.vmap(lambda s: $ * s)"
    "\nread = lambda s: v(torch.tensor([s]))",
    "a function attribute": "def read(s): return read.k * s\nread.k = $",
    "a tensor": "t = torch.tensor([[1], [$]])[1]\nread = lambda s: int(t) * s",
    "a parameter": "p = torch.nn.Parameter(torch.tensor($.0))\nread = lambda s: p.item() * s",
    "a network": """
net = torch.nn.Linear(1, 1, bias=False).requires_grad_(False)
net.weight.fill_($)
read = lambda s: net(torch.tensor([float(s)])).item()""",
    "a function without gradients": "@torch.no_grad()\n" + HELPER + "\nread = h",
    "an imported function": """
from torch import tanh
read = lambda s: (tanh(torch.ones(1)) > 0).sum() * $ * s""",
}  # fmt: skip
LIBRARY = """
def make_scale(k):
    return lambda s: k * s
def make_class(k):
    class Made:
        def scale(self, s): return k * s
    return Made
"""


def reading(number, source):
    """The trial of a page that reads `read`; its results are `number` times the seed."""
    library = types.ModuleType("library")
    exec(LIBRARY, library.__dict__)
    names = ["collections", "dataclasses", "enum", "functools", "torch", "types", "typing"]
    page = {name: sys.modules[name] for name in names} | {"library": library, "np": np}
    return written(
        source.replace("$", str(number)) + "\ndef trial(seed): return {'x': int(read(seed))}",
        **page,
    )


@pytest.mark.parametrize("source", READS.values(), ids=READS.keys())
def test_what_a_trial_reads_belongs_to_it(tmp_path, source):
    two, three = (draws(reading(k, source), tmp_path) for k in (2, 3))
    assert (two.values("x").tolist(), three.values("x").tolist()) == ([2, 4, 6], [3, 6, 9])
    assert draws(reading(3, source), tmp_path).reused == 3, "the same trial is not found again"


def test_two_derivatives_of_a_function_are_two_trials(tmp_path):
    source = "def cube(s): return s**3\nf = torch.func.grad(cube)\n$"
    source += "\nread = lambda s: f(torch.tensor(float(s)))"
    once, twice = "pass", "f = torch.func.grad(f)"
    assert draws(reading(once, source), tmp_path).values("x").tolist() == [3, 12, 27]
    assert draws(reading(twice, source), tmp_path).values("x").tolist() == [6, 12, 18]


def test_a_function_patched_into_another_module_is_another_trial(tmp_path, monkeypatch):
    patched = types.ModuleType("patched")
    exec("def h(s): return s", patched.__dict__)
    monkeypatch.setitem(sys.modules, "patched", patched)
    for k in (2, 3):
        patched.h = made(k)
        patched.h.__module__, patched.h.__qualname__ = "patched", "f"
        trial = written("def trial(seed): return h(seed)", h=patched.h)
        assert draws(trial, tmp_path).values("x").tolist() == [k, 2 * k, 3 * k]


STABLE = """
import numpy as np, torch, types
tensor, array, text = torch.arange(3.0), np.arange(6.0), {"a", "b", "c", "d", "e"}
space = types.SimpleNamespace(text=frozenset(text), tensor=torch.ones(2), own={1: text})
functions = {len, sorted, print, lambda: 1, lambda: 2}
net = torch.nn.Linear(1, 1).requires_grad_(False)
net.weight.fill_(1), net.bias.fill_(0)
loop = [1]
loop.append(loop)
"""


STABLE += "".join(
    f"def {name}_trial(seed): return {name}\n"
    for name in ("tensor", "array", "text", "space", "functions", "net", "loop")
)


def fingerprints(page):
    return [fingerprint(value) for name, value in page.items() if name.endswith("_trial")]


@pytest.mark.slow
def test_trials_are_found_again_in_another_process():
    script = f"page = {{'__name__': 'page'}}\nexec({STABLE!r}, page)\n"
    script += "from lscore.runs.identity import fingerprint\n"
    script += "print([fingerprint(f) for name, f in page.items() if name.endswith('_trial')])"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", script]
    elsewhere = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    here = fingerprints(written(STABLE, "tensor_trial").__globals__)
    again = fingerprints(written(STABLE, "tensor_trial").__globals__)
    assert elsewhere.stdout.strip() == str(here) == str(again)
    assert len(set(here)) == 7


def fingerprint_here(seed, page):
    return {"fingerprint": fingerprint(written(page)), "hash": hash("text")}


@pytest.mark.slow
def test_a_fingerprint_does_not_depend_on_the_process(tmp_path):
    found = sweep(fingerprint_here, [{"page": PAGE}], range(4), tmp_path, jobs=2, progress=False)
    assert set(found.values("fingerprint")) == {fingerprint(written(PAGE))}
    assert hash("text") not in found.values("hash"), "the processes do not hash anew"


class Model:
    def trial(self, seed):
        return {"x": seed}


@pytest.mark.parametrize(
    "function", [functools.partial(trial, scale=1), Model().trial, Model, print, "trial", None]
)
def test_what_is_not_a_function_is_refused_with_the_cure(tmp_path, function):
    with pytest.raises(DtypeError, match=r"trial: got .*, need a module-level function; pass"):
        draws(function, tmp_path)


def test_a_closure_that_cannot_be_told_apart_is_refused(tmp_path):
    with pytest.raises(DtypeError, match=r"trial: its closure 'shift' holds a generator that can"):
        draws(made(1, (i for i in range(3))), tmp_path)
    with pytest.raises(DtypeError, match=r"trial: its global 'lock' holds a .*lock that cannot"):
        draws(written("def trial(seed): return lock", lock=threading.Lock()), tmp_path)
    deep = []
    for _ in range(10**5):
        deep = [deep]
    with pytest.raises(DtypeError, match=r"trial: it reads what is nested too deeply; need a"):
        draws(written("def trial(seed): return deep", deep=deep), tmp_path)
    source = "class Pick:\n    def __reduce__(self): return 'pick'\npick = Pick()"
    with pytest.raises(DtypeError, match=r"trial: its global 'pick' holds a Pick that cannot"):
        draws(written(source + "\ndef trial(seed): return pick"), tmp_path)
