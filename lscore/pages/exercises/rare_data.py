"""Answer checkers for the exercises of *Separable data are generic, rare data are hard to
recognise*."""

from __future__ import annotations

from lscore.algebra.matrices import exact, rational
from lscore.certificates import Verdict
from lscore.papers.laurent2018 import (
    LabelledData,
    certify_generic,
    is_rare_combination,
    separates_class,
)


def separates_the_line(q: object) -> str:
    """q separates the class + at 2, 3 from the class - at -1, 0."""
    data = LabelledData([-1, 0, 2, 3], [-1, -1, 1, 1])
    if separates_class(data, 1, exact(q, "q"), [0]):
        return "correct: so these data are generic for every slope above 0"
    return "not yet: a point lies on the wrong side"


def balances(weight: object) -> str:
    """The data -1, 0, 2 with this weight at 2 are rare with all slopes 1 and all switches on."""
    weight = rational(weight, "weight")
    half = rational("1/2")
    if not 0 < weight < half:
        return "not yet: need a number between 0 and 1/2"
    data = LabelledData([-1, 0, 2], [1, -1, 1], [half - weight, half, weight], half)
    if is_rare_combination(data, exact([1, 1, 1]), exact([[1, 0], [0, 1], [1, 0]])):
        return f"correct: {weight}"
    return f"not yet: it is not {weight}"


def makes_rare(data: LabelledData, slopes: object, switches: object) -> str:
    """The slopes (n,) and switches (n, R) make the data rare by the corrected definition."""
    slopes, switches = exact(slopes, "slopes"), exact(switches, "switches")
    if is_rare_combination(data, slopes, switches):
        return "correct: both classes balance"
    if is_rare_combination(data, slopes, switches, as_printed=True):
        return "not yet: a switch at a sample's own class is in no equation"
    return "not yet: the equations are not satisfied"


def solves_the_puzzle(data: LabelledData, chosen: object) -> str:
    """The chosen weights of the class + sum to the weight of the one sample of the class -."""
    chosen = exact(chosen, "chosen").entries()
    *numbers, target = data.weights.entries()
    if any(chosen.count(number) > numbers.count(number) for number in chosen):
        return "not yet: some number is not there, or not so often"
    if sum(chosen) != target:
        return f"not yet: they sum to {sum(chosen)}, not {target}"
    return f"correct: {' + '.join(map(str, chosen))} = {target}"


def hides_that_it_is_rare(data: LabelledData, limit: int) -> str:
    """`certify_generic` says unknown with this limit and finds the data rare without."""
    answer = certify_generic(data, limit=limit)
    if answer.verdict is not Verdict.UNKNOWN:
        return f"not yet: with the limit {limit} the checker says {answer.verdict}"
    if not certify_generic(data).refuted:
        return "not yet: the data are not rare"
    return f"correct: unknown with the limit {limit}, rare without"
