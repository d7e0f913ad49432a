"""The inputs of a page that a reader may change, and the sentences that speak of the printed ones.

A chapter opens its `Page`, marks its inputs, and states what captions and text say about them. With
the printed inputs a false sentence is an error; with others it is said, and the page goes on.
"""

from __future__ import annotations

import hashlib
import os
import textwrap
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from importlib.resources import files
from math import isfinite
from numbers import Rational, Real

import numpy as np
import torch
from flint import fmpq, fmpz

from lscore.algebra.matrices import RationalMatrix, rational
from lscore.errors import DataError
from lscore.pages import stops

PRINTED = "printed.txt"  # lines "chapter input fingerprint", written by book/refresh.py
RECORD = "LSCORE_RECORD"  # names the file in which a run notes its fingerprints


def describe(value: object) -> str:
    """A text that is equal for equal inputs, on every machine.

    Numbers are written as fractions and arrays row by row; of an object count its type and the
    fields that are not at their default. Raises `DataError` for what it cannot describe.

    >>> describe([1, 0.5]), describe(np.array([1.0, 0.5]))
    ('[1, 1/2]', '[1, 1/2]')
    """
    match value:
        case None | bool() | str():
            return repr(value)
        case fmpq() | fmpz() | Rational():
            return str(rational(value))
        case Real() if not isfinite(value):
            return repr(float(value))
        case Real():
            return str(fmpq(*float(value).as_integer_ratio()))
        case RationalMatrix():
            return describe(np.reshape(value.entries(), value.shape))
        case np.ndarray() | np.bool_() | torch.Tensor():
            return describe(value.tolist())
        case list() | tuple() | range():
            return "[" + ", ".join(map(describe, value)) + "]"
        case Mapping():
            pairs = sorted((describe(key), describe(entry)) for key, entry in value.items())
            return "{" + ", ".join(f"{key}: {entry}" for key, entry in pairs) + "}"
        case torch.nn.Module():
            return f"{value!r} {describe(value.state_dict())}"
    if is_dataclass(value) and not isinstance(value, type):
        told = [(f, describe(getattr(value, f.name))) for f in fields(value) if f.init]
        kept = [f"{f.name}={text}" for f, text in told
                if f.default is MISSING or text != describe(f.default)]  # fmt: skip
        return f"{type(value).__name__}({', '.join(kept)})"
    if callable(value):
        return value.__qualname__
    raise DataError(f"inputs: got a {type(value).__name__}, need data, a risk or a network")


def fingerprint(value: object) -> str:
    """Twelve hexadecimal digits of an input; see `describe`."""
    return hashlib.sha256(describe(value).encode()).hexdigest()[:12]


def printed() -> list[str]:
    """The lines "chapter input fingerprint" of the printed inputs."""
    return files(__package__).joinpath(PRINTED).read_text("utf-8").splitlines()


def say(text: str) -> None:
    """Print a sentence in lines of 72."""
    print(textwrap.fill(text, 72))


class Page:
    """A chapter while it runs: which of its inputs are the printed ones.

    >>> page = Page("an example that is not printed")
    >>> page.given(labels=[0, 1, 4])
    Changed here: labels. Captions and text speak of the printed one.
    >>> page.claim(1 + 1 == 3, "the two risks add up to 3", "the sum is 2")
    The page says: the two risks add up to 3. With your labels: the sum is
    2.
    """

    def __init__(self, chapter: str):
        found = [line.split() for line in printed()]
        self.chapter = chapter
        self.printed = {name: mark for where, name, mark in found if where == chapter}
        self.changed: list[str] = []
        self.marked: set[str] = set()
        stops.open_page(self)

    def given(self, **inputs: object) -> None:
        """Mark inputs that a reader may change, by name; say which are not the printed ones."""
        for name, value in inputs.items():
            mark = fingerprint(value)
            self.marked.add(name)
            if record := os.environ.get(RECORD):
                with open(record, "a", encoding="utf-8") as notes:
                    notes.write(f"{self.chapter} {name} {mark}\n")
            elif self.printed.get(name) != mark and name not in self.changed:
                self.changed.append(name)
            elif self.printed.get(name) == mark and name in self.changed:
                self.changed.remove(name)
        if mine := [name for name in inputs if name in self.changed]:
            one = "one" if len(mine) == 1 else "ones"
            say(f"Changed here: {', '.join(mine)}. Captions and text speak of the printed {one}.")

    def refused(self, names: tuple[str, ...]) -> None:
        """Mark the inputs among `names`, which a refusal kept from being made, as changed.

        The printed ones are made without one; while they are recorded nothing is marked.
        """
        if not os.environ.get(RECORD):
            self.changed += [n for n in names if n in self.printed and n not in self.changed]

    def claim(self, holds: object, text: str, yours: str = "") -> None:
        """State what a caption or the text says of the printed inputs.

        If it does not hold: an `AssertionError` with the printed inputs, else a line with `yours`,
        what is true instead.
        """
        if holds:
            return
        if not self.changed:
            raise AssertionError(text)
        say(f"The page says: {text}. With your {self.names()}: {yours or 'not so'}.")

    def stop(self, why: str) -> None:
        """Say why a cell could not go on."""
        say(f"With your {self.names()} this cell stops: {why}.")

    def names(self) -> str:
        """The changed inputs, in words."""
        return " and ".join(self.changed) if len(self.changed) < 3 else "inputs"
