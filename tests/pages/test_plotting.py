"""Figures: the numbers behind them are the risk, and the style stays inside."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from cases import PARABOLA

from lscore import Network, Risk, SquaredLoss, binary_hinge, exact, relu
from lscore.pages.plotting import (
    LOWER,
    MINIMUM,
    cell_map,
    class_map,
    curve,
    diagram,
    figure,
    fits,
    flow_speed,
    label,
    risk_along,
    slice_map,
)
from lscore.papers.laurent2018 import active_minimum, zero_loss_point
from lscore.papers.yun2019 import escape_path, least_squares_minimum
from lscore.runs.flow import gradient_flow

PATH = escape_path(PARABOLA, least_squares_minimum(PARABOLA))


@pytest.fixture(autouse=True)
def no_windows(monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: None)
    yield
    plt.close("all")


def test_the_risk_along_a_path_passes_through_its_corners():
    steps, values = risk_along(PARABOLA, PATH, points=2 * (len(PATH) - 1) + 1)
    assert (steps[0], steps[-1]) == (0, 1)
    assert values[::2] == pytest.approx([float(PARABOLA(w.point())) for w in PATH])
    middle = (PATH[-1] + PATH[-2]) / 2
    assert values[-2] == pytest.approx(float(PARABOLA(middle.point())))


def test_a_figure_has_the_panels_asked_for_and_leaves_no_style_behind():
    before = dict(plt.rcParams)
    with figure(2) as (fig, axes):
        assert axes.shape == (2,)
        fits(axes[0], PARABOLA, {MINIMUM: PATH[0], LOWER: PATH[-1]})
        curve(axes[1], np.sin, 0, 1, LOWER, points=5)
        label(axes[1], 0, 0, "here")
        assert len(axes[0].lines) == 3
        assert axes[0].get_xlabel()
        assert fig.get_size_inches().tolist() == [5.4, 3.2]
    assert dict(plt.rcParams) == before


def test_a_diagram_shows_weights_and_biases_and_dots_what_is_zero():
    w = exact([1, 0, "-1/2", 5, 2, 0, 0])  # W1 = (1, 0), b1 = (-1/2, 5), W2 = (2, 0), b2 = 0
    with figure() as (_, ax):
        diagram(ax, Network((1, 2, 1), relu), w)
        styles = [line.get_linestyle() for line in ax.lines[:4]]
        texts = [text.get_text() for text in ax.texts]
    assert styles == ["-", ":", "-", ":"]
    assert texts == ["1", "- 1/2", "+ 5", "2"]


def test_a_slice_shows_the_risk_on_a_plane():
    with figure() as (_, ax):
        move = PATH[-1] - PATH[-2]
        slice_map(ax, PARABOLA, PATH[-2], move, PATH[-2] * 0 + move, (-1, 1), (0, 2), points=5)
        assert ax.collections


def test_cell_map_counts_signatures_and_fills_the_right_cell():
    risk = Risk(Network((1, 1, 1), relu), [1], [1], binary_hinge())
    origin, right, up = exact([0, 0, 1, 0]), exact([1, 0, 0, 0]), exact([0, 1, 0, 0])
    fig, ax = plt.subplots()
    seen = cell_map(ax, risk, origin, right, up, (-2, 2), (-2, 2), exact([1, 1, 1, 0]), points=40)
    (image,) = ax.images
    blue = (image.get_array()[..., 3] > 0.7).mean()
    plt.close(fig)
    # off; on and unsolved, 0 < w + b < 1; on and slack, w + b > 1: the filled one, 9/32 of the map
    assert seen == 3
    assert abs(blue - 9 / 32) < 0.03


def test_a_flow_shows_its_stretches_its_walls_and_the_prediction():
    unit = Network((1, 1), (), bias=False, output_activation=relu)
    risk = Risk(unit, [1.0, -1.0], [-1.0, 5.0], SquaredLoss("1/2", mean=True), "1/10")
    flow = gradient_flow(risk, torch.ones(1, dtype=torch.float64), 2.0)
    with figure() as (_, ax):
        flow_speed(ax, flow)
        assert len(ax.lines) == 2 * len(flow.stretches) + len(flow.turns) == 5
        true, predicted = (line.get_ydata() for line in ax.lines[2:4])
        assert true[-1] / predicted[-1] == pytest.approx(25, rel=1e-6)


def test_a_class_map_names_the_unsolved_samples_and_draws_used_units_only():
    found = active_minimum("S8")
    with figure(2) as (_, axes):
        class_map(axes[0], found.risk, found.point)
        class_map(axes[1], found.risk, zero_loss_point(found.risk))
    colors = [[text.get_color() for text in ax.texts] for ax in axes]
    assert [row.count(MINIMUM) for row in colors] == [5, 0]
    assert [text.get_text() for text in axes[0].texts] == list("00112233")
    walls = [sum(c.get_linewidth()[0] == 2 for c in ax.collections) for ax in axes]
    assert walls == [1, 1]  # the dead unit is not drawn, nor a unit that vanishes outside
