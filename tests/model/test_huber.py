"""HuberLoss: against the formula in Fractions, against torch, and in balls that meet a knot."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from cases import fraction
from flint import arb, fmpq

from lscore import Network, Risk, certify_affine_minimum, exact, relu
from lscore.errors import DataError, ShapeError
from lscore.model.huber import HuberLoss


def rho(m, d):
    return m * m / 2 if abs(m) <= d else d * abs(m) - d * d / 2


@pytest.mark.parametrize("delta", ["1/2", 1, 3])
@pytest.mark.parametrize("mean", [False, True])
def test_it_is_the_formula_and_torchs(delta, mean):
    loss, d = HuberLoss(delta, mean), Fraction(delta)
    rng = np.random.default_rng(1)
    for _ in range(20):
        a, b = (exact(rng.integers(-9, 10, (3, 2)).tolist()) / 2 for _ in range(2))
        entries = [fraction(v) for v in (a - b).entries()]
        total = sum(rho(m, d) for m in entries) / (6 if mean else 1)
        assert fraction(loss(a, b)) == total
        clipped = [max(min(m, d), -d) / (6 if mean else 1) for m in entries]
        assert [fraction(v) for v in loss.gradient(a, b).entries()] == clipped
        pair = torch.from_numpy(a.floats()), torch.from_numpy(b.floats())
        torchs = torch.nn.HuberLoss(reduction="mean" if mean else "sum", delta=float(d))
        assert float(loss(*pair)) == pytest.approx(float(torchs(*pair)))
        assert loss(a.floats(), b.floats()) == pytest.approx(float(torchs(*pair)))
        slopes = np.array(clipped, dtype=float).reshape(3, 2)
        assert np.allclose(loss.gradient(a.floats(), b.floats()), slopes)


def test_a_ball_that_meets_a_knot_has_a_slope_and_no_second_derivative():
    loss, zero = HuberLoss(1), exact([[0]])
    ball = np.array([[arb(1, "0.25")]], dtype=object)
    assert loss(ball, zero).contains(arb("0.7"))
    slope = loss.gradient(ball, zero)[0, 0]
    assert slope.contains(arb(1))
    assert slope.contains(arb("0.75"))
    assert not loss.second(ball, zero)[0, 0, 0].is_finite()
    far = np.array([[arb(-3, "0.25")]], dtype=object)
    assert loss.second(far, zero)[0, 0, 0] == 0
    assert loss.gradient(far, zero)[0, 0] == -1


def test_bad_numbers_are_refused_by_name():
    for delta in (0, -1):
        with pytest.raises(DataError, match="delta: got"):
            HuberLoss(delta)
    flat = torch.zeros(3, dtype=torch.float64)
    for method in (HuberLoss(), HuberLoss().gradient, HuberLoss().second):
        with pytest.raises(ShapeError, match="need \\(n, k\\)"):
            method(flat, flat)


def test_a_minimum_of_the_huber_risk_is_proved_by_the_package():
    """The least-squares fit is not its minimiser; the Huber fit of the ledger is."""
    risk = Risk(Network((1, 1, 1), relu), [0, 1, 2, 3, 4, 6], [0, 2, 1, 5, 3, 4], HuberLoss("1/2"))
    answer = certify_affine_minimum(risk, exact(["9/14", 20, 1, "5/14"]) - exact([0, 0, 0, 20]))
    assert answer.certified
    assert answer.values["risk"] == fmpq(53, 28)  # 6 times 53/168
    assert not any("declared" in c.text for c in answer.conditions)
