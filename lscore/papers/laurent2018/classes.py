r"""Three or more classes: certified points at which the conclusion of Theorem 6 fails (LVB-F5).

Laurent and von Brecht (2018), Figure 5, shows a local minimum with data that are *active yet
unsolved*: not all their margins are solved, although a unit that is used sees them. Here are such
points in rationals. Their data can be solved by a network of the same width, and the construction
of that network is here too; so are two equal halves of a unit, which make a minimum none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, ones, stack, zeros
from lscore.cells.pattern import locate
from lscore.errors import BudgetError, DataError, HypothesisError, ShapeError
from lscore.model.activations import relu
from lscore.model.hinges import multiclass_hinge, one_versus_all_hinge
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting
from lscore.papers.laurent2018.separable import check_unit

CLAIM = "LVB-F5"
_SETTING = Setting(
    hidden=1,
    biases=True,
    output_activation=False,
    activations=("homogeneous",),
    loss="hinge loss",
    weight_decay=False,
)
_SQUARE = [(2, 1), (2, -1), (-1, 2), (1, 2), (-2, 1), (-2, -1), (-1, -2), (1, -2)]
_CROSS = [(3, 1), (3, -1), (2, 0), (1, 3), (-1, 3), (0, 2)]
_THREE = [(16, 13), (17, -13), (31, -4), (-24, 15), (3, 21), (-14, 29), (3, -26), (-22, -9),
          (-14, -24)]  # fmt: skip
_SLOPES = ("373/34132", "1/212", 0)

# name -> samples in the order of their classes, number of classes, per unit its input weights,
# bias and output weights, and the output biases. A second unit that is left out is dead.
_POINTS = {
    "S8": (
        [(2, 3), (2, 0), (-4, 5), (-4, 2), (-5, 1), (-2, -1), (-1, -2), (4, -2)], 4,
        [(2, 3, 9, "4/15", "2/15", "-11/25", 0)], ["-46/15", "-17/15", "47/25", 0],
    ),
    "S12": (
        [(19, 13), (20, -13), (32, 2), (-8, 22), (7, 17), (0, 27), (-17, -9), (-20, 11), (-29, 3),
         (7, -17), (-9, -17), (1, -30)], 4,
        [(-2, 7, 213, "-1/26", 0, "-77/3354", "-287/4472")],
        ["-1709/559", "-7987/559", "-11042/1677", 0],
    ),
    "S9": (_THREE, 3, [(15, 8, 403, *_SLOPES)], ["-158525/34132", "-213/212", 0]),
    "alive": (
        [*_THREE, (-100, 5), (-104, 0), (-104, 9)], 4,
        [(15, 8, 2403, *_SLOPES, 0), (-1, 0, -60, 0, 0, 0, 1)],
        ["-904525/34132", "-2213/212", 0, -30],
    ),
    "O8": (_SQUARE, 4, [(2, -1, 6, "2/3", "-1/4", "-2/3", "1/4")], [-5, "3/2", 3, "-3/2"]),
    "O12": (
        [*_CROSS, *((-x, -y) for x, y in _CROSS)], 4,
        [(1, 1, 5, "1/2", "1/2", "-1/2", "-1/2")], ["-5/2", "-5/2", "5/2", "5/2"],
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ActiveMinimum:
    """A risk of two ReLU units and an exact `point` of it with active yet unsolved data."""

    risk: Risk
    point: RationalMatrix


@checked
def active_minimum(name: str) -> ActiveMinimum:
    r"""One of the certified points of LVB-F5: `name` is S8, S12, S9, alive, O8 or O12.

    S: multiclass hinge with :math:`\mu = 1/n`, one living unit that is on at all 8, 12 or 9 samples
    of 4, 4 or 3 classes, and a dead one. *alive* adds a class to S9 that its second unit solves. O:
    one versus all, with weights that give half to each side of every class. Raises `DataError` for
    another name.

    >>> found = active_minimum("O12")
    >>> found.risk(found.point), found.risk.network.widths
    (14/9, (2, 2, 4))
    """
    if name not in _POINTS:
        raise DataError(f"name: got {name!r}, need one of {', '.join(_POINTS)}")
    X, classes, units, c = _POINTS[name]
    own = len(X) // classes
    labels = [i // own for i in range(len(X))]
    one, all_others = fmpq(1, 2 * own), fmpq(1, 2 * (len(X) - own))
    weights = [[one if r == label else all_others for r in range(classes)] for label in labels]
    loss = one_versus_all_hinge(weights) if name[0] == "O" else multiclass_hinge()
    dead = (0, 0, -1, *[0] * classes)
    first, second = [*units, dead][:2]
    network = Network((2, 2, classes), relu)
    inputs, outputs = exact([first[:2], second[:2]]), exact([first[3:], second[3:]]).T
    point = network.pack([inputs, outputs], [exact([first[2], second[2]]), exact(c)])
    return ActiveMinimum(Risk(network, X, labels, loss), point)


@checked
def active_unsolved(risk: Risk, w: Point | np.ndarray) -> list[tuple[int, int, int]]:
    r"""The (sample i, class r, unit k) with an unsolved margin that a living unit moves.

    The margin of sample i against class r (one versus all: for class r) is positive, the unit is
    on, :math:`h_{ik} > 0`, and its output weights change that margin. At critical points of two
    classes, separable data and ReLU, there are none: Theorem 6. One hidden layer, hinge losses.
    Raises `HypothesisError` for other risks.

    >>> found = active_minimum("O8")
    >>> active_unsolved(found.risk, found.point)[:2]
    [(0, 1, 0), (0, 3, 0)]
    """
    _SETTING.require(risk, CLAIM)
    w = locate(risk, w)
    pre, V = w.run.pre[0], w.run.layers[1].weight * risk.network.activations[0].slopes[-1]
    found = []
    for i, j in np.argwhere(w.pattern.layers[-1] == 2).tolist():
        line = risk.margin_lines[i, j]
        r = int(np.flatnonzero(line > 0 if (line > 0).any() else line)[0])
        change = (exact([line.tolist()]) @ V).entries()
        found += [(i, r, k) for k, v in enumerate(change) if v and pre[i, k] > 0]
    return sorted(found)


@checked
def separating_map(risk: Risk, *, limit: int = 10_000) -> RationalMatrix:
    r"""An affine map :math:`x \mapsto A \tilde x` that solves every margin, A (R, d + 1).

    The perceptron: as long as a margin of sample i is positive, subtract how it changes with A. In
    rationals, so it is the same everywhere; it ends if there is such a map. Raises `BudgetError`
    after `limit` steps, `HypothesisError` for other losses than the three hinge losses.

    >>> separating_map(active_minimum("O12").risk)
    [[6, 0, -7], [0, 4, -6], [-6, 0, -7], [0, -4, -6]]
    """
    Setting(loss="one of the hinge losses").require(risk, CLAIM)
    data = [exact(row) for row in _lists(risk.exact_augmented)]
    lines = [[exact(line.tolist()) for line in rows] for rows in risk.margin_lines]
    A, steps, waiting = zeros(risk.network.widths[-1], len(data[0])), 0, True
    while waiting:
        waiting = False
        for x, rows in zip(data, lines, strict=True):
            for line in rows:
                if line.dot(A @ x) + 1 > 0:
                    A, steps, waiting = A - line @ x.T, steps + 1, True
        if steps > limit:
            raise BudgetError(f"no affine map solves all margins after {steps} steps")
    return A


@checked
def zero_loss_point(risk: Risk, *, limit: int = 10_000) -> RationalMatrix:
    r"""A point with risk 0 whose first d units copy one input each and are on at all samples.

    It computes `separating_map`. One hidden layer of at least d units, biases, a homogeneous
    activation with a right slope other than 0. Raises `HypothesisError` otherwise, and as
    `separating_map` does.

    >>> found = active_minimum("S8")
    >>> found.risk(zero_loss_point(found.risk))
    0
    """
    _SETTING.require(risk, CLAIM)
    (d, width, _), slope = risk.network.widths, risk.network.activations[0].slopes[-1]
    if width < d or slope == 0:
        what = f"{width} units and the slope {slope} on the right"
        raise HypothesisError(CLAIM, "copies", f"got {what}, need {d} units and another", width)
    A, rows = separating_map(risk, limit=limit), [[0] * d for _ in range(width)]
    shift = 1 - min(risk.exact_X.smallest(), fmpq(0))
    for j in range(d):
        rows[j][j] = 1
    blank = [zeros(1, len(A))] * (width - d)
    columns = A.T.rows(0, d)
    output = stack([columns / slope, *blank]).T
    c = A.column(d) - columns.T @ ones(d) * shift
    return risk.network.pack([exact(rows), output], [ones(width) * shift, c])


@checked
def split_unit(risk: Risk, w: Point | np.ndarray, unit: int = 0, idle: int = 1) -> RationalMatrix:
    """The point at which `unit` is split into equal halves: `idle` gets its input weights and bias,
    and each of the two half of its output weights. No output changes.

    Raises `HypothesisError` if `idle` is in use: on at a sample and with output weights other than
    0; `DataError` for units that are not there.

    >>> found = active_minimum("S8")
    >>> split = split_unit(found.risk, found.point)
    >>> found.risk(split), found.risk.network.unpack(split)[1].weight.rows(0, 1)
    (221/200, [[2/15, 2/15]])
    """
    _SETTING.require(risk, CLAIM)
    check_unit(risk, unit, "unit")
    check_unit(risk, idle, "idle")
    w = locate(risk, w)
    (first, last), h = risk.network.unpack(w), risk.network.activations[0]
    if not (last.weight.column(idle).is_zero() or h(w.run.pre[0].column(idle)).is_zero()):
        raise HypothesisError(CLAIM, "idle", f"unit {idle} is in use", idle)
    inputs, outputs = _lists(first.weight), _lists(last.weight)
    bias = first.bias.entries()
    inputs[idle], bias[idle] = inputs[unit], bias[unit]
    for row in outputs:
        row[unit] = row[idle] = row[unit] / 2
    return risk.network.pack([exact(inputs), exact(outputs)], [exact(bias), last.bias])


@checked
def halves_curve(
    risk: Risk, w: Point | np.ndarray, A: RationalMatrix, unit: int = 0, other: int = 1
) -> RationalMatrix:
    r"""A curve from a split unit towards an affine map, :math:`w + t u_1 + t^2 u_2`, (m, 2).

    d = 2 inputs, two units with the same z = (z', b) and the same output weights V/2, on at all
    samples. With an input direction e that is independent of z' and the right slope s let
    :math:`2 (a e^\top + q z'^\top)` be A/s less :math:`V z'^\top` in the columns of the inputs. The
    halves take :math:`z' \pm t e` and :math:`V/2 \pm t a + t^2 q`: what is linear in t cancels, and
    with :math:`t^2` times a change of c the outputs move by exactly :math:`t^2 (A \tilde x - s V
    h - c)` as long as both stay on. Other units stay as they are. The loss is convex: if A in place
    of the two and c has a smaller risk, the risk falls at order 2. One unit has no such curve.
    Raises `HypothesisError` for other points, `DataError` for units that are not there.

    >>> found = active_minimum("S8")
    >>> split = split_unit(found.risk, found.point)
    >>> curve = halves_curve(found.risk, split, separating_map(found.risk))
    >>> found.risk(split + curve @ exact(["1/100", "1/10000"])) < found.risk(split)
    True
    """
    _SETTING.require(risk, CLAIM)
    check_unit(risk, unit, "unit")
    check_unit(risk, other, "other")
    w = locate(risk, w)
    (first, last), (d, width, R) = risk.network.unpack(w), risk.network.widths
    s = risk.network.activations[0].slopes[-1]
    z, b = _lists(first.weight)[unit], first.bias[unit, 0]
    twins = unit != other and _lists(first.weight)[other] == z and first.bias[other, 0] == b
    twins = twins and last.weight.column(unit) == last.weight.column(other)
    if d != 2 or not (twins and s and any(z)) or w.run.pre[0].column(unit).smallest() <= 0:
        text = "need d = 2 and two equal units, on everywhere, with a slope there other than 0"
        raise HypothesisError(CLAIM, "halves", text, d)
    if A.shape != (R, 3):
        raise ShapeError(f"A: shape {A.shape}, need ({R}, 3)")
    V = last.weight.column(unit) * 2
    e = 1 if z[0] else 0
    change = [(A.column(j) / s - V * z[j]) / 2 for j in range(2)]
    q = change[1 - e] / z[1 - e]
    a = change[e] - q * z[e]
    shift = A.column(2) - last.bias - (V + q * 2) * (b * s)
    none, rows = zeros(width), [[0, 0] for _ in range(width)]
    rows[unit][e], rows[other][e] = 1, -1
    steps = []
    for at, weight, c in ((rows, (a, -a), last.bias * 0), (None, (q, q), shift)):
        columns = [zeros(1, len(A))] * width
        columns[unit], columns[other] = (part.T for part in weight)
        inputs = exact(at) if at else first.weight * 0
        steps.append(risk.network.pack([inputs, stack(columns).T], [none, c]))
    return stack([step.T for step in steps]).T


def _lists(A: RationalMatrix) -> list[list[fmpq]]:
    return [A.rows(i, i + 1).entries() for i in range(len(A))]
