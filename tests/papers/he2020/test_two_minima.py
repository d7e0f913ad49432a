"""Two minima in one cell: certified, refused where a well is moved, and met by plain descent."""

import numpy as np
import pytest
import torch

from lscore import certify_local_minimum, pattern_at
from lscore.papers.he2020 import two_minima
from lscore.papers.he2020.two_minima import (
    certify_two_layers,
    certify_two_outputs,
    left_over,
    regressions,
    two_layers_risk,
    two_outputs_points,
    two_outputs_risk,
)


def test_both_examples_are_certified():
    for answer in (certify_two_outputs(), certify_two_layers()):
        assert answer.certified
        assert answer.method == "ball"


def test_a_well_in_the_wrong_place_is_not_shown(monkeypatch):
    first, second = two_minima.MIDDLES
    monkeypatch.setattr(two_minima, "MIDDLES", [(first[0] + 1, first[1]), second])
    assert certify_two_outputs().verdict == "unknown"
    (turn, swapped, level), other = two_minima.BRACKETS
    for bracket in ((turn + turn * 4, swapped, level), (turn, swapped, level + 4)):
        monkeypatch.setattr(two_minima, "BRACKETS", (bracket, other))
        assert certify_two_layers().verdict == "unknown"


def test_the_points_lie_in_one_cell_near_the_stated_risks():
    risk, points = two_outputs_risk(), two_outputs_points()
    assert pattern_at(risk, points[0]) == pattern_at(risk, points[1])
    assert pattern_at(risk, points[0]).in_cell
    assert [float(risk(w)) for w in points] == pytest.approx([2.775175, 2.595836], abs=1e-6)
    for w in points:  # not exact minima; nothing found is lower by more than rounding of the middle
        low = certify_local_minimum(risk, w, trials=20, limit=4)
        if low.refuted:
            assert float(risk(w) - risk(low.witness["lower_point"])) < 1e-4


def test_left_over_is_the_best_of_the_cell_for_an_output_bias():
    groups = [np.array([[float(a), float(b)] for a, b in group]) for group in two_minima.GROUPS]
    alone = np.array([float(a) for a in two_minima.ALONE])
    for c in np.random.default_rng(0).normal(size=(20, 2)) * 5:
        least = [np.linalg.svd(group - c)[1][1] ** 2 for group in groups]
        expected = sum(least) + ((c - alone) ** 2).sum()
        assert float(left_over(*map(two_minima.arb, c.tolist()))) == pytest.approx(expected)


def test_two_layers_end_in_two_places():
    """The point of each bracket, by its regressions, has the risk F / 24."""
    risk = two_layers_risk()
    for turn, swapped, level in two_minima.BRACKETS:
        lines = regressions(turn, swapped)
        w = [1.0, float(turn)][:: -1 if swapped else 1]
        first = torch.tensor([w], dtype=torch.float64), torch.tensor([30.0], dtype=torch.float64)
        scale, start, out = [], [], []
        for slope, intercept, _ in lines:
            side = 1 if slope * 3 + intercept > level and len(out) else -1
            scale.append([side * float(slope)])
            start.append(side * float(intercept - level - slope * 30))
            out.append(float(side))
        parts = [first[0], torch.tensor(scale).double(), torch.tensor([out]).double()]
        biases = [first[1], torch.tensor(start).double(), torch.tensor([float(level)]).double()]
        point = risk.network.pack(parts, biases)
        rest = sum(rest for *_, rest in lines)
        assert float(risk(point)) == pytest.approx(float(rest) / 24, rel=1e-9)
