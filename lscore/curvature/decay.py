r"""How fast the gradient decays along the flow, and what a wall does to it.

If :math:`c = 2 g^\top H g / |g|^2 \ge C` while the risk along the flow is twice continuously
differentiable, then :math:`|g(t)|^2 \le |g(0)|^2 e^{-Ct}` (Lemma 8 of Milne, MILNE-L8). Ball
arithmetic proves the hypothesis on a whole box, for all time; where the flow crosses a wall,
:math:`|g|^2` jumps by a rational factor (MILNE-B-L8-1).
"""

from __future__ import annotations

import numpy as np
from flint import arb, ctx, fmpq, fmpq_mpoly

from lscore.algebra.intervals import Interval, interval
from lscore.algebra.matrices import RationalMatrix, Scalar, rational
from lscore.algebra.rationals import positive
from lscore.cells.forms import cell_polynomial
from lscore.cells.incident import IncidentCells, incident_cells, tie_gradient
from lscore.cells.pattern import Cell, Located, frozen_pass, locate, switched, switches
from lscore.certificates import Certificate, Condition, Question
from lscore.curvature.exact import exact_second_derivative
from lscore.errors import HypothesisError, TieError
from lscore.model.networks import Point
from lscore.model.risk import Risk

_DECAY = Question("MILNE-L8", "|g(t)|^2 <= |g(0)|^2 exp(-C t) along the flow")
_CROSSING = Question("MILNE-B-L8-1", "|g|^2 does not rise where the flow meets the wall")


@_DECAY.checker
def certify_decay(
    risk: Risk,
    w: Point | np.ndarray,
    rate: Scalar,
    radius: Scalar,
    *,
    time: Scalar | None = None,
    bits: int = 128,
) -> Certificate:
    r"""Does :math:`|g(t)|^2 \le |g(0)|^2 e^{-Ct}` hold along the flow from w? (MILNE-L8)

    For all :math:`t \ge 0`, or up to `time`; C = `rate` may be negative then. Three conditions, in
    balls, prove it on the box of half-width :math:`\rho` = `radius` around w: (i) no unit or
    margin changes its piece, so that the risk is one polynomial and the flow is smooth; (ii) the
    Hessian minus C/2 is positive definite on the box, hence :math:`c \ge C`; (iii) the flow cannot
    leave the box: with :math:`\mu = C/2` its length up to time t is at most
    :math:`|g|(1 - e^{-\mu t})/\mu < \rho`. Refuted if c(w) < C, exactly: then the inequality fails
    for small t. Unknown otherwise, and on a wall. Sound, not complete; piecewise linear networks
    with few parameters; unknown where the gradient is 0.

    >>> from lscore import Network, exact, relu
    >>> network = Network((1, 1), (), bias=False, output_activation=relu)
    >>> risk = Risk(network, [1], [1])                                 # (w - 1)^2 / 2
    >>> certify_decay(risk, exact(["3/2"]), "199/100", "3/4").verdict.value
    'certified'
    >>> certify_decay(risk, exact(["3/2"]), "201/100", "3/4").witness["c_at_the_start"]
    2
    """
    w = locate(risk, w)
    rate, radius = rational(rate, "rate"), positive(radius, "radius")
    horizon = None if time is None else positive(time, "time")
    span = "for all t >= 0" if horizon is None else f"for t <= {horizon}"
    asked = Question(_DECAY.claim, f"|g(t)|^2 <= |g(0)|^2 exp(-{rate} t) along the flow, {span}")
    try:
        cell = w.cell
        squared, bend = exact_second_derivative(risk, w)
    except TieError as tie:
        inside = Condition("the point is inside a cell", False)
        return asked.unknown(f"{tie}; gamma need not be C^2 there", [inside])
    if squared == 0:
        raise HypothesisError(_DECAY.claim, "non-zero gradient", "the flow stands still", w)
    c = bend / squared
    if c < rate:
        return asked.refuted([Condition("c >= C at the start", False)], {"c_at_the_start": c})
    old = ctx.prec
    ctx.prec = bits
    try:
        conditions = _decay_conditions(cell, w, squared, rate / 2, radius, horizon)
    finally:
        ctx.prec = old
    if all(condition.holds for condition in conditions):
        return asked.certified(conditions, values={"c_at_the_start": c}, method="ball")
    failed = next(condition.text for condition in conditions if not condition.holds)
    return asked.unknown(f"not shown: {failed}", conditions, method="ball")


def _decay_conditions(cell, w, squared, mu, radius, horizon) -> list[Condition]:
    box = [interval(value - radius, value + radius) for value in w.entries()]
    p = cell_polynomial(cell)
    norm = arb(squared).sqrt()
    if mu == 0:
        length = None if horizon is None else norm * arb(horizon)
    elif horizon is None:
        length = norm / arb(mu) if mu > 0 else None
    else:
        length = norm * (1 - (-arb(mu) * arb(horizon)).exp()) / arb(mu)
    inside = length is not None and bool(length < arb(radius))
    sides = f"on the box of half-width {radius}"
    margins = cell.risk.loss.knots
    what = "unit or margin changes its piece" if margins else "unit changes its linear piece"
    bound = f"Hessian - {mu} positive definite {sides}"
    return [
        Condition(f"no {what} {sides}", True if _stays(cell, box) else None),
        Condition(bound, True if _positive_definite(_hessian(p, box, mu)) else None),
        Condition(f"the flow is too short to leave the box, path below {radius}", inside or None),
    ]


def _stays(cell: Cell, box: list[Interval]) -> bool:
    """Whether every signal, margins included, stays strictly inside its piece on the box."""
    signals = switched(cell.risk, frozen_pass(cell, box))
    return all(
        (p == 0 or bool(z.low > arb(h.knots[p - 1])))
        and (p == len(h.knots) or bool(z.high < arb(h.knots[p])))
        for h, matrix, pieces in zip(switches(cell.risk), signals, cell.pieces, strict=True)
        for z, p in zip(matrix.flat, pieces.ravel().tolist(), strict=True)
    )


def _hessian(p: fmpq_mpoly, box: list[Interval], mu: fmpq) -> list[list[arb]]:
    """Balls around the entries of the Hessian minus mu on the box."""
    m = len(box)
    matrix = [[arb(0)] * m for _ in range(m)]
    for i in range(m):
        slope = p.derivative(i)
        for j in range(i, m):
            total = interval(-mu if i == j else 0)
            for exponents, c in slope.derivative(j).to_dict().items():
                term = interval(c)
                for variable, e in zip(box, exponents, strict=True):
                    for _ in range(e // 2):
                        term = term * variable.square()
                    term = term * variable if e % 2 else term
                total = total + term
            matrix[i][j] = matrix[j][i] = total.ball()
    return matrix


def _positive_definite(matrix: list[list[arb]]) -> bool:
    """Whether every symmetric matrix in the balls is positive definite: all pivots positive."""
    rows = [list(row) for row in matrix]
    for k in range(len(rows)):
        if not rows[k][k] > 0:
            return False
        for i in range(k + 1, len(rows)):
            factor = rows[i][k] / rows[k][k]
            for j in range(k + 1, len(rows)):
                rows[i][j] = rows[i][j] - factor * rows[k][j]
    return True


@_CROSSING.checker
def certify_crossing(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Does :math:`|g|^2` not rise where the flow meets the wall through w? (MILNE-B-L8-1)

    At w exactly two cells must meet, with gradients :math:`g_\pm` on the two sides of a wall with
    normal n. The flow arrives from one side. It crosses if the other side's velocity leads on, and
    slides if it points back; then the gradient is its tangential part. :math:`|g|^2` is multiplied
    by the exact `factor`. Certified if that is at most 1; refuted with both values; unknown if more
    cells meet, or no flow arrives, or one is tangent. Sound and complete otherwise.

    >>> from lscore import Network, SquaredLoss, exact, relu
    >>> network = Network((1, 1), (), bias=False, output_activation=relu)
    >>> risk = Risk(network, [1, -1], [-1, 5], SquaredLoss("1/2", mean=True), "1/10")
    >>> print(certify_crossing(risk, exact([0])))
    refuted (exact): |g|^2 does not rise where the flow meets the wall  [MILNE-B-L8-1]
      holds     two cells meet at the point, and the flow crosses from one to the other
      fails     |g|^2 after the wall is not larger than before
      witness   before: 1/4
      witness   after: 25/4
    """
    w = locate(risk, w)
    around = incident_cells(risk, w)
    if len(around.cells) != 2 or around.doubtful:
        count = len(around.cells) + len(around.doubtful)
        reason = f"{count} cells meet at the point, need exactly 2"
        return _CROSSING.unknown(reason, [Condition("two cells meet at the point", False)])
    normal = _normal(risk, w, around)
    left, right = sorted(around.cells, key=lambda entry: entry.direction.dot(normal))
    g_left, g_right = left.cell.gradient(w), right.cell.gradient(w)
    from_left, onward = -g_left.dot(normal), -g_right.dot(normal)
    if from_left <= 0 and onward < 0:  # the flow comes from the right: look from there
        normal, g_left, g_right = -normal, g_right, g_left
        from_left, onward = -onward, -from_left
    no_flow = [Condition("a flow arrives at the wall and crosses it or slides", False)]
    if from_left == 0 or onward == 0:
        return _CROSSING.unknown("a velocity is tangent to the wall", no_flow)
    if from_left < 0:
        reason = "both velocities point away from the wall, no flow arrives"
        return _CROSSING.unknown(reason, no_flow)
    before = g_left.dot(g_left)
    slides = onward < 0
    after = g_right.dot(g_right)
    if slides:
        after = before - from_left**2 / normal.dot(normal)
    how = "slides along the wall" if slides else "crosses from one to the other"
    smaller = Condition("|g|^2 after the wall is not larger than before", after <= before)
    conditions = [Condition(f"two cells meet at the point, and the flow {how}", True), smaller]
    if after > before:
        return _CROSSING.refuted(conditions, {"before": before, "after": after})
    values = {"before": before, "after": after, "factor": after / before}
    return _CROSSING.certified(conditions, values=values)


def _normal(risk: Risk, w: Located, around: IncidentCells) -> RationalMatrix:
    """A normal of the one wall through w: the gradient of a tie that moves."""
    pieces = around.cells[0].cell.pieces
    found = (tie_gradient(risk, w, tie, pieces) for tie in around.ties)
    return next(n for n in found if not n.is_zero())
