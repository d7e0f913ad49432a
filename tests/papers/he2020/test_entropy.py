"""Overlap: exact verdicts against a linear program in floats, and both certificates substituted.

`LSCORE_ENTROPY=2000` asks that many random integer data sets instead of 200; see also
`test_linear_minimum`.
"""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from entropy_data import SETS, SOFTMAX, linear, random_risk
from flint import fmpq
from scipy.optimize import linprog
from sklearn.datasets import load_iris

from lscore import Network, Risk, absolute_value, binary_hinge, exact, leaky_relu, relu, tanh
from lscore.algebra.matrices import ones
from lscore.errors import LscoreError
from lscore.model.entropy import LogisticLoss
from lscore.papers.he2020.entropy import (
    certify_never_flat,
    certify_no_minimum,
    certify_overlap,
    checked_dual,
    class_rows,
    design,
    margin_columns,
    margins,
    overlap,
)

QUASI = [0, 1, 1, 2], [0, 0, 1, 1]  # both classes at 1


def largest_margins(risk):
    """The linear program, in floats: max of the sum of margins, all between 0 and 1."""
    X = risk.X.numpy()
    rows = np.column_stack([X, np.ones(len(X))]) if risk.network.bias is True else X
    labels, k, p = risk.y.numpy().argmax(1), risk.y.shape[1], rows.shape[1]
    lines = []
    for x, own in zip(rows, labels, strict=True):
        for other in set(range(k)) - {own}:
            line = np.zeros((k, p))
            line[own], line[other] = x, -x
            lines.append(line.ravel())
    M = np.array(lines)
    found = linprog(
        -M.sum(0), np.vstack([M, -M]), np.r_[np.ones(len(M)), np.zeros(len(M))], bounds=(None, None)
    )
    assert found.status == 0
    return -found.fun


@pytest.mark.parametrize("seed", range(4))
def test_verdicts_are_those_of_a_linear_program(seed):
    kinds = Counter()
    for part in range(seed, SETS, 4):
        risk = random_risk(part)
        answer, top = certify_overlap(risk), largest_margins(risk)
        assert answer.certified == (top < 1e-6)
        assert answer.refuted == (top > 0.5)
        q, direction = overlap(risk)
        if answer.certified:
            assert q.smallest() == answer.values["smallest_weight"] > 0
            assert q @ ones(q.shape[1]) == ones(len(q))
            assert ((q - risk.exact_y).T @ design(risk)).is_zero()
        else:
            z = (design(risk) @ direction.T).floats()
            gaps = z[risk.y.numpy() == 1][:, None] - z
            assert gaps.min() > -1e-12
            assert gaps.max() > 0.1
        kinds[answer.reason.split(":")[0]] += 1
    assert len(kinds) == 3, kinds  # overlap, separable, quasi-separable


def test_the_direction_is_strict_if_all_margins_can_grow():
    answer = certify_overlap(linear([0, 1, 2, 3], [0, 0, 1, 1], 2))
    assert answer.reason.startswith("separable: 4 of 4")
    assert min(margins(linear([0, 1, 2, 3], [0, 0, 1, 1], 2), answer.witness["direction"])) >= 1
    answer = certify_overlap(linear(*QUASI, 2))
    assert answer.reason.startswith("quasi-separable: 2 of 4")


@pytest.mark.parametrize(
    ("X", "y", "k", "verdict"),
    [
        ([1], [0], 2, "refuted"),  # one sample
        ([0, 0], [0, 1], 2, "certified"),  # only zero rows: the bias
        ([0, 1, 2], [0, 1, 0], 3, "refuted"),  # a class without a sample
        ([5, 5, 5, 5], [0, 1, 0, 1], 2, "certified"),
        ([1e-300, -1e-300, 3e-300, 0], [0, 0, 1, 1], 2, "certified"),
        ([1e-300, -1e-300, 3e-300, 2e-300], [0, 0, 1, 1], 2, "refuted"),
        ([1e300, 2e300, 3e300], [0, 1, 0], 2, "certified"),
    ],
)
def test_degenerate_data(X, y, k, verdict):
    assert certify_overlap(linear(X, y, k)).verdict == verdict


def test_without_biases_only_linear_functions_count():
    data = [1, 2], [0, 1]
    assert certify_overlap(linear(*data, 2)).refuted
    assert certify_overlap(linear(*data, 2, bias=False)).certified
    mixed = Risk(Network((1, 2, 2), relu, bias=(False, True)), *data, SOFTMAX)
    assert certify_overlap(mixed).refuted


def test_the_logistic_loss_asks_the_same_of_two_classes():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X, y = rng.integers(-2, 3, (7, 2)), rng.integers(0, 2, 7)
        one = Risk(Network((2, 1), ()), X, 1 - 2 * y, LogisticLoss())
        assert class_rows(one) == linear(X, y, 2).exact_y
        assert certify_overlap(one).verdict == certify_overlap(linear(X, y, 2)).verdict


def test_soft_labels():
    smooth = [["9/10", "1/20", "1/20"], ["1/20", "9/10", "1/20"], ["1/20", "1/20", "9/10"]]
    answer = certify_overlap(linear([0, 1, 2], smooth, 3))  # label smoothing
    assert answer.certified
    half = [["1/2", "1/2", 0], [0, "1/2", "1/2"], ["1/2", "1/2", 0]]
    q, _ = overlap(linear([0, 1, 2], half, 3))
    assert q.smallest() > 0
    # outputs 0 and 1 are tied at both samples, hence everywhere, and output 2 falls behind
    answer = certify_overlap(linear([0, 1], [["1/2", "1/2", 0]] * 2, 3))
    assert answer.refuted
    z = exact([[0, 1], [1, 1]]) @ answer.witness["direction"].T
    assert all(z[i, 0] == z[i, 1] > z[i, 2] for i in range(2))
    wrong, shared = margin_columns(linear([0, 1], [["1/2", "1/2", 0]] * 2, 3))
    assert (wrong.shape, shared.shape) == ((4, 2), (4, 2))


def test_wrong_dual_weights_are_refused():
    risk = linear([-3, -1, 1, 3], [0, 1, 0, 1], 2)
    q, _ = overlap(risk)
    for change in (1 + exact([1])[0, 0] / 10**9, 2, -1):
        with pytest.raises(LscoreError, match="failed its check"):
            checked_dual(risk, q * change)
    swapped = exact([row[::-1] for row in [[q[i, 0], q[i, 1]] for i in range(4)]])
    with pytest.raises(LscoreError, match="failed its check"):
        checked_dual(risk, swapped)


@pytest.mark.parametrize(
    "risk",
    [
        Risk(Network((1, 1), ()), [0, 1], [1, -1], binary_hinge()),
        Risk(Network((1, 2), ()), [0, 1], [0, 1], SOFTMAX, "1/10"),
        Risk(Network((1, 2), (), output_activation=relu), [0, 1], [0, 1], SOFTMAX),
        Risk(Network((1, 1), ()), [0, 1], [0, 1]),
    ],
)
def test_other_risks_are_unknown(risk):
    for check in (certify_overlap, certify_no_minimum, certify_never_flat):
        assert check(risk).verdict == "unknown"


def test_iris_is_quasi_separable_and_two_of_its_classes_overlap():
    X, y = load_iris(return_X_y=True)
    assert certify_overlap(linear(X, y, 3)).reason.startswith("quasi-separable: 200 of 300")
    assert certify_overlap(linear(X[50:], y[50:] - 1, 2)).certified
    assert certify_overlap(linear(X[:100], y[:100], 2)).reason.startswith("separable")


# Networks without a local minimum


def no_minimum(h, X, y, loss=SOFTMAX, outputs=2, bias=True):
    d = np.shape(X)[1] if np.ndim(X) > 1 else 1
    return certify_no_minimum(Risk(Network((d, 3, outputs), h, bias=bias), X, y, loss))


def test_leaky_networks_have_no_local_minimum_where_classes_do_not_overlap():
    assert no_minimum(leaky_relu("1/10"), *QUASI).certified
    assert no_minimum(leaky_relu("1/10"), QUASI[0], [1, 1, -1, -1], LogisticLoss(), 1).certified
    assert no_minimum(leaky_relu("1/10"), [0, 1, 2], [0, 0, 1]).certified  # separable


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (no_minimum(relu, *QUASI), "do not have one sign"),
        (no_minimum(absolute_value, *QUASI), "do not have one sign"),
        (no_minimum(leaky_relu("1/10"), [-3, -1, 1, 3], [0, 1, 0, 1]), "the classes overlap"),
        (no_minimum(leaky_relu("1/10"), [0, 1, 2], [0, 1, 2], outputs=3), "two classes"),
        (no_minimum(tanh, *QUASI), "piecewise linear"),
        (no_minimum(leaky_relu("1/10"), *QUASI, bias=(False, True)), "biases of the hidden units"),
    ],
)
def test_outside_the_proof_the_answer_is_unknown(answer, reason):
    assert answer.verdict == "unknown"
    assert reason in answer.reason


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_risk_never_rises_along_the_direction(outputs):
    """From random points: one unit moves along the direction, with the sign of its weight."""
    rng, (X, y) = np.random.default_rng(0), QUASI
    labels = [1 - 2 * v for v in y] if outputs == 1 else y
    loss = LogisticLoss() if outputs == 1 else SOFTMAX
    risk = Risk(Network((1, 3, outputs), leaky_relu("1/10")), X, labels, loss)
    W = certify_no_minimum(risk).values["direction"]
    u = (W.rows(0, 1) - W.rows(1, 2)).floats()[0]
    for _ in range(60):
        w, unit = torch.from_numpy(rng.normal(size=risk.dimension)), int(rng.integers(3))
        weight = w[6 + unit] - (w[9 + unit] if outputs == 2 else 0)
        values = []
        for t in (0, 1e-3, 0.1, 1, 10, 100):
            moved = w.clone()
            moved[unit] += t * float(torch.sign(weight)) * u[0]
            moved[3 + unit] += t * float(torch.sign(weight)) * u[1]
            values.append(float(risk(moved)))
        assert all(b < a for a, b in pairwise(values))


def test_the_loss_is_flat_only_for_soft_labels():
    assert certify_never_flat(linear([0, 1], [0, 1], 2)).certified
    soft = linear([0, 1], [["1/3", "2/3"], ["1/10", "9/10"]], 2)
    answer = certify_never_flat(soft)
    z = torch.from_numpy(answer.witness["outputs"].floats())
    assert answer.refuted
    assert abs(SOFTMAX.gradient(z, soft.y)).max() < 1e-16
    assert certify_never_flat(linear([0, 1], [["1/3", "2/3"], [0, 1]], 2)).certified
    tiny = fmpq(1, 10**400)  # beyond the floats, its logarithm is not
    answer = certify_never_flat(linear([0], exact([[tiny, 1 - tiny]]), 2))
    assert float(answer.witness["outputs"][0, 0]) == pytest.approx(-400 * np.log(10))
