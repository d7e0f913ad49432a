"""Answer checkers for the exercises of *Smooth activations have bad minima too*."""

from __future__ import annotations

from lscore.algebra.matrices import rational
from lscore.model.smooth_activations import Smooth, exponential, sigmoid
from lscore.pages.shared import same_number
from lscore.papers.yun2019 import (
    Constants,
    box_is_safe,
    certify_smooth_minimum,
    certify_three_points,
    constants,
    place,
    sigmoid_place,
)
from lscore.papers.yun2019.smooth.minimum import DIRECTION


def widens_the_box(h: object) -> str:
    """Two equal sigmoid units where the sigmoid is h have a wider box than where it is 1/4."""
    radii = []
    for height in (rational("1/4"), rational(h, "h")):
        unit, weight = sigmoid_place(str(height)), 1 / (6 * height)
        answer = certify_smooth_minimum(constants(sigmoid, [unit, unit], [weight, weight]))
        if not answer.certified:
            return f"not yet: at {height} the point is {answer.verdict}"
        radii.append(answer.values["radius"])
    if float(radii[1]) <= float(radii[0]):
        return f"not yet: the radius is {radii[1]}, at 1/4 it is {radii[0]}"
    return f"correct: the radius is {radii[1]} instead of {radii[0]}"


def margin_by_hand(answer: object) -> str:
    """The margin of C2.7 for the exponential at 0 with two output weights 1/6."""
    at_zero, u = place(exponential, 0, [1, 1, 1]), rational("1/6")
    p, a = u**2 * at_zero.slope_squared, u * at_zero.curvature / 3
    return same_number(answer, (p + a) ** 2 - p**2)


def has_radius(c: Constants, radius: object) -> str:
    """A certified spurious minimum of the three points with this radius at least."""
    answer = certify_three_points(c)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    if not box_is_safe(c, radius):
        return f"not yet: the certified radius is {answer.values['radius']}"
    return f"correct: no lower point within {rational(radius, 'radius')}, a better one elsewhere"


def fails_only_c27(c: Constants) -> str:
    """C2.6 holds, C2.7 fails, and the point is shown not to be a local minimum."""
    answer = certify_smooth_minimum(c)
    holds = {k.text[:4]: k.holds for k in answer.conditions}
    for name, wanted in (("C2.6", True), ("C2.7", False)):
        if holds.get(name) is not wanted:
            return f"not yet: {name} should {'hold' if wanted else 'fail'}"
    if not answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: z'Qz < 0 for z = {answer.witness.get(DIRECTION, 'some z, as det Q < 0')}"


def fools_the_box(v: object, u: object) -> str:
    """For h(z) = z^4, convex, and positive u: a local minimum by convexity, and yet unknown."""
    quartic = Smooth("z^4", lambda z: z**4, lambda z: z * z * z * z)
    c = constants(quartic, v, u)
    if not all(w > 0 for w in c.u):
        return "not yet: the output weights are not all positive"
    answer = certify_smooth_minimum(c)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"
