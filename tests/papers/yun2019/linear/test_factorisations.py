"""Products as products of layers: wide layers, bottlenecks, moves of one layer."""

from fractions import Fraction

import numpy as np
import pytest
from cases import assert_unknown
from flint import fmpq
from linear_points import MINIMA, NARROW, diagonal, network

from lscore import (
    Network,
    Risk,
    exact,
    identity,
    rational,
    relu,
)
from lscore.algebra.linear import least_squares
from lscore.algebra.matrices import stack, to_float
from lscore.errors import DataError, DtypeError, HypothesisError, ShapeError
from lscore.minima.descent import certify_along
from lscore.papers.yun2019 import (
    certify_bottleneck_minimum,
    certify_saddle,
    certify_saddle_or_minimum,
    certify_transfer,
    factorise,
    move_product,
    saddle_escape,
    zero_layers,
)
from lscore.papers.yun2019.linear.setting import product, product_gradient, weights_of


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
