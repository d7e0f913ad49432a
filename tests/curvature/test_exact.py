"""Exact curvature: against autodiff, the flow, values by hand and whole cells."""

import pytest
import torch
from curvature_points import HALF, KINK, random_point, random_risk
from flint import fmpq

from lscore import Network, Risk, binary_hinge, cell_at, exact, rational, relu
from lscore.curvature.decay import certify_decay
from lscore.curvature.exact import (
    certify_loss_change,
    certify_second_derivative,
    certify_two_backpropagations,
    exact_second_derivative,
    flow_series,
)
from lscore.curvature.routes import curvature
from lscore.errors import DataError
from lscore.runs.descent import gradient_descent


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("widths", [(2, 3, 1), (1, 2, 2, 1)])
def test_exact_curvature_agrees_with_autodiff_and_with_the_flow(seed, widths):
    risk = random_risk(seed, widths)
    w = random_point(risk, seed)
    squared, bend = exact_second_derivative(risk, w)
    found = curvature(risk, w.point())
    assert found.squared_norm == pytest.approx(float(squared.p) / float(squared.q), rel=1e-12)
    assert found.second_derivative == pytest.approx(float(bend.p) / float(bend.q), rel=1e-10)
    assert certify_second_derivative(risk, w).certified
    assert certify_second_derivative(risk, w, bend + rational("1e-30")).refuted


def test_a_value_by_hand_and_the_missing_factor_2():
    risk, w = Risk(Network((1, 1, 1), relu, bias=False), [1], [0]), exact([2, 1])
    assert exact_second_derivative(risk, w) == (20, 264)
    wrong = certify_second_derivative(risk, w, 132)
    assert wrong.refuted
    assert wrong.witness["taylor_second_derivative"] == 264


def test_the_series_of_the_flow_solves_it():
    risk = random_risk(0)
    w = random_point(risk, 0)
    cell = cell_at(risk, w)
    path = flow_series(cell, w, 3)
    assert exact([p[0] for p in path]) == w
    assert exact([p[1] for p in path]) == -risk.gradient(w)
    t = fmpq(1, 10**6)
    at = exact([p(t) for p in path])
    slope = exact([p.derivative()(t) for p in path])
    rest = slope + cell.gradient(at)
    assert rest.dot(rest) < fmpq(1, 10**28)  # the first error is of order t^3


def test_hinge_risks_have_exact_curvature_too():
    risk = Risk(Network((1, 1, 1), relu, bias=False), [2], [1], binary_hinge())
    w = exact([1, "1/4"])  # 1 - 2 w v: g = (-1/2, -2), H off-diagonal -2
    assert exact_second_derivative(risk, w) == (fmpq(17, 4), -8)
    assert certify_second_derivative(risk, w).certified


def test_on_a_wall_nothing_is_certified():
    assert certify_second_derivative(KINK, exact([0])).verdict == "unknown"
    assert certify_decay(KINK, exact([0]), 1, 1).verdict == "unknown"
    assert certify_loss_change(KINK, [exact([1]), exact([0])], 0).verdict == "unknown"


@pytest.mark.parametrize("widths", [(1, 1, 1), (1, 1, 1, 1), (2, 2, 1)])
def test_two_backpropagations_on_a_whole_cell(widths):
    risk = random_risk(1, widths, n=3)
    cell = cell_at(risk, random_point(risk, 1))
    assert certify_two_backpropagations(cell).certified
    wrong = certify_two_backpropagations(cell, 1)
    assert wrong.refuted
    assert wrong.witness["monomial_of_the_difference"]


def test_the_monomial_that_differs_is_named():
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [1])
    wrong = certify_two_backpropagations(cell_at(risk, exact([2, 2])), 1)
    assert dict(wrong.witness) == {"monomial_of_the_difference": "1 W1_0_0^6 W2_0_0^2"}


def test_the_fraction_at_the_points_of_a_run():
    risk = Risk(Network((1, 2, 1), relu, bias=False), [1.0, -1.0, 2.0], [0.5, 1.0, 0.25], HALF)
    w = torch.tensor([0.25, -0.25, 0.25, 0.25], dtype=torch.float64)
    run = gradient_descent(risk, w, 0.25, 30)
    assert run.convex_from > 0
    answer = certify_loss_change(risk, list(run.points), "1/10")
    assert answer.certified
    assert answer.values["index_of_t0"] == run.convex_from
    exactly = answer.values["fraction"]
    assert run.fraction == pytest.approx(float(exactly.p) / float(exactly.q), rel=1e-12)
    assert certify_loss_change(risk, list(run.points), exactly).certified
    above = certify_loss_change(risk, list(run.points), exactly + fmpq(1, 10**20))
    assert above.refuted
    assert above.witness["fraction"] == exactly
    not_yet = certify_loss_change(risk, list(run.points[: run.convex_from]), "1/10")
    assert not_yet.refuted
    assert not_yet.witness["last_second_derivative"] < 0
    with pytest.raises(DataError):
        certify_loss_change(risk, [w], 0)
