"""Points that Theorem 4 does not cover: corners, an absolute value, linear collapse."""

import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_points import network

from lscore import Network, exact, identity, linear, relu, tanh
from lscore.errors import DataError, ShapeError
from lscore.papers.yun2019 import (
    CORNER,
    certify_absolute_minimum,
    certify_corner_minimum,
    certify_linear_collapse,
    certify_saddle_or_minimum,
    saddle_corner_risk,
)
from lscore.papers.yun2019.linear.counterexamples import (
    absolute_corner_loss,
    absolute_risk,
    corner_identity_holds,
)
from lscore.papers.yun2019.linear.setting import product, product_gradient, product_loss


def test_a_stationary_product_of_a_loss_that_is_not_convex_is_unknown():
    answer = certify_saddle_or_minimum(saddle_corner_risk, CORNER)
    assert answer.verdict == "unknown"
    assert "not convex" in answer.reason


def test_the_corner_examples():
    assert corner_identity_holds()
    first, second = CORNER.flat(0, 2, 2), CORNER.flat(4, 2, 2)
    assert (first, second) == (exact([[0, 0], [0, 1]]), exact([[1, 0], [0, 0]]))
    assert certify_corner_minimum("absolute", "1/2").certified
    assert certify_corner_minimum("absolute", "51/100").verdict == "unknown"
    assert certify_corner_minimum("saddle", "39/100").certified
    assert certify_corner_minimum("saddle", "2/5").verdict == "unknown"
    with pytest.raises(DataError, match="loss"):
        certify_corner_minimum("squared", "1/2")
    with pytest.raises(DataError, match="radius"):
        certify_corner_minimum("saddle", 1)


@given(st.lists(st.integers(-9, 9), min_size=8, max_size=8))
def test_the_saddle_loss_of_the_corner_has_its_own_gradient(entries):
    R, move = exact(entries).flat(0, 2, 2), exact(entries).flat(4, 2, 2)
    rise = product_loss(saddle_corner_risk, R + move) - product_loss(saddle_corner_risk, R - move)
    assert rise == 2 * product_gradient(saddle_corner_risk, R).dot(move)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-39, 39), min_size=8, max_size=8))
def test_no_point_of_the_box_is_below_the_corner(shift):
    w = CORNER + exact([fmpq(s, 100) for s in shift])
    weights = [w.flat(0, 2, 2), w.flat(4, 2, 2)]
    assert absolute_corner_loss(product(weights)) >= 1
    assert product_loss(saddle_corner_risk, product(weights)) >= 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-45, 45), min_size=3, max_size=3))
def test_no_point_of_the_box_is_below_the_absolute_minimum(shift):
    a, b, v = (fmpq(s, 100) for s in shift)
    assert absolute_risk(exact([1 + a, fmpq(1, 10) + b]), v) >= fmpq(1, 2)


def test_the_absolute_minimum_is_spurious():
    answer = certify_absolute_minimum([1, "1/10"], "9/20")
    assert answer.certified
    assert answer.values["smaller_risk"] == fmpq(1, 200)
    assert certify_absolute_minimum([0, 1], "1/10").verdict == "unknown"
    for radius in (0, -5):  # a negative radius once certified any box
        with pytest.raises(DataError, match="radius: got"):
            certify_absolute_minimum([1, "1/10"], radius)
    with pytest.raises(ShapeError, match=r"w: shape \(1, 1\), need \(2, 1\)"):
        certify_absolute_minimum([1], "1/10")


def test_linear_collapse():
    assert certify_linear_collapse(network(2, 3, 2)).certified
    mixed = Network((2, 3, 3, 2), (identity, relu))
    assert certify_linear_collapse(mixed).witness["activation"] == "ReLU"
    for bias in (True, False):  # what comes after a bend may not pass it on
        dead = certify_linear_collapse(Network((1, 1, 1, 1), (relu, linear(0)), bias))
        assert dead.verdict == "unknown"
        behind = certify_linear_collapse(Network((1, 1, 1, 1), (linear(0), relu), bias))
        assert behind.refuted == bias
    smooth = certify_linear_collapse(Network((1, 1, 1), tanh))
    assert (smooth.verdict, smooth.reason) == ("unknown", "a smooth activation has no cells")


def test_linear_collapse_reads_the_output_activation():
    bent = certify_linear_collapse(Network((1, 1, 1), identity, output_activation=relu))
    assert (bent.verdict, bent.witness["activation"]) == ("refuted", "ReLU")
    assert certify_linear_collapse(Network((2, 1), (), output_activation=linear(2))).certified
    hidden = Network((1, 1, 1, 1), (linear(0), relu), bias=False)  # relu sees nothing but 0
    assert certify_linear_collapse(hidden).verdict == "unknown"
