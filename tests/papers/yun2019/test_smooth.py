"""Theorem 2 of Yun, Sra and Jadbabaie: certificates, radii, refusals; floats as a second source."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from flint import arb, ctx, fmpq

import lscore
from lscore import Smooth, certify_affine_minimum, exact, leaky_relu, rational, relu, two_piece
from lscore.errors import DataError, DtypeError, HypothesisError, LscoreError, ShapeError
from lscore.model.balls import ball_risk
from lscore.papers.yun2019 import (
    best_pull,
    box_is_safe,
    certify_printed_fit,
    certify_smooth_minimum,
    certify_spurious,
    certify_three_points,
    certify_zero_risk,
    constants,
    corollary_3,
    find_constants,
    first_lower_radius,
    lower_point_in_box,
    place,
    pulled_apart,
    relu_like_fit,
    relu_like_point,
    risk_on_slice,
    tempting_constants,
    three_points,
)
from lscore.papers.yun2019.smooth.lower_points import in_box, rounded_down
from lscore.papers.yun2019.smooth.minimum import (
    c27_margin,
    certified_radius,
    negative_direction,
    slope_and_bend,
)
from lscore.papers.yun2019.smooth.table import arctan_place, sigmoid_place, tanh_place

TABLE = corollary_3()
NAMES = list(TABLE)
MISH = Smooth(
    "mish", torch.nn.functional.mish, lambda z: z * (1 - 2 / (1 + (1 + z.exp()) * (1 + z.exp())))
)
GAUSSIAN = Smooth("Gaussian", lambda z: torch.exp(-z * z), lambda z: (-z * z).exp())
ASINH = Smooth("asinh", torch.asinh, lambda z: (z + (z * z + 1).sqrt()).log())
AFFINE = Smooth("affine", lambda z: 2 * z + 1, lambda z: 2 * z + 1)
HIDDEN = Smooth(
    "hidden identity", lambda z: 1.0 * z, lambda z: (1 + z.exp()).log() - (1 + (-z).exp()).log()
)
# (Q11, det, radius) from an independent run; the certified radius may only be larger.
KNOWN = {
    "sigmoid": ("7/192", "5/4608", "0.5443"),
    "tanh": ("5/16", "133/10368", "0.0544"),
    "tanh, equal units": ("5/16", "1/96", "0.0236"),
    "tanh, wide": ("35/18", "54475603/43200", "0.3905"),
    "arctan": (0.42667, 0.010331, "0.0779"),
    "quadratic": ("2/9", "1/27", "0.1666"),
    "ELU": ("4", "8/9", "0.1666"),
    "SELU": (4.4159, 0.98131, "0.1586"),
    "softplus": (0.034491, 0.00098074, "0.2404"),
    "GELU": (0.27389, 0.04443, "0.4525"),
    "SiLU": (0.067706, 0.0025835, "0.2279"),
    "sine": ("1/9", "10/81", "0.2126"),
    "softsign": ("128/15", "512/675", "0.0601"),
    "exponential": ("1/12", "1/162", "0.1666"),
    "erf": (0.47933, 0.026972, "0.0637"),
}


@pytest.fixture(scope="module")
def certificates():
    return {name: certify_three_points(row.constants, row.fit) for name, row in TABLE.items()}


def number(x):
    return float(x.mid()) if isinstance(x, arb) else int(x.p) / int(x.q)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_the_table_is_certified_with_the_known_numbers(name, certificates):
    answer, c = certificates[name], TABLE[name].constants
    assert answer.certified
    assert answer.method == "ball"
    p, a = slope_and_bend(c)
    corner, det, radius = KNOWN[name]
    for found, wanted in ((p[0] + a[0], corner), (c27_margin(c), det)):
        if isinstance(wanted, str):
            assert found == rational(wanted)
        else:
            assert number(found) == pytest.approx(wanted, rel=5e-5)
    assert Decimal(radius) <= answer.values["radius"] < Decimal(radius) * Decimal("1.1")
    assert c.b2 == 0


@pytest.mark.parametrize("name", NAMES)
def test_nothing_lower_is_found_in_the_box_and_the_box_is_maximal(name, certificates):
    c, radius = TABLE[name].constants, rational(str(certificates[name].values["radius"]))
    assert box_is_safe(c, radius)
    assert not box_is_safe(c, radius * fmpq(1003, 1000))
    assert lower_point_in_box(c, radius) is None
    rng, centre = np.random.default_rng(0), c.point().point()
    for scale in (1.0, 0.3, 0.01):
        for _ in range(20):
            move = rng.choice([-1.0, 0.0, 1.0], c.risk.dimension) * scale * number(radius)
            w = centre + torch.from_numpy(move)
            w[-1] += (c.risk.y - c.risk.predictions(w)).mean()
            assert float(c.risk(w)) >= 1 / 3 - 1e-14


@pytest.mark.parametrize("name", NAMES)
def test_the_points_second_order_form_is_autodiffs_hessian(name):
    c = TABLE[name].constants
    p, a = (list(map(number, x)) for x in slope_and_bend(c))
    w = c.point().point()
    assert float(c.risk.gradient(w).abs().max()) < 1e-12
    hessian = c.risk.hessian(w)
    cross = np.sqrt(p[0] * p[1]) * np.sign(number(c.u[0]) * number(c.u[1]))
    cross *= np.prod([np.sign(float(c.h.derivatives(s.v, 1)[1].mid())) for s in c.places])
    for z in ([1, 0], [0, 1], [1, -2]):
        u = torch.tensor([z[0], -z[0], z[1], -z[1], 0, 0, 0, 0, 0], dtype=torch.float64)
        form = (p[0] + a[0]) * z[0] ** 2 + (p[1] + a[1]) * z[1] ** 2 + 2 * cross * z[0] * z[1]
        assert float(u @ hessian @ u) == pytest.approx(2 * form, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    "name",
    ["sigmoid", "tanh, wide", "quadratic", "SELU", "softplus", "GELU", "SiLU", "sine",
     "exponential", "erf"],
)  # fmt: skip
def test_at_one_and_a_half_times_the_radius_a_point_is_lower(name, certificates):
    c = TABLE[name].constants
    radius = rational(str(certificates[name].values["radius"])) * fmpq(3, 2)
    found = lower_point_in_box(c, radius)
    assert in_box(c, found.point, radius)
    assert not in_box(c, found.point, radius / 2)
    assert ball_risk(c.risk, found.point) < arb(fmpq(1, 3))
    assert found.decrease > 0
    drop = 1 / 3 - float(c.risk(found.point.point()))
    assert float(found.decrease) - 1e-15 <= drop <= 1.01 * float(found.decrease) + 1e-15


def test_the_first_lower_point_is_just_outside_for_a_convex_activation(certificates):
    for name in ("quadratic", "softplus", "SiLU", "GELU"):
        start = certificates[name].values["radius"]
        first = first_lower_radius(TABLE[name].constants, str(start))
        assert float(start) < first < 1.02 * float(start)


@pytest.mark.parametrize("name", ["tanh", "arctan"])
def test_tempting_constants_fail_c27_and_a_lower_point_shows_it(name):
    c = tempting_constants()[name]
    assert c.b2 == 0
    answer = certify_three_points(c)
    assert answer.refuted
    assert [k.holds for k in answer.conditions] == [True, True, False]
    assert answer.conditions[2].text.startswith("C2.7")
    assert number(c27_margin(c)) == pytest.approx(
        {"tanh": -0.0651, "arctan": -0.0469}[name], abs=1e-4
    )
    assert ball_risk(c.risk, answer.witness["lower_point"]) < arb(fmpq(1, 3))


def test_c26_does_not_follow_from_c27():
    c = constants(lscore.sigmoid, [sigmoid_place("3/4")] * 2, ["2/9", "2/9"])
    answer = certify_smooth_minimum(c)
    assert answer.refuted
    assert [k.holds for k in answer.conditions] == [True, False, True]
    assert number(slope_and_bend(c)[0][0] + slope_and_bend(c)[1][0]) == pytest.approx(
        -0.0052, abs=1e-4
    )


def test_the_output_bias_replaces_c23():
    c = constants(lscore.sigmoid, [sigmoid_place("1/4")] * 2, [1, 1])
    assert c.b2 == fmpq(-1, 6)
    assert certify_smooth_minimum(c).certified


def test_a_zero_determinant_is_unknown_and_never_certified():
    quartic = Smooth("z^4", lambda z: z**4, lambda z: z * z * z * z)
    answer = certify_smooth_minimum(constants(quartic, [0, 0], [1, 1]))
    assert str(answer.verdict) == "unknown"
    assert answer.reason.startswith("C2.6: p1 + a1 > 0 fails")
    assert not box_is_safe(constants(quartic, [0, 1], [1, -1]), "1/1000")


def test_any_width_with_convex_units_is_certified():
    c = constants(lscore.softplus, [0, 1, -1, 2, "1/2"], [1, "1/2", "1/3", "1/4", "1/5"])
    answer = certify_three_points(c)
    assert answer.certified
    assert answer.values["radius"] == Decimal("0.1999")
    open_case = certify_smooth_minimum(constants(lscore.softplus, [0] * 3, [1, 1, 0]))
    assert str(open_case.verdict) == "unknown"
    assert open_case.reason.startswith("u3 h''(v3) > 0 fails")
    assert certify_smooth_minimum(constants(lscore.softplus, [0] * 3, [1, 1, "-1/4"])).refuted
    with pytest.raises(DataError, match="c: 3 units"):
        c27_margin(constants(lscore.softplus, [0] * 3, [1, 1, -1]))


@pytest.mark.parametrize(
    ("h", "v", "u"),
    [
        (lscore.softsign, [3, 1], [None, "4/3"]),  # p2 + a2 is exactly 0
        (lscore.softsign, [1, 3], ["4/3", None]),
        (lscore.square, [5, 1], [-12, None]),  # the best direction is (1, 0.19968...)
        (lscore.square, [1, 5], [None, -12]),
        (lscore.softplus, [0, 0, 0], [1, 1, -1]),
        (lscore.square, [1, 1, 1], ["1/2", "-1/2", "-1/6"]),
        (lscore.square, [0, 1, "10000000"], [0, "-1/100", "1/1000"]),
    ],
)
def test_wherever_the_form_is_indefinite_the_answer_is_refuted(h, v, u):
    c = constants(h, v, u)
    answer = certify_smooth_minimum(c)
    assert answer.refuted
    assert any(k.holds is False for k in answer.conditions)
    assert form(c, negative_direction(c)) < 0
    if "lower_point" in answer.witness:
        assert ball_risk(c.risk, answer.witness["lower_point"]) < arb(fmpq(1, 3))


def form(c, z):
    """z'Qz from its definition, in balls."""
    with ctx.workprec(400):
        h1 = [c.h.derivatives(p.v, 2)[1:] for p in c.places]
        pull = sum((u * d[0] * x for u, d, x in zip(c.u, h1, z, strict=True)), arb(0))
        bend = sum((u * d[1] * x * x / 3 for u, d, x in zip(c.u, h1, z, strict=True)), arb(0))
        return pull * pull + bend


@pytest.mark.parametrize("seed", range(60))
def test_random_points_are_decided_as_the_eigenvalues_are(seed):
    """Unknown only where Q is singular or nearly so; its sign from numpy, as a second source."""
    rng = np.random.default_rng(seed)
    h = [lscore.softsign, lscore.square, lscore.tanh, lscore.silu, MISH, lscore.sine][seed % 6]
    width = 2 + (seed % 5 == 0)
    v = [fmpq(int(k), 4) for k in rng.integers(1, 16, width)]
    u = [fmpq(int(k), 3) for k in rng.choice([-7, -4, -2, -1, 1, 2, 4, 7], width)]
    c = constants(h, v, u)
    _, slope, bend = zip(*([number(d) for d in h.derivatives(arb(x), 2)] for x in v), strict=True)
    pull, turn = (np.array([number(w) for w in u]) * np.array(x) for x in (slope, bend))
    lowest = np.linalg.eigvalsh(np.outer(pull, pull) + np.diag(turn / 3))[0]
    verdict = str(certify_smooth_minimum(c).verdict)
    assert abs(lowest) > 1e-9
    assert verdict == ("refuted" if lowest < 0 else "certified")


@pytest.mark.parametrize(
    ("h", "v", "u", "radius"),
    [(lscore.softplus, [0], [-2], "0.1"), (lscore.softplus, [0, 0, 5], [1, 1, -1], "0.02")],
)
def test_one_unit_may_bend_down_at_any_width(h, v, u, radius):
    c = constants(h, v, u)
    answer = certify_smooth_minimum(c)
    assert answer.certified
    assert answer.values["radius"] > Decimal(radius)
    size, rng, centre = (
        number(rational(str(answer.values["radius"]))),
        np.random.default_rng(0),
        c.point().point(),
    )
    for _ in range(300):
        w = centre + torch.from_numpy(rng.choice([-1.0, 0.0, 1.0], c.risk.dimension) * size)
        w[-1] += (c.risk.y - c.risk.predictions(w)).mean()
        assert float(c.risk(w)) >= 1 / 3 - 1e-13


def test_a_determinant_shown_negative_refutes_without_a_direction():
    """The determinant is -28/9 (1e-60), in fractions; balls of 160 bits show no z."""
    one, u = place(lscore.square, 1, [1, 4, 2]), fmpq(-7, 6) + fmpq(1, 10**60)
    c = constants(lscore.square, [one, one], [1, u])
    assert c27_margin(c) == fmpq(8, 3) * u / 10**60 < 0
    assert negative_direction(c) is None
    answer = certify_smooth_minimum(c)
    assert answer.refuted
    assert answer.witness["c27_margin_at_most"] == Decimal("-3.11111E-60")
    assert certify_smooth_minimum(constants(lscore.square, [one, one], [1, fmpq(-7, 6)])).reason


def test_a_safe_box_is_enough_where_c27_is_an_equality():
    c = constants(lscore.elu(1), ["1/2", "1/2"], ["1/3", "1/3"])
    assert c27_margin(c) == 0
    answer = certify_smooth_minimum(c)
    assert answer.certified
    assert [k.text[:4] for k in answer.conditions] == ["the ", "Q is"]
    assert lower_point_in_box(c, str(answer.values["radius"])) is None


def test_numbers_of_another_activation_or_an_unsolved_unit_are_refused():
    quarter = sigmoid_place("1/4")
    with pytest.raises(DataError, match=r"v\[0\]: has h = 1/4, but tanh has"):
        constants(lscore.tanh, [quarter, quarter], [1, 1])
    with pytest.raises(DataError, match="solved: unit 0 does not make"):
        replace(constants(lscore.sigmoid, [quarter, quarter], [1, 1]), solved=0)
    with pytest.raises(DataError, match=r"places\[0\]: has h = 1/2, but tanh has"):
        certify_printed_fit(lscore.tanh, list(map(sigmoid_place, ("1/2", "1/4", "1/4", "1/8"))))
    with pytest.raises(DataError, match=r"u\[0\]: got nan"):
        constants(lscore.tanh, [1, 1], [arb("nan"), 1])


@pytest.mark.parametrize("bad", ["inf", "-inf", "nan"])
def test_numbers_that_are_not_finite_are_refused(bad):
    """A weight of a point is a number: no ball of infinite radius, no NaN stands for one."""
    bad, zero = arb(bad), place(lscore.tanh, 0, [0, 1, 0])
    for pair in ((bad, 1), (1, bad)):
        with pytest.raises(DataError, match=r"v\[[01]\]: got .* need a finite ball"):
            certify_zero_risk(lscore.sigmoid, pair)
    for h in (lscore.square, lscore.tanh):
        with pytest.raises(DataError, match=r"v: got .* need a finite ball"):
            place(h, bad)
    with pytest.raises(DataError, match="v: got"):
        replace(zero, v=bad)
    with pytest.raises(DataError, match="value: got"):
        replace(zero, value=bad)
    with pytest.raises(DataError, match="v: got"):
        constants(lscore.sigmoid, [bad, 0], [1, 1])


def test_an_infinite_difference_decides_nothing():
    top = Smooth("top", lambda z: z**2, lambda z: z * z if z < 2 else arb("inf"))
    assert certify_zero_risk(top, ("3/2", "5/2")).verdict == "unknown"
    assert certify_zero_risk(top, (0, 1)).certified


def near_third_of_e(bits):
    """The multiple of 2^-bits nearest to 1/(3e), from the series of 1/e in fractions."""
    total, term = Fraction(0), Fraction(1)
    for k in range(1, 60):
        total, term = total + term, -term / k
    return fmpq(round(total / 3 * 2**bits), 2**bits)


@pytest.mark.parametrize("bits", [20, 200])
def test_a_fraction_that_nearly_solves_the_equation_does_not(bits):
    """u e = 1/3 has no rational solution, so the output bias is not 0 for any fraction u."""
    one, u = place(lscore.exponential, 1), near_third_of_e(bits)
    c = constants(lscore.exponential, [one], [None])
    assert certify_smooth_minimum(c).certified
    with ctx.workprec(300):
        as_ball = arb(u)
    for weight in (u, as_ball):
        with pytest.raises(DataError, match="solved: unit 0"):
            replace(c, u=(weight,))
    free = certify_smooth_minimum(constants(lscore.exponential, [one], [u]))
    assert free.certified
    assert "output bias" in free.conditions[0].text
    wider = c.u[0] + arb(0, "1e-20")
    assert replace(c, u=(wider,)).b2 == 0
    two = [place(lscore.square, 1, [1, 4, 2])] * 2
    whole = constants(lscore.square, two, ["1/6", None])
    assert (whole.u[1], whole.b2) == (fmpq(1, 6), 0)


@pytest.mark.parametrize("seed", range(40))
def test_true_fractions_are_accepted_and_false_ones_refused(seed):
    rng = np.random.default_rng(seed)
    v = fmpq(int(rng.integers(1, 10**6)), int(rng.integers(1, 10**6)))
    for h, known in (
        (lscore.square, [v * v, 4 * v * v, 2]),
        (lscore.softsign, [v / (1 + v), (1 + v) ** -4, -2 * (1 + v) ** -3]),
    ):
        assert place(h, v, known).curvature == known[2]
        for k in range(3):
            off = [x * (1 + (k == j) * fmpq(1, 10**30)) for j, x in enumerate(known)]
            with pytest.raises(DataError, match=rf"known\[{k}\]: got"):
                place(h, v, off)
    with pytest.raises(DataError, match=r"known\[0\]"):
        place(lscore.square, "1/2", [fmpq(1, 4) + fmpq(1, 10**60)])
    with pytest.raises(ShapeError, match="known: got 4 numbers"):
        place(lscore.square, 1, [1, 4, 2, 0])


# Part 1 and both parts.


def texts(answer):
    return [(k.text[:4], k.holds) for k in answer.conditions]


def test_c21_and_c22_fail_with_the_difference_of_the_two_sides():
    row = [place(lscore.square, v, [rational(v) ** 2]) for v in (1, "1/2", "1/2", "1/4")]
    answer = certify_printed_fit(lscore.square, row)
    assert texts(answer) == [("C2.1", True), ("C2.2", False)]
    assert answer.reason == "C2.2 fails, so this construction gives no point"
    uneven = list(map(sigmoid_place, ("1/2", "1/4", "1/2", "1/8")))
    answer = certify_printed_fit(lscore.sigmoid, uneven)
    assert texts(answer) == [("C2.1", False), ("C2.2", True)]
    assert answer.conditions[0].margin == fmpq(1, 16) - fmpq(1, 8)
    with pytest.raises(ShapeError, match="places: got 3, need 4"):
        certify_printed_fit(lscore.sigmoid, uneven[:3])


def test_balls_that_overlap_are_undecided_and_not_a_violated_hypothesis():
    balls = [place(lscore.softsign, v) for v in (1, "1/3", "1/3", "1/7")]  # 1/2 1/8 = 1/4 1/4
    answer = certify_printed_fit(lscore.softsign, balls)
    assert texts(answer) == [("C2.1", None), ("C2.2", True)]
    assert "not decided" in answer.reason
    same = list(map(sigmoid_place, ("1/3", "1/9", "1/3", "1/9")))
    assert texts(certify_printed_fit(lscore.sigmoid, same)) == [("C2.1", True), ("C2.2", None)]
    whole = certify_three_points(TABLE["softsign"].constants, balls)
    assert str(whole.verdict) == "unknown"
    assert "smaller_risk" not in whole.values


def risk_in_balls(h, w):
    """The risk of a tuple of fractions and balls on the three points, straight from its formula."""
    with ctx.workprec(300):
        w = [arb(e) for e in w]
        total = arb(0)
        for x, y in (((1, 0), 0), ((0, 1), 0), ((arb("0.5"), arb("0.5")), 1)):
            units = [h.ball(w[2 * k] * x[0] + w[2 * k + 1] * x[1] + w[4 + k]) for k in (0, 1)]
            r = w[6] * units[0] + w[7] * units[1] + w[8] - y
            total += r * r / 2
        return total


@pytest.mark.parametrize("name", NAMES)
def test_the_point_of_risk_zero_is_returned(name, certificates):
    h, fit = TABLE[name].constants.h, TABLE[name].fit
    answers = [certify_zero_risk(h)] + ([certify_printed_fit(h, fit)] if fit else [])
    for answer in answers:
        value = risk_in_balls(h, answer.values["point"])
        assert value.contains(0)
        assert value < 1e-30
    assert str(certificates[name].values["lower_point"]) == str(answers[-1].values["point"])


def test_the_exponential_satisfies_c21_but_never_c22():
    steps = [place(lscore.exponential, v) for v in (0, 1, 2, 3)]
    powers = [fmpq(1), fmpq(2), fmpq(4), fmpq(8)]
    with ctx.workprec(160):
        logs = [place(lscore.exponential, arb(x).log(), [x]) for x in powers]
    assert texts(certify_printed_fit(lscore.exponential, logs)) == [("C2.1", True), ("C2.2", None)]
    assert texts(certify_printed_fit(lscore.exponential, steps))[0] == ("C2.1", None)


@pytest.mark.parametrize("name", NAMES)
def test_one_bend_fits_every_activation(name):
    h = TABLE[name].constants.h
    assert certify_zero_risk(h).certified
    v1, v2 = 0.0, 2.0
    f = [float(h(torch.tensor(v, dtype=torch.float64))) for v in (v1, v2, (v1 + v2) / 2)]
    bend = f[0] + f[1] - 2 * f[2]
    if abs(bend) > 1e-9:
        w = [v1, v2, v2, v1, 0, 0, -1 / bend, -1 / bend, (f[0] + f[1]) / bend]
        assert float(three_points(h)(torch.tensor(w, dtype=torch.float64))) < 1e-20


def test_an_odd_pair_has_no_bend():
    answer = certify_zero_risk(lscore.sigmoid, (1, -1))
    assert str(answer.verdict) == "unknown"
    assert certify_zero_risk(lscore.sigmoid, (2, 0)).certified
    assert str(certify_zero_risk(AFFINE).verdict) == "unknown"
    assert [k.holds for k in answer.conditions] == [None]
    assert {k.holds for k in certify_zero_risk(AFFINE).conditions} == {False}
    with pytest.raises(ShapeError, match="v: got 3 numbers"):
        certify_zero_risk(lscore.sigmoid, (1, 2, 3))


# Activations that the table does not name.


@pytest.mark.parametrize(
    ("h", "case"), [(MISH, "(a)"), (GAUSSIAN, "(a)"), (ASINH, "(b)"), (lscore.tanh, "(b)")],
    ids=lambda x: getattr(x, "name", x),
)  # fmt: skip
def test_new_activations_are_solved_and_certified(h, case):
    c = find_constants(h)
    assert c.why.startswith(f"case {case}")
    answer = certify_three_points(c)
    assert answer.certified
    assert answer.values["radius"] > Decimal("0.1")


@pytest.mark.parametrize(
    ("h", "error", "message"),
    [
        (lscore.linear(2), HypothesisError, r"non-affine: linear \(2\) is affine with slope 2"),
        (AFFINE, HypothesisError, r"non-affine: affine is affine with slope 2"),
        (HIDDEN, DataError, r"no constants found .* > 0 is shown at 0 and h h'' < 0 at 0"),
        (relu, HypothesisError, r"C2\.7: ReLU is piecewise linear"),
        (lscore.hard_tanh, HypothesisError, r"C2\.7: hard tanh is piecewise linear"),
        (torch.tanh, DtypeError, "h: got builtin_function_or_method, need a Smooth"),
        (Smooth("floats", torch.tanh, torch.tanh), DtypeError, "does not take balls"),
        (Smooth("wrong", torch.tanh, lambda z: z.atan()), DataError, "formulas of wrong differ"),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_activations_outside_the_theorem_are_refused_with_the_reason(h, error, message):
    with pytest.raises(error, match=message):
        find_constants(h)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: constants(lscore.tanh, [1], [1, 1]), ShapeError, "v, u: lengths 1 and 2"),
        (lambda: constants(lscore.tanh, [], []), ShapeError, "lengths 0 and 0"),
        (lambda: constants(lscore.tanh, [1, 1], [None, None]), DataError, "at most one"),
        (lambda: constants(lscore.tanh, [1, 0], [1, None]), HypothesisError, r"C2\.3: h\(v2\) = 0"),
        (lambda: constants(lscore.selu, [1, 0], [1, 1]), HypothesisError, r"C2\.4: SELU"),
        (lambda: place(lscore.tanh, 1, ["1/2"]), DataError, r"known\[0\]: got 1/2"),
        (lambda: constants(lscore.tanh, [float("nan"), 1], [1, 1]), DataError, "v: got nan"),
    ],
)
def test_impossible_constants_are_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        make()


# The ReLU-like case, the escape, small helpers.


@pytest.mark.parametrize("h", [relu, leaky_relu("1/10"), two_piece(2, "1/3")], ids=lambda h: h.name)
def test_relu_like_activations_go_through_the_exact_certificate(h):
    risk, w, fit = three_points(h), relu_like_point(h), relu_like_fit(h)
    assert risk(w) == fmpq(1, 3)
    assert risk(fit) == 0
    answer = certify_spurious(risk, w, fit)
    assert answer.certified
    assert answer.method == "exact"
    hidden, out = risk.network.unpack(fit)
    assert hidden.bias.is_zero()
    assert out.bias.is_zero()


def test_relu_like_needs_the_signs_of_the_appendix():
    for h in (two_piece(0, 1), two_piece(1, -1)):
        with pytest.raises(HypothesisError, match="YUN-A6"):
            relu_like_point(h)


def test_hard_tanh_is_decided_by_the_exact_certificate_too():
    w = exact(["1/4", "1/4", "1/4", "1/4", 0, 0, "2/3", "2/3", 0])
    assert certify_affine_minimum(three_points(lscore.hard_tanh), w).certified


def test_points_are_pulled_apart_as_they_say():
    c = TABLE["quadratic"].constants
    w = pulled_apart(c, [0.5, 0.0], [0.25, 0.25], [1, -1], 0.125)
    assert w.rows(0, 6) == exact([1.375, 1.125, 0.875, 1.125, 0.25, 0])
    assert best_pull(c, [0, 0], [1 / 6, 1 / 6], [1, -1], 0.1) is None


def test_a_slice_shows_the_risks_of_the_points_it_names():
    c = TABLE["GELU"].constants
    s, t = np.array([-0.25, 0.5]), np.array([0.0, 0.125, 1.0])
    shown = risk_on_slice(c, [2, -1], [1, 0.5], [1, -0.5], s, t)
    assert shown.shape == (3, 2)
    u = np.array([number(w) for w in c.u])
    for i, b in enumerate(t):
        for j, a in enumerate(s):
            w = pulled_apart(c, a * np.array([2, -1]), u + a * np.array([1, 0.5]), [1, -0.5], b)
            assert shown[i, j] == pytest.approx(float(c.risk(w.point())), abs=1e-12)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(fmpq(2, 3), "0.6666"), (fmpq(-2, 3), "-0.6667"), (arb(0), "0"), (fmpq(1, 3000), "0.0003333")],
)
def test_rounding_is_downwards(value, shown):
    assert rounded_down(value, 4) == Decimal(shown)


@pytest.mark.parametrize("power", [-(10**7), -400, -310, -5, 5, 310, 400, 10**7])
@pytest.mark.parametrize("side", [1, -1])
def test_rounding_is_downwards_at_any_size(power, side):
    """Six digits of +-3 * 10^power, whose last one may be one less."""
    with ctx.workprec(200):
        shown = rounded_down(side * 3 * arb(10) ** power)
    sign, digits, exponent = shown.as_tuple()
    assert (sign, len(digits), exponent) == (side < 0, 6, power - 5)
    number = int("".join(map(str, digits)))
    assert number in ((299999, 300000) if side > 0 else (300000, 300001))


@pytest.mark.parametrize("power", [3, 7, 9, 12, 25])
def test_margins_beyond_every_float_are_shown(power):
    answer = certify_zero_risk(lscore.exponential, (10**power, 0))
    assert answer.certified
    assert "difference" in str(answer)
    (condition,) = answer.conditions
    expected = {7: "6.59223E+4342944", 9: "8.00298E+434294481", 12: "1.78577E+434294481903"}
    assert power not in expected or str(condition.margin) == expected[power]


def test_places_that_no_memory_holds_are_refused():
    for h, v in (
        (lscore.exponential, 10**9),
        (lscore.exponential, -(10**9)),
        (lscore.silu, -(10**12)),
    ):
        with pytest.raises(DataError, match=r"value: got .* powers of two up to 400000"):
            place(h, v)
    far = constants(lscore.exponential, [10**4, 10**4], [-1, -1])
    answer = certify_smooth_minimum(far)
    assert answer.refuted
    assert "E+13028" in str(answer)


@pytest.mark.parametrize("check", [slope_and_bend, c27_margin, certified_radius,
                                   negative_direction, certify_smooth_minimum])  # fmt: skip
def test_only_constants_are_taken(check):
    for other in (None, 1, "tanh", lscore.tanh):
        with pytest.raises(DtypeError, match=r"c: got .*, need a Constants"):
            check(other)


def test_a_box_has_no_negative_radius():
    with pytest.raises(DataError, match="radius: got -1"):
        box_is_safe(TABLE["tanh"].constants, -1)


def test_radii_are_capped_and_zero_where_nothing_is_safe():
    flat = constants(lscore.square, [1, 1], [1000, 1000])
    assert certified_radius(flat) == 64
    assert certified_radius(tempting_constants()["tanh"]) == 0
    with pytest.raises(LscoreError, match="radius"):
        box_is_safe(flat, float("nan"))


def test_places_of_known_value():
    assert tanh_place("1/2").slope_squared == fmpq(9, 16)
    assert arctan_place("1/4").value == fmpq(1, 4)
    assert isinstance(arctan_place("1/4").curvature, arb)


def test_a_place_needs_a_smooth_activation():
    with pytest.raises(HypothesisError, match="piecewise linear"):
        place(relu, 1)
    with pytest.raises(DtypeError, match=r"need a .*Smooth"):
        place(torch.tanh, 1)
