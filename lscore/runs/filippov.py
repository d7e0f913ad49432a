r"""Where a gradient flow is: its cell, the walls along which it slides, how far the others are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import lsq_linear

from lscore.algebra.matrices import to_float
from lscore.cells.floats import FloatCell, freeze
from lscore.model.risk import Risk

Place = tuple[int, int, int]
_AT_WALL = 1e-9


@dataclass(eq=False)
class FlowState:
    """Where the flow is: its cell's pieces, and the walls along which it slides.

    A wall is a list of places that lie on it together; `pieces` holds the left ones. `still` are
    places on a wall to which the flow has become tangent, as for a unit that has just died.
    """

    risk: Risk
    pieces: list[np.ndarray]
    walls: list[list[Place]] = field(default_factory=list)
    still: set[Place] = field(default_factory=set)

    def cell(self, mix: np.ndarray | None = None) -> FloatCell:
        """The frozen risk; a share `mix` of each wall's units is on the right piece."""
        cell = freeze(self.risk, self.pieces)
        if mix is None:
            return cell
        right = freeze(self.risk, self.shifted({p: 1 for wall in self.walls for p in wall}))
        for share, wall in zip(mix, self.walls, strict=True):
            for l, i, k in wall:
                for ours, theirs in (
                    (cell.slopes, right.slopes),
                    (cell.intercepts, right.intercepts),
                ):
                    a, b = ours[l - 1][i, k], theirs[l - 1][i, k]
                    ours[l - 1][i, k] = (1 - share) * a + share * b
        return cell

    def shifted(self, moves: dict[Place, int]) -> list[np.ndarray]:
        """The pieces with some places moved by one piece."""
        pieces = [part.copy() for part in self.pieces]
        for (l, i, k), side in moves.items():
            pieces[l - 1][i, k] += side
        return pieces

    def shares(self, w: np.ndarray) -> np.ndarray:
        """How much of each wall's right side makes the velocity tangent to all walls."""
        left, count = self.cell(np.zeros(len(self.walls))), len(self.walls)
        base = left.gradient(w)
        jumps = np.array([self.cell(e).gradient(w) - base for e in np.eye(count)])
        normals = np.array([left.normal(w, wall[0]) for wall in self.walls])
        return np.linalg.solve(normals @ jumps.T, -normals @ base)

    def settle(self, w: np.ndarray) -> None:
        """Leave the walls that the steepest descent leaves: the shortest mix of the gradients
        around w decides, share 0 to the left and share 1 to the right."""
        if not self.walls:
            return
        base = self.cell(np.zeros(len(self.walls))).gradient(w)
        units = np.eye(len(self.walls))
        jumps = np.array([self.cell(e).gradient(w) - base for e in units])
        shares = lsq_linear(jumps.T, -base, bounds=(0, 1), method="bvls").x
        right = [wall for wall, s in zip(self.walls, shares, strict=True) if s > 1 - 1e-9]
        self.pieces = self.shifted({place: 1 for wall in right for place in wall})
        pairs = zip(self.walls, shares, strict=True)
        self.walls = [wall for wall, s in pairs if 1e-9 < s < 1 - 1e-9]

    def velocity(self, w: np.ndarray) -> np.ndarray:
        """Minus the gradient, or its tangential part on the walls."""
        cell = self.cell(self.shares(w)) if self.walls else self.cell()
        return -cell.gradient(w)

    def curvature(self, w: np.ndarray) -> tuple[float, float]:
        """The squared speed and c at a point."""
        cell = self.cell(self.shares(w)) if self.walls else self.cell()
        g = cell.gradient(w)
        squared = float(g @ g)
        return squared, 2 * float(g @ cell.hessian_product(w, g)) / squared


class WallDistances:
    """Signed distances of all pre-activations to the knots around their piece, up and down."""

    def __init__(self, state: FlowState, touching: set[Place]):
        self.cell, self.count = state.cell(), len(state.pieces)
        inside = {place for wall in state.walls for place in wall} | state.still
        self.low, self.high, self.slack = [], [], []
        pairs = zip(state.risk.network.switches, state.pieces, strict=True)
        for l, (h, part) in enumerate(pairs):
            knots = np.array([-np.inf, *map(to_float, h.knots), np.inf])
            low, high = knots[part].copy(), knots[part + 1].copy()
            slack = np.zeros(part.shape)
            for layer, i, k in inside:
                if layer == l + 1:
                    low[i, k], high[i, k] = -np.inf, np.inf
            for layer, i, k in touching:
                if layer == l + 1:
                    slack[i, k] = 1e-12
            self.low.append(low)
            self.high.append(high)
            self.slack.append(slack)

    def __call__(self, w: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per layer the distances (n, width) to the knot below and to the one above."""
        pre = self.cell.forward(w).pre[: self.count]
        rows = zip(pre, self.low, self.high, self.slack, strict=True)
        return [(z - low + slack, high - z + slack) for z, low, high, slack in rows]

    def smallest(self, w: np.ndarray) -> float:
        """The smallest distance of all."""
        return min(min(down.min(), up.min()) for down, up in self(w))

    def hit(self, w: np.ndarray) -> dict[Place, int]:
        """The places at a knot, and the side to which each is about to go."""
        found = {}
        for l, (down, up) in enumerate(self(w), start=1):
            found |= {(l, int(i), int(k)): -1 for i, k in np.argwhere(down < _AT_WALL)}
            found |= {(l, int(i), int(k)): 1 for i, k in np.argwhere(up < _AT_WALL)}
        return found
