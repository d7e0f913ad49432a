r"""Where a unit of a constructed network works: beside a knot of its activation, on one piece.

The constructions of He, Wang and Tao (2020), corrected, put every pre-activation at
:math:`t + \sigma c P` with a knot t, a side :math:`\sigma = \pm 1`, a small c > 0 and a number P >
0 that is to be carried. As long as cP is smaller than the piece is long, the activation answers
:math:`h(t) + s \sigma c P` with the slope s on that side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.rationals import Scalar, positive
from lscore.errors import HypothesisError
from lscore.model.activations import PiecewiseLinear
from lscore.model.networks import Network

CLAIM = "HE-T1"


@checked
@dataclass(frozen=True)
class Side:
    """One side of a knot: the `knot` t, `value` h(t), `sign` +1 (right of it) or -1, the `slope`
    there and the `length` of that piece (None if it has no end); the same of the `other` side."""

    knot: fmpq
    value: fmpq
    sign: int
    slope: fmpq
    length: fmpq | None
    other_slope: fmpq
    other_length: fmpq | None

    @property
    def bends(self) -> bool:
        """Whether the slope changes at the knot."""
        return self.slope != self.other_slope

    def largest_scale(self, reach: Scalar, both: bool = False) -> fmpq:
        """The scale c for numbers up to `reach`: 1, or half of what keeps c times them inside the
        piece; with `both`, inside the pieces of both sides.

        >>> from lscore.model.activations import hard_tanh
        >>> sides(hard_tanh)[0].largest_scale(fmpq(12, 5))
        5/12
        """
        reach = positive(reach, "reach")
        lengths = [self.length, self.other_length] if both else [self.length]
        known = [length for length in lengths if length is not None]
        return min([fmpq(1), *(length / (2 * reach) for length in known)])


@checked
def sides(h: PiecewiseLinear) -> list[Side]:
    """Both sides of every knot on which the slope is not 0, those without an end first.

    An activation without knots has the one side right of 0.

    >>> from lscore.model.activations import relu
    >>> [(str(side.knot), side.sign) for side in sides(relu)]
    [('0', 1)]
    """
    knots = h.knots or (fmpq(0),)
    slopes = h.slopes if h.knots else h.slopes * 2
    ends = [None, *(b - a for a, b in pairwise(knots)), None]
    found = []
    for p, t in enumerate(knots):
        left, right = (slopes[p], ends[p]), (slopes[p + 1], ends[p + 1])
        for sign, here, there in ((1, right, left), (-1, left, right)):
            if here[0] != 0:
                found.append(Side(t, h(t), sign, *here, *there))
    return sorted(found, key=lambda side: side.length is not None)


def chosen_sides(network: Network, given: Sequence[Side] | None = None) -> list[Side]:
    """A side for every hidden layer: in the first one a knot that bends, as it comes in `sides`.

    With `given` these, one per layer, after the same checks. Raises `HypothesisError` "activation"
    (the first activation is affine, or a later one constant), or "sides" (one that the activation
    does not have).
    """
    found = []
    for l, h in enumerate(network.activations):
        fit = [side for side in sides(h) if side.bends or l]
        if not fit:
            need = "a slope that is not 0" if l else "a knot at which its slope changes"
            text = f"{h.name} in layer {l + 1}, need {need}"
            raise HypothesisError(CLAIM, "activation", text, h)
        if given is not None and (len(given) <= l or given[l] not in fit):
            text = f"layer {l + 1} has no such side of a knot, choose one of sides({h.name})"
            raise HypothesisError(CLAIM, "sides", text, given)
        found.append(fit[0] if given is None else given[l])
    return found
