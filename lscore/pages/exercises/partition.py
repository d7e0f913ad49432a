"""Answer checkers for the exercises of *Parameter space is cut into cells, and a layer's can all
be listed*."""

from __future__ import annotations

from lscore.algebra.matrices import augment, exact, rational
from lscore.cells.arrangement.hyperplanes import count_patterns, most_patterns
from lscore.cells.partition import certify_disconnected, certify_smooth
from lscore.cells.pattern import pattern_at
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.pages.shared import same_number


def samples_on(risk: Risk, w: Point, unit: int, answer: object) -> str:
    """The samples at which a unit of the first layer is on, above its knot."""
    column = pattern_at(risk, w).layers[0][:, unit]
    given = sorted(int(i) for i in exact(answer, "answer").entries())
    if given == [i for i, position in enumerate(column) if position > 1]:
        return f"correct: {given}"
    return f"not yet: it is not {given}"


def patterns_by_hand(answer: object) -> str:
    """The number of activation patterns of a unit with bias on six points of a general plane."""
    return same_number(answer, rational(most_patterns(6, 3)))


def has_activation_patterns(X: object, count: int) -> str:
    """A unit with bias has exactly `count` activation patterns on the distinct samples X (n, d)."""
    A = augment(exact(X, "X"))
    rows = [tuple(row) for row in A.numerator.tolist()]
    if len(set(rows)) < len(rows):
        return "not yet: two samples coincide"
    found = count_patterns(A)
    if found != count:
        return f"not yet: {found} patterns, wanted {count}"
    return f"correct: {found} patterns, {most_patterns(*A.shape)} in general position"


def lies_in_a_disconnected_cell(risk: Risk, a: Point, b: Point) -> str:
    """a and b have the same pattern, and no path inside their cell joins them."""
    answer = certify_disconnected(risk, a, b)
    if answer.certified:
        return f"correct: {answer.conditions[-1].text}"
    return "not yet: " + (answer.reason or "the points do not lie in one cell")


def fools_the_smoothness_check(risk: Risk, w: Point) -> str:
    """`certify_smooth` says unknown at w, yet a later layer is off wherever something is tied.

    A layer that is off, strictly and on pieces of value 0, makes the outputs constant in everything
    before it, so they are smooth around w.
    """
    w = exact(risk.network.point(w), "w")
    found = pattern_at(risk, w)
    if not found.ties:
        return "not yet: the point lies in no wall"
    for l, i, k in found.ties:
        later = zip(risk.network.switches[l:], found.layers[l:], strict=False)
        off = [
            all(p % 2 == 0 and h.slopes[p // 2] == 0 == h.intercepts[p // 2] for p in row[i])
            for h, row in later
        ]
        if not any(off):
            return (
                f"not yet: no layer after layer {l} is off for sample {i}, where unit {k} is tied"
            )
    answer = certify_smooth(risk, w)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"
