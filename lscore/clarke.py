r"""Clarke's subdifferential at a kink: the convex hull of the gradients of the incident cells.

A point is *critical* if 0 lies in it. Where it does not, one direction descends in every cell at
once. All decisions are exact; where cells cannot be told in or out, the answer is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lscore.cells import Cell, signature
from lscore.certificates import Certificate, Condition, Verdict
from lscore.convex_hulls import MinNormElement, contains_zero, min_norm_element
from lscore.errors import BudgetError, DataError, TieError
from lscore.exact import RationalMatrix, exact, stack, zeros
from lscore.frozen import activated
from lscore.incident_cells import MAX_CELLS, MAX_TIES, IncidentCells, incident_cells, relevant_ties
from lscore.linear_algebra import rank
from lscore.networks import Point
from lscore.risk import Risk
from lscore.zonotopes import zonotope_contains_zero

_NO_CELL = "no direction breaks all ties, so no cell can be shown to meet at the point"


@dataclass(frozen=True, eq=False)
class ClarkeSubdifferential:
    """The hull of the columns of `gradients` (m, k), one per incident cell of `incident`.

    `doubtful` (m, j), or None, are the gradients of cells that may or may not be incident; without
    them the hull is exactly the subdifferential.
    """

    incident: IncidentCells
    gradients: RationalMatrix
    doubtful: RationalMatrix | None

    @property
    def is_complete(self) -> bool:
        return self.doubtful is None

    def shortest(self) -> MinNormElement:
        """The element of least norm; minus it is the direction of steepest descent.

        Raises `DataError` if cells are doubtful, for then the hull may be larger.
        """
        if not self.is_complete:
            raise DataError(f"w: {self.doubtful.shape[1]} cells are doubtful, need a complete list")
        return min_norm_element(self.gradients)


def clarke_subdifferential(
    risk: Risk, w: Point | np.ndarray, max_ties: int = MAX_TIES, max_cells: int = MAX_CELLS
) -> ClarkeSubdifferential:
    r""":math:`\partial^\circ R(w) = \mathrm{conv}\{\nabla R_u(w) : w \in \mathrm{cl}\, \Omega_u\}`.

    :math:`R_u` is the frozen risk of the cell u. Piecewise linear networks, squared and hinge
    losses. Ties that the risk cannot feel are not broken (`relevant_ties`). Raises `BudgetError`,
    and `TieError` if no cell can be shown to meet at w.
    Source: Laurent and von Brecht (2018), Definition 2 and Lemma 103 (LVB-D2, LVB-L103).

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1), (), bias=False, output_activation=relu), [1], [-1])
    >>> clarke_subdifferential(risk, exact([0])).gradients      # (relu(w) + 1)^2 / 2 at 0
    [[1, 0]]
    """
    w = exact(risk.network.point(w), "w")
    incident = incident_cells(risk, w, relevant_ties(risk, w), max_ties, max_cells)
    if not incident.cells:
        raise TieError(f"w: {_NO_CELL} (LVB-L1 needs a bias in every layer)")
    doubtful = _gradients(incident.doubtful, w) if incident.doubtful else None
    return ClarkeSubdifferential(
        incident, _gradients([found.cell for found in incident.cells], w), doubtful
    )


def _gradients(cells: list[Cell], w: RationalMatrix) -> RationalMatrix:
    return stack([cell.gradient(w).T for cell in cells]).T


def decide_subgradient(
    risk: Risk,
    w: Point | np.ndarray,
    g: object = None,
    max_ties: int = MAX_TIES,
    max_cells: int = MAX_CELLS,
    claim: str = "LVB-D2",
) -> Certificate:
    r"""Is g an element of Clarke's subdifferential at w? For g = 0 (default): is w critical?

    Certified with a convex combination of gradients of cells that surely meet at w; refuted with a
    `direction` d, :math:`\langle g_u - g, d \rangle \le -1` in every cell that can meet there, for
    g = 0 a direction of descent; unknown where doubtful cells matter or the limits are exceeded
    (the count and the limit are in the reason). Exact and sound; complete within the limits for
    squared losses of one hidden layer, and for one output with non-zero output weights. Without
    hidden ties a hinge risk needs no enumeration: its gradients lie in a zonotope. Source: Laurent
    and von Brecht (2018), Definition 2 (LVB-D2).

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 1), (), bias=False, output_activation=relu), [1], [-1])
    >>> print(decide_subgradient(risk, exact([0])))
    certified (exact): 0 is in Clarke's subdifferential  [LVB-D2]
      holds     each of 2 cells is entered by a ray from the point
      holds     0 is a convex combination of their gradients
    """
    w = exact(risk.network.point(w), "w")
    zero = g is None
    g = zeros(risk.dimension) if zero else exact(risk.network.point(exact(g, "g"), "g"))
    name = "0" if zero else "g"
    statement = f"{name} is in Clarke's subdifferential"

    def answer(verdict, conditions, **rest) -> Certificate:
        return Certificate(claim, statement, verdict, "exact", conditions, **rest)

    ties, hidden = relevant_ties(risk, w), len(activated(risk.network))
    if ties and all(layer > hidden for layer, _, _ in ties):
        inside, independent = _zonotope(risk, w, ties, g)
        reached = Condition(
            f"{name} is in the zonotope of {len(ties)} margin ties", inside.contained
        )
        if not inside.contained:
            witness = {"direction": inside.direction}
            return answer(Verdict.REFUTED, [reached], witness=witness)
        if independent:
            every = Condition("the gradients of these margins are independent", True)
            return answer(Verdict.CERTIFIED, [reached, every])
    try:
        hull = clarke_subdifferential(risk, w, max_ties, max_cells)
    except (BudgetError, TieError) as error:
        return answer(Verdict.UNKNOWN, [], reason=str(error))
    entered = Condition(
        f"each of {hull.gradients.shape[1]} cells is entered by a ray from the point", True
    )
    found = contains_zero(_shifted(hull.gradients, g))
    combined = Condition(f"{name} is a convex combination of their gradients", found.contained)
    if found.contained:
        return answer(Verdict.CERTIFIED, [entered, combined])
    if hull.is_complete:
        return answer(Verdict.REFUTED, [entered, combined], witness={"direction": found.direction})
    together = stack([_shifted(hull.gradients, g).T, _shifted(hull.doubtful, g).T]).T
    wider = contains_zero(together)
    doubtful = hull.doubtful.shape[1]
    if not wider.contained:
        also = Condition(f"nor with the {doubtful} cells that may be incident", True)
        witness = {"direction": wider.direction}
        return answer(Verdict.REFUTED, [entered, combined, also], witness=witness)
    reason = f"{doubtful} cells may or may not be incident, and they decide"
    return answer(Verdict.UNKNOWN, [entered], reason=reason)


def _shifted(gradients: RationalMatrix, g: RationalMatrix) -> RationalMatrix:
    """Every column minus g."""
    k = gradients.shape[1]
    return gradients - g @ exact([[1] * k])


def _zonotope(risk: Risk, w: RationalMatrix, ties: list, g: RationalMatrix):
    """Is g in Lin + sum_j p_j grad m_j, 0 <= p_j <= mu_j; and are the grad m_j independent?"""
    found = signature(risk, w)
    pieces = tuple(part // 2 for part in found.layers)
    slack = Cell(risk, pieces, found.margins > 1)
    offset = slack.gradient(w)
    weights = risk.loss.term_weights(*found.margins.shape)
    columns = []
    for _, i, j in ties:
        with_tie = found.margins > 1
        with_tie[i, j] = True
        columns.append((Cell(risk, pieces, with_tie).gradient(w) - offset) / weights[i, j])
    generators = stack([column.T for column in columns]).T
    bounds = exact([weights[i, j] for _, i, j in ties])
    return (
        zonotope_contains_zero(offset - g, generators, bounds),
        rank(generators) == len(ties),
    )
