r"""The surface of the toy regression, completely: one input, one hidden layer of ReLUs, no biases.

With the moments :math:`S_\pm, B_\pm` of the two sides (see `experiments.toy`) and
:math:`c_\pm = \sum_{\pm w_j > 0} v_j w_j` the risk is

.. math:: \tfrac12 Q + \sum_\pm \bigl(\tfrac12 S_\pm c_\pm^2 - B_\pm c_\pm\bigr)
          + \tfrac\lambda2 |W|^2, \qquad |W|^2 \ge 2 |c_+| + 2 |c_-| .

So its minimum is that of two soft-thresholded parabolas.
"""

from __future__ import annotations

from math import isqrt

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational
from lscore.algebra.rationals import positive
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError, HypothesisError
from lscore.model.activations import relu
from lscore.model.losses import SquaredLoss
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.papers.milne2019.region import TOY

_ONLY = Question("MILNE-B-TOY-1", "0 is the only global minimum and the only Clarke critical point")
_TRAINED = Question("MILNE-B-TOY-2", "gradient descent from every point of the ball converges to 0")
_EVERY = Question(
    "MILNE-B-TOY-3",
    f"{_TRAINED.statement}, the only critical point, "
    "for all data with |x| <= r and |y| <= slope |x|",
)


@checked
def toy_sides(risk: Risk) -> list[tuple[fmpq, fmpq]]:
    r"""The pairs :math:`(S_+, B_+), (S_-, B_-)`, exact: means of :math:`x^2` and of x y, per side.

    :math:`S_\pm = \tfrac1n \sum_{\pm x_i > 0} x_i^2` and
    :math:`B_\pm = \tfrac1n \sum_{\pm x_i > 0} x_i y_i`.

    Raises `HypothesisError` unless the network is (1, k, 1) with ReLU, no biases, no output
    activation, and the loss half the mean squared error.

    >>> from lscore import Network, SquaredLoss, relu
    >>> risk = Risk(Network((1, 2, 1), relu, bias=False), [2, -1], [1, 3],
    ...             SquaredLoss("1/2", mean=True))
    >>> toy_sides(risk)
    [(2, 1), (1/2, -3/2)]
    """
    TOY.require(risk, "MILNE-F1")
    pairs = list(zip(risk.exact_X.entries(), risk.exact_y.entries(), strict=True))
    found = []
    for sign in (1, -1):
        side = [(x, y) for x, y in pairs if sign * x > 0]
        squares = sum((x * x for x, _ in side), fmpq(0)) / len(pairs)
        found.append((squares, sum((x * y for x, y in side), fmpq(0)) / len(pairs)))
    return found


@checked
def lowest_risk(risk: Risk) -> fmpq:
    r"""The exact minimum of the risk,
    :math:`\tfrac12 Q - \sum_\pm (|B_\pm| - \lambda)_+^2 / (2S_\pm)`.

    With a single unit only the better side counts. MILNE-B-TOY-1.

    >>> from lscore import Network, SquaredLoss, relu
    >>> lowest_risk(Risk(Network((1, 2, 1), relu, bias=False), [1], ["1/2"],
    ...                  SquaredLoss("1/2", mean=True), "1/4"))
    3/32
    """
    gains = []
    for S, B in toy_sides(risk):
        excess = abs(B) - risk.weight_decay
        gains.append(excess**2 / (2 * S) if excess > 0 else fmpq(0))
    at_zero = risk.exact_y.dot(risk.exact_y) / (2 * len(risk.exact_y))
    return at_zero - (sum(gains, fmpq(0)) if risk.network.widths[1] > 1 else max(gains))


@_ONLY.checker
def certify_only_minimum(risk: Risk) -> Certificate:
    r"""Is 0 the only global minimum, and the only critical point? Yes iff lambda >= max \|B\|.

    Refuted with a lower point. Exact, sound and complete, in the setting of `toy_sides` and for
    weight decay above 0; else unknown. MILNE-B-TOY-1, proof in the chapter on the toy regression.

    >>> from lscore import Network, SquaredLoss, relu
    >>> def toy(decay):
    ...     net = Network((1, 2, 1), relu, bias=False)
    ...     return Risk(net, [1], ["1/2"], SquaredLoss("1/2", mean=True), decay)
    >>> [certify_only_minimum(toy(decay)).verdict.value for decay in ("1/2", "1/4")]
    ['certified', 'refuted']
    """
    moments, decay = toy_sides(risk), risk.weight_decay
    if decay == 0:
        raise HypothesisError("MILNE-B-TOY-1", "lambda > 0", "weight decay 0", decay)
    critical = max(abs(B) for _, B in moments)
    conditions = tuple(
        Condition(f"|B{sign}| <= lambda", abs(B) <= decay, decay - abs(B))
        for sign, (_, B) in zip("+-", moments, strict=True)
    )
    values = {"largest_moment": critical, "lambda": decay}
    if critical <= decay:
        return _ONLY.certified(conditions, values=values)
    lower = _lower_point(risk, *max(moments, key=lambda side: abs(side[1])))
    gain = risk(exact([0] * risk.dimension)) - risk(lower)
    return _ONLY.refuted(conditions, {"lower_point": lower, "lower_by": gain}, values=values)


def _lower_point(risk: Risk, S: fmpq, B: fmpq) -> RationalMatrix:
    """One unit with v w near the best c of its side and w near the root of it; lower than 0."""
    excess = abs(B) - risk.weight_decay
    size, origin, bits = excess / S, risk(exact([0] * risk.dimension)), 8
    positive = toy_sides(risk)[0] == (S, B)
    while True:
        root = fmpq(isqrt(int((size * 4**bits).ceil()))) / 2**bits
        if root:
            c = size if B > 0 else -size
            w, units = root if positive else -root, risk.network.widths[1]
            point = exact([w] + [0] * (units - 1) + [c / w] + [0] * (units - 1))
            if risk(point) < origin:
                return point
        bits *= 2


@_TRAINED.checker
def certify_trained_to_zero(risk: Risk, rate: Scalar, squared_norm: Scalar) -> Certificate:
    r"""Does gradient descent converge to 0 from every start with \|W\|^2 at most `squared_norm`?

    Certified if :math:`|B_\pm| < \lambda` and
    :math:`\text{rate}\, S_\pm |W|^2 \le 4(1 - \text{rate}\,\lambda)` on both sides; then every
    step multiplies :math:`|W|` by at most :math:`1 - \text{rate}\,(\lambda - \max|B_\pm|)`. Exact
    and sound, not complete: otherwise unknown. Covers starts on kinks, where autodiff takes the
    gradient of w to be 0. Raises `DataError` for a rate that is not positive or a negative
    `squared_norm`. MILNE-B-TOY-2, proof in the chapter on the toy regression.

    >>> from lscore import Network, SquaredLoss, relu
    >>> risk = Risk(Network((1, 2, 1), relu, bias=False), [1], ["1/4"],
    ...             SquaredLoss("1/2", mean=True), 1)
    >>> certify_trained_to_zero(risk, "1/10", 36).values["factor_per_step"]
    37/40
    >>> certify_trained_to_zero(risk, "1/10", 37).verdict.value
    'unknown'
    """
    sides = zip("+-", toy_sides(risk), strict=True)
    bounds = [(f"|B{sign}|", abs(B), f"S{sign}", S) for sign, (S, B) in sides]
    return _contraction(_TRAINED, bounds, risk.weight_decay, rate, squared_norm)


@_EVERY.checker
def certify_every_draw(
    slope: Scalar, radius: Scalar, weight_decay: Scalar, rate: Scalar, squared_norm: Scalar
) -> Certificate:
    r"""Is every toy regression trained to 0, whatever the inputs in :math:`[-r, r]` are?

    For labels with :math:`|y_i| \le \text{slope}\,|x_i|`, any number of samples and units, and all
    starts with \|W\|^2 at most `squared_norm`. As :math:`S_\pm \le r^2` and
    :math:`|B_\pm| \le \text{slope}\, r^2`, certified if slope r^2 < lambda and
    :math:`\text{rate}\, r^2 |W|^2 \le 4(1 - \text{rate}\,\lambda)`. Refuted if slope r^2 > lambda:
    then a single sample at r has a lower point than 0. Exact and sound; unknown between them.
    Unknown without weight decay; `DataError` for other numbers that are not positive.
    MILNE-B-TOY-3, proof in the chapter on the toy regression.

    >>> certify_every_draw("1/4", 1, "2/5", "1/10", 3).values["factor_per_step"]
    197/200
    >>> certify_every_draw("1/4", 1, "1/5", "1/10", 3).witness["input"]
    1
    """
    slope, radius = rational(slope, "slope"), positive(radius, "radius")
    decay = rational(weight_decay, "weight_decay")
    if slope < 0:
        raise DataError(f"slope: got {slope}, need a number >= 0")
    bounds = [("slope r^2", slope * radius**2, "r^2", radius**2)]
    answer = _contraction(_EVERY, bounds, decay, rate, squared_norm)
    if slope * radius**2 <= decay:
        return answer
    half = SquaredLoss("1/2", mean=True)
    network = Network((1, 1, 1), relu, bias=False)
    lower = certify_only_minimum(
        Risk(network, exact([radius]), exact([slope * radius]), half, decay)
    )
    witness = {"input": radius, "label": slope * radius, **lower.witness}
    return _EVERY.refuted(answer.conditions, witness)


def _contraction(
    asked: Question, bounds: list, decay: fmpq, rate: Scalar, squared_norm: Scalar
) -> Certificate:
    r"""The conditions of MILNE-B-TOY-2 for bounds of \|B\| and S, each with its name."""
    rate, squared_norm = positive(rate, "rate"), rational(squared_norm, "squared_norm")
    if decay <= 0:
        raise HypothesisError(asked.claim, "lambda > 0", f"weight decay {decay}", decay)
    if squared_norm < 0:
        raise DataError(f"squared_norm: got {squared_norm}, need a number >= 0")
    conditions = []
    for pull_name, pull, square_name, square in bounds:
        room, slack = decay - pull, 4 * (1 - rate * decay) - rate * square * squared_norm
        conditions += [
            Condition(f"{pull_name} < lambda", room > 0, room),
            Condition(f"rate {square_name} |W|^2 <= 4 (1 - rate lambda)", slack >= 0, slack),
        ]
    failed = [c.text for c in conditions if not c.holds]
    if failed:
        return asked.unknown(f"not so: {failed[0]}", conditions)
    values = {"factor_per_step": 1 - rate * min(decay - pull for _, pull, _, _ in bounds)}
    return asked.certified(conditions, values=values)
