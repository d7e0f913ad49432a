"""The tangent risk: its slopes and bends are those of the outputs, kinks included."""

import random
from fractions import Fraction

from brute_kinks import dot
from cases import fraction
from named_kinks import numbers
from unit_points import TINY, random_case, text

from lscore import exact
from lscore.cells.pattern import locate
from lscore.minima.tangent import Tangent


def test_speeds_are_those_of_the_outputs():
    rng = random.Random(4)
    for _ in range(60):
        risk, P, w = random_case(rng)
        u = [Fraction(rng.choice([-1, 0, 1, 2])) for _ in w]
        at = locate(risk, exact(text(w)))
        speeds = numbers(Tangent(at, exact(text(P.outputs(w))), 1).speed(exact(text(u))))
        moved = P.outputs([a + TINY * b for a, b in zip(w, u, strict=True)])
        for before, after, speed in zip(P.outputs(w), moved, speeds, strict=True):
            assert abs((after - before) / TINY - speed) < Fraction(1, 2**30)


def test_bends_are_the_changes_of_the_pulled_signals():
    rng = random.Random(6)
    for _ in range(60):
        risk, P, w = random_case(rng)
        pull = [Fraction(rng.choice([-2, -1, 1, 2])) for _ in P.rows]
        tangent = Tangent(locate(risk, exact(text(w))), exact(text(pull)), 1)
        for k, (z, v) in enumerate(zip(*P.unpack(w)[:2], strict=True)):
            assert (numbers(tangent.units[k][0]), tangent.units[k][1]) == (z, exact([str(v)])[0, 0])
            u = [Fraction(rng.choice([-1, 0, 1, 2])) for _ in z]
            near = [a + TINY * b for a, b in zip(z, u, strict=True)]
            phi = [
                sum(p * P.act(dot(z, x)) for p, x in zip(pull, P.rows, strict=True))
                for z in (z, near)
            ]
            assert phi[1] - phi[0] == TINY * fraction(tangent.bends[k](exact(text(u))))


def test_moves_are_laid_out_as_points_are():
    rng = random.Random(8)
    for _ in range(20):
        risk, P, w = random_case(rng)
        tangent = Tangent(locate(risk, exact(text(w))), exact([1] * len(P.rows)), 1)
        for k, (z, v) in enumerate(zip(*P.unpack(w)[:2], strict=True)):
            moved = numbers(tangent.move(k, exact(text(z)), exact([str(v)])[0, 0]))
            units, out, c = P.unpack(moved)
            assert (units[k], out[k], c) == (z, v, 0)
            assert not any(any(row) for j, row in enumerate(units) if j != k)
