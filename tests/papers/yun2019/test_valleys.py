"""Valleys: paths of wide networks, bad valleys of one unit, and convex paths of any activation."""

from itertools import pairwise

import numpy as np
import pytest
from cases import DEAD, PARABOLA, TIES, TWO_OUTPUTS, XOR, assert_unknown, fraction, reference_risk
from flint import arb, fmpq

from lscore import (
    Network,
    Risk,
    absolute_value,
    certify_convex_path,
    certify_nonincreasing,
    exact,
    exponential,
    hard_tanh,
    identity,
    leaky_relu,
    mean_squared_error,
    relu,
    square,
    tanh,
    two_piece,
)
from lscore.algebra.linear import pure_error
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.minima.convex_paths import upper_decimal
from lscore.pages.exercises.valleys import (
    fools_the_convex_checker,
    is_bent_and_trapped,
    leads_down,
    leads_from_above,
    rise_by_hand,
)
from lscore.papers.yun2019 import certify_bad_valley, least_squares_minimum, wide_path
from lscore.surface.one_kink import best_one_kink

HINGE = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1])
TRAPPED = exact(["-1/2", 2, -1, "11/6"])  # the affine fit, drawn by a left-hand hinge
FREE = exact(["1/2", 1, 1, "-7/6"])  # the affine fit, drawn by a right-hand hinge
CLASH = ([0, 0, 1, 2, 2, 3], [1, -1, 4, 0, 3, 2])


def wide(risk, width, h=relu):
    d, _, k = risk.network.widths
    return Risk(Network((d, width, k), h), risk.exact_X, risk.exact_y, risk.loss)


WIDE = {
    "parabola": wide(PARABOLA, 3),
    "parabola, hard tanh": wide(PARABOLA, 4, hard_tanh),
    "xor, absolute value": wide(XOR, 3, absolute_value),
    "ties, leaky": wide(TIES, 5, leaky_relu("1/10")),
    "two outputs": wide(TWO_OUTPUTS, 3, two_piece(0, 1)),
    "clashing labels": Risk(Network((1, 3, 1), relu), *CLASH, mean_squared_error),
}


@pytest.mark.parametrize("risk", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("seed", range(4))
def test_from_any_point_the_wide_path_falls_to_the_pure_error(risk, seed):
    rng = np.random.default_rng(seed)
    w = exact(rng.integers(-6, 7, risk.dimension) * (rng.random(risk.dimension) < 0.7) / 4.0)
    path = wide_path(risk, w)
    assert path[0] == w
    assert wide_path(risk, w.point())[-1] == path[-1]
    answer = certify_nonincreasing(risk, path)
    assert answer.certified
    assert certify_convex_path(risk, path).certified
    assert risk(path[0]) == risk(path[1]) == risk(path[2])
    least = pure_error(risk.exact_X, risk.exact_y) * risk.loss.scale(len(risk.exact_y))
    assert risk(path[3]) == answer.values["risk_at_the_end"] == least
    assert fraction(least) == reference_risk(risk, path[3])


def test_special_starts():
    risk = WIDE["parabola"]
    dead = exact([0, 0, 0, -1, -1, -1, 0, 0, 0, "7/2"])
    for w in (least_squares_minimum(risk), dead, exact([0] * 10), wide_path(risk, dead)[-1]):
        path = wide_path(risk, w)
        assert certify_nonincreasing(risk, path).certified
        assert risk(path[-1]) == 0


def test_a_perturbed_path_is_refused_by_both_checkers():
    risk = WIDE["parabola"]
    path = wide_path(risk, least_squares_minimum(risk))
    beyond = path[-1] + (path[-1] - path[-2]) / 1000
    assert certify_nonincreasing(risk, [*path, beyond]).refuted
    assert certify_convex_path(risk, [*path[:-1], beyond]).refuted
    hidden = path[1] + exact([0] * 6 + [0, 1, 0, 0])
    assert certify_nonincreasing(risk, [path[0], hidden, *path[2:]]).refuted
    assert certify_convex_path(risk, [path[0], hidden]).refuted


def test_narrow_and_affine_networks_are_refused():
    for width, needed in ((2, "4 distinct inputs need 3"), (1, "4 distinct inputs need 3")):
        risk = wide(PARABOLA, width)
        with pytest.raises(HypothesisError, match=rf"hypothesis width: .*{needed}") as caught:
            wide_path(risk, risk.network.init(0))
        assert caught.value.witness == width
    risk = wide(PARABOLA, 3, identity)
    with pytest.raises(HypothesisError, match="hypothesis activation: identity is affine"):
        wide_path(risk, risk.network.init(0))
    with pytest.raises(HypothesisError, match="piecewise linear: got tanh"):
        wide_path(wide(PARABOLA, 3, tanh), np.zeros(10))
    for network in (Network((1, 3, 1), relu, bias=False), Network((1, 3, 3, 1), relu)):
        risk = Risk(network, PARABOLA.exact_X, PARABOLA.exact_y)
        with pytest.raises(HypothesisError, match=r"hypothesis (biases|1 hidden layer)"):
            wide_path(risk, risk.network.init(0))


def test_duplicates_need_no_units():
    risk = Risk(Network((1, 1, 1), relu), [0, 0, 0, 1], [1, 2, 3, 4])
    path = wide_path(risk, exact([1, -5, 2, 0]))
    assert certify_nonincreasing(risk, path).values["risk_at_the_end"] == 1


# One unit.


def test_the_trapped_and_the_free_line():
    assert HINGE(TRAPPED) == HINGE(FREE) == fmpq(1, 12)
    assert HINGE.predictions(TRAPPED) == HINGE.predictions(FREE)
    answer = certify_bad_valley(HINGE, TRAPPED)
    assert answer.certified
    assert list(answer.values.values()) == [fmpq(1, 12), fmpq(1, 12), fmpq(1, 3), 0]
    assert certify_bad_valley(HINGE, FREE).verdict == "unknown"
    corner, end = exact(["1/2", 0, 1, "-1/6"]), exact(["1/2", "-1/2", 2, 0])
    path = [FREE, corner, end]
    assert HINGE(corner) == fmpq(1, 12)
    assert certify_nonincreasing(HINGE, path).certified


@pytest.mark.parametrize("slope", [0, "1/10", "1/2", "9/10"])
def test_parabolas_have_a_bad_valley_for_every_leaky_slope(slope):
    risk = wide(PARABOLA, 1, two_piece(1, slope))
    best = best_one_kink(risk, -1)
    assert best.risk == 2 > best_one_kink(risk, 1).risk == best_one_kink(risk).risk
    trapped = exact([-3, 20, -1, 19])
    answer = certify_bad_valley(risk, trapped)
    assert answer.certified
    assert answer.values["barrier"] == fmpq(49, 2)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("slope", [0, "1/4", -2])
def test_no_point_of_a_side_is_below_its_minimum(side, slope):
    risk = Risk(Network((1, 1, 1), two_piece(1, slope)), [0, 1, 2, 4], [1, 0, 2, 1])
    best = best_one_kink(risk, side).risk
    rng = np.random.default_rng(0)
    for w in rng.integers(-8, 9, (300, 4)) / 4.0:
        w[0] = side * (abs(w[0]) + 0.25)
        assert risk(exact(w)) >= best
    assert best_one_kink(risk).risk == min(best_one_kink(risk, s).risk for s in (1, -1))


def test_the_valley_checker_says_no_and_unknown():
    assert certify_bad_valley(HINGE, exact([1, -1, 1, 0])).refuted
    high = certify_bad_valley(HINGE, exact([-1, 0, 1, 5]))
    assert high.verdict == "unknown"
    assert high.reason == "at this height a path may turn the unit round"
    assert certify_bad_valley(HINGE, exact([0, 1, 1, 0])).verdict == "unknown"
    assert_unknown(certify_bad_valley(PARABOLA, exact([0] * 7)), "1 hidden unit: got 2")
    with pytest.raises(DataError, match="side: got 2"):
        best_one_kink(HINGE, 2)


# Convex paths, any activation.


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


def test_the_dead_network_of_a_wide_network_is_left_too():
    risk = wide(DEAD.risk, 3)
    w = exact([0, 0, 0, -1, -1, -1, 1, 1, 1, "7/2"])
    assert certify_nonincreasing(risk, wide_path(risk, w)).values["risk_at_the_end"] == 0


# Exercises.


def test_bent_valleys_are_recognised():
    bump = Risk(Network((1, 1, 1), relu), [0, 1, 2, 3], [0, 1, 0, 0])
    assert is_bent_and_trapped(bump, exact([-1, 1, "-1/3", "1/3"])) == (
        "correct: risk 1/3, the global minimum is 3/11"
    )
    assert is_bent_and_trapped(HINGE, TRAPPED) == (
        "not yet: the risk is 1/12, the affine fit has 1/12"
    )
    assert is_bent_and_trapped(HINGE, FREE).startswith("not yet: unknown, a global minimum lies")
    assert is_bent_and_trapped(HINGE, exact([1, -1, 1, 0])) == "not yet: refuted"


def test_the_first_two_exercises_know_right_from_wrong():
    far = [10, 20, 30, -1, -2, -3, 4, 5, 6, 7]
    assert leads_from_above(far, 1000).endswith("to 0 without rising")
    assert leads_from_above([0] * 10, 1000) == "not yet: the risk of the start is 49"
    assert rise_by_hand("9/40") == "correct: 9/40"
    assert rise_by_hand("3/8") == "not yet: it is not 3/8"


def test_paths_down_are_recognised():
    risk = WIDE["parabola"]
    path = wide_path(risk, least_squares_minimum(risk))
    assert leads_down(risk, path, 3) == "correct: from 2 to 0 without rising"
    assert leads_down(risk, path, 2) == "not yet: 3 segments, wanted 2 at most"
    assert leads_down(risk, path[:3], 3) == "not yet: the risk at the end is 2"
    assert leads_down(risk, path[::-1], 3) == "not yet: refuted"


def test_paths_that_only_one_checker_follows_are_recognised():
    path = [exact(["1/2", 0, 1, "-1/6"]), exact(["1/2", "-1/2", 2, 0])]
    assert fools_the_convex_checker(HINGE, path).startswith("correct: segment 0 moves more than")
    assert fools_the_convex_checker(HINGE, path[::-1]).startswith("not yet: refuted")
    assert fools_the_convex_checker(HINGE, [FREE, FREE]) == "not yet: the checker says certified"
