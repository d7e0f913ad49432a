"""Modules that more than one test file of curvature asks about."""

import torch
from torch import nn
from torch.nn import functional as F

from lscore.model.modules import ModuleRisk


class Normalised(nn.Module):
    """Two linear layers around a normalisation with affine parameters, and a smooth activation."""

    def __init__(self, norm):
        super().__init__()
        self.one, self.norm, self.two = nn.Linear(3, 4), norm, nn.Linear(4, 1)

    def forward(self, x):
        return self.two(torch.tanh(self.norm(self.one(x))))


def normalised_risk(norm):
    torch.manual_seed(0)
    module, X = Normalised(norm).double(), torch.randn(6, 3, dtype=torch.float64)
    return ModuleRisk(module, F.mse_loss, X, torch.randn(6, 1, dtype=torch.float64))
