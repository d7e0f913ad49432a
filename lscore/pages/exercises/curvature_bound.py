"""Answer checkers for the exercises of *Residuals alone bend a loss down, and by how much*."""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.definite import inertia
from lscore.algebra.matrices import Scalar, exact
from lscore.cells.hessians import split_hessian
from lscore.cells.pattern import Cell, pattern_at
from lscore.model.activations import relu
from lscore.model.losses import SquaredLoss
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.milne2019 import certify_curvature_bound, curvature_chain
from lscore.papers.milne2019.region import BOUNDED

HALF = SquaredLoss("1/2", mean=True)


def own_cell(risk: Risk, w: Point) -> Cell:
    """The cell of w; what lies on a knot counts as off."""
    return Cell(risk, pattern_at(risk, w).pieces)


def is_bent_up(risk: Risk, w: Point) -> str:
    """The residuals are not 0, B is not 0, and yet the Hessian has no negative eigenvalue."""
    w = exact(risk.network.point(w), "w")
    first, rest = split_hessian(own_cell(risk, w), w)
    if rest.is_zero():
        return "not yet: B is 0"
    if below := inertia(first + rest)[0]:
        return f"not yet: {below} eigenvalue{'s' * (below > 1)} of the Hessian below 0"
    return "correct: G outweighs B"


def largest_pull_by_hand(answer: object) -> str:
    """K6 of one hidden layer with three units, from the three sums q_j."""
    X, y = exact([1, -1, 2]), exact([1, 3, -1])
    risk = Risk(Network((1, 3, 1), relu, bias=False), X, y, HALF)
    pre, outputs = risk.forward(exact([1, -1, 2, 1, 1, 0]))
    pulls = []
    for j in range(3):
        unit = zip(pre[0].column(j).entries(), (outputs - y).entries(), X.entries(), strict=True)
        pulls.append(sum((e * x for z, e, x in unit if z > 0), fmpq(0)) / 3)
    return same_number(answer, max(map(abs, pulls)))


def is_nearly_optimal(risk: Risk, w: Point, share: Scalar = "999/1000") -> str:
    """A network with two hidden layers whose true curvature is more than this share of K1."""
    w = exact(risk.network.point(w), "w")
    if (hidden := len(risk.network.activations)) != 2:
        return f"not yet: {hidden} hidden layers, wanted 2"
    if missed := BOUNDED.misses(risk):
        return f"not yet: {missed}"
    answer = certify_curvature_bound(own_cell(risk, w), w, fmpq(2) * exact([share])[0, 0])
    if answer.refuted:
        return f"correct: a constant of {share} H is not enough"
    return f"not yet: with a constant of {share} H the bound is {answer.verdict}"


def has_a_loose_norm(risk: Risk, w: Point) -> str:
    """K4 is less than a tenth of K3: the layers have very different norms."""
    w = exact(risk.network.point(w), "w")
    found = curvature_chain(own_cell(risk, w), w)
    if not 10 * found["K4"] < found["K3"]:
        return f"not yet: K3 / K4 is {float(found['K3'] / found['K4']):.3g}"
    return f"correct: K3 / K4 is {float(found['K3'] / found['K4']):.3g}"


def fools_the_balls(risk: Risk, w: Point, constant: Scalar) -> str:
    """The bound is an equality, which no ball can decide."""
    answer = certify_curvature_bound(own_cell(risk, w), exact(risk.network.point(w), "w"), constant)
    if answer.verdict != "unknown":
        return f"not yet: the checker says {answer.verdict}"
    if not answer.conditions:
        return f"not yet: the checker does not ask, {answer.reason}"
    return f"correct: {answer.reason}"
