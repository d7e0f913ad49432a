"""Answer checkers: right answers pass, each kind of wrong answer is told why."""

import pytest
import torch
from cases import (
    CASE_A,
    CASE_B,
    CASE_C,
    CASE_D,
    KINK,
    PARABOLA,
    PULLED,
    SADDLE,
    XOR,
)

from lscore import Network, Risk, certify_affine_minimum, exact, identity, relu, softplus, softsign
from lscore.errors import LscoreError
from lscore.pages.exercises.smooth_activations import (
    fails_only_c27,
    fools_the_box,
    has_radius,
    margin_by_hand,
    widens_the_box,
)
from lscore.pages.exercises.two_piece_activations import (
    affine_fit_is_best,
    affine_map_fits,
    decrease_by_hand,
    is_dense_spurious_minimum,
)
from lscore.pages.exercises.what_a_hessian_cannot_see import (
    fools_second_order_test,
    has_descent_of_order,
    is_another_descent,
    is_bent_minimum,
    slope_by_hand,
)
from lscore.pages.shared import fools_the_checker
from lscore.papers.yun2019 import constants, find_constants, least_squares_minimum

DENSE = exact([3, 0, 10, 10, 1, 1, -21])


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
        (PULLED.risk, PULLED.point, "not yet: the checker says unknown"),
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


@pytest.mark.parametrize(
    ("w", "radius", "answer"),
    [
        (DENSE, 0, "correct: spurious, with risk 2"),
        (DENSE, 3, "correct: spurious, with risk 2"),
        (DENSE, 4, "not yet: the certified radius is 3.16227"),
        (least_squares_minimum(PARABOLA), 0, "not yet: an output weight is 0"),
        (DENSE + exact([0, 0, 0, 0, 0, 0, 1]), 0, "not yet: refuted"),
        (
            exact([3, 0, 10, 0, 1, 1, -11]),
            0,
            "not yet: unknown, unit 1 has its pre-activation exactly on a knot at sample 0: "
            "the point is on a kink",
        ),
    ],
)
def test_dense_spurious_minima_are_recognised(w, radius, answer):
    assert is_dense_spurious_minimum(PARABOLA, w, radius) == answer


@pytest.mark.parametrize(
    ("y", "answer"),
    [
        ([1, -1, 1, -1], "correct: every function of x leaves a sum of squares of at least 4"),
        ([1, 1, 2, 2], "not yet: an affine map fits exactly, slope column(1)"),
    ],
)
def test_data_that_no_function_fits_better_are_recognised(y, answer):
    assert affine_fit_is_best([0, 0, 1, 1], y) == answer


def test_data_that_some_function_fits_better_are_told_by_how_much():
    assert affine_fit_is_best([0, 0, 1, 2], [1, -1, 1, 0]) == (
        "not yet: the group means have a sum of squares that is smaller by 8/11"
    )


def test_the_first_two_exercises_know_right_from_wrong():
    assert affine_map_fits([1, 3, 5, 7]).startswith("correct")
    assert affine_map_fits([1, 1, 1, 1]) == "not yet: the labels are all equal"
    assert affine_map_fits([0, 1, 4, 9]) == "not yet: the best line leaves a sum of squares of 4"
    assert decrease_by_hand("1/72") == "correct: 1/72"
    assert decrease_by_hand("1/12") == "not yet: it is not 1/12"


def test_global_minima_that_the_checker_cannot_decide_fool_it():
    assert fools_the_checker(KINK.risk, KINK.point).startswith("correct: unit 0 has its pre-act")
    assert fools_the_checker(XOR, least_squares_minimum(XOR)) == "not yet: the risk is 2, not 0"
    easy = Risk(Network((1, 1, 1), relu), [1, 2], [1, 2])
    assert fools_the_checker(easy, exact([1, 0, 1, 0])) == "not yet: the checker says certified"
    assert fools_the_checker(easy, exact([1, -1, 1, 1]), certify_affine_minimum).startswith(
        "correct"
    )


def test_minima_on_two_pieces_are_recognised():
    risk = Risk(Network((1, 1, 1), relu), [-1, -1, 1, 1], [-1, 1, 0, 2])
    w = exact([1, 0, 1, 0])
    assert is_bent_minimum(risk, w) == "correct: unit 0 of layer 1 is bent, the risk is 2"
    moved = exact([1, 0, 1, "1/9"])
    assert is_bent_minimum(risk, moved) == "not yet: the checker says refuted"
    assert is_bent_minimum(KINK.risk, KINK.point) == "not yet: the risk is 0"
    straight = is_bent_minimum(PARABOLA, least_squares_minimum(PARABOLA))
    assert straight == "not yet: every unit stays on one linear piece"


def test_input_of_the_wrong_shape_raises():
    short = torch.zeros(2, dtype=torch.float64)
    for check in (fools_second_order_test, is_dense_spurious_minimum, fools_the_checker):
        with pytest.raises(LscoreError, match="w: shape"):
            check(PARABOLA, short)
    with pytest.raises(LscoreError, match="u: shape"):
        has_descent_of_order(CASE_C.risk, CASE_C.point, [1], 1)
    with pytest.raises(LscoreError, match="radius: got nan"):
        is_dense_spurious_minimum(PARABOLA, DENSE, float("nan"))
    with pytest.raises(LscoreError, match=r"\by\b"):
        affine_fit_is_best([0, 1], [0, 1, 2])


@pytest.mark.parametrize(
    ("v", "u", "answer"),
    [
        ([0, 1], [1, 1], "correct: C2.6: p1 + a1 > 0 fails, and no direction of descent is shown"),
        ([0, 1], [1, -1], "not yet: the output weights are not all positive"),
        ([1, 1], [1, 1], "not yet: the checker says certified"),
    ],
)
def test_points_that_fool_the_box(v, u, answer):
    assert fools_the_box(v, u) == answer


def test_places_and_margins_of_smooth_minima_are_told_apart():
    assert widens_the_box("1/3").startswith("not yet: the radius is 0")
    assert widens_the_box("2/3") == "not yet: at 2/3 the point is refuted"
    assert margin_by_hand("1/162") == "correct: 1/162"
    assert margin_by_hand("1/36") == "not yet: it is not 1/36"


def test_radii_of_smooth_minima_are_compared():
    c = find_constants(softplus)
    assert has_radius(c, 1) == "correct: no lower point within 1, a better one elsewhere"
    assert has_radius(c, 2) == "not yet: the certified radius is 1.040"
    assert has_radius(constants(softsign, ["1/4", 1], [-5, "8/3"]), 1) == "not yet: refuted"


def test_a_failing_c27_is_told_from_other_failures():
    saddle = constants(softsign, ["1/4", 1], [-5, "8/3"])
    assert fails_only_c27(saddle).startswith("correct: z'Qz < 0 for z = (1, ")
    assert fails_only_c27(find_constants(softplus)) == "not yet: C2.7 should fail"
    downhill = constants(softplus, [0, 0], ["-1/4", "-1/4"])
    assert fails_only_c27(downhill) == "not yet: C2.6 should hold"
