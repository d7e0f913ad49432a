"""Designed saddles: critical for autograd too, with the pivots and orders they were made for."""

from collections import Counter

import pytest
from linear_points import SADDLES, network

from lscore import (
    exact,
)
from lscore.errors import DataError, ShapeError
from lscore.papers.yun2019 import (
    certify_saddle_or_minimum,
    partial_decomposition,
    zero_layers,
)


def test_designed_saddles_are_critical_for_autograd_too():
    assert len(SADDLES) == 96
    for made in SADDLES[::9]:
        assert float(made.risk.gradient(made.point.point()).abs().max()) < 1e-9
        assert made.risk.gradient(made.point).is_zero()


def test_the_family_covers_orientations_cases_pivots_and_orders():
    seen = Counter()
    for made in SADDLES:
        d = made.risk.network.widths
        answer = certify_saddle_or_minimum(made.risk, made.point)
        layer, depth = map(int, answer.values["pivot_layer"].split(" of "))
        case = "case 1" if layer == (1 if d[-1] > d[0] else depth) else "case 2"
        seen["wide" if d[-1] > d[0] else "tall" if d[-1] < d[0] else "square"] += 1
        seen[case] += 1
        seen[f"pivot {layer}"] += 1
        seen[f"order {answer.values['order_of_the_move']}"] += 1
        seen[f"worst {answer.values['worst_order_with_this_pivot']}"] += 1
        assert answer.values["order_of_the_move"] <= answer.values["worst_order_with_this_pivot"]
    assert {"wide", "tall", "square", "case 1", "case 2"} <= set(seen)
    assert {f"pivot {j}" for j in (1, 2, 3, 4)} <= set(seen)
    assert {f"order {k}" for k in (2, 3, 4)} <= set(seen)
    assert {f"worst {k}" for k in (2, 3, 4, 5)} <= set(seen)
    assert min(seen.values()) >= 3


@pytest.mark.parametrize("pair", [(0, 1), (1, 1), (1, 4)])
def test_zero_layers_needs_two_layers(pair):
    net = network(1, 1, 1, 1)
    with pytest.raises(ShapeError, match="two of layers"):
        zero_layers(net, exact([1, 1, 1]), *pair)


def test_a_kept_part_wider_than_a_layer_is_refused():
    with pytest.raises(DataError, match="kept: got 2"):
        partial_decomposition((2, 1, 2), 2, (1, 2))


def test_the_same_zeros_give_pivots_as_designed():
    for pair, pivot in {
        (1, 4): "4 of 4",
        (2, 4): "2 of 4",
        (3, 4): "3 of 4",
        (1, 2): "2 of 4",
    }.items():
        made = partial_decomposition((2, 2, 2, 2, 2), 1, pair, seed=3)
        assert certify_saddle_or_minimum(made.risk, made.point).values["pivot_layer"] == pivot
