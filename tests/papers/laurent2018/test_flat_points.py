"""Theorem 2 as a construction, the types of minima, and sharp minima."""

from dataclasses import replace

import numpy as np
import pytest
from cases import assert_unknown
from flint import fmpq

from lscore import (
    Network,
    Risk,
    absolute_value,
    binary_hinge,
    certify_affine_minimum,
    exact,
    identity,
    leaky_relu,
    multiclass_hinge,
    one_versus_all_hinge,
    pattern_at,
    relu,
)
from lscore.errors import HypothesisError
from lscore.papers.laurent2018 import (
    adjacent_patterns,
    certify_flat,
    certify_touches_flat,
    flat_point,
    flat_ray,
    is_flat_point,
)

DEEP = Risk(Network((1, 2, 2, 2), relu), [0, 1, 2, 3], [0, 1, 1, 0], multiclass_hinge())
TIED = DEEP.network.pack(
    [exact([1, -1]), exact([[1, 1], [-1, -1]]), exact([[1, "-1/2"], [-1, "1/2"]])],
    [exact([-2, 1]), exact([0, 1]), exact([0, 0])],
)


def on_line(alpha):
    h = identity if alpha == 1 else leaky_relu(alpha)
    return Risk(Network((1, 2, 1), h), [-1, 0, 1], [1, -1, 1], binary_hinge())


SHARP = exact([1, 1, 2, 2, 1, -1, 1])


def test_the_deep_example_with_six_hidden_and_two_hinge_ties():
    assert DEEP(TIED) == 0
    ties = pattern_at(DEEP, TIED).ties
    assert [sum(t[0] in layers for t in ties) for layers in ((1, 2), (3,))] == [6, 2]
    found = flat_point(DEEP, TIED)
    assert found.shifts == (fmpq(1, 252), fmpq(5, 252))
    assert is_flat_point(DEEP, found)
    for q in (1, "1/2", "1/8", "1/1000"):
        assert found.at(q) in found.cell
    assert TIED not in found.cell
    assert certify_flat(found.cell).values["risk"] == 0
    assert certify_touches_flat(DEEP, TIED).certified


@pytest.mark.parametrize("seed", range(30))
def test_random_points_of_loss_zero_touch_a_flat_cell(seed):
    """Random deep nets with ties; the labels are the network's own, scaled to loss zero."""
    rng = np.random.default_rng(seed)
    widths = [(1, 2, 1), (2, 2, 2, 1), (1, 3, 2, 3)][seed % 3]
    network = Network(widths, leaky_relu(["0", "1/2", "1"][seed % 2]))
    X = exact(rng.integers(-2, 3, (4, widths[0])).astype(float))
    w = exact(rng.integers(-2, 3, network.dimension).astype(float))
    outputs = network(w, X).floats()
    if widths[-1] == 1:
        keep = [i for i in range(4) if outputs[i, 0] != 0]
        labels = [int(np.sign(outputs[i, 0])) for i in keep]
        gaps = [abs(outputs[i, 0]) for i in keep]
        loss = binary_hinge()
    else:
        order = np.sort(outputs, axis=1)
        keep = [i for i in range(4) if order[i, -1] > order[i, -2]]
        labels = [int(outputs[i].argmax()) for i in keep]
        gaps = [order[i, -1] - order[i, -2] for i in keep]
        loss = multiclass_hinge()
    if not keep:
        return
    rows = exact([[X[i, j] for j in range(widths[0])] for i in keep])
    risk = Risk(network, rows, labels, loss)
    *hidden, output = network.unpack(w)
    scale = 1 / exact([min(gaps)])[0, 0]
    weights = [layer.weight for layer in hidden] + [output.weight * scale]
    w = network.pack(weights, [layer.bias for layer in hidden] + [output.bias * scale])
    assert risk(w) == 0
    found = flat_point(risk, w)
    assert is_flat_point(risk, found)
    assert all(found.at(q) in found.cell for q in (1, "1/2", "1/8", "1/1000"))
    assert certify_flat(found.cell).values["risk"] == 0


def test_the_construction_serves_one_versus_all_too():
    risk = Risk(Network((1, 2, 2), relu), [-1, 1], [0, 1], one_versus_all_hinge())
    w = risk.network.pack(
        [exact([-1, 1]), exact([[2, 0], [0, 2]])], [exact([0, 0]), exact([-1, -1])]
    )
    assert risk(w) == 0
    assert is_flat_point(risk, flat_point(risk, w))


@pytest.mark.parametrize("seed", range(10))
def test_points_of_loss_zero_touch_a_flat_cell_without_biases(seed):
    """Two hidden layers, no biases, the ties of W = (1, 0, -1) and more."""
    network = Network((2, 3, 2, 1), relu, bias=False)
    rng = np.random.default_rng(seed)
    W2 = exact(rng.integers(0, 2, (2, 3)) + np.array([[1.0, 0, 0], [0, 0, 1]]))
    w = network.pack([exact([[1, 0], [1, -1], [-1, 0]]), W2, exact([[1, 1]])])
    X = exact([[1, 1], [-1, 0], [-1, 1]])
    outputs = network(w, X)
    w = network.pack([*(layer.weight for layer in network.unpack(w)[:2]),
                      exact([[1, 1]]) / outputs.smallest()])  # fmt: skip
    risk = Risk(network, X, [1, 1, 1], binary_hinge())
    assert risk(w) == 0
    assert pattern_at(risk, w).ties
    direction, cell = flat_ray(risk, w)
    assert not cell.margins.any()
    assert w + direction / 10**9 in cell
    assert certify_touches_flat(risk, w).certified


def test_a_wrong_ray_or_cell_is_refused():
    found = flat_point(DEEP, TIED)
    assert not is_flat_point(DEEP, replace(found, direction=found.direction * 10**4))
    assert not is_flat_point(DEEP, replace(found, direction=-found.direction))
    assert not is_flat_point(DEEP, replace(found, direction=found.direction * 0))
    other = adjacent_patterns(DEEP, TIED)[0]
    assert not is_flat_point(DEEP, replace(found, cell=other))


def test_the_hypotheses_of_theorem_two_are_checked():
    with pytest.raises(
        HypothesisError, match="LVB-T2, hypothesis loss zero: the loss of"
    ) as caught:
        flat_point(on_line("1/2"), SHARP)
    assert caught.value.witness == fmpq(2, 3)
    with pytest.raises(HypothesisError, match="loss zero"):
        flat_ray(on_line("1/2"), SHARP)
    free = Risk(Network((1, 1, 1), relu, bias=False), [1], [1], binary_hinge())
    with pytest.raises(HypothesisError, match="no biases"):
        flat_point(free, exact([1, 1]))
    with pytest.raises(HypothesisError, match="hypothesis hinge loss: got SquaredLoss"):
        flat_point(Risk(Network((1, 1, 1), relu), [1], [1]), exact([1, 0, 1, 0]))
    with pytest.raises(HypothesisError, match="stretch"):
        flat_point(DEEP, TIED, 1)
    bent = Risk(Network((1, 1, 1), absolute_value), [1], [1], binary_hinge())
    with pytest.raises(HypothesisError, match="no leaky ReLU of slope 0 to 1"):
        flat_point(bent, exact([1, 0, 1, 0]))


@pytest.mark.parametrize("alpha", [0, "1/4", "1/2", 1])
def test_the_sharp_minimum_touches_no_flat_cell(alpha):
    risk = on_line(alpha)
    assert risk(SHARP) == fmpq(2, 3)
    local = certify_affine_minimum(risk, SHARP)
    assert local.certified
    assert local.conditions[-1].margin == fmpq(1, 6)
    answer = certify_touches_flat(risk, SHARP)
    assert answer.witness["ways_to_resolve_the_ties"] == 4
    assert answer.refuted


def test_touching_a_flat_cell_can_stay_unknown():
    risk = on_line("1/2")
    zero = exact([0] * 7)
    assert "more than 4 ways" in certify_touches_flat(risk, zero, limit=4).reason
    dead = Risk(Network((1, 1, 1), relu), [-1, 1], [-1, 1], binary_hinge())
    assert certify_touches_flat(dead, exact([0, 0, 1, 0])).verdict == "unknown"
    assert certify_touches_flat(dead, exact([0, -1, 1, 0])).certified


def test_points_that_are_no_minimum_of_the_convex_problem_stay_unknown():
    risk = on_line("1/2")
    moved = SHARP + exact([0, 0, 0, 0, 0, 0, "-1/2"])
    assert certify_affine_minimum(risk, moved).witness["order"] == 1
    tied = exact([1, 1, 2, 2, 1, -1, -1])
    assert "not in the subdifferential" in certify_affine_minimum(risk, tied).reason
    bent = exact([1, 1, 0, 2, 1, -1, 1])
    assert "unit 0 has its pre-activation" in certify_affine_minimum(risk, bent).reason


def test_a_flat_minimum_of_the_convex_problem_is_certified_but_not_sharp():
    risk = Risk(
        Network((1, 2, 1), relu), [-1, 0, 1], [1, -1, 1], binary_hinge(["1/4", "1/2", "1/4"])
    )
    answer = certify_affine_minimum(risk, exact([1, 1, 2, 2, 1, -1, "1/2"]))
    assert answer.certified
    assert len(answer.conditions) == 2


def test_an_output_activation_stays_unknown():
    risk = Risk(Network((1, 1, 1), relu, output_activation=relu), [1], [1], binary_hinge())
    assert_unknown(certify_affine_minimum(risk, exact([1, 1, 1, 1])), "output activation")


def test_texts_of_the_affine_hinge_minimum():
    risk = on_line("1/2")
    assert str(certify_affine_minimum(risk, SHARP)) == (
        "certified (exact): the point is a local minimum  [LVB-NS]\n"
        "  holds     every hidden unit stays on one linear piece\n"
        "  holds     0 is in the subdifferential of the convex problem\n"
        "  holds     sharp: 0 is inside it, slack 1/6\n"
        "  value     risk = 2/3\n"
        "  value     p = column(1/6, 1/6)"
    )
    moved = certify_affine_minimum(risk, SHARP + exact([0, 0, 0, 0, 0, 0, "-1/2"]))
    assert str(moved).startswith(
        "refuted (exact): the point is a local minimum  [LVB-NS]\n"
        "  holds     every hidden unit stays on one linear piece\n"
        "  fails     0 is in the subdifferential of the convex problem, "
        "largest entry of the gradient 1/3\n"
        "  witness   direction: "
    )
    tied = certify_affine_minimum(risk, exact([1, 1, 2, 2, 1, -1, -1]))
    assert str(tied) == (
        "unknown (exact): the point is a local minimum  [LVB-NS]\n"
        "  holds     every hidden unit stays on one linear piece\n"
        "  fails     0 is in the subdifferential of the convex problem\n"
        "  reason    0 is not in the subdifferential"
    )
    bent = certify_affine_minimum(risk, exact([1, 1, 0, 2, 1, -1, 1]))
    assert str(bent) == (
        "unknown (exact): the point is a local minimum  [LVB-NS]\n"
        "  undecided every hidden unit stays on one linear piece\n"
        "  reason    unit 0 has its pre-activation exactly on a knot at sample 1: "
        "the point is on a kink"
    )


def test_a_minimum_at_the_end_of_a_bound_is_not_sharp():
    """Equal inputs with both labels: the tie pulls with all its weight, p = 1/2."""
    risk = Risk(Network((1, 1, 1), leaky_relu("1/2")), [0, 0], [1, -1], binary_hinge())
    answer = certify_affine_minimum(risk, exact([1, 1, 0, 1]))
    assert [c.text for c in answer.conditions] == [
        "every hidden unit stays on one linear piece",
        "0 is in the subdifferential of the convex problem",
    ]
    assert answer.certified
    assert answer.values["p"] == exact(["1/2"])


def test_texts_of_touching_a_flat_cell():
    dead = Risk(Network((1, 1, 1), relu), [-1, 1], [-1, 1], binary_hinge())
    assert str(certify_touches_flat(dead, exact([0, -1, 1, 0]))) == (
        "certified (exact): the point touches a flat cell  [LVB-T2]\n"
        "  holds     the point lies in a flat cell\n"
        "  value     loss = 1"
    )
    solved = Risk(Network((1, 1, 1), relu), [0, 2], [-1, 1], binary_hinge())
    answer = certify_touches_flat(solved, exact([1, 0, 1, -1]))
    assert [(c.text, c.holds) for c in answer.conditions] == [
        ("the loss is 0", True),
        ("a ray enters a cell without unsolved margins", True),
        ("that cell is flat", True),
    ]
    refuted = certify_touches_flat(on_line("1/2"), SHARP)
    assert str(refuted) == (
        "refuted (exact): the point touches a flat cell  [LVB-T2]\n"
        "  witness   ways to resolve the ties: 4\n"
        "  witness   flat among them: 0\n"
        "  witness   loss: 2/3"
    )
    assert str(certify_touches_flat(dead, exact([0, 0, 1, 0]))) == (
        "unknown (exact): the point touches a flat cell  [LVB-T2]\n"
        "  reason    1 of 4 ways to resolve the ties give a flat cell"
    )


def test_flat_cells_are_those_of_a_hinge_risk():
    squared = Risk(Network((1, 1, 1), relu), [0, 2], [0, 2])
    answer = certify_touches_flat(squared, exact([1, 0, 1, 0]))  # risk 0: a ray is tried first
    assert_unknown(answer, "hypothesis hinge loss")
