r"""Which trial is this? A fingerprint of a function, so that its results are not another trial's.

A name is not enough: two lambdas have the same, and so have a function and its edited version. The
fingerprint covers the bytecode with its constants, the defaults, the closure, the attributes, and
what the function reads by name, recursively: functions, classes with their members, and objects
taken apart as pickle would; annotations and the docstrings of classes aside. It trusts two things
to stay as they are: what another module has under its own name, and whatever is reached through a
module, as in ``module.x``. Python versions compile differently, so another version finds another
trial.
"""

from __future__ import annotations

import copyreg
import dis
import functools
import hashlib
import json
import pickle
import sys
from collections.abc import Callable
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
)
from typing import TypeVar

import numpy as np
import torch

from lscore.errors import DtypeError

_PLAIN = (NoneType, bool, float, complex, str, bytes, type(...))
_CACHED = type(functools.lru_cache(len))
_NAMED = (FunctionType, BuiltinFunctionType, type, _CACHED)
_PARTS = {
    MethodType: ("__func__", "__self__"),
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
    property: ("fget", "fset", "fdel"),
    functools.cached_property: ("func",),
    TypeVar: ("__name__", "__bound__", "__constraints__"),
    _CACHED: ("__wrapped__", "__dict__"),
}
_UNREAD = (
    *("__doc__", "__module__", "__firstlineno__", "__static_attributes__", "_abc_impl"),
    *("__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
)
_CURE = "need a module-level function whose settings are its parameters"


def fingerprint(trial: Callable) -> str:
    """SHA-256, in hexadecimal digits, of what makes a function the trial that it is.

    Raises `DtypeError` for what is not a function (methods and partials carry objects), and where
    something that it reads cannot be taken apart, or is nested too deeply.

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
    try:
        text = json.dumps(_Reader(trial.__module__).value(trial, "code"))
    except RecursionError as error:
        raise DtypeError(f"trial: it reads what is nested too deeply; {_CURE}") from error
    return _digest(text.encode())


class _Reader:
    """Describes functions and values in lists of text; what is met again is named by number."""

    def __init__(self, module: str):
        self.module, self.met = module, {}

    def value(self, value: object, what: str) -> list:
        kind = type(value)
        if kind in _PLAIN:
            content = repr(value)
        elif kind is int:
            content = hex(value)
        elif kind is tuple:
            content = [self.value(v, what) for v in value]
        elif kind in (set, frozenset):  # each by a new reader: their order is no part of them
            content = sorted(json.dumps(_Reader(self.module).value(v, what)) for v in value)
        elif kind is ModuleType:
            content = value.__name__
        elif kind is CodeType:
            content = self.code(value)
        elif isinstance(value, _NAMED) and self.is_foreign(value):
            content = [value.__module__, value.__qualname__]
        elif id(value) in self.met:
            return ["met", self.met[id(value)][0]]
        else:
            self.met[id(value)] = len(self.met), value  # kept: another would get its address
            content = self.described(value, what)
        return [kind.__qualname__, content]

    def described(self, value: object, what: str) -> list:
        kind = type(value)
        if kind is list:
            return [self.value(v, what) for v in value]
        if kind in (dict, MappingProxyType):
            return [[self.value(v, what) for v in pair] for pair in value.items()]
        if kind is FunctionType:
            return self.function(value)
        if isinstance(value, type):
            return self.defined(value, what)
        if kind in _PARTS:
            return [self.value(getattr(value, part), what) for part in _PARTS[kind]]
        if kind is np.ndarray and not value.dtype.hasobject:  # strides too: sums depend on them
            return [repr(value.dtype), value.shape, value.strides, _digest(value.tobytes())]
        if kind in (torch.Tensor, torch.nn.Parameter) and value.layout is torch.strided:
            return self.tensor(value, what)
        return self.reduced(value, what)

    def function(self, f: FunctionType) -> list:
        closure = []
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                content = cell.cell_contents
            except ValueError:  # the name is bound later, or never
                closure.append([name, "empty"])
            else:
                closure.append([name, self.value(content, f"closure {name!r}")])
        read = [
            [name, self.value(f.__globals__[name], f"global {name!r}")]
            for name in sorted(_globals(f.__code__))
            if name in f.__globals__
        ]
        defaults = self.value((f.__defaults__, f.__kwdefaults__), "default")
        return [self.code(f.__code__), defaults, closure, read, self.value(vars(f), "attribute")]

    def code(self, code: CodeType) -> list:
        names = [code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars]
        counts = [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags]
        constants = [self.value(c, "constant") for c in code.co_consts]
        return [code.co_code.hex(), code.co_exceptiontable.hex(), names, counts, constants]

    def defined(self, kind: type, what: str) -> list:
        """A class: its name, metaclass, bases, and members."""
        members = [
            [key, self.value(member, what)]
            for key, member in vars(kind).items()
            if key not in _UNREAD
            and not isinstance(member, MemberDescriptorType | GetSetDescriptorType)
        ]
        over = [self.value(base, what) for base in (type(kind), *kind.__bases__)]
        return [kind.__module__, kind.__qualname__, over, members]

    def tensor(self, value: torch.Tensor, what: str) -> list:
        plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        kept = [value.requires_grad, value.grad if value.is_leaf else None, vars(value)]
        layout = [str(value.dtype), str(value.device), value.shape, value.stride()]
        digest = _digest(plain.view(torch.uint8).numpy().tobytes())
        return [*layout, digest, *(self.value(part, what) for part in kept)]

    def reduced(self, value: object, what: str) -> list:
        """An object by what pickle would make it from: a maker, its arguments, and the state."""
        kind = type(value)
        try:
            reduce = copyreg.dispatch_table.get(kind)
            parts = reduce(value) if reduce else value.__reduce_ex__(4)
            if isinstance(parts, str):
                parts = pickle.whichmodule(value, parts), parts
                if parts[0] == self.module or not _is_at(*parts, value):
                    raise pickle.PicklingError(f"{parts[1]} is another object of {parts[0]}")
            else:
                made, arguments, *state = parts
                iterators = [list(items or ()) for items in state[1:3]]
                parts = made, arguments, *state[:1], *iterators, *state[3:]
        except Exception as error:  # pickle and its hooks raise many kinds
            raise DtypeError(
                f"trial: its {what} holds a {kind.__name__} that cannot be pickled, so two trials "
                f"cannot be told apart; {_CURE}"
            ) from error
        return self.value(parts, what)

    def is_foreign(self, value: object) -> bool:
        """Whether another module has this under its own name."""
        module, path = value.__module__, getattr(value, "__qualname__", "")
        return module != self.module and _is_at(module, path, value)


def _is_at(module: str | None, path: str, value: object) -> bool:
    """Whether a module has this very object under the name."""
    found = sys.modules.get(module)
    for name in path.split("."):
        found = getattr(found, name, None)
    return found is value


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _globals(code: CodeType) -> set[str]:
    """The global names that code reads, also in the functions that it makes."""
    reads = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
    names = {step.argval for step in dis.get_instructions(code) if step.opname in reads}
    return names.union(*(_globals(c) for c in code.co_consts if isinstance(c, CodeType)))
