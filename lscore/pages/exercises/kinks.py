"""Answer checkers for the exercises of *A kink is a minimum if each unit says so*."""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import augment, exact, rational
from lscore.cells.incident import relevant_ties
from lscore.cells.pattern import locate
from lscore.minima.tangent import Tangent
from lscore.minima.unit_by_unit import certify_kink_minimum
from lscore.model.activations import relu
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number


def _pulled_kink(risk: Risk, w: Point) -> bool:
    """Whether a used unit is on a knot at a sample that pulls."""
    at = locate(risk, w)
    pull = risk.loss.gradient(at.run.outputs, risk.exact_y)
    used = [v != 0 for v in at.run.layers[-1].weight.entries()]
    return any(used[k] and pull[i, 0] != 0 for _, i, k in relevant_ties(risk, at))


def is_minimum_on_a_kink(risk: Risk, w: Point, below: object) -> str:
    """A certified local minimum, a used unit on a kink that pulls, less risk than `below`."""
    answer = certify_kink_minimum(risk, w)
    if not answer.certified:
        return f"not yet: the checker says {answer.verdict}"
    if not _pulled_kink(risk, exact(risk.network.point(w), "w")):
        return "not yet: no used unit is on a kink at a sample that pulls"
    value = answer.values["risk"]
    if value >= rational(below, "below"):
        return f"not yet: the risk is {value}"
    return f"correct: a local minimum on a kink, risk {value}"


def share_by_hand(answer: object) -> str:
    r"""The p with :math:`\sum_{x_i > 0} \nu_i + p \nu_0 = 0` for the refitted kink at 0."""
    x, y = exact([-1, 0, 1, 2]), exact([0, 1, 0, 3])
    design = augment(relu(x))
    nu = (design @ least_squares(design, y)[0] - y).entries()
    pairs = list(zip(x.entries(), nu, strict=True))
    on = sum((v for t, v in pairs if t > 0), fmpq(0))
    return same_number(answer, -on / next(v for t, v in pairs if t == 0))


def is_kink_that_falls(risk: Risk, w: Point) -> str:
    """The output layer is fitted, a used unit is on a kink that pulls, and the risk falls."""
    answer = certify_kink_minimum(risk, w)
    if not answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    if len(answer.conditions) < 2 or not answer.conditions[-1].text.startswith("no used unit"):
        return f"not yet: {answer.conditions[-1].text} fails already"
    if not _pulled_kink(risk, exact(risk.network.point(w), "w")):
        return "not yet: no used unit is on a kink at a sample that pulls"
    return f"correct: the risk changes by {answer.witness['coefficient']} t + ..."


def smallest_decay(answer: object) -> str:
    """The steepest pull on a unit at 0, for the samples (3, 4), (-3, -4) with labels 1 and 2."""
    level = rational(answer, "decay")
    risk = Risk(Network((2, 1, 1), relu, bias=False), [[3, 4], [-3, -4]], [1, 2])
    at = locate(risk, exact([0, 0, 0]))
    unit = Tangent(at, risk.loss.gradient(at.run.outputs, risk.exact_y), 100).bends[0]
    if unit.steeper(max(level, fmpq(0)) ** 2, 100) is not None:
        return f"not yet: with {level} the unit is pulled away from 0"
    if unit.steeper((level * fmpq(999999, 1000000)) ** 2, 100) is None:
        return f"not yet: a little less than {level} is enough, too"
    return f"correct: {level}"
