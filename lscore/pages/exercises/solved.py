"""Answer checkers for the exercises of *All values of local minima, listed and proved complete*."""

from __future__ import annotations

from lscore.algebra.matrices import exact
from lscore.cells.pattern import locate
from lscore.errors import BudgetError
from lscore.model.activations import relu
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.surface.listing import Surface
from lscore.surface.points import decouples
from lscore.surface.solver import solve_surface


def _one_unit(y: object) -> Risk:
    y = exact(y, "labels")
    return Risk(Network((1, 1, 1), relu), list(range(len(y))), y)


def has_one_value(labels: object) -> str:
    """Labels at x = 0, 1, 2, ... for which all local minima of one ReLU unit have one risk."""
    surface = solve_surface(_one_unit(labels))
    if surface.spurious:
        values = ", ".join(str(minimum.risk) for minimum in surface.minima)
        return f"not yet: the values are {values}"
    return f"correct: all local minima have the risk {surface.best.risk}"


def best_by_hand(answer: object) -> str:
    """The global minimum of one ReLU unit for x = 0, 1, 2 and y = 0, 2, 1."""
    return same_number(answer, solve_surface(_one_unit([0, 2, 1])).best.risk)


def best_is_on_a_wall(labels: object) -> str:
    """Five labels at x = 0, ..., 4 for which one ReLU unit is best with its kink on a sample."""
    risk = _one_unit(labels)
    if len(risk.y) != 5:
        return f"not yet: these are {len(risk.y)} labels, not 5"
    best = solve_surface(risk).best
    if not best.wall_only:
        return f"not yet: the global minimum {best.risk} is attained inside a cell"
    return f"correct: the global minimum {best.risk} is attained on walls only"


def is_another_minimum(surface: Surface, w: Point) -> str:
    """A local minimum whose risk is on the list and that is not the listed point."""
    w = exact(surface.risk.network.point(w), "w")
    value = surface.risk(w)
    listed = [minimum for minimum in surface.minima if minimum.risk == value]
    if not listed:
        return f"not yet: the risk {value} is not on the list"
    if not decouples(surface.cones, locate(surface.risk, w)):
        return f"not yet: it has the risk {value}, but it is no local minimum"
    if listed[0].point == w:
        return "not yet: this is the listed point"
    return f"correct: another local minimum of risk {value}"


def fools_the_solver(X: object, y: object, width: int) -> str:
    """Twelve samples at most and a width that fits any labels, which the solver refuses."""
    risk = Risk(Network((1, width, 1), relu), X, y)
    x = list(map(str, risk.exact_X.entries()))
    if len(x) > 12:
        return f"not yet: these are {len(x)} samples"
    if len(set(x)) < len(x) or width < len(x) - 1:
        return "not yet: different inputs and a unit for each but one, and the best risk is 0"
    try:
        return f"not yet: it is solved, {len(solve_surface(risk).minima)} values"
    except BudgetError as error:
        return f"correct: the best risk is 0, and yet {str(error).removeprefix('risk: ')}"
