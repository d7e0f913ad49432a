"""The lower point by one hinge: the separating hyperplane, and losses that are not rational."""

import pytest
from cases import fraction
from flint import arb
from networks_of_he import draw, made

from lscore import Network, Risk, SquaredLoss, binary_hinge, exact, hard_tanh, relu
from lscore.errors import HypothesisError
from lscore.model.balls import ball_risk
from lscore.model.entropy import LogisticLoss
from lscore.model.huber import HuberLoss
from lscore.papers.he2020 import affine_minimum, hinge_point
from lscore.papers.he2020.lower_point import merged_pulls


@pytest.mark.parametrize("seed", range(1, 160, 16))
def test_the_hyperplane_cuts_one_pulling_input_off_the_others(seed):
    risk = draw(seed)
    found = hinge_point(risk)
    outputs = risk.exact_augmented @ found.fit.T
    X, merged, _ = merged_pulls(risk, outputs)
    above = []
    for i in range(len(X)):
        if not merged.rows(i, i + 1).is_zero():
            value = found.corner.dot(X.rows(i, i + 1).T) - found.threshold
            assert value != 0
            above += [i] * (value > 0)
    assert [X.rows(i, i + 1).T for i in above] == [found.corner]
    moved = outputs + found.hinge @ exact(found.gains).T
    assert risk.predictions(found.point) == moved


def test_a_huber_risk_falls_by_the_numbers_of_the_paper_notes():
    risk = Risk(Network((1, 2, 1, 1), hard_tanh), [0, 1, 2, 3, 4, 6], [0, 2, 1, 5, 3, 4],
                HuberLoss("1/2"))  # fmt: skip
    assert fraction(risk(affine_minimum(risk))) == 6 * fraction(exact(["53/168"])[0, 0])
    assert str(risk(hinge_point(risk).point) / 6) == "733/2352"


def test_a_logistic_risk_falls_and_balls_prove_it():
    X, y = [-3, -1, 1, 3], [1, -1, 1, -1]
    risk = Risk(Network((1, 2, 2, 1), relu), X, y, LogisticLoss())
    fit = exact([["-0.45409213128004754", 0]])  # the minimiser, to 17 digits
    line = ball_risk(risk, affine_minimum(risk, fit))
    assert abs(float(line.mid()) / 4 - 0.586871633780) < 1e-12
    lower = ball_risk(risk, hinge_point(risk, fit).point)
    assert lower < line - arb("0.06")


def test_the_gains_do_not_depend_on_the_scale_of_the_loss():
    X, y = [0, 1, 2, 3, 4, 6], [0, 2, 1, 5, 3, 4]
    for losses in (
        [HuberLoss("1/2"), HuberLoss("1/2", mean=True)],
        [SquaredLoss(), SquaredLoss(9)],
    ):
        pair = [hinge_point(Risk(Network((1, 2, 1), relu), X, y, loss)).gains for loss in losses]
        assert pair[0] == pair[1]


def test_refusals():
    flat = Risk(Network((1, 2, 1), relu), [0, 1, 2], [1, 3, 5])
    assert made(hinge_point, flat) == "A12"
    assert made(hinge_point, Risk(Network((1, 1, 1), relu), [0, 1, 2], [1, 3, 0])) == "A3"
    hinge = Risk(Network((1, 2, 1), relu), [0, 1, 2], [1, -1, 1], binary_hinge())
    assert made(hinge_point, hinge) == "A1"
    logistic = Risk(Network((1, 2, 1), relu), [0, 1, 2], [1, -1, 1], LogisticLoss())
    with pytest.raises(HypothesisError, match="give a map as `fit`"):
        hinge_point(logistic)
