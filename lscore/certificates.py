r"""What a checker returns: a verdict, how it was reached, and what it rests on.

The verdict is three-valued. *certified*: every condition was decided by exact or ball arithmetic.
*refuted*: a witness shows that the statement is false. *unknown*: neither, with the reason; it is
never to be read as "no".
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from types import MappingProxyType

from flint import arb, fmpq

from lscore.algebra.arguments import checked
from lscore.algebra.matrices import RationalMatrix
from lscore.algebra.rationals import short
from lscore.claims import claim
from lscore.errors import BudgetError, HypothesisError, LscoreError, SettingError, TieError


class CertificateError(LscoreError, ValueError):
    """A certificate that would say more than its conditions support."""


class FactError(LscoreError, KeyError):
    """A certificate does not say what is asked of it."""

    __str__ = Exception.__str__


class _Facts(dict):
    """Named facts of a certificate; for one that is not there it says what the verdict is."""

    def __init__(self, facts: Mapping[str, object], verdict: str):
        for name in facts:
            if not name.isidentifier():
                raise CertificateError(f"{name!r}: need an identifier as the name of a fact")
        super().__init__(facts)
        self.verdict = verdict

    def __missing__(self, name: str):
        raise FactError(f"no {name!r} in this certificate, its verdict is {self.verdict}")


_FORMULAS = {
    "c27_margin_at_most": "p1 a2 + a1 p2 + a1 a2 at most",
    "exponents": "n1, n2",
    "gradient_curvature": "g'Hg",
    "largest_moment": "max |B|",
    "last_point_below_zero": "2 g'Hg < 0 at point",
    "last_second_derivative": "gamma'' at the last point",
    "negative_direction": "direction z with z'Qz < 0",
    "noise_trace": "tr(H Sigma)",
    "points_below_zero": "points with 2 g'Hg < 0",
    "quadratic_coefficient": "coefficient of t^2",
    "r_j1": "r_j1",
    "rayleigh_quotient": "w'Bw / |w|^2",
    "residual_bound": "8 l r^2",
    "residual_excess": "8 l r^2 - (lambda - theta)^2",
    "separator_of_class_minus_1": "separator of class -1",
    "separator_of_class_plus_1": "separator of class +1",
    "taylor_second_derivative": "gamma'' of the Taylor series",
    "tenth_percentile_of_c": "10th percentile of c",
}


def _in_words(name: str) -> str:
    """How the name of a fact is printed: in words, or as the formula that it stands for."""
    return _FORMULAS.get(name) or name.replace("_", " ")


class Verdict(StrEnum):
    """certified, refuted or unknown."""

    CERTIFIED = "certified"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@checked
@dataclass(frozen=True)
class Condition:
    """One decided (or undecided: `holds` is None) condition, with its margin if it has one.

    For an inequality the margin is the distance by which it holds; `None` for an identity.
    """

    text: str
    holds: bool | None
    margin: object = None
    margin_name: str = "margin"


def show(value: object) -> str:
    """Stable text of a number, a vector or text; long rationals and balls become 6 digits.

    >>> show(fmpq(16, 85)), show(fmpq(10**30 + 1, 3 * 10**30))
    ('16/85', '0.333333 (exact rational, 202 bits)')
    """
    if isinstance(value, fmpq):
        text = str(value)
        if len(text) <= 24:
            return text
        bits = int(value.p).bit_length() + int(value.q).bit_length()
        return f"{short(value)} (exact rational, {bits} bits)"
    if isinstance(value, RationalMatrix):
        text = repr(value)
        return text if len(text) <= 60 else f"exact, shape {value.shape}"
    if isinstance(value, arb):
        middle, radius = value.mid().str(6, radius=False), value.rad().str(1, radius=False)
        return f"{middle} (ball, radius {radius})"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


@checked
@dataclass(frozen=True, eq=False)
class Certificate:
    """The answer of a checker.

    `claim` (ID), `statement` (what is decided), `verdict`, `method` ("exact", "ball" or "float"),
    `conditions`, `witness` (refutes the statement: named exact objects), `reason` (why unknown),
    `values` (named numbers worth knowing). Names are identifiers, printed in words. Inconsistent
    certificates cannot be made: certified needs exact or ball arithmetic and all conditions true,
    refuted needs a witness, unknown a reason; `CertificateError` otherwise. Asking for a value or
    witness that is not there raises `FactError` with the verdict. A certificate has no truth value
    on purpose: ask ``certificate.certified``, or compare ``certificate.verdict``.
    """

    claim: str
    statement: str
    verdict: Verdict | str
    method: str
    conditions: tuple[Condition, ...] = ()
    witness: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.verdict not in set(Verdict):
            raise CertificateError(f"verdict: got {self.verdict!r}, need one of {[*Verdict]}")
        object.__setattr__(self, "verdict", Verdict(self.verdict))
        object.__setattr__(self, "conditions", tuple(self.conditions))
        for name in ("witness", "values"):
            facts = _Facts(getattr(self, name), self.verdict)
            object.__setattr__(self, name, MappingProxyType(facts))
        claim(self.claim)
        if self.method not in ("exact", "ball", "float"):
            raise CertificateError(f"method: got {self.method!r}, need exact, ball or float")
        if self.verdict is Verdict.CERTIFIED:
            if self.method == "float":
                raise CertificateError("a float result is never certified")
            if not self.conditions or not all(c.holds is True for c in self.conditions):
                raise CertificateError("certified needs conditions, all of them true")
        if self.verdict is Verdict.REFUTED and not self.witness:
            raise CertificateError("refuted needs a witness")
        if self.verdict is Verdict.UNKNOWN and not self.reason:
            raise CertificateError("unknown needs a reason")

    @property
    def certified(self) -> bool:
        return self.verdict is Verdict.CERTIFIED

    @property
    def refuted(self) -> bool:
        return self.verdict is Verdict.REFUTED

    def __bool__(self) -> bool:
        raise TypeError("a certificate has three verdicts, use .certified or .refuted")

    def cite(self, bibtex: bool = False) -> str:
        """Paper and theorem that the certificate rests on, with our erratum; see `Claim.cite`."""
        return claim(self.claim).cite(bibtex)

    def _lines(self) -> list[tuple[str, str]]:
        words = {True: "holds", False: "fails", None: "undecided"}
        lines = []
        for c in self.conditions:
            margin = "" if c.margin is None else f", {c.margin_name} {show(c.margin)}"
            lines.append((words[c.holds], c.text + margin))
        lines += [("witness", f"{_in_words(name)}: {show(v)}") for name, v in self.witness.items()]
        lines += [("reason", self.reason)] if self.reason else []
        return lines + [
            ("value", f"{_in_words(name)} = {show(v)}") for name, v in self.values.items()
        ]

    def __str__(self) -> str:
        head = f"{self.verdict} ({self.method}): {self.statement}  [{self.claim}]"
        return "\n".join([head] + [f"  {word:<9} {text}" for word, text in self._lines()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(word)}</td><td>{html.escape(text)}</td></tr>"
            for word, text in self._lines()
        )
        return (
            f'<div class="lscore-certificate"><p><strong class="lscore-{self.verdict}">'
            f"{self.verdict}</strong> ({self.method}): {html.escape(self.statement)} "
            f"<code>{html.escape(self.claim)}</code></p><table>{rows}</table></div>"
        )


def _freezes(argument: object) -> bool:
    """Whether an argument is a risk with frozen parameters, or belongs to one."""
    return bool(getattr(getattr(argument, "risk", argument), "frozen", ()))


def _unfrozen(argument: object) -> object:
    return getattr(argument, "unfrozen", argument)


@dataclass(frozen=True)
class Question:
    """What a checker decides: a claim, a statement, a method. It is answered in one of three ways.

    `values` and `witness` map names to exact objects; see `Certificate`. `frozen` says what is done
    with a risk that has frozen parameters: nothing ("unknown"); all parameters are asked about, and
    certified answers hold ("certified": a minimum over all is one over the free ones); or the
    checker knows them ("decided").

    >>> asked = Question("LVB-L1", "the point lies inside an open cell")
    >>> print(asked.certified([Condition("nothing lies on a knot", True)]))
    certified (exact): the point lies inside an open cell  [LVB-L1]
      holds     nothing lies on a knot
    >>> asked.unknown("the activation is not piecewise linear").verdict.value
    'unknown'
    """

    claim: str
    statement: str
    method: str = "exact"
    frozen: str = "unknown"

    def checker(self, function: Callable[..., Certificate]) -> Callable[..., Certificate]:
        """Decorate a function that answers this question: its arguments are `checked`.

        Where a construction that it calls refuses, by a hypothesis, its setting, a tie or a limit,
        the answer is unknown, with the text of the refusal; for frozen parameters see the class.
        Malformed arguments raise.
        """
        answer = checked(function)

        @wraps(function)
        def answer_or_reason(*arguments, **keywords) -> Certificate:
            try:
                given = (*arguments, *keywords.values())
                if self.frozen != "decided" and any(map(_freezes, given)):
                    return self._over_all(answer, arguments, keywords)
                return answer(*arguments, **keywords)
            except (HypothesisError, SettingError, TieError, BudgetError) as error:
                return self.unknown(str(error))

        return answer_or_reason

    def _over_all(self, answer: Callable, arguments: Iterable, keywords: Mapping) -> Certificate:
        """The answer for a risk with frozen parameters, by that about all parameters."""
        reason = "the risk has frozen parameters"
        if self.frozen == "certified":
            named = {name: _unfrozen(value) for name, value in keywords.items()}
            found = answer(*map(_unfrozen, arguments), **named)
            if found.certified:
                return found
            reason += f", and over all parameters the answer is {found.verdict}"
        return self.unknown(reason)

    def certified(self, conditions: Iterable[Condition], **more: object) -> Certificate:
        """The statement is proved: every condition holds. `more`: values, witness, method."""
        return self._answer(Verdict.CERTIFIED, conditions, **more)

    def refuted(
        self, conditions: Iterable[Condition], witness: Mapping[str, object], **more: object
    ) -> Certificate:
        """The witness shows that the statement is false. `more`: values, reason, method."""
        return self._answer(Verdict.REFUTED, conditions, witness=witness, **more)

    def unknown(
        self, reason: str, conditions: Iterable[Condition] = (), **more: object
    ) -> Certificate:
        """Neither, for this reason. `more`: values, witness, method."""
        return self._answer(Verdict.UNKNOWN, conditions, reason=reason, **more)

    def as_found(self, other: Certificate, **more: object) -> Certificate:
        """The answer to another question, taken over as it is found, but for its values.

        `more`: values of this one, and conditions, witness, reason, method in place of the other's.
        """
        names = ("conditions", "witness", "reason", "method")
        return self._answer(other.verdict, **{n: getattr(other, n) for n in names} | more)

    def line_by_line(self, lines: Iterable[tuple], **more: object) -> Certificate:
        """Certified if every line (text, holds, why not, and the margin if any) holds.

        The first that does not hold ends it: refuted, or unknown if it is undecided (None).
        """
        conditions = []
        for text, holds, why_not, *margin in lines:
            conditions.append(Condition(text, holds, *margin))
            if holds is None:
                return self.unknown(why_not, conditions)
            if not holds:
                return self.refuted(conditions, {"what_fails": why_not})
        return self.certified(conditions, **more)

    def _answer(
        self, verdict: Verdict, conditions: Iterable[Condition], method: str = "", **more: object
    ) -> Certificate:
        method = method or self.method
        return Certificate(self.claim, self.statement, verdict, method, tuple(conditions), **more)
