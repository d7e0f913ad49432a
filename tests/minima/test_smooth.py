"""Extrema inside cells: directions of ascent and descent, indefinite Hessians, refusals."""

import numpy as np
import pytest
import torch
from cases import assert_unknown
from flint import fmpq

from lscore import (
    Network,
    Risk,
    binary_hinge,
    cell_at,
    cell_hessian,
    exact,
    hard_tanh,
    leaky_relu,
    multiclass_hinge,
    pattern_at,
    relu,
    risk_along,
)
from lscore.minima.smooth import (
    certify_indefinite,
    certify_mirrored_spectrum,
    certify_smooth_extremum,
    certify_smooth_maximum,
)

BALANCED = ["1/4", "1/2", "1/4"]  # so that gradients vanish at unused units
HINGES = [
    ((2, 3, 1), binary_hinge(BALANCED), [1, -1, 1]),
    ((2, 2, 2, 2), multiclass_hinge(BALANCED), [0, 1, 0]),
]
ONE_LABEL = [
    ((2, 3, 1), binary_hinge(), [1, 1, 1]),
    ((2, 2, 2, 2), multiclass_hinge(), [0, 0, 0]),
]


def random_points(widths, loss, labels, count, h=relu, grid=4, decay=0):
    """Random points inside cells; a coarse grid gives vanishing gradients too."""
    rng = np.random.default_rng(2)
    X = exact(rng.integers(-3, 4, (3, widths[0])) / 2.0)
    extra = {} if loss is None else {"loss": loss}
    risk = Risk(Network(widths, h), X, labels, weight_decay=decay, **extra)
    found = []
    while len(found) < count:
        w = exact(rng.integers(-3, 4, risk.dimension) * (rng.random(risk.dimension) < 0.7) / grid)
        if pattern_at(risk, w).in_cell:
            found.append(w)
    return risk, found


@pytest.mark.parametrize("case", HINGES + ONE_LABEL)
def test_a_hinge_extremum_needs_a_flat_cell(case):
    risk, found = random_points(*case, count=60, grid=1 if case in ONE_LABEL else 4)
    verdicts = set()
    for w in found:
        answer = certify_smooth_extremum(risk, w)
        verdicts.add(answer.verdict.value)
        if answer.certified:
            assert risk.gradient(w).is_zero()
            continue
        for name, value in (("direction", "coefficient"), ("descent", "its_coefficient")):
            line = risk_along(risk, w, answer.witness[name])
            assert line.order == answer.witness["order"]
            assert line.risk[line.order] == answer.witness[value]
        assert answer.witness["coefficient"] > 0 > answer.witness["its_coefficient"]
    if case in ONE_LABEL:
        assert verdicts == {"certified", "refuted"}
    else:
        assert "refuted" in verdicts


def test_a_saddle_of_order_two_has_both_directions():
    """Near w = 0, b = 1, v = 0 the risk is 1 - v w / 4 for balanced weights."""
    risk = Risk(Network((1, 1, 1), relu), [-1, 0, 2], [1, -1, 1], binary_hinge(BALANCED))
    w = exact([0, 1, 0, 0])
    assert risk.gradient(w).is_zero()
    answer = certify_smooth_extremum(risk, w)
    assert answer.witness["order"] == 2
    for name in ("direction", "descent"):
        line = risk_along(risk, w, answer.witness[name])
        assert line.risk[2] == (fmpq(1, 4) if name == "direction" else fmpq(-1, 4))


@pytest.mark.parametrize("decay", [0, "1/5"])
@pytest.mark.parametrize("case", [((2, 2, 1), None, [1, 0, -1]), ((1, 1, 1, 1), None, [1, 0, -1])])
def test_a_squared_risk_has_no_smooth_maximum(case, decay):
    risk, found = random_points(*case, count=30, decay=decay)
    seen = set()
    for w in found:
        answer = certify_smooth_maximum(risk, w)
        seen.add(answer.verdict.value)
        if answer.certified:
            assert decay == 0
            continue
        line = risk_along(risk, w, answer.witness["direction"])
        assert line.order == answer.witness["order"]
        assert line.risk[line.order] == answer.witness["coefficient"] > 0
    assert "refuted" in seen


def test_a_minimum_is_no_maximum():
    """(v w - 1)^2 / 2 at its minimum v w = 1 and at its saddle 0."""
    risk = Risk(Network((1, 1, 1), leaky_relu("1/2"), bias=False), [1], [1])
    answer = certify_smooth_maximum(risk, exact([2, "1/2"]))
    assert answer.refuted
    assert answer.witness["order"] == 2
    assert risk_along(risk, exact([2, "1/2"]), answer.witness["direction"]).change[2] > 0


def test_constant_cells_are_the_only_maxima():
    """y = relu(w), one sample, label 1: 1/2 on w < 0, yet 1/8 at w = 1/2."""
    risk = Risk(Network((1, 1), (), bias=False, output_activation=relu), [1], [1])
    assert certify_smooth_maximum(risk, exact([-1])).certified
    assert certify_smooth_maximum(risk, exact([-2])).certified
    assert risk(exact(["1/2"])) == fmpq(1, 8)
    assert certify_smooth_maximum(risk, exact([0])).reason.startswith("w: lies on a wall")


@pytest.mark.parametrize("case", HINGES)
def test_hessians_are_indefinite_or_zero(case):
    risk, found = random_points(*case, count=25)
    seen = set()
    for w in found:
        cell = cell_at(risk, w)
        hessian = cell_hessian(cell, w)
        floats = torch.func.hessian(risk._float_value)(w.point())
        assert np.allclose(hessian.floats(), floats, atol=1e-12)
        answer = certify_indefinite(risk, w)
        seen.add(answer.verdict.value)
        eigenvalues = np.linalg.eigvalsh(hessian.floats())
        both = eigenvalues[0] < -1e-9 and eigenvalues[-1] > 1e-9
        assert answer.certified == both
        assert answer.refuted == hessian.is_zero()
    assert "certified" in seen


def test_a_tiny_entry_is_not_zero():
    tiny = fmpq(1, 10**400)
    risk = Risk(Network((1, 1, 1), relu, bias=False), exact([tiny]), [1], binary_hinge())
    assert certify_indefinite(risk, exact([1, 0])).certified


def test_points_on_walls_and_other_losses():
    risk = Risk(Network((1, 1, 1), relu), [1], [1], binary_hinge())
    on_wall = exact([1, -1, 1, 0])
    for decide in (certify_indefinite, certify_smooth_extremum, certify_smooth_maximum):
        assert decide(risk, on_wall).verdict.value == "unknown"
    squared = Risk(Network((1, 1, 1), relu), [1], [1])
    decayed = Risk(Network((1, 1, 1), relu), [1], [1], binary_hinge(), weight_decay=1)
    for decide in (certify_indefinite, certify_smooth_extremum):
        assert_unknown(decide(squared, on_wall), "hypothesis piecewise linear loss")
        assert_unknown(decide(decayed, on_wall), "got weight decay")
    assert certify_smooth_maximum(decayed, exact([1, 1, 1, 1])).refuted


@pytest.mark.parametrize("h", [relu, leaky_relu("1/4"), hard_tanh], ids=lambda h: h.name)
@pytest.mark.parametrize(
    ("loss", "outputs", "labels"),
    [(binary_hinge(BALANCED), 1, [1, -1, 1]), (multiclass_hinge(BALANCED), 3, [0, 1, 2])],
)
def test_one_hidden_layer_has_a_mirrored_spectrum(loss, outputs, labels, h):
    risk, found = random_points((2, 3, outputs), loss, labels, 12, h)
    for w in found:
        assert certify_mirrored_spectrum(risk, w).certified
        eigenvalues = np.linalg.eigvalsh(cell_hessian(cell_at(risk, w), w).floats())
        assert np.allclose(eigenvalues, -eigenvalues[::-1], atol=1e-12)


def test_two_hidden_layers_have_none_in_general():
    """A triangle: W1 W2 W3 = 1 gives the Hessian of u v w, eigenvalues -1, -1, 2 (times -1)."""
    risk = Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [-1], binary_hinge())
    w = exact([1, 1, 1])
    hessian = cell_hessian(cell_at(risk, w), w)
    assert hessian == exact([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    answer = certify_mirrored_spectrum(risk, w)
    assert answer.refuted
    assert dict(answer.witness) == {"power": 0, "coefficient": fmpq(-2)}
    scaled = Risk(Network((1, 1, 1, 1), relu, bias=False), ["1/3"], [-1], binary_hinge())
    witness = certify_mirrored_spectrum(scaled, w).witness
    assert witness["coefficient"] == fmpq(-2, 27)
    assert certify_mirrored_spectrum(risk, exact([0, 1, 1])).verdict.value == "unknown"


def test_weight_decay_leaves_no_maximum_not_even_of_a_constant_piece():
    for decay, certified in ((0, True), ("1/5", False)):
        risk = Risk(Network((1, 1, 1), relu), [-1, 1], [1, 1], weight_decay=decay)
        dead = exact([0, -1, 0, 0])
        answer = certify_smooth_maximum(risk, dead)
        assert not answer.certified  # the output bias still moves the risk
        off = Risk(Network((1, 1), (), output_activation=relu), [1], [1], weight_decay=decay)
        assert certify_smooth_maximum(off, exact([-1, -1])).certified == certified


FLAT = Risk(Network((1, 1, 1), relu), [-1, 1], [-1, 1], binary_hinge())
BENT = Risk(Network((1, 1, 1), relu, bias=False), [2], [1], binary_hinge())
ON_WALL = Risk(Network((1, 1), (), bias=False, output_activation=relu), [1], [-1], binary_hinge())
WALL = "w: lies on a wall"


def lines(answer):
    """The printed lines without those of witnesses and values."""
    head, *rest = str(answer).splitlines()
    return [
        head.split(" ")[0],
        *(r.strip() for r in rest if r.split()[0] not in ("witness", "value")),
    ]


@pytest.mark.parametrize(
    ("decide", "risk", "w", "expected"),
    [
        (
            certify_indefinite,
            BENT,
            [1, "1/4"],
            ["certified", "holds     every diagonal entry is 0, hence the trace",
             "holds     the entry (0, 1) is not 0"],
        ),
        (
            certify_indefinite,
            FLAT,
            [0, -1, 1, 0],
            ["refuted", "holds     every diagonal entry is 0, hence the trace",
             "fails     some entry is not 0"],
        ),
        (
            certify_mirrored_spectrum,
            BENT,
            [1, "1/4"],
            ["certified", "holds     the characteristic polynomial lacks every other power"],
        ),
        (
            certify_mirrored_spectrum,
            Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [-1], binary_hinge()),
            [1, 1, 1],
            ["refuted", "fails     the characteristic polynomial lacks every other power"],
        ),
        (
            certify_smooth_maximum,
            BENT,
            [-1, 1],
            ["certified", "holds     the risk is constant on the cell of the point"],
        ),
        (
            certify_smooth_maximum,
            BENT,
            [1, "1/4"],
            ["refuted", "fails     the risk is constant on the cell of the point"],
        ),
        (
            certify_smooth_extremum,
            FLAT,
            [0, -1, 1, 0],
            ["certified", "holds     the risk is constant on the cell of the point"],
        ),
        (
            certify_smooth_extremum,
            BENT,
            [1, "1/4"],
            ["refuted", "fails     the risk is constant on the cell of the point"],
        ),
    ],
)  # fmt: skip
def test_conditions_say_which_line_fails(decide, risk, w, expected):
    assert lines(decide(risk, exact(w))) == expected


@pytest.mark.parametrize(
    "decide",
    [
        certify_indefinite,
        certify_mirrored_spectrum,
        certify_smooth_maximum,
        certify_smooth_extremum,
    ],
)
def test_on_a_wall_the_reason_names_it(decide):
    answer = decide(ON_WALL, exact([0]))
    assert answer.verdict.value == "unknown"
    assert not answer.conditions
    assert answer.reason.startswith(WALL)
