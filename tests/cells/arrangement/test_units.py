"""All activation patterns of one unit: counts, completeness, degenerate data, refusals."""

import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from arrangements import pattern_set, rng
from cases import CERTIFIED, REFUTED, UNKNOWN
from scipy.optimize import linprog
from sklearn.datasets import load_diabetes, load_iris

from lscore import activation_cells, exact
from lscore.algebra.matrices import augment
from lscore.cells.arrangement import units as enumeration
from lscore.cells.arrangement.hyperplanes import (
    count_patterns,
    most_patterns,
    sign_patterns,
)
from lscore.cells.arrangement.sweep import OnePass
from lscore.errors import BudgetError, DataError, DtypeError, ShapeError, TieError


def rows_of(X, bias=True):
    return augment(exact(X)) if bias else exact(X)


def assert_complete(X, bias=True):
    """The cells agree with the exact recursion, its count, its witnesses and the certificate."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cells = activation_cells(X, bias)
        answer = cells.certify()
    A = rows_of(X, bias)
    assert answer.verdict == CERTIFIED
    assert answer.method == "exact"
    assert answer.claim == "LVB-L1"
    assert len(cells) == cells.expected == count_patterns(A)
    assert pattern_set(cells) == {pattern for pattern, _ in sign_patterns(A)}
    assert cells.general_position == (count_patterns(A) == most_patterns(*A.shape))
    half = len(cells) // 2
    assert (cells.patterns[half:] == ~cells.patterns[:half]).all()
    for i in {0, *list(cells.exact_witnesses)[:10]} if len(cells) else ():
        values = (A @ cells.witness(i)).entries()
        assert [v > 0 for v in values] == cells.patterns[i].tolist()
        assert all(v != 0 for v in values)
    return cells


def by_linear_programs(X):
    """Patterns found point by point, one linear program per cell and point, in floats."""
    A = np.column_stack([X, np.ones(len(X))])
    free = [(None, None)] * A.shape[1]
    found = [()]
    for i in range(len(A)):
        found = [
            (*pattern, side)
            for pattern in found
            for side in (1, -1)
            if linprog(
                np.zeros(A.shape[1]),
                -np.array([*pattern, side])[:, None] * A[: i + 1],
                -np.ones(i + 1),
                bounds=free,
            ).success
        ]
    return set(found)


@pytest.mark.parametrize(
    ("n", "d", "number"),
    [
        (1, 1, 2), (5, 1, 10), (3, 5, 8), (6, 6, 64), (20, 2, 382), (100, 2, 9902),
        (50, 3, 39300), (20, 6, 87592), (40, 4, 184342), (12, 11, 4096),
    ],
)  # fmt: skip
def test_counts_of_generic_data(n, d, number):
    cells = activation_cells(rng(0).standard_normal((n, d)))
    answer = cells.certify()
    assert len(cells) == cells.expected == most_patterns(n, d + 1) == number
    assert cells.general_position
    assert answer.verdict == CERTIFIED
    assert f"their number is {number}: no data of this shape have more" in str(answer)


@pytest.mark.parametrize(("n", "d"), [(6, 1), (9, 2), (7, 3)])
def test_the_same_patterns_as_linear_programs_find(n, d):
    X = rng(1).standard_normal((n, d))
    assert pattern_set(activation_cells(X)) == by_linear_programs(X)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_small_integer_data_whatever_their_degeneracy(seed, bias):
    generator = rng(seed)
    n, d = generator.integers(1, 9), generator.integers(1, 4)
    assert_complete(generator.integers(-2, 3, (n, d)).astype(float), bias)


@pytest.mark.parametrize(
    ("X", "number", "general"),
    [
        ([[5]], 2, True),
        ([[0], [0], [1]], 4, False),
        ([[1, 2]] * 5, 2, False),
        ([[0, 0], [1, 1], [2, 2], [3, 3]], 8, False),
        ([[0, 0], [1, 1], [2, 2], [3, 0]], 12, False),
        ([[x, y] for x in range(4) for y in range(4)], 174, False),
        ([[0, 0, 5], [0, 0, 1], [0, 0, 2]], 6, False),
        ([["1/3", "2/7"], ["1/5", 1], [0, "1/9"]], 8, True),
    ],
)
def test_named_data(X, number, general):
    cells = assert_complete(X)
    assert (len(cells), cells.general_position) == (number, general)


def test_without_bias_opposite_rows_share_a_wall_and_a_zero_row_leaves_no_cell():
    cells = assert_complete([[1, 2], [-1, -2], [2, 4], [0, 1]], bias=False)
    assert len(cells) == 4
    assert (cells.patterns[:, 0] == ~cells.patterns[:, 1]).all()
    empty = assert_complete([[1, 2], [0, 0]], bias=False)
    assert len(empty) == 0
    assert "sample 1 is zero" in str(empty.certify())


def test_a_line_of_samples_in_the_plane_takes_the_fast_path():
    x = rng(3).integers(-(2**20), 2**20, 3000) / 2.0**10
    cells = activation_cells(np.column_stack([x, 2 * x + 1]))
    assert len(cells) == 2 * len(set(x.tolist()))
    assert cells.certify().certified


def test_samples_an_ulp_from_a_line_are_told_from_samples_on_it():
    straight = np.column_stack([np.arange(1, 8), np.arange(1, 8)]) / 16.0
    assert len(activation_cells(straight)) == 14
    for sign in (-np.inf, np.inf):
        bent = straight.copy()
        bent[3, 1] = np.nextafter(bent[3, 1], sign)
        cells = assert_complete(bent)
        # six planes through one line make 12 cells, and the seventh plane cuts every one of them
        assert len(cells) == 24
        assert cells.exact_witnesses
    rounded = np.column_stack([np.arange(12) / 10.0, np.arange(12) / 10.0 * 3 + 0.1])
    assert len(assert_complete(rounded)) == 124


@pytest.mark.parametrize("seed", range(3))
def test_samples_whose_determinants_are_1e_17(seed):
    generator = rng(seed)
    X = generator.standard_normal((14, 2))
    for i in range(0, 12, 3):
        X[i + 2] = np.nextafter((X[i] + X[i + 1]) / 2, generator.standard_normal(2) * 9)
    cells = assert_complete(X)
    assert cells.certify().values["signs_decided_in_integers"] > 0
    A = np.column_stack([X, np.ones(len(X))])
    smallest = min(abs(np.linalg.det(A[list(s)])) for s in combinations(range(len(X)), 3))
    assert smallest < 1e-16


@pytest.mark.parametrize("seed", range(4))
def test_samples_that_nearly_coincide(seed):
    generator = rng(seed)
    X = generator.standard_normal((20, 3))
    X[1] = np.nextafter(X[0], 9 * generator.standard_normal(3))
    cells = activation_cells(X)
    assert len(cells) == 2320
    assert cells.certify().certified
    assert cells.exact_witnesses
    twice = activation_cells(np.column_stack([X[:10], X[:10, :1]]))  # a column that adds no rank
    assert twice.certify().certified
    assert twice.exact_witnesses
    assert {point[3] for point in twice.exact_witnesses.values()} == {0}
    assert all(twice.witness(i) == exact(list(w)) for i, w in twice.exact_witnesses.items())
    with pytest.raises(TypeError):
        twice.exact_witnesses[0] = (1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    "scale",
    [1e150, 1e-150, 1e-308, [1e150, 1.0, 1e-150], [1e-300, 1e300, 1.0]],
    ids=["large", "small", "subnormal", "mixed", "extreme"],
)
def test_scales_do_not_matter(scale):
    cells = assert_complete(rng(4).standard_normal((9, 3)) * np.array(scale))
    assert len(cells) == most_patterns(9, 4)


def test_entries_of_all_sizes_and_data_far_from_the_origin():
    generator = rng(5)
    assert_complete(
        generator.standard_normal((8, 2)) * 10.0 ** generator.integers(-290, 290, (8, 2))
    )
    assert_complete(generator.standard_normal((12, 2)) + 1e12)


def test_data_of_a_grid():
    grid = [[x, y] for x in range(6) for y in range(6)]
    cells = activation_cells(grid)
    assert cells.certify().certified
    assert len(cells) == count_patterns(rows_of(grid)) < most_patterns(36, 3)


@pytest.mark.parametrize(("features", "number"), [([2], 86), ([2, 3], 9694), ([0, 1], 12176)])
def test_iris_flowers(features, number):
    cells = activation_cells(load_iris().data[:, features])
    assert len(cells) == number
    assert cells.certify().certified
    assert not cells.general_position


def test_diabetes_patients_lack_six_cells_of_general_position():
    cells = activation_cells(load_diabetes().data[:60, [2, 3, 8]])
    assert len(cells) == 68554 == most_patterns(60, 4) - 6
    assert cells.certify().certified


def test_what_would_take_too_long_is_refused_with_its_size():
    wide = np.zeros((60, 9))
    wide[:, :2] = np.indices((10, 6)).reshape(2, -1).T
    wide[:, 2:] = rng(0).standard_normal((60, 7))
    with pytest.raises(BudgetError, match="up to 30349690744 cells"):
        activation_cells(wide)
    with pytest.raises(BudgetError, match="exact count of their cells would take"):
        activation_cells(rng(0).integers(0, 2, (30, 7)).astype(float) + np.eye(30, 7))


def test_full_rank_that_floats_do_not_see():
    X = np.array([[0.0, 2], [1, 2], [1, 2 + 2.0**-51]]) / 7
    assert len(assert_complete(X)) == 8
    steps = np.array([[0, 1, 3, 4, 7]]).T * np.array([[1.0, 1.0, 1.0]])
    steps[2, 1] += 2.0**-50
    steps[4, 2] += 2.0**-50
    assert_complete(steps)


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="finite"):
        activation_cells([[np.nan]])
    with pytest.raises(DtypeError):
        activation_cells(np.ones((3, 2), dtype=np.float32))
    with pytest.raises(ShapeError):
        activation_cells(np.ones((0, 2)))
    with pytest.raises(BudgetError, match="up to 9902 cells"):
        activation_cells(rng(0).standard_normal((100, 2)), limit=5000)
    with pytest.raises(BudgetError, match="bytes"):
        activation_cells(rng(0).standard_normal((4000, 2)), limit=10**9)
    cells = activation_cells([[0], [1]])
    with pytest.raises(ShapeError, match="packed: int64"):
        replace(cells, packed=cells.packed.astype(int))
    with pytest.raises(DataError, match="packed: bits behind the 2 samples"):
        replace(cells, packed=cells.packed | 1)
    with pytest.raises(ShapeError, match="witnesses"):
        replace(cells, witnesses=cells.witnesses[:, :1])
    with pytest.raises(DataError, match="witnesses"):
        replace(cells, witnesses=np.full_like(cells.witnesses, np.inf))
    for forged in ({0: (0, 0)}, {0: (1,)}, {-1: (1, 2)}, {len(cells): (1, 2)}):
        with pytest.raises(
            ShapeError, match=r"exact_witnesses: entry .*, need 2 integers, not all"
        ):
            replace(cells, exact_witnesses=forged)
    with pytest.raises(DtypeError, match="exact_witnesses: entry 0"):
        replace(cells, exact_witnesses={0: (0.5, 1)})


GENERIC, GRID = rng(6).standard_normal((8, 2)), [[x, y] for x in range(3) for y in range(3)]


@pytest.mark.parametrize("X", [GENERIC, GRID], ids=["generic", "grid"])
def test_a_dropped_row_is_refuted(X):
    cells = activation_cells(X)
    dropped = replace(cells, packed=cells.packed[1:], witnesses=cells.witnesses[1:])
    answer = dropped.certify()
    assert answer.verdict == REFUTED
    assert answer.witness["patterns_there_are"] == len(cells) == len(dropped) + 1


@pytest.mark.parametrize("X", [GENERIC, GRID], ids=["generic", "grid"])
def test_a_repeated_row_is_refuted(X):
    cells = activation_cells(X)
    chosen = np.r_[1, 1 : len(cells)]
    answer = replace(
        cells, packed=cells.packed[chosen], witnesses=cells.witnesses[chosen]
    ).certify()
    assert answer.verdict == REFUTED
    assert [c.holds for c in answer.conditions] == [True, False, True]
    assert answer.witness["patterns_listed"] == len(cells) - 1


@pytest.mark.parametrize("X", [GENERIC, GRID], ids=["generic", "grid"])
def test_an_altered_entry_or_witness_is_not_certified(X):
    cells = activation_cells(X)
    patterns = cells.patterns
    patterns[3, 2] ^= True
    answer = replace(cells, packed=np.packbits(patterns, axis=1)).certify()
    assert (answer.verdict, answer.reason) == (UNKNOWN, "row 3 is not the pattern of its witness")
    witnesses = cells.witnesses.copy()
    witnesses[2] = 0
    answer = replace(cells, witnesses=witnesses).certify()
    assert (answer.verdict, answer.reason) == (UNKNOWN, "row 2 is not the pattern of its witness")
    assert answer.conditions[0].holds is False


def test_a_witness_moved_on_to_a_wall_is_not_certified():
    cells = activation_cells([[0.0], [1.0], [3.0]])
    witnesses = cells.witnesses.copy()
    witnesses[0] = [1.0, -1.0]
    answer = replace(cells, witnesses=witnesses).certify()
    assert answer.verdict == UNKNOWN


@pytest.mark.parametrize("n", [7, 8, 9, 17])
def test_patterns_take_a_bit_each(n):
    X = rng(n).standard_normal((n, 1))
    for data in (X, np.concatenate([X[-1:], X])):  # repeated samples are expanded
        cells = activation_cells(data)
        assert cells.packed.shape == (2 * n, (len(data) + 7) // 8)
        assert cells.patterns.shape == (2 * n, len(data))
        assert (np.packbits(cells.patterns, axis=1) == cells.packed).all()
        assert all(cells.index(row) == i for i, row in enumerate(cells.patterns))


def test_the_certificate_does_not_trust_the_expected_number():
    cells = activation_cells(GENERIC)
    dropped = replace(
        cells, packed=cells.packed[1:], witnesses=cells.witnesses[1:], expected=len(cells) - 1
    )
    assert dropped.certify().verdict == REFUTED


def test_missing_rows_of_data_too_large_to_count_are_unknown():
    large = replace(
        activation_cells(rng(0).standard_normal((45, 1))),
        X=exact(rng(0).standard_normal((45, 8))),
        witnesses=rng(1).standard_normal((90, 9)),
    )
    patterns = large.witnesses @ rows_of(large.X).floats().T > 0
    answer = replace(large, packed=np.packbits(patterns, axis=1)).certify()
    assert (answer.verdict, answer.reason[:9]) == (UNKNOWN, "the cells")


def test_lookup_is_exact():
    cells = activation_cells([[0.0], [1.0], [3.0]])
    assert str(cells) == "6 activation patterns of one unit on 3 samples in 1 dimensions"
    pattern = cells.pattern_of([1], "-1/2")
    assert pattern.tolist() == [False, True, True]
    assert (cells.patterns[cells.index(pattern)] == pattern).all()
    assert cells.index(np.array([True, False, True])) is None
    with pytest.raises(TieError, match=r"samples \[1\]"):
        cells.pattern_of([1.0], -1.0)
    with pytest.raises(ShapeError, match="weights: got 2, need 1"):
        cells.pattern_of([1, 2], 0)
    with pytest.raises(ShapeError, match="pattern"):
        cells.index(np.array([True]))
    with pytest.raises(DataError, match="without bias"):
        activation_cells([[1], [2]], bias=False).pattern_of([1], 2)


def test_degenerate_data_survive_wrong_proposals_too(monkeypatch):
    grid = [[x, y] for x in range(4) for y in range(3)]
    whole, used = pattern_set(activation_cells(grid)), []
    last_resort = enumeration._half_in_integers
    monkeypatch.setattr(
        enumeration, "_half_in_integers", lambda *a: used.append(1) or last_resort(*a)
    )
    same = np.array([0.3, -0.7, 0.9])
    monkeypatch.setattr(OnePass, "propose", lambda self, s: np.tile(same, (len(s), 1)))
    cells = activation_cells(grid)
    assert used
    assert pattern_set(cells) == whole
    assert cells.certify().certified
