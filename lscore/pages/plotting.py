"""One look for all figures: transparent ground, grey ink, four colours with one meaning each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from scipy.spatial import ConvexHull

from lscore.algebra.matrices import RationalMatrix
from lscore.cells.arrangement.sweep import fingerprints
from lscore.certificates import show
from lscore.errors import DataError
from lscore.model.networks import Network
from lscore.model.risk import Risk
from lscore.runs.flow import Flow
from lscore.surface.listing import Minimum

MINIMUM = "#d55e00"  # vermilion: the point under study, a bad minimum
LOWER = "#0090b0"  # blue: a lower point, a descent
WALL = "#9a6fb0"  # purple: kinks and walls between cells
DATA = "#7f7f7f"  # grey: data, axes, text
_FOG = LinearSegmentedColormap.from_list("fog", [(0.5, 0.5, 0.5, 0), (0.5, 0.5, 0.5, 0.6)])

STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "figure.dpi": 144,
    "savefig.dpi": 144,
    "font.size": 11.5,
    "lines.linewidth": 2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelcolor": DATA,
    "axes.edgecolor": DATA,
    "text.color": DATA,
    "xtick.color": DATA,
    "ytick.color": DATA,
    "axes.formatter.useoffset": False,
    "legend.frameon": False,
}


@contextmanager
def figure(columns: int = 1, width: float = 5.4, height: float = 3.2, rows: int = 1):
    """A figure in the book's style: ``with figure(2) as (fig, axes): ...``; shown at the end.

    `axes` is one Axes for a single panel, else an array (row by row).
    """
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained")
        try:
            yield fig, axes
        except Exception:
            plt.close(fig)  # nothing half drawn
            raise
        plt.show()


def fits(ax: Axes, risk: Risk, points: dict[str, RationalMatrix], margin: float = 0.5) -> None:
    """One-dimensional data and the functions that points draw; `points` maps colour to point."""
    low, high = float(risk.X.min()) - margin, float(risk.X.max()) + margin
    x = torch.linspace(low, high, 400, dtype=torch.float64)[:, None]
    for color, w in points.items():
        ax.plot(x, risk.network(w.point(), x), color=color)
    ax.plot(risk.X, risk.y, "o", color=DATA)
    ax.set(xlabel="input $x$", ylabel="label and prediction")


def rung(axes: Sequence[Axes], risk: Risk, minimum: Minimum, share: float) -> None:
    """One minimum of a surface with one input: its fit with its kinks, and a share as a bar.

    Blue for the global minimum, vermilion for the others; a purple line at each kink of the fit.
    """
    left, right = axes
    color = MINIMUM if minimum.spurious else LOWER
    fits(left, risk, {color: minimum.point})
    hidden, output = risk.network.unpack(minimum.point.point())
    for w, b, v in zip(hidden.weight[:, 0], hidden.bias, output.weight[0], strict=True):
        if w * v and left.get_xlim()[0] < -b / w < left.get_xlim()[1]:
            left.axvline(-b / w, color=WALL, lw=0.8, zorder=0)
    left.margins(y=0.3)
    left.set(xlabel="", ylabel="", xticks=[], yticks=[])
    right.barh(0, share, color=color, height=0.6)
    place = ", on walls only" if minimum.wall_only else ""
    label(right, share + 0.02, 0, f"{show(minimum.risk)}{place}", color, va="center")
    right.set(xlim=(0, 1.3), ylim=(-0.5, 0.5), xticks=[], yticks=[])
    for ax in axes:
        ax.spines[:].set_visible(False)


def label(ax: Axes, x: float, y: float, text: str, color: str = DATA, **keywords) -> None:
    """A direct label in the colour of what it names."""
    ax.annotate(text, (x, y), color=color, **{"ha": "left", "va": "bottom"} | keywords)


def diagram(ax: Axes, network: Network, w: RationalMatrix) -> None:
    """The units of a small network and its weights at w; a dashed line has weight 0.

    Inputs stand on the left. A number on a line is its weight, one below a unit its bias.
    """
    rows = [np.linspace(0, 1, width + 2)[1:-1][::-1] for width in network.widths]
    for l, layer in enumerate(network.unpack(w)):
        for k, end in enumerate(rows[l + 1]):
            for j, start in enumerate(rows[l]):
                weight = layer.weight[k, j]
                ax.plot([l, l + 1], [start, end], color=DATA, lw=1, ls="-" if weight else ":")
                if weight:
                    place = (l + 0.5, (start + end) / 2)
                    label(ax, *place, str(weight), MINIMUM, ha="center", fontsize=10)
            if layer.bias is not None and layer.bias[k, 0] != 0:
                bias = f"+ {layer.bias[k, 0]}".replace("+ -", "- ")
                label(ax, l + 1, end - 0.06, bias, ha="center", va="top", fontsize=10)
    for l, heights in enumerate(rows):
        ax.plot([l] * len(heights), heights, "o", color=DATA, ms=9)
    ax.set(xlim=(-0.2, len(rows) - 0.8), ylim=(0, 1))
    ax.set_axis_off()


def risk_along(risk: Risk, waypoints: Sequence[RationalMatrix], points: int = 241):
    """Positions in [0, 1] and float risks along the straight segments through exact waypoints."""
    steps = np.linspace(0, len(waypoints) - 1, points)
    corners = [w.point() for w in waypoints]
    values = []
    for s in steps:
        k = min(int(s), len(corners) - 2)
        values.append(float(risk((k + 1 - s) * corners[k] + (s - k) * corners[k + 1])))
    return steps / steps[-1], np.array(values)


def slice_map(ax: Axes, risk: Risk, origin, right, up, columns, rows, points: int = 121) -> None:
    """Contours of the risk on origin + s right + t up; `columns`, `rows` are the ranges of s, t.

    Levels are closer together near the smallest value, so that valleys show; low risk is
    transparent and high risk grey, which reads on a light and on a dark page.
    """
    s, t = np.linspace(*columns, points), np.linspace(*rows, points)
    base, across, along = origin.point(), right.point(), up.point()
    values = np.array([[float(risk(base + a * across + b * along)) for a in s] for b in t])
    low, high = values.min(), np.quantile(values, 0.9)
    levels = low + (high - low) * np.linspace(0, 1, 16) ** 2
    ax.contourf(s, t, values, levels, cmap=_FOG, extend="max")
    ax.contour(s, t, values, levels, colors=DATA, linewidths=0.5)


def cell_map(
    ax: Axes,
    risk: Risk,
    origin: RationalMatrix,
    right: RationalMatrix,
    up: RationalMatrix,
    columns: tuple[float, float],
    rows: tuple[float, float],
    filled: RationalMatrix | None = None,
    points: int = 301,
) -> int:
    """The cells on origin + s right + t up: one tint per pattern, walls drawn between them.

    `columns`, `rows` are the ranges of s, t. The cell of the point `filled` is blue. Returns how
    many patterns the grid of `points` x `points` meets; the grid is computed in floats. Walls of
    hidden units and of hinge margins.
    """
    s, t = np.linspace(*columns, points), np.linspace(*rows, points)
    base, across, along = origin.point(), right.point(), up.point()
    grid = torch.from_numpy(np.stack(np.meshgrid(s, t), -1).reshape(-1, 2))
    signals = _distances(risk, base + grid @ torch.stack([across, along]))
    marks = fingerprints(signals > 0)
    seen, ids = np.unique(marks, return_inverse=True)
    tints = plt.get_cmap("hsv")(np.random.default_rng(2).permutation(len(seen)) / len(seen))
    tints[:, 3] = np.random.default_rng(3).uniform(0.1, 0.3, len(seen))
    if filled is not None:
        mine = fingerprints(_distances(risk, filled.point()[None]) > 0)
        tints[seen == mine] = to_rgba(LOWER, 0.8)
    box = (*columns, *rows)
    ax.imshow(tints[ids].reshape(points, points, 4), extent=box, origin="lower", aspect="auto")
    for signal in signals.T.reshape(-1, points, points):
        if signal.min() < 0 < signal.max():
            ax.contour(s, t, signal, [0], colors=WALL, linewidths=0.6)
    return len(seen)


def _distances(risk: Risk, w: torch.Tensor) -> np.ndarray:
    """Hidden pre-activations minus knots, and hinge margins, at float points (P, m): (P, S)."""
    network = risk.network

    def signals(point: torch.Tensor) -> torch.Tensor:
        pre, outputs = network._run(point, risk.X)
        pairs = zip(network.activations, pre, strict=True)
        found = [z.flatten() - float(knot) for h, z in pairs for knot in h.knots]
        if risk.loss.knots:
            margins = risk.loss.margins(outputs, risk.y).flatten()
            found += [margins - float(knot) for knot in risk.loss.knots]
        return torch.cat(found)

    return torch.func.vmap(signals)(w).numpy()


def curve(ax: Axes, f, low: float, high: float, color: str, points: int = 401, **keywords) -> None:
    """Plot a scalar function on [low, high]."""
    t = np.linspace(low, high, points)
    ax.plot(t, [float(f(s)) for s in t], color=color, **keywords)


def hull(ax: Axes, gradients: RationalMatrix, shortest: RationalMatrix) -> None:
    """The convex hull of gradients (m, k) in their first two entries, 0, and the shortest element.

    All other entries must agree between the gradients, so that nothing is projected away.
    """
    g = gradients.floats()
    if np.ptp(g[2:], axis=1).any():
        raise DataError("gradients: differ outside the first two entries, need a plane")
    corners = g[:2].T
    if np.linalg.matrix_rank(corners - corners[0]) == 2:  # else a segment, or one point
        corners = corners[ConvexHull(corners).vertices]
    ax.fill(*corners.T, color=DATA, alpha=0.25, lw=0)
    ax.plot(*g[:2], "o", color=WALL)
    ax.plot(0, 0, "+", color=MINIMUM, ms=12, mew=2)
    x, y = shortest.floats()[:2, 0]
    if x or y:
        ax.annotate("", (x, y), (0, 0), arrowprops={"arrowstyle": "->", "color": LOWER, "lw": 2})
    ax.margins(0.15)


def lower_map(ax: Axes, s, t, gap) -> None:
    """Blue where `gap` (len(t), len(s)), the risk above the minimum, is negative; grey contours
    where it is positive, closer together near 0."""
    ax.contourf(s, t, gap, [gap.min() - 1, -1e-12], colors=[LOWER], alpha=0.4)
    levels = np.quantile(gap, 0.9) * np.linspace(0.05, 1, 12) ** 2
    ax.contour(s, t, gap, levels, colors=DATA, linewidths=0.6)


def flow_speed(ax: Axes, flow: Flow) -> None:
    """The squared speed along a flow, the walls it meets, and what its curvature alone predicts."""
    level = np.log(flow.stretches[0].speeds[0])
    for stretch in flow.stretches:
        ax.semilogy(stretch.times, stretch.speeds, color=MINIMUM)
        steps = np.diff(stretch.times)
        sums = np.cumsum(steps * (stretch.curvatures[1:] + stretch.curvatures[:-1]) / 2)
        falls = np.concatenate([[0.0], sums * stretch.integral / sums[-1]])
        ax.semilogy(stretch.times, np.exp(level - falls), color=DATA)
        level -= stretch.integral
    for turn in flow.turns:
        ax.axvline(turn.time, color=WALL, lw=0.8, zorder=0)


def class_map(ax: Axes, risk: Risk, w: RationalMatrix, pad: float = 1.5) -> None:
    """Data in the plane, each sample the number of its class: unsolved ones vermilion, others grey.

    Thin lines where the answer of the network changes; where a hidden unit that is used vanishes
    the line is purple, and its blind side, where a ReLU is off, grey.
    """
    X, network = risk.X.numpy(), risk.network
    low, high = X.min(0) - pad, X.max(0) + pad
    s, t = (np.linspace(a, b, 301) for a, b in zip(low, high, strict=True))
    grid = torch.from_numpy(np.stack(np.meshgrid(s, t), -1).reshape(-1, 2))
    (pre, *_), outputs = network.forward(w.point(), grid)
    answers = outputs.argmax(1).numpy().reshape(len(t), len(s))
    for r in range(network.widths[-1]):
        ax.contour(s, t, answers == r, [0.5], colors=DATA, linewidths=0.8)
    used = (network.unpack(w.point())[-1].weight != 0).any(0).numpy()
    for signal in pre.numpy().T[used].reshape(-1, len(t), len(s)):
        if signal.min() < 0 < signal.max():
            ax.contourf(s, t, signal, [signal.min() - 1, 0], colors=[DATA], alpha=0.25)
            ax.contour(s, t, signal, [0], colors=WALL, linewidths=2)
    margins = risk.loss.margins(risk.predictions(w), risk.exact_y).floats()
    for x, label_of, unsolved in zip(X, risk.y.argmax(1).tolist(), margins.max(1) > 0, strict=True):
        style = {"color": MINIMUM, "fontweight": "bold"} if unsolved else {"color": DATA}
        ax.annotate(str(label_of), x, ha="center", va="center", **style)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="$x_1$", ylabel="$x_2$")
