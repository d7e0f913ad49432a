r"""Laurent and von Brecht (2018), Definition 1: what makes a data set rare, and the check of it.

Data :math:`x_i` with classes :math:`r_i`, weights :math:`\mu_i > 0`, a leaky slope
:math:`\alpha` and L hidden layers are *rare* if numbers
:math:`\lambda_i \in \{1, \alpha, \dots, \alpha^L\}` and switches :math:`\epsilon_{ir} \in \{0, 1\}`
(:math:`r \ne r_i`), not all 0, balance every class r:

.. math:: \sum_{i : r_i = r} \lambda_i \mu_i \Big(\sum_{s \ne r} \epsilon_{is}\Big) \tilde x_i
   = \sum_{i : r_i \ne r} \lambda_i \mu_i \epsilon_{ir} \tilde x_i, \qquad \tilde x = (x, 1),

and *generic* otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix, Scalar, augment, exact, ones, rational
from lscore.errors import DataError, HypothesisError, ShapeError
from lscore.model.activations import PiecewiseLinear
from lscore.model.hinges import integer_labels
from lscore.model.risk import Risk
from lscore.model.settings import Setting


@checked
@dataclass(frozen=True, eq=False)
class LabelledData:
    """Everything that Definition 1 speaks of.

    `X` (n, d) or (n,); `labels` +-1 or classes 0..R-1 (n,), stored as classes; `weights` (n,)
    positive, None for 1/n each; `alpha` >= 0; `depth` L >= 1. Raises `ShapeError`, `DataError`,
    `DtypeError` for labels that are no integers.

    >>> data = LabelledData([-1, 0, 1], [1, -1, 1], ["1/4", "1/2", "1/4"], alpha="1/2", depth=1)
    >>> data.classes, data.slopes
    ((1, 0, 1), (1, 1/2))
    """

    X: object
    labels: object
    weights: object = None
    alpha: Scalar = 1
    depth: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "X", exact(self.X, "X"))
        n = len(self.X)
        mu = ones(n) / n if self.weights is None else exact(self.weights, "weights")
        object.__setattr__(self, "weights", mu)
        object.__setattr__(self, "alpha", rational(self.alpha, "alpha"))
        labels = integer_labels(self.labels, "labels")
        object.__setattr__(self, "labels", tuple(labels[:, 0].tolist()))
        if labels.shape != (n, 1) or mu.shape != (n, 1):
            raise ShapeError(
                f"labels, weights: {len(labels)} and {mu.shape}, need {n} for X {self.X.shape}"
            )
        if mu.smallest() <= 0:
            raise DataError(f"weights: got {mu.smallest()}, need positive numbers")
        if self.alpha < 0 or not 1 <= self.depth <= 1000:
            given = f"{self.alpha} and {self.depth}"
            raise DataError(f"alpha, depth: got {given}, need >= 0 and 1 to 1000")
        if min(self.labels) < 0 and set(self.labels) != {-1, 1} and set(self.labels) != {-1}:
            raise DataError(f"labels: got {sorted(set(self.labels))}, need +-1 or classes 0..R-1")

    @classmethod
    def of(cls, risk: Risk) -> LabelledData:
        """The data of a risk with a binary or multiclass hinge loss and leaky ReLU layers.

        Raises `HypothesisError` (LVB-T3) for other losses and activations.
        """
        Setting(loss="binary or multiclass hinge loss").require(risk, "LVB-T3")
        loss = risk.loss
        alphas = {leaky_slope(h) for h in risk.network.activations}
        if len(alphas) != 1:
            raise HypothesisError("LVB-T3", "layers", "need one leaky slope for all layers", alphas)
        n, signs = len(risk.y), risk.y.numpy()
        labels = signs[:, 0] if loss.kind == "binary" else signs.argmax(1)
        weights = loss.weights if loss.weights is not None else ones(n) / n
        depth = len(risk.network.activations)
        return cls(risk.exact_X, np.rint(labels).tolist(), weights, alphas.pop(), depth)

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """The class of each sample; labels -1 and +1 become 0 and 1."""
        return tuple(max(label, 0) for label in self.labels)

    @property
    def number_of_classes(self) -> int:
        return max(*self.classes, 1) + 1

    @cached_property
    def slopes(self) -> tuple[fmpq, ...]:
        """The distinct numbers among 1, alpha, ..., alpha^L."""
        return tuple(dict.fromkeys(self.alpha**l for l in range(self.depth + 1)))

    @cached_property
    def augmented(self) -> RationalMatrix:
        """The rows (x_i, 1), shape (n, d + 1)."""
        return augment(self.X)

    def name(self, r: int) -> str:
        """The label that class r was given."""
        if r not in range(self.number_of_classes):
            raise DataError(f"r: got {r}, need a class from 0 to {self.number_of_classes - 1}")
        return ("-1", "+1")[r] if min(self.labels) < 0 else str(r)


def leaky_slope(h: object, claim: str = "LVB-T3") -> fmpq:
    """The slope alpha of a leaky ReLU, 0 for ReLU and 1 for the identity.

    Raises `HypothesisError` for other activations, of the claim that needs one.
    """
    if isinstance(h, PiecewiseLinear) and not any(h.intercepts) and h.slopes[-1] == 1:
        if not h.knots or h.slopes == (1,):
            return fmpq(1)
        if h.knots == (fmpq(0),) and 0 <= h.slopes[0] <= 1:
            return h.slopes[0]
    name = getattr(h, "name", h)
    raise HypothesisError(claim, "activation", f"{name} is no leaky ReLU of slope 0 to 1", h)


@checked
def is_rare_combination(
    data: LabelledData,
    slopes: RationalMatrix,
    switches: RationalMatrix,
    *,
    as_printed: bool = False,
) -> bool:
    r"""Whether these numbers make the data rare (LVB-D1), by substitution.

    `slopes` (n, 1) are the :math:`\lambda_i`, `switches` (n, R) the :math:`\epsilon_{ir}` with 0
    at the class of the sample. With `as_printed` a 1 is allowed there and counts as non-zero, as
    the paper's wording has it.

    >>> data = LabelledData([-1, 0, 1], [1, -1, 1], ["1/4", "1/2", "1/4"], alpha="1/2")
    >>> all_on = exact([[1, 0], [0, 1], [1, 0]])
    >>> is_rare_combination(data, ones(3), all_on)
    True
    >>> is_rare_combination(data, exact([1, "1/2", 1]), all_on)
    False
    """
    n, R = len(data.X), data.number_of_classes
    if slopes.shape != (n, 1) or switches.shape != (n, R):
        return False
    on = [[int(e) for e in row] for row in switches.numerator.tolist()]
    if switches.denominator != 1 or any(e not in (0, 1) for row in on for e in row):
        return False
    if any(value not in data.slopes for value in slopes.entries()):
        return False
    own = [row[r] for row, r in zip(on, data.classes, strict=True)]
    if (any(own) and not as_printed) or not any(map(any, on)):
        return False
    products = zip(slopes.entries(), data.weights.entries(), strict=True)
    strength = [slope * mu for slope, mu in products]
    return all(_balance(data, strength, on, r).is_zero() for r in range(R))


def _balance(data: LabelledData, strength: list[fmpq], on: list[list[int]], r: int):
    """The left side minus the right side of the equation of class r, (d + 1, 1)."""
    coefficients = []
    for row, own, size in zip(on, data.classes, strength, strict=True):
        count = sum(row) - row[own] if own == r else -row[r]
        coefficients.append(size * count)
    return data.augmented.T @ exact(coefficients)
