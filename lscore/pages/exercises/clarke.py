"""Answer checkers for the exercises of *At a kink the gradient is a convex hull*."""

from __future__ import annotations

from lscore.algebra.matrices import exact
from lscore.cells.incident import incident_cells
from lscore.minima.clarke import certify_subgradient, clarke_subdifferential
from lscore.model.activations import leaky_relu
from lscore.model.hinges import binary_hinge
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number


def has_incident_cells(risk: Risk, w: Point, count: int) -> str:
    """Exactly `count` cells meet at w."""
    listed = incident_cells(risk, w)
    if listed.doubtful:
        return f"not yet: {len(listed.doubtful)} cells are doubtful"
    if len(listed.cells) != count:
        return f"not yet: {len(listed.cells)} cells meet there, wanted {count}"
    return f"correct: {count} cells meet; ties there: {len(listed.ties)}"


def shortest_by_hand(answer: object) -> str:
    """The squared norm of the shortest subgradient of one leaky unit at a double tie."""
    risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [1, -1], [1, -1], binary_hinge())
    shortest = clarke_subdifferential(risk, exact([0, 0, 1, 0])).shortest()
    return same_number(answer, shortest.norm_squared)


def is_proper_subgradient(risk: Risk, w: Point, g: object) -> str:
    """g is in Clarke's subdifferential at w, but is the gradient of no incident cell."""
    g = exact(risk.network.point(exact(g, "g"), "g"))
    answer = certify_subgradient(risk, w, g)
    if not answer.certified:
        return f"not yet: {answer.verdict}, g is not shown to be in the subdifferential"
    gradients = clarke_subdifferential(risk, w).gradients
    if any(gradients.column(j) == g for j in range(gradients.shape[1])):
        return "not yet: g is the gradient of an incident cell"
    return "correct: g is a convex combination of gradients and none of them"
