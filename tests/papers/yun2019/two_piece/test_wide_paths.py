"""Paths of wide networks fall to the pure error from any point."""

import numpy as np
import pytest
from cases import DEAD, PARABOLA, fraction, reference_risk
from valley_points import WIDE, wide

from lscore import (
    Network,
    Risk,
    certify_convex_path,
    certify_nonincreasing,
    exact,
    identity,
    relu,
    tanh,
)
from lscore.algebra.linear import pure_error
from lscore.errors import HypothesisError
from lscore.papers.yun2019 import least_squares_minimum, wide_path


@pytest.mark.parametrize("risk", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("seed", range(4))
def test_from_any_point_the_wide_path_falls_to_the_pure_error(risk, seed):
    rng = np.random.default_rng(seed)
    w = exact(rng.integers(-6, 7, risk.dimension) * (rng.random(risk.dimension) < 0.7) / 4.0)
    path = wide_path(risk, w)
    assert path[0] == w
    assert wide_path(risk, w.point())[-1] == path[-1]
    answer = certify_nonincreasing(risk, path)
    assert answer.certified
    assert certify_convex_path(risk, path).certified
    assert risk(path[0]) == risk(path[1]) == risk(path[2])
    least = pure_error(risk.exact_X, risk.exact_y) * risk.loss.scale(len(risk.exact_y))
    assert risk(path[3]) == answer.values["risk_at_the_end"] == least
    assert fraction(least) == reference_risk(risk, path[3])


def test_special_starts():
    risk = WIDE["parabola"]
    dead = exact([0, 0, 0, -1, -1, -1, 0, 0, 0, "7/2"])
    for w in (least_squares_minimum(risk), dead, exact([0] * 10), wide_path(risk, dead)[-1]):
        path = wide_path(risk, w)
        assert certify_nonincreasing(risk, path).certified
        assert risk(path[-1]) == 0


def test_narrow_and_affine_networks_are_refused():
    for width, needed in ((2, "4 distinct inputs need 3"), (1, "4 distinct inputs need 3")):
        risk = wide(PARABOLA, width)
        with pytest.raises(HypothesisError, match=rf"hypothesis width: .*{needed}") as caught:
            wide_path(risk, risk.network.init(0))
        assert caught.value.witness == width
    risk = wide(PARABOLA, 3, identity)
    with pytest.raises(HypothesisError, match="hypothesis activation: identity is affine"):
        wide_path(risk, risk.network.init(0))
    with pytest.raises(HypothesisError, match="piecewise linear: got tanh"):
        wide_path(wide(PARABOLA, 3, tanh), np.zeros(10))
    for network in (Network((1, 3, 1), relu, bias=False), Network((1, 3, 3, 1), relu)):
        risk = Risk(network, PARABOLA.exact_X, PARABOLA.exact_y)
        with pytest.raises(HypothesisError, match=r"hypothesis (biases|1 hidden layer)"):
            wide_path(risk, risk.network.init(0))


def test_duplicates_need_no_units():
    risk = Risk(Network((1, 1, 1), relu), [0, 0, 0, 1], [1, 2, 3, 4])
    path = wide_path(risk, exact([1, -5, 2, 0]))
    assert certify_nonincreasing(risk, path).values["risk_at_the_end"] == 1


def test_the_dead_network_of_a_wide_network_is_left_too():
    risk = wide(DEAD.risk, 3)
    w = exact([0, 0, 0, -1, -1, -1, 1, 1, 1, "7/2"])
    assert certify_nonincreasing(risk, wide_path(risk, w)).values["risk_at_the_end"] == 0
