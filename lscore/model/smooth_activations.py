r"""Smooth activations: one formula for torch tensors, one for balls and power series.

From the second come enclosures of all derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

import torch
from flint import arb, arb_series, ctx

from lscore.algebra.arguments import checked
from lscore.algebra.arrays import floating
from lscore.algebra.matrices import Scalar, rational, to_float
from lscore.errors import DataError, DtypeError
from lscore.model.activations import PiecewiseLinear

_SHAKE = arb(0, 2.0**-300)  # makes 0/0 show


@checked
@dataclass(frozen=True)
class Smooth:
    r"""A smooth activation: one formula for torch tensors, one for balls and power series.

    `ball_formula` takes python-flint's `arb` or `arb_series` and must enclose; `derivatives`
    then encloses :math:`h(x), h'(x), \dots, h^{(k)}(x)` for every x in a ball.

    >>> [d.mid().str(6, radius=False) for d in tanh.derivatives(arb(0), 2)]
    ['0', '1.00000', '0']
    """

    name: str
    torch_formula: Callable[[torch.Tensor], torch.Tensor]
    ball_formula: Callable

    def __call__(self, z: torch.Tensor | arb | arb_series):
        if isinstance(z, torch.Tensor):
            return self.torch_formula(floating(z, "z"))
        return self.ball_formula(z)

    def ball(self, z: arb) -> arb:
        """Enclosure of h on a ball."""
        return self.ball_formula(z)

    def derivatives(self, x: arb, order: int) -> list[arb]:
        """Enclosures of h and its derivatives up to `order` on the ball x.

        nan where the formula gives none: at a kink, and where it divides by a ball around 0 or by 0
        itself. (A quotient of series that is 0/0 has fewer terms than it says.)
        """
        old = ctx.cap
        ctx.cap = order + 1
        try:
            series = self.ball_formula(arb_series([x, 1], order + 1))
        except (ValueError, ZeroDivisionError):  # the leading term of a denominator may be 0
            return [arb.nan()] * (order + 1)
        finally:
            ctx.cap = old
        if not self.ball_formula(x + _SHAKE).is_finite():
            return [arb.nan()] * (order + 1)
        factorial, result = 1, []
        for k in range(order + 1):
            factorial *= max(k, 1)
            result.append(series[k] * factorial)
        return result


def _exp(z):
    return z.exp()


sigmoid = Smooth("sigmoid", torch.sigmoid, lambda z: 1 / (1 + _exp(-z)))


tanh = Smooth("tanh", torch.tanh, lambda z: 1 - 2 / (1 + _exp(2 * z)))


arctan = Smooth("arctan", torch.arctan, lambda z: z.atan())


softplus = Smooth("softplus", torch.nn.functional.softplus, lambda z: (1 + _exp(z)).log())


silu = Smooth("SiLU", torch.nn.functional.silu, lambda z: z / (1 + _exp(-z)))


sine = Smooth("sine", torch.sin, lambda z: z.sin())


exponential = Smooth("exponential", torch.exp, _exp)


square = Smooth("square", torch.square, lambda z: z * z)


gelu = Smooth("GELU", torch.nn.functional.gelu, lambda z: z * (1 + (z / arb(2).sqrt()).erf()) / 2)


erf = Smooth("erf", torch.erf, lambda z: z.erf())


def _by_sign(z, right: Callable, left: Callable, smooth: bool = False):
    """right(z) where z > 0, left(z) where z < 0, for balls and power series.

    A ball that meets 0 gives the union; a series whose constant term does too if `smooth`, and else
    no enclosure (its derivatives are nan), because the two sides meet with a kink or a jump.
    """
    middle = z[0] if isinstance(z, arb_series) else z
    if middle > 0 or middle < 0:
        return right(z) if middle > 0 else left(z)
    if not isinstance(z, arb_series):
        return right(z).union(left(z))
    if not smooth:
        return arb_series([arb.nan()] * ctx.cap)
    both = zip_longest(right(z), left(z), fillvalue=arb(0))
    return arb_series([a.union(b) for a, b in both])


softsign = Smooth(
    "softsign",
    torch.nn.functional.softsign,
    lambda z: _by_sign(z, lambda x: x / (1 + x), lambda x: x / (1 - x)),
)


def elu(alpha: Scalar = 1) -> Smooth:
    r"""ELU: z on the right, :math:`\alpha (e^z - 1)` on the left; no derivatives at 0."""
    alpha = rational(alpha, "alpha")
    return Smooth(
        "ELU" if alpha == 1 else f"ELU ({alpha})",
        lambda z: torch.nn.functional.elu(z, to_float(alpha)),
        lambda z: _by_sign(z, lambda x: x, lambda x: arb(alpha) * (_exp(x) - 1)),
    )


SELU_SCALE = rational("1.0507009873554804934193349852946")


SELU_ALPHA = rational("1.6732632423543772848170429916717")


selu = Smooth(
    "SELU",
    torch.nn.functional.selu,
    lambda z: arb(SELU_SCALE) * elu(SELU_ALPHA).ball_formula(z),
)


@checked
def two_sided(name: str, right: Callable, left: Callable) -> Smooth:
    r"""right(z) for z >= 0 and left(z) for z < 0, twice continuously differentiable at 0.

    Both formulas must take tensors, balls and series. A ball around 0 gets the hull of both sides,
    derivative by derivative; the third may jump. Raises `DataError` unless h, h' and h'' at 0 are
    exactly equal numbers on both sides; a formula 0/0 at 0 has none.

    >>> h = two_sided("|z|^3", lambda z: z * z * z, lambda z: -z * z * z)
    >>> [str(d) for d in h.derivatives(arb(0), 2)]
    ['0', '0', '0']
    """
    try:
        sides = [Smooth(name, f, f).derivatives(arb(0), 2) for f in (right, left)]
    except (TypeError, AttributeError) as error:
        raise DtypeError(f"right, left: {name} does not act on power series") from error
    if not all(a == b for a, b in zip(*sides, strict=True)):
        raise DataError(
            f"right, left: h, h' or h'' of {name} differ at 0, or are not enclosed: "
            f"{sides[0]}, {sides[1]}"
        )
    balls = partial(_by_sign, right=right, left=left, smooth=True)
    return Smooth(name, lambda z: torch.where(z < 0, left(z), right(z)), balls)


Activation = PiecewiseLinear | Smooth
