"""Step 2, case 2 of Theorem 1 of Yun, Sra and Jadbabaie (2019): Lemmas A.1 and A.2, the tied
point, what the checkers refuse, and a campaign of tied data sets."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from cases import (
    ABSOLUTE,
    PARABOLA,
    SQUARE,
    TIES,
    TWO_OUTPUTS,
    XOR,
    assert_unknown,
    fraction,
    inner,
    reference_residuals,
    reference_risk,
    table,
    with_slopes,
)
from flint import fmpq

from lscore import Network, Risk, binary_hinge, exact, relu, two_piece
from lscore.algebra.linear import merge_rows
from lscore.errors import DataError, DtypeError, HypothesisError
from lscore.pages.exercises.ties import (
    breaks_tie,
    fools_the_split_checker,
    gain_by_hand,
    has_only_ties,
)
from lscore.papers.yun2019 import (
    affine_fit,
    certify_group_sums,
    certify_split,
    least_squares_minimum,
    one_dead_unit,
    opposite_units,
    random_ties,
    split_tie,
    tie_groups,
    tied_point,
    two_unit_point,
    usable_gaps,
)

UNIT_SQUARE = Risk(XOR.network, [[0, 0], [0, 1], [1, 0], [1, 1]], [1, -1, -1, 1])
SYMMETRIC = Risk(Network((1, 2, 1), relu), [-1, 0, 1], [1, -2, 1])
CLASH = Risk(Network((1, 2, 1), relu), [0, 0, 1, 1], [1, -1, 1, -1])
LINE = Risk(Network((1, 2, 1), relu), [0, 1, 2], [5, 4, 3])
GRID = [[a, b] for a in (-1, 0, 1) for b in (-1, 0, 1)]
COLUMNS = Risk(XOR.network, GRID, [-1, -1, -1, -1, 2, -1, 2, -1, 2])  # x_1 - r, r = (1, -2, 1)
TIED = [XOR, UNIT_SQUARE, SYMMETRIC, TIES, COLUMNS]
NAMES = ["xor", "unit square", "symmetric", "ties", "columns"]


def groups_of(risk):
    fit = affine_fit(risk)
    return tie_groups(fit.predictions, fit.residuals)


# The numbers of the literature's smallest examples.


@pytest.mark.parametrize(
    ("risk", "sample", "decrease", "dead"),
    [
        (XOR, 0, (1, 10), (1, 2)),
        (XOR, 1, (1, 26), (1, 2)),
        (UNIT_SQUARE, None, (1, 50), (1, 2)),
        (SYMMETRIC, None, (2, 19), (1, 2)),
        (TIES, None, (81, 1306), (81, 202)),
    ],
)
def test_the_tied_point_and_the_dead_unit(risk, sample, decrease, dead):
    assert tied_point(risk, sample).decrease == fmpq(*decrease)
    u = [1] * risk.network.widths[0]
    assert one_dead_unit(risk, u).decrease == fmpq(*dead)
    residual = affine_fit(risk).residuals[sample or 0, 0]
    assert (residual < 0) == (sample != 1)


def test_case_one_and_case_two_share_one_name():
    assert two_unit_point(PARABOLA).recipe["case"] == 1
    assert two_unit_point(XOR).recipe["case"] == 2
    with pytest.raises(HypothesisError, match="YUN-LA2, hypothesis J empty: the gap above") as e:
        tied_point(PARABOLA)
    assert [(g.count, g.partial) for g in e.value.witness] == [(1, -1), (3, 1)]


# Lemma A.1.


def test_groups_are_exact_sorted_and_complete():
    groups = groups_of(COLUMNS)
    assert [g.value for g in groups] == [-1, 0, 1]
    assert [g.samples for g in groups] == [(0, 1, 2), (3, 4, 5), (6, 7, 8)]
    assert [g.total for g in groups] == [0, 0, 0]
    assert [g.off for g in groups] == [(), (3, 4, 5), (6, 7, 8)]
    assert usable_gaps(groups) == []


def test_gaps_of_the_parabola():
    gaps = usable_gaps(groups_of(PARABOLA))
    assert [(g.count, g.low, g.high, g.partial) for g in gaps] == [(1, -1, 2, -1), (3, 5, 8, 1)]


@pytest.mark.parametrize("values", [np.zeros(4), [0.0] * 4, XOR.y])
def test_float_predictions_are_refused(values):
    r = affine_fit(XOR).residuals
    with pytest.raises(DtypeError, match=r"predictions: got .*, need a RationalMatrix; rounding"):
        tie_groups(values, r)
    with pytest.raises(DtypeError, match="residuals: got"):
        tie_groups(r, values)


@pytest.mark.parametrize("risk", TIED, ids=NAMES)
def test_lemma_one_holds_and_wrong_groups_are_refused(risk):
    answer = certify_group_sums(risk)
    assert answer.certified
    assert len(answer.conditions) == 7
    right = [list(g.samples) for g in groups_of(risk)]
    assert certify_group_sums(risk, right[::-1]).certified
    missing, double = [right[0][1:], *right[1:]], [*right, right[0]]
    split = [right[0][:1], right[0][1:], *right[1:]]
    for wrong in (missing, double, split, right[1:] or [[0]]):
        refused = certify_group_sums(risk, wrong)
        assert refused.refuted
        assert [c.holds for c in refused.conditions] == [True, False]


def test_lemma_one_says_which_hypothesis_fails():
    answer = certify_group_sums(PARABOLA)
    assert answer.refuted
    assert dict(answer.witness) == {
        "what_fails": "1 samples below, residual sum -1; 3 samples below, residual sum 1"
    }
    answer = certify_group_sums(LINE)
    assert answer.refuted
    assert answer.conditions[-1].text == "some residual is not 0"
    assert_unknown(certify_group_sums(TWO_OUTPUTS), "hypothesis 1 output: got 2 outputs")


# Lemma A.2.


@pytest.mark.parametrize("risk", TIED, ids=NAMES)
def test_lemma_two_holds_for_every_longest_input(risk):
    with pytest.raises(DataError, match="sample: got -1, need one of") as caught:
        split_tie(risk, -1)
    admissible = re.findall(r"\d+", str(caught.value).split("need one of")[1])
    assert admissible
    for sample in map(int, admissible):
        split = split_tie(risk, sample)
        assert split.j1 == sample
        assert certify_split(risk, split).certified
        check_signs(risk, split)


def check_signs(risk, split):
    """The signs of Lemma A.2 at a few alpha, straight from the definition, in Fractions."""
    predictions = [fraction(v) for v in affine_fit(risk).predictions.entries()]
    v = [fraction(e) for e in split.direction.entries()]
    reach = [inner(x, v) for x in table(risk.exact_X)]
    assert fraction(split.spread) == reach[split.j1] - reach[split.j2] > 0
    for alpha in (Fraction(1), Fraction(1, 3), Fraction(1, 10**6)):
        beta = fraction(split.beta(fmpq(alpha.numerator, alpha.denominator)))
        gamma = alpha * fraction(split.spread) / 4
        for i, value in enumerate(predictions):
            f = value - alpha * reach[i] - beta
            assert (f - gamma > 0) if i in split.above else (f + gamma < 0)


WRONG = {
    "value": lambda s: replace(s, value=s.value + 1),
    "j1 shorter": lambda s: replace(s, j1=4),
    "j1 of other sign": lambda s: replace(s, j1=5),
    "j2": lambda s: replace(s, j2=5),
    "j2 out of range": lambda s: replace(s, j2=0),
    "direction reversed": lambda s: replace(s, direction=-s.direction),
    "direction off the ray": lambda s: replace(s, direction=s.direction + exact([1e-9, 0])),
    "direction too long": lambda s: replace(s, direction=s.direction * 8),
    "direction rescaled": lambda s: replace(s, direction=s.direction / 2),
    "below loses j1": lambda s: replace(s, below=s.below[:-1], above=(*s.above, s.below[-1])),
    "one sample missing": lambda s: replace(s, above=s.above[1:]),
    "spread": lambda s: replace(s, spread=s.spread / 2),
    "middle": lambda s: replace(s, middle=s.middle + s.spread),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_perturbed_split_is_refused(change):
    split = split_tie(COLUMNS)
    assert (split.j1, split.j2, split.below) == (3, 4, (0, 1, 2, 3))
    answer = certify_split(COLUMNS, change(split))
    assert answer.refuted
    assert answer.conditions[-1].holds is False
    assert answer.witness["what_fails"]


def test_a_shorter_direction_is_as_good_when_its_numbers_fit():
    s = split_tie(COLUMNS)
    half = replace(s, direction=s.direction / 2, spread=s.spread / 2, middle=s.middle / 2)
    assert certify_split(COLUMNS, half).certified


def test_without_a_gap_any_length_will_do():
    s = split_tie(XOR)
    long = replace(s, direction=s.direction * 9, spread=s.spread * 9, middle=s.middle * 9)
    assert certify_split(XOR, long).certified


@pytest.mark.parametrize("construct", [split_tie, tied_point, two_unit_point])
def test_hypotheses(construct):
    with pytest.raises(HypothesisError, match=r"C1\.1: an affine map fits"):
        construct(LINE)
    with pytest.raises(HypothesisError, match=r"C1\.2: inputs coincide"):
        construct(CLASH)
    with pytest.raises(HypothesisError, match="hypothesis 1 output: got 2 outputs"):
        construct(TWO_OUTPUTS)


def test_hypotheses_of_the_point_only():
    narrow = Risk(Network((2, 1, 1), relu), XOR.exact_X, XOR.exact_y)
    with pytest.raises(HypothesisError, match=r"C1\.4"):
        tied_point(narrow)
    with pytest.raises(HypothesisError, match=r"C1\.3: s_plus \+ s_minus = 0"):
        opposite_units(ABSOLUTE, exact([[3]]), -1, 0, 0)
    with pytest.raises(DataError, match=r"sample: got 1, need one of \[0, 2\]"):
        tied_point(SYMMETRIC, 1)


def test_equal_inputs_count_as_one():
    """Two clashing samples at the longest input, (2, 2), are off the fit and cannot be split."""
    r = exact([-1, 1, 1, -1, 1, -1])
    risk = Risk(XOR.network, [*SQUARE, [2, 2], [2, 2]], -r)
    assert affine_fit(risk).residuals == r
    split = split_tie(risk)
    assert split.j1 == 0
    assert certify_split(risk, split).certified
    assert certify_split(risk, replace(split, j1=4)).refuted
    lower = two_unit_point(risk)
    assert reference_risk(risk, lower.point) == fraction(lower.risk)
    assert lower.decrease > 0


# A campaign: data whose J is empty by construction.


def tied_risk(seed, pair):
    """Integer inputs in levels of x_1, prediction slope * x_1, and residuals that are orthogonal to
    the inputs and to every level, so that J is empty; every third with a repeated input."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 4))
    X = np.unique(rng.integers(-2, 3, (int(rng.integers(5, 13)), d)), axis=0).tolist()
    if seed % 3 == 0:
        X.append(X[0])
    slope = Fraction(int(rng.integers(0, 3)), 3) if d > 1 else Fraction(0)
    levels = sorted({x[0] for x in X}) if slope else []
    rows = [[*x, 1, *(int(x[0] == level) for level in levels)] for x in X]
    A = [[Fraction(v) for v in row] for row in rows]
    r = reference_residuals(A, [Fraction(int(v), 2) for v in rng.integers(-3, 4, len(X))])
    y = [slope * x[0] - v for x, v in zip(X, r, strict=True)]
    return Risk(Network((d, 2, 1), two_piece(*pair)), X, y), r


@pytest.mark.parametrize("pair", [(1, 0), (1, "1/10"), (0, 1), (2, -1), (1, -3)], ids=str)
@pytest.mark.parametrize("seed", range(25))
def test_on_tied_data_the_lemmas_hold_and_both_decreases_equal_their_formulas(seed, pair):
    risk, r = tied_risk(seed, pair)
    fit = affine_fit(risk)
    assert [fraction(v) for v in fit.residuals.entries()] == r
    if not any(r):
        assert certify_group_sums(risk).refuted
        with pytest.raises(HypothesisError, match=r"C1\.1"):
            two_unit_point(risk)
        return
    assert certify_group_sums(risk).certified
    if merge_rows(risk.exact_X, fit.residuals)[1].is_zero():
        with pytest.raises(HypothesisError, match=r"C1\.2"):
            split_tie(risk)
        return
    split = split_tie(risk)
    assert certify_split(risk, split).certified
    check_signs(risk, split)
    s_plus, s_minus = (fraction(s) for s in reversed(risk.network.activations[0].slopes))
    kappa = (s_plus - s_minus) / (s_plus + s_minus)
    v, D = [fraction(e) for e in split.direction.entries()], fraction(split.spread)
    below = sum(r[i] for i in split.below)
    sigma = 1 if kappa * below > 0 else -1
    moves = [
        -inner(x, v) + kappa * sigma * D / 4 * (1 if i in split.above else -1)
        for i, x in enumerate(table(risk.exact_X))
    ]
    a, b = abs(kappa * below) * D / 2, inner(moves, moves) / 2
    alpha = min(Fraction(1), a / (2 * b))
    lower, start = tied_point(risk), reference_risk(risk, least_squares_minimum(risk))
    assert fraction(lower.decrease) == a * alpha - b * alpha**2 > 0
    assert reference_risk(risk, lower.point) == start - fraction(lower.decrease)
    assert two_unit_point(risk).decrease == lower.decrease
    dead = one_dead_unit(risk)
    assert reference_risk(risk, dead.point) == start - fraction(dead.decrease) < start


def test_the_campaign_is_not_vacuous():
    kinds = [tied_risk(seed, (1, 0)) for seed in range(25)]
    assert sum(any(r) for _, r in kinds) >= 15
    assert any(len(groups_of(risk)) == 1 and any(r) for risk, r in kinds)
    assert any(len(groups_of(risk)) > 2 and any(r) for risk, r in kinds)


def test_the_formula_holds_for_other_slopes_and_widths():
    for pair in [(1, 0), (0, 1), (1, "-1/2"), (1, -2)]:
        risk = with_slopes(COLUMNS, pair, width=4)
        lower = tied_point(risk)
        a, b, alpha = (lower.recipe[key] for key in ("a", "b", "alpha"))
        assert lower.decrease == a * alpha - b * alpha**2 > 0
        assert fraction(lower.risk) == reference_risk(risk, lower.point)


# Floats.


def test_rounding_breaks_a_tie_and_picks_the_wrong_case():
    """With slopes 1/10 and -3/10 the inputs (0, 0) and (3, 1) are tied; in floats they are not."""
    X, r = [(0, 0), (3, 1), (1, 0), (4, 1)], exact([1, -1, -1, 1])
    risk = Risk(XOR.network, X, [-1, 1, "11/10", "-9/10"])
    fit = affine_fit(risk)
    assert fit.residuals == r
    assert two_unit_point(risk).recipe["case"] == 2
    gap = 0.1 * 3 - 0.3 * 1
    assert 0 < gap < 1e-16
    beta, gamma = gap / 2, gap / 4
    wrong = opposite_units(risk, fit.slope, fit.intercept[0, 0], beta, gamma)
    assert risk(wrong) > risk(least_squares_minimum(risk)) > two_unit_point(risk).risk


# Exercises.


def test_data_with_ties_only_are_recognised():
    X = [[-1, 0], [0, -1], [0, 0], [0, 1], [1, 0]]
    y = [-1, -1, 2, -1, 1]
    assert has_only_ties(X, y, 3).startswith("correct: 3 groups")
    assert has_only_ties(X, y, 4) == "not yet: the fit takes 3 values, wanted 4"
    assert has_only_ties([0, 1, 2], [3, 2, 1]) == "not yet: an affine map fits exactly"
    assert has_only_ties([0, 1, 2, 3], [0, 1, 4, 9]) == (
        "not yet: the residuals below the gap above -1 sum to -1"
    )


def test_gains_by_hand_are_compared():
    assert gain_by_hand("1/66") == "correct: 1/66"
    assert gain_by_hand(1) == "not yet: it is not 1"


def test_splits_by_hand_are_checked():
    split = split_tie(SYMMETRIC, 2)
    assert breaks_tie(SYMMETRIC, split, 2) == "correct: D = 1"
    assert breaks_tie(SYMMETRIC, split, 0) == "not yet: j1 is 2, wanted 0"
    wrong = breaks_tie(SYMMETRIC, replace(split, direction=exact([-1])), 2)
    assert wrong.startswith("not yet: v is a positive multiple of x_j1 fails, v = column(-1)")


def test_refused_splits_that_work_are_recognised():
    split = split_tie(COLUMNS)
    turned = replace(split, direction=split.direction + exact(["1/100", 0]))
    alpha = tied_point(COLUMNS).recipe["alpha"]
    assert fools_the_split_checker(COLUMNS, turned, alpha).startswith("correct: refused, and lower")
    assert fools_the_split_checker(COLUMNS, split) == "not yet: the checker accepts this split"
    away = replace(split, direction=exact([100, 100]))
    assert fools_the_split_checker(COLUMNS, away).startswith("not yet: the point has the risk")


def test_random_ties_are_tied_and_seeded():
    first, again = (random_ties(TIES.network, 3) for _ in range(2))
    assert (first.exact_X, first.exact_y) == (again.exact_X, again.exact_y)
    for seed in range(20):
        risk = random_ties(Network((3, 2, 1), relu), seed, 8)
        fit = affine_fit(risk)
        assert fit.predictions == risk.exact_X.column(0)
        assert usable_gaps(groups_of(risk)) == []
        assert certify_group_sums(risk).refuted == fit.residuals.is_zero()


def test_the_lemma_is_about_squared_residuals():
    for risk in (
        Risk(XOR.network, SQUARE, [1, -1, -1, 1], binary_hinge()),
        Risk(XOR.network, SQUARE, [1, -1, -1, 1], weight_decay=1),
        Risk(Network((2, 2, 1), relu, output_activation=relu), SQUARE, [1, -1, -1, 1]),
    ):
        assert_unknown(certify_group_sums(risk), "hypothesis (squared loss|no )")
        with pytest.raises(HypothesisError, match=r"hypothesis (squared loss|no )"):
            split_tie(risk)
