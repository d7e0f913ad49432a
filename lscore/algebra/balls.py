r"""Matrices of balls, and matrices of power series in t up to :math:`t^2` with balls in them.

Both have the operators of arrays, so that a layer of a network works on them as on numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import zip_longest
from operator import add

import numpy as np
import torch
from flint import arb, arb_mat

from lscore.algebra.matrices import RationalMatrix


class Balls(np.ndarray):
    """An array of balls (arb). Products of matrices are those of `arb_mat`: fast, and rigorous."""

    def __matmul__(self, other: Balls) -> Balls:
        product = arb_mat(self.tolist()) * arb_mat(other.tolist())
        return np.array(product.tolist(), dtype=object).view(Balls)

    def sum(self, axis: int | None = None) -> Balls | arb:
        """The sum of all entries, a ball, or those along an axis."""
        total = np.asarray(self).sum(axis)
        return total if axis is None else total.view(Balls)


def balls(values: RationalMatrix | torch.Tensor) -> Balls:
    """The balls around exact or float numbers, each as small as the precision allows.

    >>> from lscore.algebra.matrices import exact
    >>> A = balls(exact([[1, 2], [3, 4]]))
    >>> (A @ A.T).sum() == 5 + 11 + 11 + 25
    True
    """
    if isinstance(values, RationalMatrix):
        n, d = values.shape
        return np.array([arb(e) for e in values.entries()], dtype=object).reshape(n, d).view(Balls)
    return each(arb, np.array(values.detach().double().tolist(), dtype=object)).view(Balls)


def each(f: Callable, *arrays: np.ndarray, results: int = 1):
    """f at the entries of arrays of one shape: one array, or as many as f has `results`."""
    return np.frompyfunc(f, len(arrays), results)(*arrays)


class Jets:
    r"""Matrices a, b, c of balls: :math:`a + b t + c t^2` up to higher orders.

    Parts that are not there are 0.
    """

    def __init__(self, *parts: Balls):
        self.parts = parts[:3]

    @property
    def T(self) -> Jets:
        """The transpose."""
        return Jets(*(part.T for part in self.parts))

    def __add__(self, other: Jets) -> Jets:
        pairs = zip_longest(self.parts, other.parts)
        return Jets(*(b if a is None else a if b is None else a + b for a, b in pairs))

    def __matmul__(self, other: Jets) -> Jets:
        """The product, without what is of order 3 and more."""
        a, b = self.parts, other.parts
        pairs = [
            [(i, k - i) for i in range(len(a)) if 0 <= k - i < len(b)]
            for k in range(min(3, len(a) + len(b) - 1))
        ]
        return Jets(*(reduce(add, [a[i] @ b[j] for i, j in terms]) for terms in pairs))
