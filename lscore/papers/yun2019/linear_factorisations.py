r"""Yun, Sra, Jadbabaie (2019), Lemma A.6 and A7.4: which products the layers can reach.

Wide layers reach every product from scratch (A7.4); between a full row rank and a full column rank
one layer reaches every nearby product (Lemma A.6). A bottleneck reaches products of low rank only.
"""

from __future__ import annotations

import numpy as np
from flint import fmpq

from lscore.certificates import Certificate, Condition, Verdict
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.exact import RationalMatrix, Scalar, exact, rational
from lscore.linear_algebra import least_squares, rank
from lscore.networks import Network, Point
from lscore.papers.yun2019.deep_linear import (
    check_linear,
    is_positive_semidefinite,
    linear_risk,
    product,
    unit_matrix,
)
from lscore.risk import Risk


def factorise(network: Network, R: object) -> RationalMatrix:
    r"""A point of a linear network whose product is R, shape (d_y, d_x), exactly (A7.4).

    R stands in the layer at the narrower end; the others have ones on the diagonal. Nothing is
    rounded. Raises `HypothesisError` YUN-T4 "width" if a layer is narrower than min(d_x, d_y), and
    `DataError` for a network with biases or activations.

    >>> from lscore.activations import identity
    >>> factorise(Network((2, 2, 1), identity, bias=False), [[3, 4]])
    column(3, 4, 0, 0, 1, 0)
    """
    check_linear(network)
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


def move_product(network: Network, w: Point, layer: int, R: object) -> RationalMatrix:
    r"""Lemma A.6, with its second inverse: change one layer so that the product becomes R.

    To :math:`W_j` it adds :math:`A^\top (A A^\top)^{-1} D\, (B^\top B)^{-1} B^\top` with D the
    change of the product, A the product above layer j and B the one below. Raises
    `HypothesisError` YUN-LA6 if A has not full row rank or B not full column rank (witness: the
    matrix), and `DataError` for a network with biases or activations.

    >>> from lscore.activations import identity
    >>> net = Network((1, 2, 1), identity, bias=False)
    >>> move_product(net, exact([1, 1, 1, 2]), 1, [[8]])
    column(2, 3, 1, 2)
    """
    check_linear(network)
    weights = [l.weight for l in network.unpack(exact(network.point(w), "w"))]
    R = exact(R, "R")
    above = product(weights[layer:], network.widths[-1])
    below = product(weights[: layer - 1], network.widths[0])
    for name, matrix in (("row rank above", above), ("column rank below", below.T)):
        if rank(matrix) < len(matrix):
            raise HypothesisError("YUN-LA6", name, f"rank below {len(matrix)}", matrix)
    step = R - product(weights)
    left = least_squares(above @ above.T, step)[0]
    both = least_squares(below.T @ below, left.T)[0].T
    weights[layer - 1] = weights[layer - 1] + above.T @ both @ below.T
    return network.pack(weights)


def eigenvalue_floor(A: RationalMatrix) -> fmpq:
    """A rational lower bound of the smallest eigenvalue of a symmetric matrix, 0 if none is found.

    A float proposes, `is_positive_semidefinite` decides.

    >>> fmpq(2999, 1000) < eigenvalue_floor(exact([[3, 0], [0, 5]])) <= 3
    True
    """
    proposal = float(np.linalg.eigvalsh(A.floats())[0]) * (1 - 2.0**-20)
    if proposal <= 0:
        return fmpq(0)
    floor = rational(proposal)
    return floor if is_positive_semidefinite(A - unit_matrix(len(A)) * floor) else fmpq(0)


def certify_transfer(
    network: Network, w: Point, layer: int, R: object, epsilon: Scalar
) -> Certificate:
    r"""Does one layer, moved by at most epsilon, bring the product from w to R? (YUN-LA6)

    Conditions: full ranks above and below; :math:`\|R - W_{L:1}\|_F \le \sigma_{\min}(A)\,
    \sigma_{\min}(B)\,\epsilon` with rational lower bounds of the singular values; the product is R;
    the layer moved by at most epsilon. Refuted if it moves further (witness: the layer), unknown
    if only the condition of the lemma fails. Raises as `move_product`. Sound.
    """
    w, R, epsilon = exact(network.point(w), "w"), exact(R, "R"), rational(epsilon, "epsilon")
    moved = move_product(network, w, layer, R)
    weights = [l.weight for l in network.unpack(w)]
    above = product(weights[layer:], network.widths[-1])
    below = product(weights[: layer - 1], network.widths[0])
    step, change = R - product(weights), moved - w
    reach = eigenvalue_floor(above @ above.T) * eigenvalue_floor(below.T @ below) * epsilon**2
    new = product([l.weight for l in network.unpack(moved)])
    conditions = [
        Condition("full row rank above, full column rank below", True),
        Condition("R is within reach of the lemma", step.dot(step) <= reach),
        Condition("the product is R in every digit", new == R),
        Condition("the layer moves by at most epsilon", change.dot(change) <= epsilon**2),
    ]
    statement = f"layer {layer} alone brings the product to R within {epsilon}"
    verdict, reason = Verdict.CERTIFIED, ""
    if not conditions[1].holds:
        verdict, reason = Verdict.UNKNOWN, "the condition of the lemma fails, its conclusion holds"
    if not conditions[3].holds:
        verdict, reason = Verdict.REFUTED, ""
    return Certificate("YUN-LA6", statement, verdict, "exact", conditions, {"point": moved}, reason)


def certify_bottleneck_minimum(risk: Risk, w: Point) -> Certificate:
    r"""Is w a global minimum of a network too narrow for the theorem? (width in YUN-T4)

    Let r < min(d_x, d_y) be the smallest hidden width and :math:`\Sigma = R_* S R_*^\top` for the
    best map :math:`R_*`. Every product has rank <= r, so its loss exceeds that of :math:`R_*` by c
    times the sum of all but the r largest eigenvalues of :math:`\Sigma` at least. Conditions: the
    product at w has rank r; its excess is c times the trace of :math:`\Sigma` off its column space;
    a number separates the kept eigenvalues from the lost ones. A float proposes that number, exact
    semidefiniteness decides. Unknown if a condition fails. Sound. Squared loss; `DataError` if the
    network has no bottleneck.
    """
    linear, d = linear_risk(risk), risk.network.widths
    narrow = min(d)
    if narrow >= min(d[0], d[-1]):
        raise DataError(f"risk: widths {d} have no bottleneck; `classify_critical` decides")
    R = product(linear.weights(w))
    X, Y, scale = risk.exact_X, risk.exact_y, risk.loss.scale(len(risk.X))
    best = least_squares(X, Y)[0].T
    sigma = best @ (X.T @ X) @ best.T
    keep = R @ least_squares(R, unit_matrix(len(R)))[0]  # projector onto the columns of R
    lose = unit_matrix(len(R)) - keep
    kept, lost = keep @ sigma @ keep, lose @ sigma @ lose
    excess = linear.loss.value(R) - linear.loss.value(best)
    missed = scale * sum((lost[i, i] for i in range(len(lost))), fmpq(0))
    smallest = float(np.sort(np.linalg.eigvalsh(kept.floats()))[-narrow])
    largest = float(np.linalg.eigvalsh(lost.floats())[-1])
    between = rational((smallest + largest) / 2)
    separated = is_positive_semidefinite(kept - keep * between) and is_positive_semidefinite(
        lose * between - lost
    )
    conditions = [
        Condition(f"the product has the largest rank possible, {narrow}", rank(R) == narrow),
        Condition("its excess is the part of the best map that it misses", excess == missed),
        Condition("every kept component is at least as large as every lost one", separated),
    ]
    holds = all(c.holds for c in conditions)
    return Certificate(
        "YUN-T4",
        "the point is a global minimum of the narrow network",
        Verdict.CERTIFIED if holds else Verdict.UNKNOWN,
        "exact",
        conditions,
        reason="" if holds else "a condition fails",
        values={
            "loss": linear.loss.value(R),
            "loss of the best map": linear.loss.value(best),
            "gradient of the loss of the product": linear.loss.gradient(R),
        },
    )
