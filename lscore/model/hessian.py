r"""The full Hessian of a piecewise linear network's risk, in closed form.

Inside a cell the outputs are multilinear in the layers. With J the Jacobian of the outputs and
:math:`\nu` the derivative of the loss by the outputs the Hessian is

.. math:: \sum_i \Big( \ell'' J_i^\top J_i + \sum_o \nu_{io} D^2 \hat y_{io} \Big) + \lambda I,

where :math:`\ell''` is a number (0 for hinge losses) and the second part has blocks only between
different layers. Both parts are matrix products over the samples. The fewer the outputs, the more
this saves over differentiating twice: the README has measured ratios.
"""

from __future__ import annotations

import torch

from lscore.algebra.matrices import to_float
from lscore.model.networks import Layer, Network

_CHUNK = 1 << 24  # numbers held at once in the Jacobian of a block of samples


def piecewise_linear_hessian(risk, w: torch.Tensor) -> torch.Tensor:
    """The (m, m) Hessian of a `Risk` with piecewise linear activations at a float point.

    On a knot the left slope is used, as autodiff does for ReLU. Equal to `torch.func.hessian` up
    to rounding; `Risk.hessian` calls it.
    """
    network, m = risk.network, risk.dimension
    layers = network.unpack(w)
    pull = risk.loss.gradient(risk.network(w, risk.X), risk.y)
    curvature = to_float(risk.loss.curvature(len(risk.y)))
    hessian = torch.eye(m, dtype=torch.float64) * to_float(risk.weight_decay)
    size = max(1, _CHUNK // (m * risk.y.shape[1]))
    for X, part in zip(risk.X.split(size), pull.split(size), strict=True):
        _add_samples(hessian, network, layers, X, part, curvature)
    return hessian


def _positions(network: Network) -> list[torch.Tensor]:
    """For each layer the flat positions of (weight | bias), shape (out, in + bias)."""
    positions, start = [], 0
    for out, inner in zip(network.widths[1:], network.widths[:-1], strict=True):
        weight = torch.arange(start, start + out * inner).reshape(out, inner)
        start += out * inner
        if network.bias:
            weight = torch.cat([weight, torch.arange(start, start + out)[:, None]], 1)
            start += out
        positions.append(weight)
    return positions


def _add_samples(hessian, network, layers: list[Layer], X, pull, curvature: float) -> None:
    n, outputs = pull.shape
    inputs, slopes, signal = [], [], X
    outer = [*network.activations, network.output_activation]
    for layer, h in zip(layers, outer, strict=True):
        ones = [torch.ones(n, 1, dtype=torch.float64)] if network.bias else []
        inputs.append(torch.cat([signal, *ones], 1))
        z = layer(signal)
        slopes.append(torch.ones_like(z) if h is None else h.slope(z))
        signal = z if h is None else h(z)

    # deltas[l]: derivative of each output by the pre-activations of layer l, (n, outputs, d_l)
    delta = torch.diag_embed(slopes[-1])
    deltas = [delta]
    for layer, slope in zip(reversed(layers[1:]), reversed(slopes[:-1]), strict=True):
        deltas.insert(0, (deltas[0] @ layer.weight) * slope[:, None, :])

    positions = _positions(network)
    jacobian = torch.empty(n * outputs, len(hessian), dtype=torch.float64)
    for place, delta, signal in zip(positions, deltas, inputs, strict=True):
        block = delta[:, :, :, None] * signal[:, None, None, :]
        jacobian[:, place.reshape(-1)] = block.reshape(n * outputs, -1)
    hessian.addmm_(jacobian.T, jacobian, alpha=curvature)

    pulled = [torch.einsum("no,nod->nd", pull, delta) for delta in deltas]
    for low in range(len(layers) - 1):
        # reach: derivative of the signal after layer `high - 1` by the pre-activations of `low`
        reach = torch.diag_embed(slopes[low])
        for high in range(low + 1, len(layers)):
            if high > low + 1:
                reach = (layers[high - 1].weight @ reach) * slopes[high - 1][:, :, None]
            _add_block(hessian, positions, low, high, pulled[high], reach, inputs[low])


def _add_block(hessian, positions, low, high, pulled, reach, signal) -> None:
    """Add sum_i pulled_ir reach_iqp signal_is at (high: r, q), (low: p, s), and its transpose."""
    n, inner, width = reach.shape
    rows = positions[high][:, :inner]
    pairs = (pulled[:, :, None] * signal[:, None, :]).reshape(n, -1)
    block = (pairs.T @ reach.reshape(n, -1)).reshape(len(rows), -1, inner, width)
    block = block.permute(0, 2, 3, 1).reshape(rows.numel(), -1)
    columns = positions[low].reshape(-1)
    hessian[rows.reshape(-1)[:, None], columns] += block
    hessian[columns[:, None], rows.reshape(-1)] += block.T
