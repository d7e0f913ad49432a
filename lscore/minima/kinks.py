r"""Local minima of hinge risks at any point of one hidden layer: kinks decided exactly.

The activation is two-piece, :math:`\sigma(z) = s_\pm z`. With :math:`a_k = |v_k| (w_k, b_k)` the
outputs are :math:`\sum_k \mathrm{sign}(v_k)\, \sigma(\langle a_k, \tilde x\rangle) + c`, so the
risk is a *piecewise linear* function F of (a, c), and every a near the point is reached if
:math:`v_k \ne 0` (Lemma F). A unit with :math:`v_k = 0` may take either sign, and its a moves in a
thin cone around :math:`z_k = (w_k, b_k)`. So the slopes of F decide, one linear program per *case*:
a sign for each unused unit, and a side for each tie at which F is concave.
"""

from __future__ import annotations

import numpy as np
from flint import fmpq

from lscore.algebra.matrices import RationalMatrix, exact, stack
from lscore.cells.pattern import Located, locate
from lscore.certificates import Certificate, Condition, Question
from lscore.minima.descent import STATEMENT, certify_along, declared, not_convex
from lscore.minima.multipliers import Level, Slopes
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting

MAX_CASES = 1024
HINGES = Setting(
    hidden=1,
    outputs=1,
    output_activation=False,
    activations=("every piece through 0",),
    loss="convex piecewise linear loss",
    weight_decay=False,
)
_MINIMUM = Question("LVB-F", STATEMENT, frozen="certified")


@_MINIMUM.checker
def certify_hinge_minimum(
    risk: Risk, w: Point | np.ndarray, *, limit: int = MAX_CASES
) -> Certificate:
    r"""Is w a local minimum of a hinge risk of one hidden layer? Decided at any point.

    Write :math:`\tilde x = (x, 1)` (x without hidden biases), :math:`z_k = (w_k, b_k)`,
    :math:`h_{ik} = \langle z_k, \tilde x_i \rangle`, and let :math:`[l_i, r_i]` be minus the
    subdifferential of the loss at output i; for the binary hinge :math:`y_i \mu_i` if unsolved, 0
    if slack, all between them at a tie. w is a local minimum if and only if, for every sign
    :math:`s_k` of the units with :math:`v_k = 0` (else :math:`s_k = \mathrm{sign}\, v_k`) and all
    sides :math:`\pi_{ik} = \pm 1` of the hidden ties, there are :math:`p_i \in [l_i, r_i]` and
    :math:`q_{ik} \ge 0` with :math:`\sum_i p_i = 0` (with an output bias) and, for every unit,

    .. math:: g_k = s_k \sum_i p_i \lambda_{ik} \tilde x_i + \sum_{\text{ties}} q_{ik} \pi_{ik}
        \tilde x_i = 0, \quad\text{or } v_k = 0 \text{ and } \langle g_k, z_k \rangle < 0,

    :math:`\lambda` the slope on that side. Proof: such p bounds F from below by
    :math:`F(w) - \sum_k \langle g_k, \delta_k \rangle` on its case, and
    :math:`\delta_k = |v_k'| (z_k + \text{small})` where :math:`g_k \ne 0`. Without p, linear
    programming gives directions :math:`\delta^1, \dots, \delta^r`, F flat along all but the last,
    along which it falls; an unused unit that one of them turns on is free in the later ones, and
    :math:`a(t) = a + t \delta^1 + \dots + t^r \delta^r` descends. Ties at which F is convex need no
    side: their :math:`\lambda` is a multiplier too, between the slopes.

    Certified with the p that serve the cases (`multipliers`, a column for each); refuted with a
    `direction` of descent, or with the columns :math:`u_1, u_2, \dots` of a `curve`
    :math:`w + \sum_l t^l u_l`, the first of them that do. The cost is known before: unknown if
    there may be more than `limit` cases, exponential in the units that meet a tied margin and are
    unused or tied themselves; other units are decided one by one. Setting: `HINGES`, the binary
    hinge or another convex loss without curvature; else unknown. Sound and complete within the
    limit. Source: this book, after Laurent and von Brecht (2018), Section 4.

    >>> from lscore import Network, binary_hinge, relu
    >>> X, y, hinge = [[-1, 1], [1, 1], [0, -1]], [1, 1, -1], binary_hinge(["7/20", "7/20", "3/10"])
    >>> risk = Risk(Network((2, 1, 1), relu), X, y, hinge)
    >>> print(certify_hinge_minimum(risk, exact([1, 0, 3, 0, 1])))      # v = 0, c = 1
    certified (exact): the point is a local minimum  [LVB-F]
      holds     multipliers in every case: at most 2
      value     risk = 3/5
      value     multipliers = [[0, 3/10], [3/10, 0], [-3/10, -3/10]]
    """
    w = exact(risk.network.point(w), "w")
    if missing := HINGES.misses(risk):
        return _MINIMUM.unknown(missing)
    at = _slopes_at(locate(risk, w))
    text = f"multipliers in every case: at most {at.cases}"
    if at.cases > limit:
        reason = f"there are up to {at.cases} cases, the limit is {limit}"
        return _MINIMUM.unknown(reason, [Condition(text, None)])
    multipliers: dict[tuple[fmpq, ...], None] = {}
    for number, block in enumerate(at.blocks):
        for faces in at.choices(block):
            found = at.decide(faces, shared=number == 0)
            if isinstance(found[0], Level):
                curve = _curve(risk, at, found)
                tries = (certify_along(risk, w, curve.rows(0, l + 1).T) for l in range(len(curve)))
                fall = next(tried for tried in tries if tried.refuted)
                return _MINIMUM.as_found(fall, conditions=[Condition(text, False)])
            multipliers |= dict.fromkeys(found if number == 0 else ())
    columns = exact([list(row) for row in zip(*multipliers, strict=True)])
    values = {"risk": risk(w), "multipliers": columns}
    conditions = [Condition(text, True), *declared(risk.loss, "convex")]
    return _MINIMUM.certified(conditions, values=values)


def _slopes_at(w: Located) -> Slopes:
    """F around w; all that it takes from the loss is the subdifferential at each output."""
    risk, network, loss, labels = w.risk, w.risk.network, w.risk.loss, w.risk.exact_y
    (hidden, out), places = network.unpack(w), w.pattern.layers[-1]
    left, right = (
        -loss.gradient(w.run.outputs, labels, places // 2 + (places % 2) * up)
        for up in (loss.directions(labels)[:, :, 0] < 0, loss.directions(labels)[:, :, 0] > 0)
    )
    pulls = list(zip(right.entries(), left.entries(), strict=True))
    for i, (low, high) in enumerate(pulls):
        if low > high:
            raise not_convex(loss, i)
    weight = hidden.weight
    if network.biases[0]:
        weight = stack([weight.T, hidden.bias.T]).T
    return Slopes(
        _rows(risk.exact_augmented if network.biases[0] else risk.exact_X),
        _rows(w.run.pre[0].T),
        _rows(weight),
        out.weight.entries(),
        pulls,
        (network.activations[0].slopes[0], network.activations[0].slopes[-1]),
        network.biases[1],
    )


def _rows(A: RationalMatrix) -> list[list[fmpq]]:
    (n, d), entries = A.shape, A.entries()
    return [entries[i * d : (i + 1) * d] for i in range(n)]


def _curve(risk: Risk, at: Slopes, levels: list[Level]) -> RationalMatrix:
    r"""The rows :math:`u_1, u_2, \dots` of the curve :math:`w + \sum_l t^l u_l` of the levels.

    A unit that level m turns on by :math:`\eta` has :math:`v_k(t) = s_k \eta t^m`, so what a later
    level l does to its a, it does to its input weights by :math:`t^{l - m} / \eta`.
    """
    d, width, size = risk.network.widths[0], len(at.v), len(at.data[0])
    columns = [[fmpq(0)] * risk.dimension for _ in levels]
    since = {k: (0, abs(v)) for k, v in enumerate(at.v) if v}
    for l, level in enumerate(levels):
        if at.shifts:
            columns[l][-1] = level.shift
        for k, turn in level.turns.items():
            columns[l][width * size + k] = level.signs[k] * turn
            since |= {k: (l + 1, turn)} if turn else {}
        for k in level.moves.keys() - level.turns.keys():
            start, eta = since[k]
            move = [a / eta for a in level.moves[k]]
            columns[l - start][k * d : (k + 1) * d] = move[:d]
            columns[l - start][width * d + k : width * d + k + size - d] = move[d:]
    return exact(columns)
