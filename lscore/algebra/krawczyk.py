r"""Krawczyk's theorem: a box that holds exactly one zero of a smooth system, proved in balls.

Let x be a point, C any matrix and X a box around x. If the set

.. math:: K(X) = x - C f(x) + (I - C\, f'(X))(X - x)

lies in the interior of X, then f has exactly one zero in X, and it lies in K(X). The nearer C is to
the inverse of :math:`f'(x)`, the better; it need not be exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, ctx

from lscore.algebra.arguments import checked
from lscore.algebra.balls import Balls

_STEPS = 40  # of Newton's method
_INFLATIONS = 4  # boxes that are tried, each 8 times as wide as the last
System = Callable[[Balls], Balls]


@dataclass(frozen=True, eq=False)
class Enclosure:
    """A box (m,) of balls that holds exactly one zero, or the `reason` why none is shown."""

    box: Balls | None
    reason: str = ""


@checked
def krawczyk(
    value: Callable, jacobian: Callable, start: Sequence[object], *, bits: int = 128
) -> Enclosure:
    r"""A box around the zero of f that Newton's method finds from `start` (m,), with proof.

    `value` maps balls (m,) to balls that contain f(x) (m,), `jacobian` to balls (m, m) that contain
    :math:`f'(x)` for all x inside; both run with `bits` bits. Newton's steps start at the numbers
    of `start` and end where they no longer shrink. Sound: a box that is returned holds exactly one
    zero. Not complete: no box where Newton's method fails, where f' is singular, or where the balls
    of f' are too wide, whatever the reason. Source: Krawczyk (1969).

    >>> root = krawczyk(lambda x: x * x - 2, lambda x: (2 * x)[:, None].view(Balls), [1])
    >>> root.box[0].str(20, radius=False), bool(root.box[0].rad() < 1e-36)
    ('1.4142135623730950488', True)
    >>> krawczyk(lambda x: x * x + 1, lambda x: (2 * x)[:, None].view(Balls), [3]).reason
    "Newton's steps do not settle"
    """
    with ctx.workprec(bits):
        x = _column([arb(v).mid() for v in start])
        if not x.size:
            return Enclosure(x)
        last = None
        for _ in range(_STEPS):
            inverse = _inverse(jacobian(x))
            if inverse is None:
                return Enclosure(None, "the Jacobian is singular, or no ball encloses it")
            step = inverse @ value(x)[:, None]
            size = max(abs(s).upper() for s in step.flat)
            settled = size < arb(2) ** (-bits // 4) * (1 + max(abs(a) for a in x))
            if settled and last is not None and not size < last / 2:
                break
            last, x = size, _column([(a - s).mid() for a, s in zip(x, step.flat, strict=True)])
        else:
            return Enclosure(None, "Newton's steps do not settle")
        return _proved(value, jacobian, x, inverse)


def _proved(value: System, jacobian: System, x: Balls, C: Balls) -> Enclosure:
    """Krawczyk's test on boxes around x."""
    m, step = len(x), (C @ value(x)[:, None])[:, 0]
    slack, size = arb(2) ** (8 - ctx.prec), max(abs(a) for a in x)
    least = slack**2 * (1 if size.is_zero() else size)
    reach = [2 * abs(s).upper() + slack * abs(a) + least for s, a in zip(step, x, strict=True)]
    for k in range(_INFLATIONS):
        radii = [(r * 8**k).upper() for r in reach]
        X = _column([arb(a, r) for a, r in zip(x, radii, strict=True)])
        spread = C @ jacobian(X)
        rest = (np.eye(m, dtype=int) - spread).view(Balls) @ (X - x).view(Balls)[:, None]
        box = _column([a + (t - s) for a, s, t in zip(x, step, rest[:, 0], strict=True)])
        if all(a.contains_interior(b) for a, b in zip(X, box, strict=True)):
            return Enclosure(box)
    return Enclosure(None, "Krawczyk's test fails: the Jacobian varies too much near the point")


def _inverse(J: Balls) -> Balls | None:
    """The midpoints of the inverse of the midpoints."""
    middle = arb_mat([[v.mid() for v in row] for row in J.tolist()])
    try:
        inverse = middle.inv()
    except ZeroDivisionError:
        return None
    found = np.array([[v.mid() for v in row] for row in inverse.tolist()], dtype=object)
    return found.view(Balls) if all(v.is_finite() for v in found.flat) else None


def _column(values: list) -> Balls:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found.view(Balls)
