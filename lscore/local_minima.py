r"""Is this point a local minimum? The decider that takes anybody's point."""

from __future__ import annotations

import numpy as np
import torch

from lscore.affine_cells import certify_affine_cell
from lscore.certificates import Certificate, Verdict
from lscore.clarke import decide_subgradient
from lscore.descent import STATEMENT, descent_certificate
from lscore.exact import RationalMatrix, exact
from lscore.networks import Point
from lscore.risk import Risk


def propose_directions(risk: Risk, w: RationalMatrix, trials: int, seed: int) -> list:
    """Directions, most promising first: floats propose, nothing is decided here.

    The negative float gradient, unless it is 0, then random integer directions by their descent.
    """
    rng = np.random.default_rng(seed)
    m = risk.dimension
    directions = rng.integers(-2, 3, size=(trials, m)) * (rng.random((trials, m)) < 0.6)
    directions = directions[np.any(directions != 0, axis=1)].astype(float)
    base, start = float(risk(w.point())), w.point()
    drops = [
        min(float(risk(start + t * torch.from_numpy(u))) - base for t in (1e-1, 1e-2, 1e-3))
        for u in directions
    ]
    # rounded, so that rounding noise cannot reorder directions that are equally good
    order = np.argsort(np.round(np.array(drops) / max(abs(base), 1.0), 12), kind="stable")
    steepest = -risk.gradient(start).numpy()
    return [steepest] * bool(steepest.any()) + [directions[i] for i in order]


def decide_local_minimum(
    risk: Risk, w: Point | np.ndarray, trials: int = 400, seed: int = 0, exact_tries: int = 8
) -> Certificate:
    """Is w a local minimum? Certified, refuted with a descent direction, or unknown.

    First `certify_affine_cell`; where that cannot decide, a point that is not critical in the sense
    of Clarke is refuted by its common descent direction (`decide_subgradient`, up to 256 incident
    cells). Then the negative gradient and `trials` random integer directions are ranked in floats
    and the best `exact_tries` are decided by `descent_certificate`. Sound, not complete: a local
    minimum on a kink stays unknown here. `seed` fixes the directions.

    >>> from lscore import Network, Risk, identity
    >>> risk = Risk(Network((1, 1, 1, 1), identity, bias=False), [1], [1])
    >>> answer = decide_local_minimum(risk, exact([0, 0, 0]))      # (abc - 1)^2 / 2 at 0
    >>> answer.verdict.value, answer.witness["order"]
    ('refuted', 3)
    """
    w = exact(risk.network.point(w), "w")
    answer = certify_affine_cell(risk, w)
    if answer.verdict is not Verdict.UNKNOWN or not risk.network.is_piecewise_linear:
        return answer
    critical = decide_subgradient(risk, w, max_cells=256)
    if critical.refuted:
        return descent_certificate(risk, w, critical.witness["direction"])
    for u in propose_directions(risk, w, trials, seed)[:exact_tries]:
        tried = descent_certificate(risk, w, u)
        if tried.refuted:
            return tried
    reason = f"{answer.reason}; and none of {exact_tries} promising directions descends"
    return Certificate(
        "B-RAY", STATEMENT, Verdict.UNKNOWN, "exact", answer.conditions, reason=reason
    )
