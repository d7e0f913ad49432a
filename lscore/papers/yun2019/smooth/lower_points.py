r"""Yun, Sra, Jadbabaie (2019), Theorem 2: lower points near a minimum.

Floats propose, balls decide. Move both pre-activations and the output weights to another place (the
outputs stay constant), where the matrix Q of the certificate has a negative eigenvalue; then pull
samples 1 and 2 apart along its eigenvector. The risk of the rational point found this way is
enclosed in balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_FLOOR, Context, Decimal

import numpy as np
import torch
from flint import arb, ctx, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational, to_float
from lscore.errors import DataError, ShapeError
from lscore.model.balls import ball_risk
from lscore.papers.yun2019.smooth.setting import PRECISION, THIRD, Constants, Real, approximate

Vector = Sequence[float]
LARGEST = 10**6  # radius of a box in which floats search


@dataclass(frozen=True, eq=False)
class NearbyPoint:
    """A rational point with a risk below 1/3, by at least `decrease` (from balls, rounded down)."""

    point: RationalMatrix
    decrease: Decimal


def rounded_down(value: Real, digits: int = 6) -> Decimal:
    """The lower end of a fraction or finite ball, rounded down to `digits` significant digits.

    Of any size: beyond the decimals (10^18 digits) still a lower bound.

    >>> rounded_down(fmpq(2, 3), 4), rounded_down(fmpq(-2, 3), 4), rounded_down(arb(10**9).exp(), 4)
    (Decimal('0.6666'), Decimal('-0.6667'), Decimal('8.002E+434294481'))
    """
    with ctx.workprec(PRECISION):
        low = arb(value).lower()
        if not low.is_finite() or low == 0:
            return Decimal(0)
        last = (abs(low).log() / arb(10).log()).lower().floor().lower() - digits + 1
        scaled = (low / arb(10) ** last).lower().floor().lower()
        number = f"{int(scaled.fmpq())}E{int(last.fmpq())}"
        return Context(digits, ROUND_FLOOR, MIN_EMIN, MAX_EMAX, traps=[]).create_decimal(number)


@checked
def enclosed_decrease(c: Constants, w: RationalMatrix) -> arb:
    """A ball around 1/3 - R(w)."""
    with ctx.workprec(PRECISION):
        return arb(THIRD) - ball_risk(c.risk, w, bits=PRECISION)


def _vectors(c: Constants, **vectors: Vector) -> list[np.ndarray]:
    """Float arrays with one entry per unit."""
    for name, vector in vectors.items():
        if np.shape(vector) != (c.width,):
            raise ShapeError(f"{name}: shape {np.shape(vector)}, need ({c.width},)")
    return [np.asarray(vector, dtype=float) for vector in vectors.values()]


@checked
def pulled_apart(c: Constants, shift: Vector, u: Vector, z: Vector, t: float) -> RationalMatrix:
    """The float point with places v + shift, output weights u, samples 1 and 2 pulled apart by t z.

    Half of each shift goes to the weights and half to the bias. The output bias is the best one.
    """
    v = np.array([approximate(p.v) for p in c.places])
    shift, u, z = _vectors(c, shift=shift, u=u, z=z)
    half, pull = shift / 2, float(t) * z
    rows = np.column_stack([v + half + pull, v + half - pull])
    w = torch.from_numpy(np.concatenate([rows.ravel(), half, u, [0.0]]))
    w[-1] = (c.risk.y - c.risk.predictions(w)).mean()
    return exact(w)


@checked
def best_pull(c: Constants, shift: Vector, u: Vector, z: Vector, room: float) -> NearbyPoint | None:
    """The lowest of the points `pulled_apart` by room / 2^k, k < 8, if balls show it below 1/3."""
    (z,) = _vectors(c, z=z)
    z = z / np.abs(z).max()
    points = [pulled_apart(c, shift, u, z, room / 2**k) for k in range(8)]
    gains = [enclosed_decrease(c, w).lower() for w in points]
    best = max(range(8), key=lambda k: float(gains[k]))
    if not gains[best] > 0:
        return None
    return NearbyPoint(points[best], rounded_down(gains[best], 3))


@checked
def risk_on_slice(
    c: Constants, shift: Vector, turn: Vector, z: Vector, s: Vector, t: Vector
) -> np.ndarray:
    """Float risks, shape (len(t), len(s)), with the best output bias, for plots.

    At (s, t) the places are v + s shift, the output weights u + s turn, and samples 1 and 2 are
    pulled apart by t z, as in `pulled_apart`.
    """
    shift, turn, z = _vectors(c, shift=shift, turn=turn, z=z)
    s, t = torch.from_numpy(np.asarray(s))[None, :], torch.from_numpy(np.asarray(t))[:, None]
    outputs = []
    for side in (1, -1, 0):
        terms = [
            (approximate(w) + s * b) * c.h(approximate(p.v) + s * a + side * t * x)
            for p, w, a, b, x in zip(c.places, c.u, shift, turn, z, strict=True)
        ]
        outputs.append(sum(terms))
    residuals = torch.stack(outputs) - c.risk.y[:, :, None]
    return (((residuals - residuals.mean(0)) ** 2).sum(0) / 2).numpy()


@checked
def most_negative_place(c: Constants, radius: float, pull: float, points: int = 41):
    """Shifts of v (each up to 2 radius) and u (up to radius) where Q is most negative, in floats.

    For two units; h' and h'' are difference quotients over +-pull, which see kinks too. Returns
    (smallest eigenvalue, shift (2,), u (2,), eigenvector (2,)).
    """
    if c.width != 2 or not (0 < radius <= LARGEST and 0 < pull <= LARGEST):
        raise DataError(f"c, radius, pull: need two units and numbers from 0 to {LARGEST}")
    grid = np.linspace(-2 * radius, 2 * radius, points)
    steps = radius * np.linspace(-1, 1, 5)
    v, u = [approximate(p.v) for p in c.places], [approximate(w) for w in c.u]
    slopes, bends = zip(*(_quotients(c, a + grid, pull) for a in v), strict=True)
    i, j, k, l = np.ix_(range(points), range(points), range(5), range(5))
    first, second = (u[0] + steps)[k], (u[1] + steps)[l]
    pulls = first * slopes[0][i], second * slopes[1][j]
    a = pulls[0] ** 2 + first * bends[0][i] / 3
    b = pulls[1] ** 2 + second * bends[1][j] / 3
    cross = pulls[0] * pulls[1]
    smallest = (a + b) / 2 - np.hypot((a - b) / 2, cross)
    place = tuple(int(n) for n in np.unravel_index(np.argmin(smallest), smallest.shape))
    matrix = np.array([[np.broadcast_to(e, smallest.shape)[place] for e in row]
                       for row in ((a, cross), (cross, b))])  # fmt: skip
    weights = np.array([u[0] + steps[place[2]], u[1] + steps[place[3]]])
    return smallest[place], grid[list(place[:2])], weights, np.linalg.eigh(matrix)[1][:, 0]


def _quotients(c: Constants, z: np.ndarray, pull: float):
    """First and second difference quotients of the torch formula."""
    low, middle, high = (c.h(torch.from_numpy(z + side * pull)).numpy() for side in (-1, 0, 1))
    return (high - low) / (2 * pull), (high + low - 2 * middle) / pull**2


@checked
def lower_point_in_box(c: Constants, radius: Scalar) -> NearbyPoint | None:
    r"""A point below 1/3 in the box of this radius around the point of c, or None if none is found.

    The box is that of `box_is_safe`. A float search over shifted places proposes; kept is only a
    rational point whose membership in the box and whose risk below 1/3 are proved in balls. Sound,
    not complete: None says nothing.
    """
    radius = rational(radius, "radius")
    size = to_float(radius)
    for share in (1 / 8, 1 / 64, 1 / 1024):
        reach, pull = size * (1 - share) * (1 - 1e-12), size * share * (1 - 1e-12)
        value, shift, u, z = most_negative_place(c, reach, pull)
        found = best_pull(c, shift, u, z, pull) if value < 0 else None
        if found is not None and in_box(c, found.point, radius):
            return found
    return None


@checked
def in_box(c: Constants, w: RationalMatrix, radius: fmpq) -> bool:
    """Whether every weight and hidden bias of w is within `radius` of the point of c: in balls."""
    with ctx.workprec(PRECISION):
        centre = [x for p in c.places for x in (p.v, p.v)] + [arb(0)] * c.width
        centre += [arb(x) for x in c.u]
        return all(
            abs(arb(w[i, 0]) - x).upper() <= arb(radius).lower() for i, x in enumerate(centre)
        )


@checked
def first_lower_radius(c: Constants, start: Scalar, ratio: float = 1.01) -> float | None:
    """About the smallest radius at which `lower_point_in_box` finds a point; None below 16 start.

    `start`: a radius at which there is none, such as the certified one. Bisection to a factor of
    `ratio`; the returned radius is one at which a point was found.
    """
    if ratio < 1 + 1e-9:
        raise DataError(f"ratio: got {ratio}, need more than 1")
    low = to_float(rational(start, "start"))
    high = 2 * low
    while lower_point_in_box(c, high) is None:
        low, high = high, 2 * high
        if high > 16 * to_float(rational(start)):
            return None
    while high / low > ratio:
        middle = (low * high) ** 0.5
        if lower_point_in_box(c, middle) is None:
            low = middle
        else:
            high = middle
    return high
