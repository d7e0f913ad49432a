"""What floats see of a saddle, against the exact gap."""

from dataclasses import replace

import pytest
from linear_points import NARROW, SADDLES, random_risk

from lscore import exact, mean_squared_error
from lscore.algebra.linear import least_squares
from lscore.errors import DtypeError
from lscore.papers.yun2019 import (
    critical_point_type,
    linear_descent,
    suboptimality,
)


def test_float_witnesses_are_higher_and_lower_in_fractions():
    for made in SADDLES[::7]:
        answer = critical_point_type(made.risk, made.point.point())
        assert answer.kind == "saddle"
        level = made.risk(exact(made.point.point()))
        assert made.risk(exact(answer.up)) > level > made.risk(exact(answer.down))


def test_gradient_descent_follows_the_gradient_of_the_risk():
    risk, w = random_risk(4, 2, 3, 2)
    risks, points = linear_descent(replace(risk, loss=mean_squared_error), w.point(), 0.01, 3)
    risk = replace(risk, loss=mean_squared_error)
    for value, here, there in zip(risks, points, points[1:], strict=False):
        assert value == pytest.approx(float(risk(here)))
        assert there == pytest.approx(here - 0.01 * risk.gradient(here).numpy())


def test_floats_find_the_exact_gap():
    for made in SADDLES[::8]:
        risk, w = made.risk, made.point
        best = least_squares(risk.exact_X, risk.exact_y)[0]
        residuals = risk.exact_X @ best - risk.exact_y
        gap = risk(w) - residuals.dot(residuals) / 2
        assert suboptimality(risk, w.point()) == pytest.approx(float(gap.p) / float(gap.q))
    scaled = replace(risk, loss=mean_squared_error)
    ratio = suboptimality(scaled, w.point()) / suboptimality(risk, w.point())
    assert ratio == pytest.approx(2 / len(risk.X))


def test_a_gradient_that_explains_the_change_leaves_it_unresolved():
    risk, w = random_risk(2, 2, 3, 2)
    assert critical_point_type(risk, w.point()).kind == "unresolved"
    assert critical_point_type(NARROW, exact([1, 0, 2, 0]).point()).kind == "unresolved"
    with pytest.raises(DtypeError, match="float point"):
        critical_point_type(risk, w)
