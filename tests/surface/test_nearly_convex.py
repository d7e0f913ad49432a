"""The convex program of one cell against floats, its certificate against the decider of points."""

import random
from fractions import Fraction

import numpy as np
import pytest
from losses import Huber, Quartic
from unit_points import random_case, text

from lscore import (
    Network,
    Risk,
    absolute_value,
    cell_at,
    certify_kink_minimum,
    exact,
    hard_tanh,
    pattern_at,
    relu,
    tanh,
)
from lscore.errors import SettingError
from lscore.surface.nearly_convex import best_in_cell, certify_lowest_in_cell


def points_inside(count, seed):
    """Random points of open cells, from the pool of the decider."""
    rng = random.Random(seed)
    while count:
        risk, P, w = random_case(rng)
        if (pattern_at(risk, exact(text(w))).layers[0] % 2 == 0).all():
            yield risk, P, w
            count -= 1


def test_the_best_of_a_cell_is_the_least_squares_of_its_functions():
    for risk, P, w in points_inside(40, 1):
        if risk.loss.kind != "squared":
            continue
        columns = [np.ones(len(P.rows))] * P.shift
        for u in P.unpack(w)[0]:
            z = [sum(a * b for a, b in zip(u, x, strict=True)) for x in P.rows]
            pieces = [P.piece(sum(e > t for t in P.knots)) for e in z]
            columns += [[float(s * x[j]) for (s, _), x in zip(pieces, P.rows, strict=True)]
                        for j in range(len(u))]  # fmt: skip
            columns.append([float(c) for _, c in pieces])
        A, y = np.array(columns, float).T, risk.y[:, 0].numpy()
        rest = A @ np.linalg.lstsq(A, y, rcond=None)[0] - y
        scale = float(risk.loss.scale(len(y)))
        best = best_in_cell(cell_at(risk, exact(text(w))))
        assert float(best) == pytest.approx(scale * rest @ rest, abs=1e-9)
        assert best <= risk(exact(text(w)))


def test_lowest_in_the_cell_is_the_same_as_a_local_minimum():
    seen = {"certified": 0, "refuted": 0}
    for risk, _, w in points_inside(120, 2):
        w = exact(text(w))
        answer = certify_lowest_in_cell(risk, w)
        assert answer.verdict == certify_kink_minimum(risk, w).verdict
        seen[answer.verdict.value] += 1
        if risk.loss.kind == "squared":
            assert answer.certified == (risk(w) == best_in_cell(cell_at(risk, w)))
        if answer.refuted:
            assert risk(answer.witness["lower_point"]) < risk(w)
    assert min(seen.values()) > 10


def test_walls_and_other_settings_are_unknown():
    risk = Risk(Network((1, 1, 1), relu), [-1, 0, 1], [1, 0, 1])
    assert certify_lowest_in_cell(risk, exact([1, 0, 1, 0])).reason == "the point lies on a wall"
    for other, reason in (
        (Risk(Network((1, 1, 1, 1), relu), [1], [1]), "got 2 hidden layers, need 1 hidden layer"),
        (Risk(Network((1, 1, 2), relu), [1], [[1, 1]]), "got 2 outputs, need 1 output"),
        (Risk(Network((1, 1, 1), tanh), [1], [1]), "got tanh, need piecewise linear"),
        (Risk(Network((1, 1, 1), relu), [1], [1], weight_decay=1), "need no weight decay"),
        (Risk(Network((1, 1, 1), relu), [1], [1], Quartic()), "not known to be convex"),
    ):
        answer = certify_lowest_in_cell(other, exact([1] * other.dimension))
        assert reason in answer.reason
    with pytest.raises(SettingError, match="need squared loss"):
        best_in_cell(cell_at(Risk(risk.network, [1], [1], Huber()), exact([1, 1, 1, 1])))


def test_nothing_in_the_cell_is_lower():
    """Many points of one cell of two units, hard tanh and absolute value."""
    rng = random.Random(5)
    for h in (hard_tanh, absolute_value):
        risk = Risk(Network((1, 2, 1), h), [-1, 0, 2], [1, "-1/2", 3])
        for _ in range(60):
            w = exact([str(Fraction(rng.randint(-9, 9), 4)) for _ in range(7)])
            if (pattern_at(risk, w).layers[0] % 2 == 0).all():
                assert risk(w) >= best_in_cell(cell_at(risk, w))
