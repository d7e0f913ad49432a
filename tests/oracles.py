"""What a decided answer has to mean, tested in the plain world of `plain.Plain`.

Each function takes the plain risk P, the point w (a list of numbers), the certificate and a random
generator, and asserts what follows from `certified` or `refuted`: values at explicit points, values
around w in exact steps of 2^-40 and less, polynomials read off exact differences. `unknown` means
nothing and is not passed on.
"""

import math
import re
from copy import copy
from fractions import Fraction
from itertools import combinations, pairwise, product

import numpy as np
from cases import fraction, reference_residuals
from plain import TINY, Plain, directions, dot, nearby, plus, series, shape_of, unit
from scipy.optimize import linprog, nnls

THREE = [[1, 0], [0, 1], [0.5, 0.5]]  # the inputs of Theorem 2 of Yun, Sra and Jadbabaie
ROUNDING = 1e-9  # for smooth activations only, where the plain world computes in floats


def numbers(column):
    return [fraction(v) for v in column.entries()]


def lower(P, value, base):
    return value < base - ROUNDING if P.smooth else value < base


def at_least(P, value, base):
    return value >= base - ROUNDING if P.smooth else value >= base


def close_points(P, w, rng):
    """Points around w along structured and random directions; exact ones very close."""
    size = 1e-3 if P.smooth else TINY
    moved = [plus(w, u, size / max(map(abs, u))) for u in directions(len(w), rng) if any(u)]
    bent = [plus(a, u, size * size) for a in moved[-6:] for u in directions(len(w), rng, 2)]
    return moved + bent


def local_minimum(P, w, answer, rng):
    base = P.risk(w)
    if answer.certified:
        near = [held_still(P, v, w) for v in close_points(P, w, rng)]
        assert all(at_least(P, P.risk(v), base) for v in near)
        return
    witness = answer.witness
    assert {"lower_point", "direction"} & set(witness)
    if "lower_point" in witness:
        lower = P.point(witness["lower_point"])
        assert P.risk(lower) < base
        assert held_still(P, lower, w) == lower
    if "direction" in witness and not P.smooth:
        u = numbers(witness["direction"])
        size = TINY / max(1, *map(abs, u))
        assert all(P.risk(plus(w, u, size / 2**k)) < base for k in (20, 60))
        assert held_still(P, u, [0] * len(w)) == u
    if "curve" in witness:
        columns = [numbers(witness["curve"].column(l)) for l in range(witness["curve"].shape[1])]
        size = max(abs(a) for u in columns for a in u)
        for t in (TINY, TINY**2):
            v = w
            for l, u in enumerate(columns, start=1):
                v = plus(v, u, (t / size) ** l)
            assert P.risk(v) < base


def held_still(P, v, w):
    """v with the frozen parameters of w."""
    w = list(map(P.number, w))
    return [b if still else a for a, b, still in zip(v, w, P.held, strict=True)]


def constant_nearby(P, v, rng, size=TINY / 2**40):
    """Whether the risk takes one value at v and at points around it, far closer than 2^-40."""
    base = P.risk(v)
    return all(P.risk(a) == base for a in nearby(v, rng, 6, size))


def global_minimum(P, w, rng):
    base = P.risk(w)
    for _ in range(60):
        v = [Fraction(int(a), 4) for a in rng.integers(-9, 10, len(w))]
        assert at_least(P, P.risk(v), base)
    assert all(at_least(P, P.risk(v), base) for v in close_points(P, w, rng))


def spurious(P, w, answer, rng):
    if answer.refuted and "direction" not in answer.witness:
        global_minimum(P, w, rng)
        return
    local_minimum(P, w, answer, rng)
    if answer.certified:
        assert fraction(answer.values["risk"]) == P.risk(w)
        assert descends_below(P, w, rng)


def flat_dimension(P, w, answer, rng):
    """The kernel of the Hessian, which is J'J there, is as large as the manifold."""
    assert answer.certified
    values = np.linalg.eigvalsh(np.array(hessian(P, w), float))
    small = np.abs(values) < 1e-9 * (1 + np.abs(values).max())
    assert small.sum() == answer.values["dimension"]
    assert not (values[~small] < 0).any()


def better_function(P, w, answer, rng):
    """Moving the output at one input, by its bias, lowers the loss of the samples there, or never
    does."""
    if not P.biases[-1] or P.activations[-1] is not None:
        return
    gains = []
    for x in {tuple(row) for row in P.X}:
        here = copy(P)
        kept = [i for i, row in enumerate(P.X) if tuple(row) == x]
        here.X, here.y = [P.X[i] for i in kept], [P.y[i] for i in kept]
        base = here.risk(w)
        for c, t in product(range(1, P.widths[-1] + 1), (TINY, Fraction(1, 2), Fraction(3))):
            for move in (t, -t):
                v = list(w)
                v[-c] += move
                gains.append(base - here.risk(v))
    assert (max(gains) > 0) == answer.certified


def descends_below(P, w, rng):
    """Whether gradient descent with momentum in floats finds a smaller risk from some start."""
    P, base = in_floats(P), float(P.risk(w))
    for _ in range(40):
        v, speed = rng.normal(size=len(w)), 0.0
        for _ in range(150):
            speed = 0.8 * speed - 0.02 * np.array(P.gradient(v.tolist()))
            v = v + np.clip(speed, -1, 1)
        if P.risk(v.tolist()) < base - 1e-6:
            return True
    return False


def in_floats(P):
    """The same risk in floats."""
    P = copy(P)
    P.number = float
    P.X, P.y = ([[float(v) for v in row] for row in part] for part in (P.X, P.y))
    return P


def nearby_gradients(P, w, rng, count=24):
    """Gradients around w, at points whose coordinates move by very different amounts."""
    found = []
    for _ in range(count):
        move = rng.integers(-(2**30), 2**30, len(w)).tolist()
        sizes = rng.integers(0, 16, len(w)).tolist() if len(found) % 2 else [0] * len(w)
        step = [Fraction(a, 2 ** (30 + s)) for a, s in zip(move, sizes, strict=True)]
        found.append(P.gradient(plus(w, step, TINY)))
    return found


def subgradient(P, w, answer, rng, g=None):
    """0 (or g) is in the hull of the gradients around w, or one direction descends in all."""
    if not P.ties(w):
        assert answer.certified == (P.gradient(w) == (g or [0] * len(w)))
        return
    gradients = [plus(a, g, -1) if g else a for a in nearby_gradients(P, w, rng, 8)]
    if answer.refuted:
        d = numbers(answer.witness["direction"])
        assert all(dot(a, d) < Fraction(-1, 2) for a in gradients)
        return
    while not in_hull(gradients):
        assert len(gradients) < 500
        more = nearby_gradients(P, w, rng, len(gradients))
        gradients += [plus(a, g, -1) if g else a for a in more]


def in_hull(points):
    """Whether 0 is a convex combination of the points, in floats, up to their distance from w."""
    columns = np.array([[float(v) for v in a] for a in points]).T
    system = np.vstack([columns, np.ones(len(points))])
    return nnls(system, np.array([0.0] * len(columns) + [1.0]))[1] < 1e-6


def autograd(P, w, answer, rng):
    """Lowering all biases, deeper layers more, may reach the cell of the left slopes at once."""
    g = P.gradient(w)
    if answer.certified and all(P.biases[:-1]) and near(P.gradient(lowered(P, w)), g):
        return
    subgradient(P, w, answer, rng, g)


def lowered(P, w):
    """w with smaller biases, deeper layers by more, and a larger output layer."""
    v, last = list(w), len(P.biases) - 1
    for l, (weights, biases) in enumerate(places(P)):
        for j in [*weights, *biases] if l == last else biases:
            step = TINY * 2 ** (8 * (2 * l + 1))
            v[j] = v[j] * (1 + step) if l == last else v[j] - step
    return v


def near(u, v):
    return all(abs(float(a - b)) < 1e-6 for a, b in zip(u, v, strict=True))


def path(P, points, answer, rng):
    """The risk at seventeen times of each segment never rises, or it does somewhere."""
    values = [
        [P.risk(plus(a, plus(b, a, -1), Fraction(k, 16))) for k in range(17)]
        for a, b in pairwise(points)
    ]
    if answer.certified:
        for row in values:
            assert all(at_least(P, a, b) for a, b in pairwise(row))
        return
    s = answer.witness["segment"]
    a, u = points[s], plus(points[s + 1], points[s], -1)
    if "later_time" in answer.witness:
        times = [fraction(answer.witness[name]) for name in ("earlier_time", "later_time")]
        assert P.risk(plus(a, u, times[0])) < P.risk(plus(a, u, times[1]))
    else:  # convex along the segment, so a rise at the end shows just before it
        step = 1e-4 if P.smooth else TINY
        assert P.risk(plus(a, u, 1 - step)) < P.risk(plus(a, u, 1))


def along(P, w, u, frozen=None):
    """The coefficients of the risk along w + t u, or of the polynomial with frozen pieces."""
    step = Fraction(1) if frozen else TINY
    return series(lambda t: P.risk(plus(w, u, t), frozen), P.degree, step)


def bend(P, w, u):
    """u'Hu inside a cell."""
    return 2 * along(P, w, u, P.state(w))[2]


def decay(P, w, answer, rng):
    g = P.gradient(w)
    c = 2 * bend(P, w, g) / dot(g, g)
    rate = float(Fraction(re.search(r"exp\(-(\S+) t\)", answer.statement)[1]))
    assert not P.ties(w)
    if answer.refuted:
        assert fraction(answer.witness["c_at_the_start"]) == c < rate
        return
    assert c >= rate
    P, v, step, start = in_floats(P), np.array([float(a) for a in w]), 0.01, float(dot(g, g))
    for k in range(100):
        g = np.array(P.gradient(v.tolist()))
        assert g @ g <= start * np.exp(-rate * k * step) * 1.05
        half = np.array(P.gradient((v - step / 2 * g).tolist()))
        v = v - step * half


def crossing(P, w, answer, rng):
    """Two gradients occur around w; the norms before and after are theirs, or a tangential part."""
    gradients = {tuple(map(limit, g)) for g in nearby_gradients(P, w, rng)}
    assert len(gradients) <= 2
    shown = answer.values if answer.certified else answer.witness
    norms = [float(dot(g, g)) for g in gradients]
    before, after = float(fraction(shown["before"])), float(fraction(shown["after"]))
    assert any(abs(before - n) < 1e-5 * (1 + n) for n in norms)
    assert after <= before + 1e-6 or any(abs(after - n) < 1e-5 * (1 + n) for n in norms)
    assert answer.certified == (after <= before)


def limit(value):
    """A number near w, rounded so that its small change does not count."""
    return round(float(value), 6)


def second_derivative(P, w, answer, rng):
    assert answer.certified
    assert not P.ties(w)
    claimed = Fraction(re.search(r"gamma'' = (\S+) along", answer.statement)[1])
    assert claimed == 2 * bend(P, w, P.gradient(w))


def two_backpropagations(P, w, answer, rng):
    assert answer.certified
    frozen, v = P.state(w), [Fraction(int(a), 3) for a in rng.integers(-4, 5, len(w))]
    g = P.gradient(v, frozen)

    def squared_norm(t):
        moved = P.gradient(plus(v, g, t), frozen)
        return dot(moved, moved)

    rate = series(squared_norm, 2 * P.degree, Fraction(1))[1]
    assert rate == 4 * along(P, v, g, frozen)[2]


def loss_change(P, points, answer, rng):
    assert not any(P.ties(w) for w in points)
    bends = [bend(P, w, P.gradient(w)) for w in points]
    start = max((k + 1 for k, value in enumerate(bends) if value <= 0), default=0)
    if start == len(points):
        assert answer.refuted
        return
    values = [P.risk(w) for w in points]
    share = (values[start] - values[-1]) / (values[0] - values[-1])
    shown = answer.values if answer.certified else answer.witness
    assert fraction(shown["fraction"]) == share
    assert answer.certified == (share >= Fraction(1, 2))


def minibatch_mean(P, w, answer, rng):
    assert answer.certified
    forms = []
    for i in range(len(P.X)):
        part = copy(P)
        part.X, part.y, part.scale = [P.X[i]], [P.y[i]], P.scale * len(P.X)
        forms.append(bend(P, w, part.gradient(w)))
    assert fraction(answer.values["mean_over_minibatches"]) == sum(forms) / len(forms)


def forms(P, w, answer, rng, at=None):
    """At `at` (default w): the risk, and the polynomial of the cell of w."""
    at = at or w
    shown = answer.values if answer.certified else answer.witness
    assert fraction(shown["risk"]) == P.risk(at)
    frozen = P.risk(at, P.state(w))
    assert answer.certified == (frozen == P.risk(at))
    if answer.refuted:
        assert fraction(shown["sum_of_the_forms"]) == frozen


def places(P):
    """Per layer the places of the weights and of the biases, of which there may be none."""
    found, start = [], 0
    for inner, out, bias in zip(P.widths, P.widths[1:], P.biases, strict=False):
        middle, stop = start + out * inner, start + out * (inner + bias)
        found.append((range(start, middle), range(middle, stop)))
        start = stop
    return found


def blocks(P):
    """The places of each parameter tensor: weights and biases, layer after layer."""
    return [block for layer in places(P) for block in layer if block]


def backpropagation(P, w, answer, rng):
    assert answer.certified
    g = P.gradient(w)
    products = [sum(w[j] * g[j] for j in block) for block in blocks(P)]
    assert [fraction(v) for v in answer.values.values()] == products
    multilinear(P, w, answer, rng)


def multilinear(P, w, answer, rng):
    """The risk of the cell is affine in each parameter tensor."""
    assert answer.certified
    frozen, v = P.state(w), [Fraction(int(a), 3) for a in rng.integers(-4, 5, len(w))]
    for block in blocks(P):
        u = [int(rng.integers(1, 9)) * (j in block) for j in range(len(w))]
        assert not any(along(P, v, u, frozen)[2:])


def layerwise_affine(P, w, answer, rng):
    assert answer.certified
    frozen, v = P.state(w), [Fraction(int(a), 3) for a in rng.integers(-4, 5, len(w))]
    for parts in places(P):
        layer = [j for part in parts for j in part]
        u = [int(rng.integers(1, 9)) * (j in layer) for j in range(len(w))]
        a, b, c = (P.outputs(plus(v, u, t), frozen) for t in (0, 1, 2))
        assert all(
            x - 2 * y + z == 0
            for rows in zip(a, b, c, strict=True)
            for x, y, z in zip(*rows, strict=True)
        )


def hessian(P, w):
    """The Hessian of the cell of w: in one parameter the risk is quadratic, so differences do."""
    m, frozen, rows = len(w), P.state(w), []
    for j in range(m):
        ahead, behind = (P.gradient(plus(w, unit(m, place)), frozen) for place in (j, -1 - j))
        rows.append([(a - b) / 2 for a, b in zip(ahead, behind, strict=True)])
    return rows


def indefinite(P, w, answer, rng):
    H = hessian(P, w)
    assert not P.ties(w)
    if answer.refuted:
        assert not any(map(any, H))
    else:
        values = np.linalg.eigvalsh(np.array(H, float))
        assert values[0] < 0 < values[-1]


def mirrored(P, w, answer, rng):
    assert not P.ties(w)
    values = np.linalg.eigvalsh(np.array(hessian(P, w), float))
    same = np.abs(values + values[::-1]).max() < 1e-6 * (1 + np.abs(values).max())
    assert answer.certified == bool(same)


def extremum(P, w, answer, rng):
    """Constant around w, or a direction of ascent (and one of descent)."""
    assert not P.ties(w)
    base = P.risk(w)
    if answer.certified:
        assert constant_nearby(P, w, rng)
        return
    up = numbers(answer.witness["direction"])
    assert all(P.risk(plus(w, up, TINY / 2**k)) > base for k in (0, 40))
    if "descent" in answer.witness:
        down = numbers(answer.witness["descent"])
        assert all(P.risk(plus(w, down, TINY / 2**k)) < base for k in (0, 40))


def in_cell(P, w, answer, rng):
    assert answer.certified == (not P.ties(w))
    if answer.refuted:
        assert set(answer.witness["ties"]) == P.ties(w)


def null_walls(P, w, answer, rng):
    if answer.certified:
        spread = nearby([Fraction(0)] * len(w), rng, 20, 8)
        assert not any(map(P.ties, nearby(w, rng, 12) + spread))
    else:
        v = numbers(answer.witness["point"])
        assert all(map(P.ties, nearby(v, rng, 12)))


def smooth_outputs(P, w, answer, rng):
    if answer.certified:
        u = rng.integers(-9, 10, len(w)).tolist()
        assert one_polynomial(P, lambda t: plus(w, u, t - 3 * TINY))
        return
    u, i = numbers(answer.witness["direction"]), answer.witness["output_of_sample"]
    ahead, behind = (
        series(lambda t, s=s: sum(P.outputs(plus(w, u, s * t))[i]), P.degree)[1] for s in (1, -1)
    )
    assert ahead != -behind


def one_polynomial(P, line, step=TINY):
    """Whether every output is one polynomial at line(t), t = 0, step, 2 step, ..."""
    degree = len(P.activations)
    rows = [[v for row in P.outputs(line(step * k)) for v in row] for k in range(degree + 4)]
    return all(
        series(lambda t, c=column: c[int(t / step)], degree + 2, step) is not None
        for column in zip(*rows, strict=True)
    )


def signature(P, w):
    return P.state(w), P.ties(w)


def not_convex(P, points, answer, rng):
    a, b = points
    middle = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
    shared = signature(P, a) == signature(P, b) and not P.ties(a)
    assert answer.certified == (shared and signature(P, middle) != signature(P, a))


def disconnected(P, points, answer, rng):
    a, b = points
    shared = signature(P, a) == signature(P, b) and not P.ties(a)
    assert answer.certified <= shared
    assert answer.refuted <= (not shared)
    if answer.certified:
        tensor, *index = answer.conditions[-1].text.split()[0].split("_")
        j = place_of(P, tensor, [int(k) for k in index])
        assert a[j] * b[j] < 0
        for _ in range(60):
            t = Fraction(int(rng.integers(0, 17)), 16)
            v = plus(plus(a, plus(b, a, -1), t), rng.integers(-3, 4, len(a)).tolist(), t * (1 - t))
            v[j] = Fraction(0)
            assert signature(P, v) != signature(P, a)


def place_of(P, tensor, index):
    """The place of an entry, named as W2_0_1 or b1_0 is, in a point."""
    l = int(tensor[1:]) - 1
    block = places(P)[l][tensor[0] == "b"]
    return block[index[0] * P.widths[l] + index[1] if len(index) > 1 else index[0]]


def flat(P, w, answer, rng):
    frozen, zero = P.state(w), [Fraction(0)] * len(w)
    base = P.risk(zero, frozen)
    if answer.refuted:
        v = numbers(answer.witness["point"])
        assert P.risk(v, frozen) - base == fraction(answer.witness["coefficient"]) != 0
        return
    assert fraction(answer.values["risk"]) == base
    for _ in range(12):
        v = [Fraction(int(a), 3) for a in rng.integers(-9, 10, len(w))]
        assert P.risk(v, frozen) == base


def flat_is_optimal(P, w, answer, rng):
    if answer.refuted:
        v = numbers(answer.witness["point"])
        assert P.risk(v) > 0
        assert not P.ties(v)
        assert constant_nearby(P, v, rng)
        return
    for v in nearby([Fraction(0)] * len(w), rng, 12, 4):
        assert P.risk(v) == 0 or not constant_nearby(P, v, rng)


def cell_constants(P, w, answer, rng):
    """The risk changes by -gamma with c, and is delta where all outputs are 0."""
    frozen, zero = P.state(w), [Fraction(0)] * len(w)
    gamma, delta = (fraction(answer.values[name]) for name in ("gamma", "delta"))
    assert P.risk(zero, frozen) == delta
    if P.biases[-1]:
        assert P.risk(plus(zero, unit(len(w), len(w) - 1)), frozen) == delta - gamma


def dead_data(P, w, answer, rng):
    """Who is unsolved, and which units in use see it."""
    v, runs = P.layers(w)[1][0][0], P.run(w)
    active = [
        (i, k)
        for i, (steps, _, margins) in enumerate(runs)
        for k, z in enumerate(steps[0][1])
        if margins[0] > 0 and v[k] and z > 0
    ]
    if answer.refuted:
        assert (answer.witness["sample"], answer.witness["unit"]) in active
        return
    assert not active
    assert answer.values["unsolved"] == sum(margins[0] > 0 for _, _, margins in runs)


def separable(P, w, answer, rng):
    """Signs by substitution: of the separator, or of the weights that mix both classes."""
    rows = [[*x, 1] if P.biases[0] else x for x in P.X]
    signed = [[a * y[0] for a in x] for x, y in zip(rows, P.y, strict=True)]
    if answer.certified:
        q = numbers(answer.values["separator"])
        assert all(dot(q, x) > 0 for x in signed)
        return
    theta = numbers(answer.witness["weights"])
    assert (min(theta) >= 0, sum(theta)) == (True, 1)
    assert not any(dot(theta, column) for column in zip(*signed, strict=True))


def not_critical(P, w, answer, rng):
    """Gradients around w are long, and one direction descends along all of them."""
    if answer.refuted:
        assert P.risk(w) == 0
        return
    bound = fraction(answer.values["squared_length_at_least"]) * Fraction(999, 1000)
    for g in nearby_gradients(P, w, rng, 12):
        assert dot(g, g) >= bound
        assert dot(g, numbers(answer.values["direction"])) < 0


def no_bad_minima(P, w, answer, rng):
    """Where all output weights are used, a gradient is not 0 or the risk is."""
    if answer.refuted:
        v = numbers(answer.witness["local_minimum"])
        assert all(P.risk(a) >= P.risk(v) > 0 for a in close_points(P, v, rng))
        return
    for v in nearby([Fraction(0)] * len(w), rng, 12, 4):
        assert P.risk(v) == 0 or any(P.gradient(v))


def falls(P, w, answer, rng, perturbation):
    """By at least what is promised, near the start."""
    for k in (8, 30):
        promised = sum(fraction(p) / 2 ** (k * l) for l, p in enumerate(perturbation.promise, 1))
        low = P.risk(numbers(perturbation.at(f"1/{2**k}")))
        assert P.risk(w) - low >= promised or answer.refuted


def touches_flat(P, w, answer, rng):
    if answer.refuted:
        assert not any(constant_nearby(P, v, rng) for v in nearby(w, rng, 16))
        return
    ray = numbers(answer.values["ray"]) if "ray" in answer.values else [0] * len(w)
    v = plus(w, ray, TINY)
    assert not P.ties(v)
    assert constant_nearby(P, v, rng)


def generic(P, w, answer, rng):
    """All slopes and switches of Definition 1, for every sample, one by one."""
    labels = [row.index(1) if len(row) > 1 else int(row[0] > 0) for row in P.y]
    classes, inputs = max(len(P.y[0]), 2), [[*x, 1] for x in P.X]
    slope = min(P.activations[0].slopes)
    slopes = {slope**l for l in range(len(P.activations))}
    options = []
    for own in labels:
        others = [r for r in range(classes) if r != own]
        on = [dict(zip(others, e, strict=True)) for e in product((0, 1), repeat=len(others))]
        options.append([(s, e) for s in slopes for e in on])
    rare = any(
        any(any(e.values()) for _, e in choice)
        and all(
            sum(
                s * P.mu[i][0] * x[j] * (sum(e.values()) if labels[i] == r else -e[r])
                for i, ((s, e), x) in enumerate(zip(choice, inputs, strict=True))
            )
            == 0
            for r in range(classes)
            for j in range(len(inputs[0]))
        )
        for choice in product(*options)
    )
    assert answer.refuted == rare


def balance(P, w, answer, rng):
    """A critical point; its layers, the residual part of the Hessian along it, and the bound."""
    g = P.gradient(w)
    assert not P.ties(w)
    assert not any(g)
    norms = [sum(v * v for row in rows for v in row) for rows, _ in P.layers(w)]
    outputs = [row[0] for row in P.outputs(w)]
    depth = len(P.activations)
    along_w = bend(P, w, w) - P.decay * dot(w, w)
    residual = along_w - depth**2 * dot(outputs, outputs) / len(outputs)
    radius = max(dot(x, x) for x in P.X)
    widest = max(np.linalg.norm(np.array(rows, float), 2) for rows, _ in P.layers(w))
    reached = 2 * float(P.loss(w) * radius) * widest ** (2 * (depth - 2))
    obeys = len(set(norms)) == 1 and residual == -(depth - 1) * P.decay * dot(w, w)
    obeys = obeys and reached >= float(P.decay) ** 2 - 1e-9
    assert answer.certified == obeys


def membership(P, w, answer, rng):
    radius, hidden = max(dot(x, x) for x in P.X), len(P.activations) - 1
    bound = 2 * (hidden * (hidden + 1)) ** 2 * P.loss(w) * radius
    if hidden > 1:
        norms = [np.linalg.norm(np.array(rows, float), 2) for rows, _ in P.layers(w)]
        bound = float(bound) * max(norms) ** (2 * hidden - 2)
    assert answer.certified == (bound < P.decay**2)
    if answer.certified and not P.ties(w):  # strongly convex there, which is what U is for
        assert np.linalg.eigvalsh(np.array(hessian(P, w), float))[0] > 0


def strong_convexity(P, w, answer, rng):
    if not P.ties(w):
        lowest = np.linalg.eigvalsh(np.array(hessian(P, w), float))[0]
        assert lowest > -1e-9 if answer.certified else lowest < 1e-9


def curvature_bound(P, w, answer, rng):
    """The smallest eigenvalue without decay, against -H (H + 1) r |W|_*^(H-1) (2 l)^(1/2)."""
    radius, hidden = max(dot(x, x) for x in P.X), len(P.activations) - 1
    norms = [np.linalg.norm(np.array(rows, float), 2) for rows, _ in P.layers(w)]
    root = np.sqrt(float(2 * P.loss(w) * radius)) * max(norms) ** (hidden - 1)
    lowest = np.linalg.eigvalsh(np.array(hessian(P, w), float))[0] - float(P.decay)
    room = lowest + hidden * (hidden + 1) * root
    assert room > -1e-9 if answer.certified else room < 1e-9


def minimizers_inside(P, w, answer, rng):
    assert answer.certified
    base = P.risk([Fraction(0)] * len(w))
    for size in (4, 1, TINY):
        assert all(P.risk(v) >= base for v in nearby([Fraction(0)] * len(w), rng, 12, size))


def only_minimum(P, w, answer, rng):
    base = P.risk([Fraction(0)] * len(w))
    if answer.refuted:
        assert P.risk(numbers(answer.witness["lower_point"])) < base
        return
    for size in (4, 1, TINY):
        assert all(P.risk(v) > base for v in nearby([Fraction(0)] * len(w), rng, 12, size))


def trained_to_zero(P, w, answer, rng, rate=0.1, squared_norm=1.0):
    assert answer.certified
    P, factor = in_floats(P), float(fraction(answer.values["factor_per_step"]))
    for _ in range(3):
        v = rng.normal(size=len(w))
        v *= np.sqrt(squared_norm) / np.linalg.norm(v)
        for _ in range(40):
            moved = v - rate * np.array(P.gradient(v.tolist()))
            assert np.linalg.norm(moved) <= factor * np.linalg.norm(v) + 1e-12
            v = moved


def bad_valley(P, w, answer, rng):
    if answer.refuted:
        return global_minimum(P, w, rng)
    base, bottom = P.risk(w), fraction(answer.values["global_minimum"])
    side, barrier = fraction(answer.values["lowest_on_this_side"]), answer.values["barrier"]
    assert bottom < side <= base < fraction(barrier)
    for v in nearby([Fraction(0)] * len(w), rng, 200, 4):
        assert P.risk(v) >= (side if v[0] * w[0] > 0 else bottom)
    assert all(P.risk([Fraction(0), *v[1:]]) >= fraction(barrier) for v in nearby(w, rng, 20, 4))


def barrier(P, w, answer, rng):
    """A path that is never higher and ends as low as any point seen; or no straight way below."""
    base = P.risk(w)
    if answer.refuted:
        path = answer.witness["path"]
        corners = [numbers(path.rows(k, k + 1).T) for k in range(len(path))]
        assert corners[0] == w
        for a, b in pairwise(corners):
            assert all(P.risk(plus(a, plus(b, a, -1), Fraction(k, 16))) <= base for k in range(17))
        return global_minimum(P, corners[-1], rng)
    bottom, height = (fraction(answer.values[k]) for k in ("global_minimum", "barrier"))
    side = fraction(answer.values["lowest_on_this_side"])
    assert bottom < side <= base < height
    for v in nearby([Fraction(0)] * len(w), rng, 200, 4):
        assert P.risk(v) >= bottom
        if P.risk(v) < side:  # so it lies behind the barrier
            way = [P.risk(plus(w, plus(v, w, -1), Fraction(k, 512))) for k in range(513)]
            assert max(way) >= height * Fraction(99, 100)


def critical_type(P, w, answer, rng):
    """A global minimum or a saddle, as the statement says; refuted: not critical, or global."""
    if answer.certified and "up" in answer.witness:
        assert not any(P.gradient(w))
        up, down = (P.risk(numbers(answer.witness[name])) for name in ("up", "down"))
        assert up > P.risk(w) > down
    elif answer.certified and "direction" in answer.witness:
        strict_saddle(P, w, answer, rng)
    elif answer.certified or not any(P.gradient(w)):
        assert "global minimum" in str(answer)
        global_minimum(P, w, rng)


def strict_saddle(P, w, answer, rng):
    critical = not any(P.gradient(w))
    if answer.certified:
        assert critical
        assert along(P, w, numbers(answer.witness["direction"]))[2] < 0
    elif critical:
        assert np.linalg.eigvalsh(np.array(hessian(P, w), float))[0] > -1e-9


def bottleneck(P, w, answer, rng):
    assert answer.certified
    global_minimum(P, w, rng)


def affine_fit(P):
    """The predictions and residuals of the exact affine fit."""
    design = [[*x, Fraction(1)] for x in P.X]
    left = reference_residuals(design, [row[0] for row in P.y])
    return [row[0] - r for row, r in zip(P.y, left, strict=True)], [-r for r in left]


def group_sums(P, w, answer, rng):
    assert (P.kind, P.biases, P.decay) == ("squared", (True, True), 0)
    assert P.activations[1] is None
    predictions, residuals = affine_fit(P)
    levels = sorted(set(predictions))
    pairs = list(zip(predictions, residuals, strict=True))
    sums = [sum(r for p, r in pairs if p == level) for level in levels]
    assert answer.certified == (any(residuals) and not any(sums))


def split(P, w, answer, rng):
    assert answer.certified
    group_sums(P, w, answer, rng)


def one_cell(P, w, answer, rng):
    """The outputs are one polynomial along long lines, for random data, or they are not."""
    P = copy(P)
    P.kind, P.X = "squared", (rng.integers(-9, 10, (3, P.widths[0]))).tolist()
    bent, tries = False, 0
    while not bent and tries < (6 if answer.certified else 60):
        tries += 1
        v, u = (rng.integers(-9, 10, len(w)).tolist() for _ in range(2))
        bent = not one_polynomial(P, lambda t, v=v, u=u: plus(v, u, t - 4), Fraction(1))
    assert answer.certified != bent


def transfer(P, w, answer, rng, R):
    """At the witness the network multiplies by R."""
    assert answer.certified
    P, v = copy(P), numbers(answer.witness["point"])
    d = P.widths[0]
    P.kind, P.X = "squared", [unit(d, j) for j in range(d)] + [[1] * d]
    assert P.outputs(v) == [[dot(row, x) for row in R] for x in P.X]


def patterns(P, w, answer, rng, listed):
    """Every pattern that random units show is listed."""
    assert answer.certified
    known = {tuple(row) for row in listed.patterns.tolist()}
    for u in nearby([Fraction(0)] * (len(P.X[0]) + listed.bias), rng, 60, 1):
        values = [dot(u, [*x, 1] if listed.bias else x) for x in P.X]
        if all(values):
            assert tuple(v > 0 for v in values) in known


def weighted_sum(P, w, answer, rng, diagonals):
    """The sum of D_i A x_i for random matrices A, or for the one of the witness."""

    def total(A):
        images = [[dot(row, x) for row in A] for x in P.X]
        return [sum(d[j] * z[j] for d, z in zip(diagonals, images, strict=True)) for j in range(2)]

    if answer.refuted:
        A = answer.witness["matrix"]
        rows = [[fraction(A[i, j]) for j in range(A.shape[1])] for i in range(2)]
        assert total(rows) == numbers(answer.witness["sum"])
        assert any(total(rows))
        return
    for _ in range(5):
        assert not any(total(rng.integers(-9, 10, (2, len(P.X[0]))).tolist()))


def zero_risk(h, answer=None, rng=None):
    """Two units with (v1, v2) and (v2, v1) fit the three points, by the midpoint's defect D."""
    f = shape_of(h).value_and_slope
    pairs = [(a / 2, b / 2) for a, b in combinations(range(-4, 5), 2)]
    gaps = {(a, b): f(a, 0)[0] + f(b, 0)[0] - 2 * f((a + b) / 2, 0)[0] for a, b in pairs}
    a, b = max(gaps, key=lambda pair: abs(gaps[pair]))
    gap, height = gaps[a, b], f(a, 0)[0] + f(b, 0)[0]
    assert answer is None or answer.certified
    for x, label in zip(THREE, (0, 0, 1), strict=True):
        units = (f(dot(v, x), 0)[0] for v in ((a, b), (b, a)))
        assert abs((height - sum(units)) / gap - label) < ROUNDING


def three_points(risk, w, answer, rng):
    """The point has risk 1/3 and no smaller one around it; where it is refuted, a lower point."""
    P, w = Plain(risk), [float(v) for v in w.entries()]
    base = P.risk(w)
    assert abs(base - 1 / 3) < ROUNDING
    if answer.refuted:
        if "lower_point" in answer.witness:
            assert P.risk(P.point(answer.witness["lower_point"])) < base
        return
    for size in (1e-1, 1e-2, 1e-3):
        room = min(size, float(answer.values["radius"])) / 2
        for u in directions(len(w), rng):
            largest = max(map(abs, u))
            assert P.risk(plus(w, u, room / largest if largest else 0)) >= base - ROUNDING
    if "spurious" in answer.statement:
        zero_risk(risk.network.activations[0])


def convex_minimum(P, w, answer, rng):
    if answer.certified:
        global_minimum(P, w, rng)
    else:
        assert P.risk(P.point(answer.witness["lower_point"])) < P.risk(w)


def penalised(P, W, dimension, gamma=1):
    """The losses of the classes and gamma times the squared distances of all pairs of replicas."""
    R, width, m = P.widths[-1], P.widths[-2], len(W[0])
    hidden, total = m - (dimension - m) // (R - 1), 0
    for r, w in enumerate(W):
        out, rest = w[hidden : hidden + width], w[hidden + width :]
        for i, outputs in enumerate(P.outputs(w[:hidden] + out * R + rest * R)):
            total += P.mu[i][r] * max(1 - P.y[i][r] * outputs[r], 0)
    for v, w in combinations(W, 2):
        total += Fraction(gamma, R - 1) * sum((a - b) ** 2 for a, b in zip(v, w[:hidden]))  # noqa: B905
    return total


def columns(matrix):
    return [numbers(matrix.column(r)) for r in range(matrix.shape[1])]


def moved(W, u, t):
    return [plus(w, v, t) for w, v in zip(W, u, strict=True)]


def critical_replicas(P, W, answer, rng, dimension, parts):
    """Refuted: a direction of descent. Certified: no difference, and each class is critical."""
    base = penalised(P, W, dimension)
    if answer.refuted:
        u = columns(answer.witness["direction"])
        assert penalised(P, moved(W, u, TINY), dimension) < base
        return
    assert base == sum(part.risk(w) for part, w in zip(parts, W, strict=True))
    for part, w in zip(parts, W, strict=True):
        subgradient(part, w, answer, rng)


def penalised_minimum(P, W, answer, rng, dimension, parts):
    base = penalised(P, W, dimension)
    if answer.refuted:
        assert penalised(P, columns(answer.witness["lower_replicas"]), dimension) < base
        return
    for _ in range(20):
        u = rng.integers(-3, 4, (len(W), len(W[0]))).tolist()
        assert penalised(P, moved(W, u, TINY), dimension) >= base


def below(ball):
    """A fraction below all numbers of a ball."""
    return Fraction(math.nextafter(float(ball.lower()), -math.inf))


def minimum_near(P, w, answer, rng):
    """Nothing near w is below the minimum that is said to lie there, nor the risk of w itself."""
    least = below(answer.values["risk"])
    assert all(at_least(P, P.risk(v), least) for v in [P.point(w), *close_points(P, w, rng)])
    size = Fraction(str(answer.values.get("radius_of_a_box", 1)))
    for _ in range(40):
        v = [
            a + size * Fraction(int(s), 8)
            for a, s in zip(w, rng.integers(-8, 9, len(w)), strict=True)
        ]
        assert at_least(P, P.risk(v), least)


def spurious_near(P, ends, answer, rng):
    minimum_near(P, ends[0], answer, rng)
    assert P.risk(ends[1]) < below(answer.values["risk"])


def overlap(risk, answer):
    """The linear program of all margins, in floats: a sum of 0 where the classes overlap."""
    top = _largest_margins(risk)
    assert answer.certified == (top < 1e-6)
    assert answer.refuted == (top > 1e-3)


def no_minimum(risk, answer):
    """Strictly monotone units, and classes that do not overlap."""
    slopes = [s for h in risk.network.activations for s in h.slopes]
    assert answer.certified
    assert len(risk.network.activations) == 1
    assert min(slopes) > 0 or max(slopes) < 0
    assert _largest_margins(risk) > 1e-3


def never_flat(risk, answer):
    """Labels of classes: some probability is 0."""
    hard = risk.loss.kind == "logistic" or float(risk.y.min()) == 0
    assert answer.certified == hard


def _largest_margins(risk):
    X, y = risk.X.numpy(), risk.y.numpy()
    if any(risk.network.biases):
        X = np.column_stack([X, np.ones(len(X))])
    if y.shape[1] == 1:
        y = np.column_stack([y > 0, y < 0])
    lines = []
    for x, row in zip(X, y, strict=True):
        own = int(row.argmax())
        for other in set(range(len(row))) - {own}:
            line = np.zeros((len(row), len(x)))
            line[own], line[other] = x, -x
            lines.append(line.ravel())
    M = np.array(lines)
    bounds = np.r_[np.ones(len(M)), np.zeros(len(M))]
    return -linprog(-M.sum(0), np.vstack([M, -M]), bounds, bounds=(None, None)).fun
