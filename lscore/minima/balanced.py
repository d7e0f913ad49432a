r"""Local minima by convexity, at any depth: the pulls of the loss balance along every path.

In an open cell each output is a combination of fixed functions of the sample: one for every path
through the network, the product of the slopes on the path times an input, a 1 (for a bias) or an
intercept. The parameters only choose the coefficients. The loss is convex in the outputs, so if its
subgradient at the outputs, the *pull*, is orthogonal to all these functions, no point of the cell
has a smaller risk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import gcd

import numpy as np
from flint import fmpq, fmpz, fmpz_mat

from lscore.algebra.alternatives import zero_in_zonotope
from lscore.algebra.arguments import checked
from lscore.algebra.linear import merge_rows, pivot_columns, rank
from lscore.algebra.matrices import RationalMatrix, exact, rational, stack, zeros
from lscore.cells.incident import stands
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import BudgetError
from lscore.minima.descent import STATEMENT, declared, not_convex
from lscore.model.losses import Loss
from lscore.model.networks import Network, Point
from lscore.model.passes import Pass, trace
from lscore.model.risk import Risk

_MINIMUM = Question("B-BALANCE", STATEMENT, frozen="certified")
MAX_PATHS = 4096
_KINKS = "units are on knots only at inputs with pull 0"
_STANDING = _KINKS + ", or stay on them near the point"


@checked
def reachable_functions(
    network: Network, X: RationalMatrix, pieces: tuple[np.ndarray, ...], limit: int = MAX_PATHS
) -> RationalMatrix:
    r"""Functions of the sample, as columns (n, p), that span the changes of an output in a cell.

    `pieces` has an (n, width) array per hidden layer (a further one, of an output activation, is
    not used). The columns are, up to scale and without repetitions, :math:`1` (the output bias),
    and for every path of units :math:`k_L, \dots, k_l` the products of their slopes
    :math:`\lambda^{(L)}_{i k_L} \cdots \lambda^{(l)}_{i k_l}` (a bias), these times the inputs
    (l = 1), and :math:`\lambda^{(L)}_{i k_L} \cdots \lambda^{(l+1)}_{i k_{l+1}}` times the
    intercept of a unit of layer l. One column of zeros if there are none. Raises `BudgetError`
    above `limit` different products.

    >>> from lscore import relu
    >>> pieces = (np.array([[1, 0], [1, 1]]),)             # unit 0 is on, unit 1 at sample 1 only
    >>> reachable_functions(Network((1, 2, 1), relu), exact([2, 3]), pieces)
    [[1, 0, 2], [1, 1, 3]]
    """
    n = len(X)
    products, columns = {(1,) * n: None}, {}
    if network.biases[-1]:
        columns.update(products)
    hidden = list(zip(network.activations, pieces, network.biases, strict=False))
    for h, layer, bias in reversed(hidden):
        slopes, intercepts = _integers(h.slopes), _integers(h.intercepts)
        longer: dict[tuple[int, ...], None] = {}
        for product in products:
            for column in layer.T:
                _add(columns, (v * intercepts[p] for v, p in zip(product, column, strict=True)))
                _add(longer, (v * slopes[p] for v, p in zip(product, column, strict=True)))
        if len(longer) > limit:
            raise BudgetError(f"the cell has {len(longer)} different paths, the limit is {limit}")
        products = longer
        if bias:
            columns.update(products)
    for inputs in X.numerator.transpose().tolist():
        for product in products:
            _add(columns, (v * int(x) for v, x in zip(product, inputs, strict=True)))
    rows = [e for row in zip(*columns, strict=True) for e in row]
    return RationalMatrix(fmpz_mat(n, len(columns), rows), fmpz(1)) if columns else zeros(n, 1)


def _integers(numbers: tuple[fmpq, ...]) -> list[int]:
    """The numbers times their common denominator."""
    common = fmpz(1)
    for number in numbers:
        common = common.lcm(number.q)
    return [int((number * common).p) for number in numbers]


def _add(columns: dict[tuple[int, ...], None], entries: Iterable[int]) -> None:
    """Add a vector, up to its scale and sign, unless it is 0."""
    vector = tuple(entries)
    if any(vector):
        unit = gcd(*vector) * (1 if next(filter(None, vector)) > 0 else -1)
        columns[tuple(v // unit for v in vector)] = None


@_MINIMUM.checker
def certify_balance(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Do the pulls of the loss balance along every path? Then w is a local minimum (B-BALANCE).

    Conditions, for some subgradient :math:`\nu` (n, k) of the loss at the outputs: (i) where a
    pre-activation is on a knot the pulls of the samples with that input sum to 0, unless it stays
    there near w (`stands`: no bias and inputs that stay 0); (ii)
    :math:`\sum_i \nu_{ic} f(i) = 0` for every output c and every f of `reachable_functions`. Proof:
    with ties resolved in any way, the same for equal inputs, every point near w has outputs
    :math:`\hat Y'` with :math:`\hat Y' - \hat Y` in the span of these functions; (i) makes (ii)
    independent of the way. By convexity the loss is at least
    :math:`\ell(\hat Y) + \langle \nu, \hat Y' - \hat Y \rangle = \ell(\hat Y)`, on every closed
    cell that meets w. For an output activation :math:`\nu` is multiplied by its slopes in (ii).
    Inputs whose pulls sum to 0 drop out of all sums; the functions are taken at the others.

    One hidden layer: :math:`\sum_i \nu_{ic} = 0` and
    :math:`\sum_i \nu_{ic} s_{ik} (x_i, 1) = 0` for each unit k. Special cases: affine and dead
    cells, deep linear networks, flat cells and affine minima of hinge risks. Any depth and number
    of outputs, convex losses that are polynomial in pieces (margin ties by an exact linear
    program, whose solution is the value p), no weight decay. Sound. Unknown where (i) or (ii)
    fails, and above `MAX_PATHS` paths. A tied margin of a sample that is on a knot pulls with p =
    0 only: where another p would balance the answer is unknown. Source: this book.

    Inside a cell of one hidden layer and one output, squared loss, (ii) is also necessary: with
    :math:`g_k = \sum_i \nu_i s_{ik} (x_i, 1)` a gradient of 0 says :math:`v_k g_k = 0`,
    :math:`\sum_i \nu_i h(z_{ik}) = 0` and :math:`\sum_i \nu_i = 0`. So if (ii) fails, some
    :math:`g_k \ne 0` has :math:`v_k = 0`, and `unused_unit_direction` descends; the sums with
    intercepts are 0 where all :math:`g_k` are.

    >>> from lscore import Network, relu
    >>> xor = Risk(Network((2, 2, 1), relu), [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> w = exact([-1, 1, 0, 0, "-1/2", -1, "4/3", 0, "1/3"])
    >>> print(certify_balance(xor, w))
    certified (exact): the point is a local minimum  [B-BALANCE]
      holds     units are on knots only at inputs with pull 0
      holds     the pulls balance along every path: 1 sum over the samples is 0
      value     risk = 1/3
    """
    w = exact(risk.network.point(w), "w")
    if risk.inexact:
        return _MINIMUM.unknown(risk.inexact)
    return certify_balanced_run(risk, trace(risk.network, w, risk.exact_X))


def certify_balanced_run(risk: Risk, run: Pass) -> Certificate:
    """`certify_balance` for a forward pass that is already done."""
    if risk.weight_decay:
        return _MINIMUM.unknown("the risk has weight decay")
    if not risk.loss.convex:
        return _MINIMUM.unknown("the loss is not known to be convex in the outputs")
    pull, found = pulls(risk.loss, run.outputs, risk.exact_y)
    on_knot = {int(i) for part in run.positions for i in np.argwhere(part % 2)[:, 0]}
    ties = [(mu, _through_output(risk, run, unit)) for i, mu, unit in found if i not in on_knot]
    kinks, text = _kinks(risk, run, pull)
    fitted = Condition(text, not kinks)
    if kinks:
        return _MINIMUM.unknown(kinks, [fitted])
    pull = _through_output(risk, run, pull)
    kept = _inputs_that_pull(risk, pull, ties)
    X, pieces = _rows(risk.exact_X, kept), tuple(part[kept] // 2 for part in run.positions)
    try:
        functions = reachable_functions(risk.network, X, pieces)
    except BudgetError as error:
        return _MINIMUM.unknown(str(error), [fitted])
    pull, *units = _at_inputs(risk, [pull, *(unit for _, unit in ties)], kept)
    ties = [(weight, unit) for (weight, _), unit in zip(ties, units, strict=True)]
    sums = functions.T @ pull
    count = sums.shape[0] * sums.shape[1]
    number = "1 sum over the samples is 0" if count == 1 else f"{count} sums over the samples are 0"
    text = f"the pulls balance along every path: {number}"
    values = {"risk": risk.loss(run.outputs, risk.exact_y)}
    balanced = sums.is_zero()
    if not balanced and ties:
        p, _ = balancing(functions, pull, ties)
        balanced, values = p is not None, values | {"p": p}
    largest = None if balanced else max(map(abs, sums.entries()))
    conditions = [fitted, Condition(text, balanced, largest, "largest sum")]
    conditions += declared(risk.loss, "convex")
    if not balanced:
        return _MINIMUM.unknown("the pulls do not balance", conditions)
    return _MINIMUM.certified(conditions, values=values)


def pulls(
    loss: Loss, outputs: RationalMatrix, labels: RationalMatrix
) -> tuple[RationalMatrix, list[tuple[int, fmpq, RationalMatrix]]]:
    """A subgradient (n, k) of a convex loss at exact outputs, and all others: of each tied margin
    its sample, its weight, and the pull per unit, of which any p from 0 to the weight may be added.
    Raises `DataError` at a tie that shows that the loss is not convex.

    >>> from lscore import binary_hinge
    >>> pulls(binary_hinge(), exact([1, 0]), exact([1, 1]))
    (column(0, -1/2), [(0, 1/2, column(-1, 0))])
    """
    if loss.smooth:
        return loss.gradient(outputs, labels), []
    position, lines = loss.positions(outputs, labels), loss.directions(labels)
    pull, ties = loss.gradient(outputs, labels, position // 2), []
    for i, j in np.argwhere(position % 2).tolist():
        raised = position // 2
        raised[i, j] += 1
        jump = loss.gradient(outputs, labels, raised) - pull
        r = next(r for r, d in enumerate(lines[i, j]) if d)
        weight = jump[i, r] / rational(lines[i, j, r])
        if weight < 0:
            raise not_convex(loss, i)
        if weight:
            ties.append((i, weight, jump / weight))
    return pull, ties


def _through_output(risk: Risk, run: Pass, pull: RationalMatrix) -> RationalMatrix:
    """The pull before the output activation: times its slopes."""
    if risk.network.output_activation is None:
        return pull
    slopes = risk.network.output_activation.slopes
    pairs = zip(pull.entries(), (run.positions[-1] // 2).ravel(), strict=True)
    return exact([v * slopes[p] for v, p in pairs]).flat(0, *pull.shape)


def _kinks(risk: Risk, run: Pass, pull: RationalMatrix) -> tuple[str, str]:
    """The first unit on a knot, and not for good, at an input with a pull; empty if there is none.

    And the condition: ties that stand matter only where the sample pulls.
    """
    ties = [(l, i, k) for l, part in enumerate(run.positions, 1) for i, k in np.argwhere(part % 2)]
    text = _KINKS
    if not ties:
        return "", text
    place, totals = _places(risk), merge_rows(risk.exact_X, pull)[1]
    pieces = [part // 2 for part in run.positions]
    for l, i, k in ties:
        if totals.rows(place[i], place[i] + 1).is_zero():
            continue
        if not stands(risk, (l, i, k), pieces):
            return (
                f"unit {k} of layer {l} has its pre-activation exactly on a knot at sample {i}, "
                "which pulls: the point is on a kink"
            ), text
        text = _STANDING
    return "", text


def _places(risk: Risk) -> list[int]:
    """For each sample the number of its input, as `merge_rows` counts them."""
    keys = [tuple(map(int, row)) for row in risk.exact_X.numerator.tolist()]
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return [place[key] for key in keys]


def _inputs_that_pull(risk: Risk, pull: RationalMatrix, ties: list) -> list[int]:
    """The first sample of every input at which the pulls, or those of a tie, do not sum to 0.

    The other inputs add nothing to any sum. The first sample, if there are no others.
    """
    columns = stack([pull.T, *(unit.T for _, unit in ties)]).T
    totals = merge_rows(risk.exact_X, columns)[1]
    first = {place: i for i, place in reversed([*enumerate(_places(risk))])}
    rows = totals.numerator.tolist()
    return [first[place] for place, row in enumerate(rows) if any(row)] or [0]


def _at_inputs(
    risk: Risk, pulls: list[RationalMatrix], kept: list[int]
) -> Iterator[RationalMatrix]:
    """The sums of each of the pulls (n, k) at the inputs of these samples, all in one pass."""
    totals, place = merge_rows(risk.exact_X, stack([pull.T for pull in pulls]).T)[1], _places(risk)
    columns, k = _rows(totals, [place[i] for i in kept]).numerator.transpose().tolist(), 0
    for pull in pulls:
        k, start = k + pull.shape[1], k
        entries = [e for column in columns[start:k] for e in column]
        yield RationalMatrix(fmpz_mat(k - start, len(kept), entries), totals.denominator).T


def _rows(matrix: RationalMatrix, chosen: list[int]) -> RationalMatrix:
    rows = matrix.numerator.tolist()
    entries = [e for i in chosen for e in rows[i]]
    return RationalMatrix(fmpz_mat(len(chosen), matrix.shape[1], entries), matrix.denominator)


def balancing(functions: RationalMatrix, pull: RationalMatrix, ties: list):
    """How much each margin tie pulls, from 0 to its weight, such that all pulls together are
    orthogonal to the functions; None if nothing does. And the slack: how far these numbers are
    inside their bounds if there are as many ties as equations and no other solution, else 0."""
    if functions.is_zero():
        return zeros(len(ties)), fmpq(0)
    basis = stack([functions.column(j).T for j in pivot_columns(functions.numerator)])
    offset, *columns = (
        (basis @ part).flat(0, len(basis) * pull.shape[1], 1)
        for part in (pull, *(unit for _, unit in ties))
    )
    generators = stack([column.T for column in columns]).T
    bounds = exact([weight for weight, _ in ties])
    p = zero_in_zonotope(offset, generators, bounds).solution
    if p is None or not len(ties) == len(offset) == rank(generators):
        return p, fmpq(0)
    return p, min(p.smallest(), (bounds - p).smallest())
