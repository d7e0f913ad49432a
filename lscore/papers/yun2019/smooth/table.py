r"""Yun, Sra, Jadbabaie (2019), Corollary 3: the constants of each activation.

The six activations of the corollary and nine more rows. Values are fractions wherever an identity
gives them: :math:`h' = h(1 - h)` for the sigmoid, :math:`h' = 1 - h^2` for tanh, :math:`h' = h + a`
on the left of ELU; the rest are enclosed. `place` checks every fraction against its enclosure.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, ctx, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import rational
from lscore.model.smooth_activations import (
    SELU_ALPHA,
    SELU_SCALE,
    Smooth,
    arctan,
    elu,
    erf,
    exponential,
    gelu,
    selu,
    sigmoid,
    silu,
    sine,
    softplus,
    softsign,
    square,
    tanh,
)
from lscore.papers.yun2019.smooth.setting import PRECISION, Constants, Place, constants, place


@dataclass(frozen=True)
class Example:
    """A row of the table: constants for part 2, and four places for part 1 (None: there are none,
    or the row shares them with another)."""

    constants: Constants
    fit: tuple[Place, ...] | None = None


def _ball(function) -> arb:
    with ctx.workprec(PRECISION):
        return function()


@checked
def sigmoid_place(value: str) -> Place:
    """The place where the sigmoid has this value p in (0, 1): log(p / (1 - p))."""
    p = rational(value)
    v = _ball(lambda: arb(p / (1 - p)).log())
    return place(sigmoid, v, [p, (p * (1 - p)) ** 2, p * (1 - p) * (1 - 2 * p)])


def tanh_place(value: str) -> Place:
    """The place where tanh has this value t in (-1, 1)."""
    t = rational(value)
    v = _ball(lambda: arb(t).atanh())
    return place(tanh, v, [t, (1 - t * t) ** 2, -2 * t * (1 - t * t)])


def arctan_place(value: str) -> Place:
    """The place where arctan has this value."""
    t = rational(value)
    return place(arctan, _ball(lambda: arb(t).tan()), [t])


def _square_place(v: str) -> Place:
    v = rational(v)
    return place(square, v, [v * v, 4 * v * v, 2])


def _softsign_place(v: str) -> Place:
    v = rational(v)
    return place(softsign, v, [v / (1 + v), (1 + v) ** -4, -2 * (1 + v) ** -3])


def _softplus_place(value: int) -> Place:
    return place(softplus, _ball(lambda: (arb(value).exp() - 1).log()), [value])


def _elu_row(h: Smooth, scale: fmpq, alpha: fmpq) -> Example:
    """Constants for ELU (scale 1) and SELU: one unit on the straight side, one at log(2/3)."""
    right = place(h, 1 / (3 * scale), [fmpq(1, 3), scale**2, 0])
    bent = 2 * scale * alpha / 3
    left = place(h, _ball(lambda: arb(fmpq(2, 3)).log()), [-bent / 2, bent**2, bent])
    return Example(constants(h, [right, left], [2, 1 / (scale * alpha)]), _through_zero(h, 1, -2))


def _through_zero(h: Smooth, v1: object, v3: object) -> tuple[Place, ...]:
    """(v1, 0, v3, 0) with h(0) = 0, which makes C2.1 read 0 = 0; h need not be smooth at 0."""
    zero = Place(arb(0), h.ball(arb(0)), arb.nan(), arb.nan())
    return (place(h, v1), zero, place(h, v3), zero)


def _twice(h: Smooth, p: Place, fit=None) -> Example:
    r"""Two equal units :math:`u = 1/(6 h(v))`: enough where :math:`h h'' > 0`."""
    with ctx.workprec(PRECISION):
        u = 1 / (6 * p.value)
    return Example(constants(h, [p, p], [u, None]), fit)


def _sine_row() -> Example:
    half, sixth = (_ball(lambda n=n: arb.pi() / n) for n in (2, 6))
    top = place(sine, half, [1, 0, -1])
    slope = place(sine, sixth, ["1/2", "3/4", "-1/2"])
    zero = place(sine, 0, [0])
    return Example(constants(sine, [top, slope], ["-1/3", "4/3"]), (top, zero, slope, zero))


@checked
def corollary_3() -> dict[str, Example]:
    """The table: name -> constants and fit, built anew in balls and fractions.

    >>> table = corollary_3()
    >>> len(table), table["tanh"].constants.u
    (15, (1, -2/9))
    """
    four = ("1/2", "1/4", "1/4", "1/8")
    tanh_fit = tuple(map(tanh_place, four))
    a = tanh_place("1/2")
    return {
        "sigmoid": Example(
            constants(sigmoid, [sigmoid_place("1/4")] * 2, ["2/3", "2/3"]),
            tuple(map(sigmoid_place, four)),
        ),
        "tanh": Example(constants(tanh, [a, tanh_place("3/4")], [1, "-2/9"]), tanh_fit),
        "tanh, equal units": Example(constants(tanh, [a, a], [1, "-1/3"]), tanh_fit),
        "tanh, wide": Example(
            constants(tanh, [tanh_place("3/4"), tanh_place("1/20")], ["-8/3", "140/3"]), tanh_fit
        ),
        "arctan": Example(constants(arctan, ["1/2", 1], [1, None]), tuple(map(arctan_place, four))),
        "quadratic": Example(
            constants(square, [_square_place("1")] * 2, ["1/6", "1/6"]),
            tuple(map(_square_place, ("1", "1/2", "1/2", "-1/4"))),
        ),
        "ELU": _elu_row(elu(1), fmpq(1), fmpq(1)),
        "SELU": _elu_row(selu, SELU_SCALE, SELU_ALPHA),
        "softplus": _twice(
            softplus,
            place(softplus, 0, [None, "1/4", "1/4"]),
            tuple(map(_softplus_place, (4, 2, 2, 1))),
        ),
        "GELU": _twice(gelu, place(gelu, "1/2"), _through_zero(gelu, 1, 2)),
        "SiLU": _twice(silu, place(silu, 1), _through_zero(silu, 1, 2)),
        "sine": _sine_row(),
        "softsign": Example(
            constants(softsign, list(map(_softsign_place, ("1/4", "1"))), [5, "-4/3"]),
            tuple(map(_softsign_place, ("1", "1/3", "1/3", "1/7"))),
        ),
        "exponential": _twice(exponential, place(exponential, 0, [1, 1, 1])),
        "erf": Example(constants(erf, ["1/2", 1], [1, None]), _through_zero(erf, 1, 2)),
    }


@checked
def tempting_constants() -> dict[str, Constants]:
    """(1/2, 1/4) with weights (1, -2/3) for tanh and arctan: C2.3 holds, C2.7 does not."""
    return {
        h.name: constants(h, [at("1/2"), at("1/4")], [1, "-2/3"])
        for h, at in ((tanh, tanh_place), (arctan, arctan_place))
    }
