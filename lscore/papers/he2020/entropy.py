r"""Cross-entropy: does the linear model have a minimum? Overlap decided, and the infimum bounded.

With rows :math:`\tilde x_i` = (x_i, 1) the linear model has outputs :math:`z_i = W \tilde x_i`. Its
risk has a minimum if and only if the classes *overlap*: no W has :math:`z_{iy_i} \ge z_{ik}` for
all samples i and classes k, with > for one. By Stiemke that is so if and only if there are numbers
:math:`q_{ik} > 0` with :math:`\sum_k q_{ik} = 1` and
:math:`\sum_i (q_i - e_{y_i}) \tilde x_i^\top = 0`. Any such q bounds the risk from below, for
:math:`\log \sum_k e^{z_k} \ge H(q) + \langle q, z \rangle` with the entropy H.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from flint import arb, fmpq

from lscore.algebra.alternatives import solve_nonnegative
from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, ones, stack, zeros
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import LscoreError
from lscore.model.entropy import LogisticLoss
from lscore.model.losses import objects
from lscore.model.risk import Risk
from lscore.model.settings import Setting

CLAIM = "HE-CE"
SETTING = Setting(loss="cross-entropy", output_activation=False, weight_decay=False)
_OVERLAP = Question(CLAIM, "the risk of the linear model has a minimum")
_NONE = Question(CLAIM, "the risk of the network has no local minimum at all")
_ALIVE = Question("HE-L2", "the loss has a slope whatever the outputs are")
_MONOTONE = Setting(hidden=1, activations=("piecewise linear",))


def design(risk: Risk) -> RationalMatrix:
    """The rows (x, 1), or x for a network without biases: (n, p), exact."""
    return risk.exact_augmented if any(risk.network.biases) else risk.exact_X


def class_rows(risk: Risk) -> RationalMatrix:
    """The labels as rows of probabilities (n, K); +1 and -1 are the classes 0 and 1."""
    y = risk.exact_y
    if not isinstance(risk.loss, LogisticLoss):
        return y
    positive = (y + ones(len(y))) / 2
    return stack([positive.T, (ones(len(y)) - positive).T]).T


@checked
def margin_columns(risk: Risk) -> tuple[RationalMatrix, RationalMatrix]:
    r"""The vectors :math:`(e_k - e_{y_i}) \otimes \tilde x_i`, without the last class, as columns.

    Shapes: (m, J) for the classes k with probability 0 and (m, J') for further ones with a positive
    probability, which only soft labels have; m = (K - 1) p. The margins of W, written row by row
    without its last row, are minus the products.
    """
    rows, labels = objects(design(risk)), objects(class_rows(risk))
    k, p = labels.shape[1], rows.shape[1]
    wrong, shared = [], []
    for x, y in zip(rows, labels, strict=True):
        own = int(np.flatnonzero(y > 0)[0])
        for other in range(k):
            if other != own:
                column = np.array([[fmpq(0)] * p] * k, dtype=object)
                column[other], column[own] = x, -x
                (shared if y[other] > 0 else wrong).append(column[:-1].ravel().tolist())
    m = (k - 1) * p
    return tuple(exact(found).T if found else zeros(m, 0) for found in (wrong, shared))


@_OVERLAP.checker
def certify_overlap(risk: Risk) -> Certificate:
    r"""Does the risk of the linear model on these data have a minimum? (HE-CE)

    The linear model has the affine functions of x, or the linear ones for a network without biases;
    nothing else of the network counts. Logistic loss or cross-entropy, also with soft labels; no
    weight decay (that of every parameter always makes a minimum). One exact non-negative least
    squares problem. Certified with positive weights that balance, the `smallest_weight` among
    `values`; refuted with a `direction` W (K, p) along which no margin shrinks and some grow, so
    that the risk falls for ever: *separable* data if all margins grow, else *quasi-separable*.
    Sound and complete. Source: this book; Stiemke's alternative.

    >>> from lscore import Network
    >>> from lscore.model.entropy import CrossEntropyLoss
    >>> linear = Network((1, 2), ())
    >>> print(certify_overlap(Risk(linear, [-3, -1, 1, 3], [0, 1, 0, 1], CrossEntropyLoss())))
    certified (exact): the risk of the linear model has a minimum  [HE-CE]
      holds     positive weights balance: the classes overlap
      value     smallest weight = 1/6
    >>> answer = certify_overlap(Risk(linear, [0, 1, 2, 2], [0, 0, 0, 1], CrossEntropyLoss()))
    >>> answer.verdict.value, answer.reason
    ('refuted', 'quasi-separable: 2 of 4 margins grow along the direction, none shrinks')
    """
    SETTING.require(risk, CLAIM)
    weights, direction = overlap(risk)
    overlaps = Condition("positive weights balance: the classes overlap", direction is None)
    if direction is None:
        return _OVERLAP.certified([overlaps], values={"smallest_weight": weights.smallest()})
    grows = [margin > 0 for margin in margins(risk, direction)]
    kind = "separable" if all(grows) else "quasi-separable"
    reason = f"{kind}: {sum(grows)} of {len(grows)} margins grow along the direction, none shrinks"
    return _OVERLAP.refuted([overlaps], {"direction": direction}, reason=reason)


def overlap(risk: Risk) -> tuple[RationalMatrix | None, RationalMatrix | None]:
    """Either weights q (n, K) or a direction W (K, p), see `certify_overlap`; the other is None."""
    wrong, shared = margin_columns(risk)
    labels, p = class_rows(risk), design(risk).shape[1]
    n, k = labels.shape
    columns = stack([wrong.T, shared.T, -shared.T]).T
    found = solve_nonnegative(columns, -(wrong @ ones(wrong.shape[1])))
    if not found.solvable:
        grows = [v < 0 for v in (wrong.T @ found.obstruction).entries()]
        d = _growing(columns, [True] * len(grows)) or _growing(columns, grows)
        return None, stack([d.flat(0, k - 1, p), zeros(1, p)])
    x, J, extra = found.solution.entries(), wrong.shape[1], shared.shape[1]
    shares = iter([v + 1 for v in x[:J]])
    moves = iter([a - b for a, b in zip(x[J : J + extra], x[J + extra :], strict=True)])
    change = np.array([[fmpq(0)] * k] * n, dtype=object)
    rows = objects(labels)
    for i, y in enumerate(rows):
        own = int(np.flatnonzero(y > 0)[0])
        for other in range(k):
            if other != own:
                change[i, other] = next(moves if y[other] > 0 else shares)
        change[i, own] = -change[i].sum()
    pairs = zip(rows.flat, change.flat, strict=True)
    step = min([-y / (2 * c) for y, c in pairs if c < 0], default=fmpq(1))
    return checked_dual(risk, exact((rows + change * min(step, fmpq(1))).tolist())), None


def _growing(columns: RationalMatrix, grows: list[bool]) -> RationalMatrix | None:
    """A direction along which these margins grow and no other shrinks, if there is one; from least
    squares, so that all grow well."""
    size = max(map(abs, columns.entries()))
    row = [size * g for g in grows] + [0] * (columns.shape[1] - len(grows))
    right = stack([zeros(len(columns)), exact([size])])
    found = solve_nonnegative(stack([columns, exact([row])]), right)
    return None if found.solvable else _short(found.obstruction.rows(0, len(columns)), columns)


def _short(d: RationalMatrix, columns: RationalMatrix) -> RationalMatrix:
    """d in as few bits as keep all margins that grow, half as fast at least, and the others."""
    slopes, top = (columns.T @ d).entries(), max(map(abs, d.entries()))
    for bits in (2, 4, 8, 16, 32):
        unit = top / 2**bits
        whole = [int((v / unit + fmpq(1, 2)).floor()) for v in d.entries()]
        moved = (columns.T @ (exact(whole) * unit)).entries()
        if all(new <= old / 2 for new, old in zip(moved, slopes, strict=True)):
            common = gcd(*whole)
            return exact([v // common for v in whole])
    return d


def margins(risk: Risk, W: RationalMatrix) -> list[fmpq]:
    """How far the output of its class is above the others, for each sample: W (K, p), exact."""
    flat = W.flat(0, (len(W) - 1) * W.shape[1], 1) - _tiled(W)
    return (-(margin_columns(risk)[0].T @ flat)).entries()


def _tiled(W: RationalMatrix) -> RationalMatrix:
    last = W.rows(len(W) - 1, len(W)).T
    return stack([last] * (len(W) - 1))


def checked_dual(risk: Risk, q: RationalMatrix) -> RationalMatrix:
    """q, if it is positive, with rows of sum 1, and balances: `LscoreError` otherwise."""
    balance = (q - class_rows(risk)).T @ design(risk)
    if not (q.smallest() > 0 and q @ ones(q.shape[1]) == ones(len(q)) and balance.is_zero()):
        raise LscoreError("dual weights: an answer failed its check by substitution")
    return q


@_NONE.checker
def certify_no_minimum(risk: Risk) -> Certificate:
    r"""Has the risk of this network no local minimum at all? (HE-CE)

    Conditions: one hidden layer, whose activation is strictly monotone (all slopes have one sign);
    two classes, by logistic loss or two outputs; the classes do not overlap, so that some (u, c)
    has :math:`s_i (u \cdot x_i + c) \ge 0` for the signs :math:`s_i` of all samples, with > for
    one. Proof for increasing h: with v the output weights (their difference for two outputs) let
    some :math:`v_j \ne 0`. Moving :math:`(w_j, b_j)` along :math:`\mathrm{sgn}(v_j) (u, c)` lowers
    the loss of one sample strictly and raises that of none. If v = 0, then :math:`(w_j, b_j)`
    moves freely; at a local minimum the derivative by :math:`v_j`, a sum of :math:`h(z_{ij})` with
    weights of sign :math:`-s_i`, would be 0 for all small moves along (u, c), but it is strictly
    monotone along them.

    `direction`, (u, c) as W (2, p), is among `values`. Unknown otherwise; where the classes overlap
    `certify_minimum_near` may prove that there is one. Sound. Source: this book.

    >>> from lscore import Network, leaky_relu
    >>> from lscore.model.entropy import LogisticLoss
    >>> network = Network((1, 3, 1), leaky_relu("1/10"))
    >>> certify_no_minimum(Risk(network, [0, 1, 1, 2], [-1, -1, 1, 1], LogisticLoss())).certified
    True
    """
    SETTING.require(risk, CLAIM)
    _MONOTONE.require(risk, CLAIM)
    (h,) = risk.network.activations
    two = class_rows(risk).shape[1] == 2
    lines = [("two classes", two or None, "the proof is for two classes")]
    hidden = risk.network.biases[0] or not any(risk.network.biases)
    reason = "the direction may need biases of the hidden units, which have none"
    lines.append(("the hidden layer has what the linear model has", hidden or None, reason))
    one_sign = all(s > 0 for s in h.slopes) or all(s < 0 for s in h.slopes)
    reason = f"the slopes of {h.name} do not have one sign: dead units may be local minima"
    lines.append(("the activation is strictly monotone", one_sign or None, reason))
    direction = overlap(risk)[1]
    reason = "the classes overlap: the linear model has a minimum"
    lines.append(("the classes do not overlap", direction is not None or None, reason))
    return _NONE.line_by_line(lines, values={"direction": direction})


@_ALIVE.checker
def certify_never_flat(risk: Risk) -> Certificate:
    r"""Is the derivative of cross-entropy by the outputs never 0, for these labels? (HE-L2)

    It is p - y, up to scale, and softmax has p > 0. Certified if some label is a 0, as those of
    classes are; else refuted with the `outputs` log y, in floats, at which it is 0: soft labels
    only. Sound and complete. Source: He, Wang and Tao (2020), Lemma 2.

    >>> from lscore import Network
    >>> from lscore.model.entropy import CrossEntropyLoss
    >>> linear, loss = Network((1, 2), ()), CrossEntropyLoss()
    >>> certify_never_flat(Risk(linear, [0, 1], [0, 1], loss)).verdict.value
    'certified'
    >>> certify_never_flat(Risk(linear, [0], [["1/2", "1/2"]], loss)).verdict.value
    'refuted'
    """
    SETTING.require(risk, CLAIM)
    rows = class_rows(risk)
    some = Condition("some class has probability 0 for some sample", rows.smallest() == 0)
    if some.holds:
        return _ALIVE.certified([some])
    logarithms = [[arb(y).log().mid().fmpq() for y in row] for row in objects(rows)]
    return _ALIVE.refuted([some], {"outputs": exact(logarithms)})
