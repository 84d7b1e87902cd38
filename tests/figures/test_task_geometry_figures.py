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


def test_lines_of_a_component_are_its_averages_over_all_other_variables():
    demixed = task_geometry().demixed
    figure = figures.demixed_pca(demixed, 2, by="context")
    by_context = demixed.averages.mean(axis=1)  # color is the first variable
    for panel, component in zip(figure.axes, by_context[:2], strict=False):
        np.testing.assert_allclose([line.get_ydata() for line in panel.lines], component)
    swapped = figures.demixed_pca(demixed, 1, by=["context", "color"])
    lines = [line.get_ydata() for line in swapped.axes[0].lines]
    np.testing.assert_array_equal(lines[1], demixed.averages[0, 1, 0])  # context 0, color 1


def test_angles_are_drawn_where_a_variable_is_decoded():
    coding = task_geometry().coding
    weak = replace(coding, chance=np.array([coding.alike[0, 1]]))
    assert weak.decoded.tolist() == [[False, False, False]]
    matrix = figures.coding_axes(weak).axes[3].images[0].get_array()
    assert np.isnan(np.ma.filled(matrix, np.nan)).all()
    matrix = figures.coding_axes(coding).axes[3].images[0].get_array()
    np.testing.assert_array_equal(matrix, coding.angles[0])


def test_units_of_a_cluster_lie_together():
    variance = task_geometry().variance
    parted = replace(variance, members=np.array([1, 0, 0, 1, 0]), count=2)
    axes = figures.task_variance(parted).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), parted.normalised[parted.order])
    assert parted.members[parted.order].tolist() == [0, 0, 0, 1, 1]
    assert axes.lines[0].get_ydata()[0] == 2.5
    assert axes.get_yticks().tolist() == [1.0, 3.5]


def test_points_of_what_is_followed_beyond_chance_are_filled():
    apart = task_geometry().apart
    axes = figures.dissimilarities(replace(apart, p=np.array([[0.01, 0.2]]))).axes[2]
    filled = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert [len(line.get_xdata()) for line in filled] == [1, 0]
    assert filled[0].get_ydata()[0] == apart.agreement[0, 0]


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
        (lambda m: figures.demixed_pca(m.demixed, 10), "components = 10 is not allowed: 1 to 9"),
        (lambda m: figures.demixed_pca(m.demixed, by="motion"), "by = 'motion' is no variable"),
        (
            lambda m: figures.coding_axes(replace(m.coding, variables=("a",) * 4)),
            "coding has 4 variables; at most 3 are drawn",
        ),
        (lambda m: figures.selection_angles([]), "angles is empty; at least one SelectionAngles"),
    ],
)
def test_a_callers_mistake_is_one_line(draw, expected):
    with pytest.raises(InvalidSetting, match=expected) as caught:
        draw(task_geometry())
    assert "\n" not in str(caught.value)
