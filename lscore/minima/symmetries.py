r"""Local minima up to symmetry, for any number of outputs: the risk grows in all other directions.

Near a point the risk of one hidden layer with a convex, piecewise linear loss is a function of few
numbers. With tied margins counted as slack let :math:`\nu` (n, R) be the derivative by the outputs,
and :math:`u_j` (n, R) how the tied margin j changes with them. As long as nothing else changes its
piece, outputs that move by :math:`\Delta` move the loss by :math:`\langle \nu, \Delta \rangle +
\sum_j \mu_j \max(\langle u_j, \Delta \rangle, 0)`. So it *feels* :math:`\langle \nu, \cdot
\rangle` and the :math:`\langle u_j, \cdot \rangle`; samples of which all margins are slack are not
in them. A flow of the parameters that changes none of these numbers, from *every* point near w, is
a symmetry of the risk there; a curve through w along which they stay is not enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import numpy as np
from flint import fmpq

from lscore.algebra.alternatives import solve_nonnegative
from lscore.algebra.arguments import checked
from lscore.algebra.linear import null_space, pivot_columns, rank
from lscore.algebra.matrices import RationalMatrix, exact, ones, stack, zeros
from lscore.cells.incident import MAX_CELLS, incident_cells, relevant_ties, tie_gradient
from lscore.cells.pattern import Cell, Located, Tie, locate
from lscore.certificates import Certificate, Condition, Question
from lscore.minima.balanced import pulls
from lscore.minima.descent import STATEMENT, declared
from lscore.minima.kinks import HINGES
from lscore.model.losses import objects
from lscore.model.networks import Point
from lscore.model.passes import layout
from lscore.model.risk import Risk

SETTING = replace(HINGES, outputs=None)
_MINIMUM = Question("LVB-S", STATEMENT, frozen="certified")


@_MINIMUM.checker
def certify_sharp_minimum(
    risk: Risk, w: Point | np.ndarray, *, limit: int = MAX_CELLS
) -> Certificate:
    r"""Is w a local minimum, and sharp up to the symmetries of the risk? (LVB-S)

    Let g be the gradient at w with tied margins counted as slack, :math:`\nabla m_j` the gradients
    of the tied margins and :math:`\nabla h_t` those of the tied units at samples that are not all
    slack. Conditions, for all sides :math:`\pi_t = \pm 1` that the tied units can take together (g
    and :math:`\nabla m_j` belong to them): some :math:`0 < p_j < \mu_j` and :math:`q_t > 0` have

    .. math:: g + \sum_j p_j \nabla m_j - \sum_t q_t \pi_t \nabla h_t = 0,

    and these :math:`\nabla m_j, \nabla h_t` have rank m - dim T, where m is the number of
    parameters and T the span of `symmetry_directions`. Proof: some complement S of T meets the
    vectors orthogonal to all of them in 0 only. For s in S, on the side :math:`\pi`, the equation
    gives :math:`R(w + s) - R(w) \ge \kappa |s| - O(|s|^2)`, :math:`\kappa > 0`, because
    :math:`\mu_j \max(a, 0) - p_j a` is at least :math:`\min(p_j, \mu_j - p_j) |a|`. The flows of
    the symmetries, one after the other, carry w + S over a neighbourhood of w (inverse function
    theorem) and do not change the risk.

    Any convex, piecewise linear loss: binary, multiclass and one-versus-all hinge. The margin of
    the equation is the distance of the p to their bounds, given where they are unique. Sound. Never
    refuted, and incomplete: unknown at minima where a direction that is no symmetry is flat to
    first order, for example where two units do the work of one; outside `SETTING`; above `limit`
    ways to take sides. Source: this book, after Figure 5 of Laurent and von Brecht (2018).

    >>> from lscore import Network, leaky_relu, one_versus_all_hinge
    >>> network, hinge = Network((1, 1, 2), leaky_relu("1/2")), one_versus_all_hinge([3, 2, 1])
    >>> risk = Risk(network, [1, 2, -1], [0, 1, 1], hinge)      # the unit has its kink at x = 1
    >>> print(certify_sharp_minimum(risk, exact([1, -1, -2, 2, 1, -1])))
    certified (exact): the point is a local minimum  [LVB-S]
      holds     strict multipliers balance 4 tied margins and 1 tied unit, margin 1
      holds     1 directions of symmetry, 5 that are felt
      value     risk = 8
    """
    w = locate(risk, w)
    if missing := SETTING.misses(risk):
        return _MINIMUM.unknown(missing)
    hidden = [tie for tie in relevant_ties(risk, w) if tie[0] == 1]
    slacks, felt = [], risk.dimension
    for found in incident_cells(risk, w, hidden, limit=limit).cells:
        gradients, bounds = _first_order(w, found.cell, hidden)
        p, kinks = _strict_multipliers(gradients, bounds), gradients.shape[1] - 1
        what = f"{len(bounds)} tied margin{'s' * (len(bounds) != 1)}"
        if hidden:
            what += f" and {len(hidden)} tied unit{'s' * (len(hidden) != 1)}"
        text = f"strict multipliers balance {what}" if kinks else "the gradient is 0"
        if p is None:
            reason = f"no {text}" if kinks else "the gradient is not 0"
            return _MINIMUM.unknown(reason, [Condition(text, False)])
        felt = min(felt, rank(gradients.T.rows(1, kinks + 1)) if kinks else 0)
        if bounds and felt == kinks:
            slacks += [min(a, mu - a) for a, mu in zip(p, bounds, strict=True)]
    symmetries = symmetry_directions(risk, w).shape[1]
    flat = risk.dimension - symmetries - felt
    conditions = [
        Condition(text, True, min(slacks, default=None)),
        Condition(f"{symmetries} directions of symmetry, {felt + flat} that are felt", not flat),
    ]
    if flat:
        reason = f"{flat} directions are flat to first order and no symmetry"
        return _MINIMUM.unknown(reason, conditions)
    conditions += declared(risk.loss, "convex")
    return _MINIMUM.certified(conditions, values={"risk": risk(w)})


def _first_order(w: Located, cell: Cell, hidden: list[Tie]) -> tuple[RationalMatrix, list[fmpq]]:
    """g and the gradients of what is tied as columns (m, 1 + J + t), and the bounds of the p."""
    risk, columns, bounds = w.risk, [cell.gradient(w)], []
    for layer, i, j in w.pattern.ties:
        mu = risk.loss.jump(w.run.outputs, risk.exact_y, i, j) if layer == 2 else 0
        if mu:
            columns.append(tie_gradient(risk, w, (layer, i, j), cell.pieces))
            bounds.append(mu)
    for tie in hidden:
        _, i, k = tie
        side = 1 if cell.pieces[0][i, k] > w.pattern.pieces[0][i, k] else -1
        columns.append(tie_gradient(risk, w, tie, cell.pieces) * -side)
    return stack([column.T for column in columns]).T, bounds


def _strict_multipliers(gradients: RationalMatrix, bounds: list[fmpq]) -> list[fmpq] | None:
    r"""The p, 0 < p < bounds, that with q > 0 combine the gradients (g counts once) to 0, or None.

    Stiemke: a homogeneous system A x = 0 has a solution x > 0 if and only if it has one with
    x - 1 >= 0. The unknowns are a scale, the p and q, and what the p lack of their bounds.
    """
    J, width = len(bounds), gradients.shape[1]
    table = gradients.numerator.tolist()
    table = [table[i] + [0] * J for i in pivot_columns(gradients.numerator.transpose())]
    for j, mu in enumerate(bounds, start=1):
        row = [-mu] + [0] * (width - 1 + J)
        row[j] = row[width - 1 + j] = 1
        table.append(row)
    if not table:
        return []
    A = exact([[fmpq(e) for e in row] for row in table])
    x = solve_nonnegative(A, -(A @ ones(width + J))).solution
    return None if x is None else [(e + 1) / (x[0, 0] + 1) for e in x.entries()[1 : J + 1]]


@checked
def symmetry_directions(risk: Risk, w: Point | np.ndarray) -> RationalMatrix:
    r"""Directions at w of flows that leave the risk near w as it is, independent columns (m, t).

    One hidden layer, :math:`\hat y_i = \sum_k V_{:k} \sigma(h_{ik}) + c`, :math:`h_{ik} = \langle
    z_k, \tilde x_i \rangle`. Each number that the loss feels is, without ties of units,
    :math:`\sum_k \langle V_{:k}, A^k z_k \rangle + \langle C, c \rangle` with the forms
    :math:`A^k = \sum_i \phi_i (\lambda_{ik} \tilde x_i)^\top` and :math:`C = \sum_i \phi_i`, where
    :math:`\phi` is :math:`\nu` or :math:`u_j`. The flows, each for all of these numbers:

    - :math:`\dot V_{:k} = u` if :math:`u^\top A^k = 0`; :math:`\dot c = u` if :math:`\langle C, u
      \rangle = 0`: an output that is slack everywhere, all outputs at once for the multiclass
      hinge, the outputs of a dead unit;
    - :math:`\dot z_k = u, \dot c = -a V_{:k}` if :math:`A^k u = a C`: a dead unit, an input that
      no sample has, the bias of a unit that is on at all samples;
    - :math:`\dot z_k = \alpha z_l, \dot V_{:l} = -\beta V_{:k}` if :math:`\alpha A^k = \beta A^l`:
      the scale of a unit (k = l), and units with one pattern.

    Proof: put the flow into the sum and its derivative is 0, at every point. With ties of units at
    samples that are felt, A^k has one value for every side; flows must suit all of them (a flow
    that keeps the risk of every side keeps the risk, which is one of finitely many constants then),
    and the last kind is taken for k = l only. In general not all symmetries. Raises `SettingError`
    outside `SETTING`.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [0, 1], [-1, 1], binary_hinge())
    >>> symmetry_directions(risk, exact([1, 1, 2, 0]))           # scale, and the bias against c
    [[-1, 0, 1], [0, -1, 1], [0, 0, -2], [0, 2, 0]]
    """
    SETTING.require(risk)
    w = locate(risk, w)
    return _Forms(w).directions()


class _Forms:
    """The forms A (F, R, D) of each unit and C (F, R), for the F numbers that the loss feels."""

    def __init__(self, w: Located):
        self.risk, self.w = w.risk, w
        network, positions = w.risk.network, w.run.positions[0]
        pull, ties = pulls(w.risk.loss, w.run.outputs, w.risk.exact_y)
        felt = np.stack([objects(part) for part in (pull, *(unit for _, _, unit in ties))])
        data = objects(w.risk.exact_augmented if network.biases[0] else w.risk.exact_X)
        slopes = np.array(network.activations[0].slopes, dtype=object)
        self.C, self.A, self.bent = felt.sum(1), [], []
        for at in positions.T:
            active = slopes[at // 2][:, None] * data
            self.A.append(np.tensordot(felt, active, axes=(1, 0)))
            tied = [i for i in np.flatnonzero(at % 2) if (felt[:, i] != 0).any()]
            self.bent.append([felt[:, i, :, None] * data[i] for i in tied])

    def directions(self) -> RationalMatrix:
        """See `symmetry_directions`."""
        found = [move for move in self._moves() if any(move)]
        if not found:
            return zeros(self.risk.dimension, 0)
        columns = exact(found).T
        return stack([columns.column(j).T for j in pivot_columns(columns.numerator)]).T

    def _moves(self) -> Iterator[list]:
        """The flows at the point, as lists of m numbers."""
        hidden, out = self.risk.network.unpack(self.w)
        weight = hidden.weight if hidden.bias is None else stack([hidden.weight.T, hidden.bias.T]).T
        z, V = objects(weight), objects(out.weight).T
        K, D, R = *z.shape, V.shape[1]
        C = self.C.reshape(-1, 1)
        for u in _kernel(self.C) if out.bias is not None else []:
            yield self._flow(c=u)
        for k in range(K):
            sides = np.concatenate([self.A[k], *self.bent[k]])
            for u in _kernel(sides.transpose(0, 2, 1).reshape(-1, R)):
                yield self._flow(k, V=u)
            shift = np.concatenate([-C, *([[0]] * R * len(part) for part in self.bent[k])])
            rows = np.concatenate([sides.reshape(-1, D), shift], axis=1)
            for u in _kernel(rows if out.bias is not None else rows[:, :D]):
                yield self._flow(k, u[:D], c=-u[D] * V[k] if len(u) > D else None)
            yield self._flow(k, z[k], k, -V[k])
        for k, l in permutations(range(K), 2):
            if not self.bent[k] and not self.bent[l]:
                pair = np.stack([self.A[k].ravel(), -self.A[l].ravel()], axis=1)
                for alpha, beta in _kernel(pair):
                    yield self._flow(k, alpha * z[l], l, -beta * V[k])

    def _flow(self, k: int = 0, z=None, l: int | None = None, V=None, c=None) -> list:
        """The direction that moves z_k, V_l (l = k by default) and c by these."""
        move = np.zeros(self.risk.dimension, dtype=object)
        first, last = layout(self.risk.network, move)
        if z is not None:
            first.weight[k] = z[: first.weight.shape[1]]
            if first.bias is not None:
                first.bias[k] = z[-1]
        if V is not None:
            last.weight[:, k if l is None else l] = V
        if c is not None:
            last.bias[:] = c
        return move.tolist()


def _kernel(rows: np.ndarray) -> list[np.ndarray]:
    """A basis of the vectors u with rows @ u = 0."""
    return [objects(u)[:, 0] for u in null_space(exact(rows.tolist()))]
