"""The contract of a loss: every kind of number gives the same loss, gradient and second
derivative, frozen or not; and the built-in losses keep it."""

import numpy as np
import pytest
import torch
from flint import arb, fmpq, fmpq_poly
from losses import Absolute, Huber, Logistic, Quartic, Tilted

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    binary_hinge,
    certify_affine_minimum,
    certify_local_minimum,
    exact,
    multiclass_hinge,
    relu,
)
from lscore.errors import DataError, DtypeError, SettingError, ShapeError, TieError
from lscore.minima.balanced import certify_balance
from lscore.model.balls import ball_risk
from lscore.model.huber import HuberLoss
from lscore.model.losses import Loss, objects

BUILT_IN = [SquaredLoss(), SquaredLoss("1/3", mean=True), binary_hinge(), multiclass_hinge([1, 2])]
BUILT_IN += [HuberLoss("1/2"), HuberLoss(2, mean=True)]
OWN = [Huber(), Absolute(), Quartic(), Tilted()]


def problem(loss, seed):
    """Outputs and targets (2, k) that the loss takes; no margin on a knot."""
    rng = np.random.default_rng(seed)
    k = {"binary": 1, "multiclass": 3}.get(loss.kind, 2)
    signs = loss.read_labels([1, -1] if k == 1 else [2, 0], k) if loss.hinge else None
    targets = exact(rng.integers(-3, 4, (2, k)) if signs is None else signs)
    return exact(rng.integers(-9, 10, (2, k)) / 4.0 + (np.arange(k) + 1) / 64), targets


def number(value):
    return float(value.mid()) if isinstance(value, arb) else float(value.p) / float(value.q)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("loss", BUILT_IN + OWN, ids=lambda loss: loss.kind)
def test_every_kind_of_number_gives_the_same(loss, seed):
    outputs, targets = problem(loss, seed)
    n, k = outputs.shape
    balls = np.array([[arb(outputs[i, j]) for j in range(k)] for i in range(n)], dtype=object)
    tensors = torch.from_numpy(outputs.floats()), torch.from_numpy(targets.floats())
    at = loss.positions(outputs, targets)
    pieces = None if at is None else at // 2
    value, pull = loss(outputs, targets), loss.gradient(outputs, targets)
    assert loss(outputs, targets, pieces) == value == loss(objects(outputs), targets, pieces)
    assert loss.gradient(outputs, targets, pieces) == pull
    assert (loss.gradient(objects(outputs), targets, pieces) == objects(pull)).all()
    assert loss(balls, targets).contains(arb(value))
    assert all(
        a.contains(arb(b)) for a, b in zip(loss.gradient(balls, targets).flat, pull.entries(),
                                           strict=True)
    )  # fmt: skip
    traced = torch.func.grad(lambda z: loss(z, tensors[1]))(tensors[0])
    assert float(loss(*tensors)) == pytest.approx(number(value))
    assert np.allclose(traced, pull.floats())
    assert np.allclose(loss.gradient(*tensors), pull.floats())
    bends = np.array([number(b) for b in loss.second(outputs, targets).flat]).reshape(n, k, k)
    whole = torch.func.hessian(lambda z: loss(z, tensors[1]))(tensors[0])
    assert np.allclose(loss.second(*tensors), bends)
    assert np.allclose(torch.stack([whole[i, :, i, :] for i in range(n)]), bends)
    # a polynomial in t along a line: the frozen loss
    line = np.empty((n, k), dtype=object)
    for i, j in np.ndindex(n, k):
        line[i, j] = fmpq_poly([outputs[i, j], i + j + 1])
    rise = loss(line, targets, pieces)
    slopes = [(i + j + 1) * pull[i, j] for i in range(n) for j in range(k)]
    assert rise[0] == value
    assert rise[1] == sum(slopes)


@pytest.mark.parametrize("loss", BUILT_IN + OWN, ids=lambda loss: loss.kind)
def test_declared_facts_are_true_of_the_numbers(loss):
    for seed in range(40):
        (a, targets), b = problem(loss, seed), problem(loss, seed + 1000)[0]
        middle = (a + b) / 2
        ends = loss(a, targets) + loss(b, targets)
        if loss.convex:
            assert 2 * loss(middle, targets) <= ends
            assert loss(b, targets) >= loss(a, targets) + loss.gradient(a, targets).dot(b - a)
        if loss.nonnegative:
            assert loss(a, targets) >= 0
        if loss.quadratic:
            residuals = a - targets
            assert loss(a, targets) == residuals.dot(residuals) * loss.scale(len(a))
        if loss.curvature(len(a)) is not None:
            bends = loss.second(a, targets)
            assert (bends[:, range(a.shape[1]), range(a.shape[1])] == loss.curvature(len(a))).all()
        if loss.knots:
            D, step = loss.directions(targets), b - a
            moved = objects(loss.margins(b, targets)) - objects(loss.margins(a, targets))
            assert ((D * objects(step)[:, None, :]).sum(2) == moved).all()
    if loss.smooth and loss.knots:  # Huber: the two formulas meet with equal slopes
        for knot in loss.knots:
            on = targets + exact([[knot] * targets.shape[1]] * 2)
            low = loss.positions(on, targets) // 2
            pair = [loss.gradient(on, targets, low + up) for up in (0, 1)]
            assert pair[0] == pair[1]


def test_a_loss_that_promises_nothing_has_nothing():
    plain, at = Loss(), exact([[1]])
    assert not any([plain.convex, plain.smooth, plain.polynomial, plain.nonnegative,
                    plain.quadratic, plain.piecewise_linear, plain.hinge, plain.knots])  # fmt: skip
    assert plain.curvature(3) is None
    assert plain.positions(at, at) is None
    for method in (plain, plain.gradient, plain.second):
        with pytest.raises(SettingError, match="loss: Loss has no"):
            method(at, at)


@pytest.mark.parametrize("smooth", [True, False])
def test_a_checker_that_needs_what_a_loss_does_not_give_says_so(smooth):
    class ValueOnly(Loss):
        convex = polynomial = True

        def __call__(self, outputs, targets, pieces=None):
            exactly = hasattr(outputs, "numerator")
            return outputs.dot(outputs) if exactly else (outputs * outputs).sum()

    ValueOnly.smooth = smooth
    lacks = "no derivative" if smooth else "no knots and is not said to be smooth"
    risk = Risk(Network((1, 1, 1), relu), [1, 2], [0, 1], ValueOnly())
    for checker in (certify_affine_minimum, certify_balance, certify_local_minimum):
        answer = checker(risk, exact([1, 1, 1, 0]))
        assert answer.verdict == "unknown"
        assert f"ValueOnly has {lacks}" in answer.reason


def test_what_has_no_derivative_or_no_partner_is_refused():
    at, zero = exact([[1]]), exact([[0]])
    for loss in (binary_hinge(), Absolute()):
        with pytest.raises(TieError, match="exactly 0"):
            loss.gradient(at, at)
    assert binary_hinge().gradient(None, at, np.array([[1]])) == exact([[-1]])
    ball = np.array([[arb(1)]], dtype=object)
    assert not binary_hinge().gradient(ball, at)[0, 0].is_finite()
    assert binary_hinge()(ball, at) == 0
    with pytest.raises(DataError, match="not rational"):
        Logistic()(at, at)
    with pytest.raises(DtypeError, match="need float64 or objects"):
        SquaredLoss()(np.array([[1]]), zero)
    with pytest.raises(ShapeError, match="shapes"):
        SquaredLoss()(np.array([[1.0, 2.0]]), zero)
    assert SquaredLoss()(np.array([[1.0 + 1j]]), zero) == 1j  # the complex step needs it


def test_a_risk_takes_any_loss():
    network = Network((1, 2, 1), relu)
    w = exact([1, -1, 0, 1, 1, 1, 0])
    huber = Risk(network, [-1, 0, 2], [0, 1, 0], Huber())
    # outputs |x| with the kink of unit 2 at 1: 2, 1, 2; margins 2, 0, 2
    assert huber(w) == 2 * (fmpq(1, 2) * 2 - fmpq(1, 8))
    assert ball_risk(huber, w).contains(arb(fmpq(7, 4)))
    assert float(huber(w.point())) == 1.75
    logistic = Risk(network, [-1, 0, 2], [1, -1, 1], Logistic())
    with pytest.raises(DataError, match="not rational"):
        logistic(w)
    value = ball_risk(logistic, w)
    assert abs(float(value.mid()) - float(logistic(w.point()))) < 1e-12
    assert value.rad() < 1e-30
