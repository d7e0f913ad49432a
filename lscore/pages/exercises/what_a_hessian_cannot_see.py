"""Answer checkers for the exercises of *What a Hessian cannot see*."""

from __future__ import annotations

import numpy as np

from lscore.algebra.matrices import exact
from lscore.cells.pattern import pattern_at
from lscore.minima.descent import certify_along
from lscore.minima.local import certify_local_minimum
from lscore.model.activations import relu
from lscore.model.losses import mean_squared_error
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number


def is_another_descent(risk: Risk, w: Point, u: object) -> str:
    """The risk falls along w + t u, and u is no multiple of (1, ..., 1)."""
    u = exact(u, "u")
    if len(set(map(str, u.entries()))) == 1:
        return "not yet: it is a multiple of (1, ..., 1)"
    answer = certify_along(risk, w, u)
    if not answer.refuted:
        return f"not yet: {answer.reason}"
    order, coefficient = (answer.witness[name] for name in ("order", "coefficient"))
    return f"correct: the risk changes by {coefficient} t^{order} + ..."


def slope_by_hand(answer: object) -> str:
    r"""The slope of :math:`\frac13 \sum_i (f(x_i) - x_i)^2` on x = 1, 2, -1 for weights 2t, -t."""
    risk = Risk(Network((1, 2, 1), relu, bias=False), [1, 2, -1], [1, 2, -1], mean_squared_error)
    found = certify_along(risk, exact([0, 0, 1, -1]), exact([2, -1, 0, 0]))
    return same_number(answer, found.witness["coefficient"])


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
    answer = certify_local_minimum(risk, w)
    if answer.refuted:
        return f"correct: the risk falls at order {answer.witness['order']}"
    return f"not yet: the checker says {answer.verdict}"


def has_descent_of_order(risk: Risk, w: Point, u: object, order: int) -> str:
    """Along w + t u the risk falls, and the first non-zero term of its change has this order."""
    answer = certify_along(risk, w, u)
    if not answer.refuted:
        return f"not yet: {answer.reason}"
    if answer.witness["order"] != order:
        return f"not yet: it falls at order {answer.witness['order']}, wanted {order}"
    return f"correct: the risk changes by {answer.witness['coefficient']} t^{order} + ..."


def is_bent_minimum(risk: Risk, w: Point) -> str:
    """A certified local minimum with positive risk where a hidden unit uses two linear pieces."""
    w = exact(risk.network.point(w), "w")
    answer = certify_local_minimum(risk, w)
    if not answer.certified:
        return f"not yet: the checker says {answer.verdict}"
    if answer.values["risk"] == 0:
        return "not yet: the risk is 0"
    hidden = pattern_at(risk, w).layers[: len(risk.network.switches)]
    for l, part in enumerate(hidden, start=1):
        for k, column in enumerate(part.T):
            if len(set(column[column % 2 == 0])) > 1:
                return (
                    f"correct: unit {k} of layer {l} is bent, the risk is {answer.values['risk']}"
                )
    return "not yet: every unit stays on one linear piece"
