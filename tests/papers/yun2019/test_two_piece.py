"""Theorem 1 of Yun, Sra and Jadbabaie (2019): reference numbers, formulas, hypotheses."""

import re
from fractions import Fraction

import numpy as np
import pytest
from cases import (
    ABSOLUTE,
    DEAD,
    DYADIC,
    MIRRORED,
    PARABOLA,
    SLOPES,
    SQUARE,
    TIES,
    TWO_OUTPUTS,
    XOR,
    columns,
    fraction,
    inner,
    random_risk,
    reference_activation,
    reference_residuals,
    reference_risk,
    table,
    with_slopes,
)
from flint import fmpq
from hypothesis import assume, given

from lscore import (
    Network,
    Risk,
    binary_hinge,
    certify_affine_minimum,
    exact,
    hard_tanh,
    identity,
    mean_squared_error,
    rational,
    relu,
    two_piece,
)
from lscore.algebra.matrices import ones
from lscore.errors import DataError, DtypeError, HypothesisError, LscoreError, ShapeError
from lscore.minima.affine import certified_radius_squared
from lscore.minima.paths import certify_nonincreasing
from lscore.papers.yun2019 import (
    affine_fit,
    certify_spurious,
    check_data,
    escape_path,
    just_outside,
    least_squares_minimum,
    one_dead_unit,
    refitted_kink,
    slopes,
    two_unit_point,
)

TWO = Network((1, 2, 1), relu)
SYMMETRIC = Risk(TWO, [-1, 0, 1], [1, -2, 1])
DUPLICATES = Risk(TWO, [0, 0, 1, 2], [1, -1, 1, 0])
CONTRADICTORY = Risk(TWO, [0, 0, 1, 1], [1, -1, 1, -1])
AFFINE = Risk(TWO, [0, 1, 2], [5, 4, 3])
VALLEY = Risk(
    Network((2, 3, 1), two_piece(1, "1/10")),
    [(0, 1), (1, 0), (2, 2), (3, 1), (-1, 2)],
    [0, 1, 5, 2, 1],
)


def valley_point():
    """A minimum of VALLEY with output weights 1, -2, 3/2: no output weight is zero."""
    fit, spare = affine_fit(VALLEY), exact([[1, -1], ["1/2", 2]])
    first = fit.slope - exact([[-2, "3/2"]]) @ spare
    shifts, gains = exact([20, 10, 5]), exact([[1, -2, "3/2"]])
    offset = fit.intercept - gains @ shifts
    rows = exact([first.entries(), *[spare.rows(k, k + 1).entries() for k in range(2)]])
    return VALLEY.network.pack([rows, gains], [shifts, offset])


# The numbers of the ledger.


def test_the_parabola():
    fit = affine_fit(PARABOLA)
    assert (fit.slope[0, 0], fit.intercept[0, 0]) == (3, -1)
    w = least_squares_minimum(PARABOLA)
    assert PARABOLA(w) == 2
    assert two_unit_point(PARABOLA).decrease == fmpq(1, 2)
    assert reference_risk(PARABOLA, two_unit_point(PARABOLA).point) == Fraction(3, 2)


@pytest.mark.parametrize("pair", [(1, 0), ("1.000001", 1), (1, "-1/2"), (1, -1), (2, "1/10")])
def test_the_refitted_kink_gains_everything_whatever_the_slopes(pair):
    lower = refitted_kink(with_slopes(PARABOLA, pair))
    assert lower.decrease == 2
    assert lower.risk == 0
    assert lower.recipe["beta"] == fmpq(3, 2)


def test_the_printed_point_gains_next_to_nothing_near_linearity():
    lower = two_unit_point(with_slopes(PARABOLA, ("1.000001", 1)))
    assert lower.decrease == fmpq(2666667, 3555559111112)


def test_xor():
    w = least_squares_minimum(XOR)
    assert XOR(w) == 2
    assert certified_radius_squared(XOR, w) == fmpq(1, 3)
    assert two_unit_point(XOR).decrease == fmpq(1, 10)
    assert one_dead_unit(XOR, [1, 1]).decrease == fmpq(1, 2)


def test_ties_in_the_fit():
    assert TIES(least_squares_minimum(TIES)) == 2
    assert len(set(affine_fit(TIES).predictions.entries())) == 2
    assert two_unit_point(TIES).decrease == fmpq(81, 1306)
    assert one_dead_unit(TIES, [1, 1]).decrease == fmpq(81, 202)


@pytest.mark.parametrize(
    ("risk", "least_squares", "decrease"),
    [
        (SYMMETRIC, 3, fmpq(1, 2)),
        (ABSOLUTE, 2, fmpq(1, 3)),
    ],
    ids=["symmetric", "absolute value"],
)
def test_one_dead_unit_gains_what_the_ledger_says(risk, least_squares, decrease):
    assert risk(least_squares_minimum(risk)) == least_squares
    assert one_dead_unit(risk).decrease == decrease


def test_duplicates_are_harmless_unless_they_contradict():
    assert DUPLICATES(least_squares_minimum(DUPLICATES)) == fmpq(15, 11)
    assert refitted_kink(DUPLICATES).decrease == fmpq(4, 11)
    assert CONTRADICTORY(least_squares_minimum(CONTRADICTORY)) == 2
    for construct in (one_dead_unit, refitted_kink, two_unit_point):
        with pytest.raises(HypothesisError, match=r"YUN-T1, hypothesis C1\.2") as caught:
            construct(CONTRADICTORY)
        assert caught.value.witness.is_zero()


def test_a_dead_network_is_worse_than_the_affine_fit():
    assert DEAD.risk(DEAD.point) == fmpq(49, 2)
    answer = certify_spurious(DEAD.risk, DEAD.point)
    assert answer.certified
    assert answer.values["smaller_risk"] == 2  # the affine fit, which every network reaches


def test_a_dense_valley_point_is_spurious_and_can_be_left_without_rising():
    w = valley_point()
    assert VALLEY(w) == fmpq(32, 15)
    assert certify_spurious(VALLEY, w).certified
    for unit in (None, 0, 1, 2):
        path = escape_path(VALLEY, w, unit)
        assert certify_nonincreasing(VALLEY, path).certified
        assert {str(VALLEY(point)) for point in path[:-1]} == {"32/15"}
        assert VALLEY(path[-1]) == fmpq(32, 15) - fmpq(243, 475)


def test_the_dyadic_data_have_an_exactly_zero_float_gradient():
    for pair in [(1, 0), (1, "1/2"), (2, "-1/4"), (0, 1)]:
        for alpha in (1, 4, "1/8"):
            risk = with_slopes(DYADIC, pair)
            w = least_squares_minimum(risk, alpha)
            assert not risk.gradient(w.point()).any()
            assert (float(risk(w.point())), risk(w)) == (2.0, 2)


# Degenerate data, all slopes.


@pytest.mark.parametrize("pair", SLOPES, ids=str)
@pytest.mark.parametrize("seed", range(10))
def test_on_degenerate_data_every_formula_is_exact(seed, pair):
    risk = random_risk(seed, pair)
    A, y = table(risk.exact_augmented), [fraction(v) for v in risk.exact_y.entries()]
    left = reference_residuals(A, y)  # y - fit
    least_squares = inner(left, left) / 2
    w = least_squares_minimum(risk, "3/7")
    assert reference_risk(risk, w) == least_squares
    assert certify_affine_minimum(risk, w).certified
    if least_squares == 0:
        for construct in (one_dead_unit, refitted_kink):
            with pytest.raises(HypothesisError, match=r"C1\.1"):
                construct(risk)
        assert certify_spurious(risk, w).refuted
        return
    dead = one_dead_unit(risk)
    u = [fraction(rational(v)) for v in dead.recipe["u"]]
    beta = fraction(dead.recipe["beta"])
    h = risk.network.activations[0]
    z = [inner(x, u) - beta for x in table(risk.exact_X)]
    unit = [reference_activation(h, v) for v in z]
    gain = inner(left, unit) ** 2 / (2 * inner(unit, unit))
    assert gain > 0
    assert fraction(dead.decrease) == gain
    assert reference_risk(risk, dead.point) == fraction(dead.risk) == least_squares - gain
    kink = refitted_kink(risk)
    u = [fraction(rational(v)) for v in kink.recipe["u"]]
    beta = fraction(kink.recipe["beta"])
    phi = [max(inner(x, u) - beta, Fraction(0)) for x in table(risk.exact_X)]
    off = reference_residuals(A, phi)
    gain = inner(left, phi) ** 2 / (2 * inner(off, off))
    assert fraction(kink.decrease) == gain > 0
    assert reference_risk(risk, kink.point) == least_squares - gain
    assert certify_spurious(risk, w).certified
    assert certify_spurious(risk, w, kink.point).certified
    assert certify_nonincreasing(risk, escape_path(risk, w)).certified


@pytest.mark.parametrize("pair", [(1, 0), (0, 1), (2, "1/10"), (1, "-1/2"), (1, -2), (-2, "1/2")])
@pytest.mark.parametrize(
    "risk",
    [PARABOLA, SYMMETRIC, DUPLICATES, DYADIC],
    ids=["parabola", "symmetric", "duplicates", "dyadic"],
)
def test_the_printed_point_lowers_by_its_formula_for_every_sign(risk, pair):
    risk = with_slopes(risk, pair, width=3)
    n, fit = len(risk.exact_y), affine_fit(risk)
    lower = two_unit_point(risk)
    assert reference_risk(risk, lower.point) == fraction(lower.risk)
    if lower.recipe["case"] == 2:
        assert risk.exact_y == SYMMETRIC.exact_y
        return
    s_plus, s_minus = slopes(risk)
    kappa = (s_plus - s_minus) / (s_plus + s_minus)
    beta, gamma = lower.recipe["beta"], lower.recipe["gamma"]
    pairs = zip(fit.predictions.entries(), fit.residuals.entries(), strict=True)
    partial = sum((r for value, r in pairs if value < beta), fmpq(0))
    gain = 2 * kappa * gamma * partial - n * kappa**2 * gamma**2 / 2
    assert lower.decrease == gain > 0
    assert reference_risk(risk, lower.point) == fraction(risk(least_squares_minimum(risk)) - gain)


@given(columns(7))
def test_equation_three_is_an_identity_inside_the_cell(move):
    risk = with_slopes(PARABOLA, (2, "1/10"))
    w, move = least_squares_minimum(risk, 2), move / 5
    (hidden, out), (d_hidden, d_out) = risk.network.unpack(w), risk.network.unpack(move)
    assume(risk.forward(w + move)[0][0].smallest() > 0)
    moved = out.weight @ d_hidden.weight + d_out.weight @ (hidden.weight + d_hidden.weight)
    shift = out.weight @ d_hidden.bias + d_out.weight @ (hidden.bias + d_hidden.bias)
    change = risk.exact_X @ (moved * 2).T + ones(4) @ (shift * 2 + d_out.bias).T
    assert risk(w + move) == risk(w) + change.dot(change) / 2


@pytest.mark.parametrize("alpha", [1, 10, "1/7", 0.1])
@pytest.mark.parametrize(
    "risk",
    [PARABOLA, XOR, MIRRORED, ABSOLUTE, TWO_OUTPUTS],
    ids=["parabola", "xor", "mirrored", "absolute value", "two outputs"],
)
def test_every_alpha_gives_a_minimum_with_the_same_risk(risk, alpha):
    w = least_squares_minimum(risk, alpha)
    assert risk(w) == 2
    assert certify_spurious(risk, w).certified
    base = certified_radius_squared(risk, least_squares_minimum(risk))
    assert certified_radius_squared(risk, w) == base * rational(alpha) ** 2


def test_decreases_scale_with_the_loss():
    mean = Risk(TWO, PARABOLA.exact_X, PARABOLA.exact_y, mean_squared_error)
    for construct in (one_dead_unit, refitted_kink, two_unit_point):
        assert construct(mean).decrease * 2 == construct(PARABOLA).decrease


def test_the_kink_of_one_dead_unit_lies_on_a_data_point():
    risk = Risk(TWO, ["1/3", "2/3", 1, "7/3"], [0, 1, 0, 0])
    assert one_dead_unit(risk).recipe["beta"] in risk.exact_X.entries()
    best = max(
        inner(left, unit) ** 2 / (2 * inner(unit, unit))
        for beta in (Fraction(1, 3), Fraction(2, 3), Fraction(1))
        for left in [reference_residuals(table(risk.exact_augmented), [0, 1, 0, 0])]
        for unit in [[max(fraction(x) - beta, Fraction(0)) for x in risk.exact_X.entries()]]
    )
    assert fraction(one_dead_unit(risk).decrease) == best


@pytest.mark.parametrize(
    "scale", [10**200, Fraction(1, 10**200), Fraction(1, 3)], ids=["huge", "tiny", "third"]
)
@pytest.mark.parametrize("construct", [one_dead_unit, refitted_kink])
def test_the_units_of_the_data_do_not_matter(construct, scale):
    risk = Risk(TWO, [scale * v for v in range(4)], [0, 1, 4, 9])
    assert construct(risk).decrease == construct(PARABOLA).decrease


def test_huge_contradictory_labels_do_not_hide_the_best_kink():
    risk = Risk(TWO, [0, 0, 1, 2], [10**20, -(10**20), fmpq(1, 10**6), 0])
    assert refitted_kink(risk).risk == 10**40


# Several outputs.


def test_two_outputs_need_a_living_unit_each_and_a_spare_one():
    w = least_squares_minimum(TWO_OUTPUTS)
    assert certify_spurious(TWO_OUTPUTS, w).certified
    assert refitted_kink(TWO_OUTPUTS).risk == 0
    dead = one_dead_unit(TWO_OUTPUTS)
    assert reference_risk(TWO_OUTPUTS, dead.point) == fraction(dead.risk) < 2
    narrow = Risk(Network((1, 2, 2), relu), TWO_OUTPUTS.exact_X, TWO_OUTPUTS.exact_y)
    assert certify_affine_minimum(narrow, least_squares_minimum(narrow)).certified
    for construct in (one_dead_unit, refitted_kink):
        with pytest.raises(HypothesisError, match=r"C1\.4: .* width 2, .* needs 3"):
            construct(narrow)
    with pytest.raises(HypothesisError, match=r"C1\.4: .* width 1"):
        least_squares_minimum(Risk(Network((1, 1, 2), relu), [0, 1], [[0, 1], [1, 0]]))
    with pytest.raises(HypothesisError, match="hypothesis 1 output: got 2"):
        two_unit_point(TWO_OUTPUTS)
    with pytest.raises(ShapeError, match="risk: escape paths are built for one output"):
        escape_path(TWO_OUTPUTS, w)


# Hypotheses that fail, certificates that fail.


@pytest.mark.parametrize("y", [[5, 4, 3], [1, 2, 3]])
def test_affine_data_are_refused_with_the_fit(y):
    risk = Risk(TWO, [0, 1, 2], y)
    for construct in (one_dead_unit, refitted_kink, two_unit_point):
        with pytest.raises(HypothesisError, match=r"C1\.1: an affine map fits") as caught:
            construct(risk)
        assert caught.value.witness.sum_of_squares == 0
    answer = certify_spurious(risk, least_squares_minimum(risk))
    assert answer.refuted
    assert dict(answer.witness) == {"risk": 0, "smallest_risk_of_any_function_of_x": 0}


def test_check_data_passes_what_the_theorem_covers():
    for risk in (PARABOLA, XOR, DUPLICATES):
        assert check_data(risk, affine_fit(risk)) is None


def test_contradictory_duplicates_make_the_minimum_global():
    answer = certify_spurious(CONTRADICTORY, least_squares_minimum(CONTRADICTORY))
    assert answer.refuted
    assert answer.witness["smallest_risk_of_any_function_of_x"] == 2


def test_width_one_is_decided_by_the_best_single_kink():
    y = ["-1/20", "23/20", "37/20", "61/20"]
    for slope, verdict in ((0, "refuted"), ("1/2", "certified")):
        risk = Risk(Network((1, 1, 1), two_piece(1, slope)), [0, 1, 2, 3], y)
        answer = certify_spurious(risk, least_squares_minimum(risk))
        assert str(answer.verdict) == verdict
    assert answer.values["smaller_risk"] == fmpq(1, 48)


@pytest.mark.parametrize("h", [hard_tanh, identity], ids=lambda h: h.name)
def test_other_activations_are_refused(h):
    risk = Risk(Network((1, 2, 1), h), [0, 1], [0, 1])
    for construct in (least_squares_minimum, one_dead_unit, refitted_kink, two_unit_point):
        with pytest.raises(HypothesisError, match=r"C1\.3: the activation"):
            construct(risk)


def test_opposite_slopes_have_no_printed_point():
    with pytest.raises(HypothesisError, match=r"C1\.3: s_plus \+ s_minus = 0"):
        two_unit_point(ABSOLUTE)


@pytest.mark.parametrize(
    ("risk", "message"),
    [
        (Risk(Network((1, 2, 2, 1), relu), [0], [0]), "got 2 hidden layers"),
        (Risk(Network((1, 1), ()), [0], [0]), "got 0 hidden layers"),
        (Risk(Network((1, 2, 1), relu, bias=False), [0], [0]), "hypothesis biases"),
        (Risk(TWO, [0], [0], weight_decay=1), "hypothesis no weight decay"),
        (Risk(Network((1, 2, 1), relu, output_activation=relu), [0], [0]), "no output activation"),
        (Risk(TWO, [0], [1], binary_hinge()), "squared loss: got binary hinge loss"),
    ],
)
def test_other_settings_are_refused(risk, message):
    for construct in (slopes, least_squares_minimum, one_dead_unit, refitted_kink, two_unit_point):
        with pytest.raises(HypothesisError, match=message):
            construct(risk)


def test_a_point_moved_by_a_billionth_is_not_spurious_but_refuted():
    w = least_squares_minimum(PARABOLA) + exact([1e-9] + [0] * 6)
    answer = certify_spurious(PARABOLA, w)
    assert answer.refuted
    assert reference_risk(PARABOLA, answer.witness["lower_point"]) < reference_risk(PARABOLA, w)


def test_a_point_on_a_kink_is_unknown():
    answer = certify_spurious(PARABOLA, exact([3, 0, 1, 0, 1, 0, -2]))
    assert str(answer.verdict) == "unknown"
    assert "unit 1 has its pre-activation exactly on a knot at sample 0" in answer.reason


@pytest.mark.parametrize("lower", [least_squares_minimum(PARABOLA, 5), DEAD.point])
def test_a_lower_point_that_is_not_lower_is_unknown(lower):
    answer = certify_spurious(PARABOLA, least_squares_minimum(PARABOLA), lower)
    assert str(answer.verdict) == "unknown"
    assert answer.reason == "the other point given is not lower"
    assert [c.holds for c in answer.conditions] == [True, True, False]


@pytest.mark.parametrize(
    ("alpha", "error", "message"),
    [
        (0, DataError, "alpha: got 0"),
        (-1, DataError, "alpha: got -1"),
        (float("nan"), DataError, "alpha: got nan"),
        (None, DtypeError, "alpha: got NoneType"),
    ],
)
def test_impossible_alphas_are_refused(alpha, error, message):
    with pytest.raises(error, match=message):
        least_squares_minimum(PARABOLA, alpha)


@pytest.mark.parametrize("construct", [one_dead_unit, refitted_kink])
@pytest.mark.parametrize("direction", [[0, 0], [1], [1, 2, 3], [1, float("nan")], 5, []])
def test_impossible_directions_are_refused_by_name(construct, direction):
    with pytest.raises(LscoreError, match="direction"):
        construct(XOR, direction)


def test_kinks_that_gain_nothing_are_refused():
    with pytest.raises(DataError, match=r"direction: .* no data point gives a descent"):
        one_dead_unit(XOR, [1, 0])
    with pytest.raises(DataError, match="direction, beta: this kink does not lower"):
        refitted_kink(XOR, [1, 1], 9)
    with pytest.raises(DataError, match="beta: given without a direction"):
        refitted_kink(XOR, beta=0)
    with pytest.raises(DataError, match="beta: got nan"):
        refitted_kink(XOR, [1, 1], float("nan"))


def test_escape_paths_start_only_at_least_squares_minima():
    w = least_squares_minimum(PARABOLA)
    with pytest.raises(DataError, match="w: "):
        escape_path(PARABOLA, w + exact([1] + [0] * 6))
    dead = Risk(TWO, [3, 1, 0, -2, -2], [-5, -5, -5, -4, 3])
    with pytest.raises(DataError, match="w: "):
        escape_path(dead, exact([0, 0, -1, -1, 0, 0, "-16/5"]))
    risk = with_slopes(PARABOLA, (1, -1))
    w = exact([3, 3, 5, 10, "1/2", "1/2", "-17/2"])
    assert certify_affine_minimum(risk, w).certified
    assert certify_nonincreasing(risk, escape_path(risk, w)).certified
    mixed = exact([3, -3, 5, -10, "1/2", "1/2", "-17/2"])
    assert certify_affine_minimum(risk, mixed).certified
    with pytest.raises(DataError, match="w: the two units sit on different sides"):
        escape_path(risk, mixed)


@pytest.mark.parametrize("unit", [0, 5, -1])
def test_units_that_cannot_be_freed_are_refused_by_name(unit):
    with pytest.raises(LscoreError, match="unit"):
        escape_path(PARABOLA, least_squares_minimum(PARABOLA), unit)


@pytest.mark.parametrize(
    "risk",
    [PARABOLA, XOR, MIRRORED, ABSOLUTE, VALLEY],
    ids=["parabola", "xor", "mirrored", "absolute value", "valley"],
)
@pytest.mark.parametrize("factor", ["65/64", "1000001/1000000", 3])
def test_just_outside_the_radius_there_is_a_lower_point(risk, factor):
    w = least_squares_minimum(risk)
    lower = just_outside(risk, w, factor)
    assert reference_risk(risk, lower.point) == fraction(lower.risk) < fraction(risk(w))
    assert lower.decrease == risk(w) - lower.risk
    (before, _), (after, _) = risk.network.unpack(w), risk.network.unpack(lower.point)
    rows, shifts = after.weight - before.weight, after.bias - before.bias
    squared = [
        (rows.rows(k, k + 1).dot(rows.rows(k, k + 1)) + shifts[k, 0] ** 2, k)
        for k in range(len(rows))
    ]
    radius = certified_radius_squared(risk, w)
    assert max(squared) == (radius * rational(factor) ** 2, lower.recipe["unit"])


def test_just_outside_refuses_or_descends_at_other_minima():
    """At a dead network the residuals are not those of the affine fit."""
    dead = exact([0, 0, -1, -1, 0, 0, "7/2"])
    assert certify_affine_minimum(PARABOLA, dead).certified
    try:
        lower = just_outside(PARABOLA, dead)
    except LscoreError:
        return
    assert lower.decrease > 0


@pytest.mark.parametrize("factor", [1, 0, -2, "1/2", float("nan")])
def test_a_factor_that_does_not_leave_the_ball_is_refused(factor):
    with pytest.raises(LscoreError, match="factor"):
        just_outside(PARABOLA, least_squares_minimum(PARABOLA), factor)


def test_just_outside_needs_an_idle_unit_at_the_nearest_wall():
    for risk, w in [
        (PARABOLA, exact([3, 0, 1, 100, 1, 0, -2])),
        (TIES, least_squares_minimum(TIES)),
    ]:
        with pytest.raises(DataError, match="w: unit 0 limits the radius and is not idle"):
            just_outside(risk, w)
    with pytest.raises(ShapeError, match="several outputs"):
        just_outside(TWO_OUTPUTS, least_squares_minimum(TWO_OUTPUTS))
    with pytest.raises(DataError, match="w: not a certified minimum"):
        just_outside(PARABOLA, exact([0] * 7))
    bounded = Risk(Network((1, 2, 1), hard_tanh), [-1, 0, 1], [1, -2, 1])
    with pytest.raises(HypothesisError, match=r"C1\.3"):
        just_outside(bounded, exact([0, 0, "1/2", "1/2", 1, 0, "-1/2"]))


def test_just_outside_looks_behind_every_nearest_wall():
    """With residuals r only what lies behind a wall counts: nothing at -3, something at 3."""
    one_sided = Risk(TWO, list(range(-3, 4)), [0, 0, 0, 0, -1, 2, -1])
    lower = just_outside(one_sided, least_squares_minimum(one_sided))
    assert lower.recipe["sample"] == 6
    assert lower.decrease > 0
    nothing = Risk(TWO, [0, 1, 2, 3], [-1, 3, 1, 3])
    with pytest.raises(DataError, match=r"w: .* residual 0, no descent"):
        just_outside(nothing, least_squares_minimum(nothing))


@pytest.mark.parametrize("construct", [one_dead_unit, refitted_kink])
def test_constant_inputs_are_no_direction(construct):
    risk = Risk(Network((2, 2, 1), relu), [[x, 5] for x in range(4)], [0, 1, 4, 9])
    assert construct(risk).decrease == construct(PARABOLA).decrease


@pytest.mark.parametrize("construct", [one_dead_unit, refitted_kink])
@pytest.mark.parametrize("start", range(12))
def test_the_only_descent_in_long_data_is_found(construct, start):
    """Only kinks inside a short bump gain anything; no threshold may be skipped."""
    y = list(range(3000))
    for k, bump in enumerate([-1, 2, -1]):
        y[start * 250 + k] += bump
    assert construct(Risk(TWO, list(range(3000)), y), [1]).decrease > 0


def test_square_data_are_shared_by_the_tie_cases():
    assert XOR.exact_X == TIES.exact_X == exact(SQUARE)


def test_a_dead_network_is_spurious_even_on_affine_data():
    line = Risk(TWO, [0, 1, 2], [1, 3, 5])
    dead = exact([0, 0, -1, -1, 0, 0, 3])
    answer = certify_spurious(line, dead)
    assert answer.certified
    assert answer.values["smaller_risk"] == 0


def test_paths_start_at_float_points_too():
    w = least_squares_minimum(PARABOLA)
    assert escape_path(PARABOLA, w.point())[-1] == escape_path(PARABOLA, w)[-1]
    assert just_outside(PARABOLA, w.point()).point == just_outside(PARABOLA, w).point
    with pytest.raises(ShapeError, match="lower: shape"):
        certify_spurious(PARABOLA, w, exact([1, 2]))


@pytest.mark.parametrize(
    ("network", "hypothesis"),
    [
        (Network((1, 1, 1), hard_tanh), r"C1\.3"),
        (Network((2, 1, 1), relu), r"C1\.4"),
        (Network((2, 2, 1), relu, bias=False), "hypothesis biases"),
    ],
)
def test_without_a_construction_the_answer_is_unknown_and_a_given_point_helps(network, hypothesis):
    """Points on one affine cell with the best affine (for the last: linear) fit, a constant."""
    if network.bias:
        X, y = ([0, 1, -1], [0, 1, 0]) if network.widths[0] == 1 else (XOR.exact_X, XOR.exact_y)
        fit = affine_fit(Risk(network, X, y))
        w = [fmpq(0)] * network.widths[0] + [fmpq(1, 8), fmpq(8), fit.intercept[0, 0] - 1]
        w[0], w[-2] = fit.slope[0, 0] / 8, fmpq(8)
    else:
        X, y, w = [[1, 0], [0, 1], [1, 1]], [1, 1, 1], ["2/3", "2/3", 1, 1, 1, 0]
    risk, w = Risk(network, X, y), exact(w)
    answer = certify_spurious(risk, w)
    assert str(answer.verdict) == "unknown"
    assert re.search(hypothesis, answer.reason)
    assert [c.holds for c in answer.conditions] == [True, True, None]
    same = certify_spurious(risk, w, w)
    assert [c.holds for c in same.conditions] == [True, True, False]


@pytest.mark.parametrize("pair", SLOPES, ids=str)
@pytest.mark.parametrize("seed", range(6))
def test_the_lower_point_is_returned(seed, pair):
    risk = random_risk(seed, pair)
    for width in (None, 1):
        if width:
            rng = np.random.default_rng(seed)
            data = rng.integers(-3, 4, (2, 5)).tolist()
            risk = Risk(Network((1, 1, 1), two_piece(*pair)), *data)
        answer = certify_spurious(risk, least_squares_minimum(risk))
        if answer.certified:
            lower = answer.values["lower_point"]
            assert reference_risk(risk, lower) == fraction(answer.values["smaller_risk"])
            assert answer.values["smaller_risk"] < answer.values["risk"]
        else:
            assert answer.conditions[-1].holds is False


def test_a_point_given_as_lower_is_the_one_returned():
    w, lower = least_squares_minimum(PARABOLA), refitted_kink(PARABOLA).point
    assert certify_spurious(PARABOLA, w, lower).values["lower_point"] == lower


def test_the_affine_fit_of_a_linear_network_is_global():
    for bias, X, y, w in (
        (True, [0, 1, 2, 3], [0, 1, 4, 9], [3, 0, 0, 0, 1, 0, -1]),
        (False, [-1, 1], [-2, 2], [2, 0, 1, 0]),
    ):
        risk, w = Risk(Network((1, 2, 1), identity, bias=bias), X, y), exact(w)
        answer = certify_spurious(risk, w)
        assert answer.refuted
        assert "smallest_risk_of_any_affine_map" in answer.witness
