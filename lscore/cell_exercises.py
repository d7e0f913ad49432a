"""Answer checkers for the exercises on cells; they answer as those of `lscore.exercises` do."""

from __future__ import annotations

from lscore.clarke import clarke_subdifferential, decide_subgradient
from lscore.exact import exact
from lscore.incident_cells import incident_cells
from lscore.networks import Point
from lscore.risk import Risk


def has_incident_cells(risk: Risk, w: Point, count: int) -> str:
    """Exactly `count` cells meet at w."""
    listed = incident_cells(risk, w)
    if listed.doubtful:
        return f"not yet: {len(listed.doubtful)} cells are doubtful"
    if len(listed.cells) != count:
        return f"not yet: {len(listed.cells)} cells meet there, wanted {count}"
    return f"correct: {len(listed.ties)} ties break in {count} ways"


def is_proper_subgradient(risk: Risk, w: Point, g: object) -> str:
    """g is in Clarke's subdifferential at w, but is the gradient of no incident cell."""
    g = exact(risk.network.point(exact(g, "g"), "g"))
    answer = decide_subgradient(risk, w, g)
    if not answer.certified:
        return f"not yet: {answer.verdict}, g is not shown to be in the subdifferential"
    gradients = clarke_subdifferential(risk, w).gradients
    if any(gradients.column(j) == g for j in range(gradients.shape[1])):
        return "not yet: g is the gradient of an incident cell"
    return "correct: g is a convex combination of gradients and none of them"


def fools_criticality(risk: Risk, w: Point) -> str:
    """w has risk 0, so it is a global minimum and critical; and the checker says unknown."""
    w = exact(risk.network.point(w), "w")
    if risk(w) != 0:
        return f"not yet: the risk is {risk(w)}, not 0"
    answer = decide_subgradient(risk, w)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"
