"""`certify_decay` on risks with every feature, its three conditions against plain numpy.

Networks, gradients and the flow are written out here, in floats; nothing of lscore's algebra.
"""

import numpy as np
import pytest
from cases import assert_unknown

from lscore import Network, Risk, SquaredLoss, exact, hard_tanh, leaky_relu, piecewise_linear, relu
from lscore.curvature.decay import certify_decay

STAIRS = piecewise_linear([-1, "1/2"], ["1/4", 1, "1/2"], 0, "stairs")
SHAPES = {  # knots, slopes, values at the knots
    "relu": (relu, [0.0], [0.0, 1.0], [0.0]),
    "leaky": (leaky_relu("1/8"), [0.0], [0.125, 1.0], [0.0]),
    "hard tanh": (hard_tanh, [-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 1.0]),
    "stairs": (STAIRS, [-1.0, 0.5], [0.25, 1.0, 0.5], [0.0, 1.5]),
}
# name: widths, hidden, output activation, bias, factor and mean of the loss, weight decay
FEATURES = {
    "no hidden layer": ((2, 1), None, None, True, 0.5, False, 0.0),
    "no bias": ((2, 1), None, None, False, 0.5, False, 0.5),
    "output activation": ((2, 1), None, "relu", True, 0.5, False, 1.0),
    "output activation, no bias": ((2, 2), None, "stairs", False, 2.0, True, 1.0),
    "one hidden layer": ((1, 2, 1), "relu", None, True, 0.5, True, 4.0),
    "leaky, two outputs": ((1, 1, 2), "leaky", None, False, 0.25, True, 2.0),
    "hard tanh and output": ((1, 1, 1), "hard tanh", "hard tanh", True, 0.5, True, 4.0),
    "many pieces": ((2, 1, 1), "stairs", "leaky", False, 0.5, True, 4.0),
    "depth 3": ((1, 1, 1, 1), "stairs", None, True, 0.5, True, 6.0),
    "depth 4": ((1, 1, 1, 1, 1), "leaky", None, False, 0.5, True, 6.0),
    "no weight decay, deep": ((1, 1, 1), "leaky", None, False, 0.5, True, 0.0),
}


def piece(shape, z):
    """Index of the linear piece, slope and value of an activation at numbers z."""
    _, knots, slopes, values = SHAPES[shape]
    p = np.searchsorted(knots, z)
    near = np.clip(p - 1, 0, None)
    value = np.array(values)[near] + np.array(slopes)[p] * (z - np.array(knots)[near])
    return p, np.array(slopes)[p], value


class Plain:
    """The risk of a feature in numpy: value, gradient, pieces at a flat point."""

    def __init__(self, name, seed):
        widths, hidden, last, bias, factor, mean, decay = FEATURES[name]
        rng = np.random.default_rng(seed)
        self.X = rng.integers(-8, 8, (2, widths[0])) / 4 + 1 / 8
        self.y = rng.integers(-4, 5, (2, widths[-1])) / 8
        self.widths, self.bias, self.decay = widths, bias, decay
        self.shapes = [hidden] * (len(widths) - 2) + [last]
        self.scale = factor / len(self.X) if mean else factor
        activation = SHAPES[hidden][0] if hidden else ()
        output = SHAPES[last][0] if last else None
        network = Network(widths, activation, bias=bias, output_activation=output)
        self.risk = Risk(network, self.X, self.y, SquaredLoss(factor, mean=mean), decay)
        self.point = rng.integers(-8, 9, self.risk.dimension) / 16 + 1 / 128

    def layers(self, w):
        start = 0
        for inner, out in zip(self.widths, self.widths[1:], strict=False):
            W = w[start : start + inner * out].reshape(out, inner)
            start += inner * out
            b = w[start : start + out] if self.bias else np.zeros(out)
            start += out * self.bias
            yield W, b

    def run(self, w):
        """The pieces of all activations, and the gradient."""
        signals, slopes, pieces, layers = [self.X], [], [], list(self.layers(w))
        for (W, b), shape in zip(layers, self.shapes, strict=True):
            z = signals[-1] @ W.T + b
            p, s, z = piece(shape, z) if shape else (np.zeros(0), np.ones_like(z), z)
            pieces.append(p)
            slopes.append(s)
            signals.append(z)
        delta, blocks = 2 * self.scale * (signals[-1] - self.y), []
        for (W, _), s, signal in zip(layers[::-1], slopes[::-1], signals[-2::-1], strict=True):
            delta = delta * s
            blocks = [(delta.T @ signal).ravel(), *([delta.sum(0)] if self.bias else []), *blocks]
            delta = delta @ W
        return pieces, np.concatenate(blocks) + self.decay * w

    def gradient(self, w):
        return self.run(w)[1]

    def hessian(self, w, h=1e-5):
        eye = np.eye(len(w)) * h
        return np.array([self.gradient(w + e) - self.gradient(w - e) for e in eye]) / (2 * h)


def flow(plain, time, steps=100):
    """The squared gradient along the flow, by the classical Runge-Kutta method."""
    w, h, found = plain.point.copy(), time / steps, []
    for _ in range(steps + 1):
        k = [-plain.gradient(w)]
        found.append(k[0] @ k[0])
        for part in (0.5, 0.5, 1.0):
            k.append(-plain.gradient(w + part * h * k[-1]))
        w = w + h / 6 * (k[0] + 2 * k[1] + 2 * k[2] + k[3])
    return np.array(found), np.linspace(0, time, steps + 1)


@pytest.mark.parametrize("name", FEATURES)
def test_the_conditions_are_true_of_the_plain_network(name):
    rng, seen = np.random.default_rng(0), set()
    for seed in range(4):
        plain = Plain(name, seed)
        w, m = plain.point, len(plain.point)
        g, H = plain.gradient(w), plain.hessian(w)
        if not g.any():
            assert_unknown(certify_decay(plain.risk, exact(w), 1, 1), "non-zero gradient")
            continue
        c = 2 * g @ H @ g / (g @ g)
        low = 2 * np.linalg.eigvalsh(H).min()
        lasts = 2.0 ** np.floor(np.log2(1 / (4 * np.linalg.norm(g))))  # |g| t <= radius / 4
        for rate, radius, time in (
            (low - 1, 0.5, None),
            (low - 1, 0.125, lasts / 8),
            (low - 1, 1 / 128, lasts / 128),
            (c - 0.25, 1 / 128, lasts / 128),
        ):
            rate = np.floor(rate * 64) / 64
            answer = certify_decay(plain.risk, exact(w), rate, radius, time=time)
            assert not answer.refuted
            stays, bounded, short = (line.holds for line in answer.conditions)
            corners = w + radius * 0.999 * rng.choice([-1, 1], (24, m))
            if stays:
                first = plain.run(w)[0]
                for corner in corners:
                    found = plain.run(corner)[0]
                    assert all((a == b).all() for a, b in zip(first, found, strict=True))
            if stays and bounded:
                for corner in corners[:8]:
                    assert np.linalg.eigvalsh(plain.hessian(corner)).min() > rate / 2 - 1e-6
            if answer.certified:
                speeds, times = flow(plain, 4.0 if time is None else time)
                assert (speeds <= speeds[0] * np.exp(-rate * times) * (1 + 1e-6) + 1e-12).all()
            seen |= {str(answer.verdict), ("stays", stays), ("bounded", bounded), ("short", short)}
        for side in (-1, 1):  # on a tiny box the Hessian is that of the point
            edge = certify_decay(
                plain.risk, exact(w), low + side / 64, 2.0**-16, time=lasts / 2**16
            )
            assert edge.refuted or edge.conditions[1].holds is (True if side < 0 else None)
        above = certify_decay(plain.risk, exact(w), c + 0.125, 1)
        assert above.refuted
        assert float(above.witness["c_at_the_start"].p) / float(
            above.witness["c_at_the_start"].q
        ) == pytest.approx(c, abs=1e-5)
        speeds, times = flow(plain, 1e-4)
        assert speeds[-1] > speeds[0] * np.exp(-(c + 0.125) * times[-1])
    assert {"certified", "unknown"} <= seen, seen
