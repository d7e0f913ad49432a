"""What the fuzz test throws at the public functions, and the process in which it is caught.

`POOL` names makers of objects, good and bad; a maker gets the network of the call, so that points
can have the right size. `Worker` runs calls in a process of its own, because some mistakes end the
process and some never end.
"""

import dataclasses
import inspect
import itertools
import multiprocessing
import resource
import traceback
import warnings
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import get_type_hints

import numpy as np
import torch
from flint import arb, ctx, fmpq, fmpz, fmpz_mat

import lscore
from lscore import (
    Network,
    RationalMatrix,
    Risk,
    SquaredLoss,
    binary_hinge,
    cell_at,
    cell_polynomial,
    elu,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
    softsign,
    square,
    tanh,
    two_piece,
)
from lscore.algebra.arguments import check, kind
from lscore.algebra.balls import balls
from lscore.errors import LscoreError
from lscore.model.entropy import CrossEntropyLoss, LogisticLoss
from lscore.model.hinges import HingeLoss
from lscore.model.huber import HuberLoss
from lscore.papers import he2020, laurent2018, milne2019, yun2019
from lscore.papers.laurent2018 import LabelledData, flat_point
from lscore.papers.yun2019 import saddle_corner_risk, saddle_escape

PATIENCE = 120.0  # seconds for one call, on a busy machine
MEMORY = 6 * 2**30


class Frame:
    """The part of a data frame that matters here: iterating it gives labels, not values."""

    def __init__(self, values, columns=("a", "b")):
        self.values, self.columns = np.array(values), columns
        self.shape = self.values.shape

    def to_numpy(self):
        return self.values

    def __iter__(self):
        return iter(self.columns)

    def __len__(self):
        return len(self.values)


GRID = [[0, 0], [1, 0], [0, 1], [2, 3]]
LINE = [0, 1, 2, 3]
F64 = torch.float64

# name -> maker; those of the second dictionary get the network of the call.
POOL = {
    "None": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "zero": lambda: 0,
    "one": lambda: 1,
    "three": lambda: 3,
    "minus two": lambda: -2,
    "negative": lambda: -(10**6),
    "2^31": lambda: 2**31,
    "10^18": lambda: 10**18,
    "10^40": lambda: 10**40,
    "numpy integer": lambda: np.int32(2),
    "half": lambda: 0.5,
    "tiny": lambda: 5e-324,
    "1e300": lambda: 1e300,
    "10^400": lambda: 10**400,
    "1e-3": lambda: 1e-3,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "float32": lambda: np.float32(0.5),
    "complex": lambda: 1j,
    "Fraction": lambda: Fraction(1, 3),
    "Decimal": lambda: Decimal("0.1"),
    "Decimal nan": lambda: Decimal("nan"),
    "Decimal huge": lambda: Decimal("1e99999999"),
    "fmpq": lambda: fmpq(2, 7),
    "fmpq huge": lambda: fmpq(10) ** 600,
    "fmpz": lambda: fmpz(2),
    "arb": lambda: arb(1) / 3,
    "arb nan": lambda: arb.nan(),
    "text number": lambda: "1/10",
    "text huge": lambda: "1e99999999",
    "text": lambda: "mse",
    "empty text": lambda: "",
    "bytes": lambda: b"12",
    "dict": lambda: {0: 1.0, 1: 2.0},
    "set": lambda: {1, 2},
    "generator": lambda: (i for i in range(3)),
    "range": lambda: range(4),
    "empty list": list,
    "empty rows": lambda: [[]],
    "integers": lambda: list(LINE),
    "rows": lambda: [list(row) for row in GRID],
    "deep list": lambda: [[[1]]],
    "ragged": lambda: [[1, 2], [3]],
    "half nested": lambda: [[1], 2, 3, 4],
    "fractions": lambda: ["1/2", Fraction(1, 3), Decimal("0.25"), fmpq(2)],
    "list with nan": lambda: [1.0, float("nan"), 2.0, 3.0],
    "list with None": lambda: [1, None, 2, 3],
    "signs": lambda: [1, -1, 1, -1],
    "booleans": lambda: [True, False, True, False],
    "words": lambda: ["a", "b", "a", "b"],
    "pair": lambda: (0, 1),
    "pair of tuples": lambda: [(0, 1), (2, 3)],
    "ties": lambda: [(1, 0, 0), (1, 99, 0), (7, 0, 0)],
    "activations": lambda: [relu],
    "tuple of activations": lambda: (relu, tanh),
    "tuple of numbers": lambda: (3,),
    "widths": lambda: (1, 2, 1),
    "deep widths": lambda: (2, 3, 2, 2),
    "enormous widths": lambda: (10**9, 10**9, 1),
    "array": lambda: np.array(LINE, dtype=float),
    "array of rows": lambda: np.array(GRID, dtype=float),
    "array, read only": lambda: _read_only(np.array(LINE, dtype=float)),
    "array of integers": lambda: np.array(GRID),
    "array, big-endian": lambda: np.array(LINE, dtype=">f8"),
    "array of float32": lambda: np.array(LINE, dtype=np.float32),
    "array of objects": lambda: np.array([Fraction(1, 2)] * 4, dtype=object),
    "array of booleans": lambda: np.array([True, False, True, False]),
    "array of text": lambda: np.array(["1", "2"]),
    "array of dates": lambda: np.array([1, 2], dtype="M8[s]"),
    "array with nan": lambda: np.array([1.0, np.nan, 2.0, 3.0]),
    "array, empty": lambda: np.zeros((0, 2)),
    "array, 3 dimensions": lambda: np.zeros((2, 2, 2)),
    "array, 0 dimensions": lambda: np.array(1.0),
    "array of 1e300": lambda: 1e300 * np.array(LINE, dtype=float),
    "array of subnormals": lambda: 5e-324 * np.array(GRID, dtype=float),
    "array of both": lambda: np.array([[1e-279, 1.0], [1e243, 1.0], [1.0, 3.0]]),
    "masked array": lambda: np.ma.masked_equal(np.array(LINE, dtype=float), 2.0),
    "frame": lambda: Frame(np.array(GRID, dtype=float)),
    "series": lambda: Frame(np.array(LINE, dtype=float)),
    "tensor": lambda: torch.tensor(GRID, dtype=F64),
    "tensor, float32": lambda: torch.ones(4),
    "tensor of integers": lambda: torch.tensor(LINE),
    "tensor, sparse": lambda: torch.eye(2, dtype=F64).to_sparse(),
    "tensor, meta": lambda: torch.zeros(4, dtype=F64, device="meta"),
    "tensor, complex": lambda: torch.ones(4, dtype=torch.complex128),
    "column": lambda: exact(LINE),
    "row": lambda: exact([[1, "1/2"]]),
    "matrix": lambda: exact(GRID),
    "symmetric matrix": lambda: exact([[1, 0], [0, "1/9"]]),
    "empty matrix": lambda: RationalMatrix(fmpz_mat(0, 3), fmpz(1)),
    "huge matrix": lambda: exact(LINE) * fmpq(10) ** 600,
    "list of matrices": lambda: [exact([[1]]), exact([[2]])],
    "list of arrays": lambda: [np.eye(2), np.eye(2)],
    "fmpz_mat": lambda: fmpz_mat(2, 2, [1, 2, 3, 4]),
    "function": lambda: _anything,
    "class": lambda: Risk,
    "module": lambda: np,
    "object": object,
    "relu": lambda: relu,
    "leaky": lambda: leaky_relu("1/10"),
    "hard tanh": lambda: hard_tanh,
    "identity": lambda: identity,
    "tanh": lambda: tanh,
    "softsign": lambda: softsign,
    "square": lambda: square,
    "elu": elu,
    "squared": SquaredLoss,
    "mean squared": lambda: SquaredLoss(1, mean=True),
    "hinge": binary_hinge,
    "multiclass": multiclass_hinge,
    "torch loss": torch.nn.BCEWithLogitsLoss,
    "torch loss function": lambda: torch.nn.functional.mse_loss,
    "Sequential": lambda: _sequential(),
    "Sequential, float32": lambda: torch.nn.Sequential(torch.nn.Linear(1, 1)),
    "Sequential, meta": lambda: torch.nn.Sequential(torch.nn.Linear(1, 1, device="meta")).double(),
    "Sequential, empty": torch.nn.Sequential,
    "Sequential, tied": lambda: torch.nn.Sequential(*[torch.nn.Linear(1, 1)] * 2).double(),
    "torch layer": lambda: torch.nn.Linear(1, 1).double(),
    "Sequential, smooth": lambda: torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Tanh()),
    "optimizer": lambda: torch.optim.SGD(_sequential().parameters(), 0.1, weight_decay=0.1),
    "optimizer, AdamW": lambda: torch.optim.AdamW(_sequential().parameters()),
    "kernels": lambda: [np.ones((1, 2), np.float32), np.ones((2, 1))],
    "Network": lambda: Network((1, 2, 1), relu),
    "Network, deep": lambda: Network((2, 2, 2, 1), hard_tanh),
    "Network, smooth": lambda: Network((1, 2, 1), tanh),
    "Network, linear": lambda: Network((2, 2, 2), identity, bias=False),
    "Network, square": lambda: Network((1, 2, 1), square, output_activation=relu),
    "Network, no layer": lambda: Network((1, 1), ()),
    "Network, enormous": lambda: Network((10**9, 10**9, 1), relu),
    "Risk": lambda: Risk(Network((1, 2, 1), relu), LINE, [0, 1, 4, 9]),
    "Risk, plane": lambda: Risk(Network((2, 2, 1), leaky_relu("1/2")), GRID, [1, -1, -1, 1]),
    "Risk, no bias": lambda: Risk(Network((1, 2, 1), relu, bias=False), [1, 2], [1, 2]),
    "Risk, no output bias": lambda: Risk(
        Network((1, 2, 1), relu, bias=(True, False)), LINE, [1, -1, 1, -1], binary_hinge()
    ),
    "Risk, decay": lambda: Risk(Network((1, 1, 1), relu), LINE, LINE, weight_decay="1/10"),
    "Risk, decay of weights": lambda: Risk(
        Network((1, 2, 1), relu), LINE, LINE, weight_decay={"weights": "1/10"}
    ),
    "Risk, frozen": lambda: Risk(Network((1, 2, 1), relu), LINE, LINE, frozen=[True, False]),
    "Risk, frozen biases": lambda: Risk(
        Network((1, 2, 1), tanh), LINE, LINE, frozen={"biases": True}
    ),
    "Risk, deep": lambda: Risk(Network((1, 2, 2, 1), hard_tanh), LINE, LINE),
    "Risk, no layer": lambda: Risk(Network((1, 1), ()), LINE, LINE),
    "Risk, output": lambda: Risk(Network((1, 2, 1), relu, output_activation=relu), LINE, LINE),
    "Risk, smooth": lambda: Risk(Network((1, 2, 1), tanh), LINE, LINE),
    "Risk, two outputs": lambda: Risk(Network((1, 3, 2), relu), LINE, GRID),
    "Risk, hinge": lambda: Risk(Network((1, 2, 1), relu), LINE, [1, -1, 1, -1], binary_hinge()),
    "Risk, binary": lambda: Risk(
        Network((1, 2, 1), leaky_relu("1/2")), LINE, [-1, -1, 1, 1], binary_hinge()
    ),
    "Risk, classes": lambda: Risk(
        Network((1, 2, 3), leaky_relu("1/2")), LINE, [0, 1, 2, 1], multiclass_hinge([1, 2, 3, 4])
    ),
    "Risk, each class": lambda: Risk(
        Network((1, 3), ()), LINE, [0, 1, 2, 1], one_versus_all_hinge()
    ),
    "PenalisedRisk": lambda: laurent2018.PenalisedRisk(
        Risk(Network((1, 1, 2), relu), [-1, 1], [0, 1], one_versus_all_hinge()), 2
    ),
    "replicas": lambda: exact([[-1, 1], [0, 0], [2, 2], [-1, -1]]),
    "Risk, linear": lambda: Risk(
        Network((2, 2, 2), identity, bias=False), [[1, 0], [0, 1]], [[1, 0], [0, 3]]
    ),
    "Risk, linear with biases": lambda: Risk(Network((1, 1, 1), identity), LINE, LINE),
    "Risk, toy": lambda: Risk(Network((1, 1, 1), relu, bias=False), [1, "-1/2"], ["1/4", "-1/8"]),
    "Risk of 1e300": lambda: Risk(
        Network((1, 2, 1), relu), 1e300 * np.array(LINE, float), 1e300 * np.array([0, 1, 4, 9.0])
    ),
    "Risk of 1e-300": lambda: Risk(
        Network((1, 2, 1), relu), 1e-300 * np.array(LINE, float), 1e-320 * np.array([0, 1, 4, 9.0])
    ),
    "Risk of 10^600": lambda: Risk(
        Network((1, 1, 1), relu), LINE, LINE, weight_decay=fmpq(10) ** 600
    ),
    "Risk, same labels": lambda: Risk(Network((1, 2, 1), relu), LINE, [1, 1, 1, 1]),
    "Risk, tied": lambda: Risk(
        Network((2, 2, 1), two_piece(1, "1/10")),
        [[-1, -1], [-1, 1], [1, -1], [1, 1]],
        [0, -2, 0, 2],
    ),
    "Risk, solved": lambda: Risk(
        Network((1, 2, 2, 2), relu), LINE, [0, 1, 1, 0], multiclass_hinge()
    ),
    "Risk, ties": lambda: Risk(Network((2, 2, 1), relu), [*GRID[:3], [1, 1]], [0, 1, 1, 0]),
    "LabelledData": lambda: LabelledData([-1, 0, 1], [1, -1, 1]),
    "LabelledData, leaky": lambda: LabelledData(GRID, [0, 1, 2, 1], None, "1/2", 2),
    "Risk, saddle of the loss": lambda: saddle_corner_risk,
    "LogisticLoss": LogisticLoss,
    "CrossEntropyLoss": CrossEntropyLoss,
    "balls": lambda: balls(exact(GRID)),
    "Risk, cross-entropy": lambda: Risk(
        Network((1, 2, 3), leaky_relu("1/2")), LINE, [0, 1, 2, 1], CrossEntropyLoss()
    ),
    "Risk, logistic": lambda: Risk(Network((1, 2, 1), relu), LINE, [1, -1, 1, -1], LogisticLoss()),
    "HuberLoss": HuberLoss,
    "Risk, Huber": lambda: Risk(Network((1, 2, 1), relu), LINE, [0, 3, 1, 2], HuberLoss("1/2")),
    "Risk, three layers": lambda: Risk(Network((1, 2, 1, 1), hard_tanh), LINE, [0, 3, 1, 2]),
    "side": lambda: he2020.sides(hard_tanh)[0],
    "sides": lambda: he2020.sides(hard_tanh),
    "separation": lambda: he2020.separation(
        exact([1, -1, -1, 1]), exact([0, 0, 0, 0]), exact(LINE)
    ),
    "scales": lambda: ["1/9", "1/9"],
    "level and scale": lambda: (3, ["1/9"]),
    "Constants": lambda: yun2019.constants(square, [5, 1], [-12, None]),
    "place": lambda: yun2019.place(square, 1),
    "places": lambda: [yun2019.place(tanh, 1), yun2019.place(tanh, "1/2")],
    "split": lambda: yun2019.split_tie(POOL["Risk, tied"]()),
    "flat point": lambda: flat_point(
        POOL["Risk, solved"](),
        exact([1, -1, -2, 1, 1, 1, -1, -1, 0, 1, 1, "-1/2", -1, "1/2", 0, 0]),
    ),
    "escape": lambda: saddle_escape(POOL["Risk, linear"](), exact([0] * 8)),
    "TieGroup": lambda: yun2019.TieGroup(fmpq(1), (0, 1), fmpq(0), (0,)),
    "TieGroups": lambda: [yun2019.TieGroup(fmpq(1), (0, 1), fmpq(0), (0,))],
    "designed": lambda: list(itertools.islice(yun2019.designed_saddles(), 2)),
    "perturbation": lambda: laurent2018.first_perturbation(
        POOL["Risk, binary"](), exact([1, 0, -1, 0, 2, 0, 1]), 0
    ),
    "cell constants": lambda: laurent2018.cell_constants(
        cell_at(POOL["Risk, binary"](), exact([1, 0, -1, 3, 2, 0, 1]))
    ),
    "Condition": lambda: lscore.Condition("it holds", True),
    "Conditions": lambda: [lscore.Condition("it holds", True, fmpq(1, 2))],
    "Certificate": lambda: lscore.Certificate(
        "YUN-T1", "true", lscore.Verdict.UNKNOWN, "exact", reason="none"
    ),
    "activation cells": lambda: lscore.activation_cells([[0], [1]]),
}
OF_A_NETWORK = {
    "exact zero": lambda net: exact([0] * net.dimension),
    "exact point": lambda net: exact([(3 * i) % 5 - 2 for i in range(net.dimension)]),
    "exact fractions": lambda net: exact([fmpq(7 * i % 11 - 5, 8) for i in range(net.dimension)]),
    "exact huge": lambda net: exact([i - 2 for i in range(net.dimension)]) * fmpq(10) ** 600,
    "float point": lambda net: net.init(0),
    "float point of 1e300": lambda net: 1e300 * net.init(1),
    "float point of 5e-324": lambda net: net.init(1) * 0 + 5e-324,
    "float point with gradient": lambda net: net.init(0).requires_grad_(),
    "numpy point": lambda net: net.init(2).numpy(),
    "numpy point, reversed": lambda net: net.init(2).numpy()[::-1],
    "numpy point, big-endian": lambda net: net.init(2).numpy().astype(">f8"),
    "numpy point of integers": lambda net: np.arange(net.dimension) - 2,
    "numpy point of objects": lambda net: np.array([Fraction(1, 3)] * net.dimension, dtype=object),
    "numpy point with nan": lambda net: np.full(net.dimension, np.nan),
    "float32 point": lambda net: net.init(0).float(),
    "masked point": lambda net: np.ma.masked_less(net.init(2).numpy(), 0),
    "series point": lambda net: Frame(net.init(2).numpy()),
    "sparse point": lambda net: net.init(0).to_sparse(),
    "meta point": lambda net: net.init(0).to("meta"),
    "list point": lambda net: [1.0] * net.dimension,
    "row point": lambda net: exact([[1] * net.dimension]),
    "long point": lambda net: exact([1] * (net.dimension + 1)),
    "path": lambda net: [exact([k] * net.dimension) for k in (1, 0, 2)],
    "float path": lambda net: [net.init(k) for k in (0, 1)],
    "list path": lambda net: [[0.0] * net.dimension, [1.0] * net.dimension],
    "short path": lambda net: [exact([1] * net.dimension)],
}
# name -> maker of objects that come from a risk of the call
OF_A_RISK = {
    "cell": lambda risk: cell_at(
        risk, exact([fmpq(7 * i % 11 - 5, 8) + fmpq(1, 97) for i in range(risk.dimension)])
    ),
    "polynomial": lambda risk: cell_polynomial(OF_A_RISK["cell"](risk)),
    "least squares": lambda risk: yun2019.least_squares_minimum(risk),
    "affine fit": lambda risk: yun2019.affine_fit(risk),
}
EVERYTHING = [*POOL, *OF_A_NETWORK, *OF_A_RISK]


def _read_only(array):
    array.flags.writeable = False
    return array


def _anything(*arguments):
    return 1


def _sequential():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)
    ).double()


def make(names, parameters):
    """The arguments of a call by pool name; the first object with a network gives the sizes."""
    made = {p: POOL[n]() for p, n in zip(parameters, names, strict=True) if n in POOL}
    risk = next((v for v in made.values() if isinstance(v, Risk)), POOL["Risk"]())
    networks = (getattr(v, "network", v) for v in made.values())
    network = next((v for v in networks if isinstance(v, Network)), risk.network)
    if network.dimension > 100:
        network = POOL["Network"]()
    for p, n in zip(parameters, names, strict=True):
        if n in OF_A_NETWORK:
            made[p] = OF_A_NETWORK[n](network)
        elif n in OF_A_RISK:
            try:
                made[p] = OF_A_RISK[n](risk)
            except LscoreError:
                made[p] = OF_A_RISK["cell" if n == "cell" else "least squares"](POOL["Risk"]())
    return {p: made[p] for p in parameters}


PLACES = (lscore, yun2019, laurent2018, he2020, milne2019, lscore.model.hinges)


def entries():
    """Every public entry point: name -> callable (a method takes its instance first)."""
    found = {}
    for package in PLACES[:5]:
        for name in package.__all__:
            thing = getattr(package, name)
            if name == "Verdict" or (inspect.isclass(thing) and issubclass(thing, Exception)):
                continue  # an enumeration and exceptions, which are Python's
            if inspect.isclass(thing):
                found |= {f"{name}.{key}": method for key, method in methods(thing)}
            if callable(thing):
                plain = inspect.isroutine(thing) or inspect.isclass(thing)
                found[name] = thing if plain else thing.__call__
    return found | {f"HingeLoss.{key}": method for key, method in methods(HingeLoss)}


def methods(owner):
    """Public methods and operators, as (name, function)."""
    for key, method in vars(owner).items():
        if inspect.isfunction(method) and (key[0] != "_" or key in OPERATORS):
            yield key, method


OPERATORS = [
    "__call__",
    "__add__",
    "__sub__",
    "__mul__",
    "__truediv__",
    "__matmul__",
    "__getitem__",
    "__contains__",
    "__radd__",
    "__rsub__",
    "__rmatmul__",
]
ENTRIES = entries()


@cache
def parameters(name):
    """The parameters of an entry: name -> (must be given, pool names that fit its annotation)."""
    function, result = ENTRIES[name], {}
    owner = next(
        (vars(p)[name.split(".")[0]] for p in PLACES if name.split(".")[0] in vars(p)), None
    )
    hints = get_type_hints(function, include_extras=True)
    for key, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            hint = owner if key == "self" else hints.get(key, object)
            good = tuple(n for n in EVERYTHING if fits(n, hint))
            result[key] = parameter.default is parameter.empty, good
    return result


@cache
def fits(name, hint):
    try:
        check(make((name,), ("x",))["x"], kind(hint), "x")
    except LscoreError:
        return False
    return True


def fingerprint(thing, depth=0):
    """Everything that a call could change in its argument, as text."""
    if isinstance(thing, Frame):
        return fingerprint([thing.values, thing.columns])
    if isinstance(thing, torch.Tensor):
        dense = thing.layout == torch.strided and not thing.is_meta
        return f"{thing.dtype} {thing.requires_grad} {thing.tolist() if dense else thing.shape}"
    if isinstance(thing, np.ndarray):
        return (
            f"{thing.dtype} {thing.flags.writeable} {thing.tolist()} {getattr(thing, 'mask', '')}"
        )
    if isinstance(thing, torch.nn.Module):
        return f"{thing} {thing.training} {fingerprint(list(thing.parameters()))}"
    if isinstance(thing, list | tuple):
        return f"{type(thing)} {[fingerprint(v, depth + 1) for v in thing]}"
    if isinstance(thing, RationalMatrix):
        return f"{thing.numerator.tolist()} / {thing.denominator}"
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type) and depth < 6:
        values = [getattr(thing, f.name) for f in dataclasses.fields(thing)]
        return f"{type(thing)} {[fingerprint(v, depth + 1) for v in values]}"
    return repr(thing) if not inspect.isgenerator(thing) else "generator"


def surroundings():
    """What a call must leave as it was: precision, modes and random states."""
    random = np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()  # noqa: NPY002
    return ctx.prec, ctx.cap, torch.get_default_dtype(), torch.is_grad_enabled(), hash(random)


def outcome(name, chosen):
    """Runs one call: "returned", "refused", or what is wrong with it."""
    function = ENTRIES[name]
    arguments = make(tuple(chosen.values()), tuple(chosen))
    before = fingerprint(list(arguments.values())), surroundings()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = call(function, arguments)
            if inspect.isgenerator(answer) or isinstance(answer, itertools.chain):
                answer = list(itertools.islice(answer, 2))
            for text in (str(answer), repr(answer), getattr(answer, "_repr_html_", str)()):
                assert isinstance(text, str)
        result = "returned"
    except LscoreError as error:
        result = "refused" if str(error).strip() else "an error without text"
    except Exception:
        if name == "refusal":  # which passes on what its function raises
            return "returned"
        return "raw: " + traceback.format_exc(limit=-4)
    if before != (fingerprint(list(arguments.values())), surroundings()):
        return "changed: an argument, a precision or a random state is not what it was"
    return result


def call(function, arguments):
    """Positional-only parameters (of operators) need this detour."""
    signature = inspect.signature(function)
    bound = signature.bind_partial()
    bound.arguments.update({p: arguments[p] for p in signature.parameters if p in arguments})
    return function(*bound.args, **bound.kwargs)


def _serve(pipe):
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    torch.set_num_threads(1)
    while True:
        pipe.send(outcome(*pipe.recv()))


def _warm():
    """First calls that import half of torch, before the clock starts."""
    risk, w = POOL["Risk"](), torch.ones(7, dtype=F64)
    risk.directional_second_derivative(w, w)
    risk.hessian(w)
    POOL["Risk, smooth"]().hessian(w)


class Worker:
    """A process that runs calls; a new one takes over after an abort or a hang."""

    def __init__(self):
        self.process = None

    def run(self, name, chosen):
        if self.process is None:
            _warm()
            self.pipe, theirs = multiprocessing.Pipe()
            context = multiprocessing.get_context("fork")
            self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self.process.start()
            theirs.close()
        self.pipe.send((name, chosen))
        try:
            if self.pipe.poll(PATIENCE):
                return self.pipe.recv()
            result = f"hang: no answer in {PATIENCE} s"
        except EOFError:
            result = "abort: the process ended"
        self.close()
        return result

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None
