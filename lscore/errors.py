"""What can go wrong, by name.

Every exception of lscore derives from `LscoreError` and from the builtin that fits, so both
``except LscoreError`` and ``except ValueError`` do what a reader expects.
"""


class LscoreError(Exception):
    """Base of all exceptions of lscore."""


class ShapeError(LscoreError, ValueError):
    """An array has the wrong shape or length, or is empty."""


class DataError(LscoreError, ValueError):
    """A value is not usable: NaN, infinite, out of range."""


class SettingError(DataError):
    """A risk of a kind that an instrument does not know; for theorems there is `HypothesisError`.

    >>> raise SettingError("risk: got tanh, need piecewise linear")
    Traceback (most recent call last):
    ...
    lscore.errors.SettingError: risk: got tanh, need piecewise linear
    """


class DtypeError(LscoreError, TypeError):
    """A number type that would have to be cast silently."""


class TieError(LscoreError, ValueError):
    """A pre-activation sits exactly on a knot, so that a derivative does not exist."""


class BudgetError(LscoreError, ValueError):
    """An enumeration would exceed its limit; the text says the count and the limit."""


class HypothesisError(LscoreError, ValueError):
    """A hypothesis of a theorem is violated by the given data, network or point.

    Attributes: `claim` (ID of the theorem), `hypothesis` (its name there, such as ``C1.1``),
    `witness` (the object that shows the violation; its type is said by the raising function).

    >>> raise HypothesisError("YUN-T1", "C1.4", "hidden width 1, need 2", 1)
    Traceback (most recent call last):
    ...
    lscore.errors.HypothesisError: YUN-T1, hypothesis C1.4: hidden width 1, need 2
    """

    def __init__(self, claim: str, hypothesis: str, message: str, witness: object):
        super().__init__(f"{claim}, hypothesis {hypothesis}: {message}")
        self.claim = claim
        self.hypothesis = hypothesis
        self.witness = witness
