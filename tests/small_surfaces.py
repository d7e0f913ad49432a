"""Small surfaces with known lists of local minima, and descent on them in plain numpy.

A list names the values in order; a star marks those that are attained on walls only. The lists come
from another program (rays, NNLS and Stiemke's alternative in rationals). The risk is half the mean
of squares.
"""

from functools import cache

import numpy as np

from lscore import Network, Risk, SquaredLoss, relu, two_piece
from lscore.surface.solver import solve_surface

HALF_MEAN = SquaredLoss("1/2", mean=True)
FIVE = [0, 1, 2, 3, 4], [1, "-1/2", 1, "-1/2", 1]
EIGHT = (
    ["-3/2", "-3/4", "-1/4", 0, "1/4", "5/4", "7/4", 2],
    ["-3/2", -2, "7/4", 0, "-1/4", "-1/2", "7/4", "7/4"],
)
SIX = [0, 1, 2, 3, 4, 5], [0, "21/20", "37/20", "63/20", "79/20", 5]
LINE = [0, 1, 2, 4], [0, 1, 2, 4]
PLANE = [[0, 0], [3, 0], [0, 2], [2, 3], [-1, 3], [1, -2]], [1, -1, -1, 1, 0, 2]
FLAT = [[0, 0], [1, 0], [0, 1], [2, 1], [1, 3], [-1, 2]], [1, -1, -1, 1, 0, 2]

# name: data, width, slopes (minus, plus), values
LISTS = {
    "three points": (([0, 1, 2], [0, 1, "1/2"]), 1, (0, 1), "1/48 1/16 1/12"),
    "four points": (
        ([0, 1, 2, 3], ["-1/10", "13/10", "17/10", "31/10"]),
        *(1, (0, 1), "1/40 49/400 67/300 13/20"),
    ),
    "five points, 1 unit": (FIVE, 1, (0, 1), "9/40 9/34* 27/100"),
    "five points, 2 units": (FIVE, 2, (0, 1), "3/20 9/50 9/40 21/80 9/34* 27/100"),
    "five points, 3 units": (
        *(FIVE, 3, (0, 1)),
        "0 9/320* 9/80 3/20 9/50 9/40 21/80 9/34* 27/100",
    ),
    "one unit without a spurious minimum": (SIX, 1, ("1/2", 1), "1/240"),
    "absolute value, no spurious minimum": (SIX, 1, (-1, 1), "1/240"),
    "slope -1/2, no spurious minimum": (SIX, 1, ("-1/2", 1), "1/240"),
    "ReLU on the six points": (SIX, 1, (0, 1), "1/240 67/80 117/80"),
    "slope 1/10 on the six points": (SIX, 1, ("1/10", 1), "1/240 34241/105600"),
    "labels on a line, 1 unit": (LINE, 1, (0, 1), "0 1/4 7/12 35/32"),
    "labels on a line, 2 units": (LINE, 2, (0, 1), "0 1/16 1/4 7/12 35/32"),
    "labels on a line, leaky, 1 unit": (LINE, 1, ("1/2", 1), "0 1/32"),
    "labels on a line, leaky, 2 units": (LINE, 2, ("1/2", 1), "0 1/68 1/32"),
    "plane, 1 unit": (
        *(PLANE, 1, (0, 1)),
        "11/48 3/13* 1/3 13/30 6991/14448 653/1239* 17/30 3/5 11/18",
    ),
    "plane, 2 units": (
        *(PLANE, 2, (0, 1)),
        "0 1/528 5/336 1/54 1/24 23/528 8/183 133/2808 1/18 19/336 35/502* 220/1437 1/6 5/27 2/9 "
        "11/48 3/13* 7/30 74/237* 845/2634 1/3 7/18 19/48 5/12 13/30 1681/3528 233/489 1495/3096 "
        "205/424* 6991/14448 1/2 457/882 691/1320 653/1239* 9/16 17/30 3/5 11/18",
    ),
    "three points on a line, 1 unit": (
        *(FLAT, 1, (0, 1)),
        "11/48 1/3 13/30 67/128 29/55* 17/30 3/5 11/18",
    ),
}


def risk_of(data, width, slopes):
    """The risk of a network on these data."""
    X, y = data
    inputs = len(X[0]) if isinstance(X[0], list) else 1
    h = relu if slopes == (0, 1) else two_piece(slopes[1], slopes[0])
    return Risk(Network((inputs, width, 1), h), X, y, HALF_MEAN)


@cache
def solved(name):
    """The surface of a list, solved once for all tests."""
    return solve_surface(risk_of(*LISTS[name][:3]))


def starred(surface):
    """The values of a surface as in the lists."""
    return " ".join(str(m.risk) + "*" * m.wall_only for m in surface.minima)


def random_surface(seed):
    """Inputs, labels, width and slopes of a small risk, in floats."""
    rng = np.random.default_rng(seed)
    n, d, width = int(rng.integers(3, 6)), 1 + seed % 2, 1 + seed // 2 % 2
    X, y = rng.integers(-4, 5, (n, d)) / 2, rng.integers(-4, 5, n) / 2
    return X, y, width, [(0, 1), (0.5, 1), (-1, 1), (0, 1)][rng.integers(4)]


def starting_points(X, width, trials, seed):
    """Random points of a few sizes, (trials, m): weights with the bias per unit, v, c."""
    rng = np.random.default_rng(seed)
    m = width * (X.shape[1] + 2) + 1
    return rng.normal(size=(trials, m)) * rng.choice([0.5, 1, 3], size=(trials, 1))


def descend(X, y, width, slopes, w, steps):
    """Many runs of Adam from w (trials, m): where they end, and the risks there, (trials,).

    Steps shrink, since a constant step jumps about a minimum on a wall.
    """
    n, d = X.shape
    A, mean, square = np.column_stack([X, np.ones(n)]), np.zeros_like(w), np.zeros_like(w)
    for k in range(steps + 1):
        W, v, c = np.split(w, [width * (d + 1), width * (d + 2)], axis=1)
        z = W.reshape(-1, width, d + 1) @ A.T  # (trials, width, n)
        slope = np.where(z > 0, slopes[1], slopes[0])
        r = (v[:, :, None] * slope * z).sum(1) + c - y
        if k == steps:
            return w, (r * r).mean(1) / 2
        back = r[:, None, :] * v[:, :, None] * slope / n
        parts = [back @ A, (r[:, None, :] * slope * z).mean(2), r.mean(1)[:, None]]
        gradient = np.concatenate([part.reshape(len(w), -1) for part in parts], axis=1)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        size = np.sqrt(square / (1 - 0.999 ** (k + 1))) + 1e-12
        rate = 0.03 * min(1, 2 * (1 - k / steps)) ** 3 / (1 - 0.9 ** (k + 1))
        w = w - rate * mean / size
