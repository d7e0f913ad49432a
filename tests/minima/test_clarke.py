"""Clarke's subdifferential: hulls, budgets, and no contradiction anywhere."""

from collections import Counter

import numpy as np
import pytest
from flint import fmpq
from kinked_points import CAMPAIGN, PLANE, instance

from lscore import (
    Network,
    Risk,
    absolute_value,
    binary_hinge,
    certify_local_minimum,
    exact,
    half_sum_of_squares,
    hard_tanh,
    leaky_relu,
    pattern_at,
    relu,
    risk_along,
)
from lscore.algebra.alternatives import ShortestElement, common_descent
from lscore.cells.incident import incident_cells
from lscore.cells.pattern import Pattern
from lscore.cells.rays import cell_along
from lscore.errors import BudgetError, LscoreError, TieError
from lscore.minima.autograd import autograd_cell, autograd_direction, certify_autograd
from lscore.minima.clarke import certify_subgradient, clarke_subdifferential
from lscore.minima.descent import certify_along

STANDING = Risk(Network((1, 2, 1), leaky_relu("1/4")), [-1, 0, 1], [1, -1, 1], binary_hinge())


def test_the_leaky_zero_net():
    """Six cells, not critical, shortest element of squared norm 25/64."""
    loss = binary_hinge(["1/4", "1/4", "1/2"])
    risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [1, 2, -1], [1, 1, -1], loss)
    w = exact([0, 0, 1, 0])
    hull = clarke_subdifferential(risk, w)
    shortest = hull.shortest()
    assert hull.gradients.shape == (4, 6)
    assert hull.is_complete
    assert shortest.norm_squared == fmpq(25, 64)
    assert (hull.gradients.T @ shortest.point).smallest() >= shortest.norm_squared
    with pytest.raises(LscoreError, match="nearer to 0"):
        ShortestElement(hull.gradients, exact([1, 0, 0, 0, 0, 0]))
    answer = certify_subgradient(risk, w)
    assert answer.refuted
    assert certify_along(risk, w, answer.witness["direction"]).refuted
    for cell in hull.incident.cells:
        g = cell.cell.gradient(w)
        assert certify_subgradient(risk, w, g).certified
        assert certify_subgradient(risk, w, g * 9).refuted


def test_a_critical_point_with_output_weights():
    """Four cells around a local minimum of risk 2/3, 0 between the gradients of two of them."""
    w = exact([1, 1, 2, 2, 1, -1, 1])
    assert STANDING(w) == fmpq(2, 3)
    assert certify_subgradient(STANDING, w).certified
    hull = clarke_subdifferential(STANDING, w)
    assert hull.gradients.shape == (7, 4)
    assert common_descent(hull.gradients).solvable


def test_absolute_values_in_the_plane():
    """f = |x| + |y| at 0: four gradients (+-1, +-1), 0 half way between opposite ones."""
    net = Network((2, 2), (), bias=False, output_activation=absolute_value)
    risk = Risk(net, [[1, 0]], [[-1, -1]], half_sum_of_squares)
    w = exact([0, 1, 0, 1])  # outputs |w_11| and |w_21|
    gradients = clarke_subdifferential(risk, w).gradients
    columns = {tuple(map(str, gradients.column(j).entries())) for j in range(gradients.shape[1])}
    assert columns == {(a, "0", b, "0") for a in ("1", "-1") for b in ("1", "-1")}
    assert certify_subgradient(risk, w).certified


@pytest.mark.parametrize("case", CAMPAIGN)
def test_no_contradiction_in_a_campaign(case):
    """50 exact instances per case: cells, criticality, descent, local minima and losses agree."""
    seen = Counter()
    for seed in range(50):
        risk, w, rng = instance(case, seed)
        found = pattern_at(risk, w)
        try:
            listed = incident_cells(risk, w, tie_limit=9, limit=600)
        except BudgetError:
            seen["over budget"] += 1
            continue
        keys = {cell.cell.pattern for cell in listed.cells}
        doubtful = {cell.pattern for cell in listed.doubtful}
        assert len(keys) == len(listed.cells) >= 1
        assert not keys & doubtful
        free = all_move(risk, found)
        for cell in listed.cells:
            if free:
                assert cell_along(risk, w, cell.direction).pattern == cell.cell.pattern
        for _ in range(6):
            u = exact(rng.integers(-3, 4, risk.dimension) / 1.0 + rng.random() / 8)
            try:
                assert cell_along(risk, w, u).pattern in keys | doubtful
            except TieError:
                continue
        answer = certify_subgradient(risk, w, tie_limit=9, limit=600)
        seen[answer.verdict.value] += 1
        seen["ties"] += bool(found.ties)
        if answer.refuted:
            line = risk_along(risk, w, answer.witness["direction"])
            assert line.order == 1
            assert line.risk[1] <= -1
            assert certify_along(risk, w, answer.witness["direction"]).refuted
        if found.in_cell:
            assert answer.certified == risk.gradient(w).is_zero()
        if certify_local_minimum(risk, w, trials=10, limit=2).certified:
            assert not answer.refuted
        reported = certify_autograd(risk, w)
        if case[3]:
            assert reported.certified
            direction = autograd_direction(risk, w)
            assert cell_along(risk, w, direction).pattern == autograd_cell(risk, w).pattern
    assert seen["ties"] > 20
    assert seen["certified"] + seen["refuted"] > 20


def all_move(risk, found):
    """Whether every tie can be broken: without biases an input 0 never leaves its knot."""
    zero = [i for i in range(len(risk.exact_X)) if risk.exact_X.rows(i, i + 1).is_zero()]
    return risk.network.biases[0] or not any(i in zero for _, i, _ in found.ties)


def test_the_budget_is_stated_and_kept():
    risk = Risk(Network((2, 3, 3, 1), relu), PLANE[:4], [1, -1, 1, 1], binary_hinge())
    w = exact([0] * risk.dimension)
    ties = len(pattern_at(risk, w).ties)
    assert ties == 24
    with pytest.raises(BudgetError, match="24 ties meet at the point, the limit is 16"):
        incident_cells(risk, w)
    answer = certify_subgradient(risk, w)
    assert answer.verdict.value == "unknown"
    assert answer.reason == "24 ties meet at the point, the limit is 16"
    small = Risk(Network((2, 2, 1), relu), PLANE[:5], [0] * 5)
    at = exact([0] * 6 + [1, 1, 0])
    assert len(incident_cells(small, at, tie_limit=10).cells) == 22**2
    answer = certify_subgradient(small, at, tie_limit=9)
    assert answer.reason == "10 ties meet at the point, the limit is 9"
    answer = certify_subgradient(small, at, limit=483)
    assert answer.reason == "484 cells meet at the point, the limit is 483"


def test_a_tie_that_nothing_nearby_breaks_is_no_wall():
    """A dead first layer holds the second one on its knot, on an open set: one polynomial there."""
    risk = Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [1], binary_hinge())
    w = exact([-1, 1, 1])
    assert pattern_at(risk, w).ties == [(2, 0, 0)]
    (listed,) = incident_cells(risk, w).cells
    assert (listed.standing, listed.direction.is_zero()) == (((2, 0, 0),), True)
    assert clarke_subdifferential(risk, w).gradients.is_zero()
    answer = certify_subgradient(risk, w)
    assert answer.certified
    assert [c.text for c in answer.conditions] == [
        "the risk is one polynomial around the point, ties that nothing nearby breaks: 1",
        "0 is its gradient there",
    ]
    assert certify_subgradient(risk, w, [1, 0, 0]).refuted


def test_an_input_0_without_bias_is_entered_by_no_ray():
    risk = Risk(Network((1, 1, 1), relu, bias=False), [0, 2], [0, 0])
    answer = certify_subgradient(risk, exact([1, -1]))
    assert answer.refuted
    assert "ray" not in str(answer)
    assert risk(exact([1, -1]) + answer.witness["direction"] / 16) < risk(exact([1, -1]))


def test_a_margin_of_a_flat_output_piece_is_no_wall():
    """1 - h(z) with h = 1 for z > 1: the risk is 0 around b = 5, every margin a tie."""
    network = Network((1, 1), (), output_activation=hard_tanh)
    risk = Risk(network, [0], [1], binary_hinge())
    answer = certify_subgradient(risk, exact([0, 5]))
    assert answer.certified


def test_without_a_sure_cell_the_candidates_may_still_decide():
    """w2 relu(w1) has no first-order direction at 0; all candidates agree there."""
    network = Network((1, 1, 1, 1), leaky_relu("1/2"), bias=False)
    risk, w = Risk(network, [1], [1]), exact([0, 0, 1])
    with pytest.raises(TieError, match="each of 4 cells may or may not meet"):
        clarke_subdifferential(risk, w)
    answer = certify_subgradient(risk, w)
    assert answer.certified
    assert answer.conditions[0].text == (
        "0 is the only gradient of the cells that may be incident (4)"
    )
    refuted = certify_subgradient(risk, w, [0, 0, 1])
    assert refuted.refuted
    assert [c.holds for c in refuted.conditions] == [False]


@pytest.mark.parametrize("widths", [(1, 2, 2, 1), (2, 2, 1, 1), (1, 1, 2, 2, 1)])
@pytest.mark.parametrize("h", [relu, leaky_relu("1/2"), hard_tanh], ids=lambda h: h.name)
def test_deep_networks_without_biases_are_decided(widths, h):
    """Sampled cells near the point are listed, listed ones are entered; a direction descends."""
    seen, rng = Counter(), np.random.default_rng(0)
    for _ in range(40):
        X = rng.integers(-1, 2, (3, widths[0]))
        risk = Risk(Network(widths, h, bias=False), X.tolist(), rng.integers(-2, 3, 3).tolist())
        w = exact(rng.integers(-1, 2, risk.dimension).tolist())
        try:
            listed = incident_cells(risk, w, tie_limit=9, limit=300)
        except BudgetError:
            continue
        keys = {cell.cell.pattern for cell in listed.cells}
        keys |= {cell.pattern for cell in listed.doubtful}
        for cell in listed.cells:
            near = pattern_at(risk, w + cell.direction / 2**30)
            assert set(near.ties) == set(cell.standing)
            assert left_of_ties(near) == cell.cell.pattern
        moves = rng.integers(-(10**6), 10**6, (6, risk.dimension)).tolist()
        around = [w + exact(move) / 2**45 for move in moves]
        assert {left_of_ties(pattern_at(risk, v)) for v in around} <= keys
        answer = certify_subgradient(risk, w, tie_limit=9, limit=300)
        seen[answer.verdict.value] += 1
        if answer.refuted:
            d = answer.witness["direction"]
            for v in [w, *around]:
                assert risk(v + d / 2**40) - risk(v) < fmpq(-1, 2**41)
        if answer.verdict.value == "unknown":
            assert answer.reason.endswith("may or may not be incident, and they decide")
    assert seen["refuted"]
    assert seen["unknown"] < 2


def left_of_ties(found):
    """The pattern with every tie moved to the left piece of its knot."""
    return Pattern(tuple(part // 2 * 2 for part in found.layers))


def test_unsolved_margins_stay_in_the_zonotope_of_the_tied_ones():
    """The slopes at w = 1 are 3/4 from the right and 1/4 from the left: 0 is not between them."""
    risk = Risk(Network((1, 1), (), bias=False), [1, "-3/2"], [1, 1], binary_hinge())
    answer = certify_subgradient(risk, exact([1]))
    assert answer.refuted
    assert answer.conditions[0].text == "0 is in the zonotope of 1 margin ties"
    for g, inside in (("1/4", True), ("1/2", True), ("3/4", True), ("1/5", False), ("4/5", False)):
        assert certify_subgradient(risk, exact([1]), exact([g])).certified == inside
