"""Answer checkers for the exercises of *In a cell the hinge loss is a sum of multilinear
forms*."""

from __future__ import annotations

from flint import fmpq_mpoly

from lscore.algebra.matrices import RationalMatrix
from lscore.cells.forms import certify_forms, certify_multilinear, laplacian
from lscore.cells.pattern import Cell, pattern_at
from lscore.cells.rays import polynomial_text, risk_along
from lscore.model.risk import Risk


def agrees_outside(cell: Cell, w: RationalMatrix) -> str:
    """In another cell the forms of this cell still give the risk, and nothing is ignored.

    All margins are unsolved there and no output weight is 0.
    """
    found = pattern_at(cell.risk, w)
    if not found.in_cell:
        return "not yet: the point lies on a wall"
    if found == cell.pattern:
        return "not yet: the point is in the cell"
    if (found.layers[-1] == 0).any():
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
    if not pattern_at(risk, w).in_cell:
        return "not yet: the point lies on a wall"
    change = risk_along(risk, w, u).change
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
