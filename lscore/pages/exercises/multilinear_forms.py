"""Answer checkers for the exercises of *In a cell the hinge loss is a sum of multilinear
forms*."""

from __future__ import annotations

from flint import fmpq_mpoly

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.forms import (
    cell_polynomial,
    certify_forms,
    certify_multilinear,
    forms,
    laplacian,
)
from lscore.cells.pattern import Cell, cell_at, pattern_at
from lscore.cells.rays import polynomial_text, risk_along
from lscore.model.activations import relu
from lscore.model.hinges import binary_hinge
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.pages.shared import same_number


def is_common_tensor(cell: Cell, scaled: str, tensor: str) -> str:
    """A tensor of every form that does not contain `scaled`, except the constant and the last bias.

    These forms do not change if `scaled` does.
    """
    last = f"b{len(cell.risk.network.widths) - 1}"
    kept = [form.blocks for form in forms(cell) if scaled not in form.blocks]
    missing = [blocks for blocks in kept if blocks not in {(), (last,)} and tensor not in blocks]
    if missing:
        return f"not yet: it is not in {' '.join(missing[0])}"
    return f"correct: {tensor} is in all of them"


def coefficient_by_hand(answer: object) -> str:
    """The coefficient of u v for x = 1, 2 and labels -1, weights 1/2, with unit and margins on."""
    risk = Risk(Network((1, 1, 1), relu), [1, 2], [-1, -1], binary_hinge())
    p = cell_polynomial(cell_at(risk, exact([1, 1, 1, 0])))
    return same_number(answer, p.to_dict()[(1, 0, 1, 0)])


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
        difference = answer.witness["sum_of_the_forms"] - answer.witness["risk"]
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
    return f"correct: harmonic, with a monomial in {' '.join(answer.witness['monomial_in'])}"
