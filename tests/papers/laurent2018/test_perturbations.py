"""Lemmas 105 to 107 and the descent of Theorem 5, by substitution in plain Fractions.

``LSCORE_LEAKY=400 pytest tests/papers/laurent2018/test_perturbations.py`` asks about that many
random points of each kind instead of 25."""

import os
import random
from dataclasses import replace

import pytest
from cases import fraction
from flint import fmpq
from leaky_points import SLOPES, grid_point, separable_risk
from named_kinks import numbers, plain, standing

from lscore import Network, Risk, binary_hinge, exact, leaky_relu, relu
from lscore.errors import DataError, HypothesisError
from lscore.papers.laurent2018 import (
    certify_fall,
    first_perturbation,
    leaky_descent,
    path_to_zero,
    second_perturbation,
    third_perturbation,
)

POINTS = int(os.environ.get("LSCORE_LEAKY", 25))
HALF = leaky_relu("1/2")
MADE = {
    "LVB-L105": first_perturbation,
    "LVB-L106": second_perturbation,
    "LVB-L107": third_perturbation,
}


def check(found):
    """The certificate says yes, and at several t the fall is at least what is promised."""
    answer = certify_fall(found)
    assert answer.certified, answer
    problem, start = plain(found.risk), numbers(found.point)
    stop = fraction(answer.conditions[0].margin)
    for t in (stop, stop / 2, stop / 7, stop / 2**40):
        promised = sum(fraction(p) * t ** (l + 1) for l, p in enumerate(found.promise))
        there = numbers(found.at(fmpq(t.numerator, t.denominator)))
        fall = problem.risk(start) - problem.risk(there)
        assert (fall == promised) if found.is_exact else (fall >= promised)
    return answer


@pytest.mark.parametrize("lemma", MADE)
def test_each_lemma_holds_and_less_is_refused(lemma):
    rng, done = random.Random(2), 0
    while done < POINTS:
        risk = separable_risk(rng, bias=rng.random() < 0.7, shift=rng.random() < 0.7)
        w = grid_point(rng, risk, idle=lemma != "LVB-L105")
        try:
            found = MADE[lemma](risk, w, rng.randrange(risk.network.widths[1]))
        except HypothesisError:
            continue
        done += 1
        check(found)
        *less, last = found.promise
        more = replace(found, promise=(*less, last + 100))
        refused = certify_fall(more)
        assert refused.refuted
        assert refused.witness["fall_there"] < refused.witness["promised"]
        if lemma == "LVB-L106":
            assert certify_fall(replace(found, promise=(last - fmpq(1, 100),))).refuted


def test_the_printed_sign_promises_a_fall_where_the_risk_rises():
    risk = Risk(
        Network((2, 1, 1), HALF), [[2, 1], [1, 3], [-1, -2]], [1, 1, -1], binary_hinge(["1/3"] * 3)
    )
    w = exact([1, 0, 3, 0, "1/2"])
    right, printed = (second_perturbation(risk, w, 0, as_printed=said) for said in (False, True))
    assert (right.promise[0], printed.promise[0]) == (fmpq(7, 3), fmpq(1, 3))
    assert check(right).values["fall"] == "7/3 t"
    assert certify_fall(printed).refuted
    turned = exact([1, 0, -5, 0, "1/2"])
    right, printed = (
        second_perturbation(risk, turned, 0, as_printed=said) for said in (False, True)
    )
    assert printed.promise[0] > 0 > right.promise[0]


def test_descent_from_every_point_of_positive_loss():
    rng, orders = random.Random(3), set()
    for trial in range(4 * POINTS):
        risk = separable_risk(
            rng, rng.choice(SLOPES[1:]), equal=True, bias=trial % 5 > 0, shift=trial % 7 > 0
        )
        edge = [-1, 1] if trial % 2 else None
        w = grid_point(rng, risk, idle=trial % 4 < 3, edge=edge)
        if risk(w) == 0:
            continue
        found = leaky_descent(risk, w)
        assert next(p for p in found.promise if p) > 0
        check(found)
        orders.add((found.claim, len(found.promise)))
    assert orders == {
        ("LVB-L105", 1),
        ("LVB-L106", 1),
        ("LVB-L107", 2),
        ("LVB-T5", 2),
        ("LVB-T5", 3),
    }


def test_hypotheses_are_named():
    risk, on_the_edge = standing(HALF), exact([1, 0, 3, 0, 1])
    in_use, equal = exact([1, 0, 3, 2, 1]), standing(HALF, ["1/4", "1/4", "1/2"])
    assert check(leaky_descent(risk, in_use)).certified
    for call, name in (
        (lambda: leaky_descent(risk, on_the_edge), "equal class weights"),
        (lambda: leaky_descent(standing(relu), on_the_edge), "alpha > 0"),
        (lambda: second_perturbation(risk, on_the_edge, 0), r"c != \+-1"),
        (lambda: first_perturbation(risk, on_the_edge, 0), "output weight 0"),
        (lambda: third_perturbation(risk, in_use, 0), "an output weight is not 0"),
        (lambda: leaky_descent(equal, path_to_zero(equal, on_the_edge)[-1]), "loss > 0"),
    ):
        with pytest.raises(HypothesisError, match=name):
            call()
    with pytest.raises(DataError, match="need a unit from 0 to 0"):
        first_perturbation(risk, in_use, 1)
