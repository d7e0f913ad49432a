r"""Does U contain the global minimizers? Lemma 4 says when, Theorem N what that means: only 0.

With :math:`\epsilon = \inf \ell_\lambda`, Lemma 4 asks for :math:`\epsilon < \lambda^{1 + 1/H} /
(2 (H (H + 1) r)^{2/H})`, and (10) for the same with :math:`\ell_\lambda(0)`. To the power H both
sides are rational: :math:`(2 \epsilon)^H H^2 (H + 1)^2 r^2 < \lambda^{H + 1}`.
"""

from __future__ import annotations

import numpy as np

from lscore.algebra.matrices import exact
from lscore.certificates import Certificate, Condition, Question
from lscore.errors import HypothesisError
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.papers.milne2019.region import BOUNDED, hidden_layers, squared_radius

_INSIDE = Question("MILNE-L4", "U(lambda) contains every global minimizer of the risk")


@_INSIDE.checker
def certify_minimizers_inside(risk: Risk, w: Point | np.ndarray | None = None) -> Certificate:
    r"""Does U(lambda) contain every global minimizer?

    The risk at w, by default at 0, bounds :math:`\epsilon` from above, and (8) is tried with it.
    Certified if it holds; then 0 is the only global minimizer, for by Theorem N U contains no other
    critical point. Refuted if w is lower than 0: then the minimizers, which exist, are not 0, and
    lie outside U. Else unknown. Exact and sound; any depth H >= 1, outputs, slopes up to 1, no
    biases. MILNE-L4 and MILNE-E10, Lemma 4 and inequality (10) of Milne (2019).

    >>> from lscore import Network, SquaredLoss, relu
    >>> half = SquaredLoss("1/2", mean=True)
    >>> risk = Risk(Network((1, 1, 1, 1), relu, bias=False), [1], [1], half, 4)
    >>> certify_minimizers_inside(risk).verdict.value            # 1 * 36 < 64
    'certified'
    >>> risk = Risk(Network((1, 1, 1, 1), relu, bias=False), [1], ["5/4"], half, "1/4")
    >>> certify_minimizers_inside(risk, exact([1, 1, 1])).verdict.value
    'refuted'
    """
    BOUNDED.require(risk, _INSIDE.claim)
    hidden, decay = hidden_layers(risk), risk.weight_decay
    if not decay:
        raise HypothesisError("MILNE-L4", "lambda > 0", "got no weight decay", decay)
    origin = exact([0] * risk.dimension)
    w = origin if w is None else exact(risk.network.point(w), "w")
    bound = risk(w)
    left = (2 * bound) ** hidden * (hidden * (hidden + 1)) ** 2 * squared_radius(risk)
    room = decay ** (hidden + 1) - left
    text = "(2 epsilon)^H H^2 (H + 1)^2 r^2 < lambda^(H + 1)"
    condition = Condition(text, room > 0, room)
    if room > 0:
        return _INSIDE.certified([condition], values={"bound_of_epsilon": bound})
    if bound < risk(origin):
        witness = {"lower_point": w, "risk": bound, "risk_at_0": risk(origin)}
        return _INSIDE.refuted([condition], witness)
    return _INSIDE.unknown(
        "the condition is sufficient only, and w is not lower than 0", [condition]
    )
