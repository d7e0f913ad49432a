r"""Yun, Sra, Jadbabaie (2019), Theorem 2: the data set, and the numbers that its points need.

Three samples :math:`(1, 0), (0, 1), (\tfrac12, \tfrac12)` with labels 0, 0, 1; the third input is
the midpoint of the other two, so an affine map cannot do better than the constant 1/3, with risk
1/3 (half the sum of squares). The point under study has first-layer rows :math:`(v_k, v_k)`, output
weights :math:`u_k` and outputs 1/3: two units that read a constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from flint import arb, ctx, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational, to_float
from lscore.errors import DataError, DtypeError, HypothesisError, ShapeError
from lscore.model.activations import PiecewiseLinear
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.model.smooth_activations import Smooth

CLAIM = "YUN-T2"
PRECISION = 160
LARGEST_POWER = 400_000
THIRD = fmpq(1, 3)
X, Y = [[1, 0], [0, 1], ["1/2", "1/2"]], [0, 0, 1]
Real = fmpq | arb


@checked
def three_points(h: Smooth | PiecewiseLinear, width: int = 2) -> Risk:
    """The risk of Theorem 2: its data, one hidden layer of this width with biases.

    >>> from lscore.model.activations import relu
    >>> three_points(relu)(exact([0] * 8 + ["1/3"]))
    1/3
    """
    return Risk(Network((2, width, 1), h), X, Y)


def check_activation(h: Smooth) -> None:
    """Raise unless h is smooth with a ball formula that agrees with its torch formula.

    `DtypeError`: not a `Smooth`, or its ball formula does not take balls (floats certify nothing).
    `HypothesisError` C2.7: h is piecewise linear; there the exact certificate of Theorem 1 applies
    (`relu_like_point` builds a point).
    `DataError`: torch's value is further than 1e-9 from the ball at one of a few test numbers.
    """
    if isinstance(h, PiecewiseLinear):
        raise HypothesisError(
            CLAIM,
            "C2.7",
            f"{h.name} is piecewise linear, so h'' = 0 and C2.7 reads p1 p2 < p1 p2; its points "
            "are decided by `certify_spurious`, the exact certificate of Theorem 1",
            h,
        )
    if not isinstance(h, Smooth):
        raise DtypeError(
            f"h: got {type(h).__name__}, need a Smooth with a ball formula; a float formula alone "
            "certifies nothing"
        )
    for z in (-2.5, -0.75, 0.375, 1.25, 3.0):
        try:
            ball = h.ball(arb(z))
        except (TypeError, AttributeError) as error:
            raise DtypeError(f"h: the ball formula of {h.name} does not take balls") from error
        number = float(h(torch.tensor(z, dtype=torch.float64)))
        middle, room = float(ball.mid()), float(ball.rad()) + 1e-9 * (1 + abs(number))
        if np.isfinite([number, middle, room]).all() and abs(number - middle) > room:
            raise DataError(
                f"h: the formulas of {h.name} differ, at {z} torch gives {number:.6g} and balls "
                f"{middle:.6g}"
            )


@checked
@dataclass(frozen=True)
class Place:
    r"""A real number v with :math:`h(v),\ h'(v)^2,\ h''(v)`: fractions where known, else balls.

    The balls of v and h(v) are finite (`DataError`), those of derivatives that do not exist are
    not, and none is as large or small as `as_real` refuses.
    """

    v: arb
    value: Real
    slope_squared: Real
    curvature: Real

    def __post_init__(self) -> None:
        as_real(self.v, "v")
        as_real(self.value, "value")
        for name in ("slope_squared", "curvature"):
            if sign(getattr(self, name)) is not None:
                as_real(getattr(self, name), name)


@checked
def place(
    h: Smooth | PiecewiseLinear, v: Scalar | arb, known: Sequence[Scalar | None] = ()
) -> Place:
    r"""The place v of h, with enclosures of :math:`h(v),\ h'(v)^2,\ h''(v)`.

    `known`: these three as fractions, or None, when an identity gives them (:math:`h' = h(1 - h)`
    for the sigmoid, say). They replace the enclosures, after a check that each lies in its
    enclosure (compared exactly); `DataError` otherwise, and for a ball v that is not finite. The
    identity itself is the caller's.
    Raises as `check_activation` unless h is smooth.

    >>> from lscore.model.smooth_activations import sigmoid
    >>> place(sigmoid, 0, known=["1/2", "1/16", 0]).value
    1/2
    """
    if not isinstance(h, Smooth):
        check_activation(h)
    if len(known) > 3:
        raise ShapeError(f"known: got {len(known)} numbers, need at most 3: h, h'^2 and h''")
    with ctx.workprec(PRECISION):
        v = arb(as_real(v, "v"))
        value, slope, curvature = h.derivatives(v, 2)
        if not curvature.is_finite():
            raise HypothesisError(CLAIM, "C2.4", f"{h.name} has no derivatives at {v}", v)
        numbers: list[Real] = [value, slope * slope, curvature]
    for k, fraction in enumerate(known):
        if fraction is None:
            continue
        fraction = rational(fraction, f"known[{k}]")
        if not meets(numbers[k], fraction):
            raise DataError(f"known[{k}]: got {fraction}, the enclosure is {numbers[k]}")
        numbers[k] = fraction
    return Place(v, *numbers)


def meets(ball: arb, number: Real) -> bool:
    """Whether a ball may hold the same real number: a fraction in it, exactly, or a ball that
    overlaps it.

    >>> meets(arb(1) / 3, fmpq(1, 3)), meets(arb("0.25"), fmpq(1, 4) + fmpq(1, 10**99))
    (True, False)
    """
    if isinstance(number, arb):
        return ball.is_finite() and number.is_finite() and ball.overlaps(number)
    return ball.is_finite() and abs(number - ball.mid().fmpq()) <= ball.rad().fmpq()


def check_place(h: Smooth, p: Place, name: str, smooth: bool = True) -> None:
    """Raise `DataError` if h(v), and h'(v)^2, h''(v) if `smooth`, cannot be those of the place."""
    with ctx.workprec(PRECISION):
        found = [("h", h.ball(p.v), p.value)]
        if smooth:
            value, slope, curvature = h.derivatives(p.v, 2)
            found = [("h", value, p.value), ("h'^2", slope * slope, p.slope_squared)]
            found.append(("h''", curvature, p.curvature))
    for what, ball, number in found:
        if not meets(ball, number):
            raise DataError(
                f"{name}: has {what} = {number}, but {h.name} has {ball}; a place belongs to the "
                "activation it was made for"
            )


@checked
@dataclass(frozen=True)
class Constants:
    r"""An activation with places :math:`v_k` and output weights :math:`u_k`, and how they came.

    They name the point with rows :math:`(v_k, v_k)`, hidden biases 0, output weights :math:`u_k`
    and output bias `b2` :math:`= \tfrac13 - \sum_k u_k h(v_k)`, whose outputs are all 1/3. `solved`
    is the unit whose :math:`u_k` was solved from C2.3, so that `b2` is 0 by definition: it is the
    fraction that C2.3 gives, or a ball around what it gives. `DataError` if a place has not the
    numbers of h, or `solved` does not solve C2.3.
    """

    h: Smooth
    places: tuple[Place, ...]
    u: tuple[Real, ...]
    solved: int | None = None
    why: str = ""

    def __post_init__(self) -> None:
        _check_lengths(self.places, self.u)
        for k, p in enumerate(self.places):
            check_place(self.h, p, f"v[{k}]")
        for k, w in enumerate(self.u):
            as_real(w, f"u[{k}]")
        if self.solved is not None and not (
            self.solved in range(self.width) and _is_solved(self.u, self.places, self.solved)
        ):
            raise DataError(f"solved: unit {self.solved} does not make u.h(v) = 1/3")

    @property
    def width(self) -> int:
        """The number of hidden units."""
        return len(self.u)

    @property
    def b2(self) -> Real:
        """The output bias that makes the outputs 1/3; a fraction if all places are exact."""
        if self.solved is not None:
            return fmpq(0)
        return _rest(self.u, self.places)

    @property
    def risk(self) -> Risk:
        """The risk of the three points for this activation and width."""
        return three_points(self.h, self.width)

    def point(self) -> RationalMatrix:
        """The point rounded to floats: for plots and searches, never for a proof."""
        v, u = [approximate(p.v) for p in self.places], [approximate(w) for w in self.u]
        return exact([*(x for a in v for x in (a, a)), *[0] * self.width, *u, approximate(self.b2)])


def _check_lengths(v: Sequence, u: Sequence) -> None:
    if len(v) != len(u) or not len(v):
        raise ShapeError(f"v, u: lengths {len(v)} and {len(u)}, need equally many, at least 1")


def _rest(u: Sequence[Real], places: Sequence[Place]) -> Real:
    """1/3 - u.h(v)."""
    with ctx.workprec(PRECISION):
        return THIRD - sum((w * p.value for w, p in zip(u, places, strict=True)), fmpq(0))


def _solution(u: Sequence[Real | None], places: Sequence[Place], k: int) -> Real:
    """The weight that C2.3 gives unit k: (1/3 - the sum over the others) / h(v_k)."""
    others = [(w, p) for j, (w, p) in enumerate(zip(u, places, strict=True)) if j != k]
    with ctx.workprec(PRECISION):
        return (THIRD - sum((w * p.value for w, p in others), fmpq(0))) / places[k].value


def _is_solved(u: Sequence[Real], places: Sequence[Place], k: int) -> bool:
    """Whether u_k is the fraction that C2.3 gives, or a ball around all that it may give."""
    if not sign(places[k].value):
        return False
    given, found = u[k], _solution(u, places, k)
    if isinstance(given, fmpq):
        return isinstance(found, fmpq) and found == given
    with ctx.workprec(PRECISION):
        return given.contains(found)


@checked
def constants(h: object, v: Sequence, u: Sequence, why: str = "") -> Constants:
    """Constants from places, numbers or balls `v` and numbers or balls `u`.

    One entry of u may be None: it is then solved from C2.3. Raises as `check_activation` and
    `place`; `ShapeError` (lengths), `HypothesisError` C2.3 (nothing to solve, h(v) = 0).
    """
    check_activation(h)
    _check_lengths(v, u)
    places = [p if isinstance(p, Place) else place(h, p) for p in v]
    weights = [w if w is None else as_real(w, f"u[{k}]") for k, w in enumerate(u)]
    open_units = [k for k, w in enumerate(weights) if w is None]
    if len(open_units) > 1:
        raise DataError(f"u: {len(open_units)} entries are None, at most one can be solved")
    for k in open_units:
        value = places[k].value
        if not sign(value):
            raise HypothesisError(CLAIM, "C2.3", f"h(v{k + 1}) = 0 cannot solve it", value)
        weights[k] = _solution(weights, places, k)
    return Constants(h, tuple(places), tuple(weights), next(iter(open_units), None), why)


class BallPoint(tuple):
    """The entries of a point, fractions or balls, in the order of `Network.pack`.

    >>> print(BallPoint((fmpq(1, 2), arb(2).sqrt(), fmpq(0))))
    (1/2, 1.414, 0)
    """

    def __str__(self) -> str:
        shown = (e.str(4, radius=False) if isinstance(e, arb) else str(e) for e in self)
        return f"({', '.join(shown)})"


def as_real(value: Scalar | arb, name: str = "v") -> Real:
    """A number as a fraction; a ball stays a ball. `DataError` for one that is not finite, or whose
    middle or radius has an exponent of two beyond `LARGEST_POWER`: a fraction next to it would fill
    the memory."""
    if not isinstance(value, arb):
        return rational(value, name)
    if not value.is_finite():
        raise DataError(f"{name}: got {value}, need a finite ball")
    if any(abs(end.man_exp()[1]) > LARGEST_POWER for end in (value.mid(), value.rad())):
        need = f"need powers of two up to {LARGEST_POWER} in size"
        raise DataError(f"{name}: got {value.str(6)}, {need}")
    return value


def approximate(value: Real) -> float:
    """The float next to a fraction or to the middle of a ball."""
    return to_float(value) if isinstance(value, fmpq) else float(value.mid())


def sign(value: Real) -> int | None:
    """-1, 0 or 1; None if a ball does not decide, or is not finite."""
    if isinstance(value, arb) and not value.is_finite():
        return None
    if value > 0 or value < 0:
        return 1 if value > 0 else -1
    return 0 if value == 0 else None
