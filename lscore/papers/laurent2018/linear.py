r"""Laurent and von Brecht (2018), Theorem 100: deep linear networks with a hinge loss.

Such a network computes :math:`x \mapsto \bar V x + \bar c`, and its risk is a convex function
:math:`\mathcal{E}(\bar V, \bar c)` of the product. So a point is a global minimum if numbers
:math:`\lambda_{ij} \in [0, 1]`, one per margin :math:`m_{ij}` (1 where it is positive, 0 where it
is negative), balance the data:

.. math:: \sum_{ij} \mu_{ij} \lambda_{ij} D_{ij} \tilde x_i^\top = 0, \qquad
   \mathcal{E}(V, c) \ge \sum_{ij} \mu_{ij} \lambda_{ij} m_{ij}(V, c) = \sum_{ij} \mu_{ij}
   \lambda_{ij} \quad\text{for all } (V, c).

They are the solution of a dual linear program; :math:`m_{ij} = 1 + \langle D_{ij}, Vx_i +
c\rangle`, for the binary hinge :math:`D_i = -y_i`.
"""

from __future__ import annotations

import numpy as np

from lscore.algebra.arguments import checked
from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import RationalMatrix, exact, ones, rational, stack, zeros
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import BudgetError, HypothesisError
from lscore.minima.balanced import balancing, pulls
from lscore.minima.clarke import certify_subgradient
from lscore.model.networks import Network, Point
from lscore.model.passes import flat
from lscore.model.risk import Risk
from lscore.model.settings import Setting

CLAIM = "LVB-T100"
LINEAR_HINGE = Setting(
    output_activation=False,
    activations=("identity",),
    loss="one of the hinge losses",
    weight_decay=False,
)
_MINIMUM = Question(CLAIM, "the point is a global minimum")
_CLOSE = ("1e-9", "1e-7", "1e-5")


def _free_constant(risk: Risk) -> bool:
    """Whether the output has a bias; `HypothesisError` if only hidden layers have biases."""
    LINEAR_HINGE.require(risk, CLAIM)
    biases = risk.network.biases
    if any(biases) and not biases[-1]:
        raise HypothesisError(CLAIM, "output bias", "only hidden layers have biases", biases)
    return biases[-1]


@checked
def collapsed(risk: Risk, w: Point) -> tuple[Risk, RationalMatrix]:
    r"""The convex risk of the product, and the point :math:`(\bar V, \bar c)` of a deep one.

    The risk of one layer without hidden ones, on the same data. Raises `HypothesisError` (LVB-T100)
    for networks that are not linear, other losses than hinges, weight decay.

    >>> from lscore import Network, binary_hinge, identity
    >>> risk = Risk(Network((1, 2, 1), identity), [2], [1], binary_hinge())
    >>> one, point = collapsed(risk, exact([1, 2, 3, 4, 5, 6, 7]))
    >>> point, one(point) == risk(exact([1, 2, 3, 4, 5, 6, 7]))
    (column(17, 46), True)
    """
    network, constant = risk.network, _free_constant(risk)
    w, d = exact(network.point(w), "w"), network.widths[0]
    units = [[int(i == j) for j in range(d)] for i in range(-1, d)]  # 0 first
    images = network(w, exact(units))
    c = images.rows(0, 1)
    V = images.rows(1, d + 1) - ones(d) @ c
    one = Network((d, network.widths[-1]), (), bias=constant)
    shallow = Risk(one, risk.exact_X, risk.exact_y, risk.loss)
    return shallow, flat([V.T, c.T] if constant else [V.T])


@checked
def deepened(risk: Risk, point: Point) -> RationalMatrix:
    r"""A point of the deep risk whose product is the given point of the `collapsed` one.

    The first layer holds :math:`\bar V` if every hidden layer is as wide as the output, else the
    last one does if all are as wide as the input; the other layers have ones on the diagonal.
    Raises `HypothesisError` (LVB-T100) where neither is so, and as `collapsed`.

    >>> from lscore import Network, binary_hinge, identity
    >>> risk = Risk(Network((2, 2, 1), identity), [[1, 0]], [1], binary_hinge())
    >>> deepened(risk, exact([3, 4, 5]))
    column(3, 4, 0, 0, 0, 0, 1, 0, 5)
    """
    shallow, _ = collapsed(risk, zeros(risk.dimension))
    (top,) = shallow.network.unpack(exact(point, "point"))
    k, d = top.weight.shape
    narrow = min(risk.network.widths)
    if narrow < min(k, d):
        text = f"a hidden layer has width {narrow}, need {min(k, d)} for any product"
        raise HypothesisError(CLAIM, "width", text, risk.network.widths)
    place, parts = (0 if narrow >= k else -1), []
    layers = risk.network.unpack(zeros(risk.dimension))
    for layer in layers:
        kept = top.weight if layer is layers[place] else None
        parts.append(padded(kept, *layer.weight.shape))
        if layer.bias is not None:
            parts.append(top.bias if layer is layers[-1] else layer.bias)
    return flat(parts)


def padded(A: RationalMatrix | None, rows: int, columns: int) -> RationalMatrix:
    """A, or the identity, in the upper left corner of a matrix of this shape, else 0."""

    def entry(i: int, j: int):
        if A is None:
            return int(i == j)
        return A[i, j] if i < A.shape[0] and j < A.shape[1] else 0

    return exact([[entry(i, j) for j in range(columns)] for i in range(rows)])


@_MINIMUM.checker
def certify_linear_hinge_minimum(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is w a global minimum of a deep linear network with a hinge loss?

    Certified with the `multipliers` :math:`\lambda` (n, J) above, found by an exact linear program
    over the tied margins: the dual bound equals the risk (LVB-T100 for one output, LVB-C100 for
    several). Refuted with a `lower_point` of the network, on a direction of descent of the convex
    problem. Exact; sound; complete for one output, and where every hidden layer is as wide as the
    narrower of input and output; else a point that does not solve the convex problem is unknown.
    Biases: everywhere, nowhere, or at the output alone; any hinge loss, depth and weights. Source:
    Laurent and von Brecht (2018), Theorem 100.

    >>> from lscore import Network, binary_hinge, identity
    >>> X, y = [[0, 0], [2, 2], [0, 2], [2, 0], [3, 3]], [1, 1, -1, -1, 1]
    >>> risk = Risk(Network((2, 1, 1), identity), X, y, binary_hinge())
    >>> print(certify_linear_hinge_minimum(risk, exact(["1/2", "1/2", 0, 1, -2])))
    certified (exact): the point is a global minimum  [LVB-T100]
      holds     multipliers in [0, 1] balance the data
      holds     their dual bound is the risk, bound 4/5
      value     risk = 4/5
      value     product = column(1/2, 1/2, -2)
      value     multipliers = column(1, 1, 1, 1, 0)
    """
    shallow, point = collapsed(risk, w)
    lam = _multipliers(shallow, point)
    balance = Condition("multipliers in [0, 1] balance the data", lam is not None)
    if lam is not None:
        value, mu = shallow(point), risk.loss.term_weights(*lam.shape)
        bound = Condition("their dual bound is the risk", mu.dot(lam) == value, value, "bound")
        values = {"risk": value, "product": point, "multipliers": lam}
        return _MINIMUM.certified([balance, bound], values=values)
    lower = _lower(shallow, point)
    try:
        witness = {
            "lower_point": deepened(risk, lower),
            "decrease": shallow(point) - shallow(lower),
        }
    except HypothesisError as error:
        return _MINIMUM.unknown(f"it does not solve the convex problem, but {error}", [balance])
    return _MINIMUM.refuted([balance], witness)


def _multipliers(shallow: Risk, point: RationalMatrix) -> RationalMatrix | None:
    """The lambda (n, J) that prove the point of the convex problem optimal; None without."""
    outputs, labels = shallow.predictions(point), shallow.exact_y
    pull, ties = pulls(shallow.loss, outputs, labels)
    design = shallow.exact_augmented if shallow.network.bias else shallow.exact_X
    if ties:
        p, _ = balancing(design, pull, [(weight, unit) for _, weight, unit in ties])
    else:
        p = zeros(0) if (design.T @ pull).is_zero() else None
    if p is None:
        return None
    places = shallow.loss.positions(outputs, labels)
    shares = iter([a / weight for a, (_, weight, _) in zip(p.entries(), ties, strict=True)])
    return exact([[(0, None, 1)[v] if v != 1 else next(shares) for v in row] for row in places])


def _lower(shallow: Risk, point: RationalMatrix) -> RationalMatrix:
    """A lower point of the convex problem."""
    step = certify_subgradient(shallow, point).witness["direction"]
    while shallow(point + step) >= shallow(point):
        step = step / 2
    return point + step


@checked
def linear_hinge_optimum(risk: Risk) -> RationalMatrix:
    r"""A minimum of the convex problem of a deep linear network: a point of the `collapsed` risk.

    A float linear program proposes which margins are tied; the point is then solved for in
    rationals, and kept if `certify_linear_hinge_minimum` would certify it. Raises `BudgetError` if
    no proposal passes, and `HypothesisError` as `collapsed`.

    >>> from lscore import Network, binary_hinge, identity
    >>> X, y = [[0, 0], [2, 2], [0, 2], [2, 0], [3, 3]], [1, 1, -1, -1, 1]
    >>> risk = Risk(Network((2, 1, 1), identity), X, y, binary_hinge())
    >>> shallow, _ = collapsed(risk, exact([0] * 5))
    >>> shallow(linear_hinge_optimum(risk))
    4/5
    """
    shallow, origin = collapsed(risk, zeros(risk.dimension))
    A, level = _margin_matrix(shallow, origin)
    start = _proposed(shallow, A, level)
    for close in _CLOSE:
        near = exact(start.tolist())
        gaps = A @ near + level
        tied = [j for j, gap in enumerate(gaps.entries()) if abs(gap) < rational(close)]
        if tied:
            rows = stack([A.rows(j, j + 1) for j in tied])
            rest = stack([gaps.rows(j, j + 1) for j in tied])
            near = near - least_squares(rows, rest)[0]
        if _multipliers(shallow, near) is not None:
            return near
    raise BudgetError("risk: no proposal of the float linear program passes the exact check")


def _margin_matrix(shallow: Risk, origin: RationalMatrix) -> tuple[RationalMatrix, RationalMatrix]:
    """The margins as an affine map of the point: A (nJ, m) and their values at 0."""
    m = len(origin)

    def margins(p: RationalMatrix) -> RationalMatrix:
        found = shallow.loss.margins(shallow.predictions(p), shallow.exact_y)
        return found.flat(0, found.shape[0] * found.shape[1], 1)

    level = margins(origin)
    units = (exact([int(i == j) for i in range(m)]) for j in range(m))
    return stack([(margins(unit) - level).T for unit in units]).T, level


def _proposed(shallow: Risk, A: RationalMatrix, level: RationalMatrix) -> np.ndarray:
    """The point (m,) of a float linear program: minimise mu . s with s >= margins, s >= 0."""
    from scipy.optimize import linprog

    count, m = A.shape
    J = shallow.margin_lines.shape[1]
    mu = shallow.loss.term_weights(count // J, J).floats().ravel()
    system = np.hstack([A.floats(), -np.eye(count)])
    bounds = [(None, None)] * m + [(0, None)] * count
    found = linprog(np.concatenate([np.zeros(m), mu]), system, -level.floats()[:, 0], bounds=bounds)
    if found.x is None:
        raise BudgetError(f"risk: the float linear program failed, {found.message}")
    return found.x[:m]
