"""Flat cells by path products: against every path in turn, with refused witnesses."""

import itertools

import numpy as np
import pytest
from cases import assert_unknown, fraction

from lscore import (
    Network,
    Risk,
    binary_hinge,
    cell_at,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    relu,
)
from lscore.algebra.matrices import zeros
from lscore.cells.forms import cell_polynomial
from lscore.cells.pattern import Cell
from lscore.errors import LscoreError, ShapeError
from lscore.papers.laurent2018 import (
    certify_flat,
    certify_flat_is_optimal,
    certify_vanishing,
    changes_the_frozen_risk,
)
from lscore.papers.laurent2018.flat import weighted_images

LINE, SIGNS = [-1, 0, 1], [1, -1, 1]
RARE = ["1/4", "1/2", "1/4"]
FIGURE4 = Risk(
    Network((2, 2, 1), relu),
    [[3, 0], [4, 1], [5, -1], [3, 2], [6, 1], [-3, 0], [-4, 1], [-5, -1], [-4, -2], [-6, 2]],
    [1] * 5 + [-1] * 5,
    binary_hinge(),
)


def on_line(alpha, weights=None, widths=(1, 2, 1)):
    h = identity if alpha == 1 else leaky_relu(alpha)
    return Risk(Network(widths, h), LINE, SIGNS, binary_hinge(weights))


def every_path(cell):
    """Lemma 101 path by path, in Fractions."""
    network, n = cell.risk.network, len(cell.risk.y)
    pull = cell.pull(zeros(n, 1))
    slopes = [
        [[fraction(h.slopes[p]) for p in row] for row in part]
        for h, part in zip(network.activations, cell.pieces[:-1], strict=True)
    ]
    X = [[fraction(cell.risk.exact_X[i, j]) for j in range(network.widths[0])] for i in range(n)]
    for r in range(network.widths[-1]):
        nu = [fraction(pull[i, r]) for i in range(n)]
        for length in range(len(slopes) + 1):
            layers = slopes[len(slopes) - length :]
            for units in itertools.product(*(range(len(layer[0])) for layer in layers)):
                products = list(nu)
                for layer, k in zip(layers, units, strict=True):
                    products = [v * layer[i][k] for i, v in enumerate(products)]
                if network.biases[-1 - length] and sum(products) != 0:
                    return False
                if length == len(slopes):
                    for column in zip(*X, strict=True):
                        if sum(v * x for v, x in zip(products, column, strict=True)) != 0:
                            return False
    return True


CASES = [
    ((1, 2, 1), leaky_relu("1/2"), binary_hinge([*RARE, "1/4"]), [1, -1, 1, 1]),
    ((1, 2, 2, 1), relu, binary_hinge(), [1, -1, 1, -1]),
    ((1, 2, 3), relu, multiclass_hinge(), [0, 1, 2, 0]),
    ((1, 1, 2, 2), leaky_relu("1/3"), one_versus_all_hinge(), [0, 1, 1, 0]),
    ((1, 2, 2, 1), (leaky_relu("1/2"), relu), binary_hinge(), [1, -1, 1, -1]),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("bias", [(True, True), (False, False), (True, False), (False, True)])
def test_the_decision_equals_a_walk_over_every_path(case, bias):
    widths, h, loss, labels = case
    biases = tuple(bias[l % 2] for l in range(len(widths) - 1))
    risk = Risk(Network(widths, h, biases), [-1, 0, 1, 1], labels, loss)
    rng = np.random.default_rng(0)
    terms = risk.loss.directions(risk.y.numpy()).shape[1]
    found = [0, 0]
    for _ in range(60):
        pieces = tuple(rng.integers(0, 2, (4, k)) for k in widths[1:-1])
        if rng.random() < 0.5:
            pieces[0][:] = pieces[0][:1]
        margins = (rng.random((4, terms)) < rng.choice([0.1, 0.5, 0.9])).astype(int)
        cell = Cell(risk, (*pieces, margins))
        answer = certify_flat(cell)
        assert answer.certified == every_path(cell)
        assert answer.certified == (cell_polynomial(cell).total_degree() <= 0)
        found[answer.certified] += 1
        points = [exact(rng.integers(-3, 4, risk.dimension).astype(float)) for _ in range(6)]
        values = {str(cell(w)) for w in points}
        if answer.certified:
            assert values == {str(answer.values["risk"])}
        else:
            assert changes_the_frozen_risk(cell, answer.witness["point"])
            assert len(values) > 1
    assert min(found) > 0


def test_a_flat_cell_with_a_positive_loss_on_rare_data():
    for alpha in (0, "1/4", "1/2", 1):
        risk = on_line(alpha, RARE)
        w = exact([1, 1, 2, 2, 1, -1, "1/2"])
        assert certify_flat(cell_at(risk, w)).values["risk"] == 1
        assert certify_flat_is_optimal(risk, w).refuted


def test_the_flat_points_of_figure_four():
    risks = {}
    for b, v in ((-1, 1), ("-7/2", 4), (-10, 1)):
        w = exact([1, 0, -1, 0, b, b, v, f"-{v}", 0])
        answer = certify_flat(cell_at(FIGURE4, w))
        risks[str(b)] = answer.values["risk"] if answer.certified else answer.witness["path"]
    assert risks["-1"] == 0
    assert risks["-10"] == 1
    assert risks["-7/2"] == "output 0 < bias"
    assert certify_flat_is_optimal(FIGURE4, w).witness["risk"] == 1


def test_theorem_three_is_certified_on_separable_data_only_with_a_positive_slope():
    separable = Risk(
        Network((1, 3, 3, 1), leaky_relu("1/9")), [0, 1, 3], [-1, 1, 1], binary_hinge()
    )
    answer = certify_flat_is_optimal(separable)
    assert answer.certified
    assert [c.text for c in answer.conditions][:2] == [
        "every layer has biases",
        "the leaky slope is positive",
    ]
    dead = Risk(Network((1, 3, 1), relu), [0, 1, 3], [-1, 1, 1], binary_hinge())
    assert "slope" in certify_flat_is_optimal(dead).reason
    assert "rare" in certify_flat_is_optimal(on_line("1/2")).reason
    free = Risk(Network((1, 2, 1), leaky_relu("1/2"), bias=False), [1, 2], [-1, 1], binary_hinge())
    assert "biases" in certify_flat_is_optimal(free).reason


def test_a_good_flat_cell_does_not_refute():
    separable = Risk(Network((1, 1, 1), leaky_relu("1/2")), [0, 1], [-1, 1], binary_hinge())
    assert certify_flat_is_optimal(separable, exact([9, 1, 1, -5])).certified


def test_a_coefficient_that_fails_its_check_is_never_returned(monkeypatch):
    where = "lscore.papers.laurent2018.flat._path_point"
    monkeypatch.setattr(where, lambda network, path: zeros(network.dimension))
    risk = on_line("1/2")
    with pytest.raises(LscoreError, match="failed its check"):
        certify_flat(cell_at(risk, exact([1, 1, 2, 2, 1, -1, "1/2"])))


def test_a_wrong_point_does_not_show_that_a_cell_is_not_flat():
    risk = on_line("1/2")
    cell = cell_at(risk, exact([1, 1, 2, 2, 1, -1, "1/2"]))
    witness = certify_flat(cell).witness
    assert changes_the_frozen_risk(cell, witness["point"])
    assert not changes_the_frozen_risk(cell, witness["point"] * 0)


@pytest.mark.parametrize("seed", range(20))
def test_lemma_100_by_random_matrices(seed):
    rng = np.random.default_rng(seed)
    n, m, d = 3, 2, 2
    X = exact(rng.integers(-1, 2, (n, d)).astype(float))
    diagonals = exact(rng.integers(-1, 2, (n, m)) * rng.integers(0, 2, m).astype(float))
    answer = certify_vanishing(diagonals, X)
    images = [
        weighted_images(diagonals, exact(rng.integers(-5, 6, (m, d)).astype(float)), X)
        for _ in range(4)
    ]
    assert answer.certified == all(image.is_zero() for image in images)
    if answer.refuted:
        image = weighted_images(diagonals, answer.witness["matrix"], X)
        assert image == answer.witness["sum"]
        assert not image.is_zero()


def test_what_the_lemmas_do_not_cover_is_refused():
    squared = Risk(Network((1, 1, 1), relu), [1], [1])
    bent = Risk(Network((1, 1, 1), hard_tanh), [1], [1], binary_hinge())
    decay = Risk(Network((1, 1, 1), relu), [1], [1], binary_hinge(), weight_decay=1)
    output = Risk(
        Network((1, 1, 1), relu, output_activation=leaky_relu(2)), [1], [1], binary_hinge()
    )
    for risk in (squared, bent, decay, output):
        answer = certify_flat(cell_at(risk, exact([1, "1/3", 1, "1/5"])))
        assert_unknown(answer, "LVB-L101, hypothesis .*: got ")
    with pytest.raises(ShapeError, match="need as many"):
        certify_vanishing(zeros(2), zeros(3))


def test_flat_cells_under_weight_decay_are_not_the_theorems():
    decayed = Risk(
        Network((1, 1, 1), leaky_relu("1/2")), [0, 1], [-1, 1], binary_hinge(), weight_decay=1
    )
    assert_unknown(certify_flat_is_optimal(decayed), "hypothesis no weight decay")
