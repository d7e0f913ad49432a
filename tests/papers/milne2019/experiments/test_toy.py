"""The toy regression by cell moments: against a plain loop over trials, and refusals."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_risks import X, toy

from lscore.errors import DataError, DtypeError, ShapeError
from lscore.papers.milne2019.experiments.toy import default_starts, descend_sides, sides
from lscore.runs.ensembles import descend_together, risk_on


def naive(x, y, start, steps, decay=0.4, rate=0.1, output_relu=False):
    """One trial, as one would write it: modules, an optimiser, weight decay in the loss."""
    units = len(start) // 2
    layers = [torch.nn.Linear(1, units, bias=False), torch.nn.ReLU()]
    layers += [torch.nn.Linear(units, 1, bias=False)] + [torch.nn.ReLU()] * output_relu
    model = torch.nn.Sequential(*layers).double()
    torch.nn.utils.vector_to_parameters(torch.tensor(start), model.parameters())
    optimiser = torch.optim.SGD(model.parameters(), lr=rate)
    x, y = torch.tensor(x)[:, None], torch.tensor(y)[:, None]
    for _ in range(steps):
        optimiser.zero_grad()
        loss = ((model(x) - y) ** 2).mean() / 2
        loss = loss + decay / 2 * sum((p**2).sum() for p in model.parameters())
        loss.backward()
        optimiser.step()
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach().numpy()


@pytest.mark.parametrize("steps", [5, 20, 100])
@pytest.mark.parametrize("units", [1, 2, 3])
def test_both_routes_agree_with_a_loop_over_trials(steps, units):
    starts = default_starts(np.random.default_rng(units), 3, units)
    expected = np.stack([naive(X, X / 4, start, steps) for start in starts])
    together = descend_together(toy(units=units), starts, 0.1, steps)
    assert abs(together.points.numpy() - expected).max() < 1e-7
    moments = descend_sides(sides(X, X / 4), starts, 0.1, steps, 0.4)
    assert abs(moments.points() - expected).max() < 1e-7
    assert abs(expected).max() > 1e-3, "nothing left to compare"


def test_one_data_set_per_trial_and_an_output_relu():
    rng = np.random.default_rng(1)
    x, starts = rng.uniform(-1, 1, (3, 20)), default_starts(rng, 3)
    y = 1 - x
    found = descend_sides(sides(x, y), starts, 0.1, 20, 0.1, output_relu=True).points()
    expected = [naive(*row, 20, 0.1, output_relu=True) for row in zip(x, y, starts, strict=True)]
    assert abs(found - np.stack(expected)).max() < 1e-7


def test_a_weight_that_is_or_becomes_zero_is_treated_as_autodiff_does():
    x, y = np.array([1.0, -1.0]), np.array([0.0, 5.0])
    starts = np.array([[1.0, 2.0], [0.0, 1.0]])  # the first reaches w = 0 in one step of 1/2
    risk = toy(x=x, y=y, decay=0, units=1)
    assert descend_sides(sides(x, y), starts[:1], 0.5, 1, 0).points()[0, 0] == 0
    for rows in (slice(0, 1), slice(1, 2), slice(0, 2)):
        found = descend_sides(sides(x, y), starts[rows], 0.5, 3, 0).points()
        assert np.array_equal(found, descend_together(risk, starts[rows], 0.5, 3).points.numpy())


def test_risks_along_the_runs_are_the_risk():
    risk, starts = toy(), default_starts(np.random.default_rng(3), 4)
    run = descend_sides(sides(X, X / 4), starts, 0.1, 3, 0.4)
    values = descend_together(risk, starts, 0.1, 3, watch={"risk": risk_on(risk)}).watched["risk"]
    assert abs(run.risk() - values.numpy()).max() < 1e-14
    assert np.allclose(run.squared_norm()[0], (starts**2).sum(1))


@pytest.mark.parametrize("units", [1, 2, 3])
def test_smallest_curvature_is_the_smallest_eigenvalue(units):
    risk = toy(y=np.sin(3 * X), decay=0, units=units)
    starts = np.random.default_rng(4).normal(size=(60, 2 * units))
    found = descend_sides(sides(X, np.sin(3 * X)), starts, 0.1, 0, 0).smallest_curvature()[0]
    exact = [np.linalg.eigvalsh(risk.hessian(torch.tensor(w)).numpy())[0] for w in starts]
    assert abs(found - exact).max() < 1e-7
    assert (found < -0.01).any()


def test_the_experiment_of_figure_1():
    draws = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = rng.uniform(-1, 1, 100)
        draws.append(descend_sides(sides(x, x / 4), default_starts(rng, 1000), 0.1, 100, 0.4))
    means = [run.share_inside().mean() for run in draws]
    assert np.mean(means) == pytest.approx(84.657, abs=0.001)
    assert abs(np.mean(means) - 87.2) < 2 * np.std(means, ddof=1)
    names = ("K0", "K1", "K2", "K6", "K7")
    shares = np.array([draws[0].share_inside(name) for name in names])
    assert (np.diff(shares, axis=0) > -1e-9).all(), "a sharper bound cannot hold later"
    bounds = np.array([draws[0].squared_bound(name) for name in names])
    assert (np.diff(bounds, axis=0) < 1e-9).all()
    assert max(run.squared_norm()[-1].max() for run in draws) < 0.01


def test_bad_arguments_of_the_moments_are_named():
    data = sides(X, X / 4)
    with pytest.raises(ShapeError, match="points"):
        descend_sides(data, np.zeros((2, 3)), 0.1, 1, 0.4)
    with pytest.raises(DataError, match="points"):
        descend_sides(data, np.full((2, 4), np.inf), 0.1, 1, 0.4)
    with pytest.raises(ShapeError, match="x, y"):
        sides(X, X[:3])
    with pytest.raises(ShapeError, match="3 data sets, 2 points"):
        descend_sides(sides(np.ones((3, 5)), np.ones((3, 5))), np.ones((2, 4)), 0.1, 1, 0.4)
    with pytest.raises(DataError, match=r"rate: got '0\.1'"):
        descend_sides(data, np.ones((2, 4)), "0.1", 1, 0.4)
    with pytest.raises(DataError, match=r"steps: got 1\.0"):
        descend_sides(data, np.ones((2, 4)), 0.1, 1.0, 0.4)
    with pytest.raises(DataError, match="name: got 'K9'"):
        descend_sides(data, np.ones((1, 2)), 0.1, 1, 0.4).squared_bound("K9")


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.array([1 + 2j, 3]), DtypeError, "dtype complex128, need real"),
        ([1.0, float("nan")], DataError, "has NaN"),
        ([1.0, float("inf")], DataError, "has NaN or infinite"),
        ([1e200, 1.0], DataError, "beyond the range"),
        (["1", "2"], DtypeError, "dtype <U1"),
        ([True, False], DtypeError, "dtype bool"),
        ([2**53 + 1, 0], DtypeError, "dtype int64 has entries that float64 has not"),
        (np.ma.masked_array([1.0, 9.0], [False, True]), DtypeError, "dtype masked"),
        ([[1.0], [2.0, 3.0]], DtypeError, "inhomogeneous"),
        ([None, 1.0], DtypeError, "dtype object"),
        (torch.ones(2, dtype=torch.float64, requires_grad=True), DtypeError, "requires grad"),
    ],
)
def test_moments_of_what_is_not_real_are_refused(values, error, message):
    """Imaginary parts used to be dropped, and nan went through."""
    with pytest.raises(error, match=f"x.*: .*{message}"):
        sides(values, [1.0, 2.0])
    with pytest.raises(error, match=f"y: .*{message}"):
        sides([1.0, 2.0], values)


def test_moments_of_integers_and_of_float32_are_those_of_their_values():
    for x in ([2, -1], np.array([2, -1], dtype=np.float32)):
        assert sides(x, [1, 3]).square.tolist() == [2, 0.5]
    with pytest.raises(ShapeError, match="x, y"):
        sides([], [])


def test_share_of_the_decrease_after_the_first_entry():
    """x = 1, y = 1/4: K1 is below the decay 2/5 where |1/4 - w v| is."""
    starts = np.array([[0.2, 0.2], [0.85, 0.85], [3.0, 3.0]])
    run = descend_sides(sides([1.0], [0.25]), starts, 0.01, 9, 0.4)
    product, risk = run.states[:, 0, 0] * run.states[:, 1, 0], run.risk(run.factor)
    entry = int(np.flatnonzero(abs(0.25 - product[:, 1]) < 0.4)[0])
    assert 0 < entry < 9
    assert abs(0.25 - product[-1, 2]) > 0.4
    first, at, last = risk[[0, entry, -1], 1]
    assert run.share_inside("K1").tolist() == [100, 100 * ((at - last) / (first - last)), 0]
    with pytest.raises(DataError, match="3 trials do not decrease"):
        replace(run, states=run.states[::-1]).share_inside("K1")
