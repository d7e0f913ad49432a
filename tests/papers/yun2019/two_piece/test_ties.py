"""Step 2, case 2 of Theorem 1 of Yun, Sra and Jadbabaie (2019): Lemma A.1 and tied data."""

import numpy as np
import pytest
from cases import PARABOLA, SQUARE, TIES, TWO_OUTPUTS, XOR, assert_unknown
from tied_data import COLUMNS, LINE, NAMES, TIED, tied_risk

from lscore import Network, Risk, binary_hinge, relu
from lscore.errors import DtypeError, HypothesisError
from lscore.papers.yun2019 import (
    affine_fit,
    certify_group_sums,
    random_ties,
    split_tie,
    tie_groups,
    usable_gaps,
)


def groups_of(risk):
    fit = affine_fit(risk)
    return tie_groups(fit.predictions, fit.residuals)


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


def test_the_campaign_is_not_vacuous():
    kinds = [tied_risk(seed, (1, 0)) for seed in range(25)]
    assert sum(any(r) for _, r in kinds) >= 15
    assert any(len(groups_of(risk)) == 1 and any(r) for risk, r in kinds)
    assert any(len(groups_of(risk)) > 2 and any(r) for risk, r in kinds)


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
