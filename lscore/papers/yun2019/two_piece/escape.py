r"""Yun, Sra, Jadbabaie (2019), Theorem 1: leaving a bad minimum without ever rising.

The path ends at a strictly lower point; whether one leads on to a global minimum is another
question (YUN-B-T1-6, YUN-B-T1-7).
"""

from __future__ import annotations

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational, stack
from lscore.errors import DataError, ShapeError
from lscore.minima.affine import certify_affine_minimum
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import slopes
from lscore.papers.yun2019.two_piece.lower_points import LowerPoint, one_dead_unit
from lscore.papers.yun2019.two_piece.setting import affine_fit, pack


@checked
def escape_path(risk: Risk, w: Point, unit: int | None = None) -> list[RationalMatrix]:
    r"""Exact waypoints of a path that leaves a least-squares minimum without rising (YUN-B-T1-4).

    For one output and a certified minimum w whose units all sit on the side of the living unit:
    (1) if no output weight is zero, raise the bias of a second living unit (output bias
    compensating) and shrink the output weight of one unit to zero while the other takes over;
    (2) with its output weight at 0 move that unit to (u, -beta) of `one_dead_unit`; (3) switch its
    output weight on, to the exact bottom of the parabola. The risk is constant on (1) and (2) and
    falls by :math:`A^2/(2B)` on (3); `certify_nonincreasing` decides that for any list of points.
    """
    slopes(risk)
    if risk.exact_y.shape[1] != 1:
        raise ShapeError("risk: escape paths are built for one output")
    w = exact(risk.network.point(w), "w")
    fit = affine_fit(risk).sum_of_squares * risk.loss.scale(len(risk.exact_y))
    if not certify_affine_minimum(risk, w).certified or risk(w) != fit:
        raise DataError("w: not a certified minimum with the risk of the affine fit")
    h, network = risk.network.activations[0], risk.network
    (hidden, out), target = network.unpack(w), one_dead_unit(risk)
    rows = [hidden.weight.rows(k, k + 1).entries() for k in range(len(hidden.weight))]
    shifts, gains, offset = hidden.bias.entries(), out.weight.entries(), out.bias[0, 0]
    path = [w]

    def step() -> None:
        path.append(pack(risk, rows, shifts, [gains], [offset]))

    idle = [k for k, gain in enumerate(gains) if gain == 0]
    dead = idle[0] if idle else len(gains) - 1
    if unit is not None:
        if unit not in range(len(gains)):
            raise DataError(f"unit: got {unit}, need one of 0 to {len(gains) - 1}")
        dead = unit
    if gains[dead] != 0:
        heirs = [k for k in range(len(gains)) if k != dead and gains[k] != 0]
        if not heirs:
            raise DataError(f"unit: {dead} is the only one that is not idle, and cannot be freed")
        heir = heirs[0]
        z = hidden(risk.exact_X)
        piece = h.positions(z)[0] // 2
        side, s = (1, h.slopes[1]) if piece[heir] == 1 else (-1, h.slopes[0])
        if piece[dead] != piece[heir]:
            raise DataError("w: the two units sit on different sides of the kink")
        ratio = gains[dead] / gains[heir]
        reach = max(abs(v) for v in (z.column(dead) * ratio).entries())
        shifts[heir] += side * reach
        offset -= s * gains[heir] * side * reach
        step()
        gains[dead] = fmpq(0)
        rows[heir] = [a + ratio * b for a, b in zip(rows[heir], rows[dead], strict=True)]
        shifts[heir] += ratio * shifts[dead]
        step()
    beta, u = target.recipe["beta"], list(target.recipe["u"])
    rows[dead], shifts[dead] = u, -beta
    step()
    gains[dead] = -target.recipe["A"][0] / target.recipe["B"]
    step()
    return path


@checked
def just_outside(risk: Risk, w: Point, factor: Scalar = "65/64") -> LowerPoint:
    r"""A lower point at `factor` > 1 times the certified radius: the radius is sharp.

    Takes an idle unit (output weight 0) and a sample with the smallest
    :math:`z_{ik}^2 / (|x_i|^2 + 1)`, pushes the unit straight over that wall and fits its output
    weight as in `one_dead_unit`. One output. Raises `DataError` if `factor` is not > 1, if the
    point is not certified, if no idle unit limits the radius, or if the step gives no descent.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    >>> just_outside(risk, exact([3, 0, 1, 2, 1, 0, -2])).decrease > 0
    True
    """
    slopes(risk)
    factor = rational(factor, "factor")
    if factor <= 1:
        raise DataError(f"factor: got {factor}, need more than 1")
    if risk.exact_y.shape[1] != 1:
        raise ShapeError("risk: has several outputs, need one")
    w = exact(risk.network.point(w), "w")
    if not certify_affine_minimum(risk, w).certified:
        raise DataError("w: not a certified minimum on one affine cell")
    hidden, out = risk.network.unpack(w)
    X, residuals = risk.exact_augmented, risk.predictions(w) - risk.exact_y
    z, h = hidden(risk.exact_X), risk.network.activations[0]
    reach = {
        (i, k): z[i, k] ** 2 / X.rows(i, i + 1).dot(X.rows(i, i + 1))
        for i in range(len(z))
        for k in range(z.shape[1])
    }
    nearest = [place for place in reach if reach[place] == min(reach.values())]
    idle = [place for place in nearest if out.weight[0, place[1]] == 0]
    if not idle:
        raise DataError(f"w: unit {nearest[0][1]} limits the radius and is not idle")
    for i, k in idle:
        step = X.rows(i, i + 1).T * (-factor * reach[i, k] / z[i, k])
        moved = stack([hidden.weight.rows(k, k + 1).T, hidden.bias.rows(k, k + 1)]) + step
        unit = h(X @ moved)
        A, B = residuals.dot(unit), unit.dot(unit)
        if A != 0:
            break
    else:
        raise DataError("w: the samples behind the nearest walls have residual 0, no descent there")
    entries, d = w.entries(), len(moved) - 1
    width = z.shape[1]
    entries[k * d : (k + 1) * d], entries[width * d + k] = moved.entries()[:d], moved[d, 0]
    entries[width * (d + 1) + k] = -A / B
    point = exact(entries)
    return LowerPoint(point, risk(point), risk(w) - risk(point), {"unit": k, "sample": i})
