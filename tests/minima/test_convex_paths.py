"""Convex paths of any activation: yes, no, unknown, and a perturbed path is refused."""

from itertools import pairwise

import numpy as np
import pytest
from cases import PARABOLA
from flint import arb
from valley_points import WIDE

from lscore import (
    Network,
    Risk,
    certify_convex_path,
    certify_nonincreasing,
    exact,
    exponential,
    relu,
    square,
    tanh,
)
from lscore.errors import ShapeError
from lscore.minima.convex_paths import upper_decimal
from lscore.papers.yun2019 import least_squares_minimum, wide_path


def test_a_perturbed_path_is_refused_by_both_checkers():
    risk = WIDE["parabola"]
    path = wide_path(risk, least_squares_minimum(risk))
    beyond = path[-1] + (path[-1] - path[-2]) / 1000
    assert certify_nonincreasing(risk, [*path, beyond]).refuted
    assert certify_convex_path(risk, [*path[:-1], beyond]).refuted
    hidden = path[1] + exact([0] * 6 + [0, 1, 0, 0])
    assert certify_nonincreasing(risk, [path[0], hidden, *path[2:]]).refuted
    assert certify_convex_path(risk, [path[0], hidden]).refuted


def smooth_path(h, weight):
    """On the data of Theorem 2: from equal features to a fit that leaves a millionth."""
    X, y = [[1, 0], [0, 1], ["1/2", "1/2"]], [0, 0, 1]
    risk = Risk(Network((2, 2, 1), h), X, y)
    rows, none, third = exact([[weight, weight]] * 2), exact([0, 0]), exact(["1/3"])
    turned = exact([[1, -1], [-1, 1]])
    start = risk.network.pack([rows, exact([["1/6", "1/6"]])], [none, exact([0])])
    idle = [risk.network.pack([W, exact([[0, 0]])], [none, third]) for W in (rows, turned)]
    values = [float(h.ball(arb(t)).mid()) for t in (1, -1, 0)]
    bend = values[0] + values[1] - 2 * values[2]
    out, shift = exact([[-1 / bend, -1 / bend]]), exact([(values[0] + values[1]) / bend])
    goal = risk.network.pack([turned, out], [none, shift])
    return risk, [start, *idle, idle[-1] + (goal - idle[-1]) * "1023/1024"]


@pytest.mark.parametrize(("h", "weight"), [(exponential, 0), (square, 1)], ids=["exp", "square"])
def test_smooth_bad_minima_are_left_without_rising(h, weight):
    risk, path = smooth_path(h, weight)
    answer = certify_convex_path(risk, path)
    assert answer.certified
    assert answer.method == "ball"
    assert [float(v) for v in answer.values.values()] == [0.334, 3.18e-07]
    float_risks = [float(risk(w.point())) for w in path]
    assert all(a >= b - 1e-12 for a, b in pairwise(float_risks))


def test_convex_paths_say_no_and_unknown():
    risk, path = smooth_path(exponential, 0)
    assert certify_convex_path(risk, path[::-1]).refuted
    short = certify_convex_path(risk, [path[0], path[-1]])
    assert short.verdict == "unknown"
    assert "segment 0 moves more than the output layer" in short.reason
    busy = path[0] + exact([1] + [0] * 8)
    assert certify_convex_path(risk, [path[0], busy]).verdict == "unknown"
    tilted = path[1] + exact([0] * 8 + ["1/1000000"])
    assert certify_convex_path(risk, [path[0], tilted]).refuted
    with pytest.raises(ShapeError, match="waypoints: got 1"):
        certify_convex_path(risk, path[:1])
    deep = certify_convex_path(Risk(Network((1, 1, 1, 1), relu), [0], [0]), path)
    decayed = certify_convex_path(Risk(Network((1, 1, 1), relu), [0], [0], weight_decay=1), path)
    assert deep.verdict == decayed.verdict == "unknown"
    assert "1 hidden layer: got 2 hidden layers" in deep.reason
    assert "weight decay" in decayed.reason


def test_what_balls_leave_open_is_unknown_and_a_network_needs_no_bias():
    risk = Risk(Network((1, 1, 1), tanh), [1, -1], [0, 0])  # the slope tanh(1) + tanh(-1) is 0
    answer = certify_convex_path(risk, [exact([1, 0, 1, 1]), exact([1, 0, 1, 0])])
    assert answer.verdict == "unknown"
    assert answer.reason == "segment 0: the sign of the slope at its end is not decided"
    bare = Risk(Network((1, 1, 1), tanh, bias=False), [1, -1], [0, 0])
    down = [exact([1, 2]), exact([1, 1])]
    falls = certify_convex_path(bare, down)
    assert falls.certified
    assert [str(value) for value in falls.values.values()] == ["2.33", "0.581"]
    assert certify_convex_path(bare, down[::-1]).refuted


def test_convex_paths_agree_with_the_exact_checker():
    rng = np.random.default_rng(3)
    verdicts = set()
    for _ in range(40):
        w, v = (exact(rng.integers(-3, 4, 7) / 2.0) for _ in range(2))
        v = exact([*w.entries()[:4], *v.entries()[4:]])
        mine, other = (c(PARABOLA, [w, v]) for c in (certify_convex_path, certify_nonincreasing))
        assert mine.verdict == other.verdict
        verdicts.add(str(mine.verdict))
    assert verdicts == {"certified", "refuted"}


def test_upper_decimals_are_upper():
    assert str(upper_decimal(arb(2))) == "2"
    assert str(upper_decimal(arb(1) / 7, 2)) == "0.15"
