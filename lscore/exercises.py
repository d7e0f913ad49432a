"""Answer checkers for the exercises: they accept any correct answer and say why one is not.

Each returns a text that begins with "correct" or "not yet". A wrong answer never raises; input of
the wrong shape or type raises as everywhere in lscore.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lscore.activations import Smooth
from lscore.affine_cells import certified_radius_squared, certify_affine_cell
from lscore.cells import signature
from lscore.certificates import Certificate
from lscore.descent import descent_certificate
from lscore.errors import ShapeError
from lscore.exact import augment, exact, rational
from lscore.linear_algebra import affine_least_squares, pure_error
from lscore.local_minima import decide_local_minimum
from lscore.networks import Point
from lscore.papers.yun2019 import (
    Constants,
    box_is_safe,
    certify_smooth_minimum,
    certify_spurious,
    certify_three_points,
    constants,
)
from lscore.papers.yun2019.smooth_minimum import DIRECTION
from lscore.risk import Risk


def fools_second_order_test(risk: Risk, w: Point) -> str:
    """Autograd reports gradient 0 and no negative eigenvalue, yet w is not a local minimum.

    An eigenvalue above -1e-12 times the largest one counts as not negative.
    """
    w = exact(risk.network.point(w), "w")
    steepest = float(risk.gradient(w.point()).abs().max())
    if steepest != 0.0:
        return f"not yet: autograd's gradient has an entry {steepest:.3g}"
    eigenvalues = np.linalg.eigvalsh(risk.hessian(w.point()).numpy())
    if eigenvalues[0] < -1e-12 * max(eigenvalues[-1], 1.0):
        return f"not yet: the Hessian has the eigenvalue {eigenvalues[0]:.3g}"
    answer = decide_local_minimum(risk, w)
    if answer.refuted:
        return f"correct: the risk falls at order {answer.witness['order']}"
    return f"not yet: the checker says {answer.verdict}"


def has_descent_of_order(risk: Risk, w: Point, u: object, order: int) -> str:
    """Along w + t u the risk falls, and the first non-zero term of its change has this order."""
    answer = descent_certificate(risk, w, u)
    if not answer.refuted:
        return f"not yet: {answer.reason}"
    if answer.witness["order"] != order:
        return f"not yet: it falls at order {answer.witness['order']}, wanted {order}"
    return f"correct: the risk changes by {answer.witness['coefficient']} t^{order} + ..."


def is_dense_spurious_minimum(risk: Risk, w: Point, radius: object = 0) -> str:
    """A certified spurious minimum with this radius at least and no output weight equal to 0."""
    answer = certify_spurious(risk, w)
    if not answer.certified:
        return f"not yet: {answer.verdict}" + (f", {answer.reason}" if answer.reason else "")
    _, out = risk.network.unpack(exact(risk.network.point(w), "w"))
    if any(entry == 0 for entry in out.weight.entries()):
        return "not yet: an output weight is 0"
    if certified_radius_squared(risk, w) < rational(radius, "radius") ** 2:
        return f"not yet: the certified radius is {answer.values['radius']}"
    return f"correct: spurious, with risk {answer.values['risk']}"


def affine_fit_is_best(X: object, y: object) -> str:
    """No affine map fits the data, and yet no function of x fits them better than one."""
    X, y = exact(X, "X"), exact(y, "y")
    if len(X) != len(y):
        raise ShapeError(f"X, y: {len(X)} inputs and {len(y)} labels, need as many")
    fit = affine_least_squares(augment(X), y)
    if fit.sum_of_squares == 0:
        return f"not yet: an affine map fits exactly, slope {fit.slope}"
    gap = fit.sum_of_squares - pure_error(X, y)
    if gap != 0:
        return f"not yet: the group means have a sum of squares that is smaller by {gap}"
    return f"correct: every function of x leaves a sum of squares of at least {fit.sum_of_squares}"


def fools_the_checker(
    risk: Risk, w: Point, checker: Callable[[Risk, Point], Certificate] = certify_affine_cell
) -> str:
    """w has risk 0, so it is a global minimum; and the checker still says unknown."""
    w = exact(risk.network.point(w), "w")
    if risk(w) != 0:
        return f"not yet: the risk is {risk(w)}, not 0"
    answer = checker(risk, w)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"


def is_bent_minimum(risk: Risk, w: Point) -> str:
    """A certified local minimum with positive risk where a hidden unit uses two linear pieces."""
    w = exact(risk.network.point(w), "w")
    answer = decide_local_minimum(risk, w)
    if not answer.certified:
        return f"not yet: the checker says {answer.verdict}"
    if answer.values["risk"] == 0:
        return "not yet: the risk is 0"
    for l, part in enumerate(signature(risk, w).layers, start=1):
        for k, column in enumerate(part.T):
            if len(set(column[column % 2 == 0])) > 1:
                return (
                    f"correct: unit {k} of layer {l} is bent, the risk is {answer.values['risk']}"
                )
    return "not yet: every unit stays on one linear piece"


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
