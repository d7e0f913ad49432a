"""Separable or not: separators and hull points by substitution, the widest one against a scan."""

import random
from fractions import Fraction

import pytest
from brute_kinks import dot
from cases import fraction
from leaky_points import separable_risk
from named_kinks import FIGURE_4, numbers

from lscore import Network, Risk, SquaredLoss, binary_hinge, leaky_relu
from lscore.errors import HypothesisError
from lscore.papers.laurent2018 import certify_separable, separator

HALF = leaky_relu("1/2")


def values(risk, vector):
    q = numbers(vector)
    rows = [
        numbers(risk.exact_X.rows(i, i + 1)) + [1] * risk.network.biases[0]
        for i in range(len(risk.y))
    ]
    return [dot(q, x) * y for x, y in zip(rows, numbers(risk.exact_y), strict=True)]


@pytest.mark.parametrize("bias", [True, False])
def test_separators_separate_and_the_margin_is_the_smallest_value(bias):
    rng = random.Random(0)
    for _ in range(40):
        risk = separable_risk(rng, bias=bias)
        for widest in (False, True):
            found = separator(risk, widest=widest)
            assert min(values(risk, found.vector)) == fraction(found.margin) > 0
        assert certify_separable(risk).certified


def test_the_widest_separator_is_wider_than_any_on_a_grid():
    risk = Risk(Network((1, 1, 1), HALF), [-1, 2, 5], [-1, 1, 1], binary_hinge())
    found = separator(risk, widest=True)
    width = fraction(found.margin) ** 2 / fraction(found.norm_squared)
    assert width == Fraction(9, 5)  # q = (3, -6) / 5: distance of the lifted (-1, 1), (2, 1)
    for a in range(-9, 10):
        for b in range(-9, 10):
            low = min(-(b - a), a * 2 + b, a * 5 + b)
            assert low <= 0 or Fraction(low * low, a * a + b * b) <= width


def test_a_common_point_of_the_hulls_refuses():
    square = [[0, 0], [2, 2], [2, 0], [0, 2]]
    risk = Risk(Network((2, 1, 1), HALF), square, [1, 1, -1, -1], binary_hinge())
    answer = certify_separable(risk)
    assert (answer.verdict, numbers(answer.witness["common_point"])) == ("refuted", [1, 1])
    theta = numbers(answer.witness["weights"])
    assert (min(theta) >= 0, sum(theta)) == (True, 1)
    with pytest.raises(HypothesisError, match="LVB-T4, hypothesis separable"):
        separator(risk)
    assert separator(risk, [0, 2, 3]).margin >= 1


def test_duplicates_with_two_labels_one_class_and_no_bias():
    twice = Risk(Network((1, 1, 1), HALF), [1, 1], [1, -1], binary_hinge())
    assert numbers(certify_separable(twice).witness["common_point"]) == [1]
    alone = Risk(Network((1, 1, 1), HALF), [0], [1], binary_hinge())
    assert certify_separable(alone).certified
    bare = Risk(Network((1, 1, 1), HALF, bias=False), [1, 2], [1, -1], binary_hinge())
    answer = certify_separable(bare)
    assert (answer.verdict, numbers(answer.witness["weights"])) == (
        "refuted",
        [Fraction(2, 3), Fraction(1, 3)],
    )
    assert "common_point" not in answer.witness
    tiny = Risk(Network((1, 1, 1), HALF), [0.0, 1e-300], [-1, 1], binary_hinge())
    assert certify_separable(tiny).certified


def test_figure_4_and_a_loss_outside():
    assert str(certify_separable(FIGURE_4).values["weight_of_class_plus_1"]) == "1/2"
    other = Risk(FIGURE_4.network, FIGURE_4.X, FIGURE_4.y, SquaredLoss())
    assert certify_separable(other).verdict == "unknown"
