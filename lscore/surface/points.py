r"""From places of the units to a point of the network, and the conditions at a point.

A place is a face, an output sign and positive amounts of the rays of the face. The sum of the rays
is the input weights with the bias of the unit, and the sign is its output weight.
"""

from __future__ import annotations

from collections import Counter

from flint import fmpq, fmpz

from lscore.algebra.matrices import RationalMatrix, exact
from lscore.cells.pattern import Located
from lscore.model.risk import Risk
from lscore.surface.candidates import Candidate
from lscore.surface.cones import Cones
from lscore.surface.places import Places

Unit = tuple[list[fmpq], fmpq]  # input weights and bias, output weight


def _units(cones: Cones, places: Places) -> list[Unit]:
    """One unit for each place; a vector that several rays give is shared between them."""
    rays = [
        (c, ray) for c in places.cones for ray in cones.faces.members[cones.face[c]].nonzero()[0]
    ]
    shares = Counter(cones.given(c, ray) for c, ray in rays)
    found = []
    for c in places.cones or [None]:
        w = [fmpq(0)] * (cones.X.shape[1] + 1)
        face = places.idle if c is None else cones.face[c]
        for ray in cones.faces.members[face].nonzero()[0]:
            amount, v = fmpq(1), -1 if c is None else cones.given(c, ray)
            if v >= 0:
                amount = places.weights[v] / (shares[v] * cones.lengths[ray])
            w = [a + amount * e for a, e in zip(w, cones.faces.rays[ray], strict=True)]
        found.append((w, fmpq(0) if c is None else fmpq(int(cones.sign[c]))))
    return found


def point_at(risk: Risk, candidate: Candidate, places: Places) -> RationalMatrix:
    """An exact point (m, 1) whose units sit in these places and give the fit of the candidate.

    Units that are left over share the output weight of the last one.
    """
    units, width = _units(candidate.cones, places), risk.network.widths[1]
    (w, v), copies = units[-1], width - len(units) + 1
    units = units[:-1] + [(w, v / copies)] * copies
    W, b = exact([unit[:-1] for unit, _ in units]), exact([unit[-1] for unit, _ in units])
    out = exact([[v for _, v in units]])
    w = risk.network.pack([W, out], [b, exact([0])])
    outputs = risk.predictions(w)
    gap = sum((risk.exact_y - outputs).entries(), fmpq(0)) / fmpz(len(outputs))
    return risk.network.pack([W, out], [b, exact([gap])])


def decouples(cones: Cones, w: Located) -> bool:
    """Whether each unit of a point may sit where it is: then the point is a local minimum.

    The pull has mean 0, and every unit lies in a face that `Cones.allowed` names for its output
    sign; for both signs if its output weight is 0. Decided from the pre-activations at the point.
    """
    run = w.run
    pull = run.outputs - w.risk.exact_y
    allowed = cones.allowed(cones.slopes_at(pull))
    numbers = {cones.faces.signs[face].tobytes(): c for c, face in enumerate(cones.face)}
    if sum(pull.entries(), fmpq(0)) != 0:
        return False
    for signs, v in zip((run.positions[0] - 1).T, run.layers[1].weight.entries(), strict=True):
        last = numbers[signs.astype("int8").tobytes()]  # the one with sign -1
        if not (allowed[last] or v > 0) or not (allowed[last ^ 1] or v < 0):
            return False
    return True
