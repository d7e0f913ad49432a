r"""Curvature of cross-entropy along the gradient, in balls; a recorded run decided point by point.

The risk is that of the image experiments: a ReLU network, softmax cross-entropy (mean), weight
decay on all parameters. Points and data are floats, so rational; the exponentials are not, hence
balls. With the outputs :math:`u + t u' + t^2 u'' + \dots` along the move :math:`w + t g`, the
switches kept, and the derivative d of the loss by the outputs,

.. math::

    g^\top H g = \frac1n \sum_i \mathrm{Var}_{p_i}(u'_i)
    + 2 \langle d, u'' \rangle + \lambda |g|^2 .
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from flint import arb, ctx
from torch import nn

from lscore.algebra.arguments import checked
from lscore.algebra.balls import Balls, balls, each
from lscore.algebra.matrices import Scalar, rational
from lscore.certificates import Certificate, Condition, Question
from lscore.curvature.shares import tenth_percentile
from lscore.errors import DataError, DtypeError, ShapeError, TieError
from lscore.model.activations import relu
from lscore.model.modules import ModuleRisk, refuse_autocast
from lscore.model.networks import Network
from lscore.model.passes import backward, forward, layout
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


def _read(risk: ModuleRisk) -> tuple[Network, Balls]:
    """The network that the module is, and its point (m,) in balls."""
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
    widths = (inputs, *(part.out_features for part in linear))
    return Network(widths, relu), balls(torch.cat([p.detach().flatten() for p in own]))


def _compare(risk: ModuleRisk, network: Network, outputs: Balls, loss: arb) -> None:
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
    slack = sum(inner + 2 for inner in network.widths[:-1]) * 2.0**-51
    flat = zip(outputs.flat, found.flatten().tolist(), size.flatten().tolist(), strict=True)
    if any(not abs(ball - arb(value)) < bound * slack + 1e-300 for ball, value, bound in flat):
        raise DataError("module: its outputs are not those of its layers, it is another network")
    value, largest = risk.loss(found, risk.y.detach().cpu()).item(), float(found.abs().max())
    rounding = (found.numel() + 9) * 2.0**-49 * (1 + largest)
    if not abs(loss - arb(value)) < 2 * float(size.max()) * slack + rounding:
        raise DataError("risk: its loss is not the mean cross-entropy of the outputs")


@checked
def ball_curvature(risk: ModuleRisk, *, bits: int = 128) -> BallCurvature:
    r"""Risk, :math:`|g|^2` and :math:`g^\top H g` in balls, at the module's parameters.

    `risk` has a ``torch.nn.Sequential`` of Linear (with bias) and ReLU layers in turn, after a
    Flatten or not, all trainable, and ``cross_entropy`` (mean) of labels; X and the parameters are
    taken exactly. Sound: a module that is not provably that network is refused, see `plain_layers`,
    and its own outputs and loss are compared with the balls. Raises `DtypeError` for other modules
    and an X of another number type than the parameters', `DataError` for other layers or losses,
    under autocast and for less than 2 `bits`, `TieError` where a ball around a
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
    refuse_autocast(risk.X.device)
    with risk.named_errors():
        y, (network, w) = risk.y, _read(risk)
    last = network.widths[-1] - 1
    if y.dtype != torch.int64 or y.dim() != 1 or not 0 <= y.min() <= y.max() <= last:
        raise DataError(f"y: need one label from 0 to {last} per sample, in int64")
    old, ctx.prec = ctx.prec, bits
    try:
        with risk.named_errors():
            return _evaluate(risk, network, w)
    finally:
        ctx.prec = old


def _evaluate(risk: ModuleRisk, network: Network, w: Balls) -> BallCurvature:
    decay, n, switches = arb(risk.weight_decay), len(risk.X), []

    def bend(l: int, z: Balls) -> Balls:
        if l == len(network.activations):
            return z
        if any(not (e > 0 or e < 0) for e in z.flat):
            raise TieError(f"hidden layer {l + 1}: a pre-activation is not apart from 0")
        switches.append(each(lambda e: arb(int(e > 0)), z))
        return switches[l] * z

    def slope(l: int, pull: Balls) -> Balls:
        return pull * switches[l] if l < len(switches) else pull

    run = forward(layout(network, w), balls(risk.X.reshape(n, -1)), bend)
    powers = each(arb.exp, run.outputs)
    totals, labels = powers.sum(1), risk.y.tolist()
    p, pull, loss = powers / totals[:, None], powers / totals[:, None], arb(0)
    for i, label in enumerate(labels):
        loss += totals[i].log() - run.outputs[i, label]
        pull[i, label] -= 1
    _compare(risk, network, run.outputs, loss / n)
    pull = pull / n
    gradient = backward(run, pull, slope) + w * decay
    first = second = None  # how the signals move along w + t g: the parts in t and in t^2
    for l, (layer, move) in enumerate(zip(run.layers, layout(network, gradient), strict=True)):
        moved = move(run.inputs[l])
        if first is None:
            first, second = moved, moved * 0
        else:
            W = layer.weight.T
            first, second = moved + first @ W, first @ move.weight.T + second @ W
        first, second = slope(l, first), slope(l, second)
    away = first - (p * first).sum(1)[:, None]
    squared = (gradient * gradient).sum()
    bend = (p * away * away).sum() / n + 2 * (pull * second).sum() + decay * squared
    return BallCurvature(loss / n + decay / 2 * (w * w).sum(), squared, bend)


def ball_record(
    risk: ModuleRisk, points: Sequence[Sequence[torch.Tensor]], *, bits: int = 128
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
            found.append(ball_curvature(risk, bits=bits))
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
    >>> certify_share(record, "1/2").values["index_of_t0"], certify_share(record, 1).verdict.value
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
        return asked.refuted([positive], {"last_point_below_zero": start - 1})
    change, large = found[0].value - found[-1].value, "the fraction is large enough"
    if not (change > 0 or change < 0):
        reason = "the change of the risk is not apart from 0"
        return asked.unknown(reason, [positive, Condition(large, None)])
    fraction = (found[start].value - found[-1].value) / change
    if start in (0, len(found) - 1):  # it is 1 or 0, however wide the balls are
        fraction = arb(start == 0)
    tenth = tenth_percentile([at.normalised for at in found[start:]])
    values = {
        "index_of_t0": start,
        "points_below_zero": f"{len(falling)} of {len(found)}",
        "fraction": _six(fraction),
        "tenth_percentile_of_c": _six(tenth),
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
