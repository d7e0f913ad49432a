r"""Yun, Sra, Jadbabaie (2019), remark after Theorem 1: wide networks have no bad valleys.

With N distinct inputs and at least N - 1 hidden units, three straight segments lead from any point
to a global minimum, and the risk never rises.
"""

from __future__ import annotations

from dataclasses import replace

from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.linear import least_squares, merge_rows, pivot_columns
from lscore.algebra.matrices import RationalMatrix, exact, ones, stack
from lscore.errors import HypothesisError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.model.settings import SQUARED_HIDDEN
from lscore.papers.yun2019.two_piece.candidates import directions_to_try

CLAIM = "YUN-B-T1-6"


def _beside(*blocks: RationalMatrix) -> RationalMatrix:
    """Blocks with equally many rows, side by side."""
    return stack([block.T for block in blocks]).T


def _with_constant(features: RationalMatrix, units: list[int]) -> RationalMatrix:
    """The constant and the features of some units, as columns."""
    return _beside(ones(len(features)), *(features.column(k) for k in units))


def _candidates(risk: Risk, u: RationalMatrix) -> tuple[list[fmpq], RationalMatrix]:
    """Thresholds beta whose features h(u.x - beta) span every function on the inputs, and those
    features as columns."""
    h, values = risk.network.activations[0], (risk.exact_X @ u).entries()
    kinks = sorted({t - knot for t in values for knot in h.knots})
    marks = [kinks[0] - 1, *kinks, kinks[-1] + 1]
    columns = risk.exact_X @ u @ ones(len(marks)).T - ones(len(values)) @ exact(marks).T
    return marks, h(columns)


@checked
def wide_path(risk: Risk, w: Point) -> list[RationalMatrix]:
    r"""Exact waypoints from any point of a wide network to a global minimum (YUN-B-T1-6).

    (1) Keep units whose features, with the constant, are linearly independent; let the output layer
    reproduce the same output with these alone. (2) Move the idle units to
    :math:`h(u \cdot x - \beta)` until the features with the constant span every function of the N
    distinct inputs. (3) Move the output layer to the least-squares solution. The risk is constant
    on (1) and (2) and a parabola with its minimum at the end on (3); `certify_nonincreasing`
    decides that for the list returned. Any number of outputs, any piecewise linear activation that
    bends. Raises `HypothesisError`: "width" (fewer than N - 1 units), "activation" (affine), and
    for other networks or losses.

    >>> from lscore import Network, relu
    >>> risk = Risk(Network((1, 2, 1), relu), [0, 1, 2], [0, 5, 1])
    >>> [risk(point) for point in wide_path(risk, exact([1, -1, 0, 0, 1, 2, 0]))]
    [17/2, 17/2, 17/2, 0]
    """
    replace(SQUARED_HIDDEN, activations=("piecewise linear",)).require(risk, CLAIM)
    network = risk.network
    h = network.activations[0]
    if all(s == h.slopes[0] for s in h.slopes):
        raise HypothesisError(CLAIM, "activation", f"{h.name} is affine and bends nowhere", h)
    distinct = len(merge_rows(risk.exact_X, ones(len(risk.exact_X)))[0])
    width = network.widths[1]
    if width < distinct - 1:
        raise HypothesisError(
            CLAIM,
            "width",
            f"the hidden layer has width {width}, {distinct} distinct inputs need {distinct - 1}",
            width,
        )
    w = exact(network.point(w), "w")
    hidden, _ = network.unpack(w)
    features, outputs = h(hidden(risk.exact_X)), risk.predictions(w)
    everything = _with_constant(features, list(range(width)))
    kept = [j - 1 for j in pivot_columns(everything.numerator) if j]
    rows = [hidden.weight.rows(k, k + 1).entries() for k in range(width)]
    shifts = hidden.bias.entries()
    path = [w]

    def step(units: list[int], targets: RationalMatrix) -> None:
        """Add the point whose output layer fits the targets with these units only."""
        chosen = h(risk.exact_X @ exact(rows).T + ones(len(features)) @ exact(shifts).T)
        solution, _ = least_squares(_with_constant(chosen, units), targets)
        weights = [[fmpq(0)] * width for _ in range(targets.shape[1])]
        for place, k in enumerate(units):
            for c, row in enumerate(weights):
                row[k] = solution[place + 1, c]
        biases = [exact(shifts), solution.rows(0, 1).T]
        path.append(network.pack([exact(rows), exact(weights)], biases))

    step(kept, outputs)
    u = directions_to_try(risk)[-1]
    marks, columns = _candidates(risk, u)
    basis = _with_constant(features, kept)
    found = pivot_columns(_beside(basis, columns).numerator)[len(kept) + 1 :]
    idle = [k for k in range(width) if k not in kept]
    for k, j in zip(idle, found, strict=False):
        rows[k], shifts[k] = u.entries(), -marks[j - len(kept) - 1]
    step(kept, outputs)
    step(kept + idle[: len(found)], risk.exact_y)
    return path
