r"""Laurent and von Brecht (2018), Theorem 2: every point of loss zero touches a flat cell.

The proof moves the point a little: all hidden biases up, layer after layer faster, and the output
layer stretched. Every number here is rational, so the cell it reaches is known exactly. Minima that
touch a flat cell are of type I, other minima of type II ("sharp"): so type II minima have a
positive loss.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, ones, rational
from lscore.cells.pattern import Cell, cell_at, locate, pattern_at
from lscore.cells.rays import cell_along
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import BudgetError, HypothesisError, LscoreError, TieError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting
from lscore.papers.laurent2018.data import leaky_slope
from lscore.papers.laurent2018.flat import HINGE_THROUGH_0, certify_flat

CLAIM = "LVB-T2"
_TOUCHES = Question(CLAIM, "the point touches a flat cell")
_TRIES = 100


@dataclass(frozen=True, eq=False)
class FlatPoint:
    """A point in a flat cell, and the ray to it from the point of loss zero.

    `start` + q `direction` lies in `cell` for 0 < q <= 1; `shifts` are the amounts by which the
    hidden biases rise on the way, one per layer, and `stretch` is the factor of the output layer.
    """

    start: RationalMatrix
    direction: RationalMatrix
    cell: Cell
    shifts: tuple[fmpq, ...]
    stretch: fmpq

    def at(self, q: Scalar) -> RationalMatrix:
        """The point start + q direction."""
        return self.start + self.direction * q


@checked
def flat_point(risk: Risk, w: Point, stretch: Scalar = "3/2") -> FlatPoint:
    r"""From a point of loss zero to a flat cell whose closure contains it (LVB-T2).

    With :math:`\rho_l = \|W_l\|_\infty`, :math:`D_0 = 0`, :math:`e_l = 2 \rho_l D_{l-1} + 1`,
    :math:`D_l = \rho_l D_{l-1} + e_l` and :math:`\lambda` = `stretch` > 1 the biases become
    :math:`b_l + t e_l` and the output layer :math:`(\lambda V, \lambda c)`. Pre-activations then
    rise by more than 0 and at most :math:`t D_l`, so for small t those that were >= 0 are positive,
    the negative ones stay negative, and every margin is negative. Networks of leaky ReLUs (slope in
    [0, 1]) with biases, any depth, any hinge loss. Raises `HypothesisError` (LVB-T2): the loss is
    not zero (witness: the loss), no biases, another loss or activation.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 2], [-1, 1], binary_hinge())
    >>> found = flat_point(risk, exact([1, 0, 1, -1]))
    >>> found.at(1), pattern_at(risk, found.at(1)).in_cell, found.cell(found.at(1))
    (column(1, 1/12, 3/2, -3/2), True, 0)
    """
    network, stretch = risk.network, rational(stretch, "stretch")
    w = exact(network.point(w), "w")
    _check_hypotheses(risk, w, stretch)
    pre, _ = risk.forward(w)
    *hidden, output = network.unpack(w)
    reach, speeds = fmpq(0), []
    for layer in hidden:
        speeds.append(2 * _row_sum(layer.weight) * reach + 1)
        reach = _row_sum(layer.weight) * reach + speeds[-1]
    depths = [-v for z in pre for v in z.entries() if v < 0]
    drift = _largest_margin_norm(risk, output.weight) * reach
    bounds = [min(depths, default=fmpq(1)) / (4 * max(speeds, default=1)), fmpq(1)]
    bounds.append((stretch - 1) / (2 * stretch * max(drift, fmpq(1))))
    t = min(bounds) / 2
    weights = [layer.weight * 0 for layer in hidden] + [output.weight * (stretch - 1)]
    pairs = zip(hidden, speeds, strict=True)
    biases = [ones(len(layer.bias)) * (t * e) for layer, e in pairs]
    direction = network.pack(weights, [*biases, output.bias * (stretch - 1)])
    cell = cell_at(risk, w + direction)
    return FlatPoint(w, direction, cell, tuple(t * e for e in speeds), stretch)


def _check_hypotheses(risk: Risk, w: RationalMatrix, stretch: fmpq) -> None:
    Setting(biases=True, loss="hinge loss", weight_decay=False).require(risk, CLAIM)
    if stretch <= 1:
        raise HypothesisError(CLAIM, "stretch", f"got {stretch}, need more than 1", stretch)
    for h in risk.network.activations:
        leaky_slope(h)
    if (loss := risk(w)) != 0:
        raise HypothesisError(CLAIM, "loss zero", f"the loss of the point is {loss}", loss)


def _row_sum(weight: RationalMatrix) -> fmpq:
    """The largest sum of absolute values of a row."""
    width = weight.shape[1]
    sizes = list(map(abs, weight.entries()))
    return max(sum(sizes[k : k + width], fmpq(0)) for k in range(0, len(sizes), width))


def _largest_margin_norm(risk: Risk, V: RationalMatrix) -> fmpq:
    """The largest 1-norm of the combinations of rows of V that the margins are made of."""
    D = np.unique(risk.loss.directions(risk.y.numpy()).reshape(-1, len(V)), axis=0)
    return _row_sum(exact(D.tolist()) @ V)


@checked
def is_flat_point(risk: Risk, found: FlatPoint) -> bool:
    """Whether the ray enters the cell at once and ends in it, and no margin is unsolved there.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 2], [-1, 1], binary_hinge())
    >>> is_flat_point(risk, flat_point(risk, exact([1, 0, 1, -1])))
    True
    """
    try:
        entered = cell_along(risk, found.start, found.direction)
    except TieError:
        return False
    same = entered.pattern == found.cell.pattern
    return same and found.at(1) in found.cell and not found.cell.margins.any()


@checked
def flat_ray(risk: Risk, w: Point, seed: int = 0) -> tuple[RationalMatrix, Cell]:
    r"""A direction from a point of loss zero into a flat cell; biases are not needed (LVB-B-T2-1).

    Where the loss is zero no signal :math:`x^{(l)}_i` of a sample vanishes, so almost every change
    of the weights resolves all ties; growing the output layer makes every margin slack. Random
    integer changes are tried at decreasing size, and `cell_along` decides exactly. Returns the
    direction and the cell. Raises `HypothesisError` (LVB-T2) if the loss is not zero, and if a
    layer has a bias while an earlier one has none: then a signal may vanish for good.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 2, 1), relu, bias=False), [-1, 1], [-1, 1], binary_hinge())
    >>> flat_ray(risk, exact([-1, 1, -1, 1]))[1].margins.tolist()
    [[0], [0]]
    """
    network, rng = risk.network, np.random.default_rng(seed)
    w = exact(network.point(w), "w")
    Setting(weight_decay=False).require(risk, CLAIM)
    if (loss := risk(w)) != 0:
        raise HypothesisError(CLAIM, "loss zero", f"the loss of the point is {loss}", loss)
    if network.biases != tuple(sorted(network.biases, reverse=True)):
        reason = "a layer with a bias follows one without"
        raise HypothesisError(CLAIM, "biases", reason, network)
    size = fmpq(1)
    *hidden, output = network.unpack(w)
    weights = [layer.weight * 0 for layer in hidden] + [output.weight]
    biases = [None if layer.bias is None else layer.bias * 0 for layer in hidden] + [output.bias]
    growth = network.pack(weights, biases)
    for _ in range(_TRIES):
        move = exact(rng.integers(-9, 10, risk.dimension).astype(float)) * size
        size /= 2
        try:
            cell = cell_along(risk, w, growth + move)
        except TieError:
            continue
        if not cell.margins.any():
            return growth + move, cell
    raise LscoreError(f"flat_ray: no ray among {_TRIES} avoids all ties, try another seed")


@checked
def adjacent_patterns(risk: Risk, w: Point, *, limit: int = 2**12) -> list[Cell]:
    """Every way to resolve the ties of a point: a superset of the cells that touch it.

    Each tie goes to one of the two sides of its knot. `BudgetError` for more than `limit` ways.
    """
    found = pattern_at(risk, w)
    if 2 ** len(found.ties) > limit:
        raise BudgetError(f"{len(found.ties)} ties can be resolved in more than {limit} ways")
    cells = []
    for sides in itertools.product((0, 1), repeat=len(found.ties)):
        pieces = found.pieces
        for (l, i, k), side in zip(found.ties, sides, strict=True):
            pieces[l - 1][i, k] += side
        cells.append(Cell(risk, pieces))
    return cells


@_TOUCHES.checker
def certify_touches_flat(risk: Risk, w: Point, *, limit: int = 2**12) -> Certificate:
    r"""Does a flat cell touch the point? For a local minimum: is it of type I or of type II?

    Refuted: no way to resolve the ties gives a flat cell; the witness counts the ways (a superset
    of the touching cells). Certified: a ray leads into a flat cell (loss zero), or the point itself
    lies in one. Unknown: a flat pattern that may not touch the point, more than `limit` patterns,
    or a risk outside the setting of `certify_flat`. Sound.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 2], [-1, 1], binary_hinge())
    >>> certify_touches_flat(risk, exact([1, 0, 1, -1])).verdict.value
    'certified'
    """
    HINGE_THROUGH_0.require(risk, CLAIM)
    w = locate(risk, w)
    zero = Condition("the loss is 0", risk(w) == 0)
    if zero.holds:
        direction, cell = flat_ray(risk, w)
        conditions = [
            zero,
            Condition("a ray enters a cell without unsolved margins", not cell.margins.any()),
            Condition("that cell is flat", certify_flat(cell).certified),
        ]
        return _TOUCHES.certified(conditions, values={"ray": direction})
    cells = adjacent_patterns(risk, w, limit=limit)
    flat = sum(certify_flat(cell).certified for cell in cells)
    if flat == 0:
        witness = {"ways_to_resolve_the_ties": len(cells), "flat_among_them": 0, "loss": risk(w)}
        return _TOUCHES.refuted((), witness)
    condition = Condition("the point lies in a flat cell", len(cells) == flat == 1)
    if condition.holds:
        return _TOUCHES.certified([condition], values={"loss": risk(w)})
    return _TOUCHES.unknown(f"{flat} of {len(cells)} ways to resolve the ties give a flat cell")
