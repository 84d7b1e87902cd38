"""Averages, task axes and selectivity as they are drawn: the numbers of the results, all told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from contracts.examples_of_figures import task_geometry
from matplotlib.colors import to_hex, to_rgb

from attractory import InvalidSetting, figures
from attractory.figures._looks import colors_of


def test_lines_are_the_averages_of_the_units_that_differ_most():
    averages = task_geometry().by_motion
    figure = figures.condition_averages(averages)
    spread = averages.averages.var(axis=0).sum(axis=0)
    units = [int(axes.get_title().split()[1]) for axes in figure.axes]
    assert units == np.argsort(-spread)[:4].tolist()
    for axes, unit in zip(figure.axes, units, strict=True):
        lines = [line for line in axes.lines if len(line.get_xdata()) == 6]
        assert len(lines) == 6
        for line, mean in zip(lines, averages.averages[..., unit], strict=True):
            np.testing.assert_array_equal(line.get_ydata(), mean)
    assert {line.get_linestyle() for line in lines} == {"-", "--"}
    assert len({to_hex(line.get_color()) for line in lines}) == 3


def test_positions_on_the_axes_are_drawn_in_the_panel_of_their_context():
    made = task_geometry()
    figure = figures.task_axes(made.axes, [made.by_motion, made.by_color], columns="context")
    assert [axes.get_title() for axes in figure.axes] == ["context = 0", "context = 1"] * 2
    assert figure.axes[0].get_ylabel().startswith("color axis")  # motion is the horizontal one
    assert figure.axes[2].get_xlabel().startswith("motion axis")
    for j in range(2):
        here = made.by_color.conditions["context"] == j
        expected = made.axes.project(made.by_color.averages[here])[..., :2]
        lines = [line.get_xydata() for line in figure.axes[2 + j].lines[::2]]
        np.testing.assert_allclose(lines, expected)


def test_values_below_and_above_zero_have_colours_of_their_own():
    low, lower, none, high = (np.array(to_rgb(color)) for color in colors_of([-2, -1, 0, 3.0]))
    assert low[2] > low[0]  # purple
    assert low.sum() < lower.sum()  # the stronger one is the darker one
    assert none[0] == none[1] == none[2]
    assert high[0] > high[2]  # orange
    assert len({to_hex(color) for color in colors_of(list(range(-6, 7)))}) == 13


def test_units_are_drawn_in_their_order():
    made = task_geometry().selectivity
    matrix = figures.selectivity(made).axes[0].images[0].get_array()
    np.testing.assert_array_equal(matrix, made.coefficients[made.order])


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda m: figures.condition_averages(m.by_motion, 9), "units = 9 .* each from 0 to 4"),
        (lambda m: figures.condition_averages(m.by_motion, []), "units has 0 entries; 1 to 12"),
        (
            lambda m: figures.condition_averages(replace(m.by_color, by=("context", "color") * 2)),
            "averages are by .* at most 2 can be drawn",
        ),
        (lambda m: figures.task_axes(m.axes, m.by_motion, x="colour"), "x = 'colour' is no varia"),
        (
            lambda m: figures.task_axes(m.axes, m.by_motion, columns="color"),
            "columns = 'color' is not what the averages are by; .*context, motion",
        ),
        (
            lambda m: figures.task_axes(m.axes, replace(m.by_motion, of="outputs")),
            "averages are of outputs",
        ),
    ],
)
def test_a_callers_mistake_is_one_line(draw, expected):
    with pytest.raises(InvalidSetting, match=expected) as caught:
        draw(task_geometry())
    assert "\n" not in str(caught.value)
