"""Answer checkers for the exercises of *Smooth activations have bad minima too*."""

from __future__ import annotations

from lscore.algebra.matrices import rational
from lscore.model.smooth_activations import Smooth
from lscore.papers.yun2019 import (
    Constants,
    box_is_safe,
    certify_smooth_minimum,
    certify_three_points,
    constants,
)
from lscore.papers.yun2019.smooth.minimum import DIRECTION


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
