r"""Lemmas 104 to 107: three perturbations that lower the loss, and Theorem 5 as an algorithm.

One hidden layer of leaky units, slope :math:`\alpha \in [0, 1]` on the left, with a binary hinge;
:math:`(q, \beta)` separates the data with margin m. A perturbation is a curve
:math:`w + t u_1 + t^2 u_2 + \dots` together with the fall that its lemma promises for small t > 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from flint import fmpq, fmpq_poly

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact
from lscore.algebra.polynomials import positive_point
from lscore.cells.pattern import Cell, Located, locate
from lscore.cells.rays import Expansion, polynomial_text, risk_along
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import HypothesisError
from lscore.model.networks import Point
from lscore.model.passes import layout
from lscore.model.risk import Risk
from lscore.papers.laurent2018.cell_constants import CellConstants, cell_constants
from lscore.papers.laurent2018.separable import (
    Separator,
    check_unit,
    class_weights,
    separator,
    slope_of,
)

_FALL = "the risk falls along the curve by as much as promised"


@dataclass(frozen=True, eq=False)
class Perturbation:
    r"""A curve :math:`w(t) = w + t u_1 + t^2 u_2 + \dots` and the fall promised along it.

    `curve` (m, r) has the columns u; the `promise` :math:`p_1, p_2, \dots` says :math:`R(w) -
    R(w(t)) \ge p_1 t + p_2 t^2 + \dots` for small t > 0, with equality if `is_exact`.
    """

    claim: str
    risk: Risk
    point: RationalMatrix
    curve: RationalMatrix
    promise: tuple[fmpq, ...] = field(default=())
    is_exact: bool = False

    @cached_property
    def expansion(self) -> Expansion:
        """The exact risk along the curve, up to the t0 of Lemma 104, its `stop`."""
        return risk_along(self.risk, self.point, self.curve)

    def at(self, t: object) -> RationalMatrix:
        """The point w(t)."""
        t = exact([t])[0, 0]
        return self.point + self.curve @ exact([t ** (l + 1) for l in range(self.curve.shape[1])])

    @cached_property
    def entered(self) -> CellConstants:
        """The constants of Lemma 102 on the way, with ties that stay ties counted as 0."""
        after = locate(self.risk, self.at(self.expansion.stop / 2))
        return cell_constants(Cell(self.risk, after.pattern.pieces))


@checked
def certify_fall(perturbation: Perturbation) -> Certificate:
    r"""Does the loss fall along the curve by as much as promised, for all t up to t0?

    On :math:`0 < t < t_0` the signs of all pre-activations and margins are constant (LVB-L104):
    they are polynomials in t, and t0 bounds their first roots from below. There the risk is one
    polynomial, which is compared with the promise. Certified, with t0; refuted with a t at which
    the fall is smaller than promised, or another one. Sound and complete. Sources: Laurent and von
    Brecht (2018), LVB-L104 to LVB-L107.

    >>> from lscore import Network, binary_hinge, leaky_relu
    >>> risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [-1, 2], [-1, 1], binary_hinge())
    >>> print(certify_fall(first_perturbation(risk, exact([0, 1, 1, 0]), 0)))
    certified (exact): the risk falls along the curve by as much as promised  [LVB-L105]
      holds     all signs are constant for 0 < t < t0, t0 1/3
      holds     the fall is at least 3/2 t
      value     fall = 3/2 t
    """
    asked = Question(perturbation.claim, _FALL)
    found, promise = perturbation.expansion, fmpq_poly([0, *perturbation.promise])
    start = found.risk(fmpq(0))
    fall = start - found.risk
    exactly = "exactly" if perturbation.is_exact else "at least"
    conditions = [Condition("all signs are constant for 0 < t < t0", True, found.stop, "t0")]
    text = f"the fall is {exactly} {polynomial_text(promise)}"
    missing = promise - fall
    short = positive_point(missing, fmpq(0), found.stop)
    if short is None and perturbation.is_exact:
        short = positive_point(-missing, fmpq(0), found.stop)
    conditions.append(Condition(text, short is None))
    values = {"fall": polynomial_text(fall)}
    if short is None:
        return asked.certified(conditions, values=values)
    witness = {"t": short, "promised": promise(short), "fall_there": fall(short)}
    return asked.refuted(conditions, witness, values=values)


@checked
def first_perturbation(risk: Risk, w: Point | np.ndarray, k: int) -> Perturbation:
    r"""Lemma 105: unit k, :math:`v_k \ne 0`, turns its hyperplane towards the separator.

    :math:`(w_k, b_k)` moves by :math:`t\, \mathrm{sign}(v_k) (q, \beta)`, and the loss falls by at
    least :math:`t |v_k| m \sum_i \mu_i \epsilon_i \lambda_{ik}`. Raises `HypothesisError`
    (LVB-L105): data that are not separable, :math:`v_k = 0`.
    """
    w, found, v = _prepared(risk, w, k, "LVB-L105")
    if not v[k]:
        raise HypothesisError("LVB-L105", "v_k != 0", f"unit {k} has output weight 0", w)
    move = found.written_to(risk, k, 1 if v[k] > 0 else -1)
    start = Perturbation("LVB-L105", risk, w, exact(move.tolist()))
    return _with(start, abs(v[k]) * found.margin * start.entered.strengths[k])


@checked
def second_perturbation(
    risk: Risk, w: Point | np.ndarray, k: int, *, as_printed: bool = False
) -> Perturbation:
    r"""Lemma 106: where v = 0 and :math:`c \ne \pm 1` unit k is switched on, :math:`v_k = t`.

    The loss falls by exactly :math:`t (\langle a_k, w_k \rangle + \alpha_k b_k)`, a number of
    either sign; the paper prints a minus before :math:`\alpha_k b_k` (`as_printed`). Raises
    `HypothesisError` (LVB-L106).

    >>> from lscore import Network, binary_hinge, leaky_relu
    >>> risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [-1, 2], [-1, 1], binary_hinge())
    >>> w = exact([1, -1, 0, 0])
    >>> certify_fall(second_perturbation(risk, w, 0)).values["fall"]
    't'
    """
    w, _, _ = _prepared(risk, w, k, "LVB-L106", idle=True, separable=False)
    hidden, out = risk.network.unpack(w)
    if out.bias is not None and abs(out.bias[0, 0]) == 1:
        raise HypothesisError("LVB-L106", "c != +-1", f"c is {out.bias[0, 0]}", out.bias[0, 0])
    start = Perturbation("LVB-L106", risk, w, exact(_switched(risk, k).tolist()), is_exact=True)
    fall = start.entered.pull(hidden, k)
    if as_printed and hidden.bias is not None:
        fall -= 2 * start.entered.biases[k] * hidden.bias[k, 0]
    return _with(start, fall)


@checked
def third_perturbation(risk: Risk, w: Point | np.ndarray, k: int) -> Perturbation:
    r"""Lemma 107: where v = 0 unit k is switched on and turns at once.

    :math:`v_k = t` and :math:`(w_k, b_k)` moves by :math:`t (q, \beta)`. The fall is at least
    :math:`t (\langle a_k, w_k \rangle + \alpha_k b_k) + t^2 m \sum_i \mu_i \epsilon_i
    \lambda_{ik}`. Raises `HypothesisError` (LVB-L107): data that are not separable, v not 0.
    """
    w, found, _ = _prepared(risk, w, k, "LVB-L107", idle=True)
    move = _switched(risk, k) + found.written_to(risk, k)
    start = Perturbation("LVB-L107", risk, w, exact(move.tolist()))
    first = start.entered.pull(risk.network.unpack(w)[0], k)
    return _with(start, first, found.margin * start.entered.strengths[k])


def _with(start: Perturbation, *promise: fmpq) -> Perturbation:
    """The same curve with its promise."""
    return Perturbation(start.claim, start.risk, start.point, start.curve, promise, start.is_exact)


def _switched(risk: Risk, k: int, size: int = 1) -> np.ndarray:
    move = np.array([fmpq(0)] * risk.dimension, dtype=object)
    layout(risk.network, move)[1].weight[0, k] = fmpq(size)
    return move


def _prepared(
    risk: Risk,
    w: Point | np.ndarray,
    k: int,
    claim: str,
    idle: bool = False,
    separable: bool = True,
) -> tuple[Located, Separator | None, list[fmpq]]:
    """The point, a separator and the output weights, after the checks of a lemma."""
    slope_of(risk, claim)
    w = locate(risk, w)
    v = risk.network.unpack(w)[1].weight.entries()
    check_unit(risk, k)
    if idle and any(v):
        raise HypothesisError(claim, "v = 0", "an output weight is not 0", exact(v))
    return w, separator(risk) if separable else None, v


@checked
def leaky_descent(risk: Risk, w: Point | np.ndarray) -> Perturbation:
    r"""The proof of Theorem 5 as an algorithm: a descent from any point with a positive loss.

    Needs :math:`\alpha > 0` and separable data. If some :math:`v_k \ne 0`: Lemma 105, for the unit
    with the largest promise. If v = 0 and :math:`c \ne \pm 1`: Lemma 106 forwards or backwards, or
    Lemma 107 where that changes nothing. If :math:`c = \pm 1`: with equal class weights the loss
    does not change while c moves to 0 at unit speed, which leaves all samples unsolved; with
    :math:`v_k = \pm t^2` it falls by :math:`t^2 |\langle a_k, w_k \rangle + \alpha_k b_k|` or,
    where this is 0 and the unit turns, by at least :math:`t^3 m \sum_i \mu_i \lambda_{ik}`. Raises
    `HypothesisError` (LVB-T5) where a hypothesis fails, or the loss is 0.

    >>> from lscore import Network, binary_hinge, leaky_relu
    >>> risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [-1, 2], [-1, 1], binary_hinge())
    >>> certify_fall(leaky_descent(risk, exact([0, 1, 0, 1]))).values["fall"]
    '9/2 t^3'
    """
    if not slope_of(risk, "LVB-T5"):
        raise HypothesisError("LVB-T5", "alpha > 0", "the slope alpha is 0", risk.network)
    w, found, v = _prepared(risk, w, 0, "LVB-T5")
    if not risk(w):
        raise HypothesisError("LVB-T5", "loss > 0", "the loss is 0, a global minimum", w)
    if any(v):
        used = [first_perturbation(risk, w, k) for k, weight in enumerate(v) if weight]
        return max(used, key=lambda one: one.promise)
    out = risk.network.unpack(w)[1]
    if out.bias is not None and abs(out.bias[0, 0]) == 1:
        return _from_the_edge(risk, w, found)
    pulls = [second_perturbation(risk, w, k).promise[0] for k in range(len(v))]
    k = max(range(len(v)), key=lambda k: abs(pulls[k]))
    if not pulls[k]:
        return third_perturbation(risk, w, k)
    curve = exact(_switched(risk, k, 1 if pulls[k] > 0 else -1).tolist())
    return Perturbation("LVB-L106", risk, w, curve, (abs(pulls[k]),), True)


def _from_the_edge(risk: Risk, w: Located, found: Separator) -> Perturbation:
    """The descent at v = 0 and c = 1 or -1, with equal class weights."""
    weights = class_weights(risk)
    if weights[0] != weights[1]:
        text = f"the classes weigh {weights[0]} and {weights[1]}"
        raise HypothesisError("LVB-T5", "equal class weights", text, weights)
    hidden, out = risk.network.unpack(w)
    n, width, nothing = len(risk.y), len(hidden.weight), [fmpq(0)] * risk.dimension
    pieces = w.pattern.pieces[0], np.ones((n, 1), dtype=int)
    everywhere = cell_constants(Cell(risk, pieces))
    pulls = [everywhere.pull(hidden, k) for k in range(width)]
    k = max(range(width), key=lambda k: abs(pulls[k]))
    shift = np.array(nothing, dtype=object)
    layout(risk.network, shift)[1].bias[0] = -out.bias[0, 0]
    size = -1 if pulls[k] < 0 else 1
    columns = [shift if pulls[k] else shift + found.written_to(risk, k), _switched(risk, k, size)]
    start = Perturbation("LVB-T5", risk, w, exact([list(column) for column in columns]).T)
    if pulls[k]:
        return _with(start, fmpq(0), abs(pulls[k]))
    return _with(start, fmpq(0), fmpq(0), found.margin * start.entered.strengths[k])
