"""Rare and generic data: reference values, brute force in Fractions, refused witnesses."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from cases import fraction
from flint import fmpq
from rare_data import LINE, SIGNS

from lscore import exact
from lscore.certificates import CertificateError
from lscore.errors import DataError, LscoreError
from lscore.papers.laurent2018 import (
    LabelledData,
    certify_generic,
    is_rare_combination,
    rare_from_subset_sum,
    separates_class,
)

RARE, GENERIC = "refuted", "certified"
SQUARE, XOR = [[-1, -1], [-1, 1], [1, -1], [1, 1]], [1, -1, -1, 1]


@pytest.mark.parametrize(
    ("X", "labels", "weights", "alpha", "depth", "verdict"),
    [
        (LINE, SIGNS, ["1/4", "1/2", "1/4"], "1/2", 1, RARE),
        (LINE, SIGNS, None, "1/2", 1, RARE),
        (LINE, SIGNS, None, "1/3", 1, GENERIC),
        (LINE, SIGNS, None, "1/2", 2, RARE),
        (LINE, SIGNS, ["2/7", "3/7", "2/7"], "1/3", 1, GENERIC),
        (SQUARE, XOR, None, "1/2", 1, RARE),
        (SQUARE, XOR, ["3/10", "1/5", "1/4", "1/4"], "1/2", 1, GENERIC),
        (LINE, SIGNS, ["2/7", "3/7", "2/7"], 0, 1, RARE),
    ],
)
def test_reference_values(X, labels, weights, alpha, depth, verdict):
    data = LabelledData(X, labels, weights, alpha, depth)
    answer = certify_generic(data)
    assert answer.verdict == verdict
    if verdict == RARE:
        assert is_rare_combination(data, answer.witness["slopes"], answer.witness["switches"])


def test_the_uniform_line_is_rare_with_the_middle_in_full():
    answer = certify_generic(LabelledData(LINE, SIGNS, None, "1/2"))
    assert answer.witness["slopes"] == exact(["1/2", 1, "1/2"])
    assert answer.witness["switches"] == exact([[1, 0], [0, 1], [1, 0]])


def brute_force(data):
    """Definition 1 word by word, in Fractions."""
    n, R = len(data.X), data.number_of_classes
    rows = [[fraction(v) for v in data.augmented.rows(i, i + 1).entries()] for i in range(n)]
    mu = [fraction(v) for v in data.weights.entries()]
    slopes = [fraction(data.alpha) ** l for l in range(data.depth + 1)]
    wrong = [[r for r in range(R) if r != own] for own in data.classes]
    choices = [
        [(s, on) for s in slopes for on in itertools.product((0, 1), repeat=R - 1)] for _ in rows
    ]
    for combination in itertools.product(*choices):
        if not any(any(on) for _, on in combination):
            continue
        totals = [[Fraction(0)] * len(rows[0]) for _ in range(R)]
        for i, (slope, on) in enumerate(combination):
            for r, e in zip(wrong[i], on, strict=True):
                for j, x in enumerate(rows[i]):
                    totals[data.classes[i]][j] += slope * mu[i] * e * x
                    totals[r][j] -= slope * mu[i] * e * x
        if not any(any(total) for total in totals):
            return True
    return False


@pytest.mark.parametrize("seed", range(40))
def test_the_decision_equals_brute_force(seed):
    rng = np.random.default_rng(seed)
    three = seed % 4 == 0
    n, d = (3, 1) if three else (int(rng.integers(3, 6)), int(rng.integers(1, 3)))
    X = rng.integers(-1, 2, (n, d)).astype(float)
    labels = rng.integers(0, 3, n) if three else rng.choice([-1, 1], n)
    weights = rng.integers(1, 4, n).astype(float)
    alpha = rng.choice(["1/2", "1/3", "1", "2/3"])
    data = LabelledData(X, labels, weights, alpha, 1 + seed % 2)
    assert (certify_generic(data).verdict == RARE) == brute_force(data)


def test_linearly_separable_data_are_generic_by_their_separators():
    answer = certify_generic(LabelledData([[0, 1], [1, 0], [5, 5], [6, 4]], [-1, -1, 1, 1]))
    assert answer.certified
    assert [c.text for c in answer.conditions] == ["class -1 is linearly separable from class +1"]
    data = LabelledData([[0, 1], [1, 0], [5, 5], [6, 4]], [-1, -1, 1, 1])
    q = answer.values["separator_of_class_minus_1"]
    assert separates_class(data, 0, q, [1])
    assert not separates_class(data, 0, q * 0, [1])
    assert not separates_class(data, 1, q, [0])


def test_classes_on_a_line_peel_off_one_after_the_other():
    """Class 1 lies between 0 and 2 and 3 beyond: the middle ones are not separable at first."""
    X, labels = [0, 1, 2, 3, 4, 5, 6, 7], [0, 0, 1, 1, 2, 2, 3, 3]
    answer = certify_generic(LabelledData(X, labels, None, "1/2", 3))
    assert answer.certified
    assert [c.text for c in answer.conditions] == [
        "class 0 is linearly separable from class 1, 2, 3",
        "class 1 is linearly separable from class 2, 3",
        "class 2 is linearly separable from class 3",
    ]


def test_two_mixed_classes_stay_rare_when_a_third_peels_off():
    data = LabelledData([-1, 0, 1, 9], [1, 0, 1, 2], ["1/4", "1/2", "1/4", 1], "1/2")
    answer = certify_generic(data)
    assert answer.refuted
    assert answer.conditions[0].text == "class 2 is linearly separable from class 0, 1"
    assert answer.witness["switches"].rows(3, 4).is_zero()


@pytest.mark.parametrize(("target", "verdict"), [(16, RARE), (17, GENERIC), (20, GENERIC)])
def test_subset_sums_decide_the_reduced_data(target, verdict):
    assert certify_generic(rare_from_subset_sum([3, 5, 8, 13], target)).verdict == verdict


@pytest.mark.parametrize("seed", range(10))
def test_the_reduction_agrees_with_dynamic_programming(seed):
    rng = np.random.default_rng(seed)
    numbers = [int(v) for v in rng.integers(1, 40, 6)]
    sums = {0}
    for a in numbers:
        sums |= {s + a for s in sums}
    target = int(rng.integers(1, sum(numbers) + 1))
    answer = certify_generic(rare_from_subset_sum(numbers, target))
    assert answer.refuted == (target in sums)


def test_above_the_limit_the_answer_is_unknown_and_says_why():
    rng = np.random.default_rng(0)
    data = LabelledData(rng.standard_normal((12, 2)), [1, -1] * 6, rng.random(12) + 1, "1/3")
    answer = certify_generic(data, limit=100)
    assert answer.verdict == "unknown"
    assert answer.reason == (
        "more than 100 partial sums on one side (101 and 81 after 8 of 12 samples), and deciding "
        "rare or generic is NP-complete"
    )
    assert certify_generic(data).certified


def test_a_rare_combination_is_found_even_if_not_all_samples_fit_below_the_limit():
    x = [-1, 0, 1, *range(3, 43)]
    labels = [1, -1, 1] + [1, -1] * 20
    data = LabelledData(x, labels, [1, 2, 1] + [1 + 1 / 2**i for i in range(40)], "1/2")
    assert certify_generic(data, limit=2000).refuted


def test_a_combination_that_fails_its_check_is_never_returned(monkeypatch):
    where = "lscore.papers.laurent2018.rare.is_rare_combination"
    monkeypatch.setattr(where, lambda *_: False)
    with pytest.raises(LscoreError, match="failed its check"):
        certify_generic(LabelledData(LINE, SIGNS, None, "1/2"))


def test_subset_sums_need_positive_numbers():
    for numbers, target in (([], 1), ([0, 1], 1), ([2, 3], 6), ([2, 3], 0)):
        with pytest.raises(DataError, match="numbers, target"):
            rare_from_subset_sum(numbers, target)


def test_four_classes_need_every_set_of_switches():
    """With three wrong classes a sample has 2^3 - 1 choices; this combination switches two on."""
    weights = exact([24, 23, 10, 16, 6])
    data = LabelledData([[0]] * 5, [0, 1, 2, 3, 1], weights, fmpq(1, 3), 1)
    answer = certify_generic(data)
    assert answer.refuted
    assert is_rare_combination(data, answer.witness["slopes"], answer.witness["switches"])
    assert max(sum(map(int, row)) for row in answer.witness["switches"].numerator.tolist()) > 1


def test_a_sample_on_the_hyperplane_is_not_separated():
    data = LabelledData([0, 2], [1, -1])
    assert not separates_class(data, 1, exact([-1, 0]), [0])  # 0 at the sample of the class
    assert not separates_class(data, 1, exact([-1, 2]), [0])  # 0 at the sample of the other
    assert separates_class(data, 1, exact([-1, 1]), [0])
    three = LabelledData([0, 2, 5], [0, 1, 2])
    assert separates_class(three, 1, exact([1, -1]), [0])  # class 2 is not asked about
    assert not separates_class(three, 1, exact([1, -1]), [0, 2])


def test_a_separator_that_fails_its_check_is_never_certified(monkeypatch):
    where = "lscore.papers.laurent2018.rare._separable_class"
    monkeypatch.setattr(where, lambda data, left: (0, exact([1, 0])))
    with pytest.raises(CertificateError, match="all of them true"):
        certify_generic(LabelledData([0, 2], [1, -1]))


def test_the_slope_of_the_reduction_is_small_enough():
    """With 2/6 instead of 1/6 the target 3 would count 1, as the number 1 does."""
    assert rare_from_subset_sum([1, 4], 3).alpha == fmpq(1, 6)
    assert certify_generic(rare_from_subset_sum([1, 4], 3)).certified
