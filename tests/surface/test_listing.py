"""The list and its certificate: true lists are certified, tampered ones are refuted."""

import random
from dataclasses import replace

import numpy as np
import pytest
from losses import Huber
from small_surfaces import LISTS, solved

from lscore import Network, Risk, exact, relu
from lscore.cells.pattern import locate
from lscore.minima.unit_by_unit import certify_kink_minimum
from lscore.surface.listing import Decision, Minimum, Surface, surface_of
from lscore.surface.places import Places, Search
from lscore.surface.points import decouples
from lscore.surface.solver import solve_surface

NAME = "five points, 2 units"


def tampered(surface, **changes):
    answer = replace(surface, **changes).certify()
    assert answer.refuted
    return answer.witness["what_fails"]


def test_the_list_is_certified_with_its_numbers():
    answer = solved(NAME).certify()
    assert answer.certified
    assert str(answer.values["global_minimum"]) == "3/20"
    assert answer.values["spurious_values"] == 5


def test_a_wrong_list_is_refuted():
    surface = solved(NAME)
    minima = surface.minima
    last = minima[-1]
    for wrong in (
        (),
        minima[:-1],
        minima[1:],
        minima[::-1],
        (*minima[:-1], replace(last, risk=last.risk + 1)),
        (*minima[:-1], replace(last, spurious=False)),
        (*minima[:-1], replace(last, wall_only=True)),
        (*minima[:-1], replace(last, fits=5)),
    ):
        assert "the list" in tampered(surface, minima=wrong)
    moved = replace(last, point=last.point + exact([*[0] * (len(last.point) - 1), 1]))
    assert "not a local minimum" in tampered(surface, minima=(*minima[:-1], moved))
    other = replace(minima[4], point=minima[0].point)
    assert "not a local minimum" in tampered(surface, minima=(*minima[:4], other, minima[5]))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"frozen": [True, False]}, "got frozen parameters, need no frozen parameters"),
        ({"weight_decay": [0, 0, 1, 0]}, "got weight decay, need no weight decay"),
        ({"loss": Huber()}, "got Huber loss of somebody's own, need squared loss"),
    ],
)
def test_a_list_says_nothing_of_a_risk_with_more_to_it(change, reason):
    """The best point of constant labels has output weight 0, which no decay of it moves."""
    surface = solve_surface(Risk(Network((1, 1, 1), relu), [0, 1, 2], [2, 2, 2]))
    other = replace(surface, risk=replace(surface.risk, **change))
    assert other.certify().reason == reason


def test_wrong_evidence_is_refuted():
    surface = solved(NAME)
    assert "another best" in tampered(surface, decisions=surface.decisions[1:])
    assert "another best" in tampered(surface, answers=surface.answers[:-1])
    assert "another best" in tampered(surface, answers=np.roll(surface.answers, 1))
    assert "another surface" in tampered(surface, risk=solved("plane, 1 unit").risk)
    assert all(d.anywhere for d in surface.decisions)
    found = next(d for d in surface.decisions if d.inside is not None)
    on_wall = next(d for d in surface.decisions if d.anywhere is not None and d.inside is None)
    for old, new in (
        (found, replace(found, inside=None, anywhere=None)),
        (on_wall, replace(on_wall, inside=on_wall.anywhere)),
    ):
        changed = tuple(new if d is old else d for d in surface.decisions)
        assert "not decided" in tampered(surface, decisions=changed)


def test_wrong_obstructions_are_refuted():
    surface = solved("plane, 1 unit")
    refused = next(
        d
        for d in surface.decisions
        if d.anywhere is None and len(Search(d.candidate, 1, False).items)
    )
    for new in (
        replace(refused, nowhere=()),
        replace(refused, not_inside=()),
        replace(refused, anywhere=Places((0,), {}), nowhere=()),
        replace(refused, nowhere=tuple(-z for z in refused.nowhere)),
    ):
        changed = tuple(new if d is refused else d for d in surface.decisions)
        assert "not decided" in tampered(surface, decisions=changed)


def test_decisions_make_the_surface():
    surface = solved(NAME)
    parts = (surface.decisions, surface.solutions, surface.answers)
    again = surface_of(surface.risk, surface.cones, *parts)
    assert isinstance(again, Surface)
    assert [m.facts for m in again.minima] == [m.facts for m in surface.minima]
    assert all(isinstance(m, Minimum) for m in again.minima)
    assert all(isinstance(d, Decision) and d.holds(2) for d in again.decisions)


@pytest.mark.parametrize("name", [n for n in LISTS if n != "plane, 2 units"])
def test_the_decider_of_points_certifies_each_listed_one(name):
    """It looks at the bends near a point, the solver at the rays of a whole arrangement."""
    surface = solved(name)
    for minimum in surface.minima:
        assert certify_kink_minimum(surface.risk, minimum.point).certified


@pytest.mark.parametrize("name", [NAME, "plane, 1 unit"])
def test_both_deciders_agree_beside_the_list(name):
    surface, rng, verdicts = solved(name), random.Random(1), []
    for minimum in surface.minima:
        for _ in range(12):
            w = minimum.point.entries()
            j = rng.randrange(len(w))
            w[j] = rng.choice([w[j] * 2, -w[j], 0 * w[j], w[j] + 1])
            answer = certify_kink_minimum(surface.risk, exact(w))
            assert answer.certified == decouples(surface.cones, locate(surface.risk, exact(w)))
            verdicts.append(answer.verdict)
    assert {"certified", "refuted"} == set(verdicts)


def test_printed_rows_and_the_nearest_minimum_of_a_run():
    surface = solved("five points, 1 unit")
    lines = repr(surface).splitlines()
    assert lines[0] == "samples: 5, hidden units: 1, values of local minima: 3"
    assert lines[2].split() == ["9/34", "spurious", "on", "walls", "only"]
    assert surface.nearest([0.27, 0.2251, 0.26, float("nan")], 1e-3).tolist() == [2, 0, -1, -1]
    assert surface.best.risk == surface.minima[0].risk
    assert len(surface.spurious) == 2
