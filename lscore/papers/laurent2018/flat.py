r"""Laurent and von Brecht (2018), Lemmas 100 and 101, Theorem 3: which cells are flat?

On a cell the hinge risk is a constant plus multilinear forms (Theorem 1). The coefficient of one
monomial belongs to one path through the network, from an output down to an input or a bias: the sum
over the samples of the pull :math:`\nu_{ir}`, times the slopes of the units on the path, times the
input (or 1). The cell is flat if and only if all of them are 0. Equal products are merged layer by
layer, so depth costs little.
"""

from __future__ import annotations

from collections.abc import Iterator

from flint import fmpq, fmpz

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, exact, zeros
from lscore.cells.pattern import Cell, cell_at
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import LscoreError, ShapeError
from lscore.model.networks import Network, Point
from lscore.model.risk import Risk
from lscore.model.settings import Setting
from lscore.papers.laurent2018.data import LabelledData
from lscore.papers.laurent2018.rare import certify_generic

_FLAT = Question("LVB-L101", "the risk is constant on the cell")
_OPTIMAL = Question("LVB-T3", "every flat cell has loss zero")
HINGE_THROUGH_0 = Setting(
    output_activation=False,
    activations=("every piece through 0",),
    loss="hinge loss",
    weight_decay=False,
)


@_FLAT.checker
def certify_flat(cell: Cell) -> Certificate:
    r"""Is the risk constant on a cell? (LVB-L101, at any depth)

    For every output r and every path of units :math:`k_L, \dots, k_l` the numbers
    :math:`\sum_i \nu_{ir} \lambda^{(L)}_{i k_L} \cdots \lambda^{(l)}_{i k_l}` must be 0 (biases),
    also without any unit, and times :math:`x_i` for the full paths (weights). Sound and complete.
    Certified: flat, with the risk. Refuted: the witness names a path, its coefficient, and a 0-1
    `point` that carries only this path, at which the frozen risk differs from its value at 0 by
    the coefficient; see `changes_the_frozen_risk`. Fully connected networks with activations
    through 0, hinge losses, no weight decay, no output activation; otherwise unknown.

    >>> from lscore import Network, binary_hinge, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [-1, 1], [-1, 1], binary_hinge())
    >>> dead = cell_at(risk, exact([0, -1, 1, 0]))
    >>> dead_flat = certify_flat(dead)
    >>> dead_flat.verdict.value, dead_flat.values["risk"]
    ('certified', 1)
    >>> certify_flat(cell_at(risk, exact([1, 2, "1/9", 0]))).witness["path"]
    'output 0 < unit 0 of layer 1 < input 0'
    """
    HINGE_THROUGH_0.require(cell.risk, _FLAT.claim)
    count, zero = 0, zeros(cell.risk.dimension)
    for path, coefficient in _coefficients(cell):
        count += 1
        if coefficient != 0:
            return _refute(cell, path, coefficient)
    text = f"the pulls balance along every path: {count} sums over the samples are 0"
    return _FLAT.certified([Condition(text, True)], values={"risk": cell(zero)})


@checked
def changes_the_frozen_risk(cell: Cell, point: RationalMatrix) -> bool:
    """Whether the polynomial of the cell differs at `point` from its value at 0: then the cell is
    not flat."""
    return cell(point) != cell(zeros(cell.risk.dimension))


def _coefficients(cell: Cell) -> Iterator[tuple[tuple, fmpq]]:
    """Every coefficient once per distinct product, with the first path that has it.

    A path is (output, units from the last hidden layer down, source): the source is None for a
    bias and the number of an input otherwise.
    """
    network, pull = cell.risk.network, cell.pull(zeros(len(cell.risk.y), 1))
    scale = pull.denominator
    products: dict[tuple, tuple] = {}
    for r, column in enumerate(pull.numerator.transpose().tolist()):
        products.setdefault(tuple(map(int, column)), (r,))
    layers = zip(network.activations, cell.pieces, network.biases[1:], strict=False)
    for h, pieces, bias in reversed(list(layers)):
        yield from _bias_coefficients(products, scale) if bias else ()
        common = fmpz(1)
        for slope in h.slopes:
            common = common.lcm(slope.q)
        slopes, scale = [int((s * common).p) for s in h.slopes], scale * common
        longer: dict[tuple, tuple] = {}
        for vector, path in products.items():
            for k, column in enumerate(pieces.T):
                times = tuple(v * slopes[p] for v, p in zip(vector, column, strict=True))
                longer.setdefault(times, (*path, k))
        products = longer
    yield from _bias_coefficients(products, scale) if network.biases[0] else ()
    inputs = cell.risk.exact_X.numerator.transpose().tolist()
    scale *= cell.risk.exact_X.denominator
    for vector, path in products.items():
        for j, column in enumerate(inputs):
            total = sum((v * x for v, x in zip(vector, column, strict=True)), fmpz(0))
            yield (*path, j), fmpq(total, scale)


def _bias_coefficients(products: dict, scale: fmpz):
    for vector, path in products.items():
        yield (*path, None), fmpq(sum(vector), scale)


def _refute(cell: Cell, path: tuple, coefficient: fmpq) -> Certificate:
    point = _path_point(cell.risk.network, path)
    if cell(point) - cell(point * 0) != coefficient:
        raise LscoreError("certify_flat: a coefficient failed its check by substitution")
    witness = {
        "path": _path_text(path, len(cell.risk.network.activations)),
        "coefficient": coefficient,
        "point": point,
    }
    balanced = Condition("the pulls balance along every path", False)
    return _FLAT.refuted([balanced], witness)


def _path_text(path: tuple, depth: int) -> str:
    output, *units, source = path
    steps = [f"unit {k} of layer {depth - step}" for step, k in enumerate(units)]
    end = "bias" if source is None else f"input {source}"
    return " < ".join([f"output {output}", *steps, end])


def _path_point(network: Network, path: tuple) -> RationalMatrix:
    """The parameters that are 1 along a path, from its source to the output, and 0 elsewhere."""
    sizes = list(zip(network.widths[1:], network.widths[:-1], strict=True))
    weights = [[[0] * inner for _ in range(out)] for out, inner in sizes]
    biases = [[0] * out for out, _ in sizes]
    *units, source = path
    layer = len(sizes)
    for step, k in enumerate(units):
        layer -= 1
        if step + 1 < len(units):
            weights[layer][k][units[step + 1]] = 1
        elif source is None:
            biases[layer][k] = 1
        else:
            weights[layer][k][source] = 1
    pairs = zip(biases, network.biases, strict=True)
    parts = [exact(entries) if has_bias else None for entries, has_bias in pairs]
    return network.pack(list(map(exact, weights)), parts)


@checked
def certify_vanishing(diagonals: RationalMatrix, X: RationalMatrix) -> Certificate:
    r"""Is :math:`\sum_i D_i A x_i = 0` for every matrix A? (LVB-L100)

    `diagonals` (n, m) has the diagonal of :math:`D_i` in row i, X is (n, d). Decided by the lemma:
    :math:`\sum_i D_i(j,j)\, x_i = 0` for every j. Refuted: the witness is a matrix unit A (m, d)
    with the value of the sum. Sound and complete. Raises `ShapeError`.

    >>> certify_vanishing(exact([[1, 1], [-1, 0]]), exact([2, 2])).witness["matrix"]
    column(0, 1)
    """
    if len(diagonals) != len(X):
        raise ShapeError(f"diagonals, X: {len(diagonals)} and {len(X)} rows, need as many")
    m, d = diagonals.shape[1], X.shape[1]
    asked = Question("LVB-L100", "the sum of D_i A x_i is 0 for every matrix A")
    text, balance = f"the inputs balance for each of the {m} diagonal entries", diagonals.T @ X
    for j in range(m):
        for k in range(d):
            if balance[j, k] != 0:
                unit = exact([[int((a, b) == (j, k)) for b in range(d)] for a in range(m)])
                witness = {"matrix": unit, "sum": weighted_images(diagonals, unit, X)}
                return asked.refuted([Condition(text, False)], witness)
    return asked.certified([Condition(text, balance.is_zero())])


def weighted_images(diagonals: RationalMatrix, A: RationalMatrix, X: RationalMatrix):
    r"""The sum :math:`\sum_i D_i A x_i` itself, (m, 1), for A (m, d).

    >>> weighted_images(exact([[1, 1], [-1, 0]]), exact([5, 7]), exact([2, 2]))
    column(0, 14)
    """
    images = X @ A.T
    rows = zip(diagonals.T.numerator.tolist(), images.T.numerator.tolist(), strict=True)
    sums = [sum((a * b for a, b in zip(d, v, strict=True)), fmpz(0)) for d, v in rows]
    return exact(sums) * fmpq(1, diagonals.denominator * images.denominator)


@_OPTIMAL.checker
def certify_flat_is_optimal(
    risk: Risk, w: Point | None = None, *, limit: int = 10**6
) -> Certificate:
    r"""Has every flat cell loss zero? (LVB-T3)

    Certified by Theorem 3 where its hypotheses are: all layers fully connected with biases, one
    leaky slope :math:`\alpha > 0`, generic data; then every minimum that touches a flat cell is
    global. Refuted by a point `w` inside a flat cell with positive loss. Unknown otherwise, with
    the reason. Sound, not complete: rare data may still have no bad flat cell.

    >>> from lscore import Network, binary_hinge, leaky_relu
    >>> risk = Risk(Network((1, 3, 3, 1), leaky_relu("1/9")), [0, 1], [-1, 1], binary_hinge())
    >>> certify_flat_is_optimal(risk).verdict.value
    'certified'
    """
    HINGE_THROUGH_0.require(risk, _OPTIMAL.claim)
    if w is not None:
        w = exact(risk.network.point(w), "w")
        flat = certify_flat(cell_at(risk, w))
        if flat.certified and flat.values["risk"] > 0:
            witness = {"point": w, "risk": flat.values["risk"]}
            conditions = [*flat.conditions, Condition("the loss of that flat cell is 0", False)]
            return _OPTIMAL.refuted(conditions, witness)
    data = LabelledData.of(risk)
    generic = certify_generic(data, limit=limit)
    conditions = [
        Condition("every layer has biases", all(risk.network.biases)),
        Condition("the leaky slope is positive", data.alpha > 0, data.alpha, "slope"),
        *generic.conditions,
    ]
    reason = generic.reason
    if missing := Setting(biases=True).misses(risk):
        reason = "the network has no biases" if not any(risk.network.biases) else missing
    elif data.alpha == 0:
        reason = "the slope of the activation is 0 on one side"
    elif generic.refuted:
        reason = "the data are rare"
    return _OPTIMAL.unknown(reason, conditions) if reason else _OPTIMAL.certified(conditions)
