"""Losses that the package does not have, by its contract alone: Huber's, logistic, absolute, and
two that break a promise which most checkers need (not convex; unbounded below)."""

from dataclasses import dataclass

import numpy as np
import torch
from flint import arb, fmpq

from lscore.algebra.matrices import RationalMatrix, exact, rational, to_float
from lscore.errors import DataError, TieError
from lscore.model.losses import Loss, SquaredLoss, objects, paired


class Entrywise(Loss):
    """A sum over samples and outputs of one function of the margin, written for each number."""

    def margins(self, outputs, targets):
        return outputs - paired(outputs, targets)

    def term(self, m, p):
        """(value, slope, bend) at a margin in piece p; p is None in floats and balls."""

    def _terms(self, outputs, targets, pieces):
        margins, kind = self.margins(outputs, targets), type(outputs)
        numbers = margins.numpy() if kind is torch.Tensor else objects(margins)
        where = pieces
        if pieces is None and kind is RationalMatrix:
            where = self.positions(outputs, targets)
            where = np.zeros(numbers.shape, int) if where is None else where // 2
        found = [
            self.term(m, None if where is None else where[place])
            for place, m in np.ndenumerate(numbers)
        ]
        return [[row[k] for row in found] for k in range(3)], numbers.shape

    def __call__(self, outputs, targets, pieces=None):
        if isinstance(outputs, torch.Tensor):
            return self.tensor(self.margins(outputs, targets))
        values = self._terms(outputs, targets, pieces)[0][0]
        return sum(values[1:], values[0])

    def gradient(self, outputs, targets, pieces=None):
        if isinstance(outputs, torch.Tensor):
            return torch.func.grad(lambda z: self(z, targets))(outputs)
        (_, slopes, _), shape = self._terms(outputs, targets, pieces)
        return self._like(outputs, slopes, shape)

    def second(self, outputs, targets, pieces=None):
        n, k = outputs.shape
        if isinstance(outputs, torch.Tensor):
            whole = torch.func.hessian(lambda z: self(z, targets))(outputs)
            return torch.stack([whole[i, :, i, :] for i in range(n)])
        bends = self._terms(outputs, targets, pieces)[0][2]
        found = np.full((n, k, k), fmpq(0), dtype=object)
        for place, bend in enumerate(bends):
            found[place // k, place % k, place % k] = bend
        return found

    def _like(self, outputs, entries, shape):
        if isinstance(outputs, RationalMatrix):
            return exact([entries[i * shape[1] : (i + 1) * shape[1]] for i in range(shape[0])])
        array = np.empty(len(entries), dtype=object)
        array[:] = entries
        return array.reshape(shape)


@dataclass(frozen=True)
class Huber(Entrywise):
    """m^2/2 up to delta, then delta |m| - delta^2/2."""

    delta: object = "1/2"

    kind = "Huber"
    convex = smooth = polynomial = nonnegative = True

    @property
    def knots(self):
        return -rational(self.delta), rational(self.delta)

    def tensor(self, m):
        d = to_float(rational(self.delta))
        return torch.where(m.abs() <= d, m * m / 2, d * m.abs() - d * d / 2).sum()

    def term(self, m, p):
        d = rational(self.delta)
        if p is None and isinstance(m, arb):
            if m < d and m > -d:
                p = 1
            elif m > d or m < -d:
                p = 2 if m > 0 else 0
            else:  # on both sides of a knot: the slope is continuous
                outer = m * m.sgn() if not m.contains(0) else abs(m)
                value = (m * m / 2).union(d * outer - d * d / 2)
                return value, m.union(arb(d)).union(arb(-d)), arb.nan()
        if p == 1:
            return m * m / 2, m + 0 * m, fmpq(1)
        side = 1 if p == 2 else -1
        return side * d * m - d * d / 2, side * d + 0 * m, fmpq(0)


@dataclass(frozen=True)
class Absolute(Entrywise):
    """|m|: convex, piecewise linear, and no hinge."""

    kind = "absolute"
    convex = polynomial = nonnegative = piecewise_linear = True
    knots = (fmpq(0),)

    def tensor(self, m):
        return m.abs().sum()

    def term(self, m, p):
        if p is None:
            if not (m > 0 or m < 0):
                return abs(m), arb.nan(), arb.nan()
            p = int(m > 0)
        side = 1 if p else -1
        return side * m, side + 0 * m, fmpq(0)

    def gradient(self, outputs, targets, pieces=None):
        exactly = pieces is None and isinstance(outputs, RationalMatrix)
        if exactly and (self.positions(outputs, targets) % 2).any():
            raise TieError("w: a margin is exactly 0; the gradient does not exist there")
        return super().gradient(outputs, targets, pieces)

    def curvature(self, n):
        return fmpq(0)


@dataclass(frozen=True)
class Logistic(Loss):
    """sum log(1 + exp(-y yhat)) for labels +1 and -1: convex and smooth, and never rational."""

    kind = "logistic"
    convex = smooth = nonnegative = True

    def _margins(self, outputs, targets):
        targets = paired(outputs, targets)
        if isinstance(outputs, RationalMatrix):
            raise DataError("outputs: the logistic loss is not rational, need floats or balls")
        return outputs * targets, targets

    def __call__(self, outputs, targets, pieces=None):
        m, _ = self._margins(outputs, targets)
        if isinstance(m, torch.Tensor):
            return torch.nn.functional.softplus(-m).sum()
        return sum(((1 + (-e).exp()).log() for e in m.flat), arb(0))

    def gradient(self, outputs, targets, pieces=None):
        m, y = self._margins(outputs, targets)
        if isinstance(m, torch.Tensor):
            return -y * torch.sigmoid(-m)
        return np.array(
            [-s / (1 + e.exp()) for s, e in zip(y.flat, m.flat, strict=True)], dtype=object
        ).reshape(m.shape)

    def second(self, outputs, targets, pieces=None):
        m, _ = self._margins(outputs, targets)
        n, k = m.shape
        if isinstance(m, torch.Tensor):
            return torch.diag_embed(torch.sigmoid(m) * torch.sigmoid(-m))
        found = np.full((n, k, k), arb(0), dtype=object)
        for (i, r), e in np.ndenumerate(m):
            found[i, r, r] = 1 / (2 + e.exp() + (-e).exp())
        return found


@dataclass(frozen=True)
class Quartic(Entrywise):
    """m^4 - m^2: smooth, polynomial, not convex, with values below 0."""

    kind = "quartic"
    smooth = polynomial = True

    def tensor(self, m):
        return (m**4 - m**2).sum()

    def term(self, m, p):
        return m * m * (m * m - 1), m * (4 * m * m - 2), 12 * m * m - 2


@dataclass(frozen=True)
class Tilted(Entrywise):
    """m^2 + 3 m: convex, with values below 0; its second derivative is constant."""

    kind = "tilted"
    convex = smooth = polynomial = True

    def tensor(self, m):
        return (m * m + 3 * m).sum()

    def term(self, m, p):
        return m * (m + 3), 2 * m + 3, fmpq(2)

    def curvature(self, n):
        return fmpq(2)


class Unproved(SquaredLoss):
    """The squared loss of somebody else: convex, but who says so?"""

    kind = "unnamed"
    quadratic = proved = False


@dataclass(frozen=True)
class Weighted(SquaredLoss):
    """sum_i (i + 1) |yhat_i - y_i|^2: a squared loss no more, and it does not say so."""

    def _weights(self, outputs):
        return exact([[i + 1] * outputs.shape[1] for i in range(len(outputs))])

    def __call__(self, outputs, targets, pieces=None):
        pairs = zip(self._weights(outputs).entries(), (outputs - targets).entries(), strict=True)
        return sum((c * v * v for c, v in pairs), fmpq(0))

    def gradient(self, outputs, targets, pieces=None):
        pairs = zip(self._weights(outputs).entries(), (outputs - targets).entries(), strict=True)
        return exact([2 * c * v for c, v in pairs]).flat(0, *outputs.shape)


@dataclass(frozen=True)
class Capped(Absolute):
    """-|m|, which says that it is convex and not negative."""

    kind = "capped"

    def term(self, m, p):
        return tuple(-part for part in super().term(m, p))


class Cave(Unproved):
    convex = False


class Wide(Unproved):
    """Its values are balls that hold everything."""

    def __call__(self, outputs, targets, pieces=None):
        return super().__call__(outputs, targets) + arb(0, 1000)


@dataclass(frozen=True, eq=False)
class Told(Loss):
    """Value and gradient as functions of the outputs."""

    value: object
    slope: object

    kind = "told"
    smooth = polynomial = True

    def __call__(self, outputs, targets, pieces=None):
        return self.value(outputs)

    def gradient(self, outputs, targets, pieces=None):
        return self.slope(outputs)
