"""Random points of one hidden layer on kinks, with dead and unused units, many of them minima.

The risk comes twice: for the package, and in plain Fractions (`brute_units.Network`).
"""

from fractions import Fraction

from brute_kinks import dot
from brute_units import Network as Plain
from losses import Huber, Tilted
from named_kinks import numbers

from lscore import Network, Risk, SquaredLoss, exact, piecewise_linear
from lscore.algebra.linear import null_space

TINY = Fraction(1, 2**40)
HALF = Fraction(1, 2)
KNOTS = [[], [0], [0], [0], [-1, 1], [0, 1], [-HALF], [-1, 0, HALF]]


def random_activation(rng):
    knots = [Fraction(t) for t in rng.choice(KNOTS)]
    slopes = [Fraction(rng.choice([-1, 0, 0, HALF, 1, 1, 2])) for _ in range(len(knots) + 1)]
    start = Fraction(rng.choice([0, 0, 1, -HALF]))
    if rng.random() < 0.4:
        knots, slopes, start = [Fraction(0)], [Fraction(rng.choice([0, 0, HALF, -1])), 1], 0
    return knots, slopes, Fraction(start)


def losses(name, y):
    """Value and slope of a loss of sample i, in Fractions, and the loss of the package."""
    if name == "half squares":
        return (lambda i, f: (f - y[i]) ** 2 / 2), (lambda i, f: f - y[i]), SquaredLoss()
    if name == "mean squares":
        n = len(y)
        return (
            lambda i, f: (f - y[i]) ** 2 / n,
            lambda i, f: 2 * (f - y[i]) / n,
            SquaredLoss(1, mean=True),
        )
    if name == "tilted":
        return (
            lambda i, f: (f - y[i]) ** 2 + 3 * (f - y[i]),
            lambda i, f: 2 * (f - y[i]) + 3,
            Tilted(),
        )

    def huber(i, f):
        m = abs(f - y[i])
        return m * m / 2 if m <= HALF else HALF * m - HALF**2 / 2

    return huber, (lambda i, f: max(-HALF, min(HALF, f - y[i]))), Huber()


def labels_for(name, outputs, pull):
    """Labels at which the derivative of the loss is a positive multiple of the wanted one."""
    if name == "tilted":
        return [f - (v - 3) / 2 for f, v in zip(outputs, pull, strict=True)]
    top = max(map(abs, pull)) if name == "Huber" else 0
    size = HALF / top if top else 1
    return [f - size * v for f, v in zip(outputs, pull, strict=True)]


def tempting_pull(rng, P, w):
    """A random pull that meets the conditions of all units with multipliers in and out of [0, 1]:
    what is left is in the sides."""
    units, out, _ = P.unpack(w)
    n, rows = len(P.rows), []
    if P.shift:
        rows.append([1] * n)
    for u, v in zip(units, out, strict=True):
        z = [dot(u, x) for x in P.rows]
        rows.append([P.act(e) for e in z])
        place = [sum(e > t for t in P.knots) for e in z]
        loose = rng.random() < 0.1
        shares = [
            rng.choice([0, 1, HALF, HALF, Fraction(1, 4), Fraction(3, 4), Fraction(5, 4), -HALF])
            for _ in z
        ]
        slopes = [
            P.slopes[p] + (q * (P.slopes[p + 1] - P.slopes[p]) if e in P.knots else 0)
            for p, q, e in zip(place, shares, z, strict=True)
        ]
        if loose:
            continue
        rows += [[s * x[j] for s, x in zip(slopes, P.rows, strict=True)] for j in range(len(u))]
        if v == 0:  # no bends
            rows += [
                [(P.slopes[p + 1] - P.slopes[p]) * (j == i) for j in range(n)]
                for i, (p, e) in enumerate(zip(place, z, strict=True))
                if e in P.knots and rng.random() < 0.8
            ]
    basis = null_space(exact(text(rows)))
    pull = [Fraction(0)] * n
    for column in basis:
        factor = rng.choice([-2, -1, 0, 1, 1, 2])
        pull = [a + factor * b for a, b in zip(pull, numbers(column), strict=True)]
    return pull


def random_case(rng):
    """A small risk, the same in Fractions, and a point on a grid with ties and unused units."""
    d, K, n = rng.choice([1, 1, 1, 2, 2, 3]), rng.choice([1, 1, 2, 2, 3]), rng.randint(2, 8)
    bias, shift = rng.choice(
        [(True, True)] * 4 + [(False, False)] * 2 + [(True, False), (False, True)]
    )
    X = [[Fraction(rng.choice([-2, -1, 0, 1, 2])) for _ in range(d)] for _ in range(n)]
    knots, slopes, start = random_activation(rng)
    weights = [0, 0, 1, -1] if rng.random() < 0.3 else [-2, -1, 1, HALF, 1, 0]
    w = [rng.choice([-2, -1, -1, 0, 0, 1, 1, HALF]) for _ in range(K * d)]
    w += [rng.choice([-2, -1, 0, 0, 1]) for _ in range(K * bias)]
    w += [rng.choice(weights) for _ in range(K)]
    w += [rng.choice([0, 1, -HALF])] * shift
    w = list(map(Fraction, w))
    if K > 1 and rng.random() < 0.15:  # two units on one ray
        w[d : 2 * d] = w[:d]
        if bias:
            w[d * K + 1] = w[d * K]
    name = rng.choice(["half squares", "half squares", "mean squares", "Huber", "tilted"])
    P = Plain(X, K, bias, shift, knots, slopes, start, None, None)
    pull = [Fraction(rng.choice([-1, 0, 1])) for _ in X]
    if rng.random() < 0.85:
        pull = tempting_pull(rng, P, w)
    y = labels_for(name, P.outputs(w), pull)
    P.value, P.slope, loss = losses(name, y)
    h = piecewise_linear([*map(str, knots)], [*map(str, slopes)], str(start))
    return Risk(Network((d, K, 1), h, (bias, shift)), exact(text(X)), exact(text(y)), loss), P, w


def text(values):
    return [text(v) if isinstance(v, list) else str(v) for v in values]
