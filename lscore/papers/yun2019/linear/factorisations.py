r"""Yun, Sra, Jadbabaie (2019), Lemma A.6 and A7.4: which products the layers can reach.

Wide layers reach every product from scratch (A7.4); between a full row rank and a full column rank
one layer reaches every nearby product (Lemma A.6). A bottleneck reaches products of low rank only.
"""

from __future__ import annotations

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_poly

from lscore.algebra.arguments import checked
from lscore.algebra.linear import least_squares, pivot_columns, rank
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, stack
from lscore.algebra.polynomials import dominates
from lscore.algebra.rationals import positive
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.papers.yun2019.linear.setting import (
    CLAIM,
    LINEAR,
    LINEAR_SQUARED,
    product,
    product_gradient,
    product_loss,
    unit_matrix,
    weights_of,
)

_TRANSFER = Question("YUN-LA6", "one layer alone brings the product to R")
_BOTTLENECK = Question("YUN-B-T4-4", "the point is a global minimum of the narrow network")


@checked
def factorise(network: Network, R: object) -> RationalMatrix:
    r"""A point of a linear network whose product is R, shape (d_y, d_x), exactly (A7.4).

    R stands in the layer at the narrower end; the others have ones on the diagonal. Nothing is
    rounded. Raises `HypothesisError` YUN-T4: "width" if a layer is narrower than min(d_x, d_y), and
    for a network with biases or activations.

    >>> from lscore.model.activations import identity
    >>> factorise(Network((2, 2, 1), identity, bias=False), [[3, 4]])
    column(3, 4, 0, 0, 1, 0)
    """
    LINEAR.require(network, CLAIM)
    R, d = exact(R, "R"), network.widths
    if R.shape != (d[-1], d[0]):
        raise ShapeError(f"R: shape {R.shape}, need {(d[-1], d[0])}")
    narrow = min(d[0], d[-1])
    if min(d) < narrow:
        raise HypothesisError("YUN-T4", "width", f"widths {d}, need {narrow} everywhere", d)
    place = 1 if d[0] >= d[-1] else len(d) - 1
    weights = []
    for j in range(1, len(d)):

        def entry(i, k, here=(j == place)):
            inside = i < R.shape[0] and k < R.shape[1]
            return (R[i, k] if inside else 0) if here else int(i == k)

        weights.append(exact([[entry(i, k) for k in range(d[j - 1])] for i in range(d[j])]))
    return network.pack(weights)


@checked
def move_product(network: Network, w: Point, layer: int, R: object) -> RationalMatrix:
    r"""Lemma A.6, with its second inverse: change one layer so that the product becomes R.

    To :math:`W_j` it adds :math:`A^\top (A A^\top)^{-1} D\, (B^\top B)^{-1} B^\top` with D the
    change of the product, A the product above layer j and B the one below. Raises
    `HypothesisError` YUN-LA6 if A has not full row rank or B not full column rank (witness: the
    matrix), and YUN-T4 for a network with biases or activations.

    >>> from lscore.model.activations import identity
    >>> net = Network((1, 2, 1), identity, bias=False)
    >>> move_product(net, exact([1, 1, 1, 2]), 1, [[8]])
    column(2, 3, 1, 2)
    """
    LINEAR.require(network, CLAIM)
    w, R = exact(network.point(w), "w"), exact(R, "R")
    weights, (above, below) = [l.weight for l in network.unpack(w)], _around(network, w, layer)
    for name, matrix in (("row rank above", above), ("column rank below", below.T)):
        if rank(matrix) < len(matrix):
            raise HypothesisError("YUN-LA6", name, f"rank below {len(matrix)}", matrix)
    step = R - product(weights)
    left = least_squares(above @ above.T, step)[0]
    both = least_squares(below.T @ below, left.T)[0].T
    weights[layer - 1] = weights[layer - 1] + above.T @ both @ below.T
    return network.pack(weights)


@_TRANSFER.checker
def certify_transfer(
    network: Network, w: Point, layer: int, R: object, epsilon: Scalar
) -> Certificate:
    r"""Does one layer, moved by at most epsilon, bring the product from w to R? (YUN-LA6)

    Conditions: full ranks above and below; :math:`\|R - W_{L:1}\|_F \le \sigma_{\min}(A)\,
    \sigma_{\min}(B)\,\epsilon`, decided exactly by the characteristic polynomials of
    :math:`A A^\top` and :math:`B^\top B`; the product is R; the layer moved by at most epsilon.
    Refuted if the shortest move that reaches R is longer (witness: the point it leads to), unknown
    without the ranks, if only the condition of the lemma fails, and for networks that are not
    linear. Sound. Raises `DataError` for other layers and epsilon.
    """
    LINEAR.require(network, CLAIM)
    w, R = exact(network.point(w), "w"), exact(R, "R")
    epsilon = positive(epsilon, "epsilon")
    above, below = _around(network, w, layer)
    asked = Question("YUN-LA6", f"layer {layer} alone brings the product to R within {epsilon}")
    full = rank(above) == len(above) and rank(below.T) == len(below.T)
    conditions = [Condition("full row rank above, full column rank below", full)]
    if not full:
        reason = "without full ranks the lemma does not say what the layer reaches"
        return asked.unknown(reason, conditions)
    moved = move_product(network, w, layer, R)
    product_of = [product([l.weight for l in network.unpack(v)]) for v in (w, moved)]
    step, change = R - product_of[0], moved - w
    room = epsilon**2 - change.dot(change)
    conditions += [
        Condition("R is within reach of the lemma", _in_reach(above, below, step, epsilon)),
        Condition("the product is R in every digit", product_of[1] == R),
        Condition(
            "the layer moves by at most epsilon",
            room >= 0,
            None if room >= 0 else room,
            "epsilon^2 less the square of the move",
        ),
    ]
    witness = {"point": moved}
    if room < 0:
        return asked.refuted(conditions, witness)
    if not conditions[1].holds:
        reason = "the condition of the lemma fails, its conclusion holds"
        return asked.unknown(reason, conditions, witness=witness)
    return asked.certified(conditions, witness=witness)


def _around(network: Network, w: Point, layer: int) -> tuple[RationalMatrix, RationalMatrix]:
    """The products above and below a layer."""
    depth = len(network.widths) - 1
    if layer not in range(1, depth + 1):
        raise DataError(f"layer: got {layer}, need one of 1 to {depth}")
    weights = [l.weight for l in network.unpack(w)]
    return product(weights[layer:], network.widths[-1]), product(
        weights[: layer - 1], network.widths[0]
    )


def _in_reach(A: RationalMatrix, B: RationalMatrix, step: RationalMatrix, epsilon: fmpq) -> bool:
    r"""Whether :math:`\|D\|^2 \le \lambda \mu \epsilon^2` for the smallest eigenvalues of
    :math:`A A^\top` and :math:`B^\top B`: every mu is at least every :math:`s/\lambda`."""
    s = step.dot(step) / epsilon**2
    p, q = charpoly(A @ A.T), charpoly(B.T @ B)
    n = p.degree()
    return s == 0 or dominates(q, fmpq_poly([p[n - k] * s ** (n - k) for k in range(n + 1)]))


def charpoly(A: RationalMatrix) -> fmpq_poly:
    """The characteristic polynomial of a square rational matrix."""
    return fmpq_mat(A.numerator).charpoly()(fmpq_poly([0, A.denominator]))


@_BOTTLENECK.checker
def certify_bottleneck_minimum(risk: Risk, w: Point) -> Certificate:
    r"""Is w a global minimum of a network too narrow for the theorem? (YUN-B-T4-4)

    Let r < min(d_x, d_y) be the smallest hidden width and :math:`\Sigma = R_* S R_*^\top` for the
    best map :math:`R_*`. A product with column space V exceeds :math:`R_*` by c times the trace of
    :math:`\Sigma` off V at least, with equality for the projection of :math:`R_*`. So w is a global
    minimum if and only if its excess is that trace and either nothing is missed, or V has r
    dimensions, :math:`\Sigma` has no part between V and the rest (true where w is critical), and no
    eigenvalue off V exceeds one on V. If the conditions before hold, the eigenvalues are compared
    exactly, by their polynomials. Refuted with a lower point, or, where floats find none, with the
    comparison. Sound and complete for the squared loss, no biases and a bottleneck; otherwise
    unknown.

    >>> from lscore.model.activations import identity
    >>> plane, tie = [[1, 0], [0, 1]], [["1/3", 0], [0, "1/3"]]
    >>> risk = Risk(Network((2, 1, 2), identity, bias=False), plane, tie)
    >>> certify_bottleneck_minimum(risk, exact(["1/3", 0, 1, 0])).verdict.value
    'certified'
    """
    LINEAR_SQUARED.require(risk, CLAIM)
    d = risk.network.widths
    narrow = min(d)
    if narrow >= min(d[0], d[-1]):
        message = f"widths {d} have none; `certify_saddle_or_minimum` decides"
        raise HypothesisError(_BOTTLENECK.claim, "bottleneck", message, d)
    R = product(weights_of(risk, w))
    X, Y, scale = risk.exact_X, risk.exact_y, risk.loss.scale(len(risk.X))
    best = least_squares(X, Y)[0].T
    sigma, own = best @ (X.T @ X) @ best.T, rank(R)
    keep = R @ least_squares(R, unit_matrix(len(R)))[0]  # projector onto the columns of R
    lose = unit_matrix(len(R)) - keep
    kept, between, lost = keep @ sigma @ keep, keep @ sigma @ lose, lose @ sigma @ lose
    level, bottom = product_loss(risk, R), product_loss(risk, best)
    missed = scale * sum((lost[i, i] for i in range(len(lost))), fmpq(0))
    ranks = Condition(f"the product has the largest rank possible, {narrow}", True)
    if own < narrow:
        ranks = Condition(
            f"the product, of rank {own} where {narrow} is possible, misses nothing",
            missed == 0,
            -missed if missed else None,
        )
    surplus = level - bottom - missed
    apart = None if surplus else between.is_zero()
    conditions = [
        ranks,
        Condition(
            "its excess is the part of the best map that it misses",
            surplus == 0,
            -surplus if surplus else None,
        ),
        Condition("Sigma has no part between kept and lost components", apart),
        Condition(
            "every kept component is at least as large as every lost one",
            _keeps_the_largest(kept, lost, own) if apart else None,
        ),
    ]
    values = {
        "loss": level,
        "loss_of_the_best_map": bottom,
        "gradient_of_the_loss_of_the_product": product_gradient(risk, R),
    }
    if all(c.holds for c in conditions):
        return _BOTTLENECK.certified(conditions, values=values)
    if not surplus and not ranks.holds:
        keep = _widened(keep, lose, lost)
    elif not surplus:
        keep = _turned(keep, lose, kept, lost) if apart else _tilted(keep, lose, kept, between)
    point = _low_rank_point(risk.network, keep, best)
    fall = level - risk(point)
    witness = {"lower_point": point, "decrease_there": fall}
    if fall <= 0:
        witness = {"a_lost_component": "larger than a kept one, by an amount floats do not see"}
    return _BOTTLENECK.refuted(conditions, witness, values=values)


def _keeps_the_largest(kept: RationalMatrix, lost: RationalMatrix, dimensions: int) -> bool:
    """Whether the eigenvalues kept, in so many dimensions, are at least as large as those lost."""
    spare = len(kept) - dimensions  # zeros that belong to the space off V
    return dominates(fmpq_poly(charpoly(kept).coeffs()[spare:]), charpoly(lost))


def _outer(v: RationalMatrix) -> RationalMatrix:
    """The projector onto a column."""
    return v @ v.T / v.dot(v)


def _widened(keep: RationalMatrix, lose: RationalMatrix, lost: RationalMatrix) -> RationalMatrix:
    """The projector with one more dimension: the lost coordinate of the largest variance."""
    i = max(range(len(lost)), key=lambda k: lost[k, k])
    return keep + _outer(lose.column(i))


def _tilted(
    keep: RationalMatrix, lose: RationalMatrix, kept: RationalMatrix, between: RationalMatrix
) -> RationalMatrix:
    r"""The projector with a kept coordinate :math:`a = P e_i` tilted towards the lost one
    :math:`b = (1 - P) e_j` with which it has the most in common.

    For :math:`\tau = m |a|^2 / (\alpha |b|^2)`, :math:`m = a^\top \Sigma b`,
    :math:`\alpha = a^\top \Sigma a` the quotient :math:`c^\top \Sigma c / |c|^2` at
    :math:`c = a + \tau b` exceeds the one at a: :math:`2 \tau m |a|^2 > \tau^2 \alpha |b|^2`.
    """
    places = [(i, j) for i in range(len(keep)) for j in range(len(keep))]
    i, j = max(places, key=lambda place: abs(between[place]))
    a, b = keep.column(i), lose.column(j)
    slope = between[i, j] * a.dot(a) / (kept[i, i] * b.dot(b))
    return keep - _outer(a) + _outer(a + b * slope)


def _turned(
    keep: RationalMatrix, lose: RationalMatrix, kept: RationalMatrix, lost: RationalMatrix
) -> RationalMatrix:
    """The projector with its smallest component exchanged for the largest lost one: by floats."""
    size = sum((M[i, i] for M in (kept, lost) for i in range(len(M))), fmpq(0))
    small = np.linalg.eigh((kept / size).floats() + 2 * lose.floats())[1][:, 0]
    large = np.linalg.eigh((lost / size).floats())[1][:, -1]
    out, into = (P @ exact(np.round(v * 2**40)) for P, v in ((keep, small), (lose, large)))
    return keep - _outer(out) + _outer(into)


def _low_rank_point(network: Network, P: RationalMatrix, best: RationalMatrix) -> RationalMatrix:
    """A point whose product is P times the best map, for a projector P of low rank."""
    d = network.widths
    columns = stack([P.column(j).T for j in pivot_columns(P.numerator)]).T
    rows, size = least_squares(columns, P @ best)[0], columns.shape[1]

    def entry(j: int, i: int, k: int) -> fmpq | int:
        if j == 1:
            return rows[i, k] if i < size else 0
        if j == len(d) - 1:
            return columns[i, k] if k < size else 0
        return int(i == k)

    return network.pack(
        [
            exact([[entry(j, i, k) for k in range(d[j - 1])] for i in range(d[j])])
            for j in range(1, len(d))
        ]
    )
