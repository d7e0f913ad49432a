"""Activations and points of Theorem 2 that more than one test file asks about."""

import torch
from flint import arb, ctx

from lscore import Smooth
from lscore.papers.yun2019 import corollary_3

TABLE = corollary_3()
NAMES = list(TABLE)
MISH = Smooth(
    "mish", torch.nn.functional.mish, lambda z: z * (1 - 2 / (1 + (1 + z.exp()) * (1 + z.exp())))
)
AFFINE = Smooth("affine", lambda z: 2 * z + 1, lambda z: 2 * z + 1)


def number(x):
    return float(x.mid()) if isinstance(x, arb) else int(x.p) / int(x.q)


def form(c, z):
    """z'Qz from its definition, in balls."""
    with ctx.workprec(400):
        h1 = [c.h.derivatives(p.v, 2)[1:] for p in c.places]
        pull = sum((u * d[0] * x for u, d, x in zip(c.u, h1, z, strict=True)), arb(0))
        bend = sum((u * d[1] * x * x / 3 for u, d, x in zip(c.u, h1, z, strict=True)), arb(0))
        return pull * pull + bend
