"""Answer checkers for the exercises on cells; they answer as those of `lscore.exercises` do."""

from __future__ import annotations

from flint import fmpq_mpoly

from lscore.cells import Cell, signature
from lscore.clarke import clarke_subdifferential, decide_subgradient
from lscore.exact import RationalMatrix, exact
from lscore.incident_cells import incident_cells
from lscore.multilinear import certify_forms, certify_multilinear, laplacian
from lscore.networks import Point
from lscore.rays import expand_along, polynomial_text
from lscore.risk import Risk
from lscore.smooth_points import decide_smooth_extremum

# In a cell the hinge loss is a sum of multilinear forms


def agrees_outside(cell: Cell, w: RationalMatrix) -> str:
    """In another cell the forms of this cell still give the risk, and nothing is ignored.

    All margins are unsolved there and no output weight is 0.
    """
    found = signature(cell.risk, w)
    if not found.in_cell:
        return "not yet: the point lies on a wall"
    if found == cell.signature:
        return "not yet: the point is in the cell"
    if (found.margins == 0).any():
        return "not yet: a margin is slack"
    if any(entry == 0 for entry in cell.risk.network.unpack(w)[-1].weight.entries()):
        return "not yet: an output weight is 0"
    answer = certify_forms(cell, w)
    if answer.refuted:
        difference = answer.witness["sum of the forms"] - answer.witness["risk"]
        return f"not yet: the forms are off by {difference}"
    return f"correct: another cell, and both give {answer.values['risk']}"


def is_pure_power(risk: Risk, w: RationalMatrix, u: RationalMatrix, power: int) -> str:
    """Inside a cell the risk along w + t u is a constant plus a multiple of t^power."""
    if not signature(risk, w).in_cell:
        return "not yet: the point lies on a wall"
    change = expand_along(risk, w, u).change
    if change.degree() != power or any(change[k] != 0 for k in range(power)):
        return f"not yet: the risk changes by {polynomial_text(change)}"
    return f"correct: the risk changes by {polynomial_text(change)}"


def fools_the_laplacian(cell: Cell, p: fmpq_mpoly) -> str:
    """A polynomial with Laplacian 0 that is not a sum of multilinear forms."""
    if laplacian(p) != 0:
        return f"not yet: the Laplacian is {laplacian(p)}"
    answer = certify_multilinear(cell, p)
    if answer.certified:
        return "not yet: it is a sum of multilinear forms"
    return f"correct: harmonic, with a monomial in {' '.join(answer.witness['monomial in'])}"


# Where a hinge loss is smooth, it has no peaks and no pits


def is_saddle_of_order(risk: Risk, w: RationalMatrix, order: int) -> str:
    """Inside a cell the first non-constant part of the risk at w has this order."""
    answer = decide_smooth_extremum(risk, w)
    if not answer.refuted:
        return f"not yet: {answer.reason or 'the cell is flat'}"
    if answer.witness["order"] != order:
        return f"not yet: the order is {answer.witness['order']}, wanted {order}"
    rise, fall = answer.witness["coefficient"], answer.witness["its coefficient"]
    return f"correct: the risk changes by {rise} t^{order} and by {fall} t^{order}"


def is_bad_flat_point(risk: Risk, w: RationalMatrix) -> str:
    """In a flat cell with a positive risk."""
    answer = decide_smooth_extremum(risk, w)
    if not answer.certified:
        return f"not yet: {answer.reason or 'the cell is not flat'}"
    if risk(w) == 0:
        return "not yet: the risk is 0"
    return f"correct: the risk is {risk(w)} all around"


def fools_the_wall_test(risk: Risk, w: RationalMatrix) -> str:
    """The risk is 0 in a neighbourhood of w, all margins being slack; the checker says unknown."""
    if (signature(risk, w).margins != 0).any():
        return "not yet: a margin is not slack"
    answer = decide_smooth_extremum(risk, w)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"


# Clarke's subdifferential


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
