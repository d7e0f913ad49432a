"""Hinge risks with several outputs in plain Fractions, with nothing of lscore; points to ask about,
and a search for lower points nearby.

`vertex` fits the output layer to a random hidden layer by a linear program: such points have tied
margins, and some are minima. `lower_point` takes turns from random starts near w: with the output
weights fixed, the best hidden weights and output biases in a small box (a linear program, with the
sides of the tied units chosen at random), then the best output layer. It finds descents of second
order, such as those of two equal units. What it finds is confirmed in Fractions; not complete.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.optimize import linprog


@dataclass
class Classes:
    """One hidden layer of K units with slopes (left, right), biases, R outputs; hinge `terms`
    (sample, {output: coefficient}, weight): weight * max(0, 1 + sum of coefficient * output)."""

    X: list
    K: int
    R: int
    slopes: tuple
    terms: list

    @classmethod
    def of(cls, kind, X, labels, mu, K, R, slopes):
        """mu has a weight per sample (multiclass) or per sample and class (one versus all)."""
        terms = []
        for i, own in enumerate(labels):
            for r in range(R):
                if kind == "one versus all":
                    terms.append((i, {r: -1 if r == own else 1}, mu[i][r]))
                elif r != own:
                    terms.append((i, {r: 1, own: -1}, mu[i]))
        return cls([[*map(Fraction, x)] for x in X], K, R, slopes, terms)

    def unpack(self, w):
        """Input weights with the bias per unit (K, d + 1), output weights (R, K), output biases."""
        d, K, R = len(self.X[0]), self.K, self.R
        Z = [[*w[k * d : (k + 1) * d], w[d * K + k]] for k in range(K)]
        rest = w[K * (d + 1) :]
        return Z, [rest[r * K : (r + 1) * K] for r in range(R)], rest[R * K :]

    def pack(self, Z, V, c):
        return (
            [a for z in Z for a in z[:-1]] + [z[-1] for z in Z] + [a for v in V for a in v] + [*c]
        )

    def hidden(self, Z):
        return [[sum(a * b for a, b in zip(z, [*x, 1], strict=True)) for z in Z] for x in self.X]

    def margins(self, w):
        Z, V, c = self.unpack(w)
        act = [[self.slopes[h > 0] * h for h in row] for row in self.hidden(Z)]
        out = [
            [sum(v * a for v, a in zip(V[r], row, strict=True)) + c[r] for r in range(self.R)]
            for row in act
        ]
        return [1 + sum(e * out[i][r] for r, e in on.items()) for i, on, _ in self.terms]

    def risk(self, w):
        pairs = zip(self.terms, self.margins(w), strict=True)
        return sum(mu * max(m, 0) for (_, _, mu), m in pairs)


def best(problem, rows, offsets, low, high):
    """x in the box that minimises the sum of weight * max(0, offset + <row, x>), in floats."""
    J, n = rows.shape
    mu = np.array([float(t[2]) for t in problem.terms])
    A = np.hstack([rows, -np.eye(J)])
    bounds = [*zip(low, high, strict=True), *[(0, None)] * J]
    found = linprog(np.concatenate([np.zeros(n), mu]), A, -offsets, bounds=bounds)
    return found.x[:n] if found.status == 0 else None


def output_rows(problem, Z):
    """How the margins depend on (V by rows, c), for hidden weights Z (K, d + 1) of floats."""
    h = np.array([[float(a) for a in [*x, 1]] for x in problem.X]) @ np.array(Z, dtype=float).T
    act = np.where(h > 0, float(problem.slopes[1]), float(problem.slopes[0])) * h
    rows = np.zeros((len(problem.terms), problem.R * (problem.K + 1)))
    for j, (i, on, _) in enumerate(problem.terms):
        for r, e in on.items():
            rows[j, r * problem.K : (r + 1) * problem.K] = e * act[i]
            rows[j, problem.R * problem.K + r] = e
    return rows


def hidden_rows(problem, V, on):
    """How the margins depend on (Z by rows, c), on these pieces (n, K) and output weights."""
    x = np.array([[float(a) for a in [*x, 1]] for x in problem.X])
    slopes = np.where(on, float(problem.slopes[1]), float(problem.slopes[0]))
    D = x.shape[1]
    rows = np.zeros((len(problem.terms), problem.K * D + problem.R))
    for j, (i, terms, _) in enumerate(problem.terms):
        for r, e in terms.items():
            for k in range(problem.K):
                rows[j, k * D : (k + 1) * D] += e * V[r][k] * slopes[i, k] * x[i]
            rows[j, problem.K * D + r] += e
    return rows


def vertex(problem, Z):
    """A best output layer for the hidden weights Z of small integers, in Fractions."""
    rows = output_rows(problem, Z)
    x = best(problem, rows, np.ones(len(rows)), [-20] * rows.shape[1], [20] * rows.shape[1])
    if x is None:
        return None
    exact, K, R = [Fraction(a).limit_denominator(5000) for a in x], problem.K, problem.R
    V = [exact[r * K : (r + 1) * K] for r in range(R)]
    return problem.pack([[*map(Fraction, z)] for z in Z], V, exact[R * K :])


def lower_point(problem, w, rng, tries=4, size=1e-3):
    """A point with a smaller risk and no coordinate further from w than `size`, or None."""
    Z, V, c = problem.unpack(w)
    K, R, D, base = problem.K, problem.R, len(Z[0]), problem.risk(w)
    z, v, b = (np.array(part, dtype=float) for part in (Z, V, c))
    pre = np.array([[float(a) for a in row] for row in problem.hidden(Z)])
    x = np.array([[float(a) for a in [*row, 1]] for row in problem.X])
    for _ in range(tries):
        on = np.where(pre == 0, rng.random(pre.shape) < 0.5, pre > 0)
        start = v + size * rng.choice([-1, 0, 1], v.shape) * rng.random(v.shape)
        for _ in range(2):
            rows = hidden_rows(problem, start, on)
            at = np.concatenate([z.ravel(), b])
            found = inside(problem, rows, at, size, x, on, pre)
            if found is None:
                break
            hidden = found[: K * D].reshape(K, D)
            point = problem.pack(hidden.tolist(), start.tolist(), found[K * D :].tolist())
            point = [Fraction(a) for a in point]
            if problem.risk(point) < base:
                return point
            rows = output_rows(problem, hidden)
            at = np.concatenate([v.ravel(), b])
            found = best(problem, rows, np.ones(len(rows)), at - size, at + size)
            start = found[: R * K].reshape(R, K)
            point = problem.pack(hidden.tolist(), start.tolist(), found[R * K :].tolist())
            point = [Fraction(a) for a in point]
            if problem.risk(point) < base:
                return point
    return None


def inside(problem, rows, at, size, x, on, pre):
    """The best (Z, c) in the box around `at` on the chosen sides of the tied units."""
    J, n = rows.shape
    D = x.shape[1]
    sides = []
    for i, k in np.argwhere(pre == 0):
        line = np.zeros(n + J)
        line[k * D : (k + 1) * D] = -x[i] if on[i, k] else x[i]
        sides.append(line)
    mu = np.array([float(t[2]) for t in problem.terms])
    A = (
        np.vstack([np.hstack([rows, -np.eye(J)]), *sides])
        if sides
        else np.hstack([rows, -np.eye(J)])
    )
    b = np.concatenate([-np.ones(J), np.zeros(len(sides))])
    bounds = [*zip(at - size, at + size, strict=True), *[(0, None)] * J]
    found = linprog(np.concatenate([np.zeros(n), mu]), A, b, bounds=bounds)
    return found.x[:n] if found.status == 0 else None
