"""A local minimum beside a point: enclosed where there is one, and never where there is none."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from flint import arb, ctx

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    binary_hinge,
    certify_affine_minimum,
    certify_local_minimum,
    exact,
    from_torch,
    hard_tanh,
    identity,
    leaky_relu,
    relu,
    tanh,
)
from lscore.algebra.linear import least_squares
from lscore.cells.pattern import locate
from lscore.errors import ShapeError
from lscore.minima.affine import affine_functions
from lscore.minima.ball_descent import ball_gradient
from lscore.minima.near import (
    _moves,
    certify_minimum_near,
    certify_spurious_near,
    convex_minimum,
)
from lscore.model.balls import ball_risk
from lscore.model.entropy import CrossEntropyLoss, LogisticLoss
from lscore.model.losses import half_sum_of_squares

SOFTMAX = CrossEntropyLoss()
ANCHOR = [-3, -1, 1, 3], [0, 1, 0, 1]
SLOPE = -0.45409213128004754  # of the difference of the outputs, at the minimum
LEAST = "0.58687163378033638627"


def chain(widths, h, seed=0, bias=True):
    """A network, and a point with all units on one piece whose outputs are affine: its float
    weights are random, and its last layer makes the outputs differ by SLOPE x."""
    network, rng = Network(widths, h, bias=bias), np.random.default_rng(seed)
    layers = list(pairwise(widths))
    weights = [torch.from_numpy(rng.uniform(0.1, 0.3, (b, a))) for a, b in layers]
    shifts = [torch.full((b,), 3.0, dtype=torch.float64) for _, b in layers]
    return network, network.pack(weights, shifts)


def relu_point(widths=(1, 3, 2)):
    """W1 = (1, 0, 0), b1 = 5: pre-activations x + 5 > 0; the outputs are (SLOPE x, 0)."""
    network = Network(widths, relu)
    return network, network.pack(
        [exact([[1], [0], [0]]), exact([[SLOPE, 0, 0], [0, 0, 0]])],
        [exact([5, 5, 5]), exact([-5 * SLOPE, 0])],
    )


def test_the_anchor_is_enclosed_in_balls():
    network, w = relu_point()
    answer = certify_minimum_near(Risk(network, *ANCHOR, SOFTMAX), w)
    assert answer.certified
    assert answer.method == "ball"
    assert 0 < answer.values["radius"] < 1e-15
    with ctx.workprec(128):
        assert abs(answer.values["risk"] - arb(LEAST)) < 1e-20
        assert answer.values["risk"].rad() < 1e-30


def test_a_point_further_off_has_a_larger_radius_and_a_kink_none():
    network, w = relu_point()
    risk = Risk(network, *ANCHOR, SOFTMAX)
    radii = []
    for step in ("1/1000000", "1/1000"):
        moved = w.entries()
        moved[0] += exact([step])[0, 0]
        answer = certify_minimum_near(risk, exact(moved))
        assert answer.certified
        radii.append(answer.values["radius"])
    assert 1e-8 < radii[0] < 1e-5 < radii[1] < 1e-2
    kink = w.entries()
    kink[3] = kink[3] * 0 - 1  # x - 1: on a knot at x = 1
    assert "kink" in certify_minimum_near(risk, exact(kink)).reason
    far = w.entries()
    far[6] *= 40  # Newton's method may still come home, but the units would leave their pieces
    assert certify_minimum_near(risk, exact(far)).verdict == "unknown"


@pytest.mark.parametrize(
    ("widths", "h"),
    [
        ((1, 2), identity),
        ((1, 1, 2), leaky_relu("1/2")),
        ((1, 2, 2, 2), relu),
        ((1, 3, 2, 3, 2), leaky_relu("-1/2")),
        ((1, 2, 2, 2, 2, 2), hard_tanh),
    ],
)
def test_any_depth_after_a_float_descent_in_the_cell(widths, h):
    """Newton's method itself is the descent: from a float point somewhere in the affine cell."""
    network, w = chain(widths, () if len(widths) == 2 else h)
    if h is hard_tanh:
        w = w * 0.2
    risk = Risk(network, *ANCHOR, SOFTMAX)
    answer = certify_minimum_near(risk, w)
    if h is not identity:
        assert answer.verdict == "unknown"  # the start is far from the minimum
    for _ in range(20):  # steps of Newton's method in the last layer alone, in floats
        gradient = risk.gradient(w)
        m = widths[-2] * 2 + 2
        hessian = risk.hessian(w)[-m:, -m:]
        w = w.clone()
        w[-m:] -= torch.linalg.lstsq(hessian, gradient[-m:], driver="gelsd").solution
    answer = certify_minimum_near(risk, w)
    assert answer.certified, answer.reason
    assert answer.values["radius"] < 1e-10
    with ctx.workprec(128):
        assert abs(answer.values["risk"] - arb(LEAST)) < 1e-20


def test_no_lower_point_is_found_in_the_box_around_it():
    network, w = relu_point()
    risk, rng = Risk(network, *ANCHOR, SOFTMAX), np.random.default_rng(0)
    answer = certify_minimum_near(risk, w)
    size = float(answer.values["radius_of_a_box"])
    for _ in range(300):
        moved = w + exact(size * rng.uniform(-1, 1, network.dimension))
        assert not ball_risk(risk, moved) < answer.values["risk"]


def test_a_squared_loss_agrees_with_the_exact_answer():
    risk = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    good = exact([3, 0, 1, 2, 1, 1, -4])
    both = certify_affine_minimum(risk, good), certify_minimum_near(risk, good)
    assert both[0].certified
    assert both[1].certified
    assert both[1].values["risk"].contains(both[0].values["risk"])
    off = exact([3, 0, 1, 2, 1, 1, "-39/10"])
    assert certify_affine_minimum(risk, off).refuted
    assert certify_minimum_near(risk, off).values["radius"] > 0.05


def test_dead_units_sit_at_the_frequencies_of_the_classes():
    labels = [0, 0, 1, 2, 2, 2]
    risk = Risk(Network((1, 2, 3), relu), [0, 1, 2, 3, 4, 5], labels, SOFTMAX)
    bias = torch.log(torch.tensor([2.0, 1.0, 3.0], dtype=torch.float64))
    dead = torch.cat([torch.tensor([0, 0, -1, -1, 1, 2, 3, 4, 5, 6.0]).double(), bias])
    answer = certify_minimum_near(risk, dead)
    assert answer.certified
    with ctx.workprec(128):
        p = [arb(c) / 6 for c in (2, 1, 3)]
        assert answer.values["risk"].overlaps(-sum((q * q.log() for q in p), arb(0)))
    without = Risk(Network((1, 2, 3), relu, bias=(True, False)), [0, 1, 2], [0, 1, 2], SOFTMAX)
    assert certify_minimum_near(without, exact([0, 0, -1, -1] + [1] * 6)).verdict == "unknown"


def test_output_weights_of_zero_pass_nothing_on():
    """The cell is affine, not constant: a change of the output biases would not do."""
    network, w = relu_point()
    flat = w.entries()
    flat[6:] = [0] * 8
    answer = certify_minimum_near(Risk(network, *ANCHOR, SOFTMAX), exact(flat))
    assert answer.verdict == "unknown"
    assert "do not pass on" in answer.reason
    # and with one unit for three classes
    three = Risk(Network((1, 1, 3), relu), [0, 1, 2, 3, 4, 5], [0, 1, 2, 2, 1, 0], SOFTMAX)
    answer = certify_minimum_near(three, exact([1, 1, "1/100", 0, 0, 0, 0, 0]))
    assert "do not pass on" in answer.reason


@pytest.mark.parametrize("bias", [False, (True, False), (False, True)])
def test_biases_in_some_layers_only(bias):
    X, y = [[1, 0], [0, 1], [1, 1], [-1, 1], [1, 2], [2, 1]], [1, -1, -1, -1, 1, -1]
    network = Network((2, 2, 1), identity, bias=bias)
    risk = Risk(network, X, y, LogisticLoss())
    A = risk.exact_augmented if bias else risk.exact_X
    found = convex_minimum(risk.loss, exact([0] * 6), risk.exact_y, A)
    u, v, *c = [float(t.mid()) for t in found.box[0]]
    inner = [c[0] / u, 0] if bias == (True, False) else []
    w = exact([1.0, 0, 0, 1, *inner, u, v, *(c if bias == (False, True) else [])])
    answer = certify_minimum_near(risk, w)
    assert answer.certified, answer.reason
    assert answer.values["radius"] < 1e-14
    assert answer.values["risk"].overlaps(found.value)


def test_repeated_and_dependent_inputs():
    X = [[x, 2 * x, 7] for x in ANCHOR[0]]
    network = Network((3, 3, 2), relu)
    w = network.pack(
        [exact([[1, 0, 0], [0] * 3, [0] * 3]), exact([[SLOPE, 0, 0], [0, 0, 0]])],
        [exact([5, 5, 5]), exact([-5 * SLOPE, 0])],
    )
    answer = certify_minimum_near(Risk(network, X, ANCHOR[1], SOFTMAX), w)
    assert answer.certified
    with ctx.workprec(128):
        assert abs(answer.values["risk"] - arb(LEAST)) < 1e-20


def test_separable_data_have_no_minimum_to_enclose():
    for X, y in (([0, 1, 2, 3], [0, 0, 1, 1]), ([0, 1, 1, 2], [0, 0, 1, 1])):
        for scale in (1, 30):
            network, w = relu_point()
            moved = w.entries()
            moved[6] = -scale
            moved[12] = 5 * scale
            assert certify_minimum_near(Risk(network, X, y, SOFTMAX), exact(moved)).verdict == (
                "unknown"
            )


@pytest.mark.parametrize(
    ("risk", "reason"),
    [
        (Risk(Network((1, 2, 2), tanh), *ANCHOR, SOFTMAX), "piecewise linear"),
        (Risk(Network((1, 2, 2), relu), *ANCHOR, SOFTMAX, "1/10"), "weight decay"),
        (Risk(Network((1, 2, 2), relu, output_activation=relu), *ANCHOR, SOFTMAX), "output act"),
        (Risk(Network((1, 2, 1), relu), [0, 1], [1, -1], binary_hinge()), "singular"),
    ],
)
def test_outside_its_setting_the_answer_is_unknown(risk, reason):
    w = exact([0, 0, 1, 1] + [1] * (risk.dimension - 4))
    answer = certify_minimum_near(risk, w)
    assert answer.verdict == "unknown"
    assert reason in answer.reason


def test_a_loss_of_your_own_is_named_or_refused():
    class Declared(CrossEntropyLoss):
        pass

    class Silent(CrossEntropyLoss):
        convex = False

    network, w = relu_point()
    answer = certify_minimum_near(Risk(network, *ANCHOR, Declared()), w)
    assert any("declared convex" in c.text for c in answer.conditions)
    assert any("Loss.shift_invariant" in c.text for c in answer.conditions)
    answer = certify_minimum_near(Risk(network, *ANCHOR, Silent()), w)
    assert "not known to be convex" in answer.reason


def test_a_torch_model_is_certified_and_a_lower_point_makes_it_spurious():
    """Five layers and cross-entropy, from the floats that torch holds."""
    model = torch.nn.Sequential(
        torch.nn.Linear(1, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2), torch.nn.LeakyReLU(0.1),
        torch.nn.Linear(2, 2), torch.nn.Hardtanh(), torch.nn.Linear(2, 2), torch.nn.ReLU6(),
        torch.nn.Linear(2, 2),
    ).double()  # fmt: skip
    numbers = [
        ([[1], [0], [0]], [4, 1, 1]),  # x + 4 in (1, 7)
        ([[0.125, 0, 0], [0, 0, 0]], [0, 1]),
        ([[1, 0], [0, 0]], [0, 0]),  # in (1/8, 7/8)
        ([[1, 0], [0, 0]], [1, 1]),
        ([[8 * SLOPE, 0], [0, 0]], [-12 * SLOPE, 0]),
    ]
    linears = [part for part in model if isinstance(part, torch.nn.Linear)]
    with torch.no_grad():
        for part, (weight, bias) in zip(linears, numbers, strict=True):
            part.weight.copy_(torch.tensor(weight, dtype=torch.float64))
            part.bias.copy_(torch.tensor(bias, dtype=torch.float64))
    network, w = from_torch(model)
    risk = Risk(network, *ANCHOR, SOFTMAX)
    answer = certify_minimum_near(risk, w)
    assert answer.certified, answer.reason
    assert answer.values["radius"] < 1e-14
    torch_risk = torch.nn.CrossEntropyLoss()(
        model(torch.tensor(ANCHOR[0]).double()[:, None]), torch.tensor(ANCHOR[1])
    )
    assert torch_risk.item() == pytest.approx(float(answer.values["risk"]), rel=1e-15)


def test_the_front_door_says_what_lies_beside_a_float_point():
    network, w = relu_point()
    answer = certify_local_minimum(Risk(network, *ANCHOR, SOFTMAX), w)
    assert answer.refuted  # it is no minimum itself
    assert "a local minimum lies within" in answer.reason
    moved = w.entries()
    moved[0] = exact([2])[0, 0]
    assert not certify_local_minimum(Risk(network, *ANCHOR, SOFTMAX), exact(moved)).reason


def test_spurious_needs_a_lower_point():
    network, w = relu_point()
    risk = Risk(network, *ANCHOR, SOFTMAX)
    lower = w.entries()
    lower[1], lower[4] = exact([1])[0, 0], exact([-2])[0, 0]  # a second unit, on at x = 3 alone
    lower[7] = exact([-1])[0, 0]
    answer = certify_spurious_near(risk, w, exact(lower))
    assert answer.certified
    assert 0 < answer.conditions[-1].margin < 0.06
    assert certify_spurious_near(risk, w, w).verdict == "unknown"
    lower[7] = exact([1])[0, 0]
    assert "not shown" in certify_spurious_near(risk, w, exact(lower)).reason
    assert certify_spurious_near(risk, w * 2, exact(lower)).verdict == "unknown"
    for point in (w, exact([0] * network.dimension)):  # certified, and on a kink
        with pytest.raises(ShapeError, match=r"lower: shape"):
            certify_spurious_near(risk, point, exact([1]))


def test_extreme_numbers_are_decided_or_unknown():
    for scale in (1e-300, 1e300):
        risk = Risk(Network((1, 2), ()), np.array([-3, -1, 1, 3.0]) * scale, ANCHOR[1], SOFTMAX)
        answer = certify_minimum_near(risk, exact([0, 0, 0, 0]))
        assert answer.certified, answer.reason
        with ctx.workprec(128):
            assert abs(answer.values["risk"] - arb(LEAST)) < 1e-16  # the data are rounded
    one = Risk(Network((1, 2), ()), [1], [0], SOFTMAX)
    assert certify_minimum_near(one, exact([0, 0, 0, 0])).verdict == "unknown"


def test_the_convex_minimum_of_squares_is_the_least_squares_solution():
    rng = np.random.default_rng(3)
    A, y = exact(rng.integers(-3, 4, (7, 3))), exact(rng.integers(-3, 4, (7, 2)))
    found = convex_minimum(half_sum_of_squares, y * 0, y, A)
    W, rank = least_squares(A, y)
    assert rank == 3
    for i, row in enumerate(found.box):
        for j, ball in enumerate(row):
            with ctx.workprec(400):
                assert ball.contains(W[j, i])
    assert convex_minimum(SquaredLoss(1, mean=True), y * 0, y, A).value.overlaps(
        found.value * 2 / 7
    )
    nothing = convex_minimum(half_sum_of_squares, y, y, A * 0)
    assert nothing.value.is_zero()


def moved_there(risk, w):
    """The point w, changed by the midpoints of the changes that are said to lead to the minimum."""
    at = locate(risk, w)
    A, _ = affine_functions(risk, list(at.run.positions))
    found = convex_minimum(risk.loss, at.run.outputs, risk.exact_y, A)
    moves = [v.mid().fmpq() for v in _moves(risk, at, A.shape[1], found.box, 128)]
    widths, first, entries = risk.network.widths, risk.network.biases[0], w.entries()
    d, k, inputs = widths[0], widths[-1], widths[0] + first
    layer = [moves[j * inputs : (j + 1) * inputs] for j in range(widths[1])]
    if len(moves) == k:  # a dead layer: the output biases
        layer, moves = [], [0] * widths[1] * inputs + moves
    for j, row in enumerate(layer):
        for c, change in enumerate(row):
            entries[j * d + c if c < d else widths[1] * d + j] += change
    for c, change in enumerate(moves[widths[1] * inputs :]):
        entries[len(entries) - k + c] += change
    return exact(entries)


def test_the_changes_of_the_parameters_lead_to_a_point_without_gradient():
    """Random networks, activations and biases; what is certified has a gradient of 1e-30 there."""
    kinds = [relu, leaky_relu("-1/2"), hard_tanh, identity, absolute_value]
    certified = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        depth, k, d = int(rng.integers(0, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
        widths = (d, *rng.integers(1, 5, depth).tolist(), k)
        h = tuple(kinds[int(rng.integers(5))] for _ in range(depth))
        network = Network(widths, h, bias=tuple((rng.random(depth + 1) < 0.8).tolist()))
        n = int(rng.integers(4, 12))
        labels = rng.integers(0, k, n) if k > 1 else 2 * rng.integers(0, 2, n) - 1
        loss = SOFTMAX if k > 1 else LogisticLoss()
        risk = Risk(network, rng.integers(-3, 4, (n, d)), labels, loss)
        w = exact(rng.integers(-8, 9, network.dimension)) / 16
        if certify_minimum_near(risk, w).certified:
            certified += 1
            gradient = ball_gradient(risk, moved_there(risk, w))
            assert all(abs(g) < 1e-30 for g in gradient), seed
    assert certified > 10
