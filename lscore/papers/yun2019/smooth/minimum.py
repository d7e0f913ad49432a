r"""Yun, Sra, Jadbabaie (2019), Theorem 2, part 2: a local minimum certified on a box, no sampling.

Write the outputs near the point as :math:`\tfrac13 + t_i`. With :math:`z_k` the difference of unit
k's pre-activations at samples 1 and 2, two mean-value steps give, for any output bias,

.. math:: R - \tfrac13 \ \ge\ \tfrac14 z^\top Q z, \qquad
   Q_{kk} = u_k^2 h'(\xi_k)^2 + \tfrac13 u_k H_k, \quad Q_{kl} = u_k h'(\xi_k)\, u_l h'(\xi_l),

where :math:`H_k` is an average of :math:`h''` between the pre-activations of unit k. So the risk is
nowhere below 1/3 on a box on which Q, with :math:`u, h'^2, h''` in intervals, is positive
semidefinite. For two units
:math:`\det Q` is :math:`\tfrac13 u_1 u_2` times the sum :math:`u_1 h_1'^2 H_2 + u_2 h_2'^2 H_1`
:math:`{}+ \tfrac13 H_1 H_2`: the large products cancel before any
interval is formed.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from flint import arb, ctx, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.intervals import Interval, interval
from lscore.algebra.matrices import Scalar, rational
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError
from lscore.model.balls import derivative_hulls
from lscore.papers.yun2019.smooth.lower_points import best_pull, rounded_down
from lscore.papers.yun2019.smooth.setting import (
    CLAIM,
    PRECISION,
    THIRD,
    Constants,
    Real,
    approximate,
    sign,
)

DIRECTION = "negative_direction"
_MINIMUM = Question(CLAIM, "the point is a local minimum of risk 1/3", "ball")
_BOX_PRECISION = 64


@checked
def slope_and_bend(c: Constants) -> tuple[list[Real], list[Real]]:
    r""":math:`p_k = (u_k h'(v_k))^2` and :math:`a_k = u_k h''(v_k)/3`, the numbers of C2.6, C2.7.

    Fractions where the places are exact, balls otherwise.
    """
    with ctx.workprec(PRECISION):
        pairs = list(zip(c.u, c.places, strict=True))
        return [u * u * p.slope_squared for u, p in pairs], [
            u * p.curvature * THIRD for u, p in pairs
        ]


@checked
def c27_margin(c: Constants) -> Real:
    r""":math:`p_1 a_2 + a_1 p_2 + a_1 a_2`: C2.7 says that it is positive (p_1 p_2 cancels)."""
    if c.width != 2:
        raise DataError(f"c: {c.width} units, C2.7 speaks of 2")
    (p1, p2), (a1, a2) = slope_and_bend(c)
    with ctx.workprec(PRECISION):
        return p1 * a2 + a1 * p2 + a1 * a2


@checked
def box_is_safe(c: Constants, radius: Scalar, parts: int = 64) -> bool:
    r"""Is Q positive semidefinite on the whole box of this radius? True only if proved.

    The box holds every point whose first-layer weights, hidden biases and output weights differ by
    at most `radius` each; the output bias is free. Then :math:`v_k` moves by at most twice the
    radius. Accepted if :math:`u_k h'' \ge 0` for every unit; for two units, if the diagonal of Q
    and its determinant are positive; for any other number, if :math:`u_k h'' > 0` for all units but
    j and :math:`p_j > -a_j (1 + \sum_{k \ne j} p_k / a_k)`. Sound, not complete.
    """
    radius = rational(radius, "radius")
    if radius < 0:
        raise DataError(f"radius: got {radius}, need a number that is not negative")
    with ctx.workprec(_BOX_PRECISION):
        u = [interval(w).widened(radius) for w in c.u]
        slopes, bends = [], []
        for p in c.places:
            hulls = derivative_hulls(c.h, interval(p.v).widened(2 * radius), 2, parts)
            if hulls is None:
                return False
            slopes.append(hulls[1].square())
            bends.append(hulls[2])
        turns = [a * b for a, b in zip(u, bends, strict=True)]
        if all(turn.low >= 0 for turn in turns):
            return True
        if c.width == 2:
            return _is_positive_definite(u, slopes, bends, turns)
        pulls = [w.square() * g for w, g in zip(u, slopes, strict=True)]
        return _one_unit_bends_down(pulls, turns)


def _is_positive_definite(u, slopes, bends, turns: list[Interval]) -> bool:
    """Sylvester's criterion for the two-unit Q in intervals."""
    diagonal = [w.square() * g + turn * THIRD for w, g, turn in zip(u, slopes, turns, strict=True)]
    inner = u[0] * slopes[0] * bends[1] + u[1] * slopes[1] * bends[0] + bends[0] * bends[1] * THIRD
    return bool(all(q.low > 0 for q in diagonal) and (u[0] * u[1] * inner).low > 0)


def _one_unit_bends_down(pulls: list[Interval], turns: list[Interval]) -> bool:
    """Schur's criterion for a Q with at most one unit whose bend may be negative, in intervals."""
    down = [k for k, turn in enumerate(turns) if not turn.low > 0]
    if len(down) != 1:
        return not down
    load = 1 + sum(
        (
            3 * p.high / t.low
            for k, (p, t) in enumerate(zip(pulls, turns, strict=True))
            if k not in down
        ),
        arb(0),
    )
    return bool(pulls[down[0]].low / load + turns[down[0]].low / 3 > 0)


@checked
def certified_radius(c: Constants, digits: int = 4) -> Decimal:
    """The largest radius with this many significant digits that `box_is_safe` accepts, or 0.

    Found by doubling and bisection from 2^-20 upwards; at most 64. Rounded down: the box of the
    returned radius has itself been checked.
    """
    low = fmpq(1, 2**20)
    if not box_is_safe(c, low):
        return Decimal(0)
    while low < 32 and box_is_safe(c, 2 * low):
        low *= 2
    places = digits - 1 - Decimal(int(low.p) / int(low.q)).adjusted()
    scale = fmpq(10) ** places
    down, up = int((low * scale).floor()), int((2 * low * scale).floor()) + 1
    while up - down > 1:
        middle = (down + up) // 2
        if box_is_safe(c, middle / scale):
            down = middle
        else:
            up = middle
    return Decimal(down).scaleb(-places) if box_is_safe(c, down / scale) else Decimal(0)


def _condition(text: str, value: Real) -> Condition:
    """`value` > 0, decided if its sign is; a condition that fails has a margin <= 0."""
    s = sign(value)
    margin = value if isinstance(value, fmpq) else rounded_down(value)
    return Condition(text, None if s is None else s > 0, None if s is None else margin)


@checked
def negative_direction(c: Constants) -> tuple[fmpq, ...] | None:
    r"""A rational z with z'Qz < 0 at the point, proved in balls; None if none is shown.

    :math:`z^\top Q z = (\sum_k s_k z_k)^2 + \sum_k a_k z_k^2` with :math:`s_k = u_k h'(v_k)`. If Q
    has a negative direction, one of these is one: a unit vector, or a z with :math:`z_j = 1` that
    is best among all such, or that cancels :math:`s_j` by one other unit. At such a point the
    first-layer change :math:`t (z_k, -z_k)` changes the risk by :math:`t^2 z^\top Q z + O(t^4)`, so
    it is not a local minimum.
    """
    p, a = slope_and_bend(c)
    for k in range(c.width):
        if p[k] + a[k] < 0:
            return tuple(fmpq(int(j == k)) for j in range(c.width))
    s = _slopes(c)
    for digits in (3, 9, 27, None):
        for exact in _proposals([w.mid().fmpq() for w in s], [_middle(x) for x in a]):
            z = exact if digits is None else tuple(_rounded(x, digits) for x in exact)
            with ctx.workprec(PRECISION):
                pull = sum((w * x for w, x in zip(s, z, strict=True)), arb(0))
                form = pull * pull + sum((b * x * x for b, x in zip(a, z, strict=True)), fmpq(0))
            if form < 0:
                return z
    return None


def _proposals(s: list[fmpq], a: list[fmpq]) -> Iterator[tuple[fmpq, ...]]:
    """Directions that may be negative for the form (s.z)^2 + sum of a_k z_k^2, in fractions."""
    units = range(len(s))
    for j in units:
        others = [k for k in units if k != j and s[k] != 0]
        load = 1 + sum((s[k] ** 2 / a[k] for k in others if a[k] != 0), fmpq(0))
        if load != 0 and all(a[k] != 0 for k in others):
            yield tuple(fmpq(1) if k == j else -s[j] * s[k] / (load * a[k]) if k in others
                        else fmpq(0) for k in units)  # fmt: skip
        for k in others:
            yield tuple(fmpq(1) if i == j else -s[j] / s[k] if i == k else fmpq(0) for i in units)


def _middle(value: Real) -> fmpq:
    return value if isinstance(value, fmpq) else value.mid().fmpq()


def _rounded(x: fmpq, digits: int) -> fmpq:
    """x to the nearest multiple of 10^-digits."""
    scale = fmpq(10) ** digits
    return fmpq((x * scale + fmpq(1, 2)).floor()) / scale


def _slopes(c: Constants) -> list[arb]:
    """Enclosures of u_k h'(v_k)."""
    with ctx.workprec(PRECISION):
        return [u * c.h.derivatives(p.v, 1)[1] for u, p in zip(c.u, c.places, strict=True)]


@checked
def certify_smooth_minimum(c: Constants) -> Certificate:
    r"""Is the point of these constants a local minimum of risk 1/3? (YUN-T2, part 2)

    Conditions: the outputs are 1/3 (C2.3, or the output bias makes them so); for two units C2.6 and
    C2.7, in fractions where the places are exact, otherwise every :math:`u_k h''(v_k) > 0`
    (YUN-B-T2-3); and a box of positive radius on which the risk is nowhere below 1/3. The box alone
    is a proof: where one of C2.6, C2.7 is an equality it stands without them. `values`: risk, and
    the certified `radius` (first-layer weights, hidden biases and output weights may each move by
    that much, the output bias freely).

    Refuted if Q has a negative direction at the point, with one and with a lower point where balls
    show one; for two units whenever balls show that C2.7 fails strictly. Unknown otherwise: a sign
    is zero or not decided, or a box would have to be smaller than 2^-20. Sound.

    >>> from lscore.model.smooth_activations import square
    >>> from lscore.papers.yun2019.smooth.setting import constants
    >>> answer = certify_smooth_minimum(constants(square, [1, 1], ["1/6", "1/6"]))
    >>> answer.verdict.value, answer.values["radius"]          # the box is safe up to 1/6
    ('certified', Decimal('0.1666'))
    """
    outputs, curvature = _outputs_condition(c), _curvature_conditions(c)
    witness = _negative(c)
    if witness:
        if c.width != 2 or all(k.holds is not False for k in curvature):
            curvature.append(Condition("Q is positive semidefinite at the point", False))
        return _MINIMUM.refuted([outputs, *curvature], witness)
    radius = certified_radius(c)
    box = Condition("Q is positive semidefinite on a box", radius > 0 or None, radius, "radius")
    wanting = next((k for k in curvature if k.holds is not True), None)
    if box.holds:
        conditions = [outputs, *([] if wanting else curvature), box]
        return _MINIMUM.certified(conditions, values={"risk": THIRD, "radius": radius})
    reason = "no box of radius 2^-20 is safe"
    if wanting is not None:
        word = "fails" if wanting.holds is False else "is not decided"
        reason = f"{wanting.text} {word}, and no direction of descent is shown"
    return _MINIMUM.unknown(reason, [outputs, *curvature, box])


def _negative(c: Constants) -> dict[str, object]:
    """What shows that Q has a negative direction at the point; empty if nothing does."""
    direction = negative_direction(c)
    if direction is not None:
        shown = ", ".join(map(str, direction))
        return {DIRECTION: f"({shown})"} | _lower_point(c, direction)
    if c.width == 2 and sign(c27_margin(c)) == -1:
        above = rounded_down(-arb(c27_margin(c))).copy_negate()
        return {"c27_margin_at_most": above}
    return {}


def _lower_point(c: Constants, direction) -> dict[str, object]:
    """A rational point below 1/3 along the direction, with its decrease; empty if none is shown."""
    u = [approximate(w) for w in c.u]
    z = [approximate(x) for x in direction]
    found = best_pull(c, [0.0] * c.width, u, z, 0.5)
    if found is None:
        return {}
    return {"lower_point": found.point, "decrease_there_at_least": found.decrease}


def _outputs_condition(c: Constants) -> Condition:
    b2 = c.b2
    if c.solved is not None:
        return Condition(f"C2.3: u{c.solved + 1} solves u.h(v) = 1/3", True)
    if isinstance(b2, fmpq) and b2 == 0:
        return Condition("C2.3: u.h(v) = 1/3", True)
    return Condition("the output bias 1/3 - u.h(v) makes the outputs 1/3", True)


def _curvature_conditions(c: Constants) -> list[Condition]:
    p, a = slope_and_bend(c)
    if c.width != 2:
        return [_condition(f"u{k + 1} h''(v{k + 1}) > 0", 3 * x) for k, x in enumerate(a)]
    return [
        _condition("C2.6: p1 + a1 > 0", p[0] + a[0]),
        _condition("C2.7: p1 a2 + a1 p2 + a1 a2 > 0", c27_margin(c)),
    ]
