r"""The Hessian of a cell's loss, exact, in the two parts that behave so differently.

Inside a cell, with J the Jacobian of the outputs, :math:`\ell''` and :math:`\nu` the second and
first derivatives of the loss by the outputs,

.. math:: \nabla^2 \ell = G + B, \quad G = \sum_i J_i^\top \ell''_i J_i, \quad
    B = \sum_{i,o} \nu_{io} \nabla^2 \hat y_{io}.

The *Gauss-Newton part* G is positive semidefinite for a convex loss. The *residual part* B has
blocks between different layers only, for the outputs are affine in every single layer.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from lscore.algebra.arguments import checked
from lscore.algebra.arrays import object_array
from lscore.algebra.matrices import RationalMatrix, exact, ones, zeros
from lscore.cells.pattern import Cell
from lscore.errors import SettingError
from lscore.model.losses import objects
from lscore.model.passes import Pass, layout


@checked
def split_hessian(cell: Cell, w: RationalMatrix) -> tuple[RationalMatrix, RationalMatrix]:
    r"""G and B (m, m) of the frozen loss at an exact point; their sum lacks the weight decay.

    Exact; any depth, number of outputs and polynomial loss (`SettingError` for others). For half
    the mean squared error G is :math:`\frac1n \sum_i \nabla \hat y_i \nabla \hat y_i^\top`.

    >>> from lscore import Network, Risk, SquaredLoss, relu
    >>> from lscore.cells.pattern import cell_at
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [3], SquaredLoss("1/2", mean=True))
    >>> split_hessian(cell_at(risk, exact([1, 2])), exact([1, 2]))     # (v w - 3)^2 / 2
    ([[4, 2], [2, 1]], [[0, -1], [-1, 0]])
    """
    if not cell.risk.loss.polynomial:
        raise SettingError(f"risk: {cell.risk.inexact}")
    run, index = cell.forward(w), layout(cell.risk.network, np.arange(len(w)))
    inputs = [_augmented(run, l) for l in range(len(index))]
    places = [
        layer.weight if layer.bias is None else np.column_stack([layer.weight, layer.bias])
        for layer in index
    ]
    outputs, k = run.outputs, run.outputs.shape[1]
    second = cell.risk.loss.second(objects(outputs), cell.risk.exact_y, cell.margins)
    jacobians = []
    for r in range(k):
        unit = exact([[int(c == r) for c in range(k)]] * len(outputs))
        jacobian = np.zeros((len(outputs), len(w)), dtype=object)
        for place, delta, signal in zip(places, _deltas(cell, run, unit), inputs, strict=True):
            jacobian[:, place] = delta[:, :, None] * signal[:, None, :]
        jacobians.append(jacobian)
    gauss_newton = zeros(len(w), len(w))
    for r, left in enumerate(jacobians):
        for s, right in enumerate(jacobians):
            if (weight := second[:, r, s]).any():
                gauss_newton += exact(left * weight[:, None]).T @ exact(right)
    residual = np.zeros((len(w), len(w)), dtype=object)
    pulled = _deltas(cell, run, cell.pull(outputs))
    for low, high in combinations(range(len(places)), 2):
        reach = _reach(cell, run, low, high)
        left = pulled[high][:, :, None] * inputs[low][:, None, :]
        block = exact(left.reshape(len(left), -1)).T @ exact(reach.reshape(len(left), -1))
        sizes = (*left.shape[1:], *reach.shape[1:])
        block = objects(block).reshape(sizes).transpose(0, 2, 3, 1)  # unit, input; unit, input
        rows, columns = places[high][:, : sizes[2]], places[low]
        residual[rows[:, :, None, None], columns] = block
        residual[columns[:, :, None, None], rows] = block.transpose(2, 3, 0, 1)
    return gauss_newton, exact(residual)


@checked
def cell_hessian(cell: Cell, w: RationalMatrix) -> RationalMatrix:
    """The exact (m, m) Hessian of the frozen risk at an exact point, 0 by frozen parameters.

    >>> from lscore import Network, Risk, binary_hinge, relu
    >>> from lscore.cells.pattern import cell_at
    >>> risk = Risk(Network((1, 1, 1), relu, bias=False), [2], [1], binary_hinge())
    >>> w = exact([1, "1/4"])                              # risk 1 - 2 w v
    >>> cell_hessian(cell_at(risk, w), w)
    [[0, -2], [-2, 0]]
    """
    gauss_newton, residual = split_hessian(cell, w)
    decay = cell.risk.shrinkage(ones(len(w))).entries()
    whole = gauss_newton + residual + exact(np.diag(object_array(decay)))
    return cell.risk.freed(cell.risk.freed(whole).T)


def _augmented(run: Pass, l: int) -> np.ndarray:
    """The inputs of a layer, with a 1 for its bias, (n, s)."""
    signal = objects(run.inputs[l])
    if run.layers[l].bias is None:
        return signal
    return np.column_stack([signal, np.ones(len(signal), dtype=int).astype(object)])


def _deltas(cell: Cell, run: Pass, pull: RationalMatrix) -> list[np.ndarray]:
    """The derivative of the sum of `pull` times the outputs by what enters each layer's units."""
    top = len(run.layers) - 1
    found = [cell.frozen.slope(top, pull)]
    for l in range(top, 0, -1):
        found.insert(0, cell.frozen.slope(l - 1, found[0] @ run.layers[l].weight))
    return [objects(delta) for delta in found]


def _reach(cell: Cell, run: Pass, low: int, high: int) -> np.ndarray:
    """The derivative (n, q, p) of the inputs q of layer `high` by what enters the units p of
    layer `low`."""
    width = cell.pieces[low].shape[1]
    slopes = [np.array(h.slopes, dtype=object) for h in cell.frozen.activations]
    reach = np.eye(width, dtype=int).astype(object) * slopes[low][cell.pieces[low]][:, None, :]
    for l in range(low + 1, high):
        weight = objects(run.layers[l].weight)
        reach = (weight @ reach) * slopes[l][cell.pieces[l]][:, :, None]
    return reach
