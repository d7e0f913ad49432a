"""A loss by its contract alone goes through cells: its margins are the last layer of switches."""

import numpy as np
import pytest
from flint import fmpq
from losses import Absolute, Huber, Logistic, Quartic

from lscore import (
    Network,
    Risk,
    cell_along,
    cell_at,
    cell_polynomial,
    certify_subgradient,
    exact,
    hard_tanh,
    incident_cells,
    pattern_at,
    relu,
    risk_along,
    walls_along,
)
from lscore.cells.forms import certify_backpropagation, certify_forms, forms
from lscore.cells.partition import certify_disconnected, certify_in_cell
from lscore.cells.pattern import locate, switched
from lscore.errors import DataError, HypothesisError, TieError

LOSSES = [Huber(), Absolute(), Quartic()]
IDS = [loss.kind for loss in LOSSES]


def drawn(loss, seed, h=relu):
    rng = np.random.default_rng(seed)
    network = Network((2, 2, 2, 2), h, bias=bool(seed % 2))
    X, y = rng.integers(-2, 3, (3, 2)), rng.integers(-2, 3, (3, 2))
    risk = Risk(network, X, y, loss, weight_decay="1/3" if seed % 3 else 0)
    points = (exact(rng.integers(-6, 7, network.dimension).tolist()) / 4 for _ in range(2))
    return risk, *points


@pytest.mark.parametrize("h", [relu, hard_tanh], ids=lambda h: h.name)
@pytest.mark.parametrize("loss", LOSSES, ids=IDS)
def test_the_risk_along_a_ray_is_the_risk(loss, h):
    for seed in range(8):
        risk, w, u = drawn(loss, seed, h)
        line = risk_along(risk, w, u)
        for t in (fmpq(0), line.stop / 3, line.stop):
            assert line.risk(t) == risk(w + t * u)
        near = w + (line.stop / 2) * u
        try:
            cell = cell_along(risk, w, u)
        except TieError:
            continue
        assert near in cell
        assert cell(near) == risk(near)
        assert cell.gradient(near) == risk.gradient(near)


@pytest.mark.parametrize("loss", LOSSES, ids=IDS)
def test_the_polynomial_of_a_cell_is_its_risk(loss):
    seen = 0
    for seed in range(20):
        risk, w, u = drawn(loss, seed)
        if not pattern_at(risk, w).in_cell:
            continue
        seen += 1
        cell = cell_at(risk, w)
        p = cell_polynomial(cell)
        assert p(*w.entries()) == risk(w) == cell(w)
        assert p(*u.entries()) == cell(u)
        slopes = [p.derivative(j)(*u.entries()) for j in range(risk.dimension)]
        assert exact(slopes) == cell.gradient(u)
    assert seen > 3


def test_margins_of_huber_have_two_knots_and_are_the_last_layer():
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1, 2], [0, 0], Huber())
    start, end = exact([1, 0]), exact([1, 1])  # outputs t and 2 t, knots at 1/2
    walls = walls_along(risk, start, end)
    assert [(w.t, w.signals) for w in walls] == [
        (fmpq(1, 4), ((2, 1, 0),)),
        (fmpq(1, 2), ((2, 0, 0),)),
    ]
    on = exact([1, "1/2"])
    found = pattern_at(risk, on)
    assert str(found) == "layer 1  + +\nmargins  | 2"
    assert found.ties == [(2, 0, 0)]
    answer = certify_in_cell(risk, on)
    assert answer.refuted
    assert answer.witness["ties"] == [(2, 0, 0)]
    assert locate(risk, exact([1, "3/8"])).clearance == fmpq(1, 8)
    with pytest.raises(TieError, match="margin 0 has a tie at sample 0"):
        cell_at(risk, on)
    assert len(incident_cells(risk, on).cells) == 2
    # the loss is smooth, so both cells have one gradient, and the tie is not looked at
    assert certify_subgradient(risk, on, risk.gradient(on)).certified
    assert certify_subgradient(risk, on).refuted


def test_a_tie_of_the_absolute_loss_pulls_between_its_two_slopes():
    risk = Risk(Network((1, 1), (), bias=False), [1, 1, 1], [0, 1, 2], Absolute())
    assert certify_subgradient(risk, exact([1])).certified  # the median
    assert certify_subgradient(risk, exact([1]), exact(["1/2"])).certified
    beyond = certify_subgradient(risk, exact([1]), exact(["3/2"]))
    assert beyond.refuted
    assert certify_subgradient(risk, exact([0])).refuted
    assert certify_subgradient(risk, exact([0]), exact([-2])).certified


def test_forms_belong_to_piecewise_linear_losses():
    for seed in range(0, 60, 3):  # without weight decay
        risk, w, _ = drawn(Absolute(), seed)
        if pattern_at(risk, w).in_cell:
            assert certify_forms(cell_at(risk, w), w).certified
            assert certify_backpropagation(risk, w).certified
    risk, w, _ = drawn(Huber(), 1)
    with pytest.raises(HypothesisError, match="piecewise linear loss"):
        forms(cell_along(risk, w, exact([fmpq(1, 7 + j) for j in range(risk.dimension)])))


def test_a_loss_that_is_no_polynomial_has_cells_but_no_polynomial():
    risk = Risk(Network((1, 2, 1), relu), [1, 2], [1, -1], Logistic())
    w = exact([1, -1, 1, 1, 2, 3, 0])
    assert str(pattern_at(risk, w)) == "layer 1  +0 +-"
    with pytest.raises(DataError, match="the logistic loss is not a polynomial"):
        risk_along(risk, w, w)
    cell = cell_along(risk, w, exact([0, 0, 0, 1, 0, 0, 0]))
    with pytest.raises(DataError, match="the logistic loss is not a polynomial"):
        cell_polynomial(cell)
    with pytest.raises(DataError, match="not"):
        cell(w)


def test_signals_of_a_pass_end_with_the_margins():
    risk, w, _ = drawn(Huber(), 1)
    *hidden, margins = switched(risk, locate(risk, w).run)
    assert [z.shape for z in hidden] == [(3, 2), (3, 2)]
    assert margins == risk.predictions(w) - risk.exact_y
    assert certify_disconnected(risk, w, w).verdict.value in ("refuted", "unknown")
