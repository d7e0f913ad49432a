"""Answer checkers for the exercises of *Separable data are generic, rare data are hard to
recognise*."""

from __future__ import annotations

from lscore.algebra.matrices import exact
from lscore.certificates import Verdict
from lscore.papers.laurent2018 import (
    LabelledData,
    certify_generic,
    is_rare_combination,
)


def makes_rare(data: LabelledData, slopes: object, switches: object) -> str:
    """The slopes (n,) and switches (n, R) make the data rare by the corrected definition."""
    slopes, switches = exact(slopes, "slopes"), exact(switches, "switches")
    if is_rare_combination(data, slopes, switches):
        return "correct: both classes balance"
    if is_rare_combination(data, slopes, switches, as_printed=True):
        return "not yet: a switch at a sample's own class is in no equation"
    return "not yet: the equations are not satisfied"


def hides_that_it_is_rare(data: LabelledData, limit: int) -> str:
    """`certify_generic` says unknown with this limit and finds the data rare without."""
    answer = certify_generic(data, limit=limit)
    if answer.verdict is not Verdict.UNKNOWN:
        return f"not yet: with the limit {limit} the checker says {answer.verdict}"
    if not certify_generic(data).refuted:
        return "not yet: the data are not rare"
    return f"correct: unknown with the limit {limit}, rare without"
