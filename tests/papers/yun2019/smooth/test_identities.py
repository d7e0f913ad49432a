"""The polynomial lemmas: true as printed, false with a wrong factor."""

import pytest
from flint import fmpq

from lscore.errors import DataError, LscoreError
from lscore.papers.yun2019 import (
    certify_bend_criterion,
    certify_lemma_a3,
    certify_lemma_a4,
    certify_lemma_a5,
)
from lscore.papers.yun2019.smooth.identities import A, B, p, q, r

SQUARE = "-a^2 + 2*a*b - b^2"


def test_small_cases_have_the_known_values():
    assert p(2) == fmpq(1, 2)
    assert p(3) == fmpq(3, 4) * (A + B)
    assert p(4) == (7 * A**2 + 10 * A * B + 7 * B**2) / 8
    assert q(1, 3) == 0
    assert r(1, 1) == fmpq(1, 2)


@pytest.mark.parametrize("certify", [certify_lemma_a3, certify_lemma_a4, certify_lemma_a5])
def test_lemmas_hold_as_printed(certify):
    answer = certify()
    assert answer.certified
    assert answer.method == "exact"


@pytest.mark.parametrize(
    ("answer", "witness"),
    [
        (certify_lemma_a4(4, lambda n: 2 * p(n)), {"n": 2}),
        (
            certify_lemma_a4(5, lambda n: p(n) + (n == 5)),
            {"n": 5, "difference": "-a^2 + 2*a*b - b^2"},
        ),
        (certify_lemma_a5(3, lambda m, n: 2 * r(m, n)), {"exponents": "1, 1"}),
        (certify_lemma_a3(4, lambda n: p(n) + (n == 3)), {"degree": 3}),
    ],
)
def test_wrong_factors_are_refuted_with_the_first_case(answer, witness):
    assert answer.refuted
    assert witness.items() <= dict(answer.witness).items()


def test_the_criterion_is_c27_and_no_other_constant_will_do():
    assert certify_bend_criterion().certified
    assert certify_bend_criterion("1/4").refuted
    assert certify_bend_criterion(fmpq(1, 3)).certified


@pytest.mark.parametrize("certify", [certify_lemma_a3, certify_lemma_a4, certify_lemma_a5])
@pytest.mark.parametrize("highest", [-3, 0, 2.5, True])
def test_an_empty_range_certifies_nothing(certify, highest):
    with pytest.raises(LscoreError, match=r"highest: got .*, need an int"):
        certify(highest)


def test_the_smallest_ranges():
    assert certify_lemma_a3(2).certified
    assert certify_lemma_a4(2).certified
    assert certify_lemma_a5(1).certified
    for certify in (certify_lemma_a3, certify_lemma_a4):
        with pytest.raises(DataError, match="need an integer >= 2"):
            certify(1)
