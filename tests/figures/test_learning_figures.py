"""The figures of networks in the course of their training."""

from __future__ import annotations

import json

import numpy as np
import pytest
from contracts.examples_of_figures import learned

from attractory import InvalidSetting, analysis, figures, models, tasks
from attractory.population import points_through_learning


def labels(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_measures_are_drawn_at_their_steps():
    learning, points = learned()
    figure = figures.through_learning(learning, points, unit="epochs")
    radius = figure.axes[0]
    assert radius.get_ylabel() == "Spectral radius\n(dimensionless)"
    assert radius.get_xlabel() == "Training step (epochs)"
    for net in range(2):
        np.testing.assert_array_equal(
            radius.lines[net].get_ydata(), learning["spectral_radius"][:, net]
        )
    mean = learning["spectral_radius"].mean(axis=1)
    np.testing.assert_allclose(radius.lines[2].get_ydata(), mean)
    counts = {line.get_label(): line.get_ydata().tolist() for line in figure.axes[-1].lines}
    assert counts["stable"] == [1, 2, 4]
    assert counts["1 unstable dimension"] == [0, 1, 4]
    assert "mean of 2 networks" in labels(figure)


def test_births_and_losses_are_where_they_happen():
    _, points = learned()
    figure = figures.births_and_losses(points, [0])
    (axes,) = figure.axes
    drawn = sorted(float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "<")
    table = points.fates_table()
    born = table[table["kind"].str.startswith("born")]
    np.testing.assert_allclose(drawn, np.sort(born["step"]))
    assert {"born at a fold", "born at a pitchfork", "stable"} <= set(labels(figure))
    assert "unexplained" not in labels(figure)
    with pytest.raises(InvalidSetting, match=r"outputs = \[2\] is not allowed: from 0 to 1"):
        figures.births_and_losses(points, [2])


def test_what_is_not_explained_is_marked():
    def bits(*gains):
        return models.RateRNN.from_weights(np.diag(gains), np.eye(2), np.eye(2))

    found = points_through_learning(
        [(0, bits(0.5, 0.5)), (1, bits(2.0, 1.5))], n_starts=32, progress=False
    )
    figure = figures.births_and_losses(found)
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert len(crosses) == found.summary()["unexplained_after"] == 4
    assert "unexplained" in labels(figure)


def test_the_slider_shows_the_points_of_one_step():
    def net(gain):
        return models.RateRNN.from_weights(np.diag([gain, 0.4, 0.3]), np.eye(3), np.eye(3))

    found = points_through_learning([(0, net(0.5)), (5, net(2.0))], n_starts=32, progress=False)
    inputs = np.random.default_rng(0).normal(size=(4, 20, 3))
    space = analysis.state_space(net(2.0), tasks.Trials(inputs, np.sign(inputs), dt=1.0))
    figure = json.loads(figures.points_through_learning_3d(found, space).to_json())
    (slider,) = figure["layout"]["sliders"]
    assert [step["label"] for step in slider["steps"]] == ["0", "5"]
    for step, points in zip(slider["steps"], found.points, strict=True):
        visible = step["args"][0]["visible"]
        assert visible[0]
        shown = [trace for trace, seen in zip(figure["data"][1:], visible[1:], strict=True) if seen]
        assert sum(len(trace["text"]) for trace in shown) == len(points)
    ranges = figure["layout"]["scene"]["xaxis"]["range"]
    assert ranges[0] < ranges[1]
    assert figure["layout"]["scene"]["xaxis"]["title"]["text"]


def test_other_results_are_refused():
    with pytest.raises(InvalidSetting, match="found is of type Learning"):
        figures.births_and_losses(learned()[0])
    with pytest.raises(InvalidSetting, match="points is of type Learning"):
        figures.through_learning(learned()[0], learned()[0])
