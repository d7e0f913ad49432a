r"""The cells that meet at a point: every pattern that occurs arbitrarily close to it.

At a point on walls each tie can break to either side, but not every combination occurs. Ties of the
first layer are linear in the parameters and independent between units, so their combinations are
those of one central hyperplane arrangement per unit. Later ties are decided one by one: a sign
occurs if some direction gives it together with all earlier ones to first order.

In a layer without bias a signal can stay on its knot on an open set: the layer below is off, or an
input is 0. Such a *standing* tie is no wall. It is not broken (either side gives the same frozen
risk), and the open set counts as a cell; with these the complement of the cells is a null set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from flint import fmpq

from lscore.algebra.alternatives import common_descent
from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, stack, zeros
from lscore.cells.arrangement.hyperplanes import sign_patterns
from lscore.cells.pattern import Cell, Located, Tie, locate
from lscore.errors import BudgetError
from lscore.model.networks import Point
from lscore.model.passes import Frozen, Pass, backward, layout
from lscore.model.risk import Risk

MAX_TIES, MAX_CELLS = 16, 4096


@dataclass(frozen=True, eq=False)
class IncidentCell:
    """A cell whose closure contains the point: the ray along `direction` enters it.

    The `standing` ties stay on their knots all over the cell, on the left piece of `cell`.
    """

    cell: Cell
    direction: RationalMatrix
    standing: tuple[Tie, ...] = ()


@dataclass(frozen=True, eq=False)
class IncidentCells:
    """What meets at a point: `cells` that surely do, and `doubtful` ones that may or may not.

    `ties` are the (layer, sample, unit) whose sides were enumerated. With no doubtful cell the list
    is complete.
    """

    ties: tuple[Tie, ...]
    cells: tuple[IncidentCell, ...]
    doubtful: tuple[Cell, ...]

    @property
    def is_complete(self) -> bool:
        return not self.doubtful


def relevant_ties(risk: Risk, w: Point) -> list[Tie]:
    """The ties whose side the gradient can feel.

    Not those of margins of a smooth loss; and for a piecewise linear one not those of samples with
    a pull of 0 and no tied margin (hinge: only slack margins). Such a sample adds a constant near
    w, whatever its hidden units do.
    """
    w = locate(risk, w)
    ties, depth = w.pattern.ties, len(w.run.positions)
    if risk.loss.smooth:
        return [tie for tie in ties if tie[0] <= depth]
    if not (risk.loss.piecewise_linear and ties):
        return ties
    pull = Cell(risk, w.pattern.pieces).pull(w.run.outputs)
    tied = {i for l, i, _ in ties if l > depth}
    return [tie for tie in ties if tie[1] in tied or not pull.rows(tie[1], tie[1] + 1).is_zero()]


@checked
def incident_cells(
    risk: Risk,
    w: Point | np.ndarray,
    ties: Iterable[Tie] | None = None,
    *,
    tie_limit: int = MAX_TIES,
    limit: int = MAX_CELLS,
) -> IncidentCells:
    r"""The cells :math:`\{u : w \in \mathrm{cl}\, \Omega_u\}` that meet at w (LVB-L103).

    `ties` are the ties to break (default: all); others stay on their left piece, and so do standing
    ones. For squared losses and one hidden layer without output activation the answer is always
    complete. Margin ties, and ties of deeper layers, are
    polynomials: a combination without a first-order direction is *out* if that is provable (one
    output with all output weights non-zero, or a combination of the ties that vanishes
    identically), else *doubtful*. Sound: `cells` meet at w, each with a direction into it, and no
    cell outside `cells` and `doubtful` does. Raises `BudgetError` above `tie_limit` or `limit`.
    Source: Laurent and von Brecht (2018), Lemma 103.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((2, 1, 1), relu), [[0, 0], [1, 0], [0, 1]], [0, 0, 0])
    >>> len(incident_cells(risk, exact([0, 0, 0, 1, 0])).cells)
    8
    """
    w = locate(risk, w)
    chosen = w.pattern.ties if ties is None else list(ties)
    if len(chosen) > tie_limit:
        raise BudgetError(f"{len(chosen)} ties meet at the point, the limit is {tie_limit}")
    search = _Search(risk, w, chosen, limit)
    search.run()
    return IncidentCells(tuple(chosen), tuple(search.found), tuple(search.doubtful))


def tie_gradient(risk: Risk, w: Point, tie: Tie, pieces: Sequence[np.ndarray]) -> RationalMatrix:
    """The gradient (m, 1) at w of the signal of a tie, for given pieces.

    `pieces` has one (n, width) array per switch layer.
    """
    layer, i, k = tie
    run = locate(risk, w).run
    frozen = Frozen(risk.network.switches, [part[i : i + 1] for part in pieces])
    mine = Pass(run.layers, [signal.rows(i, i + 1) for signal in run.inputs], [], run.outputs)
    if layer > len(risk.network.switches):
        return backward(mine, exact([risk.margin_lines[i, k].tolist()]), frozen.slope)
    unit = exact([[int(j == k) for j in range(risk.network.widths[layer])]])
    return backward(mine, unit, frozen.slope, layer - 1)


def stands(risk: Risk, tie: Tie, pieces: Sequence[np.ndarray]) -> bool:
    """Whether a tied signal is constant where the layers below have these pieces.

    A pre-activation is, exactly if there is no bias and every input of its layer is 0 there; a
    margin, if all of its outputs are constant.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [1])
    >>> off, on = np.array([[0]]), np.array([[1]])
    >>> stands(risk, (2, 0, 0), [off, off]), stands(risk, (2, 0, 0), [on, off])
    (True, False)
    """
    layer, i, k = tie
    network, activations = risk.network, risk.network.switches
    signal: list = [risk.exact_X[i, j] for j in range(network.widths[0])]
    for l, width in enumerate(network.widths[1:]):  # None: not constant
        off = not network.biases[l] and all(value == 0 for value in signal)
        if l + 1 == layer <= len(activations):
            return off
        signal = [fmpq(0) if off else None] * width
        if l < len(activations):
            h, row = activations[l], pieces[l][i].tolist()
            signal = [h.intercepts[p] if off or h.slopes[p] == 0 else None for p in row]
    pairs = zip(signal, risk.margin_lines[i, k], strict=True)
    return all(value is not None for value, d in pairs if d)


class _Search:
    """Depth-first search over the ties after the first layer."""

    def __init__(self, risk: Risk, w: Located, ties: list[Tie], limit: int):
        self.risk, self.w, self.limit = risk, w, limit
        self.first = [tie for tie in ties if tie[0] == 1 and w.run.positions]
        self.later = [tie for tie in ties if tie not in self.first]
        self.left = w.pattern.pieces
        self.gradients: dict[tuple, RationalMatrix] = {}
        self.found: list[IncidentCell] = []
        self.doubtful: list[Cell] = []

    def run(self) -> None:
        """Fill `found` and `doubtful`."""
        standing = [tie for tie in self.first if stands(self.risk, tie, self.left)]
        moving = [tie for tie in self.first if tie not in standing]
        for sides, direction in self._first_layer(moving):
            state = [part.copy() for part in self.left]
            for (_, i, k), side in zip(moving, sides, strict=True):
                state[0][i, k] += side > 0
            rows = [
                self._gradient(tie, state) * side for tie, side in zip(moving, sides, strict=True)
            ]
            self._descend(0, state, rows, direction, standing)

    def _first_layer(self, ties: list[Tie]):
        """The combinations of the moving ties of layer 1, each with a direction (m, 1)."""
        data = self.risk.exact_augmented if self.risk.network.biases[0] else self.risk.exact_X
        inner, lists, places = self.risk.network.widths[0], [], []
        for k in sorted({unit for _, _, unit in ties}):
            mine = [place for place, tie in enumerate(ties) if tie[2] == k]
            rows = [data.rows(ties[place][1], ties[place][1] + 1) for place in mine]
            lists.append(sign_patterns(stack(rows)))
            places.append((k, mine))
        if prod(map(len, lists)) > self.limit:
            raise BudgetError(
                f"{prod(map(len, lists))} cells meet at the point, the limit is {self.limit}"
            )
        for combination in product(*lists):
            sides, move = [-1] * len(ties), np.zeros(self.risk.dimension, dtype=object)
            first = layout(self.risk.network, move)[0]
            for (k, mine), (pattern, witness) in zip(places, combination, strict=True):
                for place, side in zip(mine, pattern, strict=True):
                    sides[place] = side
                entries = witness.entries()
                first.weight[k] = entries[:inner]
                if first.bias is not None:
                    first.bias[k] = entries[inner]
            yield sides, exact(move.tolist())

    def _gradient(self, tie: Tie, state: list[np.ndarray]) -> RationalMatrix:
        """`tie_gradient`, remembered: it depends on the pieces of one sample below the tie."""
        layer, i, _ = tie
        key = (tie, *(part[i].tobytes() for part in state[: layer - 1]))
        if key not in self.gradients:
            self.gradients[key] = tie_gradient(self.risk, self.w, tie, state)
        return self.gradients[key]

    def _descend(self, place: int, state: list, rows: list, direction, standing: list) -> None:
        """Break the later ties from `place` on; `direction` is None on a doubtful branch."""
        if place == len(self.later):
            self._keep(state, direction, standing)
            return
        tie = self.later[place]
        if stands(self.risk, tie, state):
            self._descend(place + 1, state, rows, direction, [*standing, tie])
            return
        gradient = self._gradient(tie, state)
        for side in (-1, 1):
            branch = [part.copy() for part in state]
            branch[tie[0] - 1][tie[1], tie[2]] += side > 0
            system = [*rows, gradient * side]
            if direction is not None:
                answer = common_descent(-stack([row.T for row in system]).T, direction)
                if not answer.solvable:
                    self._descend(place + 1, branch, system, answer.obstruction, standing)
                    continue
            signed = [tie for tie in self.later[: place + 1] if tie not in standing]
            if not self._is_out(signed, branch, system):
                self._descend(place + 1, branch, system, None, standing)

    def _keep(self, state: list, direction, standing: list) -> None:
        if len(self.found) + len(self.doubtful) == self.limit:
            raise BudgetError(
                f"more than {self.limit} cells may meet at the point, the limit is {self.limit}"
            )
        cell = Cell(self.risk, tuple(state))
        if direction is None:
            self.doubtful.append(cell)
        else:
            self.found.append(IncidentCell(cell, direction, tuple(standing)))

    def _is_out(self, signed: list[Tie], state: list, rows: list[RationalMatrix]) -> bool:
        """Whether signed ties with these gradients surely cannot all be positive.

        The last rows are those of the later ties `signed`, in order.

        One hidden layer. With one output and all output weights non-zero the ties are linear in
        (|v_k| z_k, c), an open map of w, so first order decides (Lemma F). Else a combination of
        the signed ties whose gradient is 0 is its second-order part, a sum over outputs r and
        hidden units k of dv_rk <dz_k, coefficient>: out if some combination has coefficients 0 too.
        """
        network = self.risk.network
        if len(network.widths) == 2:
            return True  # one layer: every tie is linear in w
        if len(network.widths) != 3 or network.output_activation is not None:
            return False
        weight = self.w.run.layers[1].weight
        if network.widths[2] == 1 and all(v != 0 for v in weight.entries()):
            return True
        data = self.risk.exact_augmented if network.biases[0] else self.risk.exact_X
        slopes, pieces = network.activations[0].slopes, state[0]
        outputs, width = weight.shape
        zero = zeros(outputs * width * data.shape[1])
        columns = [stack([row, zero]) for row in rows[: -len(signed)]]
        for (_, i, j), row in zip(signed, rows[-len(signed) :], strict=True):
            side, x = (1 if state[1][i, j] > self.left[1][i, j] else -1), data.rows(i, i + 1).T
            parts = [
                x * (side * self.risk.margin_lines[i, j, r] * slopes[pieces[i, k]])
                for r, k in product(range(outputs), range(width))
            ]
            columns.append(stack([row, *parts]))
        return common_descent(stack([column.T for column in columns]).T).solvable
