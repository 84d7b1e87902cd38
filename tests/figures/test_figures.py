"""The figures show the data they were given, and say what they show."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from itertools import product

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from attractory import InvalidSetting, analysis, figures, models, tasks
from attractory.evaluation import RobustnessCurve

STATES = {"".join(signs) for signs in product("-+", repeat=3)}


@pytest.fixture(scope="module")
def task():
    return tasks.FlipFlop.paper()


@pytest.fixture(scope="module")
def net(task):
    return models.RateRNN(units=30, recurrent_gain=1.05).build(task.n_inputs, task.n_outputs)


@pytest.fixture(scope="module")
def space(net, task):
    return analysis.state_space(net, task.walk())


@pytest.fixture(scope="module")
def cube(space):
    return analysis.hypercube(space)


def made_space(trials: tasks.Trials) -> analysis.StateSpace:
    """A state space of random coordinates: no network is needed to be drawn."""
    rng = np.random.default_rng(5)
    shape = (*trials.targets.shape[:2], 3)
    memory = tasks.memory_states(trials.targets)
    shares = np.array([0.5, 0.3, 0.2])
    coordinates = rng.normal(size=shape)
    return analysis.StateSpace(
        "svd", coordinates, np.eye(3), np.zeros(3), shares, memory, trials.targets
    )


def repeated(trials: tasks.Trials, n: int, dt: float = 1.0) -> tasks.Trials:
    """n trials from one, each with noise of its own."""
    rng = np.random.default_rng(7)
    arrays = [np.repeat(a, n, axis=0) for a in (trials.inputs, trials.targets, trials.mask)]
    arrays[0] = arrays[0] + rng.normal(size=arrays[0].shape)
    return tasks.Trials(*arrays, dt)


def history(nets: int, steps: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {"net": np.repeat(np.arange(nets), steps), "step": np.tile(np.arange(1, steps + 1), nets)}
    )
    table["loss"] = np.exp(-table["step"] / 20) * rng.uniform(0.8, 1.2, len(table))
    table["validation_loss"] = table["loss"].where(table["step"] % 20 == 0)
    table["gradient_norm"] = rng.uniform(0.1, 1, len(table))
    return table


def legend_texts(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def assert_units(figure) -> None:
    """Every label of an axis names a unit in brackets."""
    for axes in figure.get_axes():
        labels = [axes.get_xlabel(), axes.get_ylabel()]
        labels += [axes.get_zlabel()] if hasattr(axes, "get_zlabel") else []
        for label in filter(None, labels):
            assert re.search(r"\(.+\)", label) or label == "Number of weights", label


def test_import_and_drawing_leave_pyplot_and_settings_alone():
    code = (
        "import sys, matplotlib; before = matplotlib.rcParams.copy()\n"
        "import jax.numpy as jnp\n"
        "from attractory import analysis, figures, tasks\n"
        "figures.flip_flop(tasks.FlipFlop())\n"
        "found = analysis.fixed_points(lambda h, x: jnp.tanh(2 * h), units=2, n_starts=32)\n"
        "figures.connections(analysis.connections(found)); figures.jacobian_spectra(found)\n"
        "assert 'matplotlib.pyplot' not in sys.modules and 'plotly' not in sys.modules\n"
        "assert matplotlib.rcParams.copy() == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_the_user_has_changed_wins_over_our_style(task):
    with matplotlib.rc_context({"font.size": 12, "axes.grid": True}):
        before = matplotlib.rcParams.copy()
        axes = figures.trials(task.walk(), n=1).axes[0]
        assert matplotlib.rcParams.copy() == before
    assert axes.yaxis.label.get_size() == 12
    assert axes.yaxis.get_ticklabels()[0].get_size() == 12 * 7 / 8  # ours go with it
    assert axes.xaxis.get_gridlines()[0].get_visible()
    assert not axes.spines.top.get_visible()  # ours, where nothing was changed


def test_saved_files_follow_the_users_settings(tmp_path, net):
    with matplotlib.rc_context({"savefig.dpi": 50}):
        png, _ = figures.save(figures.network(net), tmp_path, "coarse")
    (width,) = struct.unpack(">I", png.read_bytes()[16:20])
    assert abs(width - 175 / 25.4 * 50) <= 1


def test_flip_flop_shows_pulse_and_delay():
    task = tasks.FlipFlop(bits=2, pulse=15, delay=25, dt=2.0)
    diagram, upper, lower = figures.flip_flop(task).axes
    assert "delay\n50 ms" in [text.get_text() for text in diagram.texts]
    assert "pulse\n30 ms" in [text.get_text() for text in upper.texts]
    time, target = lower.lines[0].get_data()
    assert time[np.flatnonzero(target)[0]] == 2.0 * (30 + 15 + 25)
    assert lower.get_xlabel() == "Time (ms)"
    assert set(target) == {-1, 0, 1}


def test_network_names_shapes_and_equation():
    net = models.RateRNN(units=50, tau=10, bias=True, activation="relu").build(7, 2)
    schema, text = figures.network(net).axes
    written = [t.get_text() for t in text.texts]
    assert {"50 × 7", "50 × 50", "2 × 50", "relu (activation)"} <= set(written)
    assert "1, 10 ms (step, time constant)" in written
    assert any(r"\Delta t/\tau" in line and "+ b" in line for line in written)
    assert {"7 inputs", "2 outputs", "50 units"} <= {t.get_text() for t in schema.texts}


def test_network_without_leak_or_bias_has_the_short_equation(net):
    text = figures.network(net).axes[1]
    recurrence = text.texts[0].get_text()
    assert "tau" not in recurrence
    assert "+ b" not in recurrence


def test_trials_draws_inputs_and_targets_against_ms():
    sample = repeated(tasks.FlipFlop().walk(), 4, dt=0.5)
    figure = figures.trials(sample, n=2)
    grid = np.reshape(figure.axes, (3, 2))
    for channel in range(3):
        for trial in range(2):
            given, wanted = grid[channel, trial].lines
            assert np.array_equal(given.get_ydata(), sample.inputs[trial, :, channel])
            assert np.array_equal(wanted.get_ydata(), sample.targets[trial, :, channel])
            assert given.get_xdata()[1] == 0.5
    assert legend_texts(figure) == ["input", "target"]
    assert_units(figure)


def test_trials_hides_what_the_mask_leaves_out_and_splits_unequal_channels(task):
    sample = task.walk()
    mask = sample.mask.copy()
    mask[:, :50] = 0
    one_target = replace(sample, targets=sample.targets[..., :1], mask=mask[..., :1])
    figure = figures.trials(one_target, n=1)
    assert [a.get_ylabel().split("\n")[0] for a in figure.axes] == [
        "Input 1", "Input 2", "Input 3", "Target 1",
    ]  # fmt: skip
    drawn = figure.axes[-1].lines[0].get_ydata()
    assert np.isnan(drawn[:50]).all()
    assert np.isfinite(drawn[50:]).all()


def test_connectivity_is_centred_and_complete(net):
    weights, spectrum = analysis.connectivity(net), analysis.spectrum(net)
    figure = figures.connectivity(weights, spectrum)
    matrix, histogram, plane = figure.axes[:3]
    image = matrix.images[0]
    assert np.array_equal(image.get_array(), weights.weights)
    low, high = image.get_clim()
    assert low == -high
    assert high == np.percentile(np.abs(weights.weights), 99)
    assert "Post" in matrix.get_ylabel()
    assert "99th percentile" in figure.axes[3].get_ylabel()
    assert np.isclose(histogram.dataLim.x0, weights.minimum)
    assert_eigenvalues(plane, spectrum)
    assert plane.patches[0].radius == 1
    assert_units(figure)


def test_connectivity_of_silent_weights(net):
    silent = models.RateRNN.from_weights(np.zeros((4, 4)), np.ones((4, 3)), np.ones((3, 4)))
    figure = figures.connectivity(analysis.connectivity(silent), analysis.spectrum(silent))
    assert figure.axes[0].images[0].get_clim() == (-1, 1)


def assert_eigenvalues(axes, spectrum) -> None:
    lines = [line for line in axes.lines if line.get_label()[0] != "_"]
    drawn = np.concatenate([x + 1j * y for x, y in (line.get_data() for line in lines)])
    assert set(drawn) == set(spectrum.eigenvalues)
    outliers = [line for line in lines if "outlier" in line.get_label()]
    assert sum(len(line.get_xdata()) for line in outliers) == len(spectrum.outliers)
    (low, high), reach = axes.get_xlim(), np.abs(spectrum.eigenvalues).max()
    assert low < -reach
    assert high > reach


@pytest.mark.parametrize("count", [1, 2, 6])
def test_spectrum_has_a_panel_a_network_on_the_same_axes(net, count):
    one = analysis.spectrum(net)
    spectra = [one] * count
    figure = figures.spectrum(one if count == 1 else spectra)
    panels = [axes for axes in figure.axes if axes.axison]
    assert len(panels) == count
    for axes in panels:
        assert_eigenvalues(axes, one)
        assert axes.get_xlim() == axes.get_ylim() == panels[0].get_xlim()
        assert f"{len(one.outliers)} outliers, radius {one.radius:.3f}" in axes.get_title()
    assert len(one.outliers) == 30  # an orthogonal matrix times 1.05
    assert_units(figure)


def test_state_space_with_the_test_walk(net, task, space, cube):
    walk = task.walk()
    path = net.simulate(walk.inputs)
    figure = figures.state_space(space, path, walk, cube)
    *traces, states = figure.get_axes()
    assert len(traces) == 3
    for channel, axes in enumerate(traces):
        assert np.array_equal(axes.lines[2].get_ydata(), path.outputs[0, :, channel])
    assert_states(states, space)
    edges = np.array([line.get_data_3d() for line in states.lines[1:]])
    assert len(edges) == 12
    lengths = np.linalg.norm(edges[..., 0] - edges[..., 1], axis=1)
    expected = np.repeat(np.linalg.norm(cube.edges, axis=1), 4)
    assert np.allclose(np.sort(lengths), np.sort(expected))
    assert f"R² = {cube.r_squared:.3f}" in " ".join(t.get_text() for t in states.texts)
    assert_units(figure)
    legend = figure.subfigs[1].legends[0]
    shown = {t.get_text().replace(" ", "").replace("−", "-") for t in legend.get_texts()}
    assert shown == STATES


def assert_states(axes, space) -> None:
    """Trajectory and held points are the space's, each state in a look of its own."""
    x, y, z = axes.lines[0].get_data_3d()
    assert np.array_equal(np.stack([x, y, z], axis=1), space.coordinates[0])
    names = tasks.state_names(space.memory[0], 3)
    held = analysis.held_states(space.memory)[0]
    looks = set()
    for points in axes.collections:
        expected = space.coordinates[0][held & (np.array(names) == points.get_label())]
        drawn = np.stack(points._offsets3d, axis=1)
        assert np.allclose(drawn, expected)
        looks.add(to_hex(points.get_facecolor()[0]))
    assert {points.get_label() for points in axes.collections} == STATES
    assert len(looks) == 8
    share = f"{space.explained_variance[0]:.0%}"
    assert share in axes.get_xlabel()


@pytest.mark.parametrize("count", [1, 5])
def test_state_spaces_share_one_legend(space, cube, count):
    figure = figures.state_spaces([space] * count, [cube] * count)
    assert len(figure.axes) == count
    for axes in figure.axes:
        assert_states(axes, space)
    assert len(figure.legends) == 1
    assert len(legend_texts(figure)) == 8


def test_many_memory_states_are_counted_not_named():
    figure = figures.state_spaces(made_space(tasks.FlipFlop(bits=5).walk()))
    assert legend_texts(figure) == ["32 memory states, coloured in binary order"]
    colors = [to_hex(points.get_facecolor()[0]) for points in figure.axes[0].collections]
    assert len(set(colors)) == 32


def test_state_space_3d_chooses_the_network(space, cube):
    figure = figures.state_space_3d([space] * 4, [cube] * 4)
    content = figure.to_json()
    assert len(content) < 1_500_000
    buttons = json.loads(content)["layout"]["updatemenus"][0]["buttons"]
    assert len(buttons) == 4
    shown = buttons[2]["args"][0]["visible"]
    traces = figure.data
    assert np.flatnonzero(shown).tolist() == list(range(20, 30))  # ten traces a network
    assert [trace.visible for trace in traces] == [True] * 10 + [False] * 30
    line, first = traces[0], traces[1]
    assert np.array_equal(line.x[:-1], space.coordinates[0, :, 0].round(4))
    assert first.x[0] == round(space.coordinates[0, first.customdata[0][0], 0], 4)
    assert "state ---" in first.hovertemplate


def test_state_space_3d_is_bounded_for_many_trials(task):
    space = made_space(repeated(task.walk(), 20))
    figure = figures.state_space_3d(space)
    assert sum(len(trace.x) for trace in figure.data) <= 4200
    assert not figure.layout.updatemenus


@pytest.mark.parametrize("nets", [1, 12])
def test_learning_curve_draws_every_network(nets):
    table = history(nets)
    figure = figures.learning_curve(table, 0.0133, "published network, 0.0133")
    loss, gradient = figure.axes[:2]
    assert loss.get_yscale() == gradient.get_yscale() == "log"
    raw, _, validation = loss.lines[:3]
    first = table[table["net"] == 0]
    assert np.array_equal(raw.get_ydata(), first["loss"])
    assert validation.get_xdata().tolist() == [20, 40, 60]
    assert len(loss.lines) == 3 * nets + 1
    assert set(loss.lines[-1].get_ydata()) == {0.0133}
    assert np.array_equal(gradient.lines[0].get_ydata(), first["gradient_norm"])
    assert "published network, 0.0133" in legend_texts(figure)
    assert len(figure.axes) == (2 if nets == 1 else 3)
    assert_units(figure)


def test_learning_curve_of_a_network_that_diverged():
    table = history(1)
    table.loc[40:, ["loss", "gradient_norm"]] = [np.inf, np.nan]
    figure = figures.learning_curve(table)
    figure.canvas.draw()
    assert np.isfinite(figure.axes[0].lines[0].get_ydata()).sum() == 40
    assert "target" not in legend_texts(figure)


def force_history():
    """Of one network by FORCE, whose errors are known."""
    table = history(1).drop(columns="gradient_norm")
    step = table["step"].to_numpy(float)
    return table.assign(
        error_before_change=4 / step, error_after_change=1 / step, weight_change=2 / step,
        inverse_correlation_trace=100 / step,
    )  # fmt: skip


def test_force_learning_has_the_errors_before_and_after_in_one_panel():
    table = force_history()
    figure = figures.force_learning(table.assign(own_number=1.0))
    loss, errors, change, trace, own = figure.axes
    assert np.array_equal(loss.lines[0].get_ydata(), table["loss"])
    (before, median_before, after, median_after) = errors.lines
    assert np.array_equal(before.get_ydata(), table["error_before_change"])
    assert np.array_equal(after.get_ydata(), table["error_after_change"])
    assert [line.get_linestyle() for line in (median_before, median_after)] == ["-", "--"]
    assert (median_before.get_ydata() > median_after.get_ydata()).all()
    assert np.array_equal(change.lines[0].get_ydata(), table["weight_change"])
    assert np.array_equal(trace.lines[0].get_ydata(), table["inverse_correlation_trace"])
    assert own.get_ylabel() == "Own number (a.u.)"
    assert {"B: before a change", "B: after it"} <= set(legend_texts(figure))
    assert_units(figure)


def test_force_learning_leaves_out_what_has_no_numbers():
    figure = figures.force_learning(force_history().assign(error_after_change=np.nan))
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert [label.split()[0] for label in labels] == ["Loss,", "Norm", "Trace", "Error"]


def test_robustness_shows_networks_mean_and_trained_value():
    rng = np.random.default_rng(0)
    noise = RobustnessCurve("noise", np.array([0, 0.1, 0.5]), 0.1, *rng.random((3, 4, 3)))
    pulse = RobustnessCurve("pulse", np.array([5, 20]), 20, *rng.random((3, 4, 2)))
    figure = figures.robustness([noise, pulse])
    grid = np.reshape(figure.axes, (3, 2))
    assert np.array_equal(grid[0, 0].lines[1].get_ydata(), noise.correct[1])
    assert np.array_equal(grid[1, 0].lines[1].get_ydata(), noise.accuracy[1])
    assert np.allclose(grid[2, 1].lines[-1].get_ydata(), pulse.mse.mean(0))
    assert set(grid[2, 0].lines[-2].get_xdata()) == {0.1}
    assert [axes.get_xlabel() for axes in grid[2]] == [
        "Input noise, s.d. (a.u.)", "Pulse width (steps)",
    ]  # fmt: skip
    assert_units(figure)


@pytest.mark.parametrize("shares", [[1.0, 1.0], [0.9987, 1.0], [0.2, 0.8], [np.nan, np.nan]])
def test_no_axis_of_shares_goes_beyond_1(shares):
    curve = RobustnessCurve("noise", np.array([0.0, 1.0]), 0.1, *np.array([[1, 2], shares, shares]))
    figure = figures.robustness(curve)
    figure.canvas.draw()
    for axes in figure.axes[:2]:
        assert max(axes.get_yticks()) == 1.0
        low, high = axes.get_ylim()
        assert low <= min(np.nan_to_num(shares))
        assert 1.0 < high <= 1.05


def test_ranges_stand_at_places_of_their_own():
    ranges = ((200, 400), (400, 800))
    curve = RobustnessCurve("delay", ranges, (200, 400), *np.array([[1, 2], [1, 0.5], [1, 0.7]]))
    bottom = figures.robustness(curve).axes[-1]
    assert [label.get_text() for label in bottom.get_xticklabels()] == ["200–400", "400–800"]
    assert len(bottom.lines) == 1  # no line marks the task's own


def test_save_writes_both_files_with_the_same_bytes_each_time(tmp_path, net):
    connectivity, spectrum = analysis.connectivity(net), analysis.spectrum(net)
    files = [
        figures.save(figures.connectivity(connectivity, spectrum), tmp_path / place, "fig4")
        for place in "ab"
    ]
    (png, svg), again = files
    assert [path.name for path in files[0]] == ["fig4.png", "fig4.svg"]
    assert [path.read_bytes() for path in again] == [png.read_bytes(), svg.read_bytes()]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["fig4.png", "fig4.svg"]
    width, height = struct.unpack(">II", png.read_bytes()[16:24])
    assert abs(width - 175 / 25.4 * 300) <= 1
    assert abs(height - 64 / 25.4 * 300) <= 1
    root = ElementTree.parse(svg).getroot()
    texts = {"".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")}
    assert "Recurrent weight (a.u.)" in texts
    assert svg.stat().st_size < 1_500_000


def test_wrong_input_is_told_in_one_line(tmp_path, net, task, space, cube):
    flat = replace(space, coordinates=space.coordinates[..., :2])
    walk = task.walk()
    odd = RobustnessCurve("gaps", np.ones((2, 2)), (1, 2), np.ones(2), np.ones(2), np.ones(2))
    wrong = {
        "FlipFlop": lambda: figures.flip_flop(net),
        "Network": lambda: figures.network(task),
        "n = 3": lambda: figures.trials(task.walk()),
        "spectra is empty": lambda: figures.spectrum([]),
        r"spectra\[0\]": lambda: figures.spectrum([net]),
        "connectivity is of type": lambda: figures.connectivity(net, net),
        "2 dimensions": lambda: figures.state_space(flat),
        "belong together": lambda: figures.state_space(space, trials=walk),
        "trajectory.outputs": lambda: figures.state_space(
            space, net.simulate(walk.inputs[:, :50]), walk
        ),
        "cubes has 1 entries": lambda: figures.state_spaces([space, space], [cube]),
        "there are 1 networks": lambda: figures.state_space_3d(space, [cube, cube]),
        "'validation_loss'": lambda: figures.learning_curve(
            history(1).drop(columns="validation_loss")
        ),
        "none of the columns error_before": lambda: figures.force_learning(history(1)),
        "history is empty": lambda: figures.learning_curve(history(1)[:0]),
        "row of numbers": lambda: figures.robustness(odd),
        "figure is of type": lambda: figures.save(figures.state_space_3d(space), tmp_path, "x"),
        "name = 'a/b'": lambda: figures.save(figures.network(net), tmp_path, "a/b"),
    }
    for message, call in wrong.items():
        with pytest.raises(InvalidSetting, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


# --- models and constraints


def constrained(**rules):
    model = models.RateRNN(units=12, constraints=models.Constraints(**rules))
    return analysis.connectivity(model.build(2, 1)), analysis.spectrum(model.build(2, 1))


def test_the_matrix_of_a_dale_network_has_excitatory_units_first_and_a_line_between():
    signs = np.where(np.arange(12) % 3 == 0, -1, 1)
    found, spectrum = constrained(signs=signs)
    drawn = figures.connectivity(found, spectrum).axes[0]
    order = np.argsort(-signs, kind="stable")
    np.testing.assert_array_equal(drawn.images[0].get_array(), found.weights[np.ix_(order, order)])
    assert [text.get_text() for text in drawn.texts if text.get_text() in "EI"] == ["E", "I"]
    assert [line.get_xdata()[0] for line in drawn.lines] == [7.5]
    assert "sorted by sign" in drawn.get_xlabel()


def test_units_of_a_sign_are_sorted_among_themselves():
    found, spectrum = constrained(excitatory=0.5)
    values = np.array([0.1, 3, -2, 0, 5, 4, 9, -1, 8, 0.5, 7, 2])
    drawn = figures.connectivity(found, spectrum, sort_by=values).axes[0]
    order = [4, 5, 1, 0, 3, 2, 6, 8, 10, 11, 9, 7]
    np.testing.assert_array_equal(drawn.images[0].get_array(), found.weights[np.ix_(order, order)])
    assert drawn.get_xlabel() == "Pre-synaptic unit (sorted)"
    for wrong in (values[1:], np.where(values == 0, np.nan, values)):
        with pytest.raises(InvalidSetting, match="sort_by has shape"):
            figures.connectivity(found, spectrum, sort_by=wrong)


def test_areas_are_parted_both_ways_and_named():
    found, spectrum = constrained(areas=(5, 7), connections=((1.0, 0.2), (0.2, 1.0)))
    drawn = figures.connectivity(found, spectrum).axes[0]
    np.testing.assert_array_equal(drawn.images[0].get_array(), found.weights)
    assert {text.get_text() for text in drawn.texts} >= {"area 0", "area 1"}
    assert sorted(line.get_xdata()[0] == line.get_xdata()[1] for line in drawn.lines) == [0, 1]


def test_a_gate_and_a_jacobian_are_named():
    net = models.GRU(units=6).build(2, 1)
    drawn = figures.connectivity(analysis.connectivity(net), analysis.spectrum(net))
    assert drawn.axes[0].get_title() == "candidate gate"
    assert drawn.axes[2].get_title() == "Jacobian at 0"


def test_every_model_has_its_equations():
    def own_cell(weights, state, x):
        return state

    stack = models.Stacked(layers=(models.GRU(units=4), models.RateRNN(units=3)))
    for model, said in [
        (models.LowRankRNN(units=5, rank=2), ["m_r", "5 × 2"]),
        (models.GRU(units=4, tau=5.0), [r"(\Delta t/\tau)", "12 × 4", "1, 5 ms"]),
        (models.LSTM(units=4), [r"f \odot c", "16 × 4"]),
        (stack, ["GRU of $x(t)$", "RateRNN of $h^{(1)}$", "4 → 3 units", "12 × 4"]),
        (models.Custom(step=own_cell, units=3, memory=2), ["own_cell", "5 (state)"]),
        (
            models.RateRNN(units=10, constraints=models.Constraints(excitatory=0.8, density=0.5)),
            ["8 : 2 (Dale's law)", "0.5"],
        ),
    ]:
        drawn = figures.network(model.build(2, 1))
        texts = " | ".join(text.get_text() for axes in drawn.axes for text in axes.texts)
        for part in said:
            assert part in texts, (model, part)
        drawn.canvas.draw()  # the mathtext is well formed


def test_the_spectral_radius_is_drawn_where_it_was_measured():
    table = pd.DataFrame(
        {
            "net": [0, 0, 0, 1, 1, 1],
            "step": [1, 2, 3] * 2,
            "spectral_radius": [1.0, np.nan, 1.1, 0.9, np.nan, 1.2],
        }
    )
    drawn = figures.spectral_radius(table).axes[0]
    one, first, second = drawn.lines
    assert one.get_ydata()[0] == 1
    np.testing.assert_array_equal(first.get_xdata(), [1, 3])
    np.testing.assert_array_equal(second.get_ydata(), [0.9, 1.2])
    with pytest.raises(InvalidSetting, match="history has no spectral radius"):
        figures.spectral_radius(table[table["step"] == 2])
    with pytest.raises(InvalidSetting, match="history has no spectral radius"):
        figures.spectral_radius(table.drop(columns="spectral_radius"))


def test_a_state_space_is_coloured_by_epochs_conditions_or_memory():
    task = tasks.ContextDecision(dt=50, fixation=50, stimulus=200)
    net = models.RateRNN(units=6).build(task.n_inputs, task.n_outputs)
    space = analysis.state_space(net, task.sample(40, seed=1))
    assert legend_texts(figures.state_space(space)) == [*task.epoch_names]
    shown = figures.state_space(space, by="relevant")
    levels = np.unique(task.sample(30, seed=1).conditions["relevant"])
    assert legend_texts(shown) == [f"{level:g}".replace("-", "−") for level in levels]
    assert shown.legends[0].get_title().get_text() == "relevant"
    points = sum(len(spots.get_offsets()) for spots in shown.axes[0].collections)
    assert points == space.within[:30].sum()
    quarters = replace(space, conditions={"many": np.random.default_rng(0).random(40)})
    assert len(legend_texts(figures.state_spaces([quarters], by="many"))) == 4
    with pytest.raises(InvalidSetting, match="did you mean 'context'"):
        figures.state_space(space, by="contxt")
    turning = figures.state_space_3d(space, by="context")
    assert {trace.name for trace in turning.data} == {"trajectory", "0", "1"}
