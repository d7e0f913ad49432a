"""Small torch modules that the tests on curvature share, each with data and a loss."""

import torch
from torch import nn
from torch.nn import functional as F

from lscore.model.modules import ModuleRisk


class Block(nn.Module):
    """A pre-activation residual block with batch normalisation."""

    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.one = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.two = nn.Conv2d(width, width, 3, padding=1, bias=False)

    def forward(self, x):
        h = self.one(F.relu(self.first(x)))
        return x + self.two(F.relu(self.second(h)))


class ResNet(nn.Module):
    """A convolution, residual blocks, global average pooling, a linear layer."""

    def __init__(self, width=4, blocks=2, channels=1):
        super().__init__()
        self.start = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.norm, self.head = nn.BatchNorm2d(width), nn.Linear(width, 10)

    def forward(self, x):
        x = F.relu(self.norm(self.blocks(self.start(x))))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Functional(nn.Module):
    """A network written with functions and methods instead of modules."""

    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 3, 3), nn.Linear(75, 10)
        self.skip = nn.Linear(75, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.tanh(self.conv(x)), 2)
        x = x.view(x.size(0), -1)
        return torch.add(self.out(x).sigmoid(), self.skip(F.gelu(x)))


def lenet(channels=1, side=12):
    inner = ((side + 4 - 4) // 2 - 4) // 2
    return nn.Sequential(
        nn.Conv2d(channels, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(16 * inner * inner, 20), nn.ReLU(), nn.Linear(20, 10),
    )  # fmt: skip


def mlp(activation, *norm):
    layers = [nn.Flatten(), nn.Linear(144, 15), *norm]
    return nn.Sequential(*layers, activation, nn.Linear(15, 12), activation, nn.Linear(12, 10))


def trained(norm):
    """A normalisation whose parameters are not those that it starts with."""
    with torch.no_grad():
        for p in norm.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return norm


def convolution(norm):
    """A normalisation between a convolution and a smooth activation."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        trained(norm),
        nn.GELU(),
        nn.AvgPool2d(4),
        nn.Flatten(),
        nn.Linear(24, 10),
    )


class Attending(nn.Module):
    """Places of 12 entries each, and attention between what `pick` takes of them."""

    def __init__(self, pick=lambda x, z: (z, z, z), heads=2, mask=None, weights=False, **options):
        super().__init__()
        self.pick, self.weights = pick, weights
        self.up, self.out = nn.Linear(12, 8), nn.Linear(8, 10)
        self.attend = trained(nn.MultiheadAttention(8, heads, **options))
        self.register_buffer("mask", None if mask is None else mask.clone())

    def forward(self, x):
        x = x.squeeze(1)
        picked = self.pick(x, torch.tanh(self.up(x)))
        h, _ = self.attend(*picked, need_weights=self.weights, attn_mask=self.mask)
        return self.out(h.reshape(x.size(0), -1, 8).mean(1))


def others(x, z):
    """Queries, keys and values of some of the places each, none of them contiguous."""
    return z[:, :5], z[:, 4:], torch.tanh(z)[:, 4:]


CAUSAL = torch.ones(12, 12).tril() == 0
MODULES = {
    "mlp": lambda: mlp(nn.ReLU()),
    "leaky": lambda: mlp(nn.LeakyReLU(0.1)),
    "tanh": lambda: mlp(nn.Tanh()),
    "sigmoid": lambda: mlp(nn.Sigmoid()),
    "softplus": lambda: mlp(nn.Softplus()),
    "gelu": lambda: mlp(nn.GELU()),
    "gelu by tanh": lambda: mlp(nn.GELU(approximate="tanh")),
    "batch norm": lambda: mlp(nn.ReLU(), nn.BatchNorm1d(15)),
    "layer norm": lambda: mlp(nn.GELU(), trained(nn.LayerNorm(15))),
    "layer norm in eval mode": lambda: mlp(nn.Tanh(), trained(nn.LayerNorm(15))).eval(),
    "layer norm without bias": lambda: mlp(nn.Tanh(), trained(nn.LayerNorm(15, bias=False))),
    "layer norm without parameters": lambda: mlp(nn.ReLU(), nn.LayerNorm(15, 0.1, False)),
    "layer norm first": lambda: nn.Sequential(
        trained(nn.LayerNorm((12, 12))), nn.Flatten(), nn.Linear(144, 10)
    ),
    "group norm": lambda: mlp(nn.GELU(), trained(nn.GroupNorm(5, 15))),
    "group norm of images": lambda: convolution(nn.GroupNorm(2, 6)),
    "group norm of images in eval mode": lambda: convolution(
        nn.GroupNorm(3, 6, affine=False)
    ).eval(),
    "layer norm of images": lambda: convolution(nn.LayerNorm((6, 8, 8))),
    "lenet": lenet,
    "resnet": ResNet,
    "resnet in eval mode": lambda: ResNet().eval(),
    "functional": Functional,
    "attention": lambda: Attending(batch_first=True),
    "attention in eval mode": lambda: Attending(batch_first=True, dropout=0.3).eval(),
    "attention along the first axis": lambda: Attending(heads=4, weights=True),
    "attention to other places": lambda: Attending(others, batch_first=True, bias=False),
    "attention to other values": lambda: Attending(
        lambda x, z: (z, z, torch.relu(z)), batch_first=True
    ),
    "attention of three widths": lambda: Attending(
        lambda x, z: (z, x.mT, torch.relu(z)), heads=8, kdim=12, batch_first=True
    ),
    "attention to the inputs": lambda: Attending(
        lambda x, z: (z, x, x), kdim=12, vdim=12, batch_first=True
    ),
    "attention of one sequence": lambda: Attending(
        lambda x, z: (z.mean(1),) * 3, mask=torch.randn(2, 8, 8).double(), weights=True
    ),
    "attention under a mask": lambda: Attending(mask=CAUSAL, batch_first=True, weights=True),
    "attention under a mask in eval mode": lambda: Attending(mask=CAUSAL, batch_first=True).eval(),
    "attention under a mask for each head": lambda: Attending(
        mask=torch.randn(16, 12, 12).double(), batch_first=True
    ),
    "one layer": lambda: nn.Sequential(nn.Flatten(), nn.Linear(144, 10)),
}


def risk_of(name, dtype=torch.float64, weight_decay=1e-2, samples=8):
    """A seeded ModuleRisk with cross-entropy on random images of 12 x 12."""
    torch.manual_seed(0)
    module = MODULES[name]().to(dtype)
    X, y = torch.randn(samples, 1, 12, 12, dtype=dtype), torch.randint(0, 10, (samples,))
    return ModuleRisk(module, F.cross_entropy, X, y, weight_decay)
