"""Lemma 102 against the risk in plain Fractions, and with the printed sign."""

import random
from dataclasses import replace

import pytest
from cases import fraction
from leaky_points import grid_point, separable_risk
from named_kinks import numbers, plain

from lscore import Network, Risk, binary_hinge, cell_at, exact, pattern_at, tanh
from lscore.errors import HypothesisError
from lscore.papers.laurent2018 import cell_constants, certify_cell_constants


def test_they_give_the_risk_at_the_point_and_the_polynomial_elsewhere():
    rng, cells = random.Random(1), 0
    while cells < 60:
        risk = separable_risk(rng, bias=cells % 4 > 0, shift=cells % 3 > 0)
        w = grid_point(rng, risk) + exact([rng.randint(1, 99) for _ in range(risk.dimension)]) / 997
        if not pattern_at(risk, w).in_cell:
            continue
        cells += 1
        cell = cell_at(risk, w)
        found = cell_constants(cell)
        assert fraction(found(risk, w)) == plain(risk).risk(numbers(w))
        other = grid_point(rng, risk)
        assert found(risk, other) == cell(other)
        assert certify_cell_constants(cell).certified
        if found.gamma and risk.network.biases[1]:
            answer = certify_cell_constants(cell, replace(found, gamma=-found.gamma))
            assert answer.witness["frozen_risk"] != answer.witness["by_the_constants"]
        wrong = replace(found, inputs=tuple(tuple(a + 1 for a in row) for row in found.inputs))
        assert certify_cell_constants(cell, wrong).refuted


def test_outside_the_setting():
    smooth = Risk(Network((1, 1, 1, 1), tanh), [0, 1], [1, -1], binary_hinge())
    deep = Risk(Network((1, 1, 1, 1), separable_risk(random.Random(0)).network.activation),
                [0, 1], [1, -1], binary_hinge())  # fmt: skip
    cell = cell_at(deep, exact([1, 1, 1, 1, 1, 1]) / 3)
    assert certify_cell_constants(cell).verdict == "unknown"
    with pytest.raises(HypothesisError, match="2 hidden layers"):
        cell_constants(cell)
    assert not smooth.network.is_piecewise_linear
