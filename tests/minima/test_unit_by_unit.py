"""The exact decision at any point of one hidden layer and one output, smooth losses, against brute
force that shares no code; and points with names.

``LSCORE_KINKS=5000 pytest tests/minima/test_unit_by_unit.py`` asks about that many random points
instead of 100 and prints the counts."""

import os
import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from brute_kinks import dot
from brute_units import Network as Plain
from brute_units import lower_point
from cases import fraction
from flint import arb, ctx, fmpq
from losses import Absolute, Huber, Logistic
from named_kinks import numbers
from unit_points import HALF, TINY, losses, random_case, text

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    binary_hinge,
    certify_local_minimum,
    exact,
    hard_tanh,
    leaky_relu,
    piecewise_linear,
    relu,
    tanh,
)
from lscore.algebra.linear import least_squares
from lscore.minima.unit_by_unit import certify_kink_minimum
from lscore.model.balls import ball_risk
from lscore.model.entropy import LogisticLoss

POINTS = int(os.environ.get("LSCORE_KINKS", 100))


def check(risk, P, w, answer):
    """Brute force agrees, and a witness descends arbitrarily near w."""
    assert answer.verdict != "unknown", answer
    low = lower_point(P, w)
    assert answer.certified == (low is None), (risk, P, w, low, answer)
    assert fraction(risk(exact(text(w)))) == P.risk(w)
    if answer.refuted:
        descends(P, w, answer.witness)


def descends(P, w, witness):
    base, u = P.risk(w), numbers(witness["direction"])
    size = max(map(abs, u))
    for t in (TINY, TINY**3):
        assert P.risk([a + t / size * b for a, b in zip(w, u, strict=True)]) < base
    assert base - P.risk(numbers(witness["lower_point"])) == fraction(witness["decrease_there"]) > 0


def test_it_agrees_with_brute_force_and_leaves_nothing_open(capsys):
    rng, seen = random.Random(3), Counter()
    while seen["certified"] + seen["refuted"] < POINTS:
        risk, P, w = random_case(rng)
        ties, unused = P.ties(w), P.unpack(w)[1].count(0)
        if len(ties) + unused > 7:
            seen["too long for brute force"] += 1
            continue
        answer = certify_kink_minimum(risk, exact(text(w)), limit=10**6)
        check(risk, P, w, answer)
        verdict = answer.verdict.value
        seen[verdict] += 1
        seen["unused", verdict] += unused > 0
        seen["ties", verdict] += bool(ties)
        seen["several ties of a unit", verdict] += len(ties) > len({k for k, _ in ties})
        seen["order 2"] += answer.witness.get("order", 1) > 1
        seen["knots off 0", verdict] += any(P.knots)
    with capsys.disabled():
        print(dict(seen)) if POINTS > 1000 else None
    for what in ("unused", "ties", "several ties of a unit", "knots off 0"):
        assert seen[what, "certified"] > POINTS / 100, seen
        assert seen[what, "refuted"] > POINTS / 100, seen
    assert seen["certified"] > POINTS / 5


# Weight decay


def decayed_case(rng):
    """Two-piece units in balance or at 0, and a pull that meets all equations.

    Decay of all parameters, of weights by layer, or of weights only.
    """
    d, bias = rng.choice([(1, True), (2, False), (2, True)])
    shift = rng.random() < 0.6
    D, K, n = d + bias, rng.choice([1, 1, 2]), rng.randint(3, 7)
    X = [[Fraction(rng.choice([-2, -1, 0, 1, 2])) for _ in range(d)] for _ in range(n)]
    slopes = [Fraction(rng.choice([0, 0, HALF, -1])), Fraction(1)]
    ratio, inner = Fraction(rng.choice([1, 1, 2, HALF])), Fraction(1, rng.choice([2, 10]))
    outer, loose = ratio**2 * inner, bias and rng.random() < 0.3
    unit_vectors = {
        1: [(1,), (-1,)],
        2: [(1, 0), (0, -1), (-1, 0), (Fraction(3, 5), Fraction(-4, 5))],
        3: [(1, 0, 0), (0, 0, -1), (Fraction(2, 3), Fraction(-2, 3), Fraction(1, 3))],
    }
    units, out = [], []
    for _ in range(K):
        v = Fraction(rng.choice([0, 1, -1, 2]))
        free = [Fraction(rng.choice([-2, -1, 0, 1]))] * loose
        units.append([ratio * abs(v) * a for a in rng.choice(unit_vectors[D - loose])] + free)
        out.append(v)
    c = Fraction(rng.choice([0, 1])) * shift
    row = [inner] * d + [inner * (not loose)] * bias
    P = Plain(X, K, bias, shift, [Fraction(0)], slopes, Fraction(0), None, None)
    P.decay = tuple(P.pack([row] * K, [outer] * K, outer * (not loose)))
    w = P.pack(units, out, c)
    rows, right = ([[1] * n], [-outer * (not loose) * c]) if shift else ([], [])
    for u, v in zip(units, out, strict=True):
        if v == 0:
            continue
        z = [dot(u, x) for x in P.rows]
        share = [rng.choice([0, 1, HALF, Fraction(1, 4), -HALF]) for _ in z]
        at = [
            s if e == 0 else slopes[e > 0]
            for e, s in zip(z, [slopes[0] + q * (1 - slopes[0]) for q in share], strict=True)
        ]
        rows += [[s * x[j] for s, x in zip(at, P.rows, strict=True)] for j in range(D)]
        right += [-decay * a / v for a, decay in zip(u, row, strict=True)]
    A, b = exact(text(rows or [[0] * n])), exact(text(right or [0]))
    pull, _ = least_squares(A, b)
    if A @ pull != b:
        return None
    y = [f - v for f, v in zip(P.outputs(w), numbers(pull), strict=True)]
    P.value, P.slope, loss = losses("half squares", y)
    network = Network((d, K, 1), piecewise_linear([0], text(slopes)), (bias, shift))
    decay = [*map(str, P.decay)]
    return Risk(network, exact(text(X)), exact(text(y)), loss, decay), P, w, inner * outer


def falls_somewhere(rng, P, w):
    """A lower point among random small moves of some parameters, or None."""
    base = P.risk(w)
    for _ in range(80):
        size = Fraction(1, 2 ** rng.choice([8, 12, 20]))  # not as far as the next wall
        moves = [rng.choice([0, 0, 1, -1, HALF, -3]) for _ in w]
        found = [a + size * m for a, m in zip(w, moves, strict=True)]
        if P.risk(found) < base:
            return found
    return None


def steepest_at_zero(rng, P, w):
    """The largest pull at an unused unit over many directions, in floats."""
    nu = [float(P.slope(i, f)) for i, f in enumerate(P.outputs(w))]
    best = 0.0
    for _ in range(400):
        u = [rng.gauss(0, 1) for _ in P.rows[0]]
        size = sum(a * a for a in u) ** 0.5
        z = [sum(a * float(b) for a, b in zip(u, x, strict=True)) for x in P.rows]
        total = sum(v * float(P.slopes[e > 0]) * e for v, e in zip(nu, z, strict=True))
        best = max(best, abs(total) / size)
    return best


def test_weight_decay_is_decided_too():
    rng, seen = random.Random(5), Counter()
    while seen["certified"] + seen["refuted"] < 2 * POINTS:
        if (case := decayed_case(rng)) is None:
            continue
        risk, P, w, square = case
        answer = certify_kink_minimum(risk, exact(text(w)), limit=10**6)
        if answer.verdict == "unknown":  # a unit with a bias that does not decay
            assert "decay differs within it" in answer.reason
            assert 0 in P.unpack(w)[1]
            seen["unknown"] += 1
            continue
        seen[answer.verdict.value] += 1
        if answer.refuted:
            descends(P, w, answer.witness)
            seen["corner"] += "unused units are pulled" in answer.conditions[-1].text
            continue
        assert falls_somewhere(rng, P, w) is None, (risk, w)
        if 0 in P.unpack(w)[1] and len(set(P.decay[: P.K * len(P.rows[0])])) == 1:
            assert steepest_at_zero(rng, P, w) <= float(square) ** 0.5 * (1 + 1e-9)
            seen["zero unit", "certified"] += 1
        seen["ties", "certified"] += any(P.unpack(w)[1][k] for k, _ in P.ties(w))
    assert seen["certified"] > POINTS / 5, seen
    assert seen["unknown"] < POINTS, seen
    assert min(seen["corner"], seen["zero unit", "certified"]) > POINTS / 50, seen
    assert seen["ties", "certified"] > POINTS / 20, seen


def test_decay_of_units_whose_knots_are_off_zero():
    """w = 1, v = 2: |w| < |v|, certified; w = 2, v = 1 is left to the curvature of the loss."""
    for w, v, verdict in ((1, 2, "certified"), (2, 1, "unknown")):
        h = piecewise_linear([-3], [0, 1])  # h(z) = z + 3 here
        # x = 1 and 0, pulls p and q: v p + w / 10 = 0 and (w + 3) p + 3 q + v / 10 = 0
        first = -Fraction(w, 10 * v)
        second = (-Fraction(v, 10) - (w + 3) * first) / 3
        y = [v * (w + 3) - first, v * 3 - second]
        risk = Risk(Network((1, 1, 1), h, bias=False), [1, 0], text(y), weight_decay="1/10")
        answer = certify_kink_minimum(risk, exact([w, v]))
        assert answer.verdict == verdict, answer
        if verdict == "unknown":
            assert answer.reason.startswith("no used unit has input weights that decay more")


# Points with names

X5, Y5 = [-2, -1, 0, 1, 2], [1, "-1/2", 1, "-1/2", 1]
FIVE = Risk(Network((1, 1, 1), relu), X5, Y5, SquaredLoss("1/2", mean=True))


def test_a_minimum_on_a_kink_only():
    answer = certify_local_minimum(FIVE, exact([1, 1, "3/34", "5/17"]))
    assert str(answer).splitlines() == [
        "certified (exact): the point is a local minimum  [HE-foc]",
        "  holds     the derivative by the output bias is 0",
        "  holds     the derivatives by the output weights are 0",
        "  holds     no used unit descends: multipliers in 1 case",
        "  value     risk = 9/34",
    ]
    for nudge in ("1/1000000", "-1/1000000"):  # of the kink, and of the output weight
        assert certify_local_minimum(FIVE, exact([1, 1 + Fraction(nudge), "3/34", "5/17"])).refuted
        moved = Fraction("3/34") + Fraction(nudge)
        assert certify_local_minimum(FIVE, exact([1, 1, moved, "5/17"])).refuted


@pytest.mark.parametrize(("last", "verdict"), [("-1/10", "certified"), ("-13/10", "refuted")])
def test_a_concave_tie_that_depends_on_others(last, verdict):
    """Ties at (1, 0, 0), (0, 1, 0), (1, 1, 0) with bends 1, 1 and a negative one."""
    X = [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], ["-1/2", "-1/2", 1]]
    pull = [1, 1, Fraction(last), Fraction(-4, 5), Fraction(4, 5)]
    y = [str(f - v) for f, v in zip([0, 0, 0, 1, 1], pull, strict=True)]
    risk = Risk(Network((3, 1, 1), relu, bias=False), exact(X), exact(y))
    answer = certify_kink_minimum(risk, exact([0, 0, 1, 1]))
    assert answer.verdict == verdict
    assert answer.conditions[-1].text == "no used unit descends: multipliers in 2 cases"
    rest = certify_kink_minimum(risk, exact([0, 0, 1, 1]), limit=1)
    if verdict == "certified":
        assert rest.reason == "there are up to 2 cases, the limit is 1"


def test_concave_ties_in_general_position_are_refuted_at_once():
    """Twenty of them leave a million chambers."""
    d = 20
    X = [[int(i == j) for j in range(d)] for i in range(d)]
    risk = Risk(Network((d, 1, 1), relu, bias=False), X, [1] * d)
    answer = certify_kink_minimum(risk, exact([0] * d + [1]))
    assert answer.refuted
    assert "1048576 cases" in answer.conditions[-1].text


def test_twins_dead_units_and_repeated_samples():
    """A minimum stays one: a unit is split in two, a dead one is added, samples are repeated."""
    point = {
        "split": ([1, 1, 1, 1, "1/34", "1/17", "5/17"], 2),
        "dead": ([1, -1, 1, -5, "3/34", 7, "5/17"], 2),
        "unused and dead": ([1, -1, 1, -5, "3/34", 0, "5/17"], 2),
        "opposite sign": ([1, 1, 1, 1, "4/34", "-1/34", "5/17"], 2),
        "unused and alive": ([1, 1, 1, 1, "3/34", 0, "5/17"], 2),
    }
    for name, (w, units) in point.items():
        for X, y in ((X5, Y5), (X5 * 2, Y5 * 2)):
            network = Network((1, units, 1), relu)
            risk = Risk(network, X, y, SquaredLoss("1/2", mean=True))
            answer = certify_kink_minimum(risk, exact(w))
            assert answer.certified == (name not in ("opposite sign", "unused and alive")), name
            assert fraction(risk(exact(w))) == Fraction(9, 34)


def test_tiny_and_huge_numbers():
    for size in (1e-300, 1e300):
        risk = Risk(Network((1, 1, 1), relu), [-2 * size, -size, 0.0, size, 2 * size], Y5)
        w = exact([1, Fraction(size), "3/34", "5/17"])
        w = exact([1, Fraction(size), Fraction(3, 34) / Fraction(size), "5/17"])
        assert certify_kink_minimum(risk, w).certified
        moved = exact([1, Fraction(size), 2 * Fraction(3, 34) / Fraction(size), "5/17"])
        assert certify_kink_minimum(risk, moved).refuted


# Losses that are not rational, or have kinks of their own


def test_logistic_loss_where_all_outputs_are_0():
    loss = LogisticLoss()
    same = Risk(Network((1, 1, 1), relu), [0, 0], [1, -1], loss)
    assert certify_local_minimum(same, exact([1, 1, 0, 0])).certified
    dead = Risk(Network((1, 1, 1), relu), [0, 1], [1, -1], loss)
    assert certify_local_minimum(dead, exact([0, -1, 1, 0])).certified
    assert certify_local_minimum(dead, exact([0, 0, 0, 0])).refuted
    corner = certify_kink_minimum(dead, exact([0, 0, 0, 0]))
    assert corner.witness["order"] == 2
    start, low = (ball_risk(dead, w) for w in (exact([0] * 4), corner.witness["lower_point"]))
    assert low < start


def test_logistic_loss_at_a_kink_is_refuted_in_balls_or_unknown():
    risk = Risk(Network((1, 1, 1), relu), [-1, 0, 1, 2], [1, -1, 1, -1], LogisticLoss())
    answer = certify_local_minimum(risk, exact([1, 0, -1, "1/2"]))
    assert (str(answer.verdict), answer.method) == ("refuted", "ball")
    low = answer.witness["lower_point"]
    assert ball_risk(risk, low) < ball_risk(risk, exact([1, 0, -1, "1/2"]))
    assert answer.claim == "HE-foc"
    at_rest = Risk(risk.network, [0, 0, 0], [1, 1, -1], LogisticLoss())
    for bits, verdict in ((53, "refuted"), (2000, "unknown")):  # its minimum is at c = log 2
        with ctx.workprec(bits):
            mantissa, exponent = arb(2).log().mid().man_exp()
        c = fmpq(mantissa) * fmpq(2) ** int(exponent)
        assert certify_kink_minimum(at_rest, exact([0, -1, 1, c])).verdict == verdict


class Rough(Logistic):
    """Without a second derivative, as |m|^(3/2) at 0."""

    def second(self, outputs, targets, pieces=None):
        return np.full((len(outputs), 1, 1), arb.nan())


def test_a_loss_without_a_second_derivative_leaves_an_unused_unit_unknown():
    risk = Risk(Network((1, 1, 1), relu), [0, 1, 2, 4], [1, -1, -1, 1], Rough())
    answer = certify_kink_minimum(risk, exact([0, 1, 0, 0]))
    assert answer.reason == "loss: balls enclose no second derivative of the logistic loss here"
    silent = certify_kink_minimum(risk, exact([0, 0, 0, 0]))  # an idle unit does not bend the loss
    assert silent.reason.startswith("balls never show")
    assert certify_local_minimum(risk, exact([0, 0, 0, 0])).verdict == "unknown"


def test_the_hinge_loss_between_its_kinks_with_knots_off_0():
    """Hard tanh: the hinge decider does not take it; no margin is tied."""
    risk = Risk(Network((1, 1, 1), hard_tanh), [0, 0, 1], [1, -1, 1], binary_hinge())
    answer = certify_local_minimum(risk, exact([0, 2, 0, 0]))
    assert not answer.certified  # the sample at 1 pulls the bias
    same = Risk(Network((1, 1, 1), hard_tanh), [0, 0], [1, -1], binary_hinge())
    assert certify_kink_minimum(same, exact([3, 1, "1/2", 0])).certified
    tied = certify_kink_minimum(same, exact([3, 1, "1/2", "1/2"]))
    assert tied.reason.startswith("loss: the binary loss has no derivative at the output of sample")


@pytest.mark.parametrize(
    ("risk", "reason"),
    [
        (Risk(Network((1, 1, 1, 1), relu), [1], [1]), "got 2 hidden layers, need 1 hidden layer"),
        (Risk(Network((1, 1, 2), relu), [1], [[1, 2]]), "got 2 outputs, need 1 output"),
        (Risk(Network((1, 1, 1), tanh), [1], [1]), "got tanh, need piecewise linear"),
        (
            Risk(Network((1, 1, 1), relu, output_activation=relu), [1], [1]),
            "got output activation, need no output activation",
        ),
    ],
)
def test_outside_its_setting_it_says_what_it_needs(risk, reason):
    assert certify_kink_minimum(risk, exact([0] * risk.dimension)).reason == reason


def test_a_declared_loss_is_named():
    risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [0, 0], [1, -1], Huber())
    answer = certify_kink_minimum(risk, exact([1, 1, 0, 0]))
    assert answer.certified
    assert "declared convex" in answer.conditions[-1].text
    absolute = Risk(risk.network, [0, 0], [1, -1], Absolute())
    assert certify_kink_minimum(absolute, exact([1, 1, 0, 0])).certified
