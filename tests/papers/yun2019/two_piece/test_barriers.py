"""Barriers: exact passes against a dense grid of kinks that shares no code with them."""

import heapq
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from barrier_points import EXAMPLE, FIT, SIX, X, Y, network, random_data
from flint import fmpq
from scipy.optimize import nnls

from lscore import (
    Network,
    Risk,
    binary_hinge,
    exact,
    hard_tanh,
    leaky_relu,
    mean_squared_error,
    rational,
    relu,
    tanh,
    two_piece,
)
from lscore.algebra.matrices import to_float
from lscore.claims import claim
from lscore.papers.yun2019 import (
    best_one_kink,
    certify_bad_valley,
    certify_barrier,
    certify_spurious,
    escape_path,
    least_squares_minimum,
    lowest_pass,
)
from lscore.papers.yun2019.two_piece.cones import KinkCones


def grid_pass(x, y, slope=0.0, parts=6):
    """(height, lowest on this side, bottom) from the affine fit on a dense grid of kinks.

    Floats, scipy's nonnegative least squares and a flood of the grid; nothing of lscore. Units turn
    round a circle of directions and change their sign where they are 0. Every number is at least
    the true one.
    """
    x, y = np.array(x, float), np.array(y, float)
    places = np.unique(x)
    kinks = np.unique([a + (b - a) * k / parts for a, b in itertools.pairwise(places)
                       for k in range(parts + 1)])[::-1]  # fmt: skip
    signals = [s * (x - t) for s in (-1, 1) for t in kinks]
    units = [np.where(z > 0, z, slope * z) for z in signals]
    m = len(units)
    states = [0, *range(1, m + 1), *range(-m, 0)]

    def value(a, b):
        columns = [np.ones_like(x), -np.ones_like(x)]
        columns += [np.sign(s) * units[abs(s) - 1] for s in (a, b) if s]
        return nnls(np.column_stack(columns), y)[1] ** 2 / 2

    values = {}
    for a, b in itertools.combinations_with_replacement(states, 2):
        values[a, b] = values[b, a] = value(a, b)

    def beside(s):
        if not s:
            return states
        sign, r = np.sign(s), abs(s) - 1
        return [0, int(sign) * ((r - 1) % m + 1), int(sign) * ((r + 1) % m + 1)]

    tilt = np.polyfit(x, y, 1)[0]  # the last direction is on for all data
    bottom, start = min(values.values()), (int(np.sign(tilt)) * m, 0)
    height = values[start]
    reached, seen, heap, side = [], {start}, [(height, start)], []
    while True:
        found, (a, b) = heapq.heappop(heap)
        if found > height + 1e-9:
            height, side = found, list(reached)
        if found <= bottom + 1e-12:
            return height, min(side, default=bottom), bottom
        reached.append(found)
        for other in [(s, b) for s in beside(a)] + [(a, s) for s in beside(b)]:
            if other not in seen:
                seen.add(other)
                heapq.heappush(heap, (values[other], other))


def check_path(risk, found, w):
    """The corners lead from w to a global minimum and no higher than the pass, by `risk` alone."""
    assert found.corners[0] == w
    assert risk(found.corners[-1]) == found.bottom
    assert max(map(risk, found.corners)) == found.height
    assert risk(found.dead_end[-1]) == found.lowest
    assert max(map(risk, found.dead_end)) < found.height or not found.side
    for path in (found.corners, found.dead_end):
        for a, b in itertools.pairwise(path):
            for t in ("1/64", "1/5", "1/2", "4/5", "63/64"):
                assert risk(a + (b - a) * rational(t)) <= max(risk(a), risk(b))


def test_the_example_has_the_numbers_of_the_book():
    assert certify_spurious(EXAMPLE, FIT).certified
    path = escape_path(EXAMPLE, FIT)
    assert [EXAMPLE(p) for p in (path[0], path[-1])] == [fmpq(23, 4), fmpq(149, 26)]
    found = lowest_pass(EXAMPLE, FIT)
    assert (found.height, found.lowest, found.bottom) == (fmpq(67, 11), fmpq(103, 28), 3)
    check_path(EXAMPLE, found, FIT)
    assert certify_barrier(EXAMPLE, FIT).certified


def test_the_certificate_says_what_it_decided():
    answer = certify_barrier(EXAMPLE, FIT)
    assert [(c.text, c.holds, c.margin) for c in answer.conditions] == [
        ("the lowest pass to a global minimum is higher than the point", True, fmpq(15, 44)),
        ("no way out of the faces on this side is lower than the pass", True, None),
        ("the lowest point on this side is not global", True, fmpq(19, 28)),
    ]
    assert dict(answer.values) == {
        "risk": fmpq(23, 4),
        "lowest_on_this_side": fmpq(103, 28),
        "barrier": fmpq(67, 11),
        "global_minimum": 3,
    }
    no = certify_barrier(EXAMPLE, lowest_pass(EXAMPLE, FIT).corners[-1])
    assert no.refuted
    assert [(c.text, c.holds) for c in no.conditions] == [(answer.conditions[0].text, False)]


def test_the_side_of_the_example_by_brute_force():
    """All global minima have two falling units with kinks left of 3; its border is too high."""
    x, y = np.array(X, float), np.array(Y, float)
    falling = np.linspace(0, 7, 7 * 8 + 1)
    units = {
        -1: [np.maximum(t - x, 0) for t in falling],
        1: [np.maximum(x - t, 0) for t in falling],
    }

    def best(first, second):
        lowest = np.inf
        for a in first:
            for b in second:
                A = np.column_stack([np.ones(5), a, b])
                off = A @ np.linalg.lstsq(A, y, rcond=None)[0] - y
                lowest = min(lowest, off @ off / 2)
        return lowest

    left, right = units[-1][: 3 * 8 + 1], units[-1][3 * 8 :]
    everything = units[-1] + units[1]
    assert best(left, left) == pytest.approx(3, abs=1e-3)
    outside = best(right + units[1], everything)
    assert 103 / 28 - 1e-9 < outside < 103 / 28 + 1e-3
    border = best([np.maximum(3 - x, 0)], left)  # weight 0: the unit that is dead
    assert 67 / 11 - 1e-9 < border < 67 / 11 + 1e-3


CASES = {
    "the example": (X, Y, 0),
    "six inputs": (*SIX, 0),
    "leaky": (X, Y, "1/10"),
    "leaky, open": (X, Y, "1/2"),
    "negative slope": (X, Y, "-1/3"),
    **{f"random {seed}": (*random_data(seed, 4 + seed % 3), 0) for seed in range(6)},
    **{f"equal inputs {seed}": (*random_data(seed, 6, clash=True), 0) for seed in (10, 11)},
}


@pytest.mark.parametrize(("x", "y", "slope"), CASES.values(), ids=CASES)
def test_the_pass_agrees_with_a_dense_grid(x, y, slope):
    risk = network(x, y, h=two_piece(1, slope))
    w = least_squares_minimum(risk)
    found = lowest_pass(risk, w)
    check_path(risk, found, w)
    seen = grid_pass(x, y, to_float(rational(slope)), parts=6 if len(set(x)) < 6 else 4)
    for grid, true in zip(seen, (found.height, found.lowest, found.bottom), strict=True):
        assert -1e-9 <= grid - to_float(true) <= 0.04 * max(1, to_float(found.height))


@pytest.mark.parametrize("seed", range(4))
def test_from_any_point_the_path_is_real_and_no_higher_than_the_pass(seed):
    rng = np.random.default_rng(seed)
    risk = network(*random_data(seed + 20, 4), width=1 + seed % 3, h=leaky_relu("1/4"))
    for w in (np.zeros(risk.dimension), rng.integers(-3, 4, risk.dimension) / 2.0):
        check_path(risk, lowest_pass(risk, w), exact(w))


OPEN = {"a label": [-1, -3, 2, 0, 2], "the last label": [-1, -3, 2, -1, 1]}


@pytest.mark.parametrize("y", OPEN.values(), ids=OPEN)
def test_refused_where_the_data_open_the_barrier(y):
    risk = network(X, y)
    w = least_squares_minimum(risk)
    answer = certify_barrier(risk, w)
    assert answer.refuted
    path = answer.witness["path"]
    corners = [path.rows(i, i + 1).T for i in range(len(path))]
    assert corners[0] == w
    assert max(map(risk, corners)) == answer.witness["highest_risk"] == risk(w)
    assert risk(corners[-1]) == KinkCones(risk).bottom


def test_a_third_unit_or_another_point_opens_it_too():
    three = network(X, Y, 3)
    assert certify_barrier(three, least_squares_minimum(three)).refuted
    above = exact([0, 0, -1, -1, 1, 1, "-1/5"])  # the dead network, above the pass
    assert EXAMPLE(above) > fmpq(67, 11)
    assert certify_barrier(EXAMPLE, above).refuted
    w1, w2, b1, b2, v1, v2, c = FIT.entries()
    swapped = exact([w2, w1, b2, b1, v2, v1, c])
    assert certify_barrier(EXAMPLE, swapped).certified
    assert certify_barrier(EXAMPLE, FIT.point()).certified  # floats, taken exactly


def test_a_wide_network_has_no_barrier():
    for seed in range(5):
        x, y = random_data(seed, 4)
        for risk in (network(x, y, 3), network(x[:3], y[:3], 2, leaky_relu("1/3"))):
            w = exact(np.random.default_rng(seed).integers(-4, 5, risk.dimension) / 2.0)
            assert certify_barrier(risk, w).refuted


def test_one_unit_agrees_with_the_bad_valley():
    decided = set()
    for seed in range(30):
        risk = network(*random_data(seed, 4), width=1)
        w = exact(np.random.default_rng(seed).integers(-4, 5, 4) / 2.0)
        if risk(w) > 20:
            w = best_point(risk, 1 if seed % 2 else -1)
        old, new = certify_bad_valley(risk, w), certify_barrier(risk, w)
        assert not (old.certified and not new.certified)
        assert not (old.refuted and not new.refuted)
        assert KinkCones(risk).bottom == best_one_kink(risk).risk
        if old.certified:
            for name in ("risk", "barrier", "global_minimum"):
                assert old.values[name] == new.values[name]
            assert old.values["lowest_on_this_side"] <= new.values["lowest_on_this_side"]
        decided.add((str(old.verdict), str(new.verdict)))
    assert {("certified", "certified"), ("unknown", "refuted")} <= decided


def best_point(risk, side):
    """The affine fit by one unit that is on for all data, from this side."""
    low, high = risk.exact_X.smallest(), -(-risk.exact_X).smallest()
    slope, intercept = np.polyfit(*(v.floats()[:, 0] for v in (risk.exact_X, risk.exact_y)), 1)
    end = to_float(low if side > 0 else high)
    return exact([side, -side * end, side * slope, intercept + slope * end])


def transformed(scale=1, shift=0, times=1):
    return network([scale * x + shift for x in X], [times * y for y in Y])


@pytest.mark.parametrize(
    ("risk", "factor"),
    [
        (transformed(scale=-1), 1),
        (transformed(scale=2, shift=-5), 1),
        (transformed(times=-3), 9),
        (network(X[::-1], Y[::-1]), 1),
        (network([*X, *X], [*Y, *Y]), 2),
        (network(X, Y, loss=mean_squared_error), fmpq(2, 5)),
        (network(X, Y, h=two_piece(0, 3)), 1),
    ],
    ids=["mirrored", "moved", "labels", "order", "doubled", "mean loss", "mirrored ReLU"],
)
def test_symmetries_change_the_numbers_as_they_must(risk, factor):
    values = certify_barrier(risk, least_squares_minimum(risk)).values
    wanted = fmpq(23, 4), fmpq(103, 28), fmpq(67, 11), fmpq(3)
    assert [values[name] for name in values] == [factor * number for number in wanted]


OUTSIDE = {
    "no biases": (Risk(Network((1, 2, 1), relu, bias=False), X, Y), "hypothesis biases"),
    "weight decay": (Risk(EXAMPLE.network, X, Y, weight_decay=1), "no weight decay"),
    "output activation": (
        Risk(Network((1, 2, 1), relu, output_activation=relu), X, Y),
        "no output activation",
    ),
    "hinge": (
        Risk(EXAMPLE.network, X, [1, -1, 1, -1, 1], binary_hinge()),
        "hypothesis squared loss",
    ),
    "depth": (Risk(Network((1, 2, 2, 1), relu), X, Y), "hypothesis 1 hidden layer"),
    "two inputs": (Risk(Network((2, 2, 1), relu), [[x, 1] for x in X], Y), "hypothesis 1 input"),
    "two outputs": (Risk(Network((1, 2, 2), relu), X, [[y, 1] for y in Y]), "hypothesis 1 output"),
    "smooth": (network(X, Y, h=tanh), "C1.3"),
    "three pieces": (network(X, Y, h=hard_tanh), "C1.3"),
    "one input value": (network([1, 1], [0, 2]), "two distinct inputs"),
    "many faces": (network(X, Y, 4), r"41\^4 faces"),
}


@pytest.mark.parametrize(("risk", "reason"), OUTSIDE.values(), ids=OUTSIDE)
def test_outside_its_setting_the_answer_is_unknown_with_the_reason(risk, reason):
    answer = certify_barrier(risk, exact([0] * risk.dimension))
    assert answer.verdict == "unknown"
    assert re.search(reason, answer.reason)


def test_the_headline_says_no_more_than_its_proof():
    """A way to a lower point is no way to a global minimum: the example refutes that reading."""
    root = Path(__file__).parents[4]
    entry = claim("YUN-B-T1-4")
    pages = [root / "README.md", *(root / "book").rglob("*.md"), *(root / "lscore").rglob("*.py")]
    texts = [entry.item + entry.statement, *(page.read_text("utf-8") for page in pages)]
    words = re.compile(r"\bvalleys?\s+(?:is|are)\s+not\b|without\s+a\s+bad\s+valley")
    proved = "smooth_activations.md"  # from those minima a path leads to risk 0
    assert "valley" not in texts[0]
    assert {page.name for page, text in zip(pages, texts[1:], strict=True)
            if words.search(text)} <= {proved}  # fmt: skip
