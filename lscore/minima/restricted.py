r"""Risks with frozen parameters: what is left where these stay as they are.

Frozen first layers compute data: what they send on. So the layers behind them are a network of
their own, and everything that can be decided of networks is decided of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from lscore.algebra.matrices import RationalMatrix, stack, zeros
from lscore.cells.pattern import Located, locate
from lscore.model.networks import Network, Point
from lscore.model.passes import layout
from lscore.model.risk import Risk


def tail(risk: Risk, w: Point | np.ndarray) -> tuple[Risk, RationalMatrix] | None:
    """The risk of the layers behind the frozen first ones, on their signals, and its point.

    None if a parameter of the first layer may move. Near w, as a function of the free parameters,
    it is the whole risk.

    >>> from lscore import Network, Risk, exact, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [1, 2], [3, 4], frozen=[True, False])
    >>> rest, point = tail(risk, exact([2, -1, 1, 0]))
    >>> rest.exact_X, rest.network.widths, point
    (column(1, 3), (1, 1), column(1, 0))
    """
    network, count = risk.network, 0
    for layer in layout(network, np.array(risk.frozen)):
        if not all(part.all() for part in (layer.weight, layer.bias) if part is not None):
            break
        count += 1
    if not count:
        return None
    w = locate(risk.unfrozen, w)
    rest = Network(
        network.widths[count:],
        network.activations[count:],
        network.biases[count:],
        network.output_activation,
    )
    start = risk.dimension - rest.dimension
    decay = risk.weight_decay  # 0, or a column with zeros for what is frozen
    if isinstance(decay, RationalMatrix):
        decay = decay.rows(start, risk.dimension)
    signals, held = w.run.inputs[count], risk.frozen[start:]
    moving = replace(risk, network=rest, X=signals, weight_decay=decay, frozen=held)
    return moving, w.rows(start, risk.dimension)


def lifted(witness: Mapping[str, object], w: RationalMatrix) -> dict[str, object]:
    """A witness about the `tail` of a point as one about the whole point w.

    >>> from lscore import exact
    >>> lifted({"direction": exact([3]), "lower_point": exact([4])}, exact([1, 2]))
    {'direction': column(0, 3), 'lower_point': column(1, 4)}
    """
    found = dict(witness)
    for name in {"direction", "curve", "lower_point"} & found.keys():
        still = len(w) - len(found[name])
        moves = name != "lower_point"
        above = zeros(still, found[name].shape[1]) if moves else w.rows(0, still)
        found[name] = stack([above, found[name]])
    return found


def steepest(risk: Risk, w: Located) -> Iterator[RationalMatrix]:
    """The negative gradient by the free parameters, exact, inside a cell where it is not 0."""
    if w.pattern.in_cell and not (gradient := w.cell.gradient(w)).is_zero():
        yield -gradient
