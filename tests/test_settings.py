"""Every checker in every setting: it is right, or answers unknown; it never raises.

The table has one row per public function that returns a `Certificate`, found by introspection, and
one column per setting. The settings cover every pair of values of nine features: hidden layers
(0 to 4), activation, output activation, biases, outputs, loss with its scale and weights, weight
decay, what is frozen, data (duplicates, a zero row, one sample, two inputs). Besides, most checkers
have homes, cases of their own paper in which they certify, and these are asked again with one
feature changed.
A decided answer is tested by an oracle of `oracles`, in a world of plain Fractions that shares no
code with the package. A new checker needs a row: its question, and an oracle.

Size: 78 checkers x 101 settings; 14 more take no risk and are listed as such. (`PiecewiseLinear`
has no jumps at knots, so there is no such setting.)
"""

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial
from itertools import combinations, product

import numpy as np
import oracles
import pytest
from cases import reference_residuals
from oracles import numbers
from plain import Plain

import lscore
from lscore import (
    CrossEntropyLoss,
    LogisticLoss,
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    binary_hinge,
    cell_at,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    linear,
    multiclass_hinge,
    one_versus_all_hinge,
    piecewise_linear,
    relu,
    softplus,
    square,
    tanh,
)
from lscore.algebra.matrices import stack
from lscore.cells.arrangement.units import activation_cells
from lscore.certificates import Question
from lscore.errors import (
    BudgetError,
    DataError,
    DtypeError,
    HypothesisError,
    ShapeError,
    TieError,
)
from lscore.papers.he2020 import valley_point
from lscore.papers.laurent2018 import (
    LabelledData,
    PenalisedRisk,
    first_perturbation,
    second_perturbation,
    third_perturbation,
)
from lscore.papers.yun2019 import constants, least_squares_minimum, place, split_tie

LEMMAS = (first_perturbation, second_perturbation, third_perturbation)
REFUSALS = (BudgetError, DataError, DtypeError, HypothesisError, ShapeError, TieError)

# Settings


AXES = {
    "hidden": {
        "one layer": (2,),
        "none": (),
        "two": (2, 2),
        "three": (2, 1, 2),
        "four": (2, 1, 1, 2),
        "one unit": (1,),
    },
    "activation": {
        "relu": relu,
        "leaky": leaky_relu("1/2"),
        "absolute value": absolute_value,
        "hard tanh": hard_tanh,
        "four pieces": piecewise_linear(["-1/2", 0, 1], [2, 0, 1, -1], "1/3"),
        "identity": identity,
        "constant": linear(0),
        "a knot without a bend": piecewise_linear([0], [1, 1]),
        "smooth": tanh,
    },
    "output activation": {
        "none": None,
        "relu": relu,
        "hard tanh": hard_tanh,
        "absolute value": absolute_value,
    },
    "bias": {
        "yes": lambda depth: True,
        "no": lambda depth: False,
        "all but the last layer": lambda depth: (*[True] * (depth - 1), False),
        "the last layer": lambda depth: (*[False] * (depth - 1), True),
    },
    "outputs": {"one": 1, "two": 2},
    "loss": {
        "half squares": lambda n, k: SquaredLoss(),
        "3/7 of squares": lambda n, k: SquaredLoss("3/7"),
        "half mean squares": lambda n, k: SquaredLoss("1/2", mean=True),
        "binary hinge": lambda n, k: binary_hinge(),
        "weighted binary hinge": lambda n, k: binary_hinge(["1/4", 1, "1/2"][:n]),
        "multiclass hinge": lambda n, k: multiclass_hinge(["1/4", 1, "1/2"][:n]),
        "one versus all": lambda n, k: one_versus_all_hinge(),
        "weighted one versus all": lambda n, k: one_versus_all_hinge([[1, 2], [3, 1], [1, 1]][:n]),
    },
    "weight decay": {"none": 0, "1/3": "1/3", "of weights": {"weights": "1/3"}, "first": [1]},
    "frozen": {
        "nothing": lambda depth: False,
        "the first layer": lambda depth: [True, *[False] * (depth - 1)] if depth > 1 else False,
        "the last layer": lambda depth: [*[False] * (depth - 1), True] if depth > 1 else False,
        "the biases": lambda depth: {"biases": True},
    },
    "data": {
        "line": [[-1], ["1/2"], [2]],
        "duplicates": [[1], [1], [-2]],
        "a zero row": [[0], [1], [-1]],
        "one sample": [["3/2"]],
        "plane": [[1, 0], [0, 1], ["1/2", -1]],
    },
}
BASE = {axis: next(iter(values)) for axis, values in AXES.items()}


def exists(setting):
    """Whether there is such a risk: a binary hinge has one output, the others several."""
    loss, outputs = setting["loss"], setting["outputs"]
    if "binary" in loss:
        return outputs == "one"
    return outputs == "two" if loss in ("multiclass hinge", *ONE_VERSUS_ALL) else True


ONE_VERSUS_ALL = ("one versus all", "weighted one versus all")


def pairs_of(setting):
    return set(combinations(sorted(setting.items()), 2))


def all_pairs():
    """Every pair of values of two features that some risk has."""
    found = set()
    for first, second in combinations(AXES, 2):
        for a, b in product(AXES[first], AXES[second]):
            pair = {first: a, second: b}
            outputs = [pair["outputs"]] if "outputs" in pair else AXES["outputs"]
            losses = [pair["loss"]] if "loss" in pair else AXES["loss"]
            if any(exists({"outputs": k, "loss": l}) for k in outputs for l in losses):
                found.add(tuple(sorted(pair.items())))
    return found


def settings():
    """A list that covers `all_pairs`: the base, one feature changed, then greedily the rest."""
    found = [BASE]
    for axis, values in AXES.items():
        found += [BASE | {axis: value} for value in values if value != BASE[axis]]
    for setting in found:
        setting["outputs"] = setting["outputs"] if exists(setting) else "two"
    left = all_pairs().difference(*map(pairs_of, found))
    rng = np.random.default_rng(0)
    while left:
        trials = []
        for pair in sorted(left)[:8] * 8:
            setting = {axis: str(rng.choice(list(values))) for axis, values in AXES.items()}
            setting |= dict(pair)
            if exists(setting):
                trials.append(setting)
        best = max(trials, key=lambda s: len(pairs_of(s) & left), default=BASE)
        found.append(best)
        left -= pairs_of(best)
    return found


@dataclass
class Case:
    """A risk, points to ask about, and the same in the plain world."""

    risk: Risk
    points: list
    rng: object = field(default_factory=lambda: np.random.default_rng(0))

    @cached_property
    def plain(self):
        return Plain(self.risk)

    def other(self, w):
        """A second point: the output layer has moved."""
        m, last = self.risk.dimension, len(self.risk.network.unpack(w)[-1].weight.entries())
        steps = self.rng.integers(-1, 2, m).tolist()
        cut = m - last - self.risk.network.widths[-1] * self.risk.network.biases[-1]
        return w + exact([0 if j < cut else steps[j] for j in range(m)]) / 2


def case_of(setting, seed):
    """A small risk with these features, and three points: on a grid, in general position, at rest.

    At rest all weights of the first layer are 0 and the output bias is the mean label.
    """
    value = {axis: AXES[axis][name] for axis, name in setting.items()}
    rng, X, k = np.random.default_rng(seed), value["data"], value["outputs"]
    widths = (len(X[0]), *value["hidden"], k)
    network = Network(
        widths, value["activation"] if value["hidden"] else (), value["bias"](len(widths) - 1),
        value["output activation"],
    )  # fmt: skip
    loss, n = value["loss"](len(X), k), len(X)
    if isinstance(loss, SquaredLoss):
        y = [[2, 1], [-1, 0], ["1/2", -1]][:n]
        y = [row[:k] for row in y]
    else:
        y = [[1, -1, 1], [0, 1, 0]][k - 1][:n]
    decay = value["weight decay"]
    decay = decay + [0] * (len(widths) - 2) if isinstance(decay, list) else decay
    risk = Risk(network, X, y, loss, decay, value["frozen"](len(widths) - 1))
    m = risk.dimension
    grid = exact(rng.integers(-1, 2, m).tolist())
    free = exact([Fraction(int(v), 7) for v in rng.integers(-12, 13, m)])
    return Case(risk, [grid, free, resting_point(risk)], rng)


def resting_point(risk):
    """First layer weights 0, its biases 1; the output layer 0 with the mean labels as its bias."""
    w = [0] * risk.dimension
    d, first, k = risk.network.widths[0], risk.network.widths[1], risk.network.widths[-1]
    if risk.network.biases[0]:
        w[d * first : d * first + first] = [1] * first
    if risk.network.biases[-1]:
        means = [sum(column) / len(risk.y) for column in zip(*risk.y.tolist(), strict=True)]
        w[-k:] = [Fraction(v) for v in means]
    return exact(w)


SETTINGS = settings()

# Homes: a case in which the checker certifies, and the same with one feature changed


def homes():
    """Per checker the cases of its own paper: a risk and points."""
    line, signs, softmax = [-1, 0, 1], [1, -1, 1], CrossEntropyLoss()
    parabola = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    tied = Risk(Network((1, 2, 1), relu), line, [1, -2, 1])
    flat = Risk(Network((1, 2, 1), leaky_relu("1/4")), line, signs, binary_hinge())
    even = Risk(Network((2, 1, 1), leaky_relu("1/4")), [[-1, 1], [1, 1], [0, -1]], [1, 1, -1],
                binary_hinge(["1/4", "1/4", "1/2"]))  # fmt: skip
    pair = Risk(Network((1, 1, 1), relu), [0, 1], [-1, 1], binary_hinge())
    deep = Risk(Network((1, 1, 1, 1), relu), [1, 2, 3, 4], [0, 0, 0, 0])
    three = Risk(Network((1, 1, 1, 1), relu), [1], [0])
    half = SquaredLoss("1/2", mean=True)
    classes = Risk(Network((1, 2, 2), leaky_relu("1/2")), [0, 1, 1, 2], [0, 0, 1, 1], softmax)
    mixed = replace(classes, y=[0, 1, 0, 1])
    signs_of = Risk(Network((1, 2, 1), leaky_relu("1/2")), line, signs, LogisticLoss())
    milne = Risk(Network((1, 1, 1), relu, bias=False), [1], ["1/2"], half, "1/4")
    toy = Risk(Network((1, 2, 1), relu, bias=False), [1], ["1/4"], half, 1)
    both_sides = Risk(toy.network, [1, -1], ["1/2", "-1/2"], half, "3/10")
    unit_square = [[1, 0], [0, 1]]
    chain = Risk(Network((2, 2, 2), identity, bias=False), unit_square, unit_square)
    narrow = Risk(Network((2, 1, 2), identity, bias=False), unit_square, [[2, 0], [0, 1]])
    valley = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1])
    wire = Risk(Network((1, 1), (), bias=False, output_activation=relu), [1, -1], [1, 5], half)
    slack = Risk(Network((1, 1, 1), relu), [0, 2], [-1, 1], binary_hinge())
    two_classes = Risk(Network((1, 1, 2), relu), [-1, 1], [0, 1], one_versus_all_hinge())
    corners = [[0, 0], [2, 2], [0, 2], [2, 0], [3, 3]]
    plane = Risk(Network((2, 1, 1), identity), corners, [1, 1, -1, -1, 1], binary_hinge())
    fit = [least_squares_minimum(parabola), exact([0, 0, -1, -1, 1, 2, "7/2"])]
    standing = [exact([1, 1, 2, 2, 1, -1, 1]), exact([1, -1, "-1/2", "-1/2", 6, 6, -2])]
    weighted = replace(flat, loss=binary_hinge(["1/4", "1/2", "1/4"]))
    straight = Risk(Network((1, 1, 1), relu, bias=False), [1, 2], [0, 5])
    network, hinge = Network((1, 1, 2), leaky_relu("1/2")), one_versus_all_hinge([3, 2, 1])
    three_points = Risk(network, [1, 2, -1], [0, 1, 1], hinge)
    minima = [
        (parabola, fit),
        (straight, [exact([2, 1])]),
        (flat, standing),
        (weighted, [exact([1, 1, 2, 2, "1/2", 0, "-9/8"])]),  # outputs of both signs, none solved
    ]
    bare = Risk(Network((1, 2, 1), leaky_relu("1/4"), bias=False), [1, 2], [1, -1], binary_hinge())
    below = Risk(Network((1, 1, 1), relu), [1], [-1])
    across = [exact([0, 0, 0, 1]), exact([0, 0, 0, -1])]  # the output changes its sign
    linear_points = [exact(v) for v in ([0] * 8, [1, 0, 0, 1] * 2, [1, 0, 0, 0] * 2)]
    ends = exact([1, 1, 4, -6]), exact([-1, 2, -4, 6])
    curved = exact([10, 0, "1/20", -1, 1, 0]), exact(["1/20", 0, 10, -1, 1, 0])
    apart = exact([1, 1, -1, "7/2", 1, 0]), exact([-1, 6, 1, "-7/2", 1, 0])
    return {
        "certify_affine_minimum": minima,
        "certify_bad_valley": [(valley, [exact(["-1/2", 2, -1, "11/6"]), exact([1, -1, 1, 0])])],
        "certify_barrier": [(valley, [exact(["-1/2", 2, -1, "11/6"]), exact([1, -1, 1, 0])])],
        "certify_bottleneck_minimum": [(narrow, [exact([1, 0, 2, 0])])],
        "certify_crossing": [(wire, [exact([0])])],
        "certify_decay": [(wire, [exact(["3/2"])])],
        "certify_convex_path": [(below, across)],
        "certify_minimum_near": minima[:2],
        "certify_never_flat": [(classes, [exact([0] * 10)])],
        "certify_no_minimum": [(classes, [exact([0] * 10)])],
        "certify_overlap": [(r, [exact([0] * r.dimension)]) for r in (mixed, classes, signs_of)],
        "certify_spurious_near": [(parabola, [fit[0], exact([1, 1, 1, "-3/2", 1, 4, -1])])],
        "certify_nonincreasing": [(below, across)],
        "certify_group_sums": [(tied, [exact([0] * 7)])],
        "certify_saddle": [(chain, linear_points)],
        "certify_split": [(tied, [exact([0] * 7)])],
        "certify_spurious": minima,
        "certify_better_function": minima,
        "certify_flat_dimension": minima,
        "certify_valley": [(parabola, fit)],
        "certify_spurious_minimum": minima,
        "certify_strict_saddle": [(chain, linear_points)],
        "certify_transfer": [(chain, linear_points[1:2])],
        "certify_saddle_or_minimum": [(chain, linear_points)],
        "certify_autograd": minima,
        "certify_layer_balance": [(milne, [exact(["1/2", "1/2"])])],
        "certify_disconnected": [(pair, ends), (deep, apart)],
        "certify_flat": [(flat, [exact([0, 0, -1, -1, 1, 2, 0])]), (pair, [exact([4, 1, 1, -3])])],
        "certify_smooth_extremum": [(pair, [exact([4, 1, 1, -3])])],
        "certify_flat_is_optimal": [(flat, standing), (bare, [exact([1, 1, 1, 1])])],
        "certify_hinge_minimum": minima,
        "certify_kink_minimum": minima,
        "certify_linear_hinge_minimum": [(plane, [exact(["1/2", "1/2", 0, 1, -2])])],
        "certify_local_minimum": minima,
        "certify_lowest_in_cell": minima,
        "certify_sharp_minimum": [(flat, standing), (three_points, [exact([1, -1, -2, 2, 1, -1])])],
        "certify_membership": [(milne, [exact([1, "1/2"]), exact([0, 0])])],
        "certify_minimizers_inside": [(toy, [exact([0] * 4)])],
        "certify_curvature_bound": [(milne, [exact(["1/4", "1/4"])])],
        "certify_strong_convexity": [(milne, [exact([1, "1/2"]), exact(["1/8", "1/8"])])],
        "certify_not_convex": [(three, curved), (pair, ends)],
        "certify_only_minimum": [(toy, [exact([0] * 4)]), (both_sides, [exact([0] * 4)])],
        "certify_penalised_critical": [(two_classes, [exact([1, 1, -1, 1, 1, -1])])],
        "certify_penalised_minimum": [(two_classes, [exact([1, 1, -1, 1, 1, -1])])],
        "certify_subgradient": minima,
        "certify_touches_flat": [(flat, standing), (slack, [exact([1, 0, 1, -1])])],
        "certify_no_bad_minima": [(even, [exact([1, 0, 3, 0, 1]), exact([1, 0, 3, 1, 0])])],
        "certify_dead_data": [
            (
                replace(even, network=Network((2, 1, 1), relu)),
                [exact([1, 0, -3, 1, 0]), exact([1, 0, 0, 1, 0])],
            )
        ],
        "certify_separable": [(even, [exact([1, 0, 3, 0, 1])])],
        "certify_not_critical": [(even, [exact([1, 0, -3, 2, 1]), exact([1, 0, 0, 1, 0])])],
        "certify_trained_to_zero": [(toy, [exact([0] * 4)])],
    } | {
        name: [
            (Risk(Network((2, 2, 1), h), parabola.X.expand(4, 2), parabola.y), [exact([0] * 9)])
            for h in (square, softplus)
        ]
        for name in ("certify_smooth_minimum", "certify_three_points", "certify_zero_risk")
    }


def changes(risk, w):
    """The risk, and the same with one feature changed that leaves its parameters alone.

    With another activation also for labels that tempt: the residuals at w are then orthogonal to
    every affine function of the inputs.
    """
    network, k = risk.network, risk.network.widths[-1]
    yield risk
    bent = [replace(network, output_activation=h) for h in AXES["output activation"].values()]
    if network.activations:
        bent += [replace(network, activation=h) for h in AXES["activation"].values()]
    for other in bent:
        changed = replace(risk, network=other)
        yield changed
        if isinstance(risk.loss, SquaredLoss) and k == 1 and not Plain(changed).smooth:
            yield replace(changed, y=exact(tempting_labels(changed, w)))
    some = [j % 3 == 1 for j in range(risk.dimension)]
    yield replace(risk, frozen=some)
    yield replace(risk, frozen=[not still for still in some]) if any(some) else risk
    several = [Fraction(j % 3, 10) for j in range(risk.dimension)]
    for decay in (0, "1/100", 1, several):
        yield replace(risk, weight_decay=decay)
    n, X, y = len(risk.X), risk.exact_X, risk.exact_y
    for again in (X.rows(0, 1), X.rows(0, 1) * 0):
        more = stack([X, again]), stack([y, y.rows(0, 1)])
        if getattr(risk.loss, "weights", None) is None:
            yield replace(risk, X=more[0], y=more[1])
    signs = [2 * int(v > 0) - 1 for v in y.column(0).entries()]
    for name, loss in AXES["loss"].items():
        if exists({"loss": name, "outputs": ["one", "two"][k - 1]}) and not (
            n > 3 and "weighted" in name
        ):
            loss = loss(n, k)
            classes = signs if k == 1 else [i % 2 for i in range(n)]
            labels = y if isinstance(loss, SquaredLoss) else classes
            yield Risk(network, X, labels, loss, risk.weight_decay, risk.frozen)


def tempting_labels(risk, w):
    """The outputs at w minus residuals that no affine (or, without bias, linear) map sees."""
    P = Plain(risk)
    design = [[*x, 1] if any(P.biases) else x for x in P.X]
    left = reference_residuals(design, [Fraction(i * i + 1) for i in range(len(P.X))])
    return [row[0] - r for row, r in zip(P.outputs(w), left, strict=True)]


HOMES = homes()

# Rows: how a checker is asked in a setting, and the oracle for its answer


def at_points(check, *arguments, **keywords):
    """Ask f(risk, w) at each point."""

    def row(f, case):
        for w in case.points:
            yield (
                partial(f, case.risk, w, *arguments, **keywords),
                partial(check, case.plain, numbers(w)),
            )

    return row


def made(construct, *arguments):
    """What a construction gives to ask about, as a list of one; empty where it refuses."""
    try:
        return [construct(*arguments)]
    except REFUSALS:
        return []


def in_cells(check, largest=99):
    """Ask f(cell of w) at each point, if there are few enough parameters."""

    def row(f, case):
        for w in case.points if case.risk.dimension <= largest else []:
            for cell in made(cell_at, case.risk, w):
                yield partial(f, cell), partial(check, case.plain, numbers(w))

    return row


def at_cells(check, largest=40):
    """Ask f(cell, w) at each point inside its cell, if there are few enough parameters."""

    def row(f, case):
        for w in case.points if case.risk.dimension <= largest else []:
            for cell in made(cell_at, case.risk, w):
                yield partial(f, cell, w), partial(check, case.plain, numbers(w))

    return row


def on_paths(check):
    """Ask f(risk, [w, v]) for the second points v, and for a grid point."""

    def row(f, case):
        for w in case.points:
            for v in (case.other(w), case.points[0]):
                ends = [numbers(w), numbers(v)]
                yield partial(f, case.risk, [w, v]), partial(check, case.plain, ends)

    return row


def of_pairs(check):
    """Ask f(risk, a, b) for pairs of points: with a second point, and with points[1]."""

    def row(f, case):
        for w in case.points[:2]:
            for v in (case.other(w), case.points[1]):
                ends = [numbers(w), numbers(v)]
                yield partial(f, case.risk, w, v), partial(check, case.plain, ends)

    return row


def of_the_risk(check, *arguments):
    def row(f, case):
        yield partial(f, case.risk, *arguments), partial(check, case.plain, numbers(case.points[0]))

    return row


def along_valleys(f, case):
    """Ask f(risk, first, last) for two ends that suit small data, and look half way."""
    layers = len(case.risk.network.activations)
    ends = [(level, [f"1/{10 * level}"] * layers) for level in (900, 2000)]
    for w in made(valley_point, case.risk, "1/2", *ends) or case.points[:1]:
        yield (
            partial(f, case.risk, *ends),
            partial(oracles.local_minimum, case.plain, numbers(w)),
        )


def along_directions(f, case):
    for w in case.points:
        for _ in range(3):
            u = case.rng.integers(-2, 3, case.risk.dimension).tolist()
            u = case.risk.freed(exact(u))
            yield (
                partial(f, case.risk, w, u),
                partial(oracles.local_minimum, case.plain, numbers(w)),
            )


def of_a_run(f, case):
    a, b = case.points[:2]
    points = [a, b, case.other(b)]
    yield (
        partial(f, case.risk, points, "1/2"),
        partial(oracles.loss_change, case.plain, list(map(numbers, points))),
    )


def forms_elsewhere(f, case):
    for w in case.points:
        for cell, v in product(made(cell_at, case.risk, w), (w, case.other(w))):
            yield (
                partial(f, cell, v),
                partial(oracles.forms, case.plain, numbers(w), at=numbers(v)),
            )


def with_and_without_point(f, case):
    yield from of_the_risk(oracles.flat_is_optimal)(f, case)
    yield from at_points(oracles.flat_is_optimal)(f, case)


def of_a_split(f, case):
    for split in made(split_tie, case.risk):
        yield (
            partial(f, case.risk, split),
            partial(oracles.split, case.plain, numbers(case.points[0])),
        )


def of_labelled_data(f, case):
    for data in made(LabelledData.of, case.risk):
        yield partial(f, data), partial(oracles.generic, case.plain, numbers(case.points[0]))


def of_perturbations(f, case):
    """The three lemmas at every point, for the first unit."""
    for w, lemma in product(case.points, LEMMAS):
        for found in made(lemma, case.risk, w, 0):
            check = partial(oracles.falls, case.plain, numbers(w), perturbation=found)
            yield partial(f, found), check


def of_the_network(f, case):
    yield (
        partial(f, case.risk.network),
        partial(oracles.one_cell, case.plain, numbers(case.points[0])),
    )


def of_a_product(f, case):
    d = case.risk.network.widths
    R = case.rng.integers(-1, 2, (d[-1], d[0])).tolist()
    for w in case.points:
        for layer in (1, len(d) - 1):
            yield (
                partial(f, case.risk.network, w, layer, R, 100),
                partial(oracles.transfer, case.plain, numbers(w), R=R),
            )


def of_the_inputs(f, case):
    listed = activation_cells(case.risk.exact_X, case.risk.network.biases[0], progress=False)
    yield partial(f, listed), partial(oracles.patterns, case.plain, [], listed=listed)


def of_replicas(check, **keywords):
    """The replicas that agree with a point, and others; parts written from the definition."""

    def row(f, case):
        risk = case.risk
        if not made(PenalisedRisk, risk):
            yield partial(f, risk, exact([[0, 1]]), **keywords), None
            return
        mu = risk.loss.term_weights(*risk.y.shape)
        one = replace(risk.network, widths=(*risk.network.widths[:-1], 1))
        parts = [
            Plain(Risk(one, risk.exact_X, risk.exact_y.column(r), binary_hinge(mu.column(r))))
            for r in range(risk.y.shape[1])
        ]
        for w in case.points:
            W = PenalisedRisk(risk).replicated(w)
            other = exact(case.rng.integers(-1, 2, W.shape).tolist())
            for replicas in (W, W + other):
                about = partial(check, case.plain, oracles.columns(replicas))
                yield (
                    partial(f, risk, replicas, **keywords),
                    partial(about, dimension=risk.dimension, parts=parts),
                )

    return row


def of_matrices(f, case):
    n = len(case.risk.X)
    for D in (case.rng.integers(-1, 2, (n, 2)).tolist(), [[0, 0]] * n):
        yield (
            partial(f, exact(D), case.risk.exact_X),
            partial(oracles.weighted_sum, case.plain, [], diagonals=D),
        )


def activation_of(case):
    return (*case.risk.network.activations, identity)[0]


def once(key):
    """Marks a row that depends on this part of a case only."""

    def mark(row):
        row.key = key
        return row

    return mark


@once(activation_of)
def of_the_activation(f, case):
    h = activation_of(case)
    yield partial(f, h), partial(oracles.zero_risk, h)


@once(activation_of)
def of_constants(f, case):
    h = activation_of(case)
    for v, u in (([1, 1], [1, "-1/5"]), ([0, 0], [1, 1]), ([1, 1], ["1/6", "1/6"])):
        for c in made(constants, h, v, u):
            yield partial(f, c), partial(oracles.three_points, c.risk, c.point())


@once(activation_of)
def of_places(f, case):
    h = activation_of(case)
    for places in made(lambda: [place(h, v) for v in (1, 0, 2, 0)]):
        yield partial(f, h, places), partial(oracles.zero_risk, h)


def of_the_labels(check):
    """Ask f(risk), with an oracle that reads the risk itself: cross-entropy is no plain one."""

    def row(f, case):
        yield partial(f, case.risk), lambda answer, rng: check(case.risk, answer)

    return row


ROWS = {
    "ActivationCells.certify": of_the_inputs,
    "certify_affine_minimum": at_points(oracles.local_minimum),
    "certify_backpropagation": at_points(oracles.backpropagation),
    "certify_bad_valley": at_points(oracles.bad_valley),
    "certify_balance": at_points(oracles.local_minimum),
    "certify_barrier": at_points(oracles.barrier),
    "certify_better_function": at_points(oracles.better_function),
    "certify_flat_dimension": at_points(oracles.flat_dimension),
    "certify_valley": along_valleys,
    "certify_bottleneck_minimum": at_points(oracles.bottleneck),
    "certify_convex_path": on_paths(oracles.path),
    "certify_crossing": at_points(oracles.crossing),
    "certify_decay": at_points(oracles.decay, "3/2", "3/4"),
    "certify_forms": forms_elsewhere,
    "certify_group_sums": of_the_risk(oracles.group_sums),
    "certify_linear_collapse": of_the_network,
    "certify_loss_change": of_a_run,
    "certify_minimum_near": at_points(oracles.minimum_near),
    "certify_never_flat": of_the_labels(oracles.never_flat),
    "certify_no_minimum": of_the_labels(oracles.no_minimum),
    "certify_overlap": of_the_labels(oracles.overlap),
    "certify_spurious_near": of_pairs(oracles.spurious_near),
    "certify_minibatch_mean": at_points(oracles.minibatch_mean, 1),
    "certify_multilinear": in_cells(oracles.multilinear),
    "certify_cell_constants": in_cells(oracles.cell_constants),
    "certify_dead_data": at_points(oracles.dead_data),
    "certify_fall": of_perturbations,
    "certify_no_bad_minima": at_points(oracles.no_bad_minima),
    "certify_not_critical": at_points(oracles.not_critical),
    "certify_separable": of_the_risk(oracles.separable),
    "certify_nonincreasing": on_paths(oracles.path),
    "certify_printed_fit": of_places,
    "certify_saddle": at_points(oracles.critical_type),
    "certify_second_derivative": at_points(oracles.second_derivative),
    "certify_smooth_minimum": of_constants,
    "certify_split": of_a_split,
    "certify_spurious": at_points(oracles.spurious),
    "certify_spurious_minimum": at_points(oracles.spurious),
    "certify_strict_saddle": at_points(oracles.strict_saddle),
    "certify_three_points": of_constants,
    "certify_transfer": of_a_product,
    "certify_two_backpropagations": in_cells(oracles.two_backpropagations, largest=8),
    "certify_zero_risk": of_the_activation,
    "certify_saddle_or_minimum": at_points(oracles.critical_type),
    "certify_autograd": at_points(oracles.autograd),
    "certify_layer_balance": at_points(oracles.balance),
    "certify_disconnected": of_pairs(oracles.disconnected),
    "certify_flat": in_cells(oracles.flat),
    "certify_flat_is_optimal": with_and_without_point,
    "certify_generic": of_labelled_data,
    "certify_hinge_minimum": at_points(oracles.local_minimum),
    "certify_in_balls": at_points(oracles.local_minimum),
    "certify_in_cell": at_points(oracles.in_cell),
    "certify_indefinite": at_points(oracles.indefinite),
    "certify_kink_minimum": at_points(oracles.local_minimum),
    "certify_layerwise_affine": in_cells(oracles.layerwise_affine),
    "certify_local_minimum": at_points(oracles.local_minimum, trials=6, limit=2),
    "certify_membership": at_points(oracles.membership),
    "certify_minimizers_inside": of_the_risk(oracles.minimizers_inside),
    "certify_curvature_bound": at_cells(oracles.curvature_bound),
    "certify_strong_convexity": at_points(oracles.strong_convexity),
    "certify_lowest_in_cell": at_points(oracles.local_minimum),
    "certify_mirrored_spectrum": at_points(oracles.mirrored),
    "certify_not_convex": of_pairs(oracles.not_convex),
    "certify_null_walls": at_points(oracles.null_walls),
    "certify_only_minimum": of_the_risk(oracles.only_minimum),
    "certify_sharp_minimum": at_points(oracles.local_minimum),
    "certify_smooth": at_points(oracles.smooth_outputs),
    "certify_smooth_extremum": at_points(oracles.extremum),
    "certify_smooth_maximum": at_points(oracles.extremum),
    "certify_subgradient": at_points(oracles.subgradient, tie_limit=8, limit=128),
    "certify_touches_flat": at_points(oracles.touches_flat, limit=64),
    "certify_trained_to_zero": of_the_risk(oracles.trained_to_zero, "1/10", 1),
    "certify_along": along_directions,
    "certify_linear_hinge_minimum": at_points(oracles.convex_minimum),
    "certify_penalised_critical": of_replicas(oracles.critical_replicas, tie_limit=8, limit=128),
    "certify_penalised_minimum": of_replicas(oracles.penalised_minimum, trials=6),
    "certify_vanishing": of_matrices,
}
WITHOUT_RISK = {
    "Surface.certify": "a listing that is made, see tests/surface",
    "certify_absolute_minimum": "one fixed linear network with the absolute loss",
    "certify_affine_run": "the kernel of certify_affine_minimum, for a pass that is done",
    "certify_balanced_run": "the kernel of certify_balance, for a pass that is done",
    "certify_bend_criterion": "polynomials of the book",
    "certify_corner_minimum": "one fixed linear network with two losses",
    "certify_every_draw": "numbers that bound all data of the toy regression",
    "certify_lemma_a3": "polynomials of the paper",
    "certify_lemma_a4": "polynomials of the paper",
    "certify_lemma_a5": "polynomials of the paper",
    "certify_separation": "numbers, values and inputs",
    "certify_share": "balls at recorded points",
    "certify_two_layers": "one fixed network",
    "certify_two_outputs": "one fixed network",
}


def checkers():
    """Every public function and method of lscore that returns a `Certificate`, by name."""
    found = {}
    for info in pkgutil.walk_packages(lscore.__path__, "lscore."):
        module = importlib.import_module(info.name)
        for name, value in list(vars(module).items()):
            if getattr(value, "__module__", "") != info.name or name.startswith("_"):
                continue
            if value is Question:  # writes down what checkers found
                continue
            functions = {name: value}
            if inspect.isclass(value):
                functions = {
                    f"{name}.{k}": f
                    for k, f in vars(value).items()
                    if inspect.isfunction(f) and not k.startswith("_")
                }
            for key, f in functions.items():
                if inspect.isfunction(f):
                    returned = str(inspect.signature(f).return_annotation)
                    if re.search(r"\bCertificate\b", returned):
                        assert key not in found, f"two checkers are called {key}"
                        found[key] = f
    return found


CHECKERS = checkers()


def test_every_checker_has_a_row():
    assert not set(ROWS) & set(WITHOUT_RISK)
    assert set(CHECKERS) == set(ROWS) | set(WITHOUT_RISK)


def test_the_size_is_as_stated():
    numbers_stated = re.search(r"(\d+) checkers x (\d+) settings; (\d+) more", __doc__).groups()
    assert tuple(map(int, numbers_stated)) == (len(ROWS), len(SETTINGS), len(WITHOUT_RISK))


def test_the_settings_cover_every_pair_of_features():
    assert all_pairs() <= set().union(*map(pairs_of, SETTINGS))


@pytest.mark.parametrize("name", ROWS)
def test_a_decided_answer_is_right_in_every_setting(name):
    cases = [case_of(setting, seed) for seed, setting in enumerate(SETTINGS)]
    cases += [
        Case(risk, list(points))
        for home, points in HOMES.get(name, [])
        for risk in changes(home, points[0])
    ]
    if hasattr(ROWS[name], "key"):
        cases = {ROWS[name].key(case): case for case in cases}.values()
    seen = Counter()
    for case in cases:
        for ask, check in ROWS[name](CHECKERS[name], case):
            answer = ask()
            seen[answer.verdict] += 1
            if answer.verdict != "unknown":
                try:
                    check(answer, case.rng)
                except AssertionError as error:
                    raise AssertionError(f"{case.risk}\n{answer}") from error
    assert seen["refuted" if name in ("certify_along", "certify_in_balls") else "certified"]
