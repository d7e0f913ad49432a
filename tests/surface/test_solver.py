"""Whole surfaces: lists of another program, descent from many points, workers, kills, limits.

``LSCORE_SURFACES=200 pytest tests/surface/test_solver.py -k descent`` solves that many random
surfaces instead of 4 and descends from 2000 points of each instead of 100.
"""

import multiprocessing
import os
import random
import time

import numpy as np
import pytest
from small_surfaces import (
    EIGHT,
    FIVE,
    FLAT,
    LISTS,
    descend,
    random_surface,
    risk_of,
    solved,
    starred,
    starting_points,
)

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    binary_hinge,
    exact,
    identity,
    leaky_relu,
    relu,
    two_piece,
)
from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import augment, to_float
from lscore.cells.pattern import locate
from lscore.errors import BudgetError, DataError, SettingError
from lscore.minima.unit_by_unit import certify_kink_minimum
from lscore.surface import solver
from lscore.surface.solver import decided_candidates, solve_surface, solved_cells

SURFACES = int(os.environ.get("LSCORE_SURFACES", 0))


@pytest.mark.parametrize("name", LISTS)
def test_the_lists_of_another_program(name):
    surface = solved(name)
    assert starred(surface) == LISTS[name][3]
    assert surface.certify().certified


def test_eight_points_have_98_values_with_three_units():
    surface = solve_surface(risk_of(EIGHT, 3, (0, 1)))
    assert len(surface.minima) == 98
    assert str(surface.best.risk) == "165/3584"
    assert len(surface.decisions) == 236


def test_eight_points_with_two_units_and_the_values_on_walls_only():
    surface = solve_surface(risk_of(EIGHT, 2, (0, 1)))
    on_walls = [str(m.risk) for m in surface.minima if m.wall_only]
    assert on_walls == [
        *("139249/423424", "1768609/3990016", "18121/39424", "2627/5632"),
        *("1727641/3695104", "3205/6784", "172619/362880", "2179/3904"),
    ]
    assert len(surface.minima) == 26
    assert surface.best.wall_only


def test_three_points_on_a_line_have_36_values_with_two_units():
    assert len(solve_surface(risk_of(FLAT, 2, (0, 1))).minima) == 36


@pytest.mark.parametrize("seed", range(SURFACES or 4))
def test_descent_finds_no_value_that_the_list_lacks(seed):
    X, y, width, slopes = random_surface(seed)
    surface = solve_surface(risk_of((X.tolist(), y.tolist()), width, slopes))
    tolerance = 1e-4 * max(1, y @ y / len(y))
    w = starting_points(X, width, 2000 if SURFACES else 100, seed)
    met, before = set(), None
    for _ in range(6):
        w, risks = descend(X, y, width, slopes, w, 5000 if SURFACES else 3000)
        where = surface.nearest(risks, tolerance)
        met |= set(where[where >= 0])
        falls = np.full(len(w), np.inf) if before is None else before - risks
        w, before = w[where < 0], risks[where < 0]
        if not len(w):
            break
    assert not len(w) or falls[where < 0].min() > tolerance / 10, "it stands still elsewhere"
    assert len(w) <= 25, "far too many are still on their way"
    assert 0 in met
    assert risks.min() > to_float(surface.best.risk) - tolerance
    if SURFACES:
        assert surface.certify().certified


def best_on_a_grid(seed):
    """A small random risk, and points of it: hidden weights of a grid with the best outputs."""
    rng = random.Random(seed)
    n, width, d = rng.randint(3, 5), rng.randint(1, 2), rng.randint(1, 2)
    X = [[rng.randint(-2, 2) for _ in range(d)] for _ in range(n)]
    y = [rng.randint(-3, 3) for _ in range(n)]
    h = rng.choice([relu, leaky_relu("1/2"), absolute_value, two_piece(-1, -2)])
    risk, points = Risk(Network((d, width, 1), h), X, y), []
    for _ in range(20):
        W = exact([[rng.randint(-1, 1) for _ in range(d)] for _ in range(width)])
        b = exact([rng.choice([-2, -1, "-1/2", 0, "1/2", 1, 2]) for _ in range(width)])
        w = risk.network.pack([W, exact([[0] * width])], [b, exact([0])])
        best, _ = least_squares(augment(h(risk.forward(w)[0][0])), risk.exact_y)
        out, shift = best.rows(0, width).T, best.rows(width, width + 1)
        points.append(risk.network.pack([W, out], [b, shift]))
    return risk, points


def test_local_minima_of_a_grid_are_on_the_list():
    """The decider of single points says which are local minima: exact, and no part of the
    solver."""
    on_walls = []
    for seed in range(60 if SURFACES else 12):
        risk, points = best_on_a_grid(seed)
        listed = {str(minimum.risk): minimum for minimum in solve_surface(risk).minima}
        for w in points:
            if certify_kink_minimum(risk, w).certified:
                tied = any((part % 2).any() for part in locate(risk, w).run.positions)
                assert tied or not listed[str(risk(w))].wall_only
                on_walls.append(tied)
    assert 20 < sum(on_walls) < len(on_walls) - 20


DEGENERATE = {
    "one sample": ([1], [2], "0"),
    "one sample, repeated": ([1, 1], [2, 3], "1/8"),
    "repeated samples": ([0, 0, 1, 1], [1, -1, 2, 0], "1/2 5/8"),
    "one repeated sample of two": ([[0, 0], [0, 0], [1, 0]], [1, 3, 2], "1/3"),
    "constant labels": ([0, 1, 2, 3], [5, 5, 5, 5], "0"),
}


@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("width", [2, 3])
def test_degenerate_data(name, width):
    X, y, values = DEGENERATE[name]
    surface = solve_surface(risk_of((X, y), width, (0, 1)))
    assert starred(surface) == values
    assert surface.certify().certified


def test_floats_are_taken_as_they_are_however_small():
    X, y = [1e-300, 0.0, 2e-300, 1e-300], [1e-300, 0.0, 5e-300, 3.0]
    surface = solve_surface(Risk(Network((1, 2, 1), relu), X, y))
    assert surface.certify().certified
    shifted = Risk(Network((1, 2, 1), relu), exact([1, 0, 2, 1]), exact(y))
    assert len(surface.minima) == len(solve_surface(shifted).minima)


def test_the_scale_of_the_loss_scales_the_values():
    network = Network((1, 2, 1), relu)
    values = [
        [m.risk for m in solve_surface(Risk(network, *FIVE, loss)).minima]
        for loss in (SquaredLoss(1), SquaredLoss("1/7", mean=True))
    ]
    assert values[0] == [35 * value for value in values[1]]


def test_affine_changes_of_the_data_do_not_change_the_list():
    """Inputs go through an invertible affine map, labels gain an affine function of slope 0."""
    X, y = EIGHT
    moved = [str(3 - 2 * x) for x in exact(X).entries()], [str(v + 5) for v in exact(y).entries()]
    assert starred(solve_surface(risk_of(moved, 2, (0, 1)))) == starred(
        solve_surface(risk_of(EIGHT, 2, (0, 1)))
    )


@pytest.mark.parametrize(
    ("risk", "reason"),
    [
        (Risk(Network((1, 2, 1), relu, bias=False), *FIVE), "got no biases"),
        (Risk(Network((1, 2, 1), relu, bias=(True, False)), *FIVE), "got no bias in layer 2"),
        (Risk(Network((1, 2, 1), relu), *FIVE, weight_decay=1), "got weight decay"),
        (Risk(Network((1, 2, 1), identity), *FIVE), "got identity, need two-piece"),
        (Risk(Network((1, 2, 1), relu, output_activation=relu), *FIVE), "got output activation"),
        (Risk(Network((1, 2, 2), relu), [0, 1], [[0, 1], [1, 0]]), "got 2 outputs"),
        (Risk(Network((1, 2, 2, 1), relu), *FIVE), "got 2 hidden layers"),
        (Risk(Network((1, 2, 1), relu), [0, 1], [1, -1], binary_hinge()), "got binary hinge loss"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_setting_is_refused_by_name(risk, reason):
    with pytest.raises(SettingError, match=reason):
        solve_surface(risk)


def test_a_limit_is_kept_and_says_what_would_come():
    with pytest.raises(
        BudgetError, match=r"risk: 436 closed cells, about 0\.13 seconds, more than limit"
    ):
        solve_surface(risk_of(EIGHT, 2, (0, 1)), limit=400)
    many = Risk(Network((10, 50, 1), relu), np.eye(10), np.ones(10))
    with pytest.raises(BudgetError, match="or more closed cells, about"):
        solve_surface(many)
    with pytest.raises(DataError, match="workers: got 0"):
        solve_surface(risk_of(FIVE, 1, (0, 1)), workers=0)


def same(a, b):
    return (
        [m.facts for m in a.minima] == [m.facts for m in b.minima]
        and all(m.point == n.point for m, n in zip(a.minima, b.minima, strict=True))
        and [s.support for s in a.solutions] == [s.support for s in b.solutions]
        and np.array_equal(a.answers, b.answers)
    )


def in_small_chunks(folder, width):
    """Solve it in chunks of 200 cells and 20 candidates."""
    solver.CELLS, solver.CANDIDATES = 200, 20
    return solve_surface(risk_of(EIGHT, width, (0, 1)), folder=folder, progress=False)


def test_chunks_do_not_change_the_answer(tmp_path, monkeypatch):
    whole = solve_surface(risk_of(EIGHT, 2, (0, 1)))
    monkeypatch.setattr(solver, "CELLS", 200)
    monkeypatch.setattr(solver, "CANDIDATES", 20)
    parts = in_small_chunks(tmp_path, 2)
    assert [m.facts for m in parts.minima] == [m.facts for m in whole.minima]
    assert parts.certify().certified
    assert solved_cells.__module__ == decided_candidates.__module__ == solver.__name__
    assert len([*tmp_path.glob("*.trial")]) == 3 + 4


@pytest.mark.slow
def test_workers_give_the_same_surface(tmp_path):
    risk = Risk(Network((1, 2, 1), absolute_value), list(range(20)), [i * i % 7 for i in range(20)])
    assert same(solve_surface(risk), solve_surface(risk, workers=2))


@pytest.mark.slow
def test_a_killed_solver_goes_on_where_it_was(tmp_path, monkeypatch):
    process = multiprocessing.get_context("spawn").Process(
        target=in_small_chunks, args=(tmp_path, 3)
    )
    process.start()
    while len([*tmp_path.glob("*.trial")]) < 5 and process.is_alive():
        time.sleep(0.005)
    process.kill()
    process.join()
    done = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.trial")}
    assert 5 <= len(done) < 30
    monkeypatch.setattr(solver, "CELLS", 200)
    monkeypatch.setattr(solver, "CANDIDATES", 20)
    assert len(in_small_chunks(tmp_path, 3).minima) == 98
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.trial")}
    assert len(after) == 21 + 12
    assert done.items() <= after.items()
