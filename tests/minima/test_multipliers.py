"""Multipliers at a kink: those of the theorem, unit by unit, at a cost that is known before."""

from fractions import Fraction

from named_kinks import DEAD, FIGURE_4, HALF, LEFT, RIGHT, TWO_NEURONS, numbers, standing

from lscore import Network, Risk, binary_hinge, certify_hinge_minimum, exact, relu


def test_the_multipliers_are_those_of_the_theorem():
    """v = 0 and no hidden ties: for each sign s some p has s <sum of p x, z> < 0, and sum 0."""
    answer = certify_hinge_minimum(standing(relu), exact([1, 0, 3, 0, 1]))
    multipliers = answer.values["multipliers"]
    columns = [numbers(multipliers.column(j)) for j in range(multipliers.shape[1])]
    turns = [sum(p * (x + 3) for p, (x, _) in zip(c, RIGHT, strict=True)) for c in columns]
    assert min(turns) < 0 < max(turns)
    for column in columns:
        assert sum(column) == 0
        for p, label, mu in zip(column, LEFT, ("7/20", "7/20", "3/10"), strict=True):
            assert 0 <= p * label <= Fraction(mu)


def test_the_cost_is_known_before_and_the_limit_can_be_raised():
    risk, w = standing(HALF, units=2), exact(TWO_NEURONS)
    answer = certify_hinge_minimum(risk, w, limit=3)
    assert answer.verdict == "unknown"
    assert answer.reason == "there are up to 4 cases, the limit is 3"
    assert certify_hinge_minimum(risk, w, limit=4).refuted
    many = Risk(Network((2, 12, 1), relu), DEAD, FIGURE_4.y, binary_hinge())
    rest = certify_hinge_minimum(many, exact([0] * 48 + [1]), limit=10**9)
    assert "cases, the limit is 1000000000" in rest.reason


def test_units_without_a_tied_margin_are_decided_one_by_one():
    """Twelve unused units on knots at every sample: sums, not products."""
    risk = Risk(Network((1, 12, 1), relu), [-1, 0, 1], [1, -1, 1], binary_hinge())
    answer = certify_hinge_minimum(risk, exact([0] * risk.dimension))
    assert answer.refuted
    assert "at most 73" in answer.conditions[0].text
