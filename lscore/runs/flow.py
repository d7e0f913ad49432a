r"""Gradient flow through the cells of a piecewise linear network, wall by wall.

Inside a cell :math:`\dot W = -\nabla R(W)` is smooth and solved to high order; a wall is an event,
located on the solution. There the gradient jumps. Either the flow crosses, or the velocities of
both sides point at the wall and it *slides* along it (Filippov's solution): the velocity is the
tangential part of either. Floats throughout: this proposes, it certifies nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.integrate import solve_ivp

from lscore.algebra.matrices import to_float
from lscore.cells.floats import pieces_of
from lscore.errors import DataError, SettingError
from lscore.model.risk import Risk
from lscore.runs.filippov import FlowState, Place, WallDistances

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_REST = 1e-9


@dataclass(frozen=True)
class Turn:
    r"""What happened at a wall: `kind` "cross", "slide" or "leave", at `time`, and the factor by
    which :math:`|\dot W|^2` jumped. `places` are (layer, sample, unit) on the wall."""

    time: float
    kind: str
    factor: float
    places: tuple[Place, ...]


@dataclass(frozen=True, eq=False)
class Stretch:
    r"""A smooth part of the flow: in a cell, or sliding along `walls` walls.

    `times` (k,) and `points` (k, m) are samples, `speeds` :math:`|\dot W|^2` there, `curvatures`
    :math:`c = 2\, \dot W^\top H \dot W / |\dot W|^2`, `integral` :math:`\int c\, dt` over it.
    """

    times: np.ndarray
    points: np.ndarray
    speeds: np.ndarray
    curvatures: np.ndarray
    integral: float
    walls: int


@dataclass(frozen=True, eq=False)
class Flow:
    """A gradient flow: its `stretches`, the `turns` between them, and why it ended.

    `reason` is "time", "at rest", or what could not be continued.
    """

    stretches: tuple[Stretch, ...]
    turns: tuple[Turn, ...]
    reason: str

    @property
    def end(self) -> np.ndarray:
        """The last point (m,)."""
        return self.stretches[-1].points[-1]

    def defect(self) -> float:
        r"""How far the identity with jumps is from holding (it holds for the exact flow):

        .. math:: \ln|\dot W(T)|^2 - \ln|\dot W(0)|^2 + \int c\,dt - \sum_k \ln J_k.
        """
        first, last = self.stretches[0].speeds[0], self.stretches[-1].speeds[-1]
        smooth = sum(stretch.integral for stretch in self.stretches)
        jumps = sum(np.log(turn.factor) for turn in self.turns)
        return float(np.log(last / first) + smooth - jumps)


def gradient_flow(risk: Risk, w: torch.Tensor, time: float, *, limit: int = 200) -> Flow:
    r"""Follow :math:`\dot W = -\nabla R(W)` from w for `time`, through walls and along them.

    Piecewise linear networks, squared loss. Sliding is continued for one hidden layer, on several
    walls at once if need be; in deeper networks, and where several walls that are not parallel are
    met at once, the flow ends with a reason. Ends "at rest" where the speed is below 1e-9.

    >>> from lscore.model.activations import relu
    >>> from lscore.model.losses import SquaredLoss
    >>> from lscore.model.networks import Network
    >>> network = Network((1, 1), (), bias=False, output_activation=relu)
    >>> risk = Risk(network, [1.0, -1.0], [-1.0, 5.0], SquaredLoss("1/2", mean=True), "1/10")
    >>> flow = gradient_flow(risk, torch.tensor([1.0], dtype=torch.float64), 2.0)
    >>> [(turn.kind, round(turn.factor, 6)) for turn in flow.turns]
    [('cross', 25.0)]
    """
    if not risk.network.is_piecewise_linear:
        raise SettingError("risk: the flow through cells needs piecewise linear activations")
    w = risk._float_point(w).detach().numpy().copy()
    if not time > 0:
        raise DataError(f"time: got {time}, need a positive number")
    state, now, touching = FlowState(risk, pieces_of(risk, w)), 0.0, set()
    stretches, turns, reason = [], [], ""
    while not reason:
        stretch, hit, reason = _follow(state, w, now, time, touching)
        stretches.append(stretch)
        now, w = stretch.times[-1], stretch.points[-1]
        if not reason:
            turn, touching, reason = _turn(state, w, now, hit)
            turns += [] if turn is None else [turn]
        if not reason and len(turns) >= limit:
            reason = f"{limit} turns"
    return Flow(tuple(stretches), tuple(turns), reason)


def _follow(state: FlowState, w, now: float, time: float, touching: set):
    """Solve until a wall, the end of a slide, rest, or the end of time."""
    distances = WallDistances(state, touching)

    def velocity(t, w):
        return state.velocity(w)

    def at_wall(t, w):
        return distances.smallest(w)

    def leaving(t, w):
        if not state.walls:
            return 1.0
        shares = state.shares(w)
        return min(shares.min(), (1 - shares).min())

    def resting(t, w):
        return np.linalg.norm(state.velocity(w)) - _REST

    events = [at_wall, leaving, resting]
    for event in events:
        event.terminal, event.direction = True, -1
    solved = solve_ivp(velocity, (now, time), w, method="DOP853", rtol=1e-10, atol=1e-12,
                       events=events, dense_output=True)  # fmt: skip
    happened = [len(found) > 0 for found in solved.t_events]
    times = solved.sol.ts
    integral = 0.0
    for a, b in pairwise(times):
        nodes = (a + b) / 2 + (b - a) / 2 * _NODES
        values = [state.curvature(solved.sol(t))[1] for t in nodes]
        integral += (b - a) / 2 * float(_WEIGHTS @ values)
    points = solved.sol(times).T
    points[0], points[-1] = w, solved.y[:, -1]
    pairs = np.array([state.curvature(point) for point in points])
    stretch = Stretch(times, points, pairs[:, 0], pairs[:, 1], integral, len(state.walls))
    pre = state.cell().forward(points[-1]).pre
    knots = [[to_float(t) for t in h.knots] for h in state.risk.network.switches]
    moved = [min(abs(pre[l - 1][i, k] - t) for t in knots[l - 1]) for l, i, k in state.still]
    if max(moved, default=0) > 1e-7:
        return stretch, {}, "a unit has left the wall to which the flow was tangent"
    reason = "at rest" if happened[2] else "" if happened[0] or happened[1] else "time"
    hit = distances.hit(points[-1]) if happened[0] else {}
    return stretch, hit, reason


def _turn(state: FlowState, w: np.ndarray, now: float, hit: dict[Place, int]):
    """Cross, slide or leave: changes the state; returns the turn, what it touches, a reason."""
    before = state.velocity(w)
    if not hit:
        shares = state.shares(w)
        wall = int(np.argmin(np.minimum(shares, 1 - shares)))
        places = state.walls[wall]
        if shares[wall] > 0.5:
            state.pieces = state.shifted(dict.fromkeys(places, 1))
        del state.walls[wall]
        turn = Turn(now, "leave", _ratio(state.velocity(w), before), tuple(places))
        return turn, set(places), ""
    normals = np.array([state.cell().normal(w, place) * side for place, side in hit.items()])
    units = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    if np.abs(np.abs(units @ units[0]) - 1).max() > 1e-9:
        return None, set(), f"{len(hit)} walls that are not parallel meet at once"
    if (units @ units[0]).min() < 0:
        return None, set(), "a wall is met from both sides at once"
    old, walls = state.pieces, list(state.walls)
    state.pieces = state.shifted(hit)
    state.settle(w)
    left = {place for wall in walls for place in wall} | set(hit)
    velocity = state.velocity(w)
    normal, size = units[0] @ velocity, np.linalg.norm(velocity)
    if normal > -1e-12 * size:
        if normal < 1e-12 * size:
            state.still |= set(hit)
        return Turn(now, "cross", _ratio(velocity, before), tuple(hit)), left, ""
    if len(state.risk.network.widths) > 3:
        return None, set(), "sliding along a wall of a network with several hidden layers"
    state.pieces, state.walls = old, [*walls, list(hit)]
    # a wall's own pieces are the left ones: move back the places that were about to go down
    state.pieces = state.shifted({place: -1 for place, side in hit.items() if side < 0})
    state.settle(w)
    kind = "slide" if list(hit) in state.walls else "cross"
    return Turn(now, kind, _ratio(state.velocity(w), before), tuple(hit)), left, ""


def _ratio(after: np.ndarray, before: np.ndarray) -> float:
    return float(after @ after / (before @ before))
