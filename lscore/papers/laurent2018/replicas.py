r"""Critical points and local minima of the penalised risk (Theorem 7, Lemma 109, Corollary 101)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, ones, stack, zeros
from lscore.algebra.rationals import positive
from lscore.cells.incident import MAX_CELLS, MAX_TIES
from lscore.certificates import Certificate, Condition, Question, Verdict
from lscore.errors import HypothesisError
from lscore.minima.clarke import certify_subgradient
from lscore.minima.local import certify_local_minimum
from lscore.model.passes import flat
from lscore.model.risk import Risk
from lscore.papers.laurent2018.linear import LINEAR_HINGE, collapsed, padded
from lscore.papers.laurent2018.penalty import CLAIM, PenalisedRisk

AGREE = "the penalty is 0: the replicas agree"
_CRITICAL = Question(CLAIM, "the replicas are a critical point of the penalised risk")
_MINIMUM = Question("LVB-L109", "the replicas are a local minimum of the penalised risk")
_ALL = "all layers"
_HOLDS = {Verdict.CERTIFIED: True, Verdict.REFUTED: False, Verdict.UNKNOWN: None}


def _only(E: PenalisedRisk, r: int, u: RationalMatrix) -> RationalMatrix:
    """The direction (m, R) that moves replica r alone, along u (m, 1)."""
    return u @ exact([[int(s == r) for s in range(E.classes)]])


@_CRITICAL.checker
def certify_penalised_critical(
    risk: Risk,
    replicas: object,
    gamma: Scalar = 1,
    *,
    tie_limit: int = MAX_TIES,
    limit: int = MAX_CELLS,
) -> Certificate:
    r"""Are the replicas (m, R) a critical point of :math:`E_\gamma`, in the sense of Clarke?

    The subdifferential of :math:`E_\gamma` is the product of those of the classes, each shifted by
    :math:`\gamma \nabla_r \mathrm{Pen}`. For :math:`\gamma \ne 0` replicas that disagree are
    refuted with the `direction` of the rescaling, along which every subgradient has the same
    `slope` < 0 (LVB-T7 (i)). If they agree, each class is asked by itself: certified if 0 is in
    every :math:`\partial^\circ L^{(r)}` (LVB-T7 (ii)), refuted with a direction of descent that
    moves one replica, else unknown. For :math:`\gamma = 0` replicas need not agree. Exact and
    sound; complete where `certify_subgradient` is. Setting: `PenalisedRisk`. Source: Laurent and
    von Brecht (2018), Theorem 7; the rescaling is this book's.

    >>> from lscore import Network, one_versus_all_hinge, relu
    >>> risk = Risk(Network((1, 1, 2), relu), [-1, 1], [0, 1], one_versus_all_hinge())
    >>> W = exact([[-1, 1], [0, 0], [2, 2], [-1, -1]])           # rows w, b, v, c
    >>> print(certify_penalised_critical(risk, W))
    refuted (exact): the replicas are a critical point of the penalised risk  [LVB-T7]
      fails     the penalty is 0: the replicas agree, penalty 4
      witness   direction: [[1, -1], [0, 0], [2, 2], [0, 0]]
      witness   slope: -8
    >>> certify_penalised_critical(risk, W, gamma=0).verdict.value
    'certified'
    """
    E = PenalisedRisk(risk, gamma)
    W = E.replicas(replicas)
    found, penalty = [], E.penalty(W)
    if E.gamma:
        found.append(Condition(AGREE, penalty == 0, penalty or None, "penalty"))
        if penalty:
            direction = E.rescaling(W) * (1 if E.gamma > 0 else -1)
            slope = E.gamma * E.penalty_gradient(W).dot(direction)
            return _CRITICAL.refuted(found, {"direction": direction, "slope": slope})
    for r, part in enumerate(E.parts):
        answer = certify_subgradient(part, W.column(r), tie_limit=tie_limit, limit=limit)
        holds = _HOLDS[answer.verdict]
        found.append(Condition(f"0 is in Clarke's subdifferential of class {r}", holds))
        if holds is None:
            return _CRITICAL.unknown(f"class {r}: {answer.reason}", found)
        if not holds:
            moved = _only(E, r, answer.witness["direction"])
            return _CRITICAL.refuted(found, {"direction": moved})
    values = {"penalised_risk": E(W)} | ({} if E.gamma else {"penalty": penalty})
    return _CRITICAL.certified(found, values=values)


@_MINIMUM.checker
def certify_penalised_minimum(
    risk: Risk, replicas: object, gamma: Scalar = 1, *, trials: int = 100, seed: int = 0
) -> Certificate:
    r"""Are the replicas (m, R) a local minimum of :math:`E_\gamma`, :math:`\gamma > 0`?

    Certified if they agree and each is a local minimum of the risk of its class
    (`certify_local_minimum`): nearby no term is smaller. Refuted with `lower_replicas`, which exist
    at every distance, by the first of: the rescaling, if they disagree; a direction of one replica
    along which its class falls faster than the penalty rises, :math:`t^2 |u|^2`; a direction of
    descent of the risk, which moves all replicas alike (LVB-L109); `linear_escape`. Else unknown.
    Exact and sound. `trials`, `seed`: of the search. Source: Laurent and von Brecht (2018),
    Lemma 109.

    >>> from lscore import Network, one_versus_all_hinge, relu
    >>> risk = Risk(Network((1, 1, 2), relu), [-1, 1], [0, 1], one_versus_all_hinge())
    >>> E = PenalisedRisk(risk)
    >>> solved = E.replicated(exact([1, 1, -1, 1, 1, -1]))        # x -> relu(x + 1), solves both
    >>> certify_penalised_minimum(risk, solved).verdict.value
    'certified'
    >>> certify_penalised_minimum(risk, solved * 0).witness["decrease"]
    4/81
    """
    E = PenalisedRisk(risk, gamma)
    if E.gamma <= 0:
        return _MINIMUM.unknown(f"got gamma = {E.gamma}, need gamma > 0")
    W = E.replicas(replicas)
    penalty = E.penalty(W)
    conditions = [Condition(AGREE, not penalty, penalty or None, "penalty")]
    if penalty:
        return _MINIMUM.refuted(conditions, _witness(E, W, E.rescaled(W, "1/2")))
    answers = [
        certify_local_minimum(part, W.column(r), trials=trials, seed=seed)
        for r, part in enumerate(E.parts)
    ]
    for r, answer in enumerate(answers):
        text = f"replica {r} is a local minimum of the risk of its class"
        conditions.append(Condition(text, _HOLDS[answer.verdict]))
    if all(answer.certified for answer in answers):
        return _MINIMUM.certified(conditions, values={"penalised_risk": E(W)})
    for lower in _lower_points(E, W, answers, trials, seed):
        return _MINIMUM.refuted(conditions, _witness(E, W, lower))
    return _MINIMUM.unknown("no class certified, and no way down found", conditions)


def _witness(E: PenalisedRisk, W: RationalMatrix, lower: RationalMatrix) -> dict[str, object]:
    return {"lower_replicas": lower, "decrease": E(W) - E(lower)}


def _lower_points(E: PenalisedRisk, W, answers: list, trials: int, seed: int) -> Iterator:
    """Lower replicas, from the ways down that exist at every distance."""
    for r, answer in enumerate(answers):
        u, order = answer.witness.get("direction"), answer.witness.get("order")
        if not answer.refuted or u is None:
            continue
        hidden = u.rows(0, E.shared)
        cost = E.gamma * hidden.dot(hidden)
        gain = -answer.witness["coefficient"]
        if not cost or order == 1 or (order == 2 and gain > cost):
            move = _only(E, r, u)
            while E(W + move) >= E(W):
                move = move / 2
            yield W + move
    w = E.averaged(W)
    alike = certify_local_minimum(E.risk, w, trials=trials, seed=seed)
    if "lower_point" in alike.witness:
        yield E.replicated(alike.witness["lower_point"])
    try:
        yield linear_escape(E.risk, W, E.gamma).lower
    except HypothesisError:
        return


@dataclass(frozen=True, eq=False)
class LinearEscape:
    """Replicas `lower` (m, R) than a critical point, for the class `label`; `moved` says what did
    move: "output", "layer", "layer and output", or "all layers" of every replica."""

    lower: RationalMatrix
    label: int
    moved: str


@checked
def linear_escape(
    risk: Risk, replicas: object, gamma: Scalar = 1, epsilon: Scalar = 1
) -> LinearEscape:
    r"""Away from replicas of a deep linear network at which a class has the product 0 (LVB-C101).

    Let the replicas agree, class r have :math:`\bar v_r = 0`, equal weights on both sides and a
    constant in [-1, 1]. Near them :math:`L^{(r)} = 1 - \langle z_r, \bar v_r \rangle` up to the
    constant, with :math:`z_r = \sum_i \mu_{ir} y_{ir} x_i \ne 0`. With the last
    :math:`p = W_k \cdots W_1 z_r \ne 0` and :math:`S = W_L \cdots W_{k+2}`, small steps
    :math:`\delta` of replica r alone gain more than the penalty costs: :math:`v_r` by
    :math:`\delta p` (k = L); :math:`W_{k+1}` by :math:`\delta (S^\top v_r) p^\top`; or by
    :math:`\delta^2 (S^\top e) p^\top` and :math:`v_r` by :math:`\delta e`. If S = 0, all products
    are 0, and all layers of all replicas move alike, by signs that make the form of order L + 1
    positive. Steps are halved until no entry moves by more than `epsilon` and the exact
    :math:`E_\gamma` is lower. Without biases weights need not be equal; hidden ones beside one at
    the output do no harm. Raises `HypothesisError` (LVB-C101; witness: the reasons by class).

    >>> from lscore import Network, identity, one_versus_all_hinge
    >>> risk = Risk(Network((1, 1, 2), identity), [-1, 1], [0, 1], one_versus_all_hinge())
    >>> found = linear_escape(risk, exact([[0, 0]] * 4))
    >>> found.moved, found.lower
    ('layer and output', [[-1/4, 0], [0, 0], [1/2, 0], [0, 0]])
    """
    E, epsilon = PenalisedRisk(risk, gamma), positive(epsilon, "epsilon")
    W = E.replicas(replicas)
    LINEAR_HINGE.require(risk, "LVB-C101")
    if E.gamma <= 0 or E.penalty(W):
        text = f"gamma is {E.gamma} and the penalty {E.penalty(W)}, need > 0 and 0"
        raise HypothesisError("LVB-C101", "equal replicas", text, W)
    ends = [_End.of(part, W.column(r)) for r, part in enumerate(E.parts)]
    inward = [end.inward * min(epsilon, fmpq(1)) for end in ends]
    start = W + stack([zeros(len(W) - 1, E.classes), exact([inward])])
    reasons = [f"class {r}: {end.reason}" for r, end in enumerate(ends) if end.reason]
    for r, end in enumerate(ends):
        if not end.reason:
            moved, changes = _moves(E, W, r, end.z)
            if moved != _ALL or all(other.flat for other in ends):
                return _search(E, W, start, r, (moved, changes), epsilon)
            reasons.append(f"class {r}: all layers have to move, not all classes are flat")
    raise HypothesisError("LVB-C101", "a class with product 0", "; ".join(reasons), reasons)


@dataclass(frozen=True, eq=False)
class _End:
    """A class at its replica: why it gives no escape (`reason`), whether its risk is 1 minus a
    form near the product 0 (`flat`), its vector z, and the side on which a tied constant moves."""

    z: RationalMatrix
    reason: str
    flat: bool
    inward: fmpq

    @classmethod
    def of(cls, part: Risk, column: RationalMatrix) -> _End:
        mu, d = part.loss.term_weights(len(part.exact_y), 1), part.exact_X.shape[1]
        pull = exact([m * y for m, y in zip(mu.entries(), part.exact_y.entries(), strict=True)])
        shallow, point = collapsed(part, column)
        z, total = part.exact_X.T @ pull, sum(pull.entries(), fmpq(0))
        product_zero = point.rows(0, d).is_zero()
        c = point[d, 0] if shallow.network.bias else fmpq(0)
        level = abs(c) <= 1 and not (shallow.network.bias and total)
        reason = "its product is not 0" if not product_zero else ""
        reason = reason or ("the product 0 is the best" if z.is_zero() else "")
        if not level:
            reason = reason or f"its weights differ by {total}, its constant is {c}"
        flat = product_zero and level
        return cls(z, reason, flat, -c if flat and abs(c) == 1 else fmpq(0))


def _search(E: PenalisedRisk, W, start, r: int, moves: tuple, epsilon: fmpq) -> LinearEscape:
    """Halve the step of the moves until the replicas are lower."""
    moved, changes = moves
    signs = [(1,) * len(changes)] if moved != _ALL else list(product((1, -1), repeat=len(changes)))
    delta, level = epsilon, E(W)
    while True:
        for sign in signs:
            lower = start
            for s, (direction, power) in zip(sign, changes, strict=True):
                lower += direction * (s * delta**power)
            near = max(map(abs, (lower - W).entries())) <= epsilon
            if near and E(lower) < level:
                return LinearEscape(lower, r, moved)
        delta /= 2


def _moves(E: PenalisedRisk, W, r: int, z) -> tuple[str, list[tuple[RationalMatrix, int]]]:
    """What moves, and the directions (m, R) with their powers of the step."""
    layers = E.network.unpack(W.column(r))
    *weights, v = [layer.weight for layer in layers]
    signals, depth = [z], len(weights)
    for weight in weights:
        signals.append(weight @ signals[-1])
    k = max(j for j, p in enumerate(signals) if not p.is_zero())
    p = signals[k]

    def change(place: int, matrix: RationalMatrix, alike: bool = False) -> RationalMatrix:
        parts = []
        for j, layer in enumerate(layers):
            parts.append(matrix if j == place else layer.weight * 0)
            parts += [] if layer.bias is None else [layer.bias * 0]
        return flat(parts) @ ones(E.classes).T if alike else _only(E, r, flat(parts))

    def pulled_down(row: RationalMatrix) -> RationalMatrix:
        for weight in reversed(weights[k + 1 :]):
            row = row @ weight
        return row.T

    if k == depth:
        return "output", [(change(depth, p.T), 1)]
    above = pulled_down(v)
    if not above.is_zero():
        return "layer", [(change(k, above @ p.T), 1)]
    units = [exact([[int(j == i) for j in range(v.shape[1])]]) for i in range(v.shape[1])]
    for unit in units:
        if not (above := pulled_down(unit)).is_zero():
            return "layer and output", [(change(k, above @ p.T), 2), (change(depth, unit), 1)]
    firsts = [z.T, *(exact([[1] + [0] * (len(A) - 1)]) for A in weights[:-1])]
    parts = [padded(row, *A.shape) for row, A in zip(firsts, weights, strict=True)]
    shared = [(change(j, part, alike=True), 1) for j, part in enumerate(parts)]
    return _ALL, [*shared, (change(depth, units[0]), 1)]
