r"""Valleys of constructed minima (He, Wang and Tao 2020, Theorem 2): an explicit path, exactly
flat, and how many dimensions a valley has.

The minima of `affine_minimum` for one choice of knots and sides are numbered by the level
:math:`\kappa` and the scales :math:`c_l`. Allowed are :math:`\kappa > -\min \hat y` and :math:`c_l
P(\kappa) < \rho_l`, with :math:`\rho_l` the length of the piece and :math:`P(\kappa) = \max(\kappa,
\max \hat y + \kappa)`. P is convex, so the second condition, :math:`P(\kappa) < \rho_l / c_l`, is
convex in :math:`(\kappa, 1/c_l)`; in :math:`(\kappa, c_l)` it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import rank
from lscore.algebra.matrices import RationalMatrix, Scalar, rational
from lscore.cells.pattern import locate
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError, HypothesisError
from lscore.minima.affine import certify_affine_minimum
from lscore.model.networks import Network, Point
from lscore.model.passes import Frozen
from lscore.model.risk import Risk
from lscore.papers.he2020.affine_minimum import (
    SETTING,
    carried,
    check_widths,
    checked_fit,
    checked_level,
    checked_scales,
)
from lscore.papers.he2020.pieces import Side, chosen_sides

Numbers = tuple[Scalar, Sequence[Scalar]]  # a level and a scale per hidden layer
_VALLEY = Question("HE-T2c", "every point of the path is a local minimum, and the risk is constant")
_DIMENSION = Question("HE-B-T2-1", "the local minima near the point form a manifold")
_TRIES = 16


@checked
def valley_point(
    risk: Risk, t: Scalar, first: Numbers, last: Numbers, *, straight: bool = False
) -> RationalMatrix:
    r"""The point at t in [0, 1] of the path between two constructed minima.

    `first`, `last`: a level and the scales (one per hidden layer). The path is straight in
    :math:`(\kappa, 1/c_1, \dots)`; with `straight` in :math:`(\kappa, c_1, \dots)`, which may leave
    the pieces. Raises `HypothesisError` as `affine_minimum`, `DataError` for numbers that are not
    allowed at an end and for t outside [0, 1].

    >>> from lscore import Network, hard_tanh
    >>> risk = Risk(Network((1, 2, 1), hard_tanh), [0, 1, 2, 3, 4], [0, 1, 0, 2, 1])
    >>> ends = (1, ["4/5"]), (99, ["1/51"])
    >>> risk(valley_point(risk, "1/2", *ends)), risk(valley_point(risk, 0, *ends))
    (19/20, 19/20)
    """
    t = rational(t, "t")
    if not 0 <= t <= 1:
        raise DataError(f"t: got {t}, need a number from 0 to 1")
    return _path(risk, first, last).point(t, straight)


@dataclass(frozen=True, eq=False)
class _Path:
    """The network, the map, the sides, and level and scales of both ends, all allowed."""

    network: Network
    fit: RationalMatrix
    sides: list[Side]
    ends: list[tuple[fmpq, list[fmpq]]]

    def point(self, t: fmpq, straight: bool = False) -> RationalMatrix:
        """The point at t."""
        (low, start), (high, stop) = self.ends
        scales = [
            c + t * (d - c) if straight else 1 / ((1 - t) / c + t / d)
            for c, d in zip(start, stop, strict=True)
        ]
        return carried(self.network, self.sides, self.fit, low + t * (high - low), scales)


def _path(risk: Risk, first: Numbers, last: Numbers) -> _Path:
    SETTING.require(risk, _VALLEY.claim)
    check_widths(risk.network, risk.exact_y.shape[1], spare=0)
    fit, chosen, found = checked_fit(risk, None), chosen_sides(risk.network), []
    outputs = risk.exact_augmented @ fit.T
    for numbers in (first, last):
        level = checked_level(outputs, numbers[0])
        reach = max(max(outputs.entries()) + level, level)
        found.append((level, checked_scales(chosen, reach, numbers[1])))
    return _Path(risk.network, fit, chosen, found)


@_VALLEY.checker
def certify_valley(
    risk: Risk, first: Numbers, last: Numbers, *, straight: bool = False
) -> Certificate:
    r"""Is every point of the path a local minimum, with the risk of its ends? (HE-T2c)

    The path of `valley_point`. Between allowed ends every point of it is allowed, because the
    condition is convex in :math:`(\kappa, 1/c_l)`; so every unit stays on its piece, the outputs
    are those of one affine map, and the point is a local minimum as the ends are
    (`certify_affine_minimum`). With `straight` that holds where no piece has an end; else points of
    it are tried, and refuted with one of another risk. Exact. Sound; complete but for `straight`.
    Source: He, Wang and Tao (2020), Theorem 2, part 3; the path is this book's.

    >>> from lscore import Network, hard_tanh
    >>> risk = Risk(Network((1, 2, 1), hard_tanh), [0, 1, 2, 3, 4], [0, 1, 0, 2, 1])
    >>> certify_valley(risk, (1, ["4/5"]), (99, ["1/51"])).verdict.value
    'certified'
    >>> certify_valley(risk, (1, ["4/5"]), (99, ["1/51"]), straight=True).verdict.value
    'refuted'
    """
    path = _path(risk, first, last)
    points = [path.point(fmpq(t)) for t in (0, 1)]
    found = [certify_affine_minimum(risk, w) for w in points]
    conditions = [Condition("both ends are local minima", all(c.certified for c in found))]
    if not conditions[0].holds:
        failed = next(c for c in found if not c.certified)
        return _VALLEY.unknown(failed.reason or "an end is no local minimum", conditions)
    risks = [risk(w) for w in points]
    conditions.append(Condition("both ends have one risk", risks[0] == risks[1]))
    endless = all(side.length is None for side in path.sides)
    if not straight or endless:
        text = "no piece has an end" if endless else "c P < length at both ends, convex in between"
        conditions.append(Condition(text, True))
        return _VALLEY.certified(conditions, values={"risk": risks[0]})
    for k in range(1, _TRIES):
        t = fmpq(k, _TRIES)
        other = risk(path.point(t, straight=True))
        if other != risks[0]:
            return _VALLEY.refuted(
                conditions, {"t": t, "risk": other, "risk_at_the_ends": risks[0]}
            )
    return _VALLEY.unknown(
        "the pieces have ends, and no point that was tried leaves them", conditions
    )


@_DIMENSION.checker
def certify_flat_dimension(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Do the local minima near w form a manifold, and of which dimension? (HE-B-T2-1)

    Let w be a local minimum that draws an affine map (`certify_affine_minimum`), with a squared
    loss, and let :math:`A = W_L S_{L-1} \cdots W_2 S_1` lead from the first layer's units to the
    outputs, S the slopes. If A has rank k, then near w the network draws :math:`x \mapsto M(w)
    (x, 1)^\top` with a submersion M, for moving the first layer alone moves M by any matrix. The
    minima near w are the points with the same outputs, a manifold of dimension :math:`m - k\,
    \mathrm{rank}\,[X, 1]`, the `dimension`. Exact: ranks in rationals. Unknown where A has a
    smaller rank, at other points and for other risks. Sound. Source: this book.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    >>> from lscore.papers.he2020 import affine_minimum
    >>> certify_flat_dimension(risk, affine_minimum(risk)).values["dimension"]    # 7 - 2
    5
    """
    SETTING.require(risk, _DIMENSION.claim)
    if not risk.loss.quadratic:
        raise HypothesisError("HE-B-T2-1", "squared loss", f"got {risk.loss.kind}", risk.loss)
    w, k = locate(risk, w), risk.network.widths[-1]
    found = certify_affine_minimum(risk, w)
    conditions = [
        Condition("the point is a local minimum that draws an affine map", found.certified)
    ]
    if not found.certified:
        return _DIMENSION.unknown(found.reason or "it is no such minimum", conditions)
    one = [part[:1] // 2 for part in w.pattern.layers]
    frozen, onward = Frozen(risk.network.switches, one), None
    for l, layer in reversed(list(enumerate(w.run.layers))):
        if l:
            row = layer.weight if onward is None else onward @ layer.weight
            slopes = Frozen(frozen.activations, [np.repeat(p, len(row), 0) for p in one])
            onward = slopes.slope(l - 1, row)
    through = rank(onward)
    conditions.append(Condition(f"the first layer reaches {through} of {k} outputs", through == k))
    if through < k:
        return _DIMENSION.unknown(
            "the layers above the first do not reach every output", conditions
        )
    dimension = risk.dimension - k * rank(risk.exact_augmented)
    return _DIMENSION.certified(
        conditions, values={"dimension": dimension, "parameters": risk.dimension}
    )
