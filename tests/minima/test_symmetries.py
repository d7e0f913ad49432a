"""Minima up to symmetry: against the exact decision for two classes, and against brute force.

``LSCORE_SYMMETRIES=5000 pytest tests/minima/test_symmetries.py`` asks about that many random points
instead of 60 and prints the counts."""

import os
import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from brute_classes import Classes, lower_point, vertex
from cases import fraction
from losses import Absolute, Huber
from named_kinks import numbers, random_point

from lscore import (
    Network,
    Risk,
    binary_hinge,
    certify_hinge_minimum,
    certify_local_minimum,
    certify_sharp_minimum,
    exact,
    hard_tanh,
    leaky_relu,
    linear,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
    two_piece,
)
from lscore.algebra.linear import rank
from lscore.algebra.matrices import stack
from lscore.minima.balanced import certify_balance
from lscore.minima.descent import certify_along
from lscore.minima.symmetries import symmetry_directions
from lscore.papers.laurent2018 import active_minimum, halves_curve, split_unit

POINTS = int(os.environ.get("LSCORE_SYMMETRIES", 60))
SLOPES = [(0, 1), (0, 1), (0, 1), (Fraction(1, 4), 1), (-1, 1), (1, 1)]
NAMES = ["S8", "S12", "S9", "alive", "O8", "O12"]
KINKED = Risk(
    Network((1, 1, 2), leaky_relu("1/2")), [1, 2, -1], [0, 1, 1], one_versus_all_hinge([3, 2, 1])
)
KINKED_POINT = exact([1, -1, -2, 2, 1, -1])


def plain(risk):
    """The same risk for the brute force."""
    n, (_, K, R), h = len(risk.y), risk.network.widths, risk.network.activations[0]
    rows = [numbers(risk.exact_X.rows(i, i + 1)) for i in range(n)]
    kind, labels = risk.loss.kind, np.argmax(risk.y.numpy(), axis=1).tolist()
    terms = R - 1 if kind == "multiclass" else R
    mu = [
        numbers(part)
        for part in (risk.loss.term_weights(n, terms).rows(i, i + 1) for i in range(n))
    ]
    mu = [row[0] for row in mu] if kind == "multiclass" else mu
    slopes = (fraction(h.slopes[0]), fraction(h.slopes[-1]))
    return Classes.of(kind, rows, labels, mu, K, R, slopes)


def as_two_classes(risk, w, rng):
    """A binary hinge risk as a multiclass one: the output is a difference of two."""
    d, K, _ = risk.network.widths
    start = K * (d + risk.network.biases[0])
    v, c = w[start : start + K], w[start + K :]
    first, shift = ([Fraction(rng.randint(-1, 1)) for _ in part] for part in (v, c))
    second = [a + b for a, b in zip(first + shift, v + c, strict=True)]
    labels = [int(y > 0) for y in risk.exact_y.entries()]
    network = Network((d, K, 2), risk.network.activation, risk.network.bias)
    two = Risk(network, risk.exact_X, labels, multiclass_hinge(risk.loss.weights))
    return two, exact([*w[:start], *first, *second[:K], *shift, *second[K:]])


def test_with_two_classes_it_certifies_minima_only(capsys):
    rng, seen = random.Random(5), Counter()
    while seen["asked"] < POINTS:
        risk, w = random_point(rng)
        answer = certify_sharp_minimum(risk, exact(w))
        two, twice = as_two_classes(risk, w, rng)
        assert two(twice) == risk(exact(w))
        again = certify_sharp_minimum(two, twice)
        assert again.verdict == answer.verdict
        seen["asked"] += 1
        if answer.certified:
            seen["certified", risk(exact(w)) != 0] += 1
            assert certify_hinge_minimum(risk, exact(w), limit=10**5).certified, (risk, w)
    with capsys.disabled():
        print(dict(seen)) if POINTS > 1000 else None
    assert seen["certified", True] >= POINTS // 30


def random_classes(rng):
    """A risk with several outputs and a point with tied margins: a fitted output layer."""
    d, K, R = rng.choice([1, 2, 2]), rng.choice([1, 1, 2]), rng.choice([2, 3, 3, 4])
    n, kind = rng.randint(R, R + 4), rng.choice(["multiclass", "one versus all"])
    X = sorted([rng.randint(-3, 3) for _ in range(d)] for _ in range(n))
    labels = [i * R // n for i in range(n)]
    if rng.random() < 0.5:
        rng.shuffle(labels)
    mu = [[Fraction(rng.randint(1, 3), 4) for _ in range(R)] for _ in range(n)]
    mu = [row[0] for row in mu] if kind == "multiclass" else mu
    slopes = rng.choice(SLOPES)
    Z = [[rng.randint(-2, 2) for _ in range(d + 1)] for _ in range(K)]
    w = vertex(Classes.of(kind, X, labels, mu, K, R, slopes), Z)
    h = linear(slopes[0]) if slopes[0] == slopes[1] else two_piece(slopes[1], slopes[0])
    loss = (multiclass_hinge if kind == "multiclass" else one_versus_all_hinge)(mu)
    return None if w is None else (Risk(Network((d, K, R), h), X, labels, loss), w)


def changed(rng, name):
    """A named point, moved along symmetries, its weights and units changed; maybe no minimum."""
    found = active_minimum(name)
    risk, w = found.risk, numbers(found.point)
    (d, K, R), n = risk.network.widths, len(risk.y)
    for k in range(K):  # scale
        s = rng.choice([Fraction(1, 2), 1, 2])
        for j in (*range(k * d, k * d + d), K * d + k):
            w[j] *= s
        for r in range(R):
            w[K * (d + 1) + r * K + k] /= s
    if rng.random() < 0.6:  # other weights
        mu = risk.loss.term_weights(n, R - (name[0] != "O"))
        shake = [Fraction(rng.randint(95, 105), 100) for _ in range(n * mu.shape[1])]
        values = [a * s for a, s in zip(numbers(mu), shake, strict=True)]
        if name[0] == "O":
            rows = [values[i * R : (i + 1) * R] for i in range(n)]
            loss = one_versus_all_hinge(rows)
        else:
            loss = multiclass_hinge(values[:n])
        risk = Risk(risk.network, risk.exact_X, np.argmax(risk.y.numpy(), axis=1), loss)
    kind = rng.choice(["as it is", "as it is", "split", "idle", "idle twin"])
    kind = "as it is" if name == "alive" else kind
    if kind != "as it is":
        share = rng.choice([Fraction(1, 2), Fraction(1, 3), -1])
        for j in range(d):
            w[d + j] = w[j] if kind != "idle" else rng.randint(-1, 1)
        w[K * d + 1] = w[K * d] if kind != "idle" else 3
        for r in range(R if kind == "split" else 0):
            place = K * (d + 1) + r * K
            w[place], w[place + 1] = w[place] * (1 - share), w[place] * share
    elif rng.random() < 0.2:  # an output weight is off by little
        w[K * (d + 1) + rng.randrange(R) * K] += Fraction(1, 10**6)
    return kind, risk, w


def test_brute_force_finds_nothing_lower_than_what_it_certifies(capsys):
    rng, steps, seen = random.Random(1), np.random.default_rng(0), Counter()
    while seen["asked"] < POINTS:
        kind, found = "vertex", random_classes(rng)
        if rng.random() < 0.5:
            kind, *found = changed(rng, rng.choice(NAMES))
        if found is None:
            continue
        risk, w = found
        problem, answer = plain(risk), certify_sharp_minimum(risk, exact(w))
        assert problem.risk(w) == fraction(risk(exact(w)))
        seen["asked"] += 1
        seen[kind, answer.verdict.value] += 1
        if answer.certified:
            assert lower_point(problem, w, steps, tries=2) is None, (risk, w)
            seen["no balance"] += not certify_balance(risk, exact(w)).certified
    with capsys.disabled():
        print(dict(seen)) if POINTS > 1000 else None
    assert seen["no balance"] > POINTS / 20
    assert min(seen["vertex", "certified"], seen["as it is", "certified"]) > 0
    assert not seen["split", "certified"] + seen["idle twin", "certified"]


def test_the_brute_force_finds_second_order_descents():
    """So its silence says something: the split point, whose first order is balanced."""
    found = active_minimum("S8")
    split = split_unit(found.risk, found.point)
    problem, w = plain(found.risk), numbers(split)
    low = lower_point(problem, w, np.random.default_rng(0), tries=8)
    assert problem.risk(low) < problem.risk(w)
    assert lower_point(problem, numbers(found.point), np.random.default_rng(0), tries=8) is None


def test_equal_halves_of_a_unit_are_no_minimum():
    """S8, its unit split: a curve descends at order 2, by exactly 1383/100 t^2."""
    found = active_minimum("S8")
    split = split_unit(found.risk, found.point)
    answer = certify_sharp_minimum(found.risk, split)
    assert answer.reason == "3 directions are flat to first order and no symmetry"
    assert not certify_local_minimum(found.risk, split).certified
    network = exact([[14, "-8/5", -16, 0], [16, "28/5", -12, -4]]).T  # of x + (6, 6)
    c = exact([-206, "-198/5", 126, 18]) + network @ exact([6, 6])
    A = exact([[network[r, 0], network[r, 1], c[r, 0]] for r in range(4)])
    curve = halves_curve(found.risk, split, A)
    base = found.risk(split)
    for t in (Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000)):
        drop = base - found.risk(split + curve @ exact([t, t * t]))
        assert fraction(drop) == Fraction(1383, 100) * t * t
    along = certify_along(found.risk, split, curve)
    assert (along.witness["order"], fraction(along.witness["coefficient"])) == (
        2,
        Fraction(-1383, 100),
    )
    assert certify_along(found.risk, split, curve.column(0)).witness["order"] == 2


def test_symmetries_move_the_point_and_keep_the_certificate():
    """Finite flows of every kind, at the point whose second unit lives."""
    found = active_minimum("alive")
    risk, w = found.risk, found.point
    first = certify_sharp_minimum(risk, w)
    W, V = (layer.weight for layer in risk.network.unpack(w))
    b, c = (layer.bias for layer in risk.network.unpack(w))
    size = exact([[2, 0], [0, "1/3"]])
    moved = [
        risk.network.pack([size @ W, V @ exact([["1/2", 0], [0, 3]])], [size @ b, c]),
        risk.network.pack([W, V + exact([[1, -2]] * 4)], [b, c + exact([3] * 4)]),
        risk.network.pack([W, V], [b + exact(["1/5", 0]), c - V.column(0) / 5]),
    ]
    for point in moved:
        again = certify_sharp_minimum(risk, point)
        assert risk(point) == risk(w)
        assert [(c.text, c.margin) for c in again.conditions[1:]] == [
            (c.text, c.margin) for c in first.conditions[1:]
        ]


def test_units_of_one_pattern_mix():
    """(Z, V) -> (A Z, V A^-1) with one hidden pattern: certified before and after; n = 1 and 2."""
    risk = Risk(Network((2, 2, 2), relu), [[1, 0], [0, 1]], [0, 1], one_versus_all_hinge())
    w = exact([1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1])
    directions = symmetry_directions(risk, w)
    mix = exact([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])  # z_0 += z_1
    stacked = exact([*(directions.column(j).entries() for j in range(directions.shape[1]))])
    assert rank(stack([stacked, mix.T])) == rank(stacked)


def test_each_direction_keeps_the_risk_to_first_order_at_nearby_points():
    """At cells around random points: the same directions, and the risk does not change there."""
    rng, steps, tried = random.Random(3), np.random.default_rng(1), 0
    while tried < 15:
        if (found := random_classes(rng)) is None:
            continue
        risk, w = found
        w = exact(w)
        near = w + exact(steps.integers(-99, 100, risk.dimension) / 2.0**20)
        directions = symmetry_directions(risk, near)
        slopes = directions.T @ risk.gradient(near) if directions.shape[1] else exact([0])
        assert slopes.is_zero()
        assert directions.shape[1] >= 1 or not any(numbers(w))
        tried += 1


def test_a_unit_with_its_kink_on_a_sample_that_pulls():
    answer = certify_local_minimum(KINKED, KINKED_POINT)
    assert (answer.verdict, answer.claim, answer.values["risk"]) == ("certified", "LVB-S", 8)
    problem = plain(KINKED)
    assert lower_point(problem, numbers(KINKED_POINT), np.random.default_rng(0), tries=20) is None
    for mu, verdict in (([3, 2, 1], "certified"), ([3, 1, 1], "unknown"), ([1, 1, 1], "unknown")):
        risk = Risk(KINKED.network, KINKED.X, [0, 1, 1], one_versus_all_hinge(mu))
        assert certify_sharp_minimum(risk, KINKED_POINT).verdict == verdict
    assert "the limit is 1" in certify_sharp_minimum(KINKED, KINKED_POINT, limit=1).reason


@pytest.mark.parametrize("name", NAMES)
def test_a_perturbed_point_is_not_certified(name):
    found = active_minimum(name)
    rng = np.random.default_rng(0)
    assert certify_sharp_minimum(found.risk, found.point).certified
    for size in (2.0**-40, 1e-300):
        moved = found.point + exact(rng.integers(1, 9, found.risk.dimension) * size)
        assert certify_sharp_minimum(found.risk, moved).verdict == "unknown"


def test_samples_that_are_all_slack_do_not_count():
    """A solved sample on the kink of the unit, and one far away with its own pattern."""
    found = active_minimum("O12")
    point = found.point.entries()
    solved = [[-1, -4], [-4, -1]]  # <(1, 1), x> + 5 = 0
    margins = {
        r: numbers(found.risk.network(exact(point), exact(solved)).column(r)) for r in range(4)
    }
    assert {numbers[0] for numbers in margins.values()} == {Fraction(-5, 2), Fraction(5, 2)}
    labels = np.argmax(found.risk.y.numpy(), axis=1).tolist()
    signs = [[1 if r == label else -1 for r in range(4)] for label in labels]
    X = [*found.risk.exact_X.numerator.tolist(), *solved]
    mu = [numbers(found.risk.loss.weights.rows(i, i + 1)) for i in range(12)] + [[1] * 4] * 2
    risk = Risk(found.risk.network, X, [*signs, *[[-1, -1, 1, 1]] * 2], one_versus_all_hinge(mu))
    answer = certify_sharp_minimum(risk, exact(point))
    assert answer.certified
    assert risk(exact(point)) == found.risk(found.point)
    assert "tied unit" not in str(answer)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"network": Network((1, 2, 2, 2), relu)}, "got 2 hidden layers, need 1 hidden layer"),
        ({"network": Network((1, 2, 2), hard_tanh)}, "got hard tanh, need every piece through 0"),
        ({"network": Network((1, 2, 2), relu, output_activation=relu)}, "no output activation"),
        ({"weight_decay": 1}, "need no weight decay"),
        (
            {"network": Network((1, 2, 1), relu), "loss": Huber(), "y": [1, 2, 3]},
            "need convex piecewise linear loss",
        ),
    ],
)
def test_it_says_what_it_cannot_decide(change, reason):
    given = {"network": Network((1, 2, 2), relu), "X": [-1, 0, 1], "y": [0, 1, 1]}
    risk = Risk(**given | {"loss": multiclass_hinge()} | change)
    answer = certify_sharp_minimum(risk, exact([0] * risk.dimension))
    assert answer.verdict == "unknown"
    assert reason in answer.reason


def test_degenerate_risks_have_an_answer():
    """One sample, a zero row, duplicates, no biases, all zero, tiny numbers, another loss."""
    for X, y in (([[0]], [0]), ([[1], [1]], [0, 1]), ([[0], [0], [1e-300]], [0, 1, 1])):
        for bias in (True, False):
            for h in (relu, leaky_relu(-1), linear(1), linear(0)):
                risk = Risk(Network((1, 2, 2), h, bias), X, y, multiclass_hinge())
                w = exact([0] * risk.dimension)
                answer = certify_sharp_minimum(risk, w)
                exact_answer = certify_balance(risk, w)
                assert answer.verdict in ("certified", "unknown")
                assert not answer.certified or risk(w) == 0 or not exact_answer.refuted
    absolute = Risk(Network((1, 1, 1), linear(1)), [0, 1, 2], [0, 1, 3], Absolute())
    assert certify_sharp_minimum(absolute, exact([1, 0, 1, 0])).verdict in ("certified", "unknown")
    flat = Risk(Network((1, 1, 1), relu), [0, 0], [1, -1], binary_hinge())
    assert certify_sharp_minimum(flat, exact([0, -1, 1, 0])).verdict == "certified"
