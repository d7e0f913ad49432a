r"""Constants of Theorem 2 for non-affine activations (YUN-B-T2-2), with the reason they work.

(a) If :math:`h(v) h''(v) > 0` for some v, take two equal units with :math:`u = 1/(6 h(v))`: then
:math:`a_k = h''(v)/(18 h(v)) > 0`, and C2.6 and C2.7 hold by signs. (b) Otherwise
:math:`h h'' \le 0` everywhere; take :math:`u_1 = -s/h(v_1)`, :math:`u_2 = (\tfrac13 + s)/h(v_2)`
with :math:`s > 0`. With :math:`G = h'^2/|h h''|`, C2.7 then reads
:math:`(\tfrac13 + s)\, G(v_2) > s\, G(v_1) + \tfrac13`, and G grows without bound towards a zero of
h, so any :math:`v_2` close enough to it will do.
"""

from __future__ import annotations

from itertools import pairwise

from flint import arb, ctx, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.intervals import interval
from lscore.algebra.matrices import to_float
from lscore.errors import DataError, HypothesisError
from lscore.model.activations import PiecewiseLinear
from lscore.model.balls import derivative_hulls
from lscore.model.smooth_activations import Smooth
from lscore.papers.yun2019.smooth.minimum import box_is_safe
from lscore.papers.yun2019.smooth.setting import (
    CLAIM,
    PRECISION,
    THIRD,
    Constants,
    check_activation,
    constants,
    place,
    sign,
)

GRID = [fmpq(k, 4) for k in range(-16, 17)]
_STEPS = [fmpq(1, 2**k) for k in range(9, -1, -1)]


@checked
def find_constants(h: object) -> Constants:
    """Valid places and output weights for an activation, by case (a) or (b); `why` says how.

    Of the candidates, the one with the largest box that `box_is_safe` accepts is returned. Looks on
    [-4, 4] in steps of 1/4. Raises `HypothesisError` "non-affine" for an affine h (witness: its
    slope), C2.7 for a piecewise linear one (with the certificate to use instead), and `DataError`
    if neither case is shown on the grid; that is no proof that there are no constants.

    >>> from lscore.model.smooth_activations import exponential
    >>> find_constants(exponential).why.splitlines()[0]
    "case (a): h h'' > 0 at 33 of 33 numbers on the grid"
    """
    if isinstance(h, PiecewiseLinear) and h.is_linear:
        _refuse_affine(h, h.slopes[0])
    check_activation(h)
    hulls = derivative_hulls(h, interval(-4, 4), 2, 4)
    if hulls is not None and hulls[2].low == 0 and hulls[2].high == 0:
        _refuse_affine(h, hulls[1].ball())
    turning, opposed = _by_sign_of_product(h)
    found = _equal_units(h, turning) if turning else _opposed_units(h, opposed)
    if found is None:
        raise DataError(
            f"h: no constants found for {h.name} on [-4, 4]; h h'' > 0 is shown at {len(turning)} "
            f"and h h'' < 0 at {len(opposed)} of {len(GRID)} numbers (an affine h has neither)"
        )
    return found


def _refuse_affine(h, slope) -> None:
    raise HypothesisError(
        CLAIM,
        "non-affine",
        f"{h.name} is affine with slope {slope}: a linear network, whose local minima are global",
        slope,
    )


def _by_sign_of_product(h: Smooth) -> tuple[list[fmpq], list[fmpq]]:
    """Grid numbers with h h'' > 0, and those with h h'' < 0, as far as balls tell."""
    signs = {}
    for v in GRID:
        with ctx.workprec(PRECISION):
            value, _, curvature = h.derivatives(arb(v), 2)
            signs[v] = sign(value * curvature)
    return [v for v in GRID if signs[v] == 1], [v for v in GRID if signs[v] == -1]


def _size(c: Constants) -> int:
    """How many of the radii 2^-9, ..., 1 are safe: a cheap score."""
    count = 0
    for step in _STEPS:
        if not box_is_safe(c, step, 16):
            break
        count += 1
    return count


def _equal_units(h: Smooth, turning: list[fmpq]) -> Constants | None:
    candidates = []
    for v in turning:
        p = place(h, v)
        with ctx.workprec(PRECISION):
            c = constants(h, [p, p], [1 / (6 * p.value), None])
        candidates.append((_size(c), -abs(v), c, v))
    *_, c, v = max(candidates, key=lambda row: row[:2])
    why = (
        f"case (a): h h'' > 0 at {len(turning)} of {len(GRID)} numbers on the grid\n"
        f"v1 = v2 = {v}, u1 = u2 = 1/(6 h(v)): a1 = a2 > 0 gives C2.6 and C2.7"
    )
    return Constants(c.h, c.places, c.u, c.solved, why)


def bend_ratio(h: Smooth, v: fmpq) -> arb:
    r""":math:`G(v) = h'(v)^2 / |h(v) h''(v)|`, in a ball."""
    with ctx.workprec(PRECISION):
        value, slope, curvature = h.derivatives(arb(v), 2)
        return slope * slope / abs(value * curvature)


def _zeros(h: Smooth) -> list[fmpq]:
    """Rationals next to the zeros of h on the grid's range, where its sign changes."""
    values = [(v, sign(h.ball(arb(v)))) for v in GRID]
    found = [v for v, s in values if s in (0, None)]
    for (low, s), (high, t) in pairwise(values):
        if s and t and s != t:
            for _ in range(12):
                middle = (low + high) / 2
                low, high = (middle, high) if sign(h.ball(arb(middle))) == s else (low, middle)
            found.append(low)
    return found


def _opposed_units(h: Smooth, opposed: list[fmpq]) -> Constants | None:
    candidates = []
    near = [(z, z + step) for z in _zeros(h) for step in _near()]
    for zero, v2 in near:
        for v1 in [v for v in opposed if abs(v) in (fmpq(1, 2), 1, 2, 3)]:
            for s in (fmpq(1, 3), fmpq(2)):
                if _criterion(h, v1, v2, s):
                    c = _opposed(h, v1, v2, s)
                    candidates.append((_size(c), s, -abs(v1), c, (v1, v2, s, zero)))
    if not candidates:
        return None
    *_, c, (v1, v2, s, zero) = max(candidates, key=lambda row: row[:3])
    g1, g2 = (float(bend_ratio(h, v).mid()) for v in (v1, v2))
    why = (
        f"case (b): h h'' > 0 nowhere on the grid, h has a zero near {to_float(zero):.4g}\n"
        f"v1 = {v1}, v2 = {v2}, s = {s}: (1/3 + s) G(v2) > s G(v1) + 1/3 gives C2.7,\n"
        f"with G(v1) = {g1:.4g} and G(v2) = {g2:.4g}"
    )
    return Constants(c.h, c.places, c.u, c.solved, why)


def _near() -> list[fmpq]:
    return [fmpq(sign, size) for size in (8, 20) for sign in (1, -1)]


def _criterion(h: Smooth, v1: fmpq, v2: fmpq, s: fmpq) -> bool:
    """Whether balls show h h'' < 0 at v2 and (1/3 + s) G(v2) > s G(v1) + 1/3."""
    with ctx.workprec(PRECISION):
        value, _, curvature = h.derivatives(arb(v2), 2)
        if not value * curvature < 0:
            return False
        return bool((THIRD + s) * bend_ratio(h, v2) > s * bend_ratio(h, v1) + THIRD)


def _opposed(h: Smooth, v1: fmpq, v2: fmpq, s: fmpq) -> Constants:
    places = [place(h, v1), place(h, v2)]
    with ctx.workprec(PRECISION):
        return constants(h, places, [-s / places[0].value, None])
