r"""One trial of the image experiments of Milne (2019), section 4, and the three columns of its
Table 2.

A trial trains a classifier by SGD with softmax cross-entropy and weight decay, and records
:math:`c = 2 g^\top H g/|g|^2` at equal distances. On the same run, step for step, it does so for
each definition of g and H that `lscore.runs.descent.sgd` knows, because the paper does not say
which one it used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from lscore.errors import DataError
from lscore.model.modules import ModuleRisk
from lscore.papers.milne2019.experiments.datasets import Dataset, load
from lscore.papers.milne2019.experiments.images import load_images
from lscore.papers.milne2019.experiments.networks import lenet5, lenet8, resnet22
from lscore.runs.descent import DEFINITIONS, Run, sgd

MODELS = ("lenet", "lenet-norm", "mlp", "resnet22")
DIGITS_TRAIN = 1408
ROUNDED = 6


@dataclass(frozen=True, eq=False)
class Images:
    """Images (n, channels, size, size) float32 and labels (n,) int64, to train and to test."""

    X: torch.Tensor
    y: torch.Tensor
    X_test: torch.Tensor
    y_test: torch.Tensor
    classes: int


def images(data: str) -> Images:
    """ "digits", offline, or a name that `experiments.images.load_images` knows.

    One shift and one scale for all pixels, so that the training images have mean 0 and deviation
    1. Of the 1797 digits, 1408 = 11 * 128 are for training, drawn once.

    >>> digits = images("digits")
    >>> tuple(digits.X.shape), len(digits.X_test), digits.classes
    ((1408, 1, 8, 8), 389, 10)
    """
    if data == "digits":
        digits = load("digits")
        order = np.random.default_rng(0).permutation(len(digits))
        parts = digits.take(order[:DIGITS_TRAIN]), digits.take(order[DIGITS_TRAIN:])
    else:
        parts = load_images(data, "train"), load_images(data, "test")
    (X, y), (X_test, y_test) = (_tensors(part) for part in parts)
    shift, scale = X.mean(), X.std()
    return Images((X - shift) / scale, y, (X_test - shift) / scale, y_test, len(parts[0].classes))


def _tensors(part: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(part.X.astype(np.float32)), torch.from_numpy(part.y)


def classifier(model: str, data: Images, seed: int) -> nn.Module:
    """A network for these images, its initial values drawn from `seed`.

    "lenet": LeNet-5, or its small form for 8 x 8 images; "lenet-norm": the small form with batch
    normalisation; "mlp": one hidden layer of 16 units; "resnet22": as in `experiments.networks`.

    >>> classifier("mlp", images("digits"), seed=0)[1]
    Linear(in_features=64, out_features=16, bias=True)
    """
    if model not in MODELS:
        raise DataError(f"model: got {model!r}, need one of {', '.join(MODELS)}")
    channels, size = data.X.shape[1:3]
    if model == "resnet22":
        return resnet22(channels, data.classes, seed=seed)
    if model == "mlp":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inner = data.X[0].numel()
            layers = nn.Linear(inner, 16), nn.ReLU(), nn.Linear(16, data.classes)
            return nn.Sequential(nn.Flatten(), *layers)
    if size == 8:
        return lenet8(channels, data.classes, batch_norm=model == "lenet-norm", seed=seed)
    if model == "lenet":
        return lenet5(channels, size, data.classes, seed=seed)
    raise DataError(f"model: 'lenet-norm' is for images 8 x 8, got {size} x {size}")


def train(
    model: str,
    data: Images,
    seed: int,
    definition: str = "minibatch",
    *,
    step: float = 0.05,
    steps: int = 938,
    every: int = 10,
    weight_decay: float = 5e-4,
    batch_size: int = 128,
    device: str | torch.device = "cpu",
) -> tuple[Run, float]:
    """A recorded run of SGD, and the accuracy on the test images where it ended.

    `seed` draws the initial values and the minibatches, so that runs with different definitions
    visit the same points. Defaults are those of the paper for MNIST, where 938 steps
    are its two epochs. Network and images are moved to `device`; initial values and minibatches
    are drawn on the CPU, so they do not depend on it.
    """
    module = classifier(model, data, seed).to(device)
    loss = nn.functional.cross_entropy
    risk = ModuleRisk(module, loss, data.X.to(device), data.y.to(device), weight_decay)
    route = "double-backward" if definition == "full Hessian" else "tangent-sweep"
    options = {"seed": seed, "definition": definition, "route": route, "every": every}
    run = sgd(risk, step, steps, batch_size, **options)
    module.eval()
    with torch.no_grad():
        right = module(data.X_test.to(device)).argmax(1) == data.y_test.to(device)
    return run, float(right.double().mean())


def image_trial(
    seed: int,
    model: str,
    *,
    data: str = "digits",
    definitions: Sequence[str] = DEFINITIONS,
    curve: bool = False,
    **settings,
) -> dict:
    """One trial, for `lscore.runs.sweeps.sweep`: the accuracy, and per definition the columns.

    `settings` go to `train`. Keys are "accuracy" and, for each definition such as "minibatch",
    "minibatch fraction" (20), "minibatch tenth", the 10th percentile of c from :math:`t_0` on,
    "minibatch start", the index of :math:`t_0` among the recorded points (nan if there is none),
    "minibatch negative", how many recorded c are not positive; with `curve`, "minibatch values" and
    "minibatch curvatures". All rounded to 6 digits. Claim MILNE-E20.
    """
    loaded, found, accuracies = images(data), {}, set()
    for definition in definitions:
        run, accuracy = train(model, loaded, seed, definition, **settings)
        accuracies.add(accuracy)
        entries = summary(run) | (_curve(run) if curve else {})
        found |= {f"{definition} {name}": entry for name, entry in entries.items()}
    if len(accuracies) > 1:
        raise DataError(f"definitions: runs ended at accuracies {sorted(accuracies)}, not the same")
    return {"accuracy": _short(accuracies.pop()), **found}


def summary(run: Run) -> dict:
    """The columns of Table 2 for one run, and how many recorded curvatures are not positive."""
    start = run.convex_from
    return {
        "fraction": _short(run.fraction),
        "tenth": _short(run.tenth_percentile),
        "start": float("nan") if start is None else start,
        "negative": int((~(run.second_derivatives > 0)).sum()),
    }


def column(rows: Sequence[dict], name: str) -> np.ndarray:
    """One number per row, for instance "accuracy" or "minibatch tenth"; nan for None.

    >>> column([{"full batch tenth": 2.5}, {"full batch tenth": None}], "full batch tenth")
    array([2.5, nan])
    """
    return np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=float)


def _curve(run: Run) -> dict:
    return {
        "values": [_short(v) for v in run.values],
        "curvatures": [_short(v) for v in run.normalised],
    }


def _short(value: float) -> float:
    return float(f"{value:.{ROUNDED}g}")
