"""Lemma A.2: splits of tied groups, perturbed ones refused, and a campaign of tied data."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from cases import (
    SQUARE,
    TWO_OUTPUTS,
    XOR,
    fraction,
    inner,
    reference_risk,
    table,
)
from flint import fmpq
from tied_data import COLUMNS, LINE, NAMES, TIED, tied_risk

from lscore import Network, Risk, exact, relu
from lscore.algebra.linear import merge_rows
from lscore.errors import DataError, HypothesisError
from lscore.papers.yun2019 import (
    affine_fit,
    certify_group_sums,
    certify_split,
    least_squares_minimum,
    one_dead_unit,
    split_tie,
    tied_point,
    two_unit_point,
)

CLASH = Risk(Network((1, 2, 1), relu), [0, 0, 1, 1], [1, -1, 1, -1])


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
