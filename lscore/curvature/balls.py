r"""Curvature of cross-entropy along the gradient, in balls; a recorded run decided point by point.

The risk is that of the image experiments: a ReLU network, softmax cross-entropy (mean), weight
decay on all parameters. Points and data are floats, so rational; the exponentials are not, hence
balls. The formula is the tangent sweep: with deltas d of the backward pass and tangents a' of the
move :math:`w + t g`,

.. math::

    g^\top H g = \frac1n \sum_i \mathrm{Var}_{p_i}(u'_i)
    + 2 \sum_l \langle d_l, G_l z'_{l-1} \rangle + \lambda |g|^2 .
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from flint import arb, arb_mat, ctx
from torch import nn

from lscore.algebra.matrices import Scalar, rational
from lscore.certificates import Certificate, Condition, Question
from lscore.curvature.shares import tenth_percentile
from lscore.errors import DataError, DtypeError, ShapeError, TieError
from lscore.model.modules import ModuleRisk, refuse_autocast
from lscore.model.sequential import plain_layers


@dataclass(frozen=True, eq=False)
class BallCurvature:
    r"""Enclosures of the risk, :math:`|g|^2` and :math:`g^\top H g` at one point."""

    value: arb
    squared_norm: arb
    quadratic: arb

    @property
    def normalised(self) -> arb:
        r""":math:`c = 2 g^\top H g / |g|^2`."""
        return 2 * self.quadratic / self.squared_norm


def _matrix(values: torch.Tensor) -> arb_mat:
    """A float tensor, taken exactly."""
    table = values.detach().double().reshape(len(values), -1)
    return arb_mat([[arb(v) for v in row] for row in table.tolist()])


def _map(f: Callable[..., arb], *matrices: arb_mat) -> arb_mat:
    """f on the entries of matrices of one shape."""
    rows, columns = matrices[0].nrows(), matrices[0].ncols()
    entries = zip(*(m.entries() for m in matrices), strict=True)
    return arb_mat(rows, columns, [f(*values) for values in entries])


def _dot(a: arb_mat, b: arb_mat) -> arb:
    return sum((x * y for x, y in zip(a.entries(), b.entries(), strict=True)), arb(0))


def _with_ones(signal: arb_mat, one: int = 1) -> arb_mat:
    """A column of ones (or zeros) more, so that a bias is one more column of its matrix."""
    return arb_mat([[*row, arb(one)] for row in signal.tolist()])


def _layers(risk: ModuleRisk) -> list[arb_mat]:
    """Matrices with the biases as last columns, (out, in + 1)."""
    parts = plain_layers(risk.module)
    kinds, linear = [type(part) for part in parts], [p for p in parts if type(p) is nn.Linear]
    flat = kinds[:1] == [nn.Flatten] and (parts[0].start_dim, parts[0].end_dim) == (1, -1)
    body = kinds[flat:]
    if body != [nn.Linear, *[nn.ReLU, nn.Linear] * (len(body) // 2)] or any(
        part.bias is None for part in linear
    ):
        names = ", ".join(kind.__name__ for kind in kinds)
        raise DataError(f"module: layers {names}; need Linear (with bias), ReLU, ..., Linear")
    shape, inputs = tuple(risk.X.shape), linear[0].in_features
    if len(shape) < 2 or not (flat or len(shape) == 2) or risk.X[0].numel() != inputs:
        raise ShapeError(f"X: shape {shape}, need (n, {inputs}), or nn.Flatten() first")
    if risk.X.dtype != linear[0].weight.dtype:
        raise DtypeError(f"X: dtype {risk.X.dtype}, need {linear[0].weight.dtype} as the module")
    if not (risk.X.isfinite().all() and all(p.isfinite().all() for p in risk.parameters)):
        raise DataError("X, module: NaN or infinite entries, need finite numbers")
    own = [p for part in linear for p in (part.weight, part.bias)]
    if [*map(id, own)] != [*map(id, risk.parameters)]:
        raise DataError("module: a weight or bias is frozen, or a parameter is in no layer")
    return [_matrix(torch.cat([part.weight, part.bias[:, None]], 1)) for part in linear]


def _compare(risk: ModuleRisk, layers: list[arb_mat], outputs: arb_mat, loss: arb) -> None:
    r"""`DataError` unless module and loss themselves, in float64, find the same up to rounding.

    The error of :math:`W_L |\cdots| W_1 x + b_1|` in any order of summation is at most
    :math:`((1 + u)^N - 1)` times the same with absolute values, N the sum of (inputs + 1) + 1. The
    loss of a sample moves by at most twice as much as its largest output.
    """
    X = risk.X.detach().cpu().double()
    with torch.no_grad():
        found = deepcopy(risk.module).cpu().double()(X.clone())
        size = X.flatten(1).abs()
        for W, b in zip(risk.parameters[::2], risk.parameters[1::2], strict=True):
            size = size @ W.detach().cpu().double().abs().T + b.detach().cpu().double().abs()
    slack = sum(A.ncols() + 1 for A in layers) * 2.0**-51
    flat = zip(outputs.entries(), found.flatten().tolist(), size.flatten().tolist(), strict=True)
    if any(not abs(ball - arb(value)) < bound * slack + 1e-300 for ball, value, bound in flat):
        raise DataError("module: its outputs are not those of its layers, it is another network")
    value, largest = risk.loss(found, risk.y.detach().cpu()).item(), float(found.abs().max())
    rounding = (found.numel() + 9) * 2.0**-49 * (1 + largest)
    if not abs(loss - arb(value)) < 2 * float(size.max()) * slack + rounding:
        raise DataError("risk: its loss is not the mean cross-entropy of the outputs")


def _forward(layers: list[arb_mat], X: torch.Tensor) -> tuple[list[arb_mat], list[arb_mat]]:
    """Inputs of every layer, with ones, then the logits; and the switches, decided."""
    signals, switches = [_with_ones(_matrix(X))], []
    for l, A in enumerate(layers):
        a = signals[-1] * A.transpose()
        if l == len(layers) - 1:
            signals.append(a)
            break
        if any(not (z > 0 or z < 0) for z in a.entries()):
            raise TieError(f"hidden layer {l + 1}: a pre-activation is not apart from 0")
        switches.append(_map(lambda z: arb(1) if z > 0 else arb(0), a))
        signals.append(_with_ones(_map(lambda s, z: s * z, switches[-1], a)))
    return signals, switches


def _without_last(matrix: arb_mat) -> arb_mat:
    return arb_mat([row[:-1] for row in matrix.tolist()])


def ball_curvature(risk: ModuleRisk, precision: int = 128) -> BallCurvature:
    r"""Risk, :math:`|g|^2` and :math:`g^\top H g` in balls, at the module's parameters.

    `risk` has a ``torch.nn.Sequential`` of Linear (with bias) and ReLU layers in turn, after a
    Flatten or not, all trainable, and ``cross_entropy`` (mean) of labels; X and the parameters are
    taken exactly. Sound: a module that is not provably that network is refused, see `plain_layers`,
    and its own outputs and loss are compared with the balls. Raises `DtypeError` for other modules
    and an X of another number type than the parameters', `DataError` for other layers or losses,
    under autocast and for a `precision` below 2 bits, `TieError` where a ball around a
    pre-activation contains 0. Source: Milne (2019), equation (16) (MILNE-E16).

    >>> module = nn.Sequential(nn.Linear(1, 2)).double()
    >>> _ = [nn.init.zeros_(p) for p in module.parameters()]
    >>> X, y = torch.ones(1, 1, dtype=torch.float64), torch.tensor([0])
    >>> found = ball_curvature(ModuleRisk(module, nn.functional.cross_entropy, X, y))
    >>> found.squared_norm.contains(arb(1)), found.normalised.contains(arb(2))
    (True, True)
    """
    if risk.loss is not nn.functional.cross_entropy:
        raise DataError("risk: loss is not torch.nn.functional.cross_entropy")
    if precision < 2:
        raise DataError(f"precision: got {precision} bits, need at least 2")
    refuse_autocast(risk.X.device)
    with risk.named_errors():
        y, layers = risk.y, _layers(risk)
    last = layers[-1].nrows() - 1
    if y.dtype != torch.int64 or y.dim() != 1 or not 0 <= y.min() <= y.max() <= last:
        raise DataError(f"y: need one label from 0 to {last} per sample, in int64")
    old, ctx.prec = ctx.prec, precision
    try:
        with risk.named_errors():
            return _evaluate(risk, layers)
    finally:
        ctx.prec = old


def _evaluate(risk: ModuleRisk, layers: list[arb_mat]) -> BallCurvature:
    signals, switches = _forward(layers, risk.X)
    decay, n = arb(risk.weight_decay), len(risk.X)
    loss, p = arb(0), []
    for row, label in zip(signals[-1].tolist(), risk.y.tolist(), strict=True):
        powers = [u.exp() for u in row]
        total = sum(powers, arb(0))
        loss += total.log() - row[label]
        p.append([e / total for e in powers])
    _compare(risk, layers, signals[-1], loss / n)
    value = loss / n + decay / 2 * sum((_dot(A, A) for A in layers), arb(0))
    delta = arb_mat(
        [
            [(e - (k == label)) / n for k, e in enumerate(row)]
            for row, label in zip(p, risk.y.tolist(), strict=True)
        ]
    )
    deltas = [delta]
    for A, S in zip(layers[:0:-1], switches[::-1], strict=True):
        deltas.insert(0, _map(lambda s, d: s * d, S, _without_last(deltas[0] * A)))
    pairs = zip(deltas, signals, layers, strict=False)
    gradient = [d.transpose() * z + A * decay for d, z, A in pairs]
    squared = sum((_dot(G, G) for G in gradient), arb(0))
    bend, tangent = arb(0), None
    for l, (A, G) in enumerate(zip(layers, gradient, strict=True)):
        moved = signals[l] * G.transpose()
        if tangent is not None:
            mixed = tangent * G.transpose()
            bend += 2 * _dot(deltas[l], mixed)
            moved += tangent * A.transpose()
        if l < len(switches):
            tangent = _with_ones(_map(lambda s, a: s * a, switches[l], moved), 0)
    for weights, row in zip(p, moved.tolist(), strict=True):
        mean = sum((q * u for q, u in zip(weights, row, strict=True)), arb(0))
        bend += sum((q * (u - mean) ** 2 for q, u in zip(weights, row, strict=True)), arb(0)) / n
    return BallCurvature(value, squared, bend + decay * squared)


def ball_record(
    risk: ModuleRisk, points: Sequence[Sequence[torch.Tensor]], precision: int = 128
) -> list[BallCurvature]:
    """`ball_curvature` at recorded parameters, oldest first; the module is left at the last.

    A point has one tensor per parameter, of its shape and number type: `ShapeError`, `DtypeError`.
    """
    found, points = [], [list(point) for point in points]
    for k, point in enumerate(points):
        _check_point(risk, k, point)
    for k, point in enumerate(points):
        with torch.no_grad():
            torch._foreach_copy_(risk.parameters, point)
        try:
            found.append(ball_curvature(risk, precision))
        except TieError as tie:
            raise TieError(f"point {k}: {tie}") from tie
    return found


def _check_point(risk: ModuleRisk, k: int, point: list[torch.Tensor]) -> None:
    shapes = [tuple(p.shape) for p in risk.parameters]
    if not all(isinstance(values, torch.Tensor) for values in point):
        raise DtypeError(f"points: point {k} holds other things than tensors")
    if [tuple(values.shape) for values in point] != shapes:
        given = ", ".join(str(tuple(values.shape)) for values in point)
        raise ShapeError(
            f"points: point {k} has shapes {given}, need {', '.join(map(str, shapes))}"
        )
    kinds, need = {values.dtype for values in point}, risk.parameters[0].dtype
    if kinds != {need}:
        raise DtypeError(f"points: point {k} has dtypes {sorted(map(str, kinds))}, need {need}")


def certify_share(record: Sequence[BallCurvature], at_least: Scalar) -> Certificate:
    r"""Does at least this share of the change of the risk come after :math:`t_0`? (MILNE-F2)

    `record` holds the balls at the recorded points of a run, oldest first, see `ball_record`. From
    them: the sign of :math:`2 g^\top H g` at every point, hence :math:`t_0`, the fraction (20) and
    the 10th percentile of c. Refuted with the fraction, or where the last sign is not positive;
    unknown where a ball of :math:`g^\top H g` or of the change contains 0, or where the fraction's
    contains `at_least` (the fraction is exactly 1 or 0 for :math:`t_0` the first or last point).
    Sound, not complete: more bits make balls smaller, but none decides an equality. It speaks of
    the recorded points only. Source: Milne (2019), equation (20) and Figure 2.

    >>> record = [BallCurvature(arb(v), arb(1), arb(q)) for v, q in ((9, -1), (5, 1), (1, 2))]
    >>> certify_share(record, "1/2").values["index of t0"], certify_share(record, 1).verdict.value
    (1, 'refuted')
    """
    at_least, found = rational(at_least, "at_least"), list(record)
    if len(found) < 2:
        raise DataError(f"record: got {len(found)} points, need at least 2")
    statement = f"at least {at_least} of the change of the risk comes after t0"
    asked = Question("MILNE-F2", statement, "ball")
    doubtful = [k for k, at in enumerate(found) if not (at.quadratic > 0 or at.quadratic < 0)]
    later = "2 g'Hg > 0 at every recorded point from t0 on"
    if doubtful:
        reason = f"point {doubtful[0]}: 2 g'Hg is not apart from 0"
        return asked.unknown(reason, [Condition(later, None)])
    falling = [k for k, at in enumerate(found) if at.quadratic < 0]
    start = falling[-1] + 1 if falling else 0
    positive = Condition(later, start < len(found))
    if start == len(found):
        return asked.refuted([positive], {"2 g'Hg < 0 at point": start - 1})
    change, large = found[0].value - found[-1].value, "the fraction is large enough"
    if not (change > 0 or change < 0):
        reason = "the change of the risk is not apart from 0"
        return asked.unknown(reason, [positive, Condition(large, None)])
    fraction = (found[start].value - found[-1].value) / change
    if start in (0, len(found) - 1):  # it is 1 or 0, however wide the balls are
        fraction = arb(start == 0)
    tenth = tenth_percentile([at.normalised for at in found[start:]])
    values = {
        "index of t0": start,
        "points with 2 g'Hg < 0": f"{len(falling)} of {len(found)}",
        "fraction": _six(fraction),
        "10th percentile of c": _six(tenth),
    }
    if fraction < arb(at_least):
        return asked.refuted([positive, Condition(large, False)], values)
    enough = Condition(large, bool(fraction >= arb(at_least)) or None)
    if enough.holds is None:
        return asked.unknown("the fraction is too close", [positive, enough])
    return asked.certified([positive, enough], values=values)


def _six(ball: arb) -> str:
    """Six digits of the midpoint, if the ball is narrower than that."""
    return ball.str(6, radius=False)
