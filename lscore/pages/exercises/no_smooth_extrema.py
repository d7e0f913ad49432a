"""Answer checkers for the exercises of *Where a hinge loss is smooth, it has no peaks and no
pits*."""

from __future__ import annotations

from lscore.algebra.matrices import RationalMatrix, exact, rational
from lscore.cells.pattern import pattern_at
from lscore.cells.rays import polynomial_text, risk_along
from lscore.minima.smooth import certify_smooth_extremum
from lscore.model.risk import Risk
from lscore.pages.shared import same_number


def turns_by_one_sign(risk: Risk, w: RationalMatrix, u: object, entry: int) -> str:
    """The risk falls along u and rises along u with the sign of one entry changed."""
    u = exact(u, "u")
    turned = u.entries()
    turned[entry] = -turned[entry]
    down, up = (risk_along(risk, w, v) for v in (u, exact(turned)))
    if down.order is None or down.risk[down.order] >= 0:
        return "not yet: the risk does not fall along u"
    if up.order is None or up.risk[up.order] <= 0:
        return "not yet: with that sign the risk does not rise"
    return f"correct: it changes by {polynomial_text(down.change)} and {polynomial_text(up.change)}"


def mirrored_by_hand(trace: object, product: object) -> str:
    """Trace, and product of the missing two, of a mirrored spectrum with 3, 1, -1, 0, 1/2 in it."""
    missing = [-x for x in (rational(3), rational("1/2"))]
    answer = same_number(trace, rational(0))
    return same_number(product, missing[0] * missing[1]) if answer[:7] == "correct" else answer


def is_saddle_of_order(risk: Risk, w: RationalMatrix, order: int) -> str:
    """Inside a cell the first non-constant part of the risk at w has this order."""
    answer = certify_smooth_extremum(risk, w)
    if not answer.refuted:
        return f"not yet: {answer.reason or 'the cell is flat'}"
    if answer.witness["order"] != order:
        return f"not yet: the order is {answer.witness['order']}, wanted {order}"
    rise, fall = answer.witness["coefficient"], answer.witness["its_coefficient"]
    return f"correct: the risk changes by {rise} t^{order} and by {fall} t^{order}"


def is_bad_flat_point(risk: Risk, w: RationalMatrix) -> str:
    """In a flat cell with a positive risk."""
    answer = certify_smooth_extremum(risk, w)
    if not answer.certified:
        return f"not yet: {answer.reason or 'the cell is not flat'}"
    if risk(w) == 0:
        return "not yet: the risk is 0"
    return f"correct: the risk is {risk(w)} all around"


def fools_the_wall_test(risk: Risk, w: RationalMatrix) -> str:
    """The risk is 0 in a neighbourhood of w, all margins being slack; the checker says unknown."""
    if pattern_at(risk, w).layers[-1].any():
        return "not yet: a margin is not slack"
    answer = certify_smooth_extremum(risk, w)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"
