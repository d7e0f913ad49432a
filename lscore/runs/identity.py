r"""Which trial is this? A fingerprint of a function, so that results are never another trial's.

A name is not enough: two lambdas have the same, and so have a function and its edited version. The
fingerprint covers the bytecode with its constants, the defaults, the closure, and what the function
reads from its own module: functions and classes, recursively, and values. What comes from other
modules is trusted to stay as it is. Python versions compile differently, so another version finds
another trial.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import json
import pickle
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType, NoneType

from lscore.errors import DtypeError

_PLAIN = (NoneType, bool, float, complex, str, bytes, type(...))
_CONSTANT = (*_PLAIN, int, list, tuple, set, frozenset, dict)


def fingerprint(trial: Callable) -> str:
    """SHA-256, in hexadecimal digits, of what makes a function the trial that it is.

    Raises `DtypeError` for what is not a function (methods and partials carry objects), and where
    a default, a closure or a global of its module holds what cannot be pickled.

    >>> def scaled(factor):
    ...     return lambda seed: factor * seed
    >>> two, three = scaled(2), scaled(3)
    >>> two.__qualname__ == three.__qualname__, fingerprint(two) == fingerprint(three)
    (True, False)
    >>> fingerprint(two) == fingerprint(scaled(2))
    True
    """
    if not isinstance(trial, FunctionType):
        raise DtypeError(
            f"trial: got {type(trial).__name__}, need a module-level function; "
            "pass its parameters as settings"
        )
    text = json.dumps(_Reader(trial.__module__).function(trial))
    return hashlib.sha256(text.encode()).hexdigest()


class _Reader:
    """Describes functions and values in lists of text; what is met again is named by number."""

    def __init__(self, module: str):
        self.module, self.met = module, {}

    def function(self, f: FunctionType) -> list:
        if id(f) in self.met:
            return ["met", self.met[id(f)]]
        self.met[id(f)] = len(self.met)
        closure = []
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                closure.append([name, self.value(cell.cell_contents, f"closure {name!r}")])
            except ValueError:  # the name is bound later, or never
                closure.append([name, "empty"])
        read = [
            [name, self.global_value(f.__globals__[name], f"global {name!r}")]
            for name in sorted(_globals(f.__code__))
            if name in f.__globals__
        ]
        defaults = self.value([f.__defaults__, f.__kwdefaults__], "default")
        return [self.code(f.__code__), defaults, closure, read]

    def code(self, code: CodeType) -> list:
        names = [code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars]
        counts = [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags]
        constants = [self.value(c, "constant") for c in code.co_consts]
        return [code.co_code.hex(), code.co_exceptiontable.hex(), names, counts, constants]

    def value(self, value: object, what: str) -> list:
        kind = type(value)
        if kind in _PLAIN:
            content = repr(value)
        elif kind is int:
            content = hex(value)
        elif kind in (list, tuple):
            content = [self.value(v, what) for v in value]
        elif kind in (set, frozenset):
            content = sorted(json.dumps(self.value(v, what)) for v in value)
        elif kind is dict:
            content = [[self.value(v, what) for v in pair] for pair in value.items()]
        elif kind is CodeType:
            content = self.code(value)
        elif kind is FunctionType:
            content = self.function(value)
        elif kind is ModuleType:
            content = value.__name__
        elif isinstance(value, type):
            content = self.defined(value, what)
        else:
            content = _pickled(value, what)
        return [kind.__qualname__, content]

    def global_value(self, value: object, what: str) -> list:
        """What a function reads from its module; a function of another module is only named."""
        value = inspect.unwrap(value) if callable(value) else value
        if isinstance(value, FunctionType) and value.__module__ != self.module:
            return [value.__module__, value.__qualname__]
        return self.value(value, what)

    def defined(self, kind: type, what: str) -> list:
        """A class: its methods and constants if the module defines it, else its name."""
        name = [kind.__module__, kind.__qualname__]
        if kind.__module__ != self.module:
            return name
        if id(kind) in self.met:
            return ["met", self.met[id(kind)]]
        self.met[id(kind)] = len(self.met)
        bases = [self.value(base, what) for base in kind.__bases__]
        members = []
        for key, member in vars(kind).items():
            parts = [getattr(member, part, None) for part in ("__func__", "fget", "fset")]
            parts = [part for part in (member, *parts) if isinstance(part, FunctionType)]
            if parts or (type(member) in _CONSTANT and not key.startswith("__")):
                members.append([key, self.value(parts or member, what)])
        return [name, bases, members]


def _pickled(value: object, what: str) -> str:
    try:
        return hashlib.sha256(pickle.dumps(value)).hexdigest()
    except Exception as error:  # pickle raises many kinds
        raise DtypeError(
            f"trial: its {what} holds a {type(value).__name__} that cannot be pickled, so two "
            "trials cannot be told apart; need a module-level function, its parameters as settings"
        ) from error


def _globals(code: CodeType) -> set[str]:
    """The global names that code reads, also in the functions that it makes."""
    reads = ("LOAD_GLOBAL", "LOAD_NAME")
    names = {step.argval for step in dis.get_instructions(code) if step.opname in reads}
    return names.union(*(_globals(c) for c in code.co_consts if isinstance(c, CodeType)))
