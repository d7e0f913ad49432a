"""Frozen parameters: minima among the points that agree in them, against brute force."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from cases import fraction
from oracles import held_still, local_minimum, numbers
from plain import Plain
from torch import nn

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    binary_hinge,
    certify_hinge_minimum,
    certify_local_minimum,
    exact,
    from_torch,
    frozen_of,
    hard_tanh,
    leaky_relu,
    relu,
    tanh,
)
from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import augment, stack
from lscore.curvature import curvature
from lscore.errors import DataError, HypothesisError, SettingError
from lscore.minima.balanced import certify_balance
from lscore.minima.ball_descent import certify_in_balls
from lscore.minima.clarke import certify_subgradient, clarke_subdifferential
from lscore.minima.descent import certify_along
from lscore.minima.restricted import lifted, tail
from lscore.papers.yun2019 import certify_spurious, least_squares_minimum
from lscore.runs.ensembles import descend_together

PARABOLA = Risk(Network((1, 2, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
HEAD = replace(PARABOLA, frozen=[True, False])  # only the output layer moves
HEAD_POINT = exact([1, 1, 0, -1, 1, 2, 0])  # x + 2 relu(x - 1), and the best is better


def solved_for_the_last(risk, w):
    """The point with the least squares of the last layer, all before being frozen."""
    rest, point = tail(risk, w)
    d = rest.network.widths[0]
    solved, _ = least_squares(augment(rest.exact_X), rest.exact_y)
    if not rest.network.biases[0]:
        solved, _ = least_squares(rest.exact_X, rest.exact_y)
    bias = solved.rows(d, d + 1).T if rest.network.biases[0] else None
    found = rest.network.pack([solved.rows(0, d).T], [bias])
    return stack([w.rows(0, len(w) - len(point)), found])


def test_the_last_layer_on_frozen_features_is_least_squares():
    """Refuted, and certified at the solution of the normal equations: convex, a global minimum."""
    answer = certify_local_minimum(HEAD, HEAD_POINT)
    assert answer.refuted
    step = answer.witness["direction"]
    assert step.rows(0, 4).is_zero()
    assert HEAD(answer.witness["lower_point"]) < HEAD(HEAD_POINT)
    rest, point = tail(HEAD, HEAD_POINT)
    assert (rest.network.widths, rest.frozen) == ((2, 1), ())
    assert rest(point) == HEAD(HEAD_POINT)
    solved = solved_for_the_last(HEAD, HEAD_POINT)
    found = certify_local_minimum(HEAD, solved)
    assert (found.claim, found.verdict) == ("B-BALANCE", "certified")
    assert found.conditions[0].text.startswith("the first layers are frozen")
    assert certify_local_minimum(PARABOLA, solved).refuted  # as the hidden layer moves too


def test_a_minimum_over_all_parameters_is_one_over_the_free_ones():
    w = least_squares_minimum(PARABOLA)
    for frozen in ([False, True], {"biases": True}, [j % 2 == 0 for j in range(7)]):
        answer = certify_local_minimum(replace(PARABOLA, frozen=frozen), w)
        assert (answer.claim, answer.verdict) == ("YUN-T1", "certified")


def test_a_refutation_needs_a_direction_of_the_free_ones():
    """(v w - 1)^2 / 2 at w = 0, v = 1: only w descends."""
    risk = Risk(Network((1, 1, 1), leaky_relu(1 / 2), bias=False), [1], [1])
    w = exact(["1/2", 1])
    assert certify_local_minimum(risk, w).refuted
    held = replace(risk, frozen=[True, False])
    assert numbers(certify_local_minimum(held, w).witness["direction"])[0] == 0
    idle = exact([1, 0])  # v is 0: w alone changes nothing
    assert certify_local_minimum(replace(risk, frozen=[False, True]), idle).verdict == "unknown"
    assert certify_local_minimum(replace(risk, frozen=[True, False]), idle).refuted


def test_directions_that_move_what_is_frozen_are_refused():
    with pytest.raises(DataError, match="u: moves a frozen parameter"):
        certify_along(HEAD, HEAD_POINT, exact([1] + [0] * 6))
    assert certify_along(HEAD, HEAD_POINT, exact([0] * 4 + [1, 1, 0])).verdict != "certified"


def test_other_checkers_do_not_answer_and_constructions_refuse():
    w = least_squares_minimum(PARABOLA)
    for checker in (certify_subgradient, certify_spurious):
        answer = checker(HEAD, w)
        assert answer.verdict == "unknown"
        assert "frozen parameters" in answer.reason
    assert certify_balance(HEAD, w).certified
    over_all = "over all parameters the answer is unknown"
    assert over_all in certify_balance(HEAD, HEAD_POINT).reason
    point = w.point()
    for refused in (
        lambda: clarke_subdifferential(HEAD, w),
        lambda: curvature(HEAD, point),
        lambda: curvature(HEAD, point, "old-switches", step=0.1),
        lambda: descend_together(HEAD, point[None], 0.1, 1),
        lambda: least_squares_minimum(HEAD),
    ):
        with pytest.raises((SettingError, HypothesisError), match="frozen parameters"):
            refused()


def test_what_is_frozen_takes_its_decay_along():
    """Its decay is a constant; the rest keeps its own."""
    risk = Risk(Network((1, 1, 1), relu), [1], [1], weight_decay="1/2", frozen=[True, False])
    assert risk.weight_decay == exact([0, 0, "1/2", "1/2"])
    whole = Risk(Network((1, 1), ()), [1], [1], weight_decay=3, frozen={"biases": True})
    assert whole.weight_decay == exact([3, 0])
    rest, point = tail(risk, exact([1, 1, 0, 1]))
    assert [fraction(rest.weight_decay), fraction(rest(point))] == [Fraction(1, 2), Fraction(1, 4)]


@pytest.mark.parametrize("h", [relu, hard_tanh, tanh])
@pytest.mark.parametrize("loss", [SquaredLoss("1/3"), SquaredLoss("1/2", mean=True)])
def test_derivatives_are_those_of_torch_with_the_same_parameters_frozen(h, loss):
    network = Network((2, 3, 2), h, bias=(True, False))
    torch.manual_seed(0)
    X, y = torch.randn(4, 2).double(), torch.randn(4, 2).double()
    frozen = [j % 3 == 0 for j in range(network.dimension)]
    risk = Risk(network, X, y, loss, {"weights": 0.1}, frozen)
    free = torch.tensor([not still for still in frozen])
    w, v = (torch.randn(network.dimension).double() for _ in range(2))

    places = torch.eye(network.dimension).double()[:, free]

    def moved(part):
        return risk._float_value(torch.where(free, 0.0, w) + places @ part)

    gradient = torch.func.grad(moved)(w[free])
    hessian = torch.func.hessian(moved)(w[free])
    assert torch.allclose(risk.gradient(w)[free], gradient, atol=1e-13)
    assert torch.allclose(risk.hessian(w)[free][:, free], hessian, atol=1e-12)
    assert not risk.gradient(w)[~free].any()
    assert not risk.hessian(w)[~free].any()
    assert not risk.hessian(w)[:, ~free].any()
    product = risk.hessian_vector_product(w, v)
    assert torch.allclose(product[free], hessian @ v[free], atol=1e-12)
    assert not product[~free].any()
    if risk.network.is_piecewise_linear:
        assert np.allclose(risk.gradient(exact(w)).floats()[:, 0], risk.gradient(w), atol=1e-13)


def test_balls_move_the_free_parameters_only():
    risk = Risk(Network((1, 1, 1), tanh), [1], [1], frozen={"biases": True})
    answer = certify_in_balls(risk, exact([1, 0, 1, 0]))
    assert answer.refuted
    for name in ("direction", "lower_point"):
        moved = numbers(answer.witness[name])
        assert (moved[1], moved[3]) == (0, 0)
    still = replace(risk, frozen=[True, True, True, False])
    assert certify_in_balls(still, exact([0, 0, 1, 1])).verdict == "unknown"  # the bias fits
    assert certify_in_balls(risk.unfrozen, exact([0, 0, 1, 2])).refuted


def test_a_hinge_network_of_which_the_head_is_trained():
    risk = Risk(Network((1, 2, 1), relu), [-1, 0, 1], [1, -1, 1], binary_hinge())
    held = replace(risk, frozen=[True, False])
    w = exact([1, -1, 0, 0, 2, 2, -1])  # 2 |x| - 1 separates
    assert certify_local_minimum(held, w).certified
    wrong = exact([1, -1, 0, 0, 0, 0, 0])
    answer = certify_local_minimum(held, wrong)
    assert answer.refuted
    assert held(answer.witness["lower_point"]) < held(wrong)
    assert certify_hinge_minimum(held, w).certified


def test_lifting_pads_what_moves_and_keeps_the_point():
    curve = exact([[1, 2], [3, 4]])
    found = lifted({"curve": curve, "order": 2}, exact([5, 6, 7]))
    assert found == {"curve": exact([[0, 0], [1, 2], [3, 4]]), "order": 2}


CASES = [
    (Network((1, 2, 1), relu), SquaredLoss(), [0, 1, 4]),
    (
        Network((2, 2, 1), leaky_relu("1/2"), (True, False)),
        SquaredLoss("1/2", mean=True),
        [0, 1, 4],
    ),
    (Network((1, 2, 2, 1), hard_tanh), SquaredLoss(), [0, 1, 4]),
    (Network((1, 2, 1), relu), binary_hinge(), [1, -1, 1]),
    (Network((1, 2, 2, 1), relu, bias=False), binary_hinge(), [1, -1, 1]),
    (Network((2, 2), ()), SquaredLoss(), [[0, 1], [1, 1], [4, 0]]),
]


@pytest.mark.parametrize("case", CASES)
def test_no_attack_succeeds_and_every_witness_stays(case):
    """Random masks, grids of points, and where the free parameters have been solved for."""
    network, loss, y = case
    rng, seen = np.random.default_rng(3), Counter()
    X = [[1, 0], [-1, 2], [0, 1]] if network.widths[0] == 2 else [-1, 1, 2]
    for trial in range(18):
        frozen = (rng.random(network.dimension) < rng.choice([0.2, 0.5, 0.8])).tolist()
        if trial % 3 == 0 and len(network.widths) > 2:
            last = network.widths[-1] * (network.widths[-2] + network.biases[-1])
            frozen = [j < network.dimension - last for j in range(network.dimension)]
        if all(frozen):
            continue
        risk = Risk(network, X, y, loss, ["0", {"weights": "1/5"}][trial % 2], frozen)
        w = exact(rng.integers(-2, 3, network.dimension).tolist())
        if trial % 6 == 0 and loss.quadratic and len(network.widths) > 2:
            w = solved_for_the_last(risk, w)
        for _ in range(3):
            answer = certify_local_minimum(risk, w, trials=10, limit=2)
            seen[answer.verdict] += 1
            if answer.verdict != "unknown":
                local_minimum(Plain(risk), numbers(w), answer, rng)
            if not answer.refuted:
                break
            w = answer.witness["lower_point"]
            assert held_still(Plain(risk), numbers(w), numbers(w)) == numbers(w)
    assert seen["refuted"]
    assert seen["certified"]


def test_a_half_frozen_model_is_read_when_it_is_said_so():
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1, bias=False))
    model[0].requires_grad_(False)
    with pytest.raises(DataError, match=r"'0.weight' is frozen .*frozen_of\(module\)"):
        from_torch(model)
    network, w = from_torch(model, frozen=True)
    risk = Risk(network, [0, 1, 2], [0, 1, 4], frozen=frozen_of(model))
    assert risk.frozen == (True,) * 4 + (False,) * 2
    assert certify_local_minimum(risk, w).refuted
    assert frozen_of(model.requires_grad_()) is False
    normed = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    normed[1].requires_grad_(False)
    with pytest.raises(DataError, match="not all are in Linear layers"):
        frozen_of(normed)
