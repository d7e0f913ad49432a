r"""Clarke's subdifferential at a kink: the convex hull of the gradients of the incident cells.

A point is *critical* if 0 lies in it. Where it does not, one direction descends in every cell at
once. All decisions are exact; where cells cannot be told in or out, the answer is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lscore.algebra.alternatives import (
    ShortestElement,
    common_descent,
    shortest_element,
    zero_in_zonotope,
)
from lscore.algebra.arguments import checked
from lscore.algebra.linear import rank
from lscore.algebra.matrices import RationalMatrix, exact, stack, zeros
from lscore.cells.incident import (
    MAX_CELLS,
    MAX_TIES,
    IncidentCells,
    incident_cells,
    relevant_ties,
    tie_gradient,
)
from lscore.cells.pattern import Cell, Located, Tie, locate
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import BudgetError, SettingError, TieError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

_SUBGRADIENT = Question("LVB-D2", "g is in Clarke's subdifferential")


@dataclass(frozen=True, eq=False)
class ClarkeSubdifferential:
    """The hull of the columns of `gradients` (m, k), one per incident cell of `incident`.

    `doubtful` (m, j), or None, are the gradients of cells that may or may not be incident; without
    them the hull is exactly the subdifferential, with them at least that of `gradients`.
    """

    incident: IncidentCells
    gradients: RationalMatrix
    doubtful: RationalMatrix | None

    @property
    def is_complete(self) -> bool:
        return self.doubtful is None

    def shortest(self) -> ShortestElement:
        """The element of least norm; minus it is the direction of steepest descent.

        Raises `SettingError` if cells are doubtful, for then the hull may be larger.
        """
        if not self.is_complete:
            raise SettingError(
                f"w: {self.doubtful.shape[1]} cells are doubtful, need a complete list"
            )
        return shortest_element(self.gradients)


@checked
def clarke_subdifferential(
    risk: Risk, w: Point | np.ndarray, *, tie_limit: int = MAX_TIES, limit: int = MAX_CELLS
) -> ClarkeSubdifferential:
    r""":math:`\partial^\circ R(w) = \mathrm{conv}\{\nabla R_u(w) : w \in \mathrm{cl}\, \Omega_u\}`.

    :math:`R_u` is the frozen risk of the cell u. Piecewise linear networks, squared and hinge
    losses. Ties that the risk cannot feel are not broken (`relevant_ties`). Raises `BudgetError`,
    and `TieError` if no cell can be shown to meet at w, for want of a first-order direction.
    Source: Laurent and von Brecht (2018), Definition 2 and Lemma 103 (LVB-D2, LVB-L103).

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1), (), bias=False, output_activation=relu), [1], [-1])
    >>> clarke_subdifferential(risk, exact([0])).gradients      # (relu(w) + 1)^2 / 2 at 0
    [[1, 0]]
    """
    Setting().require(risk)
    w = locate(risk, w)
    incident = incident_cells(risk, w, relevant_ties(risk, w), tie_limit=tie_limit, limit=limit)
    if not incident.cells:
        raise TieError(
            "w: no direction breaks all ties to first order, "
            f"each of {len(incident.doubtful)} cells may or may not meet at the point"
        )
    doubtful = _gradients(incident.doubtful, w) if incident.doubtful else None
    return ClarkeSubdifferential(
        incident, _gradients([found.cell for found in incident.cells], w), doubtful
    )


def _gradients(
    cells: list[Cell], w: RationalMatrix, g: RationalMatrix | None = None
) -> RationalMatrix:
    """One column per cell: its gradient at w, minus g if given."""
    columns = [cell.gradient(w) - g if g is not None else cell.gradient(w) for cell in cells]
    return stack([column.T for column in columns]).T


@_SUBGRADIENT.checker
def certify_subgradient(
    risk: Risk,
    w: Point | np.ndarray,
    g: object = None,
    *,
    tie_limit: int = MAX_TIES,
    limit: int = MAX_CELLS,
    claim: str = _SUBGRADIENT.claim,
) -> Certificate:
    r"""Is g an element of Clarke's subdifferential at w? For g = 0 (default): is w critical?

    Certified with a convex combination of gradients of cells that surely meet at w; refuted with a
    `direction` d, :math:`\langle g_u - g, d \rangle \le -1` in every cell that can meet there, for
    g = 0 a direction of descent; unknown where doubtful cells matter or the limits are exceeded
    (the count and the limit are in the reason). Where no cell is sure to be incident, g is still
    decided if it is the gradient of all candidates, or in the hull of none. Exact and sound;
    complete within the limits for squared losses of one hidden layer without output activation,
    and for one output with non-zero output weights. Without
    hidden ties a hinge risk needs no enumeration: its gradients lie in a zonotope. Source: Laurent
    and von Brecht (2018), Definition 2 (LVB-D2).

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1), (), bias=False, output_activation=relu), [1], [-1])
    >>> print(certify_subgradient(risk, exact([0])))
    certified (exact): 0 is in Clarke's subdifferential  [LVB-D2]
      holds     each of 2 cells is entered by a ray from the point
      holds     0 is a convex combination of their gradients
    """
    w = locate(risk, w)
    zero = g is None
    g = zeros(risk.dimension) if zero else exact(risk.network.point(exact(g, "g"), "g"))
    name = "0" if zero else "g"
    asked = Question(claim, f"{name} is in Clarke's subdifferential")
    ties, hidden = relevant_ties(risk, w), len(risk.network.switches)
    if ties and all(layer > hidden for layer, _, _ in ties):
        inside, independent = _zonotope(risk, w, ties, g)
        reached = Condition(
            f"{name} is in the zonotope of {len(ties)} margin ties", inside.solvable
        )
        if not inside.solvable:
            return asked.refuted([reached], {"direction": inside.obstruction})
        if independent:
            every = Condition("the gradients of these margins are independent", True)
            return asked.certified([reached, every])
    try:
        incident = incident_cells(risk, w, ties, tie_limit=tie_limit, limit=limit)
    except BudgetError as error:
        return asked.unknown(str(error))
    sure, doubtful = [found.cell for found in incident.cells], list(incident.doubtful)
    conditions = []
    if sure:
        found, (where, what) = common_descent(_gradients(sure, w, g)), _entered(incident)
        conditions += [Condition(where, True), Condition(f"{name} is {what}", found.solvable)]
        if found.solvable:
            return asked.certified(conditions)
        if not doubtful:
            return asked.refuted(conditions, {"direction": found.obstruction})
    every = _gradients(sure + doubtful, w, g)
    if every.is_zero():
        text = f"{name} is the only gradient of the cells that may be incident"
        return asked.certified([Condition(f"{text} ({len(doubtful)})", True)])
    wider = common_descent(every)
    if not wider.solvable:
        also = Condition(f"nor with the {len(doubtful)} cells that may be incident", True)
        if not sure:
            text = f"{name} is a convex combination of the gradients of the {len(doubtful)} cells"
            also = Condition(f"{text} that may be incident", False)
        return asked.refuted([*conditions, also], {"direction": wider.obstruction})
    reason = f"{len(doubtful)} cells may or may not be incident, and they decide"
    return asked.unknown(reason, conditions[:1])


def _entered(incident: IncidentCells) -> tuple[str, str]:
    """What is known of the cells that surely meet at the point, and what g has to be."""
    standing = {tie for found in incident.cells for tie in found.standing}
    where = f"each of {len(incident.cells)} cells is entered by a ray from the point"
    what = "a convex combination of their gradients"
    if all(found.direction.is_zero() for found in incident.cells):
        where, what = "the risk is one polynomial around the point", "its gradient there"
    if standing:
        where += f", ties that nothing nearby breaks: {len(standing)}"
    return where, what


def _zonotope(risk: Risk, w: Located, ties: list[Tie], g: RationalMatrix):
    """Is g in Lin + sum_j p_j grad m_j, 0 <= p_j <= mu_j; and are the grad m_j independent?"""
    pieces = w.pattern.pieces
    offset = Cell(risk, pieces).gradient(w)
    columns = [tie_gradient(risk, w, tie, pieces) for tie in ties]
    generators = stack([column.T for column in columns]).T
    bounds = exact([risk.loss.jump(w.run.outputs, risk.exact_y, i, j) for _, i, j in ties])
    return (
        zero_in_zonotope(offset - g, generators, bounds),
        rank(generators) == len(ties),
    )
