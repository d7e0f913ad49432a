"""Points from places, and the conditions at a point, against exact neighbours."""

import random
from fractions import Fraction

import pytest
from plain import Plain
from small_surfaces import LISTS, risk_of, solved

from lscore import Network, Risk, exact, rational, relu
from lscore.cells.pattern import locate
from lscore.surface.cones import Cones
from lscore.surface.points import decouples, point_at

NAMES = ["five points, 2 units", "one unit without a spurious minimum", "plane, 1 unit"]


@pytest.mark.parametrize("name", NAMES)
def test_a_point_gives_the_fit_of_its_places(name):
    surface = solved(name)
    for decision in surface.decisions:
        for places in (decision.inside, decision.anywhere):
            if places is not None:
                w = point_at(surface.risk, decision.candidate, places)
                residual = surface.risk.predictions(w) - surface.risk.exact_y
                assert residual == decision.candidate.residual
                assert decouples(surface.cones, locate(surface.risk, w))


@pytest.mark.parametrize("name", NAMES)
def test_no_exact_neighbour_of_a_listed_point_is_lower(name):
    surface, rng = solved(name), random.Random(0)
    plain = Plain(surface.risk)
    for minimum in surface.minima:
        w = [Fraction(int(e.p), int(e.q)) for e in minimum.point.entries()]
        value = plain.risk(w)
        assert value == Fraction(str(minimum.risk))
        for _ in range(40):
            size = Fraction(1, 2 ** rng.randint(12, 20))
            moved = [a + size * rng.randint(-3, 3) * (rng.random() < 0.6) for a in w]
            assert plain.risk(moved) >= value


@pytest.mark.parametrize(
    ("place", "why"),
    [(0, "the slope"), (2, "the kink"), (3, "the output weight"), (4, "the mean")],
)
def test_a_point_beside_a_minimum_does_not_decouple(place, why):
    surface = solved("plane, 1 unit")
    w = surface.best.point.entries()
    w[place] += rational("1e-9")
    assert not decouples(surface.cones, locate(surface.risk, exact(w))), why


def test_units_without_output_weight_need_a_flat_neighbourhood():
    """A dead unit may have output weight 0, one that could help may not; nor one at 0."""
    risk = Risk(Network((1, 1, 1), relu), [0, 1, 2, 3], [0, 1, 4, 9])
    cones = Cones(risk.exact_X, risk.exact_y, risk.network.activations[0].slopes)
    mean = "7/2"
    verdicts = [
        decouples(cones, locate(risk, exact([w, b, 0, mean]))) for w, b in [(0, -1), (1, 0), (0, 0)]
    ]
    assert verdicts == [True, False, False]


def test_units_left_over_share_an_output_weight():
    surface = solved("five points, 1 unit")
    data, _, slopes, _ = LISTS["five points, 1 unit"]
    wide = risk_of(data, 3, slopes)
    decision = next(d for d in surface.decisions if d.inside is not None and d.inside.cones)
    w = point_at(wide, decision.candidate, decision.inside)
    out = wide.network.unpack(w)[1].weight.entries()
    assert len(set(map(str, out))) == 1
    assert abs(sum(out)) == 1
    assert wide.predictions(w) - wide.exact_y == decision.candidate.residual
    assert decouples(surface.cones, locate(wide, w))
