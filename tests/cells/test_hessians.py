"""The exact Hessian of a cell against its polynomial, written out, and against autodiff."""

import numpy as np
import pytest
import torch
from losses import Huber, Quartic

from lscore import (
    Network,
    Risk,
    SquaredLoss,
    absolute_value,
    binary_hinge,
    cell_at,
    cell_hessian,
    cell_polynomial,
    exact,
    hard_tanh,
    leaky_relu,
    multiclass_hinge,
    relu,
)
from lscore.algebra.definite import inertia
from lscore.cells.hessians import split_hessian

MEAN = SquaredLoss("1/2", mean=True)


def by_polynomial(risk, w):
    """The Hessian read off the monomials of the risk at w + u; shares nothing with the closed
    form."""
    found = np.zeros((len(w), len(w)), dtype=object)
    for exponents, c in cell_polynomial(cell_at(risk, w), w).to_dict().items():
        if sum(exponents) == 2:
            i, j = [k for k, e in enumerate(exponents) for _ in range(e)]
            found[i, j] = found[j, i] = 2 * c if i == j else c
    return exact(found)


CASES = [
    ((2, 3, 1), relu, True, MEAN, None),
    ((2, 2, 2, 2), leaky_relu("1/4"), False, MEAN, None),
    ((1, 2, 2, 1, 2), absolute_value, True, SquaredLoss(), None),
    ((2, 2, 1), hard_tanh, True, Huber("1/2"), None),
    ((2, 2, 1), relu, True, Quartic(), None),
    ((2, 3, 1), relu, True, binary_hinge(), [1, -1, 1, -1]),
    ((2, 2, 3), relu, False, multiclass_hinge(), [0, 1, 2, 0]),
    ((2, 2), (), True, MEAN, None),
]


@pytest.mark.parametrize("decay", [0, "1/3"])
@pytest.mark.parametrize("case", CASES)
def test_the_closed_form_is_the_polynomial(case, decay):
    widths, h, bias, loss, labels = case
    rng, outer = np.random.default_rng(1), relu if len(widths) == 4 else None
    network = Network(widths, h, bias=bias, output_activation=outer)
    y = labels or rng.integers(-9, 10, (4, widths[-1]))
    risk = Risk(network, rng.integers(-9, 10, (4, widths[0])), y, loss, decay)
    for _ in range(3):
        w = exact(rng.integers(-99, 100, network.dimension)) / 97
        assert cell_hessian(cell_at(risk, w), w) == by_polynomial(risk, w)


def test_the_residual_part_has_no_block_of_a_single_layer_and_the_other_is_never_negative():
    rng = np.random.default_rng(0)
    network = Network((2, 3, 2, 2), leaky_relu("1/2"), bias=False)
    risk = Risk(network, rng.normal(size=(5, 2)), rng.normal(size=(5, 2)), MEAN)
    w = exact(rng.normal(size=network.dimension))
    first, rest = split_hessian(cell_at(risk, w), w)
    assert inertia(first)[0] == 0
    assert inertia(rest)[0] > 0
    for start, stop in ((0, 6), (6, 12), (12, 16)):
        assert all(rest[i, j] == 0 for i in range(start, stop) for j in range(start, stop))
    assert np.allclose((first + rest).floats(), torch.func.hessian(risk._float_value)(w.point()))


def test_the_hessian_of_a_square_is_the_square_of_the_input():
    """w^2 / 2 at 2: a diagonal entry counts once."""
    risk = Risk(Network((1, 1), (), bias=False), [1], [0])
    assert cell_hessian(cell_at(risk, exact([2])), exact([2])) == exact([[1]])
    wide = Risk(Network((2, 1), (), bias=False), [[1, 3]], [0])
    assert cell_hessian(cell_at(wide, exact([2, 0])), exact([2, 0])) == exact([[1, 3], [3, 9]])


def test_frozen_parameters_have_no_derivatives():
    risk = Risk(Network((1, 1, 1), relu, bias=False), [1], [3], MEAN, "1/4", [True, False])
    w = exact([2, 2])
    assert cell_hessian(cell_at(risk, w), w) == exact([[0, 0], [0, "17/4"]])
    assert np.array_equal(cell_hessian(cell_at(risk, w), w).floats(), risk.hessian(w.point()))
