"""The partition: cells, null walls, shapes of cells, smooth outputs; each answer yes and no."""

import pytest
from cases import CERTIFIED, REFUTED, UNKNOWN, assert_unknown
from cell_points import PAIR, A, B

from lscore import (
    Network,
    Risk,
    binary_hinge,
    cell_at,
    exact,
    hard_tanh,
    identity,
    leaky_relu,
    linear,
    multiclass_hinge,
    one_versus_all_hinge,
    pattern_at,
    piecewise_linear,
    relu,
    tanh,
)
from lscore.cells.forms import variables
from lscore.cells.partition import (
    certify_disconnected,
    certify_in_cell,
    certify_layerwise_affine,
    certify_not_convex,
    certify_null_walls,
    certify_smooth,
)
from lscore.cells.pattern import frozen_pass
from lscore.certificates import Verdict
from lscore.errors import TieError

DEEP = Risk(Network((1, 1, 1, 1), relu), [1, 2, 3, 4], [0, 0, 0, 0])
LEFT, RIGHT = exact([1, 1, -1, "7/2", 1, 0]), exact([-1, 6, 1, "-7/2", 1, 0])
BARE = Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [0])
ONE = Risk(Network((1, 1, 1), relu), [0, 1], [0, 1])


def test_a_point_of_a_cell_has_a_clearance_and_a_point_of_a_wall_its_ties():
    inside = certify_in_cell(PAIR, A)
    assert inside.verdict == CERTIFIED
    assert inside.conditions[0].margin == 1
    on_wall = certify_in_cell(PAIR, exact([1, -1, 1, 1]))
    assert on_wall.verdict == REFUTED
    assert on_wall.witness["ties"] == [(1, 1, 0), (2, 1, 0)]
    smooth = Risk(Network((1, 1, 1), tanh), [0], [0])
    assert_unknown(certify_in_cell(smooth, exact([1, 1, 1, 1])), "need piecewise linear")


@pytest.mark.parametrize("loss", [binary_hinge(), multiclass_hinge()])
@pytest.mark.parametrize("activation", [relu, leaky_relu("1/3"), hard_tanh])
def test_biases_make_the_walls_null(loss, activation):
    outputs = 1 if loss.kind == "binary" else 3
    labels = [1, -1] if outputs == 1 else [0, 2]
    risk = Risk(Network((1, 2, 2, outputs), activation), [0, 1], labels, loss)
    answer = certify_null_walls(risk, risk.network.init(0))
    assert answer.verdict == CERTIFIED
    assert len(answer.conditions) == 3


def test_a_flat_output_piece_can_hold_a_margin_on_its_knot():
    """1 - y h(z) = 0 on h = 1: an open set of ties, with biases everywhere."""
    sharp = Risk(Network((1, 1), (), output_activation=hard_tanh), [0], [1], binary_hinge())
    w = exact([0, 5])
    answer = certify_null_walls(sharp, w)
    assert answer.verdict == REFUTED
    assert answer.conditions[-1].holds is False
    for step in ([0, 0], [7, "1/7"], ["-1/3", -3]):
        assert pattern_at(sharp, w + exact(step)).ties == [(2, 0, 0)]
    assert certify_null_walls(sharp, exact([0, 0])).reason.startswith("a flat piece")
    assert certify_null_walls(sharp, exact([0, 1])).verdict == UNKNOWN


def test_without_knots_there_are_no_walls():
    answer = certify_null_walls(Risk(Network((1, 1), ()), [0], [1]), exact([1, 1]))
    assert answer.verdict == CERTIFIED
    assert [c.text for c in answer.conditions] == ["no pre-activation has a knot"]


@pytest.mark.parametrize(
    ("h", "loss", "biases", "verdict"),
    [
        (leaky_relu("1/2"), binary_hinge(), [9], CERTIFIED),
        (relu, binary_hinge(), [9], UNKNOWN),
        (piecewise_linear([-1, 1], [0, "1/2", 0], "-1/2"), multiclass_hinge(), [-9, 9], REFUTED),
        (hard_tanh, one_versus_all_hinge(), [9, 0], REFUTED),
        (hard_tanh, None, [9], CERTIFIED),
    ],
)
def test_null_walls_behind_an_output_activation(h, loss, biases, verdict):
    network = Network((1, 2, len(biases)), relu, output_activation=h)
    labels = [1, -1] if len(biases) == 1 else [0, 1]
    risk = Risk(network, [0, 1], labels, *([] if loss is None else [loss]))
    w = exact([*[0] * (risk.dimension - len(biases)), *biases])
    answer = certify_null_walls(risk, w)
    assert answer.verdict == verdict
    if verdict == REFUTED:
        for k in range(5):
            step = exact([(i * i * 7 + k) % 11 - 5 for i in range(risk.dimension)]) / 100
            assert any(layer == 3 for layer, _, _ in pattern_at(risk, w + step).ties)


def test_without_biases_a_dead_layer_makes_an_open_set_of_ties():
    answer = certify_null_walls(BARE, exact([-1, 1, 1]))
    assert answer.verdict == REFUTED
    for first in ("-1", "-1/7", "-9"):
        for second in ("-3", "1/5"):
            assert pattern_at(BARE, exact([first, second, 1])).ties == [(2, 0, 0)]
    assert certify_null_walls(BARE, exact([1, 1, 1])).verdict == UNKNOWN
    leaky = Risk(Network((1, 1, 1, 1), leaky_relu("1/2"), bias=False), [1], [0])
    assert certify_null_walls(leaky, exact([-1, 0, 1])).verdict == UNKNOWN


def test_the_ledgers_cell_is_disconnected():
    assert pattern_at(PAIR, A) == pattern_at(PAIR, B)
    assert str(pattern_at(PAIR, (A + B) / 2)) == "layer 1  + +\nmargins  + +"
    answer = certify_disconnected(PAIR, A, B)
    assert (answer.verdict, answer.claim) == (CERTIFIED, "LVB-L1")
    assert answer.conditions[-1].text.startswith("W1_0_0 changes its sign")


@pytest.mark.parametrize("slope", [0, "1/4", "1/2", "9/10"])
def test_it_is_disconnected_for_every_slope_of_the_left_piece(slope):
    risk = Risk(Network((1, 1, 1), leaky_relu(slope)), [0, 1], [-1, 1], binary_hinge())
    assert certify_disconnected(risk, A, B).certified


def test_a_deep_cell_is_disconnected_too():
    answer = certify_disconnected(DEEP, LEFT, RIGHT)
    assert (answer.verdict, answer.claim) == (CERTIFIED, "HE-T2a")


def test_disconnectedness_is_refused_or_left_open():
    assert certify_disconnected(PAIR, A, exact([1, 1, 4, 0])).verdict == REFUTED
    assert certify_disconnected(PAIR, A, A).verdict == UNKNOWN
    # one hidden layer, squared risk: cells are convex, so nothing may be certified
    a, b = exact([1, 1, 4, -6]), exact([2, 3, -4, 6])
    assert certify_disconnected(ONE, a, b).verdict == UNKNOWN
    # off at both inputs while W1 runs through 0, on each side of a unit and of a margin
    for risk, a, b in (
        (ONE, exact(["1/2", -1, 1, 0]), exact(["-1/2", -1, 1, 0])),
        (ONE, exact(["1/2", 1, 1, 0]), exact(["-1/2", 1, 1, 0])),
        (PAIR, exact(["1/2", -1, 1, 0]), exact(["-1/2", -1, 1, 0])),
        (PAIR, exact(["1/2", 1, 1, 4]), exact(["-1/2", 1, 1, 4])),
        (
            Risk(Network((1, 1, 1), hard_tanh), [0, 1], [0, 1]),
            exact([1, -3, 1, 0]),
            exact([-1, -3, 1, 0]),
        ),
    ):
        assert pattern_at(risk, (a + b) / 2) == pattern_at(risk, a)
        assert certify_disconnected(risk, a, b).verdict == UNKNOWN
    on_wall = exact([1, -1, 1, 0])
    assert certify_disconnected(ONE, on_wall, on_wall).verdict == REFUTED


def test_a_cell_of_three_layers_is_not_convex():
    risk = Risk(Network((1, 1, 1, 1), relu), [1], [0])
    a, b = exact([10, 0, "1/20", -1, 1, 0]), exact(["1/20", 0, 10, -1, 1, 0])
    assert certify_not_convex(risk, a, b).verdict == CERTIFIED
    assert certify_not_convex(risk, a, a).verdict == REFUTED
    assert certify_not_convex(risk, a, exact([-1, 0, 1, -1, 1, 0])).verdict == REFUTED


def test_outputs_are_affine_in_each_layer_unless_layers_share_weights():
    cell = cell_at(DEEP, LEFT)
    assert certify_layerwise_affine(cell).verdict == CERTIFIED
    names = variables(DEEP)
    names[2] = names[0]
    shared = frozen_pass(cell, names).outputs.tolist()
    answer = certify_layerwise_affine(cell, shared)
    assert answer.verdict == REFUTED
    assert answer.witness["monomial"].split()[:2] in (["W1_0_0", "W1_0_0"], ["W1_0_0", "b1_0"])
    with pytest.raises(TieError):
        cell_at(ONE, exact([1, -1, 1, 0]))


def test_smooth_in_cells_and_where_a_dead_layer_hides_the_tie():
    assert certify_smooth(DEEP, LEFT).verdict == CERTIFIED
    hidden = certify_smooth(BARE, exact([-1, 1, 1]))
    assert hidden.verdict == CERTIFIED
    assert "after a layer that is off" in hidden.conditions[0].text
    # a margin tie is a kink of the risk, not of the outputs
    assert certify_smooth(PAIR, exact([1, 1, 0, 1])).verdict == CERTIFIED


def test_a_layer_that_is_off_hides_no_tie_where_an_activation_moves_0():
    """relu(w h(0 u)) with h(0) = 1 is relu(w), whatever u: not smooth at 0, and off for w < 0."""
    shifted = piecewise_linear([], [1], 1)
    network = Network((1, 1, 1, 1), (linear(0), shifted), False, relu)
    risk = Risk(network, [1], [1])
    assert not certify_smooth(risk, exact([1, 1, 0])).certified
    assert certify_null_walls(risk, exact([1, 1, 0])).verdict == UNKNOWN
    deeper = Risk(Network((1, 1, 1, 1), (linear(0), identity), False, relu), [1], [1])
    assert certify_smooth(deeper, exact([1, 1, 1])).certified
    assert certify_null_walls(deeper, exact([1, 1, 1])).refuted


def test_kinks_are_refuted_by_a_jump():
    answer = certify_smooth(ONE, exact([1, -1, 1, 0]))
    assert answer.verdict == REFUTED
    w, u = exact([1, -1, 1, 0]), answer.witness["direction"]
    step = u / 2**20
    ahead = ONE.predictions(w + step) - ONE.predictions(w)
    behind = ONE.predictions(w) - ONE.predictions(w - step)
    assert abs((ahead - behind)[1, 0]) > step.dot(step)
    # with a bias in the second layer a tie behind a dead layer is felt
    deep = Risk(Network((1, 1, 1, 1), relu), [1], [0])
    assert certify_smooth(deep, exact([-1, -1, 1, 0, 1, 0])).verdict == REFUTED


def test_a_kink_of_second_order_is_unknown():
    answer = certify_smooth(ONE, exact([1, -1, 0, 0]))
    assert (answer.verdict, answer.method) == (Verdict.UNKNOWN, "exact")
