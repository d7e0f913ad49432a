"""Constants found for activations that no table holds, and the reason where there are none."""

from decimal import Decimal

import pytest
import torch
from smooth_points import AFFINE, MISH

import lscore
from lscore import Smooth, relu
from lscore.errors import DataError, DtypeError, HypothesisError
from lscore.papers.yun2019 import (
    certify_three_points,
    find_constants,
)

GAUSSIAN = Smooth("Gaussian", lambda z: torch.exp(-z * z), lambda z: (-z * z).exp())
ASINH = Smooth("asinh", torch.asinh, lambda z: (z + (z * z + 1).sqrt()).log())
HIDDEN = Smooth(
    "hidden identity", lambda z: 1.0 * z, lambda z: (1 + z.exp()).log() - (1 + (-z).exp()).log()
)


@pytest.mark.parametrize(
    ("h", "case"), [(MISH, "(a)"), (GAUSSIAN, "(a)"), (ASINH, "(b)"), (lscore.tanh, "(b)")],
    ids=lambda x: getattr(x, "name", x),
)  # fmt: skip
def test_new_activations_are_solved_and_certified(h, case):
    c = find_constants(h)
    assert c.why.startswith(f"case {case}")
    answer = certify_three_points(c)
    assert answer.certified
    assert answer.values["radius"] > Decimal("0.1")


@pytest.mark.parametrize(
    ("h", "error", "message"),
    [
        (lscore.linear(2), HypothesisError, r"non-affine: linear \(2\) is affine with slope 2"),
        (AFFINE, HypothesisError, r"non-affine: affine is affine with slope 2"),
        (HIDDEN, DataError, r"no constants found .* > 0 is shown at 0 and h h'' < 0 at 0"),
        (relu, HypothesisError, r"C2\.7: ReLU is piecewise linear"),
        (lscore.hard_tanh, HypothesisError, r"C2\.7: hard tanh is piecewise linear"),
        (torch.tanh, DtypeError, "h: got builtin_function_or_method, need a Smooth"),
        (Smooth("floats", torch.tanh, torch.tanh), DtypeError, "does not take balls"),
        (Smooth("wrong", torch.tanh, lambda z: z.atan()), DataError, "formulas of wrong differ"),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_activations_outside_the_theorem_are_refused_with_the_reason(h, error, message):
    with pytest.raises(error, match=message):
        find_constants(h)
