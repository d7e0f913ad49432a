r"""Laurent and von Brecht (2018), Section 4: one network per class, held together by a penalty.

A one-versus-all risk is a sum of R two-class risks :math:`L^{(r)}(\breve\omega, v_r, c_r)` with
shared hidden layers :math:`\breve\omega = (W_1, b_1, \dots, W_L, b_L)`. Give each class a copy of
them, its *replica*, and let (equation 13)

.. math:: E_\gamma = \sum_r L^{(r)}(\breve\omega^{(r)}, v_r, c_r) + \gamma\, \mathrm{Pen}, \quad
   \mathrm{Pen} = \frac{R}{R-1} \sum_r |\breve\omega^{(r)} - \bar\omega|^2
   = \frac{1}{R-1} \sum_{r<s} |\breve\omega^{(r)} - \breve\omega^{(s)}|^2

with the mean :math:`\bar\omega`. Replicas are the columns of a matrix (m, R): column r is a point
of the network of one class.

*Rescaling.* With activations through 0, :math:`W_l \to s W_l`, :math:`b_l \to s^l b_l` and
:math:`v_r \to s^{-L} v_r` change no output, for any s > 0, and shrink every difference of replicas
if s < 1. So no point with Pen > 0 is critical (LVB-T7): one line, any depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, ones, rational, stack, zeros
from lscore.algebra.rationals import positive
from lscore.errors import HypothesisError, ShapeError
from lscore.model.hinges import binary_hinge
from lscore.model.networks import Network, Point
from lscore.model.passes import layout
from lscore.model.risk import Risk
from lscore.model.settings import Setting

CLAIM = "LVB-T7"
_SETTING = Setting(
    output_activation=False,
    activations=("every piece through 0",),
    loss="one versus all hinge loss",
    weight_decay=False,
)


@checked
@dataclass(frozen=True, eq=False)
class PenalisedRisk:
    r""":math:`E_\gamma` of a one-versus-all risk, callable at exact replicas (m, R).

    `gamma` is any rational; the theorems need it positive. Raises `HypothesisError` (LVB-T7) for
    another loss, an activation with a piece that misses 0, an output activation, weight decay, and
    a network without hidden layer.

    >>> from lscore import Network, one_versus_all_hinge, relu
    >>> risk = Risk(Network((1, 1, 2), relu), [-1, 1], [0, 1], one_versus_all_hinge())
    >>> E = PenalisedRisk(risk, gamma=3)
    >>> W = exact([[-1, 1], [0, 0], [2, 2], [-1, -1]])           # rows w, b, v, c
    >>> E.penalty(W), E(W), E(E.rescaled(W, "1/2"))
    (4, 12, 3)
    """

    risk: Risk
    gamma: Scalar = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "gamma", rational(self.gamma, "gamma"))
        _SETTING.require(self.risk, CLAIM)
        widths = self.risk.network.widths
        if len(widths) < 3:
            raise HypothesisError(CLAIM, "hidden layer", "there is nothing to share", widths)

    @cached_property
    def network(self) -> Network:
        """The network of one class, with the same hidden layers and one output."""
        given = self.risk.network
        return Network((*given.widths[:-1], 1), given.activation, given.bias)

    @property
    def classes(self) -> int:
        """The number R of classes."""
        return self.risk.network.widths[-1]

    @cached_property
    def parts(self) -> tuple[Risk, ...]:
        """The two-class risks of which the risk is the sum."""
        X, y, R = self.risk.exact_X, self.risk.exact_y, self.classes
        mu = self.risk.loss.term_weights(len(y), R)
        return tuple(
            Risk(self.network, X, y.column(r), binary_hinge(mu.column(r))) for r in range(R)
        )

    @cached_property
    def powers(self) -> tuple[int, ...]:
        """Per parameter of a replica the power of s by which the rescaling multiplies it."""
        depth, found = len(self.network.widths) - 2, []
        layers = layout(self.network, zeros(self.network.dimension))
        for l, layer in enumerate(layers, start=1):
            found += [1 if l <= depth else -depth] * len(layer.weight.entries())
            found += [l if l <= depth else 0] * (0 if layer.bias is None else len(layer.bias))
        return tuple(found)

    @cached_property
    def shared(self) -> int:
        """The number of parameters of the hidden layers, which come first in a replica."""
        return sum(power > 0 for power in self.powers)

    def replicas(self, W: object) -> RationalMatrix:
        """The replicas as an exact matrix; `ShapeError` unless it is (m, R)."""
        W, needed = exact(W, "replicas"), (self.network.dimension, self.classes)
        if W.shape != needed:
            raise ShapeError(f"replicas: shape {W.shape}, need {needed}, one column per class")
        return W

    def replicated(self, w: Point) -> RationalMatrix:
        """The replicas (m, R) that agree with a point of the risk."""
        w, R, m = exact(self.risk.network.point(w), "w"), self.classes, self.network.dimension
        top = self.shared + R * self.network.widths[-2]
        out = w.flat(self.shared, R, self.network.widths[-2]).T
        return stack([
            w.rows(0, self.shared) @ ones(R).T, out, w.flat(top, m - self.shared - len(out), R)
        ])  # fmt: skip

    def averaged(self, W: object) -> RationalMatrix:
        """The point of the risk with the mean hidden layers of the replicas (LVB-L109)."""
        W, R, width = self.replicas(W), self.classes, self.network.widths[-2]
        out = W.rows(self.shared, self.shared + width).T
        last = W.rows(self.shared + width, len(W))
        hidden = W.rows(0, self.shared) @ ones(R) / R
        return stack([part.flat(0, _size(part), 1) for part in (hidden, out, last)])

    def _spread(self, W: RationalMatrix) -> RationalMatrix:
        """The hidden layers minus their mean, (shared, R)."""
        hidden, one = W.rows(0, self.shared), ones(self.classes)
        return hidden - hidden @ one @ one.T / self.classes

    def penalty(self, W: object) -> fmpq:
        """Pen, without gamma."""
        spread = self._spread(self.replicas(W))
        return spread.dot(spread) * self.classes / (self.classes - 1)

    def penalty_gradient(self, W: object) -> RationalMatrix:
        r"""The gradient (m, R) of Pen: :math:`2 (\breve\omega^{(r)} - \tilde\omega^{(r)})`, with
        the mean :math:`\tilde\omega^{(r)}` of the other replicas; the paper prints it without 2."""
        spread = self._spread(self.replicas(W)) * fmpq(2 * self.classes, self.classes - 1)
        return stack([spread, zeros(self.network.dimension - self.shared, self.classes)])

    def losses(self, W: object) -> list[fmpq]:
        """The two-class risks of the replicas."""
        W = self.replicas(W)
        return [part(W.column(r)) for r, part in enumerate(self.parts)]

    def __call__(self, W: object) -> fmpq:
        """The penalised risk."""
        return sum(self.losses(W), fmpq(0)) + self.gamma * self.penalty(W)

    def gradient(self, W: object) -> RationalMatrix:
        """The gradient (m, R); `TieError` on a kink of a part."""
        W = self.replicas(W)
        columns = [part.gradient(W.column(r)).T for r, part in enumerate(self.parts)]
        return stack(columns).T + self.penalty_gradient(W) * self.gamma

    def rescaled(self, W: object, s: Scalar) -> RationalMatrix:
        """The replicas rescaled by s > 0: no output changes. `DataError` unless s is positive."""
        s = positive(s, "s")
        return _rows_times(self.replicas(W), [s**power for power in self.powers])

    def rescaling(self, W: object) -> RationalMatrix:
        r"""The direction (m, R) of the rescaling for falling s.

        :math:`\langle g, \cdot \rangle` is :math:`-2 \gamma \sum_j p_j \mathrm{Pen}_j` for *every*
        subgradient g, with the `powers` p_j and the share Pen_j of each hidden parameter; with one
        hidden layer that is :math:`-2 \gamma\,\mathrm{Pen}`.
        """
        return _rows_times(self.replicas(W), [-power for power in self.powers])


def _size(A: RationalMatrix) -> int:
    return A.shape[0] * A.shape[1]


def _rows_times(A: RationalMatrix, factors: list) -> RationalMatrix:
    return stack([A.rows(i, i + 1) * factor for i, factor in enumerate(factors)])
