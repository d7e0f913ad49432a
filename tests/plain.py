"""A second world of risks: plain Fractions and loops, nothing of lscore's algebra.

A `Plain` reads what a `Risk` consists of (widths, knots, slopes, data, loss, weights) and computes
outputs, margins, risk and gradient on its own. Where an activation is smooth it computes in floats,
by the activation's torch formula.
"""

from fractions import Fraction
from itertools import combinations, pairwise

import torch
from cases import fraction, table

TINY = Fraction(1, 2**40)


class Shape:
    """A piecewise linear function: knots, slopes, and the value at the first knot (or at 0)."""

    def __init__(self, h):
        self.knots, self.slopes = list(map(fraction, h.knots)), list(map(fraction, h.slopes))
        start = self.knots[0] if self.knots else 0
        self.constants = [fraction(h.value) - self.slopes[0] * start]
        for t, before, after in zip(self.knots, self.slopes, self.slopes[1:], strict=False):
            self.constants.append(before * t + self.constants[-1] - after * t)

    def piece(self, z):
        """The number of the piece, the left one on a knot."""
        return sum(z > t for t in self.knots)

    def value_and_slope(self, z, piece):
        return self.slopes[piece] * z + self.constants[piece], self.slopes[piece]


class Smooth:
    """A smooth activation in floats; the slope by autodiff."""

    knots = ()

    def __init__(self, h):
        self.h = h

    def piece(self, z):
        return 0

    def value_and_slope(self, z, piece):
        z = torch.tensor(float(z), dtype=torch.float64, requires_grad=True)
        value = self.h(z)
        return value.item(), torch.autograd.grad(value, z)[0].item()


def shape_of(h):
    return None if h is None else Shape(h) if hasattr(h, "knots") else Smooth(h)


class Plain:
    """Widths, activations (one per layer, None for no), data, loss: see the module."""

    def __init__(self, risk):
        network, loss = risk.network, risk.loss
        self.widths, self.biases = network.widths, network.biases
        self.activations = [shape_of(h) for h in (*network.activations, network.output_activation)]
        self.smooth = any(isinstance(h, Smooth) for h in self.activations)
        self.number = float if self.smooth else Fraction
        self.X, self.y = table(risk.exact_X), table(risk.exact_y)
        self.decays, self.kind = decays(risk), getattr(loss, "kind", "squared")
        self.held = risk.frozen or (False,) * risk.dimension
        self.degree = 2 * len(self.activations)
        n = len(self.y)
        if self.kind == "squared":
            self.scale = fraction(loss.factor) / (n if loss.mean else 1)
            return
        self.lines = [lines_of(self.kind, row) for row in self.y]
        terms = len(self.lines[0])
        mu = [[Fraction(1, n)]] * n if loss.weights is None else table(loss.weights)
        self.mu = [row * terms if len(row) == 1 else row for row in mu]

    def point(self, w):
        """A RationalMatrix or list as numbers of this world."""
        return [self.number(fraction(v)) for v in w.entries()] if hasattr(w, "entries") else w

    def layers(self, w):
        """Per layer the rows of weights and the biases."""
        start, found = 0, []
        for inner, out, bias in zip(self.widths, self.widths[1:], self.biases, strict=False):
            rows = [w[start + k * inner : start + (k + 1) * inner] for k in range(out)]
            start += out * inner
            biases = w[start : start + out] if bias else [0] * out
            start += out * bias
            found.append((rows, biases))
        return found

    def run(self, w, frozen=None):
        """Per sample: inputs and (pre-activation, slope) of every layer, outputs, margins.

        `frozen`, from `state`, holds the pieces to use instead of those of w.
        """
        found, layers = [], self.layers(self.point(w))
        for i, x in enumerate(self.X):
            signal, steps = x, []
            for l, (rows, biases) in enumerate(layers):
                pre = [
                    sum(a * b for a, b in zip(row, signal, strict=True)) + bias
                    for row, bias in zip(rows, biases, strict=True)
                ]
                h, inputs, slopes, signal = self.activations[l], signal, [1] * len(pre), pre
                if h is not None:
                    pieces = frozen[0][i][l] if frozen else [h.piece(z) for z in pre]
                    both = [h.value_and_slope(z, p) for z, p in zip(pre, pieces, strict=True)]
                    signal, slopes = [a for a, _ in both], [s for _, s in both]
                steps.append((inputs, pre, slopes))
            margins = []
            if self.kind != "squared":
                margins = [
                    1 + sum(d * f for d, f in zip(line, signal, strict=True))
                    for line in self.lines[i]
                ]
            found.append((steps, signal, margins))
        return found

    def state(self, w):
        """Pieces per sample and layer (left on a knot), and which margins are positive."""
        pieces, unsolved = [], []
        for steps, _, margins in self.run(w):
            pieces.append(
                [
                    None if h is None else [h.piece(z) for z in pre]
                    for h, (_, pre, _) in zip(self.activations, steps, strict=True)
                ]
            )
            unsolved.append([m > 0 for m in margins])
        return pieces, unsolved

    def ties(self, w):
        """(layer, sample, unit) of what lies on a knot, layers from 1, margins last."""
        found = set()
        for i, (steps, _, margins) in enumerate(self.run(w)):
            for l, (h, (_, pre, _)) in enumerate(zip(self.activations, steps, strict=True), 1):
                found |= {(l, i, k) for k, z in enumerate(pre) if h is not None and z in h.knots}
            last = sum(h is not None for h in self.activations) + 1
            found |= {(last, i, j) for j, m in enumerate(margins) if m == 0}
        return found

    def outputs(self, w, frozen=None):
        return [outputs for _, outputs, _ in self.run(w, frozen)]

    def loss(self, w, frozen=None):
        """The risk without weight decay."""
        total = 0
        for i, (_, outputs, margins) in enumerate(self.run(w, frozen)):
            if self.kind == "squared":
                pairs = zip(outputs, self.y[i], strict=True)
                total += self.scale * sum((a - b) ** 2 for a, b in pairs)
            for j, m in enumerate(margins):
                total += self.mu[i][j] * m * (frozen[1][i][j] if frozen else m > 0)
        return total

    def risk(self, w, frozen=None):
        squares = [v * v for v in self.point(w)]
        return self.loss(w, frozen) + dot(self.decays, squares) / 2

    @property
    def decay(self):
        """The weight decay, which has to be one number."""
        (one,) = set(self.decays)
        return one

    def gradient(self, w, frozen=None):
        """Backpropagation; on a knot the left slope, at a tied margin 0."""
        w = self.point(w)
        total = [d * v for d, v in zip(self.decays, w, strict=True)]
        weights = [rows for rows, _ in self.layers(w)]
        for i, (steps, outputs, margins) in enumerate(self.run(w, frozen)):
            if self.kind == "squared":
                pairs = zip(outputs, self.y[i], strict=True)
                pull = [2 * self.scale * (a - b) for a, b in pairs]
            else:
                on = frozen[1][i] if frozen else [m > 0 for m in margins]
                pull = [
                    sum(self.mu[i][j] * on[j] * line[r] for j, line in enumerate(self.lines[i]))
                    for r in range(len(outputs))
                ]
            end = len(w)
            for l in reversed(range(len(steps))):
                inputs, _, slopes = steps[l]
                pull = [d * s for d, s in zip(pull, slopes, strict=True)]
                if self.biases[l]:
                    end -= len(pull)
                    for k, d in enumerate(pull):
                        total[end + k] += d
                end -= len(pull) * len(inputs)
                for k, d in enumerate(pull):
                    for j, x in enumerate(inputs):
                        total[end + k * len(inputs) + j] += d * x
                columns = zip(*weights[l], strict=True)
                pull = [sum(d * v for d, v in zip(pull, c, strict=True)) for c in columns]
        return total


def decays(risk):
    """The weight decay of every parameter."""
    decay = risk.weight_decay
    found = list(map(fraction, decay.entries() if hasattr(decay, "entries") else [decay]))
    return found if len(found) > 1 else found * risk.dimension


def lines_of(kind, signs):
    """The coefficients of the outputs in each margin of a sample with these signs."""
    k = len(signs)
    if kind == "multiclass":
        own = signs.index(1)
        return [[(r == j) - (r == own) for r in range(k)] for j in range(k) if j != own]
    return [[-signs[r] * (r == j) for r in range(k)] for j in range(k)]


def plus(w, u, t=1):
    """w + t u."""
    return [a + t * b for a, b in zip(w, u, strict=True)]


def dot(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True))


def unit(m, *places):
    """The sum of unit vectors, with signs: place -1 - j stands for minus e_j."""
    u = [0] * m
    for j in places:
        u[j if j >= 0 else -1 - j] += 1 if j >= 0 else -1
    return u


def directions(m, rng, count=12):
    """Plus and minus the unit vectors, sums of two, and random integer directions of two scales."""
    found = [unit(m, j) for j in range(-m, m)]
    pairs = list(combinations(range(m), 2))
    for _ in range(count):
        i, j = pairs[rng.integers(len(pairs))] if pairs else (0, 0)
        signs = rng.choice([-1, 1], 2)
        found.append([int(signs[0] * (k == i) + signs[1] * (k == j)) for k in range(m)])
        found.append(rng.integers(-(2**20), 2**20, m).tolist())
    return found


def nearby(w, rng, count=24, size=TINY):
    """Points close to w in random directions, in general position."""
    moves = (rng.integers(-(2**30), 2**30, len(w)) for _ in range(count))
    return [plus(w, move.tolist(), Fraction(size) / 2**30) for move in moves]


def series(f, degree, h=TINY):
    """The coefficients of the polynomial that f is on [0, (degree + 1) h]; None if it is none.

    Newton's divided differences on degree + 2 points, exact; the last one has to vanish.
    """
    table, row = [], [f(h * k) for k in range(degree + 2)]
    while row:
        table.append(row[0])
        row = [(b - a) / (h * len(table)) for a, b in pairwise(row)]
    if table.pop() != 0:
        return None
    coefficients = []
    for k in reversed(range(len(table))):  # Horner in the Newton basis
        shifted = [0, *coefficients]
        for j, c in enumerate(coefficients):
            shifted[j] -= c * h * k
        shifted[0] += table[k]
        coefficients = shifted
    return coefficients
