"""Places of units for a prediction, or obstructions to all of them, both checked anew."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from small_surfaces import EIGHT, PLANE
from surface_cones import cones_of

from lscore import exact
from lscore.surface.candidates import cell_solutions, count_subsets
from lscore.surface.places import Places, Search


def candidates_of(data, width):
    cones = cones_of(data)
    return cell_solutions(cones, width, 0, count_subsets(len(cones.distinct), width))[0]


@pytest.fixture(params=[(EIGHT, 1), (EIGHT, 2), (PLANE, 1)], ids=["8, 1", "8, 2", "plane, 1"])
def searches(request):
    data, width = request.param
    found = candidates_of(data, width)
    return [Search(c, width, inside) for c in found for inside in (True, False)]


def test_every_candidate_has_places_or_obstructions_and_not_both(searches):
    counts = [0, 0]
    for search in searches:
        places, obstructions = search.run()
        counts[places is None] += 1
        if places is None:
            assert search.excludes_all(obstructions)
            assert not search.excludes_all(obstructions[1:])
        else:
            assert search.holds(places)
            assert not search.excludes_all([-search.candidate.fit, search.candidate.fit])
    assert min(counts) > 0


def test_wrong_places_are_refused(searches):
    spans = searches[0].candidate.cones.spans
    found = ((s, p) for s in searches if (p := s.run()[0]) and p.weights)
    search, places = next(
        (s, p) for s, p in found if (spans[p.cones[0]] != spans[p.cones[0] ^ 1]).any()
    )
    first = next(iter(places.weights))
    doubled = places.weights | {first: places.weights[first] * 2}
    negative = places.weights | {first: -places.weights[first]}
    fewer = {v: weight for v, weight in places.weights.items() if v != first}
    for weights in (doubled, negative, fewer):
        assert not search.holds(replace(places, weights=weights))
    for cones in (
        places.cones + places.cones[:1] * search.width,
        tuple(c ^ 1 for c in places.cones),
    ):
        assert not search.holds(replace(places, cones=cones))
    assert not search.holds(Places((), {}, 0))
    on_walls = [s for s in searches if not s.inside and (p := s.run()[0]) and s.holds(p)]
    assert any(not replace(s, inside=True).holds(s.run()[0]) for s in on_walls)


def test_an_obstruction_separates_in_plain_fractions(searches):
    """z . v >= 0 for the vectors of a set, z . p <= 0, not all 0: no positive combination is p."""
    search = next(s for s in searches if s.run()[0] is None)
    _, obstructions = search.run()
    rows = [[int(e) for e in row] for row in search.candidate.cones.rows]
    fit = [Fraction(int(e.p), int(e.q)) for e in search.candidate.fit.entries()]
    for reached, _ in search.blocks():
        for row in reached:
            held = False
            for z in obstructions:
                z = [Fraction(int(e.p), int(e.q)) for e in z.entries()]
                products = [
                    sum(a * b for a, b in zip(z, rows[v], strict=True)) for v in np.flatnonzero(row)
                ]
                against = sum(a * b for a, b in zip(z, fit, strict=True))
                strict = against < 0 or any(p > 0 for p in products)
                held |= against <= 0 and min(products, default=0) >= 0 and strict
            assert held


def test_a_constant_prediction_needs_an_idle_place():
    """x = 0, 1 and y = 0, 1: units of ReLU that are dead, or none for |z|, keep the mean."""
    data = [0, 1], [0, 1]
    flat = [c for c in candidates_of(data, 1) if c.fit.is_zero()]
    assert Search(flat[0], 1, True).run()[0].idle is not None
    cones = cones_of(data, (-1, 1))
    bent = [c for c in cell_solutions(cones, 1, 0, 100)[0] if c.fit.is_zero()]
    search = Search(bent[0], 1, False)
    assert search.idle is None
    assert search.run()[0] is None


def test_an_obstruction_that_does_not_exclude_is_not_believed(searches):
    search = next(s for s in searches if s.run()[0] is None)
    reached, _ = next(search.blocks())
    z = exact([0] * len(search.candidate.fit))
    assert not search.excluded(z, reached).any()
    assert not search.excluded(search.candidate.fit, reached).any()
