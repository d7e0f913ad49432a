"""Theorem 4 and Corollary 5 of Yun, Sra and Jadbabaie (2019): linear networks."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from cases import assert_unknown
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from losses import Cave, Told, Unproved, Wide

from lscore import (
    Network,
    Risk,
    exact,
    identity,
    linear,
    mean_squared_error,
    rational,
    relu,
    risk_along,
    tanh,
)
from lscore.algebra.linear import least_squares, null_space, rank
from lscore.algebra.matrices import stack, to_float
from lscore.errors import DataError, DtypeError, HypothesisError, ShapeError
from lscore.minima.descent import certify_along
from lscore.model.balls import ball_risk
from lscore.model.entropy import LogisticLoss
from lscore.papers.yun2019 import (
    CORNER,
    Designed,
    certify_absolute_minimum,
    certify_bottleneck_minimum,
    certify_corner_minimum,
    certify_linear_collapse,
    certify_saddle,
    certify_saddle_or_minimum,
    certify_strict_saddle,
    certify_transfer,
    classify_critical_floats,
    count_answers,
    designed_minima,
    designed_saddles,
    factorise,
    layer_gradients,
    linear_descent,
    linear_hessian,
    move_product,
    negative_curvature,
    partial_decomposition,
    saddle_corner_risk,
    saddle_escape,
    suboptimality,
    zero_layers,
)
from lscore.papers.yun2019.linear.counterexamples import (
    absolute_corner_loss,
    absolute_risk,
    corner_identity_holds,
)
from lscore.papers.yun2019.linear.directions import find_directions, make_moves
from lscore.papers.yun2019.linear.setting import (
    LINEAR_SQUARED,
    is_positive_semidefinite,
    product,
    product_gradient,
    product_loss,
    weights_of,
)
from lscore.papers.yun2019.linear.strict import negative_vector

SADDLES = list(designed_saddles())
MINIMA = [*designed_minima(0), *designed_minima(1)]
SADDLE, MINIMUM = "the point is a saddle", "the point is a global minimum"


def network(*widths, bias=False):
    return Network(widths, identity, bias=bias)


def random_risk(seed, *widths, n=7, scale=8):
    """Dyadic data and a dyadic point."""
    rng = np.random.default_rng(seed)
    net = network(*widths)
    X, y = (rng.integers(-scale, scale, (n, d)) / 4 for d in (widths[0], widths[-1]))
    return Risk(net, X, y), exact(rng.integers(-4, 5, net.dimension) / 2)


# The setting


@pytest.mark.parametrize("loss", [None, mean_squared_error])
@pytest.mark.parametrize("widths", [(2, 3), (2, 3, 2), (3, 2, 4, 1), (1, 2, 2, 2, 3)])
def test_loss_and_layer_gradients_agree_with_the_risk(widths, loss):
    risk, w = random_risk(1, *widths)
    risk = replace(risk, loss=loss) if loss else risk
    weights = weights_of(risk, w)
    assert product_loss(risk, product(weights)) == risk(w)
    parts = layer_gradients(weights, product_gradient(risk, product(weights)))
    assert risk.network.pack(parts) == risk.gradient(w)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": Network((2, 3, 2), relu, bias=False)}, "identity: got ReLU"),
        ({"network": Network((2, 3, 2), linear(2), bias=False)}, "hypothesis identity"),
        ({"network": Network((2, 3, 2), tanh, bias=False)}, "identity: got tanh"),
        ({"network": Network((2, 3, 2), identity)}, "biases"),
        ({"network": Network((2, 3, 2), identity, False, relu)}, "output activation"),
        ({"weight_decay": 1}, "weight decay"),
    ],
)
def test_other_settings_are_refused(change, words):
    risk, _ = random_risk(0, 2, 3, 2)
    with pytest.raises(HypothesisError, match=words):
        LINEAR_SQUARED.require(replace(risk, **change), "YUN-T4")


def test_wrong_gradient_shape_and_empty_products():
    with pytest.raises(ShapeError, match="does not fit"):
        layer_gradients([exact([[1, 2]])], exact([[1], [2]]))
    assert product([], 2) == exact([[1, 0], [0, 1]])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=9, max_size=9))
def test_semidefiniteness_is_decided_as_by_the_eigenvalues(entries):
    A = exact(np.array(entries, dtype=float).reshape(3, 3))
    symmetric, square = A + A.T, A @ A.T
    assert is_positive_semidefinite(square)
    assert is_positive_semidefinite(symmetric) == (
        np.linalg.eigvalsh(symmetric.floats())[0] > -1e-9
    )
    for v in null_space(A):
        assert (A @ v).is_zero()
    assert len(null_space(A)) == 3 - rank(A)


def test_semidefiniteness_needs_a_symmetric_matrix():
    with pytest.raises(ShapeError, match="symmetric"):
        is_positive_semidefinite(exact([[1, 2], [0, 1]]))


# Designed saddles: every type, certified


def test_designed_saddles_are_critical_for_autograd_too():
    assert len(SADDLES) == 96
    for made in SADDLES[::9]:
        assert float(made.risk.gradient(made.point.point()).abs().max()) < 1e-9
        assert made.risk.gradient(made.point).is_zero()


@pytest.mark.parametrize("epsilon", [1, "1/16", fmpq(1, 2**16)])
def test_every_designed_saddle_is_certified(epsilon):
    for made in SADDLES:
        answer = certify_saddle_or_minimum(made.risk, made.point, epsilon)
        assert answer.certified
        assert answer.statement == SADDLE
        assert answer.method == "exact"
        up, down = answer.witness["up"], answer.witness["down"]
        level = made.risk(made.point)
        assert made.risk(up) > level > made.risk(down)
        for v in (up, down):
            for layer in made.risk.network.unpack(v - made.point):
                assert layer.weight.dot(layer.weight) <= rational(epsilon) ** 2


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


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 6])
def test_the_zero_point_is_a_saddle_of_the_order_of_the_depth(depth):
    risk = Risk(network(*[2] * (depth + 1)), [[1, 0], [0, 1]], [[1, 0], [0, 2]])
    zero = exact([0] * risk.dimension)
    answer = certify_saddle_or_minimum(risk, zero, "1/10")
    assert answer.values["order_of_the_move"] == depth
    fall = risk(zero) - risk(answer.witness["down"])
    assert fall == 2 * fmpq(1, 10**depth) - fmpq(1, 2 * 10 ** (2 * depth))
    assert certify_strict_saddle(risk, zero).verdict == ("certified" if depth == 2 else "refuted")


@pytest.mark.parametrize(
    ("widths", "claim"),
    [
        ((2, 2, 1), "YUN-T4"),
        ((1, 2, 3), "YUN-T4"),
        ((2, 1, 1), "YUN-T4"),
        ((2, 1, 2), "YUN-B-T4-1"),
        ((3, 2, 1, 2), "YUN-B-T4-1"),
    ],
)
def test_the_theorem_is_quoted_where_the_widths_are_its_own(widths, claim):
    risk, w = random_risk(5, *widths)
    answer = certify_saddle(risk, w * 0)
    assert (answer.verdict, answer.claim) == ("certified", claim)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 5))
def test_two_zero_layers_are_critical_and_certified_on_any_float_data(seed, pair):
    first, second = [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)][pair]
    rng = np.random.default_rng(seed)
    net = network(3, 4, 3, 5, 2)
    risk = Risk(net, rng.normal(size=(9, 3)), rng.normal(size=(9, 2)))
    w = zero_layers(net, torch.from_numpy(rng.normal(size=net.dimension)), first, second)
    assert float(risk.gradient(w).abs().max()) == 0.0
    assert certify_saddle_or_minimum(risk, w, "1/8").certified


def test_one_zero_block_is_not_critical_in_general():
    made = partial_decomposition((3, 3, 3, 3), 1, (2, 2))
    answer = certify_saddle_or_minimum(made.risk, made.point)
    assert answer.refuted
    assert "gradient_of_layer_2" in answer.witness


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
        made = partial_decomposition((2, 2, 2, 2, 2), 1, pair, 3)
        assert certify_saddle_or_minimum(made.risk, made.point).values["pivot_layer"] == pivot


# Minima, refusals, perturbed witnesses


def test_global_minima_are_certified_and_not_called_saddles():
    for made in MINIMA:
        answer = certify_saddle_or_minimum(made.risk, made.point)
        assert answer.certified
        assert (answer.statement, answer.claim) == (MINIMUM, "YUN-C5")
        best = least_squares(made.risk.exact_X, made.risk.exact_y)[0]
        residuals = made.risk.exact_X @ best - made.risk.exact_y
        assert answer.values["loss"] == residuals.dot(residuals) / 2
        assert certify_saddle(made.risk, made.point).refuted


def test_a_point_that_is_not_critical_is_refuted_by_its_gradient():
    made = SADDLES[0]
    moved = made.point + exact([1e-9] * made.risk.dimension)
    answer = certify_saddle_or_minimum(made.risk, moved)
    assert answer.refuted
    (name,) = answer.witness
    assert name.startswith("gradient_of_layer")
    assert not answer.witness[name].is_zero()
    weights = [layer.weight for layer in made.risk.network.unpack(moved)]
    parts = layer_gradients(weights, product_gradient(made.risk, product(weights)))
    wrong = [j for j, part in enumerate(parts, start=1) if not part.is_zero()]
    assert len(wrong) > 1
    assert name == f"gradient_of_layer_{wrong[0]}"
    assert answer.witness[name] == parts[wrong[0] - 1]
    with pytest.raises(HypothesisError, match="not zero"):
        saddle_escape(made.risk, moved)


def test_a_perturbed_witness_is_refused():
    made = SADDLES[20]
    found = replace(saddle_escape(made.risk, made.point, "1/8"), epsilon=rational("1/4"))
    assert certify_saddle(made.risk, made.point, "1/4", found).certified
    nudge = exact([1] * made.risk.dimension) / 10**9
    spoiled = {
        "same product": replace(found, base=found.base + nudge),
        "higher": replace(found, up=found.down),
        "lower": replace(found, down=found.base),
        "moves by more": replace(found, epsilon=found.epsilon / 64),
    }
    for words, witness in spoiled.items():
        answer = certify_saddle(made.risk, made.point, "1/4", witness)
        assert answer.verdict == "unknown"
        (wrong,) = [c.text for c in answer.conditions if not c.holds]
        assert words in wrong


def test_the_escape_needs_a_positive_step_and_a_gradient():
    made = SADDLES[0]
    with pytest.raises(DataError, match="epsilon"):
        saddle_escape(made.risk, made.point, 0)
    with pytest.raises(HypothesisError, match="stationary"):
        saddle_escape(MINIMA[0].risk, MINIMA[0].point)


def test_a_network_without_hidden_layers_has_minima_only():
    risk, _ = random_risk(3, 2, 2)
    best = least_squares(risk.exact_X, risk.exact_y)[0].T
    w = risk.network.pack([best])
    assert certify_saddle_or_minimum(risk, w).statement == MINIMUM
    assert certify_saddle_or_minimum(risk, w * 2).refuted


# Other losses


def test_corollary_5_for_logistic_loss_on_separable_data():
    X, y = [[1, 1], [2, 0], [-1, 0], [-2, 1]], [1, 1, -1, -1]
    risk = Risk(network(2, 2, 2, 1), X, y, LogisticLoss())
    zero = exact([0] * risk.network.dimension)
    answer = certify_saddle_or_minimum(risk, zero, "1/10")
    assert answer.certified
    assert answer.method == "ball"
    assert answer.values["order_of_the_move"] == 3
    rise = ball_risk(risk, answer.witness["up"]) - ball_risk(risk, zero)
    fall = ball_risk(risk, answer.witness["down"]) - ball_risk(risk, zero)
    assert abs(float(rise.mid()) - 3.0012e-3) < 1e-7
    assert abs(float(fall.mid()) + 2.9988e-3) < 1e-7
    with pytest.raises(HypothesisError, match="rational only where"):
        product_gradient(risk, exact([[1, 0]]))


def test_a_stationary_product_of_a_loss_that_is_not_convex_is_unknown():
    answer = certify_saddle_or_minimum(saddle_corner_risk, CORNER)
    assert answer.verdict == "unknown"
    assert "not convex" in answer.reason


def test_a_gradient_that_does_not_vanish_is_enough_for_other_losses():
    cubic = Told(lambda z: z[0, 0] + z[0, 0] ** 3, lambda z: exact([[1 + 3 * z[0, 0] ** 2]]))
    risk = Risk(network(1, 1, 1), [1], [0], cubic)
    assert certify_saddle_or_minimum(risk, exact([0, 0]), "1/2").certified


# Width, rank, curvature, biases

NARROW = Risk(network(2, 1, 2), [[1, 0], [0, 1]], [[2, 0], [0, 1]])


def test_without_width_a_critical_point_can_be_global():
    w = exact([1, 0, 2, 0])
    G = product_gradient(NARROW, product(weights_of(NARROW, w)))
    assert exact([[0, 0], [0, -1]]) == G
    answer = certify_bottleneck_minimum(NARROW, w)
    assert answer.certified
    assert answer.values["loss"] == fmpq(1, 2)
    assert certify_saddle_or_minimum(NARROW, w).statement == answer.statement
    worse = exact([0, 1, 0, 1])
    assert NARROW.gradient(worse).is_zero()
    assert certify_saddle(NARROW, worse).verdict == "unknown"
    answer = certify_saddle_or_minimum(NARROW, worse)
    assert (answer.verdict, answer.claim) == ("certified", "YUN-B-T4-2")
    assert certify_along(NARROW, worse, exact([2, 0, 1, 0])).refuted
    with pytest.raises(HypothesisError, match="null vectors"):
        saddle_escape(NARROW, w)
    for lower in (worse, exact([0] * 4)):
        answer = certify_bottleneck_minimum(NARROW, lower)
        assert answer.refuted
        assert NARROW(answer.witness["lower_point"]) < NARROW(lower)
        fall = NARROW(lower) - NARROW(answer.witness["lower_point"])
        assert answer.witness["decrease_there"] == fall
    wide = certify_bottleneck_minimum(MINIMA[0].risk, MINIMA[0].point)
    assert_unknown(wide, "hypothesis bottleneck")


def test_a_lower_point_passes_through_every_layer_of_a_bottleneck():
    risk = Risk(network(2, 1, 1, 2), [[1, 0], [0, 1]], [[2, 0], [0, 1]])
    answer = certify_bottleneck_minimum(risk, exact([0] * risk.dimension))
    assert answer.refuted
    assert risk(answer.witness["lower_point"]) == fmpq(1, 2)


def diagonal(values, kept, hidden=1):
    """A two-layer network on the unit vectors with a diagonal task, and the point that keeps some
    entries of the diagonal."""
    n, units = len(values), [*kept, *[None] * (hidden - len(kept))]
    first = exact([[values[k] * int(k == j) for k in range(n)] for j in units])
    last = exact([[int(i == j) for j in units] for i in range(n)])
    task = [[values[i] * int(i == k) for k in range(n)] for i in range(n)]
    net = network(n, hidden, n)
    return Risk(net, [[int(i == k) for k in range(n)] for i in range(n)], task), net.pack(
        [first, last]
    )


@pytest.mark.parametrize("size", ["1/2", "1/3", fmpq(10**60 + 1, 7), 1])
def test_tied_components_are_compared_exactly(size):
    size = rational(size)
    for kept in (0, 1):
        risk, w = diagonal([size, size], [kept])
        assert certify_bottleneck_minimum(risk, w).certified
        assert certify_saddle_or_minimum(risk, w).certified
    hair = size * (1 + fmpq(1, 10**40))  # no float tells it from the other
    risk, w = diagonal([hair, size], [0])
    assert certify_bottleneck_minimum(risk, w).certified
    risk, w = diagonal([hair, size], [1])
    answer = certify_bottleneck_minimum(risk, w)
    assert answer.refuted
    assert [c.holds for c in answer.conditions] == [True, True, True, False]


def test_irrational_components_are_compared_exactly():
    """Tasks diag(1, B) with the squares of the eigenvalues of B = (1, 1; 1, 0): 2.618 and 0.382."""
    unit = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    for one, kept, verdict in ((1, [0], "refuted"), (2, [0], "certified"), (1, [1, 2], "refuted"),
                               ("1/2", [1, 2], "certified")):  # fmt: skip
        task = exact([[one, 0, 0], [0, 1, 1], [0, 1, 0]])
        rows = [task.T.rows(k, k + 1) for k in kept]
        net = network(3, len(kept), 3)
        last = exact([[int(i == k) for k in kept] for i in range(3)])
        risk, w = Risk(net, unit, task), net.pack([stack(rows), last])
        answer = certify_bottleneck_minimum(risk, w)
        assert answer.verdict == verdict
        if answer.refuted:
            assert risk(answer.witness["lower_point"]) < risk(w)


@pytest.mark.parametrize("seed", range(60))
def test_bottlenecks_are_decided_as_sums_of_squares_are(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    hidden = int(rng.integers(1, n))
    values = [fmpq(int(v), 3) for v in rng.integers(0, 4, n)]
    kept = rng.permutation(n)[: rng.integers(0, hidden + 1)].tolist()
    risk, w = diagonal(values, kept, hidden)
    squares = sorted((v * v for v in values), reverse=True)
    best = sum(squares[hidden:], fmpq(0)) / 2
    answer = certify_bottleneck_minimum(risk, w)
    assert answer.verdict == ("certified" if risk(w) == best else "refuted")
    assert answer.certified or risk(answer.witness["lower_point"]) < risk(w)
    assert any(c.holds is False for c in answer.conditions) == answer.refuted
    whole = certify_saddle_or_minimum(risk, w)
    assert whole.certified
    assert ("minimum" in whole.statement) == answer.certified
    moved = w + exact([1] + [0] * (risk.dimension - 1)) / 10**9
    assert certify_bottleneck_minimum(risk, moved).refuted or risk(moved) == best


def test_a_point_that_is_not_critical_is_no_minimum_of_a_bottleneck():
    """Its product is the best one with its column space; a tilted column space is better."""
    unit, task = [[1, 0], [0, 1]], [[1, 0], [1, 1]]
    risk, w = Risk(network(2, 1, 2), unit, task), exact([1, 1, 1, 0])
    assert risk.gradient(w) == exact([0, 0, 0, -1])
    answer = certify_bottleneck_minimum(risk, w)
    assert answer.refuted
    assert [c.holds for c in answer.conditions] == [True, True, False, None]
    a, b, c, d = (Fraction(str(e)) for e in answer.witness["lower_point"].entries())
    misses = (c * a - 1, d * a, c * b - 1, d * b - 1)  # predictions at (1, 0) and (0, 1)
    loss = sum(miss**2 for miss in misses) / 2
    assert loss < Fraction(1, 2)
    assert loss == Fraction(1, 2) - Fraction(str(answer.witness["decrease_there"]))


@pytest.mark.parametrize("seed", range(80))
def test_a_random_column_space_is_certified_only_if_none_is_better(seed):
    """The product is P R*, the best map projected; numpy knows the best value of that rank."""
    rng = np.random.default_rng(seed)
    inputs, outputs = (int(d) for d in rng.integers(2, 5, 2))
    r, depth = int(rng.integers(1, min(inputs, outputs))), int(rng.integers(2, 4))
    X, y = (rng.integers(-2, 3, (6, d)) for d in (inputs, outputs))
    if seed % 2:  # unit samples and a diagonal task: coordinate planes are eigenspaces
        X, y = np.eye(inputs), np.diag(rng.integers(1, 4, 4))[:inputs, :outputs]
    risk = Risk(network(inputs, *[r] * (depth - 1), outputs), X, y)
    best = least_squares(exact(X), exact(y))[0].T
    columns = exact(rng.integers(-1, 2, (outputs, r)) * (rng.random((outputs, r)) < 0.6))
    first = least_squares(columns, best)[0]  # columns @ first = P R*
    w = risk.network.pack([first, *[exact(np.eye(r))] * (depth - 2), columns])
    fitted = (exact(X) @ best.T).floats()
    lost = np.linalg.eigvalsh(fitted.T @ fitted)[: outputs - r].sum()
    lowest = (((y - fitted) ** 2).sum() + lost) / 2
    answer = certify_bottleneck_minimum(risk, w)
    assert answer.certified == (to_float(risk(w)) < lowest + 1e-9)
    if answer.certified:
        assert risk.gradient(w).is_zero()
    else:
        assert answer.refuted
        assert risk(answer.witness["lower_point"]) < risk(w)


@pytest.mark.parametrize(("kept", "kind"), [(0, "minimum"), (1, "strict saddle")])
def test_a_bottleneck_with_biases(kept, kind):
    plain, point = diagonal([2, 1], [kept])
    risk, w = with_biases(Designed(plain, point, 1, (1, 2)), 3)
    answer = certify_saddle_or_minimum(risk, w)
    assert (answer.verdict, answer.claim) == ("certified", "YUN-B-T4-3")
    assert kind in answer.statement
    if kept:
        lower = answer.witness["lower_point"]
        assert answer.witness["decrease_there"] == risk(w) - risk(lower) > 0
        smallest = np.linalg.eigvalsh(risk.hessian(w.point()).numpy())[0]
        assert smallest < -1e-6
    assert certify_saddle_or_minimum(risk, w + exact([0] * (risk.dimension - 1) + [1])).refuted


def test_with_biases_the_constant_counts_in_a_bottleneck():
    """With the constant held at 0 the second component is larger, with a free one the first."""
    net = network(2, 1, 2, bias=True)
    X, y = [[3, 0], [1, 0], [0, 1], [0, -1]], [[5, 0], [3, 0], [0, "3/2"], [0, "-3/2"]]
    risk = Risk(net, X, y)
    slope = fmpq(5, 3)  # of y_1 on x_1, after the means are taken off
    mean_x, mean_y = fmpq(1), fmpq(2)
    w = net.pack(
        [exact([[slope, 0]]), exact([[1], [0]])], [exact([0]), exact([mean_y - slope * mean_x, 0])]
    )
    assert risk.gradient(w).is_zero()
    assert certify_saddle_or_minimum(risk, w).certified
    assert "minimum" in certify_saddle_or_minimum(risk, w).statement


def test_a_declared_convexity_is_called_declared():
    plain, told = mean_squared_error, Unproved()
    best = factorise(network(2, 2, 2), [[2, 0], [0, 1]])
    for loss, words in ((plain, "the loss is convex in"), (told, "the loss is declared convex in")):
        risk = replace(NARROW, network=network(2, 2, 2), loss=loss)
        for check in (certify_saddle_or_minimum, certify_saddle):
            (text,) = [c.text for c in check(risk, best).conditions if "convex" in c.text]
            assert text.startswith(words)
    cave = replace(NARROW, network=network(2, 2, 2), loss=Cave())
    answer = certify_saddle_or_minimum(cave, best)
    assert [(c.text[:18], c.holds) for c in answer.conditions][1:] == [
        ("gradient of the lo", False),
        ("the loss is declar", False),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": lambda z: 1.5}, "loss: value gives float, need a rational or a ball"),
        ({"slope": lambda z: z.floats()}, "loss: gradient gives ndarray, need a RationalMatrix"),
        ({"slope": lambda z: exact([[0]])}, r"loss: gradient gives shape \(1, 1\), need"),
    ],
)
def test_a_loss_that_answers_in_floats_certifies_nothing(change, message):
    own = replace(Told(lambda z: z.dot(z), lambda z: z * 2 - exact([[1, 0], [0, 0]])), **change)
    risk = replace(NARROW, network=network(2, 2, 2), loss=own)
    with pytest.raises(DtypeError, match=message):
        certify_saddle_or_minimum(risk, exact([0] * 8))


def test_balls_that_overlap_leave_the_rise_undecided():
    made = SADDLES[20]
    found = saddle_escape(made.risk, made.point, "1/4")
    answer = certify_saddle(replace(made.risk, loss=Wide()), made.point, "1/4", found)
    assert (answer.verdict, answer.method) == ("unknown", "ball")
    assert [c.holds for c in answer.conditions[-2:]] == [None, None]
    assert answer.reason == "a point within reach is higher: not decided"
    far = replace(found, epsilon=rational(100))  # the smaller of the two radii counts
    assert certify_saddle(made.risk, made.point, "1/64", far).conditions[4].holds is False


def test_checkers_of_the_squared_loss_refuse_other_losses():
    other = replace(NARROW, loss=Cave())
    for check in (certify_bottleneck_minimum, certify_strict_saddle):
        assert_unknown(check(other, exact([0] * 4)), "hypothesis squared loss")
    with pytest.raises(HypothesisError, match="squared loss"):
        negative_curvature(other, exact([0] * 4))
    assert certify_saddle_or_minimum(other, exact([0, 1, 0, 1])).verdict == "unknown"


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=10, max_size=10))
def test_a_negative_vector_is_found_unless_there_is_none(entries):
    a = iter(entries)
    A = [[0] * 4 for _ in range(4)]
    for i in range(4):
        for j in range(i + 1):
            A[i][j] = A[j][i] = next(a)
    A = exact(A)
    if is_positive_semidefinite(A):
        with pytest.raises(DataError, match="positive semidefinite"):
            negative_vector(A)
        return
    v = negative_vector(A)
    assert (v.T @ A @ v)[0, 0] < 0


def test_rank_at_the_point_is_enough_in_a_bottleneck():
    shapes = [(3, 2, 3), (4, 2, 3, 3), (3, 3, 2, 4), (3, 2, 2, 2, 3)]
    count = Counter()
    for widths in shapes:
        for kept in range(min(widths)):
            for pair in [(a, b) for b in range(2, len(widths)) for a in range(1, b)]:
                made = partial_decomposition(widths, kept, pair)
                answer = certify_saddle_or_minimum(made.risk, made.point)
                count[answer.verdict.value, answer.claim] += 1
    assert count == {("certified", "YUN-B-T4-1"): 26}


def test_curvature_is_decided_for_every_designed_saddle_and_agrees_with_floats():
    count = Counter()
    for made in SADDLES:
        answer = certify_strict_saddle(made.risk, made.point)
        two_layers = negative_curvature(made.risk, made.point)
        how = "two layers" if two_layers is not None else next(iter(answer.witness))
        count[answer.verdict.value, how] += 1
        if two_layers is not None:
            assert answer.values["quadratic_coefficient"] == -1
        smallest = np.linalg.eigvalsh(made.risk.hessian(made.point.point()).numpy())[0]
        assert smallest < -1e-6 if answer.certified else smallest > -1e-6
        if len(made.risk.network.widths) == 3:
            assert answer.certified
    assert count == {
        ("certified", "two layers"): 75,
        ("certified", "direction"): 5,
        ("refuted", "exact_Hessian"): 9,
        ("refuted", "coupled_pairs_of_layers"): 7,
    }


@pytest.mark.parametrize("loss", [None, mean_squared_error])
@pytest.mark.parametrize("widths", [(2, 2), (2, 3, 2), (1, 2, 3, 2), (2, 1, 2, 2, 1)])
def test_the_exact_hessian_is_that_of_the_expansion_along_rays(widths, loss):
    risk, w = random_risk(6, *widths)
    risk = replace(risk, loss=loss) if loss else risk
    H = linear_hessian(risk, w)
    assert H == H.T
    rng = np.random.default_rng(0)
    for _ in range(5):
        u = exact(rng.integers(-2, 3, risk.dimension).astype(float))
        assert risk_along(risk, w, u).risk[2] == (u.T @ H @ u)[0, 0] / 2


def test_curvature_refuses_a_point_that_is_not_critical():
    risk, w = random_risk(5, 2, 3, 2)
    answer = certify_strict_saddle(risk, w)
    assert answer.refuted
    assert answer.witness["gradient"] == risk.gradient(w)


def with_biases(made, seed):
    """The same point in a network with biases, on data with the same residuals after a shift."""
    rng = np.random.default_rng(seed)
    plain = made.risk
    net = network(*plain.network.widths, bias=True)
    n = len(plain.X)
    labels = stack([plain.exact_y, -plain.exact_y])
    inputs = stack([plain.exact_X, -plain.exact_X])  # sums to 0, and so do the residuals
    weights = [layer.weight for layer in plain.network.unpack(made.point)]
    biases = [exact(rng.integers(-2, 3, d).astype(float)) for d in net.widths[1:]]
    w = net.pack(weights, biases)
    shift = Risk(net, inputs, labels).predictions(w) - inputs @ product(weights).T
    assert len(shift) == 2 * n
    return Risk(net, inputs, labels + shift), w


@pytest.mark.parametrize("made", SADDLES[::12], ids=lambda made: str(made.risk.network.widths))
def test_biases_change_nothing(made):
    risk, w = with_biases(made, 0)
    assert risk.gradient(w).is_zero()
    answer = certify_saddle_or_minimum(risk, w, "1/8")
    assert (answer.verdict, answer.claim, answer.statement) == ("certified", "YUN-B-T4-3", SADDLE)
    assert risk(answer.witness["up"]) > risk(w) > risk(answer.witness["down"])
    for layer in risk.network.unpack(answer.witness["down"] - w):
        move = layer.weight.dot(layer.weight) + layer.bias.dot(layer.bias)
        assert move <= fmpq(1, 64)
    off = w + exact([0] * (risk.dimension - 1) + [1])
    assert certify_saddle_or_minimum(risk, off).refuted


def test_a_minimum_with_biases():
    risk, w = with_biases(MINIMA[2], 1)
    answer = certify_saddle_or_minimum(risk, w)
    assert (answer.verdict, answer.claim, answer.statement) == ("certified", "YUN-B-T4-3", MINIMUM)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize(
    ("widths", "X", "y"),
    [
        ((1, 1, 1), [[1e154], [-1e154]], [[1e-154], [-1e-154]]),
        ((1, 1, 1, 1), [[1e154], [-1e154]], [[1e-154], [-1e-154]]),
        ((2, 1, 2), [[1e154, 0], [-1e154, 0], [0, 1]], [[1, 0], [-1, 0], [0, 1e-154]]),
    ],
)
def test_badly_scaled_data_is_decided(widths, X, y, biased):
    """Steps of 10^-616 and less: the number of halvings is read off the quadratic."""
    risk = Risk(network(*widths, bias=biased), X, y)
    w = exact([0] * risk.dimension)
    if biased:
        constant = exact(np.array(y)).T @ exact([[1]] * len(y)) / len(y)
        w = w + exact([0] * (risk.dimension - widths[-1]) + constant.entries())
    answer = certify_saddle_or_minimum(risk, w)
    assert answer.certified
    assert answer.statement == SADDLE
    assert risk(answer.witness["up"]) > risk(w) > risk(answer.witness["down"])


@pytest.mark.parametrize("epsilon", [1, "1e90", "1e-90", "1e5000"])
def test_every_step_is_decided(epsilon):
    risk, zero = Risk(network(2, 2, 2), np.eye(2), np.eye(2)), exact([0] * 8)
    found = saddle_escape(risk, zero, epsilon)
    assert risk(found.up) > risk(zero) > risk(found.down)
    assert certify_saddle_or_minimum(risk, zero, epsilon).certified


@pytest.mark.parametrize("seed", range(12))
def test_the_step_is_the_first_halving_that_works(seed):
    """Twice the move of the pivot layer fails on one side, unless it is the whole move."""
    made = SADDLES[seed * len(SADDLES) // 12]
    for epsilon in (1, 7, 1000):
        found = saddle_escape(made.risk, made.point, epsilon)
        level, move = made.risk(made.point), found.up - found.base
        assert made.risk(found.up) > level > made.risk(found.down)
        whole = max(map(abs, (move / epsilon).entries()))
        twice = [made.risk(found.base + move * side) for side in (2, -2)]
        size = sum(map(abs, move.entries()), fmpq(0))
        assert size == epsilon or not twice[0] > level > twice[1]
        assert whole <= 1


@pytest.mark.parametrize("epsilon", [0, -1, "-1/8"])
def test_a_step_must_be_positive_whatever_the_answer(epsilon):
    plain = Risk(network(1, 1, 1), [1], [1])
    biased = Risk(network(1, 1, 1, bias=True), [1, 2], [1, 2])
    for risk, points in ((plain, ([0, 0], [1, 1], [1, 0])), (biased, ([1, 1, 0, 0], [1, 0, 0, 0]))):
        for w in points:
            with pytest.raises(DataError, match=r"epsilon: got .*, need a positive number"):
                certify_saddle_or_minimum(risk, exact(w), epsilon)
            if risk is plain:
                with pytest.raises(DataError, match=r"epsilon: got .*, need a positive number"):
                    certify_saddle(risk, exact(w), epsilon)


def test_a_transfer_says_what_it_needs():
    net, w = network(1, 2, 1), exact([1, 1, 1, 2])
    for layer in (1.0, True, "1", None):
        with pytest.raises(DtypeError, match="layer: got"):
            certify_transfer(net, w, layer, [[8]], 5)
    for layer in (0, 3):
        with pytest.raises(DataError, match="layer: got"):
            certify_transfer(net, w, layer, [[8]], 5)
    for epsilon in (0, -5):
        with pytest.raises(DataError, match="epsilon: got"):
            certify_transfer(net, w, 1, [[8]], epsilon)


# Factorisations


@pytest.mark.parametrize(
    "widths", [(2, 2, 2), (3, 2, 2), (2, 2, 5), (3, 4, 3, 2), (1, 1, 1), (2, 3)]
)
def test_wide_layers_factor_every_product_without_rounding(widths):
    R = np.random.default_rng(0).normal(size=(widths[-1], widths[0]))
    net = network(*widths)
    w = factorise(net, R)
    assert product([layer.weight for layer in net.unpack(w)]) == exact(R)
    floats = [layer.weight.numpy() for layer in net.unpack(w.point())]
    assert (product(floats) == R).all()


def test_factorise_says_what_it_needs():
    with pytest.raises(HypothesisError, match="need 2 everywhere"):
        factorise(network(2, 1, 2), [[1, 0], [0, 1]])
    with pytest.raises(ShapeError, match="need"):
        factorise(network(2, 2, 1), [[1]])


@pytest.mark.parametrize(
    "net", [Network((2, 2, 2), relu, bias=False), network(2, 2, 2, bias=True)], ids=["relu", "bias"]
)
def test_factorisations_are_of_linear_networks_without_biases(net):
    w, R = exact([1] * net.dimension), [[1, 0], [0, 1]]
    for construct in (
        lambda: factorise(net, R),
        lambda: move_product(net, w, 1, R),
        lambda: zero_layers(net, w, 1, 2),
    ):
        with pytest.raises(HypothesisError, match=r"got (ReLU|biases)"):
            construct()
    assert_unknown(certify_transfer(net, w, 1, R, 1), r"got (ReLU|biases)")


def test_one_layer_moves_the_product_anywhere_near():
    net = network(2, 3, 4, 3, 2)
    w = exact(np.random.default_rng(0).integers(-3, 4, net.dimension).astype(float))
    R = product([layer.weight for layer in net.unpack(w)])
    near = R + exact([["1/100", 0], [0, "-1/50"]])
    answer = certify_transfer(net, w, 2, near, "1/10")
    assert answer.certified
    assert product([l.weight for l in net.unpack(answer.witness["point"])]) == near
    assert certify_transfer(net, w, 2, R + exact([[90, 0], [0, 0]]), "1/1000").refuted
    verdicts = {certify_transfer(net, w, 2, near, fmpq(1, 2**k)).verdict.value for k in range(16)}
    assert verdicts == {"certified", "unknown", "refuted"}
    far = move_product(net, w, 2, [[5, 6], [7, 8]])
    assert product([layer.weight for layer in net.unpack(far)]) == exact([[5, 6], [7, 8]])
    with pytest.raises(HypothesisError, match="row rank"):
        move_product(net, w * 0, 2, near)
    answer = certify_transfer(net, w * 0, 2, near, "1/10")
    assert (answer.verdict, answer.conditions[0].holds) == ("unknown", False)
    with pytest.raises(DataError, match="layer: got 5, need one of 1 to 4"):
        certify_transfer(net, w, 5, near, "1/10")
    bent = certify_transfer(Network((2, 2, 2), relu, bias=False), exact([1] * 8), 1, near, 1)
    assert_unknown(bent, "identity: got ReLU")
    with pytest.raises(DataError, match="epsilon: got 0"):
        certify_transfer(net, w, 2, near, 0)


@pytest.mark.parametrize("scale", [1, "1/3", fmpq(10**30 + 1, 10**15)])
def test_the_reach_of_one_layer_is_decided_exactly(scale):
    """Around layer 2 stand diag(3, 4) and diag(2, 1): it reaches exactly 3 epsilon far."""
    scale, net = rational(scale), network(2, 2, 2, 2)
    w = exact([2, 0, 0, 1] + [0] * 4 + [3, 0, 0, 4])
    for corner, verdict in ((3 * scale, "certified"), (3 * scale + fmpq(1, 10**40), "refuted")):
        target = exact([[0, corner], [0, 0]])
        answer = certify_transfer(net, w, 2, target, scale)
        assert answer.verdict == verdict
        assert all(c.holds is not None for c in answer.conditions)
    answer = certify_transfer(net, w, 2, exact([[4 * scale, 0], [0, 0]]), scale)
    assert answer.verdict == "unknown"
    assert [c.holds for c in answer.conditions] == [True, False, True, True]


def test_the_printed_lemma_lacks_an_inverse():
    net = network(1, 1, 1)
    w, R = exact([2, 3]), exact([[7]])
    first, second = (layer.weight for layer in net.unpack(w))
    printed = second + (R - second @ first) @ (first.T @ first) @ first.T
    assert printed @ first != R
    assert net.unpack(move_product(net, w, 2, R))[1].weight @ first == R


# Where the hypotheses fail


def test_the_corner_examples():
    assert corner_identity_holds()
    first, second = CORNER.flat(0, 2, 2), CORNER.flat(4, 2, 2)
    assert (first, second) == (exact([[0, 0], [0, 1]]), exact([[1, 0], [0, 0]]))
    assert certify_corner_minimum("absolute", "1/2").certified
    assert certify_corner_minimum("absolute", "51/100").verdict == "unknown"
    assert certify_corner_minimum("saddle", "39/100").certified
    assert certify_corner_minimum("saddle", "2/5").verdict == "unknown"
    with pytest.raises(DataError, match="loss"):
        certify_corner_minimum("squared", "1/2")
    with pytest.raises(DataError, match="radius"):
        certify_corner_minimum("saddle", 1)


@given(st.lists(st.integers(-9, 9), min_size=8, max_size=8))
def test_the_saddle_loss_of_the_corner_has_its_own_gradient(entries):
    R, move = exact(entries).flat(0, 2, 2), exact(entries).flat(4, 2, 2)
    rise = product_loss(saddle_corner_risk, R + move) - product_loss(saddle_corner_risk, R - move)
    assert rise == 2 * product_gradient(saddle_corner_risk, R).dot(move)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-39, 39), min_size=8, max_size=8))
def test_no_point_of_the_box_is_below_the_corner(shift):
    w = CORNER + exact([fmpq(s, 100) for s in shift])
    weights = [w.flat(0, 2, 2), w.flat(4, 2, 2)]
    assert absolute_corner_loss(product(weights)) >= 1
    assert product_loss(saddle_corner_risk, product(weights)) >= 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-45, 45), min_size=3, max_size=3))
def test_no_point_of_the_box_is_below_the_absolute_minimum(shift):
    a, b, v = (fmpq(s, 100) for s in shift)
    assert absolute_risk(exact([1 + a, fmpq(1, 10) + b]), v) >= fmpq(1, 2)


def test_the_absolute_minimum_is_spurious():
    answer = certify_absolute_minimum([1, "1/10"], "9/20")
    assert answer.certified
    assert answer.values["smaller_risk"] == fmpq(1, 200)
    assert certify_absolute_minimum([0, 1], "1/10").verdict == "unknown"
    for radius in (0, -5):  # a negative radius once certified any box
        with pytest.raises(DataError, match="radius: got"):
            certify_absolute_minimum([1, "1/10"], radius)
    with pytest.raises(ShapeError, match=r"w: shape \(1, 1\), need \(2, 1\)"):
        certify_absolute_minimum([1], "1/10")


def test_linear_collapse():
    assert certify_linear_collapse(network(2, 3, 2)).certified
    mixed = Network((2, 3, 3, 2), (identity, relu))
    assert certify_linear_collapse(mixed).witness["activation"] == "ReLU"
    smooth = certify_linear_collapse(Network((1, 1, 1), tanh))
    assert (smooth.verdict, smooth.reason) == ("unknown", "a smooth activation has no cells")


def test_linear_collapse_reads_the_output_activation():
    bent = certify_linear_collapse(Network((1, 1, 1), identity, output_activation=relu))
    assert (bent.verdict, bent.witness["activation"]) == ("refuted", "ReLU")
    assert certify_linear_collapse(Network((2, 1), (), output_activation=linear(2))).certified
    hidden = Network((1, 1, 1, 1), (linear(0), relu), bias=False)  # relu sees nothing but 0
    assert certify_linear_collapse(hidden).verdict == "unknown"


def test_products_belong_to_linear_networks():
    """A ReLU network, or one with an output activation, is no product of its weights."""
    for other in (
        Network((1, 2, 1), relu, bias=False),
        Network((1, 2, 1), identity, bias=False, output_activation=relu),
    ):
        answer = certify_transfer(other, exact([1, 1, 1, 2]), 1, [[8]], 100)
        assert_unknown(answer, "hypothesis (identity|no output activation)")
        with pytest.raises(HypothesisError, match=r"identity|no output activation"):
            factorise(other, [[3]])


# Floats


@pytest.mark.parametrize(
    ("noise", "found"), [(0, 96), (1e-12, 96), (1e-8, 96), (1e-6, 90), (1e-4, 70)]
)
def test_no_saddle_is_called_a_minimum_under_noise(noise, found):
    saddles, minima = count_answers(SADDLES, noise), count_answers(MINIMA, noise)
    assert saddles["global minimum"] == minima["saddle"] == 0
    assert saddles["saddle"] >= found
    assert minima["global minimum"] == (26 if noise < 1e-5 else 0)


def test_float_witnesses_are_higher_and_lower_in_fractions():
    for made in SADDLES[::7]:
        answer = classify_critical_floats(made.risk, made.point.point())
        assert answer.kind == "saddle"
        level = made.risk(exact(made.point.point()))
        assert made.risk(exact(answer.up)) > level > made.risk(exact(answer.down))


def test_gradient_descent_follows_the_gradient_of_the_risk():
    risk, w = random_risk(4, 2, 3, 2)
    risks, points = linear_descent(replace(risk, loss=mean_squared_error), w.point(), 0.01, 3)
    risk = replace(risk, loss=mean_squared_error)
    for value, here, there in zip(risks, points, points[1:], strict=False):
        assert value == pytest.approx(float(risk(here)))
        assert there == pytest.approx(here - 0.01 * risk.gradient(here).numpy())


def test_floats_find_the_exact_gap():
    for made in SADDLES[::8]:
        risk, w = made.risk, made.point
        best = least_squares(risk.exact_X, risk.exact_y)[0]
        residuals = risk.exact_X @ best - risk.exact_y
        gap = risk(w) - residuals.dot(residuals) / 2
        assert suboptimality(risk, w.point()) == pytest.approx(float(gap.p) / float(gap.q))
    scaled = replace(risk, loss=mean_squared_error)
    ratio = suboptimality(scaled, w.point()) / suboptimality(risk, w.point())
    assert ratio == pytest.approx(2 / len(risk.X))


def test_a_gradient_that_explains_the_change_leaves_it_unresolved():
    risk, w = random_risk(2, 2, 3, 2)
    assert classify_critical_floats(risk, w.point()).kind == "unresolved"
    assert classify_critical_floats(NARROW, exact([1, 0, 2, 0]).point()).kind == "unresolved"
    with pytest.raises(DtypeError, match="float point"):
        classify_critical_floats(risk, w)


def test_the_floats_use_the_construction_of_the_proof():
    made = SADDLES[40]
    weights = weights_of(made.risk, made.point)
    G = product_gradient(made.risk, product(weights))
    moves = make_moves(weights, G, find_directions(weights, G), fmpq(1, 4))
    assert product(moves.base) == product(weights)
    M = product(moves.tuple(1)) - product(weights)
    assert M.dot(G) > 0
    assert product(moves.tuple(-1)) - product(weights) == -M
