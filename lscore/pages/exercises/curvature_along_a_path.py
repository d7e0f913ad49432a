"""Answer checkers for the exercises of *One more backward pass gives the curvature of a run, and
misses its kinks*."""

from __future__ import annotations

from lscore.algebra.matrices import Scalar, exact, rational
from lscore.cells.incident import incident_cells
from lscore.curvature.decay import certify_crossing
from lscore.curvature.exact import exact_second_derivative
from lscore.errors import TieError
from lscore.model.activations import relu
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number


def has_curvature(risk: Risk, w: Point, c: Scalar) -> str:
    r"""The normalised curvature :math:`2 g^\top H g / |g|^2` at w is exactly c."""
    try:
        squared, bend = exact_second_derivative(risk, w)
    except TieError as tie:
        return f"not yet: {tie}"
    if squared == 0:
        return "not yet: the gradient is 0"
    if bend / squared != rational(c, "c"):
        return f"not yet: c = {bend / squared}, wanted {c}"
    return f"correct: |g|^2 = {squared} and 2 g'Hg = {bend}"


def has_new_curvature(risk: Risk, w: Point, c: Scalar, known: tuple[int, int]) -> str:
    """As `has_curvature`, at a point of two weights that is no multiple of `known`."""
    point = exact(risk.network.point(w), "w")
    (first, second), (a, b) = point.entries(), known
    if first * b == second * a:
        return f"not yet: it is a multiple of ({a}, {b})"
    return has_curvature(risk, point, c)


def curvature_by_hand(answer: object) -> str:
    r"""The normalised curvature of :math:`\tfrac12 v^2 w^2` at (1, 1)."""
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [0])
    squared, bend = exact_second_derivative(risk, exact([1, 1]))
    return same_number(answer, bend / squared)


def jumps_by(risk: Risk, w: Point, factor: Scalar) -> str:
    r"""The flow crosses the wall through w; :math:`|g|^2` grows `factor` times at least."""
    answer = certify_crossing(risk, w)
    if not answer.refuted:
        return f"not yet: the checker says {answer.verdict}, |g|^2 is not shown to rise"
    ratio = answer.witness["after"] / answer.witness["before"]
    if ratio < rational(factor, "factor"):
        return f"not yet: |g|^2 grows {ratio} times, wanted {factor}"
    return f"correct: |g|^2 grows {ratio} times"


def fools_the_wall_checker(risk: Risk, w: Point) -> str:
    """w lies on walls, all cells there have one gradient, not 0, and the checker says unknown."""
    w = exact(risk.network.point(w), "w")
    around = incident_cells(risk, w)
    if around.doubtful or len(around.cells) < 2:
        return f"not yet: {len(around.cells)} cells are known to meet at w, need two or more"
    first, *others = (entry.cell.gradient(w) for entry in around.cells)
    if any(g != first for g in others):
        return "not yet: two cells have different gradients"
    if first.is_zero():
        return "not yet: the gradient is 0, no flow passes"
    answer = certify_crossing(risk, w)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: the gradient does not jump, yet {answer.reason}"
