"""Forms and polynomials of cells: they are the risk on the cell, and are not elsewhere."""

import numpy as np
import pytest
from flint import Ordering, fmpq, fmpq_mpoly_ctx

from lscore import (
    Network,
    Risk,
    binary_hinge,
    cell_at,
    exact,
    half_sum_of_squares,
    hard_tanh,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    pattern_at,
    relu,
)
from lscore.cells import forms as multilinear
from lscore.cells.forms import (
    cell_polynomial,
    certify_backpropagation,
    certify_forms,
    certify_multilinear,
    forms,
    laplacian,
    monomials_by_block,
    output_polynomials,
    parameter_names,
)
from lscore.cells.pattern import Cell
from lscore.errors import HypothesisError

NETS = [
    ((2, 3, 1), binary_hinge(), [1, -1, 1, -1]),
    ((2, 3, 3), multiclass_hinge(), [0, 1, 2, 0]),
    ((2, 3, 2, 2), one_versus_all_hinge(), [0, 1, 1, 0]),
    ((1, 1, 2), multiclass_hinge(["1/8", "1/8", "1/2", "1/4"]), [0, 1, 1, 0]),
]
ACTIVATIONS = [relu, leaky_relu("1/4"), leaky_relu("1/3"), hard_tanh]


def points(case, h, count=6):
    """Random exact points inside cells, with their cells."""
    widths, loss, labels = case
    rng = np.random.default_rng(5)
    X = exact(rng.integers(-6, 7, (4, widths[0])) / 4.0)
    risk = Risk(Network(widths, h), X, labels, loss)
    found = []
    while len(found) < count:
        w = exact(rng.integers(-16, 17, risk.dimension) / 8.0 + 1 / 128)
        if pattern_at(risk, w).in_cell:
            found.append((risk, w, cell_at(risk, w)))
    return found


@pytest.mark.parametrize("h", ACTIVATIONS, ids=lambda h: h.name)
@pytest.mark.parametrize("case", NETS)
def test_forms_sum_to_the_risk_on_the_cell_and_fail_to_elsewhere(case, h):
    differs = 0
    tries = points(case, h)
    for risk, w, cell in tries:
        assert sum((form(w) for form in forms(cell)), fmpq(0)) == risk(w)
        for other_risk, other, _ in tries:
            frozen = sum((form(other) for form in forms(cell)), fmpq(0))
            assert frozen == cell(other)
            differs += frozen != other_risk(other)
    assert differs > 5


@pytest.mark.parametrize("h", ACTIVATIONS, ids=lambda h: h.name)
@pytest.mark.parametrize("case", NETS)
def test_polynomials_are_the_forms_written_out(case, h):
    risk, w, cell = points(case, h, 1)[0]
    p = cell_polynomial(cell)
    entries = w.entries()
    assert p(*entries) == risk(w)
    assert cell_polynomial(cell, w)(*[0] * risk.dimension) == risk(w)
    assert laplacian(p) == 0
    assert certify_multilinear(cell).certified
    blocks = {form.blocks for form in forms(cell)}
    assert set(monomials_by_block(p)) <= blocks


def test_the_monomials_of_a_deep_cell():
    """All units on, all margins unsolved, generic data: every monomial is there."""
    risk = Risk(Network((2, 2, 2, 2), relu), [[1, 2], [3, 5]], [0, 0], multiclass_hinge())
    w = exact([1, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 0, 0, 0, 0, 0, 0])
    counts = monomials_by_block(cell_polynomial(cell_at(risk, w)))
    assert counts == {
        ("W1", "W2", "W3"): 16,
        ("b1", "W2", "W3"): 8,
        ("b2", "W3"): 4,
        ("b3",): 2,
        (): 1,
    }


def test_shared_parameters_across_layers_are_refused():
    risk = Risk(Network((1, 1, 1), relu, bias=False), ["3/10"], [1], binary_hinge())
    cell = cell_at(risk, exact([1, 1]))
    p = cell_polynomial(cell)
    assert certify_multilinear(cell, p).certified
    a = p.context().gen(0)
    tied = p.compose(a, a)  # one parameter in both layers
    answer = certify_multilinear(cell, tied)
    assert answer.refuted
    assert answer.witness["monomial_in"] == ("W1", "W1")
    foreign = p + a
    answer = certify_multilinear(cell, foreign)
    assert answer.refuted
    assert answer.witness["monomial_in"] == ("W1",)


def test_names_and_blocks():
    net = Network((1, 2, 1), relu, bias=False)
    assert parameter_names(net) == ["W1_0_0", "W1_1_0", "W2_0_0", "W2_0_1"]
    c = fmpq_mpoly_ctx.get(["W1_0_0", "W2_0_0"], Ordering.lex)
    a, b = c.gens()
    assert laplacian(a * a * b + b) == 2 * b


def test_other_losses_and_weight_decay_have_no_forms():
    net = Network((1, 1, 1), relu)
    w = exact([1, 1, 1, 1])
    squared = Risk(net, [1], [1], half_sum_of_squares)
    with pytest.raises(HypothesisError, match="hypothesis piecewise linear loss"):
        forms(cell_at(squared, w))
    decayed = Risk(net, [1], [-1], binary_hinge(), weight_decay=1)
    with pytest.raises(HypothesisError, match="got weight decay"):
        forms(cell_at(decayed, w))
    assert laplacian(cell_polynomial(cell_at(decayed, w))) == 4


def test_the_forms_sum_to_the_risk_at_points_of_the_cell_only():
    for case in NETS:
        (risk, w, cell), (_, other, _) = points(case, relu, 2)
        answer = certify_forms(cell, w)
        assert answer.certified
        assert answer.values["point_in_the_cell"] == "yes"
        assert answer.values["risk"] == risk(w)
        assert certify_forms(cell, w.point()).certified
        elsewhere = certify_forms(cell, other)
        if elsewhere.refuted:
            assert elsewhere.witness["risk"] == risk(other) != cell(other)
            assert elsewhere.witness["sum_of_the_forms"] == cell(other)
        else:
            assert risk(other) == cell(other)


@pytest.mark.parametrize("h", ACTIVATIONS, ids=lambda h: h.name)
@pytest.mark.parametrize("case", NETS)
def test_gradients_give_the_forms(case, h):
    for risk, w, cell in points(case, h, 3):
        answer = certify_backpropagation(risk, w)
        assert answer.certified
        found = {form.blocks: form(w) for form in forms(cell)}
        depth = len(risk.network.widths) - 1
        assert answer.values[f"b{depth}"] == found[(f"b{depth}",)]
        everything = tuple(f"W{l}" for l in range(1, depth + 1))
        assert answer.values["W1"] == found[everything]


def test_a_wrong_form_is_noticed(monkeypatch):
    """Forms of a cell with one margin dropped do not fit the gradient."""
    risk, w, cell = points(NETS[0], relu, 1)[0]
    margins = cell.margins.copy()
    margins[tuple(np.argwhere(margins)[0])] = 0
    wrong = Cell(risk, (*cell.pieces[:-1], margins))
    assert certify_forms(wrong, w).refuted
    monkeypatch.setattr(multilinear, "cell_at", lambda risk, w: wrong)
    answer = certify_backpropagation(risk, w)
    assert answer.refuted
    assert [(c.text, c.holds) for c in answer.conditions] == [
        ("equal for every weight matrix and bias", False)
    ]
    assert answer.witness["product"] != answer.witness["forms"]


def test_outputs_are_multi_affine_for_every_loss():
    risk = Risk(Network((2, 2, 2, 2), leaky_relu("1/3")), [[1, 2], [3, 5]], [[0, 1], [1, 0]])
    w = exact(np.arange(-9, 9) / 4.0 + 1 / 128)
    cell = cell_at(risk, w)
    for i, row in enumerate(output_polynomials(cell)):
        for k, p in enumerate(row):
            assert all(len(set(blocks)) == len(blocks) for blocks in monomials_by_block(p))
            assert p(*w.entries()) == risk.predictions(w)[i, k]
    assert laplacian(cell_polynomial(cell)) != 0


def test_the_ledger_example_of_shared_weights():
    """1 - 3/10 v a^2 at (a, v) = (3/2, 7/10): the trace of the Hessian is -21/50."""
    risk = Risk(Network((1, 1, 1, 1), relu, bias=False), ["3/10"], [1], binary_hinge())
    p = cell_polynomial(cell_at(risk, exact([1, 1, 1])))
    a, _, v = p.context().gens()
    assert laplacian(p.compose(a, a, v))(fmpq(3, 2), 0, fmpq(7, 10)) == fmpq(-21, 50)


def test_residual_links_keep_multi_affinity_and_add_forms():
    risk = Risk(Network((1, 1, 1, 1), relu), [1], [1], binary_hinge())
    cell = cell_at(risk, exact([1, 1, 1, 1, "1/9", 0]))
    p = cell_polynomial(cell)
    W1, b1, W2, *rest = p.context().gens()
    answer = certify_multilinear(cell, p.compose(W1, b1, W2 + 1, *rest))
    assert answer.refuted
    assert [c.holds for c in answer.conditions] == [True, False, True]
    assert answer.witness["monomial_in"] == ("W1", "W3")
