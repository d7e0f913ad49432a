r"""What is given for all parameters, per layer, by kind, or for each: weight decay, what is frozen.

The weight decay of a risk is :math:`\tfrac12 \sum_j \lambda_j w_j^2`. Here it is read, in every
form in which it may be given, and evaluated, for every kind of number. Frozen parameters are those
that do not move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from flint import fmpq, fmpz_mat

from lscore.algebra.arrays import number_array, object_array
from lscore.algebra.matrices import RationalMatrix, checked_size, exact, rational, to_float
from lscore.errors import DataError, DtypeError, ShapeError
from lscore.model.networks import Network, Point

Decay = fmpq | RationalMatrix
_KINDS = ("weights", "biases")


def per_parameter(network: Network, given: object, name: str, rest: object = 0) -> list:
    """The values (m,), in the order of a point, of what is given in one of three forms.

    One per layer; one per parameter; or a mapping with the keys "weights" and "biases", each with
    one value for all layers or one per layer (`rest` for a kind that is missing). Raises
    `ShapeError` for other lengths, `DataError` for other keys.

    >>> from lscore.model.activations import relu
    >>> network = Network((1, 2, 1), relu, bias=(True, False))
    >>> per_parameter(network, {"weights": [1, 2]}, "weight_decay")
    [1, 1, 0, 0, 2, 2]
    """
    layers, m = len(network.biases), checked_size(network.dimension, "number of parameters")
    if isinstance(given, Mapping):
        if strange := [key for key in given if key not in _KINDS]:
            raise DataError(f"{name}: got the key {strange[0]!r}, need 'weights' and 'biases'")
        kinds = [_per_layer(given.get(kind, rest), layers, f"{name}[{kind!r}]") for kind in _KINDS]
    else:
        values = _listed(given, name)
        if len(values) == m:
            return values
        if len(values) != layers:
            raise ShapeError(
                f"{name}: got {len(values)}, need one, {layers} (one per layer), or {m} (one per "
                "parameter)"
            )
        kinds = [values, values]
    found = []
    for (out, inner), bias, weight, offset in zip(
        network._sizes, network.biases, *kinds, strict=True
    ):
        found += [weight] * (out * inner) + [offset] * (out * bias)
    return found


def is_one(given: object) -> bool:
    """Whether one value is given for all parameters."""
    return isinstance(given, str) or not hasattr(given, "__len__")


def _per_layer(given: object, layers: int, name: str) -> list:
    values = [given] * layers if is_one(given) else _listed(given, name)
    if len(values) != layers:
        raise ShapeError(f"{name}: got {len(values)}, need one, or {layers} (one per layer)")
    return values


def _listed(given: object, name: str) -> list:
    if isinstance(given, RationalMatrix):
        return given.entries()
    array = number_array(given, name)
    if array is not None and array.ndim == 1:
        return array.tolist()
    if array is not None or not isinstance(given, Sequence):
        kind = type(given).__name__ if array is None else f"an array of shape {array.shape}"
        raise DtypeError(f"{name}: got {kind}, need a number, a list of numbers, or a mapping")
    return list(given)


def read_decay(network: Network, given: object) -> Decay:
    r"""The weight decay: one :math:`\lambda`, or a column (m, 1) of them where they differ.

    A number, or what `per_parameter` reads. `DataError` for a negative one.

    >>> from lscore.model.activations import relu
    >>> network = Network((1, 1, 1), relu)
    >>> read_decay(network, "1/2"), read_decay(network, [3, 3]), read_decay(network, [3, 0])
    (1/2, 3, column(3, 3, 0, 0))
    """
    name = "weight_decay"
    if is_one(given):
        numbers = [rational(given, name)]
    else:
        numbers = [rational(value, name) for value in per_parameter(network, given, name)]
    if (lowest := min(numbers)) < 0:
        raise DataError(f"{name}: got {lowest}, need >= 0")
    return exact(numbers) if any(v != numbers[0] for v in numbers) else numbers[0]


def read_frozen(network: Network, given: object) -> tuple[bool, ...]:
    """Which parameters are frozen, (m,) in the order of a point; empty if none is.

    True or False for each layer, or what else `per_parameter` reads. `DataError` if all are.

    >>> from lscore.model.activations import relu
    >>> read_frozen(Network((1, 1, 1), relu), [True, False])
    (True, True, False, False)
    """
    plain = _tolist(given)
    if isinstance(given, Mapping):
        plain = {kind: _tolist(value) for kind, value in given.items()}
    if plain is False or plain == ():
        return ()
    values = [plain] if is_one(plain) else per_parameter(network, plain, "frozen", False)
    for value in values:
        if not isinstance(value, bool | np.bool_):
            raise DtypeError(f"frozen: got {type(value).__name__}, need True or False")
    if all(values):
        raise DataError("frozen: got every parameter, need one that moves")
    return tuple(map(bool, values)) if any(values) else ()


def _tolist(given: object) -> object:
    """Lists in place of arrays, which may hold booleans here."""
    return given.tolist() if isinstance(given, np.ndarray | np.bool_ | torch.Tensor) else given


def float_decay(decay: Decay) -> float | np.ndarray:
    """The decay in floats: a number, or an array (m,)."""
    return decay.floats()[:, 0] if isinstance(decay, RationalMatrix) else to_float(decay)


def shrinkage(decay: Decay | float | np.ndarray, w: Point | np.ndarray) -> Point | np.ndarray:
    r""":math:`\lambda_j w_j`, the gradient of the penalty, at a point of any kind of number.

    The decay is exact (w too, or an array of polynomials or balls), or both are floats.

    >>> shrinkage(exact([2, 0]), exact([1, 5]))
    column(2, 0)
    """
    if isinstance(decay, np.ndarray):
        numbers = torch.from_numpy(decay).to(w) if isinstance(w, torch.Tensor) else decay
        return w * numbers
    if not isinstance(decay, RationalMatrix):
        return w * decay
    if not isinstance(w, RationalMatrix):
        return w * object_array(decay.entries())
    pairs = zip(decay.numerator.entries(), w.numerator.entries(), strict=True)
    products = fmpz_mat(len(w), 1, [a * b for a, b in pairs])
    return RationalMatrix(products, decay.denominator * w.denominator)


def penalty(decay: Decay | float | np.ndarray, w: Point | np.ndarray) -> object:
    r""":math:`\tfrac12 \sum_j \lambda_j w_j^2`, as `shrinkage`.

    >>> penalty(exact([2, 0]), exact([3, 5])), penalty(fmpq(1), exact([3, 5]))
    (9, 17)
    """
    if isinstance(w, RationalMatrix):
        return w.dot(shrinkage(decay, w)) / 2
    if w.dtype == object:
        return (w * shrinkage(decay, w)).sum() * fmpq(1, 2)
    return decay / 2 * (w @ w) if isinstance(decay, float) else w @ shrinkage(decay, w) / 2
