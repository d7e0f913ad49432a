r"""Yun, Sra, Jadbabaie (2019), Theorem 4, part 1: certified saddles of deep linear networks.

At a critical point of a deep linear network at which the gradient G of the loss of the product is
not zero, two explicit points, one higher and one lower, lie within any given distance.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, exact
from lscore.algebra.rationals import positive
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import BudgetError, HypothesisError
from lscore.minima.descent import declared
from lscore.model.losses import Loss
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.yun2019.linear.directions import (
    find_directions,
    make_moves,
    order_of,
    pivot_derivative,
)
from lscore.papers.yun2019.linear.setting import (
    CLAIM,
    LINEAR_SMOOTH,
    layer_gradients,
    product,
    product_gradient,
    value_at,
    weights_of,
)

_HALVINGS = 500
SADDLE = "the point is a saddle"
_SADDLE = Question("YUN-T4", SADDLE)
TURNING = "gradient of the loss of the product is not zero"


@checked
@dataclass(frozen=True, eq=False)
class Escape:
    """Two points near a critical point: `up` is higher, `down` is lower, `base` has its product.

    All are exact flat points; no layer moves by more than `epsilon` (Frobenius norm).
    """

    base: RationalMatrix
    up: RationalMatrix
    down: RationalMatrix
    epsilon: fmpq


@checked
def saddle_escape(risk: Risk, w: Point, epsilon: Scalar = 1) -> Escape:
    r"""Ascent and descent from a critical point with :math:`G \ne 0`, as in the proof (YUN-T4).

    The pivot layer of the base tuple moves by :math:`\pm\eta\Delta`, with :math:`\eta` halved from
    1 until both inequalities hold; for the squared loss the number of halvings is known. Raises
    `HypothesisError` where the construction does not exist: w not critical (witness: the layer
    gradients), G zero, or a bottleneck without null vectors; `DataError` if epsilon is not
    positive; `BudgetError` if 500 halvings do not decide the inequalities of another loss.

    >>> from lscore import Network, identity
    >>> risk = Risk(Network((1, 1, 1), identity, bias=False), [1], [1])
    >>> found = saddle_escape(risk, exact([0, 0]), "1/4")
    >>> found.up, found.down
    (column(1/4, -1/4), column(1/4, 1/4))
    >>> risk(found.up), risk(found.down)
    (289/512, 225/512)
    """
    LINEAR_SMOOTH.require(risk, CLAIM)
    epsilon, weights = positive(epsilon, "epsilon"), weights_of(risk, w)
    G = product_gradient(risk, product(weights))
    gradients = layer_gradients(weights, G)
    if not all(part.is_zero() for part in gradients):
        raise HypothesisError("YUN-T4", "critical", "the gradient at w is not zero", gradients)
    if G.is_zero():
        raise HypothesisError("YUN-T4", "G != 0", "the loss of the product is stationary", G)
    found = find_directions(weights, G)
    if found is None:
        _refuse_bottleneck(risk)
    return _both_sides(risk, exact(w, "w"), make_moves(weights, G, found, epsilon), epsilon)


def _refuse_bottleneck(risk: Risk) -> None:
    d = risk.network.widths
    raise HypothesisError(
        "YUN-T4",
        "width",
        f"hidden width {min(d[1:-1], default=0)} is below min(d_x, d_y) = {min(d[0], d[-1])}, and "
        "the products have no null vectors to move along",
        d,
    )


def _both_sides(risk: Risk, w: RationalMatrix, moves, epsilon: fmpq) -> Escape:
    pack, level = risk.network.pack, value_at(risk, w)
    ends = [value_at(risk, pack(moves.tuple(side))) for side in (1, -1)]
    eta = fmpq(1, 2 ** _halvings(level, *ends))
    for _ in range(_HALVINGS):
        up, down = pack(moves.tuple(eta)), pack(moves.tuple(-eta))
        if value_at(risk, up) > level and value_at(risk, down) < level:
            return Escape(pack(moves.base), up, down, epsilon)
        eta /= 2
    raise BudgetError(f"risk: the inequalities are not decided after {_HALVINGS} halvings")


def _halvings(level: fmpq | arb, up: fmpq | arb, down: fmpq | arb) -> int:
    r"""How often to halve 1 so that :math:`\pm\eta` changes a quadratic up and down; 0 for balls.

    It is :math:`level + a \eta + q \eta^2`, with values up and down at 1 and -1: both changes have
    their signs if and only if :math:`|q| \eta < a`.
    """
    if not (all(isinstance(value, fmpq) for value in (level, up, down)) and up > down):
        return 0
    return int((abs(up + down - 2 * level) / (up - down)).floor()).bit_length()


def _moved_at_most(risk: Risk, w, v, epsilon: fmpq) -> bool:
    """Whether no layer moves by more than epsilon in Frobenius norm."""
    return all(part.dot(part) <= epsilon**2 for part in weights_of(risk, v - w))


def _escape_conditions(
    risk: Risk, w: RationalMatrix, level: fmpq | arb, found: Escape, epsilon: fmpq
) -> list[Condition]:
    """The statements about the three points, each decided exactly (or by balls)."""
    epsilon = min(epsilon, found.epsilon)
    near = [_moved_at_most(risk, w, v, epsilon) for v in (found.base, found.up, found.down)]
    same = product(weights_of(risk, found.base)) == product(weights_of(risk, w))
    return [
        Condition("the base tuple has the same product", same),
        Condition(f"no layer moves by more than {epsilon}", all(near)),
        _positive("a point within reach is higher", value_at(risk, found.up) - level, "rise"),
        _positive("a point within reach is lower", level - value_at(risk, found.down), "fall"),
    ]


def _positive(text: str, change: fmpq | arb, name: str) -> Condition:
    """Whether a change is positive: undecided if a ball holds 0; its size if it is rational."""
    holds = True if change > 0 else False if change <= 0 else None
    return Condition(text, holds, change if isinstance(change, fmpq) else None, name)


@_SADDLE.checker
def certify_saddle(
    risk: Risk, w: Point, epsilon: Scalar = 1, *, found: Escape | None = None
) -> Certificate:
    r"""Is w a saddle: a critical point with higher and lower points at every distance?

    Claim YUN-T4, in a bottleneck YUN-B-T4-1.

    Conditions: all layer gradients are exactly 0; :math:`G \ne 0`; the first non-zero coefficient
    of :math:`C(\gamma)` exists, so that every smaller epsilon works too; and for this epsilon the
    three points of `found` (or of `saddle_escape`) do what they promise. Refuted if w is not
    critical (witness: the layer gradient), or if G = 0 for a convex loss, which makes w a global
    minimum. Unknown in a bottleneck without null vectors, for G = 0 and a loss that is not convex,
    if `found` fails, and for other networks. Sound; complete under the width condition
    d_j >= min(d_x, d_y) with :math:`G \ne 0`, but for the `BudgetError` of `saddle_escape`. The
    method is "ball" where losses are balls.

    >>> from lscore import Network, identity
    >>> risk = Risk(Network((1, 1, 1), identity, bias=False), [1], [1])
    >>> certify_saddle(risk, exact([0, 0])).values["order_of_the_move"]
    2
    """
    LINEAR_SMOOTH.require(risk, CLAIM)
    w, epsilon = exact(risk.network.point(w), "w"), positive(epsilon, "epsilon")
    weights = weights_of(risk, w)
    G = product_gradient(risk, product(weights))
    gradients = layer_gradients(weights, G)
    critical, refused = _criticality(gradients)
    if refused is not None:
        return refused
    if G.is_zero():
        if not risk.loss.convex:
            return _stationary(critical, risk.loss)
        witness = {"gradient_of_the_loss_of_the_product": "zero, so the point is a global minimum"}
        stationary = [critical, Condition(TURNING, False), convexity(risk.loss)]
        return Question("YUN-C5", SADDLE).refuted(stationary, witness)
    turning = Condition(TURNING, True)
    asked = Question("YUN-T4" if _is_wide(risk) else "YUN-B-T4-1", SADDLE)
    route = find_directions(weights, G)
    if route is None:
        conditions = [critical, turning, Condition("null vectors of the products exist", False)]
        reason = "a bottleneck: the products have no null vectors to move along"
        return asked.unknown(reason, conditions)
    terms = pivot_derivative(weights, G, route)
    every = Condition(
        "the same moves work for every smaller epsilon", any(not t.is_zero() for t in terms)
    )
    found = found or saddle_escape(risk, w, epsilon)
    depth, level = len(weights), value_at(risk, w)
    moves = _escape_conditions(risk, w, level, found, epsilon)
    conditions = [critical, turning, every, *moves]
    exactly = isinstance(level, fmpq)
    method = "exact" if exactly else "ball"
    wanting = next((c for c in conditions if c.holds is not True), None)
    if wanting is not None:
        reason = f"{wanting.text}: {'not decided' if wanting.holds is None else 'fails'}"
        return asked.unknown(reason, conditions, method=method)
    values = {
        "loss": level if exactly else float(level.mid()),
        "pivot_layer": f"{route.layer(depth)} of {depth}",
        "order_of_the_move": order_of(terms),
        "worst_order_with_this_pivot": depth - route.pivot + 2,
    }
    witness = {"base": found.base, "up": found.up, "down": found.down}
    return asked.certified(conditions, witness=witness, values=values, method=method)


def convexity(loss: Loss) -> Condition:
    """That a loss is convex in the product, in the words of who says so."""
    if loss.proved:
        return Condition("the loss is convex in the product", loss.convex)
    return declared(loss, "convex")[0]


def _is_wide(risk: Risk) -> bool:
    """Whether every hidden layer is at least as wide as the smaller of input and output."""
    d = risk.network.widths
    return min(d) == min(d[0], d[-1])


def _criticality(gradients: list) -> tuple[Condition, Certificate | None]:
    """The condition that all layer gradients vanish, and the refutation if one does not."""
    wrong = [j for j, part in enumerate(gradients, start=1) if not part.is_zero()]
    critical = Condition("every layer gradient is exactly zero", not wrong)
    if not wrong:
        return critical, None
    witness = {f"gradient_of_layer_{wrong[0]}": gradients[wrong[0] - 1]}
    return critical, _SADDLE.refuted([critical], witness)


def _stationary(critical: Condition, loss: Loss) -> Certificate:
    reason = "the product is stationary for a loss that is not convex: its type there decides"
    return _SADDLE.unknown(reason, [critical, Condition(TURNING, False), convexity(loss)])
