"""Answer checkers for the exercises of *A penalty that is exact, and may leave no minimum*."""

from __future__ import annotations

from lscore.algebra.matrices import RationalMatrix, exact, rational
from lscore.certificates import Verdict
from lscore.model.activations import identity
from lscore.model.hinges import one_versus_all_hinge
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.pages.shared import same_number
from lscore.papers.laurent2018 import PenalisedRisk, certify_penalised_critical


def _classes(number: int, gamma: int = 1) -> PenalisedRisk:
    """One unit, one input, this many classes."""
    network = Network((1, 1, number), identity)
    return PenalisedRisk(Risk(network, [0], [0], one_versus_all_hinge()), gamma)


def penalty_of_three(answer: object) -> str:
    """The penalty of the replicas (1, 0), (1, 2), (-1, 0)."""
    W = exact([[1, 1, -1], [0, 2, 0], [0] * 3, [0] * 3])
    return same_number(answer, _classes(3).penalty(W))


def price_of_a_move(answer: object) -> str:
    """What gamma = 2 charges if one of five equal replicas moves by (3, 4)."""
    E = _classes(5, gamma=2)
    W = exact([[3] + [0] * 4, [4] + [0] * 4, [0] * 5, [0] * 5])
    return same_number(answer, E.gamma * E.penalty(W))


def is_cheap(risk: Risk, W: RationalMatrix) -> str:
    """A penalised risk of at most 1/1000."""
    value = PenalisedRisk(risk)(W)
    if value > rational("1/1000"):
        return f"not yet: the penalised risk is {value}"
    return f"correct: {value}"


def is_below_zero(risk: Risk, W: RationalMatrix) -> str:
    """Lower than all entries 0, with no entry above 1/4 in size."""
    E = PenalisedRisk(risk)
    W = E.replicas(W)
    if max(map(abs, W.entries())) > rational("1/4"):
        return "not yet: an entry is larger than 1/4"
    values = f"the penalised risk is {E(W)}, at 0 it is {E(W * 0)}"
    return f"correct: {values}" if E(W) < E(W * 0) else f"not yet: {values}"


def hides_a_minimum(risk: Risk, W: RationalMatrix) -> str:
    """E_1 = 0, and `certify_penalised_critical` says unknown."""
    value = PenalisedRisk(risk)(W)
    if value:
        return f"not yet: the penalised risk is {value}, not 0"
    answer = certify_penalised_critical(risk, W)
    if answer.verdict is not Verdict.UNKNOWN:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"
