"""Brute force at any point of one hidden layer, in plain Fractions, with nothing of lscore.

`lower_point` looks for a lower point within about EPSILON of w, for a convex loss with a derivative
at the outputs. It tries every sign of the output weights that are 0 and every side of every tie of
a unit, all units together. In each of these cells the outputs are linear in v_k w_k, v_k and c (in
a thin cone around (w_k, 1) if v_k is 0), and the loss is convex in them: so a simplex in Fractions
finds a direction along which it falls, or there is none. Complete for this EPSILON; what it finds
is confirmed on the risk.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from brute_kinks import EPSILON, descent, dot


@dataclass
class Network:
    """K units, with biases or not, and an output bias or not (`shift`); knots, slopes and the value
    at the first knot (at 0 if there is none); `value` and `slope` of the loss of sample i at an
    output; the weight decay of each parameter, if any."""

    X: list
    K: int
    bias: bool
    shift: bool
    knots: list
    slopes: list
    start: Fraction
    value: object
    slope: object
    decay: tuple = ()

    def __post_init__(self):
        self.d = len(self.X[0])
        self.rows = [[*x, 1] if self.bias else list(x) for x in self.X]

    def unpack(self, w):
        d, K = self.d, self.K
        units = [w[k * d : (k + 1) * d] + w[d * K + k : d * K + k + self.bias] for k in range(K)]
        begin = K * (d + self.bias)
        return units, w[begin : begin + K], w[-1] if self.shift else 0

    def pack(self, units, out, c):
        flat = [a for row in units for a in row[: self.d]]
        return flat + [a for row in units for a in row[self.d :]] + list(out) + [c] * self.shift

    def piece(self, p):
        """Slope and intercept of piece p, found from the first knot on."""
        place = self.knots[0] if self.knots else Fraction(0)
        value = self.start
        for q in range(1, p + 1):
            value += self.slopes[q] * (self.knots[q] - self.knots[q - 1]) if q < p else 0
        at = self.knots[max(p - 1, 0)] if self.knots else place
        return self.slopes[p], value - self.slopes[p] * at

    def act(self, z):
        slope, intercept = self.piece(sum(z > t for t in self.knots))
        return slope * z + intercept

    def outputs(self, w):
        units, out, c = self.unpack(w)
        pairs = list(zip(units, out, strict=True))
        return [sum(v * self.act(dot(u, x)) for u, v in pairs) + c for x in self.rows]

    def risk(self, w):
        losses = sum(self.value(i, f) for i, f in enumerate(self.outputs(w)))
        squares = (d * a * a for d, a in zip(self.decay, w, strict=False))
        return losses + sum(squares, Fraction(0)) / 2

    def ties(self, w):
        units = self.unpack(w)[0]
        return [
            (k, i)
            for k, u in enumerate(units)
            for i, x in enumerate(self.rows)
            if dot(u, x) in self.knots and any(x)
        ]


def lower_point(P, w):
    """A lower point within about EPSILON of w, or None."""
    units, out, _ = P.unpack(w)
    D, K, ties = len(P.rows[0]), P.K, P.ties(w)
    nu = [P.slope(i, f) for i, f in enumerate(P.outputs(w))]
    unused = [k for k, v in enumerate(out) if v == 0]
    size = K * (D + 1) + P.shift  # per unit the change of v w, that of v; and that of c

    def row(k, moves, v):
        found = [Fraction(0)] * size
        found[k * (D + 1) : (k + 1) * (D + 1)] = [*map(Fraction, moves), Fraction(v)]
        return found

    for signs in product((-1, 1), repeat=len(unused)):
        sign = [(v > 0) - (v < 0) for v in out]
        for k, s in zip(unused, signs, strict=True):
            sign[k] = s
        cone = []
        for k in unused:  # in units of the sign: |a - eta w| <= eta EPSILON
            cone.append(row(k, [0] * D, sign[k]))
            for j, side in product(range(D), (-1, 1)):
                move = [-side * sign[k] * (i == j) for i in range(D)]
                cone.append(row(k, move, sign[k] * (EPSILON + side * units[k][j])))
        for sides in product((-1, 1), repeat=len(ties)):
            side, cell = dict(zip(ties, sides, strict=True)), list(cone)
            for (k, i), s in side.items():
                t = dot(units[k], P.rows[i])
                cell.append(row(k, [s * sign[k] * x for x in P.rows[i]], -s * sign[k] * t))
            slopes = [Fraction(0)] * size
            slopes[-1] = sum(nu) if P.shift else slopes[-1]
            for k, u in enumerate(units):
                for i, x in enumerate(P.rows):
                    z = dot(u, x)
                    up = z in P.knots and side.get((k, i), -1) > 0
                    s, c = P.piece(sum(z > t for t in P.knots) + up)
                    part = row(k, [nu[i] * s * a for a in x], nu[i] * c)
                    slopes = [a + b for a, b in zip(slopes, part, strict=True)]
            move = descent(cell, slopes)
            if move is not None:
                return confirmed(P, w, move, unused)
    return None


def confirmed(P, w, move, unused):
    """The point on the way of this move, near w, whose risk is lower."""
    units, out, c = P.unpack(w)
    D, base, t = len(P.rows[0]), P.risk(w), Fraction(1)
    for _ in range(300):
        point, weights = [], []
        for k, (u, v) in enumerate(zip(units, out, strict=True)):
            part = [t * a for a in move[k * (D + 1) : (k + 1) * (D + 1)]]
            weights.append(v + part[D])
            if weights[k] == 0:
                if k not in unused:  # the step is too long
                    break
                point.append(u)
                continue
            point.append([(v * a + b) / weights[k] for a, b in zip(u, part, strict=False)])
        if len(point) == P.K:
            found = P.pack(point, weights, c + (t * move[-1] if P.shift else 0))
            near = max(abs(a - b) for a, b in zip(found, w, strict=True)) <= 2 * EPSILON
            if near and P.risk(found) < base:
                return found
        t /= 4
    raise AssertionError("a direction of descent does not descend")
