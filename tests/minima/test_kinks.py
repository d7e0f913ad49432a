"""The exact decision at kinks against brute force that shares no code, and points with names.

``LSCORE_KINKS=5000 pytest tests/minima/test_kinks.py`` asks about that many random points instead
of 100 and prints the counts."""

import os
import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from brute_kinks import dot, lower_point
from cases import fraction
from losses import Absolute, Huber
from named_kinks import FIGURE_4, HALF, TWO_NEURONS, numbers, plain, random_point, standing

from lscore import (
    Network,
    Risk,
    binary_hinge,
    certify_hinge_minimum,
    certify_local_minimum,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
)

POINTS = int(os.environ.get("LSCORE_KINKS", 100))
TINY = Fraction(1, 2**40)


def on_curve(w, witness, t):
    """The point of the witness's ray or curve at t."""
    columns = witness["curve"] if "curve" in witness else witness["direction"]
    parts = [numbers(columns.column(l)) for l in range(columns.shape[1])]
    size = max(abs(e) for part in parts for e in part)
    powers = [(Fraction(t) / size) ** (l + 1) for l in range(len(parts))]
    return [a + dot(powers, moves) for a, *moves in zip(w, *parts, strict=True)]


def check(risk, w, problem, answer):
    """Brute force agrees, and a witness descends arbitrarily near w."""
    assert answer.verdict != "unknown"
    low = lower_point(problem, w)
    assert answer.certified == (low is None), (risk, w, low)
    if answer.certified:
        assert fraction(answer.values["risk"]) == problem.risk(w)
        return
    base, witness = problem.risk(w), answer.witness
    drop = base - problem.risk(numbers(witness["lower_point"]))
    assert drop == fraction(witness["decrease_there"]) > 0
    assert all(problem.risk(on_curve(w, witness, TINY**k)) < base for k in (1, 2, 4))


def test_it_agrees_with_brute_force_and_leaves_nothing_open(capsys):
    rng, seen = random.Random(7), Counter()
    while seen["certified"] + seen["refuted"] < POINTS:
        risk, w = random_point(rng)
        problem = plain(risk)
        for _ in range(6):  # down to where nothing is lower
            answer = certify_hinge_minimum(risk, exact(w), limit=10**6)
            hidden = [dot(row, x) for row in problem.unpack(w)[0] for x in problem.inputs()]
            unused = problem.unpack(w)[1].count(0)
            if hidden.count(0) + problem.margins(w).count(0) + unused > 8:
                seen["too long for brute force"] += 1
                break
            check(risk, w, problem, answer)
            seen[answer.verdict.value] += 1
            seen["unused", answer.verdict.value] += unused > 0
            seen["orders"] += answer.witness.get("order", 1) > 1
            if answer.certified:
                break
            steps = [Fraction(q) / 2**k for k in range(-6, 8) for q in (1, 3)]
            w = min((on_curve(w, answer.witness, t) for t in steps), key=problem.risk)
            if max(a.denominator for a in w) > 10**4:
                break
    with capsys.disabled():
        print(dict(seen)) if POINTS > 1000 else None
    assert (
        min(seen["certified"], seen["orders"] * 10, seen["unused", "certified"] * 4) > POINTS / 10
    )


def classes(points, centre, V, c, ties):
    """One class against the rest at the points O8 and O12: a binary risk per class."""
    n, own = len(points), len(points) // 4
    for r in range(4):
        y = [1 if own * r <= i < own * (r + 1) else -1 for i in range(n)]
        mu = [Fraction(1, 2 * own) if s > 0 else Fraction(1, 2 * (n - own)) for s in y]
        risk = Risk(Network((2, 2, 1), relu), points, y, binary_hinge(mu))
        yield risk, [*centre, V[r], 0, c[r]], ties[r]


SQUARE = [[3, 1], [3, -1], [2, 0], [1, 3], [-1, 3], [0, 2]]
O12 = classes(
    [*SQUARE, *([-x, -y] for x, y in SQUARE)],
    [1, 1, 0, 0, 5, -1],
    ["1/2", "1/2", "-1/2", "-1/2"],
    ["-5/2", "-5/2", "5/2", "5/2"],
    ["7/18"] * 4,
)
O8 = classes(
    [[2, 1], [2, -1], [-1, 2], [1, 2], [-2, 1], [-2, -1], [-1, -2], [1, -2]],
    [2, -1, 0, 0, 6, -1],
    ["2/3", "-1/4", "-2/3", "1/4"],
    [-5, "3/2", 3, "-3/2"],
    ["2/9", "11/16", "2/9", "11/16"],
)
SIGNS = Risk(Network((1, 2, 1), HALF), [-1, 0, 1], [1, -1, 1], binary_hinge())
SAME = Risk(Network((1, 1, 1), relu), [0, 0], [1, -1], binary_hinge())
ODD = Risk(Network((1, 1, 1), relu), [1, -1], [1, -1], binary_hinge())
MISSED = Risk(
    Network((2, 1, 1), leaky_relu("1/4")),
    [[1, 0], [-1, -1], [2, 0]],
    [-1, 1, 1],
    binary_hinge(["1/4", "1/4", "1/2"]),
)
MISSED_POINT = [0, -2, -1, 0, 1]
NAMED = {
    "equal weights are needed, ReLU": (standing(relu), [1, 0, 3, 0, 1], "certified", "3/5"),
    "equal weights are needed, leaky": (standing(HALF), [1, 0, 3, 0, 1], "certified", "3/5"),
    "equal weights are needed, linear": (standing(identity), [1, 0, 0, 0, 1], "certified", "3/5"),
    "equal weights": (standing(HALF, ("1/4", "1/4", "1/2")), [1, 0, 3, 0, 1], "refuted", 1),
    "no input weights": (standing(HALF), [0, 0, 0, 0, 1], "refuted", "3/5"),
    "two neurons": (standing(HALF, units=2), TWO_NEURONS, "refuted", "3/5"),
    "missed by a search along rays": (MISSED, MISSED_POINT, "refuted", "1/2"),
    "not separable": (SIGNS, [1, 1, 2, 2, 1, -1, 1], "certified", "2/3"),
    "Figure 4 (a)": (FIGURE_4, [1, 0, -1, 0, -1, -1, 1, -1, 0], "certified", 0),
    "Figure 4 (b), with an output bias": (
        FIGURE_4, [1, 0, -1, 0, "-7/2", "-7/2", 4, -4, 0], "refuted", "3/10"
    ),
    "Figure 4 (b)": (
        replace(FIGURE_4, network=replace(FIGURE_4.network, bias=(True, False))),
        [1, 0, -1, 0, "-7/2", "-7/2", 4, -4], "certified", "3/10"
    ),
    "Figure 4 (c)": (FIGURE_4, [1, 0, -1, 0, -10, -10, 1, -1, 0], "certified", 1),
    "active, unsolved, critical": (ODD, [1, -1, 1, 0], "refuted", 1),
    "all zero, balanced": (SAME, [0] * 4, "certified", 1),
    "all zero": (ODD, [0] * 4, "refuted", 1),
} | {
    f"{name}, class {r}": (risk, w, "refuted", value)
    for name, found in (("O8", O8), ("O12", O12))
    for r, (risk, w, value) in enumerate(found)
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_points_with_names(name):
    risk, w, verdict, value = NAMED[name]
    answer = certify_hinge_minimum(risk, exact(w))
    assert (answer.verdict, fraction(risk(exact(w)))) == (verdict, Fraction(value))
    problem, w = plain(risk), numbers(exact(w))
    if name in ("two neurons", "missed by a search along rays"):
        assert answer.witness["order"] == 2
    if len(risk.y) < 8:  # else too long for brute force
        check(risk, w, problem, answer)
    elif answer.refuted:
        near = [on_curve(w, answer.witness, TINY**k) for k in (1, 2)]
        assert max(map(problem.risk, near)) < Fraction(value)


def test_random_moves_find_nothing_where_the_risk_falls_at_second_order():
    """The two-neuron point: 500 random moves, none lower; the front door knows better."""
    risk, rng = standing(HALF, units=2), np.random.default_rng(0)
    problem, w = plain(risk), list(map(Fraction, TWO_NEURONS))
    for _ in range(500):
        move = [Fraction(int(v), 2**14) for v in rng.integers(-(2**10), 2**10, 9)]
        assert problem.risk([a + b for a, b in zip(w, move, strict=True)]) >= Fraction(3, 5)
    assert certify_local_minimum(risk, exact(TWO_NEURONS)).refuted


def test_a_curve_descends_where_its_tangent_does_not():
    """And the front door takes the curve back as a witness."""
    answer, w = certify_local_minimum(MISSED, exact(MISSED_POINT)), exact(MISSED_POINT)
    curve = answer.witness["curve"]
    assert curve.shape == (5, 2)
    again = certify_local_minimum(MISSED, w, along=curve)
    assert (again.claim, again.witness) == ("B-RAY", answer.witness)
    assert not certify_local_minimum(MISSED, w, along=curve.column(0)).refuted


def test_two_unused_units_take_turns():
    """One is turned on for free, then the other, and only together they descend: order 3."""
    hinge = binary_hinge(["1/4", "1/4"])
    risk = Risk(Network((1, 2, 1), leaky_relu("1/4")), [-1, 0], [-1, 1], hinge)
    w = exact([1, 0, 2, 0, 0, 0, -1])
    answer = certify_hinge_minimum(risk, w)
    check(risk, numbers(w), plain(risk), answer)
    assert (answer.witness["order"], answer.witness["curve"].shape) == (3, (7, 2))


def test_a_weight_that_is_off_by_little_is_noticed():
    for mu, verdict in (("2/3", "certified"), ("67/100", "refuted")):
        hinge = binary_hinge([1, mu, "1/3"])
        risk = Risk(Network((1, 2, 1), relu), [-1, 0, 1], [-1, 1, 1], hinge)
        assert certify_hinge_minimum(risk, exact([0, 0, -1, -1, 1, -1, 0])).verdict == verdict


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"network": Network((1, 2, 2, 1), relu)}, "got 2 hidden layers, need 1 hidden layer"),
        ({"network": Network((1, 2, 1), hard_tanh)}, "got hard tanh, need every piece through 0"),
        (
            {"network": Network((1, 2, 1), relu, output_activation=relu)},
            "need no output activation",
        ),
        ({"weight_decay": 1}, "need no weight decay"),
        ({"loss": Huber()}, "need convex piecewise linear loss"),
        (
            {"network": Network((1, 2, 2), relu), "loss": one_versus_all_hinge()},
            "got 2 outputs, need 1 output",
        ),
        (
            {"network": Network((1, 2, 2), relu), "loss": multiclass_hinge()},
            "got 2 outputs, need 1 output",
        ),
    ],
)
def test_it_says_what_it_cannot_decide(change, reason):
    y = [[0, 1, 1], [1, -1, 1]]["loss" not in change or "network" not in change]
    risk = Risk(**{"network": Network((1, 2, 1), relu), "X": [-1, 0, 1], "y": y,
                   "loss": binary_hinge()} | change)  # fmt: skip
    answer = certify_hinge_minimum(risk, exact([0] * risk.dimension))
    assert answer.verdict == "unknown"
    assert reason in answer.reason


@pytest.mark.slow
def test_another_convex_piecewise_linear_loss():
    """The absolute loss |f - y| is the sum of two hinges."""
    rng, seen = random.Random(1), Counter()
    for _ in range(60):
        risk, w = random_point(rng)
        y = [Fraction(rng.randint(-2, 2)) for _ in risk.y]
        risk = Risk(risk.network, risk.exact_X, y, Absolute())
        problem = plain(Risk(risk.network, risk.exact_X, [1] * len(y), binary_hinge()))
        problem.terms = [
            (x, s, Fraction(1), s * label)
            for (x, *_), label in zip(problem.terms, y, strict=True)
            for s in (-1, 1)
        ]
        assert problem.risk(w) == fraction(risk(exact(w)))
        if sum(m == 0 for m in problem.margins(w)) + w.count(0) < 8:
            answer = certify_hinge_minimum(risk, exact(w), limit=10**6)
            seen[answer.verdict.value] += 1
            check(risk, w, problem, answer)
    assert set(seen) == {"certified", "refuted"}
