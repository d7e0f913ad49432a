r"""Is this point a local minimum? The decider that takes anybody's point."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain

import numpy as np
import torch

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.pattern import locate
from lscore.certificates import Certificate, Condition, Question, Verdict
from lscore.errors import DataError, TieError
from lscore.minima.affine import certify_affine_minimum, certify_affine_run
from lscore.minima.balanced import certify_balance, certify_balanced_run
from lscore.minima.ball_descent import certify_in_balls
from lscore.minima.clarke import certify_subgradient
from lscore.minima.descent import (
    MINIMUM_BY_RAYS,
    STATEMENT,
    certify_along,
    declared,
    unused_unit_direction,
)
from lscore.minima.kinks import certify_hinge_minimum
from lscore.minima.near import certify_minimum_near
from lscore.minima.restricted import lifted, steepest, tail
from lscore.minima.smooth import certify_smooth_extremum
from lscore.minima.symmetries import certify_sharp_minimum
from lscore.minima.unit_by_unit import certify_kink_minimum
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk

_EIGENVECTOR = 500  # parameters up to which the float Hessian is decomposed
_MONOMIALS = 10_000  # up to which the polynomial of a cell is written out
_MINIMA = certify_affine_minimum, certify_balance, certify_kink_minimum, certify_hinge_minimum


def propose_directions(risk: Risk, w: RationalMatrix, trials: int, seed: int) -> list:
    """Directions, most promising first: floats propose, nothing is decided here.

    The negative float gradient, unless it is 0, then random integer directions by their descent;
    these unranked where the point or its risk is beyond the floats.
    """
    rng = np.random.default_rng(seed)
    m = risk.dimension
    directions = rng.integers(-2, 3, size=(trials, m)) * (rng.random((trials, m)) < 0.6)
    directions = np.array([risk.freed(u) for u in directions]) if risk.frozen else directions
    directions = directions[np.any(directions != 0, axis=1)].astype(float)
    try:
        base, start = float(risk(w.point())), w.point()
    except DataError:  # a point beyond the floats
        base = np.inf
    if not np.isfinite(base):
        return list(directions)
    drops = [
        min(float(risk(start + t * torch.from_numpy(u))) - base for t in (1e-1, 1e-2, 1e-3))
        for u in directions
    ]
    # rounded, so that rounding noise cannot reorder directions that are equally good
    order = np.argsort(np.round(np.array(drops) / max(abs(base), 1.0), 12), kind="stable")
    steepest = -risk.gradient(start).numpy()
    usable = steepest.any() and np.isfinite(steepest).all()
    return [steepest] * bool(usable) + [directions[i] for i in order]


@MINIMUM_BY_RAYS.checker
def certify_local_minimum(
    risk: Risk,
    w: Point | np.ndarray,
    *,
    trials: int = 400,
    seed: int = 0,
    limit: int = 8,
    along: object = None,
) -> Certificate:
    r"""Is w a local minimum? Certified, refuted with a descent direction, or unknown.

    With a direction or curve `along` only that is asked (`certify_along`). Where parameters are
    frozen: is w a minimum among the points that agree with it in these? The layers behind frozen
    first ones are asked alone; else what minimises over all parameters does, and directions leave
    the frozen ones as they are.

    The questions, in this order; the first that decides gives the answer:

    1. A smooth activation, or a loss without rational values: `certify_in_balls` (never
       certified); the reason says if `certify_minimum_near` finds a local minimum beside the point.
    2. One affine or dead cell of one hidden layer, squared loss: `certify_affine_minimum`.
    3. The risk is 0, decay included: a global minimum, for it is a sum of terms >= 0 (B-ZERO).
    4. The pulls of a convex loss balance along every path: `certify_balance`; affine, dead and flat
       cells at any depth, affine minima of hinge risks, knots at samples that are fitted.
    5. One hidden layer, one output, a convex loss with a derivative at the outputs:
       `certify_kink_minimum`, at any point, kinks and weight decay included.
    6. Not critical in the sense of Clarke: the common descent direction (`certify_subgradient`, up
       to 256 incident cells). Critical without a hidden layer: the risk is convex, a global minimum
       (B-CONVEX).
    7. In an open cell of one hidden layer, a unit without output weights that lowers the risk
       (`unused_unit_direction`).
    8. The negative gradient, then `trials` random integer directions, ranked in floats, the best
       `limit` of them decided by `certify_along`; in an open cell then the eigenvector
       of the lowest eigenvalue of the float Hessian (squared loss, at most 500 parameters) or the
       direction of `certify_smooth_extremum` (hinge loss, `most_monomials` at most 10000).
    9. One hidden layer and a hinge, or another convex loss without curvature:
       `certify_hinge_minimum`, at any point.
    10. The same with several outputs: `certify_sharp_minimum`, sharp up to symmetry.

    Sound. Complete, never unknown, for one hidden layer and one output without output activation,
    at every point, kinks, dead and unused units included: any piecewise linear activation and any
    convex loss that is differentiable and polynomial in pieces (squared, Huber) without weight
    decay, and with one decay for all parameters if every piece of the activation goes through 0;
    hinge and other piecewise linear losses with such activations and no decay, or with any where no
    margin is tied. (Within the limits of 1024 cases of `certify_kink_minimum` and
    `certify_hinge_minimum`.) Complete as well at
    points of risk 0 of any piecewise linear network; inside cells of hinge risks with
    `most_monomials` at most 10000 and no decay; without hidden layer and output activation for
    squared losses. Elsewhere a local minimum may stay unknown: where the pulls do not balance, with
    two hidden layers, on a kink above all, or with several outputs, unless it is sharp up to
    symmetry; for smooth activations and the logistic loss nearly always, as balls cannot show that
    a derivative is 0. `seed` fixes the directions. A refuted point whose decrease is at rounding
    level comes with a reason that says so.

    >>> from lscore import Network, Risk, identity
    >>> risk = Risk(Network((1, 1, 1, 1), identity, bias=False), [1], [1])
    >>> answer = certify_local_minimum(risk, exact([0, 0, 0]))      # (abc - 1)^2 / 2 at 0
    >>> answer.verdict.value, answer.witness["order"]
    ('refuted', 3)
    """
    if along is not None:
        return certify_along(risk, w, along)
    if risk.inexact:
        return _in_balls(risk, w)
    w = locate(risk, w)
    run = w.run
    if risk.loss.quadratic and len(risk.network.widths) == 3 and not risk.frozen:
        answer = certify_affine_run(risk, w, run.pre[:-1], run.outputs)
        if answer.verdict is not Verdict.UNKNOWN:
            return answer
    value = risk.loss(run.outputs, risk.exact_y) + risk.penalty(w)
    least = Condition("the risk is 0, and it is a sum of terms >= 0", value == 0)
    if least.holds and risk.loss.nonnegative:
        conditions = [least, *declared(risk.loss, "nonnegative")]
        return Question("B-ZERO", STATEMENT).certified(conditions, values={"risk": value})
    if risk.frozen:
        return _among_the_free(risk, w, trials, seed, limit)
    balance = certify_balanced_run(risk, run)
    if balance.certified:
        return balance
    return _search(risk, w, run, balance, trials, seed, limit)


def _in_balls(risk: Risk, w: Point | np.ndarray) -> Certificate:
    """Question 1; where the answer has a reason, it says what lies beside the point."""
    answer = certify_in_balls(risk, w)
    kink = certify_kink_minimum(risk, w) if answer.verdict is Verdict.UNKNOWN else answer
    if kink.verdict is not Verdict.UNKNOWN and kink is not answer:
        return kink
    if not (answer.reason and risk.network.is_piecewise_linear):
        return answer
    near = certify_minimum_near(risk, w)
    if not near.certified:
        return answer
    found = f"a local minimum lies within {near.values['radius']} of it (certify_minimum_near)"
    return replace(answer, reason=f"{answer.reason}; {found}")


def _among_the_free(risk, w, trials, seed, limit) -> Certificate:
    """The answer for frozen parameters: minima over all parameters are minima, convex risks are
    decided by the gradient, and directions leave the frozen parameters alone."""
    if found := tail(risk, w):
        answer = certify_local_minimum(*found, trials=trials, seed=seed, limit=limit)
        data = Condition("the first layers are frozen, so that their signals are data", True)
        conditions, witness = (data, *answer.conditions), lifted(answer.witness, w)
        return replace(answer, conditions=conditions, witness=witness)
    for asked in _MINIMA:
        if (answer := asked(risk, w)).certified:
            return answer
    convex = risk.loss.convex and not w.run.positions and w.pattern.in_cell
    if convex and w.cell.gradient(w).is_zero():
        conditions = [
            Condition("without a hidden layer the risk is convex in w", True),
            Condition("the derivatives by the free parameters are 0", True),
            *declared(risk.loss, "convex"),
        ]
        return Question("B-CONVEX", STATEMENT).certified(conditions, values={"risk": risk(w)})
    for u in chain(steepest(risk, w), _directions(risk, w, w.run, trials, seed, limit)):
        tried = certify_along(risk, w, u)
        if tried.refuted:
            return tried
    reason = "the risk has frozen parameters; over all parameters no minimum is shown, and none of "
    reason += f"{limit} promising directions of the free ones descends"
    return MINIMUM_BY_RAYS.unknown(reason)


def _search(risk, w, run, balance, trials, seed, limit) -> Certificate:
    """Questions 5 to 10: units one by one, directions, the surest first, cases of a hinge risk."""
    kink = certify_kink_minimum(risk, w)
    if kink.verdict is not Verdict.UNKNOWN:
        return kink
    critical = certify_subgradient(risk, w, limit=256)
    if critical.refuted:
        return certify_along(risk, w, critical.witness["direction"])
    linear = risk.loss.convex and not run.positions
    convex = Condition("without a hidden layer the risk is convex in w", linear)
    if critical.certified and convex.holds:
        conditions = [convex, *critical.conditions, *declared(risk.loss, "convex")]
        return Question("B-CONVEX", STATEMENT).certified(conditions, values={"risk": risk(w)})
    for u in _directions(risk, w, run, trials, seed, limit):
        tried = certify_along(risk, w, u)
        if tried.refuted:
            return tried
    reason = f"{balance.reason}; and none of {limit} promising directions descends"
    asked = [kink]
    for last in (certify_hinge_minimum, certify_sharp_minimum):
        asked.append(last(risk, w))
        if asked[-1].verdict is not Verdict.UNKNOWN:
            return asked[-1]
    reason += "".join(f"; {found.reason}" for found in asked if found.conditions)
    return MINIMUM_BY_RAYS.unknown(reason, balance.conditions)


def _directions(risk, w, run, trials, seed, limit) -> Iterator:
    """Questions 6 and 7; the float search only when a direction is still wanted."""
    network = risk.network
    inside = not any((part % 2).any() for part in run.positions)
    plain = not (risk.weight_decay or risk.frozen) and network.output_activation is None
    if inside and plain and len(network.widths) == 3:
        with suppress(TieError):  # a margin of a hinge loss is tied
            pull = risk.loss.gradient(run.outputs, risk.exact_y)
            direction = unused_unit_direction(risk, w, pull, run.positions[0] // 2)
            yield from () if direction is None else (direction,)
    yield from propose_directions(risk, w, trials, seed)[:limit]
    if inside:
        yield from _cell_directions(risk, w)


def most_monomials(network: Network) -> int:
    """A bound on the monomials of the outputs in a cell, written out around a point.

    An entry :math:`w_j + u_j` doubles what comes in, and so does a bias: from 1 per input, each
    layer makes 2 (width * count + bias) of it. For one hidden layer about 4 (d + 1) units.

    >>> from lscore import relu
    >>> most_monomials(Network((2, 3, 1), relu)), most_monomials(Network((1, 2, 2, 1), relu, False))
    (38, 32)
    """
    count = 1
    for width, bias in zip(network.widths, network.biases, strict=False):
        count = 2 * (width * count + bias)
    return count * network.widths[-1]


def _cell_directions(risk: Risk, w: RationalMatrix) -> Iterator[RationalMatrix]:
    """Directions that only make sense in an open cell, where the risk is a polynomial."""
    if risk.loss.piecewise_linear:
        if not risk.weight_decay and most_monomials(risk.network) <= _MONOMIALS:
            found = certify_smooth_extremum(risk, w).witness.get("descent")
            yield from () if found is None else (found,)
        return
    if risk.dimension > _EIGENVECTOR:
        return
    with suppress(DataError):
        hessian = risk.hessian(w.point())
        if hessian.isfinite().all():
            values, vectors = torch.linalg.eigh(hessian)
            lowest = risk.freed(vectors[:, 0] / vectors[:, 0].abs().max())
            if values[0] < 0:
                yield from (exact(torch.round(16 * lowest) / 16), exact(lowest))
