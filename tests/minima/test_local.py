"""Deciders of local minima: right on every case, never more than they know, witnesses that hold."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from cases import (
    CASE_D,
    CASES,
    CERTIFIED_CASES,
    DEEP_KINK,
    PARABOLA,
    REFUTED_CASES,
    TWO_OUTPUTS,
    XOR,
    columns,
    fraction,
    name,
    reference_risk,
    with_slopes,
)
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st
from losses import Logistic, Quartic

import lscore
from lscore import (
    Network,
    Risk,
    binary_hinge,
    certify_affine_minimum,
    certify_local_minimum,
    exact,
    identity,
    relu,
)
from lscore.algebra.matrices import to_float
from lscore.errors import DataError, ShapeError
from lscore.minima.affine import certified_radius_squared, lower_sqrt
from lscore.minima.local import propose_directions
from lscore.papers.yun2019 import least_squares_minimum


def check_witness(risk, w, certificate):
    """The lower point is where the witness says, lower by what it says, and so are nearer ones."""
    witness, start = certificate.witness, reference_risk(risk, w)
    u, low = witness["direction"], witness["lower_point"]
    assert reference_risk(risk, low) == start - fraction(witness["decrease_there"]) < start
    for shrink in (2, 1000, 10**9):
        assert reference_risk(risk, w + (low - w) / shrink) < start
    step = next(a / b for a, b in zip((low - w).entries(), u.entries(), strict=True) if b != 0)
    assert step > 0
    assert low == w + step * u
    small = step / 10**9
    change = reference_risk(risk, w + small * u) - start
    leading = fraction(witness["coefficient"] * small ** witness["order"])
    assert change / leading == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_verdict_is_the_expected_one(case):
    answer = certify_local_minimum(case.risk, case.point)
    assert str(answer.verdict) == case.verdict
    assert answer.method == "exact"


@pytest.mark.parametrize("case", REFUTED_CASES, ids=name)
def test_refutations_carry_a_witness_that_substitution_confirms(case):
    check_witness(case.risk, case.point, certify_local_minimum(case.risk, case.point))


@pytest.mark.parametrize("case", CERTIFIED_CASES, ids=name)
@pytest.mark.parametrize("nudge", [1e-9, -1e-9])
def test_weights_moved_by_a_billionth_are_refuted(case, nudge):
    w = case.point + exact([nudge] + [0] * (len(case.point) - 1))
    if case.risk(w) == case.risk(case.point):  # the moved weight belongs to a unit without output
        w = case.point + exact([0] * (len(case.point) - 1) + [nudge])
    answer = certify_affine_minimum(case.risk, w)
    assert answer.refuted
    check_witness(case.risk, w, answer)


def test_the_order_of_the_deep_saddle_is_three():
    answer = certify_local_minimum(CASE_D.risk, CASE_D.point)
    assert answer.witness["order"] == 3
    assert not CASE_D.risk.hessian(CASE_D.point.point()).any()


@pytest.mark.parametrize("seed", range(5))
def test_a_minimum_on_kinks_of_two_layers_is_unknown_and_never_refuted(seed):
    answer = certify_local_minimum(DEEP_KINK.risk, DEEP_KINK.point, trials=100, seed=seed)
    assert str(answer) == (
        "unknown (exact): the point is a local minimum  [B-RAY]\n"
        "  fails     units are on knots only at inputs with pull 0\n"
        "  reason    unit 0 of layer 1 has its pre-activation exactly on a knot at sample 0, which "
        "pulls: the point is on a kink; and none of 8 promising directions descends"
    )


def test_the_same_seed_gives_the_same_answer():
    case = REFUTED_CASES[1]
    texts = {str(certify_local_minimum(case.risk, case.point, seed=3)) for _ in range(2)}
    assert len(texts) == 1


def test_a_preactivation_pushed_onto_the_kink_is_unknown_with_unit_and_sample():
    w = least_squares_minimum(PARABOLA)
    on_kink = w - exact([0, "1/5", 0, "7/5", 0, 0, 0])
    answer = certify_affine_minimum(PARABOLA, on_kink)
    assert str(answer.verdict) == "unknown"
    assert answer.reason == (
        "unit 1 has its pre-activation exactly on a knot at sample 3: the point is on a kink"
    )
    assert [c.holds for c in answer.conditions] == [None]
    assert certified_radius_squared(PARABOLA, on_kink) is None


def test_a_unit_on_two_pieces_is_unknown_with_the_unit():
    answer = certify_affine_minimum(PARABOLA, exact([1, 1, 1, "-1/2", 1, 1, 0]))
    assert answer.reason.startswith("unit 1 uses more than one linear piece on the data")


@given(
    columns(7),
    st.sampled_from([(1, 0), (0, 1), (1, -1), (-2, "1/2")]),
    st.sampled_from([(1, 1), (1, -1), (-1, -1)]),
)
def test_inside_an_affine_cell_the_answer_is_never_unknown_for_one_output(w, pair, sides):
    risk, entries = with_slopes(PARABOLA, pair), w.entries()
    entries[2:4] = [side * (20 + b) for side, b in zip(sides, entries[2:4], strict=True)]
    w = exact(entries)
    answer = certify_affine_minimum(risk, w)
    assert str(answer.verdict) != "unknown"
    if answer.refuted:
        check_witness(risk, w, answer)


@pytest.mark.parametrize("pair", [(1, 0), (0, 1), (1, -1), (-2, "1/2")])
def test_a_zero_gradient_in_an_affine_cell_is_refuted_at_second_order(pair):
    risk = with_slopes(PARABOLA, pair)
    w = exact([0, 0, 2, -3, 0, 0, "7/2"])
    assert risk.gradient(w).is_zero()
    answer = certify_affine_minimum(risk, w)
    assert answer.refuted
    assert answer.witness["order"] == 2
    check_witness(risk, w, answer)


def test_two_outputs_are_refuted_through_an_unused_unit():
    means = [fmpq(7, 2), fmpq(3, 2)]
    w = exact([0] * 3 + [1] * 3 + [0] * 6 + means)
    assert TWO_OUTPUTS.gradient(w).is_zero()
    answer = certify_affine_minimum(TWO_OUTPUTS, w)
    assert answer.refuted
    check_witness(TWO_OUTPUTS, w, answer)


def test_two_outputs_whose_pulls_cancel_need_a_direction_of_both_layers():
    risk = Risk(Network((1, 1, 2), relu), [-1, 0, 1], [[-1, 1], [0, 0], [1, -1]])
    w = exact([0, 1, 1, 1, -1, -1])
    answer = certify_affine_minimum(risk, w)
    assert answer.reason == "the gradient is zero and the residuals are not orthogonal to the data"
    assert [c.holds for c in answer.conditions] == [True, False]
    turned = certify_local_minimum(risk, w)  # by the eigenvector of the lowest eigenvalue
    assert turned.witness["order"] == 2
    check_witness(risk, w, turned)


def test_dead_networks_are_certified_with_and_without_biases():
    dead = certify_affine_minimum(PARABOLA, exact([0, 0, -1, -1, 1, 2, "7/2"]))
    assert "the constants (every unit has slope 0)" in dead.conditions[1].text
    without = Risk(Network((1, 2, 1), relu, bias=False), [1, 2], [1, -1])
    assert certify_affine_minimum(without, exact([-1, -1, 1, 1])).certified


def test_without_biases_only_linear_functions_count():
    risk = Risk(Network((1, 2, 1), relu, bias=False), [1, 2, 3], [1, 3, 2])
    answer = certify_affine_minimum(risk, exact([1, 1, "13/14", 0]))
    assert answer.certified
    assert answer.conditions[1].text == "residuals orthogonal to every linear function"
    assert certified_radius_squared(risk, exact([1, 1, "13/14", 0])) == 1
    moved = exact([1, 1, "12/14", 0])
    check_witness(risk, moved, certify_affine_minimum(risk, moved))


def test_every_knot_of_the_activation_counts_in_the_radius():
    risk = Risk(Network((1, 1, 1), lscore.hard_tanh), [0, 1], [0, "1/2"])
    w = exact(["1/4", "1/2", 2, -1])
    assert certify_affine_minimum(risk, w).certified
    assert certified_radius_squared(risk, w) == min(fmpq(1, 4), fmpq(1, 16) / 2)
    outside = exact([0, 5, 1, "-3/4"])
    assert certify_affine_minimum(risk, outside).certified
    assert certified_radius_squared(risk, outside) == 8


def test_a_network_without_knots_has_no_radius():
    risk = Risk(Network((1, 1, 1), identity), [0, 1, 2, 3], [0, 1, 4, 9])
    w = exact([3, 0, 1, -1])
    answer = certify_affine_minimum(risk, w)
    assert answer.certified
    assert set(answer.values) == {"risk"}
    assert certified_radius_squared(risk, w) is None


@pytest.mark.parametrize("risk", [PARABOLA, XOR], ids=["parabola", "xor"])
@given(data=st.data())
def test_no_point_inside_the_certified_ball_is_lower(risk, data):
    w = least_squares_minimum(risk)
    squared = certified_radius_squared(risk, w)
    d = risk.network.widths[0]
    entries = w.entries()
    for k in range(2):
        move = data.draw(columns(d + 1))
        length = move.dot(move)
        shrink = data.draw(st.sampled_from(["1", "9/10", "1/3"]))
        if length > squared:
            move = move * str(lower_sqrt(squared / length)) * shrink
        assert move.dot(move) <= squared
        for j in range(d):
            entries[k * d + j] += move[j, 0]
        entries[2 * d + k] += move[d, 0]
    outer = data.draw(columns(3)).entries()
    entries[3 * d - d + 2 :] = [a + b for a, b in zip(entries[2 * d + 2 :], outer, strict=True)]
    assert risk(exact(entries)) >= risk(w)


def test_on_the_sphere_itself_no_point_is_lower_either():
    w = least_squares_minimum(PARABOLA)
    assert certified_radius_squared(PARABOLA, w) == fmpq(2, 5)
    touching = w - exact([0, "3/5", 0, "1/5", 0, 0, 0])
    for gain in ("-1", "1/7", "3"):
        for shift in ("-1/3", "0", "2"):
            moved = touching + exact([0, 0, 0, 0, 0, gain, shift])
            assert PARABOLA(moved) >= PARABOLA(w)


@pytest.mark.parametrize("risk", [PARABOLA, XOR], ids=["parabola", "xor"])
@pytest.mark.parametrize("alpha", [1, 10, "1/10"])
def test_just_outside_the_sharp_radius_a_lower_point_exists(risk, alpha):
    """The spare unit moves 1.01 radii towards the wall of the extremal sample."""
    w = least_squares_minimum(risk, alpha)
    squared = certified_radius_squared(risk, w)
    hidden, _ = risk.network.unpack(w)
    d, z = risk.network.widths[0], hidden(risk.exact_X).column(1).entries()
    X = risk.exact_augmented
    lengths = [row.dot(row) for row in (X.rows(i, i + 1) for i in range(len(X)))]
    i = min(range(len(z)), key=lambda i: z[i] ** 2 / lengths[i])
    assert z[i] ** 2 / lengths[i] == squared
    move = X.rows(i, i + 1).T * (-z[i] / lengths[i]) * "101/100"
    assert move.dot(move) == squared * fmpq(101, 100) ** 2
    entries = w.entries()
    for j in range(d):
        entries[d + j] += move[j, 0]
    entries[2 * d + 1] += move[d, 0]
    moved = exact(entries)
    unit = risk.forward(moved)[0][0].column(1)
    kinked = relu(unit)
    residuals = risk.predictions(moved) - risk.exact_y
    entries[2 * d + 3] = -residuals.dot(kinked) / kinked.dot(kinked)
    assert reference_risk(risk, exact(entries)) < fraction(risk(w))


@pytest.mark.parametrize("alpha", ["1", "10", "100", "1/3", "1e10", "1e40", "1e200", "1e-200"])
def test_the_radius_is_proportional_to_alpha(alpha):
    base = certified_radius_squared(PARABOLA, least_squares_minimum(PARABOLA))
    w = least_squares_minimum(PARABOLA, alpha)
    scale = exact([alpha])[0, 0]
    assert certified_radius_squared(PARABOLA, w) == base * scale**2
    shown = Fraction(certify_affine_minimum(PARABOLA, w).values["radius"])
    assert shown**2 <= fraction(base * scale**2) < (shown * Fraction("1.00001")) ** 2


@given(st.fractions(min_value=0, max_value=10**6, max_denominator=10**9))
def test_lower_square_roots_are_below_and_close(value):
    number = fmpq(value.numerator, value.denominator)
    root = Fraction(lower_sqrt(number, 8))
    assert root**2 <= value
    assert value <= (root * (1 + Fraction(2, 10**7))) ** 2
    assert lower_sqrt(fmpq(-1)) == Decimal(0)


UNSUPPORTED = [
    (Risk(Network((1, 1, 1), lscore.tanh), [1], [1]), "the activation is not piecewise linear"),
    (Risk(Network((1, 1, 1), relu, output_activation=relu), [1], [1]), "an output activation"),
    (Risk(Network((1, 1, 1), relu), [1], [1], weight_decay=1), "the risk has weight decay"),
    (Risk(Network((1, 1, 1), relu), [1], [1], Logistic()), "the logistic loss is not a polyn"),
    (Risk(Network((1, 1, 1), relu), [1], [1], Quartic()), "the loss is not known to be convex"),
]


@pytest.mark.parametrize(("risk", "reason"), UNSUPPORTED, ids=[r for _, r in UNSUPPORTED])
def test_what_the_theorem_does_not_cover_is_unknown_with_the_reason(risk, reason):
    w = exact([1] * risk.dimension)
    answer = certify_affine_minimum(risk, w)
    assert str(answer.verdict) == "unknown"
    assert reason in answer.reason
    assert certified_radius_squared(risk, w) is None


@pytest.mark.parametrize(
    "risk", [r for r, _ in UNSUPPORTED[1:3]], ids=[r for _, r in UNSUPPORTED[1:3]]
)
def test_what_the_cell_certificate_does_not_cover_can_still_be_refuted(risk):
    w = exact([2] * risk.dimension)
    answer = certify_local_minimum(risk, w, trials=200)
    assert answer.refuted
    check_witness(risk, w, answer)


def test_float_points_are_taken_exactly():
    w = least_squares_minimum(PARABOLA)
    assert str(certify_affine_minimum(PARABOLA, w.point())) == str(
        certify_affine_minimum(PARABOLA, w)
    )
    assert certify_affine_minimum(PARABOLA, w.point().numpy()).certified
    thirds = Risk(PARABOLA.network, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0])
    best = least_squares_minimum(thirds)
    assert certify_affine_minimum(thirds, best).certified
    rounded = certify_affine_minimum(thirds, best.point())
    assert rounded.refuted
    assert to_float(rounded.witness["decrease_there"]) < 1e-29


@pytest.mark.parametrize("decide", [certify_affine_minimum, certify_local_minimum])
def test_bad_points_are_refused_by_name(decide):
    with pytest.raises(ShapeError, match=r"w: shape \(6, 1\)"):
        decide(PARABOLA, exact([0] * 6))
    with pytest.raises(DataError, match="w: has NaN"):
        decide(PARABOLA, torch.full((7,), torch.nan, dtype=torch.float64))


def test_a_trained_point_is_refuted_by_its_own_gradient():
    """Close to a minimiser random steps of a fixed size go up; the gradient still descends."""
    risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 2, 3, 9])
    w = torch.tensor([1.0, -1.0, 0.5, 2.5, 1.0, -1.0, 0.5], dtype=torch.float64)
    for _ in range(3000):
        w = w - 0.01 * risk.gradient(w)
    answer = certify_local_minimum(risk, w, trials=1)
    assert answer.refuted
    assert risk(answer.witness["lower_point"]) < risk(exact(w))


ROUNDED = (
    "not exactly critical, but the decrease is at rounding level, too small for float64 to show: "
    "this point is no minimum, a point nearby may be one. Floats end in such points; solve for the "
    "critical point in rationals and ask about that"
)


def test_a_decrease_at_rounding_level_says_so():
    thirds = Risk(PARABOLA.network, [0.0, 1.0, 2.0], [0.0, 1.0, 4.0])
    rounded = least_squares_minimum(thirds).point()
    for answer in (certify_local_minimum(thirds, rounded), certify_affine_minimum(thirds, rounded)):
        assert answer.refuted
        assert answer.reason == ROUNDED
        assert f"\n  reason    {ROUNDED}" in str(answer)
    visible = certify_local_minimum(thirds, rounded + 1e-6)
    assert visible.refuted
    assert not visible.reason


@pytest.mark.parametrize("scale", ["1", "1e-20", "1e20"])
def test_rounding_level_goes_with_the_scale_of_the_risk(scale):
    """One number, mean 0 and a move of the bias: the risk falls by move^2 / 2."""
    factor = exact([scale])[0, 0]
    risk = Risk(Network((1, 1), ()), [0, 0], exact([1, -1]) * factor)
    for move, words in (("1e-7", ""), ("1e-9", ROUNDED)):
        answer = certify_local_minimum(risk, exact([0, move]) * factor)
        assert answer.refuted
        assert answer.reason == words


def test_a_wall_next_to_the_point_does_not_make_a_descent_invisible():
    risk = Risk(Network((1, 1, 1), relu), np.array([[0.1 + 0.2], [1], [2]]), [[5], [-7], [4]])
    w = np.array([1, -0.3, 1, 0.0])
    answer = certify_local_minimum(risk, w)
    assert answer.refuted
    assert not answer.reason
    far = exact(w) + answer.witness["direction"] * "1/10"
    assert float(risk(far.point())) < float(risk(exact(w).point())) - 0.1


def test_points_and_risks_beyond_the_floats_are_decided_by_unranked_directions():
    square = Risk(Network((1, 1, 1), identity, bias=False), [1], [1])
    for w, verdict in ((exact([10**400, 0]), "refuted"), (exact([10**200, 1]), "refuted")):
        assert certify_local_minimum(square, w).verdict == verdict
    deep = Risk(CASE_D.risk.network, [10**200], [10**200])
    assert certify_local_minimum(deep, exact([0] * 3)).witness["order"] == 3


def test_the_radius_is_exact_where_squares_leave_the_normal_floats():
    """Squares near 1e-322 have hardly a digit; a float must not choose the sample there."""
    rng = np.random.default_rng(0)
    for exponent in range(-164, -153):
        for _ in range(30):
            X = rng.integers(1, 60, (4, 2)) * 10.0**exponent
            risk = Risk(Network((2, 1, 1), relu, bias=False), X, [0, 0, 0, 0])
            w = exact([*map(int, rng.integers(1, 9, 2)), 0])
            z, rows = risk.forward(w)[0][0], [risk.exact_X.rows(i, i + 1) for i in range(4)]
            expected = min(z[i, 0] ** 2 / row.dot(row) for i, row in enumerate(rows))
            assert certified_radius_squared(risk, w) == expected


def test_numbers_beyond_the_floats_are_no_obstacle():
    risk = Risk(Network((1, 1, 1), relu), [-1, 0, 1], [1, 0, 1])
    answer = certify_affine_minimum(risk, exact([0, 10**400, 0, "2/3"]))
    assert answer.certified
    assert certified_radius_squared(risk, exact([0, 10**400, 0, "2/3"])) == fmpq(10**800, 2)


def test_texts_of_the_affine_cell():
    risk = Risk(Network((1, 1, 1), relu), [-1, 0, 1], [1, 0, 1])
    assert str(certify_affine_minimum(risk, exact([0, 1, "2/3", 0]))) == (
        "certified (exact): the point is a local minimum  [YUN-T1]\n"
        "  holds     every hidden unit stays on one linear piece, distance to the nearest knot 1\n"
        "  holds     residuals orthogonal to every affine function\n"
        "  value     risk = 1/3\n"
        "  value     radius = 0.707106"
    )
    assert str(certify_affine_minimum(risk, exact([0, 1, 1, 0]))).startswith(
        "refuted (exact): the point is a local minimum  [YUN-T1]\n"
        "  holds     every hidden unit stays on one linear piece, distance to the nearest knot 1\n"
        "  fails     residuals orthogonal to every affine function, largest sum 1\n"
        "  witness   direction: "
    )
    assert str(certify_affine_minimum(risk, exact([1, 0, 1, 0]))) == (
        "unknown (exact): the point is a local minimum  [YUN-T1]\n"
        "  undecided every hidden unit stays on one linear piece\n"
        "  reason    unit 0 has its pre-activation exactly on a knot at sample 1: "
        "the point is on a kink"
    )


def test_only_finite_directions_that_are_not_zero_are_proposed():
    risk = Risk(Network((1, 1, 1), identity, bias=False), [1], [1])
    for w, count in (([1, 1], 20), ([1, 2], 21), (["1e-50", "1e200"], 20)):
        w = exact(w)
        proposed = propose_directions(risk, w, 200, 0)
        assert len(proposed) >= count
        assert all(np.isfinite(u).all() and u.any() for u in proposed)


def test_many_tied_margins_are_decided_quickly():
    """A dead network at c = 1: 90 margins are tied, and all of them are summed in one pass."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(140, 12)), np.where(np.arange(140) < 90, 1, -1)
    risk = Risk(Network((12, 2, 1), relu), X, y, binary_hinge())
    w = exact([0] * 24 + [-1, -1, 1, 1, 1])
    answer = certify_local_minimum(risk, w)
    assert answer.certified
    assert answer.claim == "B-BALANCE"
    assert certify_local_minimum(risk, w + exact([0] * 28 + [1e-9])).refuted
