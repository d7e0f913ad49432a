r"""Theorem 6: at a critical point of a ReLU network the unsolved samples are dead.

One hidden layer of ReLUs, a binary hinge, separable data. A sample is *dead* if every unit that is
in use, :math:`v_k \ne 0`, has it on its blind side, :math:`h_{ik} \le 0`.
"""

from __future__ import annotations

import numpy as np

from lscore.cells.pattern import locate
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import HypothesisError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.laurent2018.separable import slope_of

_DEAD = Question("LVB-T6", "every unsolved sample is dead")


@_DEAD.checker
def certify_dead_data(risk: Risk, w: Point | np.ndarray) -> Certificate:
    r"""Is every unsolved sample at w on the blind side of every unit in use? Decided exactly.

    Theorem 6 says yes at every critical point, if the data are separable. A refutation names a
    sample that is *active yet unsolved*, a unit that sees it, and its pre-activation;
    `certify_not_critical` then says how far from critical the point is. The question itself needs
    no hypothesis on data or point. Certified with the numbers of solved samples (loss 0), of
    unsolved ones, and of the unsolved ones on a hyperplane of a unit in use. One hidden layer of
    ReLUs, one output, binary hinge, no weight decay; else unknown. Sound and complete. Source:
    Laurent and von Brecht (2018), Theorem 6 (LVB-T6).

    >>> from lscore import Network, binary_hinge, exact, relu
    >>> risk = Risk(Network((1, 1, 1), relu), [-1, 1], [-1, 1], binary_hinge())
    >>> print(certify_dead_data(risk, exact([1, -5, 1, 0])))
    certified (exact): every unsolved sample is dead  [LVB-T6]
      holds     no unit in use sees one of 2 unsolved samples
      value     solved = 0
      value     unsolved = 2
      value     on a hyperplane = 0
      value     risk = 1
    >>> certify_dead_data(risk, exact([1, 0, "1/2", 0])).witness["sample"]
    1
    """
    alpha = slope_of(risk, _DEAD.claim)
    if alpha:
        raise HypothesisError(_DEAD.claim, "alpha = 0", f"the slope alpha is {alpha}", alpha)
    w = locate(risk, w)
    hidden, margins = w.pattern.layers
    used = [k for k, v in enumerate(risk.network.unpack(w)[1].weight.entries()) if v]
    unsolved = [i for i, place in enumerate(margins[:, 0]) if place == 2]
    seen = [(i, k) for i in unsolved for k in used if hidden[i, k] == 2]
    text = f"no unit in use sees one of {len(unsolved)} unsolved samples"
    if seen:
        i, k = seen[0]
        witness = {"sample": i, "unit": k, "pre_activation": w.run.pre[0][i, k]}
        return _DEAD.refuted([Condition(text, False)], witness)
    values = {
        "solved": len(margins) - len(unsolved),
        "unsolved": len(unsolved),
        "on_a_hyperplane": sum(any(hidden[i, k] == 1 for k in used) for i in unsolved),
        "risk": risk(w),
    }
    return _DEAD.certified([Condition(text, True)], values=values)
