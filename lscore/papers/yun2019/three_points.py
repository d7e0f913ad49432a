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

from lscore.activations import PiecewiseLinear, Smooth
from lscore.errors import DataError, DtypeError, HypothesisError, ShapeError
from lscore.exact import RationalMatrix, Scalar, exact, rational, to_float
from lscore.networks import Network
from lscore.risk import Risk

CLAIM = "YUN-T2"
PRECISION = 160
THIRD = fmpq(1, 3)
X, Y = [[1, 0], [0, 1], ["1/2", "1/2"]], [0, 0, 1]
Real = fmpq | arb


def three_points(h: Smooth | PiecewiseLinear, width: int = 2) -> Risk:
    """The risk of Theorem 2: its data, one hidden layer of this width with biases.

    >>> from lscore.activations import relu
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


@dataclass(frozen=True)
class Place:
    r"""A real number v with :math:`h(v),\ h'(v)^2,\ h''(v)`: fractions where known, else balls."""

    v: arb
    value: Real
    slope_squared: Real
    curvature: Real


def place(h: Smooth, v: Scalar | arb, known: Sequence[Scalar | None] = ()) -> Place:
    r"""The place v of h, with enclosures of :math:`h(v),\ h'(v)^2,\ h''(v)`.

    `known`: these three as fractions, or None, when an identity gives them (:math:`h' = h(1 - h)`
    for the sigmoid, say). They replace the enclosures, after a check that each lies in its
    enclosure; `DataError` otherwise. Raises as `check_activation` unless h is smooth.

    >>> from lscore.activations import sigmoid
    >>> place(sigmoid, 0, known=["1/2", "1/16", 0]).value
    1/2
    """
    if not isinstance(h, Smooth):
        check_activation(h)
    with ctx.workprec(PRECISION):
        v = v if isinstance(v, arb) else arb(rational(v, "v"))
        value, slope, curvature = h.derivatives(v, 2)
        if not curvature.is_finite():
            raise HypothesisError(CLAIM, "C2.4", f"{h.name} has no derivatives at {v}", v)
        numbers = [value, slope * slope, curvature]
        for k, fraction in enumerate(known):
            if fraction is None:
                continue
            fraction = rational(fraction, f"known[{k}]")
            if not numbers[k].contains(arb(fraction)):
                raise DataError(f"known[{k}]: got {fraction}, the enclosure is {numbers[k]}")
            numbers[k] = fraction
        return Place(v, *numbers)


@dataclass(frozen=True)
class Constants:
    r"""An activation with places :math:`v_k` and output weights :math:`u_k`, and how they came.

    They name the point with rows :math:`(v_k, v_k)`, hidden biases 0, output weights :math:`u_k`
    and output bias `b2` :math:`= \tfrac13 - \sum_k u_k h(v_k)`, whose outputs are all 1/3. `solved`
    is the unit whose :math:`u_k` was solved from C2.3, so that `b2` is 0 by definition.
    """

    h: Smooth
    places: tuple[Place, ...]
    u: tuple[Real, ...]
    solved: int | None = None
    why: str = ""

    @property
    def width(self) -> int:
        """The number of hidden units."""
        return len(self.u)

    @property
    def b2(self) -> Real:
        """The output bias that makes the outputs 1/3; a fraction if all places are exact."""
        if self.solved is not None:
            return fmpq(0)
        with ctx.workprec(PRECISION):
            return THIRD - sum(
                (u * p.value for u, p in zip(self.u, self.places, strict=True)), fmpq(0)
            )

    @property
    def risk(self) -> Risk:
        """The risk of the three points for this activation and width."""
        return three_points(self.h, self.width)

    def point(self) -> RationalMatrix:
        """The point rounded to floats: for plots and searches, never for a proof."""
        v, u = [approximate(p.v) for p in self.places], [approximate(w) for w in self.u]
        return exact([*(x for a in v for x in (a, a)), *[0] * self.width, *u, approximate(self.b2)])


def constants(h: Smooth, v: Sequence, u: Sequence, why: str = "") -> Constants:
    """Constants from places, numbers or balls `v` and numbers or balls `u`.

    One entry of u may be None: it is then solved from C2.3. Raises as `check_activation` and
    `place`; `ShapeError` (lengths), `HypothesisError` C2.3 (nothing to solve, h(v) = 0).
    """
    check_activation(h)
    if len(v) != len(u) or not len(v):
        raise ShapeError(f"v, u: lengths {len(v)} and {len(u)}, need equally many, at least 1")
    places = [p if isinstance(p, Place) else place(h, p) for p in v]
    weights = [w if w is None or isinstance(w, arb) else rational(w, "u") for w in u]
    open_units = [k for k, w in enumerate(weights) if w is None]
    if len(open_units) > 1:
        raise DataError(f"u: {len(open_units)} entries are None, at most one can be solved")
    for k in open_units:
        value = places[k].value
        if not (value > 0 or value < 0):
            raise HypothesisError(CLAIM, "C2.3", f"h(v{k + 1}) = 0 cannot solve it", value)
        with ctx.workprec(PRECISION):
            rest = sum((w * p.value for w, p in zip(weights, places, strict=True) if w is not None),
                       fmpq(0))  # fmt: skip
            weights[k] = (THIRD - rest) / value
    return Constants(h, tuple(places), tuple(weights), next(iter(open_units), None), why)


def approximate(value: Real) -> float:
    """The float next to a fraction or to the middle of a ball."""
    return to_float(value) if isinstance(value, fmpq) else float(value.mid())


def sign(value: Real) -> int | None:
    """-1, 0 or 1; None if a ball does not decide."""
    if value > 0 or value < 0:
        return 1 if value > 0 else -1
    return 0 if value == 0 else None
