"""One trial of the image experiments: same run under every definition, columns from the run."""

import json

import numpy as np
import pytest
import torch

from lscore.errors import DataError
from lscore.papers.milne2019.experiments import trials as image_trials
from lscore.papers.milne2019.experiments.datasets import Dataset
from lscore.papers.milne2019.experiments.trials import (
    Images,
    classifier,
    column,
    image_trial,
    images,
    summary,
    train,
)
from lscore.runs.descent import DEFINITIONS

IMAGES = images("digits")


def test_images_are_standardised_by_the_training_part():
    assert abs(float(IMAGES.X.mean())) < 1e-5
    assert abs(float(IMAGES.X.std()) - 1) < 1e-5
    assert abs(float(IMAGES.X_test.mean())) > 1e-5
    assert len(IMAGES.X) == 1408
    assert len(IMAGES.X_test) == 389


def test_other_names_go_to_the_loader_of_images(monkeypatch):
    asked = []

    def load_images(name, part):
        asked.append((name, part))
        X = np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2)
        return Dataset(name, X, np.array([0, 1]), "", ("a", "b"))

    monkeypatch.setattr(image_trials, "load_images", load_images)
    found = images("mnist")
    assert asked == [("mnist", "train"), ("mnist", "test")]
    assert found.classes == 2
    assert found.y_test.tolist() == [0, 1]


def test_a_trial_is_a_row_and_repeats():
    row = image_trial(1, "mlp", steps=60, curve=True)
    assert row == image_trial(1, "mlp", steps=60, curve=True)
    assert json.loads(json.dumps(row)) == row
    assert {f"{definition} tenth" for definition in DEFINITIONS} < set(row)
    assert row["full batch values"] == row["full Hessian values"]
    assert row["full batch curvatures"] != row["full Hessian curvatures"]
    assert len(row["minibatch values"]) == 6


def test_normalised_networks_visit_the_same_points_under_every_definition():
    row = image_trial(0, "lenet-norm", steps=10, every=5)
    assert {f"{definition} start" for definition in DEFINITIONS} < set(row)
    assert 0 <= row["accuracy"] <= 1


def test_the_columns_are_those_of_the_run():
    run, accuracy = train("mlp", IMAGES, 0, "full batch", steps=100)
    row = image_trial(0, "mlp", definitions=["full batch"], steps=100)
    assert {f"full batch {name}": entry for name, entry in summary(run).items()}.items() <= (
        row.items()
    )
    assert abs(row["accuracy"] - accuracy) < 1e-6
    assert row["full batch negative"] == (run.second_derivatives <= 0).sum()
    assert column([row, row], "full batch fraction").tolist() == [row["full batch fraction"]] * 2


def test_training_learns_the_digits():
    assert train("mlp", IMAGES, 0, steps=300)[1] > 0.9


def test_the_device_is_an_argument_and_a_wrong_one_is_refused():
    here = train("mlp", IMAGES, 0, steps=20, device=torch.device("cpu"))
    assert np.array_equal(here[0].values, train("mlp", IMAGES, 0, steps=20)[0].values)
    with pytest.raises(RuntimeError, match="nowhere"):
        train("mlp", IMAGES, 0, steps=1, device="nowhere")


def test_seeds_draw_the_networks_and_leave_the_generator_alone():
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    for model in ("mlp", "lenet", "lenet-norm", "resnet22"):
        a, b, c = (classifier(model, IMAGES, seed) for seed in (0, 0, 1))
        pairs = list(zip(a.parameters(), b.parameters(), c.parameters(), strict=True))
        assert all(torch.equal(p, q) for p, q, _ in pairs)
        assert not all(torch.equal(p, r) for p, _, r in pairs)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_lenet_is_lenet5_on_larger_images():
    X, y = torch.zeros(2, 1, 28, 28), torch.tensor([0, 9])
    large = Images(X, y, X, y, 10)
    assert classifier("lenet", large, 0)(X).shape == (2, 10)
    with pytest.raises(DataError, match="8 x 8, got 28 x 28"):
        classifier("lenet-norm", large, 0)
    with pytest.raises(DataError, match="model: got 'vgg'"):
        classifier("vgg", large, 0)


def test_a_missing_entry_is_nan():
    assert np.isnan(column([{"minibatch start": None}], "minibatch start")).all()
