"""What pages share: attempts, refusals, and answers that fool a checker."""

import pytest
from cases import KINK, XOR

from lscore import (
    Network,
    Risk,
    certify_affine_minimum,
    exact,
    rational,
    relu,
)
from lscore.claims import claim
from lscore.errors import LscoreError
from lscore.pages import attempt
from lscore.pages.shared import fools_the_checker, refusal, same_number
from lscore.papers.yun2019 import least_squares_minimum


def test_global_minima_that_the_checker_cannot_decide_fool_it():
    assert fools_the_checker(KINK.risk, KINK.point).startswith("correct: unit 0 has its pre-act")
    assert fools_the_checker(XOR, least_squares_minimum(XOR)) == "not yet: the risk is 2, not 0"
    easy = Risk(Network((1, 1, 1), relu), [1, 2], [1, 2])
    assert fools_the_checker(easy, exact([1, 0, 1, 0])) == "not yet: the checker says certified"
    assert fools_the_checker(easy, exact([1, -1, 1, 1]), certify_affine_minimum).startswith(
        "correct"
    )


def test_a_refusal_is_text_and_its_absence_an_error():
    text = refusal(claim, "YUN-T9")
    assert text.startswith("DataError: id: no claim 'YUN-T9', known are YUN-T1")
    assert max(map(len, text.splitlines())) <= 72
    with pytest.raises(LscoreError, match="claim was not refused, it returned Claim"):
        refusal(claim, "YUN-T1")
    with pytest.raises(ZeroDivisionError):
        refusal(lambda: 1 / 0)


def test_a_list_is_read_as_a_point_where_one_is_wanted():
    risk = Risk(Network((1, 1, 1), relu), [0, 1, 2], [0, 0, 1])
    answer = attempt(fools_the_checker, risk, [1, -1, 1, 0])
    assert answer == attempt(fools_the_checker, risk, exact([1, -1, 1, 0]))
    assert answer.startswith("correct")
    assert attempt(fools_the_checker, risk, [1, -1]).startswith("not yet: w: ")


def test_an_attempt_never_ends_in_an_exception():
    assert attempt(same_number, ..., 1) == "not answered yet"
    assert attempt(same_number, "1/2", rational("1/2")) == "correct: 1/2"
    assert attempt(same_number, "3", 1) == "not yet: it is not 3"
    assert attempt(same_number, "half", 1).startswith("not yet: answer")
