"""Errors carry what went wrong: claim, hypothesis and witness."""

from lscore.errors import HypothesisError, LscoreError


def test_hypothesis_errors_carry_claim_hypothesis_and_witness():
    error = HypothesisError("YUN-T1", "C1.4", "hidden width 1, need 2", 1)
    assert (error.claim, error.hypothesis, error.witness) == ("YUN-T1", "C1.4", 1)
    assert isinstance(error, LscoreError)
    assert isinstance(error, ValueError)
