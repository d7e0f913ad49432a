r"""How negative the curvature of the loss can be in a cell: Lemma 3, and seven sharper bounds.

For *any* pattern S of the switches and *any* W let :math:`\phi` be the loss with the switches
frozen to S, without weight decay, and :math:`\nabla^2 \phi = G + B` as in `split_hessian`. With
:math:`\nu_i` the derivative of :math:`\phi` by what enters the outputs of sample i
(:math:`|\nu_i| \le |\hat y_i - y_i| / n`) and the operator norms :math:`s_k` of the layers,

.. math::

    \nabla^2 \phi \succeq -K_7, \qquad K_7 \le K_6 \le K_5 \le K_4 \le K_3 \le K_2 \le K_1 \le K_0,

- :math:`K_0 = \sqrt{2 \phi}\, H (H + 1)\, r\, |W|_*^{H-1}`, Lemma 3, and :math:`K_1 = K_0/(H+1)`;
- :math:`K_2`: r becomes the root mean square of the :math:`|x_i|`; :math:`K_3 = H |W|_*^{H-1}
  \sum_i |\nu_i| |x_i|`;
- :math:`K_4 = \lambda_{\max}(M) \sum_i |\nu_i| |x_i|`, with :math:`M_{jk}` the product of the
  :math:`s_l`, l other than j and k, and 0 on the diagonal;
- :math:`K_5 = \lambda_{\max}` of the matrix of the operator norms of the blocks of B;
- :math:`K_6 = -\lambda_{\min}(B)` and :math:`K_7 = -\lambda_{\min}(G + B)`: no estimate at all.

Proof. :math:`\hat y_i` is linear in every layer, so :math:`u^\top B u = \sum_{j \ne k} u_j^\top
B_{jk} u_k`, and as no slope exceeds 1, :math:`|u_j^\top B_{jk} u_k| \le \sum_i |\nu_i| |x_i| M_{jk}
|u_j| |u_k|`. This is :math:`K_6 \le K_5 \le K_4`. Now :math:`M_{jk} \le |W|_*^{H-1}`, and the
:math:`(H+1)^2` matrix with 0 on the diagonal and 1 elsewhere has the largest eigenvalue H: this is
:math:`K_4 \le K_3`. By Cauchy-Schwarz :math:`\sum_i |\nu_i| |x_i| \le \sqrt{2 \phi}` times the root
mean square of the :math:`|x_i|`, which is at most r. G is positive semidefinite: :math:`K_7 \le
K_6`. (The factor H(H+1) of the paper bounds the sum over pairs by their number.)
"""

from __future__ import annotations

from functools import reduce
from itertools import combinations
from operator import mul

import numpy as np
from flint import arb, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.definite import inertia, negative_vector, smallest_eigenvalue
from lscore.algebra.matrices import RationalMatrix, Scalar, exact, rational
from lscore.cells.hessians import split_hessian
from lscore.cells.pattern import Cell
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import DataError
from lscore.model.losses import objects
from lscore.model.passes import layout
from lscore.papers.milne2019.region import BOUNDED, MILNE, hidden_layers, squared_radius

_BOUND = Question("MILNE-L3", "no second derivative of the frozen loss is below the bound", "ball")


@_BOUND.checker
def certify_curvature_bound(
    cell: Cell, w: RationalMatrix, constant: Scalar | None = None
) -> Certificate:
    r"""Is :math:`\nabla^2 \phi(w) \succeq -C r |W|_*^{H-1} \sqrt{2 \phi(w)}`?

    :math:`\phi` is the loss of a cell, without weight decay and with its switches frozen, at any
    exact point. C is `constant`, by default the H(H + 1) of the paper; H will always do, see
    `curvature_chain`, and nothing smaller. Certified in balls, or because the Hessian has no
    negative eigenvalue (exact); refuted with a `direction` and its exact `curvature`. Slopes above
    1 are accepted, so that one can see the bound fail. Unknown for other risks, and where the balls
    overlap. Sound. `DataError` for a negative constant. MILNE-L3, Lemma 3 of Milne (2019).

    >>> from lscore import Network, Risk, SquaredLoss, cell_at, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [1], SquaredLoss("1/2", mean=True))
    >>> w = exact(["1/100", "1/100"])                     # -1 + 3/10^4 against -C (1 - 1/10^4)
    >>> [certify_curvature_bound(cell_at(risk, w), w, C).verdict.value for C in (2, 1, "99/100")]
    ['certified', 'certified', 'refuted']
    """
    risk = cell.risk
    MILNE.require(risk, _BOUND.claim)
    hidden = hidden_layers(risk)
    constant = fmpq(hidden * (hidden + 1)) if constant is None else rational(constant, "constant")
    if constant < 0:
        raise DataError(f"constant: got {constant}, need a number >= 0")
    first, rest = split_hessian(cell, w)
    hessian = first + rest
    largest = reduce(arb.max, (_norm(layer.weight) for layer in risk.network.unpack(w)))
    root = arb(2 * cell.loss(cell.outputs(w)) * squared_radius(risk)).sqrt()
    bound = constant * root * largest ** (hidden - 1)
    values = {"constant": constant}
    if not inertia(hessian)[0]:
        return _BOUND.certified(
            [Condition("no eigenvalue of the Hessian is negative", True)],
            values=values,
            method="exact",
        )
    lowest = smallest_eigenvalue(hessian)
    text = "smallest eigenvalue >= -C r |W|_*^(H-1) (2 phi)^(1/2)"
    if lowest.low + bound > 0:
        return _BOUND.certified([Condition(text, True)], values=values)
    room = bound.upper().fmpq()
    if lowest.high + room < 0:
        unit = exact([[room * (i == j) for j in range(len(w))] for i in range(len(w))])
        direction = negative_vector(hessian + unit)
        curvature = (hessian @ direction).dot(direction) / direction.dot(direction)
        witness = {"direction": direction, "curvature": curvature}
        return _BOUND.refuted([Condition(text, False)], witness, values=values)
    return _BOUND.unknown("the balls around both sides overlap", [Condition(text, None)])


@checked
def curvature_chain(cell: Cell, w: RationalMatrix) -> dict[str, arb]:
    r"""Balls around :math:`K_0, \dots, K_7` at an exact point, for the frozen loss of a cell.

    Networks without biases, with positively homogeneous activations whose slopes do not exceed 1,
    half the mean squared error; any depth H >= 1 and number of outputs. The point need not lie in
    the cell; on a wall ``Cell(risk, pattern_at(risk, w).pieces)`` switches off what is 0.
    `HypothesisError` for other risks. MILNE-L3, Lemma 3 of Milne (2019); from :math:`K_1` on this
    book's.

    >>> from lscore import Network, Risk, SquaredLoss, cell_at, relu
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], ["1/2"],
    ...             SquaredLoss("1/2", mean=True))
    >>> w = exact(["1/4", "1/4"])                         # residual 1/16 - 1/2
    >>> chain = curvature_chain(cell_at(risk, w), w)
    >>> [round(float(chain[name]), 9) for name in ("K0", "K1", "K6", "K7")]
    [0.875, 0.4375, 0.4375, 0.3125]
    """
    risk = cell.risk
    BOUNDED.require(risk, "MILNE-L3")
    hidden = hidden_layers(risk)
    outputs, rows = cell.outputs(w), len(risk.exact_X)
    squares = [_row(risk.exact_X, i) for i in range(rows)]
    pull = cell.frozen.slope(hidden, cell.pull(outputs))
    spread = sum((arb(_row(pull, i) * squares[i]).sqrt() for i in range(rows)), arb(0))
    norms = [_norm(layer.weight) for layer in risk.network.unpack(w)]
    largest = reduce(arb.max, norms)
    power, root = largest ** (hidden - 1), arb(2 * cell.loss(outputs)).sqrt()
    K1 = root * hidden * arb(squared_radius(risk)).sqrt() * power
    products = {
        (j, k): reduce(mul, (s for l, s in enumerate(norms) if l not in (j, k)), arb(1))
        for j, k in combinations(range(hidden + 1), 2)
    }
    first, rest = split_hessian(cell, w)
    return {
        "K0": K1 * (hidden + 1),
        "K1": K1,
        "K2": root * hidden * arb(sum(squares) / rows).sqrt() * power,
        "K3": hidden * power * spread,
        "K4": _largest(hidden + 1, products) * spread,
        "K5": _largest(hidden + 1, _block_norms(cell, rest)),
        "K6": -smallest_eigenvalue(rest).ball(),
        "K7": -smallest_eigenvalue(first + rest).ball(),
    }


def _row(matrix: RationalMatrix, i: int):
    """The squared norm of a row."""
    row = matrix.rows(i, i + 1)
    return row.dot(row)


def _norm(matrix: RationalMatrix) -> arb:
    """A ball around the operator norm."""
    tall = matrix if matrix.shape[0] > matrix.shape[1] else matrix.T
    square = smallest_eigenvalue(-(tall.T @ tall))
    low, high = -square.high, -square.low
    return (low.sqrt() if low > 0 else arb(0)).union(high.sqrt())


def _largest(size: int, entries: dict[tuple[int, int], arb]) -> arb:
    """A ball around the largest eigenvalue of a symmetric matrix with diagonal 0, from the balls
    above the diagonal."""
    middle, width = np.zeros((size, size), dtype=object), [arb(0)] * size
    for (i, j), entry in entries.items():
        middle[i, j] = middle[j, i] = -entry.mid().fmpq()
        width[i], width[j] = width[i] + entry.rad(), width[j] + entry.rad()
    return -smallest_eigenvalue(exact(middle)).widened(reduce(arb.max, width).upper()).ball()


def _block_norms(cell: Cell, hessian: RationalMatrix) -> dict[tuple[int, int], arb]:
    """Balls around the operator norms of the blocks of different layers."""
    places = [layer.weight.ravel() for layer in layout(cell.risk.network, np.arange(len(hessian)))]
    rows = objects(hessian)
    return {
        (j, k): _norm(exact(rows[np.ix_(places[j], places[k])]))
        for j, k in combinations(range(len(places)), 2)
    }
