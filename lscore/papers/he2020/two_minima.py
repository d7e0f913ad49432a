r"""Two local minima of different risk in one cell: with two outputs, and with two hidden layers.

Theorem 2 of He, Wang and Tao (2020) needs one output and one hidden layer. In both examples the
risk in a cell is at least a function F of few numbers, and equal to it for the best choice of the
other parameters. F has two *wells*: regions on whose edge it is larger than at a place inside. So F
has a minimum inside each, and so has the risk, if the best choice lies in the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from flint import arb, arb_series, fmpq

from lscore.algebra.matrices import RationalMatrix, exact, rational
from lscore.certificates import Certificate, Condition, Question
from lscore.model.activations import relu
from lscore.model.losses import SquaredLoss
from lscore.model.networks import Network
from lscore.model.risk import Risk

_TWO = Question("HE-T2b", "the cell has two local minima of different risk", "ball")
_INSIDE = "over both wells the best choice of the other parameters lies in the cell"
_APART = "F is larger in all of the first well than at the middle of the second"
_PARTS, _PIECES = 64, 1024  # into which a side of a square is cut, and a bracket
Pair = tuple[fmpq, fmpq]


def _pairs(rows: Sequence[tuple]) -> list[Pair]:
    return [(rational(a), rational(b)) for a, b in rows]


# Two outputs: the labels of the groups, one label alone, the middles of the wells.
GROUPS = (
    _pairs([*((fmpq(j, 64) - 1, 0) for j in range(-4, 5)), (9, 0)]),
    _pairs([*(("-6/5", fmpq(j, 32) + 14) for j in range(-2, 3)), ("-6/5", 26)]),
)
ALONE = (fmpq(-6, 5), fmpq(21, 2))
MIDDLES = _pairs([("-3.86691", "3.4526"), ("-1.66039", "10.18525")])
HALF_SIDE = fmpq(1, 2)
# Two layers: inputs and labels of the groups, and per well the middle, both ends and the level c.
_OFFSETS = _pairs([*product((fmpq(-1, 5), fmpq(1, 5)), (-1, 1)), (0, -2), (0, 2)])
LAYERS = (
    [((a - 3, b - 3), 5 * a + b / 10) for a, b in _OFFSETS],
    [((b + 3, a + 3), 3 * a + b / 10 + 2) for a, b in _OFFSETS],
)
ENDS = fmpq(0), fmpq(1, 15)
BRACKETS = ((fmpq(1, 48), False, fmpq(8, 5)), (fmpq(1, 29), True, fmpq(2, 5)))


def two_outputs_risk() -> Risk:
    r"""Two ReLU units, two outputs, 17 samples: inputs :math:`(y_1, y_2, t_1, t_2)` with labels
    :math:`(y_1, y_2)`, and :math:`t_k = 0` on the samples of group k, -1 on all others.

    Half the mean squared error.

    >>> two_outputs_risk().X.shape
    torch.Size([17, 4])
    """
    marked = [(GROUPS[0], (0, -1)), (GROUPS[1], (-1, 0)), ([ALONE], (-1, -1))]
    X = exact([[*y, *marks] for group, marks in marked for y in group])
    y = exact([list(y) for group, _ in marked for y in group])
    return Risk(Network((4, 2, 2), relu), X, y, SquaredLoss("1/2", mean=True))


def two_outputs_points() -> list[RationalMatrix]:
    """A point near each of the two minima, both in the cell where unit k is on for group k only."""
    found = []
    for c in MIDDLES:
        hidden, biases, columns = [], [], []
        for k, group in enumerate(GROUPS):
            way = _longest(group, *c)
            size = max(abs(float(part)) for part in way)
            way = [fmpq(round(float(part) / size * 2**20), 2**20) for part in way]
            side = 1 if _rises(way, c, group[0]) > 0 else -1
            marks = [1000 * int(j == k) for j in range(2)]
            hidden.append([*(side * a for a in way), *marks])
            biases.append(-side * (way[0] * c[0] + way[1] * c[1]))
            length = way[0] ** 2 + way[1] ** 2
            columns.append([side * a / length for a in way])
        out = exact([list(row) for row in zip(*columns, strict=True)])
        parts = [exact(hidden), out], [exact(biases), exact(list(c))]
        found.append(two_outputs_risk().network.pack(*parts))
    return found


def spread(group: Sequence[Pair], x, y):
    r"""The entries of :math:`\sum (y_i - c)(y_i - c)^\top` for c = (x, y) of any kind of number."""
    n = len(group)
    means = [sum((row[j] for row in group), fmpq(0)) / n for j in (0, 1)]
    centred = [(a - means[0], b - means[1]) for a, b in group]
    away = arb(means[0]) - x, arb(means[1]) - y
    return [
        arb(sum((row[i] * row[j] for row in centred), fmpq(0))) + n * away[i] * away[j]
        for i, j in ((0, 0), (0, 1), (1, 1))
    ]


def left_over(x, y):
    r"""F(c): the smaller eigenvalue of `spread` for both groups, plus :math:`|c - y_0|^2`.

    In the cell the risk is at least F(c) / 34 for the output bias c, by the best approximation of
    rank 1 (Eckart and Young), with equality along the eigenvectors of the larger eigenvalues.

    >>> left_over(arb("-3.86691"), arb("3.4526")).str(6, radius=False)
    '94.3560'
    """
    total = (x - arb(ALONE[0])) * (x - arb(ALONE[0])) + (y - arb(ALONE[1])) * (y - arb(ALONE[1]))
    for group in GROUPS:
        a, b, d = spread(group, x, y)
        total = total + (a + d - ((a - d) * (a - d) + 4 * b * b).sqrt()) / 2
    return total


def _longest(group: Sequence[Pair], x, y) -> tuple[arb, arb]:
    """An eigenvector of the larger eigenvalue of `spread`."""
    a, b, d = spread(group, x, y)
    root = ((a - d) * (a - d) + 4 * b * b).sqrt()
    return (a - d + root, 2 * b) if arb(a - d) > 0 else (2 * b, d - a + root)


def _rises(way, c, y: Pair):
    return way[0] * (y[0] - c[0]) + way[1] * (y[1] - c[1])


def _cut(low: fmpq, high: fmpq, parts: int) -> list[arb]:
    """Balls that cover the interval."""
    step = (high - low) / parts
    return [arb(low + step * j).union(arb(low + step * (j + 1))) for j in range(parts)]


def _edge_above(c: Pair, level: arb) -> bool:
    """F > level on the edge of the square around c: value at the middle of a piece, and slope."""
    for j, side in product((0, 1), (-1, 1)):
        fixed = arb_series([arb(c[j] + side * HALF_SIDE)], 2)
        for ball in _cut(c[1 - j] - HALF_SIDE, c[1 - j] + HALF_SIDE, _PARTS):
            both = []
            for place in (ball.mid(), ball):
                moving = arb_series([place, 1], 2)
                both.append(left_over(*((fixed, moving) if j == 0 else (moving, fixed))))
            if not both[0][0] + both[1][1] * (ball - ball.mid()) > level:
                return False
    return True


def _square(c: Pair, parts: int) -> list[tuple[arb, arb]]:
    """Boxes that cover the square around c."""
    sides = [_cut(a - HALF_SIDE, a + HALF_SIDE, parts) for a in c]
    return list(product(*sides))


def certify_two_outputs() -> Certificate:
    """Two outputs: one cell of `two_outputs_risk` with two local minima of different risk.

    Everything about F is decided in balls: on the edges of the two squares, over the second by
    pieces, and the sides on which the eigenvectors leave the samples. Source: this book.

    >>> print(certify_two_outputs())
    certified (ball): the cell has two local minima of different risk  [HE-T2b]
      holds     F is larger on the edge of each well than at its middle
      holds     over both wells the best choice of the other parameters lies in the cell
      holds     F is larger in all of the first well than at the middle of the second
      value     risk at the first middle = 2.7752
      value     risk at the second middle = 2.5958
    """
    values = [left_over(arb(x), arb(y)) for x, y in MIDDLES]
    edges = all(_edge_above(c, value) for c, value in zip(MIDDLES, values, strict=True))
    boxes = [box for c in MIDDLES for box in _square(c, 16)]
    inside = all(_one_sided(_sides(group, box)) for group in GROUPS for box in boxes)
    apart = all(left_over(*box) > values[1] for box in _square(MIDDLES[0], _PARTS))
    return _answer(edges, inside, apart, [value / 34 for value in values])


def _sides(group: Sequence[Pair], c: tuple[arb, arb]) -> list[arb]:
    """How far the samples of a group are from c along its eigenvector."""
    way = _longest(group, *c)
    return [_rises(way, c, y) for y in group]


def _one_sided(values: Sequence[arb]) -> bool:
    return all(v > 0 for v in values) or all(v < 0 for v in values)


def _answer(edges: bool, inside: bool, apart: bool, risks: list) -> Certificate:
    conditions = [
        Condition("F is larger on the edge of each well than at its middle", edges),
        Condition(_INSIDE, inside),
        Condition(_APART, apart),
    ]
    if not all(c.holds for c in conditions):
        return _TWO.unknown("a well is not shown", conditions)
    names = ("risk_at_the_first_middle", "risk_at_the_second_middle")
    values = {name: arb(r).str(5, radius=False) for name, r in zip(names, risks, strict=True)}
    return _TWO.certified(conditions, values=values)


def two_layers_risk() -> Risk:
    """Two inputs, one unit, two units, one output, all ReLU: 12 samples in two groups.

    Half the mean squared error.

    >>> two_layers_risk().X.shape
    torch.Size([12, 2])
    """
    rows = [*LAYERS[0], *LAYERS[1]]
    X, y = exact([list(x) for x, _ in rows]), exact([label for _, label in rows])
    return Risk(Network((2, 1, 2, 1), relu), X, y, SquaredLoss("1/2", mean=True))


def regressions(turn, swapped: bool):
    """Per group slope, intercept and left-over of the best line over :math:`z = \\langle w, x
    \\rangle`, w = (1, turn), or (turn, 1) if `swapped`; with a number or a ball."""
    found = []
    for group in LAYERS:
        n = len(group)
        z = [_seen(x, turn, swapped) for x, _ in group]
        mean = sum(z[1:], z[0]) / n
        level = sum((label for _, label in group), fmpq(0)) / n
        away = [(a - mean, label - level) for a, (_, label) in zip(z, group, strict=True)]
        across = sum((a * a for a, _ in away[1:]), away[0][0] * away[0][0])
        mixed = sum((a * b for a, b in away[1:]), away[0][0] * away[0][1])
        slope = mixed / across
        rest = sum((b * b for _, b in away), fmpq(0)) - mixed * slope
        found.append((slope, level - slope * mean, rest))
    return found


def _seen(x: Pair, turn, swapped: bool):
    return x[0] * turn + x[1] if swapped else x[1] * turn + x[0]


def certify_two_layers() -> Certificate:
    """Two hidden layers: one cell of `two_layers_risk` with two local minima of different risk.

    In the cell unit k of layer 2 is on for group k only and the unit of layer 1 for all. The risk
    is at least F / 24, F the sum of the left-overs of two regressions on :math:`\\langle w, x
    \\rangle`, and F depends on the direction of w only: two brackets are its wells. All inputs of
    group 1 are negative and those of group 2 positive, so the cell is connected between them.
    Source: this book.

    >>> certify_two_layers().verdict.value
    'certified'
    """

    def total(turn, swapped: bool):
        return sum(rest for *_, rest in regressions(turn, swapped))

    middles = [total(turn, swapped) for turn, swapped, _ in BRACKETS]
    edges = all(
        total(end, swapped) > middle
        for middle, (_, swapped, _) in zip(middles, BRACKETS, strict=True)
        for end in ENDS
    )
    inside = all(
        _separated(ball, swapped, level)
        for _, swapped, level in BRACKETS
        for ball in _cut(*ENDS, _PIECES)
    )
    apart = all(total(ball, True) > arb(middles[0]) for ball in _cut(*ENDS, _PIECES))
    return _answer(edges, inside, apart, [middles[1] / 24, middles[0] / 24])


def _separated(turn: arb, swapped: bool, level: fmpq) -> bool:
    """Whether each line is on one side of the level on its own group, on the other elsewhere."""
    for k, (slope, intercept, _) in enumerate(regressions(turn, swapped)):
        above = [
            [slope * _seen(x, turn, swapped) + intercept - level for x, _ in group]
            for group in LAYERS
        ]
        both = [*above[k], *(-v for v in above[1 - k])]
        if not _one_sided(both):
            return False
    return True
