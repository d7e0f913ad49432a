r"""Paths through parameter space along which the risk never rises, decided exactly."""

from __future__ import annotations

from itertools import pairwise

from flint import fmpq, fmpq_poly

from lscore.algebra.matrices import RationalMatrix
from lscore.algebra.polynomials import positive_point
from lscore.cells.rays import pieces_along
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import ShapeError
from lscore.model.risk import Risk

_PATH = Question("YUN-B-T1-4", "the risk never rises along the path")


@_PATH.checker
def certify_nonincreasing(risk: Risk, waypoints: list[RationalMatrix]) -> Certificate:
    """Does the risk never rise along the straight segments through these exact points?

    On every segment the risk is a chain of polynomials between walls that are known exactly
    (`pieces_along`); each must have a derivative <= 0. Certified, or refuted with the segment and
    two points on it between which the risk rises. One hidden layer; needs two waypoints at least
    (`ShapeError`). Claim YUN-B-T1-4. Sound, and complete but for hinge losses on segments that
    cross irrational walls, which takes a move of both layers: there unknown.

    >>> from lscore import Network, Risk, exact, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [1], [2])
    >>> down = certify_nonincreasing(risk, [exact([1, 0, 0, 0]), exact([1, 0, 2, 0])])
    >>> down.verdict.value, down.values["risk_at_the_start"], down.values["risk_at_the_end"]
    ('certified', 2, 0)
    """
    if len(waypoints) < 2:
        raise ShapeError(f"waypoints: got {len(waypoints)}, need at least 2")
    count = 0
    for s, (start, end) in enumerate(pairwise(waypoints)):
        for piece in pieces_along(risk, start, end):
            count += 1
            if positive_point(piece.risk.derivative(), piece.start, piece.stop) is not None:
                here = Condition(f"slope <= 0 on polynomial piece {count}, in segment {s}", False)
                before, after = _rise(piece.risk, piece.start, piece.stop)
                witness = {
                    "segment": s,
                    "earlier_time": before,
                    "later_time": after,
                    "rise": piece.risk(after) - piece.risk(before),
                }
                return _PATH.refuted([here], witness)
    first, last = risk(waypoints[0]), risk(waypoints[-1])
    condition = Condition(
        f"slope <= 0 on all {count} polynomial pieces of {len(waypoints) - 1} segments", True
    )
    values = {"risk_at_the_start": first, "risk_at_the_end": last}
    return _PATH.certified([condition], values=values)


def _rise(p: fmpq_poly, a: fmpq, b: fmpq) -> tuple[fmpq, fmpq]:
    """Two times a <= s < t <= b with p(s) < p(t): on a grid, else next to a positive slope."""
    for k in range(1, 8):
        times = [a + (b - a) * fmpq(j, 2**k) for j in range(2**k + 1)]
        for s, t in pairwise(times):
            if p(s) < p(t):
                return s, t
    s = positive_point(p.derivative(), a, b)
    h = b - s if s < b else a - s
    while p(s + h) <= p(s) if h > 0 else p(s + h) >= p(s):
        h /= 2
    return (s, s + h) if h > 0 else (s + h, s)
