"""Strong convexity inside a cell, with a direction where it fails."""

import numpy as np
import pytest
from flint import fmpq
from toy_risks import HALF

from lscore import Network, Risk, exact, leaky_relu, relu
from lscore.curvature.convexity import certify_strong_convexity


@pytest.mark.parametrize("decay", [0, "1/10", 2])
def test_the_verdict_is_the_sign_of_the_smallest_eigenvalue(decay):
    rng = np.random.default_rng(0)
    network = Network((2, 2, 2, 1), leaky_relu("1/4"))
    risk = Risk(network, rng.normal(size=(5, 2)), rng.normal(size=5), HALF, decay)
    for _ in range(8):
        w = rng.normal(size=network.dimension)
        smallest = np.linalg.eigvalsh(risk.hessian(exact(w).point()).numpy())[0]
        for theta in (0, fmpq(1, 20)):
            answer = certify_strong_convexity(risk, w, theta)
            if abs(smallest - float(theta)) > 1e-9:
                assert answer.certified == (smallest > float(theta))
            if answer.refuted:
                assert answer.witness["curvature"] <= theta


def test_as_much_curvature_is_not_more():
    """w = 0: the Hessian is lambda times the identity, whatever theta is tried."""
    risk = Risk(Network((1, 1, 1), relu, bias=False), [-1], [1], HALF, "1/2")
    w = exact([1, 0])  # off
    assert certify_strong_convexity(risk, w, "499/1000").certified
    answer = certify_strong_convexity(risk, w, "1/2")
    assert answer.refuted
    assert answer.witness["curvature"] == fmpq(1, 2)


def test_walls_are_unknown():
    """At a kink the own cell is convex and yet the point is no minimum, so nothing is said."""
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [1], HALF, "1/2")
    answer = certify_strong_convexity(risk, exact([0, 0]))
    assert answer.verdict == "unknown"
    assert "wall" in answer.reason
    assert risk(exact(["1/10", "1/10"])) < risk(exact([0, 0]))
