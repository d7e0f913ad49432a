"""Answer checkers for the exercises of *A deep linear classifier is stuck only where it ignores
its input*."""

from __future__ import annotations

from lscore.algebra.matrices import exact, rational
from lscore.model.activations import identity
from lscore.model.hinges import binary_hinge
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.pages.shared import fools_the_checker, same_number
from lscore.papers.laurent2018 import (
    certify_linear_hinge_minimum,
    collapsed,
    deepened,
    linear_hinge_optimum,
)


def _least(X: list, y: list) -> object:
    """The least risk of an affine function."""
    risk = Risk(Network((1, 1, 1), identity), X, y, binary_hinge())
    return risk(deepened(risk, linear_hinge_optimum(risk)))


def is_the_product(numbers: object) -> str:
    """The affine function of the network of the warm-up."""
    risk = Risk(Network((2, 2, 1), identity), [[0, 0]], [1], binary_hinge())
    product = collapsed(risk, exact([1, 2, 0, 1, 1, -1, 3, -1, 2]))[1]
    given = exact(numbers, "numbers")
    if given.shape != product.shape:
        return f"not yet: need {len(product)} numbers"
    return "correct" if given == product else "not yet: the network computes something else"


def least_of_three(answer: object) -> str:
    """The least risk on the points 0, 1, 2 with labels +, -, +."""
    return same_number(answer, _least([0, 1, 2], [1, -1, 1]))


def balances_the_line(multipliers: object) -> str:
    """Multipliers for the points -2, -1, 1, 2 with labels -, +, -, + that prove the least risk."""
    X, y = [-2, -1, 1, 2], [-1, 1, -1, 1]
    lam = exact(multipliers, "multipliers").entries()
    if len(lam) != 4 or min(lam) < 0 or max(lam) > 1:
        return "not yet: need four numbers from 0 to 1"
    total, moment = (
        sum(share * label * x**power for share, label, x in zip(lam, y, X, strict=True))
        for power in (0, 1)
    )
    if total or moment:
        return f"not yet: the sums are {total} and {moment}, need 0 and 0"
    bound = sum(lam, rational(0)) / 4
    least = _least(X, y)
    return f"correct: the bound is {bound}" if bound == least else f"not yet: the bound is {bound}"


def is_lower_nearby(w: Point) -> str:
    """Lower than the origin of three weights in a row, no entry above 1/10 in size."""
    risk = Risk(Network((1, 1, 1, 1), identity, bias=False), [1, -1], [1, -1], binary_hinge())
    w = exact(risk.network.point(w), "w")
    if max(map(abs, w.entries())) > rational("1/10"):
        return "not yet: an entry is larger than 1/10"
    risks = f"{risk(w)}, at the origin {risk(w * 0)}"
    return f"correct: the risk is {risks}" if risk(w) < risk(w * 0) else f"not yet: it is {risks}"


def fools_us(risk: Risk, w: Point) -> str:
    """Risk 0, and `certify_linear_hinge_minimum` says unknown."""
    return fools_the_checker(risk, w, certify_linear_hinge_minimum)
