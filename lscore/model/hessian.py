r"""The full Hessian of a piecewise linear network's risk, in closed form.

Inside a cell the outputs are multilinear in the layers. With J the Jacobian of the outputs and
:math:`\nu` the derivative of the loss by the outputs the Hessian is

.. math:: \sum_i \Big( \ell'' J_i^\top J_i + \sum_o \nu_{io} D^2 \hat y_{io} \Big) + \Lambda,

where :math:`\ell''` is a number (0 for hinge losses), :math:`\Lambda` the diagonal of the weight
decay, and the second part has blocks only between different layers. The first two parts are matrix
products over the samples. With :math:`\delta_l` the derivative of the outputs by what enters the
units of layer l, and :math:`s_l` the layer's inputs,

.. math:: (J_i^\top J_i)_{lh} = (\delta_l^\top \delta_h) \otimes (s_l s_h^\top),

so that where few inputs meet several outputs the products of pairs, whose number does not depend
on the outputs, cost less than J itself. The README has measured ratios.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations_with_replacement, product

import torch

from lscore.algebra.matrices import to_float
from lscore.model.networks import Network
from lscore.model.parameters import float_decay
from lscore.model.passes import Layer, forward

_CHUNK = 1 << 24  # numbers held at once for a block of samples
_TILE = 128
# what it costs to write one product of a pair, in multiplications inside a matrix product
_WRITE = 20


def piecewise_linear_hessian(risk, w: torch.Tensor) -> torch.Tensor:
    """The (m, m) Hessian of a `Risk` with piecewise linear activations at a float point.

    On a knot the left slope is used, as autodiff does for ReLU. Equal to `torch.func.hessian` up
    to rounding; `Risk.hessian` calls it. The result has no graph.
    """
    network, m = risk.network, risk.dimension
    w = w.detach()
    layers = network.unpack(w)
    pull = risk.loss.gradient(risk.network(w, risk.X), risk.y)
    curvature = to_float(risk.loss.curvature(len(risk.y)))
    add_gram, held = _cheaper(network)
    hessian = torch.zeros(m, m, dtype=torch.float64)
    size = max(1, _CHUNK // held)
    for X, part in zip(risk.X.split(size), pull.split(size), strict=True):
        inputs, slopes = _forward(network, layers, X)
        deltas = _backward(layers, slopes)
        if curvature:
            add_gram(hessian, network, inputs, deltas, curvature)
        pulled = [torch.einsum("no,nod->nd", part, delta) for delta in deltas]
        _add_second_order(hessian, network, layers, inputs, slopes, pulled)
    _mirror(hessian)
    decay = torch.as_tensor(float_decay(risk.weight_decay), dtype=torch.float64)
    hessian.diagonal().add_(decay)
    return hessian


def _cheaper(network: Network) -> tuple[Callable, int]:
    """How to add the first part, and how many numbers that holds for one sample."""
    m, k = network.dimension, network.widths[-1]
    cost, most = 0, 1
    for (d, s), (e, t) in combinations_with_replacement(_shapes(network), 2):
        cost += d * e * s * t + _WRITE * (d * e + s * t)
        most = max(most, d * e + s * t)
    by_pairs = cost < k * m * (m / 2 + _WRITE)
    return (_add_pairs, most) if by_pairs else (_add_jacobian, max(most, k * m))


def _shapes(network: Network) -> list[tuple[int, int]]:
    """Per layer the number of units and of inputs, where a bias counts as an input, 1."""
    pairs = zip(network._sizes, network.biases, strict=True)
    return [(out, inner + bias) for (out, inner), bias in pairs]


def _forward(network: Network, layers: list[Layer], X: torch.Tensor) -> tuple[list, list]:
    """Inputs [signal, 1] and slopes of every layer, (n, s) and (n, d)."""
    outer = [*network.activations, network.output_activation]
    run = forward(layers, X, lambda l, z: z if outer[l] is None else outer[l](z))
    ones = torch.ones(len(X), 1, dtype=torch.float64)
    pairs = zip(outer, run.pre, strict=True)
    slopes = [torch.ones_like(z) if h is None else h.slope(z) for h, z in pairs]
    inputs = zip(run.inputs, network.biases, strict=True)
    return [torch.cat([signal, *([ones] * bias)], 1) for signal, bias in inputs], slopes


def _backward(layers: list[Layer], slopes: list[torch.Tensor]) -> list[torch.Tensor]:
    """Derivatives of the outputs by what enters the units of each layer, (n, k, d)."""
    deltas = [torch.diag_embed(slopes[-1])]
    for layer, slope in zip(reversed(layers[1:]), reversed(slopes[:-1]), strict=True):
        deltas.insert(0, (deltas[0] @ layer.weight) * slope[:, None, :])
    return deltas


def _places(network: Network) -> list[list[tuple[slice, slice]]]:
    """Per layer the flat positions of weight and bias, each with its columns among the inputs."""
    places, start = [], 0
    for (out, inner), bias in zip(network._sizes, network.biases, strict=True):
        stop = start + out * inner
        places.append([(slice(start, stop), slice(0, inner))])
        if bias:
            places[-1].append((slice(stop, stop + out), slice(inner, inner + 1)))
        start = stop + out * bias
    return places


def _add_block(hessian, low: list, high: list, block: torch.Tensor) -> None:
    """Add a block (d, s, e, t): derivatives by unit and input of one layer, then of another."""
    for (rows, s), (columns, t) in product(low, high):
        part = block[:, s, :, t]
        hessian[rows, columns] += part.reshape(rows.stop - rows.start, -1)


def _add_jacobian(hessian, network: Network, inputs: list, deltas: list, curvature: float) -> None:
    """Add the first part, in the upper triangle, as the Jacobian times itself."""
    from scipy.linalg.blas import dsyrk

    n, k, _ = deltas[0].shape
    jacobian = torch.empty(n, k, len(hessian), dtype=torch.float64)
    for place, delta, signal in zip(_places(network), deltas, inputs, strict=True):
        for flat, s in place:
            shape = n, k, delta.shape[2], s.stop - s.start
            out = jacobian[:, :, flat].unflatten(2, shape[2:])
            torch.mul(delta[:, :, :, None], signal[:, None, None, s], out=out)
    # the transposes are in Fortran's order, so that nothing is copied
    columns = jacobian.reshape(n * k, -1).T.numpy()
    dsyrk(curvature, columns, 1.0, hessian.T.numpy(), lower=1, overwrite_c=1)


def _add_pairs(hessian, network: Network, inputs: list, deltas: list, curvature: float) -> None:
    r"""Add the first part from the products of pairs, a symmetric pair once."""
    places = _places(network)
    for low in range(len(deltas)):
        for high in range(low, len(deltas)):
            units = (deltas[low].transpose(1, 2) @ deltas[high]).mul_(curvature)
            signals = inputs[low][:, :, None] * inputs[high][:, None, :]
            shape = *units.shape[1:], *signals.shape[1:]
            units, signals = units.flatten(1), signals.flatten(1)
            if low == high:
                u, where_u = _triangle(shape[0])
                s, where_s = _triangle(shape[2])
                block = (units[:, u].T @ signals[:, s])[where_u][:, where_s]
            else:
                block = units.T @ signals
            _add_block(hessian, places[low], places[high], block.reshape(shape).permute(0, 2, 1, 3))


def _triangle(d: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the pairs (p, q) of d things, as p d + q: those with p <= q, and which of them each is."""
    p, q = torch.triu_indices(d, d)
    where = torch.empty(d, d, dtype=torch.int64)
    where[p, q] = where[q, p] = torch.arange(len(p))
    return p * d + q, where.reshape(-1)


def _add_second_order(hessian, network, layers, inputs, slopes, pulled: list) -> None:
    r"""Add :math:`\sum_i` pulled_ir reach_iqp signal_is at (low: p, s), (high: r, q), with reach
    the derivative of the inputs of `high` by what enters the units of `low`."""
    places = _places(network)
    for low, signal in enumerate(inputs[:-1]):
        reach = None
        for high in range(low + 1, len(layers)):
            weight, far = places[high][0][0], pulled[high]
            if high == low + 1:  # q = p, and nothing else to add up
                pairs = (far[:, :, None] * slopes[low][:, None, :]).flatten(1)
                block = (pairs.T @ signal).reshape(far.shape[1], -1, signal.shape[1])
                for rows, s in places[low]:
                    part = hessian[rows, weight].unflatten(0, (block.shape[1], -1))
                    part = part.unflatten(2, block.shape[:2])
                    part.diagonal(dim1=0, dim2=3).add_(block[:, :, s].permute(2, 0, 1))
                continue
            onward = layers[high - 1].weight
            reach = onward * slopes[low][:, None, :] if reach is None else onward @ reach
            reach = reach * slopes[high - 1][:, :, None]
            pairs = (far[:, :, None] * signal[:, None, :]).flatten(1)
            block = (pairs.T @ reach.flatten(1)).reshape(far.shape[1], -1, *reach.shape[1:])
            _add_block(hessian, places[low], [(weight, slice(None))], block.permute(3, 1, 0, 2))


def _mirror(matrix: torch.Tensor) -> None:
    """Copy the upper triangle to the lower one, tile by tile."""
    for i in range(0, len(matrix), _TILE):
        rows = slice(i, i + _TILE)
        square = matrix[rows, rows].triu()
        matrix[rows, rows] = square + square.triu(1).T
        matrix[i + _TILE :, rows] = matrix[rows, i + _TILE :].T
