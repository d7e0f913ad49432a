r"""Arguments of public functions, held against the annotations of the function.

``@checked`` makes a signature a promise: before a function, or the constructor or a public method
of a class, runs, each argument is compared with its annotation, and what does not fit is refused by
name, with what is needed and how to get it. Nothing is converted. An annotation ``object`` says
that the function reads its argument itself; shapes are checked where they are known, by
`Network.point` and `exact`. Integers have `BOUNDS` by their name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce, wraps
from inspect import isfunction, signature
from math import isfinite
from operator import or_
from sys import float_info
from types import NoneType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

import numpy as np
import torch

from lscore.algebra.arrays import check_stored
from lscore.algebra.matrices import RationalMatrix
from lscore.errors import DataError, DtypeError, ShapeError

# One word, one meaning: what an integer of this name may be, in every signature.
_LIMIT, _COUNT, _SIZE = range(2**63), range(10**6 + 1), range(1, 10**6 + 1)
BOUNDS = {
    **dict.fromkeys(["seed", "limit", "tie_limit"], _LIMIT),
    **dict.fromkeys(["trials", "iterations"], _COUNT),
    **dict.fromkeys(["samples", "points", "parts", "outputs", "terms", "n"], _SIZE),
    "bits": range(2, 10**5 + 1),
    "order": range(1001),
    "highest": range(-(10**6), 1001),
}

_WIDER = {
    int: (int, np.integer),
    float: (float, int, np.floating, np.integer),
    bool: (bool, np.bool_),
}
_LOOKED_AT = (int, float, bool, np.integer, np.floating, np.ndarray, torch.Tensor, RationalMatrix)
_NUMPY = (np.integer, np.floating, np.bool_)
_OPERATORS = ("__call__", "__contains__", "__getitem__")
_CURES = {
    "Risk": "Risk(network, X, y)",
    "Network": "Network((1, 2, 1), relu)",
    "Loss": "mean_squared_error or binary_hinge()",
    "PiecewiseLinear": "relu",
    "Smooth": "tanh",
    "Cell": "cell_at(risk, w)",
    "LabelledData": "LabelledData(X, labels)",
    "Constants": "constants(h, v, u)",
}


@dataclass(frozen=True)
class Kind:
    """What an annotation admits: instances of `types`, sequences of `elements`, or callables.

    `length` is that of a tuple of fixed length. Objects of a `plain` type need no closer look.
    """

    types: tuple[type, ...]
    elements: object = None
    length: int | None = None
    callables: bool = False
    anything: bool = False

    @cached_property
    def plain(self) -> frozenset[type]:
        return frozenset(self.types) - {*_LOOKED_AT} | ({bool} & set(self.types))

    def text(self) -> str:
        names = [t.__name__ for t in self.types if t is not NoneType and t not in _NUMPY]
        names = [f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names]
        elements = kind(self.elements).text() if self.elements else ""
        names += [f"a list of {elements}" if elements else "a list"] if self.elements else []
        names += ["a function"] if self.callables else []
        names += ["None"] if NoneType in self.types else []
        return " or ".join(dict.fromkeys(names))


@cache
def kind(hint: object) -> Kind:
    """The `Kind` of an annotation.

    >>> kind(int | None).text(), kind(Sequence[float]).text()
    ('an int or None', 'a list of a float or an int')
    """
    types, elements, length, callables = [], None, None, False
    for part in get_args(hint) if get_origin(hint) in (Union, UnionType) else [hint]:
        origin, arguments = get_origin(part), get_args(part)
        if part in (object, None) or not isinstance(origin or part, type):
            return Kind((), anything=True)
        if origin in (list, tuple, Sequence, Iterable):
            fixed = origin is tuple and arguments[-1] is not Ellipsis
            elements = reduce(or_, arguments) if fixed else arguments[0]
            length = len(arguments) if fixed else None
        elif Callable in (origin, part):
            callables = True
        else:
            types += _WIDER.get(part, (origin or part,))
    return Kind(tuple(types), elements, length, callables)


def check(value: object, needed: Kind, name: str) -> None:
    """Raise `DtypeError`, `ShapeError` or `DataError` unless `value` is of the kind.

    >>> check([1, None], kind(list[int]), "limits")
    Traceback (most recent call last):
    ...
    lscore.errors.DtypeError: limits[1]: got NoneType, need an int
    """
    if type(value) in needed.plain or needed.anything:
        return
    if isinstance(value, needed.types):
        _check_value(value, needed, name)
    elif needed.elements is not None and _is_sequence(value):
        if needed.length is not None and len(value) != needed.length:
            raise ShapeError(f"{name}: got {len(value)} entries, need {needed.length}")
        element = kind(needed.elements)
        for i, entry in enumerate(value):
            check(entry, element, f"{name}[{i}]")
    elif not (needed.callables and callable(value)):
        if {np.ndarray, torch.Tensor} <= set(needed.types) and hasattr(value, "to_numpy"):
            return
        raise DtypeError(
            f"{name}: got {_described(value)}, need {needed.text()}{_cure(value, needed, name)}"
        )


def _check_value(value: object, needed: Kind, name: str) -> None:
    """What numbers and arrays of the right type must keep besides."""
    if isinstance(value, RationalMatrix):
        if 0 in value.shape:
            raise ShapeError(f"{name}: shape {value.shape}, need a row and a column at least")
    elif isinstance(value, torch.Tensor | np.ndarray):
        check_stored(value, name)
    elif isinstance(value, bool | np.bool_):
        if bool not in needed.types:
            raise DtypeError(f"{name}: got the boolean {value}, need {needed.text()}")
    elif isinstance(value, float | np.floating):
        if not isfinite(value):
            raise DataError(f"{name}: got {value}, need a finite number")
    elif isinstance(value, int | np.integer):
        if value not in BOUNDS.get(name, (value,)):
            low, high = BOUNDS[name][0], BOUNDS[name][-1]
            raise DataError(f"{name}: got {value}, need an integer from {low} to {high}")
        if float in needed.types and abs(int(value)) > float_info.max:
            raise DataError(f"{name}: is larger than every float")


def _is_sequence(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _described(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


def _cure(value: object, needed: Kind, name: str) -> str:
    names = [t.__name__ for t in needed.types]
    if "RationalMatrix" in names and (_is_sequence(value) or hasattr(value, "dtype")):
        return f": exact({name})"
    return next((f", for example {_CURES[t]}" for t in names if t in _CURES), "")


def checked(target):
    """Check the arguments of a function, or of a class (constructor, public methods), on each call.

    >>> @checked
    ... def scaled(factor: float, X: Sequence[int]) -> list:
    ...     return [factor * x for x in X]
    >>> scaled(2, [1, "2"])
    Traceback (most recent call last):
    ...
    lscore.errors.DtypeError: X[1]: got str, need an int
    """
    if isinstance(target, type):
        for name, method in list(vars(target).items()):
            public = isfunction(method) and (not name.startswith("_") or name in _OPERATORS)
            if public and len(signature(method).parameters) > 1:
                setattr(target, name, _guarded(method, method))
        target.__init__ = _guarded(target.__init__, target)
        return target
    return _guarded(target, target)


def _guarded(function: Callable, owner: object) -> Callable:
    @cache
    def places() -> list[tuple[int, str, Kind]]:
        """Asked at the first call, when every name of the module is known."""
        hints = get_type_hints(owner)
        names = enumerate(signature(function).parameters)
        found = [(i, name, kind(hints.get(name, object))) for i, name in names]
        return [place for place in found if not place[2].anything]

    @wraps(function)
    def call(*arguments, **keywords):
        for i, name, needed in places():
            if i < len(arguments):
                value = arguments[i]
            elif name in keywords:
                value = keywords[name]
            else:
                continue
            if type(value) not in needed.plain:
                check(value, needed, name)
        return function(*arguments, **keywords)

    return call
