"""The figures of fixed points, their connections, spectra, automata and branches."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.colors import to_hex

from attractory import InvalidSetting, analysis, figures, models, tasks

UNITS = 8  # of each bit


def planted(bits: int, gain: float = 2.0) -> models.Network:
    """Independent bits, each kept by units that excite or inhibit one another."""
    rng = np.random.default_rng(0)
    patterns = rng.choice([-1.0, 1.0], (bits, UNITS))
    shape = (bits * UNITS, bits)
    recurrent, inputs = np.zeros((shape[0], shape[0])), np.zeros(shape)
    for bit, pattern in enumerate(patterns):
        own = slice(bit * UNITS, (bit + 1) * UNITS)
        recurrent[own, own] = gain / UNITS * np.outer(pattern, pattern)
        inputs[own, bit] = pattern
    return models.RateRNN.from_weights(recurrent, inputs, inputs.T / UNITS)


@pytest.fixture(scope="module")
def net():
    return planted(3)


@pytest.fixture(scope="module")
def task():
    return tasks.FlipFlop.paper()


@pytest.fixture(scope="module")
def space(net, task):
    return analysis.state_space(net, task.walk())


@pytest.fixture(scope="module")
def points(net):
    return analysis.fixed_points(net, n_starts=512)


@pytest.fixture(scope="module")
def joined(points):
    return analysis.connections(points)


@pytest.fixture(scope="module")
def machine(net, task, joined):
    return analysis.automaton(net, task, n_samples=3, points=joined.attractors, hold_steps=300)


@pytest.fixture(scope="module")
def turning():
    """A network with a rotation: its state 0 has a complex pair, and it ends in oscillations."""
    angle = 0.5
    rotation = 1.5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    recurrent = np.zeros((4, 4))
    recurrent[:2, :2], recurrent[2, 2] = rotation, 0.5
    return models.RateRNN.from_weights(recurrent, np.eye(4)[:, :3], np.eye(4)[:3])


def placed(space, states):
    return (states - space.center) @ space.components.T


def legend_texts(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def lines_of(axes, label: str) -> list:
    return [line for line in axes.lines if line.get_label() == label]


def assert_readable(figure) -> None:
    """Every axis label names a unit in brackets; no text is tiny or outside of the page."""
    figure.draw_without_rendering()
    for axes in figure.get_axes():
        labels = [axes.get_xlabel(), axes.get_ylabel()]
        labels += [axes.get_zlabel()] if hasattr(axes, "get_zlabel") else []
        for label in filter(None, labels):
            assert re.search(r"\(.+\)", label), label
        texts = [*axes.texts, axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels()]
        assert all(text.get_size() >= 5.8 for text in texts)
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 > -0.02
    assert box.x1 < width + 0.02
    assert box.y0 > -0.02
    assert box.y1 < height + 0.02


def test_fixed_points_are_drawn_by_kind_where_they_are(points, space, joined):
    figure = figures.fixed_points(points, space, joined)
    (axes,) = figure.axes
    assert legend_texts(figure) == [
        "stable (8)",
        "1 unstable dimension (12)",
        "2 unstable dimensions (6)",
        "3 unstable dimensions (1)",
        "unstable direction",
        "trajectory",
        "saddle to attractor (24)",
    ]
    looks = set()
    for k, drawn in enumerate(axes.collections):
        expected = placed(space, points.states[points.n_unstable == k])
        assert np.allclose(np.stack(drawn._offsets3d, axis=1), expected)
        looks.add((to_hex(drawn.get_facecolor()[0]), len(drawn.get_paths()[0].vertices)))
    assert len(looks) == 4
    trajectory = np.stack(axes.lines[0].get_data_3d(), axis=1)
    assert np.array_equal(trajectory, space.coordinates[0])
    assert_readable(figure)


def test_unstable_directions_are_equally_long_and_lead_along_the_edges(points, space):
    figure = figures.fixed_points(points, space)
    segments = np.array(
        [line.get_data_3d() for line in lines_of(figure.axes[0], "unstable direction")]
    )
    assert len(segments) == 12 + 2 * 6
    lengths = np.linalg.norm(segments[..., 1] - segments[..., 0], axis=1)
    assert np.allclose(lengths, lengths[0])
    saddles = placed(space, points.states[points.n_unstable == 1])
    assert np.allclose(segments[:12].mean(axis=2), saddles)
    assert "saddle to attractor (24)" not in legend_texts(figure)


def test_ways_lead_from_each_saddle_to_both_of_its_attractors(points, space, joined):
    axes = figures.fixed_points(points, space, joined).axes[0]
    ways = [np.stack(line.get_data_3d(), axis=1) for line in lines_of(axes, "way")]
    assert len(ways) == 24
    for i, (saddle, one, other) in enumerate(joined.edges):
        pair = ways[2 * i : 2 * i + 2]
        for way in pair:
            assert np.allclose(way[0], placed(space, points.states[saddle]))
            assert len(way) > 5
        ends = {tuple(way[-1].round(6)) for way in pair}
        assert ends == {
            tuple(placed(space, points.states[number]).round(6)) for number in (one, other)
        }


def test_points_without_proof_are_hollow(points, space):
    decided = points.decided.copy()
    decided[[0, 9]] = False
    figure = figures.fixed_points(replace(points, decided=decided), space)
    assert "undecided or not proved (2)" in legend_texts(figure)
    white = [
        drawn for drawn in figure.axes[0].collections
        if to_hex(drawn.get_facecolor()[0]) == "#ffffff"
    ]  # fmt: skip
    assert [drawn.get_label() for drawn in white] == ["stable", "1 unstable dimension"]
    assert len(white[0]._offsets3d[0]) == 1
    assert "undecided or not proved (2)" not in legend_texts(figures.fixed_points(points, space))


def test_many_unstable_dimensions_are_one_kind(points, space):
    counts = points.n_unstable.copy()
    counts[-7:] = [4, 4, 5, 9, 9, 9, 27]
    figure = figures.fixed_points(replace(points, n_unstable=counts), space)
    assert "4–27 unstable dimensions (7)" in legend_texts(figure)
    assert not any("2 unstable" in text for text in legend_texts(figure))


def test_oscillations_are_rings_at_their_mean(turning, task):
    space = analysis.state_space(turning, task.walk())
    points = analysis.fixed_points(turning, n_starts=32)
    joined = analysis.connections(points)
    oscillations = joined.attractors.oscillations
    assert len(oscillations) == 1
    figure = figures.fixed_points(points, space, joined)
    assert "oscillation (mean) (1)" in legend_texts(figure)
    *_, ring = figure.axes[0].collections
    assert ring.get_facecolor().size == 0
    assert np.allclose(np.ravel(ring._offsets3d), placed(space, oscillations[0].mean))
    nodes = figures.connections(joined).axes[0]
    assert [line.get_label() for line in nodes.lines] == ["oscillation, at its mean"]
    assert nodes.get_title() == "not an n-cube: 1 attractor, 0 joined pairs"


def test_unstable_vectors_span_what_the_jacobian_stretches(turning, points):
    for found, count in [(analysis.fixed_points(turning, n_starts=32), 2), (points, 3)]:
        point = int(np.flatnonzero(found.n_unstable == count)[0])
        vectors = found.unstable_vectors(point)
        assert np.linalg.matrix_rank(vectors, tol=1e-6) == len(vectors) == count
        jacobian = found.step.jacobians(found.states[point][None])[0]
        basis = np.linalg.qr(vectors.T)[0]
        stretched = jacobian @ basis
        assert np.allclose(basis @ (basis.T @ stretched), stretched, atol=1e-8)
        assert (np.abs(np.linalg.eigvals(basis.T @ stretched)) > 1).all()


def test_fixed_points_3d_tells_what_is_pointed_at(points, space, joined):
    figure = figures.fixed_points_3d(points, space, joined)
    assert not figure.layout.updatemenus
    stable = next(trace for trace in figure.data if trace.name == "stable (8)")
    read = ", ".join(f"{z:.2f}" for z in points.outputs[0]).replace("-", "−")
    largest = abs(points.eigenvalues[0, 0])
    assert stable.text[0] == (
        f"point 0<br>0 unstable dimensions<br>certified<br>read-out ({read})"
        f"<br>largest |λ| {largest:.3f}"
    )
    drawn = np.stack([stable.x, stable.y, stable.z], axis=1)
    assert np.allclose(drawn, placed(space, points.states[:8]), atol=1e-4)
    assert len({trace.marker.symbol for trace in figure.data if trace.mode == "markers"}) == 4
    assert {"saddle to attractor", "unstable direction"} <= {trace.name for trace in figure.data}
    assert sum(len(trace.x) for trace in figure.data) <= 4200


def test_fixed_points_3d_chooses_the_network_and_marks_what_is_not_proved(points, space):
    unsure = replace(points, certified=np.zeros(len(points), bool))
    figure = figures.fixed_points_3d([points, unsure], [space, space])
    buttons = json.loads(figure.to_json())["layout"]["updatemenus"][0]["buttons"]
    assert [button["label"] for button in buttons] == ["network 0", "network 1"]
    shown = buttons[1]["args"][0]["visible"]
    assert shown == [False] * 6 + [True] * 6
    names = [trace.name for trace, seen in zip(figure.data, shown, strict=True) if seen]
    assert "stable, not proved (8)" in names
    assert "not certified" in figure.data[8].text[0]


def test_connections_of_three_bits_are_drawn_as_a_cube(joined):
    figure = figures.connections(joined)
    (axes,) = figure.axes
    assert axes.get_title() == "the 3-cube"
    assert legend_texts(figure) == ["stable point (8)", "saddle that joins two (12)"]
    (nodes,) = lines_of(axes, "stable point")
    outputs = np.array([joined.attractors.output(number) for number in joined.graph.nodes])
    expected = outputs @ [[1, 0], [0, 1], [0.46, 0.3]]
    drawn = np.stack(nodes.get_data(), axis=1)
    assert np.allclose(drawn, expected, atol=1e-2)
    written = {text.get_text(): text for text in axes.texts}
    for place, signs in zip(drawn, np.sign(outputs), strict=True):
        label = " ".join("−0+"[int(sign) + 1] for sign in signs)
        assert np.allclose(written[label].xy, place)
    assert {"output 1 (a.u.)", "output 3 (a.u.)"} <= set(written)
    edges = [line for line in axes.lines if len(line.get_xdata()) > 8]
    ends = [np.stack(line.get_data(), axis=1)[[0, -1]] for line in edges]
    pairs = {frozenset(int(np.abs(drawn - end).sum(1).argmin()) for end in both) for both in ends}
    assert pairs == {frozenset(edge) for edge in joined.edges[:, 1:].tolist()}
    assert_readable(figure)


def test_connections_that_are_no_cube_say_so(joined):
    cut = replace(joined, edges=joined.edges[:-1])
    title = figures.connections(cut).axes[0].get_title()
    assert title == "not an n-cube: 8 attractors, 11 joined pairs"
    one = joined.edges[0]
    twice = replace(joined, edges=np.concatenate([joined.edges, [[26, one[1], one[2]]]]))
    assert "2" in [text.get_text() for text in figures.connections(twice).axes[0].texts]


def test_connections_label_by_number_what_has_no_sign(joined):
    outputs = joined.points.outputs.copy()
    outputs[0] = [0.42, -1.2, -0.04]
    points = replace(joined.points, outputs=outputs)
    moved = replace(joined, attractors=replace(joined.attractors, points=points))
    texts = [text.get_text() for text in figures.connections(moved).axes[0].texts]
    assert "0.4 − 0" in texts
    named = figures.connections(joined, names=list("abcdefgh")).axes[0]
    assert set("abcdefgh") <= {text.get_text() for text in named.texts}


def test_attractors_at_one_place_are_spread_apart(joined):
    points = replace(joined.points, outputs=np.zeros((len(joined.points), 1)))
    moved = replace(joined, attractors=replace(joined.attractors, points=points))
    axes = figures.connections(moved).axes[0]
    drawn = np.stack(lines_of(axes, "stable point")[0].get_data(), axis=1)
    distances = np.linalg.norm(drawn[:, None] - drawn, axis=2)[~np.eye(8, dtype=bool)]
    assert distances.min() > 0.05 * np.ptp(drawn, axis=0).max()


def test_connections_without_read_out_have_numbers():
    found = analysis.fixed_points(lambda h, x: jnp.tanh(2 * h), units=2, n_starts=64)
    figure = figures.connections(analysis.connections(found))
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {str(number) for number in found.stable} <= texts
    assert figure.axes[0].get_title() == "the 2-cube"


def test_jacobian_spectra_show_every_eigenvalue(points):
    figure = figures.jacobian_spectra(points)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "stable\n(8 points)",
        "1 unstable dimension\n(12 points)",
        "2 unstable dimensions\n(6 points)",
        "3 unstable dimensions\n(1 point)",
    ]
    for k, axes in enumerate(figure.axes):
        inside, outside = (
            np.concatenate([line.get_xdata() + 1j * line.get_ydata()])
            for line in axes.lines if line.get_label()[0] != "_"
        )  # fmt: skip
        expected = points.eigenvalues[points.n_unstable == k].ravel()
        assert np.array_equal(np.sort(np.append(inside, outside)), np.sort(expected))
        assert len(outside) == k * (points.n_unstable == k).sum()
        assert axes.patches[0].radius == 1
        assert axes.get_aspect() == 1
        assert axes.get_xlim()[1] > np.abs(points.eigenvalues).max()
    assert_readable(figure)


def test_jacobian_spectra_of_many_points_are_chosen_and_drawn_as_pixels(points):
    figure = figures.jacobian_spectra(points, most=3)
    assert figure.axes[1].get_title() == "1 unstable dimension\n(12 points, 3 drawn)"
    drawn = sum(len(line.get_xdata()) for line in figure.axes[1].lines[2:])
    assert drawn == 3 * points.step.units
    assert not figure.axes[1].lines[2].get_rasterized()
    wide = replace(points, eigenvalues=np.tile(points.eigenvalues, 30))
    assert figures.jacobian_spectra(wide).axes[1].lines[2].get_rasterized()


def test_automaton_shows_margins_and_marks_what_fails(machine):
    order = np.argsort(~machine.machine.memories, kind="stable")
    reached, failures = machine.reached.copy(), machine.failures.copy()
    reached[order[3], 5], reached[order[20], 26] = -1, 7
    failures[order[10], 2] = 2
    broken = replace(machine, reached=reached, failures=failures)
    figure = figures.automaton(broken)
    quiet, noisy, holds, bar = figure.axes
    assert np.array_equal(quiet.images[0].get_array(), machine.margins[order])
    assert np.allclose(noisy.images[0].get_array(), machine.worst_margins[order], equal_nan=True)
    low, high = quiet.images[0].get_clim()
    assert -low == high == np.nanmax(np.abs([machine.margins, machine.worst_margins]))
    assert bar.get_xlabel() == "Margin of the read-out (a.u.)"
    assert np.stack(quiet.lines[0].get_data(), axis=1).tolist() == [[5, 3], [26, 20]]
    failed = np.stack(noisy.lines[0].get_data(), axis=1)
    assert [2, 10] in failed.tolist()
    assert len(failed) == (failures > 0).sum()
    texts = legend_texts(figure)
    assert "wrong (2 of 729)" in texts
    assert f"failed in some sample ({(failures > 0).sum()} of 729)" in texts
    names = [label.get_text() for label in quiet.get_yticklabels()]
    assert names[:2] == ["−−−", "−−+"]
    assert names[8:] == [
        name.replace("-", "−") for name in machine.machine.states if "0" in name
    ]  # fmt: skip
    assert set(quiet.get_yticklabels()[0].get_family()) == {"monospace"}
    assert set(quiet.lines[1].get_ydata()) == {7.5}
    assert holds.get_xscale() == "log"
    assert_readable(figure)


def test_automaton_shows_how_long_states_hold(machine):
    holds = np.full(27, 300.0)
    holds[0], holds[13], holds[26] = 0, 201, np.inf  # lost at step 201: held for 200
    changed = replace(
        machine, holds=holds, lost=holds < 300,
        holds_noise=np.full(27, 151.0), lost_noise=np.ones(27, bool),
    )  # fmt: skip
    order = np.argsort(~machine.machine.memories, kind="stable")
    figure = figures.automaton(changed)
    axes = figure.axes[2]
    quiet = lines_of(axes, "without noise")[0]
    drawn = dict(zip(quiet.get_ydata(), quiet.get_xdata(), strict=True))
    rows = {int(q): row for row, q in enumerate(order)}
    assert drawn[rows[13]] == 200
    assert drawn[rows[0]] < 100  # beside the axis, where the tick says 0
    assert rows[26] not in drawn
    proved = np.concatenate(
        [line.get_ydata() for line in lines_of(axes, "proved to hold for ever")]
    )
    assert proved.tolist() == [rows[26]]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[0] == "0"
    assert labels[-1] == "∞"
    assert set(lines_of(axes, "with noise")[0].get_xdata()) == {150}
    assert "proved to hold for ever (1 of 27)" in legend_texts(figure)


def test_automaton_of_one_bit_without_samples():
    task = tasks.FlipFlop(bits=1, neutral_start=False)
    found = analysis.automaton(planted(1), task, n_samples=0, hold_steps=200)
    figure = figures.automaton(found)
    table, _, _ = figure.axes
    assert table.images[0].get_array().shape == (2, 3)
    assert [label.get_text() for label in table.get_xticklabels()] == ["−", "0", "+"]
    assert not any("sample" in text for text in legend_texts(figure))
    assert len(table.lines) == 1  # no state with a 0, no line between
    assert_readable(figure)


def test_continuation_is_solid_to_the_first_fold(points):
    found = analysis.continuation(points, [1, 0, 0])
    figure = figures.continuation(found)
    assert len(figure.axes) == 3
    branches = [branch for branch in found.branches if len(branch.folds)]
    assert len(branches) == 4
    for channel, axes in enumerate(figure.axes):
        crosses = [line.get_data() for line in lines_of(axes, "fold") if len(line.get_xdata())]
        assert [float(x[0]) for x, _ in crosses] == [branch.fold for branch in branches]
        dashed = [line for line in axes.lines if line.is_dashed()]
        for branch, line in zip(branches, dashed, strict=True):
            assert np.array_equal(line.get_xdata(), branch.amplitudes[branch.folds[0] :])
            assert np.array_equal(line.get_ydata(), branch.outputs[branch.folds[0] :, channel])
        assert axes.get_ylabel() == f"Output {channel + 1} (a.u.)"
    assert figure.axes[0].get_title() == "input pattern (1, 0, 0)"
    assert legend_texts(figure)[:4] == ["until the first fold", "after it", "fold", "point 0"]
    assert_readable(figure)


def test_continuation_has_a_column_a_pattern_and_marks_lost_branches(points):
    first = analysis.continuation(points, [0, -1, 0], starts=[0, 1])
    lost = [replace(branch, end="lost") for branch in first.branches]
    figure = figures.continuation([first, replace(first, branches=lost)])
    grid = np.reshape(figure.axes, (3, 2))
    assert grid[0, 0].get_title() == "input pattern (0, −1, 0)"
    assert not lines_of(grid[0, 0], "not followed further")
    ends = lines_of(grid[0, 1], "not followed further")
    assert [line.get_xdata()[0] for line in ends] == [b.amplitudes[-1] for b in lost]
    assert "not followed further" in legend_texts(figure)


def test_continuation_of_many_channels_shows_the_driven_ones():
    found = analysis.fixed_points(planted(4), n_starts=64, max_starts=64)
    branches = analysis.continuation(found, [0, 0, 1, 0], starts=found.stable[:2])
    figure = figures.continuation(branches)
    assert [axes.get_ylabel() for axes in figure.axes] == ["Output 3 (a.u.)"]


def test_wrong_input_is_told_in_one_line(points, space, joined, machine):
    other = analysis.fixed_points(planted(1), n_starts=32)
    flat = replace(space, coordinates=space.coordinates[..., :2])
    branches = analysis.continuation(points, [1, 0, 0], starts=[0])
    silent = replace(
        branches, points=replace(points, outputs=np.zeros((len(points), 0)))
    )  # fmt: skip
    none = replace(points, n_unstable=points.n_unstable[:0])
    wrong = {
        "points is of type StateSpace": lambda: figures.fixed_points(space, points),
        "space is of type": lambda: figures.fixed_points(points, points),
        "connections is of type": lambda: figures.fixed_points(points, space, points),
        "2 dimensions": lambda: figures.fixed_points(points, flat),
        "space is of 24 units, points of 8": lambda: figures.fixed_points(other, space),
        "of other fixed points": lambda: figures.fixed_points(
            replace(points, states=points.states + 1), space, joined
        ),
        "space has 1 entries": lambda: figures.fixed_points_3d([points, points], space),
        r"points\[1\] is of type": lambda: figures.fixed_points_3d([points, 1], [space, space]),
        "connections has 1 entries": lambda: figures.fixed_points_3d(
            [points, points], [space, space], joined
        ),
        r"points\[1\] of 8": lambda: figures.fixed_points_3d([points, other], [space, space]),
        "a Connections is needed": lambda: figures.connections(points),
        "names has 2 entries, there are 8": lambda: figures.connections(joined, ["a", "b"]),
        "names is not a sequence": lambda: figures.connections(joined, "abcdefgh"),
        "a FixedPoints is needed": lambda: figures.jacobian_spectra(joined),
        "most = 0": lambda: figures.jacobian_spectra(points, most=0),
        "points is empty": lambda: figures.jacobian_spectra(none),
        "an? Automaton is needed": lambda: figures.automaton(machine.machine),
        "continuations is empty": lambda: figures.continuation([]),
        "at most 4": lambda: figures.continuation([branches] * 5),
        "no read-out": lambda: figures.continuation(silent),
        "all must have as many": lambda: figures.continuation([branches, silent]),
    }
    for message, call in wrong.items():
        with pytest.raises(InvalidSetting, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_the_ways_are_those_of_the_connections(points, space, joined):
    ways = joined.ways(space, most=20)
    assert len(ways) == 2 * len(joined.edges) == 24
    for way, (saddle, *ends) in zip(ways, np.repeat(joined.edges, 2, axis=0), strict=True):
        assert 5 < len(way) <= 20
        assert np.allclose(way[0], space.project(points.states[saddle]))
        places = space.project(points.states[ends])
        assert np.abs(places - way[-1]).max(axis=1).min() < 1e-6


def test_slow_sets_are_drawn_with_the_drift_along_them():
    """A line of states c·v, which all stay: one line in space, a flat drift, its two ends."""
    v = np.array([0.6, 0.64, 0.48])
    net = models.RateRNN.from_weights(
        np.outer(v, v), v[:, None], v[None], activation="relu", tau=5.0
    )
    inputs = np.random.default_rng(0).uniform(0, 0.1, (4, 60, 1)).astype(np.float32)
    trials = tasks.Trials(inputs, inputs, np.ones_like(inputs))
    space = analysis.state_space(net, trials, n=3)
    found = analysis.slow_sets(net, duration=500)
    figure = figures.slow_sets({"first": found, "second": found}, space)
    solid, drift = figure.axes
    (line,) = found.continuous
    drawn = [np.array(each.get_data_3d()) for each in solid.lines if each.get_linewidth() == 2.0]
    np.testing.assert_allclose(drawn[0].T, space.project(line.states))
    curve = drift.lines[0].get_xydata()
    assert curve[-1, 0] == pytest.approx(line.extent[0])
    np.testing.assert_allclose(curve[:, 1], 100 * line.drift[:, 0] / found.typical_speed)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["trajectory", "first", "second"]
    with pytest.raises(InvalidSetting, match="sets is empty"):
        figures.slow_sets({}, space)
    with pytest.raises(InvalidSetting, match="of one network"):
        figures.slow_sets(found, replace(space, components=np.eye(4)[:3]))
