"""Answer checkers for the exercises of *Ties can be broken, or ignored*."""

from __future__ import annotations

from lscore.algebra.linear import affine_least_squares
from lscore.algebra.matrices import Scalar, augment, exact, rational
from lscore.model.activations import relu
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.yun2019 import (
    TieSplit,
    affine_fit,
    certify_split,
    opposite_units,
    tie_groups,
    tied_point,
    usable_gaps,
)


def has_only_ties(X: object, y: object, values: int = 1) -> str:
    """No affine map fits, no gap between predictions can be used, and the fit takes at least so
    many values."""
    fit = affine_least_squares(augment(exact(X, "X")), exact(y, "y"))
    if fit.sum_of_squares == 0:
        return "not yet: an affine map fits exactly"
    groups = tie_groups(fit.predictions, fit.residuals)
    if gaps := usable_gaps(groups):
        return f"not yet: the residuals below the gap above {gaps[0].low} sum to {gaps[0].partial}"
    if len(groups) < values:
        return f"not yet: the fit takes {len(groups)} values, wanted {values}"
    return f"correct: {len(groups)} groups of predictions, the residuals of each cancel"


def gain_by_hand(answer: object) -> str:
    """Case 2 for x = -2, -1, 1, 2, labels 1, -1, -1, 1 and ReLU, with the first sample as j1."""
    risk = Risk(Network((1, 2, 1), relu), [-2, -1, 1, 2], [1, -1, -1, 1])
    return same_number(answer, tied_point(risk, 0).decrease)


def breaks_tie(risk: Risk, split: TieSplit, j1: int) -> str:
    """The split separates sample j1 and is what Lemma A.2 says."""
    if split.j1 != j1:
        return f"not yet: j1 is {split.j1}, wanted {j1}"
    answer = certify_split(risk, split)
    if answer.certified:
        return f"correct: D = {answer.values['D']}"
    return f"not yet: {answer.conditions[-1].text} fails, {answer.witness['what_fails']}"


def fools_the_split_checker(risk: Risk, split: TieSplit, alpha: Scalar = 1) -> str:
    r"""`certify_split` refuses the split, and yet the two-unit point with its direction, threshold
    and :math:`|\gamma| = \alpha D/4` is below the affine fit."""
    if certify_split(risk, split).certified:
        return "not yet: the checker accepts this split"
    fit, alpha = affine_fit(risk), rational(alpha, "alpha")
    start = fit.sum_of_squares * risk.loss.scale(len(risk.exact_y))
    slope, gamma = fit.slope - alpha * split.direction.T, alpha * split.spread / 4
    best = min(
        risk(opposite_units(risk, slope, fit.intercept[0, 0], split.beta(alpha), push))
        for push in (gamma, -gamma)
    )
    if best >= start:
        return f"not yet: the point has the risk {best}, the affine fit {start}"
    return f"correct: refused, and lower by {start - best}"
