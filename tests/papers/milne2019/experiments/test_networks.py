"""The image networks: shapes, counts derived by hand, seeds, and agreement with a plain formula."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lscore.errors import DataError
from lscore.papers.milne2019.experiments.networks import (
    PreActivationBlock,
    lenet5,
    parameter_count,
    resnet22,
)


def by_hand(width, classes):
    """First convolution, nine blocks, two projections, norms, linear layer."""
    sizes = [(width, width)] * 3 + [(width, 2 * width)] + [(2 * width, 2 * width)] * 2
    sizes += [(2 * width, 4 * width)] + [(4 * width, 4 * width)] * 2
    blocks = sum(9 * i * o + 9 * o * o + 2 * i + 2 * o + (i * o if i != o else 0) for i, o in sizes)
    return 27 * width + blocks + 8 * width + (4 * width + 1) * classes


@pytest.mark.parametrize(("width", "classes"), [(16, 10), (16, 100), (4, 7)])
def test_parameter_count_of_the_resnet(width, classes):
    assert parameter_count(resnet22(classes=classes, width=width)) == by_hand(width, classes)


def test_there_are_22_layers_with_weights():
    layers = [m for m in resnet22().modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 22
    norms = [m for m in resnet22(batch_norm=False).modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms == []


@pytest.mark.parametrize("size", [28, 32])
def test_lenet_shapes(size):
    model = lenet5(3, size, 7)
    assert model(torch.zeros(2, 3, size, size)).shape == (2, 7)
    assert parameter_count(model) == 61706 + 6 * 2 * 25 - 3 * 85
    assert model[0](torch.zeros(1, 3, size, size)).shape[-1] == 28


@pytest.mark.parametrize("make", [lenet5, lambda **k: resnet22(width=2, **k)])
def test_the_seed_decides_and_the_global_generator_is_left_alone(make):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = make(seed=1), make(seed=1), make(seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    flat = [nn.utils.parameters_to_vector(m.parameters()) for m in (first, again, other)]
    assert torch.equal(flat[0], flat[1])
    assert not torch.equal(flat[0], flat[2])


def test_a_block_is_its_formula():
    torch.manual_seed(0)
    x = torch.randn(3, 2, 4, 4, dtype=torch.float64)
    block = PreActivationBlock(2, 3, 2, batch_norm=False).double()
    signal = F.relu(x)
    inner = F.relu(F.conv2d(signal, block.conv1.weight, stride=2, padding=1))
    expected = F.conv2d(signal, block.projection.weight, stride=2)
    expected = expected + F.conv2d(inner, block.conv2.weight, padding=1)
    assert torch.allclose(block(x), expected, atol=1e-12)
    plain = PreActivationBlock(2, 2).double()
    with torch.no_grad():
        plain.conv2.weight.zero_()
    assert torch.equal(plain(x), x)


def test_bad_sizes_are_refused():
    with pytest.raises(DataError, match="size: got 30"):
        lenet5(size=30)
    with pytest.raises(DataError, match="width: got 0"):
        resnet22(width=0)
