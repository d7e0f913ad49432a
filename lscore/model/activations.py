r"""Activations as objects that say what they are: knots, slopes, or a smooth formula.

A `PiecewiseLinear` activation is continuous, with finitely many knots :math:`t_1 < \dots < t_m` and
slopes :math:`s_0, \dots, s_m`. Its data are rational numbers, so it acts exactly on rational
matrices as well as on torch tensors. A `Smooth` activation carries one formula that works on torch
tensors and one on python-flint's balls and power series, from which enclosures of all derivatives
come.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import torch
from flint import arb, fmpq, fmpz, fmpz_mat

from lscore.algebra.arguments import checked
from lscore.algebra.arrays import floating
from lscore.algebra.matrices import RationalMatrix, Scalar, rational, to_float
from lscore.errors import DataError, ShapeError


@checked
@dataclass(frozen=True)
class PiecewiseLinear:
    r"""Continuous piecewise linear :math:`h` with :math:`h(t_1)` = `value` (for no knots:
    :math:`h(0)`).

    `knots` (m,) increasing, `slopes` (m + 1,), all rational. On piece p (between knots p and
    p + 1) it is :math:`h(z) = s_p z + c_p` with `intercepts` :math:`c_p`.

    >>> h = piecewise_linear(knots=[-1, 1], slopes=[0, 1, 0], value=-1)     # hard tanh
    >>> h(rational("1/2")), h(rational(7))
    (1/2, 1)
    """

    name: str
    knots: tuple[fmpq, ...]
    slopes: tuple[fmpq, ...]
    value: fmpq
    intercepts: tuple[fmpq, ...] = field(init=False)

    def __post_init__(self) -> None:
        if len(self.slopes) != len(self.knots) + 1:
            raise ShapeError(
                f"slopes: got {len(self.slopes)} for {len(self.knots)} knots, need one more than "
                "knots"
            )
        if any(a >= b for a, b in zip(self.knots, self.knots[1:], strict=False)):
            raise DataError(f"knots: got {[str(t) for t in self.knots]}, need increasing numbers")
        start = self.knots[0] if self.knots else fmpq(0)
        intercepts = [self.value - self.slopes[0] * start]
        for p, t in enumerate(self.knots):
            intercepts.append(intercepts[-1] + (self.slopes[p] - self.slopes[p + 1]) * t)
        object.__setattr__(self, "intercepts", tuple(intercepts))

    @property
    def is_linear(self) -> bool:
        """Whether all slopes are equal (an affine activation)."""
        return len(set(map(str, self.slopes))) == 1

    def __call__(self, z: torch.Tensor | RationalMatrix | fmpq):
        """h(z), entry by entry, for a torch tensor, an fmpq, or a `RationalMatrix`."""
        if isinstance(z, torch.Tensor):
            return self._torch(floating(z, "z"))
        if isinstance(z, RationalMatrix):
            return self.apply_pieces(z, self.positions(z) // 2)
        p = bisect_left(self.knots, z)
        return self.slopes[p] * z + self.intercepts[p]

    def _torch(self, z: torch.Tensor) -> torch.Tensor:
        if (self.knots, self.slopes, self.value) == ((0,), (0, 1), 0):
            return torch.relu(z)  # the same numbers, several times faster
        out = to_float(self.slopes[0]) * z + to_float(self.intercepts[0])
        for t, s, c in zip(self.knots, self.slopes[1:], self.intercepts[1:], strict=True):
            out = torch.where(z > to_float(t), to_float(s) * z + to_float(c), out)
        return out

    def slope(self, z: torch.Tensor) -> torch.Tensor:
        """The slope at each entry of a float tensor; on a knot that of the left piece."""
        out = torch.full_like(floating(z, "z"), to_float(self.slopes[0]))
        for t, s in zip(self.knots, self.slopes[1:], strict=True):
            out = torch.where(z > to_float(t), to_float(s), out)
        return out

    def ball(self, z: arb) -> arb:
        """Enclosure of h on a ball: the hull over every piece that the ball meets."""
        low, high = z.lower(), z.upper()
        pieces = range(
            sum(bool(low > arb(t)) for t in self.knots),
            1 + sum(not bool(high < arb(t)) for t in self.knots),
        )
        values = [arb(self.slopes[p]) * z + arb(self.intercepts[p]) for p in pieces]
        return reduce(arb.union, values)

    def positions(self, z: RationalMatrix) -> np.ndarray:
        """Where each entry lies, exactly: 2p inside the open piece p, 2p + 1 on knot p.

        An integer array of the shape of z; no sign is ever guessed. Odd numbers are ties.

        >>> from lscore.algebra.matrices import exact
        >>> relu.positions(exact([[-1, 0, 5]]))
        array([[0, 1, 2]])
        """
        entries = z.numerator.entries()
        position = np.zeros(len(entries), dtype=int)
        for t in self.knots:
            level, scale = t.p * z.denominator, t.q
            if level == 0:
                position += [(e >= 0) + (e > 0) for e in entries]
            else:
                position += [(e * scale >= level) + (e * scale > level) for e in entries]
        return position.reshape(z.shape)

    def apply_pieces(self, z: RationalMatrix, pieces: np.ndarray) -> RationalMatrix:
        """Apply the affine map of the given piece to each entry (the frozen activation)."""
        places, known = pieces.ravel().tolist(), set(range(len(self.slopes)))
        if pieces.shape != z.shape or pieces.dtype.kind not in "iu" or not set(places) <= known:
            raise DataError(f"pieces: need an array {z.shape} of pieces {sorted(known)}")
        common = fmpz(1)
        for number in self.slopes + self.intercepts:
            common = common.lcm(number.q)
        slopes = [(s * common).p for s in self.slopes]
        intercepts = [(c * common).p * z.denominator for c in self.intercepts]
        entries = [
            slopes[p] * e + intercepts[p]
            for e, p in zip(z.numerator.entries(), places, strict=True)
        ]
        return RationalMatrix(fmpz_mat(*z.shape, entries), z.denominator * common)


@checked
def piecewise_linear(
    knots: Sequence[Scalar], slopes: Sequence[Scalar], value: Scalar = 0, name: str = ""
) -> PiecewiseLinear:
    """A continuous piecewise linear activation; `value` is h at the first knot (or at 0).

    Numbers may be ints, floats (their exact dyadic value), fractions or text such as "1/10".
    Raises `ShapeError` (not one slope more than knots), `DataError` (knots not increasing).
    """
    return PiecewiseLinear(
        name or f"piecewise linear with {len(knots)} knots",
        tuple(rational(t, "knots") for t in knots),
        tuple(rational(s, "slopes") for s in slopes),
        rational(value, "value"),
    )


@checked
def two_piece(s_plus: Scalar, s_minus: Scalar, name: str = "") -> PiecewiseLinear:
    r""":math:`h(z) = s_+ z` for :math:`z \ge 0` and :math:`s_- z` for :math:`z < 0`, with
    :math:`s_+ \ne s_-`.

    The activation of Yun, Sra and Jadbabaie (2019), equation (1), without their sign
    restrictions: slopes may be zero or negative. Raises `DataError` if the slopes are equal.

    >>> two_piece(1, "1/10")(rational(-2))
    -1/5
    """
    plus, minus = rational(s_plus, "s_plus"), rational(s_minus, "s_minus")
    if plus == minus:
        raise DataError(
            f"s_plus, s_minus: both are {plus}, need different slopes; equal slopes make a linear "
            "activation, for which use `linear(slope)`"
        )
    return piecewise_linear([0], [minus, plus], 0, name or f"two-piece ({plus}, {minus})")


@checked
def linear(slope: Scalar = 1) -> PiecewiseLinear:
    """The linear activation h(z) = slope * z: a piecewise linear activation without knots."""
    return piecewise_linear([], [slope], 0, "identity" if slope == 1 else f"linear ({slope})")


relu = two_piece(1, 0, "ReLU")
absolute_value = two_piece(1, -1, "absolute value")
identity = linear()
hard_tanh = piecewise_linear([-1, 1], [0, 1, 0], -1, "hard tanh")


def leaky_relu(slope: Scalar) -> PiecewiseLinear:
    """Leaky ReLU: slope 1 on the right, `slope` on the left."""
    slope = rational(slope, "slope")
    return two_piece(1, slope, f"leaky ReLU ({slope})")
