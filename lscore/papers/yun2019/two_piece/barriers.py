r"""Barriers: how high every path from a point to a global minimum must rise, exactly.

For one input the cells of the network are finitely many cones (`kink_cones`). A path runs from cell
to cell through common faces, so some path stays at or below r exactly if there is a chain of faces,
each with smallest risk <= r: the lowest pass is that of a finite graph (YUN-B-T1-8).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, stack
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.yun2019.two_piece.cones import Face, KinkCones
from lscore.papers.yun2019.two_piece.setting import pack

CLAIM = "YUN-B-T1-8"
_BARRIER = Question(CLAIM, "every path to a global minimum rises above the point")
Node = tuple[Face, ...]


@dataclass(frozen=True, eq=False)
class Pass:
    """The lowest way from a point to a global minimum.

    `height` is the largest risk on it, and on every other way it is at least as large. `bottom` is
    the global minimum; `lowest` the smallest risk that can be reached below the height, or `bottom`
    if the point is as high itself; `side` the faces reached below it. `corners` are exact points:
    on the straight segments between them the risk is convex, so nowhere higher than at the corners.
    `dead_end` are those of a path to a point of risk `lowest`, below the height but for its start.
    """

    height: fmpq
    lowest: fmpq
    bottom: fmpq
    corners: list[RationalMatrix]
    dead_end: list[RationalMatrix]
    side: frozenset[Node]


@checked
def lowest_pass(risk: Risk, w: Point, cones: KinkCones | None = None) -> Pass:
    r"""How high must a path from w to a global minimum rise? With a path that rises no higher.

    Widths (1, k, 1), two-piece activations, squared loss. Faces are visited in the order of the
    lowest height at which they can be reached, until one holds a global minimum. Exact, sound and
    complete (YUN-B-T1-8); few units and inputs, for there are :math:`(1 + 8N)^k` faces. Raises as
    `KinkCones`; `cones` of this risk saves building them again (`DataError` for another one).

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1])
    >>> found = lowest_pass(risk, exact(["-1/2", 2, -1, "11/6"]))
    >>> found.height, found.lowest, found.bottom
    (1/3, 1/12, 0)
    """
    cones = cones or KinkCones(risk)
    if cones.risk is not risk:
        raise DataError("cones: made for another risk")
    w = exact(risk.network.point(w), "w")
    hidden, out = risk.network.unpack(w)
    entries = out.weight.entries(), hidden.weight.entries(), hidden.bias.entries()
    start = tuple(cones.face_of(*unit) for unit in zip(*entries, strict=True))
    height, side = risk(w), {}
    came: dict[Node, Node] = {}
    reached, heap = {}, [(cones.smallest_risk(start), 0, start)]
    while True:
        value, _, node = heapq.heappop(heap)
        if value > height:
            height, side = value, dict(reached)
        if value == cones.bottom:
            break
        reached[node] = value
        for other in _neighbours(cones, node):
            if other not in came and other != start:
                came[other] = node
                heapq.heappush(heap, (cones.smallest_risk(other), len(came), other))
    ends = node, min(side, key=side.get, default=node)
    paths = [_corners(cones, w, _chain(came, start, end)) for end in ends]
    lowest = side.get(ends[1], cones.bottom)
    return Pass(height, lowest, cones.bottom, *paths, frozenset(side))


def _chain(came: dict[Node, Node], start: Node, end: Node) -> list[Node]:
    """The faces from start to end."""
    chain = [end]
    while chain[-1] != start:
        chain.append(came[chain[-1]])
    return chain[::-1]


def _neighbours(cones: KinkCones, node: Node) -> Iterator[Node]:
    """The faces with one ray more or less."""
    for k, face in enumerate(node):
        for other in cones.beside[face]:
            yield (*node[:k], other, *node[k + 1 :])


def _corners(cones: KinkCones, w: RationalMatrix, chain: list[Node]) -> list[RationalMatrix]:
    """w, then the lowest points of the chain's smallest faces and of its last face.

    Two neighbours lie in one cell. Only the hidden layer and the output bias move, but where a unit
    is 0: there its output weight may go anywhere.
    """
    sizes = [sum(map(len, node)) for node in chain]
    kept = [
        node
        for i, node in enumerate(chain)
        if i == len(chain) - 1 or (i > 0 and sizes[i - 1] > sizes[i] < sizes[i + 1])
    ]
    hidden, out = cones.risk.network.unpack(w)
    gains, offset = out.weight.entries(), out.bias[0, 0]
    units = list(zip(hidden.weight.entries(), hidden.bias.entries(), strict=True))
    corners = [w]

    def corner() -> None:
        rows, shifts = zip(*units, strict=True)
        corners.append(pack(cones.risk, [[a] for a in rows], list(shifts), [gains], [offset]))

    if any(gain == 0 and unit != (0, 0) for gain, unit in zip(gains, units, strict=True)):
        units = [(a * (v != 0), b * (v != 0)) for v, (a, b) in zip(gains, units, strict=True)]
        corner()
    for node in kept:
        weights = dict(cones.lowest(frozenset().union(*node))[1])
        signs = [(min(face, default=0) > 0) - (max(face, default=0) < 0) for face in node]
        turned = [fmpq(s) if s and s * v <= 0 else v for s, v in zip(signs, gains, strict=True)]
        if turned != gains:
            gains = turned
            corner()
        offset = weights[0]
        for k, face in enumerate(node):
            parts = [(weights.pop(g, fmpq(0)) / abs(gains[k] or 1), abs(g) - 1) for g in face]
            units[k] = tuple(sum((c * cones.rays[r][i] for c, r in parts), fmpq(0)) for i in (0, 1))
        corner()
    return corners


@_BARRIER.checker
def certify_barrier(risk: Risk, w: Point) -> Certificate:
    r"""Must every path from w to a global minimum rise above w? (YUN-B-T1-8)

    Conditions: the lowest pass to a global minimum is higher than w; every face that leads out of
    what can be reached below the pass is at least as high; nothing lower than there is global.
    Those faces are a barrier: a closed set that separates w from all global minima, with an exact
    minimum, which is attained. Refuted with a path of straight segments, a corner per row of
    `path`, that ends in a global minimum and never is higher than w. Sound and complete for widths
    (1, k, 1), two-piece activations and squared loss, within the budget of `KinkCones`; otherwise
    unknown, with the reason. Equal inputs are allowed.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3, 7], [-1, -3, 2, -1, 2])
    >>> certify_barrier(risk, exact([1, 1, 1, 1, "1/2", 0, -2])).values["barrier"]
    67/11
    """
    cones = KinkCones(risk)
    found, value = lowest_pass(risk, w, cones), risk(exact(risk.network.point(w), "w"))
    text = "the lowest pass to a global minimum is higher than the point"
    if found.height == value:
        highest = max(map(risk, found.corners))
        witness = {"path": stack([corner.T for corner in found.corners]), "highest_risk": highest}
        return _BARRIER.refuted([Condition(text, False)], witness)
    ways = {other for node in found.side for other in _neighbours(cones, node)} - found.side
    conditions = [
        Condition(text, found.height > value, found.height - value, "difference"),
        Condition(
            "no way out of the faces on this side is lower than the pass",
            min(map(cones.smallest_risk, ways)) >= found.height,
        ),
        Condition(
            "the lowest point on this side is not global",
            found.lowest > found.bottom,
            found.lowest - found.bottom,
            "difference",
        ),
    ]
    values = {"risk": value, "lowest_on_this_side": found.lowest}
    values |= {"barrier": found.height, "global_minimum": found.bottom}
    return _BARRIER.certified(conditions, values=values)
