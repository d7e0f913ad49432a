"""Width one: the exact global minimum, against the ledger's numbers and a brute-force search."""

from fractions import Fraction

import numpy as np
import pytest
from cases import (
    PARABOLA,
    SLOPES,
    fraction,
    inner,
    reference_activation,
    reference_residuals,
)
from flint import fmpq

from lscore import (
    Network,
    Risk,
    exact,
    hard_tanh,
    leaky_relu,
    mean_squared_error,
    relu,
    two_piece,
)
from lscore.errors import HypothesisError
from lscore.papers.yun2019 import affine_fit, least_squares_minimum, refitted_kink
from lscore.surface.one_kink import best_one_kink

BUMP = [0, 1, -3, 3, -1, 0]


def bumped(slope, size, width=1):
    """x = 0..5 and y = x + size * bump: data that one unit may or may not use."""
    y = [Fraction(x) + Fraction(size) * v for x, v in enumerate(BUMP)]
    return Risk(Network((1, width, 1), leaky_relu(slope)), list(range(6)), y)


@pytest.mark.parametrize(
    ("risk", "value"),
    [
        (
            Risk(Network((1, 1, 1), relu), [0, 1, 2, 3], ["-1/20", "23/20", "37/20", "61/20"]),
            "1/40",
        ),
        (
            Risk(
                Network((1, 1, 1), leaky_relu("1/2")),
                [0, 1, 2, 3],
                ["-1/20", "23/20", "37/20", "61/20"],
            ),
            "1/48",
        ),
        (bumped(0, "1/20"), "1/40"),
        (bumped("1/2", "1/20"), "1/40"),
        (bumped("9/10", "1/100"), "1/1000"),
        (bumped("9/10", 1), "32151/3247"),
    ],
)
def test_global_minima_of_width_one_are_those_of_the_ledger(risk, value):
    best = best_one_kink(risk)
    least_squares = affine_fit(risk).sum_of_squares / 2
    assert best.risk == exact([value])[0, 0]
    assert best.risk <= least_squares
    assert (best.kink is None) == (best.risk == least_squares)


@pytest.mark.parametrize(
    ("slope", "size", "gain"),
    [(0, "1/20", "7/6080"), ("1/2", "1/20", "7/6080"), ("9/10", "1/100", "7/152000"),
     ("9/10", 1, "35/76")],
)  # fmt: skip
def test_width_two_is_strictly_better(slope, size, gain):
    lower = refitted_kink(bumped(slope, size, width=2))
    assert lower.decrease == exact([gain])[0, 0]
    assert lower.risk < best_one_kink(bumped(slope, size)).risk


def test_without_a_spare_unit_the_least_squares_point_can_be_global():
    risk = bumped("1/2", "1/20")
    w = least_squares_minimum(risk)
    assert risk(w) == best_one_kink(risk).risk
    with pytest.raises(HypothesisError, match=r"C1\.4: the hidden layer has width 1"):
        refitted_kink(risk)


@pytest.mark.parametrize("pair", SLOPES)
@pytest.mark.parametrize("seed", range(4))
def test_no_kink_on_a_fine_grid_is_better_and_the_returned_one_is_attained(pair, seed):
    rng = np.random.default_rng(seed)
    x = [int(v) for v in rng.integers(-3, 4, 5)]
    y = [Fraction(int(v), 2) for v in rng.integers(-4, 5, 5)]
    h = two_piece(*pair)
    best = best_one_kink(Risk(Network((1, 1, 1), h), x, y))

    def at(kink):
        values = []
        for sign in (1, -1):
            unit = [[reference_activation(h, sign * (v - kink)), Fraction(1)] for v in x]
            left = reference_residuals(unit, y)
            values.append(inner(left, left) / 2)
        return min(values)

    wanted = fraction(best.risk)
    assert all(at(Fraction(k, 12)) >= wanted for k in range(-40, 41))
    if best.kink is not None:
        assert at(fraction(best.kink)) == wanted


def test_the_risk_comes_in_the_scale_of_the_loss():
    data = [0, 1, 2, 3], [0, 1, 4, 9]
    half = best_one_kink(Risk(Network((1, 1, 1), relu), *data))
    mean = best_one_kink(Risk(Network((1, 1, 1), relu), *data, mean_squared_error))
    assert (half.risk, half.kink) == (fmpq(1, 4), fmpq(13, 10))
    assert mean.risk == half.risk / 2
    assert mean.kink == half.kink


def test_equal_inputs_leave_nothing_to_a_kink():
    best = best_one_kink(Risk(Network((1, 1, 1), relu), [1, 1], [0, 2]))
    assert (best.risk, best.kink) == (1, None)


def test_other_networks_are_refused():
    with pytest.raises(HypothesisError, match="hypothesis 1 hidden unit: got 2"):
        best_one_kink(PARABOLA)
    with pytest.raises(HypothesisError, match=r"C1\.3"):
        best_one_kink(Risk(Network((1, 1, 1), hard_tanh), [0, 1], [0, 1]))


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("slope", [0, "1/4", -2])
def test_no_point_of_a_side_is_below_its_minimum(side, slope):
    risk = Risk(Network((1, 1, 1), two_piece(1, slope)), [0, 1, 2, 4], [1, 0, 2, 1])
    best = best_one_kink(risk, side).risk
    rng = np.random.default_rng(0)
    for w in rng.integers(-8, 9, (300, 4)) / 4.0:
        w[0] = side * (abs(w[0]) + 0.25)
        assert risk(exact(w)) >= best
    assert best_one_kink(risk).risk == min(best_one_kink(risk, s).risk for s in (1, -1))
