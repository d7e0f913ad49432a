"""Trials and small runs that the tests of sweeps and of fingerprints share."""

import numpy as np

from lscore.runs.sweeps import sweep

SETTINGS = [{"scale": 1.0}, {"scale": 0.5}]


def trial(seed, scale):
    draws = scale * np.random.default_rng(seed).standard_normal(50)
    return {"mean": draws.mean(), "draws": draws}


def run(folder, seeds=12, function=trial, **keywords):
    return sweep(function, SETTINGS, range(seeds), folder, progress=False, **keywords)
