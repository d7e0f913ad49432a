"""Exercises on second-order tests: right answers are accepted, others are told why."""

import pytest
from cases import CASE_A, CASE_B, CASE_D, DEEP_KINK, KINK, PARABOLA, SADDLE

from lscore import Network, Risk, exact, identity, relu
from lscore.pages.exercises.what_a_hessian_cannot_see import (
    fools_second_order_test,
    has_descent_of_order,
    is_another_descent,
    is_bent_minimum,
    slope_by_hand,
)
from lscore.papers.yun2019 import least_squares_minimum


@pytest.mark.parametrize(("case", "order"), [(CASE_A, 1), (CASE_B, 2), (CASE_D, 3)])
def test_points_that_fool_a_second_order_test_are_recognised(case, order):
    answer = fools_second_order_test(case.risk, case.point)
    assert answer.startswith("correct: the risk falls at order")
    if case is not CASE_B:
        assert answer.endswith(f"order {order}")
    assert fools_second_order_test(case.risk, case.point.point()) == answer


@pytest.mark.parametrize(
    ("risk", "w", "answer"),
    [
        (PARABOLA, exact([0] * 7), "not yet: autograd's gradient has an entry 14"),
        (
            Risk(Network((1, 1, 1), identity, bias=False), [1], [1]),
            exact([0, 0]),
            "not yet: the Hessian has the eigenvalue -1",
        ),
        (PARABOLA, exact([0, 0, -1, -1, 1, 2, "7/2"]), "not yet: the checker says certified"),
        (KINK.risk, KINK.point, "not yet: the checker says certified"),
        (DEEP_KINK.risk, DEEP_KINK.point, "not yet: the checker says unknown"),
    ],
)
def test_points_that_do_not_fool_it_are_told_why(risk, w, answer):
    assert fools_second_order_test(risk, w) == answer


def test_another_descent_falls_and_is_no_multiple_of_ones():
    deep = Risk(Network((1, 1, 1, 1), identity, bias=False), [1], [1])
    zero = exact([0, 0, 0])
    assert (
        is_another_descent(deep, zero, [-1, -2, 1]) == "correct: the risk changes by -2 t^3 + ..."
    )
    assert is_another_descent(deep, zero, [2, 2, 2]).startswith("not yet: it is a multiple")
    assert is_another_descent(deep, zero, [-1, 2, 1]).startswith("not yet")


def test_a_slope_by_hand_is_compared():
    assert slope_by_hand("-22/3") == "correct: -22/3"
    assert slope_by_hand(-4) == "not yet: it is not -4"


def test_orders_of_descent_are_compared():
    u = exact([1, 1, 1])
    assert has_descent_of_order(CASE_D.risk, CASE_D.point, u, 3) == (
        "correct: the risk changes by -1 t^3 + ..."
    )
    assert has_descent_of_order(CASE_D.risk, CASE_D.point, u, 2) == (
        "not yet: it falls at order 3, wanted 2"
    )
    assert has_descent_of_order(CASE_D.risk, CASE_D.point, -u, 3) == (
        "not yet: along this direction the risk rises at order 3"
    )
    assert has_descent_of_order(SADDLE, CASE_A.point, [1, -1, 0, 0], 1).startswith("correct")


def test_minima_on_two_pieces_are_recognised():
    risk = Risk(Network((1, 1, 1), relu), [-1, -1, 1, 1], [-1, 1, 0, 2])
    w = exact([1, 0, 1, 0])
    assert is_bent_minimum(risk, w) == "correct: unit 0 of layer 1 is bent, the risk is 2"
    moved = exact([1, 0, 1, "1/9"])
    assert is_bent_minimum(risk, moved) == "not yet: the checker says refuted"
    assert is_bent_minimum(KINK.risk, KINK.point) == "not yet: the risk is 0"
    straight = is_bent_minimum(PARABOLA, least_squares_minimum(PARABOLA))
    assert straight == "not yet: every unit stays on one linear piece"
