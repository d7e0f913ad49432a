"""Exercises on Theorem N accept what is right only."""

import pytest

from lscore import Network, Risk, exact, linear, relu, two_piece
from lscore.pages.exercises import what_lives_in_u as check

HALVES = exact(["1/2", 0, "1/2", 0])


def test_three_outputs():
    risk = Risk(Network((1, 1, 3), relu, bias=False), [1], [["1/2", 0, 0]], check.HALF, "1/4")
    assert check.is_balanced(risk, exact(["1/2", "1/2", 0, 0]), 3).startswith("correct")
    assert "3 outputs" in check.is_balanced(risk, exact(["1/2", "1/2", 0, 0]), 2)
    assert check.is_balanced(risk, exact([1, 1, 0, 0]), 3) == "not yet: unknown"


@pytest.mark.parametrize(("answer", "said"), [(1, "correct"), (-1, "not yet"), (2, "not yet")])
def test_the_ratio(answer, said):
    assert check.ratio_by_hand(answer).startswith(said)


def test_an_intruder():
    network = Network((1, 1, 1), relu, bias=(True, False))
    risk = Risk(network, ["8/15"], ["469/1020"], check.HALF, "1/5")
    point = exact(["4/17", "15/34", "1/2"])
    assert check.is_a_biased_intruder(risk, point).startswith("correct")
    assert "gradient" in check.is_a_biased_intruder(risk, exact([1, 1, 1]))
    far = Risk(network, ["3/4"], ["9/25"], check.HALF, "1/5")
    assert "not below" in check.is_a_biased_intruder(far, exact(["6/25", "8/25", "2/5"]))
    bare = Risk(Network((1, 1, 1), relu, bias=False), [1], [1], check.HALF, "1/5")
    assert "no biases" in check.is_a_biased_intruder(bare, exact([0, 0]))


@pytest.mark.parametrize(
    ("h", "label", "decay", "missed"),
    [(relu, "1/2", {"weights": "1/4"}, "several"), (two_piece(3, 0), "5/6", "1/4", "two-piece")],
)
def test_an_intruder_by_other_means_is_none(h, label, decay, missed):
    """Biases that are not decayed, and a slope above 1, which breaks the theorem by itself."""
    risk = Risk(Network((1, 1, 1), h, bias=(True, False)), [1], [label], check.HALF, decay)
    assert missed in check.is_a_biased_intruder(risk, exact(["1/2", 0, "1/2"]))


def test_idle_units_and_walls():
    line, bent = (
        Risk(Network((1, 2, 1), h, bias=False), [1], ["1/2"], check.HALF, "1/4")
        for h in (linear(1), relu)
    )
    assert check.has_idle_units(line, HALVES).startswith("correct")
    assert "unknown" in check.has_idle_units(bent, HALVES)
    busy = exact(["3/10", "2/5", "3/10", "2/5"])  # obeys the theorem as well
    assert check.has_idle_units(line, busy) == "not yet: every hidden unit has weights"
    assert check.hides_on_a_wall(bent, HALVES).startswith("correct")
    assert "knot" in check.hides_on_a_wall(line, HALVES)
    assert "balanced" in check.hides_on_a_wall(bent, exact([0] * 4))
