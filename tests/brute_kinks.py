"""Brute force at kinks of hinge risks, in plain Fractions, with nothing of lscore.

`lower_point` looks for a point within about EPSILON of w that has a smaller risk. It tries every
sign of the output weights that are 0, every side of every tie of a unit, and every side of every
tied term. In each of these cells the outputs are linear in the a of the units (|v| times the input
weights, in a box around the ray of these if v is 0), so a simplex in Fractions finds a direction
along which the risk falls, or there is none. Complete for this EPSILON; what it finds is confirmed.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

EPSILON = Fraction(1, 10**9)


@dataclass
class Hinges:
    """The sum of weight * max(0, offset - sign * f(x)) over terms (x, sign, weight, offset).

    f has one hidden layer of K units with slopes (left, right), with biases if `bias`, and an
    output bias if `shift`.
    """

    d: int
    K: int
    bias: bool
    shift: bool
    slopes: tuple
    terms: list

    def unpack(self, w):
        """Input weights with the bias per unit, output weights, output bias."""
        d, K = self.d, self.K
        rows = [w[k * d : (k + 1) * d] + w[d * K + k : d * K + k + self.bias] for k in range(K)]
        start = K * (d + self.bias)
        return rows, w[start : start + K], w[-1] if self.shift else 0

    def pack(self, rows, out, c):
        flat = [a for row in rows for a in row[: self.d]]
        return flat + [a for row in rows for a in row[self.d :]] + out + [c] * self.shift

    def act(self, z):
        return self.slopes[z > 0] * z

    def inputs(self):
        return [list(x) + [1] * self.bias for x, _, _, _ in self.terms]

    def margins(self, w):
        rows, out, c = self.unpack(w)
        values = [
            sum(v * self.act(dot(row, x)) for row, v in zip(rows, out, strict=True)) + c
            for x in self.inputs()
        ]
        return [o - s * f for f, (_, s, _, o) in zip(values, self.terms, strict=True)]

    def risk(self, w):
        weights = [mu for _, _, mu, _ in self.terms]
        return sum(mu * max(m, 0) for mu, m in zip(weights, self.margins(w), strict=True))


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def lower_point(problem, w):
    """A lower point within 2 EPSILON of w, or None."""
    rows, out, _ = problem.unpack(w)
    X, margins = problem.inputs(), problem.margins(w)
    alive = [i for i, m in enumerate(margins) if m >= 0]
    tied = [i for i in alive if margins[i] == 0]
    unused = [k for k, v in enumerate(out) if v == 0]
    hidden = [
        (k, i) for k in range(problem.K) for i in alive if dot(rows[k], X[i]) == 0 != any(X[i])
    ]
    D, size = len(X[0]), problem.K * len(X[0]) + problem.shift + len(unused)

    def row(k, x, *more):
        """x at the place of a_k, and numbers (place, value)."""
        found = [Fraction(0)] * size
        found[k * D : k * D + len(x)] = map(Fraction, x)
        for place, value in more:
            found[place] = Fraction(value)
        return found

    cone = []
    for n, k in enumerate(unused):  # |a_k - eta z_k| <= eta EPSILON
        eta = size - len(unused) + n
        cone.append(row(0, [], (eta, 1)))
        for j, side in product(range(D), (-1, 1)):
            move = [-side * (i == j) for i in range(D)]
            cone.append(row(k, move, (eta, EPSILON + side * rows[k][j])))
    for signs in product((-1, 1), repeat=len(unused)):
        sign = [(v > 0) - (v < 0) for v in out]
        for k, s in zip(unused, signs, strict=True):
            sign[k] = s
        for sides in product((-1, 1), repeat=len(hidden)):
            side = dict(zip(hidden, sides, strict=True))
            chamber = cone + [row(k, [s * x for x in X[i]]) for (k, i), s in side.items()]
            changes = {}
            for i in alive:
                change = row(0, [], *([(problem.K * D, 1)] if problem.shift else []))
                for k in range(problem.K):
                    on = side.get((k, i), dot(rows[k], X[i])) > 0
                    part = [sign[k] * problem.slopes[on] * x for x in X[i]]
                    change = [a + b for a, b in zip(change, row(k, part), strict=True)]
                changes[i] = [-problem.terms[i][1] * a for a in change]
            for ons in product((-1, 1), repeat=len(tied)):
                on = dict(zip(tied, ons, strict=True))
                cell = chamber + [[s * a for a in changes[i]] for i, s in on.items()]
                slopes = [
                    sum(problem.terms[i][2] * changes[i][j] for i in alive if on.get(i, 1) > 0)
                    for j in range(size)
                ]
                move = descent(cell, slopes)
                if move is not None:
                    return confirmed(problem, w, move, sign, unused)
    return None


def confirmed(problem, w, move, sign, unused):
    """The point on the way of this move, near w, whose risk is lower."""
    rows, out, c = problem.unpack(w)
    D, base, t = len(rows[0]), problem.risk(w), Fraction(1)
    eta = dict(zip(unused, move[len(move) - len(unused) :], strict=True))
    for _ in range(200):
        point, weights = [], list(out)
        for k, row in enumerate(rows):
            a = [t * e for e in move[k * D : (k + 1) * D]]
            if k not in eta:
                point.append([e + b / abs(out[k]) for e, b in zip(row, a, strict=True)])
                continue
            weights[k] = sign[k] * t * eta[k]
            point.append([b / (t * eta[k]) for b in a] if eta[k] else row)
        shift = t * move[problem.K * D] if problem.shift else 0
        found = problem.pack(point, weights, c + shift)
        near = max(abs(a - b) for a, b in zip(found, w, strict=True)) <= 2 * EPSILON
        if near and problem.risk(found) < base:
            return found
        t /= 4
    raise AssertionError("a direction of descent does not descend")


def descent(rows, slopes):
    """x with <row, x> >= 0 for all rows and <slopes, x> = -1, or None. Phase 1, Bland's rule."""
    m, n = len(rows), len(slopes)
    units = [[Fraction(i == j) for j in range(m + 2)] for i in range(m)]
    table = [[-a for a in row] + row + unit for row, unit in zip(rows, units, strict=True)]
    last = [-a for a in slopes] + slopes + [Fraction(0)] * m + [Fraction(1), Fraction(1)]
    table.append(last)
    basis = [*range(2 * n, 2 * n + m + 1)]
    cost = [-a for a in last[:-2]] + [Fraction(0), -last[-1]]
    while (
        cost[-1]
        and (enter := next((j for j, a in enumerate(cost[:-1]) if a < 0), None)) is not None
    ):
        ratios = [(r[-1] / r[enter], basis[i], i) for i, r in enumerate(table) if r[enter] > 0]
        i = min(ratios)[2]
        pivot = table[i] = [a / table[i][enter] for a in table[i]]
        for k, r in enumerate(table):
            if k != i and r[enter]:
                table[k] = [a - r[enter] * b for a, b in zip(r, pivot, strict=True)]
        cost = [a - cost[enter] * b for a, b in zip(cost, pivot, strict=True)]
        basis[i] = enter
    if cost[-1]:
        return None
    x = [Fraction(0)] * (2 * n + m + 1)
    for i, place in enumerate(basis):
        x[place] = table[i][-1]
    return [a - b for a, b in zip(x[:n], x[n : 2 * n], strict=True)]
