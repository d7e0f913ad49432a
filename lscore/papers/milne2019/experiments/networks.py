r"""The convolutional networks of the image experiments: LeNet-5 and a pre-activation ResNet-22.

Plain ``torch.nn.Module``s with ReLU. Images are (n, channels, height, width), outputs are logits
(n, classes). All parameters are float32 unless ``.double()`` is called; torch's default
initialisation, drawn from `seed` alone and without touching the global generator.

Source: Milne (2019), section 4, names LeNet-5 and "ResNet22" with batch normalisation, the latter
from the code of Finlay et al. (2018), and prints no widths. Ours has the same count of layers, 3
stages of 3 blocks: 1 + 18 convolutions, 2 projections and 1 linear layer make 22. Its blocks are
pre-activation (He et al. 2016); theirs, in the code public today, apply ReLU after the sum.
"""

from __future__ import annotations

from contextlib import contextmanager

import torch
from torch import nn

from lscore.errors import DataError


def _positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise DataError(f"{name}: got {size!r}, need an integer >= 1")


def lenet5(channels: int = 1, size: int = 28, classes: int = 10, seed: int = 0) -> nn.Sequential:
    """LeNet-5 with ReLU and max pooling, for images (n, channels, size, size).

    Convolutions 6 and 16 of 5 x 5, the first padded by 2 on 28 x 28 images so that its output is
    28 x 28 as in the original; each is followed by a 2 x 2 maximum; then linear layers 120, 84,
    `classes`. `size` is 28 (MNIST) or 32. Raises `DataError` for other sizes.

    >>> model = lenet5()
    >>> parameter_count(model)
    61706
    >>> model(torch.zeros(3, 1, 28, 28)).shape
    torch.Size([3, 10])
    """
    _positive(channels=channels, classes=classes)
    if size not in (28, 32):
        raise DataError(f"size: got {size!r}, need 28 or 32")
    with _seeded(seed):
        return nn.Sequential(
            nn.Conv2d(channels, 6, 5, padding=(32 - size) // 2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nn.ReLU(),
            nn.Linear(120, 84),
            nn.ReLU(),
            nn.Linear(84, classes),
        )


def lenet8(
    channels: int = 1, classes: int = 10, batch_norm: bool = False, seed: int = 0
) -> nn.Sequential:
    """LeNet-5 made small for images (n, channels, 8, 8), such as scikit-learn's digits.

    As `lenet5`, but the two convolutions are 3 x 3 and padded, so that 8 x 8 becomes 4 x 4 and
    2 x 2. With `batch_norm` each convolution is followed by a normalisation.

    >>> parameter_count(lenet8()), lenet8()(torch.zeros(3, 1, 8, 8)).shape
    (19754, torch.Size([3, 10]))
    """
    _positive(channels=channels, classes=classes)
    with _seeded(seed):
        layers: list[nn.Module] = []
        for inner, out in ((channels, 6), (6, 16)):
            layers += [nn.Conv2d(inner, out, 3, padding=1), _norm(out, batch_norm)]
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Flatten(), nn.Linear(16 * 2 * 2, 120), nn.ReLU()]
        layers += [nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)]
        return nn.Sequential(*layers)


class PreActivationBlock(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))), 3 x 3 convolutions without bias.

    (n, inner, h, w) -> (n, out, h / stride, w / stride). Where the shape changes, a 1 x 1
    convolution of the first relu(norm(x)) replaces the identity.

    >>> PreActivationBlock(4, 8, 2)(torch.zeros(2, 4, 6, 6)).shape
    torch.Size([2, 8, 3, 3])
    """

    def __init__(self, inner: int, out: int, stride: int = 1, batch_norm: bool = True):
        super().__init__()
        _positive(inner=inner, out=out, stride=stride)
        self.norm1, self.norm2 = _norm(inner, batch_norm), _norm(out, batch_norm)
        self.conv1 = nn.Conv2d(inner, out, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        same = inner == out and stride == 1
        self.projection = None if same else nn.Conv2d(inner, out, 1, stride, bias=False)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The block's output for a batch of feature maps."""
        signal = self.relu(self.norm1(x))
        shortcut = x if self.projection is None else self.projection(signal)
        return shortcut + self.conv2(self.relu(self.norm2(self.conv1(signal))))


def resnet22(
    channels: int = 3, classes: int = 10, width: int = 16, batch_norm: bool = True, seed: int = 0
) -> nn.Sequential:
    """Pre-activation ResNet-22 for images (n, channels, h, w), h and w multiples of 4.

    A 3 x 3 convolution to `width` channels; three stages of three blocks with `width`,
    2 `width`, 4 `width` channels, the second and third halving the image; norm, ReLU, global
    mean, linear. Without `batch_norm` the norms are the identity.

    >>> model = resnet22()
    >>> parameter_count(model), parameter_count(resnet22(classes=100))
    (272282, 278132)
    >>> model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """
    _positive(channels=channels, classes=classes, width=width)
    with _seeded(seed):
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1, bias=False)]
        inner = width
        for stage, out in enumerate((width, 2 * width, 4 * width)):
            for block in range(3):
                stride = 2 if stage and not block else 1
                layers.append(PreActivationBlock(inner, out, stride, batch_norm))
                inner = out
        layers += [_norm(inner, batch_norm), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(inner, classes))


def parameter_count(module: nn.Module) -> int:
    """Number of trainable parameters; running means of batch normalisation do not count.

    >>> parameter_count(nn.Linear(3, 2))
    8
    """
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _norm(channels: int, batch_norm: bool) -> nn.Module:
    return nn.BatchNorm2d(channels) if batch_norm else nn.Identity()


@contextmanager
def _seeded(seed: int):
    """Draw initial values from this seed and leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
