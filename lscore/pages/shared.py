"""What several pages use: stored records, how a refusal is shown, how an answer is tried, and the
checker that is to be fooled."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from importlib.resources import as_file, files
from inspect import signature

from flint import fmpq

from lscore.algebra.matrices import exact, rational
from lscore.certificates import Certificate
from lscore.errors import DataError, LscoreError
from lscore.minima.affine import certify_affine_minimum
from lscore.model.networks import Point
from lscore.model.risk import Risk
from lscore.runs.records import Record, load_record


def fools_the_checker(
    risk: Risk, w: Point, checker: Callable[[Risk, Point], Certificate] = certify_affine_minimum
) -> str:
    """w has risk 0, so it is a global minimum; and the checker still says unknown."""
    w = exact(risk.network.point(w), "w")
    if risk(w) != 0:
        return f"not yet: the risk is {risk(w)}, not 0"
    answer = checker(risk, w)
    if answer.certified or answer.refuted:
        return f"not yet: the checker says {answer.verdict}"
    return f"correct: {answer.reason}"


def same_number(answer: object, wanted: fmpq) -> str:
    """Whether an answer, a number or text such as "3/2", is the wanted number."""
    given = rational(answer, "answer")
    return f"correct: {given}" if given == wanted else f"not yet: it is not {given}"


def attempt(checker: Callable[..., str], *arguments: object) -> str:
    """What the checker of an exercise says of an answer; ``...`` stands for an open one.

    A list where the checker wants a point is read as one, exactly.

    >>> attempt(same_number, ..., fmpq(3, 2)), attempt(same_number, "3/2", fmpq(3, 2))
    ('not answered yet', 'correct: 3/2')
    """
    if any(argument is ... for argument in arguments):
        return "not answered yet"
    wanted = [str(p.annotation) for p in signature(checker).parameters.values()]
    try:
        read = [exact(given) if isinstance(given, list) and wants in {"Point", "RationalMatrix"}
                else given for given, wants in zip(arguments, wanted, strict=False)]  # fmt: skip
        return checker(*read)
    except LscoreError as error:
        return f"not yet: {error}"


def refusal(function, *arguments, **keywords) -> str:
    """The text of the error that a call raises, in lines of 72: shows that a call is refused.

    Raises `LscoreError` if the call goes through, and passes on errors that are not lscore's.

    >>> from lscore import two_piece
    >>> print(refusal(two_piece, 1, 1).splitlines()[0])
    DataError: s_plus, s_minus: both are 1, need different slopes; equal
    """
    if not callable(function):
        raise DataError(f"function: got {type(function).__name__}, need a function")
    try:
        answer = function(*arguments, **keywords)
    except LscoreError as error:
        return textwrap.fill(f"{type(error).__name__}: {error}", 72)
    raise LscoreError(f"{function.__name__} was not refused, it returned {answer!r}")


def stored_record(name: str) -> Record:
    """A record that comes with the package; raises `DataError` listing those there are.

    >>> stored_record("digits_trials").about["date"]
    '2026-11-21'
    """
    folder = files("lscore.pages") / "data"
    known = sorted(file.name.removesuffix(".json") for file in folder.iterdir())
    if name not in known:
        raise DataError(f"name: no record {name!r}, known are {', '.join(known)}")
    with as_file(folder / f"{name}.json") as path:
        return load_record(path)
