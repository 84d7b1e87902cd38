"""Figures of sweeps and tunings show the numbers that were tried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from contracts.examples_of_figures import tried_networks, tried_trials

from attractory import InvalidSetting, figures
from attractory.population import TriedSettings


@pytest.fixture(scope="module")
def trials():
    return tried_trials(2)


def complete(tried):
    return tried.rows[tried.rows["state"] == "complete"]


def numbered(trials, **columns):
    table = pd.DataFrame({"number": np.arange(trials), "state": "complete", **columns})
    return TriedSettings("trial", table, tuple(columns)[:-1], (), {"mse": "minimize"})


def test_a_history_has_all_complete_trials_and_the_best_so_far(trials):
    for axes, score, best in zip(
        figures.tuning_history(trials).axes, trials.scores, (min, max), strict=True
    ):
        points, line, pruned, failed = axes.lines
        rows = complete(trials)
        np.testing.assert_array_equal(points.get_xdata(), rows["number"])
        np.testing.assert_array_equal(points.get_ydata(), rows[score])
        so_far = [best(rows[score][: i + 1]) for i in range(len(rows))]
        assert line.get_ydata().tolist() == so_far
        assert pruned.get_xdata().tolist() == [4, 9]
        assert failed.get_xdata().tolist() == [13]
        # marks are in shares of the panel, below whatever was tried
        assert axes.transAxes.inverted().transform(
            axes.transData.transform([(0, rows[score].min())])
        )[0, 1] > 1.5 * pruned.get_ydata().max()  # fmt: skip


def test_slices_stand_by_importance_on_the_scale_of_the_study(trials):
    figure = figures.tuning_slices(trials, "mse")
    panels = figure.axes[:3]
    assert [axes.get_xlabel() for axes in panels] == list(trials.fields)
    assert [axes.get_xscale() for axes in panels] == ["log", "linear", "linear"]
    rows = complete(trials)
    for axes, field in zip(panels[:2], trials.fields, strict=False):
        places = axes.collections[0].get_offsets()
        np.testing.assert_allclose(places, rows[[field, "mse"]])
    names = [tick.get_text() for tick in panels[2].get_xticklabels()]
    nearest = panels[2].collections[0].get_offsets()[:, 0].round().astype(int)
    assert [names[i] for i in nearest] == rows["model.activation"].tolist()
    best = next(line for line in panels[0].lines if line.get_marker() == "D")
    assert best.get_ydata().tolist() == [rows["mse"].min()]


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_contour_is_what_a_plane_is(logarithmic):
    """The surface through points of a plane is that plane, on the scales of the axes."""
    rng = np.random.default_rng(0)
    x, y = rng.random(40), rng.random(40)
    scale = np.log10 if logarithmic else np.asarray
    along = 10**x if logarithmic else x
    tried = replace(numbered(40, x=along, y=y, mse=1 + x + 2 * y), logarithmic=("x",) * logarithmic)
    figure = figures.tuning_contour(tried)
    surface, points = figure.axes[0].collections
    np.testing.assert_array_equal(points.get_array(), tried.rows["mse"])
    tolerance = 0.01 if logarithmic else 1e-9  # triangles are straight on the paper's own scale
    for low, high, path in zip(
        surface.levels[:-1], surface.levels[1:], surface.get_paths(), strict=False
    ):
        if len(path.vertices):
            heights = 1 + scale(path.vertices[:, 0]) + 2 * path.vertices[:, 1]
            assert heights.min() > low - tolerance
            assert heights.max() < high + tolerance


@pytest.mark.parametrize("case", ["a line", "one value", "three", "twice"])
def test_where_trials_make_no_surface_points_alone_are_drawn(case):
    x = np.arange(6.0)
    y, mse = {
        "a line": (2 * x, x**2),
        "one value": (0 * x, x**2),
        "three": (x[::-1] % 2, x),
        "twice": (0 * x, 0 * x),
    }[case]
    tried = numbered(6, x=x, y=y, mse=mse)
    if case == "three":
        tried = numbered(3, x=x[:3], y=y[:3], mse=mse[:3])
    collections = figures.tuning_contour(tried).axes[0].collections
    assert len(collections) == 1
    assert len(collections[0].get_offsets()) == len(tried)


def test_words_have_strips_and_two_fields_of_words_cells():
    word = np.array(["a", "b"], object)[np.arange(8) % 2]
    other = np.array(["u", "v"], object)[np.arange(8) // 4]
    x = np.arange(8.0) // 2
    mse = np.where(word == "a", x, 10 - x)
    strips = figures.tuning_contour(numbered(8, x=x, word=word, mse=mse)).axes[0]
    assert strips.get_ylabel() == "x"
    one, two, _ = strips.collections
    for strip, height in ((one, lambda along: along), (two, lambda along: 10 - along)):
        found = strip.get_array().ravel()
        middles = (np.arange(len(found)) + 0.5) * 3 / len(found)
        np.testing.assert_allclose(found, height(middles))
    cells, _ = (
        figures.tuning_contour(numbered(8, word=word, other=other, mse=mse)).axes[0].collections
    )
    table = pd.DataFrame({"word": word, "other": other, "mse": mse})
    means = table.pivot_table(index="other", columns="word", values="mse")
    np.testing.assert_allclose(cells.get_array(), means.to_numpy())


def test_importance_is_in_order(trials):
    axes = figures.tuning_importance(trials, "mse").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.6, 0.3, 0.1]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(trials.fields)
    few = numbered(2, x=[1.0, 2.0], mse=[1.0, 2.0])
    with pytest.raises(InvalidSetting, match="importance of 'mse': not known"):
        figures.tuning_importance(few)


def test_the_front_stands_out(trials):
    axes = figures.pareto_front(trials).axes[0]
    others, border, front = axes.lines
    rows = complete(trials)
    best = rows["number"].isin(trials.front)
    assert len(trials.front) > 2
    np.testing.assert_array_equal(sorted(front.get_xdata()), sorted(rows["mse"][best]))
    assert len(others.get_xdata()) == (~best).sum()
    assert len(border.get_xdata()) == best.sum()
    assert axes.get_xlabel().endswith("less is better")
    assert axes.get_ylabel().endswith("more is better")
    with pytest.raises(InvalidSetting, match="scores: 1 given, allowed: two objectives"):
        figures.pareto_front(trials, ["mse"])


def test_a_sweep_has_all_networks_and_the_means_of_each_value():
    tried = tried_networks(3)
    figure = figures.sweep(tried)
    for axes in figure.axes:
        field = axes.get_xlabel()
        points, means = axes.lines
        np.testing.assert_array_equal(points.get_ydata(), tried.rows["correct"])
        by_value = tried.rows.groupby(field, sort=False)["correct"]
        np.testing.assert_allclose(sorted(means.get_ydata()), sorted(by_value.mean()))
        bars = np.array(axes.collections[0].get_segments())
        sizes = np.ptp(bars[:, :, 1], axis=1)
        assert (sizes > 2 * by_value.sem().min()).all()
    order = tried.effects()["field"].tolist()
    assert [axes.get_xlabel() for axes in figure.axes] == order


def test_a_pair_of_fields_is_lines_or_a_map_of_the_means():
    tried = tried_networks(3)
    both = ["model.units", "rule.learning_rate"]
    means = tried.rows.pivot_table(index=both[1], columns=both[0], values="correct")
    figure = figures.sweep_pair(tried, fields=both)
    found = np.array([line.get_ydata() for line in figure.axes[0].lines])
    np.testing.assert_allclose(found, means.to_numpy())
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["0.001", "0.01", "0.1"]
    rows = tried.rows.assign(gain=tried.rows["model.units"] / 8)
    wide = TriedSettings("network", rows, ("model.units", "gain"), (), tried.directions)
    image = figures.sweep_pair(wide).axes[0].collections[0].get_array()
    assert np.diag(image).tolist() == pytest.approx(
        tried.rows.groupby("model.units")["correct"].mean().tolist()
    )
    assert np.ma.count(np.ma.masked_invalid(image)) == 7  # no network is beside the diagonal


def test_of_ten_thousand_networks_points_are_pixels():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"number": np.arange(10_000), "state": "done", "x": rng.random(10_000)})
    rows["mse"] = rows["x"] + rng.random(10_000)
    tried = TriedSettings("network", rows, ("x",), (), {"mse": "minimize"})
    points, means = figures.sweep(tried).axes[0].lines
    assert points.get_rasterized()
    assert len(points.get_xdata()) == 10_000
    assert len(means.get_xdata()) == 8


def test_what_cannot_be_drawn_is_one_line(trials):
    with pytest.raises(InvalidSetting, match=r"fields: 'model.gain' did not vary; .*mean"):
        figures.tuning_slices(trials, fields=["model.gain"])
    with pytest.raises(InvalidSetting, match="fields: 1 given, allowed: 2"):
        figures.tuning_contour(trials, fields=["model.activation"])
    with pytest.raises(InvalidSetting, match=r"score = 'msee': .*did you mean 'mse'"):
        figures.tuning_history(trials, "msee")
    nothing = numbered(2, x=[1.0, 2.0], mse=[np.nan, np.nan])
    with pytest.raises(InvalidSetting, match="no trial has a number yet"):
        figures.tuning_history(nothing)
    with pytest.raises(InvalidSetting, match="a pair is needed"):
        figures.sweep_pair(tried_networks(1))
